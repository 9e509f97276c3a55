"""The check is silent on a sound release and names each planted fault by its rule."""

import csv
import sqlite3
from contextlib import closing
from datetime import date

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from full_release import city, info, square, table, wkb

from data import geopackage
from data.check import check
from data.errors import UsageError
from data.schema import LAYERS


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("releases") / info().release_id
    folder.mkdir()
    tables = city(120)
    geopackage.write(folder / "city.gpkg", tables, info())
    (folder / "city.duckdb").touch()
    (folder / "quality.json").write_text("{}")
    with open(folder / "rejects.csv", "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, LAYERS["reject"].names)
        writer.writeheader()
        writer.writerows(tables["reject"].to_pylist())
    return folder


@pytest.fixture
def release(sound, tmp_path):
    folder = tmp_path / sound.name
    folder.mkdir()
    for file in sound.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def rules(report):
    return {finding.rule for finding in report.findings if finding.severity != "info"}


def edit(release, *statements):
    with closing(sqlite3.connect(release / "city.gpkg")) as db, db:
        triggers = [
            name
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'rtree_%'")
        ]
        stored = [
            sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'rtree_%'")
        ]
        for name in triggers:
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement)
        for sql in stored:
            db.execute(sql)


@pytest.mark.parametrize("quick", [True, False])
def test_a_sound_release_passes(sound, quick):
    report = check(sound, quick=quick)
    assert report.ok and rules(report) == set(), report.lines()
    assert check(sound / "city.gpkg", quick=quick).ok
    assert ("time.no_offset" in [f.rule for f in report.findings]) is not quick
    assert "0 个错误，0 个警告" in report.lines()[-1]


def test_an_empty_release_passes(tmp_path):
    geopackage.write(tmp_path / "a.gpkg", {}, info(codes="opaque", data_as_of=None))
    assert check(tmp_path / "a.gpkg").ok


