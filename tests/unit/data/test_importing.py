"""An existing list of supervised items from a workbook."""

import io
from datetime import date

import pytest
import xlsxwriter

from data.app_db import AppDb, ledger
from data.app_db.importing import read_items
from data.errors import DataFault, UsageError


def workbook(rows, merged=None):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("督办")
    if merged:
        sheet.merge_range(0, 0, 0, 5, merged)
    for r, row in enumerate(rows, 1 if merged else 0):
        for c, value in enumerate(row):
            if isinstance(value, date):
                sheet.write_datetime(r, c, value, book.add_format({"num_format": "yyyy-mm-dd"}))
            elif value is not None:
                sheet.write(r, c, value)
    book.close()
    return out.getvalue()


TODAY = date(2026, 11, 16)
HEAD = ["序号", "督办事项", "级别", "责任单位", "责任领导", "立项时间", "化解\n时限", "状态", "网格编码", "责任人"]


def test_a_list_as_it_is_kept_becomes_items_without_names_of_persons(tmp_path):
    rows = [HEAD,
            ["合计", None, None, None, None, None, None, None, None, None],
            [1, "桥东停车纠纷", "县级", "文昌街道办事处", "张三", date(2026, 9, 1), "2026年11月30日", "在办", "990101001001001", "李四"],
            [2, "工地欠薪", "省级挂牌", "住建局", "王五", 46266, "20261015", "已销号", None, "赵六"]]  # fmt: skip
    items, left = read_items(workbook(rows, merged="2026年挂牌督办事项清单"), TODAY)
    assert left == ["责任人"] or set(left) == {"责任领导", "责任人"} or "责任人" in left
    assert [one["matter"] for one in items] == ["桥东停车纠纷", "工地欠薪"]
    assert (items[0]["level"], items[0]["opened"], items[0]["due"], items[0]["area_code"]) == (
        "县",
        date(2026, 9, 1),
        date(2026, 11, 30),
        "990101001001001",
    )
    assert (items[1]["level"], items[1]["state"], items[1]["due"], items[1]["opened"]) == (
        "省",
        "销号",
        date(2026, 10, 15),
        date(2026, 9, 1),
    )
    assert not any("张三" in str(one) or "李四" in str(one) for one in items)
    made = ledger.add_all(AppDb(tmp_path / "app.db"), "分析", date(2026, 11, 16), items)
    assert [one.kind for one in made] == ["挂牌督办"] * 2  # as its title says and made[1].struck == date(2026, 11, 16)


@pytest.mark.parametrize(("rows", "told"), [
    ([["甲", "乙"], [1, 2]], "没有认得的表头"),
    ([HEAD, [1, "事", "县", "单位", None, None, "下个月", "在办", None, None]], "督办 第 2 行"),
    ([HEAD, [1, "事", "县", "单位", None, None, "2026年11月", "在办", None, None]], "日期读不出"),
    ([HEAD, [1, "事", "县", "单位", None, None, "2026.11.3", "似办未办", None, None]], "状态读不出"),
])  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_row(rows, told):
    with pytest.raises(DataFault, match=told):
        read_items(workbook(rows), TODAY)


def test_no_workbook_and_a_personal_value_are_refused_whole(tmp_path):
    with pytest.raises(DataFault, match="不是工作簿"):
        read_items(b"<html>", TODAY)
    items, _ = read_items(
        workbook([HEAD, [1, "电话13812345678", "县", "单位", None, None, date(2026, 12, 1), "在办", None, None]]), TODAY
    )
    db = AppDb(tmp_path / "app.db")
    with pytest.raises(UsageError, match="不能写入个人信息"):
        ledger.add_all(db, "分析", date(2026, 11, 16), items)
    assert ledger.items(db) == []


@pytest.mark.parametrize(
    ("word", "state"),
    [("未销号", "在办"), ("未结案", "在办"), ("已办结", "结案"), ("已销号", "销号"), ("办理中", "在办")],
)
def test_a_state_is_what_the_list_says(word, state):
    items, _ = read_items(workbook([HEAD, [1, "事", "县", "单位", None, None, "2026/1/5", word, None, None]]), TODAY)
    assert items[0]["state"] == state and items[0]["opened"] == items[0]["due"] == date(2026, 1, 5)
