"""What stops a run: one line that names the file, nothing published, the previous release untouched."""

from __future__ import annotations

import gzip
import hashlib
import io

import geopandas as gpd
import openpyxl
import pyogrio
import pytest
import shapely
from city import City, cell, centre, csv_text, feature_collection, incident_rows

from data.errors import DataFault, UsageError

GOOD = csv_text(incident_rows(9))


def noisy() -> str:
    """A table too large to survive being cut: incompressible text."""
    return csv_text(incident_rows(400, 备注="")) + "".join(
        f"N{n},2026-03-01,刑事,117.011,36.69,{hashlib.sha256(str(n).encode()).hexdigest()}\n" for n in range(400)
    )


def sheet_bytes() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["编号", "时间", "类别"])
    for n in range(300):
        book.active.append([f"x{n}", "2026-03-01", "刑事"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    made = City(tmp_path_factory.mktemp("faults")).grids().incidents(incident_rows(9))
    made.run()
    return made


def state(city: City) -> dict[str, str]:
    """Every file of the releases folder with its checksum."""
    folder = city.path / "releases"
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file() and not p.is_symlink()
    }


def refused(city: City, name: str, *said: str, kind: type = DataFault) -> str:
    """The run is refused in one line that says where; nothing changed on disk."""
    before, link = state(city), city.current
    try:
        with pytest.raises(kind) as caught:
            city.run()
    finally:
        del city.sources[2:]
    line = str(caught.value)
    assert "\n" not in line and "Traceback" not in line and str(city.path) not in line
    for word in (name, *said):
        assert word in line, line
    assert state(city) == before and city.current == link
    return line


HEAD = ("编号", "时间", "类别", "经度", "纬度")
FILES = {
    "empty.csv": b"",
    "only_header.csv": "编号,时间,类别,经度,纬度\n".encode(),
    "garbled.csv": "编号,时间,类别\nx,2026-03-01,".encode() + b"\xff\xff\x80\x00\x81\xff\n" * 3,
    "page.xls": "<html><body><table><tr><td>编号</td></tr></table></body></html>".encode(),
    "page.xlsx": b"<!DOCTYPE html><html></html>",
    "empty.xlsx": b"",
    "cut.xlsx": sheet_bytes()[:-2000],
    "cut.csv.gz": gzip.compress(noisy().encode(), mtime=0)[:-3000],
    "not_gzip.csv.gz": GOOD.encode(),
    "cut.geojson": str(feature_collection([({"编号": "a", "时间": "2026-03-01", "类别": "刑事"}, cell(0))])).encode()[
        :-20
    ],
    "empty.geojson": b"",
    "empty.gpkg": b"",
    "not_a.gpkg": b"SQLite format 3\x00 but nothing else follows here",
    "not_a.parquet": b"PAR1 nothing PAR1",
    "not_a.zip": b"PK\x03\x04 nothing",
    "table.et": b"\xd0\xcf\x11\xe0 something else",
    "unknown.pdf": b"%PDF-1.4",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_what_it_says(city, name):
    city.put(name, b"")
    (city.inbox / name).write_bytes(FILES[name])
    city.declare_incidents(HEAD[:3], name, "bad")
    line = refused(city, name)
    if name.startswith("page"):
        assert "网页" in line or "HTML" in line


def test_a_missing_file(city):
    city.declare_incidents(HEAD, "gone.csv", "bad")
    refused(city, "gone.csv")


def test_a_glob_that_matches_nothing(city):
    city.declare_incidents(HEAD, "none_*.csv", "bad")
    refused(city, "none_*.csv")


def test_a_mapped_column_that_is_absent_is_named_with_those_there(city):
    city.put("cols.csv", GOOD)
    city.declare_incidents(HEAD, "cols.csv", "bad", columns={"status": "办理状态"})
    refused(city, "cols.csv", "办理状态", "经度")


def test_a_declared_encoding_that_does_not_read_the_file(city):
    city.put("gb.csv", GOOD, "gb18030")
    city.declare_incidents(HEAD, "gb.csv", "bad", encoding="utf-8")
    refused(city, "gb.csv", "utf-8")


def test_codes_in_scientific_notation(city):
    city.put("sci.csv", "编号,时间,网格\na,2026-03-01,3.70102E+14\n")
    city.declare_incidents(("编号", "时间", "网格"), "sci.csv", "bad")
    refused(city, "sci.csv", "网格", "第 2 行")


def test_a_grid_file_without_any_geometry(tmp_path):
    city = City(tmp_path)
    city.put("g.csv", "code\n370102013006001\n")
    city.add("grids", "grid", "g.csv", columns={"grid_code": "code"})
    with pytest.raises(DataFault):
        city.incidents(incident_rows(3)).run()


def test_no_crs(city, tmp_path):
    """Metres in a shapefile without .prj: nothing says where they are."""
    frame = gpd.GeoDataFrame(
        {"code": ["370102013009001"]}, geometry=[shapely.box(500000, 4000000, 501000, 4001000)], crs="EPSG:4548"
    )
    pyogrio.write_dataframe(frame, city.inbox / "noprj.shp")
    (city.inbox / "noprj.prj").unlink()
    city.add("bad", "grid", "noprj.shp", columns={"grid_code": "code"})
    refused(city, "noprj.shp", "crs")


@pytest.mark.parametrize("crs", ["EPSG:99999", "火星", "EPSG:4548"])
def test_an_impossible_crs(city, crs):
    city.put("deg.csv", GOOD)
    city.declare_incidents(HEAD, "deg.csv", "bad", crs=crs)
    refused(city, "bad", crs if crs != "EPSG:4548" else "crs")


def test_more_rejects_than_allowed(city):
    rows = [{**r, "时间": "?"} if n % 2 else r for n, r in enumerate(incident_rows(9))]
    city.put("rej.csv", csv_text(rows))
    city.declare_incidents(HEAD, "rej.csv", "bad", max_reject_pct=20)
    refused(city, "rej.csv", "4/9", "20%")


def test_a_camera_or_dispute_source_without_its_required_fields(city):
    city.put("cam.csv", "编码,名称\nA,路口\n")
    city.add("bad", "camera", "cam.csv", columns={"camera_code": "编码", "name": "名称"})
    refused(city, "cam.csv")
    city.put("dis.csv", "单位,排查\n370102013,3\n")
    city.add("bad", "dispute", "dis.csv", columns={"area_code": "单位", "found": "排查"})
    refused(city, "dis.csv")


@pytest.mark.parametrize(
    ("kind", "columns", "field"),
    [
        ("grid", {"name": "code"}, "grid_code"),
        ("area", {"name": "code"}, "code"),
        ("area", {"code": "code"}, "level"),
        ("incident", {"category": "类别"}, "occurred_from"),
        ("dispute", {"found": "排查", "period": "期"}, "area_code"),
    ],
)
def test_a_required_field_that_is_not_mapped_is_a_fault_of_the_data(city, kind, columns, field):
    city.put("any.csv", "code,类别,排查,期\n1,2,3,2026-03\n")
    city.add("bad", kind, "any.csv", columns=columns)
    refused(city, "bad", field)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "people"}, "people"),
        ({"colour": "red"}, "colour"),
        ({"columns": {"occurred_from": "时间", "height": "x"}}, "height"),
        ({"max_reject_pct": 200}, "max_reject_pct"),
        ({"path": "${YANPAN_NOT_SET}/x.csv"}, "YANPAN_NOT_SET"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"id": "jq"}, "jq"),
        ({"cadence": "hour"}, "cadence"),
    ],
)
def test_a_wrong_sources_file_is_wrong_use(city, change, said):
    city.sources.append(
        {"id": "bad", "kind": "incident", "path": "inbox/jq.csv", "columns": {"occurred_from": "时间"}} | change
    )
    refused(city, "sources.toml" if "path" not in change else said, said, kind=UsageError)


