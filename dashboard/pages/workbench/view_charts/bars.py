"""Bars in rows: what categories, places and rankings share."""

from __future__ import annotations

from dashboard.compared import scaled, unequal
from dashboard.components.words import NOTHING, signed
from dashboard.pages.workbench.state import PageState
from data.selection import Selection


def longest(pairs: list[tuple[float | None, float | None]], selection: Selection) -> float:
    """The count of a full bar: the highest of (now, before)."""
    return max((max(now or 0, scaled(before, selection) or 0) for now, before in pairs), default=0) or 1


def change_text(state: PageState, difference: int | None) -> str:
    """A difference, where the windows are long alike and compared at all."""
    if state.selection.compare == "none":
        return ""
    return NOTHING if unequal(state.selection) else signed(difference)
