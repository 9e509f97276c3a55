"""Events in space and time: checked input, close pairs, and how many pairs stay close when times are permuted.

Limits are compared with a slack of 1 micrometre and 0.1 milliseconds, so that a pair exactly at a limit falls on the
side the limit says, wherever the origin lies and however the difference is rounded (0.3 - 0.1 against 0.2).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from geo.metres import metre_xy
from geo.runs import ranges

SLACK_M = 1e-6
SLACK_DAYS = 1e-9
MOST_PAIRS = 30_000_000  # listed at once, about 1.3 GB at the peak
BLOCK = 1 << 17  # pairs worked on at once: they stay in the cache
NORM = {"euclidean": 2.0, "manhattan": 1.0}
DAY = np.timedelta64(1, "D")


def day_numbers(t: ArrayLike, name: str = "t") -> np.ndarray:
    """Times as days after the first one: numbers are days already, moments (datetime64, dates, with or without zone)
    are converted.

    Raises
    ------
    ValueError
        A missing or infinite time, text, or another shape than (n,).
    """
    values = np.asarray(t)
    if values.ndim != 1:
        raise ValueError(f"{name} has shape {values.shape}, expected (n,): one time for each event")
    if values.dtype.kind == "b" or any(isinstance(value, (str, bytes)) for value in values[:1]):
        raise ValueError(f"{name} holds {values.dtype} values, expected days as numbers, or moments")
    if values.dtype.kind in "iuf":
        days = values.astype(float)
        lost = int((~np.isfinite(days)).sum())
    else:
        moments = pd.DatetimeIndex(t)
        moments = moments.tz_convert(None) if moments.tz is not None else moments
        lost = int(moments.isna().sum())
        days = np.zeros(0) if not len(moments) or lost else (moments.to_numpy() - moments.min().to_datetime64()) / DAY
    if lost:
        raise ValueError(f"{name} has {lost} of {len(values)} events without a time: leave them out and say so")
    return days - days.min() if len(days) else days


def event_arrays(xy, t) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) in metres and days (n,) after the first event, checked to be of one length."""
    points, days = metre_xy(xy), day_numbers(t)
    if len(points) != len(days):
        raise ValueError(f"xy has {len(points)} events and t has {len(days)}, expected one time for each")
    return points, days


def in_order_of_time(points: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Positions by time, then x, then y: what is drawn at random then does not depend on the order of the rows."""
    return np.lexsort((points[:, 1], points[:, 0], days))


def check_limit(value: float, name: str) -> float:
    """A limit as a float, refused if it is negative or not finite."""
    if not (np.isfinite(value) and value >= 0):
        raise ValueError(f"{name} is {value}, expected a finite number not below 0")
    return float(value)


def check_permutations(permutations: int) -> int:
    """At least one permutation is needed for a p-value."""
    if permutations < 1:
        raise ValueError(f"permutations is {permutations}, expected at least 1")
    return int(permutations)


def days_within(days: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Pairs at most each limit apart; ``days`` ascending. Counted from the order, without listing pairs."""
    own = len(days) * (len(days) + 1) // 2
    return np.array([np.searchsorted(days, days + limit, side="right").sum() - own for limit in limits], dtype=np.int64)


def metres_within(points: np.ndarray, limits: np.ndarray, norm: float) -> np.ndarray:
    """Pairs at most each limit apart, without listing them."""
    if not len(points):
        return np.zeros(len(limits), dtype=np.int64)
    tree = cKDTree(points)
    return (tree.count_neighbors(tree, limits, p=norm).astype(np.int64) - len(points)) // 2


def pairs_in_time(days: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs at most the limit apart; ``days`` ascending, so the first of a pair is never the later one."""
    own = np.arange(len(days))
    later = np.searchsorted(days, days + limit, side="right") - own - 1
    first = np.repeat(own, later)
    return first.astype(np.int32), ranges(own + 1, later).astype(np.int32)


def pairs_in_space(points: np.ndarray, limit: float, norm: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs at most the limit apart, first position below second."""
    pairs = cKDTree(points).query_pairs(limit, p=norm, output_type="ndarray")
    return pairs[:, 0].astype(np.int32), pairs[:, 1].astype(np.int32)


def refuse_too_many(space: int, time: int) -> None:
    """Refuse work whose shorter list of close pairs would not fit in memory."""
    if min(space, time) > MOST_PAIRS:
        raise ValueError(
            f"{space:,} pairs are close in space and {time:,} in time, expected one of them below {MOST_PAIRS:,}: "
            "shorten the distance or the days, or take fewer events"
        )


def day_gap(days: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function giving the days between the events of pairs."""
    return lambda first, second: np.abs(days.take(first) - days.take(second))


def metre_gap(points: np.ndarray, norm: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function giving the metres between the events of pairs."""
    x, y = points[:, 0].copy(), points[:, 1].copy()

    def gap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        dx, dy = x.take(first) - x.take(second), y.take(first) - y.take(second)
        return np.abs(dx) + np.abs(dy) if norm == 1 else np.sqrt(dx * dx + dy * dy)

    return gap


def in_blocks(gap, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The gap of every pair, worked out block by block."""
    out = np.empty(len(first))
    for start in range(0, len(first), BLOCK):
        out[start : start + BLOCK] = gap(first[start : start + BLOCK], second[start : start + BLOCK])
    return out


def count_within(gap, first: np.ndarray, second: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """How many of the pairs are at most each limit apart."""
    found = np.zeros(len(limits), dtype=np.int64)
    for start in range(0, len(first), BLOCK):
        apart = gap(first[start : start + BLOCK], second[start : start + BLOCK])
        for k, limit in enumerate(limits):
            found[k] += np.count_nonzero(apart <= limit)
    return found
