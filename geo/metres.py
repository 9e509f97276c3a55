"""Coordinates in metres: taken from arrays or frames, degrees refused."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry


def refuse_degrees(layer, name: str) -> None:
    """Refuse a frame or series whose CRS is not in metres; plain arrays and frames without a CRS are metres.

    Raises
    ------
    ValueError
        A geographic CRS, or one in another unit than the metre.
    """
    crs = getattr(layer, "crs", None)
    if crs is None:
        return
    crs = CRS.from_user_input(crs)
    label = ":".join(crs.to_authority() or (crs.name,))
    if crs.is_geographic:
        raise ValueError(f"{name} is in degrees ({label}), expected metres: project it with to_crs(metre_crs(bounds))")
    unit = crs.axis_info[0] if crs.axis_info else None
    if unit is not None and abs(unit.unit_conversion_factor - 1) > 1e-9:
        raise ValueError(
            f"{name} is in {unit.unit_name} ({label}), expected metres: project it with to_crs(metre_crs(bounds))"
        )


def refuse_other_crs(first, second, names: tuple[str, str]) -> None:
    """Refuse two frames that name different CRSs: numbers of one zone mean another place in the next.

    Raises
    ------
    ValueError
    """
    one, other = getattr(first, "crs", None), getattr(second, "crs", None)
    if one is not None and other is not None and one != other:
        labels = [":".join(crs.to_authority() or (crs.name,)) for crs in (one, other)]
        raise ValueError(
            f"{names[0]} is in {labels[0]} and {names[1]} in {labels[1]}, expected one CRS: project one with to_crs"
        )


def metre_xy(xy, name: str = "xy") -> np.ndarray:
    """Points as a float array (n, 2) of east and north in metres.

    Parameters
    ----------
    xy : array_like (n, 2), GeoSeries or GeoDataFrame of points
        Metres. A frame says so by its CRS.

    Raises
    ------
    ValueError
        Degrees (see :func:`refuse_degrees`), another shape, a missing or non-finite coordinate.
    """
    refuse_degrees(xy, name)
    if isinstance(xy, (gpd.GeoSeries, gpd.GeoDataFrame)):
        xy = np.column_stack([shapely.get_x(xy.geometry.values), shapely.get_y(xy.geometry.values)])
    points = np.asarray(xy, dtype=float)
    if points.size == 0:
        return np.zeros((0, 2))
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"{name} has shape {points.shape}, expected (n, 2): east and north in metres")
    finite = np.isfinite(points)
    if not finite.all():
        lost = int((~finite).any(axis=1).sum())
        raise ValueError(f"{name} has {lost} of {len(points)} points without coordinates: leave them out and say so")
    return points


def metre_shape(shape, name: str = "boundary") -> BaseGeometry:
    """One polygon or multipolygon in metres: given as such, or as a frame or series whose shapes are united.

    Raises
    ------
    ValueError
        Degrees (see :func:`refuse_degrees`), or nothing with an area.
    """
    refuse_degrees(shape, name)
    if not isinstance(shape, BaseGeometry):
        values = shape.geometry.values if isinstance(shape, (gpd.GeoSeries, gpd.GeoDataFrame)) else np.asarray(shape)
        shape = shapely.union_all(shapely.make_valid(np.asarray(values, dtype=object)))
    shape = shape if shape.is_valid else shapely.make_valid(shape)
    if not shape.area > 0:
        raise ValueError(f"{name} has no area, expected a polygon in metres")
    return shape
