"""Columns as the text a file holds, whole columns at a time."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

# What a spreadsheet would take for a formula, or hides before one; full-width signs count too in East Asian settings.
_FORMULA = r"^[\s\x00-\x1f]*[=+\-@＝＋－＠]|^[\t\r\n]"
_JSON_ESCAPED = r'[\x00-\x1f"\\]'


def guarded(table: pa.Table) -> pa.Table:
    """The table with ``'`` before every text a spreadsheet would run as a formula, and not finite numbers null."""
    for position, name in enumerate(table.column_names):
        column = table[name]
        if pa.types.is_string(column.type):
            risky = pc.match_substring_regex(column, _FORMULA)
            if pc.any(risky).as_py():
                column = pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)
        table = table.set_column(position, name, finite(column))
    return table


def finite(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers that are not finite as null; other columns as they are."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))


def json_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each value as JSON; null as ``null``, times as ISO text."""
    if pa.types.is_timestamp(column.type):
        column = pc.strftime(column.cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%S")
    elif pa.types.is_date(column.type):
        column = column.cast(pa.string())
    if not pa.types.is_string(column.type):
        return pc.fill_null(finite(column).cast(pa.string()), "null")
    if pc.any(pc.match_substring_regex(column, _JSON_ESCAPED)).as_py():
        escaped = [None if value is None else json.dumps(value, ensure_ascii=False) for value in column.to_pylist()]
        return pc.fill_null(pa.chunked_array([pa.array(escaped, pa.string())]), "null")
    return pc.fill_null(pc.binary_join_element_wise('"', column, '"', ""), "null")
