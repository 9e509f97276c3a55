"""The layers over the units: each from the Store as something to draw, its legend and what has to be said of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
import sqlalchemy as sa

from dashboard.components.words import plain
from dashboard.language import say
from dashboard.pictures.map_frame import Legend, Overlay, Swatch
from data.selection import Selection
from data.store import Release, Scope
from data.store.filters import INCIDENT, day_window, in_days, selected, without_sources
from data.store.hotspots import density_surface, hotspots
from data.store.hotspots.projection import metre_points
from data.store.layers import layer_rows
from data.store.metres import in_metres

MOST_POINTS = 20_000  # more are a blot on paper
# Roads by class: width in points, and the most metres to a millimetre of paper at which they are drawn.
_ROADS = ((re.compile("motorway|trunk|primary|高速|快速|主干|国道|省道"), 0.9, float("inf")),
          (re.compile("secondary|tertiary|次干|县道|乡道"), 0.5, 120.0), (re.compile(""), 0.25, 40.0))  # fmt: skip
_BUILDINGS_TO = 25.0


@dataclass(frozen=True, eq=False)
class Asked:
    """What a layer is asked for: a Selection within a scope, and how opaque it is drawn.

    ``box`` is in metres, ``scale`` the metres in a millimetre of paper, about.
    """

    release: Release
    selection: Selection
    scope: Scope
    box: tuple[float, float, float, float]
    scale: float
    opacity: float


@dataclass(frozen=True, eq=False)
class Drawn:
    """A layer ready to be drawn; ``note`` says what of it is not."""

    overlay: Overlay | None
    legend: Legend | None = None
    note: str = ""


def _base(layer: str, kind: str) -> Callable[[Asked], Drawn]:
    def drawn(asked: Asked) -> Drawn:
        if asked.scope.areas == () or (kind == "building" and asked.scale > _BUILDINGS_TO):
            return Drawn(None)
        rows = layer_rows(asked.release, layer)
        shapes = in_metres(asked.release, rows.shapes[rows.drawable])
        near = shapely.intersects(shapes, shapely.box(*asked.box))
        widths = np.empty(0)
        if kind == "road":
            kinds = np.array(rows.table["kind"].to_pylist(), dtype=object)[rows.drawable]
            widths = np.array([_road_width(name or "", asked.scale) for name in kinds])
            near &= widths > 0
            widths = widths[near]
        return Drawn(Overlay(kind, asked.opacity, shapes[near], numbers=widths))

    return drawn


def _road_width(kind: str, scale: float) -> float:
    """In points; 0 where roads of the class would cover the map."""
    width, most = next((width, most) for pattern, width, most in _ROADS if pattern.search(kind))
    return width if scale <= most else 0.0


def _density(asked: Asked) -> Drawn:
    found = density_surface(asked.release, asked.selection, asked.scope)
    if not found.contours:
        return Drawn(None, note=say("核密度：没有可用的点"))
    parameters = found.parameters
    unit = say("起 / 平方公里 · {days}", days=say("{n}天", n=asked.selection.days))
    note = say("四次核，带宽{h:,.0f}米（自动），格{c:,.0f}米，{n:,}起", h=parameters["bandwidth_m"], c=parameters["cell_m"],
               n=found.n)  # fmt: skip
    ramp = tuple(f"density-{number}" for number in range(1, 6))
    legend = Legend(say("核密度"), unit, ramp, tuple(plain(limit) for limit in found.limits), note=note)
    shapes = in_metres(asked.release, np.array(found.contours, dtype=object))
    return Drawn(Overlay("density", asked.opacity, shapes), legend)


def _points(asked: Asked) -> Drawn:
    release, window = asked.release, day_window((asked.selection.start, asked.selection.end))
    where = [in_days(*window), without_sources(release.reports.coarser(*window)),
             *selected(release, asked.selection, asked.scope), INCIDENT.lon.is_not(None), INCIDENT.lat.is_not(None)]  # fmt: skip
    matched = release.rows(sa.select(sa.func.count().label("n")).where(*where))["n"][0].as_py()
    if matched > MOST_POINTS:
        return Drawn(None, note=say("警情点位 {n:,} 起，太密，未绘", n=matched))
    nowhere = release.rows(sa.select(sa.func.count().label("n")).where(*where[:-2], INCIDENT.lon.is_(None)))["n"][
        0
    ].as_py()
    found = release.rows(sa.select(INCIDENT.lon, INCIDENT.lat).where(*where))
    xy = metre_points(release, found["lon"].to_numpy(), found["lat"].to_numpy()) if matched else np.empty((0, 2))
    west, south, east, north = asked.box
    near = (xy[:, 0] >= west) & (xy[:, 0] <= east) & (xy[:, 1] >= south) & (xy[:, 1] <= north)
    words = say("警情点位 {n:,} 起", n=int(near.sum()))
    beyond = int((~near).sum())
    notes = [say("没有坐标 {n:,} 起，未绘点", n=nowhere)] if nowhere else []
    notes += [say("另有 {n:,} 起在图外", n=beyond)] if beyond else []
    return Drawn(Overlay("points", asked.opacity, xy=xy[near]), Legend("", "", swatches=(Swatch("t1", words, "o", "panel"),)),
                 " · ".join(notes))  # fmt: skip


def _repeats(asked: Asked) -> Drawn:
    found = hotspots(asked.release, asked.selection, asked.scope, "repeat_places")
    places = [json.loads(text) for text in found.features]
    if not places:
        return Drawn(None, note=say("没有重复地点"))
    lon, lat = np.array([place["geometry"]["coordinates"] for place in places], dtype=float).T
    numbers = np.array([place["properties"]["count"] for place in places], dtype=float)
    words = say("重复地点 {n:,} 处，圈大为多", n=len(places))
    legend = Legend("", "", swatches=(Swatch("none", words, "o", "bad"),))
    return Drawn(Overlay("repeats", asked.opacity, xy=metre_points(asked.release, lon, lat), numbers=numbers), legend)


OVERLAYS: dict[str, Callable[[Asked], Drawn]] = {
    "water": _base("base_water", "water"),
    "building": _base("base_building", "building"),
    "road": _base("base_road", "road"),
    "kde": _density,
    "incidents": _points,
    "repeat_places": _repeats,
}
