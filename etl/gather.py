"""Reading every source in the order they need each other: areas, grids, places and cameras, events, reports."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from data import geopackage, releases
from data.release_info import ReleaseInfo, SourceInfo
from data.schema import LAYERS
from etl import delay, extract, layers
from etl.accounts import Accounts, Run
from etl.extract.raw import Raw
from etl.faults import ColumnFault
from etl.layers import Traced
from etl.sources import Source, Sources
from etl.transform import cameras, common, disputes, incidents, places, points, regions, reports
from etl.transform.common import Context
from etl.transform.incidents import GridIndex, Part
from etl.transform.units import Units
from geo.regions import RegionIndex, topology

Progress = Callable[[str, float], None]
KEYED = {"camera": ["camera_code"], "key_place": ["place_id"], "key_area": ["place_id"], "key_line": ["place_id"]}
DISPUTE_KEY = ["source_id", "period_start", "period_end", "area_code"]
REPORT_KEY = ["dataset", "period_start", "period_end", "area_code"]
MARGIN = 0.2  # the coordinate box outside China: the regions' box and a fifth more on each side


@dataclass
class Job:
    """One file to read; ``raw`` is there already for a database."""

    source: Source
    path: Path | None
    sha256: str
    modified: datetime
    raw: Raw | None = None


@dataclass
class Gathered:
    """Everything a release holds, in memory, and where it came from."""

    context: Context
    accounts: Accounts
    tables: dict[str, pa.Table] = field(default_factory=dict)
    origins: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    topology: Future | None = None  # of the dict that quality.json tells
    parts: dict[str, Part] = field(default_factory=dict)
    file_times: dict[str, datetime] = field(default_factory=dict)
    as_of: dict[str, np.datetime64 | None] = field(default_factory=dict)


def gather(declared: Sources, jobs: list[Job], previous: Path | None, progress: Progress) -> Gathered:
    """Read all jobs; with ``previous`` its tables are the ground they are added to."""
    spec = declared.release
    accounts = Accounts()
    context = Context(zone=spec.timezone, crs=spec.crs, accounts=accounts)
    out = Gathered(context, accounts)
    carried = _carry(previous, accounts) if previous else {}
    todo = sum(_weight(j) for j in jobs) or 1.0
    done = 0.0

    def of_kind(*kinds: str):
        """Open the jobs of some kinds one by one: (source, raw, run, keep)."""
        nonlocal done
        for job in (j for j in jobs if j.source.kind in kinds):
            progress(f"读取 {job.source.id}", 0.05 + 0.5 * done / todo)
            run = accounts.open(Run(job.source.id, job.path.name if job.path else job.raw.file, job.sha256,
                                    code_version=_version()))
            raw = job.raw or extract.read(job.source, job.path)
            accounts.runs[run].encoding = raw.encoding
            if job.path is None:
                accounts.runs[run].file = raw.file
            out.file_times[job.source.id] = max(job.modified, out.file_times.get(job.source.id, job.modified))
            yield job.source, raw, run
            accounts.close(run)
            done += _weight(job)

    tree = _regions(declared, of_kind, carried, context, out)
    grids = _grid_index(tree, context, np.ones(len(tree.grids), bool))
    units = Units(tree.areas, tree.grids)
    _incidents(of_kind, carried, context, out, grids)
    _as_of(declared, out)
    day = _release_day(declared, out)
    valid = regions.valid_at(tree.grids, day)
    out.topology = _aside(_topology, tree, context, valid)
    if not valid.all():
        grids = _grid_index(tree, context, valid)
    progress("归格", 0.56)
    _place_incidents(tree, grids, context, out, valid)
    _others(of_kind, carried, context, out, grids)
    _statistics(declared, of_kind, carried, context, out, units, tree, progress)
    out.tables["area"] = regions.to_table(tree.areas, "area")
    out.tables["grid"] = regions.to_table(tree.grids, "grid")
    for layer, frame in (("area", tree.areas), ("grid", tree.grids)):
        out.origins[layer] = (frame["run"].to_numpy(), frame["row"].to_numpy())
    out.tables["source_run"] = out.accounts.run_table()
    out.tables["reject"] = out.accounts.reject_table()
    for name, layer in LAYERS.items():
        out.tables.setdefault(name, layer.empty())
    return out


def _aside(work: Callable, *arguments) -> Future:
    """Start work in a thread of its own; GEOS lets the interpreter go on meanwhile."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(work, *arguments)
    finally:
        pool.shutdown(wait=False)


