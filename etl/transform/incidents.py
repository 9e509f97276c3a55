"""Incidents: one file at a time into narrow arrays, then all of them into one table in order of time."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.code_tables import words as code_words
from data.schema import CATEGORIES, LAYERS, LOCATION_QUALITIES, OTHER
from etl.extract.raw import Raw
from etl.faults import ColumnFault
from etl.sources import Source
from etl.transform import points, text, times
from etl.transform.common import Context, words
from etl.transform.regions import datum_note
from geo.crs import UNDECIDED, detect_datum
from geo.regions import RegionIndex

DECLARED = ("grid_code", "community_code", "street_code", "district_code")
QUALITY = {name: i for i, name in enumerate(LOCATION_QUALITIES)}
PLACED_NOTES = ("location_quality", "contradicts_declared", "declared_unknown", "without_grid", "pile_up_places")
ORIGIN = ("run", "row", "coarse", "centred", "outside")  # kept beside the release for --append
PILE_UP_LEAST, PILE_UP_TIMES, PILE_UP_QUANTILE = 30, 20, 0.99


@dataclass
class GridIndex:
    """The valid grids in order of their codes: codes, the index that assigns points (built aside while files are
    read), and the coordinate box (west, south, east, north; None where nothing bounds the city)."""

    codes: pa.Array
    building: Future | None
    box: tuple[float, float, float, float] | None

    @property
    def index(self) -> RegionIndex | None:
        """The index, waited for; None without grids."""
        return self.building.result() if self.building else None


@dataclass
class Part:
    """The admitted incidents of one file (or of an earlier release): arrays of equal length.

    ``codes`` holds the declared codes as text; ``to`` is NaT for exact times; ``x``, ``y`` NaN without a point.
    """

    source_id: str
    run: np.ndarray
    row: np.ndarray
    ids: pa.Array
    start: np.ndarray
    to: np.ndarray
    recorded: np.ndarray
    category: pa.DictionaryArray
    subcategory: pa.DictionaryArray
    status: pa.DictionaryArray
    place_type: pa.DictionaryArray
    codes: dict[str, pa.DictionaryArray]
    x: np.ndarray
    y: np.ndarray
    coarse: np.ndarray
    centred: np.ndarray
    outside: np.ndarray
    precision: str = "minute"

    def __len__(self) -> int:
        return self.start.size

    def slim(self) -> None:
        """Keep only what is still asked once the table is made: ids and times."""
        self.x = self.y = self.coarse = self.centred = self.outside = self.row = self.run = None
        self.category = self.subcategory = self.status = self.place_type = None
        self.codes = {}

    def take(self, at: np.ndarray) -> Part:
        """The incidents at these positions."""
        index = pa.array(at)
        return Part(
            self.source_id,
            self.run[at],
            self.row[at],
            self.ids.take(index),
            self.start[at],
            self.to[at],
            self.recorded[at],
            *(getattr(self, n).take(index) for n in ("category", "subcategory", "status", "place_type")),
            {k: v.take(index) for k, v in self.codes.items()},
            self.x[at],
            self.y[at],
            self.coarse[at],
            self.centred[at],
            self.outside[at],
            self.precision,
        )


def read(raw: Raw, source: Source, context: Context, run: int, keep: np.ndarray, grids: GridIndex) -> Part:
    """One file's admitted records; the grids serve the datum test and the coordinate box."""
    spans, recorded, to = _times(raw, source, context)
    unreadable = keep & np.isnat(spans.start)
    context.accounts.reject(run, raw.row[unreadable], "unreadable_date")
    keep = keep & ~unreadable
    ids = _ids(raw, source)
    if "incident_id" in raw.columns:
        blank = keep & pc.equal(ids, "").to_numpy(zero_copy_only=False)
        context.accounts.reject(run, raw.row[blank], "missing_code", "事件编号为空")
        keep = keep & ~blank
    place = read_points(raw, source, context, run, keep, grids)
    box = grids.box
    out_of_box = place.given & ~points.inside(place, box) if box is not None else np.zeros(len(raw), bool)
    place.x[out_of_box], place.y[out_of_box] = np.nan, np.nan
    context.count(source.id, "off_the_box", (out_of_box & keep).sum())
    category = text.column(raw, source, "category")
    part = Part(
        source.id,
        np.full(len(raw), run, np.int32),
        raw.row.astype(np.int32),
        ids,
        spans.start,
        to,
        recorded,
        _encode(
            pa.repeat(pa.scalar(OTHER), len(raw))
            if category is None
            else words(category, source, "category", _category_words(), OTHER, context)
        ),
        *(_optional(raw, source, name) for name in ("subcategory", "status", "place_type")),
        {name: _optional(raw, source, name) for name in DECLARED},
        place.x,
        place.y,
        place.coarse,
        place.centred,
        out_of_box,
        {times.MINUTE: "minute", times.HOUR: "hour", times.DAY: "day", times.MONTH: "month"}[
            int(np.bincount(spans.precision[keep], minlength=4).argmax()) if keep.any() else 0
        ],
    )
    return part if keep.all() else part.take(np.flatnonzero(keep))


