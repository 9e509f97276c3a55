"""How much a density is smoothed, and where its classes begin."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.spatial import cKDTree

from data.store.class_limits import nice
from geo.density.scale import automatic_bandwidth
from geo.density.smooth import Kernel

MOST_CELLS = 600  # each way
WITHIN = 20  # events within the bandwidth of a typical event, so that no class hangs on one or two of them
LEAST_M = 600.0  # narrower shows streets, which events of a city do not fill
COARSEST = 1.5  # cells a standard deviation of the kernel
SAMPLE = 100_000  # events the bandwidth is worked out from
_ASKED = 2_000  # of them, whose surroundings are looked at
SHARES = (0.70, 0.85, 0.93, 0.975, 0.995)  # of the area with any density that lies below each limit


def bandwidth_rule(xy: np.ndarray, frame: tuple[float, float], kernel: Kernel) -> dict:
    """The radius of the kernel and what it came from.

    Parameters
    ----------
    xy : float array, shape (n, 2)
        Events in metres, in order of time.
    frame : (float, float)
        Width and height of what is drawn, metres.

    Returns
    -------
    dict
        ``bandwidth_m``, and ``bandwidth_rule``: ``least_m`` or the distance within which the median event has
        ``events_within`` others, whichever is more; at most ``most_m``, the rule of thumb ``most``; at least
        ``finest_m``, what the cells can show; rounded up to two digits.
    """
    some = xy[:: max(1, -(-len(xy) // SAMPLE))]
    widest, rule = automatic_bandwidth(some[:, 0], some[:, 1], frame, kernel)
    finest = COARSEST * max(frame) / MOST_CELLS / kernel.deviation
    within = _typical_radius(some, WITHIN * len(some) / max(len(xy), 1))
    radius = max(min(max(within, LEAST_M), widest), finest)
    step = 10.0 ** max(np.floor(np.log10(radius)) - 1, 0)
    return {
        "bandwidth_m": float(max(np.ceil(radius / step - 1e-9) * step, 1.0)),
        "bandwidth_rule": {
            "events_within": WITHIN,
            "least_m": LEAST_M,
            "most": rule,
            "most_m": round(widest, 1),
            "finest_m": round(finest, 1),
            "sample": len(some),
        },
    }


def _typical_radius(xy: np.ndarray, others: float) -> float:
    """Median distance to the ``others``-th other event; 0 for less than one, infinite where there are not so many."""
    wanted = round(others)
    if wanted < 1:
        return 0.0
    if len(xy) <= wanted:
        return np.inf
    asked = xy[:: max(1, len(xy) // _ASKED)]
    return float(np.median(cKDTree(xy).query(asked, k=[wanted + 1])[0]))


def density_limits(heights: np.ndarray) -> tuple[float, ...]:
    """Limits of the classes, as round as keeps them apart and below the peak; fewer where all is alike."""
    if not heights.size:
        return ()
    exact = np.quantile(heights, SHARES)
    for rounded_to in (nice, partial(_digits, 2), partial(_digits, 3), partial(_digits, 6)):
        limits = tuple(sorted({float(f"{rounded_to(float(value)):.6g}") for value in exact}))
        if len(limits) == len(SHARES) and limits[-1] <= heights.max():
            break
    return limits


def _digits(digits: int, value: float) -> float:
    return float(f"{value:.{digits}g}")
