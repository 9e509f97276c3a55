"""Incidents of every community or grid in earlier periods, from what was counted at publication."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from data.index import PERIOD_COUNT, PERIOD_LEVELS, unpack_counts
from data.schema import CATEGORIES
from data.selection import Selection, calendar_unit
from data.store.day_counts import has_table, whole_days
from data.store.release import Release

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
    release: Release, selection: Selection, level: str, kind: str, span: tuple[int, int], key, width: int
) -> np.ndarray:
    """Events of each unit of a level by key, float of shape (units, width), a column in one piece; of the whole release.

    Parameters
    ----------
    span : (int, int)
        Weeks (by the number of their Monday) or half-months, half-open.
    key : callable
        From the numbers of weeks or half-months to columns of the result, 0 to ``width`` - 1.
    """
    size = len(release.units.level(level))
    counted = [CATEGORIES.index(name) for name in selection.counted_categories]
    found = release.rows(
        sa.select(_TABLE.period, _TABLE.width, _TABLE.counts).where(
            _TABLE.level == level,
            _TABLE.kind == kind,
            _TABLE.period >= span[0],
            _TABLE.period < span[1],
            _TABLE.category.in_(counted),
        )
    )
    result = np.zeros((width, size))
    columns = key(found["period"].to_numpy().astype(np.int64))
    for column, bytes_each, counts in zip(
        columns.tolist(), found["width"].to_pylist(), found["counts"].to_pylist(), strict=True
    ):
        result[column] += unpack_counts(bytes_each, counts, size)
    return result.T
