"""Where incidents lie: their grid, how good their point is, default coordinates; and all of them as one table."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.schema import LAYERS, LOCATION_QUALITIES
from etl.transform.incidents import DECLARED, GridIndex, Part

QUALITY = {name: i for i, name in enumerate(LOCATION_QUALITIES)}
PLACED_NOTES = ("location_quality", "contradicts_declared", "declared_unknown", "without_grid", "pile_up_places")
PILE_UP_LEAST, PILE_UP_TIMES, PILE_UP_QUANTILE = 30, 20, 0.99
ORIGIN = ("run", "row", "coarse", "centred", "outside")  # kept beside the release for --append


@dataclass
class Placed:
    """Where each incident of a release lies: position of its grid (-1 none) and its location quality (an index into
    ``LOCATION_QUALITIES``); ``notes`` per source."""

    grid: np.ndarray
    quality: np.ndarray
    notes: dict[str, dict] = field(default_factory=dict)


def place(part: Part, grids: GridIndex, centroids: np.ndarray) -> Placed:
    """Assign the incidents of one source to grids, exactly and totally.

    A usable point decides; ``pile_up``, ``centroid``, ``outside`` and ``none`` take the declared grid where it is
    valid, and failing that ``pile_up`` and ``centroid`` the point's. ``centroids`` (n, 2) are those of the grids and
    areas.
    """
    has = np.isfinite(part.x)
    spot = grids.index.assign(part.x, part.y) if grids.index is not None else np.full(len(part), -1)
    declared_codes = part.codes["grid_code"]
    lookup = pc.fill_null(pc.index_in(declared_codes.dictionary, value_set=grids.codes), -1).to_numpy(
        zero_copy_only=False
    )
    picks = pc.fill_null(declared_codes.indices, -1).to_numpy(zero_copy_only=False)
    declared = np.where(picks >= 0, np.append(lookup, -1)[picks], -1)
    quality = np.full(len(part), QUALITY["exact"], np.int8)
    quality[part.coarse] = QUALITY["low_precision"]
    quality[has & (spot < 0)] = QUALITY["outside"]
    contradicts = has & (spot >= 0) & (declared >= 0) & (spot != declared)
    group, counts = _coordinates(part.x, part.y, has)
    piled = _pile_ups(group, counts, contradicts, has & (declared >= 0), has)
    central = _central(part, group, counts, has, centroids) | (part.centred & has)
    quality[central] = QUALITY["centroid"]
    quality[piled] = QUALITY["pile_up"]
    quality[~has] = np.where(part.outside[~has], QUALITY["outside"], QUALITY["none"])
    soft = np.isin(quality, [QUALITY[n] for n in ("pile_up", "centroid")])
    lost = np.isin(quality, [QUALITY[n] for n in ("outside", "none")])
    grid = np.where(soft, np.where(declared >= 0, declared, spot), np.where(lost, declared, spot))
    usable = ~soft & ~lost
    notes = {
        "location_quality": {n: int((quality == i).sum()) for i, n in enumerate(LOCATION_QUALITIES)},
        "contradicts_declared": int((contradicts & usable).sum()),
        "declared_unknown": int(((picks >= 0) & (declared < 0)).sum()),
        "without_grid": int((grid < 0).sum()),
        "pile_up_places": int(np.unique(group[piled]).size),
    }
    return Placed(grid, quality, {part.source_id: notes})


def _coordinates(x: np.ndarray, y: np.ndarray, has: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A number for each distinct coordinate (-1 without a point) and how many incidents share it."""
    group = np.full(x.size, -1, np.int64)
    at = np.flatnonzero(has)
    if not at.size:
        return group, np.zeros(0, np.int64)
    # One 64-bit key from both bit patterns: equal coordinates always meet, and a chance meeting of unequal ones is
    # settled by comparing neighbours in the sorted order.
    xs, ys = (np.ascontiguousarray(v[at]).view(np.uint64) for v in (x, y))
    key = (xs * np.uint64(0x9E3779B97F4A7C15)) ^ (ys * np.uint64(0xC2B2AE3D27D4EB4F) + np.uint64(1))
    order = np.argsort(key, kind="stable")
    new = np.ones(at.size, bool)
    new[1:] = (xs[order][1:] != xs[order][:-1]) | (ys[order][1:] != ys[order][:-1])
    number = np.cumsum(new) - 1
    group[at[order]] = number
    return group, np.bincount(number)


def _pile_ups(
    group: np.ndarray, counts: np.ndarray, contradicts: np.ndarray, declared: np.ndarray, has: np.ndarray
) -> np.ndarray:
    """Default coordinates: at least 30 incidents on one coordinate and either 20 times the 99 % quantile of incidents
    per coordinate, or half of the declared grids elsewhere."""
    if not counts.size:
        return np.zeros(group.size, bool)
    tally = np.cumsum(np.bincount(counts))  # coordinates with at most n incidents
    usual = int(np.searchsorted(tally, PILE_UP_QUANTILE * (counts.size - 1), side="right"))
    at = group >= 0
    wrong = np.bincount(group[at], weights=contradicts[at], minlength=counts.size)
    told = np.bincount(group[at], weights=declared[at], minlength=counts.size)
    heavy = counts >= max(PILE_UP_LEAST, PILE_UP_TIMES * usual)
    astray = (counts >= PILE_UP_LEAST) & (told >= PILE_UP_LEAST) & (wrong >= 0.5 * told)
    return has & np.append(heavy | astray, False)[group]


