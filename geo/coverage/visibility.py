"""What a camera sees between buildings: exact visibility polygons in the plane.

A planning estimate still: outlines have no height here, and trees, signs and light are unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import shapely
from numpy.typing import ArrayLike

from geo.coverage.inputs import polygons
from geo.coverage.sectors import FULL_DEG, STEP_DEG
from geo.result import Result
from geo.runs import ranges

_MOUNT_M = 1e-6  # a building this near carries the camera
_NARROWEST_DEG = 1e-6
_SLIT_RAD = 1e-8  # a gap narrower than this is closed: 2 micrometres at 200 m, the rounding of city coordinates
_SAME = 1e-9  # relative; edges whose distances differ by less meet
_CHUNK = 1000  # cameras whose candidates are gathered at once
_TURN = 2 * np.pi


@dataclass(frozen=True, eq=False)
class VisibleAreas(Result):
    """What each camera sees.

    Attributes
    ----------
    areas : ndarray of Polygon, shape (n,)
        Metres; each lies inside the camera's :func:`~geo.coverage.sector`.
    mounted : ndarray of bool, shape (n,)
        True where the camera stands inside a building or on its border. That building is taken as its mount and does
        not block its view: an upper estimate.
    note : str
        What the reader must know, in Chinese; "" when nothing.
    """

    unpacks: ClassVar = ("areas", "mounted")
    areas: np.ndarray
    mounted: np.ndarray
    note: str


def visible_area(
    x: float, y: float, bearing_deg: float = 0.0, fov_deg: float = 360.0, range_m: float = np.nan, obstacles=()
) -> shapely.Polygon:
    """The part of a camera's sector that no building hides, in the plane.

    Parameters
    ----------
    x, y : float
        Position, metres.
    bearing_deg, fov_deg, range_m : float
        As in :func:`~geo.coverage.sector`, and in its order; the bearing does not matter for a full circle, the range
        must be given.
    obstacles : GeoSeries, GeoDataFrame, array_like of Polygon or MultiPolygon, or Obstacles
        Building outlines in metres; holes are courtyards one can see in. They may touch and overlap. Missing and empty
        ones hide nothing, invalid ones are mended.

    Returns
    -------
    Polygon
        A point of the sector is in it where the open segment to the camera meets no building's interior. Without
        obstacles in range it is the sector itself, vertex for vertex.

    Raises
    ------
    ValueError
        Obstacles in degrees or not polygons; a value that is not finite or out of range.

    Notes
    -----
    Angular sweep over the edges that face the camera [Suri1986]_: between two neighbouring directions of end points
    the nearest edge is the one with the largest ``1/r``, linear in sine and cosine of the direction, so the boundary is
    exact (no rays are sampled); edges that cross, and the rim, are cut where they meet.

    A building that contains the camera, or whose border it touches, is taken as its mount (roof or wall) and hides
    nothing; :func:`visible_areas` says for which cameras that was so. Walls that touch leave no gap: one narrower than
    1e-8 rad is closed.

    Examples
    --------
    A wall 20 m wide and 10 m ahead hides what lies behind it.

    >>> from shapely import box
    >>> seen = visible_area(0, 0, bearing_deg=0, fov_deg=90, range_m=100, obstacles=[box(-10, 10, 10, 12)])
    >>> round(seen.area, 6)
    100.0
    """
    one = [np.asarray(v, float).reshape(1) for v in (x, y, bearing_deg, fov_deg, range_m)]
    east, north, bearing, fov, reach = one
    return visible_areas(east, north, bearing_deg=bearing, fov_deg=fov, range_m=reach, obstacles=obstacles).areas[0]


def visible_areas(
    x: ArrayLike,
    y: ArrayLike,
    *,
    bearing_deg: ArrayLike = 0.0,
    fov_deg: ArrayLike = 360.0,
    range_m: ArrayLike,
    obstacles,
) -> VisibleAreas:
    """:func:`visible_area` for many cameras over one index of buildings.

    Parameters
    ----------
    x, y : array_like (n,)
        Positions, metres.
    bearing_deg, fov_deg, range_m : float or array_like (n,)
    obstacles : as in :func:`visible_area`
        Give an :class:`Obstacles` to index the buildings once for several calls.

    Returns
    -------
    VisibleAreas
        Unpacks as ``areas, mounted``.

    Raises
    ------
    ValueError
        As :func:`visible_area`.

    Examples
    --------
    >>> from shapely import box
    >>> house = box(-5, -5, 5, 5)
    >>> areas, mounted = visible_areas([0, 20], [0, 0], range_m=10, obstacles=[house])
    >>> [round(a.area) for a in areas], mounted.tolist()
    ([314, 314], [True, False])
    """
    x, y, bearing, fov, reach = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(v, float)) for v in (x, y, bearing_deg, fov_deg, range_m))
    )
    _refuse(x, y, bearing, fov, reach)
    obstacles = obstacles if isinstance(obstacles, Obstacles) else Obstacles(obstacles)
    mounted = np.zeros(x.size, bool)
    rings: list[np.ndarray] = []
    for first in range(0, x.size, _CHUNK):
        part = slice(first, first + _CHUNK)
        candidates, mounted[part] = obstacles.near(x[part], y[part], reach[part])
        for i, edges in enumerate(candidates, first):
            start = np.radians(bearing[i] - fov[i] / 2) if fov[i] < FULL_DEG else -np.pi
            ring = _outline(edges, start, np.radians(fov[i]) if fov[i] < FULL_DEG else _TURN, reach[i])
            rings.append(ring + np.array([x[i], y[i]]))
    lengths = [len(ring) for ring in rings]
    areas = np.empty(x.size, object)
    if rings:
        areas[:] = shapely.polygons(
            shapely.linearrings(np.vstack(rings), indices=np.repeat(np.arange(x.size), lengths))
        )
    on = int(mounted.sum())
    return VisibleAreas(areas, mounted, f"{on}个摄像机位于建筑上，该建筑不计遮挡（上限估计）" if on else "")


def _refuse(x, y, bearing, fov, reach) -> None:
    if not (np.isfinite(x) & np.isfinite(y) & (np.isfinite(bearing) | (fov >= FULL_DEG))).all():
        raise ValueError("visible_area: x, y and bearing_deg must be finite")
    if not ((fov >= _NARROWEST_DEG) & (fov <= 360) & (reach > 0) & np.isfinite(reach)).all():
        raise ValueError("visible_area: fov_deg must be from 1e-6 to 360 and range_m over 0")


class Obstacles:
    """Building outlines made ready for :func:`visible_areas`: their walls, and an index of them.

    Parameters
    ----------
    shapes : GeoSeries, GeoDataFrame or array_like of Polygon or MultiPolygon
        Metres.

    Raises
    ------
    ValueError
        Degrees, or a shape that is no polygon.

    Examples
    --------
    >>> from shapely import box
    >>> blocks = Obstacles([box(20, -5, 30, 5)])
    >>> round(visible_area(0, 0, range_m=25, obstacles=blocks).area) < round(3.14 * 25**2)
    True
    """

    def __init__(self, shapes):
        parts = shapely.get_parts(polygons(shapes, "obstacles"))
        self._parts = shapely.orient_polygons(parts)  # the inside lies left of every wall, of courtyards too
        self._tree = shapely.STRtree(self._parts)
        rings, part = shapely.get_rings(self._parts, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        wall = (ring[1:] == ring[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
        self._ends = np.column_stack([xy[:-1][wall], xy[1:][wall]])  # a building's walls stand together, in its order
        count = np.bincount(part[ring[:-1][wall]], minlength=len(parts))
        self._first, self._count = np.cumsum(count) - count, count

    def near(self, x: np.ndarray, y: np.ndarray, reach: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """For each camera the walls (ax, ay, bx, by from it) within its box, and whether a building bears it."""
        spots = shapely.points(x, y)
        camera, building = self._tree.query(shapely.box(x - reach, y - reach, x + reach, y + reach))
        of, mount = self._tree.query(spots, predicate="dwithin", distance=_MOUNT_M)
        size = len(self._parts)
        keep = ~np.isin(camera * size + building, of * size + mount)
        camera, building = camera[keep], building[keep]
        order = np.argsort(camera, kind="stable")
        cuts = np.searchsorted(camera[order], np.arange(1, x.size))
        origins = np.column_stack([x, y, x, y])
        walls = [
            self._ends[ranges(self._first[at], self._count[at])] - origin
            for at, origin in zip(np.split(building[order], cuts), origins, strict=True)
        ]
        return walls, np.bincount(of, minlength=x.size) > 0


def _outline(walls: np.ndarray, start: float, fov: float, reach: float) -> np.ndarray:
    """Ring of what is seen from the origin, clockwise from direction ``start`` (radians from north)."""
    walls, near, far = _spans(_facing(walls, reach), start)
    rim = start + np.linspace(0, fov, int(np.ceil(np.degrees(fov) / STEP_DEG - 1e-9)) + 1)
    rim_xy = reach * np.column_stack([np.sin(rim), np.cos(rim)])
    edges = np.vstack([walls, np.hstack([rim_xy[:-1], rim_xy[1:]])])
    wall, split = np.arange(near.size), far < near
    parts = [  # a wall across the start direction is two: up to a full turn, and from 0 on
        (near, np.where(split, _TURN, far), wall),
        (np.zeros_like(far), np.where(split, far, 0.0), wall),
        (rim[:-1] - start, rim[1:] - start, near.size + np.arange(len(rim) - 1)),
    ]
    low, high, edge = (np.concatenate(part) for part in zip(*parts, strict=True))
    high = np.minimum(high, rim[-1] - start)
    kept = low < high
    turns, first, last, edge = _cells(low[kept], high[kept], edge[kept])
    ax, ay, bx, by = edges.T
    ex, ey = bx - ax, by - ay
    k = ex * ay - ey * ax
    inverse = np.column_stack([-ey / k, ex / k])  # 1/r of an edge in direction (sin, cos)
    cell, edge = ranges(first, last - first), np.repeat(edge, last - first)
    return _ring(*_nearest(turns[:-1] + start, turns[1:] + start, cell, edge, inverse), full=fov == _TURN)


def _facing(walls: np.ndarray, reach: float) -> np.ndarray:
    """Walls whose outside faces the origin, nearer than ``reach``: nothing else is the first thing met."""
    ax, ay, bx, by = walls.T
    ex, ey = bx - ax, by - ay
    length2 = ex * ex + ey * ey
    foot = np.clip(-(ax * ex + ay * ey) / length2, 0, 1)
    near = (ax + foot * ex) ** 2 + (ay + foot * ey) ** 2 < reach**2
    return walls[(ex * ay - ey * ax > 0) & near]


def _spans(walls: np.ndarray, start: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Walls and the directions of both their ends, clockwise from ``start`` in [0, 2 pi); one seen end-on spans none."""
    ax, ay, bx, by = walls.T
    near, far = np.mod(np.arctan2(ax, ay) - start, _TURN), np.mod(np.arctan2(bx, by) - start, _TURN)
    wide = np.mod(far - near, _TURN)
    spans = (wide > 0) & (wide < np.pi)
    return walls[spans], near[spans], far[spans]


