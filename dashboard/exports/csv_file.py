"""CSV that Excel and WPS open with its Chinese right and pandas reads with ``comment="#"``.

The head stands in leading lines that begin with ``#`` and hold no comma, so that a spreadsheet shows each in one cell.
Every text is quoted: a ``#`` inside one is then no comment.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import chain

import pyarrow as pa
import pyarrow.csv

from dashboard.exports.facts import Fact
from dashboard.exports.texts import guarded
from dashboard.language import say
from data.store.exporting import GEOJSON, Export

_OPTIONS = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
_NAMES = pyarrow.csv.WriteOptions(include_header=True, quoting_style="needed")


def csv_chunks(export: Export, facts: Iterable[Fact]) -> Iterator[bytes]:
    """The file in pieces; the first is the head and the column names, in the language now in use."""
    first = head(export, facts)
    return chain((first,), (_written(batch, _OPTIONS) for batch in export.batches()))


def head(export: Export, facts: Iterable[Fact]) -> bytes:
    """Byte order mark, facts and column names."""
    notes = (
        Fact("reading", say("读法"), say("以 # 开头的行是说明；pandas.read_csv(…，comment='#'，encoding='utf-8-sig')")),
        Fact("codes", say("编码"), say("都是文字，Excel 与 WPS 请用“数据—自文本”导入并设为文本，或改用 xlsx")),
        Fact("guard", say("公式"), say("以 = + - @ 开头的文字前加了一个 '，以免被当作公式")),
    )
    lines = [f"# {_one_cell(fact.name)}{say('：')}{_one_cell(fact.text)}" for fact in (*facts, *notes)]
    names = _written(export.columns.empty_table(), _NAMES)
    return b"\xef\xbb\xbf" + "".join(line + "\n" for line in lines).encode() + names


def _one_cell(text: str) -> str:
    return " ".join(text.split()).replace(",", "，")


def _written(table: pa.Table, options: pyarrow.csv.WriteOptions) -> bytes:
    if GEOJSON in table.column_names:
        table = table.drop_columns([GEOJSON])
    out = io.BytesIO()
    pyarrow.csv.write_csv(guarded(table), out, options)
    return out.getvalue()
