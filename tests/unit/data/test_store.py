"""data.store: counts, trend, profile, features and areas against the same questions asked of pandas."""

import json
import shutil
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import shapely
import small_release as small
from scipy import stats

from data.errors import ReleaseError
from data.release_info import SourceInfo
from data.schema import CATEGORIES
from data.selection import ParameterError
from data.store import (
    Extent,
    Limits,
    OutsideScope,
    Scope,
    Store,
    UnknownArea,
    areas,
    counts,
    describe,
    features,
    profile,
    trend,
)
from geo.change import verdict_words

EVERYTHING = Scope.everything()
WEEK = ("2026-11-09", "2026-11-16")
VALID = CATEGORIES[:-1]


@pytest.fixture(scope="module")
def frame():
    return small.incidents()


@pytest.fixture(scope="module")
def release(tmp_path_factory, frame):
    """Two sources, all reports in."""
    releases = tmp_path_factory.mktemp("releases")
    small.publish(releases, frame, sheet=small.weekly_sheet())
    store = Store(releases)
    with store.current() as opened:
        yield opened
    store.close()


@contextmanager
def open_release(directory, frame, limits=None, **published):
    small.publish(directory, frame, **published)
    store = Store(directory, limits)
    with store.current() as opened:
        yield opened
    store.close()


def chosen(frame, start, end, categories=VALID):
    inside = (frame["occurred_from"] >= start) & (frame["occurred_from"] < end)
    return frame[inside & frame["category"].isin(categories)]


def table(answer):
    return answer.rows.to_pandas()


SELECTIONS = {
    "week": [],
    "month": [("from", "2026-10-01"), ("to", "2026-11-01")],
    "days": [("from", "2026-03-03"), ("to", "2026-05-11"), ("category", "刑事"), ("category", "无效")],
    "night": [("from", "2026-01-01"), ("to", "2026-11-01"), ("hours", "22-5"), ("weekdays", "1,6,7")],
    "polygon": [("from", "2025-02-01"), ("to", "2026-11-01"),
                ("polygon", "POLYGON((113.603 34.702,113.648 34.704,113.631 34.735,113.603 34.702))")],
}  # fmt: skip


def by_pandas(frame, selection):
    """The rows of a Selection without its area, in plain pandas and shapely."""
    rows = chosen(frame, pd.Timestamp(selection.start), pd.Timestamp(selection.end), selection.counted_categories)
    if selection.hours:
        first, last = selection.hours
        hour = rows["occurred_from"].dt.hour
        inside = (hour >= first) & (hour <= last) if first <= last else (hour >= first) | (hour <= last)
        known = ~((rows["occurred_to"] - rows["occurred_from"]) > pd.Timedelta(hours=1))
        rows = rows[inside & known]
    if selection.weekdays:
        rows = rows[(rows["occurred_from"].dt.day_of_week + 1).isin(selection.weekdays)]
    if selection.polygon:
        polygon = shapely.from_wkt(selection.polygon)
        rows = rows[[polygon.intersects(shapely.Point(x, y)) if x == x else False
                     for x, y in zip(rows["x"], rows["y"], strict=True)]]  # fmt: skip
    return rows


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("level", small.LEVELS)
def test_counts_equal_pandas(release, frame, name, level):
    selection = release.selection(SELECTIONS[name])
    answer = counts(release, selection, EVERYTHING, level)
    rows = table(answer).set_index("code")
    expected = by_pandas(frame, selection)[f"{level}_code"].value_counts()
    codes = sorted(small.grids()[f"{level}_code"].unique())
    assert rows.index.tolist() == codes  # every area of the level, those without an event too
    assert rows["count"].tolist() == expected.reindex(codes, fill_value=0).tolist()
    assert answer.meta["matched"] == answer.meta["returned"] == len(codes)
    assert answer.meta["unplaced"] == by_pandas(frame, selection)[f"{level}_code"].isna().sum()


def test_before_is_the_compared_window(release, frame):
    for compare, start, end in [
        ("previous", "2026-11-02", "2026-11-09"),
        ("last_year", "2025-11-10", "2025-11-17"),
        ("2026-01-01..2026-03-01", "2026-01-01", "2026-03-01"),
    ]:
        rows = table(counts(release, release.selection([("compare", compare)]), EVERYTHING)).set_index("code")
        expected = chosen(frame, start, end)["district_code"].value_counts()
        assert rows["before"].to_dict() == expected.to_dict()


def test_without_comparison_nothing_is_compared(release):
    rows = table(counts(release, release.selection([("compare", "none")]), EVERYTHING))
    assert rows[["before", "difference", "percent", "z", "p", "verdict"]].isna().all(axis=None)
    assert (rows["count"] > 0).all()


