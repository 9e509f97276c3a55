"""Local Moran's I: areas alike their neighbours, and areas that differ from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from geo.autocorrelation.draws import tail_counts
from geo.autocorrelation.getis_ord import MISSING, NO_LABEL
from geo.autocorrelation.neighbours import Neighbours, as_neighbours
from geo.autocorrelation.tails import two_sided_binomial
from geo.autocorrelation.values import read_values
from geo.change import benjamini_hochberg
from geo.result import Result

ISLAND = "island"
MOST_PERMUTATIONS = 1_000_000  # drawing ends here at the latest
_DOUBT = 0.001  # chance that a p lies outside the bounds by which it is called resolved, each side


@dataclass(frozen=True, eq=False)
class LocalMoran(Result):
    """Local Moran of each area; unpacks as ``I, p, q, label``. Arrays of shape (n,); NaN where nothing can be said.

    Attributes
    ----------
    I : float array
        Row-standardised, as esda scales it: (n - 1) z_i lag_i / sum z². NaN for islands and missing values.
    p : float array
        Two-sided.
    q : float array
        p adjusted by Benjamini-Hochberg over all areas that have one.
    label : str array
        ``HH`` high among high, ``LL`` low among low, ``HL`` high among low, ``LH`` low among high where q <= alpha;
        else ``none``, ``island`` (no neighbours) or ``missing`` (no value).
    quadrant : str array
        HH, LL, HL, LH whether sure or not. The neighbours are high where their sum is above what the test expects, the
        mean of the *other* areas; one huge value can lift the mean of all above them, and I is then below 0.
    flagged : bool array
    alpha, dispersion : float
    method : str
        ``binomial`` (counts) or ``permutations`` (rates).
    permutations : int
        Drawn in all; 0 for counts.
    unresolved : int
        Areas whose p was still in doubt about its threshold when drawing ended; they are not flagged.
    seed : int or None
    islands : int array
    missing : int
    note : str
    """

    unpacks: ClassVar = ("I", "p", "q", "label")
    I: np.ndarray  # noqa: E741 - the field's own name
    p: np.ndarray
    q: np.ndarray
    label: np.ndarray
    quadrant: np.ndarray
    flagged: np.ndarray
    alpha: float
    dispersion: float
    method: str
    permutations: int
    unresolved: int
    seed: int | None
    islands: np.ndarray
    missing: int
    note: str


def local_moran(
    values: ArrayLike, neighbours, *, permutations: int = 999, seed: int = 0, dispersion: float = 1.0, alpha: float = 0.05,
    counts: bool | None = None,
) -> LocalMoran:  # fmt: skip
    """Local Moran's I with a test that holds its level at small counts.

    Parameters
    ----------
    values : array_like, shape (n,)
        Events of each area (whole numbers) or rates; NaN is a missing report and leaves the calculation.
    neighbours
        What :func:`contiguity` gives, or any form :func:`as_neighbours` reads.
    permutations : int
        For rates: drawn first; more follow where they decide. Not used for counts.
    seed : int
        Of the permutations; the same seed gives the same p.
    dispersion : float
        phi >= 1 as in :func:`getis_ord_star`; counts only.
    alpha : float
        Share of false ones accepted among the flagged.
    counts : bool, optional
        As in :func:`getis_ord_star`.

    Returns
    -------
    LocalMoran

    Raises
    ------
    ValueError
        Negative or infinite counts, fewer than 99 permutations, a dispersion below 1, wrong neighbours.

    Notes
    -----
    [Anselin1995]_. *Counts*: given the total N of the other areas, the sum over the k neighbours is binomial with
    chance k/(n - 1); p is twice the smaller exact tail at sum/phi and N/phi. Moments of permutations would call 46 % of
    pure noise maps at a mean of 0.2. *Rates*: given the area's own value, its neighbours' sum is compared with sums
    of k values drawn without replacement from the other areas, p = 2 (smaller tail + 1)/(draws + 1). Draws are
    doubled until every p is resolved below its Benjamini-Hochberg threshold or certain to miss it, up to
    ``MOST_PERMUTATIONS``. All areas share one set of draws.

    Examples
    --------
    >>> row = [[1], [0, 2], [1, 3], [2, 4], [3, 5], [4]]
    >>> found = local_moran([9, 11, 1, 0, 1, 0], row)
    >>> found.quadrant.tolist(), found.label.tolist()
    (['HH', 'HH', 'LH', 'LL', 'LL', 'LL'], ['HH', 'HH', 'none', 'LL', 'LL', 'none'])
    """
    if permutations < 99:
        raise ValueError(f"permutations is {permutations}, expected 99 or more")
    read = read_values(values, dispersion, counts)
    near = as_neighbours(neighbours, len(read.given)).among(read.known)
    x, size, k = read.x, len(read.x), near.count
    local = near.matrix @ x
    judged = k > 0
    flat = read.flat or not judged.any()  # nothing to compare: every p is 1
    index = np.where(judged, 0.0, np.nan) if flat else _index(x, local, k)
    quadrant = np.where(judged, NO_LABEL if flat else _quadrant(x, local, k), ISLAND)
    drawn = unresolved = 0
    p = np.where(judged, 1.0, np.nan)
    if read.counts and not flat:
        p[judged] = two_sided_binomial(local[judged], (x.sum() - x)[judged], k[judged], size - 1, read.phi)
    elif not flat:
        p[judged], drawn, unresolved = _permuted(x, local, near, judged, permutations, seed, alpha)
    q = benjamini_hochberg(p)
    flagged = np.nan_to_num(q, nan=1.0) <= alpha
    label = np.where(flagged | ~judged, quadrant, NO_LABEL)
    note = read.note or ("" if judged.any() else "各区域互不相邻，不能与邻居比较")
    return LocalMoran(
        read.spread(index), read.spread(p), read.spread(q), read.spread(label, MISSING),
        read.spread(quadrant, MISSING), read.spread(flagged, False), alpha, read.phi,
        "binomial" if read.counts else "permutations", drawn, unresolved, None if read.counts else seed,
        read.positions[near.islands], int((~read.known).sum()), note,
    )  # fmt: skip


def _index(x: np.ndarray, local: np.ndarray, k: np.ndarray) -> np.ndarray:
    z = x - x.mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        lag = local / k - x.mean()
        return np.where(k > 0, (len(x) - 1) * z * lag / (z @ z), np.nan)


def _quadrant(x: np.ndarray, local: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Own value above the mean, neighbours above the mean of the others: what the test expects of their sum."""
    others = (x.sum() - x) / max(len(x) - 1, 1)
    return np.char.add(np.where(x > x.mean(), "H", "L"), np.where(local > k * others, "H", "L"))


