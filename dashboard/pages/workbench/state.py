"""The whole state of the page, read from the address and written to it: a Selection and how the map shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlencode

from data.index import INCIDENT_LEVELS
from data.schema import CATEGORIES, INVALID
from data.selection import ParameterError, Selection, Window, calendar_unit, preceding
from data.store import Release

COUNT, CHANGE, RATE = "count", "change", "rate"
MEASURES = (COUNT, CHANGE, RATE)
PERIODS = ("week", "half", "month", "quarter", "year")
CUSTOM = "days"


@dataclass(frozen=True)
class PageState:
    """What the page shows.

    Attributes
    ----------
    selection : Selection
    measure : str
        What colours the map: ``count``, ``change`` or ``rate`` (per 1,000 people).
    level : str or None
        Level the map keeps to; None follows zoom and drill.
    """

    selection: Selection
    measure: str = COUNT
    level: str | None = None

    def href(self, **changes) -> str:
        """The address of this state with some of its Selection changed; ``measure`` and ``level`` too."""
        measure = changes.pop("measure", self.measure)
        level = changes.pop("level", self.level)
        pairs = replace(self.selection, **changes).to_pairs()
        pairs += [("measure", measure)] if measure != COUNT else []
        pairs += [("level", level)] if level else []
        return "?" + urlencode(pairs)


def unequal(selection: Selection) -> bool:
    """Whether the compared window is so much longer or shorter that bare counts mislead (months among themselves do not)."""
    before = selection.compare_window
    if before is None:
        return False
    return not 0.9 <= (before[1] - before[0]).days / selection.days <= 1.11


def read_state(search: str | None, release: Release) -> PageState:
    """The state an address stands for.

    Raises
    ------
    ParameterError
        For a parameter or value that is not allowed.
    """
    pairs = parse_qsl((search or "").lstrip("?"), keep_blank_values=True)
    own = {"measure": MEASURES, "level": INCIDENT_LEVELS}
    chosen: dict[str, str] = {}
    for name, value in pairs:
        if name not in own:
            continue
        if name in chosen or value not in own[name]:
            raise ParameterError(name, value, " ".join(own[name]))
        chosen[name] = value
    selection = release.selection((name, value) for name, value in pairs if name not in own)
    return PageState(selection, chosen.get("measure", COUNT), chosen.get("level"))


def period_kind(window: Window) -> str:
    """``week``, ``half``, ``month``, ``quarter``, ``year``, or ``days`` for any other window."""
    start, end = window
    if start.weekday() == 0 and (end - start).days == 7:
        return "week"
    return calendar_unit(window)


def period_holding(kind: str, day: date) -> Window:
    """The week, half-month, month, quarter or year that holds ``day``."""
    if kind == "week":
        start = day - timedelta(days=day.weekday())
        return start, start + timedelta(days=7)
    first = day.replace(day=1)
    if kind == "half":
        middle = day.replace(day=16)
        return (first, middle) if day < middle else (middle, months_later(first, 1))
    months = {"month": 1, "quarter": 3, "year": 12}[kind]
    start = date(day.year, (day.month - 1) // months * months + 1, 1)
    return start, months_later(start, months)


def complete_period(kind: str, window: Window, over: date) -> Window:
    """The period of a kind that ``window`` ends in, or the one before where that is not over on ``over``."""
    period = period_holding(kind, window[1] - timedelta(days=1))
    while period[1] > over:
        period = preceding(period)
    return period


def following(window: Window) -> Window:
    """The period of the same kind that starts where ``window`` ends."""
    start, end = window
    kind = calendar_unit(window)
    if kind == "days":
        return end, end + (end - start)
    return period_holding(kind, end)


def months_later(first: date, months: int) -> date:
    """The first of the month ``months`` after the month that ``first`` starts."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def toggled_category(selection: Selection, name: str) -> tuple[str, ...]:
    """Categories after a click on one: () stands for all but 无效; the last one standing cannot be left out."""
    chosen = set(selection.counted_categories) ^ {name}
    everything = {c for c in CATEGORIES if c != INVALID}
    if not chosen or chosen == everything:
        return ()
    return tuple(c for c in CATEGORIES if c in chosen)


def toggled_weekday(selection: Selection, day: int) -> tuple[int, ...]:
    """Weekdays after a click on one; () stands for every day."""
    chosen = set(selection.weekdays or range(1, 8)) ^ {day}
    return () if len(chosen) in (0, 7) else tuple(sorted(chosen))