def test_rate_is_per_thousand_inhabitants(release):
    rows = table(counts(release, release.selection([]), EVERYTHING, "street")).set_index("code")
    population = small.grids().groupby("street_code")["population"].sum()
    assert rows["rate_per_1000"].to_numpy() == pytest.approx((rows["count"] * 1000 / population).to_numpy())


def mature(frame, start, end, as_of, other_end):
    """What was recorded by the time both windows had been over equally long."""
    age = pd.Timestamp(as_of) - max(pd.Timestamp(end), pd.Timestamp(other_end))
    rows = chosen(frame, start, end)
    return rows[~(rows["recorded_at"] > pd.Timestamp(end) + age)]


def test_windows_are_compared_at_equal_maturity(release, frame):
    rows = table(counts(release, release.selection([]), EVERYTHING)).set_index("code")
    now = mature(frame, *WEEK, small.AS_OF, "2026-11-09")["district_code"].value_counts()
    before = mature(frame, "2026-11-02", "2026-11-09", small.AS_OF, WEEK[1])["district_code"].value_counts()
    assert rows["count_mature"].to_dict() == now.to_dict()
    assert rows["before_mature"].to_dict() == before.to_dict()
    assert (rows["count_mature"] < rows["count"]).any()
    difference = rows["count_mature"] - rows["before_mature"]
    assert (rows["difference"] == difference).all()
    assert rows["percent"].to_numpy() == pytest.approx((difference * 100 / rows["before_mature"]).to_numpy())
    z = difference / 7 / np.sqrt((rows["count_mature"] + rows["before_mature"]) / 49)
    assert rows["z"].to_numpy() == pytest.approx(z.to_numpy())


def baseline(frame, codes, level, start, days, skip, first, most=52):
    """Counts of the periods before ``start``, latest first, without the ``skip`` compared ones."""
    columns = []
    end = pd.Timestamp(start)
    while end - timedelta(days=days) >= pd.Timestamp(first) and len(columns) < most + skip:
        begin = end - timedelta(days=days)
        columns.append(chosen(frame, begin, end)[f"{level}_code"].value_counts().reindex(codes, fill_value=0))
        end = begin
    return np.array(columns[skip:][:most]).T


def adjusted(p):
    """Benjamini-Hochberg, written out."""
    order = np.argsort(p)
    result, least = np.empty(len(p)), 1.0
    for rank in range(len(p), 0, -1):
        least = min(least, p[order[rank - 1]] * len(p) / rank)
        result[order[rank - 1]] = least
    return result


@pytest.mark.parametrize(("level", "pooled"), [("district", False), ("community", True)])
def test_p_is_tested_widened_and_adjusted(release, frame, level, pooled):
    rows = table(counts(release, release.selection([]), EVERYTHING, level)).set_index("code")
    past = baseline(frame, rows.index, level, WEEK[0], 7, 1, small.FIRST)
    assert past.shape[1] == 52
    expected = past.mean(axis=1, keepdims=True)
    chi2 = ((past - expected) ** 2 / expected).sum(axis=1)
    phi = np.full(len(rows), chi2.sum() / (51 * len(rows))) if pooled else chi2 / 51
    phi = np.maximum(phi, 1)
    p = [stats.poisson_means_test(a, 7, b, 7).pvalue
         for a, b in zip(rows["count_mature"], rows["before_mature"], strict=True)]  # fmt: skip
    p = adjusted(2 * stats.norm.cdf(-stats.norm.ppf(1 - np.array(p) / 2) / np.sqrt(phi)))
    assert rows["phi"].to_numpy() == pytest.approx(phi)
    assert rows["p"].to_numpy() == pytest.approx(p)
    assert rows["verdict"].tolist() == verdict_words(p, rows["z"]).tolist()


def test_rows_shown_do_not_change_the_adjustment(release):
    all_rows = table(counts(release, release.selection([]), EVERYTHING, "grid")).set_index("code")
    part = counts(release, release.selection([("area", "990102")]), EVERYTHING, "grid")
    rows = table(part).set_index("code")
    assert part.meta["adjusted_over"] == 24
    assert len(rows) == 8
    pd.testing.assert_frame_equal(rows, all_rows.loc[rows.index])
    scoped = counts(release, release.selection([]), Scope(("990102",)), "grid")
    assert scoped.meta["adjusted_over"] == 8
    assert table(scoped)["code"].tolist() == rows.index.tolist()