FAULTS = [
    ("PRAGMA application_id = 1", "gpkg.application_id", True),
    ("PRAGMA user_version = 10600", "gpkg.user_version", True),
    ("DELETE FROM gpkg_spatial_ref_sys WHERE srs_id = 0", "gpkg.srs_rows", True),
    ("DELETE FROM gpkg_contents WHERE table_name = 'alert'", "gpkg.contents", True),
    ("UPDATE gpkg_contents SET last_change = '2026-01-01'", "gpkg.contents", True),
    (
        "UPDATE gpkg_geometry_columns SET geometry_type_name = 'POINT' WHERE table_name = 'grid'",
        "gpkg.geometry_columns",
        True,
    ),
    ("DELETE FROM gpkg_extensions WHERE table_name = 'grid'", "gpkg.rtree", True),
    ("DROP TABLE alert", "schema.layer", True),
    ("ALTER TABLE incident DROP COLUMN status", "schema.column", True),
    ("ALTER TABLE incident ADD COLUMN 姓名 TEXT", "schema.extra_column", True),
    ("UPDATE source_run SET rows_out = rows_out - 1", "rows.balance", True),
    ("DELETE FROM reject WHERE row = 9", "rows.rejects", True),
    ("UPDATE reject SET reason = '别的'", "rows.rejects_file", True),
    ("UPDATE source_run SET rows_in = 13, rows_out = 10", "rows.incidents", True),
    ("UPDATE incident SET source_id = '没有'", "rows.incidents", True),
    ("UPDATE incident SET occurred_from = occurred_from || 'Z' WHERE fid = 3", "schema.stored_value", False),
    ("UPDATE incident SET occurred_to = '2025-01-01 10:00:00' WHERE fid = 3", "schema.stored_value", False),
    ("UPDATE incident SET incident_id = x'00ff' WHERE fid = 3", "schema.stored_value", False),
    ("UPDATE grid SET staff_count = '两名' WHERE fid = 3", "schema.stored_value", False),
    ("UPDATE camera SET online = 2 WHERE fid = 3", "schema.stored_value", False),
    ("UPDATE camera SET fov_deg = '宽' WHERE fid = 3", "schema.stored_value", False),
    ("UPDATE camera SET installed_on = '2021-5-6' WHERE fid = 3", "schema.stored_value", False),
    ("UPDATE incident SET category = '偷窃' WHERE fid = 3", "schema.enumeration", False),
    ("UPDATE camera SET network = '别网' WHERE fid = 3", "schema.enumeration", False),
    ("UPDATE incident SET incident_id = 'A00001'", "identity.incident", False),
    ("UPDATE area SET code = '620602001001' WHERE fid = 6", "identity.area", False),
    ("UPDATE incident SET grid_code = '999' WHERE fid = 3", "reference.grid", False),
    ("UPDATE incident SET street_code = '620602002' WHERE fid = 3", "reference.hierarchy", False),
    ("UPDATE area SET parent_code = '1' WHERE fid = 3", "reference.parent", False),
    ("UPDATE camera_coverage SET camera_code = 'c'", "reference.camera", False),
    ("UPDATE grid SET grid_code = '620602001001000' WHERE fid = 1", "code.grid", False),
    ("UPDATE area SET code = '62060' WHERE fid = 1", "code.area", False),
    ("UPDATE camera SET camera_code = '34020000001180000001' WHERE fid = 9", "code.camera", False),
    ("DELETE FROM area WHERE code = '620602001006'", "code.grid_community", False),
    ("UPDATE incident SET geom = x'4750000001' WHERE fid = 3", "gpkg.geometry_blob", False),
    ("UPDATE grid SET geom = x'475000016e110000' || substr(geom, 9) WHERE fid = 3", "gpkg.geometry_blob", False),
    ("UPDATE incident SET geom = (SELECT geom FROM incident WHERE fid = 5) WHERE fid = 3", "gpkg.rtree_rows", False),
    (
        "DELETE FROM incident WHERE fid = (SELECT max(fid) FROM incident WHERE geom IS NOT NULL)",
        "gpkg.rtree_rows",
        True,
    ),
    ("DELETE FROM rtree_incident_geom WHERE id = (SELECT max(id) FROM rtree_incident_geom)", "gpkg.rtree_rows", False),
    ("UPDATE rtree_incident_geom_rowid SET nodeno = nodeno + 1 WHERE rowid = 5", "gpkg.rtree", False),
    ("DELETE FROM rtree_incident_geom_parent WHERE nodeno = 3", "gpkg.rtree", False),
]


@pytest.mark.parametrize(("statement", "rule", "quick"), FAULTS)
def test_each_planted_fault_is_named(release, statement, rule, quick):
    edit(release, statement)
    report = check(release)
    assert rule in rules(report), report.lines()
    assert (rule in rules(check(release, quick=True))) is quick
    assert all("\n" not in line for line in report.lines())


def test_required_values_are_asked_for(release):
    with closing(sqlite3.connect(release / "city.gpkg")) as db, db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, 'TEXT NOT NULL', 'TEXT') WHERE name = 'incident'")
    edit(release, "UPDATE incident SET category = NULL WHERE fid = 3")
    assert rules(check(release)) == {"schema.required"}


def test_the_index_walk_agrees_with_sqlites_own(release):
    random = np.random.default_rng(3)
    with closing(sqlite3.connect(release / "city.gpkg")) as db:
        nodes = dict(db.execute("SELECT nodeno, data FROM rtree_incident_geom_node"))
    agreed = []
    for _ in range(8):
        number = int(random.choice(list(nodes)))
        broken = bytearray(nodes[number])
        place = int(random.integers(2, 4 + 24 * 12))
        broken[place] ^= 1 << int(random.integers(8))
        with closing(sqlite3.connect(release / "city.gpkg")) as db:
            with db:
                db.execute("UPDATE rtree_incident_geom_node SET data = ? WHERE nodeno = ?", (bytes(broken), number))
            (told,) = db.execute("SELECT rtreecheck('rtree_incident_geom')").fetchone()
            found = rules(check(release / "city.gpkg"))
            # SQLite does not look at the geometries: what it finds we find, and more.
            assert told == "ok" or found & {"gpkg.rtree", "gpkg.rtree_rows"}, (place, told)
            agreed.append(told != "ok")
            with db:
                db.execute("UPDATE rtree_incident_geom_node SET data = ? WHERE nodeno = ?", (nodes[number], number))
    assert any(agreed)
    assert check(release).ok


