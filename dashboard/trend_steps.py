"""The trend of a Selection beside that of its compared window, with its control band: what page and picture draw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

import pyarrow as pa

from data.selection import Selection
from data.store import STEPS, Release, Scope, trend
from data.store.band import trend_band
from data.store.filters import date_of, day_window
from data.store.reports import cadence_periods

_LATEST = 12
_LONGEST_DAYS = {"day": 1, "week": 7, "month": 31}


@dataclass(frozen=True)
class Step:
    """One step of a trend; counts are None where missing (未报) or left out, limits where there is no band.

    ``outside`` is ``above``, ``below`` or None. ``left_out`` is a day that the weekday filter leaves out: a gap that is
    neither 0 nor 未报.
    """

    start: date
    count: int | None
    complete: bool
    before_start: date | None = None
    before: int | None = None
    lower: float | None = None
    mean: float | None = None
    upper: float | None = None
    outside: str | None = None
    left_out: bool = False


class Trend(NamedTuple):
    """Steps, what the trend's answer says of itself, and what the band's does."""

    steps: list[Step]
    meta: dict
    band: dict


def step_for(selection: Selection, release: Release) -> str:
    """Day up to five weeks, week up to a quarter, else month; month where a source knows only months."""
    if any(source.precision == "month" for source in release.incident_sources):
        return "month"
    return STEPS[0] if selection.days <= 35 else STEPS[1] if selection.days <= 100 else STEPS[2]


def latest_steps(release: Release, selection: Selection, scope: Scope, step: str) -> Trend:
    """The twelve weeks (or months) up to the end of a Selection."""
    end = selection.end
    start = end - timedelta(weeks=_LATEST)
    if step == "month":
        months = end.year * 12 + end.month - 1 - _LATEST
        start = date(months // 12, months % 12 + 1, 1)
    return trend_steps(release, replace(selection, start=start, end=end, compare="none"), scope, step)


def trend_steps(release: Release, selection: Selection, scope: Scope, step: str) -> Trend:
    """The trend of a Selection; the first step stands beside the first of the compared window, and so on.

    A compared window with more steps than the current one is cut to as many.

    Raises
    ------
    ParameterError
        For more steps of the current window than a trend may have.
    OutsideScope, UnknownArea
    """
    answer = trend(release, selection, scope, step)
    now = _by_step(answer.rows)
    before = _before(release, selection, scope, step, len(now))
    paired = [(one, before[i] if i < len(before) else (None, None, True)) for i, one in enumerate(now)]

    def out(start: date | None) -> bool:
        days = selection.weekdays if step == "day" else ()
        return bool(days and start) and start.isoweekday() not in days

    steps = [
        Step(start, None if out(start) else count, complete, past, None if out(past) else counted, left_out=out(start))
        for (start, count, complete), (past, counted, _) in paired
    ]
    band = trend_band(release, selection, scope, step)
    return Trend(with_band(steps, band.rows.to_pylist()), answer.meta, band.meta)


def with_band(steps: list[Step], rows: list[dict]) -> list[Step]:
    """Steps with the limits of :func:`data.store.band.trend_band` (its rows)."""
    limits = {row["start"]: row for row in rows}
    names = ("lower", "mean", "upper", "outside")
    found = [limits.get(step.start.isoformat(), {}) for step in steps]
    return [replace(step, **{n: row.get(n) for n in names}) for step, row in zip(steps, found, strict=True)]


def _before(release: Release, selection: Selection, scope: Scope, step: str, most: int) -> list[tuple]:
    """The first ``most`` steps of the compared window; none where nothing is compared."""
    if selection.compare_window is None:
        return []
    start, end = selection.compare_window
    reach = min(end, start + timedelta(days=most * _LONGEST_DAYS[step]))
    last = cadence_periods(*day_window((start, reach)), step)[:most][-1][1]
    past = replace(selection, start=start, end=min(end, date_of(last)), compare="none")
    return _by_step(trend(release, past, scope, step).rows)


def _by_step(rows: pa.Table) -> list[tuple[date, int | None, bool]]:
    """Start, count over all categories (None where all are missing) and completeness of each step."""
    steps: dict[str, list[dict]] = {}
    for row in rows.to_pylist():
        steps.setdefault(row["start"], []).append(row)
    result = []
    for start, parts in steps.items():
        known = [part["count"] for part in parts if part["count"] is not None]
        result.append((date.fromisoformat(start), sum(known) if known else None, parts[0]["complete"]))
    return result
