"""Many short runs of whole numbers at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def ranges(first: np.ndarray, count: np.ndarray) -> np.ndarray:
    """``first[0], first[0] + 1, …``, ``count[0]`` of them, and so on for each run, one after the other."""
    return np.arange(count.sum()) + np.repeat(first - (np.cumsum(count) - count), count)


def blocks(count: np.ndarray, size: int) -> Iterator[slice]:
    """Slices of runs whose counts add to at most ``size``; a longer run stands alone."""
    ends = np.cumsum(count)
    first = 0
    while first < count.size:
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + size, side="right")))
        yield slice(first, last)
        first = last
