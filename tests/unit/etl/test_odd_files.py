"""Files as they come off other people's machines: late characters, real Excel dates, numbers for codes, odd headers."""

from __future__ import annotations

import csv
import datetime as dt
import io

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
import xlwt
from city import CHINA_CODES, City, cell, centre, csv_text, feature_collection, incident_rows

from data.errors import DataFault
from etl.extract import kml
from etl.extract.workbook import _text as cell_text

MOBILE, ID18 = "13812345678", "11010519491231002X"


def workbook(rows: list[list], **more) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, cells in more.items():
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_late_character_decides_the_encoding_and_quoted_newlines_survive_long_files(tmp_path):
    """Four megabytes of ASCII before the first Chinese character, then one quoted line break."""
    lines = ["id,time,kind,note"] + [f"{n},2026-03-01 10:00,A,{'x' * 100}" for n in range(30_000)]
    text = "\n".join(lines) + '\n30000,2026-03-02 10:00,B,"龙\n𠮷龙"\n30001,2026-03-02 11:00,B,ok\n'
    city = City(tmp_path, china=False).grids()
    for name, encoding in (("u.csv", "utf-8"), ("g.csv", "gb18030")):
        city.put(name, text, encoding)
        city.add(
            name[0], "incident", name, columns={"incident_id": "id", "occurred_from": "time", "subcategory": "note"}
        )
    city.run()
    assert city.accounted()["rows_in"].to_dict() == {"g": 30_002, "grids": 9, "u": 30_002}
    table = city.table("incident").query("incident_id == '30000'")
    assert [" ".join(t.split()) for t in table["subcategory"]] == ["龙 𠮷龙"] * 2
    assert city.table("source_run").set_index("source_id").loc[["g", "u"], "encoding"].tolist() == ["gb18030", "utf-8"]


def test_real_dates_numbers_and_booleans_of_a_workbook(tmp_path):
    """Cells typed by Excel: a date, a date with time, a time of day, a 15-digit code as a number."""
    city = City(tmp_path).grids()
    rows = [["编号", "日期", "时刻", "网格", "时间"]]
    for n in range(9):
        rows.append(
            [
                float(1000 + n),
                dt.date(2026, 3, 1 + n),
                dt.time(8, 30),
                int(CHINA_CODES[n]),
                dt.datetime(2026, 3, 1 + n, 8, 30),
            ]
        )
    city.put("d.xlsx", workbook(rows))
    city.declare_incidents(
        ("编号", "网格"), "d.xlsx", "split", columns={"occurred_date": "日期", "occurred_time": "时刻"}
    )
    city.declare_incidents(("编号", "网格", "时间"), "d.xlsx", "whole")
    city.declare_incidents(("编号", "网格"), "d.xlsx", "days", columns={"occurred_from": "日期"})
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    style = xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm")
    for c, name in enumerate(("编号", "时间", "网格")):
        sheet.write(0, c, name)
    for n in range(9):
        sheet.write(n + 1, 0, 1000 + n)
        sheet.write(n + 1, 1, dt.datetime(2026, 3, 1 + n, 8, 30), style)
        sheet.write(n + 1, 2, float(CHINA_CODES[n]))
    book.save(str(city.inbox / "d.xls"))
    city.declare_incidents(("编号", "时间", "网格"), "d.xls", "old")
    city.run()
    table = city.table("incident")
    for source in ("split", "whole", "old", "days"):
        part = table.query("source_id == @source").sort_values("incident_id")
        assert part["incident_id"].tolist() == [str(1000 + n) for n in range(9)]
        assert part["grid_code"].tolist() == list(CHINA_CODES)
        clock = "00:00" if source == "days" else "08:30"
        assert [str(t).replace("T", " ")[:16] for t in part["occurred_from"]] == [
            f"2026-03-{1 + n:02d} {clock}" for n in range(9)
        ]
        assert part["occurred_to"].isna().all() == (source != "days")


def test_a_device_code_that_excel_made_a_number_stops_the_run(tmp_path):
    city = City(tmp_path).grids()
    city.put("c.xlsx", workbook([["编码", "经度", "纬度"], [34020000001320000101.0, *centre(0)]]))
    city.add("cam", "camera", "c.xlsx", crs="cgcs2000", columns={"camera_code": "编码", "lon": "经度", "lat": "纬度"})
    with pytest.raises(DataFault) as caught:
        city.run()
    assert "c.xlsx" in str(caught.value) and "文本" in str(caught.value)


