"""What a camera covers: sectors and circles in metres. Planning estimates: walls, trees and light are not seen here."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike

_STEP_DEG = 3.0  # an arc drawn in steps of 3 degrees loses 0.05 % of the sector's area


def sector(x: float, y: float, bearing_deg: float, fov_deg: float, range_m: float) -> shapely.Polygon:
    """The sector a fixed camera looks into.

    Parameters
    ----------
    x, y : float
        Position, metres (a projected CRS).
    bearing_deg : float
        Where the lens looks, clockwise from north.
    fov_deg : float
        Horizontal field of view, over 0 up to 360; 360 is a full circle and the bearing then does not matter.
    range_m : float
        How far it sees, over 0.

    Returns
    -------
    Polygon
        Its area is within 0.1 % of ``fov_deg / 360 * pi * range_m**2``.

    Raises
    ------
    ValueError
        A value that is not finite or out of range.
    """
    return sectors([x], [y], [bearing_deg], [fov_deg], [range_m])[0]


def sectors(x: ArrayLike, y: ArrayLike, bearing_deg: ArrayLike, fov_deg: ArrayLike, range_m: ArrayLike) -> np.ndarray:
    """:func:`sector` for many cameras at once: arrays of shape (n,), result an object array of n polygons."""
    x, y, bearing, fov, reach = (np.asarray(v, float) for v in (x, y, bearing_deg, fov_deg, range_m))
    full = fov >= 360
    if not (np.isfinite(x) & np.isfinite(y) & (np.isfinite(bearing) | full)).all():
        raise ValueError("sector: x, y and bearing_deg must be finite")
    if not ((fov > 0) & (fov <= 360) & (reach > 0) & np.isfinite(reach)).all():
        raise ValueError("sector: fov_deg must be in (0, 360] and range_m over 0")
    out = np.empty(x.size, object)
    steps = np.ceil(np.where(full, 360, fov) / _STEP_DEG).astype(int)
    for count in np.unique(steps):  # cameras with the same number of steps have rings of the same length
        for closed in (False, True):
            at = np.flatnonzero((steps == count) & (full == closed))
            if at.size:
                out[at] = _rings(x[at], y[at], np.where(full[at], 0, bearing[at]), fov[at], reach[at], count, closed)
    return out


def _rings(x, y, bearing, fov, reach, count: int, full: bool) -> np.ndarray:
    turn = np.linspace(-0.5, 0.5, count + 1)
    angle = np.radians(bearing[:, None] + fov[:, None] * turn)
    rim_x, rim_y = x[:, None] + reach[:, None] * np.sin(angle), y[:, None] + reach[:, None] * np.cos(angle)
    if full:
        rim_x[:, -1], rim_y[:, -1] = rim_x[:, 0], rim_y[:, 0]
    else:
        rim_x = np.column_stack([x, rim_x, x])
        rim_y = np.column_stack([y, rim_y, y])
    return shapely.polygons(np.stack([rim_x, rim_y], axis=-1))
