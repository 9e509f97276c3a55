"""The shifted Chinese datums GCJ-02 and BD-09, and the way back.

Longitude and latitude in degrees, x (east) before y (north). CGCS2000 and WGS 84 differ by less than a metre and are
one datum here, named ``wgs84``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

# The box outside which the shift is not applied, and the ellipsoid the published formula uses (Krasovsky 1940).
CHINA_BOX = (72.004, 0.8293, 137.8347, 55.8271)
_A = 6378245.0
_EE = 0.00669342162296594323
_BD_PI = np.pi * 3000.0 / 180.0
_BLOCK = 1 << 18  # points handled at once, so temporaries stay small beside ten million points

Pair = tuple[np.ndarray, np.ndarray]


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """WGS 84 (or CGCS2000) to GCJ-02.

    Parameters
    ----------
    lon, lat : array_like or float
        Degrees, any broadcastable shape. Points outside ``CHINA_BOX`` and NaN are returned unchanged.

    Returns
    -------
    (lon, lat) : float64, shape of the input
        In GCJ-02. Converting twice moves a point again: keep the datum of each batch.

    Notes
    -----
    The formula in general circulation, with the constants of [Wandergis2015]_ (the datum itself is unpublished).

    Examples
    --------
    >>> lon, lat = wgs84_to_gcj02(116.404, 39.915)
    >>> round(float(lon), 6), round(float(lat), 6)
    (116.410244, 39.916404)
    """
    return _in_china(lambda x, y: _add(x, y, _gcj_shift), lon, lat)


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """GCJ-02 to WGS 84, iterated: ``wgs84_to_gcj02`` of the result meets the input within 1e-9 degrees.

    Parameters and result as in :func:`wgs84_to_gcj02`.

    Examples
    --------
    >>> lon, lat = gcj02_to_wgs84([123.0, 183.0], [45.0, 45.0])  # the second lies outside China
    >>> lon.round(6).tolist(), lat.round(6).tolist()
    ([122.993956, 183.0], [44.998041, 45.0])
    """
    return _in_china(lambda x, y: _invert(x, y, _gcj_shift), lon, lat)


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """GCJ-02 to BD-09.

    Parameters and result as in :func:`wgs84_to_gcj02`.

    Examples
    --------
    >>> lon, lat = gcj02_to_bd09(116.404, 39.915)
    >>> round(float(lon), 6), round(float(lat), 6)
    (116.410369, 39.921337)
    """
    return _in_china(lambda x, y: _add(x, y, _bd_shift), lon, lat)


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """BD-09 to GCJ-02, iterated as :func:`gcj02_to_wgs84`.

    Parameters and result as in :func:`wgs84_to_gcj02`.

    Examples
    --------
    >>> lon, lat = bd09_to_gcj02(116.404, 39.915)
    >>> round(float(lon), 6), round(float(lat), 6)
    (116.397627, 39.908656)
    """
    return _in_china(lambda x, y: _invert(x, y, _bd_shift), lon, lat)


def bd09_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """BD-09 to WGS 84 by way of GCJ-02.

    Parameters and result as in :func:`wgs84_to_gcj02`.

    Examples
    --------
    >>> lon, lat = bd09_to_wgs84(116.404, 39.915)
    >>> round(float(lon), 6), round(float(lat), 6)
    (116.391386, 39.907255)
    """
    return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def _unchanged(lon: ArrayLike, lat: ArrayLike) -> Pair:
    return np.array(lon, float), np.array(lat, float)


TO_WGS84: dict[str, Callable[[ArrayLike, ArrayLike], Pair]] = {
    "wgs84": _unchanged,
    "cgcs2000": _unchanged,
    "gcj02": gcj02_to_wgs84,
    "bd09": bd09_to_wgs84,
}


def _in_china(move, lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Apply ``move`` to the points inside the box, block by block; the rest, and NaN, stay as they are."""
    x, y = (np.array(v, float) for v in np.broadcast_arrays(lon, lat))
    shape = x.shape
    x, y = x.reshape(-1), y.reshape(-1)
    west, south, east, north = CHINA_BOX
    for start in range(0, x.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        inside = (x[part] >= west) & (x[part] <= east) & (y[part] >= south) & (y[part] <= north)
        where = np.flatnonzero(inside) + start
        x[where], y[where] = move(x[where], y[where])
    return x.reshape(shape)[()], y.reshape(shape)[()]


def _add(x: np.ndarray, y: np.ndarray, shift) -> Pair:
    dx, dy = shift(x, y)
    return x + dx, y + dy


def _invert(x: np.ndarray, y: np.ndarray, shift) -> Pair:
    """Fixed point of ``p = (x, y) - shift(p)``. The shift's slope is below 0.01, so ten rounds are ample."""
    px, py = x, y
    for _ in range(10):
        dx, dy = shift(px, py)
        nx, ny = x - dx, y - dy
        moved = max(np.max(np.abs(nx - px), initial=0.0), np.max(np.abs(ny - py), initial=0.0))
        px, py = nx, ny
        if moved < 1e-13:
            break
    return px, py


def _gcj_shift(lon: np.ndarray, lat: np.ndarray) -> Pair:
    x, y = lon - 105.0, lat - 35.0
    root, xy = np.sqrt(np.abs(x)), x * y
    common = (20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)) * 2.0 / 3.0
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * xy + 0.2 * root + common
    north_m += (20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi * y / 3.0)) * 2.0 / 3.0
    north_m += (160.0 * np.sin(np.pi * y / 12.0) + 320.0 * np.sin(np.pi * y / 30.0)) * 2.0 / 3.0
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * xy + 0.1 * root + common
    east_m += (20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi * x / 3.0)) * 2.0 / 3.0
    east_m += (150.0 * np.sin(np.pi * x / 12.0) + 300.0 * np.sin(np.pi * x / 30.0)) * 2.0 / 3.0
    phi = np.radians(lat)
    w2 = 1.0 - _EE * np.sin(phi) ** 2
    w = np.sqrt(w2)
    return np.degrees(east_m / (_A / w * np.cos(phi))), np.degrees(north_m / (_A * (1.0 - _EE) / (w2 * w)))


def _bd_shift(lon: np.ndarray, lat: np.ndarray) -> Pair:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_PI)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_PI)
    return radius * np.cos(angle) + 0.0065 - lon, radius * np.sin(angle) + 0.006 - lat
