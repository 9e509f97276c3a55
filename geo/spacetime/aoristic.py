"""Weekday and hour of events known only to have happened between two moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from geo.moments import wall_clock
from geo.result import Result

WEEK = 168  # hours
HOUR = 3_600_000_000  # microseconds
MONDAY = 72 * HOUR  # 1970-01-01 was a Thursday


@dataclass(frozen=True, eq=False)
class Aoristic(Result):
    """Events by weekday and hour; unpacks as ``weights, n``.

    Attributes
    ----------
    weights : ndarray of float, shape (7, 24)
        Row 0 is Monday, column 0 the hour from 00:00. Their sum is ``n``.
    n : int
        Events.
    exact : int
        Start and end are one moment: all weight on its hour.
    missing_end : int
        No end: all weight on the hour of the start.
    reversed : int
        End before start: all weight on the hour of the start (as in R aoristic; swapping them, as others do, would
        spread an error of entry over many hours).
    over_week : int
        Longer than 168 hours: 1/168 on every hour.
    note : str
        What the user should know, "" if nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("weights", "n")

    weights: np.ndarray
    n: int
    exact: int
    missing_end: int
    reversed: int
    over_week: int
    note: str


def aoristic(start: ArrayLike, end: ArrayLike) -> Aoristic:
    """Share each event over the hours of the week between its earliest and latest moment [Ratcliffe2000]_.

    Parameters
    ----------
    start, end : array_like of datetime64 (n,), or Series
        Wall clock; a zone is dropped, not converted. The end itself is not part of the span. ``end`` may be missing
        (NaT), ``start`` may not.

    Returns
    -------
    Aoristic

    Raises
    ------
    ValueError
        A missing start, unequal lengths, values that are not moments.

    Notes
    -----
    An hour gets the part of the span that lies in it: a span 10:40 to 12:10 gives 20/90 to hour 10, 60/90 to 11 and
    10/90 to 12. Clocks put forward or back are not corrected for.

    Examples
    --------
    >>> found = aoristic(["2024-01-01T10:40", "2024-01-07T23:30"], ["2024-01-01T12:10", "2024-01-08T00:30"])
    >>> found.weights[0, 10:13].round(3).tolist(), found.weights[[6, 0], [23, 0]].tolist()
    ([0.222, 0.667, 0.111], [0.5, 0.5])
    """
    begins, lost = _microseconds(start, "start")
    ends, open_end = _microseconds(end, "end")
    if len(begins) != len(ends):
        raise ValueError(f"start has {len(begins)} events and end has {len(ends)}, expected as many")
    if lost.any():
        raise ValueError(f"start has {lost.sum()} of {len(lost)} events without a moment: leave them out and say so")
    span = np.where(open_end, 0, ends - begins)
    long, shared = span > WEEK * HOUR, (span > 0) & (span <= WEEK * HOUR)
    at = (begins + MONDAY) % (WEEK * HOUR)
    weights = np.bincount(at[span <= 0] // HOUR, minlength=WEEK) + long.sum() / WEEK + _share(at[shared], span[shared])
    counts = {
        "exact": int((~open_end & (span == 0)).sum()),
        "missing_end": int(open_end.sum()),
        "reversed": int((span < 0).sum()),
        "over_week": int(long.sum()),
    }
    return Aoristic(weights=weights.reshape(7, 24), n=len(begins), note=_note(len(begins), counts), **counts)


def _microseconds(moments: ArrayLike, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Wall clock in microseconds since 1970, and which are missing (there 0)."""
    values = np.asarray(moments)
    if values.ndim != 1:
        raise ValueError(f"{name} has shape {values.shape}, expected (n,): one moment for each event")
    if values.dtype.kind in "iufbc" and not pd.isna(values).all():
        raise ValueError(f"{name} holds {values.dtype} values, expected moments (datetime64)")
    index = wall_clock(moments)
    missing = index.isna()
    return np.where(missing, 0, index.to_numpy().astype("datetime64[us]").astype(np.int64)), missing


def _share(at: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Weight on each hour of the week from spans up to a week: part of the first hour, whole hours, part of the last."""
    first, last = at // HOUR, (at + span) // HOUR
    whole = last - first - 1
    inside, across = whole < 0, whole >= 0
    head, tail = ((first + 1) * HOUR - at)[across] / span[across], (at + span - last * HOUR)[across] / span[across]
    weights = np.bincount(first[inside], minlength=WEEK).astype(float)
    weights += np.bincount(first[across], head, minlength=WEEK)
    weights += np.bincount(last[across] % WEEK, tail, minlength=WEEK)
    # Spans with one first hour and as many whole hours are one row: only sums of positive numbers, no rounding below 0.
    cell = first[across] * (WEEK + 1) + whole[across]
    table = np.bincount(cell, HOUR / span[across], minlength=WEEK * (WEEK + 1)).reshape(WEEK, WEEK + 1)
    longer = np.cumsum(table[:, ::-1], axis=1)[:, ::-1]  # with at least so many whole hours
    for hours in range(1, WEEK + 1):
        weights += np.roll(longer[:, hours], hours)
    return weights


def _note(n: int, counts: dict[str, int]) -> str:
    if n == 0:
        return "没有事件"
    missing, wrong, long = counts["missing_end"], counts["reversed"], counts["over_week"]
    at_start = [f"{missing}起无结束时间"] * bool(missing) + [f"{wrong}起结束早于开始"] * bool(wrong)
    parts = ["、".join(at_start) + "，按开始时间计"] * bool(at_start)
    parts += [f"{long}起跨度超过一周，平均分到各小时"] * bool(long)
    return "；".join(parts)
