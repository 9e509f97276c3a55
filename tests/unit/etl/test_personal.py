"""Personal data (domain.md 4): never in a release, its rejects or its messages, wherever it stands in a file."""

from __future__ import annotations

import io
import unicodedata

import openpyxl
import pytest
from city import City, cell, centre, csv_text, feature_collection
from openpyxl.comments import Comment

from data.errors import DataFault

ID18 = "11010519491231002X"
FULL_WIDTH = "１１０１０５１９４９１２３１００２Ｘ"
BAD_CHECKSUM = "110105194912310021"
OLD_ID = "110105491231002"
MOBILE = "13812345678"
LOGIN = "370102013006008_zhangsan"
ADDRESS = "家庭住址: 和平路1号2单元301室"

DENIED = (
    "姓名", "当事人", "报警人", "受害人", "嫌疑人", "户主", "房主", "业主", "联系人", "负责人", "责任人", "网格员姓名",
    "身份证", "证件号", "idcard", "idcard_no", "手机", "电话", "联系方式", "phone", "mobile", "出生日期", "性别", "民族",
    "宗教信仰", "政治面貌", "车牌", "号牌", "微信", "QQ", "邮箱", "人脸", "照片", "头像", "住址", "重点人员",
    "is_attention", "关注程度", "信访人", "矫正", "吸毒", "精神", "艾滋", "邪教", "联 系\n电　话", "ＰＨＯＮＥ",
    "USER_NAME", "PASS_WORD", "IP", "MAC", "SN", "GLDW_TEL", "INSTALL_PERSION",
)  # fmt: skip
ALLOWED = ("涉及人员总数", "涉及人数", "网格员数", "人口数", "户数")


def rows(n: int = 20, **more) -> list[dict]:
    return [{"编号": f"J{i:04d}", "时间": "2026-03-02 08:05:00", "类别": "刑事", "细类": "盗窃",
             "经度": centre(i % 9)[0], "纬度": centre(i % 9)[1], **more} for i in range(n)]  # fmt: skip


def folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split()).lower()


def dropped(city: City) -> set[str]:
    """Unmapped columns that were named as personal."""
    return set(city.quality()["sources"]["jq"].get("personal_columns", {}))


def test_unmapped_columns_with_denied_names_are_named_dropped_and_the_run_goes_on(tmp_path):
    marks = {name: f"value-of-{n}" for n, name in enumerate((*DENIED, *ALLOWED))}
    city = City(tmp_path, china=False).grids().incidents(rows(3, **marks))
    city.run()
    assert {folded(name) for name in dropped(city)} == {folded(name) for name in DENIED}
    text = city.everything()
    assert "value-of-" not in text


def test_unmapped_columns_are_scanned_by_value(tmp_path):
    values = (
        ID18,
        FULL_WIDTH,
        BAD_CHECKSUM,
        OLD_ID,
        MOBILE,
        f"手机{MOBILE}",
        LOGIN,
        ADDRESS,
        "电话１３８１２３４５６７８请回",
        f"身份证{ID18}，已核",
    )
    data = rows(60, **{f"备注{n}": "正常" for n in range(len(values))})
    for n, value in enumerate(values):
        data[40 - n][f"备注{n}"] = value
    city = City(tmp_path, china=False).grids().incidents(data)
    city.run()
    assert dropped(city) == {f"备注{n}" for n in range(len(values))}
    assert city.accounted().loc["jq"].tolist() == [60, 60, 0]
    everything = city.everything()
    for form in (*values, "zhangsan"):
        assert form not in everything


def test_innocent_values_do_not_look_personal(tmp_path):
    innocent = {
        "数值": "108.13812345678",
        "网格号": "370102013006008",
        "长号": "138123456789012",
        "设备": "34020000001320000101",
        "金额": "13800.00",
        "说明": "和平路与建设路交叉口",
        "日期": "20160105",
        "单号": "9138123456780001",
    }
    city = City(tmp_path).grids(extra=[({"code": "370102013006008"}, None)], max_reject_pct=50)
    city.incidents(rows(3, **innocent))
    city.run()
    assert dropped(city) == set()


@pytest.mark.parametrize("header", ["联系电话", "当事人", "idcard_no", "ｐｈｏｎｅ", "报警人姓名"])
def test_a_mapped_column_with_a_denied_name_stops_the_run(tmp_path, header):
    city = City(tmp_path, china=False).grids().incidents(rows(3, **{header: "公园"}), columns={"subcategory": header})
    with pytest.raises(DataFault) as caught:
        city.run()
    assert "jq.csv" in str(caught.value) and folded(header) in str(caught.value)
    assert not (city.path / "releases" / "current").exists()


def test_a_personal_value_in_a_mapped_column_rejects_its_row(tmp_path):
    values = (ID18, FULL_WIDTH, MOBILE, f"手机{MOBILE}", LOGIN)
    cells = [
        (column, value)
        for column in ("编号", "细类", "类别")
        for value in values
        if (column, value) != ("编号", MOBILE)
    ]  # a serial number may have eleven digits
    data = rows(1500)
    for n, (column, value) in enumerate(cells):
        data[100 * n + 7][column] = value
    city = City(tmp_path, china=False).grids().incidents(data)
    city.run()
    wanted = [[100 * n + 9, "personal_value"] for n in range(len(cells))]
    assert city.table("reject")[["row", "reason_code"]].values.tolist() == wanted
    assert len(city.table("incident")) == 1500 - len(cells)
    text = city.everything()
    for form in (*values, "zhangsan"):
        assert form not in text


