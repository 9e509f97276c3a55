"""Missing, zero, reported: which unit-periods of the incident sources are in.

A unit-period is one reporting unit (of the lowest level the report sheet names for that source) in one cadence period.
A source without a sheet has one unit, the whole release, and counts as in from its first to its last day, except in
silences. Days are counted from 1970-01-01; windows are half-open pairs of days.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from data.index import CADENCE_DAYS, UNIT_LEVELS, cadence_of
from data.release_info import ReleaseInfo
from data.store.units import Place, Units

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Tally:
    """Unit-periods of places in windows, summed over the sources; arrays of shape (places, windows).

    ``total`` counts all, ``missing`` those not in.
    """

    total: np.ndarray
    missing: np.ndarray

    @property
    def none_in(self) -> np.ndarray:
        """Where not one unit-period is in."""
        return self.missing == self.total

    def too_many(self, missing_pct: float) -> np.ndarray:
        """Where more than ``missing_pct`` of the unit-periods are missing, or there are none at all."""
        return (self.total == 0) | (self.missing * 100.0 > self.total * missing_pct)


@dataclass(frozen=True)
class LeftOut:
    """Reporting units of one source that are not in for both windows. ``units`` None means the whole source."""

    source: int
    level: str | None
    units: np.ndarray | None


class _DerivedSource:
    """A source without a report sheet."""

    level = None

    def __init__(self, position: int, cadence: str, monthly: bool, first: int | None, last: int | None, silences):
        self.position, self.cadence, self.monthly = position, cadence, monthly
        self._first = first if first is not None else 0
        days = np.ones(0 if first is None else last - first + 1, dtype=np.int64)
        for begin, end in silences:
            days[begin - self._first : end - self._first] = 0
        # A plain list: single windows are asked for one at a time, hundreds in a trend by day.
        self._in_before: list[int] = [0, *np.cumsum(days).tolist()]

    def unit_counts(self, start: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Total and missing unit-periods of the one unit; a period, cut to the window, is in if any of its days is."""
        total = missing = 0
        for begin, until in cadence_periods(start, end, self.cadence):
            total += 1
            missing += self._days_in(min(until, end)) == self._days_in(max(begin, start))
        return np.array([total]), np.array([missing])

    def _days_in(self, until: int) -> int:
        return self._in_before[min(max(until - self._first, 0), len(self._in_before) - 1)]


