"""Regions as a partition of a city: which one holds a point, where they overlap or leave gaps, and how they nest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from geo.crs import transform
from geo.region_index import RegionIndex, geometries, polygonal, rank_order, region_codes
from geo.result import Result

__all__ = ["Gap", "Outside", "Overlap", "RegionIndex", "Topology", "area_m2", "assign", "dissolve", "nest", "topology"]

_SNAP = 1e-10  # of the largest coordinate: a millimetre, in degrees and in projected metres alike
_TIE = 1e-9  # relative; areas closer than this are one area, measured with rounding


class Overlap(NamedTuple):
    """Positions of two regions, ``first < second``, and the area both cover."""

    first: int
    second: int
    area_m2: float


class Gap(NamedTuple):
    """A place enclosed by the regions that none covers, in their CRS."""

    polygon: BaseGeometry
    area_m2: float


class Outside(NamedTuple):
    """Position of a region and the area of it that lies outside its parent."""

    position: int
    area_m2: float


@dataclass(frozen=True, eq=False)
class Topology(Result):
    """What keeps regions from being a partition; empty tuples where nothing does. Unpacks in this order."""

    overlaps: tuple[Overlap, ...]
    gaps: tuple[Gap, ...]
    outside_parent: tuple[Outside, ...]
    repaired: tuple[int, ...]  # positions of invalid polygons, judged as repaired (see RegionIndex)
    tolerance_m2: float


def assign(lon: ArrayLike, lat: ArrayLike, regions) -> np.ndarray:
    """Position of the region that holds each point, -1 for none; exact, borders and overlaps included.

    Parameters
    ----------
    lon, lat : array_like, shape (n,)
        East and north, in the CRS of the regions (degrees or metres). NaN lies nowhere.
    regions : RegionIndex, GeoDataFrame, GeoSeries or array of shapely polygons
        A :class:`RegionIndex` where the same regions are asked again.

    Returns
    -------
    int64 array, shape (n,)
        A point on a border or in an overlap goes to the smallest ``grid_code`` or ``code`` where ``regions`` has such
        a column, else to the lowest position. The order of the points does not matter.

    Raises
    ------
    ValueError
        A geometry that is not polygonal.

    Examples
    --------
    >>> squares = [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]
    >>> assign([5, 10, 15, 30], [5, 5, 5, 5], squares).tolist()  # the second lies on their border
    [0, 0, 1, -1]
    """
    index = regions if isinstance(regions, RegionIndex) else RegionIndex(regions, points=np.size(lon))
    return index.assign(lon, lat)


def topology(regions, *, tolerance_m2: float = 1.0, parents=None, crs: CRS | str | None = None) -> Topology:
    """Overlaps, enclosed gaps, and regions that leave their parent.

    Parameters
    ----------
    regions : GeoDataFrame, GeoSeries or array of shapely polygons
        In degrees or metres. Shapes are compared as they are; only the areas of what is found are measured in an
        equal-area projection where the CRS is geographic. Plain arrays without ``crs`` are metres.
    tolerance_m2 : float
        Areas up to this are not reported.
    parents : GeoSeries or array of shapely polygons, optional
        One for each region, in the same CRS (the same object repeated is quickest); missing where it has none.
    crs : optional
        CRS of a plain array.

    Returns
    -------
    Topology
        A gap is a part of the plane that the union of the regions encloses and does not cover, lakes included; a
        notch open to the outside is none.

    Raises
    ------
    ValueError
        A geometry that is not polygonal, parents of another length, a negative tolerance.

    Examples
    --------
    >>> overlaps, gaps, outside_parent, repaired, tolerance_m2 = topology([shapely.box(0, 0, 10, 10), shapely.box(8, 0, 18, 10)])
    >>> overlaps, gaps
    ((Overlap(first=0, second=1, area_m2=20.0),), ())
    """
    if not tolerance_m2 >= 0:
        raise ValueError(f"tolerance_m2 is {tolerance_m2}, expected 0 or more")
    crs = getattr(regions, "crs", None) or crs
    shapes, repaired = polygonal(geometries(regions))
    measure = _Measure(shapes, crs)
    first, second = _overlapping(shapes)
    shared = measure(shapely.intersection(shapes[first], shapes[second]))
    keep = np.flatnonzero(shared > tolerance_m2)
    overlaps = tuple(Overlap(int(first[i]), int(second[i]), float(shared[i])) for i in keep)
    holes = _holes(shapes, clean=not first.size)
    areas = measure(holes)
    gaps = tuple(Gap(holes[i], float(areas[i])) for i in np.flatnonzero(areas > tolerance_m2))
    outside = () if parents is None else _outside(shapes, geometries(parents), measure, tolerance_m2)
    return Topology(overlaps, gaps, outside, tuple(repaired.tolist()), float(tolerance_m2))


def dissolve(regions, by) -> gpd.GeoDataFrame:
    """The union of the regions of each key.

    Parameters
    ----------
    regions : GeoDataFrame, GeoSeries or array of shapely polygons
        In any CRS; invalid polygons are repaired as in :class:`RegionIndex`.
    by : str or array_like
        A column of ``regions``, or one key for each region. Regions without a key are left out.

    Returns
    -------
    GeoDataFrame
        Columns ``by`` (``key`` for an array) and ``geometry``, in the order of the keys, whatever the order of rows.

    Raises
    ------
    ValueError
        Keys of another length than the regions.

    Examples
    --------
    >>> united = dissolve([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(5, 0, 6, 1)], ["东", "东", "西"])
    >>> united["key"].tolist(), united.area.tolist()
    (['东', '西'], [2.0, 1.0])
    """
    keys = regions[by].to_numpy() if isinstance(by, str) else np.asarray(by)
    shapes, _ = polygonal(geometries(regions))
    if len(keys) != len(shapes):
        raise ValueError(f"{len(keys)} keys for {len(shapes)} regions")
    number, values = pd.factorize(keys, sort=True)
    order = np.argsort(number, kind="stable")
    groups = np.split(order, np.searchsorted(number[order], np.arange(len(values))))[1:]
    union = shapely.coverage_union_all if shapely.coverage_is_valid(shapes) else shapely.union_all
    merged = np.array([union(shapes[group]) for group in groups] + [None], dtype=object)[:-1]
    name = by if isinstance(by, str) else "key"
    return gpd.GeoDataFrame({name: values}, geometry=merged, crs=getattr(regions, "crs", None))


def nest(children, parents) -> np.ndarray:
    """Position of the parent that shares the largest area with each child, -1 where none shares any.

    Parameters
    ----------
    children, parents : GeoDataFrame, GeoSeries or array of shapely polygons
        In the same CRS. In degrees areas are compared in an equal-area projection where the children name their CRS.

    Returns
    -------
    int64 array, shape (len(children),)
        Ties (areas within 1e-9 of each other, relatively) go to the smallest code of the parents, else the lowest
        position. Touching along a border shares no area.

    Raises
    ------
    ValueError
        A geometry that is not polygonal.

    Examples
    --------
    >>> parents = [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]
    >>> nest([shapely.box(6, 0, 13, 1), shapely.box(12, 2, 14, 4), shapely.box(30, 0, 31, 1)], parents).tolist()
    [0, 1, -1]
    """
    inner, _ = polygonal(geometries(children))
    outer, _ = polygonal(geometries(parents))
    order = rank_order(region_codes(parents), len(outer))
    outer = outer[order]
    measure = _Measure(inner, getattr(children, "crs", None))
    child, rank = shapely.STRtree(outer).query(inner, predicate="intersects")
    shared = np.zeros(child.size)
    shapely.prepare(outer)
    whole = shapely.covers(outer[rank], inner[child])
    shared[whole] = measure(inner[child[whole]])
    part = ~whole & ~np.isin(child, child[whole])  # no part can exceed the whole
    shared[part] = measure(shapely.intersection(inner[child[part]], outer[rank[part]]))
    most = np.zeros(len(inner))
    np.maximum.at(most, child, shared)
    best = np.flatnonzero((shared > 0) & (shared >= most[child] * (1 - _TIE)))
    least = np.full(len(inner), len(outer))
    np.minimum.at(least, child[best], rank[best])
    return np.append(order, -1)[np.where(least < len(outer), least, -1)]


def area_m2(regions, crs: CRS | str | None = None) -> np.ndarray:
    """Area of each region in square metres, 0 for missing ones.

    Parameters
    ----------
    regions : GeoDataFrame, GeoSeries or array of shapely polygons
        In degrees or metres.
    crs : optional
        CRS of a plain array; without one it is in metres.

    Returns
    -------
    float64 array, shape (n,)
        Geographic coordinates are measured in a Lambert azimuthal equal-area projection about the middle of the
        layer, others as they are.

    Examples
    --------
    >>> area_m2([shapely.box(0, 0, 10, 10), None]).tolist()
    [100.0, 0.0]
    >>> (area_m2([shapely.box(120, 30, 120.01, 30.01)], crs="EPSG:4490") / 1e6).round(3).tolist()
    [1.07]
    >>> area_m2([None, None], crs="EPSG:4490").tolist()
    [0.0, 0.0]
    """
    shapes = geometries(regions)
    return _Measure(shapes, getattr(regions, "crs", None) or crs)(shapes)


class _Measure:
    """Areas in m² of shapes in one CRS, the projection chosen once for the layer."""

    def __init__(self, shapes: np.ndarray, crs: CRS | str | None):
        crs = None if crs is None else CRS.from_user_input(crs)
        self.source, self.target, self.unit_m2 = crs, None, 1.0
        drawn = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
        if crs is not None and crs.is_geographic and drawn.any():
            west, south, east, north = shapely.total_bounds(shapes)
            self.target = CRS.from_dict(
                {"proj": "laea", "lat_0": (south + north) / 2, "lon_0": (west + east) / 2, "ellps": "WGS84"}
            )
        elif crs is not None and crs.is_projected:
            self.unit_m2 = crs.axis_info[0].unit_conversion_factor ** 2

    def __call__(self, shapes: np.ndarray) -> np.ndarray:
        if self.target is not None:
            shapes = shapely.transform(shapes, self._project)
        return np.nan_to_num(shapely.area(shapes)) * self.unit_m2

    def _project(self, xy: np.ndarray) -> np.ndarray:
        return np.column_stack(transform(xy[:, 0], xy[:, 1], self.source, self.target))


def _overlapping(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of positions whose interiors meet, in order."""
    first, second = shapely.STRtree(shapes).query(shapes)
    pairs = np.flatnonzero(first < second)
    pairs = pairs[np.lexsort((second[pairs], first[pairs]))]
    first, second = first[pairs], second[pairs]
    shapely.prepare(shapes)
    meet = shapely.relate_pattern(shapes[first], shapes[second], "T********")
    return first[meet], second[meet]


