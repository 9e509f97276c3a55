"""data.store.disputes against published figures, planted lines, and pandas on random ones."""

from contextlib import contextmanager
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import small_release as small
from scipy import stats

from data.release_info import SourceInfo
from data.store import Limits, OutsideScope, Scope, Store, UnknownArea
from data.store.disputes import compared_disputes, disputes

EVERYTHING = Scope.everything()
MONTHLY = SourceInfo("month", "dispute", ("m.xlsx",), 1, "month")
WEEKLY = SourceInfo("week", "dispute", ("w.csv",), 1, "week")
DISTRICTS = ("990101", "990102", "990103")
STREETS = sorted(small.grids()["street_code"].unique())
COMMUNITIES = sorted(small.grids()["community_code"].unique())
GRIDS = sorted(small.grids()["grid_code"])
MONDAY = date(2026, 11, 9)
FLOWS = ["found", "accepted", "handled", "succeeded", "partial", "failed", "on_time", "overdue"]
STOCKS = ["open", "open_le30", "open_31_90", "open_gt90"]


def month(year, number):
    return date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)


def week(back=0):
    start = MONDAY - timedelta(days=7 * back)
    return start, start + timedelta(days=7)


def line(period, area, source="month", **counts):
    return {"period_start": period[0], "period_end": period[1], "area_code": area, "source_id": source, **counts}


def status(period, area, state, source="month"):
    return {"period_start": period[0], "period_end": period[1], "area_code": area, "dataset": source, "state": state}


@contextmanager
def release_of(directory, lines, sheet=(), sources=(MONTHLY, WEEKLY), limits=None):
    known = tuple(s for s in sources if any(row["source_id"] == s.source_id for row in lines))
    incidents = tuple(SourceInfo(name, "incident", (f"{name}.csv",), 1, "day") for name in ("jq", "wg"))
    small.publish(
        directory,
        small.incidents(200),
        stated=small.info(sources=incidents + known),
        sheet=pd.DataFrame(list(sheet)) if sheet else None,
        dispute_stat=pd.DataFrame(lines),
    )
    store = Store(directory, limits)
    with store.current() as release:
        yield release
    store.close()


def asked(release, start, end, **more):
    pairs = [("from", start.isoformat()), ("to", end.isoformat()), *more.items()]
    return release.selection(pairs)


def table(answer):
    return answer.rows.to_pandas().set_index("code")


# --- published figures -----------------------------------------------------------------------------------------------


def test_wuwei_2016_gives_its_published_rate(tmp_path):
    nine_months = date(2016, 1, 1), date(2016, 10, 1)
    lines = [line(nine_months, "990101", found=8134, handled=8043)]
    with release_of(tmp_path, lines) as release:
        answer = disputes(release, asked(release, *nine_months, compare="none"), EVERYTHING)
    rate = answer.meta["rates"][0]
    assert (rate["name"], rate["formula"]) == ("调处率", "调处数 ÷ 排查数")
    assert (rate["numerator"], rate["denominator"], round(rate["pct"], 2)) == (8043, 8134, 98.88)
    assert table(answer).loc["990101", "handled_pct"] == pytest.approx(98.88, abs=0.005)
    assert answer.meta["funnel"] == {"found": 8134, "accepted": None, "handled": 8043, "succeeded": None}
    assert [r["pct"] for r in answer.meta["rates"][1:]] == [None, None]  # what was not counted is no rate


def test_huangshi_august_2016(tmp_path):
    kinds = ["婚姻家庭", "邻里", "房屋宅基地", "合同", "生产经营", "损害赔偿", "山林土地", "征地拆迁", "环境污染",
             "劳动争议", "消费", "医疗", "道路交通事故", "物业", "其他"]  # fmt: skip
    published = [160, 278, 67, 44, 31, 76, 18, 28, 4, 13, 7, 55, 33, 1, 54]
    printed = [18.4, 32, 7.7, 5.1, 3.6, 8.7, 2.1, 3.2, 0.5, 1.5, 0.8, 6.3, 3.8, 0.1, 6.2]
    now, last = month(2016, 8), month(2016, 7)
    lines = [line(now, "990101", accepted=869, succeeded=842), line(last, "990101", accepted=840, succeeded=820)]
    lines += [line(now, "990101", category=kind, found=n) for kind, n in zip(kinds, published, strict=True)]
    lines += [line(now, "990101", channel=name, found=n)
              for name, n in (("主动调解", 455), ("申请调解", 378), ("接受委托移送", 36))]  # fmt: skip
    with release_of(tmp_path, lines) as release:
        meta = disputes(release, asked(release, *now), EVERYTHING).meta
    assert round(meta["rates"][1]["pct"], 1) == 96.9
    assert meta["total"]["found"] == 869  # the parts by kind, not those by channel on top
    assert meta["total_before"]["accepted"] == 840
    shares = {row["category"]: round(row["found"] * 100 / meta["total"]["found"], 1) for row in meta["categories"]}
    assert shares == dict(zip(kinds, printed, strict=True))
    assert [round(row["found"] * 100 / 869, 1) for row in meta["channels"]] == [52.4, 43.5, 4.1]


