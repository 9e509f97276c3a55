"""Shapes as matplotlib paths: many polygons in one path, which draws and stores far faster than one at a time."""

from __future__ import annotations

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from dashboard.pictures.palette import LIGHT


def area_path(shapes: np.ndarray) -> Path:
    """One path around all polygons, holes turned the other way so that they stay open."""
    shapes = shapely.orient_polygons(shapes)
    rings = shapely.get_rings(shapely.get_parts(shapes[~shapely.is_missing(shapes)]))
    return _path(rings, closed=True)


def line_path(shapes: np.ndarray) -> Path:
    """One path along all lines; of areas, along their borders."""
    shapes = shapes[~shapely.is_missing(shapes)]
    areas = shapely.get_dimensions(shapes) == 2
    lines = np.concatenate([shapely.boundary(shapes[areas]), shapes[~areas]])
    return _path(shapely.get_parts(lines), closed=False)


def _path(rings: np.ndarray, *, closed: bool) -> Path:
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    codes = np.full(len(xy), Path.LINETO, dtype=Path.code_type)
    starts = np.flatnonzero(np.diff(ring, prepend=-1))
    codes[starts] = Path.MOVETO
    if closed and len(xy):
        codes[np.append(starts[1:], len(xy)) - 1] = Path.CLOSEPOLY
    return Path(xy, codes)


def fill(axes: Axes, shapes: np.ndarray, colour: str, *, edge: str | None = None, line: float = 0.0,
         opacity: float = 1.0, order: float = 1.0) -> None:  # fmt: skip
    """Areas of one colour."""
    if not len(shapes):
        return
    patch = PathPatch(area_path(shapes), facecolor=LIGHT.get(colour, colour), alpha=opacity, zorder=order,
                      edgecolor=LIGHT[edge] if edge else "none", linewidth=line, joinstyle="round")  # fmt: skip
    axes.add_artist(patch)


def stroke(axes: Axes, shapes: np.ndarray, colour: str, width: float, *, opacity: float = 1.0,
           order: float = 2.0) -> None:  # fmt: skip
    """Lines, or the borders of areas."""
    if not len(shapes):
        return
    patch = PathPatch(line_path(shapes), facecolor="none", edgecolor=LIGHT[colour], linewidth=width, alpha=opacity,
                      zorder=order, joinstyle="round", capstyle="round")  # fmt: skip
    axes.add_artist(patch)


def hatch(axes: Axes, shapes: np.ndarray, step: float, *, order: float = 1.2) -> None:
    """未报: slanted lines over areas, ``step`` map units apart, whatever the size of an area."""
    if not len(shapes):
        return
    fill(axes, shapes, "warn-fill", edge="warn", line=0.35, order=order)
    west, south, east, north = shapely.total_bounds(shapes)
    height = north - south
    x = np.arange(west - height, east + step, step)
    segments = np.stack([np.column_stack([x, np.full(x.size, south)]), np.column_stack([x + height, np.full(x.size, north)])],
                        axis=1)  # fmt: skip
    slanted = LineCollection(segments, colors=LIGHT["warn"], linewidths=0.5, zorder=order + 0.05)
    slanted.set_clip_path(area_path(shapes), axes.transData)
    axes.add_collection(slanted, autolim=False)
