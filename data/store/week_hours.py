"""Events of a window by weekday and hour, scanned once for all who ask: the profile, the filter rail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sqlalchemy as sa

from data.selection import Selection
from data.store.filters import INCIDENT, day_window, without_sources
from data.store.release import Release
from data.store.scope import Scope
from data.store.tabulate import tabulate

UNKNOWN_WEEKDAY, UNKNOWN_HOUR = 0, 24


def week_hours(release: Release, selection: Selection, scope: Scope) -> np.ndarray:
    """Counts of shape (8, 25): weekdays 1 to 7 with 0 unknown, by hours 0 to 23 with 24 unknown.

    The Selection's hours and weekdays are left out; who asks takes the cells of them.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    asked = replace(selection, compare="none", hours=None, weekdays=())
    return release.remember(("week_hours", asked, scope), lambda: _compute(release, asked, scope))


def _compute(release: Release, selection: Selection, scope: Scope) -> np.ndarray:
    window = day_window((selection.start, selection.end))
    key = sa.func.coalesce(INCIDENT.weekday, UNKNOWN_WEEKDAY) * 25 + sa.func.coalesce(INCIDENT.hour, UNKNOWN_HOUR)
    stated = [without_sources(release.reports.coarser(*window))]
    return tabulate(release, selection, scope, window, key, 8 * 25, conditions=stated)[0].reshape(8, 25)
