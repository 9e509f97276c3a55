"""Map features of every layer, within an extent and the caller's scope, as GeoJSON."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.selection import Selection
from data.store.answer import Features
from data.store.catalogue import parents_told
from data.store.clusters import DRAWN_SINGLY, Mesh, clusters, point_groups
from data.store.coverage import blind_hotspots, cameras, rule_failures
from data.store.extent import NOT_CLUSTERED, Extent, clustered, layer_answer, limit_cut
from data.store.filters import common_meta
from data.store.incident_points import incident_points
from data.store.layers import OPEN_LAYERS, POINT_LAYERS, SHAPE_LAYERS, feature, in_reach, layer_rows
from data.store.release import Release
from data.store.scope import Scope
from data.store.units import Place

BLIND, RULE_FAILURE = "blind", "rule_failure"
FEATURE_LAYERS = ("area", "grid", "incident", *POINT_LAYERS, *SHAPE_LAYERS, BLIND, RULE_FAILURE)
NO_KIND = "未注明"


def features(release: Release, layer: str, selection: Selection, scope: Scope, extent: Extent) -> Features:
    """The features of one layer.

    Parameters
    ----------
    layer : str
        One of ``FEATURE_LAYERS``. Incidents and blind hotspots follow the whole Selection, other layers its area only.

    Returns
    -------
    Features
        ``meta`` says how many matched and how many are returned; ``meta.cut`` is null, ``limit`` (only the first ones)
        or ``extent`` (more incidents than the limit in an extent that is not small: none are listed). With a ``zoom``
        nothing is cut: ``meta.clustered`` says whether clusters are returned, whose counts add up to ``matched``, and
        ``meta.cluster_zoom`` at which zoom their cells measure 56 px.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    area = None if selection.area is None else release.units.allowed(selection.area, scope)
    if layer == "incident":
        return incident_points(release, selection, scope, extent)
    if layer == BLIND:
        texts, parameters, notes = blind_hotspots(release, selection, scope, extent.bbox)
        meta = {**common_meta(release, selection, scope), "notes": notes}
        return layer_answer(meta, layer, extent, len(texts), texts, None, **parameters)
    meta = {**release.base_meta(), "selection": {"area": selection.area}, "scope": scope.to_meta()}
    if layer in ("area", "grid"):
        matched, texts = _units(release, "grid" if layer == "grid" else extent.level, area, scope, extent)
    elif layer == RULE_FAILURE:
        matched, texts = rule_failures(release, selection, scope, extent.bbox, extent.rule)
    else:
        return _others(release, layer, area, scope, extent, meta)
    return layer_answer(meta, layer, extent, matched, texts, limit_cut(matched, texts))


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
    parents = parents_told(release, level, scope)
    geometry = release.shapes(level, extent.detail)
    positions = np.flatnonzero(shown)
    texts = [
        feature(
            geometry[i],
            {
                "code": units.codes[i],
                "name": units.names[i],
                "level": level,
                "kind": units.kinds[i],
                "parent": parents[i],
            },
        )
        for i in positions
    ]
    return len(texts), texts


def _others(release: Release, layer: str, area: Place | None, scope: Scope, extent: Extent, meta: dict) -> Features:
    """Points, polygons and lines that carry a grid code, or the base map."""
    rows = layer_rows(release, layer)
    shown = rows.drawable
    if scope.areas == ():
        shown = np.zeros(len(shown), dtype=bool)
    if layer not in OPEN_LAYERS:
        shown = shown & in_reach(release, rows.grid, area, scope)
    if extent.bbox is not None:
        shown = shown & rows.meets(extent.bbox)
    matched = np.flatnonzero(shown)
    limit = release.limits.points
    if layer in POINT_LAYERS:
        if extent.zoom is not None and matched.size > min(limit, DRAWN_SINGLY):
            held = tuple(float(edge(values[rows.drawable])) for edge in (np.min, np.max)
                         for values in (rows.lon, rows.lat))  # fmt: skip
            mesh = Mesh.over(held, extent.bbox, extent.zoom)
            kind = _kinds(release, layer)[matched]
            texts = clusters(point_groups(rows.lon[matched], rows.lat[matched], kind, mesh))
            return clustered(meta, layer, extent, matched.size, texts, mesh)
        if extent.zoom is not None:
            meta = meta | NOT_CLUSTERED
    texts = _texts(release, layer, matched[:limit])
    return layer_answer(meta, layer, extent, matched.size, texts, limit_cut(matched.size, texts))


def _kinds(release: Release, layer: str) -> np.ndarray:
    """What the members of a cluster are counted by: the state of cameras, the kind of key places."""
    if layer == "camera":
        return cameras(release).state
    return np.array([kind or NO_KIND for kind in layer_rows(release, layer).table["kind"].to_pylist()], object)


def _texts(release: Release, layer: str, chosen: np.ndarray) -> list[str]:
    """Features of some rows, written once: a circle takes longer to write than to find."""
    if layer in OPEN_LAYERS:
        return _written(release, layer, chosen)
    size = len(layer_rows(release, layer).grid)
    key = ("texts", layer)
    texts, done = release.remember(key, lambda: (np.full(size, None, object), np.zeros(size, bool)))
    new = chosen[~done[chosen]]
    if new.size:
        texts[new] = _written(release, layer, new)
        done[new] = True
        release.weigh_again(key)
    return texts[chosen].tolist()


def _written(release: Release, layer: str, chosen: np.ndarray) -> list[str]:
    """A camera says its ``state`` besides what its ledger says."""
    rows = layer_rows(release, layer)
    table = rows.table.take(pa.array(chosen))
    if layer == "camera":
        table = table.append_column("state", pa.array(cameras(release).state[chosen]))
    properties = table.to_pylist()
    return [feature(shape, _plain(row)) for shape, row in zip(rows.geojson(chosen), properties, strict=True)]


def _plain(row: dict) -> dict:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
