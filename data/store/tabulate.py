"""Incidents of a Selection counted by a number, one by one in the index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from data.selection import Selection
from data.store.filters import INCIDENT, in_days, selected
from data.store.inside import bounds_of, inside
from data.store.release import Release
from data.store.scope import Scope

_MANY_GROUPS = 1 << 16  # from here on numpy counts: DuckDB takes three times as long for it at a million groups
_ROWS_AT_ONCE = 1 << 22
_DAYS_AT_ONCE = 128  # of points fetched for a polygon, 20 bytes each
_KEY = "key"


def tabulate(
    release: Release,
    selection: Selection,
    scope: Scope,
    days: tuple[int, int],
    key: sa.ColumnElement[int],
    size: int,
    *,
    conditions: Iterable[sa.ColumnElement[bool]] = (),
    kept: sa.ColumnElement[bool] | None = None,
) -> np.ndarray:
    """Count incidents by key.

    Parameters
    ----------
    days : (int, int)
        Half-open; the Selection's own windows do not matter here.
    key : ColumnElement
        Over columns of ``incident``: 0 to ``size`` - 1.
    conditions : iterable of ColumnElement
        What else must hold, besides days, Selection and scope.
    kept : ColumnElement or None
        A condition whose incidents are counted once more.

    Returns
    -------
    ndarray of int, shape (1 or 2, size)
        All, then those kept.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    conditions = [*conditions, *selected(release, replace(selection, polygon=None), scope)]
    result = np.zeros((1 if kept is None else 2, size), dtype=np.int64)
    if selection.polygon is not None:
        _add_points(result, release, selection.polygon, days, key, kept, conditions)
        return result
    conditions.append(in_days(*days))
    if size < _MANY_GROUPS:
        columns = [key.label(_KEY), sa.func.count().label("n")]
        columns += [] if kept is None else [sa.func.count().filter(kept).label("kept")]
        found = release.rows(sa.select(*columns).where(*conditions).group_by(_KEY))
        at = found[_KEY].to_numpy()
        for row, name in zip(result, ("n", "kept"), strict=False):
            row[at] = found[name].to_numpy()
        return result
    columns = [sa.cast(key, sa.Integer).label(_KEY), *([] if kept is None else [kept.label("kept")])]
    _add_rows(result, release.rows(sa.select(*columns).where(*conditions)))
    return result


def _add_rows(result: np.ndarray, rows: pa.Table) -> None:
    """Count rows, each one incident."""
    size = result.shape[1]
    for start in range(0, rows.num_rows, _ROWS_AT_ONCE):
        part = rows.slice(start, _ROWS_AT_ONCE)
        at = part[_KEY].to_numpy()
        result[0] += np.bincount(at, minlength=size)
        if len(result) > 1:
            result[1] += np.bincount(at[part["kept"].to_numpy().astype(bool)], minlength=size)


def _add_points(result: np.ndarray, release: Release, polygon: str, days, key, kept, conditions: list) -> None:
    """Count the incidents in a polygon: asked for by its extent, then tested here, all at once."""
    west, south, east, north = bounds_of(polygon)
    conditions = [*conditions, INCIDENT.lon.between(west, east), INCIDENT.lat.between(south, north)]
    columns = [sa.cast(key, sa.Integer).label(_KEY), INCIDENT.lon, INCIDENT.lat]
    columns += [] if kept is None else [kept.label("kept")]
    for start in range(days[0], days[1], _DAYS_AT_ONCE):
        part = in_days(start, min(start + _DAYS_AT_ONCE, days[1]))
        rows = release.rows(sa.select(*columns).where(part, *conditions))
        within = inside(polygon, rows["lon"].to_numpy(), rows["lat"].to_numpy())
        _add_rows(result, rows.drop_columns(["lon", "lat"]).filter(pa.array(within)))
