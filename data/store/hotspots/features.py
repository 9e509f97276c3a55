"""A hotspot layer as map features, with everything that reproduces it."""

from __future__ import annotations

import json

import numpy as np
import shapely

from data.selection import Selection
from data.store.answer import Features
from data.store.extent import limit_cut
from data.store.filters import common_meta
from data.store.hotspots.asked import UNIT_METHODS, asked_window, check
from data.store.hotspots.near_repeats import near_repeats
from data.store.hotspots.outlines import outline_texts
from data.store.hotspots.parameters import immature_remark, joined, provenance
from data.store.hotspots.repeats import repeats
from data.store.hotspots.surface import NO_EVENTS, density_surface
from data.store.hotspots.units import unit_classes
from data.store.layers import feature, point
from data.store.release import Release
from data.store.scope import Scope

MOST_PLACES = 500
NO_REPEATS = "没有满2起的地点"


def hotspots(
    release: Release,
    selection: Selection,
    scope: Scope,
    method: str = "gi",
    *,
    level: str = "grid",
    window: str = "now",
) -> Features:
    """One hotspot layer.

    Parameters
    ----------
    method : str
        ``gi``, ``lisa``, ``emerging``: the flagged units of ``level`` (emerging: all with a class), judged among all
        units of the scope; of more than the limit for points, those with the smallest q. ``kde``: five areas of equal density over the scope, cut along the selected area and
        polygon. ``repeat_places``: points of the Selection with several events, at most 500. ``near_repeat``: lines
        between events of the Selection close in space and time.
    level : str
        Of the unit methods.
    window : str
        ``now``, or ``before``: the window compared with.

    Returns
    -------
    Features
        ``meta`` has ``parameters``, ``n``, ``adjusted_over`` (tests adjusted together, or null), ``summary``, ``note``,
        ``matched``, ``returned``, ``cut``; of units also ``groups``, the numbered hotspots; of near repeats ``table``.

    Raises
    ------
    ParameterError, OutsideScope, UnknownArea
    """
    check(selection, method, level, window)
    key = ("hotspots", selection, scope, method, level if method in UNIT_METHODS else None, window)
    return release.remember(key, lambda: _LAYERS[method](release, selection, scope, method, level, window))


def _units(release, selection, scope, method, level, window) -> Features:
    found = unit_classes(release, selection, scope, method, level, window)
    units = release.units.level(level)
    flagged = np.flatnonzero(found.flagged & found.listed)
    surest = flagged[np.argsort(found.q[flagged], kind="stable")][: release.limits.points]
    shown = np.sort(surest)
    number = {unit: group.number for group in found.groups for unit in group.units}
    texts = []
    for i, outline in zip(shown.tolist(), outline_texts(release, level, shown, "overview"), strict=True):
        properties = {
            "code": units.codes[i],
            "name": units.names[i],
            "level": level,
            "label": str(found.label[i]),
            "number": number.get(i),
            "count": int(found.count[i]),
            "before": None if np.isnan(found.before[i]) else int(found.before[i]),
            "z": _plain(found.z[i], 4),
            "p": _plain(found.p[i]),
            "q": _plain(found.q[i]),
        }
        texts.append(feature(outline, properties))
    more = {"groups": [group.to_meta() for group in found.groups]}
    return _answer(release, selection, scope, found.parameters, found.summary, found.note, texts,
                   matched=len(flagged), more=more)  # fmt: skip


def _density(release, selection, scope, method, level, window) -> Features:
    found = density_surface(release, selection, scope, window)
    texts = []
    limits = (*found.limits, None)
    for k, (shape, area) in enumerate(zip(found.contours, found.areas_km2, strict=True)):
        if not shape.is_empty:
            properties = {"class": k, "from_per_km2": limits[k], "to_per_km2": limits[k + 1], "area_km2": area}
            texts.append(feature(shapely.to_geojson(shape), properties))
    peak = found.peak
    summary = {"areas_km2": list(found.areas_km2), "mass": found.mass, "peak": None if peak is None else vars(peak)}
    return _answer(release, selection, scope, found.parameters, summary, found.note, texts)


