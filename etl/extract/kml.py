"""KML placemarks. GDAL's driver turns Chinese field names into underscores, so the XML is read here."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import shapely

from etl.faults import FileFault


def read(path: Path, where: str) -> tuple[pa.Table, pa.Array]:
    """All placemarks of a document in its order: attributes as text (``name``, ``description``, extended data under
    their own names), and WKB geometry in WGS 84 (the only CRS of KML), null where there is none.

    Raises
    ------
    FileFault
        Not well-formed XML, or no placemark.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise FileFault(
            "KML 打不开",
            where=where,
            found=f"XML 第 {error.position[0]} 行不完整",
            expected="完整的 KML",
            remedy="重新导出该文件",
        ) from error
    rows, shapes = [], []
    for mark in (e for e in root.iter() if _tag(e) == "Placemark"):
        row: dict[str, str] = {}
        for child in mark:
            if _tag(child) in ("name", "description"):
                row[_tag(child)] = (child.text or "").strip()
        for data in mark.iter():
            if _tag(data) == "Data":
                row[data.get("name", "")] = next((v.text or "" for v in data if _tag(v) == "value"), "").strip()
            elif _tag(data) == "SimpleData":
                row[data.get("name", "")] = (data.text or "").strip()
        rows.append(row)
        shapes.append(_shape_of(mark))
    if not rows:
        raise FileFault(
            "文件没有要素", where=where, found="0 个 Placemark", expected="至少一个", remedy="重新导出该文件"
        )
    names = list(dict.fromkeys(n for row in rows for n in row))
    table = pa.table({n: pa.array([row.get(n, "") for row in rows], pa.string()) for n in names or ["name"]})
    return table, pa.array(shapely.to_wkb(shapes), pa.binary())


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _shape_of(mark: ElementTree.Element):
    """The first shape of a placemark; None where there is none, or where it is empty, too short or no numbers."""
    try:
        return next((s for child in mark if (s := _shape(child)) is not None), None)
    except (IndexError, ValueError, shapely.errors.GEOSException):
        return None


def _shape(element: ElementTree.Element):
    """A KML geometry as a shape; None for anything else."""
    kind = _tag(element)
    if kind == "Point":
        return shapely.Point(_coordinates(element)[0])
    if kind in ("LineString", "LinearRing"):
        return shapely.LineString(_coordinates(element))
    if kind == "Polygon":
        rings = {"outerBoundaryIs": [], "innerBoundaryIs": []}
        for edge in element:
            if _tag(edge) in rings:
                rings[_tag(edge)].append(_coordinates(edge))
        return shapely.Polygon(rings["outerBoundaryIs"][0], rings["innerBoundaryIs"])
    if kind == "MultiGeometry":
        parts = [s for child in element if (s := _shape(child)) is not None]
        kinds = {p.geom_type for p in parts}
        if len(kinds) == 1:
            multi = {
                "Point": shapely.MultiPoint,
                "LineString": shapely.MultiLineString,
                "Polygon": shapely.MultiPolygon,
            }.get(kinds.pop())
            return multi(parts) if multi else None
        return shapely.GeometryCollection(parts) if parts else None
    return None


def _coordinates(element: ElementTree.Element) -> list[tuple[float, float]]:
    text = next((e.text or "" for e in element.iter() if _tag(e) == "coordinates"), "")
    pairs = [tuple(float(v) for v in part.split(",")[:2]) for part in text.split()]
    if not all(len(pair) == 2 and math.isfinite(sum(pair)) for pair in pairs):
        raise ValueError("not a pair of numbers")
    return pairs