def test_an_area_smaller_than_the_level_gives_the_area_that_holds_it(release, frame):
    street = "990102001"
    answer = counts(release, release.selection([("area", street)]), EVERYTHING, "district")
    rows = table(answer)
    assert rows["code"].tolist() == ["990102"]
    expected = chosen(frame, *WEEK)
    assert rows["count"].tolist() == [(expected["street_code"] == street).sum()]
    population = small.grids().groupby("street_code")["population"].sum()[street]
    assert rows["rate_per_1000"][0] == pytest.approx(rows["count"][0] * 1000 / population)


def test_zero_base_has_no_percent(tmp_path, frame):
    kept = frame[~((frame["district_code"] == "990101") & (frame["occurred_from"] < "2026-11-09"))]
    with open_release(tmp_path, kept, sheet=small.weekly_sheet()) as release:
        row = table(counts(release, release.selection([]), EVERYTHING)).set_index("code").loc["990101"]
    assert (row["before"], row["before_state"]) == (0, "zero")
    assert np.isnan(row["percent"])
    assert row["difference"] == row["count_mature"]
    assert row["verdict"] == "明显上升"


def test_a_month_is_judged_against_the_months_before(release, frame):
    selection = release.selection([("from", "2026-10-01"), ("to", "2026-11-01")])
    answer = counts(release, selection, EVERYTHING)
    rows = table(answer).set_index("code")
    starts = pd.date_range("2025-02-01", "2026-08-01", freq="MS")  # January 2025 is not whole, September is compared
    past = np.array([chosen(frame, s, s + pd.offsets.MonthBegin())["district_code"].value_counts()[rows.index]
                     for s in starts]).T  # fmt: skip
    days = starts.days_in_month.to_numpy()
    expected = past.sum(axis=1, keepdims=True) * days / days.sum()
    phi = np.maximum(1, ((past - expected) ** 2 / expected).sum(axis=1) / (len(starts) - 1))
    assert rows["phi"].to_numpy() == pytest.approx(phi)
    assert answer.meta["dispersion"]["periods"] == len(starts)
    assert (answer.meta["days"], answer.meta["days_before"]) == (31, 30)


def test_too_few_periods_leave_phi_at_one_and_say_so(release):
    selection = release.selection([("from", "2026-07-01"), ("to", "2026-10-01")])
    answer = counts(release, selection, EVERYTHING)
    assert answer.meta["dispersion"] == {"pooled": False, "phi": None, "periods": 4, "estimated": False}
    assert table(answer)["phi"].tolist() == [1.0] * 3


# --- missing, zero, reported -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quiet(frame):
    """Only source wg, and nothing at all in street 990101001 in the last week."""
    rows = frame[(frame["source_id"] == "wg") & frame["street_code"].notna()]
    return rows[~((rows["street_code"] == "990101001") & (rows["occurred_from"] >= WEEK[0]))]


WG = (SourceInfo("wg", "incident", ("wg.csv",), 1, "week", 2, "minute", None, small.AS_OF),)


def test_nothing_recorded_is_zero_with_a_report_and_missing_without(tmp_path, quiet):
    stated = small.info(sources=WG)
    with open_release(tmp_path / "a", quiet, stated=stated, sheet=small.weekly_sheet()) as release:
        row = table(counts(release, release.selection([]), EVERYTHING, "street")).set_index("code").loc["990101001"]
        assert (row["count"], row["state"], row["periods_missing"]) == (0, "zero", 0)
        assert row["verdict"] != "无法比较"
    sheet = small.weekly_sheet({("990101001", 96): "missing"})
    with open_release(tmp_path / "b", quiet, stated=stated, sheet=sheet) as release:
        for level, prefix in (("street", 9), ("community", 9), ("grid", 9)):
            rows = table(counts(release, release.selection([]), EVERYTHING, level))
            rows = rows[rows["code"].str[:prefix] == "990101001"]
            assert rows["count"].isna().all()
            assert set(rows["state"]) == {"missing"}
            assert set(rows["periods_missing"]) == {1}
            assert rows[["rate_per_1000", "percent", "p", "difference"]].isna().all(axis=None)
            assert set(rows["verdict"]) == {"无法比较"}
        district = table(counts(release, release.selection([]), EVERYTHING)).set_index("code").loc["990101"]
        assert (district["state"], district["periods_missing"]) == ("reported", 1)  # one street of two
        assert district["verdict"] == "无法比较"
        assert np.isnan(district["rate_per_1000"])
        daily = table(trend(release, release.selection([("area", "990101001")]), EVERYTHING))
        assert daily["count"].isna().all()
        assert set(daily["state"]) == {"missing"}


