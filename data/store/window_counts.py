"""Incidents of one window, all of them and those that can be compared with another window's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np

from data.selection import Selection
from data.store.release import Release
from data.store.reports import LeftOut
from data.store.scope import Scope
from data.store.span_counts import count_spans


@dataclass(frozen=True)
class WindowCounts:
    """Arrays (groups,): all recorded, those at equal maturity, and of these those of compared units.

    ``unplaced`` counts the recorded ones of no group.
    """

    recorded: np.ndarray
    mature: np.ndarray
    compared: np.ndarray
    unplaced: int


def count_window(
    release: Release,
    selection: Selection,
    scope: Scope,
    by: str,
    groups: int,
    window: tuple[int, int],
    cutoff: datetime | None = None,
    left_out: list[LeftOut] = (),
    *,
    area: bool = True,
) -> WindowCounts:
    """Count by a column of ``incident`` whose values are positions.

    Parameters
    ----------
    by : str
        A unit level, or ``category``.
    groups : int
        How many positions there are.
    window : (int, int)
        Days, half-open.
    cutoff : datetime or None
        What was recorded later does not count as mature.
    left_out : list of LeftOut
        Reporting units that are not compared.
    area : bool
        False leaves the selected area out.
    """
    count = partial(count_spans, release, selection, scope, [window], by, groups, area=area, left_out=left_out)
    recorded, compared = count()[..., 0]
    late = late_compared = np.zeros(groups + 1, dtype=np.int64)
    if cutoff is not None:
        # Late rows are asked for on their own: the file's zone maps then skip nearly all of it.
        late, late_compared = count(recorded_after=cutoff)[..., 0]
    mature, compared = recorded - late, compared - late_compared
    return WindowCounts(recorded[:groups], mature[:groups], compared[:groups], int(recorded[groups]))
