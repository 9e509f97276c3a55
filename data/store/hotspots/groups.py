"""Numbered hotspots: flagged hot units that touch each other are one, the one with most events above the mean first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse.csgraph import connected_components

from data.store.hotspots.outlines import outlines
from data.store.release import Release
from geo.autocorrelation import Neighbours

MOST_GROUPS = 40  # numbers a map can carry


@dataclass(frozen=True)
class Group:
    """One hotspot.

    Attributes
    ----------
    number : int
        1 is the one with the largest ``excess``.
    units : tuple of int
        Positions of its units, all of them, inside the selected area or not.
    code, name : str
        The unit with most events (of those that are listed); its name follows that of the area above it.
    count : int
        Events in the window.
    before : int or None
        Events in the window compared with; None where that is not asked or no unit reported.
    excess : float
        Events above the mean of all units of the scope.
    classes : dict
        Units of each class.
    p_min, q_min : float
        Of its units.
    lon, lat : float or None
        A point in the unit named, degrees; None without an outline.
    """

    number: int
    units: tuple[int, ...]
    code: str
    name: str
    count: int
    before: int | None
    excess: float
    classes: dict[str, int]
    p_min: float
    q_min: float
    lon: float | None
    lat: float | None

    def to_meta(self) -> dict:
        """The group as an answer states it, with the number of its units."""
        return {**vars(self), "units": len(self.units), "excess": round(self.excess, 1)}


def numbered(
    release: Release,
    level: str,
    near: Neighbours,
    hot: np.ndarray,
    listed: np.ndarray,
    label: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    count: np.ndarray,
    before: np.ndarray | None,
) -> tuple[Group, ...]:
    """Groups of hot units of which one at least is listed, at most 40.

    Parameters
    ----------
    hot, listed : bool arrays, shape (units,)
    label, p, q, count, before : arrays, shape (units,)
        ``count`` and ``before`` NaN where missing or outside the scope.
    """
    positions = np.flatnonzero(hot)
    if not positions.size:
        return ()
    _, group = connected_components(near.matrix[positions][:, positions], directed=False)
    mean = np.nanmean(count)
    excess = np.bincount(group, weights=count[positions] - mean)
    seen = np.bincount(group, weights=listed[positions]) > 0
    first = np.full(len(excess), len(hot))  # ties by the first unit
    np.minimum.at(first, group, positions)
    # A unit can be hot for its neighbours' sake alone; without more events of its own than the mean it gets no number.
    ranked = [int(g) for g in np.lexsort((first, -excess)) if seen[g] and excess[g] > 0][:MOST_GROUPS]
    members = [positions[group == g] for g in ranked]
    tops = [_most(units[listed[units]], count) for units in members]
    marks = shapely.point_on_surface(outlines(release, level, np.array(tops, dtype=np.int64)))
    found = []
    for number, (g, units, top, mark) in enumerate(zip(ranked, members, tops, marks, strict=True), 1):
        kinds, sizes = np.unique(label[units], return_counts=True)
        past = None if before is None or np.isnan(before[units]).all() else int(np.nansum(before[units]))
        found.append(
            Group(
                number=number,
                units=tuple(units.tolist()),
                code=release.units.level(level).codes[top],
                name=unit_name(release, level, top),
                count=int(count[units].sum()),
                before=past,
                excess=float(excess[g]),
                classes=dict(zip(kinds.tolist(), sizes.tolist(), strict=True)),
                p_min=float(p[units].min()),
                q_min=float(q[units].min()),
                lon=None if mark is None else round(float(mark.x), 6),
                lat=None if mark is None else round(float(mark.y), 6),
            )
        )
    return tuple(found)


def unit_name(release: Release, level: str, position: int) -> str:
    """The name of a unit, after that of the area above it where it does not begin with it."""
    units = release.units.level(level)
    parent = units.parents[position]
    above = None if parent is None else release.units.find(parent)
    own = units.names[position]
    wider = "" if above is None else release.units.level(above.level).names[above.position]
    return own if own.startswith(wider) else f"{wider} · {own}"


def _most(units: np.ndarray, count: np.ndarray) -> int:
    return int(units[np.argmax(count[units])])
