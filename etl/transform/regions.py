"""Areas and grids: codes, polygons, and who belongs to whom."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from data import code_rules
from data.schema import GRID_KINDS, LAYERS, LEVELS
from etl import layers
from etl.extract.raw import Raw
from etl.faults import CrsFault
from etl.sources import Source
from etl.transform import points, text, times
from etl.transform.common import Context, words
from geo import regions as geo_regions
from geo.crs import DatumEvidence, detect_datum_polygons

LEVEL_WORDS = {
    "省": "province",
    "市": "city",
    "地市": "city",
    "地级市": "city",
    "区": "district",
    "县": "district",
    "区县": "district",
    "区(县)": "district",
    "县(区)": "district",
    "county": "district",
    "街道": "street",
    "镇": "street",
    "乡": "street",
    "乡镇": "street",
    "镇街": "street",
    "街道(乡镇)": "street",
    "town": "street",
    "社区": "community",
    "村": "community",
    "社区(村)": "community",
    "village": "community",
}
UPPER = ("community", "street", "district")  # of a grid, near to far
# Columns that are filled in where no source gives them; what the sources said is kept beside the release for --append.
DERIVED = {
    "area": ("parent_code", "population", "households"),
    "grid": ("community_code", "street_code", "district_code"),
}


def area_code(code: str) -> str:
    """An area code as it is kept: the national GB prefix 156 of a 9-digit district code (156 + 6) is dropped."""
    return code[3:] if re.fullmatch(r"156\d{6}", code) else code


def read(
    raw: Raw, source: Source, context: Context, run: int, keep: np.ndarray, reference: gpd.GeoSeries | None
) -> pd.DataFrame:
    """Rows of one area or grid file as a frame of the layer's columns, ``geometry`` (storage CRS, None where the file
    has none), ``run`` and ``row``. Rows without a code, with a faulty one, or with an unusable shape are rejected."""
    layer = LAYERS[source.kind]
    frame = pd.DataFrame({"run": run, "row": raw.row})
    for column in layer.columns:
        value = text.column(raw, source, column.name)
        if value is None:
            frame[column.name] = None
            continue
        value = text.mapped_values(value, source, column.name)
        if column.type == pa.int64():
            frame[column.name] = text.whole(value).to_pandas(types_mapper=pd.ArrowDtype)
        elif column.type == pa.date32():
            start = times.parse(value, zone=context.zone, source_zone=None).start
            frame[column.name] = pd.array(start.astype("datetime64[D]").astype("datetime64[s]"))
        else:
            frame[column.name] = text.empty_to_null(value).to_pandas().astype(object)
    frame["geometry"] = _shapes(raw, source, context, run, reference)
    frame = frame[keep].reset_index(drop=True)
    code = layer.columns[0].name
    if source.kind == "area":
        frame["code"] = [area_code(c) if isinstance(c, str) else None for c in frame["code"]]
        frame["level"] = words(
            pa.array(frame["level"].fillna("").astype(str), pa.string()),
            source,
            "level",
            {**LEVEL_WORDS, **{n: n for n in LEVELS}},
            None,
            context,
        ).to_pandas()
        frame = _reject(frame, frame["level"].isna(), context, run, "unknown_level")
    else:
        frame["kind"] = [k if k in GRID_KINDS else None for k in frame["kind"]]
    return _reject(frame, frame[code].isna(), context, run, "missing_code")


def complete(frame: pd.DataFrame, code: str, context: Context, *, drawn_only: bool) -> pd.DataFrame:
    """One row per code and validity from several sources: the first that draws it is the base, rows without a shape
    fill what it leaves blank (a table of populations beside the polygons), another drawing is rejected. With
    ``drawn_only`` a code that no source draws is rejected."""
    accounts = context.accounts
    frame = frame.assign(drawn=frame["geometry"].notna()).sort_values(
        ["drawn", "run"], ascending=[False, True], kind="stable"
    )
    key = [code, "valid_from"]
    again = frame.duplicated(key).to_numpy()
    # A table without dates speaks for the grid whatever its validity.
    undated = ~frame["drawn"] & frame["valid_from"].isna() & frame[code].isin(frame.loc[frame["drawn"], code])
    extra = again | undated.to_numpy()
    redrawn = extra & frame["drawn"].to_numpy()
    for run in np.unique(frame.loc[redrawn, "run"]):
        accounts.reject(
            int(run),
            frame.loc[redrawn & (frame["run"] == run), "row"].to_numpy(),
            "duplicate_id",
            "编号在另一来源中已有图形",
        )
    base, fill = frame[~extra], frame[extra & ~redrawn]
    for name in [
        c for c in frame.columns if c not in (code, "run", "row", "geometry", "drawn", "valid_from", "valid_to")
    ]:
        values = fill.dropna(subset=[name]).drop_duplicates(code).set_index(code)[name]
        blank = base[name].isna()
        if len(values) and blank.any():
            base = base.assign(**{name: base[name].astype(object).where(~blank, base[code].map(values))})
    if drawn_only:
        lost = ~base["drawn"].to_numpy(bool)
        for run in np.unique(base.loc[lost, "run"]):
            accounts.reject(int(run), base.loc[lost & (base["run"] == run), "row"].to_numpy(), "no_shape")
        base = base[~lost]
    return base.drop(columns="drawn").reset_index(drop=True)


def check_codes(frame: pd.DataFrame, kind: str, context: Context) -> pd.DataFrame:
    """Reject codes that break the China rules (domain 2.3, 2.4); nothing where codes are opaque."""
    if not context.china or frame.empty:
        return frame
    if kind == "grid":
        faults = code_rules.grid_code_fault(frame["grid_code"].tolist())
    else:
        faults = np.full(len(frame), None, object)
        for level in LEVELS:
            at = (frame["level"] == level).to_numpy()
            if at.any():
                faults[at] = code_rules.area_code_fault(frame.loc[at, "code"].tolist(), level)
    bad = np.array([f is not None for f in faults])
    for (run, fault), part in frame[bad].assign(fault=faults[bad]).groupby(["run", "fault"]):
        context.accounts.reject(int(run), part["row"].to_numpy(), "bad_code", f"编码不合规则：{fault}")
    return frame[~bad].reset_index(drop=True)


def looks_chinese(codes: pd.Series, shapes: pd.Series) -> bool:
    """Whether most grid codes (or area codes, where there are no grids) follow the China rules, and nothing is drawn
    outside China: census codes of other countries have 12 and 15 digits too."""
    drawn = np.array([*shapes.dropna(), None], object)[:-1]
    if codes.empty or (
        drawn.size and not shapely.box(*points.CHINA_BOX).covers(shapely.box(*shapely.total_bounds(drawn)))
    ):
        return False
    fits = codes.astype(str).str.fullmatch(r"[1-9]\d{5}(\d{3}(\d{3}(\d{3})?)?)?")
    return bool(fits.mean() > 0.5)


def _reject(frame: pd.DataFrame, bad: pd.Series, context: Context, run: int, reason: str) -> pd.DataFrame:
    bad = bad.to_numpy(dtype=bool)
    context.accounts.reject(run, frame.loc[bad, "row"].to_numpy(), reason)
    return frame[~bad].reset_index(drop=True)


def _shapes(raw: Raw, source: Source, context: Context, run: int, reference: gpd.GeoSeries | None) -> np.ndarray:
    """Polygons in the storage CRS, invalid ones repaired and counted; None where there is none."""
    shapes = points.geometry(raw, source)
    if shapes is None:
        return np.full(len(raw), None, object)
    declared = points.source_crs(source, raw)
    accounts = context.accounts.runs[run]
    accounts.crs_declared = source.crs if source.crs != "auto" else points.short_name(raw.crs)
    if declared is None:
        raise CrsFault(
            "没有坐标系",
            where=f"{source.id} {raw.file}",
            found="文件未带坐标系（如缺 .prj）",
            expected="EPSG 代码",
            remedy="在来源中写 crs，如 EPSG:4490",
        )
    probe = points.Points(
        *(c := shapely.get_coordinates(shapes[~shapely.is_missing(shapes)])).T,
        np.ones(len(c), bool),
        np.zeros(len(c), bool),
        np.zeros(len(c), bool),
    )
    points.check_plausible(probe, declared, source, raw)
    if source.crs == "auto" and reference is not None:
        declared = _datum(shapes, declared, source, raw, context, reference) or declared
    accounts.crs_detected = points.short_name(declared)
    shapes = points.shapes_to_release(shapes, declared, context.crs)
    invalid = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    if invalid.any():
        shapes[invalid] = shapely.make_valid(shapes[invalid])
        context.count(source.id, "geometry_repaired", invalid.sum())
    return multipolygons(shapes)


def _datum(
    shapes: np.ndarray, declared: str, source: Source, raw: Raw, context: Context, reference: gpd.GeoSeries
) -> str | None:
    """The shifted datum a file of degrees fits better than its label; None where its label stands."""
    if declared in points.SHIFTED or not points.pyproj.CRS.from_user_input(declared).is_geographic:
        return None
    evidence = detect_datum_polygons(shapes[~shapely.is_missing(shapes)], reference)
    context.of(source.id).setdefault("datum", []).append(datum_note(raw.file, evidence))
    return evidence.hypothesis if evidence.hypothesis in points.SHIFTED else None


def datum_note(file: str, evidence: DatumEvidence) -> dict:
    """Datum evidence as quality.json tells it."""
    return {
        "file": file,
        "method": evidence.method,
        "hypothesis": evidence.hypothesis,
        "evidence": {k: round(float(v), 4) for k, v in evidence.evidence.items()},
        "n": int(evidence.n),
        "reason": evidence.reason,
    }


def multipolygons(shapes: np.ndarray) -> np.ndarray:
    """The polygonal part of each shape as MultiPolygon; None where there is none."""
    out = np.full(len(shapes), None, object)
    kinds = shapely.get_type_id(shapes)
    filled = ~shapely.is_empty(shapes)
    single, multi = np.flatnonzero((kinds == 3) & filled), np.flatnonzero((kinds == 6) & filled)
    out[single] = shapely.multipolygons(shapes[single], indices=np.arange(single.size))
    out[multi] = shapes[multi]
    for i in np.flatnonzero((kinds == 7) & filled):  # what make_valid leaves: polygons beside lines and points
        parts = [p for p in shapely.get_parts(shapes[i]) if p.geom_type in ("Polygon", "MultiPolygon")]
        if parts:
            out[i] = multipolygons(np.array([shapely.union_all(parts)], object))[0]
    return out


def valid_at(frame: pd.DataFrame, day: np.datetime64 | None) -> np.ndarray:
    """Rows whose validity holds ``day``; all where no day is known."""
    if day is None or frame.empty:
        return np.ones(len(frame), bool)
    when = pd.Timestamp(day)
    start, end = pd.to_datetime(frame["valid_from"]), pd.to_datetime(frame["valid_to"])
    return ((start.isna() | (start <= when)) & (end.isna() | (end > when))).to_numpy()


@dataclass
class Hierarchy:
    """Areas and grids of a release, sorted by code, with their parents filled in."""

    areas: pd.DataFrame
    grids: pd.DataFrame


def hierarchy(areas: pd.DataFrame, grids: pd.DataFrame, context: Context) -> Hierarchy:
    """Fill in every parent: by code where the China rules hold, then by declared columns, then by largest shared area
    (ties to the smallest code). Levels that grids name but no area draws are dissolved from the grids."""
    areas = areas.sort_values(["code", "valid_from"], kind="stable").reset_index(drop=True)
    grids = grids.sort_values(["grid_code", "valid_from"], kind="stable").reset_index(drop=True)
    areas, grids = (
        frame.assign(drawn=frame["geometry"].notna(), **{f"said_{name}": frame[name] for name in DERIVED[layer]})
        for layer, frame in (("area", areas), ("grid", grids))
    )
    known = {level: set(areas.loc[areas["level"] == level, "code"]) for level in LEVELS}
    parent = dict(zip(areas["code"], areas["parent_code"], strict=True))
    for position, level in enumerate(UPPER):
        column = f"{level}_code"
        if context.china:
            width = {"community": 12, "street": 9, "district": 6}[level]
            grids[column] = grids["grid_code"].str[:width]
            continue
        missing = grids[column].isna()
        if position and missing.any():
            below = grids[f"{UPPER[position - 1]}_code"].map(parent)
            grids.loc[missing, column] = below[missing].where(below[missing].isin(known[level]))
            missing = grids[column].isna()
        candidates = areas[(areas["level"] == level) & areas["geometry"].notna()]
        if missing.any() and len(candidates):
            found = geo_regions.nest(
                gpd.GeoSeries(grids.loc[missing, "geometry"].tolist(), crs=context.crs),
                gpd.GeoDataFrame(
                    {"code": candidates["code"].tolist()}, geometry=candidates["geometry"].tolist(), crs=context.crs
                ),
            )
            codes = np.append(candidates["code"].to_numpy(object), None)[found]
            grids.loc[missing, column] = codes
        grids[column] = grids[column].astype(object).where(grids[column].notna(), None)
    areas = _dissolved(areas, grids, context)
    areas = _parents(areas, grids, context)
    return Hierarchy(_totals_of_grids(areas, grids), grids)


def _totals_of_grids(areas: pd.DataFrame, grids: pd.DataFrame) -> pd.DataFrame:
    """Population and households of areas that no source gives them for: the sum of their grids, where all have one."""
    now = grids[grids["valid_to"].isna()]
    for name in ("population", "households"):
        values = pd.to_numeric(now[name].astype(object), errors="coerce")
        for level in UPPER:
            codes = now[f"{level}_code"]
            sums = values.groupby(codes).agg(lambda part: part.sum(skipna=False))
            blank = areas[name].isna() & (areas["level"] == level)
            found = areas.loc[blank, "code"].map(sums)
            if found.notna().any():
                areas[name] = areas[name].astype(object)
                areas.loc[found.index[found.notna()], name] = found.dropna().astype(int)
    return areas


def _dissolved(areas: pd.DataFrame, grids: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Add or draw the areas that grids name: a union of their grids. Population is left to declared areas."""
    made = []
    shapes = gpd.GeoSeries(grids["geometry"].tolist(), crs=context.crs)
    for level in UPPER:
        named = grids[f"{level}_code"]
        drawn = set(areas.loc[(areas["level"] == level) & areas["geometry"].notna(), "code"])
        wanted = named.where(named.notna() & ~named.isin(drawn))
        if not wanted.notna().any():
            continue
        union = geo_regions.dissolve(shapes, wanted.to_numpy(object))
        for code, shape in zip(union.iloc[:, 0], multipolygons(union.geometry.to_numpy()), strict=True):
            at = np.flatnonzero((areas["code"] == code) & (areas["level"] == level))
            if at.size:
                areas.at[at[0], "geometry"] = shape
            else:
                made.append({"code": code, "name": None, "level": level, "geometry": shape, "run": -1, "row": 0})
        context.of("（区域）").setdefault("dissolved", {})[level] = len(union)
    if made:
        areas = pd.concat([areas, pd.DataFrame(made)], ignore_index=True)
    return areas.sort_values(["code"], kind="stable").reset_index(drop=True)