def test_passwords_do_not_appear_in_messages(city, monkeypatch):
    monkeypatch.setenv("CITY_PW", "hunter2-secret")
    for url in ("sqlite:////nowhere/${CITY_PW}.db", "postgresql+psycopg://u:${CITY_PW}@127.0.0.1:1/x"):
        city.add("bad", "incident", url=url, query="select * from jq", columns={"occurred_from": "时间"})
        line = refused(city, "bad", kind=DataFault)
        assert "hunter2" not in line


def test_a_database_query_that_fails(city, tmp_path):
    city.add(
        "bad",
        "incident",
        url=f"sqlite:///{tmp_path}/x.db",
        query="select * from 没有的表",
        columns={"occurred_from": "时间"},
    )
    refused(city, "bad")


def test_row_faults_never_stop_the_run(tmp_path):
    """Each row fault at once: the run goes on, every row accounted for."""
    x, y = centre(0)
    rows = [
        {"编号": "ok", "时间": "2026-03-01 10:00", "类别": "刑事", "经度": x, "纬度": y},
        {"编号": "date", "时间": "明天", "类别": "刑事", "经度": x, "纬度": y},
        {"编号": "ok", "时间": "2026-03-01 10:00", "类别": "刑事", "经度": x, "纬度": y},
        {"编号": "合计", "时间": "", "类别": "3", "经度": "", "纬度": ""},
        {"编号": "swap", "时间": "2026-03-01 10:00", "类别": "刑事", "经度": y, "纬度": x},
        {"编号": "zero", "时间": "2026-03-01 10:00", "类别": "刑事", "经度": 0, "纬度": 0},
        {"编号": "blank", "时间": "2026-03-01 10:00", "类别": "刑事", "经度": "", "纬度": ""},
        {"编号": "off", "时间": "2026-03-01 10:00", "类别": "刑事", "经度": 10, "纬度": 50},
    ]  # fmt: skip
    city = City(tmp_path).grids().incidents(rows, max_reject_pct=40)
    city.run()
    assert city.accounted().loc["jq"].tolist() == [8, 5, 3]
    assert city.table("reject").set_index("row")["reason_code"].to_dict() == {
        3: "unreadable_date",
        4: "duplicate_id",
        5: "total_row",
    }
    quality = city.table("incident").set_index("incident_id")["location_quality"].to_dict()
    assert quality == {"ok": "exact", "swap": "exact", "zero": "none", "blank": "none", "off": "outside"}


