"""Rates that small numbers do not shake: shrunk towards the mean, and limits that widen where the base is small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from geo.change import benjamini_hochberg, one_phi
from geo.result import Result

LEVELS = (0.05, 0.002)  # outside 95 % and 99.8 % limits


@dataclass(frozen=True, eq=False)
class EmpiricalBayes(Result):
    """Raw and shrunk rates of areas, events per unit of base. ``numpy.asarray`` of it is ``eb``.

    Attributes
    ----------
    rate : ndarray, shape (n,)
        Events / base; NaN where the base is 0 or missing, or the events are missing.
    eb : ndarray, shape (n,)
        The rate drawn towards ``mean``, the more so the smaller the base; NaN as ``rate``.
    mean : float
        Events of all areas with a rate, over their base.
    variance : float
        Between the areas' true rates, 0 where chance alone explains how they differ: all are then the mean.
    weight : ndarray, shape (n,)
        Of the area's own rate, 0 to 1.
    left_out : int
        Areas without a rate.
    note : str
        What the user must know, "" for nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("rate", "eb", "mean", "variance")

    rate: np.ndarray
    eb: np.ndarray
    mean: float
    variance: float
    weight: np.ndarray
    left_out: int
    note: str

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.eb, dtype=dtype)


@dataclass(frozen=True, eq=False)
class Funnel(Result):
    """Rates of areas and the limits within which chance about the common rate keeps them.

    Attributes
    ----------
    rate : ndarray, shape (n,)
        Events / base; NaN where the base is 0 or missing, or the events are missing.
    mean : float
        The common rate: events of all areas with a rate, over their base.
    p : ndarray, shape (n,)
        Two-sided exact p of the count against the common rate; NaN where there is no rate.
    q : ndarray, shape (n,)
        ``p`` adjusted over the areas by Benjamini-Hochberg.
    label : ndarray of str, shape (n,)
        ``high`` or ``low`` where q <= alpha, else "".
    low_95, high_95, low_998, high_998 : ndarray, shape (n,)
        Limits of the rate at each area's base: a rate at or beyond one has ``p`` at or below 0.05 (0.002). Continuous in
        the base, so they draw as curves. A low limit is NaN where even no event at all would not be unusual.
    alpha, dispersion : float
        As given.
    left_out : int
        Areas without a rate.
    note : str
        What the user must know, "" for nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("rate", "mean", "p", "q", "label")

    rate: np.ndarray
    mean: float
    p: np.ndarray
    q: np.ndarray
    label: np.ndarray
    low_95: np.ndarray
    high_95: np.ndarray
    low_998: np.ndarray
    high_998: np.ndarray
    alpha: float
    dispersion: float
    left_out: int
    note: str


def empirical_bayes_rate(events: ArrayLike, base: ArrayLike) -> EmpiricalBayes:
    """Rates drawn towards the common rate by how little each area can know of its own [Marshall1991]_.

    Parameters
    ----------
    events : array_like (n,)
        Events of each area, 0 or more, NaN where not known. They may exceed the base: events are not persons.
    base : array_like (n,)
        Households, addresses or population of each area, 0 or more. Areas with base 0 or NaN have no rate and take no
        part; their events are not in the mean.

    Returns
    -------
    EmpiricalBayes
        Unpacks as ``rate, eb, mean, variance``.

    Raises
    ------
    ValueError
        Lengths that differ, negative or infinite values.

    Notes
    -----
    With rates :math:`r_i = e_i / b_i`, mean m and mean base :math:`\\bar b`:

    .. math:: A = \\max\\left(0, \\frac{\\sum b_i (r_i - m)^2}{\\sum b_i} - \\frac{m}{\\bar b}\\right), \\quad
              w_i = \\frac{A}{A + m / b_i}, \\quad eb_i = w_i r_i + (1 - w_i) m

    A below 0 means less spread than chance gives; unclipped it would turn the order of the areas round.

    Examples
    --------
    >>> rate, eb, mean, variance = empirical_bayes_rate([0, 30, 60, 50], [50, 100, 1000, 1000])
    >>> rate.round(3).tolist(), eb.round(3).tolist(), round(mean, 3)
    ([0.0, 0.3, 0.06, 0.05], [0.021, 0.254, 0.06, 0.05], 0.065)
    """
    e, b, known = _read(events, base)
    rate, weight = np.full(e.shape, np.nan), np.full(e.shape, np.nan)
    e_, b_ = e[known], b[known]
    rate[known] = e_ / b_
    if not e_.size:
        return EmpiricalBayes(rate, rate, float("nan"), float("nan"), weight, int(e.size), _note(e, known))
    mean = float(e_.sum() / b_.sum())
    spread = float(b_ @ (rate[known] - mean) ** 2 / b_.sum())
    variance = max(0.0, spread - mean / b_.mean())
    weight[known] = variance / (variance + mean / b_) if variance > 0 else 0.0
    eb = mean + weight * (rate - mean)
    return EmpiricalBayes(rate, eb, mean, variance, weight, int((~known).sum()), _note(e, known))


def funnel_limits(events: ArrayLike, base: ArrayLike, *, alpha: float = 0.05, dispersion: float = 1.0) -> Funnel:
    """Which areas' rates are out of the common one's reach, by exact Poisson limits [Spiegelhalter2005]_.

    Parameters
    ----------
    events : array_like (n,)
        Whole numbers of 0 or more, NaN where not known.
    base : array_like (n,)
        As in :func:`empirical_bayes_rate`.
    alpha : float
        Of the areas labelled, the share that chance may have put there (false discovery rate), 0 to 1.
    dispersion : float
        Variance to mean of the counts, 1 or more (see :func:`geo.change.dispersion`); widens the limits.

    Returns
    -------
    Funnel
        Unpacks as ``rate, mean, p, q, label``.

    Raises
    ------
    ValueError
        Lengths that differ, negative, infinite or broken counts, alpha or dispersion out of range.

    Notes
    -----
    With mean :math:`\\mu_i = m b_i`, p is twice the smaller of P(X <= e) and P(X >= e), at most 1, for X Poisson. With
    dispersion phi the count and mean are divided by phi and the tails taken through the incomplete gamma function. The
    area's own events are part of the common rate, which makes p too large rather than too small (Benjamini-Hochberg:
    [Benjamini1995]_).

    Examples
    --------
    >>> rate, mean, p, q, label = funnel_limits([1, 28, 9, 10, 8], [1, 1000, 1000, 1000, 1000])
    >>> label.tolist(), p.round(3).tolist()
    (['', 'high', '', '', ''], [0.028, 0.001, 0.219, 0.352, 0.124])
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}, expected above 0 and below 1")
    dispersion = one_phi(dispersion)
    e, b, known = _read(events, base)
    broken = int((e[known] != np.floor(e[known])).sum())
    if broken:
        raise ValueError(f"events has {broken} values that are not whole numbers, expected counts")
    total, own = float(e[known].sum()), np.where(known, b, np.nan)
    mean = total / float(b[known].sum()) if known.any() else float("nan")
    rate, p = np.full(e.shape, np.nan), np.full(e.shape, np.nan)
    rate[known] = e[known] / b[known]
    if total > 0:
        below, above = _tails(e[known] / dispersion, mean * b[known] / dispersion)
        p[known] = np.minimum(1.0, 2 * np.minimum(below, above))
    else:
        p[known] = 1.0
    q = benjamini_hochberg(p)
    flagged = q <= alpha
    label = np.select([flagged & (rate > mean), flagged & (rate < mean)], ["high", "low"], "")
    limits = [limit / own for level in LEVELS for limit in _limits(mean * own, dispersion, level)]
    return Funnel(
        rate, mean, p, q, label, *limits, float(alpha), float(dispersion), int((~known).sum()), _note(e, known)
    )  # fmt: skip


