"""What a reader hands on: every value as text, with the row it came from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from etl.faults import ColumnFault
from etl.sources import Source

_DATA = re.compile(r"\d{5}|^[-+]?\d+(\.\d+)?$|\d{4}[-/.年]\d{1,2}[-/.月]\d")


@dataclass
class Raw:
    """Records of one file.

    ``table`` holds text columns under the file's own (cleaned) names; ``row`` the 1-based row of each record in the
    file, headers included; ``geometry`` WKB per record or None; ``crs`` what the file itself declares. ``columns``
    maps our field to the file's columns, first choice first. ``bad_rows`` are records that could not be split into
    the file's columns. ``remarks`` are texts outside the records (titles, hidden sheets, comments) worth a look.
    """

    file: str
    table: pa.Table
    row: np.ndarray
    columns: dict[str, tuple[str, ...]]
    geometry: pa.Array | None = None
    crs: str | None = None
    encoding: str | None = None
    title: str = ""
    bad_rows: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)
    sha256: str = ""

    def __len__(self) -> int:
        return self.table.num_rows

    def drop(self) -> None:
        """Let go of the records; what was made of them stays."""
        self.table, self.row, self.geometry = self.table.schema.empty_table(), self.row[:0].copy(), None

    def only(self, keep: np.ndarray) -> None:
        """Leave out the other records."""
        if keep.all():
            return
        mask = pa.array(keep)
        self.table, self.row = self.table.filter(mask), self.row[keep]
        self.geometry = self.geometry.filter(mask) if self.geometry is not None else None


def clean_name(name: object) -> str:
    """A header as it is compared: NFKC, without any white space or line break."""
    return "".join(unicodedata.normalize("NFKC", "" if name is None else str(name)).split())


def unique_names(names: Sequence[str]) -> list[str]:
    """Empty and repeated headers get a running number, so no column hides another."""
    seen: dict[str, int] = {}
    out = []
    for position, name in enumerate(names):
        base = name or f"第{position + 1}列"
        seen[base] = seen.get(base, 0) + 1
        out.append(base if seen[base] == 1 else f"{base}#{seen[base]}")
    return out


def match(wanted: dict[str, tuple[str, ...]], available: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Find our columns among a file's headers.

    Returns the found mapping and the wanted names of every field of which not one is there.
    """
    lookup = {clean_name(name): name for name in reversed(list(available))}
    found, missing = {}, []
    for our, theirs in wanted.items():
        hits = tuple(lookup[clean_name(t)] for t in theirs if clean_name(t) in lookup)
        if hits:
            found[our] = hits
        else:
            missing.append(theirs[0])
    return found, missing


def resolve(source: Source, file: str, available: Sequence[str], *, final: bool = False) -> dict[str, tuple[str, ...]]:
    """:func:`match`, or a fault that prints both lists. Columns that a file's ``query`` will make may still be absent."""
    found, missing = match(source.wanted(), available)
    if missing and (final or not (source.query and source.path)):
        raise ColumnFault(
            "映射的列不在文件中",
            where=f"{source.id} {file}",
            found=f"文件有 {shown(available)}",
            expected="、".join(missing),
            remedy="改正 [source.columns] 的列名，或 header 行号",
        )
    return found


def shown(names: Sequence[str]) -> str:
    """Headers for a message. A row with numbers or dates for cells is data, not a header, and is not shown."""
    told = [n for n in names if n]
    if any(_DATA.search(unicodedata.normalize("NFKC", n)) for n in told):
        return f"首行像数据，不像表头（{len(told)} 列）"
    return "、".join(told[:40])


def as_text(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Any column as trimmed text; null and blank are both the empty string. Whole floats lose their ``.0``."""
    import pyarrow.compute as pc

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_floating(array.type):
        whole = pc.all(pc.equal(array, pc.round(array))).as_py() is not False
        small = pc.max(pc.abs(array)).as_py()
        if whole and small is not None and small < 2**53:
            array = array.cast(pa.int64())
        else:
            values = array.to_pylist()
            array = pa.array(
                [
                    None
                    if v is None
                    else (repr(int(v)) if v == int(v) and abs(v) < 1e15 else repr(v))
                    if v == v and abs(v) != float("inf")
                    else None
                    for v in values
                ],
                pa.string(),
            )
    if pa.types.is_binary(array.type) or pa.types.is_nested(array.type):
        array = pa.nulls(len(array), pa.string())
    if not pa.types.is_string(array.type):
        array = array.cast(pa.string())
    return pc.fill_null(array, "")
