"""Counts that are unsteadier than chance, and many rows judged at once: what is done to p before it becomes a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from geo.result import Result

MIN_PERIODS = 8  # complete periods under which a dispersion is not estimated


@dataclass(frozen=True, eq=False)
class Dispersion(Result):
    """Variance over mean of counts in past periods, at least 1; unpacks as ``phi, periods, estimated``.

    Attributes
    ----------
    phi : ndarray, shape (rows,)
        Factor for :func:`widen`; 1 where fewer than ``MIN_PERIODS`` periods were complete.
    periods : ndarray of int, shape (rows,)
        Complete periods used by each row (pooled: the most any row had).
    estimated : ndarray of bool, shape (rows,)
        False where ``phi`` is 1 for want of periods.
    note : str
        Says so where ``phi`` is 1 for want of periods, in Chinese; "" where there is nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("phi", "periods", "estimated")

    phi: np.ndarray
    periods: np.ndarray
    estimated: np.ndarray
    note: str


def dispersion(counts: ArrayLike, exposure: ArrayLike, *, pooled: bool) -> Dispersion:
    """Overdispersion of past counts: ``phi = max(1, sum chi2 / sum df)``.

    Parameters
    ----------
    counts : array_like, shape (rows, periods)
        Events of each row in each past period; NaN where the period is not complete for the row.
    exposure : array_like, shape (periods,)
        Length of each period in days. The periods must be as long as the window that phi will be used for: weeks for a
        week, four weeks for four weeks; slow waves make phi grow with the length.
    pooled : bool
        One phi for all rows together (small areas) instead of one for each row.

    Returns
    -------
    Dispersion

    Raises
    ------
    ValueError
        Lengths that do not fit, a length not above 0, negative counts.

    Notes
    -----
    Given a row's total K, its chi2 against shares of the exposure has mean df exactly (multinomial), at any K, so rows
    with few events do not bias the pooled figure. Rows without an event say nothing and are left out.

    Examples
    --------
    >>> steady, waves = [4, 6, 5, 5, 4, 6, 5, 5], [0, 12, 1, 9, 0, 14, 2, 2]
    >>> phi, periods, _ = dispersion([steady, waves], [7] * 8, pooled=False)
    >>> phi.round(2).tolist(), periods.tolist()
    ([1.0, 6.57], [8, 8])
    >>> dispersion([steady, waves], [7] * 8, pooled=True).phi.round(2).tolist()
    [3.34, 3.34]
    """
    counts = np.atleast_2d(np.asarray(counts, dtype=float))
    exposure = np.asarray(exposure, dtype=float)
    if exposure.shape != counts.shape[1:]:
        raise ValueError(
            f"exposure has shape {exposure.shape}, expected ({counts.shape[1]},): a length for each period"
        )
    if (exposure <= 0).any() or (counts < 0).any():
        raise ValueError("exposure must be above 0 and counts not below 0, NaN where a period is missing")
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
        known_enough = np.full(shape, bool(enough.any()))
        return Dispersion(np.full(shape, phi), np.full(shape, most), known_enough, _note(known_enough))
    phi = np.maximum(1.0, np.divide(chi2, df, out=np.ones_like(chi2), where=df > 0))
    return Dispersion(phi, periods, enough, _note(enough))


def _note(estimated: np.ndarray) -> str:
    few = int((~estimated).sum())
    return f"{few}行完整的时期不足{MIN_PERIODS}个，按泊松处理（φ=1）" if few else ""


def one_phi(dispersion) -> float:
    """One phi for all rows: a number, or what :func:`dispersion` gives where all rows share it.

    Parameters
    ----------
    dispersion : float, array_like or Dispersion

    Returns
    -------
    float

    Raises
    ------
    ValueError
        No number, different values for the rows, a value below 1.

    Examples
    --------
    >>> one_phi(dispersion([[0, 12, 1, 9, 0, 14, 2, 2]] * 3, [7] * 8, pooled=True)) > 1
    True
    """
    given = dispersion.phi if isinstance(dispersion, Dispersion) else dispersion
    try:
        values = np.unique(np.asarray(given, dtype=float))
    except (TypeError, ValueError):
        raise ValueError(f"dispersion is {given!r}, expected a number of 1 or more") from None
    if values.size != 1:
        raise ValueError(
            f"dispersion holds {values.size} different values, expected one: pooled=True gives one, or take one row's"
        )
    if not (values[0] >= 1 and np.isfinite(values[0])):
        raise ValueError(f"dispersion is {values[0]:g}, expected 1 or more")
    return float(values[0])


def widen(p: ArrayLike, phi: ArrayLike) -> np.ndarray | float:
    """Two-sided p for overdispersed counts.

    Parameters
    ----------
    p : array_like
        Two-sided p-values of a test that takes counts for Poisson; NaN stays NaN.
    phi : array_like
        Dispersion, at least 1 (see :func:`dispersion`).

    Returns
    -------
    ndarray or float

    Notes
    -----
    ``p' = 2 Phi(-Phi^-1(1 - p/2) / sqrt(phi))``, computed from the lower tail, so very small p keep their precision.

    Examples
    --------
    >>> widen([0.05, 0.001], [1.0, 2.0]).round(3).tolist()
    [0.05, 0.02]
    """
    p, phi = np.asarray(p, dtype=float), np.asarray(phi, dtype=float)
    return (2.0 * special.ndtr(special.ndtri(p / 2.0) / np.sqrt(phi)))[()]


def benjamini_hochberg(p: ArrayLike) -> np.ndarray:
    """Adjusted p-values over all rows judged at once [Benjamini1995]_.

    Parameters
    ----------
    p : array_like
        P-values; NaN (rows that cannot be compared) stays NaN and does not count as a test.

    Returns
    -------
    ndarray
        In the shape of ``p``; all its values are taken as one family.

    Raises
    ------
    ValueError
        A p outside 0 to 1.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.2]).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.2]
    """
    p = np.asarray(p, dtype=float)
    adjusted = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    values = p[known]
    if np.any((values < 0) | (values > 1)):
        raise ValueError("p must be between 0 and 1")
    order = np.argsort(values)
    scaled = values[order] * len(values) / np.arange(1, len(values) + 1)
    ranked = np.empty_like(values)
    ranked[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    adjusted[known] = ranked
    return adjusted
