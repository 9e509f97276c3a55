"""Which camera to repair first: events of the last weeks that it alone would have seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import shapely
import sqlalchemy as sa

from data.selection import Selection
from data.store.coverage.ledger import camera_shapes, cameras, in_area
from data.store.coverage.seen import located, sight
from data.store.filters import INCIDENT
from data.store.metres import DEGREES, in_metres, working_crs
from data.store.release import Release
from data.store.scope import Scope
from data.store.units import Place
from geo.coverage import repair_order
from geo.crs import transform

WEEKS = 12


@dataclass(frozen=True)
class Repair:
    """A camera that is not working and what its repair would add.

    ``gain`` counts the events of ``WEEKS`` weeks up to the window's end in its area that no working camera sees.
    """

    code: str
    name: str
    network: str | None
    gain: int


def repairs(release: Release, selection: Selection, scope: Scope) -> tuple[list[Repair], int]:
    """Which cameras to repair first; kept, as several parts of a pack ask.

    Returns
    -------
    tuple of (list of Repair, int)
        Cameras of the area that are known not to work, most to gain first, and how many there are; dismantled ones, and those
        whose area is not known, left out.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    area = None if selection.area is None else release.units.allowed(selection.area, scope)
    return release.remember(("repairs", selection, scope), lambda: _find(release, selection, scope, area))


def _find(release: Release, selection: Selection, scope: Scope, area: Place | None) -> tuple[list[Repair], int]:
    found = cameras(release)
    shapes = camera_shapes(release)
    broken = (
        in_area(release, area, scope) & ~found.works & ~found.unknown & ~found.removed & ~shapely.is_missing(shapes)
    )
    which = np.flatnonzero(broken)
    if not which.size:
        return [], 0
    asked = replace(selection, start=selection.end - timedelta(weeks=WEEKS), area=None)
    rows = release.rows(
        sa.select(sa.column("rowid").label("row"), INCIDENT.lon, INCIDENT.lat).where(*located(release, asked, scope))
    )
    unseen = sight(release, scope).incidents(rows["row"].to_numpy()) == 0
    lon, lat = (rows[name].to_numpy()[unseen] for name in ("lon", "lat"))
    points = np.column_stack(transform(lon, lat, DEGREES, working_crs(release)))
    codes = [str(i) for i in which]  # two ledgers may use one number
    order = repair_order(
        in_metres(release, shapes[which]),
        points,
        online=np.zeros(len(which), bool),
        codes=codes,
    )
    frame = found.frame.iloc[which][["camera_code", "name", "network"]].astype(object)
    rows = frame.where(frame.notna(), None).to_numpy()
    told = [Repair(str(rows[i][0]), rows[i][1] or "", rows[i][2], int(order.gain[i])) for i in order.order]
    return told, len(told)