def _parents(areas: pd.DataFrame, grids: pd.DataFrame, context: Context) -> pd.DataFrame:
    """parent_code of every area: declared, by code, from the grids below, or by shared area."""
    level_of = dict(zip(areas["code"], areas["level"], strict=True))
    from_grids: dict[str, str] = {}
    for low, high in itertools.pairwise(UPPER):
        pairs = grids[[f"{low}_code", f"{high}_code"]].dropna().drop_duplicates(f"{low}_code")
        from_grids.update(zip(pairs[f"{low}_code"], pairs[f"{high}_code"], strict=True))
    out = []
    for code, level, declared in zip(areas["code"], areas["level"], areas["parent_code"], strict=True):
        found = declared if isinstance(declared, str) and declared in level_of else None
        if found is None and context.china:
            above = [code[:9], code[:6], code[:4] + "00", code[:2] + "0000"]
            found = next(
                (c for c in above if c in level_of and c != code and LEVELS.index(level_of[c]) < LEVELS.index(level)),
                None,
            )
        if found is None:
            found = from_grids.get(code)
        out.append(found)
    areas["parent_code"] = pd.array(out, dtype=object)
    drawn = areas["geometry"].notna()
    for position, level in enumerate(LEVELS[1:], start=1):
        orphans = areas.index[(areas["level"] == level) & areas["parent_code"].isna() & drawn]
        for upper in reversed(LEVELS[:position]):
            candidates = areas[(areas["level"] == upper) & drawn]
            if not len(orphans) or not len(candidates):
                continue
            found = geo_regions.nest(
                gpd.GeoSeries(areas.loc[orphans, "geometry"].tolist(), crs=context.crs),
                gpd.GeoDataFrame(
                    {"code": candidates["code"].tolist()}, geometry=candidates["geometry"].tolist(), crs=context.crs
                ),
            )
            areas.loc[orphans, "parent_code"] = np.append(candidates["code"].to_numpy(object), None)[found]
            orphans = orphans[areas.loc[orphans, "parent_code"].isna()]
    return areas


