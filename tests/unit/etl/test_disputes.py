"""Dispute statistics: the six-row workbook of domain.md 2.12, flat tables, totals as checks, units by name."""

from __future__ import annotations

import numpy as np
import openpyxl
import pandas as pd
import pytest
from city import City, csv_text

from data.errors import DataFault
from etl.transform.periods import period as read_period
from etl.transform.text import OTHER_TEXT, tellable
from etl.transform.units import Units

STREETS = {"370102013": "甸柳新村街道", "370103002": "泺源街道", "370103003": "杆石桥街道", "370103100": "大金镇"}
TYPES = {"婚姻家庭": "婚姻家庭", "邻里": "邻里", "房产宅基地": "房屋宅基地", "劳资": "劳动争议", "其它": "其他"}
# (resolved, open) per street and type; the last street filed zeros.
COUNTS = {
    "甸柳新村街道": [(5, 1), (7, 0), (0, 2), (3, 1), (1, 0)],
    "泺源街道": [(2, 0), (4, 3), (1, 0), (0, 0), (2, 2)],
    "杆石桥街道": [(8, 2), (0, 0), (2, 1), (1, 0), (0, 0)],
    "大金镇": [(0, 0)] * 5,
}


def city_with_streets(path) -> City:
    city = City(path).grids()
    city.put("areas.csv", "代码,名称,层级\n" + "\n".join(f"{c},{n},street" for c, n in STREETS.items()))
    return city.add("areas", "area", "areas.csv", columns={"code": "代码", "name": "名称", "level": "层级"})


def workbook(path, *, month: int = 3, wrong: int = 0, counts=COUNTS, stated_wrong: int = 0) -> None:
    """The real sheet: title, three header rows with merges and line breaks, 合计 in row 5, data from row 6."""
    book = openpyxl.Workbook()
    sheet = book.active
    width = 3 + 2 * len(TYPES)
    sheet.cell(1, 1, f"某区矛盾纠纷排查化解基本情况统计表（{month} 月）")
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)
    sheet.cell(2, 1, "镇办")
    sheet.merge_cells("A2:A4")
    sheet.cell(2, 2, "矛盾纠纷类型")
    sheet.merge_cells(start_row=2, start_column=2, end_row=2, end_column=width)
    sheet.cell(3, 2, "当前矛盾\n纠纷情况")
    sheet.merge_cells("B3:C3")
    sheet.cell(4, 2, "本月矛盾\n纠纷总数")
    sheet.cell(4, 3, "本月未化解\n纠纷数")
    sums = [tuple(sum(c[t][k] or 0 for c in counts.values()) for k in (0, 1)) for t in range(len(TYPES))]
    for t, name in enumerate(TYPES):
        at = 4 + 2 * t
        sheet.cell(3, at, f"{name}\n（共计：{sum(sums[t]) + (stated_wrong if t == 1 else 0)} 件）")
        sheet.merge_cells(start_row=3, start_column=at, end_row=3, end_column=at + 1)
        sheet.cell(4, at, "化解数")
        sheet.cell(4, at + 1, "未化解数")
    rows = {"合　计": [(d + (wrong if t == 2 else 0), o) for t, (d, o) in enumerate(sums)], **counts}
    for r, (unit, pairs) in enumerate(rows.items(), 5):
        true = sums if unit.startswith("合") else pairs
        sheet.cell(r, 1, unit)
        if true[0][0] is not None:
            sheet.cell(r, 2, sum(d + o for d, o in true))
            sheet.cell(r, 3, sum(o for _, o in true))
        for t, (done, left) in enumerate(pairs):
            sheet.cell(r, 4 + 2 * t, done)
            sheet.cell(r, 5 + 2 * t, left)
    book.save(path)


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    made = city_with_streets(tmp_path_factory.mktemp("disputes"))
    workbook(made.inbox / "纠纷_2026-03.xlsx")
    made.add("month", "dispute", "纠纷_*.xlsx", cadence="month", columns={"area_name": "镇办"})
    made.run()
    return made


def mismatches(city: City) -> list[dict]:
    return [w for w in city.quality()["warnings"] if "合计" in w["message"] or "共计" in w["message"]]


def test_the_six_row_workbook(city):
    table = city.table("dispute_stat")
    codes = {name: code for code, name in STREETS.items()}
    found = {(r.area_code, r.category): (r.succeeded, r.open) for r in table.itertuples()}
    expected = {
        (codes[unit], ours): pair
        for unit, pairs in COUNTS.items()
        for ours, pair in zip(TYPES.values(), pairs, strict=True)
    }
    assert found == expected
    assert set(table["period_start"]) == {"2026-03-01"} and set(table["period_end"]) == {"2026-04-01"}
    assert set(table["source_id"]) == {"month"}


