"""Whether an action helped: events of its place and ring before and after, against places as hot at the time and left alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import shapely

from data.selection import Selection, Window
from data.store.filters import date_of, day_window
from data.store.hotspots import unit_classes
from data.store.hotspots.events import count_units
from data.store.hotspots.outlines import neighbours, outlines
from data.store.release import Release
from data.store.scope import Scope
from geo.evaluation import WeightedDisplacement, choose_controls, weighted_displacement_difference
from geo.regions import assign

LEVEL = "grid"
WEEKS_AFTER = (4, 8, 12)
_BEFORE_WEEKS = (8, 52)  # at least, at most


@dataclass(frozen=True)
class Act:
    """Something that was done at a place.

    Attributes
    ----------
    units : tuple of int
        Positions of its grids.
    flagged : date
        When it was decided: the week before is the flagging window.
    acted : date
        When it was done; the after period begins here.
    category : str or None
    """

    units: tuple[int, ...]
    flagged: date
    acted: date
    category: str | None = None


@dataclass(frozen=True)
class Effect:
    """What an action changed, see :func:`geo.evaluation.weighted_displacement_difference`.

    Attributes
    ----------
    weeks : int
        Of the after period.
    before, after : (date, date)
        Half-open.
    treated, ring : (int, int)
        Events before and after, of the place and of its ring.
    controls : int
    control, control_ring : (int, int)
        Of all controls together.
    measured : WeightedDisplacement
    left_alone : tuple of (str, int, int)
        Each hotspot flagged at the time and not acted on: code of its peak, events before and after.
    """

    weeks: int
    before: Window
    after: Window
    treated: tuple[int, int]
    ring: tuple[int, int]
    controls: int
    control: tuple[int, int]
    control_ring: tuple[int, int]
    measured: WeightedDisplacement
    left_alone: tuple[tuple[str, int, int], ...]


def units_of(
    release: Release, *, code: str | None = None, polygon: str | None = None, point: tuple[float, float] | None = None
) -> tuple[int, ...]:
    """Positions of the grids of a place: those a drawn polygon holds the middle of, the one a point lies in, or those of an
    area; empty where there is none."""
    if not len(release.units.level(LEVEL)):
        return ()
    if polygon:
        drawn = shapely.from_wkt(polygon)
        near = _meeting(release, drawn.bounds)
        middle = shapely.point_on_surface(outlines(release, LEVEL, near))
        return tuple(near[shapely.intersects(drawn, middle)].tolist())
    if point and None not in point:
        near = _meeting(release, (*point, *point))
        (at,) = (
            assign(np.array([point[0]]), np.array([point[1]]), outlines(release, LEVEL, near)) if near.size else (-1,)
        )
        return (int(near[at]),) if at >= 0 else ()
    place = release.units.find(code) if code else None
    return () if place is None else tuple(np.flatnonzero(release.units.inside(LEVEL, place)).tolist())


def effects(release: Release, scope: Scope, act: Act, others: Iterable[Act] = ()) -> list[Effect]:
    """The effect after each of ``WEEKS_AFTER`` that is over in the release, among the hotspots of a scope.

    Parameters
    ----------
    others : iterable of Act
        What was done elsewhere: hotspots that touch these are no controls.

    Returns
    -------
    list of Effect
        Empty where no after period is over, fewer than eight weeks of data lie before, the place has no grid or one outside
        the scope, or more unit-periods of it or its ring are missing than a comparison allows (未报 is not a fall). A control
        with such gaps is none.
    """
    over = release.data_as_of
    if over is None or not act.units or not release.units.in_scope(LEVEL, scope)[list(act.units)].all():
        return []
    others, found = tuple(others), []
    for weeks in WEEKS_AFTER:
        after = (act.acted, act.acted + timedelta(weeks=weeks))
        if after[1] <= over.date():
            key = ("effect", scope, act, weeks, others)
            one = release.remember(
                key, lambda after=after, weeks=weeks: _effect(release, scope, act, others, after, weeks)
            )
            found += [] if one is None else [one]
    return found


def _effect(
    release: Release, scope: Scope, act: Act, others: tuple[Act, ...], after: Window, weeks: int
) -> Effect | None:
    flagging_end = act.flagged - timedelta(days=act.flagged.weekday())
    flagging = Selection(
        flagging_end - timedelta(days=7),
        flagging_end,
        categories=(act.category,) if act.category else (),
        compare="none",
    )
    before = _before(release, flagging.start)
    if before is None:
        return None
    classes = unit_classes(release, flagging, scope, "gi", LEVEL)
    gaps = _gaps(release, (before, after))
    mine = set(act.units)
    if gaps[list(mine)].any():
        return None
    groups = [group for group in classes.groups if mine.isdisjoint(group.units) and not gaps[list(group.units)].any()]
    busy = [unit for other in others if other.units != act.units and other.flagged < after[1] for unit in other.units]
    acted = [False, *(not set(busy).isdisjoint(group.units) for group in groups)]
    counts = [np.nan_to_num(one.values) for one in count_units(release, flagging, scope, LEVEL, [before, after])]

    def pair(units) -> tuple[int, int]:
        chosen = np.asarray(units, dtype=np.int64)
        return tuple(int(values[chosen].sum()) for values in counts)

    places = [np.array(sorted(mine)), *(np.array(group.units) for group in groups)]
    picked = choose_controls(places, 0, [pair(place)[0] for place in places], neighbours(release, LEVEL), acted=acted)
    control = [pair(places[i]) for i in picked.chosen]
    rings = [pair(ring) for ring in picked.rings]
    dispersion = max(1.0, float(classes.parameters["dispersion"]["phi"]))
    measured = weighted_displacement_difference(
        _sum(control) if control else None, pair(places[0]), _sum(rings) if control else None, pair(picked.treated_ring),
        exposure=((before[1] - before[0]).days, (after[1] - after[0]).days),
        control_weight=picked.control_weight if control else 1.0, dispersion=dispersion,
    )  # fmt: skip
    left = tuple((group.code, *pair(group.units)) for group, done in zip(groups, acted[1:], strict=True) if not done)
    return Effect(
        weeks,
        before,
        after,
        pair(places[0]),
        pair(picked.treated_ring),
        len(control),
        _sum(control),
        _sum(rings),
        measured,
        left,
    )


def _meeting(release: Release, box: tuple[float, float, float, float]) -> np.ndarray:
    """Positions of the grids whose bounds meet a box; to read all of a city's takes a second, and a ledger has many places."""
    west, south, east, north = release.units.level(LEVEL).bounds.T
    return np.flatnonzero((west <= box[2]) & (east >= box[0]) & (south <= box[3]) & (north >= box[1]))


def _gaps(release: Release, windows: tuple[Window, Window]) -> np.ndarray:
    """Mask over the grids: more unit-periods missing in one of the windows than a comparison allows."""
    tally = release.reports.tally(LEVEL, [day_window(window) for window in windows])
    return tally.too_many(release.limits.missing_pct).any(axis=1)


def _before(release: Release, end: date) -> Window | None:
    """Up to a year of whole weeks before a day, as far as the release has data; None under eight."""
    if release.reports.first_day is None:
        return None
    weeks = min(_BEFORE_WEEKS[1], (end - date_of(release.reports.first_day)).days // 7)
    return (end - timedelta(weeks=weeks), end) if weeks >= _BEFORE_WEEKS[0] else None


def _sum(pairs: list[tuple[int, int]]) -> tuple[int, int]:
    return sum(one for one, _ in pairs), sum(two for _, two in pairs)
