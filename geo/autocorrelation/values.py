"""Reading the values of areas: counts or rates, what is missing, what is refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from geo.change import one_phi


@dataclass(frozen=True)
class Values:
    """Values of n areas, the missing ones set apart."""

    given: np.ndarray
    known: np.ndarray  # bool, shape of given
    x: np.ndarray  # the known ones, in order
    counts: bool  # whole numbers: events
    phi: float  # dispersion of counts; 1 for rates
    note: str

    @property
    def flat(self) -> bool:
        """Nothing is higher than anything else, or a single event was counted."""
        return not self.x.size or bool((self.x == self.x[0]).all()) or (self.counts and self.x.sum() == 1)

    @property
    def positions(self) -> np.ndarray:
        """Where the known ones stand."""
        return np.flatnonzero(self.known)

    def spread(self, result: np.ndarray, missing=np.nan) -> np.ndarray:
        """A result of the known areas at the places of all, ``missing`` elsewhere."""
        if self.known.all():
            return result.reshape(self.given.shape)
        whole = np.full(self.given.shape, missing, dtype=np.result_type(result, np.asarray(missing)))
        whole[self.known] = result
        return whole


def read_values(values: ArrayLike, dispersion, counts: bool | None = None) -> Values:
    """Counts where all known values are whole numbers, else rates; or as ``counts`` says.

    Raises
    ------
    ValueError
        Infinite values, negative or broken counts, a dispersion below 1.
    """
    given = np.asarray(values, dtype=float)
    phi = one_phi(dispersion)
    known = ~np.isnan(given)
    x = given[known]
    if np.isinf(x).any():
        raise ValueError(f"values hold {int(np.isinf(x).sum())} infinite numbers, expected counts or rates")
    whole = bool((x == np.floor(x)).all())
    counts = whole if counts is None else bool(counts)
    if counts and not whole:
        raise ValueError(f"values hold {int((x != np.floor(x)).sum())} broken numbers, expected counts")
    if counts and (x < 0).any():
        raise ValueError(
            f"values hold {int((x < 0).sum())} negative counts, the first {x[x < 0][0]:g}, expected 0 or more"
        )
    return Values(given, known, x, counts, phi if counts else 1.0, _note(x, counts))


def _note(x: np.ndarray, counts: bool) -> str:
    if not x.size:
        return "没有数据，不作判定"
    if counts and not x.any():
        return "没有事件，不作判定"
    if (x == x[0]).all():
        return "各区域数值相同，没有高低之分"
    if counts and x.sum() == 1:
        return "只有1起事件，不足以判定"
    return "全部事件在同一区域" if counts and np.count_nonzero(x) == 1 else ""