def test_headers_with_line_breaks_quotes_sql_and_repeats(tmp_path):
    head = ["编 号\n(全)", "时间", '类"别', "'; drop table incident; --", "备注", "备注", ""]
    rows = [head] + [[f"a{n}", "2026-03-01", "治安", "x", "y", "z", "w"] for n in range(4)]
    city = City(tmp_path, china=False).grids()
    city.put("h.xlsx", workbook(rows))
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    city.put("h.csv", out.getvalue())
    columns = {
        "incident_id": "编号(全)",
        "category": '类"别',
        "occurred_from": "时间",
        "status": "'; drop table incident; --",
    }
    for name in ("h.xlsx", "h.csv"):
        city.add(name[2:], "incident", name, columns=columns)
    city.run()
    table = city.table("incident")
    assert table.groupby("source_id").size().to_dict() == {"csv": 4, "xlsx": 4}
    assert set(table["category"]) == {"治安"} and set(table["status"]) == {"x"}


def test_windows_line_ends_trailing_commas_and_spaces(tmp_path):
    lines = csv_text([{"编号 ": f" a{n} ", "时间": " 2026-03-01 ", "类别": " 刑事 "} for n in range(5)]).splitlines()
    city = City(tmp_path, china=False).grids()
    city.put("w.csv", "\r\n".join(line + "," for line in lines) + "\r\n")
    city.declare_incidents(("编号", "时间", "类别"), "w.csv").run()
    assert city.table("incident").sort_values("incident_id")["incident_id"].tolist() == [f"a{n}" for n in range(5)]
    assert set(city.table("incident")["category"]) == {"刑事"}


def test_totals_rows_in_the_first_or_second_column_with_spaces(tmp_path):
    rows = [{"序号": n, "编号": f"a{n}", "时间": "2026-03-01", "类别": "刑事"} for n in range(6)]
    for at, (first, second) in enumerate(
        (("合计", ""), ("", "合　计"), ("总 计", ""), ("小计", ""), ("", "小计：")), 2
    ):
        rows.insert(at, {"序号": first, "编号": second, "时间": "", "类别": "6"})
    city = City(tmp_path, china=False).grids().incidents(rows, max_reject_pct=0)
    city.run()
    assert city.table("reject")[["row", "reason_code"]].values.tolist() == [[n, "total_row"] for n in range(4, 9)]
    assert len(city.table("incident")) == 6


def test_a_wrong_dbf_encoding_can_be_overruled(tmp_path):
    city = City(tmp_path, china=False).grids()
    frame = gpd.GeoDataFrame(
        {"编号": ["a"], "时间": ["2026-03-01"], "细类": ["镕喆"]}, geometry=[shapely.Point(centre(0))], crs=4326
    )
    pyogrio.write_dataframe(frame, city.inbox / "e.shp", encoding="GBK")
    (city.inbox / "e.cpg").write_text("ISO-8859-1")
    city.declare_incidents(("编号", "时间", "细类"), "e.shp", encoding="gb18030").run()
    assert city.table("incident")["subcategory"].tolist() == ["镕喆"]


def test_geometry_of_every_sort(tmp_path):
    """Polygons with height, several parts, null and empty shapes; incidents given as polygons count as centroids."""
    city = City(tmp_path, china=False)
    cells = [shapely.force_3d(cell(n), 12.5) for n in range(9)]
    cells[8] = shapely.MultiPolygon([cell(8), cell(20)])
    city.grids(cells=cells)
    city.put(
        "i.geojson",
        feature_collection(
            [
                ({"编号": "poly", "时间": "2026-03-01"}, cell(2).buffer(-0.003)),
                ({"编号": "null", "时间": "2026-03-01"}, None),
                ({"编号": "z", "时间": "2026-03-01"}, shapely.Point(*centre(3), 7.0)),
                ({"编号": "second part", "时间": "2026-03-01"}, shapely.Point(centre(20))),
                ({"编号": "multi", "时间": "2026-03-01"}, shapely.MultiPoint([centre(5)])),
            ]
        ),
    )
    city.declare_incidents(("编号", "时间"), "i.geojson").run()
    table = city.table("incident").set_index("incident_id")
    assert table["grid_code"].to_dict() == {
        "poly": "T-A3",
        "null": None,
        "z": "T-B1",
        "second part": "T-C3",
        "multi": "T-B3",
    }
    assert table["location_quality"].to_dict() == {
        "poly": "centroid",
        "null": "none",
        "z": "exact",
        "second part": "exact",
        "multi": "exact",
    }
    assert not city.shapes("grid").geometry.has_z.any() and not city.shapes("incident").geometry.has_z.any()


