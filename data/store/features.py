"""Map features of every layer, within an extent and the caller's scope, as GeoJSON."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import shapely
import sqlalchemy as sa

from data.schema import CATEGORIES, LAYERS, LOCATION_QUALITIES
from data.selection import Selection
from data.store.answer import Features
from data.store.filters import INCIDENT, common_meta, day_window, in_days, selected, without_sources
from data.store.release import Release
from data.store.scope import Scope
from data.store.units import Place

POINT_LAYERS = ("camera", "key_place")
SHAPE_LAYERS = ("camera_coverage", "key_area", "key_line", "base_road", "base_building", "base_water")
FEATURE_LAYERS = ("area", "grid", "incident", *POINT_LAYERS, *SHAPE_LAYERS)
OPEN_LAYERS = ("base_road", "base_building", "base_water")  # the base map is the same for every scope

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Extent:
    """What of a layer is wanted.

    Attributes
    ----------
    bbox : (west, south, east, north) or None
        Degrees; None is the whole scope.
    level : str
        Of layer ``area``.
    detail : str
        ``overview`` or ``near``: how finely areas and grids are drawn.
    """

    bbox: Box | None = None
    level: str = "district"
    detail: str = "overview"

    def to_meta(self) -> dict:
        """The parameters as an answer states them."""
        return {"bbox": None if self.bbox is None else list(self.bbox), "level": self.level, "detail": self.detail}


def features(release: Release, layer: str, selection: Selection, scope: Scope, extent: Extent) -> Features:
    """The features of one layer.

    Parameters
    ----------
    layer : str
        One of ``FEATURE_LAYERS``. Incidents follow the whole Selection, other layers its area only.

    Returns
    -------
    Features
        ``meta`` says how many matched and how many are returned; ``meta.cut`` is null, ``limit`` (only the first ones)
        or ``extent`` (more incidents than the limit in an extent that is not small: none are listed).

    Raises
    ------
    OutsideScope, UnknownArea
    """
    area = None if selection.area is None else release.units.allowed(selection.area, scope)
    if layer == "incident":
        return _incidents(release, selection, scope, extent)
    if layer in ("area", "grid"):
        matched, texts = _units(release, "grid" if layer == "grid" else extent.level, area, scope, extent)
    else:
        matched, texts = _others(release, layer, area, scope, extent)
    meta = {**release.base_meta(), "selection": {"area": selection.area}, "scope": scope.to_meta()}
    return _answer(meta, layer, extent, matched, texts, None if matched == len(texts) else "limit")


def _answer(meta: dict, layer: str, extent: Extent, matched: int, texts: list[str], cut: str | None) -> Features:
    parameters = {"layer": layer, **extent.to_meta()}
    return Features({**meta, "parameters": parameters, "matched": matched, "returned": len(texts), "cut": cut}, texts)


def _units(release: Release, level: str, area: Place | None, scope: Scope, extent: Extent) -> tuple[int, list[str]]:
    units = release.units.level(level)
    shown = release.units.in_scope(level, scope)
    if area is not None:
        shown &= release.units.inside(level, area)
    if extent.bbox is not None:
        west, south, east, north = extent.bbox
        with np.errstate(invalid="ignore"):
            shown &= (units.bounds[:, 0] <= east) & (units.bounds[:, 2] >= west)
            shown &= (units.bounds[:, 1] <= north) & (units.bounds[:, 3] >= south)
    geometry = release.shapes(level, extent.detail)
    positions = np.flatnonzero(shown)
    texts = [
        _feature(
            geometry[i],
            {
                "code": units.codes[i],
                "name": units.names[i],
                "level": level,
                "kind": units.kinds[i],
                "parent": units.parents[i],
            },
        )
        for i in positions
    ]
    return len(texts), texts


def _incidents(release: Release, selection: Selection, scope: Scope, extent: Extent) -> Features:
    window = day_window((selection.start, selection.end))
    conditions = [in_days(*window), without_sources(release.reports.coarser(*window))]
    conditions += selected(release, selection, scope)
    placed = [INCIDENT.lon.is_not(None), INCIDENT.lat.is_not(None), *_box(extent.bbox, INCIDENT.lon, INCIDENT.lat)]
    totals = release.rows(
        sa.select(
            sa.func.count().filter(sa.and_(*placed)).label("matched"),
            sa.func.count().filter(INCIDENT.lon.is_(None)).label("unplaced"),
        ).where(*conditions)
    )
    matched = totals["matched"][0].as_py()
    meta = {**common_meta(release, selection, scope), "unplaced": totals["unplaced"][0].as_py()}
    limit = release.limits.points
    if matched > limit and not _small(extent.bbox, release.limits.small_extent_deg):
        return _answer(meta, "incident", extent, matched, [], "extent")
    names = ("incident_id", "occurred_from", "occurred_to", "category", "subcategory", "status", "grid", "place_type",
             "quality", "lon", "lat")  # fmt: skip
    table = release.rows(
        sa.select(*(INCIDENT[name] for name in names))
        .where(*conditions, *placed)
        .order_by(INCIDENT.occurred_from.desc(), INCIDENT.incident_id)
        .limit(limit)
    )
    texts = [_incident(release, row) for row in table.to_pylist()]
    return _answer(meta, "incident", extent, matched, texts, None if matched == len(texts) else "limit")


def _incident(release: Release, row: dict) -> str:
    grid = row["grid"]
    properties = {
        "incident_id": row["incident_id"],
        "occurred_from": row["occurred_from"].isoformat(),
        "occurred_to": None if row["occurred_to"] is None else row["occurred_to"].isoformat(),
        "category": CATEGORIES[row["category"]],
        "subcategory": row["subcategory"],
        "status": row["status"],
        "place_type": row["place_type"],
        "location_quality": LOCATION_QUALITIES[row["quality"]],
        "grid_code": None if grid is None else release.units.level("grid").codes[grid],
    }
    return _feature(_point(row["lon"], row["lat"]), properties)


def _others(release: Release, layer: str, area: Place | None, scope: Scope, extent: Extent) -> tuple[int, list[str]]:
    """Points, polygons and lines that carry a grid code, or the base map."""
    if scope.areas == ():
        return 0, []
    columns = [column.name for column in LAYERS[layer].columns]
    is_point = layer in POINT_LAYERS
    table = release.rows(sa.select(*(sa.column(c) for c in [*columns, *(("lon", "lat") if is_point else ("geom",))]))
                         .select_from(sa.table(layer)))  # fmt: skip
    shown = np.ones(table.num_rows, dtype=bool)
    if layer not in OPEN_LAYERS:
        shown &= _in_grids(release, layer, table, area, scope)
    if is_point:
        lon, lat = (table[name].to_numpy() for name in ("lon", "lat"))
        shown &= ~np.isnan(lon) & ~np.isnan(lat)
        if extent.bbox is not None:
            west, south, east, north = extent.bbox
            shown &= (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    else:
        shapes = shapely.from_wkb(table["geom"].to_numpy())
        shown &= ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        if extent.bbox is not None:
            shown &= shapely.intersects(shapes, shapely.box(*extent.bbox))
    matched = np.flatnonzero(shown)
    chosen = matched[: release.limits.points]
    properties = table.select(columns).take(pa.array(chosen)).to_pylist()
    geometry = [_point(lon[i], lat[i]) for i in chosen] if is_point else shapely.to_geojson(shapes[chosen]).tolist()
    texts = [_feature(shape, _plain(row)) for shape, row in zip(geometry, properties, strict=True)]
    return matched.size, texts


def _in_grids(release: Release, layer: str, table: pa.Table, area: Place | None, scope: Scope) -> np.ndarray:
    """Which rows lie in the area and the scope, by their grid; a row without a grid only shows in the whole release."""
    if area is None and scope.areas is None:
        return np.ones(table.num_rows, dtype=bool)
    allowed = release.units.in_scope("grid", scope)
    if area is not None:
        allowed = allowed & release.units.inside("grid", area)
    codes = set(release.units.level("grid").codes[allowed].tolist())
    if layer == "camera_coverage":  # stands where its camera stands
        cameras = release.rows(sa.text("SELECT camera_code, grid_code FROM camera"))
        grid_of = dict(zip(cameras["camera_code"].to_pylist(), cameras["grid_code"].to_pylist(), strict=True))
        own = [grid_of.get(code) for code in table["camera_code"].to_pylist()]
    else:
        own = table["grid_code"].to_pylist()
    return np.array([code in codes for code in own], dtype=bool)


def _box(bbox: Box | None, lon, lat) -> list:
    if bbox is None:
        return []
    west, south, east, north = bbox
    return [lon.between(west, east), lat.between(south, north)]


def _small(bbox: Box | None, limit_deg: float) -> bool:
    return bbox is not None and bbox[2] - bbox[0] <= limit_deg and bbox[3] - bbox[1] <= limit_deg


def _point(lon: float, lat: float) -> str:
    return f'{{"type":"Point","coordinates":[{lon:.7f},{lat:.7f}]}}'


def _feature(geometry: str | None, properties: dict) -> str:
    text = json.dumps(properties, ensure_ascii=False, separators=(",", ":"))
    return f'{{"type":"Feature","geometry":{geometry or "null"},"properties":{text}}}'


def _plain(row: dict) -> dict:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
