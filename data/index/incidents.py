"""Incidents of the index, coded and in time order, and the days on which their sources have data."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyproj import Transformer

from data.errors import DataFault
from data.index.tables import create, insert, transform_points
from data.index.units import Units
from data.release_info import ReleaseInfo, SourceInfo
from data.schema import CATEGORIES, LOCATION_QUALITIES

INCIDENT_LEVELS = ("district", "street", "community", "grid")
CADENCE_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92}
_ROWS_AT_ONCE = 491_520  # four of DuckDB's row groups
_INCIDENT_COLUMNS = ["occurred_from", "occurred_to", "recorded_at", "incident_id", "subcategory", "status"]
_INCIDENT_COLUMNS += ["place_type", "x", "y"]
_SECONDS_A_DAY = 86_400


def write_incidents(
    con: duckdb.DuckDBPyConnection,
    incidents: pa.Table,
    units: dict[str, Units],
    info: ReleaseInfo,
    to_degrees: Transformer | None,
) -> None:
    """Write ``incident``, ``source`` and ``silence``."""
    incidents = incidents.unify_dictionaries().combine_chunks()
    declared = [s.source_id for s in info.sources if s.kind == "incident"]
    present = pc.unique(incidents["source_id"].cast(pa.string())).to_pylist()
    sources = declared + sorted(set(present) - set(declared))
    seconds = _seconds(incidents["occurred_from"])
    order = np.argsort(seconds)
    coded = {
        "category": _positions(incidents, "category", CATEGORIES, pa.uint8(), required=True),
        "source": _positions(incidents, "source_id", sources, pa.uint16(), required=True),
        "quality": _positions(incidents, "location_quality", LOCATION_QUALITIES, pa.uint8(), required=True),
    }
    for level in INCIDENT_LEVELS:
        codes = units[level].codes
        kind = pa.uint16() if len(codes) < 65_535 else pa.uint32()
        coded[level] = _positions(incidents, f"{level}_code", codes, kind)
    wanted = incidents.select(_INCIDENT_COLUMNS)

    def part(start: int) -> pa.Table:
        rows = pa.array(order[start : start + _ROWS_AT_ONCE])
        return _incident_rows(wanted.take(rows), {k: v.take(rows) for k, v in coded.items()}, to_degrees)

    # The next rows are gathered while the last ones are being written; never more than two parts are held.
    with ThreadPoolExecutor(max_workers=1) as gatherer:
        coming = gatherer.submit(part, 0)
        for start in range(0, max(len(order), 1), _ROWS_AT_ONCE):
            ready = coming.result()
            coming = gatherer.submit(part, start + _ROWS_AT_ONCE)
            (create if start == 0 else insert)(con, "incident", ready)
    _write_sources(con, incidents, coded["source"], seconds, sources, info)


def _seconds(column: pa.ChunkedArray) -> np.ndarray:
    """Seconds since 1970 as int64; null becomes the smallest int64."""
    return column.cast(pa.timestamp("s")).to_numpy().astype("datetime64[s]").astype(np.int64)


def _positions(table: pa.Table, name: str, values, kind: pa.DataType, *, required: bool = False) -> pa.Array:
    """Position of each row's value among ``values``; null where it is null or not among them."""
    column = table[name].combine_chunks()
    known = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
    if pa.types.is_dictionary(column.type):
        meaning = pc.index_in(column.dictionary.cast(pa.string()), value_set=known)
        found = meaning.take(column.indices)
    else:
        found = pc.index_in(column.cast(pa.string()), value_set=known)
    if required and found.null_count:
        row = pc.index(pc.is_null(found), True).as_py()
        raise DataFault("索引中有未知取值", where=f"incident.{name}", found=str(column[row].as_py()),
                        expected=" ".join(known.to_pylist()[:20]))  # fmt: skip
    return found.cast(kind)


