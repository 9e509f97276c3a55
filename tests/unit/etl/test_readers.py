"""Every kind of file gives the same nine incidents: same identity, time, words, grid."""

from __future__ import annotations

import gzip
import hashlib
import sqlite3
import zipfile
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
import xlwt
from city import City, centre, csv_text, feature_collection

from data.errors import DataFault

RARE = "䶮𠮷€镕喆"  # 䶮, 𠮷 and € are in GB18030 but not in GBK
GBK_WORDS = "镕喆号"  # what a GBK shapefile can hold
N = 9


def records(mark: str, word: str = RARE) -> list[dict]:
    """One incident per cell; ``mark`` keeps the identities of the sources apart."""
    return [
        {
            "编号": f"{mark}-{n}", "时间": f"2026-03-0{n + 1} 0{n}:15:30", "类别": "刑事", "细类": f"{word}{n}",
            "经度": centre(n)[0], "纬度": centre(n)[1],
        }
        for n in range(N)
    ]  # fmt: skip


def frame(mark: str, word: str = RARE) -> gpd.GeoDataFrame:
    table = pd.DataFrame(records(mark, word))
    return gpd.GeoDataFrame(
        table.drop(columns=["经度", "纬度"]), geometry=gpd.points_from_xy(table["经度"], table["纬度"]), crs="EPSG:4490"
    )


def features(mark: str) -> dict:
    shapes = frame(mark)
    return feature_collection(
        [({k: r[k] for k in ("编号", "时间", "类别", "细类")}, r["geometry"]) for r in shapes.to_dict("records")]
    )


def kml(mark: str) -> str:
    placemarks = []
    for r in records(mark):
        data = "".join(f'<Data name="{k}"><value>{r[k]}</value></Data>' for k in ("编号", "时间", "类别", "细类"))
        placemarks.append(
            f"<Placemark><name>{r['编号']}</name><ExtendedData>{data}</ExtendedData>"
            f"<Point><coordinates>{r['经度']},{r['纬度']}</coordinates></Point></Placemark>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        + "".join(placemarks)
        + "</Document></kml>"
    )


def xlsx(path: Path, mark: str, before=lambda sheet: None) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    before(sheet)
    rows = records(mark)
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    hidden = book.create_sheet("底稿")
    hidden.append(list(rows[0]))
    hidden.append(["hidden-1", "2026-03-01 00:00:00", "刑事", "x", *centre(0)])
    hidden.sheet_state = "hidden"
    book.move_sheet(hidden, offset=-1)  # the hidden sheet comes first
    book.active = 1
    book.save(path)


def xls(path: Path, mark: str) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("警情")
    rows = records(mark)
    for c, name in enumerate(rows[0]):
        sheet.write(0, c, name)
        for r, row in enumerate(rows):
            sheet.write(r + 1, c, row[name])
    book.save(str(path))


def shapefile(folder: Path, name: str, mark: str) -> list[Path]:
    """A GBK shapefile that says nothing about its encoding: no .cpg, language driver id 0."""
    path = folder / f"{name}.shp"
    pyogrio.write_dataframe(frame(mark, GBK_WORDS), path, encoding="GBK")
    path.with_suffix(".cpg").unlink(missing_ok=True)
    dbf = bytearray(path.with_suffix(".dbf").read_bytes())
    dbf[29] = 0
    path.with_suffix(".dbf").write_bytes(dbf)
    return [p for p in folder.iterdir() if p.stem == name]


def geopackage(path: Path, mark: str) -> None:
    pyogrio.write_dataframe(frame(mark + "-other").head(2), path, layer="其他层")
    pyogrio.write_dataframe(frame(mark), path, layer="警情", append=True)


