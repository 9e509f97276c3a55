"""Tiles whose pixels are numbers, not colours: a filter or a legend change sends numbers and never geometry.

``district``, ``street``, ``community``, ``grid``: a lossless PNG whose RGB value is the position of the unit plus one, 0
outside. ``base``: grey, each bit one thing that the base map draws (``BASE_BITS``). ``coverage``: grey, each bit one way of
being seen by cameras (``COVERAGE_BITS``). Tiles follow the usual Web Mercator scheme and hold 512 pixels a side for 256 on
the page, so that their edges are smooth once the browser halves them.
"""

from dashboard.tiles.base import BASE_BITS, BUILDING, MAIN_ROAD, MIDDLE_ROAD, MINOR_ROAD, WATER
from dashboard.tiles.coverage import COVERAGE_BITS, FROM_ZOOM
from dashboard.tiles.drawing import TILE_PX, depths, fill, png, strokes
from dashboard.tiles.served import LAYERS, MAX_ZOOM, Tiles, UnknownTile, router, scope_mark
from dashboard.tiles.shapes import to_world
from dashboard.tiles.units import unit_list, unit_shapes

__all__ = [
    "BASE_BITS",
    "BUILDING",
    "COVERAGE_BITS",
    "FROM_ZOOM",
    "LAYERS",
    "MAIN_ROAD",
    "MAX_ZOOM",
    "MIDDLE_ROAD",
    "MINOR_ROAD",
    "TILE_PX",
    "WATER",
    "Tiles",
    "UnknownTile",
    "depths",
    "fill",
    "png",
    "router",
    "scope_mark",
    "strokes",
    "to_world",
    "unit_list",
    "unit_shapes",
]
