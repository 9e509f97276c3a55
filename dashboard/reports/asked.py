"""What a pack is asked for: area, period, and what every section needs of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from dashboard.components.words import before_name, now_name, period_name, window_text
from data.app_db import Item
from data.selection import Selection, Window, calendar_unit
from data.store import Release, Scope
from data.store.units import Place

MEETINGS = {
    "day": "每日汇总",
    "week": "周碰头会",
    "half": "半月例会",
    "month": "月联席会",
    "quarter": "季度研判",
    "year": "年度研判",
}


@dataclass(frozen=True)
class Asked:
    """One question for a pack.

    Attributes
    ----------
    release : Release
    scope : Scope
    selection : Selection
        The period beside the one before.
    area : Place or None
    items : list of Item
        The ledger as it stood, of the area.
    ledger : list of Item
        All of it.
    decided_before : frozenset of int
        Ids of the items the meeting before has decided.
    today : date
        Wall clock of the release.
    decimals : int
        Of percents.
    """

    release: Release
    scope: Scope
    selection: Selection
    area: Place | None
    items: list[Item]
    ledger: list[Item]
    decided_before: frozenset[int]
    today: date
    decimals: int = 1

    @property
    def window(self) -> Window:
        """Half-open dates of the period."""
        return self.selection.start, self.selection.end

    @property
    def before(self) -> Window:
        """The period before."""
        return self.selection.compare_window

    @property
    def over(self) -> bool:
        """Whether the period is over in the data: an unfinished one is not counted by the day, nor has it hotspots."""
        as_of = self.release.data_as_of
        return as_of is not None and as_of.date() >= self.selection.end

    @property
    def last_year(self) -> Selection:
        """The period beside that of the year before."""
        return replace(self.selection, compare="last_year")

    @property
    def place(self) -> str:
        """The area in words."""
        if self.area is None:
            return self.release.info.title if self.scope.areas is None else "授权区域"
        return str(self.release.units.level(self.area.level).names[self.area.position])

    @property
    def now(self) -> str:
        """本周"""
        return now_name(self.window)

    @property
    def past(self) -> str:
        """上周"""
        return before_name(self.window, "previous")

    @property
    def kind(self) -> str:
        """Which of ``MEETINGS``; ``days`` for another period."""
        days = (self.window[1] - self.window[0]).days
        if days == 1:
            return "day"
        if days == 7 and self.window[0].weekday() == 0:
            return "week"
        return calendar_unit(self.window)

    @property
    def meeting(self) -> str:
        """What the meeting is called."""
        return MEETINGS.get(self.kind, "专题研判")

    def level(self, *wanted: str) -> str | None:
        """The first of some levels that lies below the area and has units."""
        order = ("district", "street", "community", "grid")
        deepest = -1 if self.area is None or self.area.level not in order else order.index(self.area.level)
        return next((one for one in wanted if order.index(one) > deepest and len(self.release.units.level(one))), None)

    def period_words(self) -> str:
        """2026年第46周（11月9日—15日）"""
        name, span = period_name(self.window), window_text(self.window)
        return name if name == span else f"{name}（{span}）"


def period_text(window: Window) -> str:
    """A window as ``--period`` writes it: 2026-W46."""
    start, end = window
    if (end - start).days == 7 and start.weekday() == 0:
        year, week, _ = start.isocalendar()
        return f"{year}-W{week:02d}"
    unit = calendar_unit(window)
    if unit == "month":
        return f"{start:%Y-%m}"
    if unit == "half":
        return f"{start:%Y-%m}-H{1 if start.day == 1 else 2}"
    if unit == "quarter":
        return f"{start.year}-Q{start.month // 3 + 1}"
    if unit == "year":
        return f"{start.year}"
    return f"{start}..{end}"
