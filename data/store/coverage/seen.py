"""Which incidents and places working cameras see."""

from __future__ import annotations

import threading

import numpy as np
import shapely
import sqlalchemy as sa

from data.schema import LOCATION_QUALITIES
from data.selection import Selection
from data.store.coverage.ledger import camera_shapes, cameras, in_area
from data.store.filters import INCIDENT, day_window, in_days, selected, without_sources
from data.store.release import Release
from data.store.scope import Scope
from geo.coverage import covered_points

_ROWS_AT_ONCE = 1 << 18
_METRES_A_DEGREE = 111_000.0
_ROW = sa.column("rowid", sa.BigInteger)
# Default coordinates, stations and centroids are not where it happened: they cannot be seen or missed by a camera.
_ELSEWHERE = [LOCATION_QUALITIES.index(name) for name in ("pile_up", "centroid")]

NO_CAMERAS = "没有摄像机"
NO_STATE = "来源未提供摄像机状态，覆盖未评估"


class Sight:
    """What the working cameras of a scope see, asked in degrees; threads share it.

    How many see an incident is worked out when first asked, a quarter of a million rows of the index at a time, and kept:
    a byte a row.
    """

    def __init__(self, release: Release, scope: Scope):
        self._release = release
        chosen = cameras(release).works & in_area(release, None, scope)
        shapes = camera_shapes(release)[chosen]
        latitude = np.nanmean(shapely.bounds(shapes)[:, 1]) if not _empty(shapes) else 0.0
        # covered_points wants metres. Stretching degrees keeps what lies in what to the last digit.
        self._stretch = _METRES_A_DEGREE * np.array([np.cos(np.radians(latitude)), 1.0])
        self._shapes = shapely.transform(shapes, lambda xy: xy * self._stretch)
        self._lock = threading.Lock()
        incidents = release.rows(sa.select(sa.func.count().label("n")).select_from(sa.table("incident")))["n"][
            0
        ].as_py()
        self._times = np.zeros(incidents, np.uint8)
        self._done = np.zeros(incidents // _ROWS_AT_ONCE + 1, bool)

    def points(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """How many working cameras see each point."""
        return covered_points(np.column_stack([lon, lat]) * self._stretch, self._shapes)

    def incidents(self, rows: np.ndarray) -> np.ndarray:
        """How many working cameras see each incident, 2 for two and more; by position in the index, 0 without a point."""
        with self._lock:
            asked = np.unique(rows // _ROWS_AT_ONCE)
            for block in asked[~self._done[asked]]:
                self._look(int(block))
        return self._times[rows]

    def _look(self, block: int) -> None:
        first = block * _ROWS_AT_ONCE
        found = self._release.rows(
            sa.select(_ROW.label("row"), INCIDENT.lon, INCIDENT.lat).where(
                first <= _ROW, first + _ROWS_AT_ONCE > _ROW, INCIDENT.lon.is_not(None), INCIDENT.lat.is_not(None)
            )
        )
        seen = self.points(found["lon"].to_numpy(), found["lat"].to_numpy())
        self._times[found["row"].to_numpy()] = np.minimum(seen, 2)
        self._done[block] = True


def _empty(shapes: np.ndarray) -> bool:
    return bool((shapely.is_missing(shapes) | shapely.is_empty(shapes)).all())


def sight(release: Release, scope: Scope) -> Sight:
    """What the working cameras of a scope see; made once."""
    return release.remember(("sight", scope), lambda: Sight(release, scope))


def unjudged(release: Release, scope: Scope) -> str | None:
    """Why nothing can be said to be seen or missed in a scope: it has no camera, or the state of none is known."""
    inside = in_area(release, None, scope)
    if not inside.any():
        return NO_CAMERAS
    return NO_STATE if cameras(release).unknown[inside].all() else None


def located(release: Release, selection: Selection, scope: Scope) -> list:
    """Conditions of the incidents of a Selection whose point is where they happened."""
    window = day_window((selection.start, selection.end))
    return [
        in_days(*window),
        without_sources(release.reports.coarser(*window)),
        *selected(release, selection, scope),
        INCIDENT.lon.is_not(None),
        INCIDENT.lat.is_not(None),
        INCIDENT.quality.not_in(_ELSEWHERE),
    ]


def seen_by_unit(release: Release, selection: Selection, scope: Scope, level: str) -> np.ndarray:
    """Incidents of each unit of a level, those seen by a working camera, and those seen by two.

    Returns
    -------
    ndarray of int, shape (3, units + 1)
        The last column holds the incidents without a unit.
    """
    key = ("seen by unit", selection, scope, level)
    return release.remember(key, lambda: _by_unit(release, selection, scope, level))


def _by_unit(release: Release, selection: Selection, scope: Scope, level: str) -> np.ndarray:
    size = len(release.units.level(level))
    rows = release.rows(
        sa.select(_ROW.label("row"), sa.func.coalesce(INCIDENT[level], size).label("unit")).where(
            *located(release, selection, scope)
        )
    )
    unit = rows["unit"].to_numpy().astype(np.int64)
    times = sight(release, scope).incidents(rows["row"].to_numpy())
    counted = np.bincount(unit * 3 + times, minlength=3 * (size + 1)).reshape(size + 1, 3)
    return np.array([counted.sum(axis=1), counted[:, 1:].sum(axis=1), counted[:, 2]])