def _central(part: Part, group: np.ndarray, counts: np.ndarray, has: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Incidents on the centroid (within about 1 m) of a grid or area that several of them share."""
    out = np.zeros(len(part), bool)
    shared = np.flatnonzero(has & np.append(counts >= 5, False)[group])
    if not shared.size or not centroids.size:
        return out
    from scipy.spatial import cKDTree

    _unique, first, back = np.unique(group[shared], return_index=True, return_inverse=True)
    spots = np.column_stack((part.x[shared[first]], part.y[shared[first]]))
    near, _ = cKDTree(centroids).query(spots, distance_upper_bound=1e-5)
    out[shared] = np.isfinite(near)[back]
    return out


def to_table(parts: list[tuple[Part, Placed]], grids: dict[str, pa.Array]) -> tuple[pa.Table, pa.Table]:
    """The incident layer in order of time, and each row's origin: run, file row and the codes the source declared.

    ``grids`` holds the valid grids' codes: ``grid_code`` and those of its community, street and district.
    """
    layer = LAYERS["incident"]
    n = sum(len(p) for p, _ in parts)
    start = np.concatenate([p.start for p, _ in parts]) if parts else np.zeros(0, "datetime64[s]")
    ordered = bool((start[1:] >= start[:-1]).all())
    order = np.arange(n) if ordered else np.argsort(start, kind="stable")
    index = pa.array(order)
    grid = np.concatenate([q.grid for _, q in parts]) if parts else np.zeros(0, np.int64)
    columns: dict[str, pa.Array] = {}

    def gather(arrays: list[pa.Array]) -> pa.Array:
        whole = pa.chunked_array(arrays)
        whole = whole.unify_dictionaries() if pa.types.is_dictionary(whole.type) else whole
        flat = whole.chunk(0) if whole.num_chunks == 1 else pa.concat_arrays(whole.chunks)
        return flat if ordered else flat.take(index)

    def stamps(name: str) -> pa.Array:
        values = np.concatenate([getattr(p, name) for p, _ in parts])[order]
        return pa.array(values, pa.timestamp("s"), mask=np.isnat(values))

    if not n:
        nothing = {name: pa.array([], pa.int32()) for name in ORIGIN}
        return layer.empty(), pa.table(nothing | {name: pa.array([], pa.string()) for name in DECLARED})
    columns["incident_id"] = gather([p.ids for p, _ in parts])
    for ours, name in (("occurred_from", "start"), ("occurred_to", "to"), ("recorded_at", "recorded")):
        columns[ours] = stamps(name)
    for name in ("category", "subcategory", "status", "place_type"):
        columns[name] = gather([getattr(p, name) for p, _ in parts])
    position = grid[order]
    known = position >= 0
    declared = {name: gather([p.codes[name] for p, _ in parts]) for name in DECLARED}
    for name in DECLARED:
        own = pa.DictionaryArray.from_arrays(pa.array(position.astype(np.int32), mask=~known), grids["grid_code"])
        if name == "grid_code":
            columns[name] = own
            continue
        codes = grids[name].dictionary_encode()
        picks = pc.take(codes.indices, pa.array(np.where(known, position, 0), mask=~known)) if len(codes) else None
        if known.all() or declared[name].null_count == n:
            columns[name] = (
                pa.DictionaryArray.from_arrays(picks, codes.dictionary) if picks is not None else declared[name]
            )
        else:
            mine = (
                pa.DictionaryArray.from_arrays(picks, codes.dictionary).cast(pa.string())
                if picks is not None
                else pa.nulls(n, pa.string())
            )
            columns[name] = pc.if_else(pa.array(known), mine, declared[name].cast(pa.string())).dictionary_encode()
    quality = np.concatenate([q.quality for _, q in parts])[order]
    columns["location_quality"] = pa.DictionaryArray.from_arrays(
        pa.array(quality.astype(np.int32)), pa.array(LOCATION_QUALITIES)
    )
    names = [p.source_id for p, _ in parts]
    source = np.repeat(np.arange(len(parts), dtype=np.int32), [len(p) for p, _ in parts])[order]
    columns["source_id"] = pa.DictionaryArray.from_arrays(pa.array(source), pa.array(names))
    for name in ("x", "y"):
        values = np.concatenate([getattr(p, name) for p, _ in parts])[order]
        columns[name] = pa.array(values, mask=np.isnan(values))
    table = pa.table({name: columns[name] for name in layer.arrow_schema().names})
    origin = {name: pa.array(np.concatenate([getattr(p, name) for p, _ in parts])[order]) for name in ORIGIN}
    return table, pa.table(origin | declared)
