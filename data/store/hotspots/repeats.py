"""Places where it happens again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from data.schema import CATEGORIES
from data.selection import Selection, Window
from data.store.filters import INCIDENT
from data.store.hotspots.events import count_points, point_conditions
from data.store.hotspots.projection import metre_points
from data.store.metres import crs_name, release_crs
from data.store.release import Release
from data.store.scope import Scope
from geo.evaluation import RepeatPlaces, repeat_places

QUALITIES = ("exact",)  # shortened coordinates of different places fall on one point
MINIMUM = 2


@dataclass(frozen=True, eq=False)
class Repeats:
    """Places with several events, most events first.

    Attributes
    ----------
    places : RepeatPlaces
        Its ``share_pct`` is of the events at repeated points, not of ``n``.
    lon, lat : float arrays, shape (places,)
        Degrees.
    categories : list of dict
        Events of each category at each place, most first.
    grid : int array, shape (places,)
        Position of the grid of the place; -1 for none.
    n : int
        Events with a usable point.
    parameters : dict
    """

    places: RepeatPlaces
    lon: np.ndarray
    lat: np.ndarray
    categories: list[dict[str, int]]
    grid: np.ndarray
    n: int
    parameters: dict


def repeats(release: Release, selection: Selection, scope: Scope, asked: Window) -> Repeats:
    """Points of the Selection at which two or more events are recorded in the window."""
    n, left_out = count_points(release, selection, scope, asked, QUALITIES)
    found = _at_repeated_points(release, selection, scope, asked)
    lon, lat = found["lon"].to_numpy(), found["lat"].to_numpy()
    crs = release_crs(release)
    xy = np.zeros((0, 2)) if crs is None else metre_points(release, lon, lat)
    places = repeat_places(xy, found["occurred_from"].to_numpy().astype("datetime64[s]")[: len(xy)], minimum=MINIMUM)
    size = len(places.count)
    by_category = np.zeros((size, len(CATEGORIES)), dtype=np.int64)
    np.add.at(by_category, (places.place, found["category"].to_numpy().astype(np.int64)[: len(xy)]), 1)
    one = np.zeros(size, dtype=np.int64)  # an event of each place
    one[places.place[::-1]] = np.arange(len(xy))[::-1]
    parameters = {
        "minimum": MINIMUM,
        "tolerance_m": places.tolerance_m,
        "n": n,
        "left_out": left_out,
        "crs": None if crs is None else crs_name(crs),
        "seed": None,
        "reference": [],
        "automatic": [],
    }
    grid = found["grid"].cast(pa.int64()).fill_null(-1).to_numpy()
    return Repeats(places, lon[one], lat[one], [_named(row) for row in by_category], grid[one], n, parameters)


def _at_repeated_points(release: Release, selection: Selection, scope: Scope, asked: Window) -> pa.Table:
    """Only events that share their point with another are read: of millions they are few."""
    conditions = point_conditions(release, selection, scope, asked, QUALITIES)
    again = (
        sa.select(INCIDENT.lon.label("x"), INCIDENT.lat.label("y"))
        .where(*conditions)
        .group_by(INCIDENT.lon, INCIDENT.lat)
        .having(sa.func.count() >= MINIMUM)
        .subquery("again")
    )
    return release.rows(
        sa.select(*(INCIDENT[name] for name in ("lon", "lat", "occurred_from", "category", "grid")))
        .join_from(INCIDENT.lon.table, again, sa.and_(INCIDENT.lon == again.c.x, INCIDENT.lat == again.c.y))
        .where(*conditions)
    )


def _named(row: np.ndarray) -> dict[str, int]:
    return {CATEGORIES[k]: int(row[k]) for k in np.argsort(-row, kind="stable") if row[k]}
