"""Grid, community and GB/T 28181 codes (domain.md 2.3 to 2.5) and category words (2.7, 2.8)."""

from __future__ import annotations

import pytest
from city import CHINA_CODES, City, cell, centre, csv_text, feature_collection

from data.errors import DataFault


def test_grid_codes_that_break_the_rule_are_rejected_and_told(tmp_path):
    bad = {
        "370102013006000": "seq 000",
        "37010201300608": "14",
        "3701020130060081": "16",
        "37010201300600A": "letter",
        "": "blank",
    }
    extra = [({"code": c, "pop": 1}, cell(9 + n)) for n, c in enumerate(bad)]
    extra.append(({"code": "370102013006008", "pop": 1}, cell(20)))
    city = City(tmp_path).grids(extra=extra, max_reject_pct=60)
    city.run()
    kept = set(city.table("grid")["grid_code"])
    assert kept == {*CHINA_CODES, "370102013006008"}
    assert city.accounted().loc["grids"].tolist() == [15, 10, 5]
    reasons = city.table("reject").set_index("row")["reason"]
    assert len(reasons) == 5 and reasons.str.len().min() > 0


def test_outside_china_codes_are_opaque_text(tmp_path):
    codes = ["00123", "1e5x", "3.14", "A/B", "a", "A", "000", "37010201300608", "Ω9"]
    city = City(tmp_path, china=False)
    city.put("g.geojson", feature_collection([({"code": c}, cell(n)) for n, c in enumerate(codes)]))
    city.add("grids", "grid", "g.geojson", crs="wgs84", columns={"grid_code": "code"})
    city.incidents(
        [{"编号": str(n), "时间": "2026-03-01", "经度": centre(n)[0], "纬度": centre(n)[1]} for n in range(9)]
    )
    city.run()
    assert city.table("incident").sort_values("incident_id")["grid_code"].tolist() == codes


@pytest.mark.parametrize(
    ("codes", "written"), [("china", "3.70102E+14"), ("opaque", "3.70102013006008E+14"), ("auto", "3.70102e14")]
)
def test_codes_in_scientific_notation_stop_the_run(tmp_path, codes, written):
    city = City(tmp_path, release={"codes": codes}).grids()
    city.put("p.csv", f"编号,时间,网格\nJ1,2026-03-01,{CHINA_CODES[0]}\nJ2,2026-03-01,{written}\n")
    city.declare_incidents(("编号", "时间", "网格"), "p.csv")
    with pytest.raises(DataFault) as caught:
        city.run()
    message = str(caught.value)
    assert "p.csv" in message and "网格" in message and "3" in caught.value.where
    assert "科学计数法" in message and "文本" in message


def test_auto_takes_the_china_rules_when_most_grid_codes_look_so(tmp_path):
    city = City(tmp_path, release={"codes": "auto"}).grids(extra=[({"code": "370102013006000"}, cell(9))])
    city.run()
    assert city.quality()["release"]["codes"] == "china"
    assert "370102013006000" not in set(city.table("grid")["grid_code"])


def test_auto_is_opaque_elsewhere(tmp_path):
    city = City(tmp_path, china=False, release={"codes": "auto"}).grids()
    city.run()
    assert city.quality()["release"]["codes"] == "opaque"


def test_the_code_gives_the_hierarchy(tmp_path):
    city = City(tmp_path).grids()
    city.incidents(
        [{"编号": str(n), "时间": "2026-03-01", "经度": centre(n)[0], "纬度": centre(n)[1]} for n in range(9)]
    )
    city.run()
    for layer in ("grid", "incident"):
        table = city.table(layer)
        for code, community, street, district in zip(
            table["grid_code"], table["community_code"], table["street_code"], table["district_code"], strict=True
        ):
            assert (community, street, district) == (code[:12], code[:9], code[:6])


