"""Identity tiles: every pixel says which unit it lies in, so that a filter change sends numbers and never geometry.

A tile of layer ``district``, ``street``, ``community`` or ``grid`` is a lossless PNG whose RGB value is the position of
the unit plus one, 0 outside. A tile of layer ``base`` is grey, each bit one thing that the base map draws (BASE_BITS).
Tiles follow the usual Web Mercator scheme and hold 512 pixels a side for 256 on the page, so that their edges are
smooth once the browser halves them.
"""

from __future__ import annotations

import json
import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import shapely
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from data.index import INCIDENT_LEVELS
from data.store import Release, Scope, Store, UnknownArea

TILE_PX = 512
MAX_ZOOM = 19
BASE = "base"
LAYERS = (*INCIDENT_LEVELS, BASE)
WATER, BUILDING, MINOR_ROAD, MIDDLE_ROAD, MAIN_ROAD = 1, 2, 4, 8, 16
BASE_BITS = {"water": WATER, "building": BUILDING, "minor": MINOR_ROAD, "middle": MIDDLE_ROAD, "main": MAIN_ROAD}
BUILDINGS_FROM_ZOOM = 14
# First zoom a road class is drawn at, and its width in CSS pixels there and four zooms later.
ROAD_ZOOMS = {MAIN_ROAD: (8, 1.0, 3.2), MIDDLE_ROAD: (11, 0.6, 2.4), MINOR_ROAD: (13, 0.5, 2.0)}
_MAIN_KINDS = {"motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link",
               "高速", "高速公路", "快速路", "主干路", "主干道", "国道", "省道"}  # fmt: skip
_MIDDLE_KINDS = {"secondary", "tertiary", "secondary_link", "tertiary_link", "次干路", "次干道", "县道", "乡道"}
_CACHED_TILES = 2048  # most are 2 to 20 kB, the densest 110 kB
_KEPT = {"cache-control": "private, max-age=31536000, immutable"}


class UnknownTile(UnknownArea):
    """No such layer, a tile address outside the world, or a release that is not current (HTTP 404)."""


@dataclass(frozen=True)
class _Shapes:
    """Polygons as edges, in Web Mercator with the world as the unit square (y grows southwards).

    ``edges`` has rows (x0, y0, x1, y1); those of polygon i are ``first[i]:first[i + 1]``. ``bounds`` has rows
    (west, north, east, south); NaN for an empty polygon.
    """

    edges: np.ndarray
    first: np.ndarray
    bounds: np.ndarray

    @classmethod
    def of(cls, shapes: np.ndarray) -> _Shapes:
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
    def of_lines(cls, lines: np.ndarray) -> _Shapes:
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


