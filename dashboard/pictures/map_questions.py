"""From a Selection to a map: what the Store answers, in metres and in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import shapely

from dashboard.components.words import listed
from dashboard.language import say
from dashboard.measures import CLASSED
from dashboard.pictures.heads import Finding, head_of, whole_finding
from dashboard.pictures.map_drawing import total_extent
from dashboard.pictures.map_frame import PLAIN, Label, Legend, MapFrame, Overlay, Swatch
from dashboard.pictures.map_overlays import OVERLAYS, Asked
from dashboard.pictures.page import Head
from dashboard.pictures.painted import Painted
from dashboard.pictures.painting import paint
from data.index import INCIDENT_LEVELS, UNIT_LEVELS
from data.selection import Selection
from data.store import Release, Scope
from data.store.hotspots import unit_classes
from data.store.hotspots.outlines import outlines
from data.store.hotspots.projection import metre_points
from data.store.metres import in_metres

_NOT_DRAWN = {"coverage": "视频覆盖", "near_repeat": "近重复", "blind": "盲区", "rules": "覆盖规则", "key_places": "重点场所",
              "cameras": "摄像机"}  # fmt: skip
DEFAULT_LAYERS = (("water", 100), ("road", 100), ("labels", 100))
_BORDERS = {"district": ("map-district", 1.1), "street": ("line3", 0.55), "community": ("map-street", 0.35)}
_MOST_OUTLINED = 400  # units of a level whose borders are drawn over the coloured ones
_MAP_MM = (200.0, 145.0)  # about what a map takes of its page
_AROUND = 0.12  # of the larger side of a polygon, shown around it


def map_picture(
    release: Release, selection: Selection, scope: Scope, now: datetime, *, level: str, measure: str | None = None,
    layers: Iterable[tuple[str, int]] = DEFAULT_LAYERS,
) -> tuple[MapFrame, Head]:  # fmt: skip
    """A map of a Selection, ready for :func:`dashboard.pictures.map_drawing.draw_map`.

    Parameters
    ----------
    now : datetime
        With a time zone.
    level : str
        ``district``, ``street``, ``community`` or ``grid``.
    measure : str or None
        One of ``MEASURES``; None is plain ground under a density layer, and else ``count``.
    layers : iterable of (name, opacity in percent)
        Bottom to top. One that cannot be drawn is named in the foot.

    Raises
    ------
    ParameterError, OutsideScope, UnknownArea
    """
    layers = tuple(layers)
    over_ground = measure is None and any(name == "kde" for name, _ in layers)
    painted = paint(release, selection, scope, measure or "count", level)
    detail = "overview" if selection.area is None and selection.polygon is None else "near"
    shapes = _outlines(release, level, detail)[painted.shown]
    colours = np.full(len(shapes), PLAIN) if over_ground else painted.colours[painted.shown]
    within = _within(release, selection)
    if within is not None:
        colours = np.where(shapely.intersects(shapes, within), colours, PLAIN)
    chosen = _chosen(release, selection)
    extent = _extent(release, selection, shapes)
    overlays, legends, notes = _overlays(release, selection, scope, layers, painted, measure, extent)
    frame = MapFrame(
        extent, shapes, colours, _land(release, scope, detail), _borders(release, selection, scope, level, detail), chosen,
        overlays, _labels(release, selection, scope, level, detail) if any(n == "labels" for n, _ in layers) else (),
        legends if over_ground else (painted.legend, *legends), painted.ranked_title, painted.ranked,
    )  # fmt: skip
    whole = whole_finding(release, selection, scope) if painted.of_events else Finding("", (), True)
    finding = whole.text + (painted.finding if whole.known and not over_ground else "")
    what = say("核密度") if over_ground else painted.title
    missing = int(shapely.is_missing(shapes).sum())
    notes += whole.notes + painted.notes + ((say("跨多边形的单元只计其内的部分"),) if within is not None else ())
    notes += (say("没有边界的单元 {n} 个，未上图", n=missing),) if missing else ()
    rule = say("按发生时间计，含起始日、不含结束日") if painted.of_events else say("按统计期计")
    meta = painted.counted.meta if painted.of_events else {}
    return frame, head_of(release, selection, meta, what, finding, now, rule, notes)


def _outlines(release: Release, level: str, detail: str) -> np.ndarray:
    """Every unit of a level in metres; missing where it has no outline."""
    return release.remember(
        ("picture outlines", level, detail),
        lambda: in_metres(release, outlines(release, level, np.arange(len(release.units.level(level))), detail)),
    )


def _chosen(release: Release, selection: Selection) -> np.ndarray:
    found = []
    if selection.area is not None:
        place = release.units.find(selection.area)
        found.append(_outlines(release, place.level, "near")[place.position])
    if selection.polygon is not None:
        found.append(in_metres(release, shapely.from_wkt(selection.polygon)))
    return np.array([shape for shape in found if shape is not None], dtype=object)


def _within(release: Release, selection: Selection) -> shapely.Geometry | None:
    """The selected polygon; units outside it hold nothing of the Selection and stay plain."""
    if selection.polygon is None:
        return None
    polygon = in_metres(release, shapely.from_wkt(selection.polygon))
    shapely.prepare(polygon)
    return polygon


def _extent(release: Release, selection: Selection, shapes: np.ndarray) -> tuple[float, float, float, float]:
    if selection.polygon is None:
        return total_extent(shapes)
    west, south, east, north = in_metres(release, shapely.from_wkt(selection.polygon)).bounds
    around = _AROUND * max(east - west, north - south)
    return west - around, south - around, east + around, north + around


def _wider(extent: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The extent and as much again on each side: the paper shows more than the extent where their forms differ."""
    west, south, east, north = extent
    more = max(east - west, north - south)
    return west - more, south - more, east + more, north + more


