"""Items of the ledger as acts whose effect can be measured."""

from __future__ import annotations

from collections.abc import Iterable

from data.app_db import Item
from data.app_db.ledger import OPEN
from data.store import Release
from data.store.effect import Act, Effect, effects, units_of


def act_of(release: Release, item: Item) -> Act | None:
    """What was done at the place of an item that has closed; None where it is open or has no grid."""
    if item.state == OPEN or item.closed is None:
        return None
    units = units_of(release, code=item.area_code, polygon=item.polygon, point=(item.lon, item.lat))
    return Act(units, item.opened, item.closed, item.category) if units else None


def effects_of(release: Release, items: Iterable[Item]) -> dict[int, list[Effect]]:
    """The effects of every closed item with a place, by its id; those whose first weeks are not over are left out."""
    acts = {item.id: act for item in items if (act := act_of(release, item)) is not None}
    found = {key: effects(release, act, acts.values()) for key, act in acts.items()}
    return {key: one for key, one in found.items() if one}
