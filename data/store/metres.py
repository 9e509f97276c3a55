"""The metre CRS in which a release is measured, the same for every question and scope, and the way there and back."""

from __future__ import annotations

import numpy as np
import shapely
from pyproj import CRS

from data.index import INCIDENT_LEVELS, UNIT_LEVELS
from data.store.release import Release
from geo.crs import metre_crs, transform

DEGREES = "EPSG:4326"
_NOWHERE = (0.0, 0.0, 0.0, 0.0)


def release_crs(release: Release) -> CRS | None:
    """The CRS in metres of everything in a release; None where no unit has an outline."""
    return release.remember("metre_crs", lambda: _release_crs(release))


def _release_crs(release: Release) -> CRS | None:
    for level in (*INCIDENT_LEVELS, *reversed(UNIT_LEVELS)):  # a city's own outline only where nothing in it has one
        bounds = release.units.level(level).bounds
        bounds = bounds[~np.isnan(bounds).any(axis=1)]
        if len(bounds):
            return metre_crs((*bounds[:, :2].min(axis=0), *bounds[:, 2:].max(axis=0)))
    return None


def working_crs(release: Release) -> CRS:
    """The CRS of :func:`in_metres`: that of the release, and some other where it has no outline to measure on."""
    return release_crs(release) or metre_crs(_NOWHERE)


def crs_name(crs: CRS) -> str:
    """``EPSG:4549``."""
    return ":".join(crs.to_authority() or (crs.name,))


def in_metres(release: Release, shape):
    """Shapes in degrees, one or an array, as shapes in the metres of the release; missing ones stay missing."""
    return _moved(shape, DEGREES, working_crs(release))


def in_degrees(release: Release, shape):
    """The way back."""
    return _moved(shape, working_crs(release), DEGREES)


def _moved(shape, source: CRS | str, target: CRS | str):
    return shapely.transform(shape, lambda xy: np.column_stack(transform(xy[:, 0], xy[:, 1], source, target)))
