"""Gather the state from the address, ask the Store, hand the rows to a view."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial, wraps
from itertools import zip_longest

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output

from dashboard import basemaps, language
from dashboard.components.card import empty
from dashboard.components.topbar import release_state
from dashboard.components.tree import tree
from dashboard.components.words import LEVEL_NAMES, before_name, now_name, window_text
from dashboard.language import say
from dashboard.pages.caller import caller_language, caller_scope
from dashboard.pages.workbench import ids, view_charts, view_drawer, view_legend, view_map, view_rail
from dashboard.pages.workbench.classes import CLASSES
from dashboard.pages.workbench.state import CHANGE, COUNT, DISPUTES, PageState, read_state, unequal
from dashboard.pages.workbench.unit_values import UnitValues, unit_values
from dashboard.settings import Settings
from data.errors import YanpanError
from data.index import INCIDENT_LEVELS
from data.selection import Selection
from data.store import Release, Scope, Store, counts, describe, profile, trend
from data.store.band import trend_band
from data.store.changes import changes
from data.store.class_limits import class_limits
from data.store.coverage import coverage, coverage_rules
from data.store.disputes import compared_disputes, disputes
from data.store.facets import facets, without_unit
from data.store.place_types import place_types
from data.store.trend import STEPS

_log = logging.getLogger(__name__)


def register_callbacks(app: Dash, store: Store, settings: Settings) -> None:
    """Join the functions below to the parts of the page.

    The browser takes the address apart (``route``): what only changes the map's looks asks for no numbers again. A
    click so makes one round: each function below is asked at most once.
    """
    browser = partial(ClientsideFunction, "workbench")
    app.clientside_callback(
        browser("route"),
        Output(ids.WHERE, "data"), Output(ids.WHAT, "data"), Output(ids.REQUEST, "data"), Input(ids.URL, "search"),
    )  # fmt: skip
    where, what = Input(ids.WHERE, "data"), Input(ids.WHAT, "data")
    later = {"prevent_initial_call": True}
    app.callback(Output(ids.FOCUS, "data"), where, **later)(partial(show_focus, store, settings))
    app.callback(Output(ids.FRAME, "data"), what, **later)(partial(show_frame, store, settings))
    app.callback(Output(ids.MORE, "data"), what, **later)(partial(show_more, store))
    app.callback(Output(ids.SEEN, "data"), Input(ids.SEEING, "data"), **later)(partial(show_cameras, store))
    app.callback(Output(ids.SIDE, "data"), Output(ids.TREND, "figure"), what, **later)(partial(show_side, store))
    app.callback(Output(ids.VALUES, "data"), Input(ids.REQUEST, "data"), **later)(partial(show_values, store))
    app.clientside_callback(browser("look"), Input(ids.FOCUS, "data"), **later)
    for drawn in (ids.FRAME, ids.SIDE, ids.MORE, ids.SEEN):
        app.clientside_callback(browser("draw"), Input(drawn, "data"), **later)
    app.clientside_callback(browser("paint"), Input(ids.VALUES, "data"), **later)


def cleared(empty_answer: Callable[[str], object]):
    """Answer in the visitor's language, and a fault with one line in place of numbers: no old value under a new name."""

    def decorate(function):
        @wraps(function)
        def answer(*arguments):
            language.use(caller_language())
            try:
                return function(*arguments)
            except YanpanError as fault:
                return empty_answer(language.said(fault))
            except Exception:
                _log.exception("%s", function.__name__)
                return empty_answer(say("程序内部错误，已记入日志"))

        return answer

    return decorate


def kept(function):
    """Keep what a function answers for a release, by question, scope and language: going back, playing the same weeks
    again, and the click a colleague made a minute ago then cost nothing."""

    @wraps(function)
    def answer(release: Release, *asked: str):
        key = ("page", function.__name__, asked, caller_scope(), language.current())
        return release.remember(key, lambda: function(release, *asked))

    return answer


def parts(**shown) -> dict:
    """Parts of the page by id, as the browser draws them; None empties one."""
    return {f"{ids.PAGE}-{name.replace('_', '-')}": tree(part) for name, part in shown.items()}


