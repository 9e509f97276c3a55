"""Tiny cities for the ETL tests: 3 x 3 grids of 0.01 degree, written as the files a centre would hand over.

Releases are read back with sqlite3 and pyogrio, not with the project's own readers.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyogrio
import shapely

from data.releases import Workspace
from etl import pipeline

WEST, NORTH, CELL = 117.0, 36.7, 0.01
CHINA_CODES = tuple(
    f"{community}{n:03d}" for community in ("370102013006", "370102013007", "370103002001") for n in (1, 2, 3)
)
OPAQUE_CODES = tuple(f"T-{row}{column}" for row in "ABC" for column in "123")
COMMUNITIES = {"370102013006": "甸柳第一社区", "370102013007": "甸柳第二社区", "370103002001": "泺源社区"}


def cell(n: int, west: float = WEST, north: float = NORTH, size: float = CELL) -> shapely.Polygon:
    """The n-th of 9 cells, row by row from the north-west."""
    row, column = divmod(n, 3)
    return shapely.box(west + column * size, north - (row + 1) * size, west + (column + 1) * size, north - row * size)


def centre(n: int, dx: float = 0.0013, dy: float = 0.0007) -> tuple[float, float]:
    """A point inside the n-th cell that is not its centroid."""
    point = cell(n).centroid
    return round(point.x + dx, 6), round(point.y + dy, 6)


def feature_collection(features: list[tuple[dict[str, Any], Any]]) -> dict:
    """GeoJSON of (properties, geometry) pairs; geometry may be None."""
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": p, "geometry": None if g is None else shapely.geometry.mapping(g)}
            for p, g in features
        ],
    }


def csv_text(rows: list[dict[str, Any]], delimiter: str = ",") -> str:
    """Rows as CSV text; the first row names the columns."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _source_toml(source: dict[str, Any]) -> str:
    lines = ["[[source]]"]
    lines += [f"{k} = {_toml(v)}" for k, v in source.items() if not isinstance(v, dict)]
    for part in ("columns", "defaults"):
        if part in source:
            lines.append(f"[source.{part}]")
            lines += [f"{k} = {_toml(v)}" for k, v in source[part].items()]
    for name, table in source.get("values", {}).items():
        lines.append(f"[source.values.{name}]")
        lines += [f"{json.dumps(k, ensure_ascii=False)} = {_toml(v)}" for k, v in table.items()]
    return "\n".join(lines) + "\n"


