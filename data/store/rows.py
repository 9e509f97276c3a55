"""The incidents behind the numbers, row by row, newest first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from data.schema import CATEGORIES, LOCATION_QUALITIES
from data.selection import Selection
from data.store.answer import Answer
from data.store.filters import INCIDENT, common_meta, day_window, in_days, selected, without_sources
from data.store.release import Release
from data.store.scope import Scope

ORDERS = ("time", "earliest")
MOST_ROWS = 5000
_WANTED = ("incident_id", "occurred_from", "occurred_to", "category", "subcategory", "community", "grid", "place_type",
           "quality", "status", "lon", "lat")  # fmt: skip


def incident_rows(
    release: Release, selection: Selection, scope: Scope, *, limit: int = 500, offset: int = 0, order: str = "time"
) -> Answer:
    """The incidents of a Selection.

    Parameters
    ----------
    limit, offset : int
        At most ``MOST_ROWS`` rows, after leaving out the first ``offset``.
    order : str
        ``time``: newest first; ``earliest``: oldest first. Equal times by number, so that pages never overlap.

    Returns
    -------
    Answer
        Rows ``incident_id, occurred_from, occurred_to, category, subcategory, community, community_code, grid,
        grid_code, place_type, location_quality, status, lon, lat``. Times are ISO text of the release's wall clock,
        ``occurred_to`` null for an exact one; areas null where an incident has none; ``lon`` and ``lat`` null without a
        usable point. ``meta.matched`` is exact, ``meta.unplaced`` of these have no point; ``meta.absent`` lists the
        columns that no source of the release provides (来源未提供).

    Raises
    ------
    OutsideScope, UnknownArea
    ValueError
        A limit outside 1 to ``MOST_ROWS``, an offset below 0, an unknown order.
    """
    if not 1 <= limit <= MOST_ROWS or offset < 0 or order not in ORDERS:
        raise ValueError(
            f"limit {limit}, offset {offset}, order {order!r}: expected 1 to {MOST_ROWS}, 0 or more, {ORDERS}"
        )
    day, matched, placed = by_day(release, selection, scope)
    meta = {**common_meta(release, selection, scope), "limit": limit, "offset": offset, "order": order}
    meta["unplaced"] = int(matched.sum() - placed.sum())
    meta["absent"] = release.remember("incident_rows absent", lambda: _absent(release))
    found = _page(release, of_selection(release, selection, scope), day, matched, limit, offset, order)
    return Answer.of(meta, _readable(release, found), int(matched.sum()))


def of_selection(release: Release, selection: Selection, scope: Scope) -> list[sa.ColumnElement[bool]]:
    """Conditions of the rows of a Selection, but for the days."""
    coarser = release.reports.coarser(*day_window((selection.start, selection.end)))
    return [without_sources(coarser), *selected(release, selection, scope)]


def by_day(release: Release, selection: Selection, scope: Scope) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days of the window with incidents, ascending; how many each has, and how many of these have a point. Kept."""
    key = ("incident_rows", replace(selection, compare="none"), scope)
    return release.remember(key, lambda: _by_day(release, selection, scope))


def _by_day(release: Release, selection: Selection, scope: Scope) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    window, conditions = day_window((selection.start, selection.end)), of_selection(release, selection, scope)
    found = release.rows(
        sa.select(INCIDENT.day.label("day"), sa.func.count().label("n"), sa.func.count(INCIDENT.lon).label("placed"))
        .where(in_days(*window), *conditions)
        .group_by("day")
    ).sort_by("day")
    return tuple(found[name].to_numpy().astype(np.int64) for name in ("day", "n", "placed"))


def _absent(release: Release) -> list[str]:
    """Columns that are null in every incident of the release."""
    names = ("subcategory", "community", "grid", "place_type", "status")
    return [
        n for n in names if not release.rows(sa.select(INCIDENT[n]).where(INCIDENT[n].is_not(None)).limit(1)).num_rows
    ]


def _page(release, conditions, day, matched, limit: int, offset: int, order: str) -> pa.Table:
    """The rows wanted. Only the days that hold them are read: the file stands in time order."""
    newest = order == "time"
    days, n = (day[::-1], matched[::-1]) if newest else (day, matched)
    until = np.cumsum(n)
    first = int(np.searchsorted(until, offset, side="right"))
    last = int(np.searchsorted(until, offset + limit, side="left"))
    touched = days[first : last + 1]
    span = (int(touched.min()), int(touched.max()) + 1) if touched.size else (0, 0)
    skipped = int(until[first] - n[first]) if touched.size else 0
    by_time = INCIDENT.occurred_from.desc() if newest else INCIDENT.occurred_from
    return release.rows(
        sa.select(*(INCIDENT[name] for name in _WANTED))
        .where(in_days(*span), *conditions)
        .order_by(by_time, INCIDENT.incident_id, INCIDENT.source)
        .limit(limit)
        .offset(offset - skipped)
    )


def _readable(release: Release, found: pa.Table) -> pa.Table:
    """Positions as words, codes and names."""
    columns = {name: found[name] for name in _WANTED}
    for name in ("occurred_from", "occurred_to"):
        columns[name] = pc.strftime(found[name].cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%S")
    columns["category"] = pa.array(CATEGORIES).take(found["category"])
    columns["quality"] = pa.array(LOCATION_QUALITIES).take(found["quality"])
    for level in ("community", "grid"):
        units = release.units.level(level)
        columns[level] = pa.array(units.names, pa.string()).take(found[level])
        columns[f"{level}_code"] = pa.array(units.codes, pa.string()).take(found[level])
    order = ("incident_id", "occurred_from", "occurred_to", "category", "subcategory", "community", "community_code",
             "grid", "grid_code", "place_type", "quality", "status", "lon", "lat")  # fmt: skip
    return pa.table({"location_quality" if name == "quality" else name: columns[name] for name in order})
