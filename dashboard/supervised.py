"""Items of the ledger as pages tell them: those of an area, what is overdue or soon due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from dashboard.language import say
from data.app_db import Item
from data.app_db.ledger import OPEN, SOON_DAYS, is_overdue
from data.store import Release, Scope
from data.store.units import Place


def of_area(release: Release, scope: Scope, area: Place | None, items: Iterable[Item]) -> list[Item]:
    """The items inside an area (None: the whole scope). An item without an area, or whose area the release does not know,
    concerns the whole release."""
    return [one for one in items if _told(release, scope, area, one)]


def _told(release: Release, scope: Scope, area: Place | None, item: Item) -> bool:
    place = release.units.find(item.area_code) if item.area_code else None
    if place is None:
        return scope.areas is None and area is None
    if not release.units.in_scope(place.level, scope)[place.position]:
        return False
    return area is None or bool(release.units.inside(place.level, area)[place.position])


def pressing(items: Iterable[Item], today: date) -> list[Item]:
    """Overdue items, the longest first, then those due within a week."""
    running = [one for one in items if one.state == OPEN and (one.due - today).days <= SOON_DAYS]
    return sorted(running, key=lambda one: (one.due, one.id))


def due_words(item: Item, today: date) -> str:
    """How far its day is."""
    days = (item.due - today).days
    if is_overdue(item, today):
        return say("逾期{n}天", n=-days)
    return say("今日到期") if days == 0 else say("剩{n}天", n=days)
