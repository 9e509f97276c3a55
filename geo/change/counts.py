"""Is a change between two counts more than chance: exact and approximate tests of two Poisson rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from geo.result import Result

EXACT_BELOW = 2000  # total count under which the E-test is summed exactly; the score z is used from here on
_BLOCK = 40_000  # cells of the sum laid out at once: what fits the processor's cache is summed twice as fast


@dataclass(frozen=True, eq=False)
class RateTest(Result):
    """Two-sided comparison of two Poisson rates; unpacks as ``p, z``.

    Attributes
    ----------
    p : ndarray or float
        Two-sided p-value; NaN where an input is NaN.
    z : ndarray or float
        Score statistic, positive where the first rate is higher; 0 where both counts are 0.
    exact : ndarray of bool or bool
        True where ``p`` is the exact E-test, False where it is the normal tail of ``z``.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("p", "z")

    p: np.ndarray | float
    z: np.ndarray | float
    exact: np.ndarray | bool


def score_z(k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike) -> np.ndarray:
    """Score statistic of two rates; 0 where both counts are 0.

    Parameters
    ----------
    k1, k2 : array_like
        Counts; NaN gives NaN.
    n1, n2 : array_like
        Exposures (days), above 0. All four broadcast.

    Returns
    -------
    ndarray

    Notes
    -----
    ``z = (k1/n1 - k2/n2) / sqrt((k1 + k2)/(n1 n2))``: the spread is that of one rate common to both.

    Examples
    --------
    >>> score_z([12, 12], 7, [7, 0], 7).round(3).tolist()
    [1.147, 3.464]
    """
    k1, n1, k2, n2 = (np.asarray(v, dtype=float) for v in (k1, n1, k2, n2))
    total = k1 + k2
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (k1 / n1 - k2 / n2) / np.sqrt(total / (n1 * n2))
    return np.where(total == 0, 0.0, z)


def poisson_z(now: ArrayLike, mean: ArrayLike) -> np.ndarray | float:
    """Distance of a count from a *known* mean on the square-root scale: ``2 (sqrt(now) - sqrt(mean))``.

    Parameters
    ----------
    now : array_like
        Counts; NaN stays NaN.
    mean : array_like
        The mean they come from if nothing changed, known beforehand.

    Returns
    -------
    ndarray or float

    Raises
    ------
    ValueError
        A count or mean below 0.

    Notes
    -----
    About standard normal for a Poisson count [Anscombe1948]_. Between two single counts its deviation is sqrt(2), so
    ``|Z| > 1.96`` is found in one sixth of pure noise: use :func:`poisson_e_test` there.

    Examples
    --------
    >>> poisson_z([9, 25], [4, 16]).tolist()
    [2.0, 2.0]
    """
    now, mean = np.asarray(now, dtype=float), np.asarray(mean, dtype=float)
    if (now < 0).any() or (mean < 0).any():
        raise ValueError("counts and mean must not be below 0")
    return 2.0 * (np.sqrt(now) - np.sqrt(mean))[()]


