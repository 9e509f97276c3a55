"""How unsteady counts were before the current window: the dispersion behind a verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import sqlalchemy as sa

from data.selection import Selection, Window, calendar_unit, preceding
from data.store.filters import INCIDENT, WholeDivision, day_window, in_days, selected
from data.store.release import Release, day_number
from data.store.reports import EPOCH
from data.store.scope import Scope
from geo.change import Dispersion, dispersion

MOST_PERIODS = 52
_BLOCK = 64  # periods looked at in one go
_HALVES = {"half": 1, "month": 2, "quarter": 6, "year": 24}


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


def _compute(release, selection, scope, level, pooled, restricted) -> Dispersion:
    periods = _periods_before(release, selection)
    complete = _complete(release, level, periods)
    periods = periods[: complete.shape[1]]
    counted = np.full(complete.shape, np.nan)
    if periods:
        conditions = selected(release, selection, scope, area=restricted)
        counted = _count(release, conditions, level, (selection.start, selection.end), periods)
    judged = release.units.in_scope(level, scope)
    if restricted:
        judged = release.units.around(level, release.units.find(selection.area))
    counted = np.where(complete & judged[:, None], counted, np.nan)
    return dispersion(counted, np.array([end - start for start, end in periods], dtype=float), pooled=pooled)


def _periods_before(release: Release, selection: Selection) -> list[tuple[int, int]]:
    """Days of the periods before the current window, latest first, back to the first day with data."""
    first = release.reports.first_day
    before = selection.compare_window
    left_out = day_window(before) if before else (0, 0)
    periods: list[tuple[int, int]] = []
    window: Window = (selection.start, selection.end)
    while first is not None and (window := _step_back(window)) is not None:
        start, end = day_window(window)
        if start < first:
            break
        if end <= left_out[0] or start >= left_out[1]:
            periods.append((start, end))
    return periods


def _step_back(window: Window) -> Window | None:
    try:
        return preceding(window)
    except (OverflowError, ValueError):
        return None


def _complete(release: Release, level: str, periods: list[tuple[int, int]]) -> np.ndarray:
    """Mask (units, periods): the latest 52 periods of each unit that miss no unit-period; columns as far as needed."""
    size = len(release.units.level(level))
    blocks: list[np.ndarray] = []
    have = np.zeros(size, dtype=np.int64)
    for start in range(0, len(periods), _BLOCK):
        if size == 0 or (have >= MOST_PERIODS).all():
            break
        tally = release.reports.tally(level, periods[start : start + _BLOCK])
        whole = (tally.missing == 0) & (tally.total > 0)
        rank = have[:, None] + np.cumsum(whole, axis=1)
        blocks.append(whole & (rank <= MOST_PERIODS))
        have = rank[:, -1]
    mask = np.concatenate(blocks, axis=1) if blocks else np.zeros((size, 0), dtype=bool)
    used = np.flatnonzero(mask.any(axis=0))
    return mask[:, : used[-1] + 1] if used.size else mask[:, :0]


def _count(release, conditions, level: str, window: Window, periods: list[tuple[int, int]]) -> np.ndarray:
    """Events of each unit in each period."""
    start = min(begin for begin, _ in periods)
    unit = calendar_unit(window)
    if unit == "days":
        until, length = day_number(window[0]), (window[1] - window[0]).days
        key = WholeDivision(until - 1 - INCIDENT.day, length)
        keys = [(until - end) // length for _, end in periods]
    else:
        # Counted back from the window, so that keys are small and grouping by unit and key stays array-based.
        halves, last = _HALVES[unit], _half(day_number(window[0])) - 1
        key = WholeDivision(last - INCIDENT.half, halves)
        keys = [(last - _half(begin)) // halves for begin, _ in periods]
    found = release.rows(
        sa.select(INCIDENT[level].label("unit"), key.label("period"), sa.func.count().label("n"))
        .where(in_days(start, day_number(window[0])), INCIDENT[level].is_not(None), *conditions)
        .group_by("unit", "period")
    )
    result = np.zeros((len(release.units.level(level)), len(periods)))
    column_of = np.full(max(keys) + 1, -1)  # the compared window is among the keys but not among the periods
    column_of[keys] = np.arange(len(keys))
    column = column_of[found["period"].to_numpy()]
    known = column >= 0
    result[found["unit"].to_numpy()[known], column[known]] = found["n"].to_numpy()[known]
    return result


def _half(day: int) -> int:
    start = EPOCH + timedelta(days=day)
    return (start.year * 12 + start.month - 1) * 2 + (start.day > 15)
