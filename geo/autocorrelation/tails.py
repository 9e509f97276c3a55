"""Exact two-sided tails of a share of events, for counts that may vary more than Poisson."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc


def two_sided_binomial(
    inside: np.ndarray, total: np.ndarray | float, held: np.ndarray, places: int, dispersion: float
) -> np.ndarray:
    """Twice the smaller tail of ``inside`` among ``total`` events, each falling in ``held`` of ``places`` by chance.

    Parameters
    ----------
    inside, total, held : whole numbers, broadcast to shape (n,)
    places : int
        Above every ``held``, or equal (then all events are inside, and p is 1).
    dispersion : float
        Counts over it enter the incomplete beta function, which is the binomial tail at whole numbers and continues
        it between them.

    Returns
    -------
    float array, shape (n,)
        In (0, 1], never 0: the smallest double stands for less. Equal cases are computed once.
    """
    inside, total, held = (np.asarray(v, dtype=np.int64) for v in (inside, total, held))
    inside, total, held = np.broadcast_arrays(inside, total, held)
    if not inside.size:
        return np.zeros(0)
    case = (inside * (total.max() + 1) + total) * (held.max() + 1) + held
    _, first, back = np.unique(case, return_index=True, return_inverse=True)
    x, n, chance = inside[first] / dispersion, total[first] / dispersion, held[first] / places
    some, rest = x > 0, n > x
    upper = np.where(some, betainc(np.where(some, x, 1.0), n - x + 1.0, chance), 1.0)
    lower = np.where(rest, betainc(np.where(rest, n - x, 1.0), x + 1.0, 1.0 - chance), 1.0)
    p = np.minimum(1.0, 2.0 * np.minimum(upper, lower))
    return np.maximum(p, np.finfo(float).tiny)[back]
