"""Areas and grids: hierarchy by code, by column, by space; versions; topology in quality.json; places."""

from __future__ import annotations

import json

import pyproj
import pytest
import shapely
from city import CHINA_CODES, City, cell, centre, feature_collection

GEOD = pyproj.Geod(ellps="WGS84")


def area_m2(shape) -> float:
    return abs(GEOD.geometry_area_perimeter(shape)[0])


def test_districts_are_dissolved_where_no_area_source_is(tmp_path):
    city = City(tmp_path).grids()
    city.run()
    areas = city.shapes("area").set_index("code")
    for prefix, level in ((6, "district"), (9, "street"), (12, "community")):
        groups: dict[str, list] = {}
        for n, code in enumerate(CHINA_CODES):
            groups.setdefault(code[:prefix], []).append(cell(n))
        for code, cells in groups.items():
            assert areas.loc[code, "level"] == level
            assert areas.loc[code].geometry.symmetric_difference(shapely.union_all(cells)).area < 1e-12
    assert areas.loc["370102013", "parent_code"] == "370102"
    assert areas.loc["370102013006", "parent_code"] == "370102013"


def test_declared_columns_give_the_hierarchy_where_codes_cannot(tmp_path):
    city = City(tmp_path, china=False)
    city.put("g.geojson", feature_collection([({"code": f"G{n}", "区": f"D{n // 3}"}, cell(n)) for n in range(9)]))
    city.add("grids", "grid", "g.geojson", crs="wgs84", columns={"grid_code": "code", "district_code": "区"})
    city.incidents(
        [{"编号": str(n), "时间": "2026-03-01", "经度": centre(n)[0], "纬度": centre(n)[1]} for n in range(9)]
    )
    city.run()
    assert city.table("incident").sort_values("incident_id")["district_code"].tolist() == [
        f"D{n // 3}" for n in range(9)
    ]
    areas = city.shapes("area").set_index("code")
    assert set(areas.index) == {"D0", "D1", "D2"}
    assert areas.loc["D1"].geometry.symmetric_difference(shapely.union_all([cell(n) for n in (3, 4, 5)])).area < 1e-12


def test_a_spatial_join_by_largest_shared_area_with_ties_to_the_smallest_code(tmp_path):
    """Two districts whose border runs through the middle column: a tie there, except in the last row."""
    city = City(tmp_path, china=False).grids()
    middle = 117.015
    west = shapely.Polygon(
        [(117, 36.67), (middle + 0.001, 36.67), (middle + 0.001, 36.68), (middle, 36.68), (middle, 36.7), (117, 36.7)]
    )
    east = shapely.box(117, 36.67, 117.03, 36.7).difference(west)
    city.put(
        "a.geojson", feature_collection([({"code": "Z", "name": "西区"}, west), ({"code": "K", "name": "东区"}, east)])
    )
    city.add(
        "areas",
        "area",
        "a.geojson",
        crs="wgs84",
        columns={"code": "code", "name": "name"},
        defaults={"level": "district"},
    )
    city.run()
    assert city.table("grid").sort_values("grid_code")["district_code"].tolist() == [
        "Z",
        "K",
        "K",
        "Z",
        "K",
        "K",
        "Z",
        "Z",
        "K",
    ]


def test_grids_valid_at_data_as_of_are_used_and_older_versions_stay(tmp_path):
    old, new = CHINA_CODES[4], "370102013007009"
    city = City(tmp_path)
    features = [({"code": c, "from": None, "to": None}, cell(n)) for n, c in enumerate(CHINA_CODES) if c != old]
    features += [
        ({"code": old, "from": "2020-01-01", "to": "2026-03-05"}, cell(4)),
        ({"code": new, "from": "2026-03-05", "to": None}, cell(4)),
    ]
    city.put("g.geojson", feature_collection(features))
    city.add(
        "grids",
        "grid",
        "g.geojson",
        crs="cgcs2000",
        columns={"grid_code": "code", "valid_from": "from", "valid_to": "to"},
    )
    x, y = centre(4)

    def at(day: str) -> list[str]:
        city.incidents(
            [
                {"编号": "1", "时间": "2026-03-01 10:00", "经度": x, "纬度": y},
                {"编号": "2", "时间": f"{day} 10:00", "经度": x + 0.001, "纬度": y},
            ]
        )
        city.run()
        return city.table("incident").sort_values("incident_id")["grid_code"].tolist()

    assert at("2026-03-04") == [old, old]  # the new grid is not yet in force
    assert at("2026-03-05") == [new, new]  # valid_to is exclusive
    grids = city.table("grid").set_index("grid_code")
    assert len(grids) == 10
    assert str(grids.loc[old, "valid_to"])[:10] == "2026-03-05"
    assert city.quality()["topology"]["overlaps"] == 0  # the two never stand at the same time


def test_topology_numbers(tmp_path):
    """A hole where the middle grid is missing, one grid pushed over its neighbour, one bow-tie put right."""
    shifted = shapely.box(117.0, 36.69, 117.012, 36.7)  # the first cell reaches 0.002 degrees into the second
    bow = shapely.Polygon([(117.02, 36.67), (117.03, 36.68), (117.03, 36.67), (117.02, 36.68)])
    city = City(tmp_path, china=False)
    features = [({"code": f"G{n}"}, cell(n)) for n in range(1, 8) if n != 4]
    features += [({"code": "G0"}, shifted), ({"code": "G8"}, bow)]
    city.put("g.geojson", feature_collection(features))
    city.add("grids", "grid", "g.geojson", crs="wgs84", columns={"grid_code": "code"})
    city.run()
    topology = city.quality()["topology"]
    assert topology["overlaps"] == 1
    overlap = shifted.intersection(cell(1))
    assert topology["overlap_m2"] == pytest.approx(area_m2(overlap), rel=0.002)
    assert sorted(topology["worst_overlaps"][0][:2]) == ["G0", "G1"]
    assert topology["gap_m2"] == pytest.approx(area_m2(cell(4)), rel=0.002)
    assert topology["gaps"] == 1
    assert city.quality()["sources"]["grids"]["geometry_repaired"] == 1
    assert len(city.table("grid")) == 8
    assert city.shapes("grid").geometry.is_valid.all()
    assert city.accounted().loc["grids"].tolist() == [8, 8, 0]


