"""Where a map looks, and the border of what it is about."""

from __future__ import annotations

import numpy as np

from data.index import INCIDENT_LEVELS
from data.store import Release, Scope
from data.store.hotspots.outlines import outline_texts
from data.store.units import Place


def extent(release: Release, scope: Scope, place: Place | None) -> list[float] | None:
    """West, south, east, north of an area or of the whole scope; None where there are no outlines."""
    if place is not None:
        bounds = release.units.level(place.level).bounds[place.position][None]
    else:
        inside = [release.units.level(one).bounds[release.units.in_scope(one, scope)] for one in INCIDENT_LEVELS]
        bounds = np.concatenate(inside)
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    if not len(bounds):
        return None
    return [*bounds[:, :2].min(axis=0).tolist(), *bounds[:, 2:].max(axis=0).tolist()]


def outline(release: Release, place: Place) -> str | None:
    """The border of one area as GeoJSON text; None where it has none."""
    asked = place.level, np.array([place.position]), "near"
    return release.remember(("outline", place), lambda: outline_texts(release, *asked)[0])