def _tails(k: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P(X <= k) and P(X >= k) for X Poisson, continued between whole numbers."""
    return special.gammaincc(k + 1, mean), np.where(k > 0, special.gammainc(np.maximum(k, 1e-300), mean), 1.0)


def _limits(expected: np.ndarray, dispersion: float, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Counts at which each tail is half of ``level``; the lower NaN where even 0 has a larger tail."""
    mean = expected / dispersion
    with np.errstate(invalid="ignore"):
        reached = np.exp(-mean) <= level / 2
        low = np.where(reached, special.pdtrik(level / 2, np.where(reached, mean, 100.0)), np.nan)
        high = special.pdtrik(1 - level / 2, np.where(mean > 0, mean, np.nan)) + 1
    return dispersion * low, dispersion * high


def _read(events: ArrayLike, base: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Events and base as floats, and where there is a rate."""
    e, b = np.asarray(events, dtype=float), np.asarray(base, dtype=float)
    if e.ndim != 1 or e.shape != b.shape:
        raise ValueError(f"events has shape {e.shape} and base {b.shape}, expected the same (n,)")
    for name, values in (("events", e), ("base", b)):
        bad = int((np.isinf(values) | (values < 0)).sum())
        if bad:
            raise ValueError(f"{name} has {bad} of {values.size} values negative or infinite, expected 0 or more")
    return e, b, np.isfinite(e) & (b > 0)


def _note(events: np.ndarray, known: np.ndarray) -> str:
    parts = []
    lost = int((~known).sum())
    if lost:
        parts.append(f"{lost}个区域没有基数或件数，无率，其{np.nansum(events[~known]):g}起不计入均值")
    if not events[known].any():
        parts.append("没有事件，不作判定")
    elif known.sum() == 1:
        parts.append("只有1个区域，无从比较")
    return "；".join(parts)
