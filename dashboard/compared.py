"""How a number stands beside that of the compared window: windows unequally long, small bases, the words for both."""

from __future__ import annotations

from dashboard.components.words import before_name, signed_percent
from dashboard.language import say
from data.selection import Selection
from data.store.changes import Change

SMALL_BASE = 10  # events before, under which a percent says nothing
_ALIKE = (0.9, 1.11)  # days before to days now; months among themselves are alike


def unequal(selection: Selection) -> bool:
    """Whether the compared window is so much longer or shorter that bare counts mislead (months among themselves do not)."""
    before = selection.compare_window
    if before is None:
        return False
    return not _ALIKE[0] <= (before[1] - before[0]).days / selection.days <= _ALIKE[1]


def before_scale(selection: Selection) -> float:
    """What a compared count is multiplied by before it is drawn beside a current one: 1 but for unequal windows."""
    if not unequal(selection):
        return 1.0
    before = selection.compare_window
    return selection.days / (before[1] - before[0]).days


def scaled(before: float | None, selection: Selection) -> float | None:
    """A compared count on the scale of the current window; None stays None."""
    return None if before is None else before * before_scale(selection)


def daily_words(change: Change, selection: Selection) -> str:
    """Both counts by the day, which is how unequal windows compare."""
    before = selection.compare_window
    past = before_name((selection.start, selection.end), selection.compare)
    now, then = change.now / selection.days, change.before / (before[1] - before[0]).days
    return say("日均{now}，{past}{before}", now=f"{now:,.1f}", past=past, before=f"{then:,.1f}")


def percent_words(change: Change) -> str:
    """The change in percent, or that its base is too small for one."""
    return signed_percent(change.percent) if change.before >= SMALL_BASE else say("基数小")


def unit_words(selection: Selection) -> str:
    """What bars count and what their ticks stand for."""
    if selection.compare == "none":
        return say("起")
    past = before_name((selection.start, selection.end), selection.compare)
    return say("起 · 竖线为{past}按天数折算" if unequal(selection) else "起 · 竖线为{past}", past=past)
