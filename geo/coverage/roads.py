"""Roads: where they cross, and how much of them cameras see, once and twice over."""

from __future__ import annotations

import numpy as np
import shapely

from geo.metres import refuse_degrees
from geo.region_index import geometries

_LINEAR = (1, 5)


def road_segments(roads) -> np.ndarray:
    """The straight pieces of roads as two-point lines.

    Raises
    ------
    ValueError
        Degrees, or a shape that is no line.
    """
    refuse_degrees(roads, "roads")
    lines = geometries([roads] if isinstance(roads, shapely.Geometry) else roads)
    kind = shapely.get_type_id(lines)
    wrong = np.flatnonzero(~np.isin(kind, (-1, *_LINEAR)) & ~shapely.is_empty(lines))
    if wrong.size:
        raise ValueError(f"roads[{wrong[0]}] is a {lines[wrong[0]].geom_type}, expected LineString or MultiLineString")
    xy, line = shapely.get_coordinates(shapely.get_parts(lines), return_index=True)
    piece = (line[1:] == line[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
    return shapely.linestrings(np.stack([xy[:-1][piece], xy[1:][piece]], axis=1))


def road_junctions(roads, *, snap_m: float = 0.1) -> np.ndarray:
    """Nodes of the road network where three or more pieces of road meet: targets of the rule on crossings.

    Parameters
    ----------
    roads : GeoSeries, GeoDataFrame or array_like of (Multi)LineString
        Metres. Roads that cross must share a vertex, as they do in a road network; a bridge over a road does not.
    snap_m : float
        Vertices are rounded to multiples of this before they are compared.

    Returns
    -------
    ndarray of float, shape (n, 2)
        East and north of each node, by east, then north. A piece given twice counts once.

    Raises
    ------
    ValueError
        Degrees, or a shape that is no line.

    Examples
    --------
    >>> from shapely import LineString
    >>> cross = [LineString([(0, 0), (10, 0), (20, 0)]), LineString([(10, -5), (10, 0)]), LineString([(20, 0), (9, 9)])]
    >>> road_junctions(cross).tolist()
    [[10.0, 0.0]]
    """
    ends = np.round(shapely.get_coordinates(road_segments(roads)) / snap_m)
    nodes, node = np.unique(ends, axis=0, return_inverse=True)
    pieces = np.unique(np.sort(node.reshape(-1, 2), axis=1), axis=0)
    degree = np.bincount(pieces[pieces[:, 0] != pieces[:, 1]].ravel(), minlength=len(nodes))
    return nodes[degree >= 3] * snap_m


def covered_length(segments: np.ndarray, areas: np.ndarray, sets: list[np.ndarray]) -> tuple[list[float], list[float]]:
    """Length of the segments in at least one, and in at least two of the areas of each set (flags over the areas)."""
    segment, area = shapely.STRtree(areas).query(segments)
    cut, pair = shapely.get_parts(shapely.intersection(segments[segment], areas[area]), return_index=True)
    line = shapely.length(cut) > 0  # a touch is a point, or nothing
    cut, pair = cut[line], pair[line]
    begin = shapely.line_locate_point(segments[segment[pair]], shapely.get_point(cut, 0))
    end = shapely.line_locate_point(segments[segment[pair]], shapely.get_point(cut, -1))
    segment, area = segment[pair], area[pair]
    both = [
        _depth_length(segment[chosen[area]], np.minimum(begin, end)[chosen[area]], np.maximum(begin, end)[chosen[area]])
        for chosen in sets
    ]
    return [once for once, _ in both], [twice for _, twice in both]


def _depth_length(segment: np.ndarray, begin: np.ndarray, end: np.ndarray) -> tuple[float, float]:
    """Length under at least one and at least two of the intervals, segment by segment."""
    along = np.concatenate([begin, end])
    step = np.repeat([1, -1], begin.size)
    order = np.lexsort((along, np.tile(segment, 2)))
    depth = np.cumsum(step[order])[:-1]  # back to 0 at the end of every segment
    gap = np.diff(along[order])
    return float(gap[depth >= 1].sum()), float(gap[depth >= 2].sum())