def test_the_sheets_monthly_total_is_what_its_types_add_up_to(city):
    table = city.table("dispute_stat")
    total = sum(d + o for pairs in COUNTS.values() for d, o in pairs)
    assert table["found"].sum() == total == 48
    assert table["open"].sum() == 12


def test_the_totals_row_is_a_reject_and_right_sums_are_silent(city):
    assert city.table("reject")[["row", "reason_code"]].values.tolist() == [[5, "total_row"]]
    assert city.accounted().loc["month"].tolist() == [5, 4, 1]
    assert mismatches(city) == []


def test_zeros_are_a_nil_return(city):
    states = city.table("report_status").query("dataset == 'month'").set_index("area_code")["state"].to_dict()
    assert states == {"370102013": "reported", "370103002": "reported", "370103003": "reported", "370103100": "zero"}


def test_a_wrong_total_is_a_warning_that_names_file_and_column(tmp_path):
    city = city_with_streets(tmp_path)
    workbook(city.inbox / "纠纷_2026-04.xlsx", month=4, wrong=3, stated_wrong=1)
    city.add("month", "dispute", "纠纷_*.xlsx", cadence="month", columns={"area_name": "镇办"})
    city.run()
    found = mismatches(city)
    assert len(found) == 2
    assert all("纠纷_2026-04.xlsx" in w["where"] for w in found)
    wrong = next(w for w in found if "房产宅基地" in w["where"])
    assert "6" in wrong["message"] and "3" in wrong["message"]
    assert any("邻里" in w["where"] for w in found)


def test_a_unit_that_does_not_appear_is_missing_that_month(tmp_path):
    city = city_with_streets(tmp_path)
    workbook(city.inbox / "纠纷_2026-03.xlsx")
    workbook(city.inbox / "纠纷_2026-04.xlsx", month=4, counts={k: v for k, v in COUNTS.items() if k != "泺源街道"})
    city.add("month", "dispute", "纠纷_*.xlsx", cadence="month", columns={"area_name": "镇办"})
    city.run()
    status = city.table("report_status").set_index(["period_start", "area_code"])["state"]
    assert status["2026-04-01", "370103002"] == "missing"
    assert status["2026-03-01", "370103002"] == "reported"
    assert ("2026-04-01", "370103002") not in set(
        zip(city.table("dispute_stat")["period_start"], city.table("dispute_stat")["area_code"], strict=True)
    )


def test_a_corrected_sheet_in_a_later_file_replaces_the_units_month(tmp_path):
    city = city_with_streets(tmp_path)
    workbook(city.inbox / "纠纷_2026-03_1.xlsx")
    later = {"甸柳新村街道": [(9, 9)] * 5}
    workbook(city.inbox / "纠纷_2026-03_2.xlsx", counts=later)
    city.add("month", "dispute", "纠纷_*.xlsx", cadence="month", columns={"area_name": "镇办"})
    city.run()
    table = city.table("dispute_stat")
    assert set(table.query("area_code == '370102013'")["succeeded"]) == {9}
    assert table.query("area_code == '370103002'")["succeeded"].sum() == 9
    rejects = city.table("reject").query("reason_code == 'superseded'")
    assert rejects[["file", "row"]].values.tolist() == [["纠纷_2026-03_1.xlsx", 6]]
    city.accounted()


FLAT = [
    {"单位": "370102013", "名称": "甸柳新村街道", "期": "2026-03", "排查": "10", "受理": "9", "成功": "8", "类型": "邻里纠纷",
     "方式": "访调"},
    {"单位": "", "名称": "泺源街道办事处", "期": "2026年3月", "排查": "１２", "受理": "", "成功": "0", "类型": "", "方式": "人民调解"},
    {"单位": "合计", "名称": "", "期": "", "排查": "22", "受理": "9", "成功": "9", "类型": "", "方式": ""},
    {"单位": "", "名称": "没有的镇", "期": "2026-03", "排查": "1", "受理": "1", "成功": "1", "类型": "", "方式": ""},
    {"单位": "370103003", "名称": "杆石桥街道", "期": "去年", "排查": "1", "受理": "1", "成功": "1", "类型": "", "方式": ""},
    {"单位": "370103003", "名称": "杆石桥街道", "期": "2026-W10", "排查": "若干", "受理": "1", "成功": "1", "类型": "", "方式": ""},
]  # fmt: skip