def _holes(shapes: np.ndarray, *, clean: bool) -> np.ndarray:
    """Polygons enclosed by the union and covered by no region."""
    exact = clean and shapely.coverage_is_valid(shapes)
    # Neighbours that miss each other by a rounding error would open a gap to the outside: snapped to about 1 mm.
    reach = float(np.abs(shapely.total_bounds(shapes)).max(initial=0)) if (~shapely.is_empty(shapes)).any() else 0.0
    snap = 2.0 ** np.floor(np.log2(reach * _SNAP)) if reach else None  # a power of two leaves round numbers round
    union = shapely.coverage_union_all(shapes) if exact else shapely.union_all(shapes, grid_size=snap)
    parts = shapely.get_parts(union)
    solid = shapely.polygons(shapely.get_exterior_ring(parts))
    if (shapely.get_num_interior_rings(parts) == 0).all():
        return np.zeros(0, dtype=object)
    return shapely.get_parts(shapely.difference(shapely.union_all(solid), union))


def _outside(shapes: np.ndarray, parents: np.ndarray, measure: _Measure, tolerance_m2: float) -> tuple[Outside, ...]:
    if len(parents) != len(shapes):
        raise ValueError(f"{len(parents)} parents for {len(shapes)} regions, expected one each")
    judged = np.flatnonzero(~shapely.is_missing(parents))
    _, where, back = np.unique([id(parent) for parent in parents[judged]], return_index=True, return_inverse=True)
    distinct, _ = polygonal(parents[judged[where]])
    shapely.prepare(distinct)
    held = distinct[back]
    loose = np.flatnonzero(~shapely.covers(held, shapes[judged]))
    areas = measure(shapely.difference(shapes[judged[loose]], held[loose]))
    return tuple(Outside(int(judged[loose[i]]), float(areas[i])) for i in np.flatnonzero(areas > tolerance_m2))
