"""GeoJSON, Shapefile and GeoPackage through GDAL; GeoParquet; KML."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyogrio.errors
from shapely import to_wkb

from etl.extract import kml
from etl.extract.raw import Raw, as_text, clean_name, resolve, unique_names
from etl.extract.text import _is_utf8
from etl.faults import FileFault
from etl.sources import Source

_MIN_BYTES = 16


def read(source: Source, file: str, path: Path) -> Raw:
    """Read one vector layer, attributes as text and geometry as WKB in the file's own coordinates.

    Raises
    ------
    FileFault, ColumnFault
    """
    where = f"{source.id} {file}"
    if path.is_file() and path.stat().st_size < _MIN_BYTES:
        raise FileFault(
            "文件是空的", where=where, found=f"{path.stat().st_size} 字节", expected="矢量数据", remedy="重新导出该文件"
        )
    if path.suffix.lower() in (".parquet", ".geoparquet"):
        return _parquet(source, file, path, where)
    if path.suffix.lower() == ".kml":
        return _raw(source, file, *kml.read(path, where), "EPSG:4326", "utf-8", where)
    if path.suffix.lower() == ".shp":
        _refuse_truncated(path, where)
    encoding = _dbf_encoding(source, path)
    try:
        layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None] or [
            str(name) for name, _ in pyogrio.list_layers(path)
        ]
        wanted = _layer(source, layers, where)
        meta, table = pyogrio.read_arrow(path, layer=wanted, encoding=encoding)
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        pyogrio.errors.FieldError,
        pyogrio.errors.FeatureError,
        pa.ArrowException,
        UnicodeDecodeError,
    ) as error:
        raise FileFault(
            "矢量文件打不开",
            where=where,
            found=type(error).__name__,  # GDAL's own words may quote a value
            expected="完整的 GeoJSON、Shapefile 或 GeoPackage",
            remedy="重新导出；Shapefile 须 .shp .shx .dbf 齐全；编码不对时写明 encoding",
        ) from error
    geometry_name = meta.get("geometry_name") or "wkb_geometry"
    geometry = None
    if geometry_name in table.column_names:
        column = table[geometry_name].combine_chunks()
        geometry = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
        geometry = geometry.cast(pa.binary())
        table = table.drop_columns([geometry_name])
    fid = meta.get("fid_column") or ""
    if fid and fid in table.column_names:
        table = table.drop_columns([fid])
    return _raw(source, file, table, geometry, meta.get("crs"), encoding or meta.get("encoding"), where)


def _raw(
    source: Source,
    file: str,
    table: pa.Table,
    geometry: pa.Array | None,
    crs: str | None,
    encoding: str | None,
    where: str,
) -> Raw:
    if not table.num_rows:
        raise FileFault("文件没有要素", where=where, found="0 个要素", expected="至少一个要素", remedy="重新导出该文件")
    names = unique_names([clean_name(n) for n in table.column_names])
    text = (
        pa.table({name: as_text(table.column(i)) for i, name in enumerate(names)})
        if names
        else pa.table({"要素": pa.array([""] * table.num_rows)})
    )
    columns = resolve(source, file, names)
    return Raw(
        file,
        text,
        np.arange(1, table.num_rows + 1, dtype=np.int64),
        columns,
        geometry=geometry,
        crs=crs,
        encoding=encoding,
    )


def _layer(source: Source, layers: list[str], where: str) -> str | None:
    if source.layer is not None:
        if source.layer not in layers:
            raise FileFault(
                "没有这个图层", where=f"{where} {source.layer}", found="、".join(layers), remedy="改正来源的 layer"
            )
        return source.layer
    if len(layers) > 1:
        raise FileFault(
            "文件有多个图层", where=where, found="、".join(layers), expected="写明读哪一个", remedy="在来源中写 layer"
        )
    return layers[0] if layers else None


def _part(path: Path, suffix: str) -> Path | None:
    """A sibling file of a Shapefile, its suffix in either case."""
    return next((p for s in (suffix, suffix.upper()) if (p := path.with_suffix(s)).is_file()), None)


def _refuse_truncated(path: Path, where: str) -> None:
    """GDAL reads what is left of a half-copied Shapefile without a word, so its parts are held against each other."""
    shx, dbf = _part(path, ".shx"), _part(path, ".dbf")
    told: list[str] = []
    try:
        stated = 2 * struct.unpack(">i", _head(path)[24:28])[0]
        if stated != path.stat().st_size:
            told.append(f".shp 应有 {stated} 字节，实有 {path.stat().st_size}")
        shapes = None if shx is None else (shx.stat().st_size - 100) // 8
        if dbf is not None:
            rows, header, length = struct.unpack("<IHH", _head(dbf)[4:12])
            held = (dbf.stat().st_size - header) // max(length, 1)
            if held < rows:
                told.append(f".dbf 应有 {rows} 条，实有 {max(held, 0)}")
            if shapes is not None and shapes != rows:
                told.append(f".shx 有 {shapes} 个图形，.dbf 有 {rows} 条")
    except struct.error:
        told.append("文件头不完整")
    if told:
        raise FileFault(
            "Shapefile 各部分对不上，文件可能被截断",
            where=where,
            found="；".join(told),
            expected=".shp .shx .dbf 条数一致",
            remedy="重新复制或导出全部文件",
        )


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(32)


def _dbf_encoding(source: Source, path: Path) -> str | None:
    """The DBF's encoding: as declared; else by a .cpg; else by its bytes, since its language byte is often wrong."""
    if path.suffix.lower() != ".shp":
        return None if source.encoding == "auto" else source.encoding
    if source.encoding != "auto":
        return source.encoding
    if (cpg := _part(path, ".cpg")) is not None:
        name = cpg.read_text("ascii", "ignore").strip()
        return {"936": "GB18030", "GBK": "GB18030", "GB2312": "GB18030", "CP936": "GB18030"}.get(
            name.upper(), name
        ) or None
    dbf = _part(path, ".dbf")
    if dbf is None:
        return None
    return "UTF-8" if _is_utf8(dbf.read_bytes()[32:].replace(b"\x00", b" ")) else "GB18030"


def _parquet(source: Source, file: str, path: Path, where: str) -> Raw:
    """GeoParquet (geometry column and CRS from its ``geo`` metadata) or plain Parquet with coordinate columns."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise FileFault(
            "Parquet 文件打不开",
            where=where,
            found=type(error).__name__,
            expected="完整的 Parquet",
            remedy="重新导出该文件",
        ) from error
    geo = json.loads((table.schema.metadata or {}).get(b"geo", b"{}"))
    geometry, crs = None, None
    if geo:
        name = geo["primary_column"]
        described = geo["columns"][name]
        crs = json.dumps(described["crs"]) if described.get("crs") else "OGC:CRS84"
        column = table[name].combine_chunks()
        column = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
        if described.get("encoding", "WKB").upper() == "WKB":
            geometry = column.cast(pa.binary())
        else:  # GeoArrow encodings are left to geopandas
            import geopandas

            geometry = pa.array(to_wkb(geopandas.read_parquet(path, columns=[name]).geometry.values), pa.binary())
        table = table.drop_columns([name])
    return _raw(source, file, table, geometry, crs, None, where)