def test_files_beside_the_geopackage(release):
    (release / "rejects.csv").write_text((release / "rejects.csv").read_text("utf-8-sig"), "utf-8")
    (release / "quality.json").write_text("{")
    (release / "city.duckdb").unlink()
    (release / "city.gpkg-wal").touch()
    assert rules(check(release, quick=True)) == {"rows.rejects_file", "release.quality", "release.files", "gpkg.closed"}
    other = release.rename(release.with_name("r20260101-000001"))
    assert "release.id" in rules(check(other, quick=True))


def test_a_geopackage_of_others_is_named_as_such(tmp_path):
    pyogrio.write_dataframe(gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(1, 2)], crs=4326), tmp_path / "a.gpkg")
    found = rules(check(tmp_path / "a.gpkg"))
    assert {"gpkg.core_tables", "release.info"} <= found
    (tmp_path / "b.gpkg").write_text("<html>")
    assert rules(check(tmp_path / "b.gpkg")) == {"gpkg.sqlite"}
    with pytest.raises(UsageError, match="没有可检查的文件"):
        check(tmp_path / "c.gpkg")
    with pytest.raises(UsageError, match="没有可检查的文件"):
        check(tmp_path)


def test_topology_of_the_grids_in_force(tmp_path):
    tables = city()
    grid = tables["grid"].to_pylist()
    grid[0]["geom"] = wkb(square(0, 0, 2, 1))  # over its neighbour and out of its community
    old = {**grid[5], "valid_from": date(2010, 1, 1), "valid_to": date(2020, 1, 1), "geom": wkb(square(0, 0, 6, 6))}
    geopackage.write(tmp_path / "a.gpkg", {**tables, "grid": table("grid", [*grid, old])}, info())
    report = check(tmp_path / "a.gpkg")
    assert rules(report) == {"topology.overlap", "topology.outside"} and report.ok
    grid.pop(8)
    geopackage.write(tmp_path / "b.gpkg", {**tables, "grid": table("grid", grid[1:])}, info())
    assert "topology.gap" in rules(check(tmp_path / "b.gpkg"))


def test_codes_are_not_judged_where_they_are_opaque(tmp_path):
    tables = {
        "area": table("area", [{"code": "12", "level": "district"}]),
        "grid": table("grid", [{"grid_code": "42101000100", "geom": wkb(square(0, 0))}]),
    }
    geopackage.write(tmp_path / "a.gpkg", tables, info(codes="opaque"))
    assert rules(check(tmp_path / "a.gpkg")) == set()
    geopackage.write(tmp_path / "b.gpkg", tables, info(codes="china"))
    assert rules(check(tmp_path / "b.gpkg")) == {"code.grid", "code.area"}


def test_versions_of_a_grid_may_share_a_code_in_turn(tmp_path):
    rows = [
        {"grid_code": "g", "valid_to": date(2024, 1, 1), "geom": wkb(square(0, 0))},
        {"grid_code": "g", "valid_from": date(2024, 1, 1), "geom": wkb(square(0, 0))},
    ]
    geopackage.write(tmp_path / "a.gpkg", {"grid": table("grid", rows)}, info(codes="opaque"))
    assert "identity.grid" not in rules(check(tmp_path / "a.gpkg"))
    rows[0]["valid_to"] = date(2024, 1, 2)
    geopackage.write(tmp_path / "b.gpkg", {"grid": table("grid", rows)}, info(codes="opaque"))
    assert "identity.grid" in rules(check(tmp_path / "b.gpkg"))
