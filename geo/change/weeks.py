"""Reading a weekly series: counts, and which weeks are whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def weekly_counts(series: ArrayLike, complete: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    """Events of consecutive weeks as floats, and where a week is counted (not NaN) and complete.

    Raises
    ------
    ValueError
        A negative or fractional count, or another shape.
    """
    counts = np.asarray(series, dtype=float)
    if counts.ndim != 1:
        raise ValueError(f"series has shape {counts.shape}, expected (weeks,)")
    whole = ~np.isnan(counts)
    if np.any(counts < 0) or np.any(np.isinf(counts)) or np.any(counts != np.floor(counts), where=whole):
        raise ValueError("counts must be whole numbers not below 0, NaN where missing")
    if complete is not None:
        complete = np.asarray(complete, dtype=bool)
        if complete.shape != counts.shape:
            raise ValueError(f"complete has shape {complete.shape}, expected {counts.shape}")
        whole &= complete
    return counts, whole
