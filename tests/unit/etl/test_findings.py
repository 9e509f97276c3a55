"""Alerts written into a release: the same rows in both of its files, dated by the release that saw them first. What cameras
see and which rules they keep, kept at publication, is what would be worked out anew."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime

import camera_release
import duckdb
import pandas as pd
import small_release as small

from data import geopackage
from data.releases import GEOPACKAGE, QUERY_INDEX
from data.store import Scope, coverage, coverage_rules
from data.store.alerts import alerts
from data.store.coverage import rule_failures
from etl.findings import write_findings

FIRST = datetime(2026, 1, 2, 3, 4, 5)


def test_a_release_keeps_the_day_of_what_the_one_before_saw(tmp_path):
    stated = small.info(sources=tuple(replace(one, silent=True) for one in small.info().sources))
    key = f"silent:jq:{stated.sources[0].data_as_of}"
    seen = pd.DataFrame(
        [{"alert_id": key, "kind": "silent", "severity": "high", "evidence": "{}", "first_seen": FIRST}]
    )
    before = tmp_path / "before"
    before.mkdir()
    geopackage.write(before / GEOPACKAGE, {"alert": small.table("alert", seen)}, stated)
    folder = small.publish(tmp_path / "now", small.incidents(50), stated=stated)
    geopackage.write(folder / GEOPACKAGE, {}, stated)

    write_findings(folder, before)
    with small.opened(tmp_path / "now") as release:
        told = {one.alert_id: one.first_seen for one in alerts(release, Scope.everything())}
    assert told[key] == FIRST and told[key.replace("jq", "wg")] > FIRST
    with closing(sqlite3.connect(folder / GEOPACKAGE)) as package:
        written = dict(package.execute("SELECT alert_id, first_seen FROM alert"))
    assert {one: datetime.fromisoformat(at) for one, at in written.items()} == told


def test_what_cameras_see_is_kept_at_publication_and_told_as_it_would_be_anew(tmp_path):
    stated = small.info()
    folder = small.publish(
        tmp_path, small.incidents(500), stated=stated, **camera_release.layers(camera_release.cameras())
    )
    geopackage.write(folder / GEOPACKAGE, {}, stated)
    anew = told(tmp_path)
    write_findings(folder, None)
    with duckdb.connect(str(folder / QUERY_INDEX), read_only=True) as index:
        names = {name for (name,) in index.sql("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert {"camera_ground", "rule_place", "rule_failing"} <= names
    kept = told(tmp_path)
    assert kept == anew and len(kept[1]) > 10
    # What is kept is what is read: a row changed in the file changes the answer.
    with duckdb.connect(str(folder / QUERY_INDEX)) as index:
        index.execute("UPDATE camera_ground SET once = 0")
    assert told(tmp_path)[0] != kept[0]


def told(releases):
    with small.opened(releases) as release:
        week, everything = release.selection([]), Scope.everything()
        ground = [coverage(release, week, everything, level).rows.to_pylist() for level in small.LEVELS]
        rules = coverage_rules(release, week, everything).rows.to_pylist()
        return ground, rule_failures(release, week, everything, None, None)[1], rules