def test_one_per_cent_passes_and_more_stops(tmp_path):
    data = rows(300)
    for n in range(3):
        data[n * 50]["细类"] = MOBILE
    city = City(tmp_path, china=False).grids().incidents(data)
    city.run()
    assert city.rejects() == {"personal_value": 3}
    before = city.current
    data[299]["细类"] = MOBILE
    city.incidents(data)
    with pytest.raises(DataFault) as caught:
        city.run()
    message = str(caught.value)
    assert MOBILE not in message and "jq.csv" in message
    assert city.current == before


def test_every_mapped_text_column_is_scanned(tmp_path):
    fields = {
        "status": "状态",
        "place_type": "场所",
        "incident_id": "编号",
        "grid_code": "网格",
        "community_code": "社区",
        "subcategory": "细类",
    }
    data = [{**r, "状态": "办结", "场所": "商场", "网格": "", "社区": ""} for r in rows(900)]
    for n, column in enumerate(fields.values()):
        data[10 * n][column] = ID18
    city = City(tmp_path, china=False).grids()
    city.incidents(data, columns=fields).run()
    assert city.table("reject")["row"].tolist() == [10 * n + 2 for n in range(len(fields))]
    assert ID18 not in city.everything()


def test_a_household_address_in_a_mapped_column_is_cut_and_warned_about(tmp_path):
    data = rows(200)
    data[7]["细类"] = "和平小区3号楼2单元301室"
    city = City(tmp_path, china=False).grids().incidents(data)
    city.run()
    text = city.everything()
    assert "301室" not in text and "2单元" not in text
    assert any("jq.csv" in w["where"] for w in city.quality()["warnings"])


def test_codes_are_not_taken_for_old_id_numbers(tmp_path):
    """330102001201003: a plausible grid code whose digits 7 to 12 read as a date; the column decides."""
    codes = [f"330102001201{n:03d}" for n in range(1, 10)]
    city = City(tmp_path)
    city.put("g.geojson", feature_collection([({"code": c}, cell(n)) for n, c in enumerate(codes)]))
    city.add("grids", "grid", "g.geojson", crs="cgcs2000", columns={"grid_code": "code"})
    data = [{"编号": f"J{n}", "时间": "2026-03-01", "网格": c, "备注": c} for n, c in enumerate(codes)]
    city.incidents(data).run()
    assert city.table("incident")["grid_code"].tolist() == codes
    assert dropped(city) == set()


def test_workbooks_are_searched_in_comments_and_hidden_sheets_and_columns(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["编号", "时间", "类别", "备用"])
    for n in range(5):
        sheet.append([f"x{n}", "2026-03-01", "刑事", MOBILE if n == 3 else "无"])
    sheet.column_dimensions["D"].hidden = True
    sheet["C2"].comment = Comment(f"当事人电话{MOBILE}", "x")
    hidden = book.create_sheet("名单")
    hidden.append(["张某", ID18])
    hidden.sheet_state = "hidden"
    city = City(tmp_path, china=False).grids()
    out = io.BytesIO()
    book.save(out)
    city.put("w.xlsx", out.getvalue())
    city.declare_incidents(("编号", "时间", "类别"), "w.xlsx").run()
    quality = city.quality()
    assert dropped(city) == {"备用"}
    warned = " ".join(w["where"] + w["message"] for w in quality["warnings"])
    assert "批注" in warned and "名单" in warned
    assert MOBILE not in city.everything() and ID18 not in city.everything()
    assert len(city.table("incident")) == 5


def test_unmapped_columns_never_enter_a_release(tmp_path):
    city = City(tmp_path, china=False).grids().incidents(rows(3, 处警经过="某事某经过独特文字"))
    city.run()
    assert "独特文字" not in city.everything()


def test_personal_values_in_geometry_files_and_camera_ledgers(tmp_path):
    city = City(tmp_path).grids()
    ledger = [
        {
            "编码": f"3701020000132000{n:04d}",
            "名称": f"路口{n}",
            "经度": centre(n % 9)[0],
            "纬度": centre(n % 9)[1],
            "USER_NAME": "admin",
            "PASS_WORD": "s3cret-pass",
            "IP": "10.1.2.3",
            "INSTALL_PERSION": "李某",
        }
        for n in range(120)
    ]
    ledger[5]["名称"] = f"看护人{MOBILE}"
    city.put("cam.csv", csv_text(ledger))
    city.add(
        "cam",
        "camera",
        "cam.csv",
        crs="cgcs2000",
        columns={"camera_code": "编码", "name": "名称", "lon": "经度", "lat": "纬度"},
    )
    city.run()
    text = city.everything()
    for secret in ("s3cret-pass", "10.1.2.3", "李某", MOBILE):
        assert secret not in text
    assert city.table("reject")[["row", "reason_code"]].values.tolist() == [[7, "personal_value"]]
    assert len(city.table("camera")) == 119
