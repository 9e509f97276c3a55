"""What the map is told: where to look, the switches over it, what stands under it."""

from __future__ import annotations

import numpy as np

from dashboard.components import html
from dashboard.components.card import empty
from dashboard.components.link import link, segment
from dashboard.components.words import LEVEL_NAMES, listed, window_text
from dashboard.language import say
from dashboard.measures import (
    BAYES,
    CHANGE,
    COUNT,
    DENSITY,
    DISPUTES,
    EMERGING,
    GI,
    LISA,
    MEASURE_NAMES,
    RATE,
)
from dashboard.pages.workbench.state import PageState
from dashboard.unit_values import UnitValues
from data.index import INCIDENT_LEVELS
from data.selection import ParameterError
from data.store import Release, Scope
from data.store.coverage import METHODS, methods
from data.store.disputes import dispute_sources

_READABLE_PX = 64  # a level is shown from the zoom where its median unit is this wide
MEASURE_GROUPS = (("多少", (COUNT, DENSITY, RATE, BAYES)), ("与对比期", (CHANGE,)), ("检验", (GI, LISA, EMERGING)),
                  ("纠纷", (DISPUTES,)))  # fmt: skip
VIEW_NAMES = (("swipe", "卷帘"), ("side", "并排"))
COVER_NAMES = dict(zip(METHODS, ("最佳估计", "扣除遮挡", "扇形", "半径"), strict=True))


def level_zooms(release: Release, scope: Scope) -> list[dict]:
    """The levels that have units in the scope, wide to narrow, each with the first zoom it is readable at."""
    levels = []
    for level in INCIDENT_LEVELS:
        widths = release.units.level(level).bounds[release.units.in_scope(level, scope)]
        if not len(widths):
            continue
        width = float(np.nanmedian(widths[:, 2] - widths[:, 0])) if np.isfinite(widths).any() else 0.0
        zoom = 0.0 if not levels else float(np.log2(_READABLE_PX * 360 / 256 / width)) if width > 0 else 99.0
        levels.append({"level": level, "name": LEVEL_NAMES[level], "zoom": round(zoom, 2), "units": len(widths)})
    return levels


def has_population(release: Release) -> bool:
    """Whether rates can be shown at all."""
    return any(np.nansum(release.units.level(level).population) > 0 for level in INCIDENT_LEVELS)


def cover(state: PageState, release: Release) -> dict:
    """Which shapes of the cameras are drawn, and of which there is a choice.

    Raises
    ------
    ParameterError
        Where the release has no such shapes.
    """
    there = methods(release)
    if state.cover not in there:
        raise ParameterError("cover", state.cover, " ".join(there))
    return {"chosen": state.cover, "choices": [[name, say(COVER_NAMES[name])] for name in there]}


def tools(state: PageState, release: Release, levels: list[dict]) -> list:
    """The switches over the map: what colours the units, at which level, and how two windows stand together."""
    selection = state.selection
    compared = selection.compare != "none"
    by_level = [(say("随缩放"), state.href(level=None), state.level is None)]
    by_level += [(say(one["name"]), state.href(level=one["level"]), state.level == one["level"]) for one in levels]
    views = [(say("单图"), state.href(view=None), state.view is None)]
    views += [(say(name), state.href(view=view) if compared else "", state.view == view) for view, name in VIEW_NAMES]
    return [
        _measures(state, release),
        segment(by_level, say("地图层级"), className="floating levels view"),
        segment(views, say("两期对照"), className="floating view"),
    ]


def _measures(state: PageState, release: Release) -> html.Element:
    """A menu of measures in groups; the one in force is its title."""
    compared, people = state.selection.compare != "none", has_population(release)
    usable = {CHANGE: compared, RATE: people, BAYES: people, DISPUTES: has_disputes(release)}
    groups = []
    for group, names in MEASURE_GROUPS:
        items = [
            link(say(MEASURE_NAMES[name]), state.href(measure=name), className="view on" if name == state.measure else "view",
                 role="menuitemradio", **{"aria-checked": str(name == state.measure).lower()})
            for name in names if usable.get(name, True)
        ]  # fmt: skip
        if items:
            groups.append(html.Div([html.Div(say(group), className="caption"), *items]))
    head = html.Summary([html.Span(say("着色"), className="caption"), html.Strong(say(MEASURE_NAMES[state.measure]))])
    return html.Details([head, html.Div(groups, className="menu floating-card", role="menu")],
                        className="menu-of measures floating", **{"data-keep": "open"})  # fmt: skip


def has_disputes(release: Release) -> bool:
    """Whether the release holds dispute statistics."""
    return any(source.told for source in dispute_sources(release))


def foot(state: PageState, meta: dict, unplaced: int) -> str:
    """Window, what is not drawn, the counting rule and the release, under the map.

    ``unplaced`` counts the events of the selection that no unit of the level holds.
    """
    selection = state.selection
    parts = [window_text((selection.start, selection.end), year=True)]
    if unplaced:
        parts.append(say("未落入{level} {n} 起，未上图", level=say(LEVEL_NAMES[meta["level"]]), n=f"{unplaced:,}"))
    if meta["unknown"]:
        parts.append(say("钟点不明 {n} 起，不在筛选内", n=f"{meta['unknown']:,}"))
    if meta["coarser"]:
        parts.append(say("按月来源未计入：{names}", names=listed(meta["coarser"])))
    if selection.polygon:
        parts.append(say("圈定范围内只计起数，不算率"))
    parts += [say("按发生时间计"), meta["release"]]
    return " · ".join(parts)


def note(release: Release, state: PageState, level: str, values: UnitValues) -> html.Element | None:
    """Why the map shows nothing, where it does."""
    name = say(LEVEL_NAMES[level])
    if np.isnan(release.units.level(level).bounds).all():
        return empty(say("本发布的{level}没有边界，不能上图；数字见下表。", level=name))
    if not release.reports.source_ids:
        return empty(say("本发布没有事件来源，地图只有区划。"))
    recorded = [n for n in values.counted.rows["count"].to_pylist() if n is not None]
    if not recorded:
        return empty(say("所选时段没有任何上报，全部未报。"))
    if not any(recorded):
        return empty(say("所选时段和筛选下没有事件。"))
    if state.measure == DISPUTES and not values.found_known:
        return empty(say("纠纷统计没有分到{level}，请换更宽的层级。", level=name))
    return None
