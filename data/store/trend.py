"""Counts by day, ISO week or month, every step present."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa

from data.schema import CATEGORIES
from data.selection import ParameterError, Selection
from data.store.answer import Answer
from data.store.counts import immature_from
from data.store.filters import common_meta, day_text, day_window
from data.store.release import Release, day_number
from data.store.reports import Tally, cadence_periods
from data.store.scope import Scope
from data.store.span_counts import count_spans
from data.store.units import Place

STEPS = ("day", "week", "month")
MOST_STEPS = 4_000  # eleven years of days; every month that a Selection can hold


def trend(release: Release, selection: Selection, scope: Scope, step: str = "day") -> Answer:
    """One row for every step of the window and every counted category.

    Parameters
    ----------
    step : str
        ``day``, ``week`` (ISO) or ``month``. The first and last step are cut to the window.

    Returns
    -------
    Answer
        Rows ``start, category, count, state, complete, periods_missing``; ``start`` is the step's calendar start.
        ``complete`` is False for a step cut by the window, not over at ``data_as_of``, or not yet all in (未齐).
        Steps of a source of precision month are missing unless they are whole months.

    Raises
    ------
    ParameterError
        For more than ``MOST_STEPS`` steps.
    OutsideScope, UnknownArea
    """
    window = day_window((selection.start, selection.end))
    steps = cadence_periods(*window, step)
    if len(steps) > MOST_STEPS:
        raise ParameterError("step", step, f"不超过 {MOST_STEPS} 步：更粗的步长或更短的时段")
    cut = [(max(start, window[0]), min(end, window[1])) for start, end in steps]
    tally = area_tally(release, selection, scope, cut)
    categories = selection.counted_categories
    found = count_spans(release, selection, scope, steps, "category", len(CATEGORIES), within=window)[0]
    found = found[[CATEGORIES.index(c) for c in categories]].T
    none_in = np.repeat(tally.none_in.T, len(categories), axis=1)
    missing = (found == 0) & none_in
    state = np.select([found > 0, none_in], ["reported", "missing"], "zero")
    over, fresh = _over_until(release), immature_from(release)
    complete = [
        piece == whole and piece[1] <= over and (fresh is None or piece[1] <= fresh)
        for piece, whole in zip(cut, steps, strict=True)
    ]
    width = len(categories)
    rows = pa.table(
        {
            "start": pa.array(np.repeat([day_text(start) for start, _ in steps], width), pa.string()),
            "category": pa.array(list(categories) * len(steps), pa.string()),
            "count": pa.array(found.ravel(), pa.int64(), mask=missing.ravel()),
            "state": pa.array(state.ravel().tolist(), pa.string()),
            "complete": pa.array(np.repeat(complete, width)),
            "periods_missing": pa.array(np.repeat(tally.missing[0], width)),
        }
    )
    meta = {**common_meta(release, selection, scope), "step": step}
    meta["coarser"] = _coarser(release, cut)
    meta["immature_from"] = None if fresh is None else day_text(fresh)
    return Answer.of(meta, rows)


def area_tally(release: Release, selection: Selection, scope: Scope, windows: list[tuple[int, int]]) -> Tally:
    """Unit-periods of the selected area, or of the whole scope, taken as one place."""
    return release.reports.tally_of(selected_places(release, selection, scope), windows)


def selected_places(release: Release, selection: Selection, scope: Scope) -> tuple[Place, ...] | None:
    """The units a Selection is about: its area, or the scope; None is the whole release."""
    if selection.area is not None:
        return (release.units.allowed(selection.area, scope),)
    return release.units.scope_places(scope)


def _coarser(release: Release, windows: list[tuple[int, int]]) -> list[str]:
    positions = sorted({position for window in windows for position in release.reports.coarser(*window)})
    return [release.reports.source_ids[position] for position in positions]


def _over_until(release: Release) -> int:
    """The day before which every day is over at ``data_as_of``."""
    at = release.data_as_of
    return day_number((at or datetime(1970, 1, 1)).date())
