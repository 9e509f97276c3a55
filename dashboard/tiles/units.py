"""Which unit each pixel lies in, and what the page needs to know of the units besides."""

from __future__ import annotations

import numpy as np
import shapely

from dashboard.tiles.drawing import fill, png
from dashboard.tiles.shapes import Shapes, gather, tile_box
from data.index import INCIDENT_LEVELS
from data.store import Release, Scope


def unit_shapes(release: Release, level: str) -> np.ndarray:
    """Outlines of all units of a level in degrees, by position; None where a unit has none."""
    return shapely.from_geojson(np.array(release.shapes(level, "near"), dtype=object))


def draw_units(release: Release, scope: Scope, level: str, shapes: Shapes, z: int, x: int, y: int) -> bytes:
    """A tile whose RGB value is the position of the unit plus one; 0 outside, and outside the scope."""
    near = shapes.near(*tile_box(z, x, y))
    near = near[release.units.in_scope(level, scope)[near]]
    edges, owner = gather(shapes, near, z, x, y)
    ids = fill(edges, owner, (near + 1).astype(np.int32))
    return png(np.stack([ids >> 16, ids >> 8, ids], axis=-1).astype(np.uint8))


def unit_list(release: Release, scope: Scope, level: str) -> dict:
    """What the page needs to know of the units of a level besides their pixels; sent once a release and level.

    Returns
    -------
    dict
        ``codes, names, kinds, lon, lat`` (a point inside the unit, null without outline), ``width`` (degrees),
        ``population``, ``area_km2`` and ``above`` (level -> position of the unit above, -1 for none) with ``above_names``;
        arrays by position. Units outside the scope are null, and so are names above; who may see a street alone sees no
        district above it (-1).
    """
    units = release.units.level(level)
    shapes = unit_shapes(release, level)
    inside = release.units.in_scope(level, scope)
    shapes[~inside | shapely.is_empty(shapes)] = None  # a unit too small for the display geometry is empty
    points = shapely.point_on_surface(shapes)
    bounds = shapely.bounds(shapes)

    def masked(values, digits: int | None = None) -> list:
        if digits is not None:
            values = [None if np.isnan(v) else round(float(v), digits) for v in values]
        return [v if ok else None for v, ok in zip(values, inside, strict=True)]

    above = [name for name in units.above if name in INCIDENT_LEVELS and len(release.units.level(name))]
    seen = {name: release.units.in_scope(name, scope) for name in above}
    return {
        "level": level,
        "codes": masked(units.codes.tolist()),
        "names": masked(units.names.tolist()),
        "kinds": masked(units.kinds.tolist()),
        "population": masked(units.population, 0),
        "area_km2": masked(release.units.level(level).area_km2, 5),
        "lon": masked(shapely.get_x(points), 6),
        "lat": masked(shapely.get_y(points), 6),
        "width": masked(bounds[:, 2] - bounds[:, 0], 5),
        "above": {
            name: np.where(inside & seen[name][units.above[name]], units.above[name], -1).tolist() for name in above
        },
        "above_names": {name: np.where(seen[name], release.units.level(name).names, None).tolist() for name in above},
    }
