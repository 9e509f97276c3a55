"""Cameras and what they cover: bearings, sectors, ledgers' own codes."""

from __future__ import annotations

import math
import random

import pyproj
import pytest
import shapely
from city import CHINA_CODES, City, cell, centre, csv_text

from geo.crs import wgs84_to_gcj02

GEOD = pyproj.Geod(ellps="WGS84")
# DirectionType of GB/T 28181 -> bearing (domain.md 2.5); 9 is all round.
BEARINGS = {"1": 90, "2": 270, "3": 180, "4": 0, "5": 135, "6": 45, "7": 225, "8": 315}


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    made = City(tmp_path_factory.mktemp("cameras")).grids()
    rows = [{"编码": f"D{d}", "方向": d, "视场角": 60, "距离": 80} for d in BEARINGS]
    rows += [{"编码": "D9", "方向": "9", "视场角": 60, "距离": 80}, {"编码": "no_fov", "方向": "1", "视场角": "", "距离": 80},
             {"编码": "no_bearing", "方向": "", "视场角": 60, "距离": 80}, {"编码": "wide", "方向": "4", "视场角": 200, "距离": 120},
             {"编码": "narrow", "方向": "4", "视场角": 5, "距离": 300}]  # fmt: skip
    for n, row in enumerate(rows):
        row |= {
            "名称": f"路口{n}",
            "经度": centre(n % 9)[0],
            "纬度": centre(n % 9)[1],
            "在线": n % 2,
            "联网": n % 2,
            "状态": "123"[n % 3],
            "网络": ("天网工程", "雪亮", "地网", "社会")[n % 4],
            "高清": "是" if n % 2 else "否",
            "安装": "2019年5月1日",
            "完好率": "97.5%",
        }
    made.put("cam.csv", csv_text(rows), "gb18030")
    made.add(
        "cam",
        "camera",
        "cam.csv",
        crs="cgcs2000",
        columns={
            "camera_code": "编码",
            "name": "名称",
            "lon": "经度",
            "lat": "纬度",
            "direction": "方向",
            "fov_deg": "视场角",
            "range_m": "距离",
            "online": "在线",
            "networked": "联网",
            "device_state": "状态",
            "network": "网络",
            "hd": "高清",
            "installed_on": "安装",
            "serviceable_pct": "完好率",
        },
        values={"networked": {"0": True, "1": False}, "network": {"天网工程": "天网"}},
    )
    made.run()
    return made


def coverage(city: City, code: str):
    shapes = city.shapes("camera_coverage").set_index("camera_code")
    return shapes.loc[code]


def spot(city: City, code: str) -> shapely.Point:
    return city.shapes("camera").set_index("camera_code").loc[code].geometry


@pytest.mark.parametrize(("code", "bearing"), BEARINGS.items())
def test_direction_codes_become_bearings_and_sectors_look_there(city, code, bearing):
    camera = city.table("camera").set_index("camera_code").loc[f"D{code}"]
    assert camera["bearing_deg"] == bearing and camera["fov_deg"] == 60
    covered = coverage(city, f"D{code}")
    assert covered["method"] == "sector"
    lens = spot(city, f"D{code}")
    azimuth, _, _ = GEOD.inv(lens.x, lens.y, covered.geometry.centroid.x, covered.geometry.centroid.y)
    assert abs((azimuth - bearing + 180) % 360 - 180) < 0.5


@pytest.mark.parametrize(
    ("code", "method", "fov", "reach"),
    [
        ("D1", "sector", 60, 80),
        ("wide", "sector", 200, 120),
        ("narrow", "sector", 5, 300),
        ("no_fov", "radius", 360, 80),
        ("no_bearing", "radius", 360, 80),
        ("D9", "radius", 360, 80),
    ],
)
def test_areas_and_reach_on_the_ground(city, code, method, fov, reach):
    covered = coverage(city, code)
    area = abs(GEOD.geometry_area_perimeter(covered.geometry)[0])
    assert covered["method"] == method
    assert covered["area_m2"] == pytest.approx(math.radians(fov) / 2 * reach**2, rel=0.005)
    assert area == pytest.approx(covered["area_m2"], rel=0.005)
    lens = spot(city, code)
    far = max(GEOD.inv(lens.x, lens.y, x, y)[2] for x, y in shapely.get_coordinates(covered.geometry))
    assert far == pytest.approx(reach, rel=0.005)


