"""Coordinate systems: shifted datums, projected systems in metres, and evidence on the datum of a file.

Coordinates are east (x, longitude) before north everywhere, whatever the axis order of the CRS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import shapely
from numpy.typing import ArrayLike
from pyproj import CRS, Transformer

from geo.datum_shift import (
    CHINA_BOX,
    TO_WGS84,
    Pair,
    bd09_to_gcj02,
    bd09_to_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    wgs84_to_gcj02,
)
from geo.region_index import RegionIndex, geometries, polygonal
from geo.result import Result

__all__ = [
    "CHINA_BOX",
    "TO_WGS84",
    "UNDECIDED",
    "DatumEvidence",
    "bd09_to_gcj02",
    "bd09_to_wgs84",
    "detect_datum",
    "detect_datum_polygons",
    "gcj02_to_bd09",
    "gcj02_to_wgs84",
    "guess_cgcs2000_zone",
    "metre_crs",
    "transform",
    "wgs84_to_gcj02",
    "xy_swapped",
]

UNDECIDED = "无法判定"
HYPOTHESES = ("wgs84", "gcj02", "bd09")
MIN_POINTS = 20  # distinct points, or vertices, below which nothing is said
POINT_MARGIN = 2.0  # points only the best hypothesis puts right, to those only the second does
VERTEX_MARGIN = 1.5  # second median to best median
ALPHA = 0.001  # of the exact test between the best two
_SAMPLE = 100_000  # points looked at, taken evenly
_VERTEX_SAMPLE = 2_000  # vertices looked at, taken evenly: their median is known to a few per cent, and each is dear


@lru_cache(maxsize=32)
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def transform(x: ArrayLike, y: ArrayLike, source: CRS | str, target: CRS | str) -> Pair:
    """Coordinates from one CRS to another, always east before north whatever the axis order of the CRS.

    Parameters
    ----------
    x, y : array_like
        East (or longitude) and north (or latitude) in ``source``.
    source, target : CRS or str
        Anything pyproj understands.

    Returns
    -------
    (x, y) : float64 arrays
        In ``target``; NaN where the input is NaN or the projection has no answer.

    Examples
    --------
    >>> east, north = transform([120.0], [30.0], "EPSG:4490", "EPSG:4549")
    >>> east.round(3).tolist(), north.round(3).tolist()
    ([500000.0], [3320113.398])
    """
    to = _transformer(CRS.from_user_input(source).to_wkt(), CRS.from_user_input(target).to_wkt())
    tx, ty = (np.asarray(v, float) for v in to.transform(np.asarray(x, float), np.asarray(y, float)))
    lost = ~(np.isfinite(tx) & np.isfinite(ty))
    return np.where(lost, np.nan, tx)[()], np.where(lost, np.nan, ty)[()]


def metre_crs(bounds: tuple[float, float, float, float]) -> CRS:
    """A projected CRS in metres for local work, by the centre of ``bounds``.

    In China (inside the EPSG area of use of the zone) the CGCS2000 3-degree Gauss-Kruger zone, eastings without the
    zone number (EPSG 4534 to 4554); elsewhere the WGS 84 UTM zone, beyond 84 N and 80 S the polar stereographic.

    Parameters
    ----------
    bounds : (min_lon, min_lat, max_lon, max_lat)
        Degrees. Lengths are right within 0.1 % up to 2.5 degrees from the zone's middle at the equator, farther north.

    Raises
    ------
    ValueError
        Bounds that are not finite longitudes and latitudes (metres given as degrees, an empty layer).

    Examples
    --------
    >>> metre_crs((118.36, 31.23, 119.24, 32.61)).to_epsg(), metre_crs((-75.28, 39.87, -74.96, 40.14)).to_epsg()
    (4549, 32618)
    """
    west, south, east, north = (float(v) for v in bounds)
    if not (-180 <= west <= east <= 360 and -90 <= south <= north <= 90):
        raise ValueError(f"metre_crs: bounds {tuple(bounds)} are not (min_lon, min_lat, max_lon, max_lat) in degrees")
    lon, lat = ((west + east) / 2 + 180) % 360 - 180, (south + north) / 2
    zone = round(lon / 3)
    if 25 <= zone <= 45:
        crs = CRS.from_epsg(4534 + zone - 25)
        area = crs.area_of_use
        if area.south <= lat <= area.north and area.west <= lon <= area.east:
            return crs
    if lat > 84 or lat < -80:
        return CRS.from_epsg(32661 if lat > 0 else 32761)
    utm = int((lon + 180) // 6) % 60 + 1
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + utm)


def guess_cgcs2000_zone(x: ArrayLike, y: ArrayLike) -> int | None:
    """EPSG code of the CGCS2000 Gauss-Kruger zone that eastings with a zone number betray.

    Parameters
    ----------
    x, y : array_like
        East and north in metres; NaN is ignored. See :func:`xy_swapped` for files with north first.

    Returns
    -------
    int or None
        EPSG 4513 to 4533 (3-degree zones 25 to 45) or 4491 to 4501 (6-degree zones 13 to 23) where at least 99 % of
        the points carry one and the same zone number; None for eastings without one, whose meridian must be asked for.

    Examples
    --------
    >>> guess_cgcs2000_zone([40492326.3, 40500000.0], [3592643.6, 3320113.4])
    4528
    >>> guess_cgcs2000_zone([492326.3], [3592643.6]) is None
    True
    """
    east, north = _finite(x, y)
    if east.size == 0:
        return None
    zones = np.where(_is_north(north) | ((north > 0) & (north < 6.0e6)), east // 1e6, -1).astype(int)
    zones[(zones < 13) | (zones > 45)] = -1
    values, counts = np.unique(zones, return_counts=True)
    zone = int(values[np.argmax(counts)])
    if counts.max() < 0.99 * zones.size:
        return None
    if 25 <= zone <= 45:
        return 4513 + zone - 25
    return 4491 + zone - 13 if 13 <= zone <= 23 else None


def xy_swapped(x: ArrayLike, y: ArrayLike) -> bool:
    """Whether metre coordinates come north first, as Chinese surveying writes them.

    Parameters
    ----------
    x, y : array_like
        First and second coordinate in metres; NaN is ignored.

    Returns
    -------
    bool
        True where 99 % of ``x`` look like northings of China (1.5 to 6.0 million) and of ``y`` like eastings (six
        digits, or eight with a zone number). An easting never lies between 1.5 and 6.0 million, so the test cannot
        mistake one.

    Examples
    --------
    >>> xy_swapped([3592643.6], [40492326.3]), xy_swapped([492326.3], [3592643.6])
    (True, False)
    """
    first, second = _finite(x, y)
    if first.size == 0:
        return False
    east = ((second >= 1e5) & (second < 1e6)) | ((second >= 13e6) & (second < 46e6))
    return bool(np.mean(_is_north(first) & east) >= 0.99)


def _is_north(value: np.ndarray) -> np.ndarray:
    return (value >= 1.5e6) & (value <= 6.0e6)


def _finite(x: ArrayLike, y: ArrayLike) -> Pair:
    x, y = (np.asarray(v, float).reshape(-1) for v in np.broadcast_arrays(x, y))
    keep = np.isfinite(x) & np.isfinite(y)
    return x[keep], y[keep]


@dataclass(frozen=True, eq=False)
class DatumEvidence(Result):
    """What each hypothesis explains. Unpacks in the order of its fields."""

    method: str  # points or polygons
    hypothesis: str  # wgs84, gcj02, bd09 or 无法判定
    evidence: Mapping[str, float]  # points: share inside (0 to 1, more is better); polygons: metres (less is better)
    n: int  # distinct points, or vertices, that counted
    margin: float  # how far the best stands before the second
    margin_needed: float  # what the rule asks
    reason: str


def detect_datum(lon: ArrayLike, lat: ArrayLike, *, regions, declared: ArrayLike | None = None) -> DatumEvidence:
    """Which datum points are in: under which hypothesis they fall inside the areas they are declared in.

    Parameters
    ----------
    lon, lat : array_like, shape (n,)
        Degrees as they stand in the file. NaN is not counted.
    regions : RegionIndex, GeoDataFrame, GeoSeries or array of shapely polygons
        In WGS 84 or CGCS2000 degrees; a frame in another CRS that names it is converted.
    declared : int array, shape (n,), optional
        Position in ``regions`` of the area each point is said to lie in, -1 where unknown (not counted). Without it
        a point counts as inside where any region holds it: weaker, for only the rim tells.

    Returns
    -------
    DatumEvidence
        ``margin`` is the number of points that only the best hypothesis puts inside, to those only the second does.
        It must be 2 or more, McNemar's exact test [McNemar1947]_ on the two must give p <= 0.001, and the best share
        must be at least one half; else 无法判定, as with fewer than 20 points or outside China, where no datum is
        shifted. A difference of shares alone would not do: 500 m move one point in a hundred out of a district and
        most points out of a grid, and both can be certain. Points of one place and declared area count once, so that
        a pile-up is no crowd.

    Raises
    ------
    ValueError
        Arrays of different lengths.

    Examples
    --------
    >>> west, south = (v.ravel() for v in np.meshgrid(116 + np.arange(5) / 100, 39 + np.arange(5) / 100))
    >>> grids = shapely.box(west, south, west + 0.01, south + 0.01)
    >>> lon, lat = wgs84_to_gcj02(west + 0.005, south + 0.005)
    >>> found = detect_datum(lon, lat, regions=grids, declared=np.arange(25))
    >>> found.hypothesis, found.evidence["gcj02"], found.n
    ('gcj02', 1.0, 25)
    """
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    area = np.zeros(lon.size, int) if declared is None else np.asarray(declared)
    if not lon.shape == lat.shape == area.shape:
        raise ValueError(f"detect_datum: {lon.size} longitudes, {lat.size} latitudes, {area.size} declared areas")
    keep = np.isfinite(lon) & np.isfinite(lat) & (area >= 0)
    rows = _evenly(np.unique(np.column_stack([area, lon, lat])[keep], axis=0))
    area, lon, lat = rows[:, 0].astype(int), rows[:, 1], rows[:, 2]
    index = regions if isinstance(regions, RegionIndex) else RegionIndex(_in_degrees(regions), points=3 * lon.size)
    read = {name: TO_WGS84[name](lon, lat) for name in HYPOTHESES}
    if declared is None:
        inside = {name: index.assign(*read[name]) >= 0 for name in HYPOTHESES}
    else:
        inside = {name: shapely.intersects_xy(index.shapes[area], *read[name]) for name in HYPOTHESES}
    n = len(rows)
    share = {name: float(held.mean()) if n else 0.0 for name, held in inside.items()}
    best, second = sorted(HYPOTHESES, key=lambda name: -share[name])[:2]
    gained, lost = int((inside[best] & ~inside[second]).sum()), int((inside[second] & ~inside[best]).sum())
    margin = gained / lost if lost else float("inf") if gained else 1.0
    p = _fair_coin_p(gained, lost)
    reason = f"仅{best}落入申报区域的点{gained}个，仅{second}落入的{lost}个，p={p:.2g}"
    chosen = best
    if n < MIN_POINTS:
        chosen, reason = UNDECIDED, f"只有{n}个可用点，至少{MIN_POINTS}个"
    elif share[best] < 0.5:
        chosen, reason = UNDECIDED, f"最好的假设也只有{share[best]:.1%}的点落入申报区域"
    elif margin < POINT_MARGIN or p > ALPHA:
        chosen, reason = UNDECIDED, reason + "，差别不足"
    return DatumEvidence("points", chosen, share, n, margin, POINT_MARGIN, reason)


def detect_datum_polygons(polygons, reference) -> DatumEvidence:
    """Which datum polygons are in: under which hypothesis their boundaries meet those of a reference.

    Parameters
    ----------
    polygons : GeoDataFrame, GeoSeries or array of shapely polygons
        Degrees as they stand in the file, whatever CRS they are labelled with.
    reference : GeoDataFrame, GeoSeries or array of shapely polygons
        In WGS 84 or CGCS2000 degrees; a frame in another CRS that names it is converted.

    Returns
    -------
    DatumEvidence
        ``evidence`` is the median distance in metres from the vertices of one layer to the boundary of the other, in
        the direction that gives the smaller best median: the vertices of a coarse drawing lie on the true boundary,
        its lines do not. Vertices farther from the other layer than twice the largest shift, under every hypothesis,
        belong to what it does not cover and are left out. ``margin`` is the second median to the best: it must be
        1.5 or more; the best must be at most half the distance to the nearest other reading (a boundary that misses
        by more cannot tell them apart); and the sign test on the vertices nearer under the best than under the
        second must give p <= 0.001. Else 无法判定 (the reference is too coarse, or another place), as with fewer
        than 20 distinct vertices or outside China. (Measured on 38 districts of five cities in GCJ-02 against
        CGCS2000: margins 2.0 to 4.8; distances from the file's vertices alone gave 1.5 to 3.4.)

    Raises
    ------
    ValueError
        A reference without polygons, or not in degrees.

    Examples
    --------
    >>> west, south = (v.ravel() for v in np.meshgrid(116 + np.arange(5) / 10, 39 + np.arange(5) / 10))
    >>> districts = shapely.box(west, south, west + 0.1, south + 0.1)
    >>> file = shapely.transform(districts, lambda xy: np.column_stack(wgs84_to_gcj02(*xy.T)))
    >>> found = detect_datum_polygons(file, districts)
    >>> found.hypothesis, round(found.evidence["gcj02"]), found.evidence["wgs84"] > 100
    ('gcj02', 0, True)
    """
    shapes, _ = polygonal(geometries(_in_degrees(reference)))
    shapes = shapes[~shapely.is_empty(shapes)]
    if not shapes.size:
        raise ValueError("detect_datum_polygons: the reference has no polygon")
    polygons = geometries(polygons)
    polygons = polygons[~shapely.is_missing(polygons)]
    metres = metre_crs(tuple(shapely.total_bounds(shapes)))
    theirs = _projected(*shapely.get_coordinates(shapes).T, metres)
    xy = shapely.get_coordinates(polygons)
    once = np.unique(xy, axis=0, return_index=True)[1]
    ours = {name: _projected(*TO_WGS84[name](*xy.T), metres) for name in HYPOTHESES}
    reach = 2 * max(_apart(ours[a], ours[b]) for a, b in combinations(HYPOTHESES, 2))
    their_lines = _boundary(shapes, theirs)
    from_ours = _distances([(_evenly(ours[name][once], _VERTEX_SAMPLE), their_lines) for name in HYPOTHESES], reach)
    from_theirs = _distances(
        [(_evenly(np.unique(theirs, axis=0), _VERTEX_SAMPLE), _boundary(polygons, ours[name])) for name in HYPOTHESES],
        reach,
    )
    far = min(from_ours, from_theirs, key=lambda found: _medians(found).min())
    n, medians = len(far), dict(zip(HYPOTHESES, _medians(far).tolist(), strict=True))
    best, second = sorted(HYPOTHESES, key=medians.get)[:2]
    margin = medians[second] / medians[best] if medians[best] else float("inf") if medians[second] else 1.0
    reason = f"与参考边界的距离中位数: {best} {medians[best]:.0f}米，{second} {medians[second]:.0f}米"
    chosen = best
    if n < MIN_POINTS:
        chosen, reason = UNDECIDED, f"参考边界附近只有{n}个顶点，至少{MIN_POINTS}个"
    elif medians[best] > min(_apart(ours[best], ours[name]) for name in HYPOTHESES if name != best) / 2:
        chosen, reason = UNDECIDED, reason + "，超过两种读法之差的一半，参考边界太粗或不对应"
    elif margin < VERTEX_MARGIN or _sign_test(far[:, HYPOTHESES.index(best)], far[:, HYPOTHESES.index(second)]) > ALPHA:
        chosen, reason = UNDECIDED, reason + "，差别不足"
    return DatumEvidence("polygons", chosen, medians, n, margin, VERTEX_MARGIN, reason)


def _in_degrees(regions):
    crs = getattr(regions, "crs", None)
    return regions if crs is None or crs.is_geographic else regions.to_crs("EPSG:4326")


def _projected(lon: np.ndarray, lat: np.ndarray, metres: CRS) -> np.ndarray:
    return np.column_stack(transform(lon, lat, "EPSG:4326", metres))


def _distances(pairs: list, reach: float) -> np.ndarray:
    """Distance of each vertex to the lines, a column for each hypothesis; only vertices within reach under any."""
    far = np.column_stack([_nearest(vertices, rings) for vertices, rings in pairs])
    return far[(far <= reach).any(axis=1)]


def _medians(far: np.ndarray) -> np.ndarray:
    return np.median(far, axis=0) if len(far) >= MIN_POINTS else np.full(far.shape[1], np.inf)


def _sign_test(one: np.ndarray, other: np.ndarray) -> float:
    nearer, farther = int((one < other).sum()), int((one > other).sum())
    return _fair_coin_p(nearer, farther)


def _fair_coin_p(one: int, other: int) -> float:
    """Two-sided exact p of so unequal a split where both were equally likely (what scipy.stats.binomtest gives)."""
    from scipy.special import bdtr  # slow to import, and seldom needed

    return float(min(1.0, 2 * bdtr(min(one, other), one + other, 0.5))) if one + other else 1.0


def _boundary(shapes: np.ndarray, xy: np.ndarray) -> shapely.STRtree:
    """The rings of ``shapes`` drawn with other coordinates for the same vertices, to be asked for the nearest."""
    return shapely.STRtree(shapely.get_rings(shapely.get_parts(shapely.set_coordinates(shapes.copy(), xy))))


def _nearest(vertices: np.ndarray, rings: shapely.STRtree) -> np.ndarray:
    return rings.query_nearest(shapely.points(vertices), all_matches=False, return_distance=True)[1]


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.median(np.hypot(*(one - other).T))) if len(one) else 0.0


def _evenly(rows: np.ndarray, most: int = _SAMPLE) -> np.ndarray:
    return rows[:: -(-len(rows) // most)] if len(rows) else rows
