"""The week by the hour."""

from __future__ import annotations

import numpy as np

from dashboard.components import html
from dashboard.components.card import card, empty
from dashboard.components.link import link
from dashboard.components.words import WEEKDAYS
from dashboard.language import say
from dashboard.pages.workbench.state import PageState
from dashboard.peak_hours import peak_words

_AXIS_HOURS = 3


def profile(state: PageState, counts: np.ndarray, unknown: int, missing: bool) -> html.Element:
    """Weekday by hour, shape (7, 24); cells filter when dragged over, heads by keyboard too."""
    title = say("时段 × 星期")
    if missing:
        return card(title, say("起"), empty(say("所选时段没有任何上报。")))
    if not counts.sum():
        reason = say("{n}起钟点都不明，无法分时段。", n=f"{unknown:,}") if unknown else say("所选范围没有事件。")
        return card(title, say("起"), empty(reason))
    rows = [_row(state, counts, day) for day in range(1, 8)]
    hours = range(0, 24, _AXIS_HOURS)
    last = hours[-1]
    axis = html.Tr(
        [
            html.Td(),
            *(html.Td(str(hour) if hour < last else say("{a}时", a=hour), colSpan=_AXIS_HOURS) for hour in hours),
        ],
        className="axis",
    )
    label = say("星期乘小时的起数，{peak}，另有{n}起钟点不明", peak=peak_words(counts), n=unknown)
    table = html.Table(html.Tbody([*rows, axis]), className="heat", **{"data-brush": "week", "aria-label": label})
    note = html.P(say("另有{n}起钟点不明，未计入。", n=f"{unknown:,}"), className="note") if unknown else None
    return card(title, f"{say('起')} · {peak_words(counts)}", [table, note])


def _row(state: PageState, counts: np.ndarray, day: int) -> html.Element:
    selection = state.selection
    days, hours = selection.weekdays or range(1, 8), selection.counted_hours or range(24)
    filtered = bool(selection.weekdays) or selection.hours is not None
    name = say("周{days}", days=say(WEEKDAYS[day - 1]))
    cells = []
    for hour in range(24):
        n = int(counts[day - 1, hour])
        shade = int(np.ceil(5 * n / counts.max()))
        inside = " in" if filtered and day in days and hour in hours else ""
        cells.append(
            html.Td(className=f"heat-{shade}{inside}", title=say("{day} {hour}时　{n}起", day=name, hour=hour, n=f"{n:,}"),
                    **{"data-hour": hour, "data-weekday": day})
        )  # fmt: skip
    only = selection.weekdays == (day,)
    head = link(say(WEEKDAYS[day - 1]), state.href(weekdays=() if only else (day,)),
                className="head" + (" only" if only else ""), label=say("只看{name}", name=name))  # fmt: skip
    return html.Tr([html.Th(head, scope="row"), *cells])
