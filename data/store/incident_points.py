"""Incidents as features of the map: points, or clusters where there are too many to draw."""

from __future__ import annotations

import sqlalchemy as sa

from data.schema import CATEGORIES, LOCATION_QUALITIES
from data.selection import Selection
from data.store.answer import Features
from data.store.clusters import DRAWN_SINGLY, Mesh, clusters, incident_extent, incident_groups
from data.store.extent import NOT_CLUSTERED, Extent, clustered, layer_answer, limit_cut
from data.store.filters import INCIDENT, common_meta, day_window, in_days, selected, without_sources
from data.store.layers import Box, feature, point
from data.store.release import Release
from data.store.scope import Scope


def incident_points(release: Release, selection: Selection, scope: Scope, extent: Extent) -> Features:
    """The incidents of a Selection in an extent; see :func:`data.store.features.features`."""
    window = day_window((selection.start, selection.end))
    conditions = [in_days(*window), without_sources(release.reports.coarser(*window))]
    conditions += selected(release, selection, scope)
    placed = [*conditions, *_box(release, extent.bbox)]
    # Where points are does not depend on the extent, so moving the map does not count those without one again.
    unplaced = release.remember(
        ("unplaced", selection, scope), lambda: _count(release, [*conditions, INCIDENT.lon.is_(None)])
    )
    meta = {**common_meta(release, selection, scope), "unplaced": unplaced}
    limit = release.limits.points
    if extent.zoom is None:
        matched = _count(release, placed)
    else:
        mesh = Mesh.over(incident_extent(release), extent.bbox, extent.zoom)
        groups = incident_groups(release, placed, mesh)
        matched = int(groups.count.sum())
        if matched > min(limit, DRAWN_SINGLY):
            return clustered(meta, "incident", extent, matched, clusters(groups), mesh)
        meta |= NOT_CLUSTERED
    if matched > limit and not _small(extent.bbox, release.limits.small_extent_deg):
        return layer_answer(meta, "incident", extent, matched, [], "extent")
    names = ("incident_id", "occurred_from", "occurred_to", "category", "subcategory", "status", "grid", "place_type",
             "quality", "lon", "lat")  # fmt: skip
    table = release.rows(
        sa.select(*(INCIDENT[name] for name in names))
        .where(*placed)
        .order_by(INCIDENT.occurred_from.desc(), INCIDENT.incident_id)
        .limit(limit)
    )
    texts = [_incident(release, row) for row in table.to_pylist()]
    return layer_answer(meta, "incident", extent, matched, texts, limit_cut(matched, texts))


def _count(release: Release, conditions: list) -> int:
    return release.rows(sa.select(sa.func.count().label("n")).where(*conditions))["n"][0].as_py()


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
    return feature(point(row["lon"], row["lat"]), properties)


def _box(release: Release, bbox: Box | None) -> list:
    """Conditions of having a point in an extent; comparing is left out where it holds every point of the release."""
    west, south, east, north = held = incident_extent(release)
    if bbox is not None:
        west, south, east, north = bbox
    if west <= held[0] and south <= held[1] and east >= held[2] and north >= held[3]:
        return [INCIDENT.lon.is_not(None), INCIDENT.lat.is_not(None)]
    return [INCIDENT.lon.between(west, east), INCIDENT.lat.between(south, north)]


def _small(bbox: Box | None, limit_deg: float) -> bool:
    return bbox is not None and bbox[2] - bbox[0] <= limit_deg and bbox[3] - bbox[1] <= limit_deg