def test_a_row_absent_from_the_sheet_is_a_missing_report(tmp_path, quiet):
    sheet = small.weekly_sheet()
    sheet = sheet[~((sheet["area_code"] == "990101001") & (sheet["period_start"] == date(2026, 11, 9)))]
    with open_release(tmp_path, quiet, stated=small.info(sources=WG), sheet=sheet) as release:
        rows = table(counts(release, release.selection([]), EVERYTHING, "street")).set_index("code")
        assert rows.loc["990101001", "state"] == "missing"
        later = release.selection([("from", "2026-11-16"), ("to", "2026-11-30"), ("compare", "none")])
        rows = table(counts(release, later, EVERYTHING, "street"))
        assert set(rows["state"]) == {"missing"}  # two weeks no sheet speaks of
        assert set(rows["periods_missing"]) == {2}


def test_a_report_speaks_for_everything_under_its_area(tmp_path, quiet):
    sheet = small.weekly_sheet({("990101001", 96): "missing"})
    above = pd.DataFrame([{"period_start": date(2026, 11, 9), "period_end": date(2026, 11, 16),
                           "area_code": "990101", "dataset": "wg", "state": "zero"}])  # fmt: skip
    with open_release(tmp_path, quiet, stated=small.info(sources=WG), sheet=pd.concat([sheet, above])) as release:
        rows = table(counts(release, release.selection([]), EVERYTHING, "street")).set_index("code")
        assert (rows.loc["990101001", "state"], rows.loc["990101001", "periods_missing"]) == ("zero", 0)


def test_a_few_missing_reports_leave_their_units_out_of_the_comparison(tmp_path, frame):
    rows = frame[frame["source_id"] == "wg"]
    start, end = "2026-06-01", "2026-09-28"  # 17 weeks x 6 streets: 3 of 102 missing is under 5 %
    missing = {("990101001", week): "missing" for week in (75, 76, 77)}
    with open_release(tmp_path, rows, stated=small.info(sources=WG), sheet=small.weekly_sheet(missing)) as release:
        selection = release.selection([("from", start), ("to", end), ("compare", "2026-02-02..2026-06-01")])
        answer = counts(release, selection, EVERYTHING)
        district = table(answer).set_index("code").loc["990101"]
        assert district["periods_missing"] == 3
        assert district["verdict"] == "无法比较"  # 3 of its 34 are more than 5 %
        with open_release(tmp_path / "loose", rows, Limits(missing_pct=10.0), stated=small.info(sources=WG),
                          sheet=small.weekly_sheet(missing)) as loose:  # fmt: skip
            answer = counts(loose, selection, EVERYTHING)
            row = table(answer).set_index("code").loc["990101"]
    others = rows[(rows["district_code"] == "990101") & (rows["street_code"] != "990101001")]
    assert row["count"] == (chosen(rows, start, end)["district_code"] == "990101").sum()
    assert row["compared_count"] == len(chosen(others, start, end))
    assert row["compared_before"] == len(chosen(others, "2026-02-02", "2026-06-01"))
    assert row["difference"] == row["compared_count"] - row["compared_before"]
    assert row["verdict"] in ("正常波动", "需关注", "有所下降", "明显上升", "明显下降")
    assert answer.meta["units_left_out"] == [{"source": "wg", "codes": ["990101001"]}]


def test_a_source_without_sheet_is_missing_outside_its_rows_and_in_silences(tmp_path):
    days = [*range(0, 40), *range(60, 100)]
    begin = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.repeat(days, 3), unit="D") + pd.Timedelta(hours=12)
    frame = pd.DataFrame({"incident_id": [f"a{i}" for i in range(len(begin))], "occurred_from": begin,
                          "category": "刑事", "location_quality": "none", "source_id": "jq",
                          "district_code": "990101"})  # fmt: skip
    sources = (SourceInfo("jq", "incident", ("a.csv",), 1, "day", data_as_of="2026-04-14T12:00:00"),)
    with open_release(tmp_path, frame, stated=small.info(sources=sources, data_as_of="2026-04-14T12:00:00")) as release:
        selection = release.selection([("from", "2026-01-01"), ("to", "2026-05-01"), ("category", "刑事")])
        rows = table(trend(release, selection, EVERYTHING)).set_index("start")
        expected = {f"{day:%Y-%m-%d}" for day in begin}
        assert set(rows.index[rows["state"] == "reported"]) == expected
        assert set(rows.index[rows["state"] == "missing"]) == set(rows.index) - expected
        # 20 silent days of 120, 4 before the first, 16 after the last row
        quiet = release.selection([("from", "2026-02-16"), ("to", "2026-03-02"), ("category", "刑事")])
        row = table(counts(release, quiet, EVERYTHING)).set_index("code").loc["990101"]
        assert (row["state"], row["periods_missing"]) == ("missing", 14)
        fire = release.selection([("from", "2026-01-12"), ("to", "2026-01-19"), ("category", "火灾")])
        assert table(counts(release, fire, EVERYTHING)).set_index("code").loc["990101", "state"] == "zero"