def _category_words() -> dict[str, str]:
    return {**code_words("incident_category"), **{c: c for c in CATEGORIES}}


def _encode(array: pa.Array) -> pa.DictionaryArray:
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array.dictionary_encode()


def _optional(raw: Raw, source: Source, name: str) -> pa.DictionaryArray:
    value = text.column(raw, source, name)
    if value is None:
        return pa.DictionaryArray.from_arrays(pa.nulls(len(raw), pa.int32()), pa.array([], pa.string()))
    return _encode(text.empty_to_null(text.mapped_values(value, source, name)))


def _times(raw: Raw, source: Source, context: Context) -> tuple[times.Times, np.ndarray, np.ndarray]:
    """Occurrence spans at the source's precision, recording times, and exclusive ends (NaT for exact times)."""
    array = text.column(raw, source, "occurred_from")
    if array is None or pc.all(pc.equal(array, "")).as_py():
        array = text.column(raw, source, "occurred_date")
        if array is None:
            raise ColumnFault(
                "时间列是空的",
                where=f"{source.id} {raw.file}",
                expected="occurred_from 或 occurred_date",
                remedy="改正 [source.columns]",
            )
        clock, hour = text.column(raw, source, "occurred_time"), text.column(raw, source, "occurred_hour")
        array = pc.replace_substring_regex(array, r"[T\s]+0?0:00(:00)?(\.0+)?$", "")
        if clock is not None:
            array = pc.if_else(pc.equal(clock, ""), array, pc.binary_join_element_wise(array, clock, " "))
        if hour is not None:
            number = pc.replace_substring_regex(hour, r"\.0+$|\s*[时点]$", "")
            bare = pc.equal(clock, "") if clock is not None else pa.array(np.ones(len(raw), bool))
            array = pc.if_else(
                pc.and_(bare, pc.match_substring_regex(number, r"^\d{1,2}$")),
                pc.binary_join_element_wise(array, number, " "),
                array,
            )
    parsed = times.parse(array, zone=context.zone, source_zone=source.timezone)
    spans = times.at_precision(parsed, source.precision)
    end = spans.end()
    later = text.column(raw, source, "occurred_to")
    if later is not None:
        other = times.parse(later, zone=context.zone, source_zone=source.timezone)
        other_end = np.where(np.isnat(other.end()), other.start, other.end())
        reversed_ = other_end < spans.start
        context.count(source.id, "reversed_span", reversed_.sum())
        longer = ~np.isnat(other_end) & (other_end > spans.start)
        end = np.where(longer, other_end, end)
    recorded = text.column(raw, source, "recorded_at")
    when = (
        times.parse(recorded, zone=context.zone, source_zone=source.timezone).start
        if recorded is not None
        else np.full(len(raw), times.NAT)
    )
    return spans, when, end


def _ids(raw: Raw, source: Source) -> pa.Array:
    """The mapped identity; else a hash of the mapped values with the row's number among equal rows of the file."""
    if "incident_id" in raw.columns:
        return text.column(raw, source, "incident_id")
    names = list(dict.fromkeys(n for group in raw.columns.values() for n in group))
    table = raw.table.select(names)
    if raw.geometry is not None:
        table = table.append_column("geometry", _geometry_text(raw.geometry))
    hashes = [
        _hashes(pc.binary_join_element_wise(*batch.columns, "\x1f") if batch.num_columns > 1 else batch.column(0))
        for batch in table.to_batches(max_chunksize=1_000_000)  # one joined text of all rows could pass 2 GiB
    ]
    return _numbered(np.concatenate(hashes) if hashes else np.zeros(0, np.uint64))


def _geometry_text(geometry: pa.Array) -> pa.Array:
    return pa.array([g.hex() if g is not None else "" for g in geometry.to_pylist()], pa.string())


def hashed_ids(rows: pa.Array) -> pa.Array:
    """Stable 64-bit hash of each text and, where equal texts repeat, the running number among them: ``h…-2``."""
    return _numbered(_hashes(rows))


def _hashes(rows: pa.Array) -> np.ndarray:
    return pd.util.hash_array(rows.to_numpy(zero_copy_only=False).astype(object), categorize=False)


def _numbered(hashes: np.ndarray) -> pa.Array:
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    first = np.concatenate(([True], ordered[1:] != ordered[:-1])) if ordered.size else np.zeros(0, bool)
    begin = np.maximum.accumulate(np.where(first, np.arange(ordered.size), 0)) if ordered.size else np.zeros(0, int)
    occurrence = np.empty(ordered.size, np.int64)
    occurrence[order] = np.arange(ordered.size) - begin + 1
    base = pc.binary_join_element_wise("h", pa.array(hashes).cast(pa.string()), "")
    again = pc.binary_join_element_wise(base, pa.array(occurrence).cast(pa.string()), "-")
    return pc.if_else(pa.array(occurrence == 1), base, again)


