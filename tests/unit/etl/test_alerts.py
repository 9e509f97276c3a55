"""Alerts written into a release: the same rows in both of its files, dated by the release that saw them first."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime

import pandas as pd
import small_release as small

from data import geopackage
from data.releases import GEOPACKAGE
from data.store import Scope
from data.store.alerts import alerts
from etl.alerts import write_alerts

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

    count = write_alerts(folder, before)
    with small.opened(tmp_path / "now") as release:
        told = {one.alert_id: one.first_seen for one in alerts(release, Scope.everything())}
    assert len(told) == count and told[key] == FIRST and told[key.replace("jq", "wg")] > FIRST
    with closing(sqlite3.connect(folder / GEOPACKAGE)) as package:
        written = dict(package.execute("SELECT alert_id, first_seen FROM alert"))
    assert {one: datetime.fromisoformat(at) for one, at in written.items()} == told