def test_flat_rows_by_code_or_name_with_their_rejects(tmp_path):
    city = city_with_streets(tmp_path)
    city.put("flat.csv", csv_text(FLAT), "gb18030")
    city.add(
        "flat",
        "dispute",
        "flat.csv",
        cadence="month",
        max_reject_pct=90,
        columns={
            "area_code": "单位",
            "area_name": "名称",
            "period": "期",
            "found": "排查",
            "accepted": "受理",
            "succeeded": "成功",
            "category": "类型",
            "channel": "方式",
        },
    )
    city.run()
    table = city.table("dispute_stat").set_index("area_code")
    assert table.index.tolist() == ["370102013", "370103002"]
    assert table["found"].tolist() == [10, 12]
    assert table.loc["370103002", "accepted"] is None  # blank is not zero
    assert table["succeeded"].tolist() == [8, 0]
    assert table["category"].tolist() == ["邻里", None]
    assert table["channel"].tolist() == ["访调", "人民调解"]
    assert table["handled"].tolist() == [None, None]  # never mapped: the source lacks it
    rejects = city.table("reject").set_index("row")["reason_code"].to_dict()
    assert rejects == {4: "total_row", 5: "unknown_area", 6: "unreadable_period", 7: "unreadable_number"}
    warned = [w for w in mismatches(city) if "成功" in w["where"]]
    assert len(warned) == 1 and "9" in warned[0]["message"] and "8" in warned[0]["message"]


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("2026-W10", "2026-03-02", "2026-03-09"),
        ("2026年第10周", "2026-03-02", "2026-03-09"),
        ("2026-Q1", "2026-01-01", "2026-04-01"),
        ("2026-03", "2026-03-01", "2026-04-01"),
        ("2026年3月", "2026-03-01", "2026-04-01"),
        ("03/2026", "2026-03-01", "2026-04-01"),
        ("202603", "2026-03-01", "2026-04-01"),
        ("45658", "2025-01-01", "2025-02-01"),  # an Excel serial day
        ("2026年1月2", "2026-01-02", "2026-02-02"),
        ("2026-11-H1", "2026-11-01", "2026-11-16"),
        ("2026年1月下半月", "2026-01-16", "2026-02-01"),
    ],
)
def test_periods_as_sheets_name_them(period, start, end):
    assert read_period(period, "month") == (np.datetime64(start), np.datetime64(end))


@pytest.mark.parametrize(
    "word", ["2026年13月上半月", "20261", "4565", "9999", "9999-12-31", "0000-W01", "2026-W60", "20٢٦-01", "去年", ""]
)
def test_what_is_no_period_is_none(word):
    assert all(read_period(word, cadence) is None for cadence in ("day", "week", "month", "quarter"))


@pytest.mark.parametrize("columns", [{"area_name": "镇办"}, {"area_name": "镇办", "period": "期"}])
def test_a_dispute_sheet_without_any_count_stops_the_run(tmp_path, columns):
    city = city_with_streets(tmp_path)
    city.put("n.csv", "镇办,期,备注\n泺源街道,2026-03,无\n")
    city.add("n", "dispute", "n.csv", columns=columns)
    with pytest.raises(DataFault, match=r"n\.csv"):
        city.run()


def test_a_unit_whose_cells_are_all_blank_gave_no_output(tmp_path):
    """rows_out counts the records that gave at least one output; a blank line of a unit is no report and no zero."""
    city = city_with_streets(tmp_path)
    workbook(city.inbox / "纠纷_2026-03.xlsx", counts={**COUNTS, "大金镇": [(None, None)] * 5})
    city.add("month", "dispute", "纠纷_*.xlsx", cadence="month", max_reject_pct=50, columns={"area_name": "镇办"})
    city.run()
    assert "370103100" not in set(city.table("dispute_stat")["area_code"])
    accounts = city.accounted().loc["month"]
    assert accounts["rows_in"] == 5
    assert accounts["rows_out"] == 3
    states = city.table("report_status").set_index("area_code")["state"].to_dict()
    assert states.get("370103100", "missing") == "missing"