@cleared(lambda line: {"fault": line, "parts": parts(map_tools=None, fault=view_rail.fault(line))})
def show_focus(store: Store, settings: Settings, where: dict) -> dict:
    """Where the map looks, the switches over it; asks no counts, so that the map can go ahead."""
    with store.current() as release:
        state = read_state(where["search"], release)
        area, scope = state.selection.area, caller_scope()
        place = None if area is None else release.units.allowed(area, scope)
        levels = view_map.level_zooms(release, scope)
        line = view_rail.area_line(release, scope, area)
        child = view_rail.child_level(release, scope, area)
        selection = state.selection
        window, before = (selection.start, selection.end), selection.compare_window
        compared = selection.compare != "none"
        return {
            "release": release.info.release_id,
            "search": where["search"],
            "what": selection.to_query(),
            "levels": levels,
            "area": area if line else None,
            "parent": release.units.code(line[-2]) if len(line) > 1 else None,
            "least": child or (place.level if place and place.level in INCIDENT_LEVELS else None),
            "fixed": state.level,
            "measure": COUNT if state.measure == CHANGE and not compared else state.measure,
            "layers": [[layer.name, layer.opacity_pct] for layer in state.layers],
            "view": state.view if compared else None,
            "tab": state.tab,
            "step": step_for(selection, release),
            "base": basemaps.describe_one(settings, state.base),
            "bounds": view_map.extent(release, scope, place if line else None),
            "outline": view_map.outline(release, place) if line else None,
            "polygon": selection.polygon,
            "root": view_rail.root_name(release, scope),
            "unequal": unequal(selection),
            "days": [selection.days, (before[1] - before[0]).days if before else None],
            "windows": [list(map(str, window)), list(map(str, before)) if before else None],
            "spans": [window_text(window), window_text(before) if before else None],
            "names": [now_name(window), before_name(window, selection.compare)],
            "parts": parts(
                map_tools=view_map.tools(state, release, levels),
                tabs=view_drawer.tabs(state, state.level or child or "grid", {}),
                fault=None,
            ),
        }


@cleared(lambda line: parts(crumbs=None, chips=None, rail=None, topbar=None))
def show_frame(store: Store, settings: Settings, what: dict) -> dict:
    """Breadcrumb, chips, filter rail and the state of the release; the last stays where the address is refused."""
    with store.current() as release:
        now = datetime.now(UTC)
        topbar = release_state(describe(release, now, caller_scope()), now.date(), open_mode=settings.open_mode)
        try:
            return {**_rail_of(release, what["search"]), **parts(topbar=topbar)}
        except YanpanError:  # told by show_focus
            return parts(crumbs=None, chips=None, rail=None, topbar=topbar)


@kept
def _rail_of(release: Release, search: str) -> dict:
    state, scope = read_state(search, release), caller_scope()
    found = facets(release, state.selection, scope)
    return parts(
        crumbs=view_rail.crumbs(state, release, scope),
        chips=view_rail.chips(state),
        rail=view_rail.rail(state, found, release.data_as_of),
    )


_SIDE_PARTS = ("headline", "trend_card", "categories", "profile", "ranking")


def _side(*shown) -> dict:
    """The side column from the top to the ranking; what is not given is emptied."""
    return parts(**dict(zip_longest(_SIDE_PARTS, shown)))


@cleared(lambda line: (_side(empty(line)), {"data": [], "layout": view_charts.BLANK}))
def show_side(store: Store, what: dict) -> tuple[dict, dict]:
    """The number of the selection, its trend, categories, week and ranking."""
    with store.current() as release:
        return _side_of(release, what["search"])


@kept
def _side_of(release: Release, search: str) -> tuple[dict, dict]:
    scope = caller_scope()
    state = read_state(search, release)
    selection = state.selection
    line = view_rail.area_line(release, scope, selection.area)
    name = release.units.level(line[-1].level).names[line[-1].position] if line else view_rail.root_name(release, scope)
    if not release.reports.source_ids:
        nothing = _side(view_rail.title(name), empty(say("本发布没有事件来源，只有区划与底图。")))
        return nothing, {"data": [], "layout": view_charts.BLANK}
    found = changes(release, selection, scope)
    week = profile(release, selection, scope)
    table = np.array([n or 0 for n in week.rows["count"].to_pylist()]).reshape(7, 24)
    level = view_rail.child_level(release, scope, selection.area)
    rows = counts(release, selection, scope, level).rows.to_pylist() if level else []
    step = step_for(selection, release)
    band = trend_band(release, selection, scope, step)
    steps = view_charts.with_band(trend_steps(release, selection, scope, step), band.rows.to_pylist())
    window = (selection.start, selection.end)
    past = None if selection.compare == "none" else before_name(window, selection.compare)
    shown = _side(
        view_charts.headline(name, state, found.total),
        view_charts.trend_caption(step, state, steps, band.meta),
        view_charts.categories(state, found.categories),
        view_charts.profile(state, table, week.meta["unknown"], week.meta["state"] == "missing"),
        view_charts.ranking(state, level, rows, name),
    )
    return shown, view_charts.trend_figure(steps, step, now_name(window), past, window)