def _version() -> str:
    from importlib.metadata import version
    return version("yanpan")


def _weight(job: Job) -> float:
    return float(job.path.stat().st_size if job.path and job.path.is_file() else 1e6)


def _carry(previous: Path, accounts: Accounts) -> dict[str, Traced]:
    """The layers of the release that is added to, their runs opened with the counts they had."""
    package = previous / releases.GEOPACKAGE
    for row in geopackage.read(package, "source_run").to_pylist():
        del row["rows_out"]  # follows from the other two
        accounts.open(Run(carried=True, **row))
    accounts.carry(geopackage.read(package, "reject"))
    out = {}
    for layer in ("area", "grid", "incident", "dispute_stat", "report_status", "camera", "key_place", "key_area",
                  "key_line", "base_road", "base_building", "base_water"):
        table = geopackage.read(package, layer)
        out[layer] = Traced(table, *layers.read_origin(previous / releases.QUERY_INDEX, layer))
    return out


def _frame(traced: Traced, layer: str) -> pd.DataFrame:
    """A carried layer in the form of :func:`regions.read`."""
    frame = pd.DataFrame({"run": traced.run, "row": traced.row})
    for column in LAYERS[layer].columns:
        values = traced.table[column.name]
        if column.type == pa.string():
            frame[column.name] = np.array([*values.to_pylist(), None], object)[:-1]
        elif column.type == pa.date32():
            frame[column.name] = pd.array(values.to_numpy().astype("datetime64[s]"))
        else:
            frame[column.name] = values.to_pandas(types_mapper=pd.ArrowDtype)
    frame["geometry"] = np.array([*shapely.from_wkb(traced.table["geom"].to_numpy()), None], object)[:-1]
    return frame


def _regions(declared: Sources, of_kind, carried: dict[str, Traced], context: Context,
             out: Gathered) -> regions.Hierarchy:
    frames: dict[str, list[pd.DataFrame]] = {"area": [], "grid": []}
    for layer, parts in frames.items():
        if layer in carried:
            kept = _frame(carried[layer], layer)
            parts.append(kept[kept["run"] != layers.DERIVED])
    trusted: list[gpd.GeoSeries] = []
    for kind in ("area", "grid"):
        for source, raw, run in of_kind(kind):
            keep = common.admit(raw, source, context, run)
            frame = regions.read(raw, source, context, run, keep, pd.concat(trusted) if trusted else None)
            frames[kind].append(frame)
            if kind == "area" and frame["geometry"].notna().any() and _trusted(source, raw, context, run):
                trusted.append(gpd.GeoSeries(frame["geometry"].dropna().tolist(), crs=context.crs))
    area, grid = (pd.concat(frames[k], ignore_index=True) if frames[k] else _no_rows(k) for k in ("area", "grid"))
    codes = declared.release.codes
    context.china = codes == "china" or (codes == "auto" and regions.looks_chinese(
        grid["grid_code"] if len(grid) else area["code"]))
    area, grid = regions.check_codes(area, "area", context), regions.check_codes(grid, "grid", context)
    area = _one_each(area, "code", context, drawn_only=False)
    grid = _one_each(grid, "grid_code", context, drawn_only=True)
    tree = regions.hierarchy(area, grid, context)
    communities = tree.areas.loc[tree.areas["level"] == "community", "code"]
    context.communities = frozenset(communities) | frozenset(tree.grids["grid_code"].astype(str).str[:12])
    return tree


def _one_each(frame: pd.DataFrame, code: str, context: Context, *, drawn_only: bool) -> pd.DataFrame:
    """Identity inside each source (a later file wins), then the sources put together."""
    runs = context.accounts.runs
    frame = frame.assign(source=[runs[r].source_id if r >= 0 else "" for r in frame["run"]])
    frame = frame.iloc[layers.settle(frame, ["source", code, "valid_from"], context.accounts)].drop(columns="source")
    return regions.complete(frame.reset_index(drop=True), code, context, drawn_only=drawn_only)


