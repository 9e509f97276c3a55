"""The filter rail, the breadcrumb and the chips: every choice is a link to the state it leads to."""

from __future__ import annotations

from datetime import date, timedelta

from dash import html

from dashboard.components.link import link, segment
from dashboard.components.words import (
    NOTHING,
    WEEKDAYS,
    before_name,
    hours_text,
    period_name,
    weekdays_text,
    whole,
    window_text,
)
from dashboard.pages.workbench.state import (
    CUSTOM,
    PERIODS,
    PageState,
    complete_period,
    following,
    period_kind,
    toggled_category,
    toggled_weekday,
)
from data.schema import CATEGORIES, INVALID
from data.selection import preceding
from data.store import Release
from data.store.facets import Facets
from data.store.units import Place

PERIOD_NAMES = {"week": "周", "half": "半月", "month": "月", "quarter": "季", "year": "年", CUSTOM: "自定"}
BANDS = (("凌晨", (0, 5)), ("上午", (6, 11)), ("下午", (12, 17)), ("夜间", (18, 23)))
_CHILD_HINT = {"district": "选区县", "street": "选街道", "community": "选社区", "grid": "选网格"}


def rail(state: PageState, facets: Facets, over: date) -> list:
    """The whole filter rail.

    Parameters
    ----------
    over : date
        The day before which every day is over at ``data_as_of``; later windows cannot be stepped to.
    """
    sections = [
        _time(state, over),
        _compare(state),
        _categories(state, facets),
        _hours(state, facets),
        _weekdays(state),
    ]
    return [*sections, html.Div(link("重置", "?", className="button wide"), className="rail-section")]


def _section(title: str, note, body, *, className: str = "") -> html.Section:
    head = html.Div([html.H2(title), html.Div(note, className="caption")], className="rail-head")
    return html.Section([head, *body], className=f"rail-section {className}".strip())


def _time(state: PageState, over: date) -> html.Section:
    selection = state.selection
    window = (selection.start, selection.end)
    kind = period_kind(window)

    def moved(to) -> str:
        return state.href(start=to[0], end=to[1])

    choices = [(PERIOD_NAMES[k], moved(complete_period(k, window, over)), k == kind) for k in PERIODS]
    custom = html.Button("自定", type="button", className="on" if kind == CUSTOM else "", id="custom-dates",
                         **{"aria-expanded": str(kind == CUSTOM).lower(), "aria-controls": "date-range"})  # fmt: skip
    presets = segment(choices, "时间长度", className="periods")
    presets.children.append(custom)
    earlier, later = preceding(window), following(window)
    ahead = moved(later) if later[0] < over else ""
    steps = html.Div(
        [
            link("‹", moved(earlier), className="step", label=f"前一段 {window_text(earlier)}"),
            html.Strong(window_text(window), className="window"),
            link("›", ahead, className="step", label=f"后一段 {window_text(later)}")
            if ahead
            else html.Span("›", className="step off", title="之后没有数据", **{"aria-disabled": "true"}),
        ],
        className="stepper",
    )
    dates = html.Div(
        id="date-range", className="dates" + ("" if kind == CUSTOM else " closed"),
        **{"data-own": "dates", "data-from": selection.start.isoformat(), "data-last": (selection.end - timedelta(days=1)).isoformat()},
    )  # fmt: skip
    return _section("时间", period_name(window), [presets, steps, dates])


def _compare(state: PageState) -> html.Section:
    selection = state.selection
    window = (selection.start, selection.end)
    own = selection.compare not in ("previous", "last_year", "none")
    choices = [
        (before_name(window, "previous"), state.href(compare="previous"), selection.compare == "previous"),
        ("去年同期", state.href(compare="last_year"), selection.compare == "last_year"),
        ("不比", state.href(compare="none"), selection.compare == "none"),
    ]
    before = selection.compare_window
    note = "" if before is None else window_text(before, year=before[0].year != selection.start.year)
    return _section("对比", ("自定 " if own else "") + note, [segment(choices, "对比时段")])


def _categories(state: PageState, facets: Facets) -> html.Section:
    selection = state.selection
    counted = selection.counted_categories
    rows = []
    for name in CATEGORIES:
        chosen = name in counted
        rows.append(
            link(
                [
                    html.Span(className="box", **{"aria-hidden": "true"}),
                    html.Span(className=f"swatch cat-{CATEGORIES.index(name)}", **{"aria-hidden": "true"}),
                    html.Span(name, className="name"),
                    html.Span(
                        NOTHING if facets.categories is None else whole(facets.categories[name]), className="number"
                    ),
                ],
                state.href(categories=toggled_category(selection, name)),
                className="check" + (" on" if chosen else "") + (" aside" if name == INVALID else ""),
                role="checkbox",
                **{"aria-checked": str(chosen).lower(), "data-category": name},
            )
        )
    everything = link("全选", state.href(categories=()), className="text") if selection.categories else "全选"
    return _section("类别", [everything, " · 起"], [html.Div(rows, role="group", **{"aria-label": "类别"})])


