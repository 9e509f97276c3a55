"""Incidents of whole days in memory, added up over the days: what a span holds is one difference of two rows.

Questions about areas down to the street are answered from here. All incidents stand in ``day_count``, counted at
publication; those of some hours, weekdays or a smaller area are counted in one query when first asked for, and kept:
a page asks twenty questions about them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from data.index import DAY_COUNT, INCIDENT_LEVELS, UNIT_LEVELS
from data.schema import CATEGORIES
from data.selection import Selection
from data.store.filters import INCIDENT, in_days, selected
from data.store.release import Release
from data.store.reports import LeftOut
from data.store.scope import Scope
from data.store.units import Place

Spans = Sequence[tuple[int, int]]
_COARSE = UNIT_LEVELS[: UNIT_LEVELS.index("street") + 1]
_AXES = ("source", "category", "district", "street")


class DayCounts:
    """Counts by day, kind (category of a source) and cell (street of a district, or none).

    Parameters
    ----------
    rows : pyarrow.Table
        ``day, source, category, district, street, n``.
    conditions : list
        What incidents must meet to be among them.
    key : tuple
        What the release remembers them by.
    """

    def __init__(self, release: Release, rows: pa.Table, conditions: list[sa.ColumnElement[bool]], key: tuple):
        self._release, self._conditions, self._key = release, conditions, key
        self._nowhere = {level: len(release.units.level(level)) for level in ("district", "street")}
        kinds, cells = self._coded(rows)
        self._days, day = _ranked(rows["day"].to_numpy())
        self._kinds, kind = _ranked(kinds)
        self._cells, cell = _ranked(cells)
        # Row i holds what came before day i.
        self._before = np.zeros((len(self._days) + 1, len(self._kinds), len(self._cells)), dtype=np.int32)
        self._before[day + 1, kind, cell] = rows["n"].to_numpy()
        np.cumsum(self._before, axis=0, out=self._before)
        self.source, self.category = np.divmod(self._kinds, len(CATEGORIES))
        self._place = dict(zip(self._nowhere, np.divmod(self._cells, self._nowhere["street"] + 1), strict=True))

    def in_spans(self, spans: Spans) -> np.ndarray:
        """Events of each span, ints of shape (spans, kinds, cells)."""
        start, end = np.searchsorted(self._days, np.array(spans).reshape(-1, 2)).T
        return self._before[end] - self._before[start]

    def recorded_after(self, span: tuple[int, int], cutoff: datetime) -> np.ndarray:
        """Of the events of a span those recorded later, shape (1, kinds, cells)."""
        key = ("recorded_after", self._key, span, cutoff)
        return self._release.remember(key, lambda: self._late(span, cutoff))

    def _late(self, span: tuple[int, int], cutoff: datetime) -> np.ndarray:
        # Late rows are few, and the file's zone maps skip nearly all others.
        late = in_days(*span), INCIDENT.recorded_at > cutoff, *self._conditions
        kinds, cells = self._coded(self._release.rows(sa.select(*(INCIDENT[name] for name in _AXES)).where(*late)))
        found = np.zeros((1, len(self._kinds), len(self._cells)), dtype=np.int64)
        np.add.at(found, (0, np.searchsorted(self._kinds, kinds), np.searchsorted(self._cells, cells)), 1)
        return found

    def groups(self, by: str | None, size: int) -> tuple[str, np.ndarray]:
        """The axis (``kinds`` or ``cells``) that a column stands on, and the position of each of its entries;
        ``size`` for null. Without a column all is one group."""
        if by == "category":
            return "kinds", self.category
        if by is None:
            return "cells", np.zeros(len(self._cells), dtype=np.int64)
        return "cells", np.minimum(self._place[by], size)

    def selected(self, selection: Selection, scope: Scope) -> tuple[np.ndarray, np.ndarray]:
        """Masks of the kinds and the cells that a Selection is about."""
        names = selection.counted_categories
        kinds = np.isin(self.category, [i for i, name in enumerate(CATEGORIES) if name in names])
        cells = np.ones(len(self._cells), dtype=bool)
        places = self._release.units.scope_places(scope)
        if places is not None and _coarse(places):
            cells = np.logical_or.reduce([self._inside(place) for place in places] or [~cells])
        if selection.area is not None:
            place = self._release.units.allowed(selection.area, scope)
            cells = cells & self._inside(place) if _coarse([place]) else cells
        return kinds, cells

    def compared(self, left_out: list[LeftOut]) -> np.ndarray:
        """Mask (kinds, cells) of what belongs to reporting units that are compared."""
        kept = np.ones((len(self._kinds), len(self._cells)), dtype=bool)
        for item in left_out:
            own = self.source == item.source
            if item.units is None:
                kept[own] = False
            elif item.level in INCIDENT_LEVELS:
                kept[np.ix_(own, np.isin(self._place[item.level], item.units))] = False
            else:
                inside = np.flatnonzero(np.isin(self._release.units.positions_in("district", item.level), item.units))
                kept[np.ix_(own, np.isin(self._place["district"], inside))] = False
        return kept

    def _inside(self, place: Place) -> np.ndarray:
        if place.level in INCIDENT_LEVELS:
            return self._place[place.level] == place.position
        for level in INCIDENT_LEVELS:
            inside = np.flatnonzero(self._release.units.inside(level, place))
            if inside.size:
                return np.isin(self._place[level], inside)
        return np.zeros(len(self._cells), dtype=bool)

    def _coded(self, rows: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """Kind and cell of each row, as one number each."""
        source, category = (rows[name].to_numpy().astype(np.int64) for name in _AXES[:2])
        district, street = (
            rows[name].cast(pa.int64()).fill_null(nowhere).to_numpy() for name, nowhere in self._nowhere.items()
        )
        return source * len(CATEGORIES) + category, district * (self._nowhere["street"] + 1) + street


def day_counts(
    release: Release, selection: Selection, scope: Scope, by: str | None, left_out: list[LeftOut]
) -> DayCounts | None:
    """The days of what a Selection is about, wherever they lie; None where single incidents must be asked.

    Parameters
    ----------
    by : str or None
        The column that is counted by.
    left_out : list of LeftOut
        Reporting units that are told apart.
    """
    told_apart = {by} - {None, "category"} | {item.level for item in left_out if item.level is not None}
    if selection.polygon is not None or not told_apart <= set(_COARSE):
        return None
    area = selection.area
    if area is not None and _coarse([release.units.allowed(area, scope)]):
        area = None
    places = release.units.scope_places(scope)
    scope = Scope.everything() if places is None or _coarse(places) else scope
    asked = replace(selection, area=area, categories=CATEGORIES, compare="none")
    key = ("day_counts", asked.hours, asked.weekdays, area, scope)
    return release.remember(key, lambda: _read(release, asked, scope, key))


def _read(release: Release, asked: Selection, scope: Scope, key: tuple) -> DayCounts:
    if whole_days(asked) and asked.area is None and scope.areas is None and has_table(release, DAY_COUNT):
        columns = [sa.column(name) for name in ("day", *_AXES, "n")]
        return DayCounts(release, release.rows(sa.select(*columns).select_from(sa.table(DAY_COUNT))), [], key)
    conditions = selected(release, asked, scope)
    columns = [INCIDENT[name] for name in ("day", *_AXES)]
    query = sa.select(*columns, sa.func.count().label("n")).where(*conditions).group_by(*columns)
    return DayCounts(release, release.rows(query), conditions, key)


def whole_days(selection: Selection) -> bool:
    """Whether neither hours, weekdays nor a polygon cut days or areas."""
    return selection.hours is None and not selection.weekdays and selection.polygon is None


def has_table(release: Release, name: str) -> bool:
    """Whether a release has a table prepared at publication; those made before are counted from single incidents."""
    tables = sa.table("tables", sa.column("table_name"), schema="information_schema")
    query = sa.select(tables.c.table_name).where(tables.c.table_name == name)
    return release.remember(("table", name), lambda: release.rows(query).num_rows > 0)


def _coarse(places: Sequence[Place]) -> bool:
    """Whether all of some units are streets or wider."""
    return all(place.level in _COARSE for place in places)


def _ranked(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values, ascending, and the place of each value among them."""
    if not values.size:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    least = int(values.min())
    there = np.zeros(
        int(values.max()) - least + 1, dtype=bool
    )  # all are small: a table is ten times faster than sorting
    there[values - least] = True
    return np.flatnonzero(there) + least, (np.cumsum(there) - 1)[values - least]
