"""What a camera covers: sectors and circles in metres. Planning estimates: walls, trees and light are not seen here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import shapely
from numpy.typing import ArrayLike

from geo.result import Result

FULL_DEG = 360 - 1e-6  # from here on a circle: a wedge left out would be thinner than the rounding of coordinates
STEP_DEG = 3.0  # an arc drawn in steps of 3 degrees loses 0.05 % of the sector's area
DEFAULT_RANGE_M = 50.0  # where the ledger names no range: a planning value, to be said with the result
# GB/T 28181 DirectionType: where the lens looks; city ledgers add 9 for a camera that looks all round.
DIRECTIONS = {"1": 90.0, "2": 270.0, "3": 180.0, "4": 0.0, "5": 135.0, "6": 45.0, "7": 225.0, "8": 315.0}
ALL_ROUND = "9"
RADIUS, SECTOR, VISIBLE = "radius", "sector", "visible"  # the methods of the layer camera_coverage


@dataclass(frozen=True, eq=False)
class Look(Result):
    """What a direction code says of a camera.

    Attributes
    ----------
    bearing_deg : float or ndarray
        Clockwise from north; NaN where the code names no direction.
    fov_deg : float or ndarray
        360 for a camera that looks all round, else NaN: the code does not tell the width.
    """

    unpacks: ClassVar = ("bearing_deg", "fov_deg")
    bearing_deg: float | np.ndarray
    fov_deg: float | np.ndarray


@dataclass(frozen=True, eq=False)
class CameraAreas(Result):
    """Planned areas of cameras whose ledger may be incomplete.

    Attributes
    ----------
    areas : ndarray of Polygon, shape (n,)
    method : ndarray of str, shape (n,)
        ``sector`` where bearing and field of view are known; else ``radius``: a full circle, an upper estimate.
    range_assumed : ndarray of bool, shape (n,)
        Where ``default_range_m`` stands in for a missing range.
    default_range_m : float
    note : str
        What the reader must know, in Chinese; "" when nothing.
    """

    unpacks: ClassVar = ("areas", "method")
    areas: np.ndarray
    method: np.ndarray
    range_assumed: np.ndarray
    default_range_m: float
    note: str


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

    Examples
    --------
    >>> round(sector(0, 0, 90, 90, 100).area), round(3.14159265 / 4 * 100**2)
    (7850, 7854)
    """
    if any(np.ndim(v) for v in (x, y, bearing_deg, fov_deg, range_m)):
        raise ValueError("sector: arrays are given, expected one camera: sectors draws many")
    return sectors(x, y, bearing_deg, fov_deg, range_m)[0]


def sectors(x: ArrayLike, y: ArrayLike, bearing_deg: ArrayLike, fov_deg: ArrayLike, range_m: ArrayLike) -> np.ndarray:
    """:func:`sector` for many cameras at once.

    Parameters
    ----------
    x, y, bearing_deg, fov_deg, range_m : array_like (n,)
        As in :func:`sector`; a full circle may have the bearing NaN.

    Returns
    -------
    ndarray of Polygon, shape (n,)

    Raises
    ------
    ValueError
        As :func:`sector`.

    Examples
    --------
    >>> [round(a.area) for a in sectors([0, 50], [0, 0], [0, 0], [180, 360], [10, 10])]
    [157, 314]
    """
    given = np.broadcast_arrays(*(np.asarray(v, float) for v in (x, y, bearing_deg, fov_deg, range_m)))
    x, y, bearing, fov, reach = (np.atleast_1d(v) for v in given)
    full = fov >= FULL_DEG
    if not (np.isfinite(x) & np.isfinite(y) & (np.isfinite(bearing) | full)).all():
        raise ValueError("sector: x, y and bearing_deg must be finite")
    if not ((fov > 0) & (fov <= 360) & (reach > 0) & np.isfinite(reach)).all():
        raise ValueError("sector: fov_deg must be in (0, 360] and range_m over 0")
    out = np.empty(x.size, object)
    steps = np.ceil(np.where(full, 360, fov) / STEP_DEG).astype(int)
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


def direction_bearing(direction_type: ArrayLike) -> Look:
    """Bearing of a GB/T 28181 DirectionType: 1 东 2 西 3 南 4 北 5 东南 6 东北 7 西南 8 西北, and 9 全向.

    Parameters
    ----------
    direction_type : scalar or array_like (n,)
        Codes as numbers or text. Anything else, missing included, is unknown.

    Returns
    -------
    Look
        Unpacks as ``bearing_deg, fov_deg``; plain floats for a scalar. 9 gives NaN and 360 (a full circle needs no
        bearing), an unknown code NaN and NaN.

    Examples
    --------
    >>> bearing, fov = direction_bearing(["1", 8, "9", None])
    >>> bearing.tolist(), fov.tolist()
    ([90.0, 315.0, nan, nan], [nan, nan, 360.0, nan])
    """
    given = np.asarray(direction_type, object)
    words = [_code(value) for value in given.ravel()]
    bearing = np.array([DIRECTIONS.get(word, np.nan) for word in words]).reshape(given.shape)
    fov = np.array([360.0 if word == ALL_ROUND else np.nan for word in words]).reshape(given.shape)
    return Look(bearing[()], fov[()])


def _code(value) -> str:
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value).strip()


def camera_areas(
    x: ArrayLike,
    y: ArrayLike,
    bearing_deg: ArrayLike,
    fov_deg: ArrayLike,
    range_m: ArrayLike,
    *,
    default_range_m: float = DEFAULT_RANGE_M,
) -> CameraAreas:
    """Sectors where the look is known, circles where it is not.

    Parameters
    ----------
    x, y : array_like (n,)
        Positions, metres.
    bearing_deg, fov_deg, range_m : array_like (n,)
        As in :func:`sector`; NaN is unknown. Without bearing or field of view the area is a full circle, an upper
        estimate (上限估计).
    default_range_m : float
        Stands in for a missing range; how often is said in the result.

    Returns
    -------
    CameraAreas
        Unpacks as ``areas, method``.

    Raises
    ------
    ValueError
        A position that is not finite, a field of view or range out of bounds.

    Examples
    --------
    >>> nan = float("nan")
    >>> areas, method = camera_areas([0, 0], [0, 0], [0, nan], [90, 90], [10, nan])
    >>> method.tolist(), [round(a.area) for a in areas]
    (['sector', 'radius'], [79, 7850])
    """
    bearing, fov, reach = (np.asarray(v, float) for v in (bearing_deg, fov_deg, range_m))
    known = (np.isfinite(bearing) & np.isfinite(fov)) & (fov < FULL_DEG)
    assumed = np.isnan(reach)
    areas = sectors(
        x, y, np.where(known, bearing, 0), np.where(known, fov, 360), np.where(assumed, default_range_m, reach)
    )
    unknown = int((~known & ~(fov >= FULL_DEG)).sum())
    remarks = []
    if unknown:
        remarks.append(f"{unknown}个摄像机朝向或视场角不明，按整圆计（上限估计）")
    if assumed.any():
        remarks.append(f"{int(assumed.sum())}个摄像机未注明可视距离，按{default_range_m:g}米计")
    return CameraAreas(areas, np.where(known, SECTOR, RADIUS), assumed, float(default_range_m), "；".join(remarks))
