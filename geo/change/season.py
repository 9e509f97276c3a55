"""Trend and season of a series, robust against single outliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from geo.result import Result


@dataclass(frozen=True, eq=False)
class SeasonalTrend(Result):
    """Parts of a series whose sum it is; unpacks as ``trend, season, rest``.

    Attributes
    ----------
    trend, season, rest : ndarray, shape (n,)
        In the unit of the series; NaN where it has a gap.
    weight : ndarray, shape (n,)
        0 to 1: how much each value counted in the robust fit; near 0 is an outlier. NaN at gaps.
    period : int
        Steps in a season.
    missing : int
        Gaps, filled for fitting alone.
    note : str
    """

    unpacks: ClassVar[tuple[str, ...]] = ("trend", "season", "rest")

    trend: np.ndarray
    season: np.ndarray
    rest: np.ndarray
    weight: np.ndarray
    period: int
    missing: int
    note: str


def seasonal_trend(series: ArrayLike, *, period: int, most_missing_pct: float = 10.0) -> SeasonalTrend:
    """Robust decomposition into trend, season and rest by Loess (STL) [Cleveland1990]_.

    Parameters
    ----------
    series : array_like, shape (n,)
        Values at equal steps; NaN is a gap, which is not 0.
    period : int
        Steps in a season, at least 2: 7 for days, 52 for weeks, 12 for months.
    most_missing_pct : float
        Gaps allowed, in percent of the steps.

    Returns
    -------
    SeasonalTrend

    Raises
    ------
    ValueError
        Fewer than two whole periods, more gaps than allowed, a step of the season without any value, an infinite value.

    Notes
    -----
    Fitted by statsmodels with ``robust=True``: values far from the fit lose their weight, so one extraordinary week
    bends neither trend nor season. The season is the same in every period: one that may change from period to period
    takes over the trend where there are few of them (six years of weekly vehicle thefts in Philadelphia rise from 40 a
    week; the trend of statsmodels' default begins at 7, this one at 40). For fitting alone a gap takes the median of
    its step of the season, moved by the level interpolated between its neighbours; it is handed back as NaN. A season
    by the calendar does not follow 春节, which moves: compare those weeks by :func:`comparison_window`.

    Examples
    --------
    >>> import numpy as np
    >>> weekday = np.tile([10, 10, 10, 10, 12, 16, 16], 6)
    >>> trend, season, rest = seasonal_trend(weekday + np.arange(42) / 7, period=7)
    >>> trend[[7, 35]].round(1).tolist(), season[7:14].round().astype(int).tolist()
    ([13.0, 17.0], [-2, -2, -2, -2, 0, 4, 4])
    """
    from statsmodels.tsa.seasonal import STL  # takes a second to import

    values = np.asarray(series, dtype=float)
    if values.ndim != 1:
        raise ValueError(f"series has shape {values.shape}, expected (steps,)")
    if np.isinf(values).any():
        raise ValueError("series holds an infinite value")
    if period != int(period) or period < 2:
        raise ValueError(f"period is {period}, expected a whole number of 2 or more steps")
    period = int(period)
    if len(values) < 2 * period:
        raise ValueError(f"series has {len(values)} steps, expected two periods or more ({2 * period} steps)")
    gap = np.isnan(values)
    missing = int(gap.sum())
    if missing * 100 > len(values) * most_missing_pct:
        raise ValueError(f"series misses {missing} of {len(values)} steps, expected at most {most_missing_pct:g} %")
    if any(gap[phase::period].all() for phase in range(period)):
        raise ValueError(f"series has no value at one of the {period} steps of the season, expected one at least")
    step = np.arange(len(values))
    usual = np.array([np.nanmedian(values[phase::period]) for phase in range(period)])[step % period]
    level = np.interp(step, step[~gap], (values - usual)[~gap])
    span = (
        20 * (len(values) // period) + 1
    )  # periods in a Loess of degree 0, far more than there are: one season for all
    fit = STL(np.where(gap, level + usual, values), period=period, seasonal=span, seasonal_deg=0, robust=True).fit()
    parts = (np.where(gap, np.nan, part) for part in (fit.trend, fit.seasonal, fit.resid, fit.weights))
    note = f"{missing} 处缺报，只在拟合时补上，不显示" if missing else ""
    return SeasonalTrend(*parts, period, missing, note)