def _permuted(x, local, near: Neighbours, judged, permutations: int, seed: int, alpha: float):
    """p of the judged areas, draws made, areas left in doubt."""
    rng = np.random.default_rng(seed)
    areas = np.flatnonzero(judged)
    k = near.count
    smaller = np.zeros((2, len(areas)))  # draws at least, and at most, as large as seen
    draws = np.zeros(len(areas))  # an area once resolved is not drawn for again
    todo, more = np.arange(len(areas)), permutations
    total = 0
    while todo.size and total < MOST_PERMUTATIONS:
        more = min(more, MOST_PERMUTATIONS - total)
        smaller[:, todo] += tail_counts(x, k, areas[todo], local[areas[todo]], more, rng)
        draws[todo] += more
        total += more
        tail = smaller.min(axis=0)
        surely = benjamini_hochberg(_two_sided(tail, draws, 1 - _DOUBT)) <= alpha
        perhaps = benjamini_hochberg(_two_sided(tail, draws, _DOUBT)) <= alpha
        todo, more = np.flatnonzero(perhaps & ~surely), total
    p = np.minimum(1.0, 2.0 * (smaller.min(axis=0) + 1) / (draws + 1))
    if todo.size:  # in doubt to the end: kept from passing
        p[todo] = np.maximum(p[todo], _two_sided(smaller.min(axis=0)[todo], draws[todo], 1 - _DOUBT))
    return p, total, int(todo.size)


def _two_sided(tail: np.ndarray, draws: np.ndarray, level: float) -> np.ndarray:
    """Bound of the two-sided p at a level of the tail's Clopper-Pearson limits."""
    low = betaincinv(np.maximum(tail, 1e-12), draws - tail + 1, level) * (tail > 0)
    high = betaincinv(tail + 1, np.maximum(draws - tail, 1e-12), level)
    return np.minimum(1.0, 2.0 * (high if level > 0.5 else low))