def _hours(state: PageState, facets: Facets) -> html.Section:
    selection = state.selection
    counted = selection.counted_hours or range(24)
    top = max(facets.hours) or 1
    bars = [
        html.Div(
            html.Span(style={"height": f"{max(n / top * 100, 2 if n else 0):.1f}%"}),
            className="hour" + (" on" if hour in counted else ""),
            title=f"{hour}时 {n:,}起",
            **{"data-hour": hour},
        )
        for hour, n in enumerate(facets.hours)
    ]
    axis = html.Div([html.Span(text) for text in ("0", "6", "12", "18", "24时")], className="hour-axis")
    bands = [("全天", state.href(hours=None), selection.hours is None)]
    bands += [(name, state.href(hours=span), selection.hours == span) for name, span in BANDS]
    note = hours_text(selection.hours)
    brush = html.Div(bars, className="hours", **{"data-brush": "hours", "aria-hidden": "true"}, title="拖选起止钟点")
    return _section("时段", note, [brush, axis, segment(bands, "时段", className="small")])


def _weekdays(state: PageState) -> html.Section:
    selection = state.selection
    counted = selection.weekdays or tuple(range(1, 8))
    days = [
        link(
            WEEKDAYS[day - 1],
            state.href(weekdays=toggled_weekday(selection, day)),
            className="on" if day in counted else "",
            label=f"周{WEEKDAYS[day - 1]}",
            role="checkbox",
            **{"aria-checked": str(day in counted).lower()},
        )
        for day in range(1, 8)
    ]
    reset = link("全选", state.href(weekdays=()), className="text") if selection.weekdays else ""
    return _section("星期", reset, [html.Div(days, className="segment week", role="group", **{"aria-label": "星期"})])


def crumbs(state: PageState, release: Release) -> html.Nav:
    """Where the selected area stands: every area above it, each a link; then what can be chosen next."""
    line = area_line(release, state.selection.area)
    root = root_name(release)
    steps: list = []
    if line:
        steps.append(link(root, state.href(area=None), className="crumb"))
        for place in line[:-1]:
            units = release.units.level(place.level)
            steps.append(link(units.names[place.position], state.href(area=units.codes[place.position]),
                              className="crumb"))  # fmt: skip
        last = line[-1]
        steps.append(html.Strong(release.units.level(last.level).names[last.position], **{"aria-current": "location"}))
    else:
        steps.append(html.Strong(root, **{"aria-current": "location"}))
    child = child_level(release, state.selection.area)
    if child:
        steps.append(html.Span(_CHILD_HINT[child], className="hint"))
    parts = []
    for step in steps:
        parts += [html.Span("/", className="slash", **{"aria-hidden": "true"}), step]
    return html.Nav(parts[1:], className="crumbs", **{"aria-label": "区域"})


def root_name(release: Release) -> str:
    """The city's name, else the release's title."""
    cities = release.units.level("city")
    return cities.names[0] if len(cities) == 1 else release.info.title


def area_line(release: Release, code: str | None) -> list[Place]:
    """The selected area and those above it, wide to narrow; a lone city or province at the top is the whole."""
    place = None if code is None else release.units.find(code)
    if place is None:
        return []
    line = []
    for level, above in release.units.level(place.level).above.items():
        if above.size and above[place.position] >= 0 and level not in ("province", "city"):
            line.append(Place(level, int(above[place.position])))
    if place.level in ("province", "city") and len(release.units.level(place.level)) == 1:
        return line
    return [*line, place]


def child_level(release: Release, code: str | None) -> str | None:
    """The next narrower level that has units inside the area; None at the narrowest."""
    levels = ("district", "street", "community", "grid")
    place = None if code is None else release.units.find(code)
    for level in levels:
        if place is None:
            if len(release.units.level(level)):
                return level
        elif level != place.level and release.units.inside(level, place).any():
            return level
    return None


def chips(state: PageState) -> list:
    """The filters in force, each with a cross that removes it; nothing where only the window is set."""
    selection = state.selection
    shown = []
    if selection.categories:
        shown.append((_categories_text(selection.categories), state.href(categories=())))
    if selection.hours is not None:
        shown.append((hours_text(selection.hours), state.href(hours=None)))
    if selection.weekdays:
        shown.append((weekdays_text(selection.weekdays), state.href(weekdays=())))
    if selection.polygon:
        shown.append(("圈定范围", state.href(polygon=None)))
    window = (selection.start, selection.end)
    if selection.compare != "previous":
        before = selection.compare_window
        name = "不对比" if before is None else "对比去年同期"
        if selection.compare not in ("none", "last_year"):
            name = f"对比 {window_text(before, year=True)}"
        shown.append((name, state.href(compare="previous")))
    removable = [
        link([html.Span(text, className="words"), html.Span("×", className="cross", **{"aria-hidden": "true"})], href, className="chip",
             label=f"移除筛选：{text}")
        for text, href in shown
    ]  # fmt: skip
    return [html.Span(window_text(window, year=True), className="caption"), *removable]


def _categories_text(chosen: tuple[str, ...]) -> str:
    left_out = [c for c in CATEGORIES if c not in chosen and c != INVALID]
    if left_out and len(left_out) < len(chosen) and INVALID not in chosen:
        return "类别 不含" + "、".join(left_out)
    return "类别 " + "、".join(chosen)


def title(name: str) -> html.Div:
    """The name of the selected area over the side column."""
    return html.Div(html.H2(name, title=name), className="headline-head")


def fault(line: str) -> html.Div:
    """A fault in plain words, and the way back."""
    return html.Div([html.Span("×", className="mark bad", **{"aria-hidden": "true"}), html.Span(line),
                     link("回到缺省视图", "?", className="button")], className="fault", role="alert")  # fmt: skip
