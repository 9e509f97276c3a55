"""Many points of one release in its metres, ten times as fast as the projection itself."""

from __future__ import annotations

import numpy as np

from data.store.metres import DEGREES, release_crs
from data.store.release import Release
from geo.crs import transform

MANY = 100_000  # points from which the fit pays
WORST_M = 0.01  # a fit that errs by more is not used
_DEGREE = 4
_NODES = 16  # each way
_BLOCK = 1 << 15  # points at once: they stay in the processor's cache


def metre_points(release: Release, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Points in the CRS of the release, within 1 cm.

    Parameters
    ----------
    lon, lat : float arrays, shape (n,)
        Degrees, finite.

    Returns
    -------
    float array, shape (n, 2)
        East and north in metres. Up to 100,000 points are projected one by one; more through polynomials of the fourth
        degree, fitted over their extent and checked between their nodes.
    """
    crs = release_crs(release)
    if len(lon) > MANY:
        fitted = _fitted(lon, lat, crs)
        if fitted is not None:
            return fitted
    return np.column_stack(transform(lon, lat, DEGREES, crs))


def _fitted(lon: np.ndarray, lat: np.ndarray, crs) -> np.ndarray | None:
    ends = np.array([[lon.min(), lat.min()], [lon.max(), lat.max()]])
    middle, half = ends.mean(axis=0), np.maximum(np.diff(ends, axis=0)[0] / 2, 1e-9)

    def exact(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.column_stack(transform(middle[0] + u * half[0], middle[1] + v * half[1], DEGREES, crs))

    u, v = _lattice(np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES))
    terms = np.polynomial.polynomial.polyvander2d(u, v, [_DEGREE, _DEGREE])
    weights = np.linalg.lstsq(terms, exact(u, v), rcond=None)[0].reshape(_DEGREE + 1, _DEGREE + 1, 2)
    u, v = _lattice(np.linspace(-1, 1, 2 * _NODES))
    if np.abs(_value(u, v, weights) - exact(u, v)).max() > WORST_M:
        return None
    out = np.empty((len(lon), 2))
    for start in range(0, len(lon), _BLOCK):
        part = slice(start, start + _BLOCK)
        out[part] = _value((lon[part] - middle[0]) / half[0], (lat[part] - middle[1]) / half[1], weights)
    return out


def _lattice(nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u, v = np.meshgrid(nodes, nodes)
    return u.ravel(), v.ravel()


def _value(u: np.ndarray, v: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.column_stack([np.polynomial.polynomial.polyval2d(u, v, weights[:, :, axis]) for axis in (0, 1)])
