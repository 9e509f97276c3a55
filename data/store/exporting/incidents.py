"""The incidents of a Selection, row by row, however many: read a stretch of days at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from data.schema import CATEGORIES, LOCATION_QUALITIES
from data.selection import Selection
from data.store.exporting.export import POINT, Export
from data.store.filters import INCIDENT, common_meta, in_days
from data.store.release import Release
from data.store.rows import by_day, of_selection
from data.store.scope import Scope

ROWS_AT_ONCE = 40_000  # a batch is whole days, and more only where one day has more
_TIME, _TEXT, _REAL = pa.timestamp("s"), pa.string(), pa.float64()
_NAMED = ("community", "street", "district")
COLUMNS = pa.schema(
    [("incident_id", _TEXT), ("occurred_from", _TIME), ("occurred_to", _TIME), ("category", _TEXT),
     ("subcategory", _TEXT), ("status", _TEXT), ("grid_code", _TEXT),
     *((f"{level}_{what}", _TEXT) for level in _NAMED for what in ("code", "name")),
     ("place_type", _TEXT), ("location_quality", _TEXT), ("source_id", _TEXT), ("lon", _REAL), ("lat", _REAL)]
)  # fmt: skip
_WANTED = ("incident_id", "occurred_from", "occurred_to", "category", "subcategory", "status", "grid", *_NAMED,
           "place_type", "quality", "source", "lon", "lat")  # fmt: skip


def incidents(release: Release, selection: Selection, scope: Scope) -> Export:
    """Every incident of a Selection, oldest first, equal times by number.

    Returns
    -------
    Export
        Areas are null where an incident has none. ``meta.unplaced`` of the rows have no point.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    # The days are counted first: that gives the number of rows, and batches that need no cursor kept open.
    day, n, placed = by_day(release, selection, scope)
    conditions = of_selection(release, selection, scope)
    rows = int(n.sum())
    meta = {**common_meta(release, selection, scope), "unplaced": rows - int(placed.sum()), "matched": rows}
    meta["returned"] = rows

    def batches() -> Iterator[pa.Table]:
        for first, end in _stretches(day, n):
            yield _read(release, [in_days(first, end), *conditions])

    return Export("incidents", selection, meta, COLUMNS, rows, batches, POINT)


def _stretches(day: np.ndarray, n: np.ndarray) -> Iterator[tuple[int, int]]:
    """Half-open stretches of days with about ``ROWS_AT_ONCE`` rows each."""
    first, held = None, 0
    for one, count in zip(day.tolist(), n.tolist(), strict=True):
        if first is not None and held + count > ROWS_AT_ONCE:
            yield first, one
            first, held = None, 0
        first = one if first is None else first
        held += count
    if first is not None:
        yield first, int(day[-1]) + 1


def _read(release: Release, conditions: list) -> pa.Table:
    found = release.rows(
        sa.select(*(INCIDENT[name] for name in _WANTED))
        .where(*conditions)
        .order_by(INCIDENT.occurred_from, INCIDENT.incident_id, INCIDENT.source)
    )
    columns = {name: found[name] for name in _WANTED if name in COLUMNS.names}
    columns["category"] = pa.array(CATEGORIES).take(found["category"])
    columns["location_quality"] = pa.array(LOCATION_QUALITIES).take(found["quality"])
    columns["source_id"] = pa.array(release.reports.source_ids, _TEXT).take(found["source"])
    for level in ("grid", *_NAMED):
        units = release.units.level(level)
        columns[f"{level}_code"] = pa.array(units.codes, _TEXT).take(found[level])
        columns[f"{level}_name"] = pa.array(units.names, _TEXT).take(found[level])
    return pa.table([columns[name] for name in COLUMNS.names], names=COLUMNS.names).cast(COLUMNS)
