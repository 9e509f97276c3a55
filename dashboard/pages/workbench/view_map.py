"""What the map is told: where to look, the numbers of every unit, its legend and its foot."""

from __future__ import annotations

import base64
import json

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from dash import html

from dashboard.components.link import segment
from dashboard.components.verdict import MARKS, ORDER, TONES
from dashboard.components.words import LEVEL_NAMES, before_name, plain, window_text
from dashboard.pages.workbench.state import CHANGE, COUNT, RATE, PageState
from data.index import INCIDENT_LEVELS
from data.store import Release
from data.store.class_limits import ClassLimits
from data.store.units import Place

MISSING_CODE = -1  # in packed counts
_READABLE_PX = 64  # a level is shown from the zoom where its median unit is this wide
_CHANGE_CLASSES = (0, 1, 3, 5, 6)  # of the change ramp: 明显下降 有所下降 正常 需关注 明显上升
MEASURE_NAMES = {COUNT: "起数", CHANGE: "变化", RATE: "每千人"}


def pack(values: np.ndarray) -> dict:
    """Whole numbers in as few bytes as they need, for the browser's typed arrays."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    kind = next(k for k in ("i1", "i2", "i4") if np.iinfo(k).min <= low and high <= np.iinfo(k).max)
    return {"type": kind, "data": base64.b64encode(values.astype("<" + kind).tobytes()).decode()}


def packed_rows(level: str, size: int, positions: np.ndarray, rows: pa.Table) -> dict:
    """The rows of ``counts`` by position of their unit.

    Returns
    -------
    dict
        ``shown`` (1 where there is a row), ``count`` and ``before`` (-1 missing), ``difference``, ``percent`` (tenths),
        ``p`` (ten-thousandths), ``verdict`` (index into ORDER; -1 none), ``withheld`` (1: no rate, test or verdict
        because too much is missing), ``gaps`` (unit-periods not in). Where nothing is compared ``before`` and what
        follows from it are absent.
    """

    def column(name: str, fill: int, scale: float = 1.0) -> dict:
        values = rows[name].cast(pa.float64()).to_numpy()
        whole = np.full(size, fill, dtype=np.int64)
        whole[positions] = np.where(np.isnan(values), fill, np.round(np.nan_to_num(values) * scale))
        return pack(whole)

    shown = np.zeros(size, dtype=np.int64)
    shown[positions] = 1
    packed = {"shown": pack(shown), "count": column("count", MISSING_CODE), "gaps": column("periods_missing", 0)}
    compared = not pa.types.is_null(rows["verdict"].type) and rows["verdict"].null_count < rows.num_rows
    if compared:
        words = np.full(size, -1, dtype=np.int64)
        index = {word: i for i, word in enumerate(ORDER)}
        words[positions] = [index.get(word, -1) for word in rows["verdict"].to_pylist()]
        packed |= {
            "before": column("before", MISSING_CODE),
            "difference": column("difference", 0),
            "percent": column("percent", -(2**31), 10),
            "p": column("p", -1, 10_000),
            "verdict": pack(words),
        }
    rate = rows["rate_per_1000"].cast(pa.float64()).to_numpy()
    if np.isfinite(rate).any():
        packed["rate"] = column("rate_per_1000", MISSING_CODE, 1000)
    return {"level": level, "size": size, "columns": packed}


def level_zooms(release: Release) -> list[dict]:
    """The levels that have units, wide to narrow, each with the first zoom it is readable at."""
    levels = []
    for level in INCIDENT_LEVELS:
        widths = release.units.level(level).bounds
        if not len(widths):
            continue
        width = float(np.nanmedian(widths[:, 2] - widths[:, 0])) if np.isfinite(widths).any() else 0.0
        zoom = 0.0 if not levels else float(np.log2(_READABLE_PX * 360 / 256 / width)) if width > 0 else 99.0
        levels.append({"level": level, "name": LEVEL_NAMES[level], "zoom": round(zoom, 2), "units": len(widths)})
    return levels


def has_population(release: Release) -> bool:
    """Whether rates can be shown at all."""
    return any(np.nansum(release.units.level(level).population) > 0 for level in INCIDENT_LEVELS)


def extent(release: Release, place: Place | None) -> list[float] | None:
    """West, south, east, north of an area or of everything; None where there are no outlines."""
    if place is not None:
        bounds = release.units.level(place.level).bounds[place.position][None]
    else:
        bounds = np.concatenate([release.units.level(level).bounds for level in INCIDENT_LEVELS])
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    if not len(bounds):
        return None
    return [*bounds[:, :2].min(axis=0).tolist(), *bounds[:, 2:].max(axis=0).tolist()]


def outline(release: Release, place: Place) -> dict | None:
    """The border of one area as GeoJSON; None where it has none."""
    query = sa.text("SELECT geojson FROM shape WHERE detail = 'near' AND level = :level AND position = :position")
    found = release.rows(query.bindparams(level=place.level, position=place.position))
    text = found["geojson"][0].as_py() if found.num_rows else None
    return json.loads(text) if text else None


def tools(state: PageState, release: Release, levels: list[dict]) -> list:
    """The switches over the map: measure and level."""
    measures = [COUNT] + ([CHANGE] if state.selection.compare != "none" else [])
    measures += [RATE] if has_population(release) else []
    shown = [(MEASURE_NAMES[m], state.href(measure=m), m == state.measure) for m in measures]
    by_level = [("随缩放", state.href(level=None), state.level is None)]
    by_level += [(one["name"], state.href(level=one["level"]), state.level == one["level"]) for one in levels]
    return [
        segment(shown, "地图指标", className="floating"),
        segment(by_level, "地图层级", className="floating levels"),
    ]


def legend(state: PageState, level: str, limits: ClassLimits) -> list:
    """Three legends, of which the style sheet shows the measure's: swatches with limits under their joints."""
    selection = state.selection
    window = (selection.start, selection.end)
    unit = LEVEL_NAMES[level]
    days = f"{selection.days}天"
    past = before_name(window, selection.compare)
    count = _scale([("count", 0), *(("count", i) for i in range(1, 6))], ["", *map(plain, limits.count)], zero=True)
    parts = [_legend(COUNT, "起数", f"起 / {unit} · {days}", count)]
    if limits.rate:
        edges = ["", "", *map(plain, limits.rate[1:])]
        rate = _scale([("count", 0), *(("count", i) for i in range(1, 6))], edges, zero=True)
        parts.append(_legend(RATE, "每千人", f"起 / 千人 · {days}", rate))
    if selection.compare != "none":
        order = ("明显下降", "有所下降", "正常波动", "需关注", "明显上升")
        swatches = [
            html.Div(
                [html.Span(className=f"swatch-box change-{c}"),
                 html.Span([html.Span(MARKS[word], className=f"mark {TONES[word]}"), word])],
                className="legend-word",
            )
            for c, word in reversed(list(zip(_CHANGE_CLASSES, order, strict=True)))
        ]  # fmt: skip
        parts.append(_legend(CHANGE, "变化", f"{unit} · 与{past}比，{selection.days}天", html.Div(swatches)))
    return parts


