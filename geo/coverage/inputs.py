"""What the functions of this package take: polygons in metres, flags that may be missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from geo.metres import refuse_degrees
from geo.region_index import geometries

_POLYGONAL = (3, 6)
_LATTICE_M = 2.0**-16  # 15 micrometres, exact in binary


def polygons(layer, name: str) -> np.ndarray:
    """Polygons of a frame, series, array or list as an object array; missing ones become empty, invalid ones mended.

    Raises
    ------
    ValueError
        Degrees, or a shape that is no polygon.
    """
    refuse_degrees(layer, name)
    shapes = geometries([layer] if isinstance(layer, shapely.Geometry) else layer)
    kind = shapely.get_type_id(shapes)
    wrong = np.flatnonzero(~np.isin(kind, (-1, *_POLYGONAL)) & ~shapely.is_empty(shapes))
    if wrong.size:
        raise ValueError(f"{name}[{wrong[0]}] is a {shapes[wrong[0]].geom_type}, expected Polygon or MultiPolygon")
    missing = np.flatnonzero((kind == -1) | shapely.is_empty(shapes))
    broken = np.flatnonzero(~shapely.is_valid(shapes) & (kind != -1))
    if missing.size or broken.size:
        shapes = shapes.copy()
        shapes[missing] = shapely.Polygon()
        mended = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
        shapes[broken] = np.where(np.isin(shapely.get_type_id(mended), _POLYGONAL), mended, shapely.Polygon())
    return shapes


def on_lattice(shapes: np.ndarray) -> np.ndarray:
    """Shapes with their vertices moved to multiples of 15 micrometres, ready to be united and cut.

    Two cameras on one pole have edges that lie on each other to the last digit. With vertices as they come GEOS 3.14.1
    then answers some unions and intersections wrongly and without an error: near the origin once in 600 pairs, never
    seen at city coordinates, whose own rounding acts as such a lattice. On it none of 50,000 pairs was wrong.
    """
    moved = shapely.transform(shapes, lambda xy: np.round(xy / _LATTICE_M) * _LATTICE_M)
    broken = np.flatnonzero(~shapely.is_valid(moved))
    if broken.size:
        moved[broken] = shapely.make_valid(moved[broken], method="structure", keep_collapsed=False)
    return moved


def camera_polygons(areas) -> np.ndarray:
    """Areas of cameras, one each. A frame with ``camera_code`` names each camera once.

    Raises
    ------
    ValueError
        As :func:`polygons`; a code that stands twice.
    """
    if "camera_code" in getattr(areas, "columns", ()):
        refuse_repeated(areas["camera_code"], "camera_code")
    return polygons(areas, "areas")


def refuse_repeated(codes, name: str) -> None:
    """Refuse codes that stand more than once; missing ones are not compared."""
    codes = pd.Series(np.asarray(codes, object)).dropna()
    again = codes[codes.duplicated()]
    if len(again):
        raise ValueError(
            f"{name} {again.iloc[0]} stands more than once ({len(again)} repeats), expected each camera once"
        )


def flags(values, size: int, name: str) -> np.ndarray:
    """True, False or missing as 1, 0, NaN; of the wanted length.

    Raises
    ------
    ValueError
        Another length, or a value that is neither.
    """
    given = pd.array(np.asarray(values, object).reshape(-1))
    if len(given) != size:
        raise ValueError(f"{name} has {len(given)} values, expected {size}: one a camera")
    known = ~pd.isna(given)
    out = np.full(size, np.nan)
    numbers = pd.to_numeric(pd.Series(np.asarray(given[known], object)), errors="coerce").to_numpy(float)
    wrong = np.flatnonzero(~np.isin(numbers, (0.0, 1.0)))
    if wrong.size:
        raise ValueError(f"{name} holds {given[known][wrong[0]]!r}, expected true, false, 1, 0 or missing")
    out[known] = numbers
    return out


def text_column(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Words of a column without blanks around them, whole numbers as such; None where missing, blank, or no column."""
    out = np.full(len(frame), None, object)
    if name in frame:
        values = frame[name].to_numpy(object)
        known = np.flatnonzero(~pd.isna(values))
        out[known] = [_word(value) or None for value in values[known]]
    return out


def _word(value) -> str:
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value).strip()


def number_column(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Numbers of a column; NaN where missing or where there is no such column."""
    return pd.to_numeric(frame[name]).to_numpy(float, na_value=np.nan) if name in frame else np.full(len(frame), np.nan)
