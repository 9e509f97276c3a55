"""The cameras of a release in memory: where they stand, whether they work, what they look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
import sqlalchemy as sa

from data.store.layers import LayerRows, in_reach, layer_rows
from data.store.release import Release
from data.store.scope import Scope
from data.store.units import Place
from geo.coverage import working_cameras
from geo.coverage.ledger import REMOVED
from geo.coverage.sectors import RADIUS, SECTOR, VISIBLE

BEST = "best"
_BEST_FIRST = (VISIBLE, SECTOR, RADIUS)
METHODS = (BEST, *_BEST_FIRST)


@dataclass(frozen=True)
class Cameras:
    """Cameras in the order of their layer; arrays of shape (n,).

    Attributes
    ----------
    rows : LayerRows
    frame : DataFrame
        The columns of the layer.
    works, unknown, removed : ndarray of bool
        As :func:`geo.coverage.working_cameras` says; dismantled ones (拆除) see nothing, now or repaired.
    state : ndarray of str
        ``online``, ``offline`` or ``unknown``, by the flag ``online``.
    """

    rows: LayerRows
    frame: pd.DataFrame
    works: np.ndarray
    unknown: np.ndarray
    removed: np.ndarray
    state: np.ndarray

    def __len__(self) -> int:
        return len(self.state)

    def values(self, name: str) -> np.ndarray:
        """A column of flags or numbers; flags are 1 and 0, unknown is NaN."""
        return self.rows.table[name].cast(pa.float64()).to_numpy()


def cameras(release: Release) -> Cameras:
    """The cameras of a release; read once."""
    return release.remember("cameras", lambda: _read(release))


def _read(release: Release) -> Cameras:
    rows = layer_rows(release, "camera")
    frame = rows.table.to_pandas()
    working = working_cameras(frame.drop(columns="camera_code"))  # two ledgers may use one number
    online = rows.table["online"].cast(pa.float64()).to_numpy()
    state = np.select([online == 1, online == 0], ["online", "offline"], "unknown")
    removed = (frame["device_state"] == REMOVED).to_numpy(bool)
    return Cameras(rows, frame, working.works, working.unknown, removed, state)


def in_area(release: Release, area: Place | None, scope: Scope) -> np.ndarray:
    """Mask over the cameras: those of the area and the scope."""
    return in_reach(release, cameras(release).rows.grid, area, scope)


def methods(release: Release) -> list[str]:
    """What may be asked for: ``best`` (each camera's best shape), and the methods the release has shapes of."""
    query = sa.select(sa.column("method")).select_from(sa.table("camera_coverage")).distinct()
    there = release.remember("coverage methods", lambda: set(release.rows(query)["method"].to_pylist()))
    return [method for method in METHODS if method == BEST or method in there]


def camera_shapes(release: Release, method: str = BEST) -> np.ndarray:
    """What each camera covers, degrees, in the order of the cameras; missing where the release has no such shape.

    Parameters
    ----------
    method : str
        ``best``: what buildings leave of its sector, else its sector, else its circle; or one of these alone.
    """
    return release.remember(("camera shapes", method), lambda: _shapes(release, method))


def _shapes(release: Release, method: str) -> np.ndarray:
    cover = layer_rows(release, "camera_coverage")
    found = cameras(release)
    own = cover.table["method"].to_numpy().astype(object)
    camera = _owners(found.frame["camera_code"].to_numpy(object), found.rows.shapes, cover, own)
    out = np.full(len(found), None, object)
    for name in reversed(_BEST_FIRST) if method == BEST else (method,):
        at = np.flatnonzero((own == name) & (camera >= 0) & cover.drawable)
        out[camera[at]] = cover.shapes[at]
    return out


def _owners(codes: np.ndarray, points: np.ndarray, cover: LayerRows, method: np.ndarray) -> np.ndarray:
    """Position of the camera each covered area belongs to, -1 for none: the one of its number, and where two ledgers use a
    number, the nearest of them that has none of the method yet."""
    wanted = np.array(cover.table["camera_code"].to_pylist(), object)
    first = pd.Series(range(len(codes)), codes, dtype=np.int64)
    owner = first[~first.index.duplicated()].reindex(wanted).fillna(-1).to_numpy(np.int64).copy()
    several = set(first.index[first.index.duplicated()])
    taken: set[tuple[str, int]] = set()
    for i in np.flatnonzero(np.isin(wanted, list(several)) & cover.drawable) if several else ():
        mine = np.array([j for j in np.flatnonzero(codes == wanted[i]) if (method[i], j) not in taken])
        away = shapely.distance(points[mine], cover.shapes[i])
        owner[i] = mine[np.argmin(np.where(np.isnan(away), np.inf, away))]
        taken.add((method[i], owner[i]))
    return owner
