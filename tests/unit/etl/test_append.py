"""--append gives what one run over all files gives, also where a judgement rests on files read earlier."""

from __future__ import annotations

import numpy as np
import shapely
from city import CHINA_CODES, City, cell, centre, csv_text, feature_collection

from geo import crs as geo_crs


def differences(grown: City, whole: City, layers=("area", "grid", "incident", "report_status", "reject")) -> dict:
    """Rows that only one of the two releases has, by layer."""
    out = {}
    for layer in layers:
        one, two = ({*map(repr, c.table(layer).drop(columns="fid").values.tolist())} for c in (grown, whole))
        if one != two:
            out[layer] = (sorted(one - two)[:3], sorted(two - one)[:3])
    return out


def both(tmp_path, files: list[dict[str, str | dict]], declare) -> dict:
    """Publish the batches of files one after another with --append, and all of them at once; compare."""
    cities = [City(tmp_path / name) for name in ("grown", "whole")]
    for city in cities:
        declare(city)
    for n, batch in enumerate(files):
        for name, content in batch.items():
            for city in cities:
                city.put(name, content)
        cities[0].run(append=n > 0)
    cities[1].run()
    told = ("location_quality", "contradicts_declared", "declared_unknown", "without_grid", "rows_in", "rows_rejected")
    one, two = ({k: c.quality()["sources"]["jq"].get(k) for k in told} for c in cities)
    assert one == two
    return differences(*cities)


def station_rows(n: int, start: int, declared) -> list[dict]:
    x, y = centre(4)
    return [
        {"编号": f"s{start + k}", "时间": "2026-03-01 10:00", "经度": x, "纬度": y, "网格": declared(k)}
        for k in range(n)
    ]


def usual_rows() -> list[dict]:
    """60 coordinates with 6 incidents each, so that 100 on one place are not by their number alone a pile."""
    return [{"编号": f"u{k}", "时间": "2026-03-01 09:00", "经度": round(117.0003 + 0.00045 * (k % 60), 6), "纬度": 36.6955,
             "网格": ""} for k in range(360)]  # fmt: skip


def declare_incidents(city: City) -> None:
    city.grids()
    city.declare_incidents(("编号", "时间", "经度", "纬度", "网格"), "jq_*.csv")


def test_a_pile_told_by_its_declared_codes_stays_one(tmp_path):
    """100 incidents on the station, 35 with a code and all of those elsewhere."""
    first = usual_rows() + station_rows(100, 0, lambda k: CHINA_CODES[k % 4] if k < 35 else "")
    later = [{"编号": "n", "时间": "2026-03-02 10:00", "经度": 117.005, "纬度": 36.675, "网格": ""}]
    assert both(tmp_path, [{"jq_1.csv": csv_text(first)}, {"jq_2.csv": csv_text(later)}], declare_incidents) == {}


def test_a_pile_that_only_shows_with_the_second_file(tmp_path):
    """25 contradicting codes are too few to tell; ten more in the next file are enough."""
    first = usual_rows() + station_rows(25, 0, lambda k: CHINA_CODES[k % 4])
    later = station_rows(10, 25, lambda k: CHINA_CODES[k % 4])
    assert both(tmp_path, [{"jq_1.csv": csv_text(first)}, {"jq_2.csv": csv_text(later)}], declare_incidents) == {}


