"""How many events each category and hour of the filter rail holds, each without its own filter."""

from __future__ import annotations

from dataclasses import dataclass, replace

from data.schema import CATEGORIES
from data.selection import Selection
from data.store.filters import day_window
from data.store.release import Release
from data.store.scope import Scope
from data.store.trend import area_tally
from data.store.week_hours import UNKNOWN_HOUR, week_hours
from data.store.window_counts import count_window


@dataclass(frozen=True)
class Facets:
    """Recorded counts of the window: by category (every one, 无效 too), by hour (24), and with no known hour.

    ``categories`` is None where the release has no incident source: nothing was counted, which is not 0. ``missing`` is
    True where no report of the window is in: nothing recorded is then 未报, not 0.
    """

    categories: dict[str, int] | None
    hours: tuple[int, ...]
    hour_unknown: int
    missing: bool = False


def facets(release: Release, selection: Selection, scope: Scope) -> Facets:
    """The counts behind the filter rail.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    window = day_window((selection.start, selection.end))
    every = replace(selection, categories=CATEGORIES)
    by_category = count_window(release, every, scope, "category", len(CATEGORIES), window).recorded
    by_hour = week_hours(release, selection, scope)
    by_hour = (by_hour[list(selection.weekdays)] if selection.weekdays else by_hour).sum(axis=0).tolist()
    if not release.reports.source_ids:
        return Facets(None, (0,) * 24, 0)
    missing = bool(area_tally(release, selection, scope, [window]).none_in[0, 0])
    categories = dict(zip(CATEGORIES, by_category.tolist(), strict=True))
    return Facets(categories, tuple(by_hour[:UNKNOWN_HOUR]), by_hour[UNKNOWN_HOUR], missing)


def without_unit(release: Release, selection: Selection, scope: Scope, level: str) -> int:
    """Recorded events of the selection that no unit of the level holds: in its numbers, not on its map."""
    window = day_window((selection.start, selection.end))
    return count_window(release, selection, scope, level, len(release.units.level(level)), window).unplaced
