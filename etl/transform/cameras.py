"""Cameras (一机一档) and what they cover."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from data import code_rules
from data.schema import DEVICE_STATES, LAYERS, NETWORKS
from etl.extract.raw import Raw
from etl.sources import Source
from etl.transform import points, text, times
from etl.transform.common import Context, words
from etl.transform.incidents import hashed_ids
from geo.coverage import ALL_ROUND, DIRECTIONS, camera_areas
from geo.crs import metre_crs, transform

_COMPASS = {
    n: i * 22.5
    for i, n in enumerate(
        ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"]
    )
}
_WORDS = {"东": 90.0, "西": 270.0, "南": 180.0, "北": 0.0, "东南": 135.0, "东北": 45.0, "西南": 225.0, "西北": 315.0}
_RANGE = re.compile(r"^(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)$")
_STATE_CODES = {"1": "在用", "2": "维修", "3": "拆除", **{s: s for s in DEVICE_STATES}}
_NETWORK_WORDS = {
    "天网工程": "天网",
    "雪亮工程": "雪亮",
    "地网工程": "地网",
    "社会资源": "社会",
    "社会面": "社会",
    **{n: n for n in NETWORKS},
}


def read(
    raw: Raw, source: Source, context: Context, run: int, keep: np.ndarray, place: points.Points, inside: np.ndarray
) -> tuple[pa.Table, np.ndarray]:
    """Rows of ``camera`` (without grid) and the file row of each. ``place`` is already in the storage CRS; ``inside``
    tells which points are in the coordinate box. Cameras without a usable point are rejected: they cannot be drawn."""
    accounts = context.accounts
    if "camera_code" in raw.columns:
        codes = text.column(raw, source, "camera_code")
        blank = keep & pc.equal(codes, "").to_numpy(zero_copy_only=False)
        accounts.reject(run, raw.row[blank], "missing_code")
        keep = keep & ~blank
        if context.china:
            keep = _check_codes(codes, raw, context, source, run, keep)
    else:
        names = [n for n in raw.table.column_names]
        parts = [raw.table[n].combine_chunks() for n in names]
        spots = [pa.array(v).cast(pa.string()) for v in (np.nan_to_num(place.x), np.nan_to_num(place.y))]
        codes = hashed_ids(pc.binary_join_element_wise(*parts, *spots, "\x1f"))
    lost = keep & ~(place.given & inside)
    accounts.reject(run, raw.row[lost], "no_point")
    keep = keep & ~lost
    at = pa.array(np.flatnonzero(keep))
    columns: dict[str, pa.Array] = {"camera_code": codes.take(at)}
    for name in ("name", "location_type"):
        value = text.column(raw, source, name)
        if value is not None:
            columns[name] = text.empty_to_null(text.mapped_values(value, source, name)).take(at)
    for name, table in (("network", _NETWORK_WORDS), ("device_state", _STATE_CODES)):
        value = text.column(raw, source, name)
        if value is not None:
            columns[name] = words(value, source, name, table, None, context).take(at)
    for name in ("online", "networked", "hd"):
        value = text.column(raw, source, name)
        if value is not None:
            columns[name] = text.flags(text.mapped_values(value, source, name)).take(at)
    for name, low, high in (("range_m", 0.0, 20_000.0), ("serviceable_pct", 0.0, 100.0)):
        value = text.column(raw, source, name)
        if value is not None:
            number = text.numbers(pc.replace_substring_regex(value, r"\s*(米|m|%)$", ""))
            with np.errstate(invalid="ignore"):
                bad = ~((number >= low) & (number <= high)) | ((number <= 0) & (name == "range_m"))
            columns[name] = pa.array(number, mask=bad).take(at)
    bearing, fov = _look(raw, source, context)
    columns["bearing_deg"] = pa.array(bearing, mask=np.isnan(bearing)).take(at)
    columns["fov_deg"] = pa.array(fov, mask=np.isnan(fov)).take(at)
    for name, unit in (("status_at", "s"), ("installed_on", "D")):
        value = text.column(raw, source, name)
        if value is not None:
            moment = times.parse(value, zone=context.zone, source_zone=source.timezone).start.astype(
                f"datetime64[{unit}]"
            )
            columns[name] = pa.array(moment, mask=np.isnat(moment)).take(at)
    columns["x"], columns["y"] = pa.array(place.x[keep]), pa.array(place.y[keep])
    schema = LAYERS["camera"].arrow_schema()
    n = int(keep.sum())
    return pa.table(
        {f.name: columns[f.name].cast(f.type) if f.name in columns else pa.nulls(n, f.type) for f in schema},
        schema=schema,
    ), raw.row[keep]


def _check_codes(codes: pa.Array, raw: Raw, context: Context, source: Source, run: int, keep: np.ndarray) -> np.ndarray:
    """GB/T 28181: another device is no camera, a near miss of 20 digits is an error, any other text a ledger number."""
    digits = pc.match_substring_regex(codes, r"^\d{17,23}$").to_numpy(zero_copy_only=False)
    length = pc.utf8_length(codes).to_numpy(zero_copy_only=False)
    wrong = keep & digits & (length != 20)
    context.accounts.reject(run, raw.row[wrong], "bad_code", "设备编码不是20位")
    keep = keep & ~wrong
    national = keep & digits
    faults = code_rules.camera_code_fault(codes)
    other = np.array([f is not None for f in faults], bool) & national
    for fault in sorted({faults[i] for i in np.flatnonzero(other)}):
        at = other & (faults == fault)
        context.accounts.reject(run, raw.row[at], "not_a_camera", f"设备不入摄像机图层：{fault}")
    context.count(source.id, "other_ledger_ids", (keep & ~digits).sum())
    return keep & ~other


def _look(raw: Raw, source: Source, context: Context) -> tuple[np.ndarray, np.ndarray]:
    """Bearing and field of view, NaN where unknown. A range such as 239-284 keeps its width; several directions in one
    cell (60;240) are several lenses and stay unknown, counted."""
    fov_text = text.column(raw, source, "fov_deg")
    fov = (
        text.numbers(pc.replace_substring_regex(fov_text, r"\s*[°度]$", ""))
        if fov_text is not None
        else np.full(len(raw), np.nan)
    )
    with np.errstate(invalid="ignore"):
        fov[~((fov > 0) & (fov <= 360))] = np.nan
    bearing = np.full(len(raw), np.nan)
    written = text.column(raw, source, "bearing_deg")
    if written is not None:
        several = 0
        for i, word in enumerate(written.to_pylist()):
            if not word:
                continue
            if found := _RANGE.match(word):
                first, last = float(found[1]) % 360, float(found[2]) % 360
                width = (last - first) % 360 or 360.0
                bearing[i], fov[i] = (first + width / 2) % 360, width
            elif word.upper() in _COMPASS:
                bearing[i] = _COMPASS[word.upper()]
            elif word in _WORDS:
                bearing[i] = _WORDS[word]
            else:
                number = text.numbers(pa.array([word]))[0]
                if np.isfinite(number) and 0 <= number <= 360:
                    bearing[i] = number % 360
                else:
                    several += 1
        context.count(source.id, "direction_unreadable", several)
    code = text.column(raw, source, "direction")
    if code is not None:
        for i, word in enumerate(text.mapped_values(code, source, "direction").to_pylist()):
            if word == ALL_ROUND:
                fov[i] = 360.0
            elif word in DIRECTIONS:
                bearing[i] = DIRECTIONS[word]
            elif word in _WORDS:
                bearing[i] = _WORDS[word]
    return bearing, fov


def coverage(cameras: pa.Table, crs: str, context: Context) -> pa.Table:
    """``camera_coverage``: a sector where bearing and field of view are known, else a circle (an upper estimate).
    Areas are measured in a local metre projection, shapes kept in the storage CRS."""
    schema = LAYERS["camera_coverage"].arrow_schema()
    if not cameras.num_rows:
        return schema.empty_table()
    x, y = (cameras[n].to_numpy() for n in ("x", "y"))
    bearing, fov, reach = (cameras[n].to_numpy().astype(float) for n in ("bearing_deg", "fov_deg", "range_m"))
    metric = metre_crs((x.min(), y.min(), x.max(), y.max()))
    east, north = transform(x, y, crs, metric)
    drawn = camera_areas(east, north, bearing, fov, reach)
    if drawn.range_assumed.any():
        noted = {"range_assumed": int(drawn.range_assumed.sum()), "range_assumed_m": drawn.default_range_m}
        context.of("（视频覆盖）").update(noted)
    shapes = drawn.areas.copy()  # moved back in place below
    area = shapely.area(shapes)
    coordinates = shapely.get_coordinates(shapes)
    lon, lat = transform(coordinates[:, 0], coordinates[:, 1], metric, crs)
    shapes = shapely.set_coordinates(shapes, np.column_stack((lon, lat)))
    return pa.table(
        {
            "camera_code": cameras["camera_code"],
            "method": pa.array(drawn.method),
            "area_m2": pa.array(area),
            "online": cameras["online"],
            "geom": pa.array(shapely.to_wkb(shapes), pa.binary()),
        },
        schema=schema,
    )
