"""Is a change between two counts more than chance: tests, overdispersion, adjustment for many rows, verdict words.

Counts are events, exposures are days (any unit, the same in both windows). Everything is vectorised.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

EXACT_BELOW = 2000  # total count under which the E-test is summed exactly; the score z is used from here on
MIN_PERIODS = 8  # complete periods under which a dispersion is not estimated

CLEAR_RISE = "明显上升"
RISE = "需关注"
NORMAL = "正常波动"
FALL = "有所下降"
CLEAR_FALL = "明显下降"
NOT_COMPARABLE = "无法比较"
VERDICTS = (CLEAR_RISE, RISE, NORMAL, FALL, CLEAR_FALL, NOT_COMPARABLE)


@dataclass(frozen=True)
class RateTest:
    """Two-sided comparison of two Poisson rates.

    Attributes
    ----------
    p : ndarray or float
        Two-sided p-value; NaN where an input is NaN.
    z : ndarray or float
        Score statistic, positive where the first rate is higher; 0 where both counts are 0.
    exact : ndarray of bool or bool
        True where ``p`` is the exact E-test, False where it is the normal tail of ``z``.
    """

    p: np.ndarray | float
    z: np.ndarray | float
    exact: np.ndarray | bool


@dataclass(frozen=True)
class Dispersion:
    """Variance over mean of counts in past periods, at least 1.

    Attributes
    ----------
    phi : ndarray, shape (rows,)
        Factor for :func:`widen`; 1 where fewer than ``MIN_PERIODS`` periods were complete.
    periods : ndarray of int, shape (rows,)
        Complete periods used by each row (pooled: the most any row had).
    estimated : ndarray of bool, shape (rows,)
        False where ``phi`` is 1 for want of periods.
    """

    phi: np.ndarray
    periods: np.ndarray
    estimated: np.ndarray


def score_z(k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike) -> np.ndarray:
    """Score statistic of two rates: ``(k1/n1 - k2/n2) / sqrt((k1 + k2)/(n1 n2))``; 0 where both counts are 0."""
    k1, n1, k2, n2 = (np.asarray(v, dtype=float) for v in (k1, n1, k2, n2))
    total = k1 + k2
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (k1 / n1 - k2 / n2) / np.sqrt(total / (n1 * n2))
    return np.where(total == 0, 0.0, z)


def poisson_z(now: ArrayLike, mean: ArrayLike) -> np.ndarray | float:
    """Distance of a count from a *known* mean on the square-root scale: ``2 (sqrt(now) - sqrt(mean))``.

    About standard normal for a Poisson count; between two single counts its deviation is sqrt(2), so use
    :func:`poisson_e_test` there. NaN stays NaN.
    """
    return 2.0 * (np.sqrt(np.asarray(now, dtype=float)) - np.sqrt(np.asarray(mean, dtype=float)))[()]


def poisson_e_test(k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike) -> RateTest:
    """Two-sided E-test of equal Poisson rates [Krishnamoorthy2004]_.

    Parameters
    ----------
    k1, k2 : array_like
        Counts, whole and not negative; NaN gives NaN.
    n1, n2 : array_like
        Exposures, above 0, in one unit (days). All four broadcast.

    Returns
    -------
    RateTest
        ``p`` is summed exactly where ``k1 + k2 < EXACT_BELOW`` and is the normal tail of ``z`` from there on; at the
        joint the two differ by under 0.001 for equal exposures. Two zero counts give p = 1.

    Raises
    ------
    ValueError
        For a negative or fractional count, or an exposure that is not above 0.

    Notes
    -----
    Under the pooled rate the p-value is the probability of every pair whose statistic (unpooled variance) is at least
    the observed one. For each first count that region is two tails of the second count, whose ends solve a quadratic,
    so a pair costs one row of Poisson tails instead of a table. Equal pairs are computed once.
    """
    k1, n1, k2, n2 = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (k1, n1, k2, n2)))
    known = ~np.isnan(k1 + k2)
    counts = np.concatenate([k1[known], k2[known]])
    if np.any(counts < 0) or np.any(counts != np.floor(counts)):
        raise ValueError("counts must be whole numbers not below 0")
    if not (np.all(n1 > 0) and np.all(n2 > 0)):
        raise ValueError("exposures must be above 0")
    z = np.asarray(score_z(k1, n1, k2, n2))
    exact = known & (k1 + k2 < EXACT_BELOW)
    p = np.asarray(2.0 * stats.norm.sf(np.abs(z)))
    if exact.any():
        p[exact] = _exact_p_of_distinct(k1[exact], n1[exact], k2[exact], n2[exact])
    return RateTest(p[()], z[()], exact[()])


def _exact_p_of_distinct(k1: np.ndarray, n1: np.ndarray, k2: np.ndarray, n2: np.ndarray) -> np.ndarray:
    pairs = (k1 * EXACT_BELOW + k2).astype(np.int64)  # one number a pair: sorting rows is ten times slower
    _, which1 = np.unique(n1, return_inverse=True)
    days2, which2 = np.unique(n2, return_inverse=True)
    key = (which1 * len(days2) + which2) * EXACT_BELOW**2 + pairs
    _, first, back = np.unique(key, return_index=True, return_inverse=True)
    return _exact_p(k1[first], n1[first], k2[first], n2[first])[back]


def _exact_p(k1: np.ndarray, n1: np.ndarray, k2: np.ndarray, n2: np.ndarray) -> np.ndarray:
    rate = (k1 + k2) / (n1 + n2)
    mean1, mean2 = n1 * rate, n2 * rate
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.abs((k1 / n1 - k2 / n2) / np.sqrt(k1 / n1**2 + k2 / n2**2))
    t2 = observed**2
    # Equal rates: every pair but (0, 0), whose statistic is undefined, is at least as extreme.
    p = np.where(rate > 0, -np.expm1(-(mean1 + mean2)), 1.0)
    todo = np.flatnonzero((rate > 0) & (k1 * n2 != k2 * n1))
    if todo.size == 0:
        return p
    low = np.maximum(stats.poisson.ppf(1e-13, mean1[todo]), 0).astype(np.int64)
    high = stats.poisson.isf(1e-16, mean1[todo]).astype(np.int64)
    width = high - low + 1
    start = np.concatenate([[0], np.cumsum(width)[:-1]])
    pair = np.repeat(todo, width)
    x1 = (np.arange(width.sum()) - np.repeat(start, width) + np.repeat(low, width)).astype(float)
    a, slack = x1 / n1[pair], t2[pair] / n2[pair]
    root = np.sqrt(slack**2 + 4 * a * t2[pair] * (1 / n1[pair] + 1 / n2[pair]))
    below, above = (2 * a + slack - root) / 2 * n2[pair], (2 * a + slack + root) / 2 * n2[pair]
    # Whether a tie with the observed pair counts as extreme is decided in the arithmetic of the published
    # implementations (scipy), whose answers it then equals; only whole numbers next to a root are affected.
    near = 1e-9 * np.maximum(above, 1.0)
    last, first = np.floor(below + near), np.ceil(above - near)
    last -= (last > below - near) & ~_as_extreme(x1, n1[pair], last, n2[pair], observed[pair])
    first += (first < above + near) & ~_as_extreme(x1, n1[pair], first, n2[pair], observed[pair])
    lower_tail = np.where(last >= 0, special.pdtr(np.maximum(last, 0), mean2[pair]), 0.0)
    upper_tail = np.where(first >= 1, special.pdtrc(np.maximum(first - 1, 0), mean2[pair]), 1.0)
    p[todo] = np.add.reduceat(stats.poisson.pmf(x1, mean1[pair]) * (lower_tail + upper_tail), start)
    return np.clip(p, 0.0, 1.0)


def _as_extreme(x1: np.ndarray, n1: np.ndarray, x2: np.ndarray, n2: np.ndarray, observed: np.ndarray) -> np.ndarray:
    rate1, rate2 = x1 / n1, np.maximum(x2, 0) / n2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs((rate1 - rate2) / np.sqrt(rate1 / n1 + rate2 / n2)) >= observed  # (0, 0) has no statistic


def dispersion(counts: ArrayLike, exposure: ArrayLike, *, pooled: bool) -> Dispersion:
    """Overdispersion of past counts: ``phi = max(1, sum chi2 / sum df)``.

    Parameters
    ----------
    counts : array_like, shape (rows, periods)
        Events of each row in each past period; NaN where the period is not complete for the row.
    exposure : array_like, shape (periods,)
        Length of each period in days.
    pooled : bool
        One phi for all rows together (small areas) instead of one for each row.

    Returns
    -------
    Dispersion

    Notes
    -----
    Given a row's total K, its chi2 against shares of the exposure has mean df exactly (multinomial), at any K, so rows
    with few events do not bias the pooled figure. Rows without an event say nothing and are left out.
    """
    counts = np.atleast_2d(np.asarray(counts, dtype=float))
    exposure = np.asarray(exposure, dtype=float)
    known = ~np.isnan(counts)
    k = np.where(known, counts, 0.0)
    total, days, periods = k.sum(axis=1), known @ exposure, known.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        chi2 = np.where(total > 0, (k**2 / exposure).sum(axis=1) * days / total - total, 0.0)
    enough = periods >= MIN_PERIODS
    df = np.where(enough & (total > 0), periods - 1, 0)
    if pooled:
        all_df = df.sum()
        phi = max(1.0, float(chi2[df > 0].sum() / all_df)) if all_df else 1.0
        most = int(periods.max(initial=0))
        shape = total.shape
        return Dispersion(np.full(shape, phi), np.full(shape, most), np.full(shape, bool(enough.any())))
    phi = np.maximum(1.0, np.divide(chi2, df, out=np.ones_like(chi2), where=df > 0))
    return Dispersion(phi, periods, enough)


def widen(p: ArrayLike, phi: ArrayLike) -> np.ndarray | float:
    """Two-sided p for overdispersed counts: ``2 Phi(-Phi^-1(1 - p/2) / sqrt(phi))``; NaN stays NaN.

    Computed from the lower tail, so very small p keep their precision.
    """
    p, phi = np.asarray(p, dtype=float), np.asarray(phi, dtype=float)
    return (2.0 * special.ndtr(special.ndtri(p / 2.0) / np.sqrt(phi)))[()]


def benjamini_hochberg(p: ArrayLike) -> np.ndarray:
    """Adjusted p-values over all rows judged at once [Benjamini1995]_.

    NaN (rows that cannot be compared) stays NaN and does not count as a test.
    """
    p = np.asarray(p, dtype=float)
    adjusted = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    if known.any():
        adjusted[known] = stats.false_discovery_control(p[known], method="bh")
    return adjusted


def verdict(p: ArrayLike, z: ArrayLike, *, strong: float = 0.01, mild: float = 0.05) -> np.ndarray:
    """The word for each row.

    Parameters
    ----------
    p : array_like
        Final two-sided p (widened and adjusted); NaN where the row cannot be compared.
    z : array_like
        Only its sign is used: positive is a rise.
    strong, mild : float
        Thresholds; a p equal to one is not below it.

    Returns
    -------
    ndarray of str
        One of ``VERDICTS``.
    """
    p, z = np.broadcast_arrays(np.asarray(p, dtype=float), np.asarray(z, dtype=float))
    rise, fall = z > 0, z < 0
    return np.select(
        [np.isnan(p), rise & (p < strong), rise & (p < mild), fall & (p < strong), fall & (p < mild)],
        [NOT_COMPARABLE, CLEAR_RISE, RISE, CLEAR_FALL, FALL],
        NORMAL,
    )