def _legend(measure: str, name: str, unit: str, body) -> html.Div:
    states = html.Div(
        [html.Span(className="swatch-box hatched"), "未报"]
        + ([html.Span("0", className="swatch-box zero"), "零报或无"] if measure != CHANGE else
           [html.Span(className="swatch-box incomparable"), "无法比较"]),
        className="legend-states",
    )  # fmt: skip
    head = html.Div([html.Strong(name), " ", html.Span(unit, className="caption")])
    return html.Div([head, body, states], className=f"legend-of {measure}")


def _scale(classes: list[tuple[str, int]], edges: list[str], *, zero: bool) -> html.Div:
    """Swatches of equal width; ``edges[i]`` is the lower limit of class i, written under its left joint."""
    first = 1 if zero else 0
    boxes = [html.Span(className=f"{ramp}-{number}") for ramp, number in classes[first:]]
    marks = [html.Span(text) for text in edges[first:]]
    return html.Div([html.Div(boxes, className="ramp"), html.Div(marks, className="limits")], className="scale")


def foot(state: PageState, meta: dict, unplaced: int) -> str:
    """Window, what is not drawn, the counting rule and the release, under the map.

    ``unplaced`` counts the events of the selection that no unit of the level holds.
    """
    selection = state.selection
    parts = [window_text((selection.start, selection.end), year=True)]
    if unplaced:
        parts.append(f"未落入{LEVEL_NAMES[meta['level']]} {unplaced:,} 起，未上图")
    if meta["unknown"]:
        parts.append(f"钟点不明 {meta['unknown']:,} 起，不在筛选内")
    if meta["coarser"]:
        parts.append(f"按月来源未计入：{'、'.join(meta['coarser'])}")
    parts += ["按发生时间计", meta["release"]]
    return " · ".join(parts)