def test_gb28181_vectors(tmp_path):
    """domain.md 2.5."""
    ids = {
        "34020000001320000101": True,
        "42010011101320803002": True,
        "34020000001310000001": True,
        "34020000001180000001": False,
        "34020000002150000001": False,
        "34020000002000000001": False,
        "3402000000132000010": False,
        "340200000013200001011": False,
        "CAM-地网-7": True,
        "": False,
    }
    city = City(tmp_path).grids()
    city.put("cam.csv", csv_text([{"编码": i, "经度": centre(0)[0], "纬度": centre(0)[1]} for i in ids]))
    city.add(
        "cam",
        "camera",
        "cam.csv",
        crs="cgcs2000",
        max_reject_pct=90,
        columns={"camera_code": "编码", "lon": "经度", "lat": "纬度"},
    )
    city.run()
    assert set(city.table("camera")["camera_code"]) == {i for i, ok in ids.items() if ok}
    assert city.table("reject")["row"].tolist() == [n + 2 for n, ok in enumerate(ids.values()) if not ok]
    assert city.accounted().loc["cam"].tolist() == [10, 4, 6]


def test_camera_codes_in_scientific_notation_stop_the_run(tmp_path):
    city = City(tmp_path).grids()
    city.put(
        "cam.csv",
        f"编码,经度,纬度\n34020000001320000101,{centre(0)[0]},{centre(0)[1]}\n"
        f"3.4020000001320E+19,{centre(1)[0]},{centre(1)[1]}\n",
    )
    city.add("cam", "camera", "cam.csv", crs="cgcs2000", columns={"camera_code": "编码", "lon": "经度", "lat": "纬度"})
    with pytest.raises(DataFault, match=r"cam\.csv"):
        city.run()


# domain.md 2.7: words seen in exports -> canonical category.
WORDS = {
    "刑事": "刑事", "刑事类警情": "刑事", "行政（治安）类警情": "治安", "行政(治安)类警情": "治安", "道路交通类警情": "交通",
    "交通事故": "交通", "火灾": "火灾", "纠纷": "纠纷", "群众紧急求助": "求助", "群众求助": "求助", "群众救助": "求助",
    "其他警情": "其他", "其它": "其他", "无效": "无效", "无效报警": "无效", " 刑 事 ": "刑事",
    "聚集上访": "其他", "群体性事件": "其他", "治安": "治安",
}  # fmt: skip


def test_category_words_and_the_unmapped_ones_counted(tmp_path):
    words = [*WORDS, "Thefts", "外星人", "外星人", ""]
    city = City(tmp_path, china=False).grids()
    city.incidents(
        [{"编号": f"w{n}", "时间": "2026-03-01", "类别": w, "细类": w} for n, w in enumerate(words)],
        values={"category": {"Thefts": "刑事"}},
    )
    city.run()
    table = city.table("incident").set_index("incident_id")
    found = {w: table.loc[f"w{n}", "category"] for n, w in enumerate(words)}
    assert {w: found[w] for w in WORDS} == WORDS
    assert found["Thefts"] == "刑事" and found["外星人"] == "其他" and found[""] == "其他"
    unmapped = city.quality()["sources"]["jq"]["unmapped"]["category"]
    assert unmapped["外星人"] == 2
    assert not set(unmapped) & {"Thefts", "刑事", "治安"}


def test_own_values_go_before_the_shipped_tables_and_defaults_fill(tmp_path):
    city = City(tmp_path, china=False).grids()
    city.incidents(
        [{"编号": "a", "时间": "2026-03-01", "类别": "火灾"}, {"编号": "b", "时间": "2026-03-01", "类别": "纠纷"}],
        values={"category": {"火灾": "求助"}},
    )
    city.put("d.csv", "编号,时间\nc,2026-03-01\n")
    city.declare_incidents(("编号", "时间"), "d.csv", "d", defaults={"category": "治安", "status": "办结"})
    city.run()
    table = city.table("incident").set_index("incident_id")
    assert table["category"].to_dict() == {"a": "求助", "b": "纠纷", "c": "治安"}
    assert table.loc["c", "status"] == "办结"
