"""The week by the hour: 7 x 24 counts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.selection import Selection
from data.store.answer import Answer
from data.store.filters import common_meta, day_window
from data.store.release import Release
from data.store.scope import Scope
from data.store.trend import area_tally
from data.store.week_hours import UNKNOWN_HOUR, week_hours


def profile(release: Release, selection: Selection, scope: Scope) -> Answer:
    """Counts by weekday and hour of the window.

    Returns
    -------
    Answer
        168 rows ``weekday`` (1 Monday to 7), ``hour`` (0 to 23), ``count``; ``meta.unknown`` counts the events whose
        hour (or day) the source does not know, ``meta.state`` is ``missing`` (all counts null) where nothing was
        recorded and no unit-period is in.
    """
    table = week_hours(release, selection, scope)
    known = table[1:, :UNKNOWN_HOUR]
    unknown = int(table.sum() - known.sum())
    counted = np.zeros_like(known)
    chosen = np.ix_([day - 1 for day in selection.weekdays or range(1, 8)], selection.counted_hours or range(24))
    counted[chosen] = known[chosen]
    window = day_window((selection.start, selection.end))
    tally = area_tally(release, selection, scope, [window])
    recorded = int(counted.sum()) + unknown
    state = "reported" if recorded else ("missing" if tally.none_in[0, 0] else "zero")
    rows = pa.table(
        {
            "weekday": pa.array(np.repeat(np.arange(1, 8), 24)),
            "hour": pa.array(np.tile(np.arange(24), 7)),
            "count": pa.array(counted.ravel(), mask=np.full(168, state == "missing")),
        }
    )
    meta = {**common_meta(release, selection, scope), "unknown": unknown, "state": state}
    return Answer.of({**meta, "periods_missing": int(tally.missing[0, 0])}, rows)
