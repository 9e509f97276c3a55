"""How much cameras cover: area, roads, places and events, once and twice over, all cameras and those online."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
import shapely
from numpy.typing import ArrayLike

from geo.coverage.inputs import camera_polygons, flags, on_lattice
from geo.coverage.points import pairs
from geo.coverage.roads import covered_length, road_segments
from geo.metres import metre_shape, metre_xy, refuse_degrees, refuse_other_crs
from geo.result import Result

JUDGED, NOT_JUDGED = "已评估", "未评估"
NO_CAMERA = "没有摄像机"
_KM2 = 1e6


@dataclass(frozen=True, eq=False)
class Kpi(Result):
    """One figure with what it is made of.

    Attributes
    ----------
    numerator, denominator : float
    share_pct : float or None
        ``100 numerator / denominator``; None where the denominator is 0.
    unit : str
        Of numerator and denominator.
    """

    unpacks: ClassVar = ("numerator", "denominator", "share_pct")
    numerator: float
    denominator: float
    share_pct: float | None
    unit: str


@dataclass(frozen=True, eq=False)
class Coverage(Result):
    """What one set of cameras covers. None is 未评估: what it would be measured against was not given.

    Attributes
    ----------
    area, area_backup : Kpi or None
        Part of the city polygon seen by at least one, by at least two cameras, km2.
    road, road_backup : Kpi or None
        Length of road seen, m.
    places, places_backup, incidents, incidents_backup : Kpi or None
        Places and events seen, counts.
    overlap : Kpi
        Sum of the cameras' areas against the area of their union, km2, wherever they lie; 100 % is no overlap, 150 %
        means that a third of what the cameras look at is looked at already.
    """

    area: Kpi | None
    area_backup: Kpi | None
    road: Kpi | None
    road_backup: Kpi | None
    places: Kpi | None
    places_backup: Kpi | None
    incidents: Kpi | None
    incidents_backup: Kpi | None
    overlap: Kpi


@dataclass(frozen=True, eq=False)
class CoverageSummary(Result):
    """The figures of all cameras and of those online.

    Attributes
    ----------
    all : Coverage
    online : Coverage or None
        None (未评估) where ``online`` was not given.
    cameras, cameras_online, cameras_unknown : int
        All; those known to be online; those of which it is not known (counted as not online). The last two are 0 where
        ``online`` was not given.
    note : str
        What the reader must know, in Chinese; "" when nothing.
    """

    unpacks: ClassVar = ("all", "online")
    all: Coverage
    online: Coverage | None
    cameras: int
    cameras_online: int
    cameras_unknown: int
    note: str

    def rows(self) -> list[dict]:
        """One row for each figure: kpi, cameras (all online), state, numerator, denominator, share_pct, unit."""
        out = []
        for cameras, coverage in (("all", self.all), ("online", self.online)):
            for name in (field.name for field in fields(Coverage)):
                kpi = getattr(coverage, name, None)
                values = (None,) * 4 if kpi is None else (kpi.numerator, kpi.denominator, kpi.share_pct, kpi.unit)
                row = {"kpi": name, "cameras": cameras, "state": NOT_JUDGED if kpi is None else JUDGED}
                out.append(row | dict(zip(("numerator", "denominator", "share_pct", "unit"), values, strict=True)))
        return out


def coverage_summary(
    areas, *, online: ArrayLike | None = None, city=None, roads=None, places=None, incidents=None
) -> CoverageSummary:
    """Coverage with every denominator shown, for all cameras and for those online.

    Parameters
    ----------
    areas : array_like of Polygon, GeoSeries or GeoDataFrame
        What each camera covers, metres: sectors, circles or visible areas. Every row is one camera: two cameras at one
        place are two (they change the backup figures and the overlap, nothing else). A frame with ``camera_code`` may
        name each code once.
    online : array_like of bool (n,), optional
        Which of them work now; missing values are counted as not online and said.
    city : Polygon, MultiPolygon, GeoSeries or GeoDataFrame, optional
        What the area is measured against.
    roads : GeoSeries, GeoDataFrame or array_like of (Multi)LineString, optional
        Lengths are measured as given: leave out roads outside the city and second copies before.
    places, incidents : array_like (m, 2), GeoSeries or GeoDataFrame of points, optional
        Every row counts once.

    Returns
    -------
    CoverageSummary
        Unpacks as ``all, online``. An input that is absent leaves its figures None (未评估), never 0; a denominator of 0
        leaves the share None.

    Raises
    ------
    ValueError
        Degrees, shapes of another kind, points without coordinates, flags of another length, a repeated code.

    Notes
    -----
    Backup coverage (seen twice) and events seen beside area seen follow [Murray2007]_. The area seen at least once is
    that of the union; at least twice, of the union of all intersections of two, vertices rounded to 15 micrometres.
    Both unions are made group by group of areas that touch. Roads: each straight piece of road is cut by each area
    and the depth of cover is summed along it. Points: as :func:`~geo.coverage.covered_points`.

    Examples
    --------
    >>> from shapely import box
    >>> areas = [box(0, 0, 1000, 1000), box(500, 0, 1500, 1000)]
    >>> now = coverage_summary(areas, online=[True, False], city=box(0, 0, 2000, 1000), incidents=[[10, 10], [600, 10]])
    >>> now.all.area.share_pct, now.all.area_backup.share_pct, now.online.area.share_pct
    (75.0, 25.0, 50.0)
    >>> tuple(now.all.incidents), now.online.incidents_backup.share_pct, now.all.road is None
    ((2.0, 2.0, 100.0), 0.0, True)
    """
    for name, layer in (("city", city), ("roads", roads), ("places", places), ("incidents", incidents)):
        refuse_degrees(layer, name)
        refuse_other_crs(areas, layer, ("areas", name))
    shapes = camera_polygons(areas)
    settled = on_lattice(shapes)
    known = None if online is None else flags(online, shapes.size, "online")
    sets = [np.ones(shapes.size, bool)] + ([] if known is None else [known == 1])
    city = None if city is None else on_lattice(np.array([metre_shape(city, "city")]))[0]
    columns = [
        *_area_kpis(settled, sets, city),
        *_road_kpis(settled, sets, roads),
        *_point_kpis(shapes, sets, places, "处"),
        *_point_kpis(shapes, sets, incidents, "起"),
    ]
    area, area_backup, overlap, road, road_backup, spots, spots_backup, events, events_backup = columns
    by_set = [
        Coverage(*row)
        for row in zip(
            area, area_backup, road, road_backup, spots, spots_backup, events, events_backup, overlap, strict=True
        )
    ]
    unknown = 0 if known is None else int(np.isnan(known).sum())
    remarks = [NO_CAMERA] if not shapes.size else []
    if unknown:
        remarks.append(f"{unknown}个摄像机在线状态不明，不计为在线")
    working = 0 if known is None else int((known == 1).sum())
    return CoverageSummary(
        by_set[0], by_set[1] if len(by_set) > 1 else None, shapes.size, working, unknown, "；".join(remarks)
    )


def kpi(numerator: float, denominator: float, unit: str) -> Kpi:
    """The figure; its share is None where there is nothing to share."""
    share = float(100 * numerator / denominator) if denominator > 0 else None
    return Kpi(float(numerator), float(denominator), share, unit)


def _area_kpis(shapes: np.ndarray, sets: list[np.ndarray], city) -> tuple[list, list, list]:
    first, second, both = _common(shapes if city is not None else shapes[:0])
    area, backup, overlap = [], [], []
    seen = twice = np.zeros(0, object)
    inside = np.zeros(shapes.size, bool)
    for chosen in reversed(sets):  # those online first: what they cover is part of what all cover
        pair, known_pair = chosen[first] & chosen[second], inside[first] & inside[second]
        seen = _united(seen, shapes[chosen & ~inside])
        twice = _united(twice, both[pair & ~known_pair])
        inside = chosen
        total, union = shapely.area(shapes[chosen]).sum(), shapely.area(seen).sum()
        overlap.append(kpi(total / _KM2, union / _KM2, "平方公里"))
        for out, parts in ((area, seen), (backup, twice)):
            out.append(None if city is None else kpi(_area_in(city, parts) / _KM2, city.area / _KM2, "平方公里"))
    return area[::-1], backup[::-1], overlap[::-1]


def _common(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every two shapes that share ground, and what they share."""
    first, second = shapely.STRtree(shapes).query(shapes)
    first, second = first[first < second], second[first < second]
    both = shapely.intersection(shapes[first], shapes[second])
    real = shapely.area(both) > 0
    return first[real], second[real], both[real]


