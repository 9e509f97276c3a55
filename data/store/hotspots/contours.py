"""A density surface as areas between limits."""

from __future__ import annotations

import numpy as np
import shapely
from contourpy import FillType, contour_generator
from scipy import ndimage

from geo.density import Surface

_STRAIGHTEN = 0.5  # cells; squared, the area of a corner that may be cut off a line


def bands(surface: Surface, limits: tuple[float, ...]) -> np.ndarray:
    """Areas from each limit up to the next, the last without end.

    Parameters
    ----------
    surface : Surface
    limits : tuple of float
        Ascending, above 0.

    Returns
    -------
    array of MultiPolygon, shape (limits,)
        In metres; they reach a cell over the boundary, to be cut off along it. Rings smaller than a cell are left out,
        and what is left keeps its common borders.
    """
    height, x_m, y_m = _beyond(surface)
    contours = contour_generator(x_m, y_m, height, fill_type=FillType.ChunkCombinedOffsetOffset)
    top = max(float(height.max()), limits[-1]) + 1.0
    found = [
        _polygons(*(chunks[0] for chunks in contours.filled(low, high)), surface.cell_m**2)
        for low, high in zip(limits, (*limits[1:], top), strict=True)
    ]
    return shapely.coverage_simplify(np.array(found, dtype=object), _STRAIGHTEN * surface.cell_m)


def _beyond(surface: Surface) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heights, south first, with the nearest one where there is none and a cell more on each side; and where they are.

    Lines run between cell centres; without this they would end half a cell before the boundary.
    """
    there = ~np.isnan(surface.values)
    nearest = ndimage.distance_transform_edt(~there, return_distances=False, return_indices=True)
    height = np.pad(surface.values[tuple(nearest)], 1, mode="edge")[::-1]
    west, south = surface.bounds_m[:2]
    y_m, x_m = (
        start + (np.arange(size) - 0.5) * surface.cell_m
        for start, size in zip((south, west), height.shape, strict=True)
    )
    return height, x_m, y_m


def _polygons(xy: np.ndarray | None, ring_ends: np.ndarray, outer: np.ndarray, least_m2: float) -> shapely.MultiPolygon:
    """Polygons from rings: ``ring_ends`` are offsets into ``xy``, ``outer`` offsets of the first ring of each polygon."""
    if xy is None:
        return shapely.MultiPolygon()
    sizes = np.diff(ring_ends)
    rings = shapely.linearrings(xy, indices=np.repeat(np.arange(sizes.size), sizes))
    polygon = np.repeat(np.arange(len(outer) - 1), np.diff(outer))
    large = shapely.area(shapely.polygons(rings)) >= least_m2
    kept = large & large[outer[:-1]][polygon]
    if not kept.any():
        return shapely.MultiPolygon()
    _, of = np.unique(polygon[kept], return_inverse=True)
    return shapely.multipolygons(shapely.polygons(rings[kept], indices=of))


def clipped(shapes: np.ndarray, area: shapely.Geometry) -> np.ndarray:
    """Multipolygons cut along ``area``, which is prepared."""
    found = []
    for shape in shapes:
        parts = shapely.get_parts(shape)
        whole = shapely.contains_properly(area, parts)
        cut = _only_polygons(shapely.intersection(parts[~whole], area))
        found.append(shapely.multipolygons(np.concatenate([parts[whole], cut])))
    return np.array(found, dtype=object)


def rounded(shapes: np.ndarray, step: float) -> np.ndarray:
    """Multipolygons on a lattice of ``step``, still valid; what is thinner than that is gone."""
    return np.array(
        [shapely.multipolygons(_only_polygons(shape)) for shape in shapely.set_precision(shapes, step)], dtype=object
    )


def _only_polygons(shapes) -> np.ndarray:
    parts = shapely.get_parts(shapely.get_parts(shapes))
    return parts[(shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)]