# --- totals and parts ------------------------------------------------------------------------------------------------


def test_totals_are_never_added_to_their_parts(tmp_path):
    period = month(2026, 10)
    lines = [
        line(period, DISTRICTS[0], found=10, succeeded=7),
        line(period, DISTRICTS[0], category="邻里", found=6, handled=5),
        line(period, DISTRICTS[0], category="合同", found=4, handled=3),
        line(period, DISTRICTS[0], channel="访调", found=9),
        line(period, DISTRICTS[1], category="邻里", channel="访调", found=2),
        line(period, DISTRICTS[1], category="邻里", channel="警调", found=3),
        line(period, DISTRICTS[0], closed_level="村", succeeded=5),
        line(period, DISTRICTS[0], closed_level="县", succeeded=2),
    ]
    with release_of(tmp_path, lines) as release:
        answer = disputes(release, asked(release, *period), EVERYTHING)
    rows = table(answer)
    assert rows.loc[DISTRICTS[0], ["found", "handled", "succeeded"]].tolist() == [10, 8, 7]
    assert rows.loc[DISTRICTS[1], "found"] == 5
    assert answer.meta["total"]["found"] == 15
    found = {row["category"]: (row["found"], row["handled"]) for row in answer.meta["categories"]}
    assert found == {"邻里": (11, 5), "合同": (4, 3)}
    assert {row["channel"]: row["found"] for row in answer.meta["channels"]} == {"访调": 11, "警调": 3}
    assert {row["closed_level"]: row["succeeded"] for row in answer.meta["levels"]} == {"村": 5, "县": 2}


def test_an_areas_own_line_stands_over_those_below(tmp_path):
    period = month(2026, 10)
    lines = [line(period, DISTRICTS[0], found=100)]
    lines += [line(period, street, found=10, handled=4) for street in STREETS]
    with release_of(tmp_path, lines) as release:
        whole = disputes(release, asked(release, *period), EVERYTHING)
        streets = table(disputes(release, asked(release, *period), EVERYTHING, "street"))
    rows = table(whole)
    assert rows["found"].tolist() == [100, 20, 20]
    assert rows["handled"].tolist() == [8, 8, 8]  # what the district does not tell itself is what its streets tell
    assert whole.meta["total"]["found"] == 140
    assert streets["found"].tolist() == [10] * 6


# --- periods and sources ---------------------------------------------------------------------------------------------


def both_sources():
    lines = [line(month(2026, m), street, found=m, succeeded=1, open=m) for m in range(1, 11) for street in STREETS]
    return lines + [line(week(w), code, "week", found=1, accepted=1) for w in range(50) for code in COMMUNITIES]


def test_the_source_that_fits_answers_and_the_other_is_only_named(tmp_path):
    with release_of(tmp_path, both_sources()) as release:
        of_week = disputes(release, asked(release, *week()), EVERYTHING).meta
        of_month = disputes(release, asked(release, *month(2026, 10)), EVERYTHING).meta
        of_quarter = disputes(release, asked(release, date(2026, 7, 1), date(2026, 10, 1)), EVERYTHING).meta
        below = disputes(release, asked(release, *month(2026, 10)), EVERYTHING, "community").meta
    assert (of_week["source"], of_week["total"]["found"]) == ("week", len(COMMUNITIES))
    assert (of_month["source"], of_month["total"]["found"]) == ("month", 10 * len(STREETS))
    assert {s["id"]: (s["used"], s["periods"]) for s in of_month["sources"]} == {"month": (True, 1), "week": (False, 3)}
    assert of_quarter["period"] == {"from": "2026-07-01", "to": "2026-10-01", "periods": 3, "days": 92}
    assert of_quarter["before"] == {"from": "2026-04-01", "to": "2026-07-01", "periods": 3, "days": 91}
    assert of_quarter["total"]["found"] == (7 + 8 + 9) * len(STREETS)
    assert of_quarter["total"]["open"] == 9 * len(STREETS)  # a stock is that of the latest period
    assert below["source"] == "week"  # the monthly sheets do not speak of communities


