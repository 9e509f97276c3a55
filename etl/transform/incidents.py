"""Incidents: one file at a time into narrow arrays, then all of them into one table in order of time."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.code_tables import words as code_words
from data.schema import CATEGORIES, OTHER
from etl.extract.raw import Raw
from etl.faults import ColumnFault
from etl.sources import Source
from etl.transform import points, text, times
from etl.transform.common import Context, words
from etl.transform.regions import datum_note
from geo.crs import UNDECIDED, detect_datum
from geo.regions import RegionIndex

DECLARED = ("grid_code", "community_code", "street_code", "district_code")


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