def origin(frame: pd.DataFrame, layer: str) -> pa.Table:
    """Where each row came from, and what its source said of the columns that are derived."""
    came = layers.origin(frame["run"].to_numpy(), frame["row"].to_numpy())
    for name in DERIVED[layer]:
        said = pa.array(frame[f"said_{name}"], LAYERS[layer].arrow_schema().field(name).type, from_pandas=True)
        came = came.append_column(name, said)
    return came.append_column("drawn", pa.array(frame["drawn"].fillna(False).astype(bool)))


def to_table(frame: pd.DataFrame, layer_name: str) -> pa.Table:
    """A frame of :func:`read` as the layer's Arrow table."""
    schema = LAYERS[layer_name].arrow_schema()
    columns = []
    for item in schema:
        if item.name == "geom":
            shapes = np.array([*frame["geometry"], None], dtype=object)[:-1]
            columns.append(pa.array(shapely.to_wkb(shapes), pa.binary()))
        elif pa.types.is_date(item.type):
            days = pd.to_datetime(frame[item.name]) if item.name in frame else pd.Series([pd.NaT] * len(frame))
            columns.append(pa.array(days.to_numpy().astype("datetime64[D]"), pa.date32(), mask=days.isna().to_numpy()))
        else:
            values = frame[item.name] if item.name in frame else pd.Series([None] * len(frame))
            columns.append(pa.array(values, item.type, from_pandas=True))
    return pa.table(columns, schema=schema)
