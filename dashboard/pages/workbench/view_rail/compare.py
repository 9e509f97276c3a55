"""What the window is compared with."""

from __future__ import annotations

from datetime import timedelta

from dashboard.components import html
from dashboard.components.link import segment
from dashboard.components.words import before_name, day_text, window_text
from dashboard.language import say
from dashboard.pages.workbench.state import PageState
from dashboard.pages.workbench.view_rail.section import section
from data.calendar import spring_festivals
from data.selection import FIRST_DATE, Window
from geo.change import Comparison, comparison_window
from geo.change.windows import SPRING_FESTIVAL_TURN

_PLAIN = ("previous", "last_year", "none")
_DATED = {"spring_festival": "春节对齐", "year_to_date": "年初至今"}  # kinds of geo.change that become FROM..TO


def compare(state: PageState) -> html.Element:
    """The section of the compared window."""
    selection = state.selection
    window = (selection.start, selection.end)
    names = (before_name(window, "previous"), say("去年同期"), say("不比"))
    first = [
        (name, state.href(compare=kind), selection.compare == kind) for name, kind in zip(names, _PLAIN, strict=True)
    ]
    found = {kind: comparison for kind in _DATED if (comparison := _comparison(window, kind))}
    chosen = next((kind for kind, c in found.items() if _is(selection, c)), None)
    second = [
        (say(_DATED[kind]), state.href(start=c.now[0], end=c.now[1], compare=_text(c.before)), kind == chosen)
        for kind, c in found.items()
    ]
    own = selection.compare not in _PLAIN and chosen is None
    custom = html.Button(say("自定义"), type="button", className="on" if own else "", id="custom-compare",
                         **{"aria-expanded": str(own).lower(), "aria-controls": "compare-range"})  # fmt: skip
    before = selection.compare_window
    note = "" if before is None else window_text(before, year=before[0].year != selection.start.year)
    body = [
        segment(first, say("对比时段"), className="small"),
        segment(second, say("对比时段"), className="small", last=custom),
        _dates(before, own),
        _remark(window, before, chosen),
    ]
    return section(say("对比"), note, body, className="compare")


def _comparison(window: Window, kind: str) -> Comparison | None:
    """The windows of a kind; None where the calendar lacks a 春节, or before the first date there is."""
    feasts = spring_festivals() if kind == "spring_festival" else None
    try:
        found = comparison_window(window, kind, spring_festivals=feasts)
    except (ValueError, OverflowError):
        return None
    return found if found.before[0] >= FIRST_DATE else None


def _is(selection, comparison: Comparison) -> bool:
    """Whether a Selection already compares so."""
    return selection.compare == _text(comparison.before) and (selection.start, selection.end) == comparison.now


def _text(window: Window) -> str:
    return f"{window[0]}..{window[1]}"


def _dates(before: Window | None, own: bool) -> html.Element:
    """Free dates of the compared window, both included; the browser's own fields, filled by charts.js."""
    said = {}
    if before is not None:
        said = {"data-from": before[0].isoformat(), "data-last": (before[1] - timedelta(days=1)).isoformat()}
    return html.Div(id="compare-range", className="dates" if own else "dates closed", **{"data-own": "dates", **said})


def _remark(window: Window, before: Window | None, chosen: str | None) -> html.Element | None:
    """What must be known of a comparison: how 春节 was aligned, unequal lengths, an overlap."""
    if before is None:
        return None
    remarks = []
    if chosen == "spring_festival":
        feasts = spring_festivals()
        year = window[0].year + (window[0].month >= SPRING_FESTIVAL_TURN)
        this, last = (day_text(feasts[y], year=True) for y in (year, year - 1))
        remarks.append(say("按春节对齐：{now}对{before}", now=this, before=last))
    days, days_before = (window[1] - window[0]).days, (before[1] - before[0]).days
    if days != days_before:
        remarks.append(say("两期天数不同：{a}天对{b}天", a=days, b=days_before))
    shared = (min(window[1], before[1]) - max(window[0], before[0])).days
    if shared > 0:
        remarks.append(say("两期重叠{n}天", n=shared))
    return html.P(say("；").join(remarks), className="note") if remarks else None
