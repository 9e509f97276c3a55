"""Bars in rows: what categories, places and rankings share."""

from __future__ import annotations

from dash import html

from dashboard.components.words import NOTHING, before_name, signed
from dashboard.language import say
from dashboard.pages.workbench.state import PageState, unequal
from data.selection import Selection


def bar(count: float | None, before: float | None, top: float, fill: str) -> html.Span:
    """A bar with the compared count as a tick; ``top`` is the count of a full bar."""
    parts = [html.Span(className=f"fill {fill}".strip(), style={"width": share(count, top)})]
    if before is not None:
        parts.append(html.Span(className="tick", style={"left": share(before, top)}))
    return html.Span(parts, className="bar")


def share(value: float | None, top: float) -> str:
    """A part of a full bar, as the style sheet wants it."""
    return f"{(value or 0) / top * 100:.2f}%"


def before_scale(selection: Selection) -> float:
    """What a compared count is multiplied by before it is drawn beside a current one: 1 but for unequal windows."""
    if not unequal(selection):
        return 1.0
    before = selection.compare_window
    return selection.days / (before[1] - before[0]).days


def scaled(before: float | None, selection: Selection) -> float | None:
    """A compared count on the scale of the current window; None stays None."""
    return None if before is None else before * before_scale(selection)


def longest(pairs: list[tuple[float | None, float | None]], selection: Selection) -> float:
    """The count of a full bar: the highest of (now, before)."""
    return max((max(now or 0, scaled(before, selection) or 0) for now, before in pairs), default=0) or 1


def change_text(state: PageState, difference: int | None) -> str:
    """A difference, where the windows are long alike and compared at all."""
    if state.selection.compare == "none":
        return ""
    return NOTHING if unequal(state.selection) else signed(difference)


def tick_caption(state: PageState) -> str:
    """What the unit is and what the tick stands for."""
    selection = state.selection
    if selection.compare == "none":
        return say("起")
    past = before_name((selection.start, selection.end), selection.compare)
    if unequal(selection):
        return say("起 · 竖线为{past}按天数折算", past=past)
    return say("起 · 竖线为{past}", past=past)
