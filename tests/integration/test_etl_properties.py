"""Properties of a whole run: the order of rows, the CRS of the file and reading a file twice change nothing."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path

import geopandas as gpd
import pyogrio
from city import CHINA_CODES, City, cell, csv_text
from hypothesis import given, settings
from hypothesis import strategies as st

FAST = settings(max_examples=3, deadline=None, derandomize=True)
CATEGORIES = ("刑事", "治安", "交通", "？？")


def draw_rows(seed: int, n: int = 120) -> list[dict]:
    """A messy table: equal rows, missing points, unreadable dates, repeated coordinates, contradicting codes."""
    rng = random.Random(seed)
    out = []
    for _k in range(n):
        west, south, east, north = cell(rng.randrange(9)).bounds
        lon, lat = rng.uniform(west, east), rng.uniform(south, north)
        row = {
            "时间": f"2026-03-{rng.randint(1, 28):02d} {rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}",
            "类别": rng.choice(CATEGORIES),
            "经度": f"{lon:.6f}",
            "纬度": f"{lat:.6f}",
            "网格": rng.choice([*CHINA_CODES, "", "", "不详"]),
        }
        if rng.random() < 0.1:
            row |= {"经度": "", "纬度": ""}
        if rng.random() < 0.1:
            row |= {"经度": row["纬度"], "纬度": row["经度"]}
        if rng.random() < 0.05:
            row["时间"] = "不详"
        if out and rng.random() < 0.15:
            row = dict(rng.choice(out))
        out.append(row)
    return out + [dict(out[0]) for _ in range(40)]  # 40 equal rows more: a pile


def counts(city: City) -> Counter:
    """Everything a map or a chart is made of, without the order of the rows and without identities."""
    table = city.table("incident")
    return Counter(
        map(
            tuple,
            table[
                ["occurred_from", "occurred_to", "category", "grid_code", "district_code", "location_quality"]
            ].values.tolist(),
        )
    )


def run(rows: list[dict], path: str, **more) -> City:
    city = City(Path(path)).grids()
    city.incidents(rows, max_reject_pct=50, **more)
    city.run()
    return city


@FAST
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_does_not_change_counts(seed):
    rows = draw_rows(seed)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        plain = run(rows, one)
        shuffled = list(rows)
        random.Random(seed + 1).shuffle(shuffled)
        mixed = run(shuffled, two)
        assert counts(plain) == counts(mixed)
        assert Counter(plain.table("incident")["incident_id"]) == Counter(mixed.table("incident")["incident_id"])
        assert plain.accounted().equals(mixed.accounted())
        assert len(plain.table("incident")) == sum(r["时间"] != "不详" for r in rows)


@FAST
@given(seed=st.integers(0, 10_000), epsg=st.sampled_from([3857, 4548, 4526, 4326]))
def test_the_crs_of_the_file_does_not_change_assignment(seed, epsg):
    rng = random.Random(seed)
    spots = []
    for k in range(90):  # a metre or more from every border, so that a micrometre of conversion decides nothing
        west, south, east, north = cell(k % 9).buffer(-1e-5).bounds
        spots.append((rng.uniform(west, east), rng.uniform(south, north)))
    frame = gpd.GeoDataFrame(
        {"编号": [f"p{k}" for k in range(90)], "时间": "2026-03-01 10:00:00"},
        geometry=gpd.points_from_xy(*zip(*spots, strict=True)),
        crs="EPSG:4490",
    )
    with tempfile.TemporaryDirectory() as folder:
        city = City(Path(folder)).grids()
        pyogrio.write_dataframe(frame.to_crs(epsg), city.inbox / "p.gpkg")
        city.declare_incidents(("编号", "时间"), "p.gpkg", crs="auto")
        city.run()
        found = city.table("incident").set_index("incident_id")["grid_code"]
        assert found.to_dict() == {f"p{k}": CHINA_CODES[k % 9] for k in range(90)}
        points = city.shapes("incident").set_index("incident_id").geometry
        assert max(abs(points[f"p{k}"].x - x) for k, (x, _) in enumerate(spots)) < 1e-8


@FAST
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 100))
def test_a_file_read_again_or_a_second_copy_changes_nothing(seed, cut):
    rows = draw_rows(seed)
    with tempfile.TemporaryDirectory() as folder:
        city = City(Path(folder)).grids()
        city.put("jq_1.csv", csv_text(rows[:cut]))
        city.put("jq_2.csv", csv_text(rows[cut:]))
        city.declare_incidents(rows[0], "jq_*.csv", max_reject_pct=60)
        city.run()
        before = counts(city)
        city.put("jq_3.csv", csv_text(rows[:cut]))  # the same bytes under another name
        city.run(append=True)
        assert counts(city) == before
        assert city.run(append=True).release_id is None