@dataclass
class City:
    """A workspace under construction: files in ``inbox/``, sources declared one by one, runs, and what came out."""

    path: Path
    china: bool = True
    release: dict[str, Any] = field(default_factory=dict)
    sources: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inbox = self.path / "inbox"
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.release = {
            "title": "测试市",
            "crs": "EPSG:4490" if self.china else "EPSG:4326",
            "timezone": "Asia/Shanghai",
            "codes": "china" if self.china else "opaque",
        } | self.release

    @property
    def codes(self) -> tuple[str, ...]:
        return CHINA_CODES if self.china else OPAQUE_CODES

    def put(self, name: str, content: str | bytes | dict, encoding: str = "utf-8") -> Path:
        """Write a file into the inbox; ``.gz`` names are compressed."""
        if isinstance(content, dict):
            content = json.dumps(content, ensure_ascii=False)
        if isinstance(content, str):
            content = content.encode(encoding)
        path = self.inbox / name
        path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
        return path

    def add(self, id_: str, kind: str, path: str | None = None, **more: Any) -> City:
        """Declare a source."""
        place = {} if path is None else {"path": f"inbox/{path}"}
        self.sources = [s for s in self.sources if s["id"] != id_]
        self.sources.append({"id": id_, "kind": kind, **place, **more})
        return self

    def grids(self, extra: list[tuple[dict, Any]] = (), cells: list[Any] | None = None, **more: Any) -> City:
        """The nine grids as GeoJSON."""
        shapes = cells or [cell(n) for n in range(9)]
        features = [({"code": c, "pop": 100 + n}, g) for n, (c, g) in enumerate(zip(self.codes, shapes, strict=True))]
        self.put("grids.geojson", feature_collection(features + list(extra)))
        columns = {"grid_code": "code", "population": "pop"} | more.pop("columns", {})
        crs = more.pop("crs", "cgcs2000" if self.china else "wgs84")
        return self.add("grids", "grid", "grids.geojson", crs=crs, columns=columns, **more)

    def incidents(self, rows: list[dict[str, Any]], name: str = "jq.csv", encoding: str = "utf-8", **more: Any) -> City:
        """Incidents as CSV with the headers 编号 时间 类别 经度 纬度 网格, as far as the rows have them."""
        self.put(name, csv_text(rows), encoding)
        return self.declare_incidents(rows[0], more.pop("path", name), **more)

    def declare_incidents(self, headers: Any, path: str, id_: str = "jq", **more: Any) -> City:
        """Map whichever of the usual headers there are."""
        usual = {
            "incident_id": "编号", "occurred_from": "时间", "category": "类别", "lon": "经度", "lat": "纬度",
            "grid_code": "网格", "subcategory": "细类",
        }  # fmt: skip
        columns = {ours: theirs for ours, theirs in usual.items() if theirs in headers} | more.pop("columns", {})
        columns = {k: v for k, v in columns.items() if v is not None}
        crs = more.pop("crs", "cgcs2000" if self.china else "wgs84")
        return self.add(id_, "incident", path, columns=columns, crs=crs, **more)

    def write_sources(self) -> Path:
        """sources.toml of what was declared."""
        text = "[release]\n" + "\n".join(f"{k} = {_toml(v)}" for k, v in self.release.items()) + "\n\n"
        path = self.path / "sources.toml"
        path.write_text(text + "\n".join(_source_toml(s) for s in self.sources), "utf-8")
        return path

    def run(self, append: bool = False) -> pipeline.Outcome:
        """One run of the pipeline in this process."""
        self.write_sources()
        return pipeline.run(Workspace(self.path), append=append)

    @property
    def current(self) -> Path:
        return (self.path / "releases" / "current").resolve()

    def table(self, layer: str) -> pd.DataFrame:
        """Columns of a layer as SQLite holds them, in the order of the rows."""
        with sqlite3.connect(f"file:{self.current / 'city.gpkg'}?mode=ro", uri=True) as db:
            frame = pd.read_sql_query(f'select * from "{layer}" order by rowid', db)
        return frame.astype(object).where(frame.notna(), None)

    def shapes(self, layer: str) -> Any:
        """A layer as a GeoDataFrame through GDAL."""
        return pyogrio.read_dataframe(self.current / "city.gpkg", layer=layer)

    def quality(self) -> dict:
        """quality.json, which other systems must be able to read: NaN and Infinity are no JSON."""

        def refuse(word: str) -> None:
            raise AssertionError(f"{word} in quality.json")

        return json.loads((self.current / "quality.json").read_text("utf-8"), parse_constant=refuse)

    def rejects(self) -> dict[str, int]:
        """Rejected rows by reason code."""
        return self.table("reject")["reason_code"].value_counts().to_dict()

    def accounted(self) -> pd.DataFrame:
        """source_run summed by source; the identity of the accounts is asserted on the way."""
        runs = self.table("source_run")
        assert (runs["rows_in"] == runs["rows_out"] + runs["rows_rejected"]).all()
        rejected = self.table("reject").groupby(["source_id", "file"]).size()
        for key, group in runs.groupby(["source_id", "file"]):
            assert rejected.get(key, 0) == group["rows_rejected"].sum()
        return runs.groupby("source_id")[["rows_in", "rows_out", "rows_rejected"]].sum().astype(int)

    def everything(self) -> str:
        """All that a release's files say, as one text, to search for what must not be there."""
        parts = []
        for file in sorted(self.current.iterdir()):
            data = file.read_bytes()
            parts += [data.decode("utf-8", "replace"), data.decode("gb18030", "replace")]
        return "\n".join(parts)


def incident_rows(n: int = 9, **more: Any) -> list[dict[str, Any]]:
    """n incidents, one in each cell in turn, an hour apart from 2026-03-02 00:05 on for ten weeks, then again."""
    out = []
    for i in range(n):
        lon, lat = centre(i % 9, 0.0001 * (i // 9 % 30 + 1), 0.0002)
        when = datetime(2026, 3, 2, 0, 5) + timedelta(hours=i % 1680)
        out.append({"编号": f"J{i:05d}", "时间": str(when), "类别": "刑事", "经度": lon, "纬度": lat, **more})
    return out
