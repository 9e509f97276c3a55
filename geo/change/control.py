"""Is a week out of line with the weeks before it: control bands on the square-root scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from geo.change.overdispersion import one_phi
from geo.change.weeks import weekly_counts
from geo.result import Result


@dataclass(frozen=True, eq=False)
class ControlBand(Result):
    """Limits for each week from the weeks before it; unpacks as ``lower, centre, upper``.

    Attributes
    ----------
    lower, centre, upper : ndarray, shape (weeks,)
        In events; a ``lower`` under 1 is 0. NaN where too few weeks before were complete.
    z : ndarray, shape (weeks,)
        ``2 sqrt(count) - centre`` on the root scale, over ``sqrt((1 + 1/weeks) dispersion)``; NaN for a week that is
        not judged.
    outside : ndarray of bool, shape (weeks,)
        Above ``upper`` or below ``lower``; False for a week that is not judged.
    weeks, reach : int
        How many complete weeks a band rests on, and among how many weeks before they are looked for.
    limit : float
        Width of the band in standard deviations.
    dispersion : float
    note : str
        What the reader must know; "" where there is nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("lower", "centre", "upper")

    lower: np.ndarray
    centre: np.ndarray
    upper: np.ndarray
    z: np.ndarray
    outside: np.ndarray
    weeks: int
    reach: int
    limit: float
    dispersion: float
    note: str


def control_band(
    series: ArrayLike,
    *,
    complete: ArrayLike | None = None,
    dispersion: float = 1.0,
    weeks: int = 8,
    reach: int = 16,
    limit: float = 3.0,
) -> ControlBand:
    """Control band of weekly counts from the eight complete weeks before each week.

    Parameters
    ----------
    series : array_like, shape (n,)
        Events of consecutive weeks, whole and not negative; NaN is a missing week (未报), which is not 0.
    complete : array_like of bool, shape (n,), optional
        False for a week that is cut, not over or not all in yet: it is neither judged nor part of a later base, but
        its band is given. By default every week with a count is complete.
    dispersion : float
        Overdispersion phi of the counts, at least 1: widens the band by sqrt(phi).
    weeks : int
        Complete weeks in a base.
    reach : int
        The base is the latest ``weeks`` complete ones of so many weeks before; where there are fewer there is no band.
    limit : float
        Half the width of the band in standard deviations.

    Returns
    -------
    ControlBand

    Raises
    ------
    ValueError
        A negative or fractional count, another shape, a dispersion below 1, a reach shorter than the base.

    Notes
    -----
    On the scale ``y = 2 sqrt(k)``, where a Poisson count has a variance of about 1 at any mean [Anscombe1948]_, a week
    differs from the mean of the 8 before it with variance ``1 + 1/8``: the limits are ``mean(y) ± 3 sqrt(1 + 1/8)``,
    squared back to counts. The week itself is not in its base.

    The centre is the mean of the roots: the root of the mean is larger (Jensen), at small means by up to 0.5, which
    hides rises and flags falls. A lower limit under 1 is 0, since between 0 and 1 the root scale jumps by 2: with it a
    week without events would be flagged in 2.9 % of noise weeks at mean 3. Only there ``z`` may pass -3 without a flag.
    Measured on Poisson noise, share of weeks outside (nominal 0.27 %): 0.08 % at mean 0.2, 0.16 % at 2, 0.31 % at 20.

    Examples
    --------
    >>> band = control_band([16, 16, 16, 16, 16, 16, 16, 16, 25, 36])
    >>> [round(float(v[8]), 2) for v in band], band.z[8:].round(2).tolist(), band.outside[8:].tolist()
    ([5.8, 16.0, 31.26], [1.89, 3.54], [False, True])
    """
    counts, whole = weekly_counts(series, complete)
    dispersion = one_phi(dispersion)
    if not 1 <= weeks <= reach:
        raise ValueError(f"reach is {reach} weeks, expected at least the {weeks} of the base")
    y = 2.0 * np.sqrt(counts)
    centre = _mean_of_latest(y, whole, weeks, reach)
    sd = np.sqrt((1 + 1 / weeks) * dispersion)
    lower = (np.maximum(centre - limit * sd, 0) / 2) ** 2
    lower = np.where(lower < 1, np.floor(lower), lower)  # a week without events alone is no fall
    upper = ((centre + limit * sd) / 2) ** 2
    z = np.where(whole, (y - centre) / sd, np.nan)
    with np.errstate(invalid="ignore"):
        outside = whole & ((counts > upper) | (counts < lower))
    note = _note(counts, whole, centre, weeks, reach)
    return ControlBand(lower, (centre / 2) ** 2, upper, z, outside, weeks, reach, limit, float(dispersion), note)


def _mean_of_latest(y: np.ndarray, whole: np.ndarray, weeks: int, reach: int) -> np.ndarray:
    mean = np.full(y.shape, np.nan)
    for t in range(len(y)):
        base = np.flatnonzero(whole[max(t - reach, 0) : t])[-weeks:] + max(t - reach, 0)
        if len(base) == weeks:
            mean[t] = y[base].mean()
    return mean


def _note(counts: np.ndarray, whole: np.ndarray, centre: np.ndarray, weeks: int, reach: int) -> str:
    if np.isnan(centre).all():
        return f"此前 {reach} 周内完整的不足 {weeks} 周，没有控制带"
    if not whole[-1]:
        return "最近一周" + ("未报" if np.isnan(counts[-1]) else "不完整") + "，不作判断"
    return ""