def test_a_wide_sheets_words_are_no_zeros_and_a_blank_half_stays_blank(tmp_path):
    city = city_with_streets(tmp_path)
    workbook(city.inbox / "纠纷_2026-03.xlsx")
    book = openpyxl.load_workbook(city.inbox / "纠纷_2026-03.xlsx")
    book.active.cell(6, 4, "3件")  # 甸柳新村街道
    book.active.cell(7, 5).value = None  # 泺源街道
    book.save(city.inbox / "纠纷_2026-03.xlsx")
    city.add("month", "dispute", "纠纷_*.xlsx", cadence="month", max_reject_pct=60, columns={"area_name": "镇办"})
    city.run()
    rejected = city.table("reject").set_index("row")["reason_code"].to_dict()
    assert rejected == {5: "total_row", 6: "unreadable_number"}
    table = city.table("dispute_stat").set_index(["area_code", "category"])
    assert "370102013" not in table.index
    half = table.loc[("370103002", "婚姻家庭")]
    assert (half["found"], half["succeeded"], half["open"]) == (None, 2, None)
    city.accounted()


def test_several_totals_rows_are_subtotals_and_check_nothing(tmp_path):
    city = city_with_streets(tmp_path)
    workbook(city.inbox / "纠纷_2026-03.xlsx")
    book = openpyxl.load_workbook(city.inbox / "纠纷_2026-03.xlsx")
    book.active.append(["小计", 1, 1, *[1] * 10])
    book.save(city.inbox / "纠纷_2026-03.xlsx")
    city.add("month", "dispute", "纠纷_*.xlsx", cadence="month", max_reject_pct=60, columns={"area_name": "镇办"})
    city.run()
    assert city.rejects() == {"total_row": 2}
    assert mismatches(city) == []


def test_a_count_merged_over_rows_is_counted_once_a_code_stands_for_each(tmp_path):
    city = city_with_streets(tmp_path)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["镇办", "类型", "排查", "受理"])
    for row in ((370102013, "邻里", 6, 1), (None, "劳资", None, 2), (None, "其它", None, 3)):
        sheet.append(row)
    sheet.merge_cells("A2:A4")
    sheet.merge_cells("C2:C4")
    book.save(city.inbox / "m.xlsx")
    columns = {"area_code": "镇办", "category": "类型", "found": "排查", "accepted": "受理"}
    city.add("m", "dispute", "m.xlsx", cadence="month", columns=columns, defaults={"period": "2026-03"})
    city.run()
    table = city.table("dispute_stat")
    assert table["area_code"].tolist() == ["370102013"] * 3
    assert table["found"].tolist() == [6, None, None] and table["accepted"].tolist() == [1, 2, 3]


def units_of(*names: str) -> Units:
    areas = pd.DataFrame({"code": [f"c{n}" for n in range(len(names))], "name": names})
    return Units(areas, pd.DataFrame({"grid_code": []}))


@pytest.mark.parametrize(
    ("table", "word", "found"),
    [
        ("和平社区", "和平村", None),
        ("和平社区", "和平", "c0"),
        ("和平", "和平村", "c0"),
        ("和平社区", "和平社区居委会", "c0"),
        ("甸柳新村街道", "甸柳新村", "c0"),
        ("甸柳新村街道", "甸柳新村街道办事处", "c0"),
    ],
)
def test_names_match_without_their_rank_only_where_one_side_left_it_out(table, word, found):
    assert units_of(table)._name(word) == found


def test_a_bare_name_that_fits_two_places_is_none_of_them():
    assert units_of("和平社区", "和平村")._name("和平") is None


def test_words_of_unknown_units_are_told_only_where_they_can_name_nobody(tmp_path):
    city = city_with_streets(tmp_path)
    rows = [
        "泺源街道,1",
        "填表人张三丰,1",
        "电话：5123,1",
        "编号123456,1",
        "某某某某某某某某某某某某某,1",
        "新镇,1",
        "新镇,1",
    ]
    city.put("n.csv", "镇办,排查\n" + "\n".join(rows))
    city.add(
        "n",
        "dispute",
        "n.csv",
        cadence="month",
        max_reject_pct=99,
        columns={"area_name": "镇办", "found": "排查"},
        defaults={"period": "2026-03"},
    )
    city.run()
    told = city.quality()["sources"]["n"]["unknown_areas"]
    assert told["新镇"] == 2 and set(told) == {"新镇", OTHER_TEXT}


def test_at_most_fifty_words_are_told_and_none_is_lost():
    words = {f"词{n}": n + 1 for n in range(60)}
    told = tellable(words)
    assert len(told) == 51 and sum(told.values()) == sum(words.values())
    assert tellable(told) == told
