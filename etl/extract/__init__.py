"""Reading one file of a source, whatever its kind, into :class:`~etl.extract.raw.Raw`."""

from __future__ import annotations

import gzip
import hashlib
import tempfile
import zipfile
import zlib
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from etl.extract import text, vector, workbook
from etl.extract.raw import Raw, as_text, resolve
from etl.faults import FileFault
from etl.sources import Source

TABLES = (".csv", ".tsv", ".tab", ".txt")
BOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".et")
VECTORS = (".geojson", ".json", ".shp", ".gpkg", ".kml", ".parquet", ".geoparquet", ".gml", ".fgb")


def checksum(path: Path) -> str:
    """sha256 of a file; of a Shapefile, of all its parts."""
    parts = (
        sorted(p for p in path.parent.glob(path.stem + ".*") if p.is_file())
        if path.suffix.lower() == ".shp"
        else [path]
    )
    digest = hashlib.sha256()
    for part in parts:
        with part.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest() if len(parts) > 1 else b"")
            if len(parts) == 1:
                return hashlib.file_digest(stream, "sha256").hexdigest()
    return digest.hexdigest()


def read(source: Source, path: Path) -> Raw:
    """Read one file: gzip and zip are opened, then the reader is chosen by the inner name.

    Raises
    ------
    FileFault, ColumnFault
    """
    where, name = f"{source.id} {path.name}", path.name
    try:
        if path.stat().st_size == 0:
            raise FileFault("文件是空的", where=where, found="0 字节", expected="数据", remedy="重新导出该文件")
        if name.lower().endswith(".gz"):
            inner = Path(name).stem
            if Path(inner).suffix.lower() in (*TABLES, *BOOKS):
                raw = _bytes(source, name, inner, gzip.decompress(path.read_bytes()))
            else:
                with tempfile.TemporaryDirectory() as folder:
                    unpacked = Path(folder) / inner
                    with gzip.open(path, "rb") as packed, unpacked.open("wb") as out:
                        while block := packed.read(1 << 22):
                            out.write(block)
                    raw = _dispatch(source, name, unpacked)
        elif path.suffix.lower() in (".zip", ".kmz"):
            raw = _zipped(source, path, where)
        else:
            raw = _dispatch(source, name, path)
    except (
        gzip.BadGzipFile,
        zlib.error,
        EOFError,
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
    ) as error:
        raise FileFault(
            "压缩文件打不开",
            where=where,
            found=f"{type(error).__name__}，可能被截断",
            expected="完整的压缩文件",
            remedy="重新复制或导出该文件",
        ) from error
    except PermissionError as error:
        raise FileFault("文件没有读取权限", where=where, remedy="检查文件权限，或关闭占用它的程序") from error
    return _cut(source, raw) if source.query else raw


def read_database(source: Source) -> Raw:
    """Read a source given by ``url`` and ``query``; its checksum is of the rows that came back."""
    from etl.extract import database  # SQLAlchemy is slow to import and few sources need it

    raw = database.read(source)
    digest = hashlib.sha256("\x1f".join(raw.table.column_names).encode())
    for column in raw.table.columns:
        for buffer in column.combine_chunks().buffers():
            digest.update(buffer or b"")
    raw.sha256 = digest.hexdigest()
    return raw


def _dispatch(source: Source, name: str, path: Path) -> Raw:
    suffix = path.suffix.lower()
    if suffix in VECTORS:
        return vector.read(source, name, path)
    if suffix in (*TABLES, *BOOKS):
        return _bytes(source, name, path.name, path.read_bytes())
    raise FileFault(
        "不认识的文件类型",
        where=f"{source.id} {name}",
        found=suffix or "没有扩展名",
        expected="csv tsv xlsx xls geojson shp gpkg kml parquet，或其 gz、zip",
        remedy="另存为其中一种",
    )


def _bytes(source: Source, name: str, inner: str, data: bytes) -> Raw:
    if Path(inner).suffix.lower() in BOOKS:
        return workbook.read(source, name, data)
    return text.read(source, name, data)


def _zipped(source: Source, path: Path, where: str) -> Raw:
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(path) as archive:
            if any(entry.flag_bits & 1 for entry in archive.infolist()):
                raise FileFault("压缩包加了密码", where=where, expected="没有密码的压缩包", remedy="解开后重新打包")
            archive.extractall(folder)
        inner = [
            p
            for p in sorted(Path(folder).rglob("*"))
            if p.suffix.lower() in (*VECTORS, *TABLES, *BOOKS) and "__MACOSX" not in p.parts
        ]
        if len(inner) != 1:
            raise FileFault(
                "压缩包里应恰有一个数据文件",
                where=where,
                found="、".join(p.name for p in inner) or "没有",
                expected="一个 shp、geojson、csv 等",
                remedy="拆成一个文件一个压缩包",
            )
        return _dispatch(source, path.name, inner[0])


def _cut(source: Source, raw: Raw) -> Raw:
    """Apply a file source's ``query``: SQL over the table ``source``, e.g. ``select * from source where …``."""
    table = raw.table.append_column("__row", pa.array(np.arange(len(raw))))
    connection = duckdb.connect(config={"enable_external_access": "false"})
    try:
        connection.register("source", table)
        kept = connection.sql(source.query).to_arrow_table()
    except duckdb.Error as error:
        raise FileFault(
            "query 无法执行",
            where=f"{source.id} {raw.file}",
            found=type(error).__name__,
            expected="select * from source where …",
            remedy="改正来源的 query",
        ) from error
    finally:
        connection.close()
    if "__row" not in kept.column_names:
        raise FileFault(
            "query 须保留所有列",
            where=f"{source.id} {raw.file}",
            expected="select * from source where …",
            remedy="改正来源的 query",
        )
    index = kept["__row"].to_numpy()
    if not index.size:
        raise FileFault("query 没有留下数据", where=f"{source.id} {raw.file}", found="0 行", remedy="改正来源的 query")
    kept = kept.drop_columns(["__row"])
    raw.table = pa.table({name: as_text(kept[name]) for name in kept.column_names})
    raw.columns, raw.row = resolve(source, raw.file, raw.table.column_names, final=True), raw.row[index]
    raw.geometry = raw.geometry.take(pa.array(index)) if raw.geometry is not None else None
    return raw
