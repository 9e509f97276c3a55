"""Reading every source in the order they need each other: areas, grids, places and cameras, events, reports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from data.release_info import ReleaseInfo
from data.schema import LAYERS
from etl import carry, extract, freshness, layers, region_tree
from etl.accounts import Accounts, Run
from etl.faults import ColumnFault
from etl.gathered import Gathered, Job
from etl.layers import Traced
from etl.sources import COUNTS, Sources
from etl.threads import aside
from etl.transform import cameras, common, disputes, incidents, places, placing, points, regions, reports
from etl.transform.common import Context
from etl.transform.incidents import GridIndex, Part
from etl.transform.units import Units

Progress = Callable[[str, float], None]
KEYED = {"camera": "camera_code", "key_place": "place_id", "key_area": "place_id", "key_line": "place_id"}
DISPUTE_KEY = ["source_id", "period_start", "period_end", "area_code"]
REPORT_KEY = ["dataset", "period_start", "period_end", "area_code"]


def gather(declared: Sources, jobs: list[Job], previous: Path | None, progress: Progress) -> Gathered:
    """Read all jobs; with ``previous`` its tables are the ground they are added to."""
    spec = declared.release
    accounts = Accounts()
    context = Context(zone=spec.timezone, crs=spec.crs, accounts=accounts)
    out = Gathered(context, accounts)
    carried = carry.earlier_layers(previous, accounts) if previous else {}
    earlier = carry.earlier_info(previous, declared) if previous else None
    if earlier:
        context.quality.update(carry.earlier_notes(previous))
        out.file_times.update(
            {s.source_id: datetime.fromisoformat(s.file_time) for s in earlier.sources if s.file_time}
        )
    todo = sum(_weight(j) for j in jobs) or 1.0
    done = 0.0

    def of_kind(*kinds: str):
        """Open the jobs of some kinds one by one: (source, raw, run, keep)."""
        nonlocal done
        for job in (j for j in jobs if j.source.kind in kinds):
            progress(f"读取 {job.source.id}", 0.05 + 0.5 * done / todo)
            run = accounts.open(
                Run(
                    job.source.id,
                    job.path.name if job.path else job.source.id,
                    job.sha256,
                    code_version=version("yanpan"),
                )
            )
            raw, job.raw = job.raw or extract.read(job.source, job.path), None
            accounts.runs[run].encoding = raw.encoding
            if job.path is None:
                accounts.runs[run].file = raw.file
            out.file_times[job.source.id] = max(job.modified, out.file_times.get(job.source.id, job.modified))
            yield job.source, raw, run
            raw.drop()  # before the next file is read: the loop that was given it still holds it
            pa.default_memory_pool().release_unused()
            accounts.close(run)
            done += _weight(job)

    tree = region_tree.read_regions(declared, of_kind, carried, context)
    grids = region_tree.grid_index(tree, context, np.ones(len(tree.grids), bool))
    units = Units(tree.areas, tree.grids)
    _incidents(of_kind, carried, earlier, context, out, grids)
    freshness.find_data_as_of(declared, out)
    day = freshness.release_day(declared, out)
    valid = regions.valid_at(tree.grids, day)
    out.topology = aside(region_tree.topology_note, tree, context, valid)
    if not valid.all():
        grids = region_tree.grid_index(tree, context, valid)
    progress("归格", 0.56)
    _place_incidents(tree, grids, context, out, valid)
    _others(of_kind, carried, context, out, grids)
    _statistics(declared, of_kind, carried, context, out, units, tree)
    out.tables["area"] = regions.to_table(tree.areas, "area")
    out.tables["grid"] = regions.to_table(tree.grids, "grid")
    for layer, frame in (("area", tree.areas), ("grid", tree.grids)):
        out.origins[layer] = regions.origin(frame, layer)
    out.tables["source_run"] = out.accounts.run_table()
    out.tables["reject"] = out.accounts.reject_table()
    for name, layer in LAYERS.items():
        out.tables.setdefault(name, layer.empty())
    return out


def _weight(job: Job) -> float:
    return float(job.path.stat().st_size if job.path and job.path.is_file() else 1e6)


def _incidents(
    of_kind,
    carried: dict[str, Traced],
    earlier: ReleaseInfo | None,
    context: Context,
    out: Gathered,
    grids: GridIndex,
) -> None:
    found: dict[str, list[Part]] = {}
    if "incident" in carried:
        for part in carry.incident_parts(carried["incident"], earlier):
            found.setdefault(part.source_id, []).append(part)
    for source, raw, run in of_kind("incident"):
        keep = common.admit(raw, source, context, run)
        found.setdefault(source.id, []).append(incidents.read(raw, source, context, run, keep, grids))
    for source_id in list(found):
        out.parts[source_id] = incidents.settle_identity(incidents.join(found.pop(source_id)), context)


def _place_incidents(
    tree: regions.Hierarchy, grids: GridIndex, context: Context, out: Gathered, valid: np.ndarray
) -> None:
    frame = tree.grids[valid]
    shapes = [s for s in (*frame["geometry"], *tree.areas["geometry"]) if s is not None]
    centroids = shapely.get_coordinates(shapely.centroid(np.array(shapes, object))) if shapes else np.zeros((0, 2))
    placed = []
    for source_id, part in out.parts.items():
        found = placing.place(part, grids, centroids)
        context.of(source_id).update(found.notes[source_id])
        placed.append((part, found))
    codes = {n: pa.array(frame[n], pa.string(), from_pandas=True) for n in incidents.DECLARED}
    out.tables["incident"], out.origins["incident"] = placing.to_table(placed, codes)
    for part, _ in placed:
        part.slim()


def _others(of_kind, carried: dict[str, Traced], context: Context, out: Gathered, grids: GridIndex) -> None:
    """Cameras, key places and base layers."""
    found: dict[str, list[Traced]] = {
        n: [carried[n]] if n in carried else [] for n in (*KEYED, "base_road", "base_building", "base_water")
    }
    for source, raw, run in of_kind("camera"):
        if not points.has_points(raw):
            raise ColumnFault(
                "必填字段未映射",
                where=f"{source.id} {raw.file}",
                found="没有坐标",
                expected="lon 与 lat、lon_lat、wkt，或文件自带的图形",
                remedy="在 [source.columns] 中写明",
            )
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
            owner = pa.array([context.accounts.runs[run].source_id for run in whole.run])
            whole = _settled(whole, [KEYED[layer]], context, owner=owner)
            whole.table = _with_grid(whole.table, grids)
        out.tables[layer], out.origins[layer] = whole.table, layers.origin(whole.run, whole.row)
    out.tables["camera_coverage"] = cameras.coverage(out.tables["camera"], context.crs, context)


def _settled(traced: Traced, key: list[str], context: Context, *, whole: bool = False, owner: pa.Array | None = None):
    """One row per key (with ``owner``: per source and key), the others accounted for; see :func:`layers.settle`."""
    if not traced.table.num_rows:
        return traced
    frame = traced.table.select(key).to_pandas().assign(run=traced.run, row=traced.row)
    if owner is not None:
        frame, key = frame.assign(owner=owner.to_pandas()), ["owner", *key]
    return traced.take(layers.settle(frame, key, context.accounts, whole=whole))


def _with_grid(table: pa.Table, grids: GridIndex) -> pa.Table:
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


def _statistics(
    declared: Sources,
    of_kind,
    carried: dict[str, Traced],
    context: Context,
    out: Gathered,
    units: Units,
    tree: regions.Hierarchy,
) -> None:
    """Dispute statistics and who reported what."""
    stats = [carried["dispute_stat"]] if "dispute_stat" in carried else []
    for source, raw, run in of_kind("dispute"):
        wide = disputes.pair_columns(raw.table.column_names) if not source.given(*COUNTS) else []
        raw.columns = {**raw.columns, **{f"#{n}": (n,) for n in wide}}
        totals = raw.table.filter(pa.array(common.total_rows(raw)))
        keep = common.admit(raw, source, context, run)
        table, row = disputes.read(raw, source, context, run, keep, units, totals)
        stats.append(Traced.of(table, run, row))
    whole = layers.join(stats, "dispute_stat")
    whole = _settled(whole, DISPUTE_KEY, context, whole=True)
    out.tables["dispute_stat"], out.origins["dispute_stat"] = whole.table, layers.origin(whole.run, whole.row)

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
    told = _settled(told, REPORT_KEY, context)
    declared_sets = set(told.table["dataset"].to_pylist())
    derived = [told]
    roots = region_tree.roots(tree)
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
    out.tables["report_status"], out.origins["report_status"] = whole.table, layers.origin(whole.run, whole.row)
