"""Rules of what the rows mean: accounting, enumerations, codes, references between layers, topology of the grids."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from data import code_rules, schema
from data.check_findings import Finding, Subject, error, warning
from data.releases import REJECTS
from data.schema import LAYERS
from geo.regions import topology

_ENUMERATIONS = {
    ("area", "level"): schema.LEVELS,
    ("grid", "kind"): schema.GRID_KINDS,
    ("incident", "category"): schema.CATEGORIES,
    ("incident", "location_quality"): schema.LOCATION_QUALITIES,
    ("dispute_stat", "closed_level"): schema.CLOSED_LEVELS,
    ("report_status", "state"): schema.REPORT_STATES,
    ("indicator", "state"): schema.REPORT_STATES,
    ("camera", "network"): schema.NETWORKS,
    ("camera", "device_state"): schema.DEVICE_STATES,
    ("camera_coverage", "method"): schema.COVERAGE_METHODS,
}
_PARENTS = (("community_code", "community"), ("street_code", "street"), ("district_code", "district"))
_SHOWN = 5  # examples in one finding


def accounting(subject: Subject) -> Iterator[Finding]:
    """``rows_in = rows_out + rows_rejected``; the reject layer and rejects.csv hold just those rows; no source has more
    incidents than records that went out."""
    with closing(subject.connect()) as db:
        for source, file, rows_in, rows_out, rejected in db.execute(
            "SELECT source_id, file, rows_in, rows_out, rows_rejected FROM source_run "
            "WHERE rows_in <> rows_out + rows_rejected OR min(rows_in, rows_out, rows_rejected) < 0"
        ):
            yield error(
                "rows.balance",
                f"{source} {file}",
                f"读入 {rows_in}，入库 {rows_out}，退回 {rejected}",
                "读入 = 入库 + 退回",
            )
        stated = _counts(db, "SELECT source_id || ' ' || file, sum(rows_rejected) FROM source_run GROUP BY 1")
        listed = _counts(db, "SELECT source_id || ' ' || file, count(*) FROM reject GROUP BY 1")
        for where in sorted(stated.keys() | listed.keys()):
            if stated.get(where, 0) != listed.get(where, 0):
                yield error(
                    "rows.rejects",
                    where,
                    f"reject 图层 {listed.get(where, 0)} 行",
                    f"source_run 所记 {stated.get(where, 0)} 行",
                )
        yield from _rejects_file(subject, db)
        out = _counts(db, "SELECT source_id, sum(rows_out) FROM source_run GROUP BY 1")
        for source, rows in _counts(db, "SELECT source_id, count(*) FROM incident GROUP BY 1").items():
            if rows > out.get(source, 0):
                yield error(
                    "rows.incidents", str(source), f"incident 中 {rows} 行", f"不多于入库的 {out.get(source, 0)} 行"
                )


def _counts(db: sqlite3.Connection, query: str) -> dict[str, int]:
    return dict(db.execute(query).fetchall())


def _rejects_file(subject: Subject, db: sqlite3.Connection) -> Iterator[Finding]:
    if subject.folder is None or not (subject.folder / REJECTS).is_file():
        return
    names = LAYERS["reject"].names
    with open(subject.folder / REJECTS, encoding="utf-8", newline="") as file:
        if file.read(1) != "\ufeff":
            yield error("rows.rejects_file", REJECTS, "没有 BOM", "utf-8-sig：表格软件能直接打开")
            file.seek(0)
        rows = csv.reader(file)
        if (header := next(rows, [])) != list(names):
            yield error("rows.rejects_file", REJECTS, "表头为 " + "、".join(header), "、".join(names))
            return
        filed = sorted(tuple(row) for row in rows)
    stored = sorted(db.execute("SELECT source_id, file, CAST(row AS TEXT), reason_code, reason FROM reject"))
    if filed != stored:
        yield error("rows.rejects_file", REJECTS, f"{len(filed)} 行", f"与 reject 图层的 {len(stored)} 行相同")


def enumerations(subject: Subject) -> Iterator[Finding]:
    """Columns with a closed list hold nothing else."""
    for (layer, column), allowed in _ENUMERATIONS.items():
        values = subject.layer(layer)[column]
        foreign = pc.unique(values.filter(pc.invert(pc.or_(pc.is_in(values, pa.array(allowed)), pc.is_null(values)))))
        if len(foreign):
            yield error("schema.enumeration", f"{layer}.{column}", _examples(foreign.to_pylist()), " ".join(allowed))


def codes(subject: Subject) -> Iterator[Finding]:
    """Grid codes, area codes and camera ids as the rules for China have them."""
    if subject.info.codes != "china":
        return
    grid, area = subject.layer("grid"), subject.layer("area")
    faults = [("code.grid", "grid.grid_code", grid["grid_code"], code_rules.grid_code_fault(grid["grid_code"]))]
    for level in schema.LEVELS:
        here = area["code"].filter(pc.equal(area["level"], level))
        faults.append(("code.area", f"area.code {level}", here, code_rules.area_code_fault(here, level)))
    for rule, where, values, reasons in faults:
        for reason in sorted({r for r in reasons if r is not None}):
            rows = np.flatnonzero(reasons == reason)
            yield error(
                rule, where, f"{reason}：{len(rows)} 个，如 {_examples(values.take(rows[:_SHOWN]).to_pylist())}"
            )
    cameras = subject.layer("camera")["camera_code"]
    if other := np.count_nonzero(np.not_equal(code_rules.camera_code_fault(cameras), None)):
        yield warning(
            "code.camera", "camera.camera_code", f"{other} 个不是 GB/T 28181 摄像机编码", "20 位，类型 131 或 132"
        )
    communities = area["code"].filter(pc.equal(area["level"], "community"))
    prefixes = pc.utf8_slice_codeunits(grid["grid_code"], 0, 12)
    if len(communities) and len(lost := _foreign(prefixes, communities)):
        yield warning(
            "code.grid_community", "grid.grid_code", f"前12位不在区域表中：{len(lost)} 个，如 {_examples(lost)}"
        )


def references(subject: Subject) -> Iterator[Finding]:
    """Codes point at rows that exist; an incident's community, street and district are those of its grid."""
    grid, area, incident = (subject.layer(name) for name in ("grid", "area", "incident"))
    for layer in ("incident", "camera", "key_place", "key_area", "key_line"):
        if len(lost := _foreign(subject.layer(layer)["grid_code"], grid["grid_code"])):
            yield error("reference.grid", f"{layer}.grid_code", f"{len(lost)} 个网格不存在，如 {_examples(lost)}")
    if len(lost := _foreign(area["parent_code"], area["code"])):
        yield error("reference.parent", "area.parent_code", f"{len(lost)} 个上级不存在，如 {_examples(lost)}")
    for column, level in _PARENTS:
        known = area["code"].filter(pc.equal(area["level"], level))
        if len(known) and len(lost := _foreign(grid[column], known)):
            yield warning("reference.parent", f"grid.{column}", f"{len(lost)} 个不在区域表中，如 {_examples(lost)}")
    names = ["grid_code", *(column for column, _ in _PARENTS)]
    placed = incident.select(names).filter(pc.is_valid(incident["grid_code"]))
    combinations = placed.group_by(names, use_threads=False).aggregate([([], "count_all")])
    declared = {tuple(row.values()) for row in grid.select(names).to_pylist()}
    contrary = [row for row in combinations.to_pylist() if tuple(row[name] for name in names) not in declared]
    if contrary:
        yield error(
            "reference.hierarchy",
            "incident",
            f"{sum(r['count_all'] for r in contrary)} 行的上级与其网格的不同，"
            f"如网格 {_examples([r['grid_code'] for r in contrary])}",
        )
    for layer, key in (("camera_coverage", "camera_code"),):
        if len(lost := _foreign(subject.layer(layer)[key], subject.layer("camera")["camera_code"])):
            yield error("reference.camera", f"{layer}.{key}", f"{len(lost)} 个摄像机不存在，如 {_examples(lost)}")