def test_a_window_shorter_than_the_period_takes_the_latest_one(tmp_path):
    monthly = [row for row in both_sources() if row["source_id"] == "month"]
    with release_of(tmp_path, monthly) as release:
        found = disputes(release, asked(release, *week()), EVERYTHING).meta
        last_year = disputes(release, asked(release, *week(), compare="last_year"), EVERYTHING).meta
        november = disputes(release, asked(release, *month(2026, 11)), EVERYTHING)
    assert found["coarser"] == ["month"]
    assert found["period"] == {"from": "2026-10-01", "to": "2026-11-01", "periods": 1, "days": 31}
    assert found["before"] == {"from": "2026-09-01", "to": "2026-10-01", "periods": 1, "days": 30}
    assert found["total_before"]["found"] == 9 * len(STREETS)
    assert last_year["before"]["periods"] == 0 and last_year["total_before"] is None
    assert november.meta["coarser"] == []  # a whole month that nobody reported is 未报, not October
    assert november.meta["total"] is None
    assert november.meta["period"] == {"from": "2026-11-01", "to": "2026-12-01", "periods": 0, "days": 0}
    assert table(november)["found"].isna().all()


def test_without_a_source_nothing_is_zero(tmp_path):
    small.publish(tmp_path, small.incidents(100))
    store = Store(tmp_path)
    with store.current() as release:
        answer = disputes(release, release.selection([]), EVERYTHING)
    store.close()
    assert (answer.meta["sources"], answer.meta["total"], answer.meta["source"]) == ([], None, None)
    assert answer.rows.num_rows == 3
    assert table(answer)[["found", "state", "handled_pct", "periods_missing"]].isna().all(axis=None)


# --- missing, zero, reported -----------------------------------------------------------------------------------------


def test_unreported_is_not_zero(tmp_path):
    period = month(2026, 10)
    lines = [line(period, street, found=0 if street == STREETS[1] else 3, handled=0) for street in STREETS[1:4]]
    states = ["missing", "zero", "reported", "reported", "zero", "missing"]
    sheet = [status(period, street, state) for street, state in zip(STREETS, states, strict=True)]
    with release_of(tmp_path, lines, sheet) as release:
        answer = disputes(release, asked(release, *period), EVERYTHING, "street")
        districts = table(disputes(release, asked(release, *period), EVERYTHING))
        silent = disputes(release, asked(release, *period, area=STREETS[0]), EVERYTHING).meta
    rows = table(answer)
    assert rows["state"].tolist() == ["missing", "zero", "reported", "reported", "zero", "missing"]
    assert rows["found"].fillna(-1).tolist() == [-1, 0, 3, 3, 0, -1]  # a nil return without a line is 0
    assert rows["succeeded"].isna().all()  # a count the source does not tell stays unknown
    assert rows["periods_missing"].tolist() == [1, 0, 0, 0, 0, 1]
    assert districts["periods_missing"].tolist() == [1, 0, 1]
    assert districts["state"].tolist() == ["zero", "reported", "zero"]
    assert answer.meta["total"]["found"] == 6
    assert (silent["state"], silent["total"], silent["rates"][0]["pct"]) == ("missing", None, None)


def test_a_rate_takes_only_lines_that_tell_both_its_counts(tmp_path):
    period = month(2026, 10)
    lines = [line(period, STREETS[0], found=10, handled=9), line(period, STREETS[1], found=50)]
    with release_of(tmp_path, lines) as release:
        answer = disputes(release, asked(release, *period), EVERYTHING)
    assert table(answer).loc[DISTRICTS[0], ["found", "handled_pct"]].tolist() == [60, 90.0]
    assert (answer.meta["rates"][0]["numerator"], answer.meta["rates"][0]["denominator"]) == (9, 10)


def test_levels_below_the_source_are_not_unreported(tmp_path):
    with release_of(tmp_path, [line(month(2026, 10), STREETS[0], found=4)]) as release:
        rows = table(disputes(release, asked(release, *month(2026, 10)), EVERYTHING, "grid"))
        inside = disputes(release, asked(release, *month(2026, 10), area=COMMUNITIES[0]), EVERYTHING).meta
    assert rows[["found", "state"]].isna().all(axis=None)
    assert (inside["state"], inside["total"]) == (None, None)


# --- scope -----------------------------------------------------------------------------------------------------------


