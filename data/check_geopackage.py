"""Rules of the file itself: GeoPackage 1.3 tables, geometry blobs, spatial indexes, declared layers and columns."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import adbc_driver_sqlite.dbapi as adbc
import numpy as np
import pyarrow as pa
import shapely

from data import geopackage, geopackage_sql, rtree
from data.check_findings import INFO, Finding, Subject, error, warning
from data.geometry_blobs import EMPTY, LITTLE_ENDIAN
from data.schema import DAY, FLAG, LAYERS, REAL, TEXT, TIME, WHOLE, Layer

GEOMETRY = geopackage.GEOMETRY
_CORE = [name for name in re.findall(r"CREATE TABLE (gpkg_\w+)", geopackage_sql.CORE) if "ogr" not in name]
# How a stored value shows that it is not of the declared type. Affinity turns numbers in text columns into text and
# whole numbers in REAL columns into reals; in SQLite's order texts stand above numbers and blobs above texts.
_STORED = {
    TEXT: ("{} >= x''", "文本"),
    WHOLE: ("typeof({}) NOT IN ('integer', 'null')", "整数"),
    REAL: ("typeof({}) NOT IN ('real', 'null')", "数值"),
    FLAG: ("{} NOT IN (0, 1)", "0 或 1"),
    TIME: (
        "{} NOT GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]'",
        "年-月-日T时:分:秒，当地时间，不带时区",
    ),
    DAY: ("{} NOT GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'", "年-月-日"),
}
_INTEGER_TYPES = ("INTEGER", "INT", "MEDIUMINT", "SMALLINT", "TINYINT")
_ENVELOPE_BYTES = np.array([0, 32, 48, 48, 64])  # by the envelope code of the header


def structure(subject: Subject) -> Iterator[Finding]:
    """Header, core tables, reference systems, contents, geometry columns, extensions, triggers, layers and columns."""
    for suffix in ("-wal", "-shm", "-journal"):
        if subject.file.with_name(subject.file.name + suffix).exists():
            yield error("gpkg.closed", subject.file.name + suffix, "文件未关闭", "没有 -wal、-shm、-journal")
    with closing(subject.connect()) as db:
        ((application_id,),) = db.execute("PRAGMA application_id")
        ((version,),) = db.execute("PRAGMA user_version")
        ((journal,),) = db.execute("PRAGMA journal_mode")
        if application_id != geopackage.APPLICATION_ID:
            yield error("gpkg.application_id", subject.file.name, hex(application_id), hex(geopackage.APPLICATION_ID))
        if not 10200 <= version < 10500:
            yield error("gpkg.user_version", subject.file.name, version, "10200 至 10499")
        if journal == "wal":
            yield error("gpkg.journal", subject.file.name, journal, "delete：只读文件夹中能打开")
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if missing := [name for name in _CORE if name not in tables]:
            yield error("gpkg.core_tables", subject.file.name, "缺 " + "、".join(missing))
            return
        yield from _contents(db, tables)
        for layer in LAYERS.values():
            if layer.name not in tables:
                yield error("schema.layer", layer.name, "没有这个图层")
                continue
            yield from _columns(db, layer)
            if layer.geometry:
                yield from _geometry_column(db, layer, tables)
        for table, row, parent, _ in db.execute("PRAGMA foreign_key_check"):
            yield error("gpkg.foreign_key", f"{table} 行 {row}", f"{parent} 中没有对应的行")


def integrity(subject: Subject) -> Iterator[Finding]:
    """SQLite's own check of the file's pages."""
    with closing(subject.connect()) as db:
        for (text,) in db.execute("PRAGMA integrity_check(10)"):
            if text != "ok":
                yield error("gpkg.integrity", subject.file.name, text, "ok")


def _contents(db: sqlite3.Connection, tables: set[str]) -> Iterator[Finding]:
    systems = {srs_id for (srs_id,) in db.execute("SELECT srs_id FROM gpkg_spatial_ref_sys")}
    if missing := sorted({-1, 0, 4326} - systems):
        yield error("gpkg.srs_rows", "gpkg_spatial_ref_sys", f"缺 {missing}", "-1、0、4326 各一行")
    listed = {}
    for name, kind, changed, srs_id in db.execute(
        "SELECT table_name, data_type, last_change, srs_id FROM gpkg_contents"
    ):
        listed[name] = kind
        if name not in tables:
            yield error("gpkg.contents", name, "列在 gpkg_contents 中，但没有这张表")
        if srs_id is not None and srs_id not in systems:
            yield error("gpkg.contents", name, f"srs_id {srs_id}", "gpkg_spatial_ref_sys 中有的")
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", str(changed)):
            yield error("gpkg.contents", name, f"last_change {changed}", "ISO 8601，以 Z 结尾")
    for layer in LAYERS.values():
        expected = "features" if layer.geometry else "attributes"
        if layer.name in tables and listed.get(layer.name) != expected:
            yield error("gpkg.contents", layer.name, listed.get(layer.name, "没有登记"), expected)


def _columns(db: sqlite3.Connection, layer: Layer) -> Iterator[Finding]:
    stored = {row[1]: row for row in db.execute(f'PRAGMA table_info("{layer.name}")')}
    keys = [name for name, row in stored.items() if row[5]]
    if keys != ["fid"] or stored["fid"][2].upper() != "INTEGER":
        yield error("gpkg.primary_key", layer.name, "、".join(keys) or "没有主键", "fid INTEGER PRIMARY KEY")
    for column in layer.columns:
        where = f"{layer.name}.{column.name}"
        if column.name not in stored:
            yield error("schema.column", where, "没有这一列")
            continue
        declared, wanted = stored[column.name][2].upper(), geopackage_sql.SQL_TYPES[column.type]
        same = declared == wanted or (wanted == "INTEGER" and declared in _INTEGER_TYPES)
        if not same and not (wanted == "DOUBLE" and declared == "REAL"):
            yield error("schema.type", where, declared, wanted)
    extra = set(stored) - {"fid", GEOMETRY, *layer.names}
    if extra:
        yield error("schema.extra_column", layer.name, "、".join(sorted(extra)), "只有声明过的列")


def _geometry_column(db: sqlite3.Connection, layer: Layer, tables: set[str]) -> Iterator[Finding]:
    row = db.execute(
        "SELECT column_name, geometry_type_name, srs_id, z, m FROM gpkg_geometry_columns WHERE table_name = ?",
        (layer.name,),
    ).fetchone()
    if row is None:
        yield error("gpkg.geometry_columns", layer.name, "没有登记几何列")
        return
    if (row[0], row[1], *row[3:]) != (GEOMETRY, layer.geometry.upper(), 0, 0):
        yield error("gpkg.geometry_columns", layer.name, row, f"{GEOMETRY} {layer.geometry.upper()} z=0 m=0")
    index = f"rtree_{layer.name}_{GEOMETRY}"
    registered = db.execute(
        "SELECT 1 FROM gpkg_extensions WHERE table_name = ? AND column_name = ? "
        "AND extension_name = 'gpkg_rtree_index'",
        (layer.name, GEOMETRY),
    ).fetchone()
    if index not in tables or not registered:
        yield error("gpkg.rtree", layer.name, "没有空间索引或没有登记", index)
        return
    wanted = set(re.findall(r"CREATE TRIGGER (\w+)", geopackage_sql.INDEX_TRIGGERS.format(t=layer.name)))
    present = {
        name
        for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (layer.name,)
        )
    }
    if version_14 := {name for name in present if name.endswith(("_update6", "_update7"))}:
        wanted -= {f"{index}_update1", f"{index}_update3"}
        wanted |= version_14
    if missing := sorted(wanted - present):
        yield error("gpkg.rtree_triggers", layer.name, "缺 " + "、".join(missing))
    ((indexed,),) = db.execute(f"SELECT count(*) FROM {index}_rowid")
    ((shapes,),) = db.execute(f"SELECT count({GEOMETRY}) FROM {layer.name}")
    if indexed > shapes:
        yield error("gpkg.rtree_rows", layer.name, f"索引 {indexed} 条", f"不多于 {shapes} 个几何")
    style = (
        db.execute("SELECT 1 FROM layer_styles WHERE f_table_name = ? AND useAsDefault", (layer.name,)).fetchone()
        if "layer_styles" in tables
        else None
    )
    if style is None:
        yield warning("qgis.style", layer.name, "没有默认样式")


def values(subject: Subject) -> Iterator[Finding]:
    """Every stored value has the declared type, required columns hold no null, times are wall-clock without offset."""
    with closing(subject.connect()) as db:
        for layer in LAYERS.values():
            faults = {}
            for column in layer.columns:
                name = f'"{column.name}"'
                if column.required:
                    faults["schema.required", column.name, "必填"] = f"{name} IS NULL"
                test, expected = _STORED[column.type]
                faults["schema.stored_value", column.name, expected] = test.format(name)
            # One pass tells nearly always that all is well; only then is each column counted.
            try:
                ((bad,),) = db.execute(f"SELECT count(*) FROM {layer.name} WHERE {' OR '.join(faults.values())}")
                for (rule, name, expected), test in faults.items() if bad else ():
                    ((rows,),) = db.execute(f"SELECT count(*) FROM {layer.name} WHERE {test}")
                    if rows:
                        yield error(rule, f"{layer.name}.{name}", f"{rows} 行不符", expected)
            except sqlite3.OperationalError:
                continue  # a missing table or column is told by `structure`
    yield Finding(
        "time.no_offset",
        INFO,
        subject.file.name,
        f"时间为 {subject.info.timezone} 的当地时间，不带时区",
        "GeoPackage 要求以 Z 结尾；此为约定的偏差",
    )


def geometries(subject: Subject) -> Iterator[Finding]:
    """Blob headers name the layer's CRS; the index is sound and agrees with every geometry."""
    with closing(adbc.connect(f"{subject.file.resolve().as_uri()}?mode=ro")) as db, closing(db.cursor()) as cursor:
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": "65536"})
        for layer in LAYERS.values():
            if layer.geometry:
                try:
                    yield from _geometry(cursor, layer)
                except adbc.DatabaseError as fault:
                    yield error("gpkg.unreadable", layer.name, fault)


