"""The areas and grids of a release in memory: codes, names, what lies in what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.index import UNIT_ANCESTORS, UNIT_LEVELS
from data.store.scope import OutsideScope, Scope, UnknownArea


@dataclass(frozen=True)
class Place:
    """One unit: its level and its position among the units of that level."""

    level: str
    position: int


@dataclass(frozen=True)
class LevelUnits:
    """All units of one level, arrays of equal length in the order of codes.

    ``population`` is NaN where the source lacks it; ``bounds`` has rows (west, south, east, north) in degrees;
    ``area_km2`` is measured in an equal-area projection, NaN for a unit without an outline (and in releases made before it
    was kept).
    ``above`` gives, for each wider level, positions in that level, -1 where there is none.
    """

    codes: np.ndarray
    names: np.ndarray
    kinds: np.ndarray
    parents: np.ndarray
    population: np.ndarray
    bounds: np.ndarray
    area_km2: np.ndarray
    above: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.codes)


class Units:
    """Every unit of a release and the tree they form."""

    def __init__(self, table: pa.Table):
        levels = table["level"].to_numpy()
        self._levels: dict[str, LevelUnits] = {}
        self._places: dict[str, Place] = {}
        for level in UNIT_LEVELS:  # wide to narrow, so that a code used twice means the wider one
            part = table.filter(pa.array(levels == level)).sort_by("position")
            units = LevelUnits(
                codes=part["code"].to_numpy(),
                names=part["name"].to_numpy(),
                kinds=part["kind"].to_numpy(),
                parents=part["parent_code"].to_numpy(),
                population=part["population"].cast(pa.float64()).to_numpy(),
                bounds=np.column_stack([part[name].to_numpy() for name in ("minx", "miny", "maxx", "maxy")]),
                area_km2=_area_km2(part),
                above=self._above(level, part),
            )
            self._levels[level] = units
            for position, code in enumerate(units.codes):
                self._places.setdefault(code, Place(level, position))

    def _above(self, level: str, part: pa.Table) -> dict[str, np.ndarray]:
        wider = UNIT_LEVELS[: UNIT_LEVELS.index(level)]
        above = {}
        for name in reversed(wider):
            positions = {code: i for i, code in enumerate(self._levels[name].codes)}
            if name in UNIT_ANCESTORS:
                own = part[f"{name}_code"].to_pylist()
                above[name] = np.array([positions.get(code, -1) for code in own], dtype=np.int64)
            else:
                above[name] = self._through(name, positions, part["parent_code"].to_pylist(), above)
        return {name: above[name] for name in wider}

    def _through(self, name: str, positions: dict[str, int], parents: list, above: dict[str, np.ndarray]) -> np.ndarray:
        """Position at a level whose code units do not carry: by the parent, else through any level between."""
        found = np.array([positions.get(code, -1) for code in parents], dtype=np.int64)
        for between, index in above.items():
            reached = self._levels[between].above[name]
            if reached.size:
                found = np.where((found < 0) & (index >= 0), reached[index], found)
        return found

    def level(self, level: str) -> LevelUnits:
        """The units of ``level``; without rows where the release has none."""
        return self._levels[level]

    def find(self, code: str) -> Place | None:
        """The unit with this code; the widest one where levels share a code."""
        return self._places.get(code)

    def code(self, place: Place) -> str:
        """The code of a unit."""
        return self._levels[place.level].codes[place.position]

    def positions_in(self, level: str, wider: str) -> np.ndarray:
        """For each unit of ``level`` the position of the ``wider`` unit it lies in (itself for equal levels)."""
        units = self._levels[level]
        return np.arange(len(units)) if level == wider else units.above[wider]

    def inside(self, level: str, place: Place) -> np.ndarray:
        """Mask over the units of ``level``: those equal to ``place`` or under it."""
        if UNIT_LEVELS.index(level) < UNIT_LEVELS.index(place.level):
            return np.zeros(len(self._levels[level]), dtype=bool)
        return self.positions_in(level, place.level) == place.position

    def around(self, level: str, place: Place) -> np.ndarray:
        """Mask over the units of ``level``: those equal to ``place``, under it or above it."""
        if UNIT_LEVELS.index(level) >= UNIT_LEVELS.index(place.level):
            return self.inside(level, place)
        mask = np.zeros(len(self._levels[level]), dtype=bool)
        position = self._levels[place.level].above[level][place.position]
        if position >= 0:
            mask[position] = True
        return mask

    def holding(self, level: str, positions) -> str | None:
        """Code of the smallest area (community, street, district) that holds all of some units of a level; None where none
        does."""
        above = self._levels[level].above
        for wider in ("community", "street", "district"):
            if len(self._levels[wider]):
                held = np.unique(above[wider][list(positions)])
                if len(held) == 1 and held[0] >= 0:
                    return str(self._levels[wider].codes[held[0]])
        return None

    def scope_places(self, scope: Scope) -> tuple[Place, ...] | None:
        """The units a scope names; None for the whole release. Codes this release lacks give nothing."""
        if scope.areas is None:
            return None
        return tuple(place for code in scope.areas if (place := self.find(code)) is not None)

    def in_scope(self, level: str, scope: Scope) -> np.ndarray:
        """Mask over the units of ``level``: those the scope covers whole."""
        places = self.scope_places(scope)
        if places is None:
            return np.ones(len(self._levels[level]), dtype=bool)
        mask = np.zeros(len(self._levels[level]), dtype=bool)
        for place in places:
            mask |= self.inside(level, place)
        return mask

    def shown(self, level: str, area: Place | None, scope: Scope) -> np.ndarray:
        """Mask over the units of ``level`` an answer lists: those of the scope in the area, which the scope covers; where
        the area is smaller than the level, the one unit that holds it."""
        if area is not None and UNIT_LEVELS.index(level) < UNIT_LEVELS.index(area.level):
            return self.around(level, area)
        mask = self.in_scope(level, scope)
        return mask if area is None else mask & self.inside(level, area)

    def allowed(self, code: str, scope: Scope) -> Place:
        """The unit with this code, if the scope covers it.

        Raises
        ------
        OutsideScope
            Where it is not covered. A code that the release lacks is also outside a limited scope, so that an answer
            does not tell which codes exist.
        UnknownArea
            Where the whole release has no such unit.
        """
        place = self.find(code)
        if place is None:
            if scope.areas is None:
                raise UnknownArea(
                    "没有这个区域", where="area", found=code[:64], expected="本发布中的区划代码或网格编码"
                )
            raise OutsideScope("超出授权区域", where="area", found=code[:64], expected="授权区域内的代码")
        if not self.in_scope(place.level, scope)[place.position]:
            raise OutsideScope("超出授权区域", where="area", found=code[:64], expected="授权区域内的代码")
        return place


def _area_km2(units: pa.Table) -> np.ndarray:
    if "area_km2" not in units.column_names:
        return np.full(units.num_rows, np.nan)
    return units["area_km2"].to_numpy()
