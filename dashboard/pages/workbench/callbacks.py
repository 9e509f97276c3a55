"""Gather the state from the address, ask the Store, hand the rows to a view."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import zip_longest

from dash import ClientsideFunction, Dash, Input, Output, State

from dashboard import basemaps
from dashboard.compared import unequal
from dashboard.components.card import empty
from dashboard.components.legend import legend
from dashboard.components.release_state import release_state
from dashboard.components.words import before_name, now_name, window_text
from dashboard.extent import extent, outline
from dashboard.language import say
from dashboard.measures import CHANGE, CLASSES, COUNT
from dashboard.pages.caller import caller_scope
from dashboard.pages.workbench import ids, view_charts, view_drawer, view_map, view_rail
from dashboard.pages.workbench.answering import cleared, kept, parts
from dashboard.pages.workbench.state import read_state
from dashboard.peak_hours import week_table
from dashboard.settings import Settings
from dashboard.trend_steps import step_for, trend_steps
from dashboard.unit_values import unit_values
from data.errors import YanpanError
from data.index import INCIDENT_LEVELS
from data.store import Release, Scope, Store, counts, describe, profile
from data.store.changes import changes
from data.store.class_limits import class_limits
from data.store.coverage import coverage, coverage_rules
from data.store.disputes import compared_disputes, disputes
from data.store.facets import facets, without_unit
from data.store.place_types import place_types


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
    app.callback(Output(ids.SIDE, "data"), Output(ids.FIGURE, "data"), what, **later)(partial(show_side, store))
    app.callback(Output(ids.VALUES, "data"), Input(ids.REQUEST, "data"), **later)(partial(show_values, store))
    app.clientside_callback(browser("trend"), Input(ids.FIGURE, "data"), **later)
    app.clientside_callback(
        browser("mount"),
        Output(ids.TREND_BODY, "children"), Output(ids.TABLE_BODY, "children"),
        Input(ids.MAPPED, "data"), State(ids.LATER, "data"), **later,
    )  # fmt: skip
    app.clientside_callback(browser("look"), Input(ids.FOCUS, "data"), **later)
    for drawn in (ids.FRAME, ids.SIDE, ids.MORE, ids.SEEN):
        app.clientside_callback(browser("draw"), Input(drawn, "data"), **later)
    app.clientside_callback(browser("paint"), Input(ids.VALUES, "data"), **later)


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
            "cover": view_map.cover(state, release),
            "base": basemaps.describe_one(settings, state.base),
            "bounds": extent(release, scope, place if line else None),
            "outline": outline(release, place) if line else None,
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
            return {**_rail_of(release, caller_scope(), what["search"]), **parts(topbar=topbar)}
        except YanpanError:  # told by show_focus
            return parts(crumbs=None, chips=None, rail=None, topbar=topbar)


@kept
def _rail_of(release: Release, scope: Scope, search: str) -> dict:
    state = read_state(search, release)
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
        return _side_of(release, caller_scope(), what["search"])


@kept
def _side_of(release: Release, scope: Scope, search: str) -> tuple[dict, dict]:
    state = read_state(search, release)
    selection = state.selection
    line = view_rail.area_line(release, scope, selection.area)
    name = release.units.level(line[-1].level).names[line[-1].position] if line else view_rail.root_name(release, scope)
    if not release.reports.source_ids:
        nothing = _side([view_rail.title(name), empty(say("本发布没有事件来源，只有区划与底图。"))])
        return nothing, {"data": [], "layout": view_charts.BLANK}
    found = changes(release, selection, scope)
    week = profile(release, selection, scope)
    table = week_table(week)
    level = view_rail.child_level(release, scope, selection.area)
    rows = counts(release, selection, scope, level).rows.to_pylist() if level else []
    step = step_for(selection, release)
    steps, _, band = trend_steps(release, selection, scope, step)
    window = (selection.start, selection.end)
    past = None if selection.compare == "none" else before_name(window, selection.compare)
    shown = _side(
        view_charts.headline(name, state, found.total),
        view_charts.trend_caption(step, state, steps, band),
        view_charts.categories(state, found.categories),
        view_charts.profile(state, table, week.meta["unknown"], week.meta["state"] == "missing"),
        view_charts.ranking(state, level, rows, name),
    )
    return shown, view_charts.trend_figure(steps, step, now_name(window), past, window)


@cleared(lambda line: parts(places=None, disputes=None))
def show_more(store: Store, what: dict) -> dict:
    """What stands further down the side column: places, disputes."""
    with store.current() as release:
        return _more_of(release, caller_scope(), what["search"])


@kept
def _more_of(release: Release, scope: Scope, search: str) -> dict:
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
        return {**_values_of(release, caller_scope(), request["search"], request["level"]), "request": request}


@kept
def _values_of(release: Release, scope: Scope, search: str, level: str) -> dict:
    state = read_state(search, release)
    selection = state.selection
    both = state.view is not None and selection.compare != "none"
    values = unit_values(release, selection, scope, level, state.measure, both=both)
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
            legend=legend(selection, state.measure, level, limits, values.found_limits) if counted else None,
            map_foot=view_map.foot(state, values.counted.meta, without_unit(release, selection, scope, level)),
            map_note=view_map.note(release, state, level, values),
        ),
    }