def _cells(low: np.ndarray, high: np.ndarray, edge: np.ndarray):
    """All directions in which an edge begins or ends, and for each edge the cells between them that it spans."""
    turns, place = np.unique(np.concatenate([low, high]), return_inverse=True)
    return turns, place[: low.size], place[low.size :], edge


def _nearest(low, high, cell, edge, inverse):
    """The nearest edge over each cell of directions: begin, end, edge, 1/r at both ends.

    ``cell`` and ``edge`` pair every cell with the edges that span it wholly. A cell in which the edge nearest in the
    middle is not so at an end is cut where the two meet, and both halves are asked again.
    """
    done = []
    while low.size:
        sin, cos = inverse[edge].T
        at_low = sin * np.sin(low)[cell] + cos * np.cos(low)[cell]
        at_high = sin * np.sin(high)[cell] + cos * np.cos(high)[cell]
        best, middle = np.full(low.size, -np.inf), at_low + at_high
        np.maximum.at(best, cell, middle)
        holds = np.flatnonzero(middle == best[cell])
        winner = np.zeros(low.size, int)
        winner[cell[holds]] = holds
        w = winner[cell]
        nearer = (at_low > at_low[w] * (1 + _SAME)) | (at_high > at_high[w] * (1 + _SAME))
        nearer &= (high - low > _SLIT_RAD)[cell]
        torn = np.zeros(low.size, bool)
        torn[cell[nearer]] = True
        whole = winner[~torn]
        done.append((low[~torn], high[~torn], edge[whole], at_low[whole], at_high[whole]))
        other = winner.copy()
        other[cell[nearer]] = np.flatnonzero(nearer)
        winner, other = winner[torn], other[torn]
        cut = _meeting(low[torn], high[torn], at_low[winner] - at_low[other], at_high[winner] - at_high[other])
        nearer[winner] = True  # the others are behind the winner all over the cell
        rank = np.cumsum(torn) - 1
        cell, edge = rank[cell[nearer]], edge[nearer]
        cell, edge = np.concatenate([cell, cell + cut.size]), np.concatenate([edge, edge])
        low, high = np.concatenate([low[torn], cut]), np.concatenate([cut, high[torn]])
    return (np.concatenate(part) for part in zip(*done, strict=True))