@pytest.mark.filterwarnings("error")
def test_a_release_of_incidents_alone_and_of_areas_alone(tmp_path):
    only = City(tmp_path / "i", china=False).incidents(incident_rows(9))
    only.run()
    assert len(only.table("incident")) == 9 and only.table("incident")["grid_code"].isna().all()
    areas = City(tmp_path / "a", china=False)
    areas.put("a.csv", "码,名\nA,东区\nB,西区\n")
    areas.add("areas", "area", "a.csv", columns={"code": "码", "name": "名"}, defaults={"level": "district"})
    areas.run()
    assert areas.table("area")["code"].tolist() == ["A", "B"]


@pytest.mark.parametrize("name", ["h.csv", "h.xlsx"])
def test_a_table_without_a_header_does_not_put_its_first_row_into_the_message(tmp_path, name):
    city = City(tmp_path, china=False).grids()
    rows = [["张某", MOBILE, ID18, "2026-03-01"], ["李某", "13912345678", "", "2026-03-02"]]
    city.put(name, workbook(rows) if name.endswith("x") else "\n".join(",".join(r) for r in rows))
    city.declare_incidents(("编号", "时间"), name)
    with pytest.raises(DataFault) as caught:
        city.run()
    assert name in str(caught.value)
    for value in (MOBILE, ID18, "13912345678"):
        assert value not in str(caught.value)


def test_titles_notes_and_words_that_are_counted_do_not_carry_personal_values(tmp_path):
    city = City(tmp_path).grids()
    title = f"制表人联系方式 {MOBILE}"
    city.put("t.csv", f"{title},,\n编号,时间,类别\na,2026-03-01,刑事\n")
    city.declare_incidents(("编号", "时间", "类别"), "t.csv", "t")
    city.put("t.xlsx", workbook([[title], ["编号", "时间", "类别"], ["a", "2026-03-01", "刑事"]]))
    city.declare_incidents(("编号", "时间", "类别"), "t.xlsx", "x")
    good = "".join(f"370102,{source},2026-W{n:02d},已报\n" for source in "tx" for n in range(1, 53))
    city.put("s.csv", f"单位,数据,期,状态\n{good}370102,x,2026-W11,手机{MOBILE}\n")
    city.add(
        "s",
        "report_status",
        "s.csv",
        max_reject_pct=100,
        columns={"area_code": "单位", "dataset": "数据", "period": "期", "state": "状态"},
    )
    lines = (
        "".join(f"370102,2026-W{n:02d},1\n" for n in range(1, 53))
        + "".join(f"370103,2026-W{n:02d},1\n" for n in range(1, 53))
        + f"{ID18},2026-W10,1\n"
    )
    city.put("d.csv", "单位,期,排查\n" + lines)
    city.add("d", "dispute", "d.csv", columns={"area_code": "单位", "period": "期", "found": "排查"})
    city.run()
    text = city.everything()
    assert MOBILE not in text and ID18 not in text
    where = " ".join(w["where"] for w in city.quality()["warnings"])
    assert "t.csv" in where and "t.xlsx" in where


def test_a_quote_that_is_never_closed_does_not_swallow_rows_silently(tmp_path):
    lines = csv_text(incident_rows(60)).splitlines()
    lines[5] = lines[5].replace("刑事", '"刑事')
    city = City(tmp_path, china=False).grids()
    city.put("q.csv", "\n".join(lines) + "\n")
    city.declare_incidents(incident_rows(1)[0], "q.csv")
    try:
        city.run()
    except DataFault as fault:
        assert "q.csv" in str(fault)
    else:
        assert city.accounted().loc["jq", "rows_in"] == 60


