"""Alerts against planted facts: a rise, a new hotspot, a source that falls silent, cameras that are down, and noise."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import small_release as small

from data.store import Scope
from data.store.alerting import raise_alerts
from data.store.alerts import alerts

NOW = datetime(2026, 11, 16, 8, tzinfo=UTC)
EVERYTHING = Scope.everything()
WEEK = (datetime(2026, 11, 9), datetime(2026, 11, 16))


def plain(seed=1, weekly=12):
    """Poisson events in every grid, every week of 60, at noon; no source is late or silent."""
    rng = np.random.default_rng(seed)
    rows = []
    for code in small.grids()["grid_code"]:
        for week in range(60):
            monday = datetime(2026, 11, 9, 12) - timedelta(weeks=week)
            rows += [(code, monday + timedelta(days=int(d))) for d in rng.integers(0, 7, rng.poisson(weekly))]
    return events(rows)


def events(rows, category="治安"):
    grid = small.grids().set_index("grid_code")
    codes = [code for code, _ in rows]
    frame = pd.DataFrame({
        "incident_id": [f"{category}{i}" for i in range(len(rows))], "occurred_from": [at for _, at in rows],
        "occurred_to": pd.NaT, "recorded_at": pd.NaT, "category": category, "grid_code": codes,
        "location_quality": "exact", "source_id": [("jq", "wg")[i % 2] for i in range(len(rows))], "x": small.WEST + 0.001, "y": small.SOUTH + 0.001,
    })  # fmt: skip
    for level in ("community", "street", "district"):
        frame[f"{level}_code"] = grid.loc[codes, f"{level}_code"].to_numpy()
    return frame


def raised(directory, frame, seen=None, now=NOW, **layers):
    small.publish(directory, frame, **layers)
    with small.opened(directory) as release:
        return {row["alert_id"]: row for row in raise_alerts(release, now, seen or {})}


def test_a_planted_rise_is_raised_with_its_count_and_limit(tmp_path):
    frame = plain()
    grid = small.grids()
    here = grid.loc[grid["district_code"] == "990102", "grid_code"].tolist()
    extra = events([(here[i % len(here)], WEEK[0] + timedelta(hours=i % 160)) for i in range(120)], "刑事")
    found = raised(tmp_path, pd.concat([frame, extra], ignore_index=True))
    told = found["above::刑事:2026-11-09"]
    assert told["kind"] == "above" and '"count": 120' in told["evidence"]
    assert found["above:990102::2026-11-09"]["severity"] == "high"
    assert not any(key.startswith("above:990101") or key.startswith("above:990103") for key in found)


@pytest.mark.parametrize("seed", range(4))
def test_noise_stays_within_the_budget(tmp_path, seed):
    """Of eleven series each week, about 1 % lie over their band by chance."""
    assert sum(key.startswith("above") for key in raised(tmp_path, plain(seed))) <= 1


def test_a_hotspot_is_new_once_and_then_lasting(tmp_path):
    frame, grid = plain(weekly=4), small.grids()
    corner = grid["grid_code"].tolist()[:2]
    this = events([(corner[i % 2], WEEK[0] + timedelta(hours=2 * i)) for i in range(80)], "求助")
    found = raised(tmp_path / "new", pd.concat([frame, this], ignore_index=True))
    new = [row for row in found.values() if row["kind"] == "hotspot"]
    (told,) = new
    # Told to who may see all of it: the smallest area that holds every flagged grid; the name is that of its peak.
    assert corner[0].startswith(told["area_code"]) and f"community {corner[0][:12]}" in told["evidence"]
    last = this.assign(incident_id=this["incident_id"] + "v", occurred_from=this["occurred_from"] - timedelta(weeks=1))
    found = raised(tmp_path / "lasting", pd.concat([frame, this, last], ignore_index=True))
    assert not [row for row in found.values() if row["kind"] == "hotspot"]


def test_cameras_down_in_a_hotspot_and_nowhere_else(tmp_path):
    frame, grid = plain(weekly=4), small.grids()["grid_code"].tolist()
    this = events([(grid[i % 2], WEEK[0] + timedelta(hours=2 * i)) for i in range(80)], "求助")
    codes = [grid[0]] * 4 + [grid[-1]] * 4
    cameras = pd.DataFrame({
        "camera_code": [f"C{i}" for i in range(8)], "name": "路口", "online": [False, False, False, True] + [False] * 4,
        "device_state": "正常", "grid_code": codes, "x": small.WEST + 0.001, "y": small.SOUTH + 0.001,
    })  # fmt: skip
    found = raised(tmp_path, pd.concat([frame, this], ignore_index=True), camera=cameras)
    (told,) = [row for row in found.values() if row["kind"] == "offline"]
    assert grid[0].startswith(told["area_code"]) and '"offline": 3, "cameras": 4' in told["evidence"]
    assert told["severity"] == "medium"


def test_a_silent_source_is_raised_for_the_whole(tmp_path):
    stated = small.info()
    first, *others = stated.sources
    quiet = replace(first, silent=True, data_as_of="2026-09-01T00:00:00")
    found = raised(tmp_path, plain(), stated=replace(stated, sources=(quiet, *others)))
    (told,) = [row for row in found.values() if row["kind"] == "silent"]
    assert told["severity"] == "high" and told["area_code"] is None and first.source_id in told["evidence"]


def test_what_was_raised_before_keeps_its_first_day(tmp_path):
    grid = small.grids()["grid_code"].tolist()
    extra = events([(grid[i % 4], WEEK[0] + timedelta(hours=i % 160)) for i in range(300)], "刑事")
    frame = pd.concat([plain(), extra], ignore_index=True)
    first = datetime(2026, 11, 14, 6)
    found = raised(tmp_path, frame, {"above::刑事:2026-11-09": first})
    assert found["above::刑事:2026-11-09"]["first_seen"] == first
    assert found["above:::2026-11-09"]["first_seen"] == NOW.replace(tzinfo=None)


def test_alerts_are_told_within_the_scope_worst_first(tmp_path):
    rows = [("a", "990101", "medium"), ("b", None, "low"), ("c", "990102", "high"), ("d", "990101001", "high")]
    layer = pd.DataFrame([{"alert_id": key, "kind": "above", "area_code": code, "severity": severity, "evidence": "{}",
                           "first_seen": WEEK[0]} for key, code, severity in rows])  # fmt: skip
    small.publish(tmp_path, plain().iloc[:10], alert=layer)
    with small.opened(tmp_path) as release:
        assert [one.alert_id for one in alerts(release, EVERYTHING)] == ["d", "c", "a", "b"]
        assert [one.alert_id for one in alerts(release, Scope(("990101",)))] == ["d", "a"]
        place = release.units.find("990102")
        assert [one.alert_id for one in alerts(release, EVERYTHING, place)] == ["c"]
        assert alerts(release, Scope(())) == []


def test_the_window_of_an_alert_is_the_week_it_looked_at(tmp_path):
    grid = small.grids()["grid_code"].tolist()
    extra = events([(grid[i % 4], WEEK[0] + timedelta(hours=i % 160)) for i in range(300)], "刑事")
    found = raised(tmp_path, pd.concat([plain(), extra], ignore_index=True))
    assert {(row["window_start"], row["window_end"]) for row in found.values()} == {WEEK}
    assert date(2026, 11, 9) == WEEK[0].date()
