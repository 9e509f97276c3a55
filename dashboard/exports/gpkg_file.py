"""GeoPackage for QGIS: the rows as one layer, the head as the table ``selection`` and in the file's metadata.

GDAL makes the file and writes areas and lines, which are few. Points may be millions: their rows go into its empty
table as whole pages, a batch at a time, four times faster and in little memory. The file is only sent when it is
complete, since its first page says how long it is.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
import shapely
from pyproj import CRS

from dashboard.exports.facts import Fact
from dashboard.json_texts import finite
from data import geometry_blobs, rtree, sqlite_pages
from data.store.exporting import GEOJSON, POINT, Export

CHUNK_BYTES = 1 << 20
HEAD = "selection"  # table that carries the head
_GEOMETRY = "geom"
_PAGE_ROWS = 65_536


def gpkg_chunks(export: Export, facts: Iterable[Fact], crs: str) -> Iterator[bytes]:
    """The file in pieces; it is written whole before this returns, and nothing of it is left on the disk.

    Parameters
    ----------
    crs : str
        The release's; longitude and latitude are of its datum.
    """
    with tempfile.TemporaryDirectory(prefix="yanpan-export-") as directory:
        path = Path(directory) / "export.gpkg"
        write(path, export, list(facts), crs)
        file = path.open("rb")
    # The name is gone here; the space is given back when the file is closed, whatever ends the process.
    return _read(file)


def write(path: Path, export: Export, facts: list[Fact], crs: str) -> None:
    """Write an export into a new GeoPackage."""
    points = export.geometry == POINT
    fields = [field for field in export.columns if not (points and field.name in ("lon", "lat"))]
    schema = pa.schema([pa.field(_GEOMETRY, pa.binary()), *map(_stored, fields)])
    batches = () if points else (b for table in export.batches() for b in _shaped(export, table, schema).to_batches())
    stated = {fact.key: fact.text for fact in facts}
    pyogrio.write_arrow(
        pa.RecordBatchReader.from_batches(schema, batches), path, layer=export.layer, driver="GPKG",
        geometry_name=_GEOMETRY, geometry_type=export.geometry, crs=_degrees(crs), dataset_metadata=stated,
        layer_metadata=stated, dataset_options={"VERSION": "1.3"},
    )  # fmt: skip
    head = pa.table({name: [getattr(fact, name) for fact in facts] for name in Fact._fields})
    pyogrio.write_arrow(head, path, layer=HEAD, append=True, driver="GPKG")
    if points:
        _fill(path, export, [field.name for field in fields])


def _degrees(crs: str) -> str:
    return crs if CRS.from_user_input(crs).is_geographic else "EPSG:4326"


def _stored(field: pa.Field) -> pa.Field:
    return pa.field(field.name, pa.timestamp("ms")) if pa.types.is_timestamp(field.type) else field


def _shaped(export: Export, table: pa.Table, schema: pa.Schema) -> pa.Table:
    shapes = shapely.from_geojson(table[GEOJSON].to_numpy())
    if export.geometry == "MultiPolygon":
        for row in np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON):
            shapes[row] = shapely.multipolygons([shapes[row]])
    columns = {name: finite(table[name]) for name in schema.names if name != _GEOMETRY}
    columns[_GEOMETRY] = pa.array(shapely.to_wkb(shapes), pa.binary())
    return pa.table([columns[name] for name in schema.names], names=schema.names).cast(schema)


def _fill(path: Path, export: Export, names: list[str]) -> None:
    """Put the rows of a point layer, and the nodes of its index, into the tables GDAL has made."""
    index = f"rtree_{export.layer}_{_GEOMETRY}"
    with closing(sqlite3.connect(path)) as db:
        roots = dict(db.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'table'"))
        ((srs_id,),) = db.execute("SELECT srs_id FROM gpkg_geometry_columns")
    placed: list[geometry_blobs.Shapes] = []
    with sqlite_pages.BulkLoader(path) as loader:
        loader.load(roots[export.layer], _cells(export, names, srs_id, placed))
        fids, x, y = (np.concatenate([getattr(s, name) for s in placed]) if placed else np.empty(0)
                      for name in ("fids", "minx", "miny"))  # fmt: skip
        if len(fids):
            tree = rtree.pack(fids, x, x, y, y)
            nodes = pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(rtree.NODE_BYTES), len(tree.nodes), [None, pa.py_buffer(tree.nodes)]
            )
            numbers = np.arange(1, len(tree.nodes) + 1)
            for table, keys, column in (("node", numbers, nodes), ("rowid", fids, pa.array(tree.node_of)),
                                        ("parent", numbers[1:], pa.array(tree.parents))):  # fmt: skip
                starts = range(0, len(keys), _PAGE_ROWS)
                loader.load(roots[f"{index}_{table}"],
                            (sqlite_pages.cells(keys[i : i + _PAGE_ROWS], [column.slice(i, _PAGE_ROWS)])
                             for i in starts))  # fmt: skip
    bounds = (x.min(), y.min(), x.max(), y.max()) if len(fids) else (None,) * 4
    with closing(sqlite3.connect(path)) as db, db:
        here = "WHERE table_name = ?"
        db.execute(
            f"UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ? {here}", (*bounds, export.layer)
        )
        db.execute(f"UPDATE gpkg_ogr_contents SET feature_count = ? {here}", (export.rows, export.layer))
        db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (export.layer,))
        db.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (export.layer, export.rows))


def _cells(export: Export, names: list[str], srs_id: int, placed: list) -> Iterator[sqlite_pages.Cells]:
    """Rows as SQLite holds them; ``placed`` receives the shapes, numbered through."""
    done = 0
    for batch in export.batches():
        for start in range(0, batch.num_rows, _PAGE_ROWS):
            table = batch.slice(start, _PAGE_ROWS)
            lon, lat = finite(table["lon"]), finite(table["lat"])
            shapes = geometry_blobs.of_points(lon, lat, srs_id, where=export.layer)
            placed.append(
                geometry_blobs.Shapes(shapes.fids + done, *[shapes.minx] * 2, *[shapes.miny] * 2, None, srs_id)
            )
            columns = [shapes.blobs(0, table.num_rows), *(_plain(table[name]) for name in names)]
            yield sqlite_pages.cells(np.arange(done + 1, done + table.num_rows + 1), columns)
            done += table.num_rows


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """A column of texts, numbers or flags; times as ISO text of the wall clock, without offset."""
    if pa.types.is_timestamp(column.type):
        column = pc.strftime(column.cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%S")
    elif pa.types.is_date(column.type):
        column = column.cast(pa.string())
    column = finite(column)
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _read(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
