"""Tables of the index file, and coordinates in degrees."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import shapely
from pyproj import CRS, Transformer


def degrees(crs: str) -> Transformer | None:
    """None where the storage CRS already is in degrees."""
    storage = CRS.from_user_input(crs)
    if storage.is_geographic:
        return None
    return Transformer.from_crs(storage, "EPSG:4326", always_xy=True)


def transform_shapes(shapes: np.ndarray, to_degrees: Transformer | None) -> np.ndarray:
    """Shapes in degrees."""
    if to_degrees is None:
        return shapes
    return shapely.transform(shapes, lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1])))


def transform_points(x: np.ndarray, y: np.ndarray, to_degrees: Transformer | None) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude; NaN stays NaN."""
    if to_degrees is None:
        return x, y
    lon, lat = to_degrees.transform(x, y)
    usable = np.isfinite(lon) & np.isfinite(lat)
    return np.where(usable, lon, np.nan), np.where(usable, lat, np.nan)


def insert(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Add rows to a table."""
    con.register("incoming", table)
    con.execute(f'INSERT INTO "{name}" SELECT * FROM incoming')
    con.unregister("incoming")


def create(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """A new table with these rows."""
    con.register("incoming", table)
    con.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')
    con.unregister("incoming")
