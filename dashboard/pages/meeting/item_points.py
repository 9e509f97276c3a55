"""Where the items of the ledger stand on its map."""

from __future__ import annotations

from typing import Any

import shapely

from dashboard.pages.meeting.looked_at import LookedAt
from data.store.effect import units_of
from data.store.units import Place


def item_points(found: LookedAt) -> dict[int, tuple[float, float]]:
    """Where the items of the map stand: their point, a point in what was drawn, or the middle of their grids."""
    units = found.release.units.level("grid")
    places: dict[int, tuple[float, float]] = {}
    for one in found.items:
        if one.lon is not None and one.lat is not None:
            places[one.id] = (one.lon, one.lat)
            continue
        if one.polygon:
            drawn = shapely.from_wkt(one.polygon).representative_point()
            places[one.id] = (drawn.x, drawn.y)
            continue
        middle = _middle(found, one, units)
        if middle is not None:
            places[one.id] = middle
    return places


def _middle(found: LookedAt, item: Any, units: Any) -> tuple[float, float] | None:
    within = units_of(found.release, code=item.area_code)
    bounds = units.bounds[list(within)] if within else None
    if bounds is None and item.area_code:
        place: Place | None = found.release.units.find(item.area_code)
        bounds = found.release.units.level(place.level).bounds[[place.position]] if place else None
    if bounds is None or not len(bounds) or bounds[0][0] != bounds[0][0]:
        return None
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    return float((west + east) / 2), float((south + north) / 2)
