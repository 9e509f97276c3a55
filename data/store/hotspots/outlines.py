"""Outlines of units, which of them are neighbours, and the boundary of a scope."""

from __future__ import annotations

import numpy as np
import shapely
import sqlalchemy as sa

from data.index import INCIDENT_LEVELS, UNIT_LEVELS
from data.store.metres import in_metres
from data.store.release import Release
from data.store.scope import Scope
from data.store.units import Place
from geo.autocorrelation import Neighbours, contiguity

_FEW = 500  # outlines asked for by position; more are faster read with all others of their level
_SHAPE = sa.table("shape", *(sa.column(name) for name in ("level", "detail", "position", "geojson"))).c

# Outlines are kept to 7 decimals of a degree, so a corner on another unit's side may stand 1.4e-7 off it. The slack of
# contiguity is 1e-10 of the largest coordinate: counted from this far away it is 2e-7 degrees, 2 cm.
_FAR_DEGREES = 2000.0


def outlines(release: Release, level: str, positions: np.ndarray, detail: str = "near") -> np.ndarray:
    """Shapes of some units in degrees, in the order of ``positions``; None for a unit without an outline."""
    texts = outline_texts(release, level, positions, detail)
    shapes = np.full(len(positions), None, dtype=object)
    there = [i for i, text in enumerate(texts) if text is not None]
    shapes[there] = shapely.from_geojson([texts[i] for i in there])
    return shapes


def outline_texts(release: Release, level: str, positions: np.ndarray, detail: str) -> list[str | None]:
    """The same as GeoJSON text."""
    wanted = [int(position) for position in positions]
    if not wanted:
        return []
    where = [_SHAPE.level == level, _SHAPE.detail == detail]
    if len(wanted) < _FEW:
        where.append(_SHAPE.position.in_(wanted))
    found = release.rows(sa.select(_SHAPE.position, _SHAPE.geojson).where(*where))
    by_position = dict(zip(found["position"].to_pylist(), found["geojson"].to_pylist(), strict=True))
    return [by_position.get(position) for position in wanted]


def neighbours(release: Release, level: str) -> Neighbours:
    """Queen contiguity of all units of a level, worked out once."""
    return release.remember(("neighbours", level), lambda: _neighbours(release, level))


def _neighbours(release: Release, level: str) -> Neighbours:
    shapes = outlines(release, level, np.arange(len(release.units.level(level))))
    return contiguity(shapely.transform(shapes, lambda xy: xy + np.array([_FAR_DEGREES, 0.0])))


def scope_boundary(release: Release, scope: Scope) -> shapely.Geometry | None:
    """The area a scope covers, in metres; None where it covers nothing that has an outline."""
    return release.remember(("scope_boundary", scope), lambda: _boundary(release, release.units.scope_places(scope)))


def place_boundary(release: Release, place: Place) -> shapely.Geometry | None:
    """The area of one unit, in metres."""
    return _boundary(release, (place,))


def _boundary(release: Release, places: tuple[Place, ...] | None) -> shapely.Geometry | None:
    """Incidents stand in units of the levels they carry, so a city is its districts, not its own outline."""
    pieces = []
    for place in (None,) if places is None else places:
        for level in INCIDENT_LEVELS:
            if place is None:
                inside = np.ones(len(release.units.level(level)), dtype=bool)
            elif UNIT_LEVELS.index(level) < UNIT_LEVELS.index(place.level):
                continue
            else:
                inside = release.units.inside(level, place)
            shapes = outlines(release, level, np.flatnonzero(inside))
            shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
            if shapes.size:
                pieces.extend(shapes)
                break
    if not pieces:
        return None
    whole = shapely.union_all(shapely.make_valid(in_metres(release, np.array(pieces, dtype=object))))
    return whole if whole.area > 0 else None
