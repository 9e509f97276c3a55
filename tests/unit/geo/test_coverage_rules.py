"""geo.coverage.rule_check: the nine rules of 天网 and 地网 on small towns laid out by hand, and against brute force."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.coverage import RULES, Rule, road_junctions, rule_check, sector, working_cameras

CRS = 4547
COLUMNS = {
    "camera_code": None, "network": "天网", "device_state": "在用", "online": True, "serviceable_pct": None,
    "location_type": None, "bearing_deg": None, "fov_deg": None, "range_m": 50.0,
}  # fmt: skip


def cameras(*rows: dict, **everywhere) -> gpd.GeoDataFrame:
    """Cameras by their place ``at`` and what differs from a working 天网 camera."""
    full = [COLUMNS | {"camera_code": f"C{i}"} | everywhere | row for i, row in enumerate(rows)]
    at = [row.pop("at") for row in full]
    frame = pd.DataFrame(full, columns=list(COLUMNS))
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(*np.reshape(at, (-1, 2)).T), crs=CRS)


def places(*rows: tuple) -> gpd.GeoDataFrame:
    """Places as (place_id, kind, geometry or (x, y), parent_id)."""
    shapes = [s if s is None or isinstance(s, shapely.Geometry) else shapely.Point(s) for _, _, s, *_ in rows]
    return gpd.GeoDataFrame(
        {
            "place_id": pd.array([r[0] for r in rows], "str"),
            "kind": pd.array([r[1] for r in rows], "str"),
            "parent_id": pd.array([r[3] if len(r) > 3 else None for r in rows], "str"),
        },
        geometry=gpd.GeoSeries(shapes, crs=CRS),
    )


def status(check) -> dict:
    return dict(zip(check.places["place_id"], check.places["status"], strict=True))


def test_the_nine_rules_are_there_with_the_words_of_the_text():
    assert list(RULES) == ["tw1", "tw2", "tw3", "tw4", "tw5", "tw6", "dw1", "dw2", "dw3"]
    assert all(rule.id == name and rule.kinds and rule.radius_m > 0 for name, rule in RULES.items())
    for name, words in {
        "tw1": "无死角",
        "tw2": "无盲区",
        "tw3": "无遗漏",
        "tw4": "全覆盖",
        "tw5": "案件高发",
        "tw6": "复杂场所",
    }.items():
        assert words in RULES[name].words
    assert [RULES[n].target for n in RULES] == ["点位"] * 2 + ["区域"] + ["出入口"] * 3 + ["补盲"] * 3


@pytest.mark.parametrize(
    ("state", "online", "pct", "works", "unknown"),
    [
        ("在用", True, None, True, False), ("在用", True, 10, True, False), ("在用", False, 99.0, True, False),
        ("在用", None, 98.0, True, False), ("在用", False, 97.9, False, False), ("在用", False, None, False, False),
        ("在用", None, 50, False, False), ("在用", None, None, False, True), (None, True, 100, False, True),
        ("维修", True, 100, False, False), ("拆除", True, 100, False, False), ("维修", None, None, False, False),
    ],
)  # fmt: skip
def test_working(state, online, pct, works, unknown):
    frame = pd.DataFrame({"device_state": [state], "online": [online], "serviceable_pct": [pct]})
    assert [v.tolist() for v in working_cameras(frame)] == [[works], [unknown]]


def test_crossings_need_a_camera_that_is_of_one_or_looks_at_it():
    town = places(*[(f"J{i}", "路口", (1000 * i, 0)) for i in range(8)], ("S", "学校", (0, 0)))
    fleet = cameras(
        {"at": (20, 0), "location_type": "6"},  # of a crossing
        {"at": (1020, 0), "location_type": "5/6"},  # of several kinds
        {"at": (2020, 0), "bearing_deg": 270, "fov_deg": 60},  # looks back at it
        {"at": (3020, 0), "bearing_deg": 90, "fov_deg": 60, "location_type": "5"},  # looks away
        {"at": (4051, 0), "location_type": "6"},  # too far
        {"at": (5020, 0), "location_type": "6", "online": False},  # broken
        {"at": (6020, 0)},  # look unknown: a circle of its range, an upper estimate
        {"at": (7020, 0), "range_m": 10.0},  # the circle does not reach it
    )
    got = rule_check(town, fleet, "tw1")
    assert list(status(got).values()) == ["已覆盖"] * 3 + ["未覆盖"] * 3 + ["已覆盖", "未覆盖"]
    assert tuple(got) == (4, 8, 0, 50.0)
    assert got.places["nearest_m"].tolist()[:6] == pytest.approx([20, 20, 20, 20, 51, 949])
    assert got.places["reason"].tolist()[0] == "50米内1个正常工作的摄像机"
    assert "1个未照到此处" in got.places["reason"][3] and "1个未正常工作" in got.places["reason"][5]
    assert got.failing["place_id"].tolist() == ["J3", "J4", "J5", "J7"]
    assert got.failing["advice"].tolist() == [
        "调整50米内摄像机的朝向，或在此增设摄像机", "在此增设摄像机",
        "先修复50米内1个未正常工作的摄像机", "调整50米内摄像机的朝向，或在此增设摄像机",
    ]  # fmt: skip
    assert shapely.get_x(got.failing.geometry.values).tolist() == [3000, 4000, 5000, 7000] and got.failing.crs == CRS
    assert (got.cameras, got.working, got.unknown) == (8, 7, 0)
    assert "2个摄像机朝向" not in got.note and "朝向或视场角不明" in got.note
    wide = rule_check(town, fleet, replace(RULES["tw1"], radius_m=51.0))
    assert status(wide)["J4"] == "已覆盖" and wide.rule.radius_m == 51


def test_crossings_come_from_the_road_network():
    grid = [shapely.LineString([(x, 0), (x, 100), (x, 200)]) for x in (0, 100, 200)]
    grid += [shapely.LineString([(0, y), (100, y), (200, y)]) for y in (0, 100, 200)]
    wanted = {(x, y) for x in (0, 100, 200) for y in (0, 100, 200)} - {(0, 0), (0, 200), (200, 0), (200, 200)}
    assert set(map(tuple, road_junctions(grid))) == wanted  # at the corners two roads meet and none goes on
    assert set(map(tuple, road_junctions([*grid, grid[0], shapely.MultiLineString([grid[1].coords])]))) == wanted
    near = [
        shapely.LineString([(0, 0), (50, 0)]),
        shapely.LineString([(50.02, 0), (90, 0)]),
        shapely.LineString([(50, 9), (50, 0.01)]),
    ]
    assert road_junctions(near).tolist() == [[50, 0]] and road_junctions(near, snap_m=1e-3).tolist() == []
    assert road_junctions([]).shape == (0, 2) and len(road_junctions([shapely.LineString([(0, 0), (5, 5)])])) == 0
    nodes = road_junctions(grid)
    town = places(*[(f"N{i}", "路口", tuple(p)) for i, p in enumerate(nodes)])
    assert tuple(rule_check(town, cameras({"at": (101, 101), "location_type": "6"}), "tw1"))[:2] == (1, 5)


def test_key_points_of_main_roads():
    town = places(("B", "桥梁", (0, 0)), ("T", "隧道", (500, 0)), ("F", "收费站", None))
    got = rule_check(town, cameras({"at": (0, 30), "bearing_deg": 180, "fov_deg": 90}), "tw2")
    assert status(got) == {"B": "已覆盖", "T": "未覆盖", "F": "未评估"}
    assert tuple(got) == (1, 2, 1, 50.0) and got.places["reason"][2] == "没有可用的位置"


def test_crowded_areas_count_cameras_and_measure_the_area_seen():
    square, market, bare = shapely.box(0, 0, 100, 100), shapely.box(1000, 0, 1100, 100), shapely.box(2000, 0, 2100, 100)
    town = places(("Q", "广场", square), ("M", "市场", market), ("X", "校园", bare), ("P", "车站", (3000, 0)))
    fleet = cameras(
        {"at": (0, 50), "bearing_deg": 90, "fov_deg": 90}, {"at": (149, 50), "bearing_deg": 270, "fov_deg": 90},
        {"at": (1050, 50), "fov_deg": 360}, {"at": (1151, 0)}, {"at": (1050, 90), "device_state": "维修"},
        {"at": (3000, 10)}, {"at": (3000, -40)},
    )  # fmt: skip
    got = rule_check(town, fleet, "tw3")
    assert status(got) == {"Q": "已覆盖", "M": "未覆盖", "X": "未覆盖", "P": "已覆盖"}
    assert got.places["cameras"].tolist() == [2, 1, 0, 2]
    assert got.places["nearest_m"].tolist() == pytest.approx([0, 0, 849, 10])
    quarter = sector(0, 0, 0, 90, 50).area  # the second one's sector ends at x = 99: what is seen of the square
    second = shapely.intersection(sector(149, 50, 270, 90, 50), square).area
    disc = sector(1050, 50, 0, 360, 50).area
    seen = [(quarter + second) / 100, disc / 100, 0, np.nan]
    assert got.places["share_pct"].tolist() == pytest.approx(seen, rel=1e-3, nan_ok=True)
    assert "应有2个" in got.places["reason"][1] and got.failing["advice"][0] == "先修复50米内1个未正常工作的摄像机"
    assert got.failing["advice"][1] == "在此增设2个摄像机" and bare.contains(got.failing.geometry.values[1])
    asked = rule_check(town, fleet, replace(RULES["tw3"], min_share_pct=50.0))
    assert status(asked) == {"Q": "未覆盖", "M": "未覆盖", "X": "未覆盖", "P": "已覆盖"}
    assert "应达50%" in asked.places["reason"][0]


@pytest.mark.parametrize(("rule", "kind"), [("tw4", "医院"), ("tw5", "案件高发区域"), ("tw6", "娱乐场所")])
def test_every_entrance_counts_and_places_without_are_not_judged(rule, kind):
    town = places(
        ("A", kind, (0, 0)), ("A1", "出入口", (0, 100), "A"), ("A2", "出入口", (0, -100), "A"),
        ("B", kind, shapely.box(990, -10, 1010, 10)), ("B1", "出入口", (1000, 100), "B"), ("B2", "出入口", (1000, -100), "B"),
        ("C", kind, (2000, 0)),  # a camera at its door, but no entrance known
        ("D", kind, (3000, 0)), ("D1", "出入口", (3000, 0), "D"), ("D2", "出入口", None, "D"),
        ("E", kind, (4000, 0)), ("E1", "出入口", (4000, 0), "E"), ("E2", "出入口", None, "E"),
        ("Z", "别的", (0, 0)), ("Z1", "出入口", (9000, 0), "Z"), ("Y1", "出入口", (9000, 0), "nowhere"),
    )  # fmt: skip
    fleet = cameras(
        {"at": (0, 105)},
        {"at": (0, -110)},
        {"at": (1000, 100)},
        {"at": (1000, -131)},
        {"at": (2000, 1)},
        {"at": (3000, 5)},
    )
    got = rule_check(town, fleet, rule)
    assert status(got) == {"A": "已覆盖", "B": "未覆盖", "C": "未评估", "D": "未评估", "E": "未覆盖"}
    assert tuple(got) == (1, 3, 2, pytest.approx(100 / 3))
    assert got.places["entrances"].tolist() == [2, 2, 0, 2, 2]
    assert got.places["entrances_covered"].tolist() == [2, 1, 0, 1, 0]
    assert got.places["nearest_m"].tolist()[:3] == pytest.approx([10, 31, np.nan], nan_ok=True)
    assert got.places["cameras"].tolist() == [1, 0, 0, 1, 0]
    assert got.places["reason"][2] == "没有出入口数据" and "1个没有可用的位置" in got.places["reason"][3]
    assert got.failing[["place_id", "entrance_id"]].to_numpy().tolist() == [["B", "B2"], ["E", "E1"]]
    assert got.failing.geometry.values[0].equals(shapely.Point(1000, -100))
    assert rule_check(town.drop(columns="parent_id"), fleet, rule).not_judged == 5
    numbered = town.assign(
        place_id=range(16), parent_id=[None, 0, 0, None, 3, 3, None, None, 7, 7, None, 10, 10, None, 13, 99.0]
    )
    assert rule_check(numbered, fleet, rule).places["status"].tolist() == got.places["status"].tolist()


def test_gaps_filled_by_the_ground_network():
    town = places(*[(f"V{i}", "村口", (1000 * i, 0)) for i in range(5)])
    fleet = cameras(
        {"at": (0, 10)}, {"at": (1000, 10), "network": "地网"},
        {"at": (2000, 10)}, {"at": (2010, 0), "network": "地网"}, {"at": (3000, 10), "network": "社会"},
        {"at": (4000, 10), "network": "地网", "online": False},
    )  # fmt: skip
    got = rule_check(town, fleet, "dw1")
    assert got.places["network"].tolist() == ["天网", "地网", "两者", "无", "无"]
    assert got.places["status"].tolist() == ["已覆盖"] * 3 + ["未覆盖"] * 2
    assert tuple(got) == (3, 5, 0, 60.0)
    assert tuple(got.split) == (1, 1, 1, 2, 40.0, pytest.approx(100 / 3))
    assert got.failing["place_id"].tolist() == ["V3", "V4"]
    assert got.failing["advice"].tolist() == ["在此增设摄像机", "先修复50米内1个未正常工作的摄像机"]
    assert got.places["nearest_m"].tolist()[3:] == pytest.approx([np.hypot(990, 0), np.hypot(1990, 0)])
    none = rule_check(town, cameras({"at": (0, 0)}), replace(RULES["dw1"], kinds=("小巷",)))
    assert tuple(none) == (0, 0, 0, None) and tuple(none.split) == (0, 0, 0, 0, None, None)
    assert "没有此类场所" in none.note


def test_lanes_need_most_of_their_length():
    lanes = places(
        ("L1", "小巷", shapely.LineString([(0, 0), (200, 0)])), ("L2", "小巷", shapely.LineString([(0, 500), (200, 500)])),
        ("L3", "小巷", shapely.LineString([(0, 900), (200, 900)])),
    )  # fmt: skip
    fleet = cameras(
        {"at": (50, 0)},
        {"at": (150, 0)},
        {"at": (50, 500), "network": "地网"},
        {"at": (50, 900)},
        {"at": (140, 900), "network": "地网"},
    )
    got = rule_check(lanes, fleet, "dw2")
    assert got.places["share_pct"].tolist() == pytest.approx([100, 50, 95], abs=0.1)
    assert got.places["network"].tolist() == ["天网", "无", "两者"]  # the third only by both together
    assert got.failing.geometry.values[0].distance(shapely.Point(150, 500)) < 0.1  # middle of what is open
    assert "应达80%" in got.places["reason"][1]
    shops = rule_check(places(("D", "店面", shapely.box(0, 0, 9, 9))), fleet, "dw3")  # no share is asked of a building
    assert shops.covered == 1 and np.isnan(shops.places["share_pct"][0])


@pytest.mark.parametrize(("rule", "kind"), [("tw1", "路口"), ("tw3", "广场"), ("dw2", "小巷")])
def test_broken_shapes_are_mended_or_not_judged(rule, kind):
    bowtie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    flat, point = shapely.Polygon([(0, 0), (5, 0), (10, 0), (0, 0)]), shapely.LineString([(0, 0), (0, 0)])
    odd = [flat, point, shapely.LineString(), shapely.Polygon(), None]
    town = places(("B", kind, bowtie), *[(f"X{i}", kind, shape) for i, shape in enumerate(odd)])
    got = rule_check(town, cameras({"at": (5, 5), "location_type": "6"}, {"at": (5, 6), "location_type": "6"}), rule)
    assert list(status(got).values()) == ["已覆盖"] + ["未评估"] * 5 and set(got.places["reason"][1:]) == {
        "没有可用的位置"
    }
    assert tuple(got) == (1, 1, 5, 100.0) and len(got.failing) == 0


def test_unknown_is_neither_working_nor_silent():
    town = places(("J", "路口", (0, 0)), ("K", "路口", (500, 0)))
    some = cameras({"at": (5, 0), "location_type": "6", "device_state": None}, {"at": (505, 0), "location_type": 6})
    got = rule_check(town, some, "tw1")
    assert status(got) == {"J": "未覆盖", "K": "已覆盖"} and (got.working, got.unknown) == (1, 1)
    assert "1个摄像机状态不明" in got.note and "1个状态不明" in got.places["reason"][0]
    assert got.failing["advice"].tolist() == ["先核实50米内1个摄像机的状态"]
    for lacking in (some.drop(columns="device_state"), some.drop(columns=["online", "serviceable_pct"])):
        check = rule_check(town, lacking, "tw1")
        assert tuple(check) == (0, 0, 2, None) and set(check.places["status"]) == {"未评估"}
        assert "来源未提供摄像机状态" in check.note and len(check.failing) == 0
    nets = rule_check(places(("V", "村口", (0, 0))), some.assign(device_state="在用", network=None), "dw1")
    assert (
        tuple(nets) == (0, 0, 1, None) and "来源未提供所属网络" in nets.note and nets.places["network"].tolist() == [""]
    )
    assert tuple(nets.split)[:4] == (0, 0, 0, 0)
    half = rule_check(places(("V", "村口", (0, 0))), some.assign(device_state="在用", network=["天网", None]), "dw1")
    assert "1个摄像机未注明所属网络" in half.note and half.covered == 1
    kindless = rule_check(town.drop(columns="kind"), some, "tw1")
    assert set(kindless.places["status"]) == {"未评估"} and "来源未提供场所类型" in kindless.note


def test_no_cameras_is_uncovered_and_said():
    town = places(("J", "路口", (0, 0)))
    for empty in (cameras(), cameras()[["geometry"]]):
        got = rule_check(town, empty, "tw1")
        assert tuple(got) == (0, 1, 0, 0.0) and "没有摄像机" in got.note
        assert np.isnan(got.places["nearest_m"][0]) and got.failing["advice"].tolist() == ["在此增设摄像机"]
    nothing = rule_check(town.iloc[:0], cameras(), "tw4")
    assert tuple(nothing) == (0, 0, 0, None) and len(nothing.failing) == 0


def test_removed_cameras_are_not_there_to_repair():
    got = rule_check(
        places(("J", "路口", (0, 0))), cameras({"at": (1, 0), "device_state": "拆除", "location_type": "6"}), "tw1"
    )
    assert got.failing["advice"].tolist() == ["在此增设摄像机"]


@pytest.mark.parametrize("seed", range(8))
def test_against_brute_force_and_order(seed):
    rng = np.random.default_rng(seed)
    town = places(*[(f"J{i}", "路口", tuple(p)) for i, p in enumerate(rng.uniform(0, 400, (40, 2)))])
    n = 30
    fleet = cameras(*[{"at": tuple(p)} for p in rng.uniform(0, 400, (n, 2))])
    fleet["device_state"] = rng.choice(["在用", "维修", None], n)
    fleet["online"] = rng.choice([True, False, None], n)
    fleet["serviceable_pct"] = rng.choice([99.0, 50.0, np.nan], n)
    fleet["location_type"] = rng.choice(["6", "5", None], n)
    fleet["bearing_deg"], fleet["fov_deg"] = rng.uniform(0, 360, n), 100.0
    rule = replace(RULES["tw1"], radius_m=60.0, k=int(rng.integers(1, 3)))
    wanted = []
    for spot in town.geometry:
        good = 0
        for c in fleet.itertuples():
            works = c.device_state == "在用" and (c.online is True or c.serviceable_pct >= 98)
            near = spot.distance(c.geometry) <= 60
            view = sector(c.geometry.x, c.geometry.y, c.bearing_deg, 100, 50)
            good += works and near and (c.location_type == "6" or view.intersects(spot))
        wanted.append("已覆盖" if good >= rule.k else "未覆盖")
    got = rule_check(town, fleet, rule)
    assert got.places["status"].tolist() == wanted
    turn = rng.permutation(40)
    moved = rule_check(town.iloc[turn], fleet.iloc[::-1], rule)
    assert moved.places["status"].tolist() == [wanted[i] for i in turn] and moved.covered == got.covered
    far = pd.concat([fleet, cameras({"at": (1e6, 1e6), "camera_code": "far"})])
    assert rule_check(town, far, rule).places["status"].tolist() == wanted


def test_refusals_name_what_is_wrong():
    town, fleet = places(("J", "路口", (0, 0))), cameras({"at": (0, 0)}, {"at": (0, 0)})
    with pytest.raises(ValueError, match=r"places is in degrees \(EPSG:4490\)"):
        rule_check(town.set_crs(4490, allow_override=True), fleet, "tw1")
    with pytest.raises(ValueError, match="cameras is in degrees"):
        rule_check(town, fleet.set_crs(4326, allow_override=True), "tw1")
    with pytest.raises(ValueError, match="expected one CRS"):
        rule_check(town, fleet.set_crs(4548, allow_override=True), "tw1")
    with pytest.raises(ValueError, match="camera_code C0 stands more than once"):
        rule_check(town, fleet.assign(camera_code="C0"), "tw1")
    with pytest.raises(ValueError, match="place_id J stands more than once"):
        rule_check(pd.concat([town, town]), fleet, "tw1")
    with pytest.raises(ValueError, match="no column place_id"):
        rule_check(town.drop(columns="place_id"), fleet, "tw1")
    with pytest.raises(ValueError, match="rule 'tw7', expected a Rule or one of tw1"):
        rule_check(town, fleet, "tw7")
    for wrong in ({"radius_m": 0}, {"k": 0}, {"min_share_pct": 101}, {"target": "人员"}):
        with pytest.raises(ValueError, match="rule x: "):
            Rule(**({"id": "x", "words": "", "target": "点位", "kinds": ("路口",), "radius_m": 50.0} | wrong))


def test_what_the_caller_gave_stays():
    town, fleet = places(("J", "路口", (0, 0))), cameras({"at": (0, 0)})
    before = town.copy(), fleet.copy()
    rule_check(town, fleet, "tw1")
    pd.testing.assert_frame_equal(town, before[0])
    pd.testing.assert_frame_equal(fleet, before[1])
