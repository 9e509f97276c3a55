"""报告情况: declared sheets, and what a source's silence tells; 未报, 零报 and 已报 stay three things."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
from city import City, csv_text

from data.schema import LAYERS
from etl.sources import Source
from etl.transform import reports

UNITS = ("370102", "370103")


def test_declared_sheets_are_kept_as_filed(tmp_path):
    city = City(tmp_path).grids()
    city.incidents([{"编号": "a", "时间": "2026-03-02 10:00"}, {"编号": "b", "时间": "2026-03-20 10:00"}])
    sheet = [
        {"单位": "370102", "数据": "警情", "期": "2026-W10", "状态": "已报", "应报": "2026-03-10 12:00", "实报": "2026-03-09 09:00"},
        {"单位": "370103", "数据": "警情", "期": "2026-W10", "状态": "零报告", "应报": "2026-03-10 12:00", "实报": "2026-03-12 09:00"},
        {"单位": "370102", "数据": "警情", "期": "2026-W11", "状态": "未报", "应报": "2026-03-17 12:00", "实报": ""},
        {"单位": "370103", "数据": "警情", "期": "2026-W11", "状态": "不清楚", "应报": "", "实报": ""},
        {"单位": "999999", "数据": "警情", "期": "2026-W11", "状态": "已报", "应报": "", "实报": ""},
        {"单位": "370103", "数据": "别的", "期": "2026-W11", "状态": "已报", "应报": "", "实报": ""},
        {"单位": "370103", "数据": "警情", "期": "?", "状态": "已报", "应报": "", "实报": ""},
    ]  # fmt: skip
    city.put("s.csv", csv_text(sheet), "gb18030")
    city.add(
        "register",
        "report_status",
        "s.csv",
        max_reject_pct=90,
        columns={
            "area_code": "单位",
            "dataset": "数据",
            "period": "期",
            "state": "状态",
            "due_at": "应报",
            "reported_at": "实报",
        },
        values={"dataset": {"警情": "jq"}},
    )
    city.run()
    table = city.table("report_status")
    assert set(table["dataset"]) == {"jq"}
    rows = [
        tuple(str(v).replace("T", " ")[:16] if v is not None else None for v in r)
        for r in table[["area_code", "period_start", "period_end", "state", "due_at", "reported_at"]].values
    ]
    assert sorted(rows, key=str) == sorted(
        [
            ("370102", "2026-03-02", "2026-03-09", "reported", "2026-03-10 12:00", "2026-03-09 09:00"),
            ("370103", "2026-03-02", "2026-03-09", "zero", "2026-03-10 12:00", "2026-03-12 09:00"),
            ("370102", "2026-03-09", "2026-03-16", "missing", "2026-03-17 12:00", None),
        ],
        key=str,
    )
    rejects = city.table("reject").set_index("row")["reason_code"].to_dict()
    assert rejects == {5: "unknown_state", 6: "unknown_area", 7: "unknown_dataset", 8: "unreadable_period"}
    assert city.accounted().loc["register"].tolist() == [7, 3, 4]


def test_a_silence_of_more_than_three_cadences_is_missing_and_a_quiet_week_is_zero(tmp_path):
    """Weekly source: events in weeks 10, 12, then none for five weeks, then week 18."""
    city = City(tmp_path).grids()
    days = ("2026-03-02", "2026-03-08", "2026-03-16", "2026-03-22", "2026-04-27")
    city.incidents([{"编号": d, "时间": f"{d} 10:00"} for d in days], cadence="week")
    city.run()
    table = city.table("report_status").query("dataset == 'jq'")
    assert set(table["area_code"]) == set(UNITS)
    for _, unit in table.groupby("area_code"):
        states = unit.sort_values("period_start").set_index("period_start")["state"].to_dict()
        assert states == {
            "2026-03-02": "reported", "2026-03-09": "zero", "2026-03-16": "reported", "2026-03-23": "missing",
            "2026-03-30": "missing", "2026-04-06": "missing", "2026-04-13": "missing", "2026-04-20": "missing",
            "2026-04-27": "reported"}  # fmt: skip


def test_nothing_is_derived_beside_a_declared_sheet(tmp_path):
    city = City(tmp_path).grids()
    city.incidents([{"编号": "a", "时间": "2026-03-02 10:00"}, {"编号": "b", "时间": "2026-04-20 10:00"}])
    city.put("s.csv", "单位,期,状态\n370102,2026-W10,未报\n")
    city.add(
        "register",
        "report_status",
        "s.csv",
        defaults={"dataset": "jq"},
        columns={"area_code": "单位", "period": "期", "state": "状态"},
    )
    city.run()
    assert city.table("report_status")[["area_code", "period_start", "state"]].values.tolist() == [
        ["370102", "2026-03-02", "missing"]
    ]


def disputes(start, end, unit, **counts) -> pa.Table:
    """Rows of ``dispute_stat`` from their first days, exclusive ends, units and counts."""
    given = {"period_start": start, "period_end": end, "area_code": unit, **counts}
    given = {name: np.asarray(v, "datetime64[D]") if name.startswith("period") else v for name, v in given.items()}
    schema = LAYERS["dispute_stat"].arrow_schema()
    return pa.table(
        {
            f.name: pa.array(given[f.name]).cast(f.type) if f.name in given else pa.nulls(len(unit), f.type)
            for f in schema
        }
    )


def states(source: Source, table: pa.Table) -> dict[tuple, str]:
    rows = reports.of_disputes(source, table).to_pylist()
    assert [r["period_start"] for r in rows] == sorted(r["period_start"] for r in rows)
    return {(str(r["period_start"]), r["area_code"]): r["state"] for r in rows}


MONTHLY = Source(id="m", kind="dispute", path="m", cadence="month")


def test_a_month_in_which_nobody_reported_is_missing_for_all():
    table = disputes(
        ["2026-01-01", "2026-03-01", "2026-03-01"],
        ["2026-02-01", "2026-04-01", "2026-04-01"],
        ["a", "b", "b"],
        open_gt90=[4, 0, 0],
    )
    assert states(MONTHLY, table) == {
        ("2026-01-01", "a"): "reported", ("2026-01-01", "b"): "missing",
        ("2026-02-01", "a"): "missing", ("2026-02-01", "b"): "missing",
        ("2026-03-01", "a"): "missing", ("2026-03-01", "b"): "zero"}  # fmt: skip


def test_a_mistyped_year_adds_its_own_period_alone():
    table = disputes(
        ["1906-01-01", "2026-01-01", "2062-01-01"],
        ["1906-02-01", "2026-02-01", "2062-02-01"],
        ["a"] * 3,
        found=[1, 1, 1],
    )
    assert sorted(d for d, _ in states(MONTHLY, table)) == ["1906-01-01", "2026-01-01", "2062-01-01"]
    days = np.array(["1900-01-05", "2026-03-01", "2026-03-09"], "datetime64[D]")
    daily = Source(id="j", kind="incident", path="j", cadence="day")
    told = reports.of_incidents(daily, days, ["a", "b"])
    assert told.num_rows == 9 * 2 and str(told["period_start"][0].as_py()) == "2026-03-01"


def test_two_years_of_every_grid_take_seconds():
    units, weeks = 28_175, np.delete(np.arange(104), 50)
    start = np.repeat(np.datetime64("2024-01-01") + 7 * weeks, units)
    codes = np.tile([f"{n:015d}" for n in range(units)], weeks.size)
    table = disputes(start, start + 7, codes, found=np.ones(start.size, int))
    began = time.perf_counter()
    told = reports.of_disputes(Source(id="w", kind="dispute", path="w"), table)
    assert told.num_rows == units * 104
    assert time.perf_counter() - began < 15
