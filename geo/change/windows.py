"""Which dates are compared with which: calendar periods, the ones before them, last year's, those around 春节.

Windows are half-open ``[start, end)`` pairs of dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar

from geo.change.calendar import (
    Window,
    a_year_before,
    add_months,
    calendar_unit,
    end_a_year_before,
    next_month,
    preceding,
)
from geo.result import Result

PERIODS = ("iso_week", "days_28", "half_month", "month", "quarter", "year", "year_to_date")
KINDS = ("previous", "last_year", *PERIODS, "spring_festival", "free")
SPRING_FESTIVAL_TURN = 8  # from this month on, days are counted towards the next 春节, before it from the last one

_WEEK = timedelta(days=7)


@dataclass(frozen=True, eq=False)
class Comparison(Result):
    """Two windows and their lengths; unpacks as ``now, before, days, days_before``.

    Attributes
    ----------
    now, before : (date, date)
        Half-open. ``now`` is the window asked for, except for ``year_to_date``, where it begins on 1 January.
    days, days_before : int
        Lengths, the exposures of a test.
    kind : str
    note : str
        What the reader must know (unequal lengths, an overlap, how 春节 was aligned); "" where there is nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("now", "before", "days", "days_before")

    now: Window
    before: Window
    days: int
    days_before: int
    kind: str
    note: str


def comparison_window(
    window: Window,
    kind: str,
    *,
    against: Window | None = None,
    spring_festivals: Mapping[int, date] | Iterable[date] | None = None,
) -> Comparison:
    """The window that ``window`` is compared with.

    Parameters
    ----------
    window : (date, date)
        Half-open.
    kind : str
        ``previous``
            The preceding month, quarter, half-month or year of a whole one, else the same number of days before.
        ``last_year``
            The same ISO week or weeks for whole weeks, else the same dates; see :func:`a_year_before`.
        ``iso_week``, ``days_28``, ``half_month``, ``month``, ``quarter``, ``year``
            The one before of a whole one; any other window is refused. :func:`window_of` gives whole ones.
        ``year_to_date``
            1 January up to the end of ``window`` against the same dates of the year before.
        ``spring_festival``
            The same offsets in days from 春节 of the year before.
        ``free``
            ``against`` as it is given.
    against : (date, date), optional
        Half-open; for ``free`` alone.
    spring_festivals : mapping of year to date, or iterable of dates, optional
        First days of 正月, for ``spring_festival``. Windows that begin before August are placed by the 春节 of their
        year, later ones by that of the next.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        An unknown kind, an empty window, a window that is not whole, a 春节 that is not given (the year is named), or
        ``against`` missing or out of place.

    Examples
    --------
    >>> from datetime import date
    >>> now, before, *days = comparison_window((date(2024, 3, 1), date(2024, 4, 1)), "previous")
    >>> str(before[0]), str(before[1]), days
    ('2024-02-01', '2024-03-01', [31, 29])
    >>> festivals = {2025: date(2025, 1, 29), 2026: date(2026, 2, 17)}
    >>> found = comparison_window((date(2026, 2, 16), date(2026, 2, 23)), "spring_festival", spring_festivals=festivals)
    >>> str(found.before[0]), found.note
    ('2025-01-28', '按春节对齐：2026-02-17 对 2025-01-29')
    """
    _check(window)
    if (against is not None) != (kind == "free"):
        raise ValueError(f"against is {against}, expected a window for kind free and nothing for other kinds")
    remarks = []
    now = window
    if kind == "free":
        _check(against, "against")
        before = against
    elif kind == "previous":
        before = preceding(window)
    elif kind == "last_year":
        before = a_year_before(window)
    elif kind == "year_to_date":
        now, before = _to_date(window[1])
    elif kind == "spring_festival":
        before, remark = _by_spring_festival(window, spring_festivals)
        remarks.append(remark)
    elif kind in PERIODS:
        _refuse_unless_whole(window, kind)
        before = preceding(window)
    else:
        raise ValueError(f"kind is {kind!r}, expected one of {' '.join(KINDS)}")
    days, days_before = (now[1] - now[0]).days, (before[1] - before[0]).days
    shared = (min(now[1], before[1]) - max(now[0], before[0])).days
    if days != days_before:
        remarks.append(f"两期天数不同：{days} 天对 {days_before} 天")
    if shared > 0:
        remarks.append(f"两期重叠 {shared} 天")
    return Comparison(now, before, days, days_before, kind, "；".join(remarks))


