"""Incidents to grids: exact, total, ties to the smallest code, and the declared-code rules of the design."""

from __future__ import annotations

import random

import pytest
import shapely
from city import CHINA_CODES, City, cell, centre, csv_text, feature_collection

STEP = 1 / 128  # dyadic: sums and halves are exact in binary, so border points lie exactly on the border


def box(col: float, row: float, width: float = 1, height: float = 1) -> shapely.Polygon:
    return shapely.box(117 + col * STEP, 36 + row * STEP, 117 + (col + width) * STEP, 36 + (row + height) * STEP)


def brute_force(point: shapely.Point, regions: dict[str, shapely.Polygon]) -> str | None:
    """Smallest code among all regions that hold the point or have it on their border."""
    return min((code for code, shape in regions.items() if shape.intersects(point)), default=None)


def test_every_point_goes_to_the_smallest_code_that_covers_it(tmp_path):
    rng = random.Random(11)
    regions = {}
    codes = [f"{n:03d}" for n in range(30)]
    rng.shuffle(codes)
    for n, code in enumerate(codes):
        if n < 16:
            regions[code] = box(n % 4, n // 4)
        elif n < 24:  # overlapping the lattice and each other
            regions[code] = box(rng.randrange(0, 14) / 4, rng.randrange(0, 14) / 4, rng.choice([0.5, 1, 2]), 0.75)
        elif n < 28:
            c, r = rng.randrange(4), rng.randrange(4)
            regions[code] = shapely.Polygon(
                [
                    (117 + c * STEP, 36 + r * STEP),
                    (117 + (c + 2) * STEP, 36 + r * STEP),
                    (117 + (c + 1) * STEP, 36 + (r + 2) * STEP),
                ]
            )
        else:  # with a hole, far from the rest
            outer = box(6 + n - 28, 0)
            regions[code] = outer.difference(box(6.25 + n - 28, 0.25, 0.5, 0.5))
    spots = {(117 + a * STEP / 2, 36 + b * STEP / 2) for a in range(-1, 18) for b in range(-1, 11)}
    spots |= {(117 + rng.uniform(-0.2, 8.2) * STEP, 36 + rng.uniform(-0.2, 5) * STEP) for _ in range(400)}
    spots |= {c[:2] for shape in regions.values() for c in shape.exterior.coords}
    spots = sorted(spots)
    city = City(tmp_path, china=False)
    city.put("g.geojson", feature_collection([({"code": c}, s) for c, s in regions.items()]))
    city.add("grids", "grid", "g.geojson", crs="wgs84", columns={"grid_code": "code"})
    city.incidents(
        [{"编号": str(n), "时间": "2026-03-01", "经度": repr(x), "纬度": repr(y)} for n, (x, y) in enumerate(spots)]
    )
    city.run()
    table = city.table("incident").set_index("incident_id")
    expected = {str(n): brute_force(shapely.Point(p), regions) for n, p in enumerate(spots)}
    assert table["grid_code"].to_dict() == expected
    for code, quality in zip(table["grid_code"], table["location_quality"], strict=True):
        assert (code is None) == (quality == "outside")


A, B, C = CHINA_CODES[0], CHINA_CODES[4], CHINA_CODES[8]


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """One source for each way a point can fail to decide; the declared code says A, B, C, nothing or nonsense."""
    made = City(tmp_path_factory.mktemp("declared")).grids()
    station = centre(4)  # inside B
    middle = cell(4).centroid

    def source(name: str, pairs: list[tuple], declared: list[str]) -> None:
        made.put(
            f"{name}.csv",
            csv_text(
                [
                    {
                        "编号": f"{name}{n}",
                        "时间": "2026-03-01",
                        "经度": pairs[n % len(pairs)][0],
                        "纬度": pairs[n % len(pairs)][1],
                        "网格": d,
                    }
                    for n, d in enumerate(declared)
                ]
            ),
        )
        made.declare_incidents(("编号", "时间", "经度", "纬度", "网格"), f"{name}.csv", name)

    mixed = [A, C, "", "370102013006999", B]
    spread = [(round(117.0005 + 0.0003 * n, 6), round(36.6985 - 0.0003 * n, 6)) for n in range(20)]
    made.put(
        "pile.csv",
        csv_text(
            [
                {"编号": f"pile{n}", "时间": "2026-03-01", "经度": station[0], "纬度": station[1], "网格": mixed[n % 5]}
                for n in range(200)
            ]
            + [
                {"编号": f"free{n}", "时间": "2026-03-01", "经度": x, "纬度": y, "网格": ""}
                for n, (x, y) in enumerate(spread)
            ]
        ),
    )
    made.declare_incidents(("编号", "时间", "经度", "纬度", "网格"), "pile.csv", "pile")
    source("central", [(repr(middle.x), repr(middle.y))], mixed * 2)
    source("outside", [(118.5, 36.65), (-75.1, 39.9)], mixed)
    source("none", [("", ""), (0, 0)], mixed)
    source("exact", [(round(117.0111 + 0.0001 * n, 6), 36.6883) for n in range(5)], mixed)
    made.put(
        "codes.csv",
        csv_text(
            [
                {
                    "编号": "grid",
                    "时间": "2026-03-01",
                    "网格": A,
                    "社区": CHINA_CODES[8][:12],
                    "街道": "370103002",
                    "区": "370103",
                },
                {
                    "编号": "area",
                    "时间": "2026-03-01",
                    "网格": "",
                    "社区": CHINA_CODES[8][:12],
                    "街道": "370103002",
                    "区": "370103",
                },
                {
                    "编号": "wrong",
                    "时间": "2026-03-01",
                    "网格": "370102013006999",
                    "社区": "",
                    "街道": "370103002",
                    "区": "370103",
                },
            ]
        ),
    )
    made.declare_incidents(
        ("编号", "时间", "网格"),
        "codes.csv",
        "codes",
        columns={"community_code": "社区", "street_code": "街道", "district_code": "区"},
    )
    made.run()
    return made


def grids_of(city: City, source: str, quality: str) -> list[str | None]:
    part = city.table("incident").query("source_id == @source and location_quality == @quality")
    number = part["incident_id"].str.extract(r"(\d+)$")[0].astype(int)
    return part.assign(n=number).sort_values("n")["grid_code"].tolist()


def test_pile_up_takes_the_valid_declared_code_and_failing_that_the_points_grid(city):
    assert grids_of(city, "pile", "pile_up") == [A, C, B, B, B] * 40
    assert grids_of(city, "pile", "exact") == [
        brute_force(p, dict(zip(CHINA_CODES, map(cell, range(9)), strict=True)))
        for p in city.shapes("incident")
        .query("source_id == 'pile' and location_quality == 'exact'")
        .assign(n=lambda f: f["incident_id"].str[4:].astype(int))
        .sort_values("n")
        .geometry
    ]


def test_centroid_takes_the_valid_declared_code_and_failing_that_the_points_grid(city):
    assert grids_of(city, "central", "centroid") == [A, C, B, B, B] * 2


def test_outside_and_none_take_the_valid_declared_code_or_nothing(city):
    assert grids_of(city, "outside", "outside") == [A, C, None, None, B]
    assert grids_of(city, "none", "none") == [A, C, None, None, B]


def test_an_exact_point_keeps_its_grid_and_contradictions_are_counted(city):
    assert grids_of(city, "exact", "exact") == [B] * 5
    assert city.quality()["sources"]["exact"]["contradicts_declared"] == 2


def test_area_codes_are_those_of_the_grid_and_declared_ones_only_without_a_grid(city):
    table = city.table("incident").query("source_id == 'codes'").set_index("incident_id")
    parts = ["grid_code", "community_code", "street_code", "district_code"]
    assert table.loc["grid", parts].tolist() == [A, A[:12], A[:9], A[:6]]
    assert table.loc["area", parts].tolist() == [None, CHINA_CODES[8][:12], "370103002", "370103"]
    assert table.loc["wrong", "grid_code"] is None
    assert table.loc["wrong", ["street_code", "district_code"]].tolist() == ["370103002", "370103"]


def test_points_without_a_place_keep_a_null_geometry_and_still_count(city):
    shapes = city.shapes("incident")
    lost = shapes[shapes["location_quality"] == "none"].geometry
    assert len(lost) == 8 and all(g is None or g.is_empty for g in lost)
    accounts = city.accounted()
    assert (accounts["rows_in"] == accounts["rows_out"]).all()


def test_cameras_and_places_get_their_grid_by_the_same_rule(tmp_path):
    city = City(tmp_path, china=False)
    regions = {"b": box(0, 0), "a": box(1, 0)}
    city.put("g.geojson", feature_collection([({"code": c}, s) for c, s in regions.items()]))
    city.add("grids", "grid", "g.geojson", crs="wgs84", columns={"grid_code": "code"})
    border = (117 + STEP, 36 + STEP / 2)
    city.put(
        "c.csv",
        csv_text(
            [
                {"编码": "on", "经度": repr(border[0]), "纬度": repr(border[1])},
                {"编码": "in", "经度": repr(117 + STEP / 2), "纬度": repr(border[1])},
            ]
        ),
    )
    city.add("cam", "camera", "c.csv", crs="wgs84", columns={"camera_code": "编码", "lon": "经度", "lat": "纬度"})
    city.put("p.geojson", feature_collection([({"id": "on"}, shapely.Point(border))]))
    city.add("place", "key_place", "p.geojson", crs="wgs84", columns={"place_id": "id"})
    city.run()
    assert city.table("camera").set_index("camera_code")["grid_code"].to_dict() == {"on": "a", "in": "b"}
    assert city.table("key_place")["grid_code"].tolist() == ["a"]