def _incident_rows(part: pa.Table, coded: dict[str, pa.Array], to_degrees: Transformer | None) -> pa.Table:
    begin = part["occurred_from"].cast(pa.timestamp("s"))
    seconds, until = _seconds(begin), _seconds(part["occurred_to"])
    exact = until < 0 if part.num_rows == 0 else part["occurred_to"].is_null().to_numpy()
    span = np.where(exact, 0, until - seconds)
    day = seconds // _SECONDS_A_DAY
    weekday = (day + 3) % 7 + 1  # 1970-01-01 was a Thursday
    months = begin.to_numpy().astype("datetime64[M]")
    day_of_month = (begin.to_numpy().astype("datetime64[D]") - months).astype(np.int64)
    lon, lat = transform_points(part["x"].to_numpy(), part["y"].to_numpy(), to_degrees)
    return pa.table({
        "day": pa.array(day.astype(np.int32)),
        "week": pa.array((day - weekday + 1).astype(np.int32)),  # day number of the Monday
        "half": pa.array(((months.astype(np.int64) + 1970 * 12) * 2 + (day_of_month >= 15)).astype(np.int32)),
        "hour": pa.array((seconds // 3600 % 24).astype(np.uint8), mask=span > 3600),
        "weekday": pa.array(weekday.astype(np.uint8), mask=span > _SECONDS_A_DAY),
        **coded,
        "lon": pa.array(lon, from_pandas=True),
        "lat": pa.array(lat, from_pandas=True),
        # Microseconds, as query parameters come: another unit would be cast row by row and skip the zone maps.
        "occurred_from": begin.cast(pa.timestamp("us")),
        "occurred_to": part["occurred_to"].cast(pa.timestamp("us")),
        "recorded_at": part["recorded_at"].cast(pa.timestamp("us")),
        "incident_id": part["incident_id"].cast(pa.string()),
        "subcategory": part["subcategory"].cast(pa.string()),
        "status": part["status"].cast(pa.string()),
        "place_type": part["place_type"].cast(pa.string()),
    })  # fmt: skip


def _write_sources(
    con: duckdb.DuckDBPyConnection,
    incidents: pa.Table,
    source: pa.Array,
    seconds: np.ndarray,
    sources: list[str],
    info: ReleaseInfo,
) -> None:
    """First and last day of each incident source, and its silences; days are counted from 1970-01-01."""
    until = _seconds(incidents["occurred_to"])
    until = np.where(incidents["occurred_to"].is_null().to_numpy(), seconds + 1, until)
    recorded = incidents["recorded_at"].is_valid().to_numpy()
    which = source.to_numpy(zero_copy_only=False)
    declared = {s.source_id: s for s in info.sources}
    rows, silences = [], []
    for position, source_id in enumerate(sources):
        mine = which == position
        stated = declared.get(source_id)
        first, covered = _days_with_data(seconds[mine], until[mine], stated.data_as_of if stated else None)
        known = covered.size > 0
        last = first + covered.size - 1 if known else None
        rows.append((position, source_id, first if known else None, last, bool(recorded[mine].any())))
        for begin, end in _runs(~covered):
            if end - begin > 3 * CADENCE_DAYS[cadence_of(stated)]:
                silences.append((position, first + begin, first + end))
    con.execute("CREATE TABLE source (position INTEGER, source_id VARCHAR, first_day INTEGER, last_day INTEGER, "
                "knows_recorded BOOLEAN)")  # fmt: skip
    con.execute("CREATE TABLE silence (source INTEGER, first_day INTEGER, end_day INTEGER)")
    for row in rows:
        con.execute("INSERT INTO source VALUES (?, ?, ?, ?, ?)", row)
    for row in silences:
        con.execute("INSERT INTO silence VALUES (?, ?, ?)", row)


def cadence_of(source: SourceInfo | None) -> str:
    """The declared cadence; where none is declared, month for whole-month sources and else week."""
    if source is not None and source.cadence:
        return source.cadence
    return "month" if source is not None and source.precision == "month" else "week"


def _days_with_data(begin: np.ndarray, until: np.ndarray, data_as_of: str | None) -> tuple[int, np.ndarray]:
    """First day, and from it on to the last whether each day has data; nothing after the source's ``data_as_of``."""
    if data_as_of:
        limit = int(np.datetime64(datetime.fromisoformat(data_as_of), "s").astype(np.int64))
        kept = begin <= limit
        begin, until = begin[kept], np.minimum(until[kept], limit + 1)
    if begin.size == 0:
        return 0, np.zeros(0, dtype=bool)
    first, last = begin // _SECONDS_A_DAY, np.maximum(until - 1, begin) // _SECONDS_A_DAY
    zero, size = int(first.min()), int(last.max() - first.min()) + 2
    opened = np.bincount(first - zero, minlength=size) - np.bincount(last + 1 - zero, minlength=size)
    return zero, np.cumsum(opened)[:-1] > 0


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Half-open positions of each unbroken run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]