@cleared(lambda line: parts(places=None, disputes=None))
def show_more(store: Store, what: dict) -> dict:
    """What stands further down the side column: places, disputes."""
    with store.current() as release:
        return _more_of(release, what["search"])


@kept
def _more_of(release: Release, search: str) -> dict:
    scope = caller_scope()
    state = read_state(search, release)
    selection = state.selection
    level = view_rail.child_level(release, scope, selection.area) or "grid"
    kinds = place_types(release, selection, scope)
    told = disputes(release, selection, scope, level)
    changed = compared_disputes(release, selection, scope).changes.get("found")
    return parts(
        places=view_charts.places(state, kinds.rows.to_pylist(), kinds.meta) if release.reports.source_ids else None,
        disputes=view_charts.disputes(state, told.meta, told.rows.to_pylist(), changed),
    )


@cleared(lambda line: parts(cameras=None))
def show_cameras(store: Store, seen: dict | None) -> dict:
    """Camera rates and rules; asked when the card comes into sight, since the first answer takes seconds."""
    if not seen:
        return parts(cameras=None)
    with store.current() as release:
        scope = caller_scope()
        selection = read_state(seen["search"], release).selection
        rules = coverage_rules(release, selection, scope).meta["rules"]
        return parts(cameras=view_charts.cameras(coverage(release, selection, scope).meta, rules))


@cleared(lambda line: {"fault": line, "parts": parts(legend=None, map_foot=None, map_note=empty(line))})
def show_values(store: Store, request: dict | None) -> dict:
    """The numbers of every unit of the level the map asked for, with its legend and foot."""
    if not request:
        return {"fault": "", "parts": parts(legend=None, map_foot=None, map_note=None)}
    with store.current() as release:
        return {**_values_of(release, request["search"], request["level"]), "request": request}


@kept
def _values_of(release: Release, search: str, level: str) -> dict:
    scope = caller_scope()
    state = read_state(search, release)
    selection = state.selection
    values = unit_values(release, state, scope, level)
    limits = class_limits(release, selection, scope, level)
    counted = bool(release.reports.source_ids)
    return {
        **values.packed,
        "matched": values.counted.meta["matched"],
        "counted": counted,
        "limits": {
            "count": limits.count,
            "rate": limits.rate,
            "density": limits.density,
            "found": values.found_limits,
        },
        "classes": [[one.label, say(one.words), one.colour] for one in CLASSES.get(state.measure, ())],
        "parts": parts(
            legend=view_legend.legend(state, level, limits, values.found_limits) if counted else None,
            map_foot=view_map.foot(state, values.counted.meta, without_unit(release, selection, scope, level)),
            map_note=map_note(release, level, values.counted.rows) or _no_disputes(state, level, values),
        ),
    }


def map_note(release: Release, level: str, rows) -> object:
    """Why the map shows nothing, where it does."""
    if np.isnan(release.units.level(level).bounds).all():
        return empty(say("本发布的{level}没有边界，不能上图；数字见下表。", level=say(LEVEL_NAMES[level])))
    if not release.reports.source_ids:
        return empty(say("本发布没有事件来源，地图只有区划。"))
    recorded = [n for n in rows["count"].to_pylist() if n is not None]
    if not recorded:
        return empty(say("所选时段没有任何上报，全部未报。"))
    if not any(recorded):
        return empty(say("所选时段和筛选下没有事件。"))
    return None


def _no_disputes(state: PageState, level: str, values: UnitValues) -> object:
    """Said where disputes colour the map and no unit of the level has any statistics."""
    if state.measure != DISPUTES or values.found_known:
        return None
    return empty(say("纠纷统计没有分到{level}，请换更宽的层级。", level=say(LEVEL_NAMES[level])))


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
