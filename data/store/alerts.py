"""The alerts of a release, as they were found at publication."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from data.store.release import Release
from data.store.scope import Scope
from data.store.units import Place

SEVERITIES = ("high", "medium", "low")
_COLUMNS = ("alert_id", "kind", "area_code", "severity", "evidence", "window_start", "window_end", "first_seen")


@dataclass(frozen=True)
class Alert:
    """One alert.

    Attributes
    ----------
    alert_id : str
        The same in every release that finds the same thing.
    kind : str
        See ``data.alerts``.
    code, name : str or None
        The area it is about; None is the whole release.
    severity : str
        One of ``SEVERITIES``.
    evidence : dict
        What it rests on, numbers and names of aggregates.
    first_seen : datetime or None
        Time of the first release that found it.
    """

    alert_id: str
    kind: str
    code: str | None
    name: str | None
    severity: str
    evidence: dict
    window: tuple[datetime | None, datetime | None]
    first_seen: datetime | None


def alerts(release: Release, scope: Scope, area: Place | None = None) -> list[Alert]:
    """The alerts of an area (None: of the whole scope), worst first, of these the latest first.

    What is about the whole release is told to those who may see all of it; an area's alerts are those inside it.
    """
    rows = release.rows(sa.select(*map(sa.column, _COLUMNS)).select_from(sa.table("alert"))).to_pylist()
    found = []
    for row in rows:
        place = release.units.find(row["area_code"]) if row["area_code"] else None
        if not _told(release, scope, area, row["area_code"], place):
            continue
        name = None if place is None else str(release.units.level(place.level).names[place.position])
        found.append(Alert(row["alert_id"], row["kind"], row["area_code"], name, row["severity"],
                           json.loads(row["evidence"] or "{}"), (row["window_start"], row["window_end"]),
                           row["first_seen"]))  # fmt: skip
    latest = sorted(found, key=lambda one: (one.first_seen or datetime.min, one.alert_id), reverse=True)
    return sorted(latest, key=lambda one: SEVERITIES.index(one.severity))


def _told(release: Release, scope: Scope, area: Place | None, code: str | None, place: Place | None) -> bool:
    if code is None:
        return scope.areas is None and area is None
    if place is None or not release.units.in_scope(place.level, scope)[place.position]:
        return False
    return area is None or bool(release.units.inside(place.level, area)[place.position])
