"""Sums of neighbours drawn by chance, for many areas at once."""

from __future__ import annotations

import numpy as np

_BLOCK = 4_000_000  # numbers drawn in one go, so that memory stays small
_ROUND = 1e-12  # sums of the same values in another order are equal within this, relatively


def tail_counts(
    x: np.ndarray, k: np.ndarray, areas: np.ndarray, seen: np.ndarray, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """How often the sum of k values drawn from the other areas is at least, and at most, the one seen.

    Parameters
    ----------
    x : float array, shape (n,)
        Values of all areas.
    k : int array, shape (n,)
        Number of neighbours of each area.
    areas : int array, shape (m,)
        The areas asked for, each with k > 0.
    seen : float array, shape (m,)
        Sum over the neighbours of each.
    draws : int
        Number of draws; all areas are compared with the same ones.

    Returns
    -------
    float array, shape (2, m)

    Notes
    -----
    One draw is a row of distinct areas in random order. For an area with k neighbours its first k are the sample; where
    the area itself is among them, the (k + 1)-th takes its place, which leaves a uniform sample of the others. So the
    sums of one k are sorted once and every area looks its own up; only the few rows that hold the area are mended.
    """
    most = int(k[areas].max())
    width = min(most + 1, len(x))
    slack = _ROUND * max(np.abs(x).max(), 1e-300) * most
    found = np.zeros((2, len(areas)))
    place = np.full(len(x), -1)
    place[areas] = np.arange(len(areas))
    kinds = [(kind, np.flatnonzero(k[areas] == kind)) for kind in np.unique(k[areas])]
    wide = len(x) if len(x) <= 2 * width**2 else width  # what one row costs while it is drawn
    block = max(1, _BLOCK // wide)
    for start in range(0, draws, block):
        rows = _distinct(len(x), width, min(block, draws - start), rng)
        drawn = x[rows]
        sums = np.cumsum(drawn, axis=1)
        for kind, mine in kinds:
            column = np.sort(sums[:, kind - 1])
            found[0, mine] += len(column) - np.searchsorted(column, seen[mine] - slack, "left")
            found[1, mine] += np.searchsorted(column, seen[mine] + slack, "right")
        who = place[rows[:, :most]]
        row, column = np.nonzero(who >= 0)
        who = who[row, column]
        size = k[areas[who]]
        held = column < size
        row, who, size = row[held], who[held], size[held]
        old = sums[row, size - 1]
        new = old - x[areas[who]] + drawn[row, np.minimum(size, width - 1)]
        for side, far in enumerate((_at_least, _at_most)):
            change = far(new, seen[who], slack).astype(float) - far(old, seen[who], slack)
            found[side] += np.bincount(who, change, len(areas))
    return found


def _at_least(value: np.ndarray, seen: np.ndarray, slack: float) -> np.ndarray:
    return value >= seen - slack


def _at_most(value: np.ndarray, seen: np.ndarray, slack: float) -> np.ndarray:
    return value <= seen + slack


def _distinct(size: int, width: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of ``width`` different numbers below ``size`` in random order."""
    if size <= 2 * width**2:
        return np.argsort(rng.random((count, size)), axis=1)[:, :width]
    rows = rng.integers(0, size, (count, width), dtype=np.int64)
    while True:  # rows with a number twice are drawn again, which keeps the others equally likely
        ordered = np.sort(rows, axis=1)
        twice = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
        if not twice.size:
            return rows
        rows[twice] = rng.integers(0, size, (len(twice), width), dtype=np.int64)