def zipped(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


# Source ids of the formats that hold the rare words; each is written by ``build``.
PLAIN = (
    "csv_utf8", "csv_bom", "csv_gb18030", "csv_gz", "tsv", "tsv_gz", "newlines", "preamble", "blank_lines", "semicolon",
    "xlsx", "xlsx_titled", "xlsx_gz", "xls", "xls_gz", "geojson", "geojson_gz", "gpkg", "gpkg_gz", "parquet",
    "parquet_gz", "glob", "database",
)  # fmt: skip


def build(city: City, tmp: Path) -> None:
    """Write and declare every format."""

    def table(id_: str, path: str, **more) -> None:
        city.declare_incidents(records("")[0], path, id_, **more)

    def shapes(id_: str, path: str, **more) -> None:
        city.declare_incidents(("编号", "时间", "类别", "细类"), path, id_, **more)

    text = {mark: csv_text(records(mark)) for mark in (*PLAIN, "glob1", "glob2")}
    city.put("csv_utf8.csv", text["csv_utf8"])
    city.put("csv_bom.csv", text["csv_bom"], "utf-8-sig")
    city.put("csv_gb18030.csv", text["csv_gb18030"], "gb18030")
    city.put("csv_gz.csv.gz", text["csv_gz"], "gb18030")
    for id_ in ("tsv", "tsv_gz"):
        name = "tsv_gz.tsv.gz" if id_ == "tsv_gz" else "tsv.tsv"
        city.put(name, csv_text(records(id_), "\t"))
        table(id_, name)
    quoted = [{**r, "备注": f'第一行\n第二行，含"引号"，{n}'} for n, r in enumerate(records("newlines"))]
    city.put("newlines.csv", csv_text(quoted))
    city.put("preamble.csv", "某市2026年3月警情明细表,,,,,\n" + text["preamble"])
    lines = text["blank_lines"].splitlines()
    city.put("blank_lines.csv", "\n".join([*lines[:4], "", ",,,,,", *lines[4:], "", ""]))
    city.put("semicolon.csv", csv_text(records("semicolon"), ";"))
    for id_ in ("csv_utf8", "csv_bom", "csv_gb18030", "newlines", "preamble", "blank_lines", "semicolon"):
        table(id_, f"{id_}.csv")
    table("csv_gz", "csv_gz.csv.gz")

    def titled(sheet) -> None:
        sheet.append(["某市3月警情明细表"])
        sheet.merge_cells("A1:F1")
        sheet.append([])

    xlsx(city.inbox / "xlsx.xlsx", "xlsx")
    xlsx(city.inbox / "xlsx_titled.xlsx", "xlsx_titled", titled)
    xlsx(tmp / "b.xlsx", "xlsx_gz")
    city.put("xlsx_gz.xlsx.gz", (tmp / "b.xlsx").read_bytes())
    xls(city.inbox / "xls.xls", "xls")
    xls(tmp / "b.xls", "xls_gz")
    city.put("xls_gz.xls.gz", (tmp / "b.xls").read_bytes())
    for id_, name in (
        ("xlsx", "xlsx.xlsx"),
        ("xlsx_titled", "xlsx_titled.xlsx"),
        ("xlsx_gz", "xlsx_gz.xlsx.gz"),
        ("xls", "xls.xls"),
        ("xls_gz", "xls_gz.xls.gz"),
    ):
        table(id_, name)

    city.put("geojson.geojson", features("geojson"))
    city.put("geojson_gz.geojson.gz", features("geojson_gz"))
    geopackage(city.inbox / "gpkg.gpkg", "gpkg")
    geopackage(tmp / "b.gpkg", "gpkg_gz")
    city.put("gpkg_gz.gpkg.gz", (tmp / "b.gpkg").read_bytes())
    frame("parquet").to_parquet(city.inbox / "parquet.parquet")
    frame("parquet_gz").to_parquet(tmp / "b.parquet")
    city.put("parquet_gz.parquet.gz", (tmp / "b.parquet").read_bytes())
    for id_, name in (
        ("geojson", "geojson.geojson"),
        ("geojson_gz", "geojson_gz.geojson.gz"),
        ("parquet", "parquet.parquet"),
        ("parquet_gz", "parquet_gz.parquet.gz"),
    ):
        shapes(id_, name)
    shapes("gpkg", "gpkg.gpkg", layer="警情")
    shapes("gpkg_gz", "gpkg_gz.gpkg.gz", layer="警情")

    shapefile(city.inbox, "shp", "shp")
    (tmp / "z").mkdir()
    with zipfile.ZipFile(city.inbox / "shp_zip.zip", "w") as archive:
        for part in shapefile(tmp / "z", "shp_zip", "shp_zip"):
            archive.write(part, f"警情/{part.name}")
    shapes("shp", "shp.shp")
    shapes("shp_zip", "shp_zip.zip")

    both = records("glob")
    city.put("part_1.csv", csv_text(both[:4]))
    city.put("part_2.csv.gz", csv_text(both[4:]))
    table("glob", "part_*")

    pd.DataFrame(records("database")).to_sql("jq", sqlite3.connect(tmp / "centre-secret.db"), index=False)
    columns = {
        "incident_id": "编号",
        "occurred_from": "时间",
        "category": "类别",
        "subcategory": "细类",
        "lon": "经度",
        "lat": "纬度",
    }
    city.add(
        "database",
        "incident",
        url="sqlite:///${YANPAN_TEST_DB}",
        query="select * from jq",
        crs="cgcs2000",
        columns=columns,
    )


@pytest.fixture(scope="module")
def city(tmp_path_factory, request):
    tmp = tmp_path_factory.mktemp("files")
    made = City(tmp_path_factory.mktemp("city")).grids()
    build(made, tmp)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YANPAN_TEST_DB", str(tmp / "centre-secret.db"))
        made.run()
    return made


def same(city: City, source: str) -> None:
    """The incidents of a source are the nine that were written."""
    found = city.table("incident").query("source_id == @source").sort_values("incident_id")
    wanted = records(source, GBK_WORDS if source.startswith("shp") else RARE)
    assert found["incident_id"].tolist() == [r["编号"] for r in wanted]
    assert [t.replace("T", " ")[:19] for t in found["occurred_from"]] == [r["时间"] for r in wanted]
    assert found["occurred_to"].isna().all()
    assert found["subcategory"].tolist() == [r["细类"] for r in wanted]
    assert found["grid_code"].tolist() == list(city.codes)
    assert set(found["category"]) == {"刑事"}


@pytest.mark.parametrize("source", [*PLAIN, "shp", "shp_zip"])
def test_every_reader_gives_the_same_incidents(city, source):
    same(city, source)


def test_kml_and_gzipped_kml(tmp_path):
    city = City(tmp_path).grids()
    city.put("kml.kml", kml("kml"))
    city.put("kml_gz.kml.gz", kml("kml_gz"))
    for id_, name in (("kml", "kml.kml"), ("kml_gz", "kml_gz.kml.gz")):
        city.declare_incidents(("编号", "时间", "类别", "细类"), name, id_)
    city.run()
    same(city, "kml")
    same(city, "kml_gz")


def test_points_are_those_of_the_file(city):
    shapes = city.shapes("incident")
    for source in ("csv_gb18030", "xls", "shp_zip", "database", "parquet"):
        part = shapes[shapes["source_id"] == source].sort_values("incident_id").geometry
        assert [(round(p.x, 6), round(p.y, 6)) for p in part] == [centre(n) for n in range(N)]


def test_every_source_is_accounted_for(city):
    accounts = city.accounted()
    assert (accounts.drop("grids")["rows_in"] == N).all()
    assert (accounts["rows_rejected"] == 0).all()


def test_encodings_are_told(city):
    encoding = city.table("source_run").set_index("source_id")["encoding"].str.lower()
    assert encoding["csv_gb18030"] == encoding["csv_gz"] == "gb18030"
    assert encoding["csv_utf8"] == "utf-8"
    assert "utf" in encoding["csv_bom"]


def test_lineage_holds_file_names_and_checksums_without_folders(city):
    runs = city.table("source_run")
    assert not runs[runs["source_id"] != "database"]["file"].str.contains("/").any()
    assert "centre-secret" not in city.everything()  # part of the database's address
    for row in runs.itertuples():
        if row.source_id not in ("database", "shp"):  # a loose shapefile is several files
            assert row.sha256 == hashlib.sha256((city.inbox / row.file).read_bytes()).hexdigest()
    assert runs.query("source_id == 'glob'")["file"].tolist() == ["part_1.csv", "part_2.csv.gz"]


def test_ragged_rows_are_rejected_by_their_row_number_and_the_rest_stays(tmp_path):
    lines = csv_text(records("r") * 1).splitlines()
    lines[3] += ",多出的,列"  # file row 4
    lines[6] = "只有一列"  # file row 7
    city = City(tmp_path, china=False).grids()
    city.put("r.csv", "\n".join(lines) + "\n")
    city.declare_incidents(records("")[0], "r.csv", max_reject_pct=50).run()
    rejects = city.table("reject")
    assert rejects["row"].tolist() == [4, 7]
    assert set(city.table("incident")["incident_id"]) == {f"r-{n}" for n in (0, 1, 3, 4, 6, 7, 8)}
    assert city.accounted().loc["jq"].tolist() == [9, 7, 2]


def test_reject_rows_of_a_workbook_are_its_own_row_numbers(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["某市3月警情明细表"])
    sheet.merge_cells("A1:C1")
    sheet.append(["编号", "时间", "类别"])
    for n in range(9):
        sheet.append([f"x{n}", "不详" if n == 4 else f"2026-03-0{n + 1}", "刑事"])
    city = City(tmp_path, china=False).grids()
    book.save(city.inbox / "w.xlsx")
    city.declare_incidents(("编号", "时间", "类别"), "w.xlsx").run()
    assert city.table("reject")[["row", "reason_code"]].values.tolist() == [[7, "unreadable_date"]]


def test_two_layers_without_a_named_one_are_not_guessed_wrongly(tmp_path):
    city = City(tmp_path, china=False).grids()
    geopackage(city.inbox / "two.gpkg", "g")
    city.declare_incidents(("编号", "时间", "类别"), "two.gpkg")
    with pytest.raises(DataFault) as caught:
        city.run()
    assert "two.gpkg" in str(caught.value) and "警情" in str(caught.value) and "其他层" in str(caught.value)


def test_merged_two_row_header_with_totals_above_the_data(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["2026年3月各网格警情登记"])
    sheet.merge_cells("A1:E1")
    sheet.append(["编号", "时间", "位置", None, "类别"])
    sheet.append([None, None, "经度", "纬度", None])
    for cells in ("A2:A3", "B2:B3", "C2:D2", "E2:E3"):
        sheet.merge_cells(cells)
    sheet.append(["合　计", None, None, None, 9])
    for r in records("m"):
        sheet.append([r["编号"], r["时间"], r["经度"], r["纬度"], "治安"])
    city = City(tmp_path, china=False).grids()
    book.save(city.inbox / "m.xlsx")
    city.declare_incidents(("编号", "时间", "类别", "经度", "纬度"), "m.xlsx").run()
    assert city.table("incident").sort_values("incident_id")["grid_code"].tolist() == list(city.codes)
    assert city.table("reject")[["row", "reason_code"]].values.tolist() == [[4, "total_row"]]
    assert city.accounted().loc["jq"].tolist() == [10, 9, 1]


def test_sheet_and_header_can_be_named(tmp_path):
    book = openpyxl.Workbook()
    first = book.active
    first.append(["编号", "时间", "类别"])
    first.append(["wrong", "2026-03-01", "刑事"])
    second = book.create_sheet("三月")
    second.append(["说明", "本表", "自制"])
    second.append(["编号", "时间", "类别"])
    second.append(["right", "2026-03-01", "刑事"])
    city = City(tmp_path, china=False).grids()
    book.save(city.inbox / "s.xlsx")
    city.declare_incidents(("编号", "时间", "类别"), "s.xlsx", sheet="三月", header=2).run()
    assert city.table("incident")["incident_id"].tolist() == ["right"]


def test_a_list_of_columns_takes_the_first_that_is_filled(tmp_path):
    rows = [
        {"编号": "a", "时间": "2026-03-01", "反馈": "治安", "接警": "刑事"},
        {"编号": "b", "时间": "2026-03-01", "反馈": "", "接警": "刑事"},
    ]
    city = City(tmp_path, china=False).grids()
    city.incidents(rows, columns={"category": ["反馈", "接警"]}).run()
    assert city.table("incident").set_index("incident_id")["category"].to_dict() == {"a": "治安", "b": "刑事"}
