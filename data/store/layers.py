"""Layers that stand on the map and carry a grid code, or nothing at all (the base map): rows, places and shapes.

Cameras, what they cover and key places are kept in memory as long as the release is open: 36,000 cameras are 20 MB, and
reading them again costs a tenth of a second a request. The base map is read anew, it may be many times that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import shapely
import sqlalchemy as sa

from data.schema import LAYERS
from data.store.release import Release
from data.store.scope import Scope
from data.store.units import Place

POINT_LAYERS = ("camera", "key_place")
OPEN_LAYERS = ("base_road", "base_building", "base_water")  # the base map is the same for every scope
SHAPE_LAYERS = ("camera_coverage", "key_area", "key_line", *OPEN_LAYERS)
PLACE_LAYERS = ("key_place", "key_area", "key_line")

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class LayerRows:
    """The rows of a layer; arrays of shape (n,) in the order of the table.

    Attributes
    ----------
    table : pyarrow.Table
        The columns the schema declares.
    grid : ndarray of int
        Position of the grid each row stands in, -1 where it names none of the release.
    shapes : ndarray of shapely geometry
        Degrees; missing where there is none.
    lon, lat : ndarray of float or None
        Of point layers; NaN where there is no point.
    """

    table: pa.Table
    grid: np.ndarray
    shapes: np.ndarray
    lon: np.ndarray | None
    lat: np.ndarray | None

    @property
    def drawable(self) -> np.ndarray:
        """Mask: rows that have a place."""
        if self.lon is not None:
            return ~(np.isnan(self.lon) | np.isnan(self.lat))
        return ~(shapely.is_missing(self.shapes) | shapely.is_empty(self.shapes))

    def meets(self, box: Box) -> np.ndarray:
        """Mask: rows that meet an extent (west, south, east, north), its border included."""
        west, south, east, north = box
        if self.lon is not None:
            return (self.lon >= west) & (self.lon <= east) & (self.lat >= south) & (self.lat <= north)
        return shapely.intersects(self.shapes, shapely.box(*box))

    def geojson(self, rows: np.ndarray) -> list[str]:
        """Geometry of some rows as GeoJSON texts."""
        if self.lon is not None:
            return [point(self.lon[i], self.lat[i]) for i in rows]
        return shapely.to_geojson(self.shapes[rows]).tolist()


def layer_rows(release: Release, layer: str) -> LayerRows:
    """The rows of a point or shape layer; see :class:`LayerRows`."""
    if layer in OPEN_LAYERS:
        return _read(release, layer)
    return release.remember(("layer", layer), lambda: _read(release, layer))


def _read(release: Release, layer: str) -> LayerRows:
    names = LAYERS[layer].names
    is_point = layer in POINT_LAYERS
    asked = [sa.column(name) for name in (*names, *(("lon", "lat") if is_point else ("geom",)))]
    rows = release.rows(sa.select(*asked).select_from(sa.table(layer)))
    if is_point:
        lon, lat = (rows[name].to_numpy() for name in ("lon", "lat"))
        shapes = np.full(len(lon), None, object)
        known = ~(np.isnan(lon) | np.isnan(lat))
        shapes[known] = shapely.points(lon[known], lat[known])
    else:
        lon = lat = None
        shapes = shapely.from_wkb(rows["geom"].to_numpy())
    return LayerRows(rows.select(list(names)), _grids(release, layer, rows), shapes, lon, lat)


def _grids(release: Release, layer: str, rows: pa.Table) -> np.ndarray:
    if layer in OPEN_LAYERS:
        return np.full(rows.num_rows, -1)
    if layer == "camera_coverage":  # stands where its camera stands
        camera = layer_rows(release, "camera")
        grid_of = dict(zip(camera.table["camera_code"].to_pylist(), camera.grid.tolist(), strict=True))
        return np.array([grid_of.get(code, -1) for code in rows["camera_code"].to_pylist()], np.int64)
    return grid_positions(release, rows["grid_code"].to_pylist())


def grid_positions(release: Release, codes: list) -> np.ndarray:
    """Positions of grid codes, -1 for one that is missing or no grid of the release."""
    position = release.remember(
        "grid positions", lambda: {code: i for i, code in enumerate(release.units.level("grid").codes)}
    )
    return np.array([position.get(code, -1) for code in codes], np.int64)


def in_reach(release: Release, grid: np.ndarray, area: Place | None, scope: Scope) -> np.ndarray:
    """Mask over rows by the position of their grid: those in the area and the scope.

    A row without a grid only shows where neither is limited.
    """
    if area is None and scope.areas is None:
        return np.ones(len(grid), dtype=bool)
    allowed = release.units.in_scope("grid", scope)
    if area is not None:
        allowed = allowed & release.units.inside("grid", area)
    return np.append(allowed, False)[grid]  # -1 is the False at the end


def point(lon: float, lat: float) -> str:
    """A point as GeoJSON text."""
    return f'{{"type":"Point","coordinates":[{lon:.7f},{lat:.7f}]}}'


def feature(geometry: str | None, properties: dict) -> str:
    """A GeoJSON Feature text."""
    text = json.dumps(properties, ensure_ascii=False, separators=(",", ":"))
    return f'{{"type":"Feature","geometry":{geometry or "null"},"properties":{text}}}'
