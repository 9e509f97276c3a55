"""Categories, hours and weekdays."""

from __future__ import annotations

from dashboard.components import html
from dashboard.components.link import link, segment
from dashboard.components.words import MISSING, NOTHING, WEEKDAYS, hours_text, weekdays_text, whole
from dashboard.language import say
from dashboard.pages.workbench.state import PageState, toggled_category
from dashboard.pages.workbench.view_rail.section import section
from data.schema import CATEGORIES, INVALID
from data.selection import Selection
from data.store.facets import Facets

BANDS = (("凌晨", (0, 5)), ("上午", (6, 11)), ("下午", (12, 17)), ("夜间", (18, 23)))


def categories(state: PageState, facets: Facets) -> html.Element:
    """Every category with its count; a click leaves it out or takes it in."""
    selection = state.selection
    rows = []
    for name in CATEGORIES:
        chosen = name in selection.counted_categories
        rows.append(
            link(
                [
                    html.Span(className="box", **{"aria-hidden": "true"}),
                    html.Span(className=f"swatch cat-{CATEGORIES.index(name)}", **{"aria-hidden": "true"}),
                    html.Span(say(name), className="name"),
                    _number(facets, name),
                ],
                state.href(categories=toggled_category(selection, name)),
                className="check" + (" on" if chosen else "") + (" aside" if name == INVALID else ""),
                role="checkbox",
                **{"aria-checked": str(chosen).lower(), "data-category": name},
            )
        )
    everything = link(say("全选"), state.href(categories=()), className="text") if selection.categories else say("全选")
    return section(
        say("类别"), [everything, f" · {say('起')}"], [html.Div(rows, role="group", **{"aria-label": say("类别")})]
    )


def _number(facets: Facets, name: str) -> html.Element:
    """A count; nothing recorded and no report in is 未报, not 0."""
    if facets.categories is None:
        return html.Span(NOTHING, className="number")
    n = facets.categories[name]
    if facets.missing and not n:
        return html.Span(say(MISSING), className="number missing")
    return html.Span(whole(n), className="number")


def hours(state: PageState, facets: Facets) -> html.Element:
    """The day by the hour, to be dragged over; four bands for those who cannot."""
    selection = state.selection
    counted = selection.counted_hours or range(24)
    top = max(facets.hours) or 1
    bars = [
        html.Div(
            html.Span(style={"height": f"{max(n / top * 100, 2 if n else 0):.1f}%"}),
            className="hour" + (" on" if hour in counted else ""),
            title=say("{hour}时 {n}起", hour=hour, n=f"{n:,}"),
            **{"data-hour": hour},
        )
        for hour, n in enumerate(facets.hours)
    ]
    axis = html.Div([html.Span(text) for text in ("0", "6", "12", "18", say("{a}时", a=24))], className="hour-axis")
    bands = [(say("全天"), state.href(hours=None), selection.hours is None)]
    bands += [(say(name), state.href(hours=span), selection.hours == span) for name, span in BANDS]
    brush = html.Div(
        bars, className="hours", title=say("拖选起止钟点"), **{"data-brush": "hours", "aria-hidden": "true"}
    )
    return section(
        say("时段"), hours_text(selection.hours), [brush, axis, segment(bands, say("时段"), className="small")]
    )


def weekdays(state: PageState) -> html.Element:
    """The days of the week; the first click chooses one, more clicks add to it."""
    selection = state.selection
    counted = selection.weekdays or tuple(range(1, 8))
    days = []
    for day in range(1, 8):
        name = weekdays_text((day,))
        days.append(
            link(
                say(WEEKDAYS[day - 1]),
                state.href(weekdays=weekdays_after(selection, day)),
                className="on" if day in counted else "",
                label=name if selection.weekdays else say("只看{name}", name=name),
                role="checkbox",
                **{"aria-checked": str(day in counted).lower()},
            )
        )
    note = link(say("全选"), state.href(weekdays=()), className="text") if selection.weekdays else say("每天")
    row = html.Div(days, className="segment week", role="group", **{"aria-label": say("星期")})
    return section(say("星期"), note, [row])


def weekdays_after(selection: Selection, day: int) -> tuple[int, ...]:
    """Weekdays after a click on one; () stands for every day.

    Where every day counts the click chooses that day alone; else it adds the day or takes it away.
    """
    chosen = set(selection.weekdays) ^ {day}
    return () if len(chosen) in (0, 7) else tuple(sorted(chosen))
