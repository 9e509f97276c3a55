"""The events a hotspot method counts: by unit and window, or as points; and how many it leaves out, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from data.schema import LOCATION_QUALITIES
from data.selection import Selection, Window
from data.store.counts import states
from data.store.filters import INCIDENT, day_window, in_days, selected, without_sources
from data.store.release import Release
from data.store.scope import Scope

# Default coordinates and centres of areas are no places: they heap up where nothing happens.
LEFT_OUT = ("pile_up", "centroid")
POINTS = ("exact", "low_precision")


@dataclass(frozen=True)
class UnitCounts:
    """Events of every unit in one window.

    Attributes
    ----------
    values : float array, shape (units,)
        NaN where the unit is 未报 in the window, or outside the scope.
    n : int
        Events in ``values``.
    left_out : dict
        Events of the scope and window that are not: ``pile_up``, ``centroid``, ``no_unit``.
    """

    values: np.ndarray
    n: int
    left_out: dict[str, int]


def count_units(
    release: Release, selection: Selection, scope: Scope, level: str, windows: list[Window]
) -> list[UnitCounts]:
    """Events of every unit of ``level`` in each window, pile-ups and centroids left out."""
    days = [day_window(window) for window in windows]
    tally = release.reports.tally(level, days)
    inside = release.units.in_scope(level, scope)
    conditions = selected(release, selection, scope)
    counted = []
    for column, span in enumerate(days):
        every, left = _by_unit(release, level, [*_within(release, span), *conditions])
        kept = every - sum(left.values())
        values = np.where(inside, kept[:-1], np.nan)
        # The state is that of everything recorded, as on the other maps.
        values[states(every[:-1], tally, column) == "missing"] = np.nan
        n = int(np.nansum(values))
        reasons = {name: int(count.sum()) for name, count in left.items()}
        counted.append(UnitCounts(values, n, {**reasons, "no_unit": int(kept.sum()) - n}))
    return counted


def _by_unit(release: Release, level: str, conditions: list) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """All events, and those left out, by unit; the last are of no unit."""
    size = len(release.units.level(level))
    left = {name: sa.func.count().filter(INCIDENT.quality == LOCATION_QUALITIES.index(name)).label(name)
            for name in LEFT_OUT}  # fmt: skip
    found = release.rows(
        sa.select(INCIDENT[level].label("unit"), sa.func.count().label("n"), *left.values())
        .where(*conditions)
        .group_by("unit")
    )
    unit = found["unit"].fill_null(size).to_numpy().astype(np.int64)

    def spread(name: str) -> np.ndarray:
        values = np.zeros(size + 1, dtype=np.int64)
        values[unit] = found[name].to_numpy()
        return values

    return spread("n"), {name: spread(name) for name in LEFT_OUT}


def points(release: Release, selection: Selection, scope: Scope, window: Window, *columns: str) -> pa.Table:
    """Longitude, latitude and more columns of the events whose point can be used, in the order of the file: by time."""
    wanted = (INCIDENT[name] for name in ("lon", "lat", *columns))
    return release.rows(sa.select(*wanted).where(*point_conditions(release, selection, scope, window)))


def point_conditions(
    release: Release, selection: Selection, scope: Scope, window: Window, qualities: tuple[str, ...] = POINTS
) -> list:
    """Conditions of the events whose point can be used."""
    usable = [INCIDENT.quality == LOCATION_QUALITIES.index(name) for name in qualities]
    return [*_within(release, day_window(window)), sa.or_(*usable), INCIDENT.lon.is_not(None),
            *selected(release, selection, scope)]  # fmt: skip


def count_points(
    release: Release, selection: Selection, scope: Scope, window: Window, qualities: tuple[str, ...] = POINTS
) -> tuple[int, dict[str, int]]:
    """How many events have a point that can be used, and how many have not, by reason."""
    found = release.rows(
        sa.select(INCIDENT.quality, INCIDENT.lon.is_(None).label("bare"), sa.func.count().label("n"))
        .where(*_within(release, day_window(window)), *selected(release, selection, scope))
        .group_by("quality", "bare")
    )
    n, left = 0, dict.fromkeys([*(q for q in LOCATION_QUALITIES if q not in (*qualities, "none")), "no_coordinates"], 0)
    for quality, bare, count in zip(*(found[name].to_pylist() for name in ("quality", "bare", "n")), strict=True):
        name = LOCATION_QUALITIES[quality]
        if bare or name == "none":
            left["no_coordinates"] += count
        elif name in qualities:
            n += count
        else:
            left[name] += count
    return n, left


def _within(release: Release, days: tuple[int, int]) -> list:
    return [in_days(*days), without_sources(release.reports.coarser(*days))]
