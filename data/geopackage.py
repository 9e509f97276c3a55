"""city.gpkg: a release's layers as a GeoPackage 1.3, written in bulk and read back in the same in-memory form.

Rows go in as whole b-tree pages (:mod:`data.sqlite_pages`), spatial indexes as packed nodes (:mod:`data.rtree`).
Times are wall-clock times of the release's zone without offset (the accepted deviation from the ``Z`` rule).
Format: OGC 12-128r17, https://www.geopackage.org/spec130/.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
from pyproj import CRS
from pyproj.exceptions import CRSError

from data import geometry_blobs, geopackage_sql, qgis_styles, rtree, sqlite_pages
from data.errors import DataFault, UsageError
from data.release_info import ReleaseInfo
from data.schema import DAY, LAYERS, TIME, Layer

GEOMETRY = "geom"
APPLICATION_ID = 0x47504B47  # "GPKG"
USER_VERSION = 10300  # 1.3: older GDAL and QGIS warn of 1.4
SPECIFICATION = "http://www.geopackage.org/spec130/"
METADATA_URI = "https://yanpan.invalid/release-info"  # names our own JSON; .invalid never resolves
BATCH_ROWS = 65_536
PAGE_BYTES = 16_384  # less space than 4 KiB, where an index node fills a third of a page and most of the rest is lost
AHEAD = 2  # batches prepared before the one being written

Progress = Callable[[str, int], None]


def write(
    path: Path | str, tables: dict[str, pa.Table], info: ReleaseInfo, *, progress: Progress | None = None
) -> None:
    """Write a release's layers into a new GeoPackage.

    Parameters
    ----------
    path : where; must not exist. A write that fails leaves nothing there.
    tables : by layer name, in the form of :mod:`data.schema`; a layer left out is written empty.
    info : stored as JSON in ``gpkg_metadata``; its ``crs`` (EPSG) is the CRS of every layer.
    progress : called with the layer's name and its rows written so far.

    Raises
    ------
    UsageError
        The file exists already.
    DataFault
        A table is not of the declared form, or its geometry or the CRS cannot be stored.
    """
    path = Path(path)
    if path.exists():
        raise UsageError("不能覆盖已有文件", where=str(path), remedy="换一个文件名，或先移走它")
    if unknown := sorted(set(tables) - set(LAYERS)):
        raise DataFault("未声明的图层", found="、".join(unknown), expected="、".join(LAYERS))
    srs_id, srs_row = _spatial_ref(info.crs)
    ready = {name: _conform(layer, tables.get(name, layer.empty())) for name, layer in LAYERS.items()}
    try:
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            db.execute("PRAGMA auto_vacuum = NONE")
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {USER_VERSION}")
            statements = [geopackage_sql.create_table(layer) for layer in LAYERS.values()]
            statements += [geopackage_sql.create_index(layer.name) for layer in LAYERS.values() if layer.geometry]
            db.executescript("BEGIN;" + geopackage_sql.CORE + "".join(statements) + "COMMIT;")
        bounds = _write_rows(path, ready, srs_id, progress)
        with closing(sqlite3.connect(path)) as db, db:
            _describe(db, ready, bounds, srs_id, srs_row, info)
    except BaseException:
        path.unlink(missing_ok=True)
        Path(f"{path}-journal").unlink(missing_ok=True)
        raise


def read(path: Path | str, layer: str) -> pa.Table:
    """One layer of a GeoPackage in the form of :mod:`data.schema` (text columns as plain strings).

    Raises
    ------
    UsageError
        The layer is not a declared one.
    DataFault
        The file cannot be read as a GeoPackage with this layer and its columns.
    """
    if layer not in LAYERS:
        raise UsageError("没有这个图层", found=layer, expected="、".join(LAYERS))
    declared = LAYERS[layer]
    try:
        meta, table = pyogrio.read_arrow(path, layer=layer, columns=list(declared.names))
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as fault:
        raise DataFault("读不出图层", where=f"{path} {layer}", found=str(fault)) from fault
    if missing := [name for name in declared.names if name not in table.column_names]:
        raise DataFault("图层缺列", where=f"{path} {layer}", found="缺 " + "、".join(missing))
    columns = [table[column.name].cast(column.type) for column in declared.columns]
    if declared.geometry:
        wkb = table[meta["geometry_name"] or "wkb_geometry"].cast(pa.binary())
        if declared.geometry == "Point":
            columns += geometry_blobs.coordinates(wkb, where=f"{path} {layer}")
        else:
            columns.append(wkb)
    return pa.table(columns, schema=declared.arrow_schema())


def read_info(path: Path | str) -> ReleaseInfo:
    """What the release in this GeoPackage says of itself.

    Raises
    ------
    DataFault
        Not a GeoPackage, or not one of ours.
    """
    try:
        with closing(connect(path)) as db:
            row = db.execute("SELECT metadata FROM gpkg_metadata WHERE md_standard_uri = ?", (METADATA_URI,)).fetchone()
        if row:
            return ReleaseInfo.from_json(row[0])
    except (sqlite3.DatabaseError, ValueError, TypeError, KeyError) as fault:
        raise DataFault(
            "读不出发布信息", where=str(path), found=str(fault), expected="研判写出的 GeoPackage"
        ) from fault
    raise DataFault("没有发布信息", where=str(path), expected="研判写出的 GeoPackage")


def connect(path: Path | str) -> sqlite3.Connection:
    """A read-only connection; works in a read-only folder and never creates the file."""
    return sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)


def _spatial_ref(crs: str) -> tuple[int, tuple]:
    try:
        parsed = CRS.from_user_input(crs)
        authority, code = crs.upper().split(":")
        if authority != "EPSG":
            raise ValueError("EPSG")
    except (CRSError, ValueError) as fault:
        raise DataFault("坐标系无法写入", found=crs, expected="EPSG:代号，如 EPSG:4490") from fault
    # A definition as OGC 01-009 has it, with EPSG's own axis order; coordinates in blobs are x, y all the same.
    return int(code), (parsed.name, int(code), "EPSG", int(code), parsed.to_wkt("WKT1_GDAL"), parsed.scope)


def _conform(layer: Layer, table: pa.Table) -> pa.Table:
    """The table with its declared columns in order; text may stay dictionary-encoded."""
    schema = layer.arrow_schema()
    if set(table.column_names) != set(schema.names):
        raise DataFault(
            "图层的列与声明不符",
            where=layer.name,
            found=f"多 {sorted(set(table.column_names) - set(schema.names))} "
            f"缺 {sorted(set(schema.names) - set(table.column_names))}",
            expected="、".join(schema.names),
        )
    columns = []
    for field in schema:
        column = table[field.name]
        encoded = pa.types.is_dictionary(column.type) and pa.types.is_string(column.type.value_type)
        if column.type != field.type and not (encoded and field.type == pa.string()):
            try:
                column = column.cast(field.type)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as fault:
                raise DataFault(
                    "列的类型与声明不符",
                    where=f"{layer.name}.{field.name}",
                    found=str(column.type),
                    expected=str(field.type),
                ) from fault
        columns.append(column)
    result = pa.table(columns, names=schema.names)
    for column in layer.columns:
        if column.required and (nulls := result[column.name].null_count):
            raise DataFault("必填列有空值", where=f"{layer.name}.{column.name}", found=f"{nulls} 行为空")
    return result


def _write_rows(path: Path, ready: dict[str, pa.Table], srs_id: int, progress: Progress | None) -> dict[str, tuple]:
    """Rows and index nodes of every layer; returns bounds (minx, miny, maxx, maxy) or None, by layer with geometry."""
    with closing(connect(path)) as db:
        roots = dict(db.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'table'"))
    bounds = {}
    with ThreadPoolExecutor(2) as workers, sqlite_pages.BulkLoader(path) as loader:
        for name, table in ready.items():
            layer, shapes = LAYERS[name], _shapes(LAYERS[name], table, srs_id)
            if shapes is not None and len(shapes.fids):
                bounds[name] = shapes.bounds
                packing = workers.submit(rtree.pack, shapes.fids, shapes.minx, shapes.maxx, shapes.miny, shapes.maxy)
            loader.load(roots[name], _batches(layer, table, shapes, workers, progress))
            if name in bounds:
                _write_index(loader, roots, f"rtree_{name}_{GEOMETRY}", shapes.fids, packing.result())
    return bounds


def _shapes(layer: Layer, table: pa.Table, srs_id: int) -> geometry_blobs.Shapes | None:
    if layer.geometry == "Point":
        return geometry_blobs.of_points(table["x"], table["y"], srs_id, where=layer.name)
    if layer.geometry:
        return geometry_blobs.of_wkb(table[GEOMETRY], layer.geometry, srs_id, where=layer.name)
    return None


def _batches(
    layer: Layer,
    table: pa.Table,
    shapes: geometry_blobs.Shapes | None,
    workers: ThreadPoolExecutor,
    progress: Progress | None,
) -> Iterator[sqlite_pages.Cells]:
    """The rows as SQLite holds them, the next batches being prepared while one is written."""
    coming = deque()
    for start in range(0, table.num_rows, BATCH_ROWS):
        coming.append((start, workers.submit(_batch, layer, table, shapes, start)))
        if len(coming) > AHEAD:
            yield from _next_batch(coming, layer, progress)
    while coming:
        yield from _next_batch(coming, layer, progress)


def _next_batch(coming: deque, layer: Layer, progress: Progress | None) -> Iterator[sqlite_pages.Cells]:
    start, future = coming.popleft()
    cells = future.result()
    yield cells
    if progress:
        progress(layer.name, start + len(cells.rowids))


def _batch(layer: Layer, table: pa.Table, shapes: geometry_blobs.Shapes | None, start: int) -> sqlite_pages.Cells:
    part = table.select(layer.names).slice(start, BATCH_ROWS)
    columns = [shapes.blobs(start, part.num_rows)] if shapes is not None else []
    for column in layer.columns:
        values = part[column.name].combine_chunks()
        if column.type in (TIME, DAY):
            values = pc.replace_substring(values.cast(pa.string()), " ", "T", max_replacements=1)
        columns.append(values)
    return sqlite_pages.cells(np.arange(start + 1, start + part.num_rows + 1), columns)


def _write_index(
    loader: sqlite_pages.BulkLoader, roots: dict[str, int], index: str, fids: np.ndarray, tree: rtree.PackedTree
) -> None:
    """Put packed nodes into the shadow tables of an R-tree."""
    nodes = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(rtree.NODE_BYTES), len(tree.nodes), [None, pa.py_buffer(tree.nodes)]
    )
    numbers = np.arange(1, len(tree.nodes) + 1)
    for table, keys, column in (
        ("node", numbers, nodes),
        ("rowid", fids, pa.array(tree.node_of)),
        ("parent", numbers[1:], pa.array(tree.parents)),
    ):
        loader.load(
            roots[f"{index}_{table}"],
            (
                sqlite_pages.cells(keys[start : start + BATCH_ROWS], [column.slice(start, BATCH_ROWS)])
                for start in range(0, len(keys), BATCH_ROWS)
            ),
        )


def _describe(db: sqlite3.Connection, ready, bounds, srs_id: int, srs_row: tuple, info: ReleaseInfo) -> None:
    """Everything a GeoPackage says about its tables, and the triggers that keep it true."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    undefined = [
        ("Undefined Cartesian SRS", -1, "NONE", -1, "undefined", "undefined Cartesian coordinate reference system"),
        ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinate reference system"),
    ]
    srs_rows = {row[1]: row for row in (*undefined, _spatial_ref("EPSG:4326")[1], srs_row)}
    db.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", srs_rows.values())
    contents = "INSERT INTO gpkg_contents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    for name, layer in LAYERS.items():
        kind, srs = ("features", srs_id) if layer.geometry else ("attributes", None)
        db.execute(contents, (name, kind, name, layer.title, now, *(bounds.get(name) or (None,) * 4), srs))
        db.execute("INSERT INTO gpkg_ogr_contents VALUES (?, ?)", (name, ready[name].num_rows))
        db.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (name, ready[name].num_rows))
        if layer.geometry:
            db.execute(
                "INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, 0, 0)",
                (name, GEOMETRY, layer.geometry.upper(), srs_id),
            )
            db.execute(
                "INSERT INTO gpkg_extensions VALUES (?, ?, 'gpkg_rtree_index', ?, 'write-only')",
                (name, GEOMETRY, f"{SPECIFICATION}#extension_rtree"),
            )
    db.execute(contents, ("layer_styles", "attributes", "layer_styles", "QGIS", now, None, None, None, None, None))
    db.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
        "styleQML, styleSLD, useAsDefault, description, owner) VALUES ('', '', ?, ?, ?, ?, '', 1, ?, '')",
        [
            (name, GEOMETRY, name, qgis_styles.qml(LAYERS[name]), LAYERS[name].title)
            for name in LAYERS
            if LAYERS[name].geometry
        ],
    )
    for table in ("gpkg_metadata", "gpkg_metadata_reference"):
        db.execute(
            "INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_metadata', ?, 'read-write')",
            (table, f"{SPECIFICATION}#extension_metadata"),
        )
    db.execute(
        "INSERT INTO gpkg_metadata VALUES (1, 'dataset', ?, 'application/json', ?)", (METADATA_URI, info.to_json())
    )
    db.execute("INSERT INTO gpkg_metadata_reference VALUES ('geopackage', NULL, NULL, NULL, ?, 1, NULL)", (now,))
    triggers = [geopackage_sql.COUNT_TRIGGERS.format(t=name) for name in LAYERS]
    triggers += [geopackage_sql.INDEX_TRIGGERS.format(t=name) for name, layer in LAYERS.items() if layer.geometry]
    db.executescript("BEGIN;" + "".join(triggers) + "COMMIT;")