def window_of(kind: str, day: date, *, complete: bool = True) -> Window:
    """The last complete window of a kind at the beginning of a day, or the one that holds the day.

    Parameters
    ----------
    kind : str
        One of ``PERIODS``. ``days_28`` and ``year_to_date`` end with the day before ``day``.
    day : date
    complete : bool
        False: the window that holds ``day``, over or not (the last two kinds then end with ``day``).

    Returns
    -------
    (date, date)
        Half-open.

    Raises
    ------
    ValueError
        An unknown kind.

    Examples
    --------
    >>> from datetime import date
    >>> [str(d) for d in window_of("iso_week", date(2026, 11, 18))]
    ['2026-11-09', '2026-11-16']
    >>> [str(d) for d in window_of("half_month", date(2024, 2, 20), complete=False)]
    ['2024-02-16', '2024-03-01']
    """
    if kind not in PERIODS:
        raise ValueError(f"kind is {kind!r}, expected one of {' '.join(PERIODS)}")
    if kind in ("days_28", "year_to_date"):
        end = day if complete else day + timedelta(days=1)
        return (end - 4 * _WEEK if kind == "days_28" else (end - timedelta(days=1)).replace(month=1, day=1)), end
    holding = _holding(kind, day)
    return preceding(holding) if complete else holding


def _holding(kind: str, day: date) -> Window:
    if kind == "iso_week":
        start = day - timedelta(days=day.weekday())
        return start, start + _WEEK
    if kind == "half_month":
        return (day.replace(day=1), day.replace(day=16)) if day.day < 16 else (day.replace(day=16), next_month(day))
    months = {"month": 1, "quarter": 3, "year": 12}[kind]
    start = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    return start, add_months(start, months)


def _refuse_unless_whole(window: Window, kind: str) -> None:
    start, end = window
    if kind == "days_28":
        whole = end - start == 4 * _WEEK
    elif kind == "iso_week":
        whole = start.weekday() == 0 and end - start == _WEEK
    else:
        whole = calendar_unit(window) == {"half_month": "half"}.get(kind, kind)
    if not whole:
        last = window_of(kind, end)
        raise ValueError(f"window is {start}..{end}, expected a whole {kind}, such as {last[0]}..{last[1]}")


def _to_date(end: date) -> tuple[Window, Window]:
    first = (end - timedelta(days=1)).replace(month=1, day=1)
    return (first, end), (first.replace(year=first.year - 1), end_a_year_before(end))


def _by_spring_festival(window: Window, festivals) -> tuple[Window, str]:
    if festivals is None:
        raise ValueError("spring_festivals is missing, expected the dates of 春节 by year")
    days = festivals.values() if isinstance(festivals, Mapping) else festivals
    by_year = {day.year: day for day in days}
    start, end = window
    year = start.year + (start.month >= SPRING_FESTIVAL_TURN)
    absent = [y for y in (year, year - 1) if y not in by_year]
    if absent:
        raise ValueError(f"spring_festivals has no date for {absent[0]}, expected {year - 1} and {year}")
    shift = by_year[year] - by_year[year - 1]
    return (start - shift, end - shift), f"按春节对齐：{by_year[year]} 对 {by_year[year - 1]}"


def _check(window: Window, name: str = "window") -> None:
    start, end = window
    for day in (start, end):
        if not isinstance(day, date) or isinstance(day, datetime):
            raise ValueError(f"{name} holds {day!r}, expected dates without a time")
    if not start < end:
        raise ValueError(f"{name} is {start}..{end}, expected a start before its end")