def _trusted(source: Source, raw: Raw, context: Context, run: int) -> bool:
    """Boundaries whose datum is told (CGCS2000, a projected CRS, or by sources.toml) can judge others; a plain GeoJSON
    in China cannot."""
    if source.crs != "auto":
        return True
    detected = context.accounts.runs[run].crs_detected or ""
    return detected in ("gcj02", "bd09") or (raw.crs is not None and detected not in ("EPSG:4326", "OGC:CRS84"))


def _no_rows(layer: str) -> pd.DataFrame:
    return pd.DataFrame({n: pd.Series(dtype=object) for n in (*LAYERS[layer].names, "geometry")} | {
        "run": pd.Series(dtype=np.int64), "row": pd.Series(dtype=np.int64)})


def _grid_index(tree: regions.Hierarchy, context: Context, valid: np.ndarray) -> GridIndex:
    frame = tree.grids[valid]
    shapes = np.array([*frame["geometry"], None], object)[:-1]
    codes = pa.array(frame["grid_code"].tolist(), pa.string())
    drawn = np.array([*tree.areas["geometry"].dropna(), None], object)[:-1]
    box = points.CHINA_BOX if context.china else None
    if box is None and (shapes.size or drawn.size):
        west, south, east, north = shapely.total_bounds(np.concatenate([shapes, drawn]))
        dx, dy = MARGIN * (east - west), MARGIN * (north - south)
        box = (west - dx, south - dy, east + dx, north + dy)
    return GridIndex(codes, shapes, RegionIndex(shapes) if shapes.size else None, box)


def _topology(tree: regions.Hierarchy, context: Context, valid: np.ndarray) -> dict:
    """Of the valid grids: overlaps, gaps, and grids outside their community, as quality.json tells them (areas in m², worst first)."""
    grids = tree.grids[valid]
    if grids.empty:
        return {}
    shapes = gpd.GeoSeries(grids["geometry"].tolist(), crs=context.crs)
    drawn = dict(zip(tree.areas["code"], tree.areas["geometry"], strict=True))
    parents = np.array([*(drawn.get(c) for c in grids["community_code"]), None], object)[:-1]
    found = topology(shapes, parents=parents if any(p is not None for p in parents) else None)
    codes = grids["grid_code"].tolist()
    overlaps = sorted(found.overlaps, key=lambda o: -o.area_m2)
    outside = sorted(found.outside_parent, key=lambda o: -o.area_m2)
    gaps = sorted(found.gaps, key=lambda g: -g.area_m2)
    return {
        "tolerance_m2": found.tolerance_m2,
        "overlaps": len(overlaps),
        "overlap_m2": round(sum(o.area_m2 for o in overlaps), 1),
        "worst_overlaps": [[codes[o.first], codes[o.second], round(o.area_m2, 1)] for o in overlaps[:20]],
        "gaps": len(gaps),
        "gap_m2": round(sum(g.area_m2 for g in gaps), 1),
        "worst_gaps": [[round(c, 6) for c in (g.polygon.centroid.x, g.polygon.centroid.y)] + [round(g.area_m2, 1)]
                       for g in gaps[:20]],
        "outside_community": len(outside),
        "worst_outside_community": [[codes[o.position], round(o.area_m2, 1)] for o in outside[:20]],
        "repaired": len(found.repaired),
    }


def _incidents(of_kind, carried: dict[str, Traced], context: Context, out: Gathered, grids: GridIndex) -> None:
    found: dict[str, list[Part]] = {}
    if "incident" in carried:
        for part in _carried_parts(carried["incident"]):
            found.setdefault(part.source_id, []).append(part)
    for source, raw, run in of_kind("incident"):
        keep = common.admit(raw, source, context, run)
        found.setdefault(source.id, []).append(incidents.read(raw, source, context, run, keep, grids))
    for source_id, parts in found.items():
        out.parts[source_id] = incidents.settle_identity(incidents.join(parts), context)


