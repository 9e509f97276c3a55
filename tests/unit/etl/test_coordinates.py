"""Coordinates as files hold them: swapped, degrees and minutes, placeholders, metres, GCJ-02 (domain.md 2.9 to 2.12)."""

from __future__ import annotations

import math
import random

import numpy as np
import pyarrow as pa
import pyproj
import pytest
import shapely
from city import CHINA_CODES, City, cell, centre, csv_text, feature_collection

from data.errors import DataFault
from etl.transform import points
from geo import crs as geo_crs

LON, LAT = centre(4)


def dms(value: float) -> str:
    seconds = round(value * 3600, 2)
    return f"{int(seconds // 3600)}°{int(seconds % 3600 // 60)}′{seconds % 60:.2f}″"


# name -> (lon text, lat text, grid, location quality)
MIDDLE = CHINA_CODES[4]
PAIRS = {
    "plain": (f"{LON}", f"{LAT}", MIDDLE, "exact"),
    "swapped": (f"{LAT}", f"{LON}", MIDDLE, "exact"),
    "dms": (dms(LON), dms(LAT), MIDDLE, "exact"),
    "full_width": ("１１７．０１６３０１", f"{LAT}", MIDDLE, "exact"),
    "zero": ("0", "0", None, "none"),
    "zero_text": ("0.000000", "0.000000", None, "none"),
    "one": ("1", "1", None, "none"),
    "nines": ("999", "999", None, "none"),
    "blank": ("", "", None, "none"),
    "half_blank": (f"{LON}", "", None, "none"),
    "words": ("不详", "无", None, "none"),
    "abroad": ("-75.16", "39.95", None, "outside"),
    "next_province": ("121.527211", "31.177428", None, "outside"),
    "coarse": (f"{LON:.3f}", f"{LAT:.3f}", MIDDLE, "low_precision"),
    "phone_like": ("117.013812345678", f"{LAT}", MIDDLE, "exact"),
}


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    made = City(tmp_path_factory.mktemp("pairs")).grids()
    rows = [{"编号": k, "时间": "2026-03-01", "经度": v[0], "纬度": v[1]} for k, v in PAIRS.items()]
    made.incidents(rows)
    made.put(
        "one.csv",
        "编号;时间;位置\n"
        + "\n".join(
            f"{n};2026-03-01;{p}"
            for n, p in enumerate((f"{LON},{LAT}", f"{LON}，{LAT}", f"({LON} {LAT})", f"{LAT},{LON}", "", "0,0"))
        ),
    )
    made.declare_incidents(("编号", "时间"), "one.csv", "one", columns={"lon_lat": "位置"})
    to_4549 = pyproj.Transformer.from_crs("EPSG:4490", "EPSG:4548", always_xy=True)  # 3-degree belt of 117 E
    x, y = to_4549.transform(LON, LAT)
    made.put("metres.csv", f"编号,时间,经度,纬度\na,2026-03-01,{x:.3f},{y:.3f}\n")
    made.declare_incidents(("编号", "时间", "经度", "纬度"), "metres.csv", "metres", crs="EPSG:4548")
    x, y = pyproj.Transformer.from_crs("EPSG:4490", "EPSG:4527", always_xy=True).transform(LON, LAT)
    made.put(
        "zoned.csv",
        csv_text(
            [
                {"编号": "a", "时间": "2026-03-01", "位置": f"POINT ({x:.3f} {y:.3f})"},
                {"编号": "b", "时间": "2026-03-01", "位置": "POINT (垃圾"},
            ]
        ),
    )
    made.declare_incidents(("编号", "时间"), "zoned.csv", "zoned", crs="EPSG:4527", columns={"wkt": "位置"})
    made.run()
    return made


@pytest.mark.parametrize("name", PAIRS)
def test_each_pair(city, name):
    row = city.table("incident").query("source_id == 'jq'").set_index("incident_id").loc[name]
    assert (row["grid_code"], row["location_quality"]) == PAIRS[name][2:]


def test_nothing_is_lost_for_want_of_a_point_and_swaps_are_counted(city):
    assert city.accounted().loc["jq"].tolist() == [len(PAIRS), len(PAIRS), 0]
    assert city.quality()["sources"]["jq"]["swapped"] == 1
    shapes = city.shapes("incident").query("source_id == 'jq'").set_index("incident_id").geometry
    for name, (*_, quality) in PAIRS.items():
        if quality == "none":
            assert shapes[name] is None or shapes[name].is_empty, name
    for name in ("plain", "swapped", "dms"):
        assert shapes[name].distance(shapely.Point(LON, LAT)) < 1e-7


def test_one_column_with_both(city):
    part = city.table("incident").query("source_id == 'one'").sort_values("incident_id")
    assert part["grid_code"].tolist()[:4] == [MIDDLE] * 4
    assert part["location_quality"].tolist()[4:] == ["none", "none"]


