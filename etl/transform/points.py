"""Points of records: read from text or geometry, put into the release's CRS, each with what is known of its quality."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyproj
import shapely

from etl.extract.raw import Raw
from etl.faults import ColumnFault, CrsFault, FileFault
from etl.sources import Source
from etl.transform import text
from geo.crs import bd09_to_wgs84, gcj02_to_wgs84, transform

CHINA_BOX = (73.0, 3.0, 136.0, 54.0)
_PLACEHOLDERS = (0.0, 1.0, 999.0, -1.0, 9999.0)
_DMS = re.compile(
    r"""^([NSEW]?)\s*(\d{1,3})\s*[°度]\s*(?:(\d{1,2})\s*['′分]\s*)?(?:(\d{1,2}(?:\.\d+)?)\s*(?:["″秒]|['′]{2})\s*)?([NSEW]?)$"""
)
SHIFTED = {"gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}


@dataclass
class Points:
    """One point per record, storage CRS. ``given`` is where the file wrote a readable, non-placeholder pair;
    ``coarse`` where it wrote fewer than 4 decimals of a degree in both; ``centred`` where a polygon or line stood for
    the place. ``notes`` counts what was put right."""

    x: np.ndarray
    y: np.ndarray
    given: np.ndarray
    coarse: np.ndarray
    centred: np.ndarray
    notes: dict[str, int] = field(default_factory=dict)


def has_points(raw: Raw) -> bool:
    """Whether the file gives coordinates at all."""
    return raw.geometry is not None or any(f in raw.columns for f in ("lon", "lat", "lon_lat", "wkt"))


def read(raw: Raw, source: Source) -> Points:
    """Coordinates as written, not yet converted (the source's own CRS).

    ``lon`` and ``lat``, ``lon_lat`` ("113.6,34.7", longitude first), ``wkt``, else the file's geometry; degrees may be
    decimal or 113°37′10″. 0/0, 1/1, 999 and blanks are not given.

    Raises
    ------
    ColumnFault
        When only one of lon and lat is mapped.
    """
    if ("lon" in raw.columns) != ("lat" in raw.columns):
        raise ColumnFault(
            "坐标只映射了一半",
            where=f"{source.id} {raw.file}",
            found="lon 或 lat 缺一",
            expected="lon 与 lat",
            remedy="在 [source.columns] 中补上另一列",
        )
    centred = np.zeros(len(raw), bool)
    coarse = np.zeros(len(raw), bool)
    if "lon" in raw.columns:
        lon_text, lat_text = text.column(raw, source, "lon"), text.column(raw, source, "lat")
    elif "lon_lat" in raw.columns:
        pair = pc.replace_substring_regex(text.column(raw, source, "lon_lat"), r"^[\s(\[]+|[\s)\]]+$", "")
        parts = pc.extract_regex(pair, r"^(?P<lon>[^,;\s、]+)[,;\s、]+(?P<lat>[^,;\s、]+)$")
        lon_text, lat_text = (pc.fill_null(parts.field(n), "") for n in ("lon", "lat"))
    else:
        lon_text = None
    if lon_text is not None:
        x, y = _degrees(lon_text), _degrees(lat_text)
        coarse = _coarse(x, y, lon_text, lat_text)
    else:
        shapes = geometry(raw, source)
        if shapes is None:
            nothing = np.full(len(raw), np.nan)
            return Points(nothing, nothing.copy(), ~centred & False, coarse, centred)
        kinds = shapely.get_type_id(shapes)
        centred = (kinds > 0) & (kinds != 4)
        spots = np.where(kinds == 0, shapes, shapely.point_on_surface(shapes))
        x, y = shapely.get_x(spots), shapely.get_y(spots)
    placeholder = (x == y) & np.isin(x, _PLACEHOLDERS) | ((x == 0) & (y == 0))
    given = np.isfinite(x) & np.isfinite(y) & ~placeholder & ~np.isin(x, (999.0, 9999.0)) & ~np.isin(y, (999.0, 9999.0))
    return Points(np.where(given, x, np.nan), np.where(given, y, np.nan), given, coarse & given, centred & given)


def _coarse(x: np.ndarray, y: np.ndarray, lon_text: pa.Array, lat_text: pa.Array) -> np.ndarray:
    """Where both are written with fewer than 4 decimals. Writers that trim trailing zeros leave 1 in 100 pairs of
    4 decimals looking shorter; for them the limit is 3."""
    out = np.zeros(x.size, bool)
    short = np.ones(x.size, bool)
    for values in (x, y):
        with np.errstate(invalid="ignore"):
            short &= np.abs(values * 1e3 - np.round(values * 1e3)) < 1e-6
    at = np.flatnonzero(short)
    if not at.size:
        return out
    trimmed = len(x) >= 100 and not pc.any(pc.match_substring_regex(lon_text, r"\.\d*0$")).as_py()
    fine = rf"\.\d{{{3 if trimmed else 4},}}|[°度]|[eE]"
    index = pa.array(at)
    out[at] = ~(
        pc.match_substring_regex(lon_text.take(index), fine).to_numpy(zero_copy_only=False)
        | pc.match_substring_regex(lat_text.take(index), fine).to_numpy(zero_copy_only=False)
    )
    return out


def geometry(raw: Raw, source: Source) -> np.ndarray | None:
    """Shapes of the records from mapped ``wkt`` or the file's geometry; unreadable ones are None.

    Raises
    ------
    FileFault
        A ``wkt`` column that holds text and not one readable shape.
    """
    if "wkt" in raw.columns:
        return _from_wkt(raw, source)
    if raw.geometry is None:
        return None
    return shapely.from_wkb(raw.geometry.to_numpy(zero_copy_only=False), on_invalid="ignore")


def _from_wkt(raw: Raw, source: Source) -> np.ndarray:
    written = pc.replace_substring_regex(text.column(raw, source, "wkt"), r"^(?i:SRID)\s*=\s*\d+\s*;\s*", "")
    shapes = shapely.from_wkt(np.array(written.to_pylist(), dtype=object), on_invalid="ignore")
    if shapely.is_missing(shapes).all() and pc.any(pc.not_equal(written, "")).as_py():
        raise FileFault(
            "wkt 列一个图形也读不出来",
            where=f"{source.id} {raw.file} 列 {raw.columns['wkt'][0]}",
            found="不是 WKT 的文字",
            expected="如 POINT(117.1 36.6)",
            remedy="改正 wkt 映射的列，或重新导出该列",
        )
    return shapes


def _degrees(array: pa.Array) -> np.ndarray:
    """Folded text as numbers; degrees, minutes and seconds are read where a plain number fails."""
    values = text.numbers(array)
    odd = np.flatnonzero(np.isnan(values) & pc.not_equal(array, "").to_numpy(zero_copy_only=False))
    if odd.size:
        written = array.take(pa.array(odd)).dictionary_encode()
        known = np.array([_sexagesimal(word) for word in written.dictionary.to_pylist()])
        values[odd] = known[written.indices.to_numpy()]
    return values


def _sexagesimal(word: str) -> float:
    """Degrees of 113°37′10″, NaN where it is no such text."""
    found = _DMS.match(word)
    if found is None:
        return np.nan
    head, degree, minute, second, tail = found.groups()
    value = int(degree) + int(minute or 0) / 60 + float(second or 0) / 3600
    return -value if (head or tail) in ("S", "W") else value


def source_crs(source: Source, raw: Raw) -> str | None:
    """The declared CRS: ``gcj02`` and ``bd09`` as such, any other as pyproj reads it, None where nothing says."""
    declared = source.crs.strip().lower()
    if declared in SHIFTED:
        return declared
    if declared in ("wgs84", "cgcs2000"):
        return "EPSG:4326" if declared == "wgs84" else "EPSG:4490"
    if declared != "auto":
        try:
            return pyproj.CRS.from_user_input(source.crs).to_wkt()
        except pyproj.exceptions.CRSError as error:
            raise CrsFault(
                "不是坐标系代码",
                where=source.id,
                found=source.crs,
                expected="EPSG:…、wgs84、cgcs2000、gcj02、bd09 或 auto",
                remedy="改正来源的 crs",
            ) from error
    return raw.crs


def short_name(crs: str | None) -> str | None:
    """A CRS as the accounts name it: EPSG code, gcj02, bd09, or its own name."""
    if crs is None or crs in SHIFTED:
        return crs
    parsed = pyproj.CRS.from_user_input(crs)
    authority = parsed.to_authority(min_confidence=70)
    return ":".join(authority) if authority else parsed.name


def to_release(x: np.ndarray, y: np.ndarray, crs: str, release_crs: str) -> tuple[np.ndarray, np.ndarray]:
    """Convert coordinates of ``crs`` (see :func:`source_crs`) to the storage CRS; not finite becomes NaN."""
    if crs in SHIFTED:
        x, y = SHIFTED[crs](x, y)
        crs = "EPSG:4326"
    if _same_degrees(crs, release_crs):
        return np.asarray(x, float), np.asarray(y, float)
    x, y = transform(x, y, crs, release_crs)
    bad = ~(np.isfinite(x) & np.isfinite(y))
    return np.where(bad, np.nan, x), np.where(bad, np.nan, y)


def shapes_to_release(shapes: np.ndarray, crs: str, release_crs: str) -> np.ndarray:
    """Convert shapes vertex by vertex, z dropped."""
    shapes = shapely.force_2d(shapes)
    coordinates = shapely.get_coordinates(shapes)
    x, y = to_release(coordinates[:, 0], coordinates[:, 1], crs, release_crs)
    return shapely.set_coordinates(shapes.copy(), np.column_stack((x, y)))


def _same_degrees(a: str, b: str) -> bool:
    """WGS 84 and CGCS2000 degrees are the same numbers at this product's scale."""
    names = []
    for crs in (a, b):
        parsed = pyproj.CRS.from_user_input(crs)
        if parsed.is_geographic and any(n in parsed.name for n in ("WGS 84", "CGCS2000", "China Geodetic")):
            names.append("same")
        else:
            names.append(parsed.to_string())
    return names[0] == names[1]


def swap_back(points: Points, box: tuple[float, float, float, float]) -> None:
    """Put right pairs that lie outside the coordinate box as written and inside it with x and y exchanged."""
    x, y = points.x, points.y
    with np.errstate(invalid="ignore"):
        out = points.given & ~_inside(x, y, box)
        swapped = out & _inside(y, x, box)
    if swapped.any():
        points.x, points.y = np.where(swapped, y, x), np.where(swapped, x, y)
        points.notes["swapped"] = points.notes.get("swapped", 0) + int(swapped.sum())


def _inside(x: np.ndarray, y: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    return (x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])


def inside(points: Points, box: tuple[float, float, float, float]) -> np.ndarray:
    """Whether each given point is in the box."""
    with np.errstate(invalid="ignore"):
        return points.given & _inside(points.x, points.y, box)


def _magnitude(x: np.ndarray, y: np.ndarray) -> str:
    """How large the numbers are, never one of them: a column of telephone numbers may have been mapped."""
    return "、".join(f"约 {np.nanmedian(np.abs(values)):.1e}" for values in (x, y))


def check_plausible(points: Points, crs: str | None, source: Source, raw: Raw) -> None:
    """Refuse a file whose coordinates cannot be in its coordinate system.

    Raises
    ------
    CrsFault
        Naming a likely CGCS2000 zone where the numbers look like one.
    """
    if not points.given.any():
        return
    x, y = points.x[points.given], points.y[points.given]
    looks_metric = np.mean((np.abs(x) > 180) | (np.abs(y) > 180)) > 0.5
    if crs is None or crs in SHIFTED or pyproj.CRS.from_user_input(crs).is_geographic:
        if looks_metric:
            from geo.crs import guess_cgcs2000_zone

            guess = guess_cgcs2000_zone(x, y)
            raise CrsFault(
                "坐标不是经纬度",
                where=f"{source.id} {raw.file}",
                found=_magnitude(x, y),
                expected="米制坐标须写明 crs",
                remedy=f'在来源中写 crs = "EPSG:{guess}"，核对后重试' if guess else "在来源中写 crs，如 EPSG:4547",
            )
    elif not looks_metric and np.abs(x).max() <= 180 and np.abs(y).max() <= 90:
        raise CrsFault(
            "坐标像经纬度，声明的却是投影坐标系",
            where=f"{source.id} {raw.file}",
            found=_magnitude(x, y),
            expected=pyproj.CRS.from_user_input(crs).name,
            remedy="改正来源的 crs",
        )
