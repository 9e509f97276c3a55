"""From figures of the areas that report to figures of every area: an area's own line stands, else the sum below it."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from data.index import UNIT_LEVELS
from data.store.units import Place, Units


def roll_up(units: Units, level: np.ndarray, position: np.ndarray, values: np.ndarray) -> dict[str, np.ndarray]:
    """Figures of every unit.

    Parameters
    ----------
    level, position : ndarray of int, shape (areas,)
        Where the values stand; levels are indices into UNIT_LEVELS.
    values : ndarray of float, shape (rows, areas)
        NaN is not told.

    Returns
    -------
    dict of str to ndarray of float, shape (rows, units)
        By level, as far down as there are values, and ``""``, shape (rows, 1): the whole, all that has no unit above
        it. NaN where nothing is told.
    """
    rows = len(values)
    narrowest = int(level.max(initial=-1))
    below = {name: np.full((rows, len(units.level(name))), np.nan) for name in UNIT_LEVELS[: narrowest + 1]}
    below[""] = np.full((rows, 1), np.nan)
    for number in range(narrowest, -1, -1):
        name = UNIT_LEVELS[number]
        own = np.full_like(below[name], np.nan)
        own[:, position[level == number]] = values[:, level == number]
        below[name] = np.where(np.isnan(own), below[name], own)
        waiting = np.ones(below[name].shape[1], dtype=bool)
        for wider in reversed(UNIT_LEVELS[:number]):
            above = units.positions_in(name, wider)
            _add(below[wider], np.where(waiting & (above >= 0), above, -1), below[name])
            waiting &= above < 0
        _add(below[""], np.where(waiting, 0, -1), below[name])
    return below


def _add(out: np.ndarray, to: np.ndarray, values: np.ndarray) -> None:
    """Add columns of ``values`` to the columns ``to`` of ``out`` (-1: to none); a sum is NaN where no part is told."""
    moved = np.flatnonzero((to >= 0) & ~np.isnan(values).all(axis=0))
    if not moved.size:
        return
    shape = (values.shape[1], out.shape[1])
    adder = sparse.csr_array((np.ones(moved.size), (moved, to[moved])), shape=shape)
    told = ~np.isnan(values)
    sums, seen = np.where(told, values, 0.0) @ adder, told.astype(float) @ adder > 0
    out[:] = np.where(seen, np.nan_to_num(out) + sums, out)


def of_places(units: Units, rolled: dict[str, np.ndarray], places: tuple[Place, ...] | None) -> np.ndarray:
    """The figure of some units taken together, shape (rows,); None is the whole. NaN where nothing is told."""
    if places is None:
        return rolled[""][:, 0]
    columns = [rolled[place.level][:, place.position] for place in outermost(units, places) if place.level in rolled]
    return sum_told(np.stack(columns), axis=0) if columns else np.full(len(rolled[""]), np.nan)


def outermost(units: Units, places: tuple[Place, ...]) -> list[Place]:
    """The places that lie in no other of them."""
    kept = dict.fromkeys(places)
    return [
        place
        for place in kept
        if not any(other != place and units.inside(place.level, other)[place.position] for other in kept)
    ]


def sum_told(values: np.ndarray, axis: int) -> np.ndarray:
    """Sum over an axis, NaN only where nothing is told."""
    told = ~np.isnan(values)
    return np.where(told.any(axis=axis), np.where(told, values, 0.0).sum(axis=axis), np.nan)
