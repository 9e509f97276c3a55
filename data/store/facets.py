"""How many events each category and hour of the filter rail holds, each without its own filter."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import sqlalchemy as sa

from data.schema import CATEGORIES
from data.selection import Selection
from data.store.filters import INCIDENT, day_window, in_days, selected, without_sources
from data.store.release import Release
from data.store.scope import Scope


@dataclass(frozen=True)
class Facets:
    """Recorded counts of the window: by category (every one, 无效 too), by hour (24), and with no known hour.

    ``categories`` is None where the release has no incident source: nothing was counted, which is not 0.
    """

    categories: dict[str, int] | None
    hours: tuple[int, ...]
    hour_unknown: int


def facets(release: Release, selection: Selection, scope: Scope) -> Facets:
    """The counts behind the filter rail.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    window = day_window((selection.start, selection.end))
    base = [in_days(*window), without_sources(release.reports.coarser(*window))]
    by_category = _grouped(
        release, "category", base + selected(release, replace(selection, categories=CATEGORIES), scope)
    )
    by_hour = _grouped(release, "hour", base + selected(release, replace(selection, hours=None), scope))
    hours = np.zeros(24, dtype=np.int64)
    for hour, n in by_hour.items():
        if hour is not None:
            hours[hour] = n
    if not release.reports.source_ids:
        return Facets(None, (0,) * 24, 0)
    return Facets({name: by_category.get(i, 0) for i, name in enumerate(CATEGORIES)}, tuple(hours.tolist()),
                  by_hour.get(None, 0))  # fmt: skip


def without_unit(release: Release, selection: Selection, scope: Scope, level: str) -> int:
    """Recorded events of the selection that no unit of the level holds: in its numbers, not on its map."""
    window = day_window((selection.start, selection.end))
    conditions = [in_days(*window), without_sources(release.reports.coarser(*window))]
    conditions += [INCIDENT[level].is_(None), *selected(release, selection, scope)]
    return release.rows(sa.select(sa.func.count().label("n")).where(*conditions))["n"][0].as_py()


def _grouped(release: Release, column: str, conditions: list) -> dict[int | None, int]:
    found = release.rows(
        sa.select(INCIDENT[column].label("key"), sa.func.count().label("n")).where(*conditions).group_by("key")
    )
    return dict(zip(found["key"].to_pylist(), found["n"].to_pylist(), strict=True))
