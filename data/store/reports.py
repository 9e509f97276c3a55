"""Missing, zero, reported: which unit-periods of the incident sources are in.

A unit-period is one reporting unit (of the lowest level the report sheet names for that source) in one cadence period.
A source without a sheet has one unit, the whole release, and counts as in from its first to its last day, except in
silences. Days are counted from 1970-01-01; windows are half-open pairs of days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.index import UNIT_LEVELS, cadence_of
from data.release_info import ReleaseInfo
from data.store.report_sources import (
    EPOCH,
    DerivedSource,
    Source,
    Windows,
    cadence_periods,
    stated_source,
    unit_periods,
    whole_months,
)
from data.store.units import Place, Units

__all__ = ["EPOCH", "LeftOut", "Reporting", "Reports", "Tally", "cadence_periods"]


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

    def added_up(self) -> Tally:
        """The windows taken together, shape (places, 1)."""
        return Tally(self.total.sum(axis=1, keepdims=True), self.missing.sum(axis=1, keepdims=True))

    def too_many(self, missing_pct: float) -> np.ndarray:
        """Where more than ``missing_pct`` of the unit-periods are missing, or there are none at all."""
        return (self.total == 0) | (self.missing * 100.0 > self.total * missing_pct)


@dataclass(frozen=True)
class LeftOut:
    """Reporting units of one source that are not in for both windows. ``units`` None means the whole source."""

    source: int
    level: str | None
    units: np.ndarray | None


class Reporting:
    """The reporting of some sources, taken together."""

    def __init__(self, sources: Sequence[Source], units: Units):
        self._sources, self._units = list(sources), units

    def tally(self, level: str, windows: Windows) -> Tally:
        """Unit-periods of every unit of ``level`` in each window, shape (units, windows)."""
        shape = (len(self._units.level(level)), len(windows))
        total, missing = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for source in self._sources:
            of_units = unit_periods(source, windows)
            for out, matrix in zip((total, missing), of_units, strict=True):
                out += self._spread(source, level, matrix)
        return Tally(total, missing)

    def whole(self, level: str, windows: Windows) -> np.ndarray:
        """Mask (units, windows): every unit-period is in, and there is one; quicker than :meth:`tally`."""
        shape = (len(self._units.level(level)), len(windows))
        any_missing, any_due = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        for source in self._sources:
            total, missing = unit_periods(source, windows)
            any_due |= self._spread(source, level, total > 0)
            if missing.any():
                any_missing |= self._spread(source, level, missing > 0)
        return any_due & ~any_missing

    def tally_of(self, places: Iterable[Place] | None, windows: Windows) -> Tally:
        """Unit-periods of some units taken together as one place (None: the whole release), shape (1, windows)."""
        total, missing = np.zeros((1, len(windows)), dtype=np.int64), np.zeros((1, len(windows)), dtype=np.int64)
        for source in self._sources:
            chosen = self._reporting_for(source, places)
            for out, matrix in zip((total, missing), unit_periods(source, windows), strict=True):
                out += matrix[chosen].sum(axis=0)
        return Tally(total, missing)

    def left_out(self, windows: Windows) -> list[LeftOut]:
        """The reporting units that are not in for every one of the windows."""
        out = []
        for source in self._sources:
            absent = (unit_periods(source, windows)[1] > 0).any(axis=1)
            if absent.all():
                out.append(LeftOut(source.position, source.level, None))
            elif absent.any():
                out.append(LeftOut(source.position, source.level, np.flatnonzero(absent)))
        return out

    def compared_units(self, level: str, left_out: list[LeftOut]) -> np.ndarray:
        """Reporting units that every unit of ``level`` still has once ``left_out`` is taken away."""
        result = np.zeros(len(self._units.level(level)), dtype=np.int64)
        for source in self._sources:
            result += self._spread(source, level, _remaining(source, left_out)[:, None])[:, 0]
        return result

    def compared_units_of(self, places: Iterable[Place] | None, left_out: list[LeftOut]) -> int:
        """The same for some units taken together as one place."""
        return sum(
            int(_remaining(source, left_out)[self._reporting_for(source, places)].sum()) for source in self._sources
        )

    def _spread(self, source: Source, level: str, of_units: np.ndarray) -> np.ndarray:
        """Figures (reporting units, windows) as figures (places, windows): summed over the units inside a place, or
        those of the unit above it; of flags, whether any is set."""
        places = len(self._units.level(level))
        if source.level is None:  # one unit above everything
            return np.broadcast_to(of_units, (places, of_units.shape[1]))
        if UNIT_LEVELS.index(source.level) >= UNIT_LEVELS.index(level):
            inside = self._units.positions_in(source.level, level)
            out = np.zeros((places, of_units.shape[1]), dtype=of_units.dtype)
            (np.logical_or if out.dtype == bool else np.add).at(out, inside[inside >= 0], of_units[inside >= 0])
            return out
        above = self._units.positions_in(level, source.level)
        padded = np.concatenate([of_units, np.zeros_like(of_units[:1])])  # the last row is for -1, no unit above
        return padded[above]

    def _reporting_for(self, source: Source, places: Iterable[Place] | None) -> np.ndarray:
        """Mask of the reporting units inside some places, or above them."""
        if source.level is None:
            return np.ones(1, dtype=bool)
        mask = np.full(len(self._units.level(source.level)), places is None)
        for place in places or ():
            mask |= self._units.around(source.level, place)
        return mask


class Reports(Reporting):
    """The reporting of all incident sources of a release."""

    def __init__(self, sources: pa.Table, silences: pa.Table, sheet: pa.Table, info: ReleaseInfo, units: Units):
        declared = {source.source_id: source for source in info.sources}
        self.source_ids: list[str] = sources["source_id"].to_pylist()
        self.knows_recorded: list[bool] = sources["knows_recorded"].to_pylist()
        self.delay_days: list[float | None] = []
        self.first_day: int | None = min(
            (day for day in sources["first_day"].to_pylist() if day is not None), default=None
        )
        quiet: dict[int, list[tuple[int, int]]] = {}
        for row in silences.to_pylist():
            quiet.setdefault(row["source"], []).append((row["first_day"], row["end_day"]))
        made: list[Source] = []
        for row in sources.to_pylist():
            stated = declared.get(row["source_id"])
            cadence, monthly = cadence_of(stated), stated is not None and stated.precision == "month"
            position = row["position"]
            self.delay_days.append(stated.reporting_delay_days if stated else None)
            own = sheet.filter(pc.equal(sheet["dataset"], row["source_id"]))
            made.append(
                stated_source(position, cadence, monthly, own, units)
                or DerivedSource(position, cadence, monthly, row["first_day"], row["last_day"], quiet.get(position, []))
            )
        super().__init__(made, units)

    def coarser(self, start: int, end: int) -> list[int]:
        """Positions of sources of precision month that cannot say anything of ``[start, end)``."""
        if whole_months(start, end):
            return []
        return [source.position for source in self._sources if source.monthly]


def _remaining(source: Source, left_out: list[LeftOut]) -> np.ndarray:
    """1 for each reporting unit of a source that stays in the comparison, else 0."""
    unit = np.ones(source.units, dtype=np.int64)
    for item in left_out:
        if item.source == source.position:
            unit[slice(None) if item.units is None else item.units] = 0
    return unit
