"""Incidents of every community or grid in whole weeks or half-months, from what was counted at publication."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from data.index import PERIOD_COUNT, PERIOD_LEVELS, unpack_counts
from data.schema import CATEGORIES
from data.selection import Selection
from data.store.day_counts import has_table, whole_days
from data.store.filters import date_of, half_of
from data.store.release import Release

_TABLE = sa.table(
    PERIOD_COUNT,
    *(sa.column(name, sa.Integer) for name in ("period", "category", "width")),
    *(sa.column(name, sa.String) for name in ("level", "kind")),
    sa.column("counts", sa.LargeBinary),
).c
_MONDAY, _WEEK = 4, 7  # 1970-01-05


def period_kind(
    release: Release, selection: Selection, level: str | None, spans: Sequence[tuple[int, int]]
) -> str | None:
    """``week`` or ``half``: what some spans are made of, whole; None where single incidents must be counted: other days, an
    hour, weekday or polygon filter, a source that counts only in whole months, a level counted otherwise, a release made
    before."""
    if level not in PERIOD_LEVELS or not whole_days(selection) or not has_table(release, PERIOD_COUNT):
        return None
    if any(release.reports.coarser(*span) for span in spans):
        return None
    edges = {edge for span in spans for edge in span}
    if all((edge - _MONDAY) % _WEEK == 0 for edge in edges):
        return "week"
    return "half" if all(date_of(edge).day in (1, 16) for edge in edges) else None


def count_periods(
    release: Release, selection: Selection, level: str, kind: str, periods: Sequence[tuple[int, int]]
) -> np.ndarray:
    """Events of each unit of a level in each period, ints of shape (units, periods); of the whole release.

    Parameters
    ----------
    periods : sequence of (int, int)
        Days of whole weeks or half-months (``kind``), half-open, without overlap, in any order.
    """
    size = len(release.units.level(level))
    counted = [CATEGORIES.index(name) for name in selection.counted_categories]
    starts, ends = np.array(periods).T if kind == "week" else np.array([[half_of(a), half_of(b)] for a, b in periods]).T
    found = release.rows(
        sa.select(_TABLE.period, _TABLE.width, _TABLE.counts).where(
            _TABLE.level == level,
            _TABLE.kind == kind,
            _TABLE.period >= int(starts.min()),
            _TABLE.period < int(ends.max()),
            _TABLE.category.in_(counted),
        )
    )
    result = np.zeros((len(periods), size), dtype=np.int64)
    number = found["period"].to_numpy().astype(np.int64)
    order = np.argsort(starts)
    at = order[np.searchsorted(starts[order], number, side="right") - 1]
    rows = zip(at.tolist(), number < ends[at], found["width"].to_pylist(), found["counts"].to_pylist(), strict=True)
    for period, inside, bytes_each, counts in rows:
        if inside:
            result[period] += unpack_counts(bytes_each, counts, size)
    return result.T
