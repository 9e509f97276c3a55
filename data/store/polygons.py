"""Polygons of selections, and the SQL function that asks whether a point lies in one.

Polygons are known by number to the whole process, because two stores on one file share its database and its functions.
Here are their texts; their shapes are kept by :mod:`data.store.inside`.
"""

from __future__ import annotations

import itertools
import threading
from contextlib import suppress

import duckdb
import pyarrow as pa

from data.store.inside import MOST_POLYGONS, inside

INSIDE_POLYGON = "inside_polygon"  # (polygon number, lon, lat) -> in the polygon or on its border
_lock = threading.Lock()
_texts: dict[int, str] = {}
_given = itertools.count(1)
_numbers: dict[str, int] = {}  # by text, latest used last


def polygon_number(wkt: str) -> int:
    """The number of a polygon, so that a query carries a number and not a text; that of a forgotten one is never given
    again."""
    with _lock:
        number = _numbers.pop(wkt, None)
        if number is None:
            number = next(_given)
            _texts[number] = wkt
        _numbers[wkt] = number
        while len(_numbers) > MOST_POLYGONS:
            del _texts[_numbers.pop(next(iter(_numbers)))]
        return number


def teach(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a database the function, unless another store on the same file already has."""
    with suppress(duckdb.CatalogException):
        connection.create_function(
            INSIDE_POLYGON, _inside, ["INTEGER", "DOUBLE", "DOUBLE"], "BOOLEAN", type="arrow", side_effects=False
        )


def _inside(number: pa.Array, lon: pa.Array, lat: pa.Array) -> pa.Array:
    if len(number) == 0:
        return pa.array([], pa.bool_())
    x, y = (values.to_numpy(zero_copy_only=False) for values in (lon, lat))
    return pa.array(inside(_texts[number[0].as_py()], x, y))
