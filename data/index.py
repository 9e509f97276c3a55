"""The query index of a release, ``city.duckdb``: everything the dashboard asks, in the form it is asked.

Built once from the in-memory release (see data.schema) and never changed. All coordinates in it are longitude and
latitude in degrees. Tables:

``release``   one row: ReleaseInfo as JSON.
``unit``      areas of every level and grids valid at ``data_as_of``; ``position`` counts from 0 within a level, in the
              order of codes.
``shape``     display geometry of a unit as GeoJSON text, in two details.
``incident``  narrow, sorted by ``occurred_from``: units, category, source and quality are positions; hour and weekday
              are null where the source does not know them.
``source``    incident sources: first and last day with data, whether ``recorded_at`` is known.
``silence``   days without data between first and last, longer than three cadences.
Other layers are kept under their own names, geometry as WKB.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from pyproj import CRS, Transformer

from data.errors import DataFault
from data.release_info import ReleaseInfo
from data.schema import CATEGORIES, LAYERS, LEVELS, LOCATION_QUALITIES

FILE_NAME = "city.duckdb"
UNIT_LEVELS = (*LEVELS, "grid")
INCIDENT_LEVELS = ("district", "street", "community", "grid")
UNIT_ANCESTORS = ("district", "street", "community")
COPIED = (
    "dispute_stat",
    "report_status",
    "camera",
    "camera_coverage",
    "key_place",
    "key_area",
    "key_line",
    "indicator",
    "alert",
    "base_road",
    "base_building",
    "base_water",
    "source_run",
)
CADENCE_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92}
DETAILS = ("overview", "near")
_OVERVIEW_SHARE = 1 / 2000  # tolerance of the overview, of the city's extent: a pixel of a wall-sized map
_FEW_VERTICES = 12  # outlines this plain on average gain nothing from being simplified
_NEAR_DIGITS = 7  # decimals of a degree kept, a centimetre
_ROWS_AT_ONCE = 491_520  # four of DuckDB's row groups
_INCIDENT_COLUMNS = ["occurred_from", "occurred_to", "recorded_at", "incident_id", "subcategory", "status"]
_INCIDENT_COLUMNS += ["place_type", "x", "y"]
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Units:
    """Units of one level as they are stored: their table and the position of each code."""

    table: pa.Table
    codes: pa.Array


def build(path: Path, tables: dict[str, pa.Table], info: ReleaseInfo) -> None:
    """Write the query index of a release.

    Parameters
    ----------
    path : Path
        The file to write; must not exist.
    tables : dict of pyarrow.Table
        The release by layer name, as data.schema declares it; an absent layer is empty.
    info : ReleaseInfo
        ``crs`` is the storage CRS of ``tables``; projected coordinates are turned into longitude and latitude.

    Raises
    ------
    DataFault
        Where an incident carries a category or location quality that the schema does not know.
    """
    to_degrees = _degrees(info.crs)
    con = duckdb.connect(str(path))
    try:
        con.execute("CREATE TABLE release (info VARCHAR)")
        con.execute("INSERT INTO release VALUES (?)", [info.to_json()])
        units = _write_units(con, tables, info, to_degrees)
        _write_incidents(con, tables.get("incident", LAYERS["incident"].empty()), units, info, to_degrees)
        for name in COPIED:
            _write_layer(con, name, tables.get(name, LAYERS[name].empty()), to_degrees)
        con.execute("CHECKPOINT")
    finally:
        con.close()


def _degrees(crs: str) -> Transformer | None:
    """None where the storage CRS already is in degrees."""
    storage = CRS.from_user_input(crs)
    if storage.is_geographic:
        return None
    return Transformer.from_crs(storage, "EPSG:4326", always_xy=True)


def _transform_shapes(shapes: np.ndarray, to_degrees: Transformer | None) -> np.ndarray:
    if to_degrees is None:
        return shapes
    return shapely.transform(shapes, lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1])))


def _transform_points(x: np.ndarray, y: np.ndarray, to_degrees: Transformer | None) -> tuple[np.ndarray, np.ndarray]:
    if to_degrees is None:
        return x, y
    lon, lat = to_degrees.transform(x, y)
    usable = np.isfinite(lon) & np.isfinite(lat)
    return np.where(usable, lon, np.nan), np.where(usable, lat, np.nan)


def _insert(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    con.register("incoming", table)
    con.execute(f'INSERT INTO "{name}" SELECT * FROM incoming')
    con.unregister("incoming")


def _create(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    con.register("incoming", table)
    con.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')
    con.unregister("incoming")


# --- units -----------------------------------------------------------------------------------------------------------


def _write_units(con, tables, info, to_degrees) -> dict[str, Units]:
    day = date.fromisoformat((info.data_as_of or info.created_at)[:10])
    area = _valid_at(tables.get("area", LAYERS["area"].empty()), "code", day)
    grid = _valid_at(tables.get("grid", LAYERS["grid"].empty()), "grid_code", day)
    by_level = _area_units(area)
    by_level["grid"] = _grid_units(grid)
    shapes = {
        level: _transform_shapes(shapely.from_wkb(unit["geom"].to_numpy()), to_degrees)
        for level, unit in by_level.items()
    }
    bounds = np.array([shapely.total_bounds(s) for s in shapes.values() if s.size])
    extent = float((np.nanmax(bounds[:, 2:], axis=0) - np.nanmin(bounds[:, :2], axis=0)).max()) if bounds.size else 0.0
    units: dict[str, Units] = {}
    for level, table in by_level.items():
        table = table.drop_columns(["geom"])
        minx, miny, maxx, maxy = shapely.bounds(shapes[level]).T if table.num_rows else np.empty((4, 0))
        for name, values in (("minx", minx), ("miny", miny), ("maxx", maxx), ("maxy", maxy)):
            table = table.append_column(name, pa.array(values, from_pandas=True))
        (_create if not units else _insert)(con, "unit", table)
        units[level] = Units(table, table["code"].combine_chunks())
    con.execute("CREATE TABLE shape (level VARCHAR, detail VARCHAR, position INTEGER, geojson VARCHAR)")
    for level, geometry in shapes.items():
        near = _geojson(geometry)
        overview = _overview(geometry, extent * _OVERVIEW_SHARE)
        _insert(con, "shape", _shape_rows(level, "near", near))
        _insert(con, "shape", _shape_rows(level, "overview", near if overview is geometry else _geojson(overview)))
    return units


def _valid_at(table: pa.Table, code: str, day: date) -> pa.Table:
    """The rows valid on ``day``, one for each code (the latest ``valid_from``), by code."""
    begun = pc.fill_null(pc.less_equal(table["valid_from"], pa.scalar(day)), True)
    not_ended = pc.fill_null(pc.greater(table["valid_to"], pa.scalar(day)), True)
    table = table.filter(pc.and_(begun, not_ended))
    table = table.set_column(table.schema.get_field_index(code), code, table[code].cast(pa.string()))
    keys = [(code, "ascending", "at_end"), ("valid_from", "descending", "at_end")]
    table = table.take(pc.sort_indices(table, sort_keys=keys))
    codes = table[code].to_numpy()
    first = np.ones(len(codes), dtype=bool)
    first[1:] = codes[1:] != codes[:-1]
    return table.filter(pa.array(first))


def _unit_table(level: str, table: pa.Table, code: str, **columns: pa.Array | pa.ChunkedArray | None) -> pa.Table:
    nothing = pa.nulls(table.num_rows, pa.string())
    text = {name: nothing if values is None else values.cast(pa.string()) for name, values in columns.items()}
    return pa.table({
        "level": pa.array([level] * table.num_rows, pa.string()),
        "position": pa.array(np.arange(table.num_rows, dtype=np.int32)),
        "code": table[code].cast(pa.string()),
        "name": pc.coalesce(table["name"].cast(pa.string()), table[code].cast(pa.string())),
        **text,
        "population": table["population"],
        "households": table["households"],
        "valid_from": table["valid_from"],
        "valid_to": table["valid_to"],
        "geom": table["geom"],
    })  # fmt: skip


def _area_units(area: pa.Table) -> dict[str, pa.Table]:
    codes, levels, parents = (area[name].cast(pa.string()).to_pylist() for name in ("code", "level", "parent_code"))
    level_of, parent_of = dict(zip(codes, levels, strict=True)), dict(zip(codes, parents, strict=True))
    lines = [_line_above(code, level_of, parent_of) for code in codes]
    above = {f"{level}_code": pa.array([line.get(level) for line in lines], pa.string()) for level in UNIT_ANCESTORS}
    tables = {}
    for level in LEVELS:
        chosen = pa.array([x == level for x in levels], pa.bool_())
        columns = {name: values.filter(chosen) for name, values in above.items()}
        table = area.filter(chosen)
        tables[level] = _unit_table(level, table, "code", kind=None, parent_code=table["parent_code"], **columns)
    return tables


def _line_above(code: str, level_of: dict[str, str], parent_of: dict[str, str | None]) -> dict[str, str]:
    """Level -> code of the area itself and of all areas above it."""
    line: dict[str, str] = {}
    while code in level_of and level_of[code] not in line:
        line[level_of[code]] = code
        code = parent_of[code]
    return line


def _grid_units(grid: pa.Table) -> pa.Table:
    above = {f"{level}_code": grid[f"{level}_code"].cast(pa.string()) for level in UNIT_ANCESTORS}
    parent = pc.coalesce(*reversed(above.values()))
    return _unit_table("grid", grid, "grid_code", kind=grid["kind"], parent_code=parent, **above)


def _overview(shapes: np.ndarray, tolerance_deg: float) -> np.ndarray:
    """Simplified outlines; neighbours keep their common border. Plain outlines are returned as they are."""
    if shapes.size == 0 or shapely.get_num_coordinates(shapes).sum() <= _FEW_VERTICES * shapes.size:
        return shapes
    out, drawn = shapes.copy(), ~shapely.is_empty(shapes) & ~shapely.is_missing(shapes)
    if drawn.any():
        out[drawn] = shapely.coverage_simplify(shapes[drawn], tolerance_deg)
    return out


def _geojson(shapes: np.ndarray) -> pa.Array:
    rounded = shapely.transform(shapes, lambda xy: np.round(xy, _NEAR_DIGITS))
    return pa.array(shapely.to_geojson(rounded), pa.string(), from_pandas=True)


def _shape_rows(level: str, detail: str, geojson: pa.Array) -> pa.Table:
    n = len(geojson)
    return pa.table(
        {
            "level": pa.array([level] * n, pa.string()),
            "detail": pa.array([detail] * n, pa.string()),
            "position": pa.array(np.arange(n, dtype=np.int32)),
            "geojson": geojson,
        }
    )


# --- incidents -------------------------------------------------------------------------------------------------------


def _write_incidents(con, incidents: pa.Table, units: dict[str, Units], info: ReleaseInfo, to_degrees) -> None:
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
            (_create if start == 0 else _insert)(con, "incident", ready)
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


def _incident_rows(part: pa.Table, coded: dict[str, pa.Array], to_degrees) -> pa.Table:
    begin = part["occurred_from"].cast(pa.timestamp("s"))
    seconds, until = _seconds(begin), _seconds(part["occurred_to"])
    exact = until < 0 if part.num_rows == 0 else part["occurred_to"].is_null().to_numpy()
    span = np.where(exact, 0, until - seconds)
    day = seconds // _SECONDS_A_DAY
    weekday = (day + 3) % 7 + 1  # 1970-01-01 was a Thursday
    months = begin.to_numpy().astype("datetime64[M]")
    day_of_month = (begin.to_numpy().astype("datetime64[D]") - months).astype(np.int64)
    lon, lat = _transform_points(part["x"].to_numpy(), part["y"].to_numpy(), to_degrees)
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


def _write_sources(con, incidents, source, seconds, sources, info) -> None:
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


def cadence_of(source) -> str:
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


# --- other layers ----------------------------------------------------------------------------------------------------


def _write_layer(con, name: str, table: pa.Table, to_degrees) -> None:
    if to_degrees is not None and "geom" in table.column_names:
        shapes = _transform_shapes(shapely.from_wkb(table["geom"].to_numpy()), to_degrees)
        geom = pa.array(shapely.to_wkb(shapes), pa.binary())
        table = table.set_column(table.schema.get_field_index("geom"), "geom", geom)
    if "x" in table.column_names:
        x, y = _transform_points(table["x"].to_numpy(), table["y"].to_numpy(), to_degrees)
        table = table.drop_columns(["x", "y"])
        table = table.append_column("lon", pa.array(x, from_pandas=True))
        table = table.append_column("lat", pa.array(y, from_pandas=True))
    _create(con, name, table)