def _query(cursor: adbc.Cursor, sql: str) -> list[pa.Array]:
    cursor.execute(sql)
    return [column.combine_chunks() for column in cursor.fetch_arrow_table().columns]


def _geometry(cursor: adbc.Cursor, layer: Layer) -> Iterator[Finding]:
    srs = _query(cursor, f"SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = '{layer.name}'")[0]
    if not len(srs):
        return
    fids, blobs = _query(cursor, f"SELECT fid, {GEOMETRY} FROM {layer.name} WHERE {GEOMETRY} IS NOT NULL ORDER BY fid")
    fids = fids.to_numpy()
    boxes = np.zeros((0, 4))
    if len(fids):
        empty, boxes, faults = _headers(blobs.cast(pa.binary()), srs[0].as_py())
        for found, expected in faults:
            yield error("gpkg.geometry_blob", layer.name, found, expected)
        if faults:
            return
        fids = fids[~empty]
    yield from _index(cursor, layer.name, fids, boxes)


def _headers(blobs: pa.Array, srs_id: int) -> tuple[np.ndarray, np.ndarray, list[tuple[str, str]]]:
    """Which blobs are empty, the boxes (minx, maxx, miny, maxy) of the others, and what is wrong with the headers."""
    offsets = np.frombuffer(blobs.buffers()[1], np.int32)[blobs.offset : blobs.offset + len(blobs) + 1].astype(np.int64)
    raw = np.frombuffer(blobs.buffers()[2], np.uint8)
    if (np.diff(offsets) < 8).any():
        return np.zeros(0, bool), np.zeros((0, 4)), [("几何短于 8 字节", "GeoPackage 几何头")]
    head = _bytes_at(raw, offsets[:-1], 8)
    flags = head[:, 3]
    faults = []
    if wrong := np.count_nonzero((head[:, :3] != (0x47, 0x50, 0)).any(axis=1)):
        faults.append((f"{wrong} 个几何头不是 GP 版本 0", "GP 0"))
    little = (flags & LITTLE_ENDIAN).astype(bool)
    words = np.ascontiguousarray(head[:, 4:])
    srs = np.where(little, words.view("<i4")[:, 0], words.view(">i4")[:, 0])
    if wrong := np.count_nonzero(srs != srs_id):
        faults.append((f"{wrong} 个几何的 srs_id 为 {int(srs[srs != srs_id][0])}", str(srs_id)))
    kinds = (flags >> 1) & 7
    if (kinds >= len(_ENVELOPE_BYTES)).any():
        faults.append(("几何头的外包框代码无效", "0 至 4"))
    if faults:
        return np.zeros(0, bool), np.zeros((0, 4)), faults
    starts = offsets[:-1] + 8 + _ENVELOPE_BYTES[kinds]
    empty = (flags & EMPTY).astype(bool)
    sizes = offsets[1:] - starts
    if (sizes == 21).all() and (raw[starts] == 1).all():  # points: x and y follow byte order and type
        xy = _bytes_at(raw, starts + 5, 16).view("<f8")
        empty |= np.isnan(xy[:, 0])
        return empty, np.repeat(xy[~empty], 2, axis=1), []
    buffer = raw.tobytes()
    bounds = shapely.bounds(
        shapely.from_wkb(
            [buffer[start:stop] for start, stop in zip(starts, offsets[1:], strict=True)], on_invalid="ignore"
        )
    )
    empty |= np.isnan(bounds[:, 0])
    return empty, bounds[~empty][:, [0, 2, 1, 3]], []


