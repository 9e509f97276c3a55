"""The reporting of one source: which of its units were in, in which periods.

Days are counted from 1970-01-01; windows and periods are half-open pairs of days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from data.index import CADENCE_DAYS, UNIT_LEVELS
from data.store.units import Units

Windows = Sequence[tuple[int, int]]
EPOCH = date(1970, 1, 1)
_DAY_BITS, _DAYS_OFF = 20, 1 << 19  # days from -524288 to 524287 hold any date a schema can


class DerivedSource:
    """A source without a report sheet: one unit, the whole release, in from its first to its last day but in silences."""

    level = None
    units = 1

    def __init__(self, position: int, cadence: str, monthly: bool, first: int | None, last: int | None, silences):
        self.position, self.cadence, self.monthly = position, cadence, monthly
        self._first = first if first is not None else 0
        days = np.ones(0 if first is None else last - first + 1, dtype=np.int64)
        for begin, end in silences:
            days[begin - self._first : end - self._first] = 0
        # A plain list: single windows are asked for one at a time, hundreds in a trend by day.
        self._in_before: list[int] = [0, *np.cumsum(days).tolist()]

    def unit_periods(self, windows: Windows) -> tuple[np.ndarray, np.ndarray]:
        """Total (windows,) and missing (1, windows) unit-periods; a period, cut to the window, is in if any of its days is."""
        counted = np.array([self._counted(start, end) for start, end in windows]).reshape(-1, 2)
        return counted[:, 0], counted[None, :, 1]

    def _counted(self, start: int, end: int) -> tuple[int, int]:
        total = missing = 0
        for begin, until in cadence_periods(start, end, self.cadence):
            total += 1
            missing += self._days_in(min(until, end)) == self._days_in(max(begin, start))
        return total, missing

    def _days_in(self, until: int) -> int:
        return self._in_before[min(max(until - self._first, 0), len(self._in_before) - 1)]


class StatedSource:
    """A source with a report sheet: units x periods, True where a report is in."""

    def __init__(self, position: int, cadence: str, monthly: bool, level: str, starts, ends, reported):
        self.position, self.cadence, self.monthly = position, cadence, monthly
        self.level = level
        self._starts, self._ends = starts, ends  # periods without overlap, ascending
        self._breaks_before = np.concatenate([[0], np.cumsum(starts[1:] > ends[:-1])])
        self._in_before = np.concatenate(
            [np.zeros((reported.shape[0], 1), dtype=np.int32), np.cumsum(reported, axis=1, dtype=np.int32)], axis=1
        )

    @property
    def units(self) -> int:
        """How many reporting units it has."""
        return len(self._in_before)

    def unit_periods(self, windows: Windows) -> tuple[np.ndarray, np.ndarray]:
        """Total (windows,) and missing (units, windows) unit-periods; time no sheet speaks of is cut into cadence periods."""
        start, end = np.array(windows).reshape(-1, 2).T
        low = np.searchsorted(self._ends, start, side="right")
        high = np.maximum(low, np.searchsorted(self._starts, end, side="left"))
        total = high - low
        for number in np.flatnonzero(~self._without_gap(start, end, low, high)).tolist():
            total[number] += self._gaps(int(start[number]), int(end[number]), low[number], high[number])
        return total, total - (self._in_before[:, high] - self._in_before[:, low])

    def _without_gap(self, start, end, low, high) -> np.ndarray:
        """Mask (windows,): the stated periods ``low`` to ``high`` fill the window."""
        some = high > low
        first, last = np.where(some, low, 0), np.where(some, high - 1, 0)
        alike = self._breaks_before[first] == self._breaks_before[last]
        return some & alike & (self._starts[first] <= start) & (self._ends[last] >= end)

    def _gaps(self, start: int, end: int, low: int, high: int) -> int:
        gaps, cursor = 0, start
        for a, b in zip(self._starts[low:high].tolist(), self._ends[low:high].tolist(), strict=True):
            gaps += len(cadence_periods(cursor, a, self.cadence)) if a > cursor else 0
            cursor = b
        return gaps + (len(cadence_periods(cursor, end, self.cadence)) if end > cursor else 0)


Source = DerivedSource | StatedSource


def unit_periods(source: Source, windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    """Total and missing unit-periods, shape (units, windows); a monthly source is missing in windows not made of whole
    months."""
    total, missing = source.unit_periods(windows)
    if source.monthly:
        missing = np.where([whole_months(*window) for window in windows], missing, total)
    return np.broadcast_to(total, missing.shape), missing


def cadence_periods(start: int, end: int, cadence: str) -> list[tuple[int, int]]:
    """Calendar days, ISO weeks, months or quarters that touch ``[start, end)``, as pairs of days."""
    if cadence in ("day", "week"):
        step = CADENCE_DAYS[cadence]
        first = start - (start + 3) % 7 if cadence == "week" else start
        return [(day, day + step) for day in range(first, end, step)]
    months = 3 if cadence == "quarter" else 1
    day = EPOCH + timedelta(days=start)
    index = day.year * 12 + day.month - 1
    index -= index % months
    periods = []
    while (begin := _month_start(index)) < end:
        periods.append((begin, _month_start(index + months)))
        index += months
    return periods


def whole_months(start: int, end: int) -> bool:
    """Whether a window begins and ends on the first of a month."""
    return all((EPOCH + timedelta(days=day)).day == 1 for day in (start, end))


def _month_start(index: int) -> int:
    return (date(index // 12, index % 12 + 1, 1) - EPOCH).days


def stated_source(position: int, cadence: str, monthly: bool, sheet: pa.Table, units: Units) -> StatedSource | None:
    """A source from its rows of ``report_status``; None where no row names an area of the release."""
    at, unit = places_of(sheet["area_code"], units)
    start, end = days_of(sheet["period_start"]), days_of(sheet["period_end"])
    usable = (at >= 0) & (start < end)
    if not usable.any():
        return None
    narrow = int(at[usable].max())
    level = UNIT_LEVELS[narrow]
    keys, span = np.unique(span_keys(start, end), return_inverse=True)
    spans = spans_of(keys)
    starts, ends = _without_overlap(spans[np.unique(span[usable & (at == narrow)])])
    reported = np.zeros((len(units.level(level)), len(starts)), dtype=bool)
    is_in = usable & (sheet["state"].to_numpy() != "missing")
    order = np.argsort(span, kind="stable")
    edges = np.searchsorted(span[order], np.arange(len(spans) + 1))
    for number, (begin, until) in enumerate(spans):
        rows = order[edges[number] : edges[number + 1]]
        rows = rows[is_in[rows]]
        covered = slice(np.searchsorted(starts, begin), np.searchsorted(ends, until, side="right"))
        for above in np.unique(at[rows]):
            inside = np.isin(units.positions_in(level, UNIT_LEVELS[above]), unit[rows[at[rows] == above]])
            reported[inside, covered] = True
    return StatedSource(position, cadence, monthly, level, starts, ends, reported)


def places_of(codes: pa.ChunkedArray, units: Units) -> tuple[np.ndarray, np.ndarray]:
    """Level (index into UNIT_LEVELS) and position of each code; -1 where the release has no such unit."""
    encoded = codes.combine_chunks().dictionary_encode()
    found = [units.find(code) for code in encoded.dictionary.to_pylist()] + [None]  # the last stands for null
    level = np.array([UNIT_LEVELS.index(place.level) if place else -1 for place in found])
    position = np.array([place.position if place else -1 for place in found])
    which = encoded.indices.fill_null(len(found) - 1).to_numpy()
    return level[which], position[which]


def span_keys(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """One whole number for each pair of days, in the order of the pairs."""
    return (start + _DAYS_OFF) << _DAY_BITS | (end + _DAYS_OFF)


def spans_of(keys: np.ndarray) -> np.ndarray:
    """The inverse of :func:`span_keys`, shape (n, 2)."""
    return np.column_stack([keys >> _DAY_BITS, keys & (1 << _DAY_BITS) - 1]) - _DAYS_OFF


def days_of(column: pa.ChunkedArray) -> np.ndarray:
    """Dates as days from 1970-01-01."""
    return column.cast(pa.int32()).to_numpy().astype(np.int64)


def _without_overlap(spans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of stated periods, ascending; where some overlap, the earlier and shorter one stands."""
    periods: list[list[int]] = []
    for start, end in spans.tolist():
        if not periods or start >= periods[-1][1]:
            periods.append([start, end])
    return tuple(np.array(periods).T)
