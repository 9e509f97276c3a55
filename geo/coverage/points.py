"""Which cameras see which points."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from scipy.spatial import cKDTree

from geo.coverage.inputs import camera_polygons
from geo.metres import metre_xy, refuse_other_crs
from geo.runs import blocks, ranges

_PAIRS = 1 << 20  # candidate pairs asked at once: 100 MB of temporaries
_FINEST = 1 << 22  # cells a side: keeps cell numbers far from overflow however far a stray area lies


def covered_points(xy, areas) -> np.ndarray:
    """How many cameras see each point.

    Parameters
    ----------
    xy : array_like (n, 2), GeoSeries or GeoDataFrame of points
        Metres.
    areas : array_like of Polygon, GeoSeries or GeoDataFrame
        What each camera covers, metres; missing and empty ones see nothing. Every row is one camera: two cameras at one
        place count twice. A frame with ``camera_code`` may name each code once.

    Returns
    -------
    ndarray of int, shape (n,)
        A point on the border of an area is seen. The answer is that of the polygons given: beside the true arc a
        sector's polygon misses up to 0.03 % of the range.

    Raises
    ------
    ValueError
        Degrees, points without coordinates, areas that are not polygons, a repeated code.

    Examples
    --------
    >>> from geo.coverage import sectors
    >>> areas = sectors([0, 30], [0, 0], [0, 0], [360, 360], [20, 20])
    >>> covered_points([[0, 0], [15, 0], [99, 0]], areas).tolist()
    [1, 2, 0]
    """
    refuse_other_crs(xy, areas, ("xy", "areas"))
    points = metre_xy(xy)
    seen = np.zeros(len(points), np.int64)
    for point, _ in pairs(points, camera_polygons(areas)):
        seen += np.bincount(point, minlength=len(points))
    return seen


def nearest_camera_m(xy, cameras_xy) -> np.ndarray:
    """Distance from each point to the nearest camera, whatever it looks at.

    Parameters
    ----------
    xy, cameras_xy : array_like (n, 2), (c, 2), GeoSeries or GeoDataFrame of points
        Metres. Give the working cameras to find places with none near.

    Returns
    -------
    ndarray of float, shape (n,)
        Metres; infinite where there is no camera.

    Raises
    ------
    ValueError
        Degrees, points without coordinates.

    Examples
    --------
    >>> nearest_camera_m([[0, 0], [100, 0]], [[3, 4]]).round(1).tolist()
    [5.0, 97.1]
    """
    refuse_other_crs(xy, cameras_xy, ("xy", "cameras_xy"))
    points, cameras = metre_xy(xy), metre_xy(cameras_xy, "cameras_xy")
    if not len(cameras):
        return np.full(len(points), np.inf)
    return cKDTree(cameras).query(points)[0]


def pairs(points: np.ndarray, areas: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every (point, area) of which the point lies in the area or on its border, once, in blocks of bounded size.

    The points are sorted into square cells, row by row; each row of an area's box is then one run of sorted points. The
    runs are compared with the box, and what remains is asked of the polygon itself.
    """
    boxes = shapely.bounds(areas)
    some = np.flatnonzero(np.isfinite(boxes[:, 0]))
    if not some.size or not len(points):
        return
    boxes = boxes[some]
    west, south, east, north = boxes[:, 0].min(), boxes[:, 1].min(), boxes[:, 2].max(), boxes[:, 3].max()
    width = np.median(np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])) / 2
    cell = max(width, 1.0, (east - west) / _FINEST, (north - south) / _FINEST)
    columns = int((east - west) / cell) + 1
    x, y = points[:, 0], points[:, 1]
    inside = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
    key = ((y[inside] - south) / cell).astype(np.int64) * columns + ((x[inside] - west) / cell).astype(np.int64)
    order = np.argsort(key)
    key, point = key[order], inside[order]
    x, y = x[point], y[point]
    left, right = (((boxes[:, i] - west) / cell).astype(np.int64) for i in (0, 2))
    bottom, top = (((boxes[:, i] - south) / cell).astype(np.int64) for i in (1, 3))
    box = np.repeat(np.arange(some.size), top - bottom + 1)
    row = ranges(bottom, top - bottom + 1)
    begin = np.searchsorted(key, row * columns + left[box])
    count = np.searchsorted(key, row * columns + right[box], side="right") - begin
    found = np.flatnonzero(count)
    begin, count, box = begin[found], count[found], box[found]
    for block in blocks(count, _PAIRS):
        of, at = np.repeat(box[block], count[block]), ranges(begin[block], count[block])
        b, px, py = boxes[of], x[at], y[at]
        near = np.flatnonzero((px >= b[:, 0]) & (px <= b[:, 2]) & (py >= b[:, 1]) & (py <= b[:, 3]))
        area = some[of[near]]
        hit = shapely.intersects_xy(areas[area], px[near], py[near])
        yield point[at[near[hit]]], area[hit]
