"""Hotspots as pages and packs tell them: numbered, named by the place of their peak, new or lasting; and those that faded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.language import say
from data.selection import Selection
from data.store import Release, Scope
from data.store.hotspots import unit_classes
from data.store.hotspots.groups import Group

HOT = ("hot95", "hot99")
NEW, LASTING, FADED = "新增", "持续", "消退"


@dataclass(frozen=True)
class Hotspot:
    """A numbered hotspot with the place its peak lies in.

    ``state`` is 新增 where none of its cells was flagged in the compared window, else 持续; 消退 of one that was flagged then
    and has no flagged cell now, whose ``group`` is that of then; None without comparison.
    """

    group: Group
    place: str
    parent: str
    state: str | None

    @property
    def around(self) -> str:
        """The place, as that of more than one grid: a hotspot of several reaches beyond the place of its peak."""
        return say("{place}一带", place=self.place) if len(self.group.units) > 1 else self.place

    @property
    def difference(self) -> int | None:
        """Events more than in the same cells before."""
        return None if self.group.before is None else self.group.count - self.group.before


def told_hotspots(release: Release, selection: Selection, scope: Scope, level: str) -> list[Hotspot]:
    """The numbered hotspots, in their order."""
    groups = unit_classes(release, selection, scope, "gi", level).groups
    flagged = None
    if groups and selection.compare != "none":
        flagged = np.isin(unit_classes(release, selection, scope, "gi", level, "before").label, HOT)
    rows = []
    for group in groups:
        state = (
            None if flagged is None or group.before is None else LASTING if flagged[list(group.units)].any() else NEW
        )
        rows.append(Hotspot(group, *place_of(release, level, group.code), state))
    return rows


def faded_hotspots(release: Release, selection: Selection, scope: Scope, level: str) -> list[Hotspot]:
    """Those of the compared window without a flagged cell now, in the order of then."""
    now = np.isin(unit_classes(release, selection, scope, "gi", level).label, HOT)
    groups = unit_classes(release, selection, scope, "gi", level, "before").groups
    return [
        Hotspot(group, *place_of(release, level, group.code), FADED)
        for group in groups
        if not now[list(group.units)].any()
    ]


def place_of(release: Release, level: str, code: str) -> tuple[str, str]:
    """Names of the community (or the next wider unit) that holds a unit, and of the one above it."""
    units, position = release.units.level(level), release.units.find(code).position
    names = []
    for wider in ("community", "street", "district"):
        above = units.above.get(wider)
        if above is not None and above[position] >= 0:
            names.append(str(release.units.level(wider).names[above[position]]))
    names += [str(units.names[position]), ""]
    return names[0].removeprefix(names[1]) or names[0], names[1]
