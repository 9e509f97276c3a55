"""Key places, and the layers the base map draws."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from data.schema import LAYERS
from etl.extract.raw import Raw
from etl.faults import ColumnFault
from etl.sources import Source
from etl.transform import points, text
from etl.transform.common import Context
from etl.transform.incidents import hashed_ids

_SHAPE_LAYER = {0: "key_place", 1: "key_line", 5: "key_line", 3: "key_area", 6: "key_area"}
_BASE_TYPES = {"MultiLineString": (1, 5), "MultiPolygon": (3, 6)}


def read(
    raw: Raw, source: Source, context: Context, run: int, keep: np.ndarray, shapes: np.ndarray, inside: np.ndarray
) -> dict[str, tuple[pa.Table, np.ndarray]]:
    """Places by layer (points, lines and areas each go to theirs) with the file row of each. ``shapes`` are in the
    storage CRS, ``inside`` tells which lie in the coordinate box; the others and empty ones are rejected."""
    kinds = shapely.get_type_id(shapes)
    lost = keep & ~(inside & np.isin(kinds, list(_SHAPE_LAYER)))
    context.accounts.reject(run, raw.row[lost], "no_point")
    keep = keep & ~lost
    if "place_id" in raw.columns:
        ids = text.column(raw, source, "place_id")
        blank = keep & pc.equal(ids, "").to_numpy(zero_copy_only=False)
        context.accounts.reject(run, raw.row[blank], "missing_code")
        keep = keep & ~blank
    else:
        spot = shapely.to_wkt(shapely.point_on_surface(shapes), rounding_precision=7)
        given = [raw.table[n].combine_chunks() for n in raw.table.column_names] or [pa.array([""] * len(raw))]
        ids = hashed_ids(pc.binary_join_element_wise(*given, pa.array(["" if s is None else s for s in spot]), "\x1f"))
    out = {}
    for layer in ("key_place", "key_area", "key_line"):
        at = np.flatnonzero(keep & np.isin(kinds, [k for k, v in _SHAPE_LAYER.items() if v == layer]))
        if not at.size:
            continue
        index = pa.array(at)
        columns: dict[str, pa.Array] = {"place_id": ids.take(index)}
        for name in ("name", "kind", "parent_id"):
            value = text.column(raw, source, name)
            if value is not None:
                columns[name] = text.empty_to_null(text.mapped_values(value, source, name)).take(index)
        if layer == "key_place":
            columns["x"], columns["y"] = (pa.array(f(shapes[at])) for f in (shapely.get_x, shapely.get_y))
        else:
            columns["geom"] = pa.array(shapely.to_wkb(as_multi(shapes[at])), pa.binary())
        columns["attributes"] = pa.array([json.dumps({"source_id": source.id}, ensure_ascii=False)] * at.size)
        out[layer] = (_table(layer, columns, at.size), raw.row[at])
    return out


def read_base(
    raw: Raw, source: Source, context: Context, run: int, keep: np.ndarray, shapes: np.ndarray
) -> tuple[pa.Table, np.ndarray]:
    """One base layer; shapes of another kind than the layer draws are rejected."""
    allowed = _BASE_TYPES[LAYERS[source.kind].geometry]
    kinds = shapely.get_type_id(shapes)
    lost = keep & ~np.isin(kinds, allowed)
    context.accounts.reject(run, raw.row[lost], "no_shape")
    keep = keep & ~lost
    if not keep.any():
        raise ColumnFault(
            "图形类型不对",
            where=f"{source.id} {raw.file}",
            expected=LAYERS[source.kind].geometry,
            remedy="检查 kind 或文件",
        )
    at = np.flatnonzero(keep)
    columns: dict[str, pa.Array] = {"geom": pa.array(shapely.to_wkb(as_multi(shapes[at])), pa.binary())}
    for name in ("name", "kind"):
        value = text.column(raw, source, name)
        if value is not None:
            columns[name] = text.empty_to_null(text.mapped_values(value, source, name)).take(pa.array(at))
    return _table(source.kind, columns, at.size), raw.row[at]


def read_shapes(raw: Raw, source: Source, context: Context, run: int) -> np.ndarray:
    """Shapes of a place or base file in the storage CRS: its geometry or ``wkt``."""
    shapes = points.geometry(raw, source)
    if shapes is None:
        raise ColumnFault(
            "没有坐标",
            where=f"{source.id} {raw.file}",
            expected="图形、wkt 或 lon 与 lat",
            remedy="在 [source.columns] 中映射坐标列",
        )
    crs = points.source_crs(source, raw) or ("EPSG:4490" if context.china else "EPSG:4326")
    accounts = context.accounts.runs[run]
    accounts.crs_declared = source.crs if source.crs != "auto" else points.short_name(raw.crs)
    accounts.crs_detected = points.short_name(crs)
    coordinates = shapely.get_coordinates(shapes[~shapely.is_missing(shapes)])
    off = np.zeros(len(coordinates), bool)
    points.check_plausible(points.Points(*coordinates.T, ~off, off, off), crs, source, raw)
    shapes = points.shapes_to_release(shapes, crs, context.crs)
    invalid = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    if invalid.any():
        shapes[invalid] = shapely.make_valid(shapes[invalid])
        context.count(source.id, "geometry_repaired", int(invalid.sum()))
    return shapes


def as_multi(shapes: np.ndarray) -> np.ndarray:
    """Lines and polygons as their multi forms."""
    out = shapes.copy()
    for single, make in ((1, shapely.multilinestrings), (3, shapely.multipolygons)):
        at = np.flatnonzero(shapely.get_type_id(out) == single)
        if at.size:
            out[at] = make(out[at], indices=np.arange(at.size))
    return out


def _table(layer: str, columns: dict[str, pa.Array], n: int) -> pa.Table:
    schema = LAYERS[layer].arrow_schema()
    return pa.table(
        {f.name: columns[f.name].cast(f.type) if f.name in columns else pa.nulls(n, f.type) for f in schema},
        schema=schema,
    )
