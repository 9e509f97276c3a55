"""Gather the state from the address, ask the Store, hand the rows to a view."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial, wraps

import numpy as np
import plotly.graph_objects as go
from dash import ClientsideFunction, Dash, Input, Output

from dashboard.components.card import empty
from dashboard.components.topbar import release_state
from dashboard.components.tree import tree
from dashboard.components.words import LEVEL_NAMES, before_name, now_name
from dashboard.pages.caller import caller_scope
from dashboard.pages.workbench import ids, view_charts, view_map, view_rail
from dashboard.pages.workbench.state import read_state, unequal
from dashboard.settings import Settings
from data.errors import YanpanError
from data.index import INCIDENT_LEVELS
from data.selection import Selection
from data.store import Extent, Release, Scope, Store, counts, describe, features, profile, trend
from data.store.changes import changes
from data.store.class_limits import class_limits
from data.store.facets import facets, without_unit
from data.store.trend import STEPS

NO_POINTS = {"type": "FeatureCollection", "features": []}
_log = logging.getLogger(__name__)


def register_callbacks(app: Dash, store: Store, settings: Settings) -> None:
    """Join the functions below to the parts of the page."""
    search = Input(ids.URL, "search")
    asked = {ids.FOCUS: partial(show_focus, store), ids.FRAME: partial(show_frame, store, settings),
             ids.SIDE: partial(show_side, store)}  # fmt: skip
    for output, function in asked.items():
        app.callback(Output(output, "data"), search)(function)
    app.callback(Output(ids.TREND, "figure"), search)(partial(show_trend, store))
    app.callback(Output(ids.VALUES, "data"), Input(ids.REQUEST, "data"), prevent_initial_call=True)(
        partial(show_values, store)
    )
    app.callback(
        Output(ids.POINTS, "data"), Output(ids.POINTS_STATE, "data"), Input(ids.POINTS_REQUEST, "data"),
        prevent_initial_call=True,
    )(partial(show_points, store))  # fmt: skip
    browser = partial(ClientsideFunction, "workbench")
    app.clientside_callback(browser("look"), Output(ids.REQUEST, "data"), Input(ids.FOCUS, "data"))
    for drawn in (ids.FRAME, ids.SIDE, ids.POINTS_STATE):
        app.clientside_callback(browser("draw"), Input(drawn, "data"), prevent_initial_call=True)
    app.clientside_callback(
        browser("paint"), Input(ids.VALUES, "data"), Input(ids.LAYERS, "value"), prevent_initial_call=True
    )


def cleared(empty_answer: Callable[[str], object]):
    """Answer a fault with one line in place of numbers: no old value stays under a new name."""

    def decorate(function):
        @wraps(function)
        def answer(*arguments):
            try:
                return function(*arguments)
            except YanpanError as fault:
                return empty_answer(fault.line())
            except Exception:
                _log.exception("%s", function.__name__)
                return empty_answer("程序内部错误，已记入日志")

        return answer

    return decorate


def parts(**shown) -> dict:
    """Parts of the page by id, as the browser draws them; None empties one."""
    return {f"{ids.PAGE}-{name.replace('_', '-')}": tree(part) for name, part in shown.items()}


@cleared(lambda line: {"fault": line, "parts": parts(map_tools=None, fault=view_rail.fault(line))})
def show_focus(store: Store, search: str | None) -> dict:
    """Where the map looks, the switches over it; asks no counts, so that the map can go ahead."""
    with store.current() as release:
        state = read_state(search, release)
        area = state.selection.area
        place = None if area is None else release.units.allowed(area, caller_scope())
        levels = view_map.level_zooms(release)
        line = view_rail.area_line(release, area)
        child = view_rail.child_level(release, area)
        selection = state.selection
        window = (selection.start, selection.end)
        return {
            "release": release.info.release_id,
            "search": state.href(measure="count", level=None),
            "levels": levels,
            "area": area if line else None,
            "parent": release.units.code(line[-2]) if len(line) > 1 else None,
            "least": child or (place.level if place and place.level in INCIDENT_LEVELS else None),
            "fixed": state.level,
            "measure": "count" if state.measure == "change" and selection.compare == "none" else state.measure,
            "bounds": view_map.extent(release, place if line else None),
            "outline": view_map.outline(release, place) if line else None,
            "root": view_rail.root_name(release),
            "unequal": unequal(selection),
            "now": now_name(window),
            "before": before_name(window, selection.compare),
            "parts": parts(map_tools=view_map.tools(state, release, levels), fault=None),
        }


@cleared(lambda line: parts(crumbs=None, chips=None, rail=None, topbar=None))
def show_frame(store: Store, settings: Settings, search: str | None) -> dict:
    """Breadcrumb, chips, filter rail and the state of the release; the last stays where the address is refused."""
    with store.current() as release:
        now = datetime.now(UTC)
        topbar = release_state(describe(release, now), now.date(), open_mode=settings.open_mode)
        try:
            state = read_state(search, release)
            found = facets(release, state.selection, caller_scope())
        except YanpanError:  # told by show_focus
            return parts(crumbs=None, chips=None, rail=None, topbar=topbar)
        over = release.data_as_of.date() if release.data_as_of else date.max
        return parts(
            crumbs=view_rail.crumbs(state, release),
            chips=view_rail.chips(state),
            rail=view_rail.rail(state, found, over),
            topbar=topbar,
        )


def _side(headline, trend_head=None, categories=None, profile=None, ranking=None) -> dict:
    return parts(headline=headline, trend_card=trend_head, categories=categories, profile=profile, ranking=ranking)


@cleared(lambda line: _side(empty(line)))
def show_side(store: Store, search: str | None) -> dict:
    """The number of the selection, its categories, week and ranking."""
    with store.current() as release:
        scope = caller_scope()
        state = read_state(search, release)
        selection = state.selection
        line = view_rail.area_line(release, selection.area)
        name = release.units.level(line[-1].level).names[line[-1].position] if line else view_rail.root_name(release)
        if not release.reports.source_ids:
            return _side([view_rail.title(name), empty("本发布没有事件来源，只有区划与底图。")])
        found = changes(release, selection, scope)
        week = profile(release, selection, scope)
        table = np.array([n or 0 for n in week.rows["count"].to_pylist()]).reshape(7, 24)
        level = view_rail.child_level(release, selection.area)
        rows = counts(release, selection, scope, level).rows.to_pylist() if level else []
        return _side(
            view_charts.headline(name, state, found.total),
            view_charts.trend_caption(step_for(selection, release), state),
            view_charts.categories(state, found.categories),
            view_charts.profile(state, table, week.meta["unknown"], week.meta["state"] == "missing"),
            view_charts.ranking(state, level, rows, name),
        )


@cleared(lambda line: go.Figure(layout=view_charts.BLANK))
def show_trend(store: Store, search: str | None) -> go.Figure:
    """The trend beside that of the compared window."""
    with store.current() as release:
        state = read_state(search, release)
        selection = state.selection
        if not release.reports.source_ids:
            return go.Figure(layout=view_charts.BLANK)
        window = (selection.start, selection.end)
        step = step_for(selection, release)
        steps = trend_steps(release, selection, caller_scope(), step)
        past = None if selection.compare == "none" else before_name(window, selection.compare)
        return view_charts.trend_figure(steps, step, now_name(window), past)


@cleared(lambda line: {"fault": line, "parts": parts(legend=None, map_foot=None, map_note=empty(line))})
def show_values(store: Store, request: dict | None) -> dict:
    """The numbers of every unit of the level the map asked for, with its legend and foot."""
    if not request:
        return {"fault": "", "parts": parts(legend=None, map_foot=None, map_note=None)}
    with store.current() as release:
        scope = caller_scope()
        state = read_state(request["search"], release)
        level = request["level"]
        units = release.units.level(level)
        answer = counts(release, state.selection, scope, level)
        positions = np.searchsorted(units.codes.astype(str), answer.rows["code"].to_numpy().astype(str))
        limits = class_limits(release, state.selection, scope, level)
        return {
            **view_map.packed_rows(level, len(units), positions, answer.rows),
            "search": request["search"],
            "matched": answer.meta["matched"],
            "counted": bool(release.reports.source_ids),
            "limits": {"count": limits.count, "rate": limits.rate},
            "parts": parts(
                legend=view_map.legend(state, level, limits) if release.reports.source_ids else None,
                map_foot=view_map.foot(state, answer.meta, without_unit(release, state.selection, scope, level)),
                map_note=map_note(release, level, answer.rows),
            ),
        }


@cleared(lambda line: (NO_POINTS, parts(points_count=line)))
def show_points(store: Store, request: dict | None) -> tuple[dict, dict]:
    """Single incidents of the visible extent, where the map is close enough."""
    if not request:
        return NO_POINTS, parts(points_count=None)
    with store.current() as release:
        state = read_state(request["search"], release)
        found = features(release, "incident", state.selection, caller_scope(), Extent(bbox=tuple(request["bbox"])))
        points = {"type": "FeatureCollection", "features": [json.loads(text) for text in found.features]}
        return points, parts(points_count=points_text(found.meta))


def points_text(meta: dict) -> str:
    """How many incidents are in view, drawn and not drawn."""
    if meta["cut"] == "extent":
        return f"视野内 {meta['matched']:,} 起，放大后显示点位"
    text = f"视野内 {meta['matched']:,} 起"
    if meta["cut"]:
        text += f"，显示最近 {meta['returned']:,} 起，未上图 {meta['matched'] - meta['returned']:,} 起"
    return text + (f"；所选范围无坐标 {meta['unplaced']:,} 起，未上图" if meta["unplaced"] else "")


def map_note(release: Release, level: str, rows) -> object:
    """Why the map shows nothing, where it does."""
    if np.isnan(release.units.level(level).bounds).all():
        return empty(f"本发布的{LEVEL_NAMES[level]}没有边界，不能上图；数字见下表。")
    if not release.reports.source_ids:
        return empty("本发布没有事件来源，地图只有区划。")
    recorded = [n for n in rows["count"].to_pylist() if n is not None]
    if not recorded:
        return empty("所选时段没有任何上报，全部未报。")
    if not any(recorded):
        return empty("所选时段和筛选下没有事件。")
    return None


def step_for(selection: Selection, release: Release) -> str:
    """Day up to five weeks, week up to a quarter, else month; month where a source knows only months."""
    if any(source.precision == "month" for source in release.incident_sources):
        return "month"
    return STEPS[0] if selection.days <= 35 else STEPS[1] if selection.days <= 100 else STEPS[2]


def trend_steps(release: Release, selection: Selection, scope: Scope, step: str) -> list[view_charts.Step]:
    """The trend of the window beside that of the compared one, step by step."""
    now = _by_step(trend(release, selection, scope, step).rows.to_pylist())
    before = []
    if selection.compare_window:
        start, end = selection.compare_window
        past = Selection(start, end, selection.area, "none", selection.categories, selection.hours,
                         selection.weekdays, selection.polygon)  # fmt: skip
        before = _by_step(trend(release, past, scope, step).rows.to_pylist())
    blank = (None, None, True)
    paired = [(now[i], before[i] if i < len(before) else blank) for i in range(len(now))]

    def seen(start: date | None, count: int | None) -> int | None:
        """Days that the weekday filter leaves out are gaps, not zeros."""
        left_out = step == "day" and selection.weekdays and start and start.isoweekday() not in selection.weekdays
        return None if left_out else count

    return [view_charts.Step(n[0], seen(n[0], n[1]), n[2], b[0], seen(b[0], b[1])) for n, b in paired]


def _by_step(rows: list[dict]) -> list[tuple[date, int | None, bool]]:
    """Start, count over all categories (None where all are missing) and completeness of each step."""
    steps: dict[str, list[dict]] = {}
    for row in rows:
        steps.setdefault(row["start"], []).append(row)
    result = []
    for start, parts in steps.items():
        known = [part["count"] for part in parts if part["count"] is not None]
        result.append((date.fromisoformat(start), sum(known) if known else None, parts[0]["complete"]))
    return result