def _carried_parts(traced: Traced) -> list[Part]:
    """The incidents of an earlier release as parts again; their grid stands for the declared one."""
    table = traced.table
    source_ids = table["source_id"].combine_chunks().dictionary_encode()
    picks = source_ids.indices.to_numpy(zero_copy_only=False)
    quality = table["location_quality"].to_pylist()
    quality = np.array(quality, object)

    def coded(name: str) -> pa.DictionaryArray:
        return pa.concat_arrays(table[name].chunks).dictionary_encode() if table[name].num_chunks else \
            pa.array([], pa.string()).dictionary_encode()

    def moments(name: str) -> np.ndarray:
        return table[name].to_numpy().astype("datetime64[s]")

    whole = Part("", traced.run.astype(np.int32), traced.row.astype(np.int32),
                 pa.concat_arrays(table["incident_id"].chunks) if table.num_rows else pa.array([], pa.string()),
                 moments("occurred_from"), moments("occurred_to"), moments("recorded_at"),
                 *(coded(n) for n in ("category", "subcategory", "status", "place_type")),
                 {n: coded(n) for n in incidents.DECLARED}, table["x"].to_numpy().astype(float),
                 table["y"].to_numpy().astype(float), quality == "low_precision", quality == "centroid",
                 (quality == "outside") & np.isnan(table["x"].to_numpy().astype(float)))
    out = []
    for i, source_id in enumerate(source_ids.dictionary.to_pylist()):
        part = whole.take(np.flatnonzero(picks == i))
        part.source_id = source_id
        out.append(part)
    return out