def test_a_tiling_without_faults_reports_none(tmp_path):
    city = City(tmp_path).grids()
    city.run()
    topology = city.quality()["topology"]
    assert (topology["overlaps"], topology["gaps"], topology["outside_community"]) == (0, 0, 0)


def test_grids_outside_their_community_are_told(tmp_path):
    city = City(tmp_path).grids()
    communities = {code[:12]: [] for code in CHINA_CODES}
    for n, code in enumerate(CHINA_CODES):
        communities[code[:12]].append(cell(n))
    shapes = {c: shapely.union_all(s) for c, s in communities.items()}
    first = CHINA_CODES[0][:12]
    shapes[first] = shapes[first].difference(cell(0))  # the drawn community leaves out its first grid
    city.put("c.geojson", feature_collection([({"code": c, "name": c}, s) for c, s in shapes.items()]))
    city.add(
        "areas",
        "area",
        "c.geojson",
        crs="cgcs2000",
        columns={"code": "code", "name": "name"},
        defaults={"level": "community"},
    )
    city.run()
    topology = city.quality()["topology"]
    assert topology["outside_community"] == 1
    code, amount = topology["worst_outside_community"][0]
    assert code == CHINA_CODES[0] and amount == pytest.approx(area_m2(cell(0)), rel=0.002)


def test_two_grid_sources_complete_each_other(tmp_path):
    """Shapes from one file, population and staff from a table (as Lancashire's wards)."""
    city = City(tmp_path, china=False)
    city.put("g.geojson", feature_collection([({"code": c}, cell(n)) for n, c in enumerate(city.codes)]))
    city.add("shapes", "grid", "g.geojson", crs="wgs84", columns={"grid_code": "code"})
    city.put(
        "p.csv",
        "码,人口,户数,网格员数\n" + "".join(f"{c},{100 + n},{30 + n},{n % 3}\n" for n, c in enumerate(city.codes)),
    )
    city.add(
        "people",
        "grid",
        "p.csv",
        columns={"grid_code": "码", "population": "人口", "households": "户数", "staff_count": "网格员数"},
    )
    city.run()
    grids = city.table("grid").set_index("grid_code")
    assert len(grids) == 9
    assert grids.loc["T-B2", ["population", "households", "staff_count"]].tolist() == [104, 34, 1]
    assert city.shapes("grid").geometry.notna().all()
    accounts = city.accounted()
    assert accounts.loc["people"].tolist() == [9, 9, 0] and accounts.loc["shapes"].tolist() == [9, 9, 0]


def test_places_points_and_polygons_go_to_their_layers_with_attributes(tmp_path):
    city = City(tmp_path).grids()
    city.put(
        "k.geojson",
        feature_collection(
            [
                ({"id": "S1", "名称": "实验小学", "类型": "学校", "上级": None}, shapely.Point(centre(0))),
                ({"id": "S1-E", "名称": "东门", "类型": "出入口", "上级": "S1"}, shapely.Point(centre(0, 0.002))),
                ({"id": "M1", "名称": "中心广场", "类型": "广场", "上级": None}, cell(4).buffer(-0.002)),
                ({"id": "X", "名称": "无图形", "类型": "学校", "上级": None}, None),
            ]
        ),
    )
    city.add(
        "places",
        "key_place",
        "k.geojson",
        crs="cgcs2000",
        max_reject_pct=50,
        columns={"place_id": "id", "name": "名称", "kind": "类型", "parent_id": "上级"},
    )
    city.run()
    points, areas = city.table("key_place").set_index("place_id"), city.table("key_area").set_index("place_id")
    assert set(points.index) == {"S1", "S1-E"} and set(areas.index) == {"M1"}
    assert points.loc["S1-E", "parent_id"] == "S1"
    assert points.loc["S1", "grid_code"] == CHINA_CODES[0]
    assert city.accounted().loc["places"].tolist() == [4, 3, 1]
    for value in [*points["attributes"], *areas["attributes"]]:
        assert value is None or isinstance(json.loads(value), dict)


def test_base_map_layers(tmp_path):
    city = City(tmp_path).grids()
    line = shapely.LineString([(117, 36.69), (117.03, 36.68)])
    for kind, shape in (("base_road", line), ("base_building", cell(1)), ("base_water", cell(2))):
        city.put(f"{kind}.geojson", feature_collection([({"name": "和平路", "fclass": "primary"}, shape)]))
        city.add(kind, kind, f"{kind}.geojson", crs="cgcs2000", columns={"name": "name", "kind": "fclass"})
    city.run()
    assert city.shapes("base_road").geometry.iloc[0].length == pytest.approx(line.length)
    assert city.shapes("base_road").geometry.iloc[0].geom_type == "MultiLineString"
    for kind in ("base_building", "base_water"):
        assert city.shapes(kind).geometry.iloc[0].geom_type == "MultiPolygon"
        assert city.table(kind)[["name", "kind"]].values.tolist() == [["和平路", "primary"]]