def read_points(
    raw: Raw, source: Source, context: Context, run: int, keep: np.ndarray, grids: GridIndex
) -> points.Points:
    """The records' points in the storage CRS, swapped ones put right, the datum found where it is to be found."""
    accounts = context.accounts.runs[run]
    if not points.has_points(raw):
        nothing = np.full(len(raw), np.nan)
        off = np.zeros(len(raw), bool)
        return points.Points(nothing, nothing.copy(), off, off, off)
    place = points.read(raw, source)
    crs = points.source_crs(source, raw)
    accounts.crs_declared = source.crs if source.crs != "auto" else points.short_name(raw.crs)
    points.check_plausible(place, crs, source, raw)
    if crs is None and source.crs == "auto":
        crs = "EPSG:4490" if context.china else "EPSG:4326"
    degrees = crs in points.SHIFTED or points.pyproj.CRS.from_user_input(crs).is_geographic
    if degrees and grids.box is not None:
        points.swap_back(place, grids.box)
        context.count(source.id, "swapped", place.notes.get("swapped", 0))
    if source.crs == "auto" and context.china and degrees:
        crs = datum(raw, source, context, place, keep, grids) or crs
    accounts.crs_detected = points.short_name(crs)
    place.x, place.y = points.to_release(place.x, place.y, crs, context.crs)
    place.given &= np.isfinite(place.x)
    if not degrees:
        place.coarse[:] = False
    return place


def datum(
    raw: Raw, source: Source, context: Context, place: points.Points, keep: np.ndarray, grids: GridIndex
) -> str | None:
    """The shifted datum the points fit better, by the share of them inside their declared grid; None otherwise."""
    declared = text.column(raw, source, "grid_code")
    notes = context.of(source.id).setdefault("datum", [])
    if declared is None or not len(grids.codes):
        notes.append(
            {
                "file": raw.file,
                "method": "points",
                "hypothesis": UNDECIDED,
                "evidence": {},
                "n": 0,
                "reason": "没有声明的网格编码可对照，按经纬度原样入库",
            }
        )
        return None
    at = pc.fill_null(pc.index_in(declared, value_set=grids.codes), -1).to_numpy(zero_copy_only=False)
    usable = np.flatnonzero(keep & place.given & (at >= 0))
    evidence = detect_datum(place.x[usable], place.y[usable], regions=grids.index, declared=at[usable])
    notes.append(datum_note(raw.file, evidence))
    return evidence.hypothesis if evidence.hypothesis in points.SHIFTED else None


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


def join(parts: list[Part]) -> Part:
    """Several parts of one source as one."""
    if len(parts) == 1:
        return parts[0]

    def chain(arrays: list[pa.DictionaryArray]) -> pa.DictionaryArray:
        return pa.chunked_array(arrays).unify_dictionaries().combine_chunks()

    def whole(name: str):
        return [getattr(p, name) for p in parts]

    return Part(
        parts[0].source_id,
        np.concatenate(whole("run")),
        np.concatenate(whole("row")),
        pa.concat_arrays(whole("ids")),
        *(np.concatenate(whole(n)) for n in ("start", "to", "recorded")),
        *(chain(whole(n)) for n in ("category", "subcategory", "status", "place_type")),
        {k: chain([p.codes[k] for p in parts]) for k in DECLARED},
        *(np.concatenate(whole(n)) for n in ("x", "y", "coarse", "centred", "outside")),
        max((p.precision for p in parts), key=lambda v: times.PRECISION[v]),
    )


def settle_identity(part: Part, context: Context) -> Part:
    """Keep one record per id: inside a file the first, between files the later. The others are accounted for."""
    if not len(part):
        return part
    encoded = part.ids.dictionary_encode()
    if len(encoded.dictionary) == len(part):
        return part
    code = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    runs = part.run.astype(np.int64)
    pair = code * (int(runs.max()) + 1) + runs
    _, first = np.unique(pair, return_index=True)
    keep = np.zeros(len(part), bool)
    keep[first] = True
    _reject(part, ~keep, "duplicate_id", context)
    at = np.flatnonzero(keep)
    last = np.full(len(encoded.dictionary), -1)
    np.maximum.at(last, code[at], runs[at])
    older = at[runs[at] < last[code[at]]]
    mask = np.zeros(len(part), bool)
    mask[older] = True
    _reject(part, mask, "superseded", context)
    return part.take(np.flatnonzero(keep & ~mask))


def _reject(part: Part, mask: np.ndarray, code: str, context: Context) -> None:
    for run in np.unique(part.run[mask]):
        context.accounts.reject(int(run), part.row[mask & (part.run == run)], code)


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
