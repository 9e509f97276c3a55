"""From a Selection and a Scope to the conditions of a query over ``incident``; no query is written without both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal

from data.index import INCIDENT_LEVELS, UNIT_LEVELS
from data.schema import CATEGORIES
from data.selection import Selection, Window
from data.store.inside import bounds_of
from data.store.polygons import INSIDE_POLYGON, polygon_number
from data.store.release import Release, day_number
from data.store.reports import EPOCH, LeftOut
from data.store.scope import Scope
from data.store.units import Place

INCIDENT = sa.table(
    "incident",
    *(sa.column(name, sa.Integer) for name in ("day", "week", "half", "hour", "weekday", "category", "source")),
    *(sa.column(name, sa.Integer) for name in ("quality", *INCIDENT_LEVELS)),
    *(sa.column(name, sa.Float) for name in ("lon", "lat")),
    *(sa.column(name, sa.DateTime) for name in ("occurred_from", "occurred_to", "recorded_at")),
    *(sa.column(name, sa.String) for name in ("incident_id", "subcategory", "status", "place_type")),
).c


class WholeDivision(sa.ColumnElement):
    """Quotient of whole numbers not below 0, rounded down; DuckDB writes it ``//`` and PostgreSQL ``/``."""

    inherit_cache = True
    type = sa.Integer()
    _traverse_internals = (
        ("dividend", InternalTraversal.dp_clauseelement),
        ("divisor", InternalTraversal.dp_plain_obj),
    )

    def __init__(self, dividend: sa.ColumnElement[int], divisor: int):
        self.dividend, self.divisor = dividend, divisor


@compiles(WholeDivision)
def _divide(element: WholeDivision, compiler, **keywords) -> str:
    sign = "//" if compiler.dialect.name == "duckdb" else "/"
    return f"(({compiler.process(element.dividend, **keywords)}) {sign} {int(element.divisor)})"


def day_window(window: Window) -> tuple[int, int]:
    """A window as days from 1970-01-01."""
    return day_number(window[0]), day_number(window[1])


def day_text(day: int) -> str:
    """ISO text of a day counted from 1970-01-01."""
    return (EPOCH + timedelta(days=day)).isoformat()


def date_of(day: int) -> date:
    """The date of a day counted from 1970-01-01."""
    return EPOCH + timedelta(days=day)


def half_of(day: int) -> int:
    """The number of the half-month a day lies in, as ``incident.half`` counts them."""
    at = date_of(day)
    return (at.year * 12 + at.month - 1) * 2 + (at.day > 15)


def in_days(start: int, end: int) -> ColumnElement[bool]:
    """Incidents that occurred in ``[start, end)``."""
    return sa.and_(INCIDENT.day >= start, INCIDENT.day < end)


def in_place(release: Release, place: Place) -> ColumnElement[bool]:
    """Incidents in one unit; a province or city is the units of the widest level below it that incidents carry."""
    if place.level in INCIDENT_LEVELS:
        return INCIDENT[place.level] == place.position
    for level in INCIDENT_LEVELS:
        inside = np.flatnonzero(release.units.inside(level, place))
        if inside.size:
            return INCIDENT[level].in_(inside.tolist())
    return sa.false()


def in_scope(release: Release, scope: Scope) -> ColumnElement[bool]:
    """Incidents the caller may see."""
    places = release.units.scope_places(scope)
    if places is None:
        return sa.true()
    return sa.or_(sa.false(), *(in_place(release, place) for place in places))


