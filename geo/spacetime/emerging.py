"""Emerging hotspots: which places became hot, stay hot, cool down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from geo.autocorrelation.getis_ord import star_p, star_z
from geo.autocorrelation.neighbours import as_neighbours
from geo.autocorrelation.values import read_values
from geo.change import benjamini_hochberg
from geo.result import Result
from geo.spacetime.trend import mann_kendall

KINDS = ("historical", "new", "intensifying", "diminishing", "persistent", "consecutive", "oscillating", "sporadic")
NONE = "none"
MANY = 0.9  # share of steps that makes a place hot nearly always
TREND_ALPHA = 0.05


@dataclass(frozen=True, eq=False)
class Emerging(Result):
    """Class of each area and what it rests on; unpacks as ``label, z, p, q``.

    Attributes
    ----------
    label : str array, shape (n,)
        ``new_hot``, ``historical_cold`` … (the eight ``KINDS``, hot and cold) or ``none``.
    z, p, q : float array, shape (n, T)
        Space-time Gi* of each area and step, its two-sided p, and p adjusted over the whole cube. NaN where missing.
    side : int array, shape (n, T)
        1 significantly hot, -1 cold, 0 neither.
    trend_p, trend_z : float array, shape (n,)
        Mann-Kendall on z; NaN where the class does not depend on it.
    alpha, dispersion : float
    steps_back : int
    method : str
        ``binomial`` (counts) or ``normal`` (rates).
    missing : int
        Cells of the cube without a value.
    note : str
    """

    unpacks: ClassVar = ("label", "z", "p", "q")
    label: np.ndarray
    z: np.ndarray
    p: np.ndarray
    q: np.ndarray
    side: np.ndarray
    trend_p: np.ndarray
    trend_z: np.ndarray
    alpha: float
    dispersion: float
    steps_back: int
    method: str
    missing: int
    note: str


def emerging_hotspots(
    counts: ArrayLike, neighbours, *, alpha: float = 0.05, dispersion: float = 1.0, steps_back: int = 1
) -> Emerging:
    """Space-time Gi* over a cube of areas and steps, and the class of each area's history.

    Parameters
    ----------
    counts : array_like, shape (n, T)
        Events (or rates) of each area in each of T steps of equal length, oldest first. NaN is a missing report.
    neighbours
        Of the n areas, as in :func:`geo.autocorrelation.getis_ord_star`.
    alpha : float
        A cell of the cube is significant where q <= alpha.
    dispersion : float
        phi >= 1 of the counts, as in :func:`geo.autocorrelation.getis_ord_star`.
    steps_back : int
        Steps before its own that belong to a cell's neighbourhood, for the area itself and its neighbours alike.

    Returns
    -------
    Emerging

    Raises
    ------
    ValueError
        Another shape, negative counts, steps_back below 0.

    Notes
    -----
    Each cell is compared with the whole cube, so a step in which the whole city is high is hot in many places. p as in
    Gi*; Benjamini-Hochberg over all cells. Classes, tested in this order for hot (for cold with the signs of z and of
    the trend reversed): *historical*: the last step is not significant, at least 90 % of the earlier ones were. All
    others need the last step significant. *new*: no other step is, whatever the opposite sign did. At least 90 % of
    all steps: *intensifying*, *diminishing*, *persistent* as Mann-Kendall on z goes up, down (p < 0.05) or neither.
    *consecutive*: one unbroken run of 2 or more that ends now, nothing of either sign before. *oscillating*: the
    opposite sign before. *sporadic*: the rest. A missing step is not significant.

    Examples
    --------
    >>> counts = np.ones((30, 12), int)
    >>> counts[4:7, 10:] = 12
    >>> row = [[j for j in (i - 1, i + 1) if 0 <= j < 30] for i in range(30)]
    >>> emerging_hotspots(counts, row).label[2:9].tolist()
    ['none', 'new_hot', 'consecutive_hot', 'consecutive_hot', 'consecutive_hot', 'new_hot', 'none']
    """
    cube = np.asarray(counts, dtype=float)
    if cube.ndim != 2 or not cube.shape[1]:
        raise ValueError(f"counts have shape {cube.shape}, expected (areas, steps) with at least one step")
    if steps_back < 0:
        raise ValueError(f"steps_back is {steps_back}, expected 0 or more")
    read = read_values(cube, dispersion)
    near = as_neighbours(neighbours, len(cube))
    here = near.matrix
    x, there = np.where(read.known, cube, 0.0), read.known.astype(float)
    local, held = (_back(v + here @ v, steps_back)[read.known] for v in (x, there))
    z = star_z(local, held, read.x)
    p = star_p(read, local, held, z)
    q = benjamini_hochberg(p)
    excess = local * read.x.size - held * read.x.sum()
    side = read.spread(np.where(q <= alpha, np.sign(excess), 0.0), 0.0).astype(np.int8)
    z = read.spread(z)
    label, trend_p, trend_z = classes(side, z)
    return Emerging(
        label, z, read.spread(p), read.spread(q), side, trend_p, trend_z, alpha, read.phi,
        steps_back, "binomial" if read.counts else "normal", int((~read.known).sum()), _remark(read.note, cube.shape[1]),
    )  # fmt: skip


def classes(side: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class, trend p and trend z of each row of significant sides (n, T) and scores z (n, T), by the rules above."""
    size, steps = side.shape
    last = side[:, -1]
    hot, cold = (side == 1).sum(axis=1), (side == -1).sum(axis=1)
    trend_p, trend_z = np.full(size, np.nan), np.full(size, np.nan)
    often = ((last == 1) & (hot >= MANY * steps)) | ((last == -1) & (cold >= MANY * steps))
    if often.any():
        trend = mann_kendall(z[often], alpha=TREND_ALPHA)
        trend_p[often], trend_z[often] = trend.p, trend.z
    label = np.full(size, NONE, dtype="<U17")
    for name, sign, mine, other in (("hot", 1, hot, cold), ("cold", -1, cold, hot)):
        ends = last == sign
        many = ends & (mine >= MANY * steps)
        moves = trend_p < TREND_ALPHA
        up = moves & (np.sign(trend_z) == sign)
        run = _run(side == sign)
        rules = (
            (last == 0) & (steps > 1) & (mine >= MANY * (steps - 1)),
            ends & (mine == 1),
            many & up,
            many & moves & ~up,
            many,
            ends & (run >= 2) & (mine == run) & (other == 0),
            ends & (other > 0),
            ends,
        )
        names = [f"{kind}_{name}" for kind in KINDS]
        label = np.where(label == NONE, np.select(rules, names, NONE), label)
    return label, trend_p, trend_z


def _run(mine: np.ndarray) -> np.ndarray:
    """Length of the unbroken run that ends at the last step."""
    broken = ~mine[:, ::-1]
    return np.where(broken.any(axis=1), broken.argmax(axis=1), mine.shape[1])


def _back(values: np.ndarray, steps: int) -> np.ndarray:
    """Sums over each step and the ``steps`` before it."""
    total = values.copy()
    for lag in range(1, min(steps, values.shape[1] - 1) + 1):
        total[:, lag:] += values[:, :-lag]
    return total


def _remark(note: str, steps: int) -> str:
    few = f"只有{steps}期，少于10期时趋势类别不稳" if steps < 10 else ""
    return "；".join(part for part in (note, few) if part)
