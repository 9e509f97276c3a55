"""Mann-Kendall: does a series rise or fall, whatever its shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from geo.result import Result

RISING, FALLING, NO_TREND = "rising", "falling", "none"


@dataclass(frozen=True, eq=False)
class MannKendall(Result):
    """Trend of one series, or of each row; unpacks as ``z, p, tau, slope``.

    Attributes
    ----------
    z : float or array
        Normal score of S with its continuity step; 0 where S is 0 or cannot vary.
    p : float or array
        Two-sided.
    tau : float or array
        Kendall's tau-b against time; 0 where all values are equal.
    slope : float or array
        Theil-Sen: median slope between all pairs of steps, per step. NaN below two values.
    s, variance : float or array
        Of the statistic, the variance corrected for ties.
    n : int or array
        Steps with a value.
    trend : str or array
        ``rising``, ``falling`` (p < alpha) or ``none``.
    alpha : float
    note : str
    """

    unpacks: ClassVar = ("z", "p", "tau", "slope")
    z: np.ndarray | float
    p: np.ndarray | float
    tau: np.ndarray | float
    slope: np.ndarray | float
    s: np.ndarray | float
    variance: np.ndarray | float
    n: np.ndarray | int
    trend: np.ndarray | str
    alpha: float
    note: str


def mann_kendall(series: ArrayLike, *, alpha: float = 0.05) -> MannKendall:
    """Mann-Kendall test of a monotonic trend, ties taken off the variance.

    Parameters
    ----------
    series : array_like, shape (steps,) or (rows, steps)
        Values in equal steps of time. NaN is a missing step: left out, its place in time kept for the slope.
    alpha : float
        Below it a p is called a trend.

    Returns
    -------
    MannKendall
        Numbers for one series, arrays of shape (rows,) for several.

    Raises
    ------
    ValueError
        Infinite values, or more than two dimensions.

    Notes
    -----
    [Mann1945]_, [Kendall1975]_, [Sen1968]_. ``S = sum_{i<j} sign(x_j - x_i)``;
    ``var = (n(n-1)(2n+5) - sum_t t(t-1)(2t+5)) / 18`` over groups of t equal values; ``z = (S -+ 1)/sqrt(var)``. Steps
    are taken as independent: a series that remembers its last value has more trends by chance than p says. Below
    about 10 steps the normal tail is rough (at 4 steps no series reaches p < 0.05).

    Examples
    --------
    >>> z, p, tau, slope = mann_kendall([1, 3, 2, 5, 4, 6, 8, 7, 9, 10])
    >>> round(p, 4), round(tau, 3), slope
    (0.0007, 0.867, 1.0)
    """
    given = np.asarray(series, dtype=float)
    if given.ndim not in (1, 2):
        raise ValueError(f"series has {given.ndim} dimensions, expected (steps,) or (rows, steps)")
    if np.isinf(given).any():
        raise ValueError(f"series holds {int(np.isinf(given).sum())} infinite values")
    x = np.atleast_2d(given)
    rows, steps = x.shape
    n = (~np.isnan(x)).sum(axis=1)
    s, tied = np.zeros(rows), np.where(np.isnan(x), 0, 1)
    with np.errstate(invalid="ignore"):
        for lag in range(1, steps):
            gap = x[:, lag:] - x[:, :-lag]
            s += np.nan_to_num(np.sign(gap)).sum(axis=1)
            same = gap == 0
            tied[:, lag:] += same
            tied[:, :-lag] += same
    # Each of t equal values carries (t - 1)(2t + 5), so that a group sums to t(t - 1)(2t + 5).
    ties = np.where(tied > 0, (tied - 1) * (2 * tied + 5), 0).sum(axis=1)
    variance = (n * (n - 1) * (2 * n + 5) - ties) / 18.0
    pairs = n * (n - 1) / 2.0
    untied = pairs - np.where(tied > 0, tied - 1, 0).sum(axis=1) / 2.0
    moves = variance > 0
    z = np.where(moves, (s - np.sign(s)) / np.sqrt(np.where(moves, variance, 1.0)), 0.0)
    p = np.minimum(1.0, 2.0 * ndtr(-np.abs(z)))
    tau = np.where(untied > 0, s / np.sqrt(np.where(untied > 0, untied * pairs, 1.0)), 0.0)
    slope = np.array([_sen_slope(row) for row in x])
    trend = np.where(p < alpha, np.where(z > 0, RISING, FALLING), NO_TREND)
    short = int((n < 4).sum())
    note = _note(short, int(((n >= 4) & ~moves).sum()), given.ndim == 2)
    answers = (z, p, tau, slope, s, variance, n, trend)
    if given.ndim == 1:
        answers = tuple(v[0].item() for v in answers)
    return MannKendall(*answers, alpha, note)


def _note(short: int, flat: int, many: bool) -> str:
    told = ((short, "不足4期，看不出趋势"), (flat, "各期数值相同，没有趋势"))
    return "；".join((f"{count}个序列" if many else "") + words for count, words in told if count)


def _sen_slope(row: np.ndarray) -> float:
    at = np.flatnonzero(~np.isnan(row))
    if at.size < 2:
        return np.nan
    first, second = np.triu_indices(at.size, 1)
    return float(np.median((row[at[second]] - row[at[first]]) / (at[second] - at[first])))
