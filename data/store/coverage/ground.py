"""How much ground working cameras see, unit by unit, once and twice over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from data.store.coverage.kept import GROUND, kept
from data.store.coverage.ledger import camera_shapes, cameras, in_area
from data.store.metres import in_metres
from data.store.release import Release
from data.store.scope import Scope
from geo.coverage.inputs import on_lattice

_KM2 = 1e6


@dataclass(frozen=True)
class Ground:
    """Square kilometres of each unit of a level, arrays of shape (units,); NaN for a unit without an outline.

    ``once`` is seen by at least one working camera, ``twice`` by at least two.
    """

    whole: np.ndarray
    once: np.ndarray
    twice: np.ndarray

    def to_rows(self, level: str) -> pa.Table:
        """As rows ``level, position, whole, once, twice`` to be kept."""
        size = len(self.whole)
        columns = {"whole": self.whole, "once": self.once, "twice": self.twice}
        return pa.table({"level": pa.array([level] * size, pa.string()), "position": pa.array(range(size), pa.int32()),
                         **{name: pa.array(values, pa.float64()) for name, values in columns.items()}})  # fmt: skip


def ground(release: Release, scope: Scope, level: str) -> Ground:
    """What the working cameras of a scope see of each unit of a level; worked out once.

    Notes
    -----
    As :func:`geo.coverage.coverage_summary` defines it, for every unit at once: the union of the cameras' areas, and
    the union of what two of them share, each cut by the outlines of the units as they are drawn.
    """
    return release.remember(
        ("ground", scope, level), lambda: _known(release, scope, level) or measure(release, scope, level)
    )


def _known(release: Release, scope: Scope, level: str) -> Ground | None:
    rows = kept(release, scope, GROUND)
    if rows is None:
        return None
    rows = rows.filter(pc.equal(rows["level"], level)).sort_by("position")
    return Ground(*(rows[name].to_numpy() for name in ("whole", "once", "twice")))


def measure(release: Release, scope: Scope, level: str) -> Ground:
    """As :func:`ground`, anew."""
    units = in_metres(release, shapely.from_geojson(np.array(release.shapes(level, "near"), dtype=object)))
    whole = shapely.area(units)
    drawn = ~(shapely.is_missing(units) | shapely.is_empty(units))
    shapely.prepare(units[drawn])
    once, twice = release.remember(("seen ground", scope), lambda: _unions(release, scope))
    areas = [np.where(drawn, values, np.nan) / _KM2 for values in (whole, _inside(units, once), _inside(units, twice))]
    return Ground(*areas)


def _unions(release: Release, scope: Scope) -> tuple[np.ndarray, np.ndarray]:
    """Separate parts of the ground seen once, and seen twice."""
    shapes = camera_shapes(release)[cameras(release).works & in_area(release, None, scope)]
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    shapes = on_lattice(in_metres(release, shapes))
    first, second = shapely.STRtree(shapes).query(shapes)
    pair = first < second
    both = shapely.intersection(shapes[first[pair]], shapes[second[pair]])
    return _united(shapes), _united(both[shapely.area(both) > 0])


def _united(shapes: np.ndarray) -> np.ndarray:
    return shapely.get_parts(shapely.disjoint_subset_union_all(shapes))


def _inside(units: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Area of the parts in each unit."""
    unit, part = shapely.STRtree(parts).query(units, predicate="intersects")
    area = shapely.area(parts)[part]
    cut = ~shapely.contains_properly(units[unit], parts[part])
    area[cut] = shapely.area(shapely.intersection(units[unit[cut]], parts[part[cut]]))
    return np.bincount(unit, weights=area, minlength=len(units))
