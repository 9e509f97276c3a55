"""Columns as JSON text, whole columns at a time."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

_ESCAPED = r'[\x00-\x1f"\\]'


def json_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each value as JSON; null and what is not finite as ``null``, times as ISO text, lists as arrays."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = pc.strftime(column.cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%S")
    elif pa.types.is_date(kind):
        column = column.cast(pa.string())
    elif pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return pc.fill_null(finite(column).cast(pa.string()), "null")
    elif not pa.types.is_string(kind):
        return _dumped(column)
    if pc.any(pc.match_substring_regex(column, _ESCAPED)).as_py():
        return _dumped(column)
    return pc.fill_null(pc.binary_join_element_wise('"', column, '"', ""), "null")


def finite(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers that are not finite as null; other columns as they are."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))


def _dumped(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([json.dumps(v, ensure_ascii=False) for v in column.to_pylist()], pa.string())])