def test_metres_where_crs_says_so(city):
    shapes = city.shapes("incident").set_index(["source_id", "incident_id"]).geometry
    assert shapes["metres", "a"].distance(shapely.Point(LON, LAT)) < 2e-8
    assert shapes["zoned", "a"].distance(shapely.Point(LON, LAT)) < 2e-8
    row = city.table("incident").set_index(["source_id", "incident_id"]).loc[("zoned", "b")]
    assert row["location_quality"] == "none"
    runs = city.table("source_run").set_index("source_id")
    assert "4548" in runs.loc["metres", "crs_declared"]


@pytest.mark.parametrize(
    ("epsg", "east", "north"), [(4549, 500000.000, 3320113.398), (4528, 40500000.000, 3320113.398)]
)
def test_published_cgcs2000_vector(tmp_path, epsg, east, north):
    """domain.md 2.9: 120 E, 30 N."""
    city = City(tmp_path, release={"codes": "opaque"})
    city.put("g.geojson", feature_collection([({"code": "G"}, shapely.box(119.99, 29.99, 120.01, 30.01))]))
    city.add("grids", "grid", "g.geojson", crs="cgcs2000", columns={"grid_code": "code"})
    city.put("p.csv", f"编号,时间,经度,纬度\na,2026-03-01,{east},{north}\n")
    city.declare_incidents(("编号", "时间", "经度", "纬度"), "p.csv", crs=f"EPSG:{epsg}").run()
    point = city.shapes("incident").geometry.iloc[0]
    assert point.distance(shapely.Point(120, 30)) < 1e-8
    assert city.table("incident")["grid_code"].tolist() == ["G"]


@pytest.mark.parametrize(
    ("pair", "hint"),
    [
        ((40500000.0, 3320113.398), "4528"),  # 8-digit easting: the 3-degree zone 40
        ((500000.0, 3320113.398), "crs"),  # 6 digits: the meridian is unknown, so ask
        ((3320113.398, 40500000.0), "crs"),  # north first
    ],
)
def test_metres_without_a_crs_stop_the_run_with_a_remedy(tmp_path, pair, hint):
    city = City(tmp_path).grids()
    city.put("p.csv", "编号,时间,经度,纬度\n" + "".join(f"{n},2026-03-01,{pair[0]},{pair[1]}\n" for n in range(3)))
    city.declare_incidents(("编号", "时间", "经度", "纬度"), "p.csv", crs="auto")
    with pytest.raises(DataFault) as caught:
        city.run()
    assert hint in caught.value.remedy and "p.csv" in caught.value.where


def test_a_crs_the_coordinates_cannot_be_in_stops_the_run(tmp_path):
    city = (
        City(tmp_path)
        .grids()
        .incidents(
            [{"编号": str(n), "时间": "2026-03-01", "经度": LON, "纬度": LAT} for n in range(3)], crs="EPSG:4548"
        )
    )
    with pytest.raises(DataFault, match=r"jq\.csv"):
        city.run()
    assert not (city.path / "releases" / "current").exists()


def scattered(n: int, seed: int = 7) -> list[tuple[int, float, float]]:
    """Points evenly over the cells, WGS 84, with their cell."""
    rng = random.Random(seed)
    out = []
    for k in range(n):
        west, south, east, north = cell(k % 9).bounds
        out.append((k % 9, rng.uniform(west, east), rng.uniform(south, north)))
    return out


def shifted_rows(points, shift) -> list[dict]:
    out = []
    for k, (c, lon, lat) in enumerate(points):
        x, y = shift(lon, lat) if shift else (lon, lat)
        out.append(
            {
                "编号": f"p{k}",
                "时间": "2026-03-01",
                "经度": f"{float(x):.7f}",
                "纬度": f"{float(y):.7f}",
                "网格": CHINA_CODES[c],
            }
        )
    return out


def to_bd09(lon, lat):
    return geo_crs.gcj02_to_bd09(*geo_crs.wgs84_to_gcj02(lon, lat))


@pytest.mark.parametrize(("name", "shift"), [("gcj02", geo_crs.wgs84_to_gcj02), ("bd09", to_bd09), ("wgs84", None)])
def test_the_datum_is_found_from_declared_grids_and_its_evidence_shown(tmp_path, name, shift):
    points = scattered(270)
    city = City(tmp_path).grids().incidents(shifted_rows(points, shift), crs="auto")
    city.run()
    found = city.table("incident").set_index("incident_id")["grid_code"]
    assert all(found[f"p{k}"] == CHINA_CODES[c] for k, (c, _, _) in enumerate(points))
    detected = city.table("source_run").set_index("source_id").loc["jq", "crs_detected"]
    if shift:
        assert detected == name
    else:
        assert detected not in ("gcj02", "bd09")
    text = str(city.quality()["sources"]["jq"]["datum"])
    assert all(hypothesis in text for hypothesis in ("wgs84", "gcj02", "bd09"))
    shapes = city.shapes("incident").set_index("incident_id").geometry
    worst = max(math.dist((shapes[f"p{k}"].x, shapes[f"p{k}"].y), (lon, lat)) for k, (_, lon, lat) in enumerate(points))
    assert worst < 2e-6


