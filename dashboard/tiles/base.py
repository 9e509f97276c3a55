"""The built-in base map: water, buildings and three classes of road, a bit each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
import sqlalchemy as sa

from dashboard.tiles.drawing import TILE_PX, fill, png, strokes
from dashboard.tiles.shapes import Shapes, gather, tile_box
from data.store import Release

WATER, BUILDING, MINOR_ROAD, MIDDLE_ROAD, MAIN_ROAD = 1, 2, 4, 8, 16
BASE_BITS = {"water": WATER, "building": BUILDING, "minor": MINOR_ROAD, "middle": MIDDLE_ROAD, "main": MAIN_ROAD}
BUILDINGS_FROM_ZOOM = 14
# First zoom a road class is drawn at, and its width in CSS pixels there and four zooms later.
ROAD_ZOOMS = {MAIN_ROAD: (8, 1.0, 3.2), MIDDLE_ROAD: (11, 0.6, 2.4), MINOR_ROAD: (13, 0.5, 2.0)}
_MAIN_KINDS = {"motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link",
               "高速", "高速公路", "快速路", "主干路", "主干道", "国道", "省道"}  # fmt: skip
_MIDDLE_KINDS = {"secondary", "tertiary", "secondary_link", "tertiary_link", "次干路", "次干道", "县道", "乡道"}

Kept = Callable[[str, Callable[[], object]], object]


def draw_base(release: Release, kept: Kept, z: int, x: int, y: int) -> bytes:
    """A grey tile of the bits in ``BASE_BITS``; ``kept(name, make)`` remembers what is read of the release."""
    picture = np.zeros((TILE_PX, TILE_PX), dtype=np.uint8)
    polygons = {"base_water": WATER} | ({"base_building": BUILDING} if z >= BUILDINGS_FROM_ZOOM else {})
    for layer, bit in polygons.items():
        shapes = kept(layer, lambda name=layer: Shapes.of(_layer_shapes(release, name)))
        near = shapes.near(*tile_box(z, x, y))
        edges, owner = gather(shapes, near, z, x, y)
        picture |= fill(edges, owner, np.full(len(near), bit)).astype(np.uint8)
    roads = kept("base_road", lambda: _roads(release))
    for bit, (from_zoom, thin, wide) in ROAD_ZOOMS.items():
        if z < from_zoom or bit not in roads:
            continue
        width = 2 * (thin + (wide - thin) * min(z - from_zoom, 4) / 4)
        near = roads[bit].near(*tile_box(z, x, y))
        segments, _ = gather(roads[bit], near, z, x, y)
        edges, owner = strokes(segments, width)
        picture |= fill(edges, owner, np.full(len(near), bit)).astype(np.uint8)
    return png(picture)


def _layer_shapes(release: Release, layer: str) -> np.ndarray:
    return shapely.from_wkb(release.rows(sa.text(f"SELECT geom FROM {layer}"))["geom"].to_numpy())


def _roads(release: Release) -> dict[int, Shapes]:
    rows = release.rows(sa.text("SELECT kind, geom FROM base_road"))
    kinds = np.array([kind or "" for kind in rows["kind"].to_pylist()], dtype=object)
    lines = shapely.from_wkb(rows["geom"].to_numpy())
    bits = np.array([MAIN_ROAD if k in _MAIN_KINDS else MIDDLE_ROAD if k in _MIDDLE_KINDS else MINOR_ROAD
                     for k in kinds], dtype=int)  # fmt: skip
    return {bit: Shapes.of_lines(lines[bits == bit]) for bit in ROAD_ZOOMS if (bits == bit).any()}
