"""Points of the map gathered where there are too many to draw: one for each cell of the screen.

Cells are squares of the Web Mercator map, ``CELL_PX`` a side at the zoom asked, in one mesh for the whole release, so that
they stay where they are while the map is moved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data.schema import CATEGORIES, LOCATION_QUALITIES
from data.store.filters import INCIDENT
from data.store.layers import Box, feature, point
from data.store.release import Release

CELL_PX = 56
TILE_PX = 256
DRAWN_SINGLY = 1500  # more are gathered, so that the map stays fluent
MOST_CELLS = 5000  # a wide extent at a deep zoom gets larger cells
PILED = "pile_up"
_ROW_CELLS = 1 << 24  # over the cells around the world at zoom 20 (4.8 million)
_KINDS, _QUALITIES = 8, 8  # room for each in a group's number, which stays below 2^53


@dataclass(frozen=True)
class Mesh:
    """Cells over a release.

    Attributes
    ----------
    zoom : float
        Of which a cell measures ``CELL_PX``; below the zoom asked where the extent would hold too many cells.
    """

    zoom: float
    _x: float
    _y: tuple[float, float, float]

    @classmethod
    def over(cls, held: Box, extent: Box | None, zoom: float) -> Mesh:
        """The mesh for what of ``held`` (where points are, degrees) lies in ``extent``, at a zoom.

        The row of a cell is a parabola in the latitude that meets Mercator's northing over the release: a sum and two
        products are a tenth of the logarithm's time over ten million rows, and within a degree or two they differ by
        less than a pixel.
        """
        west, south, east, north = held if extent is None else _common(held, extent)
        wide, tall = (east - west) / 360, _northing(north) - _northing(south)
        while zoom > 0 and (wide * _cells_around(zoom) + 1) * (tall * _cells_around(zoom) + 1) > MOST_CELLS:
            zoom -= 1
        middle, half = (held[1] + held[3]) / 2, max((held[3] - held[1]) / 2, 0.01)
        nodes = middle + half * np.array([-math.sqrt(0.75), 0.0, math.sqrt(0.75)])
        c2, c1, c0 = np.polyfit(nodes - middle, [_northing(lat) for lat in nodes], 2)
        around = _cells_around(zoom)
        # (c2 (lat - middle) + c1) (lat - middle) + c0, as a polynomial in lat itself
        y = (c2, c1 - 2 * c2 * middle, c0 - c1 * middle + c2 * middle**2)
        return cls(zoom, around / 360, tuple(float(value * around) for value in y))

    def cell(self, lon, lat, floor):
        """The number of the cell of a point, whole; columns and ``sa.func.floor``, or arrays and ``np.floor``."""
        c2, c1, c0 = self._y
        return floor(lon * self._x) * float(_ROW_CELLS) + floor((lat * c2 + c1) * lat + c0)


@dataclass(frozen=True)
class Groups:
    """Points of each cell by kind; arrays of shape (g,), a row for each cell and kind that has any.

    ``lon, lat`` are sums. ``piled`` counts those at default coordinates.
    """

    cell: np.ndarray
    kind: np.ndarray
    count: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    piled: np.ndarray


def incident_groups(release: Release, conditions: list, mesh: Mesh) -> Groups:
    """Incidents that fulfil the conditions (all with a point), gathered in SQL."""
    # One number for cell, category and quality: grouping by one column takes a tenth less time than by three.
    number = mesh.cell(INCIDENT.lon, INCIDENT.lat, sa.func.floor) * float(_KINDS * _QUALITIES)
    number = number + INCIDENT.category * _QUALITIES + INCIDENT.quality
    rows = release.rows(
        sa.select(
            number.label("number"),
            sa.func.count().label("n"),
            sa.func.sum(INCIDENT.lon).label("lon"),
            sa.func.sum(INCIDENT.lat).label("lat"),
        )
        .where(*conditions)
        .group_by("number")
    )
    number, count, lon, lat = (rows[name].to_numpy() for name in ("number", "n", "lon", "lat"))
    cell = np.floor(number / (_KINDS * _QUALITIES))
    kind, quality = np.divmod((number - cell * _KINDS * _QUALITIES).astype(np.int64), _QUALITIES)
    piled = np.where(quality == LOCATION_QUALITIES.index(PILED), count, 0)
    return Groups(cell, np.array(CATEGORIES, object)[kind], count, lon, lat, piled)


def point_groups(lon: np.ndarray, lat: np.ndarray, kind: np.ndarray, mesh: Mesh) -> Groups:
    """Points in memory, each a group of its own."""
    ones = np.ones(len(lon), np.int64)
    return Groups(mesh.cell(lon, lat, np.floor), kind, ones, lon, lat, 0 * ones)


def incident_extent(release: Release) -> Box:
    """Where the release has incidents: west, south, east, north in degrees; the whole map's middle without any."""
    return release.remember("incident extent", lambda: _extent(release))


def _extent(release: Release) -> Box:
    low, high = sa.func.min, sa.func.max
    names = ("west", "south", "east", "north")
    edges = (low(INCIDENT.lon), low(INCIDENT.lat), high(INCIDENT.lon), high(INCIDENT.lat))
    found = release.rows(sa.select(*(edge.label(name) for edge, name in zip(edges, names, strict=True))))
    values = [found[name][0].as_py() for name in names]
    return (0.0, 0.0, 0.0, 0.0) if None in values else tuple(values)


def clusters(groups: Groups) -> list[str]:
    """A point for each cell, at the mean of its members.

    Returns
    -------
    list of str
        ``{cluster: true, count, by: {kind: n}, quality, pile_up}``, largest last. ``quality`` is ``placed``, ``pile_up``
        where all members stand at default coordinates, ``mixed`` where some do (``pile_up`` of them).
    """
    _, cell = np.unique(groups.cell, return_inverse=True)
    kinds, kind = np.unique(groups.kind.astype(str), return_inverse=True)
    size = int(cell.max()) + 1 if len(cell) else 0
    count, piled = (_sums(cell, values, size).astype(np.int64) for values in (groups.count, groups.piled))
    lon, lat = (_sums(cell, values, size) / count for values in (groups.lon, groups.lat))
    by = _sums(cell * len(kinds) + kind, groups.count, size * len(kinds)).astype(np.int64).reshape(size, len(kinds))
    texts = []
    for i in np.argsort(count, kind="stable"):
        quality = "placed" if not piled[i] else PILED if piled[i] == count[i] else "mixed"
        properties = {
            "cluster": True,
            "count": int(count[i]),
            "by": {str(name): int(n) for name, n in zip(kinds, by[i], strict=True) if n},
            "quality": quality,
            "pile_up": int(piled[i]),
        }
        texts.append(feature(point(lon[i], lat[i]), properties))
    return texts


def _sums(key: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(key, weights=values, minlength=size)


def _cells_around(zoom: float) -> float:
    return TILE_PX * 2.0**zoom / CELL_PX


def _northing(lat: float) -> float:
    """Web Mercator's northing as a share of the world's width."""
    return math.asinh(math.tan(math.radians(min(max(lat, -85.0), 85.0)))) / (2 * math.pi)


def _common(one: Box, other: Box) -> Box:
    west, south = max(one[0], other[0]), max(one[1], other[1])
    return west, south, max(min(one[2], other[2]), west), max(min(one[3], other[3]), south)
