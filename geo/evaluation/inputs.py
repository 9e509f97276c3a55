"""Reading counts, scores and sizes of places: one clear line where they do not fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def counts_of(values: ArrayLike, name: str, size: int | None = None) -> np.ndarray:
    """Events of each place, 0 or more, shape (n,); fractions are allowed (aoristic shares, weights)."""
    counts = _vector(values, name, size)
    bad = int((~np.isfinite(counts) | (counts < 0)).sum())
    if bad:
        raise ValueError(f"{name} has {bad} of {counts.size} values missing or negative, expected 0 or more")
    return counts


def scores_of(values: ArrayLike, name: str, size: int) -> np.ndarray:
    """Any finite number for each place, shape (n,)."""
    scores = _vector(values, name, size)
    bad = int((~np.isfinite(scores)).sum())
    if bad:
        raise ValueError(f"{name} has {bad} of {size} values missing, expected a number for each place")
    return scores


def sizes_of(values: ArrayLike | None, name: str, size: int) -> np.ndarray:
    """Area or street length of each place, above 0; 1 each where none is given."""
    if values is None:
        return np.ones(size)
    sizes = _vector(values, name, size)
    bad = int((~np.isfinite(sizes) | (sizes <= 0)).sum())
    if bad:
        raise ValueError(f"{name} has {bad} of {size} values missing or not above 0")
    return sizes


def _vector(values: ArrayLike, name: str, size: int | None) -> np.ndarray:
    vector = np.asarray(values, dtype=float)
    if vector.ndim != 1 or (size is not None and vector.size != size):
        wanted = "(n,)" if size is None else f"({size},)"
        raise ValueError(f"{name} has shape {vector.shape}, expected {wanted}: one value for each place")
    return vector
