"""What counts of units are divided by: their area, and their population where small numbers need shrinking."""

from __future__ import annotations

import numpy as np
import shapely

from data.store.release import Release
from geo.autocorrelation import empirical_bayes_rate
from geo.regions import area_m2


def area_km2(release: Release, level: str) -> np.ndarray:
    """Area of every unit of ``level``.

    Returns
    -------
    float array, shape (units,)
        km2 by position, measured in an equal-area projection; NaN for a unit without an outline. Not to be written to.
    """
    return release.remember(("area_km2", level), lambda: _area_km2(release, level))


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


def _area_km2(release: Release, level: str) -> np.ndarray:
    outlines = release.shapes(level, "near")
    there = np.array([text is not None for text in outlines], dtype=bool)
    areas = np.full(len(outlines), np.nan)
    if there.any():
        shapes = shapely.from_geojson([text for text in outlines if text is not None])
        measured = area_m2(shapes, crs="EPSG:4326") / 1e6
        areas[there] = np.where(measured > 0, measured, np.nan)
    areas.flags.writeable = False
    return areas
