"""Dates as people write them (domain.md 2.12), spans, zones, and what a source's times say of its age."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from city import City

from etl.transform import times

# text -> first moment, exclusive end (None: exact)
DATES = {
    "2016年1月5日": ("2016-01-05 00:00:00", "2016-01-06 00:00:00"),
    "2016年01月05日": ("2016-01-05 00:00:00", "2016-01-06 00:00:00"),
    "2016年1月5日 14时30分": ("2016-01-05 14:30:00", None),
    "2016年1月5日14时30分20秒": ("2016-01-05 14:30:20", None),
    "2016年1月5日 下午2:30": ("2016-01-05 14:30:00", None),
    "2016年1月5日 上午9时": ("2016-01-05 09:00:00", "2016-01-05 10:00:00"),
    "2016年1月5日 14时": ("2016-01-05 14:00:00", "2016-01-05 15:00:00"),
    "2016.1.5": ("2016-01-05 00:00:00", "2016-01-06 00:00:00"),
    "2016/1/5": ("2016-01-05 00:00:00", "2016-01-06 00:00:00"),
    "20160105": ("2016-01-05 00:00:00", "2016-01-06 00:00:00"),
    "42374": ("2016-01-05 00:00:00", "2016-01-06 00:00:00"),
    "45658": ("2025-01-01 00:00:00", "2025-01-02 00:00:00"),
    "42374.604166667": ("2016-01-05 14:30:00", None),
    "２０１６年１月５日": ("2016-01-05 00:00:00", "2016-01-06 00:00:00"),
    "２０１６年１月５日　１４：３０": ("2016-01-05 14:30:00", None),
    "2016-01-05T14:30:00": ("2016-01-05 14:30:00", None),
    "2016-01-05 14:30": ("2016-01-05 14:30:00", None),
    "2016-1-5 4:05": ("2016-01-05 04:05:00", None),
    "2016-01-05T06:30:00Z": ("2016-01-05 14:30:00", None),
    "2016-01-05T14:30:00+08:00": ("2016-01-05 14:30:00", None),
    "2016-01-05T09:30:00+03:00": ("2016-01-05 14:30:00", None),
    "2016-02-29": ("2016-02-29 00:00:00", "2016-03-01 00:00:00"),
    "2016-02": ("2016-02-01 00:00:00", "2016-03-01 00:00:00"),
    "2016年2月": ("2016-02-01 00:00:00", "2016-03-01 00:00:00"),
    "2015年12月31日": ("2015-12-31 00:00:00", "2016-01-01 00:00:00"),
}
UNREADABLE = ("", "不详", "2016-02-30", "2016年13月1日", "2016-01-05 25:10", "昨天", "12345678901", "0", "2015-02-29")


def moment(text) -> str | None:
    return None if text is None or pd.isna(text) else str(text).replace("T", " ")[:19]


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    rows = [{"编号": f"d{n}", "时间": t, "类别": "刑事"} for n, t in enumerate([*DATES, *UNREADABLE])]
    made = City(tmp_path_factory.mktemp("dates")).grids().incidents(rows, max_reject_pct=50)
    london = [
        {"编号": "w", "时间": "2016-01-05 06:30:00"},
        {"编号": "s", "时间": "2016-07-05 06:30:00"},
        {"编号": "z", "时间": "2016-07-05T06:30:00Z"},
        {"编号": "gap", "时间": "2016-03-27 01:30:00"},  # the clock went from 01:00 to 02:00
    ]
    made.put("london.csv", "编号,时间\n" + "\n".join(f"{r['编号']},{r['时间']}" for r in london))
    made.declare_incidents(("编号", "时间"), "london.csv", "london", timezone="Europe/London")
    made.put(
        "parts.csv",
        "编号,日期,时刻,小时\na,2016-01-05,14:30,14\nb,2016/1/5,,14\nc,20160105,,\nd,2016年1月5日,,0\n"
        "e,2016-01-05 00:00:00,9:05,9\n",
    )
    for id_, columns in (
        ("parts", {"occurred_date": "日期", "occurred_time": "时刻", "occurred_hour": "小时"}),
        ("hours", {"occurred_date": "日期", "occurred_hour": "小时"}),
    ):
        made.declare_incidents(("编号",), "parts.csv", id_, columns=columns)
    made.put(
        "spans.csv",
        "编号,起,止\na,2016-01-05 20:00,2016-01-06 07:30\nb,2016-01-05,2016-01-07\n"
        "c,2016-01-05 20:00,\nd,2016-01-05 20:00,2016-01-04 07:00\n",
    )
    made.declare_incidents(("编号",), "spans.csv", "spans", columns={"occurred_from": "起", "occurred_to": "止"})
    made.put("months.csv", "编号,时间\na,2016-01-01\nb,2016-02-01\n")
    made.declare_incidents(("编号", "时间"), "months.csv", "months", precision="month", cadence="month")
    made.put("us.csv", "编号,时间\na,1/5/2016 2:30:00 PM\nb,1/25/2016 12:20:09 AM\nc,12/31/2016 12:00:00 PM\n")
    made.declare_incidents(("编号", "时间"), "us.csv", "us")
    made.run()
    return made


def spans(city: City, source: str) -> dict[str, tuple[str | None, str | None]]:
    part = city.table("incident").query("source_id == @source")
    return {
        i: (moment(a), moment(b))
        for i, a, b in zip(part["incident_id"], part["occurred_from"], part["occurred_to"], strict=True)
    }


@pytest.mark.parametrize(("n", "text"), list(enumerate(DATES)))
def test_every_way_of_writing_a_date(city, n, text):
    assert spans(city, "jq")[f"d{n}"] == DATES[text]


def test_unreadable_dates_are_rejected_and_nothing_else(city):
    rejects = city.table("reject").query("source_id == 'jq'")
    assert set(rejects["reason_code"]) == {"unreadable_date"}
    assert rejects["row"].tolist() == [len(DATES) + 2 + n for n in range(len(UNREADABLE))]
    assert city.accounted().loc["jq"].tolist() == [len(DATES) + len(UNREADABLE), len(DATES), len(UNREADABLE)]


def test_local_times_of_another_zone_are_converted_with_its_summer_time(city):
    found = spans(city, "london")
    assert found.pop("gap")[0] in ("2016-03-27 08:30:00", "2016-03-27 09:00:00", "2016-03-27 09:30:00")
    assert found == {
        "w": ("2016-01-05 14:30:00", None),
        "s": ("2016-07-05 13:30:00", None),
        "z": ("2016-07-05 14:30:00", None),
    }


def test_date_with_time_or_hour_in_other_columns(city):
    day = ("2016-01-05 00:00:00", "2016-01-06 00:00:00")
    hour = ("2016-01-05 14:00:00", "2016-01-05 15:00:00")
    midnight = ("2016-01-05 00:00:00", "2016-01-05 01:00:00")
    assert spans(city, "parts") == {
        "a": ("2016-01-05 14:30:00", None),
        "b": hour,
        "c": day,
        "d": midnight,
        "e": ("2016-01-05 09:05:00", None),
    }
    assert spans(city, "hours") == {
        "a": hour,
        "b": hour,
        "c": day,
        "d": midnight,
        "e": ("2016-01-05 09:00:00", "2016-01-05 10:00:00"),
    }


def test_declared_spans_keep_their_end_and_never_run_backwards(city):
    found = spans(city, "spans")
    assert found["a"] == ("2016-01-05 20:00:00", "2016-01-06 07:30:00")
    assert found["b"][0] == "2016-01-05 00:00:00" and found["b"][1] in ("2016-01-07 00:00:00", "2016-01-08 00:00:00")
    assert found["c"] == ("2016-01-05 20:00:00", None)
    assert found["d"] == ("2016-01-05 20:00:00", None)


def test_whole_months_are_kept_as_spans(city):
    assert spans(city, "months") == {
        "a": ("2016-01-01 00:00:00", "2016-02-01 00:00:00"),
        "b": ("2016-02-01 00:00:00", "2016-03-01 00:00:00"),
    }
    source = next(s for s in city.quality()["release"]["sources"] if s["source_id"] == "months")
    assert source["precision"] == "month"
    assert moment(source["data_as_of"]) == "2016-03-01 00:00:00"


def test_twelve_hour_us_dates(city):
    assert spans(city, "us") == {
        "a": ("2016-01-05 14:30:00", None),
        "b": ("2016-01-25 00:20:09", None),
        "c": ("2016-12-31 12:00:00", None),
    }


def test_data_as_of_leaves_out_events_after_the_files_time(tmp_path):
    city = City(tmp_path, china=False).grids()
    for name, days in (("a", ("2026-03-01", "2026-03-05", "2099-01-01")), ("b", ("2026-03-01", "2026-03-04"))):
        path = city.put(f"{name}.csv", "编号,时间\n" + "\n".join(f"{name}{d},{d} 10:00:00" for d in days))
        city.declare_incidents(("编号", "时间"), f"{name}.csv", name)
        at = datetime(2026, 3, 10, tzinfo=UTC).timestamp()
        os.utime(path, (at, at))
    city.run()
    release = city.quality()["release"]
    as_of = {s["source_id"]: moment(s["data_as_of"]) for s in release["sources"]}
    assert as_of["a"] == "2026-03-05 10:00:00" and as_of["b"] == "2026-03-04 10:00:00"
    assert moment(release["data_as_of"]) == "2026-03-04 10:00:00"  # the oldest of those that are not silent
    assert len(city.table("incident")) == 5


def test_a_silent_source_does_not_hold_back_the_release(tmp_path):
    """Silent: more than 3 cadences plus grace_days older than the newest source."""
    city = City(tmp_path, china=False).grids()
    newest = "2026-03-31 12:00:00"
    for name, last in (("new", newest), ("edge", "2026-03-26 12:00:00"), ("old", "2026-03-26 11:59:00")):
        city.put(f"{name}.csv", f"编号,时间\n{name}1,2026-03-01 10:00:00\n{name}2,{last}\n")
        city.declare_incidents(("编号", "时间"), f"{name}.csv", name, cadence="day", grace_days=2)
    city.run()
    release = city.quality()["release"]
    assert {s["source_id"]: s["silent"] for s in release["sources"] if s["kind"] == "incident"} == {
        "new": False,
        "edge": False,
        "old": True,
    }
    assert moment(release["data_as_of"]) == "2026-03-26 12:00:00"


@pytest.mark.parametrize(
    ("days", "span"),
    [
        (["2026-01-05"], None),  # one midnight may be the time
        (["2026-01-05", "2026-02-07"], 1),
        ([f"2026-{n:02d}-01" for n in range(1, 13)], 1),  # too few firsts of months to be months
        ([f"{2025 + n // 12}-{n % 12 + 1:02d}-01" for n in range(24)], 31),
    ],
)
def test_midnights_alone_are_days_and_many_firsts_are_months(days, span):
    moments = times.at_precision(times.parse(pa.array([f"{d} 00:00:00" for d in days]), zone="UTC"), "auto")
    end = moments.end()[0]
    assert (None if np.isnat(end) else (end - moments.start[0]) // np.timedelta64(1, "D")) == span