def test_ledger_columns(city):
    cameras = city.table("camera").set_index("camera_code")
    assert len(cameras) == 13 == len(city.table("camera_coverage"))
    one, two = cameras.loc["D2"], cameras.loc["D1"]
    assert (one["online"], one["networked"]) == (1, 0)  # 联网属性: 0 is networked
    assert (two["online"], two["networked"]) == (0, 1)
    assert (one["device_state"], two["device_state"], cameras.loc["D3", "device_state"]) == ("维修", "在用", "拆除")
    assert (one["network"], two["network"]) == ("雪亮", "天网")
    assert (one["hd"], two["hd"]) == (1, 0)
    assert str(one["installed_on"])[:10] == "2019-05-01" and one["serviceable_pct"] == 97.5


def test_a_camera_without_a_point_is_rejected_and_a_repeated_code_too(tmp_path):
    city = City(tmp_path).grids()
    city.put(
        "cam.csv",
        csv_text(
            [
                {"编码": "a", "经度": centre(0)[0], "纬度": centre(0)[1]},
                {"编码": "b", "经度": "", "纬度": ""},
                {"编码": "a", "经度": centre(1)[0], "纬度": centre(1)[1]},
                {"编码": "c", "经度": centre(2)[1], "纬度": centre(2)[0]},
            ]
        ),
    )
    city.add(
        "cam",
        "camera",
        "cam.csv",
        crs="cgcs2000",
        max_reject_pct=60,
        columns={"camera_code": "编码", "lon": "经度", "lat": "纬度"},
    )
    city.run()
    assert set(city.table("camera")["camera_code"]) == {"a", "c"}
    assert city.table("reject").set_index("row")["reason_code"].to_dict() == {3: "no_point", 4: "duplicate_id"}
    assert city.accounted().loc["cam"].tolist() == [4, 2, 2]
    point = spot(city, "c")
    assert (point.x, point.y) == pytest.approx(centre(2))  # swapped, put right


def test_no_range_means_no_unit_is_lost(tmp_path):
    """Without a range a planning value stands in and is counted; nothing is left out."""
    city = City(tmp_path).grids()
    city.put("cam.csv", csv_text([{"编码": "a", "经度": centre(0)[0], "纬度": centre(0)[1]}]))
    city.add("cam", "camera", "cam.csv", crs="cgcs2000", columns={"camera_code": "编码", "lon": "经度", "lat": "纬度"})
    city.run()
    assert city.table("camera")["range_m"].tolist() == [None]
    assert "range_assumed" in str(city.quality())
    assert len(city.table("camera_coverage")) == 1


def test_a_ledger_that_says_wgs84_and_is_gcj02_is_found_out(tmp_path):
    """domain.md 2.5: declared WGS-84 is often really GCJ-02; the declared grids tell."""
    rng = random.Random(3)
    rows, true = [], {}
    for k in range(180):
        west, south, east, north = cell(k % 9).bounds
        lon, lat = rng.uniform(west, east), rng.uniform(south, north)
        x, y = wgs84_to_gcj02(lon, lat)
        code = f"3701020000132{k:07d}"
        true[code] = (lon, lat)
        rows.append(
            {"编码": code, "经度(WGS-84)": f"{float(x):.7f}", "纬度": f"{float(y):.7f}", "网格": CHINA_CODES[k % 9]}
        )
    city = City(tmp_path).grids()
    city.put("cam.csv", csv_text(rows))
    columns = {"camera_code": "编码", "lon": "经度(WGS-84)", "lat": "纬度", "grid_code": "网格"}
    city.add("cam", "camera", "cam.csv", crs="auto", columns=columns)
    city.run()
    assert city.table("source_run").set_index("source_id").loc["cam", "crs_detected"] == "gcj02"
    found = city.shapes("camera").set_index("camera_code").geometry
    assert max(math.dist((found[c].x, found[c].y), spot) for c, spot in true.items()) < 2e-6
    assert city.table("camera")["grid_code"].tolist() == [
        CHINA_CODES[int(c[-7:]) % 9] for c in city.table("camera")["camera_code"]
    ]