def _land(release: Release, scope: Scope, detail: str) -> np.ndarray:
    """The ground of the scope: its own areas, or the widest ones of the release."""
    places = release.units.scope_places(scope)
    if places is not None:
        found = [_outlines(release, place.level, detail)[place.position] for place in places]
        return np.array([shape for shape in found if shape is not None], dtype=object)
    widest = next((level for level in INCIDENT_LEVELS if len(release.units.level(level))), None)
    if widest is None:
        return np.empty(0, dtype=object)
    shapes = _outlines(release, widest, detail)
    return shapes[~shapely.is_missing(shapes)]


def _inside(release: Release, selection: Selection, scope: Scope, level: str) -> np.ndarray:
    """Mask over the units of a level: in the scope and the selected area."""
    mask = release.units.in_scope(level, scope)
    if selection.area is not None:
        mask = mask & release.units.inside(level, release.units.allowed(selection.area, scope))
    return mask


def _borders(release: Release, selection: Selection, scope: Scope, level: str, detail: str) -> tuple:
    """Borders of the painted level and the wider ones, weak to strong, where they are not too many to be seen."""
    found = []
    for wider in reversed(UNIT_LEVELS[: UNIT_LEVELS.index(level) + 1]):
        if wider not in _BORDERS:
            continue
        inside = _inside(release, selection, scope, wider)
        if 0 < inside.sum() <= _MOST_OUTLINED:
            shapes = _outlines(release, wider, detail)[inside]
            found.append((shapes[~shapely.is_missing(shapes)], *_BORDERS[wider]))
    return tuple(found)


def _labels(release: Release, selection: Selection, scope: Scope, level: str, detail: str) -> tuple[Label, ...]:
    """Names of the two levels under the selected area, none narrower than the painted one; large areas first."""
    under = -1 if selection.area is None else UNIT_LEVELS.index(release.units.find(selection.area).level)
    named = [one for one in INCIDENT_LEVELS if UNIT_LEVELS.index(one) > under and len(release.units.level(one))
             and UNIT_LEVELS.index(one) <= UNIT_LEVELS.index(level)][:2]  # fmt: skip
    found, within = [], _within(release, selection)
    for number, one in enumerate(named):
        units, inside = release.units.level(one), np.flatnonzero(_inside(release, selection, scope, one))
        shapes = _outlines(release, one, detail)[inside]
        there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        if within is not None:
            there &= shapely.intersects(shapes, within)
        marks = shapely.get_coordinates(shapely.point_on_surface(shapes[there]))
        order = np.argsort(-shapely.area(shapes[there]), kind="stable")
        names = [_short_name(release, units, position) for position in inside[there]]
        bounds = shapely.bounds(shapes[there])
        found += [Label(*marks[i], names[i], bounds[i, 2] - bounds[i, 0], wide=number == 0) for i in order]
    return tuple(found)


def _short_name(release: Release, units, position: int) -> str:
    """A unit's name without that of the area it lies in."""
    parent = release.units.find(units.parents[position]) if units.parents[position] else None
    above = "" if parent is None else release.units.level(parent.level).names[parent.position]
    name = units.names[position]
    return name.removeprefix(above) or name


def _overlays(release, selection, scope, layers, painted: Painted, measure: str | None, extent) -> tuple:
    """The layers that can be drawn, their legends, and notes on what is not."""
    west, south, east, north = extent
    scale = max((east - west) / _MAP_MM[0], (north - south) / _MAP_MM[1])
    overlays, legends, notes, absent = [], [], [], []
    for name, opacity in layers:
        if name == "labels" or (name == "hotspots" and measure in CLASSED):
            continue
        if name == "hotspots":
            overlays.append(_numbers(release, unit_classes(release, selection, scope, "gi").groups))
            legends.append(Legend("", "", swatches=(Swatch("panel", say("编号为网格热点（Gi*），1为首"), "o", "t1"),)))
        elif name in OVERLAYS:
            drawn = OVERLAYS[name](Asked(release, selection, scope, _wider(extent), scale, opacity / 100))
            overlays += [drawn.overlay] if drawn.overlay is not None else []
            legends += [drawn.legend] if drawn.legend is not None else []
            notes.append(drawn.note)
        else:
            absent.append(say(_NOT_DRAWN.get(name, name)))
    if absent:
        notes.append(say("图上没有这些图层：{names}", names=listed(absent)))
    if len(painted.groups) and measure in CLASSED:
        overlays.append(_numbered(release, painted.groups))
    return tuple(overlays), tuple(legends), tuple(notes)


def _numbers(release: Release, groups) -> Overlay:
    return _numbered(
        release, np.array([(g.lon, g.lat, g.number) for g in groups if g.lon is not None], dtype=float).reshape(-1, 3)
    )


def _numbered(release: Release, groups: np.ndarray) -> Overlay:
    xy = metre_points(release, groups[:, 0], groups[:, 1]) if len(groups) else np.empty((0, 2))
    return Overlay("numbers", xy=xy, numbers=groups[:, 2])
