"""Shapes as edges in the unit square of Web Mercator, and which of them a tile needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from dashboard.tiles.drawing import TILE_PX


@dataclass(frozen=True)
class Shapes:
    """Polygons as edges, in Web Mercator with the world as the unit square (y grows southwards).

    ``edges`` has rows (x0, y0, x1, y1); those of polygon i are ``first[i]:first[i + 1]``. ``bounds`` has rows
    (west, north, east, south); NaN for an empty polygon.
    """

    edges: np.ndarray
    first: np.ndarray
    bounds: np.ndarray

    @classmethod
    def of(cls, shapes: np.ndarray) -> Shapes:
        """From shapely polygons in degrees."""
        coords, owner = shapely.get_coordinates(shapes, return_index=True)
        world = to_world(coords[:, 0], coords[:, 1])
        # A ring ends where it began; the pair that joins two rings is no edge.
        sizes = shapely.get_num_coordinates(shapely.get_rings(shapely.get_parts(shapes)))
        last = np.cumsum(sizes) - 1
        keep = np.ones(len(coords), dtype=bool)
        keep[last] = False
        begin = np.flatnonzero(keep)
        edges = np.column_stack([world[begin], world[begin + 1]])
        owners = owner[begin] if len(begin) else np.empty(0, dtype=np.int64)
        first = np.searchsorted(owners, np.arange(len(shapes) + 1))
        return cls(edges, first, _bounds(edges, first))

    @classmethod
    def of_lines(cls, lines: np.ndarray) -> Shapes:
        """One entry a segment of shapely lines in degrees; its edges are the segment alone."""
        parts = shapely.get_parts(lines)
        coords, owner = shapely.get_coordinates(parts, return_index=True)
        world = to_world(coords[:, 0], coords[:, 1])
        begin = np.flatnonzero(owner[1:] == owner[:-1]) if len(owner) else np.empty(0, dtype=np.int64)
        edges = np.column_stack([world[begin], world[begin + 1]])
        first = np.arange(len(edges) + 1)
        return cls(edges, first, _bounds(edges, first))

    def near(self, west: float, north: float, east: float, south: float) -> np.ndarray:
        """Positions of polygons whose bounds meet the box."""
        b = self.bounds
        with np.errstate(invalid="ignore"):
            return np.flatnonzero((b[:, 0] <= east) & (b[:, 2] >= west) & (b[:, 1] <= south) & (b[:, 3] >= north))


def to_world(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Degrees to the unit square of Web Mercator, shape (n, 2); y grows southwards."""
    radians = np.radians(np.clip(lat, -85.0511, 85.0511))
    return np.column_stack([lon / 360.0 + 0.5, 0.5 - np.arcsinh(np.tan(radians)) / (2 * np.pi)])


def _bounds(edges: np.ndarray, first: np.ndarray) -> np.ndarray:
    n = len(first) - 1
    bounds = np.full((n, 4), np.nan)
    filled = np.flatnonzero(first[1:] > first[:-1])
    if filled.size:
        starts = first[filled]
        x, y = edges[:, [0, 2]], edges[:, [1, 3]]
        bounds[filled, 0] = np.minimum.reduceat(x.min(axis=1), starts)
        bounds[filled, 1] = np.minimum.reduceat(y.min(axis=1), starts)
        bounds[filled, 2] = np.maximum.reduceat(x.max(axis=1), starts)
        bounds[filled, 3] = np.maximum.reduceat(y.max(axis=1), starts)
    return bounds


def tile_box(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, north, east and south of a tile in the unit square, with a little around it."""
    n, margin = 2.0**z, 0.02
    return (x - margin) / n, (y - margin) / n, (x + 1 + margin) / n, (y + 1 + margin) / n


def gather(shapes: Shapes, chosen: np.ndarray, z: int, x: int, y: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the chosen polygons in pixels of the tile, and which of the chosen each belongs to."""
    first, count = shapes.first[chosen], shapes.first[chosen + 1] - shapes.first[chosen]
    owner = np.repeat(np.arange(len(chosen)), count)
    rows = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    return (shapes.edges[rows] * 2.0**z - (x, y, x, y)) * TILE_PX, owner
