"""How unsteady counts were before the current window: the dispersion behind a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from data.selection import Selection, Window, calendar_unit, preceding
from data.store.filters import day_window
from data.store.release import Release
from data.store.scope import Scope
from data.store.span_counts import count_spans
from geo.change import Dispersion, dispersion

MOST_PERIODS = 52
_BLOCK = 64  # periods looked at in one go


def level_dispersion(
    release: Release, selection: Selection, scope: Scope, level: str, *, pooled: bool, restricted: bool
) -> Dispersion:
    """Dispersion of every unit of ``level`` over the complete periods before the current window.

    Parameters
    ----------
    pooled : bool
        One phi for the level instead of one for each unit.
    restricted : bool
        Count only the selected area's events (it is smaller than the level) instead of the whole scope's.

    Notes
    -----
    Periods are of the window's length (or the preceding months, quarters, half-months, years of a whole one), the
    compared window left out; each unit uses its latest 52 whose unit-periods are all in.
    """
    key = (selection if restricted else replace(selection, area=None), scope, level, pooled, restricted)
    return release.remember(key, lambda: _compute(release, selection, scope, level, pooled, restricted))


def periods_before(release: Release, selection: Selection) -> Iterator[tuple[int, int]]:
    """Days of the periods before the current window, latest first, back to the first day with data; what overlaps the
    compared window is left out."""
    first = release.reports.first_day
    before = selection.compare_window
    left_out = day_window(before) if before else (0, 0)
    if first is None:
        return
    for window in windows_before((selection.start, selection.end)):
        start, end = day_window(window)
        if start < first:
            return
        if end <= left_out[0] or start >= left_out[1]:
            yield start, end


def windows_before(window: Window) -> Iterator[Window]:
    """The windows before one, of its own kind all the way back: 31 days never turn into the months they may meet."""
    days = window[1] - window[0] if calendar_unit(window) == "days" else None
    while True:
        try:
            window = (window[0] - days, window[0]) if days else preceding(window)
        except (OverflowError, ValueError):
            return
        yield window


def _compute(release, selection, scope, level, pooled, restricted) -> Dispersion:
    periods = list(periods_before(release, selection))
    complete = _complete(release, level, periods)
    periods = periods[: complete.shape[1]]
    judged = release.units.in_scope(level, scope)
    if restricted:
        judged = release.units.around(level, release.units.find(selection.area))
    if not (periods and judged.any()):
        return dispersion(np.full(complete.shape, np.nan), np.ones(len(periods)), pooled=pooled)
    days = np.array([end - start for start, end in periods], dtype=float)
    found = _count(release, selection, scope, level, restricted, periods)
    if (complete == complete[0]).all():  # periods that nobody has in whole need no place among the rest
        found, days = found[:, complete[0]], days[complete[0]]
    else:
        found[~complete] = np.nan
    if not pooled:
        found[~judged] = np.nan
        return dispersion(found, days, pooled=False)
    one = dispersion(found if judged.all() else found[judged], days, pooled=True)  # rows not judged say nothing
    return Dispersion(*(np.repeat(values[:1], len(judged)) for values in one), one.note)


def _complete(release: Release, level: str, periods: list[tuple[int, int]]) -> np.ndarray:
    """Mask (units, periods): the latest 52 periods of each unit that miss no unit-period; columns as far as needed."""
    size = len(release.units.level(level))
    whole = np.zeros((size, 0), dtype=bool)
    for start in range(0, len(periods), _BLOCK):
        if size == 0 or (whole.sum(axis=1) >= MOST_PERIODS).all():
            break
        whole = np.concatenate([whole, release.reports.whole(level, periods[start : start + _BLOCK])], axis=1)
    alike = size > 0 and (whole == whole[0]).all()
    mask = np.cumsum(whole[:1] if alike else whole, axis=1, dtype=np.int32) <= MOST_PERIODS
    mask = whole & mask
    used = np.flatnonzero(mask.any(axis=0))
    return mask[:, : used[-1] + 1] if used.size else mask[:, :0]


def _count(release, selection, scope, level: str, restricted: bool, periods: list[tuple[int, int]]) -> np.ndarray:
    """Events of each unit in each period, float; of units outside the scope, anything."""
    size = len(release.units.level(level))
    scope = scope if restricted else Scope.everything()
    found = count_spans(release, selection, scope, periods, level, size, area=restricted)[0, :-1]
    return found.astype(float, order="F")  # a column in one piece: sums round alike however they were counted
