"""Which of many points lie in a polygon: most are told by a cell of its extent, only those near the border are tested."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely

MOST_POLYGONS = 256  # kept
_CELLS = 64  # a side
_MARGIN = 1e-9  # cells are taken so much larger, of the extent, that rounding moves no point out of its own
_OUT, _IN, _EITHER = 0, 1, 2


@dataclass(frozen=True)
class _Cells:
    shape: shapely.Geometry
    bounds: tuple[float, float, float, float]
    kind: np.ndarray  # (cells, cells): north, east


def bounds_of(wkt: str) -> tuple[float, float, float, float]:
    """West, south, east, north."""
    return _cells(wkt).bounds


def inside(wkt: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mask of the points in a polygon or on its border; NaN is in none. As ``shapely.intersects_xy`` finds them.

    Parameters
    ----------
    wkt : str
        A polygon or multipolygon.
    x, y : ndarray of float, shape (n,)
        Anywhere, or NaN.
    """
    cells = _cells(wkt)
    west, south, east, north = cells.bounds
    near = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    column, row = (_cell(np.where(near, v, low), low, high) for v, low, high in ((x, west, east), (y, south, north)))
    kind = np.where(near, cells.kind[row, column], _OUT)
    result = kind == _IN
    tested = np.flatnonzero(kind == _EITHER)
    result[tested] = shapely.intersects_xy(cells.shape, x[tested], y[tested])
    return result


def _cell(values: np.ndarray, low: float, high: float) -> np.ndarray:
    share = (values - low) * (_CELLS / (high - low))
    return np.minimum(share.astype(np.int64), _CELLS - 1)


@lru_cache(maxsize=MOST_POLYGONS)
def _cells(wkt: str) -> _Cells:
    shape = shapely.from_wkt(wkt)
    shapely.prepare(shape)
    west, south, east, north = bounds = shape.bounds
    x, y = np.linspace(west, east, _CELLS + 1), np.linspace(south, north, _CELLS + 1)
    dx, dy = (east - west) * _MARGIN, (north - south) * _MARGIN
    boxes = shapely.box(x[None, :-1] - dx, y[:-1, None] - dy, x[None, 1:] + dx, y[1:, None] + dy)
    kind = np.where(shapely.covers(shape, boxes), _IN, np.where(shapely.intersects(shape, boxes), _EITHER, _OUT))
    return _Cells(shape, bounds, kind)
