"""The numbers of every unit of a level that the map paints, hovers and lists, for the measure that is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dashboard.measures import BAYES, CLASSED, CLASSES, DISPUTES, MISSING_LABEL
from dashboard.packing import MISSING_CODE, pack, packed_reals, packed_rows, packed_words
from dashboard.unit_positions import positions_of
from data.selection import Selection
from data.store import Answer, Release, Scope, counts
from data.store.class_limits import count_limits
from data.store.disputes import disputes
from data.store.hotspots import unit_classes
from data.store.unit_rates import bayes_rates

DISPUTE_COLUMNS = ("found", "handled", "succeeded", "open")


@dataclass(frozen=True)
class UnitValues:
    """Numbers of the units of one level.

    Attributes
    ----------
    packed : dict
        ``level``, ``size`` and ``columns``, as the browser's ``yanpan.units.decode`` reads them. Besides the counts:
        ``bayes``, ``bayes_before`` (as ``rate``); ``label``, ``label_before`` (index into ``classes``; -1 missing,
        -2 nothing said), ``z`` (hundredths), ``q`` (ten-thousandths); the dispute columns and their ``…_state``.
    counted : Answer
        The counts behind them.
    found_limits : tuple of int
        Lower limits of the classes of disputes found; empty where they are not shown.
    found_known : bool
        Whether disputes are told of any unit of the level, be it that nothing was reported.
    """

    packed: dict
    counted: Answer
    found_limits: tuple[int, ...] = ()
    found_known: bool = False


def unit_values(
    release: Release, selection: Selection, scope: Scope, level: str, measure: str, *, both: bool = False
) -> UnitValues:
    """The numbers of every unit of ``level`` for a measure; with ``both`` also ``…_before``, of the compared window."""
    units = release.units.level(level)
    counted = counts(release, selection, scope, level)
    positions = positions_of(release, level, counted.rows["code"])
    columns, found_limits, known = packed_rows(len(units), positions, counted.rows), (), False
    if measure == BAYES:
        columns |= _bayes(release, level, positions, counted.rows, both)
    elif measure in CLASSED:
        columns |= _classes(release, selection, measure, scope, level, both)
    elif measure == DISPUTES:
        answer = disputes(release, selection, scope, level)
        columns |= _disputes(len(units), positions_of(release, level, answer.rows["code"]), answer.rows)
        known = answer.rows["state"].null_count < answer.rows.num_rows
        found_limits = count_limits(np.nan_to_num(answer.rows["found"].cast(pa.float64()).to_numpy()))
    return UnitValues({"level": level, "size": len(units), "columns": columns}, counted, found_limits, known)


def _bayes(release: Release, level: str, positions: np.ndarray, rows: pa.Table, both: bool) -> dict:
    columns = {}
    for name, source in (("bayes", "count"), *((("bayes_before", "before"),) if both else ())):
        values = np.full(len(release.units.level(level)), np.nan)
        values[positions] = rows[source].cast(pa.float64()).to_numpy()
        columns[name] = packed_reals(bayes_rates(release, level, values), 1000, MISSING_CODE)
    return columns


def _classes(release: Release, selection: Selection, measure: str, scope: Scope, level: str, both: bool) -> dict:
    known = tuple(one.label for one in CLASSES[measure])
    now = unit_classes(release, selection, scope, measure, level)
    columns = {"label": _labels(now.label, known), "z": packed_reals(_last(now.z), 100, -(2**31)),
               "q": packed_reals(_last(now.q), 10_000, -1)}  # fmt: skip
    if both:
        before = unit_classes(release, selection, scope, measure, level, "before")
        columns["label_before"] = _labels(before.label, known)
    return columns


def _last(values: np.ndarray) -> np.ndarray:
    """The current step of a cube (units, steps); other values as they are."""
    return values if values.ndim == 1 else values[:, -1]


def _labels(labels: np.ndarray, known: tuple[str, ...]) -> dict:
    index = {label: i for i, label in enumerate(known)} | {MISSING_LABEL: -1}
    return pack(np.array([index.get(str(label), -2) for label in labels], dtype=np.int64))


def _disputes(size: int, positions: np.ndarray, rows: pa.Table) -> dict:
    columns = {}
    for name in DISPUTE_COLUMNS:
        values = np.full(size, np.nan)
        values[positions] = rows[name].cast(pa.float64()).to_numpy()
        columns[name] = packed_reals(values, 1, MISSING_CODE)
    state = np.full(size, "", dtype=object)
    state[positions] = rows["state"].to_pylist()
    return {**columns, "dispute_state": packed_words(state, ("missing", "zero", "reported"))}
