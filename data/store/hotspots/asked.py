"""What is asked of a hotspot method: which window, over which units, which of them are listed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import numpy as np
import shapely

from data.index import INCIDENT_LEVELS
from data.selection import ParameterError, Selection, Window
from data.store.baseline import windows_before
from data.store.filters import day_window
from data.store.hotspots.outlines import outlines
from data.store.release import Release
from data.store.scope import Scope

UNIT_METHODS = ("gi", "lisa", "emerging")
METHODS = ("kde", *UNIT_METHODS, "repeat_places", "near_repeat")
WINDOWS = ("now", "before")
MOST_STEPS = 12


def check(selection: Selection, method: str, level: str, window: str, methods: Iterable[str] = METHODS) -> None:
    """Refuse what cannot be asked.

    Raises
    ------
    ParameterError
        An unknown method, level or window, or the compared window where none is compared.
    """
    for name, value, allowed in (("method", method, methods), ("level", level, INCIDENT_LEVELS),
                                 ("window", window, WINDOWS)):  # fmt: skip
        if value not in allowed:
            raise ParameterError(name, value, " ".join(allowed))
    if window == "before" and selection.compare_window is None:
        raise ParameterError("window", window, "now；compare=none 时没有对比时段")


def asked_window(selection: Selection, window: str) -> Window:
    """The dates of ``now`` or ``before``."""
    return (selection.start, selection.end) if window == "now" else selection.compare_window


def whole_scope(selection: Selection) -> Selection:
    """The Selection without area and polygon: a unit is hot or cold among all of the scope, whatever is looked at."""
    return replace(selection, area=None, polygon=None)


def steps(release: Release, window: Window) -> list[Window]:
    """Up to 12 windows of one kind, oldest first, the last is ``window``; none begins before the first day with data."""
    found = [window]
    first = release.reports.first_day
    for earlier in islice(windows_before(window), MOST_STEPS - 1):
        if first is None or day_window(earlier)[0] < first:
            break
        found.insert(0, earlier)
    return found


def listed_units(release: Release, selection: Selection, scope: Scope, level: str) -> np.ndarray:
    """Mask over the units of ``level``: those of the scope in the selected area, or holding it, that touch the polygon.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    listed = release.units.in_scope(level, scope)
    if selection.area is not None:
        listed &= release.units.around(level, release.units.allowed(selection.area, scope))
    if selection.polygon is not None:
        polygon = shapely.from_wkt(selection.polygon)
        west, south, east, north = polygon.bounds
        bounds = release.units.level(level).bounds
        with np.errstate(invalid="ignore"):
            listed &= (bounds[:, 0] <= east) & (bounds[:, 2] >= west)
            listed &= (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
        near = np.flatnonzero(listed)
        shapely.prepare(polygon)
        listed[near] = shapely.intersects(polygon, outlines(release, level, near))
    return listed