def _repeat_places(release, selection, scope, method, level, window) -> Features:
    asked = asked_window(selection, window)
    found = repeats(release, selection, scope, asked)
    places, grids = found.places, release.units.level("grid")
    texts = []
    for i in range(min(len(places.count), MOST_PLACES)):
        grid = int(found.grid[i])
        count = int(places.count[i])
        properties = {
            "count": count,
            "first": str(places.first[i]),
            "last": str(places.last[i]),
            "share_pct": round(100.0 * count / found.n, 3),
            "categories": found.categories[i],
            "category_pct": {name: round(100.0 * k / count, 1) for name, k in found.categories[i].items()},
            "grid_code": None if grid < 0 else grids.codes[grid],
            "grid_name": None if grid < 0 else grids.names[grid],
        }
        texts.append(feature(point(found.lon[i], found.lat[i]), properties))
    events = int(places.count.sum())
    summary = {
        "places": len(places.count),
        "events": events,
        "share_pct": round(100.0 * events / found.n, 3) if found.n else None,
        "peak": int(places.count[0]) if len(places.count) else None,
    }
    parameters = {"method": method, **provenance(release, scope, window, asked), **found.parameters}
    note = joined(
        NO_EVENTS if not found.n else "" if len(places.count) else NO_REPEATS, immature_remark(release, asked)
    )
    return _answer(release, selection, scope, parameters, summary, note, texts, matched=len(places.count))


def _near_repeat(release, selection, scope, method, level, window) -> Features:
    asked = asked_window(selection, window)
    found = near_repeats(release, selection, scope, asked)
    texts, matched, summary = [], 0, {"links": None, "same_place": None}
    if found.links is not None:
        links = found.links
        apart = links.apart_m > links.same_place_m
        drawn = np.flatnonzero(apart)[-release.limits.points :]  # links stand in order of time: the latest
        matched = int(apart.sum())
        summary = {"links": len(apart), "same_place": int((~apart).sum())}
        for k in drawn.tolist():
            ends = [
                [round(float(found.lon[i]), 7), round(float(found.lat[i]), 7)]
                for i in (links.first[k], links.second[k])
            ]
            line = json.dumps({"type": "LineString", "coordinates": ends}, separators=(",", ":"))
            properties = {"metres": round(float(links.apart_m[k]), 1), "days": round(float(links.apart_days[k]), 4)}
            texts.append(feature(line, properties))
    parameters = {"method": method, **provenance(release, scope, window, asked), **found.parameters}
    note = joined(*found.remarks, immature_remark(release, asked))
    more = {"table": None if found.table is None else _table(found.table)}
    return _answer(release, selection, scope, parameters, summary, note, texts, matched=matched, more=more)


def _table(table) -> dict:
    """Rows are distances, columns days; the last of each is beyond the bands."""
    shown = {"observed": table.observed.tolist()}
    for name in ("expected", "ratio", "p", "q"):
        shown[name] = [[_plain(value, 6) for value in row] for row in getattr(table, name)]
    return {"distance": list(table.distance_labels), "days": list(table.day_labels), **shown}


_LAYERS = {
    **dict.fromkeys(UNIT_METHODS, _units),
    "kde": _density,
    "repeat_places": _repeat_places,
    "near_repeat": _near_repeat,
}


def _answer(release, selection, scope, parameters, summary, note, texts, *, matched=None, more=None) -> Features:
    matched = len(texts) if matched is None else matched
    meta = {
        **common_meta(release, selection, scope),
        "parameters": parameters,
        "n": parameters["n"],
        "adjusted_over": parameters.get("adjusted_over"),
        "summary": summary,
        "note": note,
        **(more or {}),
        "matched": matched,
        "returned": len(texts),
        "cut": limit_cut(matched, texts),
    }
    return Features(meta, texts)


def _plain(value: float, digits: int | None = None) -> float | None:
    if np.isnan(value):
        return None
    return float(value) if digits is None else round(float(value), digits)
