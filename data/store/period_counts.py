"""Incidents of every community or grid in earlier periods, from what was counted at publication."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from data.index import PERIOD_COUNT, PERIOD_LEVELS, unpack_counts
from data.schema import CATEGORIES
from data.selection import Selection, calendar_unit
from data.store.day_counts import has_table, whole_days
from data.store.release import Release
from data.store.span_counts import half_of

_TABLE = sa.table(
    PERIOD_COUNT,
    *(sa.column(name, sa.Integer) for name in ("period", "category", "width")),
    *(sa.column(name, sa.String) for name in ("level", "kind")),
    sa.column("counts", sa.LargeBinary),
).c


def prepared_kind(release: Release, selection: Selection, level: str) -> str | None:
    """``week`` or ``half``: what the periods of a Selection's window are made of; None where single incidents must be
    counted: other days, an hour, weekday or polygon filter, a level counted otherwise, a release made before."""
    if level not in PERIOD_LEVELS or not whole_days(selection) or not has_table(release, PERIOD_COUNT):
        return None
    if calendar_unit((selection.start, selection.end)) != "days":
        return "half"
    return "week" if selection.days % 7 == 0 and selection.start.isoweekday() == 1 else None


def count_periods(
    release: Release, selection: Selection, level: str, kind: str, periods: Sequence[tuple[int, int]]
) -> np.ndarray:
    """Events of each unit of a level in each period, float of shape (units, periods), a column in one piece; of the whole
    release.

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
    result = np.zeros((len(periods), size))
    number = found["period"].to_numpy().astype(np.int64)
    order = np.argsort(starts)
    at = order[np.searchsorted(starts[order], number, side="right") - 1]
    rows = zip(at.tolist(), number < ends[at], found["width"].to_pylist(), found["counts"].to_pylist(), strict=True)
    for period, inside, bytes_each, counts in rows:
        if inside:
            result[period] += unpack_counts(bytes_each, counts, size)
    return result.T
