"""Items of the ledger as acts whose effect can be measured."""

from __future__ import annotations

from collections.abc import Iterable

from data.app_db import Item
from data.app_db.ledger import OPEN
from data.store import Release, Scope
from data.store.effect import Act, Effect, effects, units_of


def act_of(release: Release, item: Item) -> Act | None:
    """What is done at the place of an item: acted on from the day it closed, or, while it is open, from the day it was opened;
    None where it has no grid."""
    units = units_of(release, code=item.area_code, polygon=item.polygon, point=(item.lon, item.lat))
    return Act(units, item.opened, item.closed or item.opened, item.category) if units else None


def effects_of(
    release: Release, scope: Scope, items: Iterable[Item], ledger: Iterable[Item]
) -> dict[int, list[Effect]]:
    """The effects of every closed item with a place, by its id; those whose first weeks are not over are left out.

    Parameters
    ----------
    ledger : iterable of Item
        All items there are, open ones too: a hotspot that something is done about is no control.
    """
    acts = {item.id: act for item in ledger if (act := act_of(release, item)) is not None}
    closed = [item.id for item in items if item.state != OPEN and item.closed is not None and item.id in acts]
    found = {key: effects(release, scope, acts[key], acts.values()) for key in closed}
    return {key: one for key, one in found.items() if one}