def identities(subject: Subject) -> Iterator[Finding]:
    """An incident is once in its source; a grid code once in any period; an area code once in any period."""
    incident = subject.layer("incident").select(["source_id", "incident_id"])
    repeated = len(incident) - len(incident.group_by(["source_id", "incident_id"]).aggregate([]))
    if repeated:
        yield error("identity.incident", "incident", f"{repeated} 行的来源和编号重复")
    for layer, key in (("grid", "grid_code"), ("area", "code")):
        table = subject.layer(layer).select([key, "valid_from", "valid_to"]).to_pylist()
        spans = sorted((row[key], row["valid_from"] or date.min, row["valid_to"] or date.max) for row in table)
        twice = {a[0] for a, b in pairwise(spans) if a[0] == b[0] and b[1] < a[2]}
        if twice:
            yield error(
                f"identity.{layer}", f"{layer}.{key}", f"{len(twice)} 个编码在同一时期重复，如 {_examples(twice)}"
            )


def grid_topology(subject: Subject) -> Iterator[Finding]:
    """Overlaps and gaps of the grids in force, and grids that leave their community (each above 1 m2)."""
    grid, area = subject.layer("grid"), subject.layer("area")
    day = pa.scalar(
        date.fromisoformat(subject.info.data_as_of[:10]) if subject.info.data_as_of else date.max, pa.date32()
    )
    in_force = pc.and_(
        pc.fill_null(pc.less_equal(grid["valid_from"], day), True),
        pc.fill_null(pc.greater(grid["valid_to"], day), True),
    )
    grid = grid.filter(pc.and_(in_force, pc.is_valid(grid["geom"])))
    if not len(grid):
        return
    communities = area.filter(pc.and_(pc.equal(area["level"], "community"), pc.is_valid(area["geom"])))
    bounds = dict(zip(communities["code"].to_pylist(), shapely.from_wkb(communities["geom"].to_numpy()), strict=True))
    parents = np.array([bounds.get(code) for code in grid["community_code"].to_pylist()], dtype=object)
    found = topology(
        shapely.from_wkb(grid["geom"].to_numpy()), parents=parents if bounds else None, crs=subject.info.crs
    )
    code = grid["grid_code"].to_pylist()
    for rule, word, places, example in (
        ("topology.overlap", "处重叠", found.overlaps, lambda o: f"{code[o.first]} 与 {code[o.second]}"),
        (
            "topology.gap",
            "处空隙",
            found.gaps,
            lambda g: "{:.5f} {:.5f}".format(*g.polygon.representative_point().coords[0]),
        ),
        ("topology.outside", "个网格超出所属社区", found.outside_parent, lambda o: code[o.position]),
    ):
        if places:
            area_m2 = sum(place.area_m2 for place in places)
            largest = sorted(places, key=lambda place: -place.area_m2)[:_SHOWN]
            yield warning(
                rule,
                "grid",
                f"{len(places)} {word}，共 {area_m2:.0f} 平方米，最大的: " + "、".join(map(example, largest)),
            )
    if found.repaired:
        yield error(
            "topology.invalid",
            "grid",
            f"{len(found.repaired)} 个多边形无效，如 " + _examples([code[i] for i in found.repaired]),
        )


def _foreign(values: pa.ChunkedArray, known: pa.ChunkedArray) -> list[str]:
    """Distinct values that are not among the known ones; null is no value."""
    distinct = pc.unique(values).drop_null()
    return distinct.filter(pc.invert(pc.is_in(distinct, pc.unique(known)))).to_pylist()


def _examples(values) -> str:
    return "、".join(sorted(map(str, values))[:_SHOWN])
