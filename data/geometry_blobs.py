"""GeoPackage geometry blobs (12-128r17, clause 2.1.3): a header with the CRS and mostly an envelope, then ISO WKB.

Everything is little-endian and x, y (longitude, latitude) whatever the axis order of the CRS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from data.errors import DataFault

_POINT = np.dtype(
    [
        ("magic", "S2"),
        ("version", "u1"),
        ("flags", "u1"),
        ("srs", "<i4"),
        ("order", "u1"),
        ("kind", "<u4"),
        ("x", "<f8"),
        ("y", "<f8"),
    ]
)
_POINT_WKB = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])
_HEADER = np.dtype([("magic", "S2"), ("version", "u1"), ("flags", "u1"), ("srs", "<i4"), ("envelope", "<f8", (4,))])
POINT_BYTES = _POINT.itemsize
LITTLE_ENDIAN, XY_ENVELOPE, EMPTY = 0x01, 0x02, 0x10
_SINGLE = {"MultiPolygon": (3, shapely.multipolygons), "MultiLineString": (1, shapely.multilinestrings)}
_KINDS = {"Point": 0, "LineString": 1, "Polygon": 3, "MultiLineString": 5, "MultiPolygon": 6}


@dataclass(frozen=True)
class Shapes:
    """The geometry column of one layer.

    ``fids`` (m,) int64: rows that have a shape, row i of the table being fid i + 1. ``minx, maxx, miny, maxy`` (m,)
    float64: their boxes (for points the pairs are the same array).
    """

    fids: np.ndarray
    minx: np.ndarray
    maxx: np.ndarray
    miny: np.ndarray
    maxy: np.ndarray
    source: pa.Table | pa.Array
    srs_id: int

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """(minx, miny, maxx, maxy); None where nothing has a shape."""
        if not len(self.fids):
            return None
        return (float(self.minx.min()), float(self.miny.min()), float(self.maxx.max()), float(self.maxy.max()))

    def blobs(self, start: int, rows: int) -> pa.Array:
        """Blobs of ``rows`` rows from ``start``; null where a row has no shape."""
        if isinstance(self.source, pa.Table):
            return _point_blobs(self.source.slice(start, rows), self.srs_id)
        return self.source.slice(start, rows)


def of_points(x: pa.ChunkedArray, y: pa.ChunkedArray, srs_id: int, *, where: str) -> Shapes:
    """Shapes of a point layer from its coordinates; null in either is no point.

    Raises
    ------
    DataFault
        A coordinate is NaN or infinite.
    """
    if not (x.null_count or y.null_count):
        present, px, py = None, x.to_numpy(), y.to_numpy()
    else:
        present = pc.and_(pc.is_valid(x), pc.is_valid(y))
        px, py = x.filter(present).to_numpy(), y.filter(present).to_numpy()
    bad = len(px) - np.count_nonzero(np.isfinite(px) & np.isfinite(py))
    if bad:
        raise DataFault("坐标不是有限数", where=where, found=f"{bad} 行", expected="数值，或整行坐标为空")
    fids = np.arange(1, len(x) + 1) if present is None else np.flatnonzero(present.to_numpy()) + 1
    return Shapes(fids, px, px, py, py, pa.table({"x": x, "y": y}), srs_id)


def of_wkb(wkb: pa.ChunkedArray, geometry: str, srs_id: int, *, where: str) -> Shapes:
    """Shapes of a polygon or line layer from WKB; single parts are promoted to the layer's multi type, Z is dropped.

    Raises
    ------
    DataFault
        A geometry cannot be read, has a coordinate that is no number, or is of another kind.
    """
    try:
        shapes = shapely.force_2d(shapely.from_wkb(wkb.to_numpy(zero_copy_only=False)))
    except shapely.errors.ShapelyError as fault:
        raise DataFault("几何读不出", where=where, found=str(fault), expected="WKB") from fault
    kinds = shapely.get_type_id(shapes)
    single, promote = _SINGLE.get(geometry, (None, None))
    for row in np.flatnonzero(kinds == single) if promote else ():
        shapes[row] = promote([shapes[row]])
    present = kinds >= 0
    wrong = present & (shapely.get_type_id(shapes) != _KINDS[geometry])
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataFault("几何类型不符", where=f"{where} 第{row + 1}行", found=shapes[row].geom_type, expected=geometry)
    filled = present & ~shapely.is_empty(shapes)
    boxes = shapely.bounds(shapes)
    if bad := np.count_nonzero(~np.isfinite(boxes[filled]).all(axis=1)):
        raise DataFault("坐标不是有限数", where=where, found=f"{bad} 行", expected="数值")
    header = np.zeros(len(shapes), dtype=_HEADER)
    header["magic"], header["srs"] = b"GP", srs_id
    header["flags"] = np.where(filled, LITTLE_ENDIAN | XY_ENVELOPE, LITTLE_ENDIAN | EMPTY)
    header["envelope"] = boxes[:, [0, 2, 1, 3]]
    raw = header.view(np.uint8).reshape(len(header), _HEADER.itemsize)
    heads = [row[: _HEADER.itemsize if full else 8].tobytes() for row, full in zip(raw, filled, strict=True)]
    bodies = shapely.to_wkb(shapes, byte_order=1, flavor="iso")
    blobs = pa.array(
        [None if body is None else head + body for head, body in zip(heads, bodies, strict=True)], type=pa.binary()
    )
    kept = boxes[filled]
    return Shapes(np.flatnonzero(filled) + 1, kept[:, 0], kept[:, 2], kept[:, 1], kept[:, 3], blobs, srs_id)


def _point_blobs(points: pa.Table, srs_id: int) -> pa.Array:
    x, y = (points[name].combine_chunks() for name in ("x", "y"))
    blobs = np.empty(len(x), dtype=_POINT)
    blobs["magic"], blobs["version"], blobs["flags"], blobs["srs"] = b"GP", 0, LITTLE_ENDIAN, srs_id
    blobs["order"], blobs["kind"] = 1, 1
    blobs["x"], blobs["y"] = x.fill_null(0).to_numpy(), y.fill_null(0).to_numpy()
    present = pc.and_(pc.is_valid(x), pc.is_valid(y))
    validity = None if pc.all(present).as_py() in (True, None) else present.buffers()[1]
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(POINT_BYTES), len(x), [validity, pa.py_buffer(blobs.view(np.uint8))]
    )


def coordinates(wkb: pa.ChunkedArray, *, where: str) -> list[pa.Array]:
    """x and y of little-endian point WKB; null where there is no point or an empty one.

    Raises
    ------
    DataFault
        Something else than two-dimensional points is among them.
    """
    column = wkb.combine_chunks().cast(pa.binary())
    filled = column.drop_null()
    points = np.frombuffer(b"" if not len(filled) else filled.buffers()[2], dtype=np.uint8)
    if len(points) != len(filled) * _POINT_WKB.itemsize or (points.view(_POINT_WKB)["kind"] != 1).any():
        raise DataFault("几何类型不符", where=where, expected="二维点")
    points = points.view(_POINT_WKB)
    rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    axes = []
    for axis in ("x", "y"):
        values = np.full(len(column), np.nan)
        values[rows] = points[axis]
        axes.append(pa.array(values, mask=np.isnan(values)))
    return axes
