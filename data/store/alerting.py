"""Which alerts a release raises, found once at publication: rises over the control band, new significant hotspots, silent
sources, cameras that are down inside hotspots.

The budget is that of :mod:`geo`: a week lies over its band by chance in about 1 % of weeks (measured, see
:func:`data.store.band.trend_band`), a grid is flagged at a false-discovery rate of 5 %.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time

import numpy as np

from data.schema import CATEGORIES, INVALID
from data.selection import Selection
from data.store.band import trend_band
from data.store.catalogue import describe
from data.store.coverage import cameras
from data.store.hotspots import unit_classes
from data.store.hotspots.groups import Group
from data.store.release import Release
from data.store.scope import Scope
from data.store.trend import trend

LEAST_EVENTS = 3  # of a new hotspot
MANY_OFFLINE = 3  # cameras down in one hotspot, from which on it is more than a note
_ALL = Scope.everything()
_HOT = ("hot95", "hot99")


@dataclass(frozen=True)
class _Found:
    """An alert before it is dated."""

    key: str
    kind: str
    code: str | None
    severity: str
    evidence: dict = field(default_factory=dict)


def raise_alerts(release: Release, now: datetime, seen: dict[str, datetime]) -> list[dict]:
    """Rows of the layer ``alert``.

    Parameters
    ----------
    now : datetime
        Wall clock of the release's zone with that zone; the alerts' ``first_seen`` where they are new.
    seen : dict
        ``alert_id -> first_seen`` of the release before: what it found already is not new.
    """
    week = release.selection([])
    start, end = (datetime.combine(day, time()) for day in (week.start, week.end))
    local = now.replace(tzinfo=None)
    found = [*_silent(release, now), *_rises(release, week), *_hotspots(release, week)]
    return [
        {
            "alert_id": one.key,
            "kind": one.kind,
            "area_code": one.code,
            "window_start": start,
            "window_end": end,
            "severity": one.severity,
            "evidence": json.dumps(one.evidence, ensure_ascii=False),
            "first_seen": seen.get(one.key) or local,
        }
        for one in found
    ]


def _silent(release: Release, now: datetime) -> Iterator[_Found]:
    for source in describe(release, now, _ALL)["sources"]:
        if source["silent"]:
            told = {"source": source["id"], "data_as_of": source["data_as_of"]}
            yield _Found(f"silent:{source['id']}:{source['data_as_of']}", "silent", None, "high", told)


def _rises(release: Release, week: Selection) -> Iterator[_Found]:
    """The window's total and each category of the whole, and the total of each district, over their bands."""
    if not release.reports.source_ids or week.days != 7:
        return
    asked = [(None, None), *((None, name) for name in CATEGORIES if name != INVALID)]
    asked += [(code, None) for code in release.units.level("district").codes.tolist()]
    for code, category in asked:
        selection = replace(week, area=code, categories=(category,) if category else (), compare="none")
        (row,) = trend_band(release, selection, _ALL, "week").rows.to_pylist()
        if row["outside"] != "above":
            continue
        counts = trend(release, selection, _ALL, "week").rows["count"].to_pylist()
        told = {"category": category, "count": sum(n or 0 for n in counts), "mean": round(row["mean"], 1),
                "upper": int(np.floor(row["upper"]))}  # fmt: skip
        key = f"above:{code or ''}:{category or ''}:{week.start}"
        yield _Found(key, "above", code, "high" if category is None else "medium", told)


def _hotspots(release: Release, week: Selection) -> Iterator[_Found]:
    """Numbered hotspots none of whose grids was flagged the week before; cameras that are down in any of them."""
    if not len(release.units.level("grid")) or not release.reports.source_ids:
        return
    groups = unit_classes(release, week, _ALL, "gi", "grid").groups
    before = np.isin(unit_classes(release, week, _ALL, "gi", "grid", "before").label, _HOT) if groups else None
    for group in groups:
        # Told to who may see the whole hotspot; None is who sees the whole release.
        place, code = _peak(release, group), release.units.holding("grid", group.units)
        told = {"place": place, "number": group.number, "count": group.count, "before": group.before, "q": group.q_min}
        if group.count >= LEAST_EVENTS and group.before is not None and not before[list(group.units)].any():
            yield _Found(f"hotspot:{group.code}:{week.start}", "hotspot", code, "medium", told)
        yield from _offline(release, group, place, code)


def _offline(release: Release, group: Group, place: str, code: str | None) -> Iterator[_Found]:
    known = cameras(release)
    here = np.isin(known.rows.grid, group.units) & ~known.removed
    down = int((here & (known.state == "offline")).sum())
    if down:
        told = {"place": place, "number": group.number, "offline": down, "cameras": int(here.sum())}
        yield _Found(f"offline:{group.code}", "offline", code, "medium" if down >= MANY_OFFLINE else "low", told)


def _peak(release: Release, group: Group) -> str:
    """Name of the community (else the next wider unit, else the grid) that the hotspot's peak lies in."""
    units, at = release.units.level("grid"), release.units.find(group.code).position
    for level in ("community", "street", "district"):
        if len(release.units.level(level)) and units.above[level][at] >= 0:
            return str(release.units.level(level).names[units.above[level][at]])
    return group.name
