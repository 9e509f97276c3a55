"""Calendar periods: what kind a window is, the one before it, the same one a year before.

Windows are half-open ``[start, end)`` pairs of dates.
"""

from __future__ import annotations

from datetime import date

Window = tuple[date, date]


def calendar_unit(window: Window) -> str:
    """``month``, ``quarter``, ``half`` (a half-month) or ``year`` for a whole one of these, else ``days``.

    Parameters
    ----------
    window : (date, date)
        Half-open.

    Returns
    -------
    str

    Examples
    --------
    >>> from datetime import date
    >>> calendar_unit((date(2024, 2, 16), date(2024, 3, 1)))
    'half'
    """
    start, end = window
    if start.day == 1:
        if end == next_month(start):
            return "month"
        if start.month % 3 == 1 and end == add_months(start, 3):
            return "quarter"
        if start.month == 1 and end == add_months(start, 12):
            return "year"
        if end == start.replace(day=16):
            return "half"
    elif start.day == 16 and end == next_month(start):
        return "half"
    return "days"


def preceding(window: Window) -> Window:
    """The period of the same kind that ends where ``window`` starts; the same number of days for no calendar unit.

    Parameters
    ----------
    window : (date, date)
        Half-open.

    Returns
    -------
    (date, date)

    Examples
    --------
    >>> from datetime import date
    >>> [str(d) for d in preceding((date(2026, 3, 1), date(2026, 4, 1)))]
    ['2026-02-01', '2026-03-01']
    """
    start, end = window
    unit = calendar_unit(window)
    if unit == "half":
        return (start.replace(day=1) if start.day == 16 else previous_month(start).replace(day=16)), start
    months = {"month": 1, "quarter": 3, "year": 12}.get(unit)
    return (add_months(start, -months) if months else start - (end - start)), start


def a_year_before(window: Window) -> Window:
    """The same ISO week (or weeks) of the year before for whole weeks, else the same dates.

    Parameters
    ----------
    window : (date, date)
        Half-open.

    Returns
    -------
    (date, date)

    Notes
    -----
    29 February becomes 28; as an exclusive end, which means up to the 28th, it becomes 1 March. Week 53 becomes 52
    where the year before has none.

    Examples
    --------
    >>> from datetime import date
    >>> [str(d) for d in a_year_before((date(2026, 12, 28), date(2027, 1, 4)))]
    ['2025-12-22', '2025-12-29']
    """
    start, end = window
    if start.weekday() == 0 and (end - start).days % 7 == 0:
        year, week, _ = start.isocalendar()
        weeks_before = date(year - 1, 12, 28).isocalendar().week
        first = date.fromisocalendar(year - 1, min(week, weeks_before), 1)
        return first, first + (end - start)
    first = _day_a_year_before(start)
    return first, end_a_year_before(end)


def previous_month(day: date) -> date:
    """The first day of the month before the one ``day`` is in.

    Parameters
    ----------
    day : date

    Returns
    -------
    date

    Examples
    --------
    >>> from datetime import date
    >>> str(previous_month(date(2026, 1, 31)))
    '2025-12-01'
    """
    return add_months(day.replace(day=1), -1)


def next_month(day: date) -> date:
    """The first day of the month after the one ``day`` is in.

    Parameters
    ----------
    day : date

    Returns
    -------
    date

    Examples
    --------
    >>> from datetime import date
    >>> str(next_month(date(2025, 12, 31)))
    '2026-01-01'
    """
    return add_months(day.replace(day=1), 1)


def add_months(first: date, months: int) -> date:
    """The first day of a month so many months after that of ``first``."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def end_a_year_before(end: date) -> date:
    """The exclusive end a year before: 29 February means up to the 28th, so 1 March."""
    return date(end.year - 1, 3, 1) if (end.month, end.day) == (2, 29) else end.replace(year=end.year - 1)


def _day_a_year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)
