"""The planted facts of truth.json found in published releases of ten seeds: files, ETL, GeoPackage, methods."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyogrio
import pytest
from test_full_counts import run

from geo.autocorrelation import contiguity, getis_ord_star
from geo.change import control_band, dispersion
from geo.coverage import covered_points, nearest_camera_m, working_cameras
from geo.crs import metre_crs
from geo.evaluation import weighted_displacement_difference
from geo.spacetime import emerging_hotspots, near_repeat

pytestmark = pytest.mark.soak
SEEDS = range(1, 11)


class City:
    """A release in metres, and what was planted in it."""

    def __init__(self, workspace):
        self.gpkg = workspace / "releases" / "current" / "city.gpkg"
        self.truth = json.loads((workspace / "truth.json").read_text("utf-8"))
        grids = pyogrio.read_dataframe(self.gpkg, layer="grid").sort_values("grid_code", ignore_index=True)
        self.crs = metre_crs(tuple(grids.total_bounds))
        self.grids = grids.to_crs(self.crs)
        self.index = pd.Index(grids["grid_code"])
        self.near = contiguity(self.grids)
        frame = self.layer("incident")
        self.events = frame[frame["category"] != "无效"].reset_index(drop=True)
        self.start, self.end = (pd.Timestamp(self.truth[name]) for name in ("first_day", "end_day"))
        at = (self.events["occurred_from"] - self.start).dt.days // 7
        place = self.index.get_indexer(self.events["grid_code"].fillna(""))
        self.week, self.place = at.to_numpy(), place
        self.weekly = self.count(np.ones(len(place), bool))

    def layer(self, name):
        return pyogrio.read_dataframe(self.gpkg, layer=name).to_crs(self.crs)

    def count(self, keep):
        keep = keep & (self.place >= 0) & (self.week >= 0) & (self.week < 104)
        found = np.zeros((len(self.index), 104), int)
        np.add.at(found, (self.place[keep], self.week[keep]), 1)
        return found

    def grids_of(self, fact):
        return self.index.get_indexer(self.truth["planted"][fact]["grids"])

    def phi(self, before):
        return float(dispersion(self.weekly[:, before - 52 : before], np.full(52, 7.0), pooled=True).phi[0])


def found_facts(city: City) -> dict[str, bool]:
    planted, weekly = city.truth["planted"], city.weekly
    steps = weekly[:, 104 - 60 :].reshape(len(weekly), 10, 6).sum(axis=2)
    weeks = emerging_hotspots(weekly[:, 92:], city.near, dispersion=city.phi(92)).label
    long = emerging_hotspots(steps, city.near, dispersion=city.phi(92), steps_back=0).label
    out = {
        "emerging": np.mean(weeks[city.grids_of("emerging")] == "consecutive_hot") > 0.5,
        "vanished": np.mean(long[city.grids_of("vanished")] == "historical_hot") > 0.5,
        "persistent": np.mean(np.char.endswith(long[city.grids_of("persistent")], "_hot")) > 0.5,
    }
    traffic = city.count((city.events["category"] == planted["spike"]["category"]).to_numpy())
    street = traffic[np.char.startswith(city.index.to_numpy(str), planted["spike"]["street"])].sum(axis=0)
    band = control_band(street)
    out["spike"] = bool(band.outside[-1] and band.z[-1] > 0)

    act = planted["acted_on"]
    week = (pd.Timestamp(act["action_date"]) - city.start).days // 7

    def pair(codes):
        rows = weekly[city.index.get_indexer(codes)]
        return rows[:, week - 56 : week - 4].sum(), rows[:, week : week + 12].sum()

    several = [[code for control in act["controls"] for code in control[name]] for name in ("grids", "ring")]
    answer = weighted_displacement_difference(
        pair(several[0]), pair(act["grids"]), pair(several[1]), pair(act["ring"]), exposure=(364, 84),
        control_weight=1 / len(act["controls"]),
    )  # fmt: skip
    out["acted_on"] = answer.z < -1.96

    cameras = city.layer("camera")
    areas = city.layer("camera_coverage").set_index("camera_code").loc[cameras["camera_code"]]
    works = working_cameras(cameras).works
    recent = city.events[(city.week >= 91) & (city.place == city.grids_of("blind")[0])]
    recent = recent[recent["location_quality"] == "exact"]
    xy = np.column_stack([recent.geometry.x, recent.geometry.y])
    heart = np.median(xy, axis=0)
    close = xy[np.hypot(*(xy - heart).T) <= planted["blind"]["within_m"]]
    seen = covered_points(close, areas.geometry.to_numpy()[works])
    star = getis_ord_star(weekly[:, 91:].sum(axis=1), city.near, dispersion=city.phi(91))
    hot = star.label[city.grids_of("blind")[0]] == "hot99"
    out["blind"] = bool(hot and not seen.any() and nearest_camera_m([heart], cameras[works])[0] > 150)

    piled = city.events[city.events["location_quality"] == "pile_up"].to_crs(4490)
    lon, lat = planted["pile_up"]["lon_lat"]
    out["pile_up"] = bool(len(piled) and np.hypot(piled.geometry.x - lon, piled.geometry.y - lat).max() < 1e-4)

    status = pyogrio.read_dataframe(city.gpkg, layer="report_status")
    silent = status[(status["dataset"] == planted["silent"]["source"])]
    starts = pd.to_datetime(silent["period_start"])
    inside = (starts >= planted["silent"]["from"]) & (starts < planted["silent"]["to"])
    out["silent"] = bool(inside.any() and (silent["state"][inside] == "missing").all())

    kinds = [name for name, mean in planted["near_repeat"]["subcategories"].items() if mean >= 0.3]
    mine = city.events[city.events["subcategory"].isin(kinds) & (city.events["location_quality"] == "exact")]
    days = (mine["occurred_from"] - city.start).dt.total_seconds().to_numpy() / 86400
    table = near_repeat(
        np.column_stack([mine.geometry.x, mine.geometry.y]), days, distance_bands_m=[200, 400, 800],
        day_bands=[14, 28, 42], permutations=199, seed=1,
    )  # fmt: skip
    out["near_repeat"] = bool(np.asarray(table.q)[1, 0] <= 0.05)
    return {name: bool(hit) for name, hit in out.items()}


def test_planted_facts_in_ten_releases(tmp_path):
    hits: dict[str, int] = {}
    for seed in SEEDS:
        workspace = tmp_path / str(seed)
        run("demo", "--scale", "small", "--seed", str(seed), "--workspace", str(workspace))
        run("etl", "--workspace", str(workspace))
        for name, hit in found_facts(City(workspace)).items():
            hits[name] = hits.get(name, 0) + hit
    print("\n十座演示市里找到种下的：" + "，".join(f"{name} {n}" for name, n in hits.items()))
    assert min(hits.values()) >= 9, hits
