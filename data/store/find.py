"""Where something is, by its code or name: areas, grids, cameras, key places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
import sqlalchemy as sa

from data.index import UNIT_LEVELS
from data.store.answer import Answer
from data.store.release import Release
from data.store.scope import Scope

KINDS = ("area", "grid", "key_place", "camera")  # the order of equal matches, areas from wide to narrow
_CODE, _NAME, _PART = 0, 1, 2  # how well a row matches: its code begins so, its name is so, its name holds it
_NO_MATCH = 3
_PLACES = {"key_place": "place_id", "key_area": "place_id", "key_line": "place_id", "camera": "camera_code"}


@dataclass(frozen=True)
class _Entries:
    """Everything that can be found, in the order of equal matches; columns of one length.

    ``code_key``, ``name_key`` and ``path_key`` are what a query is held against, see :func:`_keys`. ``level`` and
    ``position`` name the unit a row is or lies in (position -1 where it lies in none).
    """

    kind: np.ndarray
    code: np.ndarray
    name: np.ndarray
    level: np.ndarray
    position: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    code_key: pa.Array
    name_key: pa.Array
    path_key: pa.Array


def find(release: Release, scope: Scope, text: str, limit: int = 10) -> Answer:
    """The best matches of a text among what the caller may see.

    Codes that begin with the text come first, then names equal to it, then names that hold it. Of several words the
    last must stand in the name, the others there or in the names of what it lies in (「西岭街道 第一网格」). Width and
    case of letters do not matter.

    Returns
    -------
    Answer
        Rows ``kind`` (one of ``KINDS``), ``code, name, level`` (of areas and grids), ``parent`` (names from the widest
        unit the caller may see down to the one it lies in, by ``/``), ``lon, lat`` (a point inside; null where there
        is none) and ``bbox`` (west, south, east, north; null for points). ``matched`` counts all matches.
    """
    entries: _Entries = release.remember("find", lambda: _entries(release))
    covered = {level: release.units.in_scope(level, scope) for level in UNIT_LEVELS}
    rank = _rank(entries, text)
    if scope.areas is not None:  # a place without a grid shows only in the whole release
        rank[~_visible(entries, covered)] = _NO_MATCH
    matched = int((rank < _NO_MATCH).sum())
    best = np.argsort(rank, kind="stable")[: min(limit, matched)]
    schema = pa.schema(
        [(name, pa.string()) for name in ("kind", "code", "name", "level", "parent")]
        + [("lon", pa.float64()), ("lat", pa.float64()), ("bbox", pa.list_(pa.float64()))]
    )
    rows = pa.Table.from_pylist(_rows(release, entries, best, covered), schema=schema)
    meta = {**release.base_meta(), "selection": {"q": text}, "scope": scope.to_meta()}
    return Answer.of(meta, rows, matched)


def _keys(texts) -> pa.Array:
    """Texts as they are compared: half-width, lower case, without spaces; null is empty."""
    texts = pc.fill_null(pa.array(texts, pa.string(), from_pandas=True), "")
    return pc.replace_substring_regex(pc.utf8_lower(pc.utf8_normalize(texts, "NFKC")), r"\s", "")


def _rank(entries: _Entries, text: str) -> np.ndarray:
    words = _keys(text.split()).to_pylist()
    rank = np.full(len(entries.kind), _NO_MATCH, dtype=np.int8)
    if not words:
        return rank
    held = _where(pc.match_substring(entries.name_key, words[-1]))
    for word in words[:-1]:
        held = held[_where(pc.match_substring(entries.path_key.take(pa.array(held)), word))]
    whole = "".join(words)
    rank[held] = _PART  # the better match is written last
    rank[_where(pc.equal(entries.name_key, whole))] = _NAME
    rank[_where(pc.starts_with(entries.code_key, whole))] = _CODE
    return rank


def _where(mask: pa.Array) -> np.ndarray:
    return np.flatnonzero(mask.to_numpy(zero_copy_only=False))


def _visible(entries: _Entries, covered: dict[str, np.ndarray]) -> np.ndarray:
    """Which entries lie in units that are covered."""
    visible = np.zeros(len(entries.kind), dtype=bool)
    for level, mask in covered.items():
        of_level = (entries.level == level) & (entries.position >= 0)
        visible[of_level] = mask[entries.position[of_level]]
    return visible


def _entries(release: Release) -> _Entries:
    parts = []
    for level in UNIT_LEVELS:
        units = release.units.level(level)
        count = len(units)
        kind = "grid" if level == "grid" else "area"
        parts.append((np.full(count, kind, dtype=object), units.codes, units.names, np.full(count, level, dtype=object),
                      np.arange(count), np.full(count, np.nan), np.full(count, np.nan)))  # fmt: skip
    grids = {code: i for i, code in enumerate(release.units.level("grid").codes)}
    for layer in _PLACES:
        parts.append(_places(release, layer, grids))
    kind, code, name, level, position, lon, lat = (np.concatenate(column) for column in zip(*parts, strict=True))
    paths = _paths(release)
    path = [f"{paths[at][i]}/{own or ''}" if i >= 0 else own for at, i, own in zip(level, position, name, strict=True)]
    return _Entries(kind, code, name, level, position.astype(np.int64), lon, lat, *map(_keys, (code, name, path)))


def _places(release: Release, layer: str, grids: dict[str, int]) -> tuple[np.ndarray, ...]:
    """Points, and shapes by a point inside them, of one layer, by code."""
    code = sa.column(_PLACES[layer])
    is_shape = layer in ("key_area", "key_line")
    where = [sa.column("geom")] if is_shape else [sa.column("lon"), sa.column("lat")]
    rows = release.rows(
        sa.select(code.label("code"), sa.column("name"), sa.column("grid_code"), *where)
        .select_from(sa.table(layer))
        .order_by(code)
    )
    if is_shape:
        points = shapely.point_on_surface(shapely.from_wkb(rows["geom"].to_numpy()))
        lon, lat = shapely.get_x(points), shapely.get_y(points)
    else:
        lon, lat = (rows[name].cast(pa.float64()).to_numpy() for name in ("lon", "lat"))
    count = rows.num_rows
    kind = "camera" if layer == "camera" else "key_place"
    position = np.array([grids.get(grid, -1) for grid in rows["grid_code"].to_pylist()], dtype=np.int64)
    return (np.full(count, kind, dtype=object), rows["code"].to_numpy(), rows["name"].to_numpy(),
            np.full(count, "grid", dtype=object), position, lon, lat)  # fmt: skip


def _paths(release: Release) -> dict[str, list[str]]:
    """For each unit its own name after the names of everything above it, joined."""
    paths: dict[str, list[str]] = {}
    for level in UNIT_LEVELS:
        units = release.units.level(level)
        above = [(release.units.level(wider).names, index) for wider, index in units.above.items() if index.size]
        paths[level] = [
            "/".join([*(names[index[i]] or "" for names, index in above if index[i] >= 0), units.names[i] or ""])
            for i in range(len(units))
        ]
    return paths


def _rows(release: Release, entries: _Entries, chosen: np.ndarray, covered: dict[str, np.ndarray]) -> list[dict]:
    units = [i for i in chosen if entries.kind[i] in ("area", "grid")]
    inside = _inside(release, [(entries.level[i], int(entries.position[i])) for i in units])
    rows = []
    for i in chosen:
        level, position = entries.level[i], int(entries.position[i])
        lon, lat, bbox = float(entries.lon[i]), float(entries.lat[i]), None
        is_unit = entries.kind[i] in ("area", "grid")
        if is_unit:
            bounds = release.units.level(level).bounds[position]
            bbox = None if np.isnan(bounds).any() else bounds.tolist()
            lon, lat = inside.get((level, position), (np.nan, np.nan))
        rows.append({
            "kind": entries.kind[i],
            "code": entries.code[i],
            "name": entries.name[i],
            "level": level if is_unit else None,
            "parent": _parent(release, level, position, covered, with_own=not is_unit),
            "lon": None if np.isnan(lon) else round(lon, 7),
            "lat": None if np.isnan(lat) else round(lat, 7),
            "bbox": bbox,
        })  # fmt: skip
    return rows


def _parent(release: Release, level: str, position: int, covered: dict[str, np.ndarray], *, with_own: bool) -> str:
    """Names of the covered units above one, widest first."""
    if position < 0:
        return ""
    line = [(wider, int(index[position])) for wider, index in release.units.level(level).above.items() if index.size]
    line += [(level, position)] if with_own else []
    units = {at: release.units.level(at) for at, _ in line}
    return "/".join(units[at].names[i] or units[at].codes[i] for at, i in line if i >= 0 and covered[at][i])


def _inside(release: Release, wanted: list[tuple[str, int]]) -> dict[tuple[str, int], tuple[float, float]]:
    """A point inside each unit that has an outline."""
    if not wanted:
        return {}
    shape = sa.table("shape", *(sa.column(name) for name in ("level", "detail", "position", "geojson"))).c
    levels = {level: [position for at, position in wanted if at == level] for level, _ in wanted}
    places = sa.or_(*(sa.and_(shape.level == level, shape.position.in_(some)) for level, some in levels.items()))
    found = release.rows(
        sa.select(shape.level, shape.position, shape.geojson).where(
            shape.detail == "near", shape.geojson.is_not(None), places
        )
    )
    points = shapely.point_on_surface(shapely.from_geojson(found["geojson"].to_numpy()))
    keys = zip(found["level"].to_pylist(), found["position"].to_pylist(), strict=True)
    return {key: (float(p.x), float(p.y)) for key, p in zip(keys, points, strict=True) if not p.is_empty}