def _as_of(declared: Sources, out: Gathered) -> None:
    """``data_as_of`` per incident source: its latest event, spans by their end, not after its file's time."""
    zone = ZoneInfo(declared.release.timezone)
    for source_id, part in out.parts.items():
        end = np.where(np.isnat(part.to), part.start, part.to)
        limit = out.file_times.get(source_id)
        if limit is not None:
            local = np.datetime64(limit.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds"), "s")
            known = end[end <= local]
            if known.size == 0 and end.size:
                out.context.warn("events_after_file", source_id, "所有事件都晚于文件时间，数据截至取最晚事件", end.size)
                known = end
            elif (later := int((end > local).sum())):
                out.context.warn("events_after_file", source_id, "发生时间晚于文件时间，不计入数据截至", later)
        else:
            known = end
        out.as_of[source_id] = known.max() if known.size else None


def _silent(declared: Sources, out: Gathered) -> set[str]:
    known = {k: v for k, v in out.as_of.items() if v is not None}
    if not known:
        return set()
    newest = max(known.values())
    silent = set()
    for source in declared.source:
        if source.id in known:
            days = reports.SILENCE_CADENCES * reports.CADENCE_DAYS[source.cadence] + source.grace_days
            if newest - known[source.id] > np.timedelta64(days, "D"):
                silent.add(source.id)
    return silent


def _release_day(declared: Sources, out: Gathered) -> np.datetime64 | None:
    awake = [v for k, v in out.as_of.items() if v is not None and k not in _silent(declared, out)]
    return min(awake) if awake else None


def _place_incidents(tree: regions.Hierarchy, grids: GridIndex, context: Context, out: Gathered,
                     valid: np.ndarray) -> None:
    frame = tree.grids[valid]
    shapes = [s for s in (*frame["geometry"], *tree.areas["geometry"]) if s is not None]
    centroids = shapely.get_coordinates(shapely.centroid(np.array(shapes, object))) if shapes else np.zeros((0, 2))
    placed = []
    for source_id, part in out.parts.items():
        found = incidents.place(part, grids, centroids)
        context.of(source_id).update(found.notes[source_id])
        placed.append((part, found))
    codes = {n: pa.array(frame[n], pa.string(), from_pandas=True) for n in incidents.DECLARED}
    out.tables["incident"], *origin = incidents.to_table(placed, codes)
    out.origins["incident"] = tuple(origin)


def _others(of_kind, carried: dict[str, Traced], context: Context, out: Gathered, grids: GridIndex) -> None:
    """Cameras, key places and base layers."""
    found: dict[str, list[Traced]] = {n: [carried[n]] if n in carried else [] for n in (
        *KEYED, "base_road", "base_building", "base_water")}
    for source, raw, run in of_kind("camera"):
        if not points.has_points(raw):
            raise ColumnFault("必填字段未映射", where=f"{source.id} {raw.file}", found="没有坐标",
                              expected="lon 与 lat、lon_lat、wkt，或文件自带的图形", remedy="在 [source.columns] 中写明")
        keep = common.admit(raw, source, context, run)
        place = incidents.read_points(raw, source, context, run, keep, grids)
        inside = points.inside(place, grids.box) if grids.box else place.given
        table, row = cameras.read(raw, source, context, run, keep, place, inside)
        found["camera"].append(Traced.of(table, run, row))
    for source, raw, run in of_kind("key_place"):
        keep = common.admit(raw, source, context, run)
        if any(n in raw.columns for n in ("lon", "lon_lat")):
            place = incidents.read_points(raw, source, context, run, keep, grids)
            shapes = np.where(place.given, shapely.points(np.nan_to_num(place.x), np.nan_to_num(place.y)), None)
            inside = points.inside(place, grids.box) if grids.box else place.given
        else:
            shapes = places.read_shapes(raw, source, context, run)
            inside = shapely.intersects(shapely.box(*grids.box), shapes) if grids.box else ~shapely.is_missing(shapes)
        for layer, (table, row) in places.read(raw, source, context, run, keep, shapes, inside).items():
            found[layer].append(Traced.of(table, run, row))
    for kind in ("base_road", "base_building", "base_water"):
        for source, raw, run in of_kind(kind):
            keep = common.admit(raw, source, context, run)
            shapes = places.read_shapes(raw, source, context, run)
            table, row = places.read_base(raw, source, context, run, keep, shapes)
            found[kind].append(Traced.of(table, run, row))
    for layer, parts in found.items():
        whole = layers.join(parts, layer)
        if layer in KEYED and whole.table.num_rows:
            keys = whole.table.select(KEYED[layer]).to_pandas().assign(run=whole.run, row=whole.row)
            whole = whole.take(layers.settle(keys, KEYED[layer], context.accounts))
            whole.table = _with_grid(whole.table, layer, grids)
        out.tables[layer], out.origins[layer] = whole.table, (whole.run, whole.row)
    out.tables["camera_coverage"] = cameras.coverage(out.tables["camera"], context.crs, context)


def _with_grid(table: pa.Table, layer: str, grids: GridIndex) -> pa.Table:
    """Fill ``grid_code`` from the place's point (a point inside it for lines and areas)."""
    if grids.index is None:
        return table
    if "x" in table.column_names:
        x, y = table["x"].to_numpy(), table["y"].to_numpy()
    else:
        spot = shapely.point_on_surface(shapely.from_wkb(table["geom"].to_numpy()))
        x, y = shapely.get_x(spot), shapely.get_y(spot)
    at = grids.index.assign(x, y)
    code = pc.take(grids.codes, pa.array(np.maximum(at, 0), mask=at < 0))
    return table.set_column(table.column_names.index("grid_code"), "grid_code", code)


def _statistics(declared: Sources, of_kind, carried: dict[str, Traced], context: Context, out: Gathered, units: Units,
                tree: regions.Hierarchy, progress: Progress) -> None:
    """Dispute statistics and who reported what."""
    stats = [carried["dispute_stat"]] if "dispute_stat" in carried else []
    for source, raw, run in of_kind("dispute"):
        wide = disputes.pair_columns(raw.table.column_names) if not source.given(*_COUNTS) else []
        raw.columns = {**raw.columns, **{f"#{n}": (n,) for n in wide}}
        totals = raw.table.filter(pa.array(common.total_rows(raw)))
        keep = common.admit(raw, source, context, run)
        table, row = disputes.read(raw, source, context, run, keep, units, totals)
        stats.append(Traced.of(table, run, row))
    whole = layers.join(stats, "dispute_stat")
    if whole.table.num_rows:
        keys = whole.table.select(DISPUTE_KEY).to_pandas().assign(run=whole.run, row=whole.row)
        whole = whole.take(layers.settle(keys, DISPUTE_KEY, context.accounts, whole=True))
    out.tables["dispute_stat"], out.origins["dispute_stat"] = whole.table, (whole.run, whole.row)

    sheets = []
    if "report_status" in carried:
        kept = carried["report_status"]
        sheets.append(kept.take(np.flatnonzero(kept.run != layers.DERIVED)))
    datasets = {s.id for s in declared.source}
    for source, raw, run in of_kind("report_status"):
        keep = common.admit(raw, source, context, run)
        table, row = reports.read(raw, source, context, run, keep, units, datasets)
        sheets.append(Traced.of(table, run, row))
    told = layers.join(sheets, "report_status")
    if told.table.num_rows:
        keys = told.table.select(REPORT_KEY).to_pandas().assign(run=told.run, row=told.row)
        told = told.take(layers.settle(keys, REPORT_KEY, context.accounts))
    declared_sets = set(told.table["dataset"].to_pylist())
    derived = [told]
    roots = _roots(tree)
    for source in declared.source:
        if source.id in declared_sets:
            continue
        table = None
        if source.kind == "incident" and source.id in out.parts:
            table = reports.of_incidents(source, out.parts[source.id].start.astype("datetime64[D]"), roots)
        elif source.kind == "dispute":
            mine = pc.equal(out.tables["dispute_stat"]["source_id"], source.id)
            table = reports.of_disputes(source, out.tables["dispute_stat"].filter(mine))
        if table is not None and table.num_rows:
            derived.append(Traced.of(table, layers.DERIVED, np.zeros(table.num_rows)))
    whole = layers.join(derived, "report_status")
    out.tables["report_status"], out.origins["report_status"] = whole.table, (whole.run, whole.row)


_COUNTS = disputes.COUNTS


def _roots(tree: regions.Hierarchy) -> list[str]:
    """The areas that together make the city: those without a parent that hold grids."""
    codes = set(tree.areas["code"])
    top = tree.areas[~tree.areas["parent_code"].isin(codes)]
    if tree.grids.empty:
        return top["code"].tolist()
    parent = dict(zip(tree.areas["code"], tree.areas["parent_code"], strict=True))
    held: set[str] = set()
    for name in regions.UPPER:
        for code in tree.grids[f"{name}_code"].dropna().unique():
            while isinstance(code, str) and code not in held:
                held.add(code)
                code = parent.get(code)
    return [c for c in top["code"] if c in held]


def describe(declared: Sources, out: Gathered, release_id: str, code_version: str,
             previous: Path | None) -> ReleaseInfo:
    """The release's word about itself."""
    zone = ZoneInfo(declared.release.timezone)
    silent = _silent(declared, out)
    day = _release_day(declared, out)
    late = delay.seen(out, previous)
    infos = []
    for source in declared.source:
        runs = [r for r in out.accounts.runs if r.source_id == source.id]
        part = out.parts.get(source.id)
        as_of = out.as_of.get(source.id)
        if source.kind == "dispute":
            mine = out.tables["dispute_stat"].filter(pc.equal(out.tables["dispute_stat"]["source_id"], source.id))
            last = pc.max(mine["period_end"]).as_py()
            as_of = np.datetime64(last, "s") if last else None
        elif source.kind != "incident" and source.id in out.file_times:
            local = out.file_times[source.id].astimezone(zone).replace(tzinfo=None)
            as_of = np.datetime64(local.isoformat(timespec="seconds"), "s")
        infos.append(SourceInfo(
            source.id, source.kind, tuple(dict.fromkeys(r.file for r in runs)), sum(r.rows_out for r in runs),
            source.cadence, source.grace_days, part.precision if part is not None else None,
            str(part.start.min()) if part is not None and len(part) else None,
            str(as_of) if as_of is not None else None, source.id in silent, late.get(source.id)))
    return ReleaseInfo(release_id, declared.release.title, declared.release.crs, declared.release.timezone,
                       "china" if out.context.china else "opaque",
                       datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), str(day) if day is not None else None,
                       code_version, declared.release.synthetic, tuple(infos))