class _StatedSource:
    """A source with a report sheet: units x periods, True where a report is in."""

    def __init__(self, position: int, cadence: str, monthly: bool, level: str, starts, ends, reported):
        self.position, self.cadence, self.monthly = position, cadence, monthly
        self.level = level
        self._starts, self._ends = starts, ends  # periods without overlap, ascending
        self._in_before = np.concatenate(
            [np.zeros((reported.shape[0], 1), dtype=np.int32), np.cumsum(reported, axis=1, dtype=np.int32)], axis=1
        )

    def unit_counts(self, start: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Total and missing unit-periods of each unit; time no sheet speaks of is cut into cadence periods."""
        low = int(np.searchsorted(self._ends, start, side="right"))
        high = max(low, int(np.searchsorted(self._starts, end, side="left")))
        gaps, cursor = 0, start
        for a, b in zip(self._starts[low:high], self._ends[low:high], strict=True):
            gaps += len(cadence_periods(cursor, int(a), self.cadence)) if a > cursor else 0
            cursor = int(b)
        gaps += len(cadence_periods(cursor, end, self.cadence)) if end > cursor else 0
        total = high - low + gaps
        return np.full(len(self._in_before), total), total - (self._in_before[:, high] - self._in_before[:, low])


Source = _DerivedSource | _StatedSource


class Reports:
    """The reporting of all incident sources of a release."""

    def __init__(self, sources: pa.Table, silences: pa.Table, sheet: pa.Table, info: ReleaseInfo, units: Units):
        self._units = units
        declared = {source.source_id: source for source in info.sources}
        self._sources: list[Source] = []
        self.source_ids: list[str] = sources["source_id"].to_pylist()
        self.knows_recorded: list[bool] = sources["knows_recorded"].to_pylist()
        self.delay_days: list[float | None] = []
        self.first_day: int | None = min(
            (day for day in sources["first_day"].to_pylist() if day is not None), default=None
        )
        by_dataset = _sheet_rows(sheet, units)
        quiet: dict[int, list[tuple[int, int]]] = {}
        for row in silences.to_pylist():
            quiet.setdefault(row["source"], []).append((row["first_day"], row["end_day"]))
        for row in sources.to_pylist():
            stated = declared.get(row["source_id"])
            cadence, monthly = cadence_of(stated), stated is not None and stated.precision == "month"
            position = row["position"]
            self.delay_days.append(stated.reporting_delay_days if stated else None)
            rows = by_dataset.get(row["source_id"])
            if rows:
                self._sources.append(_stated(position, cadence, monthly, rows, units))
            else:
                silent = quiet.get(position, [])
                self._sources.append(
                    _DerivedSource(position, cadence, monthly, row["first_day"], row["last_day"], silent)
                )

    def coarser(self, start: int, end: int) -> list[int]:
        """Positions of sources of precision month that cannot say anything of ``[start, end)``."""
        if _whole_months(start, end):
            return []
        return [source.position for source in self._sources if source.monthly]

    def tally(self, level: str, windows: list[tuple[int, int]]) -> Tally:
        """Unit-periods of every unit of ``level`` in each window, shape (units, windows)."""
        shape = (len(self._units.level(level)), len(windows))
        total, missing = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for source in self._sources:
            spread = self._spread(source, level)
            for column, (start, end) in enumerate(windows):
                unit_total, unit_missing = _unit_counts(source, start, end)
                total[:, column] += spread(unit_total)
                missing[:, column] += spread(unit_missing)
        return Tally(total, missing)

    def tally_of(self, places: Iterable[Place] | None, windows: list[tuple[int, int]]) -> Tally:
        """Unit-periods of some units taken together as one place (None: the whole release), shape (1, windows)."""
        total, missing = np.zeros((1, len(windows)), dtype=np.int64), np.zeros((1, len(windows)), dtype=np.int64)
        for source in self._sources:
            chosen = self._reporting_for(source, places)
            for column, (start, end) in enumerate(windows):
                unit_total, unit_missing = _unit_counts(source, start, end)
                total[0, column] += unit_total[chosen].sum()
                missing[0, column] += unit_missing[chosen].sum()
        return Tally(total, missing)

    def left_out(self, windows: list[tuple[int, int]]) -> list[LeftOut]:
        """The reporting units that are not in for every one of the windows."""
        out = []
        for source in self._sources:
            absent = np.any([_unit_counts(source, start, end)[1] > 0 for start, end in windows], axis=0)
            if absent.all():
                out.append(LeftOut(source.position, source.level, None))
            elif absent.any():
                out.append(LeftOut(source.position, source.level, np.flatnonzero(absent)))
        return out

    def compared_units(self, level: str, left_out: list[LeftOut]) -> np.ndarray:
        """Reporting units that every unit of ``level`` still has once ``left_out`` is taken away."""
        result = np.zeros(len(self._units.level(level)), dtype=np.int64)
        for source in self._sources:
            result += self._spread(source, level)(_remaining(source, left_out))
        return result

    def compared_units_of(self, places: Iterable[Place] | None, left_out: list[LeftOut]) -> int:
        """The same for some units taken together as one place."""
        return sum(
            int(_remaining(source, left_out)[self._reporting_for(source, places)].sum()) for source in self._sources
        )

    def _spread(self, source: Source, level: str):
        """How figures of reporting units become figures of places: a sum over those inside, or the one above."""
        places = len(self._units.level(level))
        if source.level is None:  # one unit above everything
            return lambda unit: unit[0]
        if UNIT_LEVELS.index(source.level) >= UNIT_LEVELS.index(level):
            inside = self._units.positions_in(source.level, level)
            known = inside >= 0
            return lambda unit: np.bincount(inside[known], weights=unit[known], minlength=places).astype(np.int64)
        above = self._units.positions_in(level, source.level)
        return lambda unit: np.where(above >= 0, unit[above], 0)

    def _reporting_for(self, source: Source, places: Iterable[Place] | None) -> np.ndarray:
        """Mask of the reporting units inside some places, or above them."""
        if source.level is None:
            return np.ones(1, dtype=bool)
        mask = np.full(len(self._units.level(source.level)), places is None)
        for place in places or ():
            mask |= self._units.around(source.level, place)
        return mask


def _unit_counts(source: Source, start: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Total and missing unit-periods of each unit; a monthly source is missing in windows not made of whole months."""
    total, missing = source.unit_counts(start, end)
    return total, total if source.monthly and not _whole_months(start, end) else missing


def _remaining(source: Source, left_out: list[LeftOut]) -> np.ndarray:
    """1 for each reporting unit of a source that stays in the comparison, else 0."""
    unit = np.ones_like(source.unit_counts(0, 1)[0])
    for item in left_out:
        if item.source == source.position:
            unit[slice(None) if item.units is None else item.units] = 0
    return unit


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


def _month_start(index: int) -> int:
    return (date(index // 12, index % 12 + 1, 1) - EPOCH).days


def _whole_months(start: int, end: int) -> bool:
    return all((EPOCH + timedelta(days=day)).day == 1 for day in (start, end))


def _sheet_rows(sheet: pa.Table, units: Units) -> dict[str, list[tuple]]:
    """Rows of the report sheet by dataset: (place, start day, end day, in); rows of unknown areas say nothing."""
    rows: dict[str, list[tuple]] = {}
    columns = [sheet[name].to_pylist() for name in ("dataset", "area_code", "period_start", "period_end", "state")]
    for dataset, code, start, end, state in zip(*columns, strict=True):
        place = units.find(code)
        if place is not None and start < end:
            rows.setdefault(dataset, []).append((place, (start - EPOCH).days, (end - EPOCH).days, state != "missing"))
    return rows


def _stated(position: int, cadence: str, monthly: bool, rows: list[tuple], units: Units) -> _StatedSource:
    level = max((place.level for place, *_ in rows), key=UNIT_LEVELS.index)
    intervals = sorted({(start, end) for place, start, end, _ in rows if place.level == level})
    periods: list[tuple[int, int]] = []
    for start, end in intervals:  # where stated periods overlap, the earlier and shorter one stands
        if not periods or start >= periods[-1][1]:
            periods.append((start, end))
    starts, ends = np.array(periods).T
    reported = np.zeros((len(units.level(level)), len(periods)), dtype=bool)
    covers: dict[tuple[int, int], np.ndarray] = {}
    inside: dict[object, np.ndarray] = {}
    for place, start, end, is_in in rows:
        if not is_in:
            continue
        if (start, end) not in covers:
            covers[start, end] = np.flatnonzero((starts >= start) & (ends <= end))
        if place not in inside:
            inside[place] = np.flatnonzero(units.inside(level, place))
        reported[np.ix_(inside[place], covers[start, end])] = True
    return _StatedSource(position, cadence, monthly, level, starts, ends, reported)
