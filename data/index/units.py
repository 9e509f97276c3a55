"""Areas and grids of the index: which are valid, what lies in what, how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from pyproj import Transformer

from data.index.tables import create, insert, transform_shapes
from data.release_info import ReleaseInfo
from data.schema import LAYERS, LEVELS
from geo.regions import area_m2

UNIT_LEVELS = (*LEVELS, "grid")
UNIT_ANCESTORS = ("district", "street", "community")
DETAILS = ("overview", "near")
_OVERVIEW_SHARE = 1 / 2000  # tolerance of the overview, of the city's extent: a pixel of a wall-sized map
_FEW_VERTICES = 12  # outlines this plain on average gain nothing from being simplified
_NEAR_DIGITS = 7  # decimals of a degree kept, a centimetre


@dataclass(frozen=True)
class Units:
    """Units of one level as they are stored: their table and the position of each code."""

    table: pa.Table
    codes: pa.Array


def write_units(
    con: duckdb.DuckDBPyConnection, tables: dict[str, pa.Table], info: ReleaseInfo, to_degrees: Transformer | None
) -> dict[str, Units]:
    """Write ``unit`` and ``shape``; the units of each level, for coding incidents."""
    day = date.fromisoformat((info.data_as_of or info.created_at)[:10])
    area = _valid_at(tables.get("area", LAYERS["area"].empty()), "code", day)
    grid = _valid_at(tables.get("grid", LAYERS["grid"].empty()), "grid_code", day)
    by_level = _area_units(area)
    by_level["grid"] = _grid_units(grid)
    shapes = {
        level: transform_shapes(shapely.from_wkb(unit["geom"].to_numpy()), to_degrees)
        for level, unit in by_level.items()
    }
    vertices = shapely.get_coordinates(np.concatenate(list(shapes.values())))
    extent = float(np.ptp(vertices, axis=0).max()) if vertices.size else 0.0
    units: dict[str, Units] = {}
    for level, table in by_level.items():
        table = table.drop_columns(["geom"])
        minx, miny, maxx, maxy = shapely.bounds(shapes[level]).T if table.num_rows else np.empty((4, 0))
        for name, values in (("minx", minx), ("miny", miny), ("maxx", maxx), ("maxy", maxy)):
            table = table.append_column(name, pa.array(values, from_pandas=True))
        table = table.append_column("area_km2", _area_km2(shapes[level]))
        (create if not units else insert)(con, "unit", table)
        units[level] = Units(table, table["code"].combine_chunks())
    con.execute("CREATE TABLE shape (level VARCHAR, detail VARCHAR, position INTEGER, geojson VARCHAR)")
    for level, geometry in shapes.items():
        near = _geojson(geometry)
        overview = _overview(geometry, extent * _OVERVIEW_SHARE)
        insert(con, "shape", _shape_rows(level, "near", near))
        insert(con, "shape", _shape_rows(level, "overview", near if overview is geometry else _geojson(overview)))
    return units


def _area_km2(shapes: np.ndarray) -> pa.Array:
    """Areas of outlines in degrees; null for a unit without one."""
    area = area_m2(shapes, crs="EPSG:4326") / 1e6
    return pa.array(area, pa.float64(), mask=area == 0)


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