def test_monthly_sources_say_nothing_of_weeks(tmp_path, frame):
    rows = frame.copy()
    month = rows["occurred_from"].dt.to_period("M")
    rows["occurred_from"], rows["occurred_to"] = month.dt.start_time, (month + 1).dt.start_time
    rows["recorded_at"] = pd.NaT
    sources = tuple(
        SourceInfo(name, "incident", ("a",), 1, "month", precision="month", data_as_of="2026-11-01T00:00:00")
        for name in ("jq", "wg")
    )
    stated = small.info(sources=sources, data_as_of="2026-11-01T00:00:00")
    with open_release(tmp_path, rows, stated=stated) as release:
        selection = release.selection([])
        assert (selection.start, selection.end) == (date(2026, 10, 1), date(2026, 11, 1))
        answer = counts(release, selection, EVERYTHING)
        expected = chosen(rows, "2026-10-01", "2026-11-01")["district_code"].value_counts()
        assert table(answer).set_index("code")["count"].to_dict() == expected.to_dict()
        assert answer.meta["coarser"] == []
        week = release.selection([("from", "2026-09-28"), ("to", "2026-10-05")])
        answer = counts(release, week, EVERYTHING)
        assert table(answer)["count"].isna().all()
        assert set(table(answer)["state"]) == {"missing"}
        assert answer.meta["coarser"] == ["jq", "wg"]
        days = table(trend(release, selection, EVERYTHING, "day"))
        assert days["count"].isna().all()
        months = table(trend(release, release.selection([("from", "2026-01-01"), ("to", "2026-10-15")]), EVERYTHING,
                             "month"))  # fmt: skip
        by_month = months.groupby("start")["count"].sum(min_count=1)
        assert by_month["2026-03-01"] == len(chosen(rows, "2026-03-01", "2026-04-01"))
        assert np.isnan(by_month["2026-10-01"])  # cut by the window
        assert profile(release, selection, EVERYTHING).meta["unknown"] == len(chosen(rows, "2026-10-01", "2026-11-01"))


def test_days_younger_than_the_reporting_delay_get_no_verdict(tmp_path, frame):
    rows = frame.assign(recorded_at=pd.NaT)
    sources = tuple(SourceInfo(name, "incident", ("a",), 1, "week", data_as_of=small.AS_OF, reporting_delay_days=delay)
                    for name, delay in (("jq", 3.5), ("wg", None)))  # fmt: skip
    with open_release(tmp_path, rows, stated=small.info(sources=sources)) as release:
        answer = counts(release, release.selection([]), EVERYTHING)
        assert answer.meta["immature_from"] == "2026-11-12"
        assert set(table(answer)["verdict"]) == {"无法比较"}
        assert (table(answer)["count"] > 0).all()
        daily = table(trend(release, release.selection([]), EVERYTHING)).groupby("start")["complete"].all()
        assert daily.to_dict() == {f"2026-11-{day:02d}": day < 12 for day in range(9, 16)}
        older = release.selection([("from", "2026-11-02"), ("to", "2026-11-09")])
        assert "无法比较" not in set(table(counts(release, older, EVERYTHING))["verdict"])


# --- trend, profile --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "period"), [("day", "D"), ("week", "W-SUN"), ("month", "M")])
def test_trend_equals_pandas_with_every_step(release, frame, step, period):
    selection = release.selection([("from", "2026-02-11"), ("to", "2026-07-07"), ("area", "990103")])
    rows = table(trend(release, selection, EVERYTHING, step))
    part = by_pandas(frame, selection)
    part = part[part["district_code"] == "990103"]
    start = part["occurred_from"].dt.to_period(period).dt.start_time.dt.strftime("%Y-%m-%d")
    expected = part.groupby([start, "category"]).size()
    got = rows.set_index(["start", "category"])["count"]
    assert got[got > 0].sort_index().to_dict() == expected.sort_index().to_dict()
    steps = pd.period_range("2026-02-11", "2026-07-06", freq=period)
    assert sorted(set(rows["start"])) == [f"{s.start_time:%Y-%m-%d}" for s in steps]
    assert len(rows) == len(steps) * len(VALID)
    whole = rows.groupby("start")["complete"].all()
    if step == "day":
        assert whole.all()
    else:
        assert whole.tolist() == [False] + [True] * (len(steps) - 2) + [False]


def test_steps_after_the_data_are_not_complete(release):
    rows = table(trend(release, release.selection([("from", "2026-11-14"), ("to", "2026-11-18")]), EVERYTHING))
    assert rows.groupby("start")["complete"].all().tolist() == [True, True, False, False]


