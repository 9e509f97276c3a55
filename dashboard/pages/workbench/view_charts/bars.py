"""Bars in rows: what categories, places and rankings share."""

from __future__ import annotations

from dashboard.compared import scaled, unequal
from dashboard.components import html
from dashboard.components.words import NOTHING, signed
from dashboard.pages.workbench.state import PageState
from data.selection import Selection


def bar(count: float | None, before: float | None, top: float, fill: str) -> html.Element:
    """A bar with the compared count as a tick; ``top`` is the count of a full bar."""
    parts = [html.Span(className=f"fill {fill}".strip(), style={"width": share(count, top)})]
    if before is not None:
        parts.append(html.Span(className="tick", style={"left": share(before, top)}))
    return html.Span(parts, className="bar")


def share(value: float | None, top: float) -> str:
    """A part of a full bar, as the style sheet wants it."""
    return f"{(value or 0) / top * 100:.2f}%"


def longest(pairs: list[tuple[float | None, float | None]], selection: Selection) -> float:
    """The count of a full bar: the highest of (now, before)."""
    return max((max(now or 0, scaled(before, selection) or 0) for now, before in pairs), default=0) or 1


def change_text(state: PageState, difference: int | None) -> str:
    """A difference, where the windows are long alike and compared at all."""
    if state.selection.compare == "none":
        return ""
    return NOTHING if unequal(state.selection) else signed(difference)
