"""Writing files whose bytes depend on nothing but their content."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import pyogrio
import shapely
import xlsxwriter

from etl.demo.frame import DATA_TIME, DATA_TIME_EPOCH_S

CRS = "EPSG:4490"


def stamp(path: Path) -> None:
    """Give a file the time of the data, as if it had been filed that morning."""
    os.utime(path, (DATA_TIME_EPOCH_S, DATA_TIME_EPOCH_S))


@contextmanager
def gzip_text(path: Path, encoding: str):
    """A text stream into a gzip file without name and time in its header."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", 4, raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding=encoding, newline="") as text,
    ):
        yield text


@contextmanager
def workbook(path: Path):
    """A new workbook whose properties carry the data time."""
    book = xlsxwriter.Workbook(path, {"constant_memory": False, "strings_to_numbers": False})
    book.set_properties({"title": "合成数据", "created": DATA_TIME})
    yield book
    book.close()


def write_geojson(path: Path, shapes: np.ndarray, properties: Sequence[dict]) -> None:
    """One FeatureCollection in lon, lat of CGCS2000, 7 decimals."""
    lines = [
        f'{{"type":"Feature","properties":{json.dumps(row, ensure_ascii=False)},"geometry":{shape}}}'
        for row, shape in zip(properties, shapely.to_geojson(shapes), strict=True)
    ]
    crs = '"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::4490"}}'
    head = f'{{"type":"FeatureCollection","name":"合成数据",{crs},"features":[\n'
    path.write_text(head + ",\n".join(lines) + "\n]}\n", encoding="utf-8")


def write_shapefile(folder: Path, stem: str, shapes: np.ndarray, columns: dict[str, np.ndarray], zipped: bool) -> Path:
    """A polygon shapefile in GB18030 that does not say so: no .cpg, no language byte in the .dbf."""
    path = folder / f"{stem}.shp"
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes),
        list(columns.values()),
        list(columns),
        geometry_type="Polygon",
        crs=CRS,
        encoding="GB18030",
        layer_options={"RESIZE": "YES", "DBF_DATE_LAST_UPDATE": f"{DATA_TIME:%Y-%m-%d}"},
    )
    path.with_suffix(".cpg").unlink(missing_ok=True)
    table = path.with_suffix(".dbf")
    with table.open("r+b") as file:
        file.seek(29)
        file.write(b"\0")
    parts = [path.with_suffix(ending) for ending in (".shp", ".shx", ".dbf", ".prj")]
    if not zipped:
        return path
    archive = folder / f"{stem}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in parts:
            info = zipfile.ZipInfo(part.name, DATA_TIME.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, part.read_bytes())
            part.unlink()
    return archive


def write_layers(path: Path, layers: dict[str, tuple[str, np.ndarray, dict[str, np.ndarray]]]) -> None:
    """A GeoPackage of several layers: name -> (geometry type, shapes, columns)."""
    path.unlink(missing_ok=True)
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{DATA_TIME:%Y-%m-%dT%H:%M:%S.000Z}"})
    try:
        for name, (kind, shapes, columns) in layers.items():
            pyogrio.raw.write(
                path,
                shapely.to_wkb(shapes),
                list(columns.values()),
                list(columns),
                layer=name,
                driver="GPKG",
                geometry_type=kind,
                crs=CRS,
                append=path.exists(),
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def excel_serial(minute_stamp: datetime) -> float:
    """Days since 1899-12-30, as Excel keeps times."""
    return (minute_stamp - datetime(1899, 12, 30)).total_seconds() / 86400
