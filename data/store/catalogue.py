"""What a release is, and its tree of areas."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from data.index import UNIT_LEVELS
from data.store.answer import Answer
from data.store.release import Release
from data.store.scope import Scope
from data.store.units import Place


def describe(release: Release, now: datetime, scope: Scope) -> dict:
    """The release as one plain object.

    Parameters
    ----------
    now : datetime
        With a time zone; only the age of the sources uses it.
    scope : Scope
        Only ``levels`` depends on it.

    Returns
    -------
    dict
        ``id, title, created_at, timezone, data_as_of, synthetic, crs, codes, code_version, default_from, default_to,
        levels`` (level -> number of units in the scope) and ``sources``, each with ``cadence`` and
        ``age_days`` (from its ``data_as_of`` to now, null where unknown).
    """
    info = release.info
    local = now.astimezone(ZoneInfo(info.timezone)).replace(tzinfo=None)
    sources = []
    for source in info.sources:
        as_of = source.data_as_of
        age = (local - datetime.fromisoformat(as_of)).total_seconds() / 86_400 if as_of else None
        stated = asdict(source)
        stated = {"id": stated.pop("source_id"), **stated}
        sources.append({**stated, "age_days": None if age is None else round(max(age, 0.0), 3)})
    start, end = release.default_window()
    return {
        "id": info.release_id,
        "title": info.title,
        "created_at": info.created_at,
        "timezone": info.timezone,
        "data_as_of": info.data_as_of,
        "synthetic": info.synthetic,
        "crs": info.crs,
        "codes": info.codes,
        "code_version": info.code_version,
        "default_from": start.isoformat(),
        "default_to": end.isoformat(),
        "levels": {level: n for level in UNIT_LEVELS if (n := int(release.units.in_scope(level, scope).sum()))},
        "sources": sources,
    }


def areas(release: Release, scope: Scope, parent: str | None = None) -> Answer:
    """The children of an area; without ``parent`` the widest areas the caller may see.

    Returns
    -------
    Answer
        Rows ``code, name, level, kind, parent, population, bbox`` (west, south, east, north in degrees) by level and
        code; ``parent`` is null where it is outside the scope.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    chosen = _roots(release, scope) if parent is None else _children(release, release.units.allowed(parent, scope))
    parents = {level: parents_told(release, level, scope) for level in {place.level for place in chosen}}
    rows = [_row(release, place, parents[place.level][place.position]) for place in chosen]
    schema = pa.schema(
        [(name, pa.string()) for name in ("code", "name", "level", "kind", "parent")]
        + [("population", pa.int64()), ("bbox", pa.list_(pa.float64()))]
    )
    meta = {**release.base_meta(), "selection": {"parent": parent}, "scope": scope.to_meta()}
    return Answer.of(meta, pa.Table.from_pylist(rows, schema=schema))


def parents_told(release: Release, level: str, scope: Scope) -> np.ndarray:
    """The parent code of every unit of a level, shape (units,); None where it has none or that is outside the scope."""
    parents = release.units.level(level).parents
    if scope.areas is None:
        return parents
    wider = UNIT_LEVELS[: UNIT_LEVELS.index(level)]
    inside = {code for name in wider for code in release.units.level(name).codes[release.units.in_scope(name, scope)]}
    return np.array([code if code in inside else None for code in parents], dtype=object)


def _children(release: Release, parent: Place) -> list[Place]:
    code = release.units.code(parent)
    narrower = UNIT_LEVELS[UNIT_LEVELS.index(parent.level) + 1 :]
    return [
        Place(level, int(position))
        for level in narrower
        for position in np.flatnonzero(release.units.level(level).parents == code)
    ]


def _roots(release: Release, scope: Scope) -> list[Place]:
    places = release.units.scope_places(scope)
    if places is not None:
        return list(places)
    # A unit whose parent is not in the release stands at the top.
    return [
        Place(level, position)
        for level in UNIT_LEVELS
        for position, parent in enumerate(release.units.level(level).parents)
        if parent is None or release.units.find(parent) is None
    ]


def _row(release: Release, place: Place, parent: str | None) -> dict:
    units, i = release.units.level(place.level), place.position
    bounds = units.bounds[i]
    return {
        "code": units.codes[i],
        "name": units.names[i],
        "level": place.level,
        "kind": units.kinds[i],
        "parent": parent,
        "population": None if np.isnan(units.population[i]) else int(units.population[i]),
        "bbox": None if np.isnan(bounds).any() else bounds.tolist(),
    }
