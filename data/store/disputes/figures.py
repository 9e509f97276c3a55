"""The lines of one dispute source as arrays: one figure for each period and area, totals never added to their parts.

A line is a total where it names no category, channel or level of closing, else a part. For each count the broadest
lines that state it stand: the total where it is given, else the sum of the parts that name least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from data.index import UNIT_LEVELS
from data.store.disputes.sources import STAT, DisputeSource, Period
from data.store.release import Release
from data.store.report_sources import days_of, places_of, span_keys

FLOWS = ("found", "accepted", "handled", "succeeded", "partial", "failed", "on_time", "overdue")  # add up over periods
STOCKS = ("open", "open_le30", "open_31_90", "open_gt90")  # stand at the end of a period
COUNTS = (*FLOWS, *STOCKS)
PARTS = ("category", "channel", "closed_level")  # what a line may be a part by
PART_COUNTS = ("found", "handled", "succeeded")
_NONE = -1  # in stored arrays: not told


@dataclass(frozen=True)
class Figures:
    """Figures of some areas in some periods.

    Attributes
    ----------
    periods : tuple of (int, int)
    level : ndarray of int, shape (areas,)
        Index into UNIT_LEVELS.
    position : ndarray of int, shape (areas,)
    counts : dict of str to ndarray of int32, shape (groups, periods, areas)
        By count; -1 is not told. Counts the source never tells are absent. Totals are one group.
    """

    periods: tuple[Period, ...]
    level: np.ndarray
    position: np.ndarray
    counts: dict[str, np.ndarray]

    def values(self, name: str, periods: tuple[Period, ...]) -> np.ndarray | None:
        """A count in some of the periods, float with NaN for not told, shape (groups, periods, areas)."""
        if name not in self.counts or not periods:
            return None
        at = [self.periods.index(period) for period in periods]
        chosen = self.counts[name][:, at]
        return np.where(chosen == _NONE, np.nan, chosen)


def totals(release: Release, source: DisputeSource) -> Figures:
    """The total of each area in each period the source tells of; kept in memory, 4 bytes a figure."""
    key = ("dispute totals", source.source_id)
    return release.remember(key, lambda: _figures(release, source, tuple(sorted(source.told)), COUNTS, None)[1])


def parts(release: Release, source: DisputeSource, periods: tuple[Period, ...], by: str) -> tuple[list[str], Figures]:
    """The same of every part by ``category``, ``channel`` or ``closed_level``: names, and figures with a group a name."""
    key = ("dispute part lines", source.source_id, periods, by)
    return release.remember(key, lambda: _figures(release, source, periods, PART_COUNTS, by))


def _figures(release, source, periods: tuple[Period, ...], names, by: str | None) -> tuple[list[str], Figures]:
    lines = _lines(release, source, periods, names, by)
    level, position = places_of(lines["area_code"], release.units)
    period = _which(periods, days_of(lines["period_start"]), days_of(lines["period_end"]))
    group, groups = np.zeros(lines.num_rows, dtype=np.int64), []
    if by is not None:
        column = lines[by].combine_chunks().dictionary_encode()
        groups, group = column.dictionary.to_pylist(), column.indices.to_numpy().astype(np.int64)
    named = sum(lines[name].is_valid().to_numpy().astype(np.int64) << bit for bit, name in enumerate(PARTS))
    usable = (level >= 0) & (period >= 0)
    wide = len(max((release.units.level(name).codes for name in UNIT_LEVELS), key=len)) + 1
    areas, area = np.unique((level * wide + position)[usable], return_inverse=True)
    shape = (max(len(groups), 1) if by else 1, len(periods), len(areas))
    cell = np.ravel_multi_index((group[usable], period[usable], area), shape)
    kind = named[usable]
    counts = {}
    for name in names:
        values = lines[name].cast(pa.float64()).to_numpy()[usable]
        if not np.isnan(values).all():
            counts[name] = _broadest(cell, kind, values, int(np.prod(shape))).reshape(shape)
    return groups, Figures(periods, areas // wide, areas % wide, counts)


def _lines(release, source: DisputeSource, periods, names, by: str | None) -> pa.Table:
    first, last = min((p[0] for p in periods), default=0), max((p[1] for p in periods), default=0)
    columns = [STAT.c.period_start, STAT.c.period_end, STAT.c.area_code, *(STAT.c[name] for name in PARTS)]
    query = sa.select(*columns, *(sa.column(name, sa.Integer) for name in names)).where(
        STAT.c.source_id == source.source_id,
        STAT.c.period_start >= np.datetime64(first, "D").item(),
        STAT.c.period_end <= np.datetime64(last, "D").item(),
    )
    return release.rows(query if by is None else query.where(STAT.c[by].is_not(None)))


def _which(periods: tuple[Period, ...], start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The place of each line's period among ascending periods, -1 where it is none of them."""
    if not periods:
        return np.full(len(start), -1)
    known, keys = span_keys(*np.array(periods).T), span_keys(start, end)
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[at] == keys, at, -1)


def _broadest(cell: np.ndarray, kind: np.ndarray, values: np.ndarray, cells: int) -> np.ndarray:
    """Sum of each cell over the lines of its broadest kind that tells the count; -1 where none does.

    ``kind`` has a bit for each of PARTS that a line names.
    """
    result = np.full(cells, _NONE, dtype=np.int32)
    told = ~np.isnan(values)
    for broad in sorted(np.unique(kind[told]).tolist(), key=lambda bits: (bits.bit_count(), bits)):
        rows = told & (kind == broad)
        sums = np.bincount(cell[rows], weights=values[rows], minlength=cells)
        fill = (np.bincount(cell[rows], minlength=cells) > 0) & (result == _NONE)
        result[fill] = sums[fill]
    return result
