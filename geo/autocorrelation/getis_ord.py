"""Getis-Ord Gi*: where events gather, cell by cell with its neighbours, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from geo.autocorrelation.neighbours import as_neighbours
from geo.autocorrelation.tails import two_sided_binomial
from geo.autocorrelation.values import Values, read_values
from geo.change import benjamini_hochberg
from geo.result import Result

NO_LABEL, MISSING = "none", "missing"
AS_RATES = "数值不是整数，按率处理：p 用正态近似"
_LEVELS = ((0.01, "99"), (0.05, "95"), (0.10, "90"))


@dataclass(frozen=True, eq=False)
class Hotspots(Result):
    """Gi* of each area; unpacks as ``z, p, q, label``. All arrays have shape (n,); NaN where the value is missing.

    Attributes
    ----------
    z : float array
        Standard score of the local sum against the spread between areas.
    p : float array
        Two-sided; of chance at the mean of the whole (see :func:`getis_ord_star`).
    q : float array
        p adjusted by Benjamini-Hochberg over all areas with a value.
    label : str array
        ``hot99`` ``hot95`` ``hot90`` ``cold90`` ``cold95`` ``cold99`` by q, else ``none``; ``missing``.
    flagged : bool array
        q <= alpha: only these count as hotspots (or cold spots).
    alpha, dispersion : float
    method : str
        ``binomial`` (counts) or ``normal`` (rates).
    islands : int array
        Areas without neighbours, judged by their own value alone.
    missing : int
        Areas without a value; they are nobody's neighbour.
    note : str
        For the reader, in plain words; empty where there is nothing to say.
    """

    unpacks: ClassVar = ("z", "p", "q", "label")
    z: np.ndarray
    p: np.ndarray
    q: np.ndarray
    label: np.ndarray
    flagged: np.ndarray
    alpha: float
    dispersion: float
    method: str
    islands: np.ndarray
    missing: int
    note: str


def getis_ord_star(
    values: ArrayLike, neighbours, *, alpha: float = 0.05, dispersion: float = 1.0, counts: bool | None = None
) -> Hotspots:
    """Gi* with binary weights, the area itself among its neighbours.

    Parameters
    ----------
    values : array_like, shape (n,)
        Events of each area (whole numbers, not negative), zeros included; or rates. NaN is a missing report: the area
        leaves the calculation and is labelled so.
    neighbours
        What :func:`contiguity` gives, or any form :func:`as_neighbours` reads. The area itself is added here.
    alpha : float
        Share of false ones accepted among the flagged.
    dispersion : float
        phi >= 1, variance over mean of the counts of one area from period to period, of periods as long as the window
        the values are of (:func:`geo.change.dispersion`, whose result may be given); 1 is Poisson. Not used for rates.
    counts : bool, optional
        Whether the values are events; by default whole numbers are. False for rates that were rounded.

    Returns
    -------
    Hotspots

    Raises
    ------
    ValueError
        Negative or infinite counts, a dispersion below 1, neighbours of another number of areas.

    Notes
    -----
    With m areas in the neighbourhood, mean x̄ and variance s² (over n) of all n values,
    ``z = (sum_j x_j - m x̄) / (s sqrt((n m - m²) / (n - 1)))`` [Ord1995]_. For counts p is exact at every size: given the
    total, the local sum is binomial with chance m/n; both tails come from the incomplete beta function at sum/phi and
    total/phi, and p is twice the smaller. z and p answer different questions (spread between areas; chance at the
    mean) and may differ in strength. For rates p is the normal tail of z. q is [Benjamini1995]_.

    Examples
    --------
    >>> row = [[1], [0, 2], [1, 3], [2, 4], [3, 5], [4]]
    >>> z, p, q, label = getis_ord_star([9, 11, 1, 0, 1, 0], row)
    >>> label.tolist()
    ['hot99', 'hot99', 'none', 'cold99', 'cold99', 'cold99']
    >>> z.round(2).tolist()
    [2.21, 1.64, 0.16, -1.48, -1.64, -1.1]
    """
    read = read_values(values, dispersion, counts)
    near = as_neighbours(neighbours, len(read.given)).among(read.known)
    x, size = read.x, len(read.x)
    local = x + near.matrix @ x
    held = near.count + 1
    z = star_z(local, held, x)
    p = star_p(read, local, held, z)
    q = benjamini_hochberg(p)
    label = labels(q, local * size - held * x.sum())
    return Hotspots(
        read.spread(z), read.spread(p), read.spread(q), read.spread(label, MISSING), read.spread(q <= alpha, False),
        alpha, read.phi, "binomial" if read.counts else "normal",
        read.positions[near.islands], int((~read.known).sum()), read.note or ("" if read.counts else AS_RATES),
    )  # fmt: skip


def star_z(local: np.ndarray, held: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Standard score of local sums over ``held`` of all values ``x``; 0 where nothing varies or all is local."""
    size = x.size
    if size < 2:
        return np.zeros(local.shape)
    mean = x.mean()
    spread = np.sqrt(max(np.mean((x - mean) ** 2), 0.0))
    scale = spread * np.sqrt(np.maximum(size * held - held.astype(float) ** 2, 0.0) / (size - 1))
    flat = scale <= 1e-12 * max(abs(mean), 1e-300) * held
    return np.where(flat, 0.0, (local - mean * held) / np.where(flat, 1.0, scale))


def star_p(read: Values, local: np.ndarray, held: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Two-sided p of local sums over ``held`` of all values: exact for counts, the normal tail of z for rates."""
    if read.counts:
        return two_sided_binomial(local, read.x.sum(), held, read.x.size, read.phi)
    return 2.0 * ndtr(-np.abs(z))


def labels(q: np.ndarray, excess: np.ndarray) -> np.ndarray:
    """``hot99`` … ``cold99`` by q and the sign of the excess, else ``none``."""
    side = np.where(excess > 0, "hot", "cold")
    found = np.full(q.shape, NO_LABEL, dtype="<U7")
    for level, name in reversed(_LEVELS):
        found = np.where(q <= level, np.char.add(side, name), found)
    return found