def _united(parts: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Parts of the union; groups that touch nothing else are not gone through again."""
    return shapely.get_parts(shapely.disjoint_subset_union_all(np.concatenate([parts, more])))


def _area_in(city, parts: np.ndarray) -> float:
    shapely.prepare(city)
    parts = parts[shapely.intersects(city, parts)]
    within = shapely.contains_properly(city, parts)
    return float(shapely.area(parts[within]).sum() + shapely.area(shapely.intersection(city, parts[~within])).sum())


def _road_kpis(shapes: np.ndarray, sets: list[np.ndarray], roads) -> tuple[list, list]:
    if roads is None:
        return [None] * len(sets), [None] * len(sets)
    segments = on_lattice(road_segments(roads))
    whole = shapely.length(segments).sum()
    once, twice = covered_length(segments, shapes, sets)
    return [kpi(m, whole, "米") for m in once], [kpi(m, whole, "米") for m in twice]


def _point_kpis(shapes: np.ndarray, sets: list[np.ndarray], xy, unit: str) -> tuple[list, list]:
    if xy is None:
        return [None] * len(sets), [None] * len(sets)
    points = metre_xy(xy)
    seen = np.zeros((len(sets), len(points)), np.int64)
    for point, camera in pairs(points, shapes):
        for row, chosen in zip(seen, sets, strict=True):
            row += np.bincount(point[chosen[camera]], minlength=len(points))
    return tuple([kpi((row >= least).sum(), len(points), unit) for row in seen] for least in (1, 2))
