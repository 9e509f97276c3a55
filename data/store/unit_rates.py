"""Rates of units, shrunk where their numbers are small."""

from __future__ import annotations

import numpy as np

from data.store.release import Release
from geo.autocorrelation import empirical_bayes_rate


def bayes_rates(release: Release, level: str, counts: np.ndarray) -> np.ndarray:
    """Events per 1,000 people, drawn towards the common rate the more, the fewer people a unit has.

    Parameters
    ----------
    level : str
        ``district``, ``street``, ``community`` or ``grid``.
    counts : float array, shape (units,)
        Events of each unit by position, NaN where not reported and outside the caller's scope: these units take no
        part in the common rate.

    Returns
    -------
    float array, shape (units,)
        By position; NaN without people or where ``counts`` is NaN. See
        :func:`geo.autocorrelation.empirical_bayes_rate`.
    """
    return empirical_bayes_rate(counts, release.units.level(level).population).eb * 1000.0
