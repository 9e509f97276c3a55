"""Incidents of a Selection counted in spans of days: from the days held in memory or from the weeks and half-months counted
at publication where these can answer, else one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import sqlalchemy as sa

from data.selection import Selection
from data.store.day_counts import DayCounts, day_counts
from data.store.filters import INCIDENT, WholeDivision, date_of, half_of, in_days, of_compared_units, without_sources
from data.store.period_counts import count_periods, period_kind
from data.store.release import Release
from data.store.reports import LeftOut
from data.store.scope import Scope
from data.store.tabulate import tabulate

Span = tuple[int, int]


def count_spans(
    release: Release,
    selection: Selection,
    scope: Scope,
    spans: Sequence[Span],
    by: str | None,
    groups: int,
    *,
    within: Span | None = None,
    area: bool = True,
    left_out: list[LeftOut] = (),
    recorded_after: datetime | None = None,
) -> np.ndarray:
    """Count incidents by a column and by span; a source of precision month counts only in spans of whole months.

    Parameters
    ----------
    spans : sequence of (int, int)
        Half-open, in days, without overlap, in any order; the Selection's own windows do not matter here.
    by : str or None
        A unit level, or ``category``: columns of ``incident`` that hold positions; None takes all together.
    groups : int
        How many positions there are; 1 for None.
    within : (int, int) or None
        What the spans are cut to.
    area : bool
        False leaves the selected area out.
    left_out : list of LeftOut
        Reporting units that are not compared.
    recorded_after : datetime or None
        Count only what was recorded later; for a single span.

    Returns
    -------
    ndarray of int, shape (2, groups + 1, spans)
        All, then those of compared units; those in no group stand last.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    asked = selection if area else replace(selection, area=None)
    low, high = within or (min(start for start, _ in spans), max(end for _, end in spans))
    cut = [(max(start, low), min(end, high)) for start, end in spans]
    held = day_counts(release, asked, scope, by, left_out)
    if held is not None:
        return _from_days(held, release, asked, scope, cut, by, groups, left_out, recorded_after)
    simple = asked.area is None and scope.areas is None and not left_out and recorded_after is None
    kind = period_kind(release, asked, by, cut) if simple else None
    if kind is not None:
        return _from_periods(release, asked, scope, cut, by, groups, kind)
    unit = _Unit(spans)
    column = sa.literal(0) if by is None else sa.func.coalesce(sa.cast(INCIDENT[by], sa.Integer), groups)
    key = column if unit.key is None else column * unit.size + unit.key
    conditions = [_stated(release, cut)]
    if recorded_after is not None:
        conditions.append(INCIDENT.recorded_at > recorded_after)
    kept = of_compared_units(release, left_out) if left_out else None
    size = (groups + 1) * unit.size
    found = tabulate(release, asked, scope, (low, high), key, size, conditions=conditions, kept=kept)
    return np.stack([unit.gather(row.reshape(groups + 1, unit.size)) for row in (found[0], found[-1])])


class _Unit:
    """What the key of a query cuts time into, and how spans are put together from it: their common length, half-months
    or days."""

    def __init__(self, spans: Sequence[Span]):
        starts, ends = np.array(spans).T
        first, length = int(starts.min()), int(ends[0] - starts[0])
        alike = (ends - starts == length).all() and ((starts - first) % length == 0).all()
        if len(spans) == 1:
            self.key, edges = None, np.array([[0], [1]])
        elif alike:
            self.key = WholeDivision(INCIDENT.day - first, length)
            edges = (np.stack([starts, ends]) - first) // length
        elif all(date_of(day).day in (1, 16) for day in {*starts.tolist(), *ends.tolist()}):
            self.key = INCIDENT.half - half_of(first)
            edges = np.array([[half_of(day) for day in side.tolist()] for side in (starts, ends)]) - half_of(first)
        else:
            self.key, edges = INCIDENT.day - first, np.stack([starts, ends]) - first
        self._edges, self.size = edges, int(edges.max())

    def gather(self, units: np.ndarray) -> np.ndarray:
        """From counts by unit, shape (groups, units), those by span."""
        start, end = self._edges
        if (end - start == 1).all():
            return units[:, start]
        before = np.concatenate([np.zeros((len(units), 1), dtype=units.dtype), np.cumsum(units, axis=1)], axis=1)
        return before[:, end] - before[:, start]


def _stated(release: Release, spans: list[Span]) -> sa.ColumnElement[bool]:
    """Incidents that their source can place in one of the spans."""
    told = [release.reports.coarser(*span) for span in spans]
    monthly = {position for sources in told for position in sources}
    whole = [in_days(*span) for span, sources in zip(spans, told, strict=True) if not sources]
    return sa.or_(without_sources(monthly), *whole) if monthly else sa.true()


def _from_days(
    held: DayCounts,
    release: Release,
    selection: Selection,
    scope: Scope,
    spans: list[Span],
    by: str | None,
    groups: int,
    left_out: list[LeftOut],
    recorded_after: datetime | None,
) -> np.ndarray:
    kinds, cells = held.selected(selection, scope)
    found = held.in_spans(spans) if recorded_after is None else held.recorded_after(*spans, recorded_after)
    for number, span in enumerate(spans):
        if coarser := release.reports.coarser(*span):
            found = found.copy()
            found[number, np.isin(held.source, coarser)] = 0
    axis, at = held.groups(by, groups)
    chosen = kinds[:, None] & cells
    result = np.zeros((2, groups + 1, len(spans)), dtype=np.int64)
    for out, mask in zip(result, (chosen, chosen & held.compared(left_out)), strict=True):
        table = np.where(mask, found, 0).sum(axis=2 if axis == "kinds" else 1, dtype=np.int64)
        np.add.at(out, at, table.T)
        if not left_out:
            result[1] = out
            break
    return result


def _from_periods(
    release: Release, selection: Selection, scope: Scope, spans: list[Span], by: str, groups: int, kind: str
) -> np.ndarray:
    result = np.zeros((2, groups + 1, len(spans)), dtype=np.int64)
    result[0, :groups] = count_periods(release, selection, by, kind, spans)
    result[0, groups] = count_spans(release, selection, scope, spans, None, 1)[0, 0] - result[0, :groups].sum(axis=0)
    result[1] = result[0]
    return result