def selected(release: Release, selection: Selection, scope: Scope, *, clock: bool = True) -> list[ColumnElement[bool]]:
    """Everything of a Selection but its windows.

    Parameters
    ----------
    clock : bool
        False leaves hours and weekdays out.
    """
    conditions = [in_scope(release, scope)]
    if selection.area is not None:
        conditions.append(in_place(release, release.units.allowed(selection.area, scope)))
    counted = [CATEGORIES.index(name) for name in selection.counted_categories]
    if len(counted) < len(CATEGORIES):
        others = [i for i in range(len(CATEGORIES)) if i not in counted]
        one_out = INCIDENT.category != others[0]
        conditions.append(one_out if len(others) == 1 else _one_of(INCIDENT.category, counted))
    if clock and selection.hours is not None:
        conditions.append(_one_of(INCIDENT.hour, selection.counted_hours))
    if clock and selection.weekdays:
        conditions.append(_one_of(INCIDENT.weekday, selection.weekdays))
    if selection.polygon is not None:
        west, south, east, north = bounds_of(selection.polygon)
        number = polygon_number(selection.polygon)
        conditions += [INCIDENT.lon.between(west, east), INCIDENT.lat.between(south, north)]
        conditions.append(getattr(sa.func, INSIDE_POLYGON)(number, INCIDENT.lon, INCIDENT.lat))
    return conditions


def _one_of(column: ColumnElement[int], values: Iterable[int]) -> ColumnElement[bool]:
    """Whether a small number is one of a few; a bit mask, which DuckDB tests four times faster than IN."""
    mask = sum(1 << value for value in values)
    return sa.literal(mask, sa.Integer).bitwise_rshift(column).bitwise_and(1) == 1


def without_sources(positions: Iterable[int]) -> ColumnElement[bool]:
    """Incidents of all other sources."""
    positions = list(positions)
    return INCIDENT.source.not_in(positions) if positions else sa.true()


def of_compared_units(release: Release, left_out: list[LeftOut]) -> ColumnElement[bool]:
    """Incidents of the reporting units that are in for both windows."""
    kept = []
    for item in left_out:
        other_source = INCIDENT.source != item.source
        if item.units is None:
            kept.append(other_source)
        else:
            kept.append(sa.or_(other_source, sa.not_(_in_units(release, item.level, item.units))))
    return sa.and_(sa.true(), *kept)


def _in_units(release: Release, level: str, units: np.ndarray) -> ColumnElement[bool]:
    if level in INCIDENT_LEVELS:
        return sa.func.coalesce(INCIDENT[level].in_(units.tolist()), sa.false())
    district = release.units.positions_in("district", level)
    inside = np.flatnonzero(np.isin(district, units)).tolist()
    return sa.func.coalesce(INCIDENT.district.in_(inside), sa.false())


def unknown_clock(release: Release, selection: Selection, scope: Scope, window: Window) -> int | None:
    """Events that leave an hour or weekday filter because it cannot be judged for them; None without such a filter."""
    if selection.hours is None and not selection.weekdays:
        return None
    asked = replace(selection, start=window[0], end=window[1], compare="none")
    return release.remember(("unknown_clock", asked, scope), lambda: _unknown_clock(release, asked, scope))


def _unknown_clock(release: Release, selection: Selection, scope: Scope) -> int:
    missing = []
    if selection.hours is not None:
        missing.append(INCIDENT.hour.is_(None))
    if selection.weekdays:
        missing.append(INCIDENT.weekday.is_(None))
    start, end = day_window((selection.start, selection.end))
    conditions = selected(release, selection, scope, clock=False)
    conditions += [in_days(start, end), without_sources(release.reports.coarser(start, end)), sa.or_(*missing)]
    return release.rows(sa.select(sa.func.count().label("n")).where(*conditions))["n"][0].as_py()


def common_meta(release: Release, selection: Selection, scope: Scope) -> dict:
    """What every answer over incidents says: release, Selection, scope, what the filters could not judge."""
    window = (selection.start, selection.end)
    coarser = [release.reports.source_ids[i] for i in release.reports.coarser(*day_window(window))]
    return {
        **release.base_meta(),
        "selection": selection.to_meta(),
        "scope": scope.to_meta(),
        "coarser": coarser,
        "unknown": unknown_clock(release, selection, scope, window),
    }


def below_or_equal(level: str, place: Place) -> bool:
    """Whether units of ``level`` lie inside ``place`` (or are it)."""
    return UNIT_LEVELS.index(level) >= UNIT_LEVELS.index(place.level)