def test_points_off_the_map_keep_their_declared_codes(tmp_path):
    """A code that no grid had at first becomes valid when its grid arrives."""
    new = "370103002001004"
    first = [
        {"编号": "a", "时间": "2026-03-01 10:00", "经度": "", "纬度": "", "网格": new},
        {"编号": "b", "时间": "2026-03-01 10:00", "经度": 117.035, "纬度": 36.675, "网格": ""},
    ]

    def grids(codes_and_cells) -> dict:
        return feature_collection([({"code": c}, s) for c, s in codes_and_cells])

    def declare(city: City) -> None:
        city.add("grids", "grid", "grids_*.geojson", crs="cgcs2000", columns={"grid_code": "code"})
        city.declare_incidents(("编号", "时间", "经度", "纬度", "网格"), "jq_*.csv")

    old = [(c, cell(n)) for n, c in enumerate(CHINA_CODES)]
    files = [
        {"grids_1.geojson": grids(old), "jq_1.csv": csv_text(first)},
        {"grids_2.geojson": grids([(new, shapely.box(117.03, 36.67, 117.04, 36.68))])},
    ]
    assert both(tmp_path, files, declare) == {}


def test_a_new_version_of_a_grid(tmp_path):
    def version(rows) -> dict:
        return feature_collection([({"code": c, "from": a, "to": b}, s) for c, a, b, s in rows])

    def declare(city: City) -> None:
        city.add(
            "grids",
            "grid",
            "grids_*.geojson",
            crs="cgcs2000",
            columns={"grid_code": "code", "valid_from": "from", "valid_to": "to"},
        )
        city.declare_incidents(("编号", "时间", "经度", "纬度", "网格"), "jq_*.csv")

    rows = [
        {"编号": f"p{k}", "时间": "2026-03-01 10:00", "经度": centre(k)[0], "纬度": centre(k)[1], "网格": ""}
        for k in range(9)
    ]
    later = [{**r, "编号": r["编号"] + "b", "时间": "2026-03-20 10:00"} for r in rows]
    half = centre(4)[0]
    files = [
        {
            "grids_1.geojson": version([(c, None, None, cell(n)) for n, c in enumerate(CHINA_CODES)]),
            "jq_1.csv": csv_text(rows),
        },
        {
            "grids_2.geojson": version(
                [
                    (CHINA_CODES[4], None, "2026-03-10", cell(4)),
                    ("370102013007008", "2026-03-10", None, cell(4).intersection(shapely.box(116, 36, half, 37))),
                    ("370102013007009", "2026-03-10", None, cell(4).intersection(shapely.box(half, 36, 118, 37))),
                ]
            ),
            "jq_2.csv": csv_text(later),
        },
    ]
    assert both(tmp_path, files, declare) == {}


def test_the_datum_of_new_boundaries_is_judged_by_those_already_there(tmp_path):
    """City outline in CGCS2000 first; districts without a word on their datum, drawn in GCJ-02, come later."""
    outline = shapely.box(117.0, 36.4, 117.6, 36.9)
    west, east = shapely.box(117.0, 36.4, 117.3, 36.9), shapely.box(117.3, 36.4, 117.6, 36.9)

    def fine(shape):
        return shapely.segmentize(shape, 0.005)

    def moved(shape):
        return shapely.transform(fine(shape), lambda c: np.column_stack(geo_crs.wgs84_to_gcj02(c[:, 0], c[:, 1])))

    def declare(city: City) -> None:
        city.add(
            "outline", "area", "outline_*.geojson", crs="cgcs2000", columns={"code": "code"}, defaults={"level": "city"}
        )

    def second(city: City) -> None:
        city.add("districts", "area", "districts_*.geojson", columns={"code": "code"}, defaults={"level": "district"})
        city.put(
            "districts_1.geojson",
            feature_collection([({"code": "370102"}, moved(west)), ({"code": "370103"}, moved(east))]),
        )

    grown, whole = City(tmp_path / "grown"), City(tmp_path / "whole")
    for city in (grown, whole):
        declare(city)
        city.put("outline_1.geojson", feature_collection([({"code": "370100"}, fine(outline))]))
    grown.run()
    for city in (grown, whole):
        second(city)
    grown.run(append=True)
    whole.run()
    detected = [c.table("source_run").set_index("source_id").loc["districts", "crs_detected"] for c in (grown, whole)]
    assert detected == ["gcj02", "gcj02"]
    assert differences(grown, whole, ("area",)) == {}