def test_profile_equals_pandas(release, frame):
    selection = release.selection([("from", "2026-01-01"), ("to", "2026-11-01")])
    answer = profile(release, selection, EVERYTHING)
    part = by_pandas(frame, selection)
    known = ~((part["occurred_to"] - part["occurred_from"]) > pd.Timedelta(hours=1))
    begin = part[known]["occurred_from"]
    expected = begin.groupby([begin.dt.day_of_week + 1, begin.dt.hour]).size()
    rows = table(answer)
    assert len(rows) == 168
    got = rows.set_index(["weekday", "hour"])["count"]
    assert got[got > 0].to_dict() == expected.to_dict()
    assert answer.meta["unknown"] == (~known).sum() > 0


def test_events_without_an_hour_leave_hour_filters_and_are_counted(release, frame):
    selection = release.selection(SELECTIONS["night"])
    part = chosen(frame, "2026-01-01", "2026-11-01")
    unknown = ((part["occurred_to"] - part["occurred_from"]) > pd.Timedelta(hours=1)).sum()
    assert counts(release, selection, EVERYTHING).meta["unknown"] == unknown
    assert trend(release, selection, EVERYTHING).meta["unknown"] == unknown
    assert counts(release, release.selection([]), EVERYTHING).meta["unknown"] is None


# --- scope -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [("990101",), ("990102001", "990103002001001"), ()])
def test_nothing_outside_the_scope_is_counted_or_shown(release, frame, scope):
    who, selection = Scope(scope), release.selection([("from", "2026-01-01"), ("to", "2026-11-01")])
    part = by_pandas(frame, selection)
    mine = part[part["grid_code"].notna() & part["grid_code"].fillna("").str.startswith(scope or ("x",))]
    for level in small.LEVELS:
        rows = table(counts(release, selection, who, level))
        codes = [code for code in sorted(small.grids()[f"{level}_code"].unique()) if code.startswith(scope or ("x",))]
        assert rows["code"].tolist() == codes
        assert rows["count"].sum() == mine[f"{level}_code"].isin(codes).sum()
    assert table(trend(release, selection, who))["count"].sum() == len(mine)
    answer = profile(release, selection, who)
    assert table(answer)["count"].sum() + answer.meta["unknown"] == len(mine)
    found = features(release, "incident", selection, who, Extent(bbox=(113.59, 34.69, 113.67, 34.75)))
    assert found.meta["matched"] == mine["x"].notna().sum()
    drawn = map(json.loads, features(release, "grid", selection, who, Extent()).features)
    grids = {code for code in small.grids()["grid_code"] if code.startswith(scope or ("x",))}
    assert {feature["properties"]["code"] for feature in drawn} == grids
    assert table(areas(release, who))["code"].tolist() == list(scope)


def test_areas_outside_the_scope_are_refused_whether_they_exist_or_not(release):
    who = Scope(("990101",))
    for code in ("990102", "990100", "990102001001001", "no such"):
        selection = release.selection([("area", code)])
        for question in (counts, trend, profile):
            with pytest.raises(OutsideScope, match="超出授权区域"):
                question(release, selection, who)
        with pytest.raises(OutsideScope):
            areas(release, who, code)
        with pytest.raises(OutsideScope):
            features(release, "camera", selection, who, Extent())
    assert len(table(counts(release, release.selection([("area", "990101001")]), who, "grid"))) == 4


def test_unknown_area_is_named(release):
    with pytest.raises(UnknownArea, match="no such"):
        counts(release, release.selection([("area", "no such")]), EVERYTHING)


# --- areas, release, features ----------------------------------------------------------------------------------------


def test_areas_walk_down_the_tree(release):
    top = table(areas(release, EVERYTHING))
    assert top[["code", "level"]].to_numpy().tolist() == [["990100", "city"]]
    assert table(areas(release, EVERYTHING, "990100"))["code"].tolist() == ["990101", "990102", "990103"]
    below = table(areas(release, EVERYTHING, "990102001001"))
    assert below["level"].tolist() == ["grid", "grid"]
    shape = shapely.from_wkb(small.grids().set_index("grid_code").loc[below["code"][0], "geom"])
    assert tuple(below["bbox"][0]) == pytest.approx(shape.bounds)
    assert table(areas(release, EVERYTHING, "990102001001001")).empty