def test_declared_gcj02_is_converted_once(tmp_path):
    points = scattered(27)
    city = City(tmp_path).grids().incidents(shifted_rows(points, geo_crs.wgs84_to_gcj02), crs="gcj02")
    city.run()
    found = city.table("incident").set_index("incident_id")["grid_code"]
    assert all(found[f"p{k}"] == CHINA_CODES[c] for k, (c, _, _) in enumerate(points))
    assert city.table("source_run").set_index("source_id").loc["jq", "crs_declared"] == "gcj02"


def test_a_datum_that_cannot_be_told_is_said_to_be_undecided_and_points_stay(tmp_path):
    """Without declared grids there is nothing to judge by: 无法判定, coordinates as written."""
    rows = [{k: v for k, v in r.items() if k != "网格"} for r in shifted_rows(scattered(27), None)]
    city = City(tmp_path).grids().incidents(rows, crs="auto")
    city.run()
    assert "无法判定" in str(city.quality()["sources"]["jq"]["datum"])
    shapes = city.shapes("incident").set_index("incident_id").geometry
    assert all(abs(shapes[r["编号"]].x - float(r["经度"])) < 1e-9 for r in rows)


def test_outside_china_the_box_is_the_regions_own_plus_a_fifth(tmp_path):
    city = City(tmp_path, china=False).grids()
    span = 3 * 0.01
    inside_margin, beyond = 117.0 + span + 0.19 * span, 117.0 + span + 0.21 * span
    rows = [
        {"编号": "margin", "时间": "2026-03-01", "经度": f"{inside_margin:.6f}", "纬度": f"{LAT}"},
        {"编号": "beyond", "时间": "2026-03-01", "经度": f"{beyond:.6f}", "纬度": f"{LAT}"},
        {"编号": "swapped", "时间": "2026-03-01", "经度": f"{LAT}", "纬度": f"{LON}"},
        {"编号": "feet", "时间": "2026-03-01", "经度": "2707197", "纬度": "252747"},
        *(
            {"编号": f"ok{n}", "时间": "2026-03-01", "经度": f"{centre(n)[0]}", "纬度": f"{centre(n)[1]}"}
            for n in range(9)
        ),
    ]
    city.incidents(rows).run()
    table = city.table("incident").set_index("incident_id")
    assert set(table.loc[["margin", "beyond", "feet"], "location_quality"]) == {"outside"}
    assert table.loc["swapped", "grid_code"] == "T-B2"
    assert city.accounted().loc["jq"].tolist() == [13, 13, 0]


def test_polygons_in_gcj02_are_moved_back_when_declared(tmp_path):
    """Grids drawn in GCJ-02 give the same assignment as the true ones."""

    def moved(shape):
        return shapely.transform(shape, lambda c: np.column_stack(geo_crs.wgs84_to_gcj02(c[:, 0], c[:, 1])))

    city = City(tmp_path).grids(cells=[moved(cell(n)) for n in range(9)], crs="gcj02")
    city.incidents(
        [{"编号": str(n), "时间": "2026-03-01", "经度": centre(n)[0], "纬度": centre(n)[1]} for n in range(9)]
    ).run()
    assert city.table("incident").sort_values("incident_id")["grid_code"].tolist() == list(CHINA_CODES)
    for n, shape in enumerate(city.shapes("grid").sort_values("grid_code").geometry):
        assert shape.symmetric_difference(cell(n)).area < 1e-9


def test_wkt_with_its_srid_is_read(tmp_path):
    city = City(tmp_path).grids()
    city.put("w.csv", f'编号,时间,形状\na,2026-03-01,"SRID=4490;POINT({LON} {LAT})"\nb,2026-03-01,无\n')
    city.declare_incidents(("编号", "时间"), "w.csv", columns={"wkt": "形状"}).run()
    table = city.table("incident").set_index("incident_id")
    assert table["location_quality"].to_dict() == {"a": "exact", "b": "none"}
    assert table.loc["a", "grid_code"] == MIDDLE


def test_degrees_and_minutes_are_read_however_many_there_are():
    words = [f"113°{n % 60}′{n // 60 % 60}.{n % 97}″" for n in range(120_000)]
    values = points._degrees(pa.array([*words, "东经", "", "S 36°30′"]))
    assert np.isfinite(values[:120_000]).all()
    assert np.isnan(values[120_000:120_002]).all() and values[-1] == -36.5
    assert values[61] == pytest.approx(113 + 1 / 60 + 1.61 / 3600)