def _meeting(low, high, gap_low, gap_high):
    """Direction in which two edges are equally far, given the difference of their 1/r at both ends (opposite signs)."""
    side = np.sign(gap_low)
    width = high - low
    cut = low + np.arctan2(side * gap_low * np.sin(width), side * (gap_low * np.cos(width) - gap_high))
    return np.where((cut > low) & (cut < high), cut, (low + high) / 2)


def _ring(low, high, edge, at_low, at_high, *, full: bool) -> np.ndarray:
    width = high - low
    order = np.argsort(low)
    order = order[(width > min(_SLIT_RAD, width.max() / 2))[order]]
    low, high, edge, at_low, at_high = (v[order] for v in (low, high, edge, at_low, at_high))
    turn, inverse = (np.column_stack(pair).ravel() for pair in ((low, high), (at_low, at_high)))
    bend = np.repeat(edge[1:] != edge[:-1], 2)  # between two cells of one edge there is no corner
    turn, inverse = (v[np.concatenate([[True], bend, [True]])] for v in (turn, inverse))
    xy = np.column_stack([np.sin(turn), np.cos(turn)]) / inverse[:, None]
    xy = xy[np.concatenate([[True], (np.abs(np.diff(xy, axis=0)) > 1e-9).any(axis=1)])]
    if full:
        ring = xy[:-1] if (np.abs(xy[-1] - xy[0]) <= 1e-9).all() else xy
        return np.vstack([ring, ring[:1]])
    return np.vstack([[[0.0, 0.0]], xy, [[0.0, 0.0]]])
