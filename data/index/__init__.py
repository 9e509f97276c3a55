"""The query index of a release, ``city.duckdb``: everything the dashboard asks, in the form it is asked.

Built once from the in-memory release (see data.schema) and never changed. All coordinates in it are longitude and
latitude in degrees. Tables:

``release``   one row: ReleaseInfo as JSON.
``unit``      areas of every level and grids valid at ``data_as_of``; ``position`` counts from 0 within a level, in the
              order of codes.
``shape``     display geometry of a unit as GeoJSON text, in two details.
``incident``  narrow, sorted by ``occurred_from``: units, category, source and quality are positions; hour and weekday
              are null where the source does not know them.
``day_count`` incidents of a day by category, source, district and street, counted: what questions about whole areas
              and days are asked of.
``period_count`` incidents of every community and grid by week, half-month and category, counted: what the dispersion
              before a window is computed from.
``source``    incident sources: first and last day with data, whether ``recorded_at`` is known.
``silence``   days without data between first and last, longer than three cadences.
Other layers are kept under their own names, geometry as WKB.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import shapely
from pyproj import Transformer

from data.index.day_counts import TABLE as DAY_COUNT
from data.index.day_counts import write_day_counts
from data.index.incidents import CADENCE_DAYS, INCIDENT_LEVELS, cadence_of, write_incidents
from data.index.period_counts import LEVELS as PERIOD_LEVELS
from data.index.period_counts import TABLE as PERIOD_COUNT
from data.index.period_counts import unpack as unpack_counts
from data.index.period_counts import write_period_counts
from data.index.tables import create, degrees, transform_points, transform_shapes
from data.index.units import DETAILS, UNIT_ANCESTORS, UNIT_LEVELS, write_units
from data.release_info import ReleaseInfo
from data.schema import LAYERS

__all__ = [
    "CADENCE_DAYS",
    "COPIED",
    "DAY_COUNT",
    "DETAILS",
    "FILE_NAME",
    "INCIDENT_LEVELS",
    "PERIOD_COUNT",
    "PERIOD_LEVELS",
    "UNIT_ANCESTORS",
    "UNIT_LEVELS",
    "build",
    "cadence_of",
    "unpack_counts",
]

FILE_NAME = "city.duckdb"
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
    to_degrees = degrees(info.crs)
    con = duckdb.connect(str(path))
    try:
        con.execute("BEGIN")  # one transaction: each table on its own would wait for the disk
        con.execute("CREATE TABLE release (info VARCHAR)")
        con.execute("INSERT INTO release VALUES (?)", [info.to_json()])
        units = write_units(con, tables, info, to_degrees)
        write_incidents(con, tables.get("incident", LAYERS["incident"].empty()), units, info, to_degrees)
        write_day_counts(con)
        write_period_counts(con, {level: len(unit.codes) for level, unit in units.items()})
        for name in COPIED:
            _write_layer(con, name, tables.get(name, LAYERS[name].empty()), to_degrees)
        con.execute("COMMIT")
        con.execute("CHECKPOINT")
    finally:
        con.close()


def _write_layer(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table, to_degrees: Transformer | None) -> None:
    if to_degrees is not None and "geom" in table.column_names:
        shapes = transform_shapes(shapely.from_wkb(table["geom"].to_numpy()), to_degrees)
        geom = pa.array(shapely.to_wkb(shapes), pa.binary())
        table = table.set_column(table.schema.get_field_index("geom"), "geom", geom)
    if "x" in table.column_names:
        x, y = transform_points(table["x"].to_numpy(), table["y"].to_numpy(), to_degrees)
        table = table.drop_columns(["x", "y"])
        table = table.append_column("lon", pa.array(x, from_pandas=True))
        table = table.append_column("lat", pa.array(y, from_pandas=True))
    create(con, name, table)
