"""The week by the hour: 7 x 24 counts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from data.selection import Selection
from data.store.answer import Answer
from data.store.filters import INCIDENT, common_meta, day_window, in_days, selected, without_sources
from data.store.release import Release
from data.store.scope import Scope
from data.store.trend import area_tally


def profile(release: Release, selection: Selection, scope: Scope) -> Answer:
    """Counts by weekday and hour of the window.

    Returns
    -------
    Answer
        168 rows ``weekday`` (1 Monday to 7), ``hour`` (0 to 23), ``count``; ``meta.unknown`` counts the events whose
        hour (or day) the source does not know, ``meta.state`` is ``missing`` (all counts null) where nothing was
        recorded and no unit-period is in.
    """
    window = day_window((selection.start, selection.end))
    known = sa.and_(INCIDENT.hour.is_not(None), INCIDENT.weekday.is_not(None))
    base = [in_days(*window), without_sources(release.reports.coarser(*window))]
    found = release.rows(
        sa.select(INCIDENT.weekday.label("weekday"), INCIDENT.hour.label("hour"), sa.func.count().label("n"))
        .where(known, *base, *selected(release, selection, scope))
        .group_by("weekday", "hour")
    )
    unknown = release.rows(
        sa.select(sa.func.count().label("n")).where(
            sa.not_(known), *base, *selected(release, selection, scope, clock=False)
        )
    )["n"][0].as_py()
    counted = np.zeros((7, 24), dtype=np.int64)
    counted[found["weekday"].to_numpy().astype(int) - 1, found["hour"].to_numpy().astype(int)] = found["n"].to_numpy()
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