def test_nothing_outside_the_scope_is_shown_or_added(tmp_path):
    period = month(2026, 10)
    lines = [line(period, street, category="邻里", found=10**i) for i, street in enumerate(STREETS)]
    with release_of(tmp_path, lines) as release:
        selection = asked(release, *period)
        mine = disputes(release, selection, Scope((DISTRICTS[1],)), "street")
        nested = disputes(release, selection, Scope((STREETS[0], DISTRICTS[0], STREETS[5])), "street")
        nothing = disputes(release, selection, Scope(()), "street")
        with pytest.raises(OutsideScope):
            disputes(release, asked(release, *period, area=STREETS[0]), Scope((DISTRICTS[1],)))
        with pytest.raises(OutsideScope):
            compared_disputes(release, asked(release, *period, area="990100"), Scope((DISTRICTS[1],)))
        with pytest.raises(UnknownArea):
            disputes(release, asked(release, *period, area="no such"), EVERYTHING)
    assert table(mine).index.tolist() == STREETS[2:4]
    assert mine.meta["total"]["found"] == 1100
    assert mine.meta["categories"][0]["found"] == 1100
    assert table(nested).index.tolist() == [STREETS[0], STREETS[1], STREETS[5]]
    assert nested.meta["total"]["found"] == 100_011  # a street is not added to the district that holds it
    assert (nothing.rows.num_rows, nothing.meta["total"], nothing.meta["categories"]) == (0, None, [])


def test_an_area_smaller_than_the_level_gives_the_area_that_holds_it(tmp_path):
    lines = [line(week(), code, "week", found=i) for i, code in enumerate(COMMUNITIES)]
    with release_of(tmp_path, lines) as release:
        answer = disputes(release, asked(release, *week(), area=COMMUNITIES[7]), EVERYTHING, "district")
    assert answer.rows["code"].to_pylist() == [COMMUNITIES[7][:6]]
    assert answer.rows["found"].to_pylist() == [7] == [answer.meta["total"]["found"]]


# --- against pandas --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_random_lines_equal_pandas(tmp_path, seed):
    rng = np.random.default_rng(seed)
    areas = [STREETS, COMMUNITIES, sorted(small.grids()["grid_code"])][seed % 3]
    periods = [week(back) for back in range(20)]
    told = [(p, a) for p in periods for a in areas if rng.random() < 0.8]
    lines = []
    for period, area in told:
        counts = {name: int(rng.integers(0, 20)) for name in [*FLOWS, *STOCKS] if rng.random() < 0.9}
        lines.append(line(period, area, "week", **counts))
    frame = pd.DataFrame(lines)
    back, size = int(rng.integers(0, 8)), int(rng.integers(1, 6))
    start, end = week(back + size - 1)[0], week(back)[1]
    scope = [None, (DISTRICTS[0], STREETS[4]), (STREETS[2],)][int(rng.integers(3))]
    inside = frame[(frame["period_start"] >= start) & (frame["period_end"] <= end)]
    if scope:
        inside = inside[inside["area_code"].str.startswith(scope)]
    latest = inside[inside["period_end"] == end]
    with release_of(tmp_path, lines) as release:
        selection = asked(release, start, end)
        for level, digits in (("district", 6), ("street", 9)):
            rows = table(disputes(release, selection, Scope(scope), level))
            expected = inside.groupby(inside["area_code"].str[:digits])[FLOWS].sum(min_count=1)
            stocks = latest.groupby(latest["area_code"].str[:digits])[STOCKS].sum(min_count=1)
            expected = expected.join(stocks, how="outer").reindex(rows.index)
            pd.testing.assert_frame_equal(rows[[*FLOWS, *STOCKS]].astype(float), expected.astype(float),
                                          check_names=False)  # fmt: skip
            for name, above, below in (("handled_pct", "handled", "found"),
                                       ("accepted_success_pct", "succeeded", "accepted")):  # fmt: skip
                both = inside.dropna(subset=[above, below])
                sums = both.groupby(both["area_code"].str[:digits])[[above, below]].sum().reindex(rows.index)
                pct = (sums[above] * 100 / sums[below]).replace(np.inf, np.nan)
                assert rows[name].to_numpy(float) == pytest.approx(pct.to_numpy(float), nan_ok=True)
        meta = disputes(release, selection, Scope(scope)).meta
    wanted = {name: inside[name].sum(min_count=1) for name in FLOWS} | {
        name: latest[name].sum(min_count=1) for name in STOCKS
    }
    assert meta["total"] == {name: None if np.isnan(value) else int(value) for name, value in wanted.items()}
    assert meta["period"]["periods"] == inside["period_start"].nunique()
    bands = {"le30": "open_le30", "31_90": "open_31_90", "gt90": "open_gt90"}
    assert {row["band"]: row["count"] for row in meta["ageing"]} == {b: meta["total"][n] for b, n in bands.items()}


