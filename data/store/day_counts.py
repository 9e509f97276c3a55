"""How incidents are counted for a Selection: one by one, or from the days counted at publication.

Questions about whole areas down to the street and whole days are asked of ``day_count``, a tenth of the rows at ten
million incidents. A statement names ``incident`` either way; counting from days, that name stands for ``day_count``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa

from data.index import DAY_COUNT, UNIT_LEVELS
from data.selection import Selection
from data.store.release import Release
from data.store.reports import LeftOut
from data.store.scope import Scope

_COARSE = UNIT_LEVELS[: UNIT_LEVELS.index("street") + 1]
_DAYS = sa.select(sa.text("*")).select_from(sa.table(DAY_COUNT)).cte("incident").prefix_with("NOT MATERIALIZED")
_N = sa.column("n", sa.Integer)


@dataclass(frozen=True)
class Counted:
    """What is counted.

    Attributes
    ----------
    by_days : bool
        Rows are days with a count each (``each``), not incidents.
    """

    release: Release
    by_days: bool

    @property
    def total(self) -> sa.ColumnElement[int]:
        """How many incidents a group holds."""
        return sa.cast(sa.func.sum(_N), sa.BigInteger) if self.by_days else sa.func.count()

    def where(self, condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        """How many of a group meet a condition."""
        if not self.by_days:
            return sa.func.count().filter(condition)
        return sa.func.coalesce(sa.cast(sa.func.sum(_N).filter(condition), sa.BigInteger), 0)

    @property
    def each(self) -> list[sa.ColumnElement[int]]:
        """The column that says how many incidents a row stands for; none where each stands for itself."""
        return [_N.label("n")] if self.by_days else []

    def rows(self, statement: sa.Select) -> pa.Table:
        """Run a statement over ``incident``."""
        return self.release.rows(statement.add_cte(_DAYS) if self.by_days else statement)


def counted(
    release: Release, selection: Selection, scope: Scope, *levels: str, left_out: Iterable[LeftOut] = ()
) -> Counted:
    """How to count for a Selection.

    Parameters
    ----------
    levels : str
        Levels of the units that are counted by.
    left_out : iterable of LeftOut
        Reporting units the statement tells apart.
    """
    named = {*levels, *(item.level for item in left_out if item.level is not None)}
    named |= {place.level for place in release.units.scope_places(scope) or ()}
    if selection.area is not None and (place := release.units.find(selection.area)) is not None:
        named.add(place.level)
    return Counted(release, whole_days(selection) and named <= set(_COARSE) and has_table(release, DAY_COUNT))


def whole_days(selection: Selection) -> bool:
    """Whether neither hours, weekdays nor a polygon cut days or areas."""
    return selection.hours is None and not selection.weekdays and selection.polygon is None


def has_table(release: Release, name: str) -> bool:
    """Whether a release has a table prepared at publication; those made before are counted from single incidents."""
    tables = sa.table("tables", sa.column("table_name"), schema="information_schema")
    query = sa.select(tables.c.table_name).where(tables.c.table_name == name)
    return release.remember(("table", name), lambda: release.rows(query).num_rows > 0)