@pytest.mark.parametrize(("part", "cut"), [(".dbf", -40), (".dbf", 20), (".shx", -16), (".shp", -30)])
def test_a_half_copied_shapefile(tmp_path, part, cut):
    city = City(tmp_path, china=False).grids()
    frame = gpd.GeoDataFrame(
        {"编号": list("abcde"), "时间": ["2026-03-01"] * 5},
        geometry=[shapely.Point(centre(n)) for n in range(5)],
        crs=4326,
    )
    pyogrio.write_dataframe(frame, city.inbox / "e.shp", encoding="UTF-8")
    city.declare_incidents(("编号", "时间"), "e.shp").run()
    assert len(city.table("incident")) == 5
    path = (city.inbox / "e.shp").with_suffix(part)
    path.write_bytes(path.read_bytes()[:cut])
    refused(city, "e.shp", part, "截断")


def test_a_wkt_column_without_any_shape_and_a_telephone_column_for_a_coordinate(tmp_path):
    city = City(tmp_path, china=False).grids()
    city.put("w.csv", "编号,时间,形状\na,2026-03-01,东门13812345678\nb,2026-03-01,\n")
    city.declare_incidents(("编号", "时间"), "w.csv", columns={"wkt": "形状"})
    with pytest.raises(DataFault, match=r"w\.csv 列 形状") as caught:
        city.run()
    assert "138" not in str(caught.value)
    city.put("t.csv", "编号,时间,经度,纬度\na,2026-03-01,13812345678,36.7\n")
    city.declare_incidents(("编号", "时间", "经度", "纬度"), "t.csv")
    with pytest.raises(DataFault, match=r"约 1\.4e\+10") as caught:
        city.run()
    assert "13812" not in str(caught.value)


def test_a_text_table_that_cannot_be_split_does_not_quote_its_row(tmp_path):
    """Ragged rows, and one longer than the reader's block: its second attempt fails as well."""
    city = City(tmp_path, china=False).grids()
    city.put("r.csv", "编号,时间\na,2026-03-01,x\nb," + "13812345678" * 3_500_000 + "\nc,2026-03-01\n")
    city.declare_incidents(("编号", "时间"), "r.csv")
    with pytest.raises(DataFault, match=r"r\.csv") as caught:
        city.run()
    assert "13812345678" not in str(caught.value)
