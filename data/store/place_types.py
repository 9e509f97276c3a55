"""Events by type of place, as the sources name it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from data.selection import Selection
from data.store.answer import Answer
from data.store.filters import INCIDENT, common_meta, day_window, in_days, selected, without_sources
from data.store.release import Release
from data.store.scope import Scope
from data.store.trend import area_tally


def place_types(release: Release, selection: Selection, scope: Scope) -> Answer:
    """Counts by ``place_type`` in the window and in the compared one, most first.

    Returns
    -------
    Answer
        Rows ``place_type, count, before``; ``before`` null without comparison or where no report of it is in. No rows
        where no source gives a type: ``meta.state`` is then ``absent`` (来源未提供), ``missing`` where no report of the
        window is in, else ``reported``. ``meta.unnamed`` counts the events of the window without a type.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    now = _counted(release, selection, scope)
    before, quiet = {}, True
    if selection.compare_window:
        start, end = selection.compare_window
        past = replace(selection, start=start, end=end, compare="none")
        before = _counted(release, past, scope)
        quiet = bool(area_tally(release, past, scope, [day_window((start, end))]).none_in[0, 0]) and not before
    window = day_window((selection.start, selection.end))
    silent = bool(area_tally(release, selection, scope, [window]).none_in[0, 0]) and not now
    names = sorted({name for name in (*now, *before) if name is not None}, key=lambda n: (-now.get(n, 0), n))
    state = "missing" if silent else "reported" if _any_named(release) else "absent"
    names = names if state == "reported" else []
    rows = pa.table(
        {
            "place_type": pa.array(names, pa.string()),
            "count": pa.array([now.get(name, 0) for name in names], pa.int64()),
            "before": pa.array([before.get(name, 0) for name in names], pa.int64(), mask=np.full(len(names), quiet)),
        }
    )
    meta = {**common_meta(release, selection, scope), "state": state, "unnamed": now.get(None, 0)}
    return Answer.of(meta, rows)


def _counted(release: Release, selection: Selection, scope: Scope) -> dict[str | None, int]:
    window = day_window((selection.start, selection.end))
    found = release.rows(
        sa.select(INCIDENT.place_type.label("name"), sa.func.count().label("n"))
        .where(in_days(*window), without_sources(release.reports.coarser(*window)))
        .where(*selected(release, selection, scope))
        .group_by("name")
    )
    return dict(zip(found["name"].to_pylist(), found["n"].to_pylist(), strict=True))


def _any_named(release: Release) -> bool:
    """Whether any event of the release has a type of place."""
    query = sa.select(INCIDENT.place_type).where(INCIDENT.place_type.is_not(None)).limit(1)
    return release.remember("any_place_type", lambda: release.rows(query).num_rows > 0)