def test_typed_columns_of_vector_files(tmp_path):
    """Times that GDAL and Arrow type themselves: a day stays a day, an offset is converted, a number stays a code."""
    city = City(tmp_path).grids()
    spots = {"geometry": gpd.points_from_xy(*zip(centre(0), centre(1), strict=True)), "crs": 4490}
    number = {"编号": ["a", "b"], "网格": [int(CHINA_CODES[0]), int(CHINA_CODES[1])]}
    moments = pd.to_datetime(["2026-03-02 06:30", "2026-03-03 07:00"])
    days = [dt.date(2026, 3, 2), dt.date(2026, 3, 3)]
    for name, when in (("naive", moments), ("utc", moments.tz_localize("UTC")), ("day", days)):
        gpd.GeoDataFrame({**number, "时间": when}, **spots).to_parquet(city.inbox / f"{name}.parquet")
        city.declare_incidents(("编号", "时间", "网格"), f"{name}.parquet", name)
    for name, when in (("utc", moments.tz_localize("UTC")), ("day", days)):
        pyogrio.write_dataframe(gpd.GeoDataFrame({**number, "时间": when}, **spots), city.inbox / f"{name}.gpkg")
        city.declare_incidents(("编号", "时间", "网格"), f"{name}.gpkg", f"{name}_gpkg")
    texts = {
        "offset": ("2026-03-02T01:30:00+03:00", "2026-03-03T02:00:00+03:00"),
        "local": ("2026-03-02T06:30:00", "2026-03-03T07:00:00"),
        "date": ("2026-03-02", "2026-03-03"),
        "compact": (20260302, 20260303),
    }
    for name, pair in texts.items():
        rows = [
            ({"编号": i, "时间": t, "网格": int(CHINA_CODES[n])}, shapely.Point(centre(n)))
            for n, (i, t) in enumerate(zip("ab", pair, strict=True))
        ]
        city.put(f"{name}.geojson", feature_collection(rows))
        city.declare_incidents(("编号", "时间", "网格"), f"{name}.geojson", name)
    city.run()
    table = city.table("incident")
    hours = {"naive": "06:30", "local": "06:30", "utc": "14:30", "utc_gpkg": "14:30", "offset": "06:30"}
    for source in ("naive", "utc", "day", "utc_gpkg", "day_gpkg", *texts):
        part = table[table["source_id"] == source].sort_values("incident_id")
        first = str(part["occurred_from"].iloc[0]).replace("T", " ")[:16]
        assert first == f"2026-03-02 {hours.get(source, '00:00')}", source
        assert part["occurred_to"].isna().all() == (source in hours), source
        assert part["grid_code"].tolist() == list(CHINA_CODES[:2])


def test_utf16_with_its_mark(tmp_path):
    city = City(tmp_path, china=False).grids()
    city.put("u.csv", csv_text(incident_rows(9)), "utf-16")
    city.declare_incidents(incident_rows(1)[0], "u.csv").run()
    assert sorted(city.table("incident")["grid_code"]) == list(city.codes)


@pytest.mark.parametrize(
    "shape",
    [
        "<Point/>",
        "<Point><coordinates></coordinates></Point>",
        "<Point><coordinates>东,北</coordinates></Point>",
        "<Point><coordinates>117.01</coordinates></Point>",
        "<Point><coordinates>nan,36.6</coordinates></Point>",
        "<LineString><coordinates>117.01,36.6</coordinates></LineString>",
        "<Polygon/>",
        "<Polygon><outerBoundaryIs><LinearRing><coordinates>117,36</coordinates></LinearRing></outerBoundaryIs></Polygon>",
    ],
)
def test_a_placemark_without_a_readable_shape_stays_without_one(tmp_path, shape):
    mark = "<Placemark><name>{}</name>{}</Placemark>"
    good = "<Point><coordinates>117.015,36.695,0</coordinates></Point>"
    path = tmp_path / "a.kml"
    path.write_text(f"<kml><Document>{mark.format('a', shape)}{mark.format('b', good)}</Document></kml>", "utf-8")
    table, shapes = kml.read(path, "a.kml")
    assert table["name"].to_pylist() == ["a", "b"]
    assert shapes[0].as_py() is None and shapely.from_wkb(shapes[1].as_py()).equals(shapely.Point(117.015, 36.695))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_cell_that_is_no_finite_number_is_blank(value):
    assert cell_text(value) == ""