def poisson_e_test(k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, *, pooled: bool = False) -> RateTest:
    """Two-sided E-test of equal Poisson rates [Krishnamoorthy2004]_.

    Parameters
    ----------
    k1, k2 : array_like
        Counts, whole and not negative; NaN gives NaN.
    n1, n2 : array_like
        Exposures, above 0, in one unit (days). All four broadcast.
    pooled : bool
        Order the pairs by :func:`score_z` instead of the published statistic. The same for equal exposures; better
        where they are far apart (see Notes).

    Returns
    -------
    RateTest
        ``p`` is summed exactly where ``k1 + k2 < EXACT_BELOW`` and is the normal tail of ``z`` from there on; at the
        joint the two differ by under 0.001 for equal exposures or ``pooled``. Two zero counts give p = 1.

    Raises
    ------
    ValueError
        For a negative or fractional count, or an exposure that is not above 0.

    Notes
    -----
    Under the common rate the p-value is the probability of every pair whose statistic is at least the observed one. The
    published statistic estimates the variance of each rate by itself (scipy's ``poisson_means_test`` does so). Where a
    short window with few events meets a long one it is nearly blind to rises: measured at 2 events a week, a doubled
    week against 28 days is found in 1 % (``pooled``: 26 %), one fallen to 0.4 in 20 % (``pooled``: 1 %).

    For each first count that region is two tails of the second count, whose ends solve a quadratic, so a pair costs one
    row of Poisson tails instead of a table. Equal pairs are computed once.

    Examples
    --------
    >>> p, z = poisson_e_test([12, 21, 0], 7, [7, 7, 0], 7)
    >>> p.round(3).tolist(), z.round(2).tolist()
    ([0.266, 0.008, 1.0], [1.15, 2.65, 0.0])
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
    p = np.asarray(2.0 * special.ndtr(-np.abs(z)))
    if exact.any():
        p[exact] = _exact_p_of_distinct(k1[exact], n1[exact], k2[exact], n2[exact], pooled)
    return RateTest(p[()], z[()], exact[()])


def _exact_p_of_distinct(k1: np.ndarray, n1: np.ndarray, k2: np.ndarray, n2: np.ndarray, pooled: bool) -> np.ndarray:
    pairs = (k1 * EXACT_BELOW + k2).astype(np.int64)  # one number a pair: sorting rows is ten times slower
    _, which1 = np.unique(n1, return_inverse=True)
    days2, which2 = np.unique(n2, return_inverse=True)
    key = (which1 * len(days2) + which2) * EXACT_BELOW**2 + pairs
    _, first, back = np.unique(key, return_index=True, return_inverse=True)
    # Each pair takes a row of up to about 16 standard deviations of its mean: in blocks of like length, so that memory
    # stays small.
    length = 16 * np.sqrt(k1[first] + k2[first]) + 20
    order = np.argsort(length, kind="stable")
    reached = np.cumsum(length[order])
    p = np.empty(len(first))
    for at in np.split(order, np.searchsorted(reached, np.arange(_BLOCK, reached[-1], _BLOCK))):
        one = first[at]
        p[at] = _exact_p(k1[one], n1[one], k2[one], n2[one], pooled)
    return p[back]


def _exact_p(k1: np.ndarray, n1: np.ndarray, k2: np.ndarray, n2: np.ndarray, pooled: bool) -> np.ndarray:
    rate = (k1 + k2) / (n1 + n2)
    mean1, mean2 = n1 * rate, n2 * rate
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (k1 + k2) / (n1 * n2) if pooled else k1 / n1**2 + k2 / n2**2
        observed = np.abs((k1 / n1 - k2 / n2) / np.sqrt(variance))
    # Equal rates: every pair but (0, 0), whose statistic is undefined, is at least as extreme.
    p = np.where(rate > 0, -np.expm1(-(mean1 + mean2)), 1.0)
    todo = np.flatnonzero((rate > 0) & (k1 * n2 != k2 * n1))
    if todo.size == 0:
        return p
    p[todo] = _region(*(v[todo] for v in (n1, mean1, n2, mean2, observed)), pooled)
    return np.clip(p, 0.0, 1.0)


def _region(n1, mean1, n2, mean2, observed, pooled: bool) -> np.ndarray:
    """Probability of every pair at least as extreme as the observed one: a row for each observed pair, a column for each
    first count.

    Sums run along a row one by one, so that what stands beside a pair does not change its last digits.
    """
    x1, pmf1 = _poisson(mean1)
    low2, below2, above2 = _tails(mean2)
    n1, n2, observed = n1[:, None], n2[:, None], observed[:, None]
    t2 = observed**2
    a, slack = x1 / n1, t2 / (n1 if pooled else n2)
    root = np.sqrt(slack**2 + a * (4 * t2 * (1 / n1 + 1 / n2)))
    middle = 2 * a + slack
    below, above = (middle - root) * (n2 / 2), (middle + root) * (n2 / 2)
    # Whether a tie with the observed pair counts as extreme is decided in the arithmetic of the published
    # implementation (scipy), whose answers it then equals; pooled, ties always count. Only whole numbers next to a
    # root are affected.
    near = 1e-9 * np.maximum(above, 1.0)
    last, first = np.floor(below + near), np.ceil(above - near)
    if pooled:
        last -= (x1 == 0) & (last == 0)  # (0, 0) has no statistic
    else:
        for count, step, doubtful in ((last, -1, last > below - near), (first, 1, first < above + near)):
            row, column = np.nonzero(doubtful)
            other = count[row, column]
            extreme = _as_extreme(x1[row, column], n1[row, 0], other, n2[row, 0], observed[row, 0])
            count[row, column] = np.where(extreme, other, other + step)
    chances = pmf1 * (_looked_up(below2, last + 1 - low2) + _looked_up(above2, first - low2))
    return np.cumsum(chances, axis=1)[:, -1]


def _looked_up(table: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Entries of each row, from its first or last column where it has no such column."""
    inside = np.minimum(np.maximum(column, 0), table.shape[1] - 1).astype(np.intp)
    inside += np.arange(len(table))[:, None] * table.shape[1]
    return table.ravel()[inside]


def _tails(mean: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of Poisson counts with each mean the first that is held, shape (n, 1); then, a row for each mean and by how far a
    count lies from that one, the probability of fewer and of as many or more."""
    x, pmf = _poisson(mean)
    below, above = np.zeros((2, len(mean), pmf.shape[1] + 1))
    np.cumsum(pmf, axis=1, out=below[:, 1:])
    above[:, :-1] = np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1]
    return x[:, :1], below, above


def _poisson(mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts that hold nearly all of a Poisson distribution and their probabilities, a row for each mean; 0 where a row is
    longer than its own needs."""
    low, high = _holds_nearly_all(mean)
    k = low[:, None] + np.arange(int((high - low).max()) + 1)
    mean = mean[:, None]
    pmf = np.exp(k * np.log(mean) - special.gammaln(np.arange(k.max() + 2))[k + 1] - mean)
    pmf[k > high[:, None]] = 0.0
    return k.astype(float), pmf


def _holds_nearly_all(mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last count between which a Poisson count falls but for 2e-14 below and 1e-16 above (means to 2,000).

    Closed forms instead of quantiles, whose search takes longer than the sum itself.
    """
    spread = np.sqrt(mean)
    low = np.maximum(np.floor(mean - 7.35 * spread), 0)
    return low.astype(np.int64), np.ceil(mean + 8.25 * spread + 10).astype(np.int64)


def _as_extreme(x1: np.ndarray, n1: np.ndarray, x2: np.ndarray, n2: np.ndarray, observed: np.ndarray) -> np.ndarray:
    rate1, rate2 = x1 / n1, np.maximum(x2, 0) / n2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs((rate1 - rate2) / np.sqrt(rate1 / n1 + rate2 / n2)) >= observed  # (0, 0) has no statistic