def test_release_says_its_age_by_the_clock_of_its_zone(release):
    stated = describe(release, datetime(2026, 11, 17, 12, 0, tzinfo=UTC), EVERYTHING)  # 20:00 in Shanghai
    assert stated["id"] == "r20261116-060000"
    assert stated["levels"] == {"city": 1, "district": 3, "street": 6, "community": 12, "grid": 24}
    assert [s["id"] for s in stated["sources"]] == ["jq", "wg"]
    assert stated["sources"][0]["age_days"] == pytest.approx(1 + 20 / 24, abs=1e-3)
    assert (stated["default_from"], stated["default_to"]) == WEEK


def test_incident_points_follow_the_selection_and_the_extent(tmp_path, frame):
    box = (113.601, 34.701, 113.644, 34.729)
    with open_release(tmp_path, frame, Limits(points=300), sheet=small.weekly_sheet()) as release:
        week = release.selection([])
        part = by_pandas(frame, week)
        answer = features(release, "incident", week, EVERYTHING, Extent())
        placed = part[part["x"].notna()]
        assert (answer.meta["matched"], answer.meta["cut"]) == (len(placed), None)
        assert answer.meta["unplaced"] == len(part) - len(placed)
        got = {f["properties"]["incident_id"]: f["geometry"]["coordinates"] for f in map(json.loads, answer.features)}
        assert got.keys() == set(placed["incident_id"])
        first = placed.iloc[0]
        assert got[first["incident_id"]] == pytest.approx([first["x"], first["y"]], abs=1e-7)
        year = release.selection([("from", "2026-01-01"), ("to", "2026-11-01")])
        wide = features(release, "incident", year, EVERYTHING, Extent())
        assert (wide.features, wide.meta["cut"]) == ([], "extent")
        near = features(release, "incident", year, EVERYTHING, Extent(bbox=box))
        inside = by_pandas(frame, year)
        inside = inside[inside["x"].between(box[0], box[2]) & inside["y"].between(box[1], box[3])]
        assert (near.meta["matched"], near.meta["returned"], near.meta["cut"]) == (len(inside), 300, "limit")
        latest = inside.sort_values("occurred_from", ascending=False)["occurred_from"].iloc[299]
        oldest = min(json.loads(f)["properties"]["occurred_from"] for f in near.features)
        assert pd.Timestamp(oldest) == latest


def test_areas_and_cameras_as_features(tmp_path, frame):
    camera = pd.DataFrame({"camera_code": ["a", "b", "c", "d"], "network": "天网", "online": [True, False, True, None],
                           "grid_code": ["990101001001001", "990102001001001", None, "990101001001002"],
                           "x": [113.605, 113.625, 113.7, np.nan], "y": [34.705, 34.705, 34.8, np.nan]})  # fmt: skip
    discs = [shapely.to_wkb(shapely.Point(x, 34.705).buffer(0.001)) for x in (113.605, 113.625)]
    cover = pd.DataFrame({"camera_code": ["a", "b"], "method": "radius", "geom": discs})
    with open_release(tmp_path, frame, camera=camera, camera_coverage=cover) as release:
        selection = release.selection([])

        def codes(layer, key, scope=EVERYTHING, bbox=None, area=None):
            chosen_area = release.selection([("area", area)]) if area else selection
            found = features(release, layer, chosen_area, scope, Extent(bbox=bbox))
            return [json.loads(f)["properties"][key] for f in found.features]

        assert codes("camera", "camera_code") == ["a", "b", "c"]
        assert codes("camera", "camera_code", bbox=(113.6, 34.7, 113.61, 34.71)) == ["a"]
        assert codes("camera", "camera_code", Scope(("990102",))) == ["b"]
        assert codes("camera", "camera_code", area="990101") == ["a"]
        assert codes("camera_coverage", "camera_code", Scope(("990102",))) == ["b"]
        assert codes("camera_coverage", "camera_code", bbox=(113.6, 34.7, 113.606, 34.706)) == ["a"]
        assert codes("area", "code") == ["990101", "990102", "990103"]
        extent = Extent(level="street", bbox=(113.601, 34.7, 113.602, 34.8))
        box = features(release, "area", selection, EVERYTHING, extent)
        assert [json.loads(f)["properties"]["code"] for f in box.features] == ["990101001"]
        one = json.loads(features(release, "grid", selection, EVERYTHING, Extent()).features[0])
        grid = small.grids().set_index("grid_code").loc[one["properties"]["code"]]
        assert shapely.equals(shapely.from_geojson(json.dumps(one["geometry"])), shapely.from_wkb(grid["geom"]))


# --- following releases/current --------------------------------------------------------------------------------------


def test_nothing_published_says_what_to_do(tmp_path):
    with pytest.raises(ReleaseError, match="yanpan etl"), Store(tmp_path).current():
        pass