def _bytes_at(raw: np.ndarray, starts: np.ndarray, width: int) -> np.ndarray:
    """(n, width) bytes of ``raw`` from each start; evenly spaced starts, as points have, are cut without a gather."""
    step = int(starts[1] - starts[0]) if len(starts) > 1 else width
    if step < width or (np.diff(starts) != step).any():
        return raw[starts[:, None] + np.arange(width)]
    rows = np.lib.stride_tricks.as_strided(raw[starts[0] :], (len(starts), width), (step, 1), writeable=False)
    return np.ascontiguousarray(rows)


def _index(cursor: adbc.Cursor, name: str, fids: np.ndarray, boxes: np.ndarray) -> Iterator[Finding]:
    index = f"rtree_{name}_{GEOMETRY}"
    numbers, blobs = _query(cursor, f"SELECT nodeno, data FROM {index}_node ORDER BY nodeno")
    pairs = [
        np.column_stack([column.to_numpy() for column in _query(cursor, f"SELECT * FROM {index}_{table} ORDER BY 1")])
        for table in ("rowid", "parent")
    ]
    sizes = np.diff(np.frombuffer(blobs.buffers()[1], np.int32)[: len(blobs) + 1]) if len(blobs) else np.zeros(1)
    if sizes.min() != sizes.max() or not len(blobs):
        yield error("gpkg.rtree", index, "节点大小不一")
        return
    nodes = np.frombuffer(blobs.buffers()[2], np.uint8)[: len(blobs) * sizes[0]].reshape(len(blobs), sizes[0])
    stored = rtree.entries(rtree.StoredTree(numbers.to_numpy(), nodes, *(pair.astype(np.int64) for pair in pairs)))
    for fault in stored.faults:
        yield error("gpkg.rtree", index, fault)
    order = np.argsort(stored.ids)
    if not np.array_equal(stored.ids[order], fids):
        missing, extra = np.setdiff1d(fids, stored.ids), np.setdiff1d(stored.ids, fids)
        yield error("gpkg.rtree_rows", index, f"缺 {len(missing)} 条，多 {len(extra)} 条", "每个几何恰好一条")
        return
    held = stored.boxes[order].astype(np.float64)
    slack = np.maximum(np.abs(boxes), 1e-30) * 2.0**-21  # SQLite rounds outward by up to two units of float32
    outward = (boxes - held) * np.array([1, -1, 1, -1])
    if wrong := np.count_nonzero(((outward < 0) | (outward > slack)).any(axis=1)):
        yield error("gpkg.rtree_rows", index, f"{wrong} 条的框与几何不符")