def fill(edges: np.ndarray, owner: np.ndarray, values: np.ndarray, size: int = TILE_PX) -> np.ndarray:
    """Draw polygons by the even-odd rule: a pixel belongs to the polygon that holds its centre.

    Parameters
    ----------
    edges : ndarray, shape (n, 4)
        x0, y0, x1, y1 in pixels; may reach outside the picture.
    owner : ndarray of int, shape (n,)
        Which polygon an edge belongs to, 0 to ``len(values) - 1``.
    values : ndarray
        What each polygon draws; where polygons overlap, the one that comes first in ``values`` stays.

    Returns
    -------
    ndarray of int32, shape (size, size)
        0 where no polygon is.
    """
    picture = np.zeros(size * size, dtype=np.int32)
    x0, y0, x1, y1 = edges.T
    top = np.clip(np.ceil(np.minimum(y0, y1) - 0.5), 0, size).astype(np.int64)
    bottom = np.clip(np.ceil(np.maximum(y0, y1) - 0.5), 0, size).astype(np.int64)
    height = np.maximum(bottom - top, 0)
    which = np.repeat(np.arange(len(edges)), height)
    if which.size == 0:
        return picture.reshape(size, size)
    row = np.arange(which.size) - np.repeat(np.cumsum(height) - height, height) + np.repeat(top, height)
    slope = (x1 - x0)[which] / (y1 - y0)[which]
    x = x0[which] + (row + 0.5 - y0[which]) * slope
    # The last drawn stays on top, so polygons are drawn from the last to the first.
    line = (len(values) - 1 - owner[which]) * size + row
    order = np.lexsort((x, line))
    line, x = line[order], x[order]
    begin = np.clip(np.ceil(x[0::2] - 0.5), 0, size).astype(np.int64)
    end = np.clip(np.ceil(x[1::2] - 0.5), 0, size).astype(np.int64)
    line = line[0::2]
    width = np.maximum(end - begin, 0)
    start = line % size * size + begin
    pixels = np.arange(width.sum()) - np.repeat(np.cumsum(width) - width, width) + np.repeat(start, width)
    picture[pixels] = np.repeat(values[len(values) - 1 - line // size], width)
    return picture.reshape(size, size)


def strokes(segments: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges and owners of the rectangles that draw segments ``width`` pixels wide, ends lengthened by half of that."""
    start, end = segments[:, :2], segments[:, 2:]
    along = end - start
    length = np.hypot(*along.T)[:, None]
    along = np.divide(along, length, out=np.zeros_like(along), where=length > 0) * (width / 2)
    across = along[:, ::-1] * (-1.0, 1.0)
    corners = [start - along + across, end + along + across, end + along - across, start - along - across]
    edges = np.stack([np.hstack([corners[i], corners[(i + 1) % 4]]) for i in range(4)], axis=1)
    return edges.reshape(-1, 4), np.repeat(np.arange(len(segments)), 4)


def png(picture: np.ndarray) -> bytes:
    """A lossless PNG: grey for one byte a pixel (h, w), colour for three (h, w, 3)."""
    height, width = picture.shape[:2]
    rows = picture.reshape(height, -1)
    up = rows.copy()
    up[1:] -= rows[:-1]  # the PNG filter "up": most rows repeat the one above
    raw = np.empty((height, rows.shape[1] + 1), dtype=np.uint8)
    raw[:, 0], raw[:, 1:] = 2, up
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if picture.ndim == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw.tobytes(), 4)), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


class Tiles:
    """Draws and keeps the tiles of the releases that are asked for; threads share it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._shapes: dict[tuple[str, str], object] = {}
        self._tiles: OrderedDict[tuple, bytes] = OrderedDict()

    def tile(self, release: Release, scope: Scope, layer: str, z: int, x: int, y: int) -> bytes:
        """One tile as PNG.

        Raises
        ------
        UnknownTile
            For a layer or an address that does not exist.
        """
        if layer not in LAYERS or not 0 <= z <= MAX_ZOOM or not (0 <= x < 2**z and 0 <= y < 2**z):
            raise UnknownTile(
                "没有这个图块", where="tiles", found=f"{layer[:20]}/{z}/{x}/{y}", expected=" ".join(LAYERS)
            )
        key = (release.info.release_id, scope, layer, z, x, y)
        with self._lock:
            if key in self._tiles:
                self._tiles.move_to_end(key)
                return self._tiles[key]
        made = self._base(release, z, x, y) if layer == BASE else self._units(release, scope, layer, z, x, y)
        with self._lock:
            self._tiles[key] = made
            while len(self._tiles) > _CACHED_TILES:
                self._tiles.popitem(last=False)
        return made

    def _units(self, release: Release, scope: Scope, level: str, z: int, x: int, y: int) -> bytes:
        shapes = self._once(release, level, lambda: _Shapes.of(unit_shapes(release, level)))
        near = shapes.near(*_tile_box(z, x, y))
        near = near[release.units.in_scope(level, scope)[near]]
        edges, owner = _gather(shapes, near, z, x, y)
        ids = fill(edges, owner, (near + 1).astype(np.int32))
        colour = np.stack([ids >> 16, ids >> 8, ids], axis=-1).astype(np.uint8)
        return png(colour)

    def _base(self, release: Release, z: int, x: int, y: int) -> bytes:
        picture = np.zeros((TILE_PX, TILE_PX), dtype=np.uint8)
        polygons = {"base_water": WATER} | ({"base_building": BUILDING} if z >= BUILDINGS_FROM_ZOOM else {})
        for layer, bit in polygons.items():
            shapes = self._once(release, layer, lambda name=layer: _Shapes.of(_layer_shapes(release, name)))
            near = shapes.near(*_tile_box(z, x, y))
            edges, owner = _gather(shapes, near, z, x, y)
            picture |= fill(edges, owner, np.full(len(near), bit)).astype(np.uint8)
        roads = self._once(release, "base_road", lambda: _roads(release))
        for bit, (from_zoom, thin, wide) in ROAD_ZOOMS.items():
            if z < from_zoom or bit not in roads:
                continue
            width = 2 * (thin + (wide - thin) * min(z - from_zoom, 4) / 4)
            near = roads[bit].near(*_tile_box(z, x, y))
            segments, _ = _gather(roads[bit], near, z, x, y)
            edges, owner = strokes(segments, width)
            picture |= fill(edges, owner, np.full(len(near), bit)).astype(np.uint8)
        return png(picture)

    def _once(self, release: Release, name: str, make):
        """What is kept of a release in memory; that of other releases is forgotten when a new one comes."""
        key = (release.info.release_id, name)
        with self._lock:
            if key not in self._shapes:
                kept = sorted({release_id for release_id, _ in self._shapes} | {key[0]})[-2:]
                self._shapes = {k: v for k, v in self._shapes.items() if k[0] in kept}
                self._shapes[key] = make()
            return self._shapes[key]


def unit_shapes(release: Release, level: str) -> np.ndarray:
    """Outlines of all units of a level in degrees, by position; None where a unit has none."""
    return shapely.from_geojson(np.array(release.shapes(level, "near"), dtype=object))


def _layer_shapes(release: Release, layer: str) -> np.ndarray:
    return shapely.from_wkb(release.rows(sa.text(f"SELECT geom FROM {layer}"))["geom"].to_numpy())


def _roads(release: Release) -> dict[int, _Shapes]:
    rows = release.rows(sa.text("SELECT kind, geom FROM base_road"))
    kinds = np.array([kind or "" for kind in rows["kind"].to_pylist()], dtype=object)
    lines = shapely.from_wkb(rows["geom"].to_numpy())
    bits = np.array([MAIN_ROAD if k in _MAIN_KINDS else MIDDLE_ROAD if k in _MIDDLE_KINDS else MINOR_ROAD
                     for k in kinds], dtype=int)  # fmt: skip
    return {bit: _Shapes.of_lines(lines[bits == bit]) for bit in ROAD_ZOOMS if (bits == bit).any()}


def _tile_box(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    n, margin = 2.0**z, 0.02
    return (x - margin) / n, (y - margin) / n, (x + 1 + margin) / n, (y + 1 + margin) / n


def _gather(shapes: _Shapes, chosen: np.ndarray, z: int, x: int, y: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the chosen polygons in pixels of the tile, and which of the chosen each belongs to."""
    first, count = shapes.first[chosen], shapes.first[chosen + 1] - shapes.first[chosen]
    owner = np.repeat(np.arange(len(chosen)), count)
    rows = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    return (shapes.edges[rows] * 2.0**z - (x, y, x, y)) * TILE_PX, owner


def unit_list(release: Release, scope: Scope, level: str) -> dict:
    """What the page needs to know of the units of a level besides their pixels; sent once a release and level.

    Returns
    -------
    dict
        ``codes, names, kinds, lon, lat`` (a point inside the unit, null without outline), ``width`` (degrees),
        ``population`` and ``above`` (level -> position of the unit above, -1 for none) with ``above_names``;
        arrays by position. Units outside the scope are null.
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
    return {
        "level": level,
        "codes": masked(units.codes.tolist()),
        "names": masked(units.names.tolist()),
        "kinds": masked(units.kinds.tolist()),
        "population": masked(units.population, 0),
        "lon": masked(shapely.get_x(points), 6),
        "lat": masked(shapely.get_y(points), 6),
        "width": masked(bounds[:, 2] - bounds[:, 0], 5),
        "above": {name: units.above[name].tolist() for name in above},
        "above_names": {name: release.units.level(name).names.tolist() for name in above},
    }


def router(store: Store, scope_of: Callable[[Request], Scope]) -> APIRouter:
    """``/tiles/{layer}/{z}/{x}/{y}.png`` and ``/tiles/{layer}/units.json``; both name the release they want.

    An answer is the same for ever for one release and scope, so browsers keep it; one for a release that is no longer
    current is refused rather than answered with another release's shapes.

    Parameters
    ----------
    store : Store
    scope_of : callable
        The areas the caller of a request may see.
    """
    tiles, routes = Tiles(), APIRouter(prefix="/tiles", include_in_schema=False)

    @routes.get("/{layer}/units.json")
    def units(request: Request, layer: str, release: str) -> Response:
        with _asked(store, release) as opened:
            if layer not in INCIDENT_LEVELS:
                raise UnknownTile("没有这个图层", where="tiles", found=layer[:20], expected=" ".join(INCIDENT_LEVELS))
            listed = unit_list(opened, scope_of(request), layer)
        text = json.dumps(listed, ensure_ascii=False, separators=(",", ":"))
        return Response(text.encode(), media_type="application/json", headers=_KEPT)

    @routes.get("/{layer}/{z}/{x}/{y}.png")
    def tile(request: Request, layer: str, z: int, x: int, y: int, release: str) -> Response:
        with _asked(store, release) as opened:
            picture = tiles.tile(opened, scope_of(request), layer, z, x, y)
        return Response(picture, media_type="image/png", headers=_KEPT)

    return routes


@contextmanager
def _asked(store: Store, release_id: str) -> Iterator[Release]:
    with store.current() as opened:
        if opened.info.release_id != release_id:
            raise UnknownTile("发布已更换", where="release", found=release_id[:40], expected=opened.info.release_id,
                              remedy="重新打开页面")  # fmt: skip
        yield opened
