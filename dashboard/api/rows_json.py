"""Arrow rows to JSON text, column by column: 28,000 grids cost milliseconds, not a tenth of a second."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

from dashboard.json_texts import json_texts


def rows_json(table: pa.Table) -> str:
    """A JSON array with one object a row; null and NaN become null."""
    if table.num_rows == 0:
        return "[]"
    pieces: list[pa.ChunkedArray | str] = []
    for number, name in enumerate(table.column_names):
        pieces += [("," if number else "{") + json.dumps(name, ensure_ascii=False) + ":", json_texts(table[name])]
    objects = pc.binary_join_element_wise(*pieces, "}", "")
    return "[" + ",".join(objects.to_pylist()) + "]"
