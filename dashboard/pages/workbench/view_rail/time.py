"""The window: presets counted from ``data_as_of``, a stepper by whole periods, free dates."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from dashboard.components import html
from dashboard.components.link import link, segment
from dashboard.components.words import period_name, window_text
from dashboard.language import say
from dashboard.pages.workbench.state import CUSTOM, PageState, following, period_kind
from dashboard.pages.workbench.view_rail.section import section
from data.selection import Window, preceding
from geo.change import window_of

_DAY = timedelta(days=1)
_HOLDING = {"本周": "iso_week", "本月": "month", "半月": "half_month", "本季": "quarter", "本年": "year"}
_ROWS = (("今日", "本周", "近7天", "近28天"), ("本月", "半月", "本季", "本年"))


def presets(as_of: datetime) -> dict[str, Window]:
    """The windows of the presets, by name.

    今日 is the day of the newest data, and 本周 to 本年 the periods that hold it, over or not; 近7天 and 近28天 end with the
    last day that is over.
    """
    today = (as_of - timedelta(microseconds=1)).date()  # data up to midnight are of the day before
    over = as_of.date()
    windows = {name: window_of(kind, today, complete=False) for name, kind in _HOLDING.items()}
    return {
        "今日": (today, today + _DAY),
        "近7天": (over - 7 * _DAY, over),
        "近28天": (over - 28 * _DAY, over),
        **windows,
    }


def time(state: PageState, as_of: datetime | None) -> html.Element:
    """The section of the window."""
    selection = state.selection
    window = (selection.start, selection.end)
    windows = {} if as_of is None else presets(as_of)
    chosen = next((name for row in _ROWS for name in row if windows.get(name) == window), None)
    own = chosen is None and period_kind(window) == CUSTOM
    custom = html.Button(say("自定义"), type="button", className="on" if own else "", id="custom-dates",
                         **{"aria-expanded": str(own).lower(), "aria-controls": "date-range"})  # fmt: skip
    rows = [
        segment([(say(name), state.href(start=windows[name][0], end=windows[name][1]), name == chosen)
                 for name in row if name in windows], say("时间"), className="periods small",
                last=custom if row is _ROWS[-1] else None)
        for row in _ROWS
    ]  # fmt: skip
    return section(say("时间"), period_name(window), [*rows, _stepper(state, window, as_of), _dates(window, own)])


def _stepper(state: PageState, window: Window, as_of: datetime | None) -> html.Element:
    earlier, later = preceding(window), following(window)
    ahead = as_of is None or later[0] < as_of.date()
    step = state.href(start=later[0], end=later[1])
    return html.Div(
        [
            link("‹", state.href(start=earlier[0], end=earlier[1]), className="step",
                 label=say("前一段 {window}", window=window_text(earlier))),
            html.Strong(window_text(window), className="window"),
            link("›", step, className="step", label=say("后一段 {window}", window=window_text(later)))
            if ahead
            else html.Span("›", className="step off", title=say("之后没有数据"), **{"aria-disabled": "true"}),
        ],
        className="stepper",
    )  # fmt: skip


def _dates(window: Window, own: bool) -> html.Element:
    """Free dates, both included; the browser's own fields, filled by date_ranges.js."""
    last: date = window[1] - _DAY
    return html.Div(
        id="date-range", className="dates" if own else "dates closed",
        **{"data-own": "dates", "data-from": window[0].isoformat(), "data-last": last.isoformat()},
    )  # fmt: skip