def test_the_change_is_tested_like_that_of_incidents(tmp_path):
    rng = np.random.default_rng(4)
    found = {back: rng.poisson(40, len(STREETS)) + (60 if back == 0 else 0) for back in range(40)}
    lines = [line(week(back), street, "week", found=int(n)) for back, row in found.items()
             for street, n in zip(STREETS, row, strict=True)]  # fmt: skip
    with release_of(tmp_path, lines) as release:
        change = compared_disputes(release, asked(release, *week()), EVERYTHING).changes["found"]
    totals = np.array([found[back].sum() for back in range(40)])
    past = totals[2:]  # the week before is compared
    phi = max(1.0, ((past - past.mean()) ** 2 / past.mean()).sum() / (len(past) - 1))
    p = stats.poisson_means_test(int(totals[0]), 7, int(totals[1]), 7).pvalue
    assert (change.now, change.before, change.difference) == (totals[0], totals[1], totals[0] - totals[1])
    assert change.percent == pytest.approx((totals[0] - totals[1]) * 100 / totals[1])
    assert change.p == pytest.approx(2 * stats.norm.cdf(-stats.norm.ppf(1 - p / 2) / np.sqrt(phi)))
    assert change.verdict == "明显上升"


def test_units_not_in_for_both_windows_are_left_out_or_nothing_is_compared(tmp_path):
    now, last = week(0), week(1)
    lines = [line(p, code, "week", found=10) for p in (now, last) for code in COMMUNITIES]
    lines = [row for row in lines if (row["period_start"], row["area_code"]) != (now[0], COMMUNITIES[3])]
    sheet = [status(p, code, "reported" if (p, code) != (now, COMMUNITIES[3]) else "missing", "week")
             for p in (now, last) for code in COMMUNITIES]  # fmt: skip
    with release_of(tmp_path / "strict", lines, sheet) as release:
        change = compared_disputes(release, asked(release, *now), EVERYTHING).changes["found"]
    assert (change.now, change.before, change.difference, change.p) == (110, 120, None, None)  # 1 of 12 is over 5 %
    assert (change.verdict, change.periods_missing) == ("无法比较", 1)
    with release_of(tmp_path / "loose", lines, sheet, limits=Limits(missing_pct=10.0)) as release:
        change = compared_disputes(release, asked(release, *now), EVERYTHING).changes["found"]
    assert (change.now, change.before, change.difference) == (110, 120, 0)


def test_filters_that_disputes_do_not_know_are_named(tmp_path):
    with release_of(tmp_path, both_sources()) as release:
        plain = disputes(release, asked(release, *week()), EVERYTHING)
        filtered = disputes(release, asked(release, *week(), category="刑事", hours="18-23"), EVERYTHING)
    assert (plain.meta["ignored"], filtered.meta["ignored"]) == ([], ["category", "hours"])
    assert plain.rows.equals(filtered.rows)


@pytest.mark.parametrize("level", ["district", "street", "community", "grid"])
@pytest.mark.parametrize(
    ("start", "end"),
    [(date(2025, 1, 6), date(2025, 1, 7)), (date(2026, 12, 10), date(2026, 12, 11))],
    ids=["before the first period is over", "after the last period"],
)
def test_a_day_that_no_period_stands_for_is_unreported(tmp_path, start, end, level):
    weeks = [week(back) for back in range(97)]  # back to Monday 2025-01-06
    lines = [line(period, code, "week", found=3, open=1) for period in weeks for code in GRIDS]
    sheet = [status(period, street, "reported", "week") for period in weeks for street in STREETS]
    with release_of(tmp_path, lines, sheet) as release:
        answer = disputes(release, asked(release, start, end), EVERYTHING, level)
        known = compared_disputes(release, asked(release, start, end), EVERYTHING).now
    rows = table(answer)
    assert rows.index.tolist() == sorted(small.grids()[f"{level}_code"].unique())
    assert rows[["found", "open", "handled_pct", "periods_missing"]].isna().all(axis=None)
    assert set(rows["state"]) == {"missing"}
    assert (answer.meta["total"], known.totals()) == (None, None)