def test_a_broken_release_is_one_clear_line(tmp_path):
    (tmp_path / "r1").mkdir()
    (tmp_path / "r1" / "city.duckdb").write_bytes(b"not a database" * 100)
    small.switch(tmp_path, "r1")
    with pytest.raises(ReleaseError, match="releases/r1"), Store(tmp_path).current():
        pass


def test_a_new_release_is_served_while_the_old_one_is_still_used(tmp_path, frame):
    small.publish(tmp_path, frame, stated=small.info("r1"))
    small.publish(tmp_path, frame.iloc[:500], stated=small.info("r2"), current=False)
    store = Store(tmp_path)
    with store.current() as old:
        small.switch(tmp_path, "r2")
        with store.current() as new:
            assert (old.info.release_id, new.info.release_id) == ("r1", "r2")
            shutil.rmtree(tmp_path / "r1")
            assert table(counts(old, old.selection([]), EVERYTHING))["count"].sum() > 0
    store.close()


def test_no_request_fails_while_releases_come_and_go(tmp_path, frame):
    small.publish(tmp_path / "made", frame.iloc[:800], stated=small.info("a"))
    releases = tmp_path / "releases"
    releases.mkdir()
    shutil.copytree(tmp_path / "made" / "a", releases / "r0")
    small.switch(releases, "r0")
    store, stop, faults, served = Store(releases), threading.Event(), [], [0] * 3

    def ask(number):
        while not stop.is_set():
            try:
                with store.current() as release:
                    assert len(table(counts(release, release.selection([]), EVERYTHING))) == 3
                served[number] += 1
            except Exception as fault:
                faults.append(repr(fault))
                return

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 9):
        shutil.copytree(tmp_path / "made" / "a", releases / f"r{number}")
        small.switch(releases, f"r{number}")
        shutil.rmtree(releases / f"r{number - 1}")
    stop.set()
    for thread in threads:
        thread.join()
    store.close()
    assert faults == []
    assert min(served) > 0


# --- limits ----------------------------------------------------------------------------------------------------------


def test_a_trend_of_too_many_steps_names_what_is_allowed(release):
    ages = [("from", "1900-01-01"), ("to", "2200-01-01"), ("compare", "none")]
    for step in ("day", "week"):
        with pytest.raises(ParameterError, match="不超过 4000 步") as fault:
            trend(release, release.selection(ages), EVERYTHING, step)
        assert (fault.value.parameter, fault.value.value) == ("step", step)
    months = trend(release, release.selection(ages), EVERYTHING, "month")
    assert months.rows.num_rows == 3600 * len(VALID)
    for end, allowed in (("2026-12-15", True), ("2026-12-16", False)):  # 4,000 days and one more
        selection = release.selection([("from", "2016-01-02"), ("to", end), ("compare", "none")])
        assert (selection.days == 4000) == allowed
        if allowed:
            assert trend(release, selection, EVERYTHING).rows.num_rows == 4000 * len(VALID)
        else:
            with pytest.raises(ParameterError):
                trend(release, selection, EVERYTHING)


@pytest.mark.parametrize("scope", [("990101",), ("990102001", "990103002001001"), ("990101", "990101002"), ()])
def test_no_code_and_no_count_of_what_lies_outside_the_scope(release, scope):
    who, selection = Scope(scope), release.selection([])
    own = scope or ("x",)
    above = {"district": "990100", **dict.fromkeys(("street", "community", "grid"))}

    def parent(level, code):
        code = above[level] or code[: {"street": 6, "community": 9, "grid": 12}[level]]
        return code if code.startswith(own) else None

    levels = {}
    for level in small.LEVELS:
        inside = sorted(code for code in small.grids()[f"{level}_code"].unique() if code.startswith(own))
        levels |= {level: len(inside)} if inside else {}
        layer = "grid" if level == "grid" else "area"
        drawn = [
            json.loads(f)["properties"] for f in features(release, layer, selection, who, Extent(level=level)).features
        ]
        assert {row["code"]: row["parent"] for row in drawn} == {code: parent(level, code) for code in inside}
    walked = areas(release, who).rows.to_pylist()
    assert [row["code"] for row in walked] == list(scope)
    for row in walked:
        walked += areas(release, who, row["code"]).rows.to_pylist()
    assert all(row["parent"] == parent(row["level"], row["code"]) for row in walked)
    assert len({row["code"] for row in walked}) == sum(levels.values())
    now = datetime(2026, 11, 17, tzinfo=UTC)
    assert describe(release, now, who)["levels"] == levels
    assert describe(release, now, who) | {"levels": None} == describe(release, now, EVERYTHING) | {"levels": None}
    whole = areas(release, EVERYTHING, "990100").rows.to_pylist()
    assert {row["parent"] for row in whole} == {"990100"}
