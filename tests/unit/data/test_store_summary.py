"""data.store.summary: each key figure against pandas on the rows it is made of, and against the other questions."""

from contextlib import contextmanager
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import small_release as small
from fastapi import FastAPI
from fastapi.testclient import TestClient
from scipy import stats

from dashboard.api import router
from data.release_info import SourceInfo
from data.schema import CATEGORIES
from data.store import OutsideScope, Scope, Store, counts, summary
from data.store.changes import changes
from data.store.disputes import disputes

EVERYTHING = Scope.everything()
WEEK, LAST_WEEK = date(2026, 11, 9), date(2026, 11, 2)
GRIDS = small.grids()
STREETS = sorted(GRIDS["street_code"].unique())
INCIDENTS = tuple(SourceInfo(name, "incident", (f"{name}.csv",), 1, cadence, 2, "minute", None, small.AS_OF)
                  for name, cadence in (("jq", "day"), ("wg", "week")))  # fmt: skip
DISPUTES = SourceInfo("weekly", "dispute", ("w.csv",), 1, "week")


def cameras(seed=5, size=400):
    rng = np.random.default_rng(seed)
    which = rng.integers(0, len(GRIDS), size)
    frame = pd.DataFrame(
        {"camera_code": [f"c{i}" for i in range(size)], "grid_code": GRIDS["grid_code"].to_numpy()[which]}
    )
    frame["device_state"] = rng.choice(["在用", "维修", "拆除"], size, p=[0.8, 0.1, 0.1])
    for name, share in (("online", 0.9), ("networked", 0.7)):
        told = rng.random(size) < 0.85
        frame[name] = pd.Series(rng.random(size) < share, dtype=object).where(told, None)
    frame["serviceable_pct"] = np.where(rng.random(size) < 0.9, rng.integers(50, 101, size).astype(float), np.nan)
    frame.loc[::29, "grid_code"] = None
    frame["x"], frame["y"] = small.WEST, small.SOUTH
    return frame


def dispute_lines(seed=6, weeks=60):
    rng = np.random.default_rng(seed)
    rows = []
    for back in range(weeks):
        for street in STREETS:
            found = int(rng.poisson(30))
            accepted = int(rng.binomial(found, 0.9))
            handled = int(rng.binomial(accepted, 0.95))
            rows.append({"period_start": WEEK - timedelta(days=7 * back),
                         "period_end": WEEK - timedelta(days=7 * back - 7), "area_code": street, "found": found,
                         "accepted": accepted, "handled": handled, "succeeded": int(rng.binomial(handled, 0.9)),
                         "source_id": "weekly"})  # fmt: skip
    return pd.DataFrame(rows)


@contextmanager
def open_release(directory, frame, *, sources=(*INCIDENTS, DISPUTES), **published):
    small.publish(directory, frame, stated=small.info(sources=sources), **published)
    with small.opened(directory) as release:
        yield release


@pytest.fixture(scope="module")
def frame():
    return small.incidents()


@pytest.fixture(scope="module")
def sheet():
    """Source wg by week, with a street silent in the week looked at; the dispute source, with two silent streets."""
    register = small.weekly_sheet({(STREETS[0], 96): "missing"})
    of_disputes = small.weekly_sheet(
        {(STREETS[1], 96): "missing", (STREETS[2], 96): "missing", (STREETS[3], 95): "zero"}
    )
    return pd.concat([register, of_disputes.assign(dataset="weekly")])


@pytest.fixture(scope="module")
def release(tmp_path_factory, frame, sheet):
    lines = dispute_lines()
    told = ~((lines["period_start"] == WEEK) & lines["area_code"].isin(STREETS[1:3]))
    directory = tmp_path_factory.mktemp("releases")
    with open_release(directory, frame, sheet=sheet, dispute_stat=lines[told], camera=cameras()) as opened:
        yield opened


def rows_of(release, pairs=(), scope=EVERYTHING):
    rows = summary(release, release.selection(list(pairs)), scope).rows.to_pandas().set_index("kpi")
    return rows.astype(object).where(rows.notna(), None)


def test_one_row_for_each_key_figure(release):
    rows = rows_of(release)
    assert rows.index.tolist() == [
        "incidents", *(f"incidents:{name}" for name in CATEGORIES[:-1]),
        "disputes_found", "disputes_handled", "disputes_succeeded",
        "dispute_handled_pct", "dispute_accepted_success_pct", "dispute_handled_success_pct",
        "camera_coverage", "camera_networked", "camera_intact", "camera_online", "reporting",
    ]  # fmt: skip
    rates = rows[rows["unit"] == "%"]
    assert rates["formula"].notna().all()
    assert rates[["percent", "z", "p", "verdict"]].isna().all(axis=None)
    assert rates.loc[["dispute_handled_pct", "dispute_accepted_success_pct", "dispute_handled_success_pct"],
                     "name"].tolist() == ["调处率", "受理成功率", "调处成功率"]  # fmt: skip


SELECTIONS = {
    "week": [],
    "district": [("area", "990102")],
    "street": [("area", STREETS[3]), ("from", "2026-10-01"), ("to", "2026-11-01")],
    "named": [("from", "2026-03-03"), ("to", "2026-05-11"), ("category", "刑事"), ("category", "无效")],
    "night": [("from", "2026-01-01"), ("to", "2026-11-01"), ("hours", "22-5"), ("weekdays", "1,6,7")],
}


@pytest.mark.parametrize("name", SELECTIONS)
def test_incidents_are_those_of_the_page(release, frame, name):
    selection = release.selection(SELECTIONS[name])
    rows, page = rows_of(release, SELECTIONS[name]), changes(release, selection, EVERYTHING)
    for kpi, change in {"incidents": page.total,
                        **{f"incidents:{n}": c for n, c in page.categories.items()}}.items():  # fmt: skip
        for field in ("now", "before", "difference", "percent", "z", "p", "verdict"):
            assert rows.loc[kpi, field] == getattr(change, field)
    inside = frame[(frame["occurred_from"] >= str(selection.start)) & (frame["occurred_from"] < str(selection.end))]
    if selection.area:
        inside = inside[inside["grid_code"].fillna("").str.startswith(selection.area)]
    if name == "night":
        hour = inside["occurred_from"].dt.hour
        known = (inside["occurred_to"] - inside["occurred_from"]).fillna(pd.Timedelta(0)) <= pd.Timedelta(hours=1)
        night = ((hour >= 22) | (hour <= 5)) & (inside["occurred_from"].dt.day_of_week + 1).isin([1, 6, 7])
        inside = inside[known & night]
    expected = inside["category"].value_counts()
    for category in selection.counted_categories:
        assert rows.loc[f"incidents:{category}", "now"] == expected.get(category, 0)
    assert rows.loc["incidents", "now"] == expected.reindex(selection.counted_categories).sum()


def test_an_area_has_the_verdict_it_has_among_its_level(release):
    pairs = [("area", "990102")]
    row = rows_of(release, pairs).loc["incidents"]
    page = counts(release, release.selection(pairs), EVERYTHING).rows.to_pylist()[0]
    assert [row[name] for name in ("now", "before", "p", "verdict")] == [
        page[name] for name in ("count", "before", "p", "verdict")
    ]


def test_disputes_are_those_of_their_question(release):
    for pairs in ([], [("area", "990103")], [("from", "2026-10-05"), ("to", "2026-11-02")], [("compare", "none")]):
        rows = rows_of(release, pairs)
        meta = disputes(release, release.selection(pairs), EVERYTHING).meta
        for name in ("found", "handled", "succeeded"):
            row = rows.loc[f"disputes_{name}"]
            assert row["now"] == meta["total"][name]
            assert row["before"] == (meta["total_before"] or {}).get(name)
        for rate in meta["rates"]:
            row = rows.loc[f"dispute_{rate['key']}"]
            assert (row["now"], row["numerator"], row["denominator"]) == (
                rate["pct"],
                rate["numerator"],
                rate["denominator"],
            )
            assert (row["before"] is None) == (pairs == [("compare", "none")])


@pytest.mark.parametrize("area", [None, "990101", STREETS[4], GRIDS["grid_code"][3]])
def test_camera_rates_equal_pandas(release, area):
    rows, ledger = rows_of(release, [("area", area)] if area else []), cameras()
    if area:
        ledger = ledger[ledger["grid_code"].fillna("").str.startswith(area)]
    ledger = ledger[ledger["device_state"] != "拆除"]
    for kpi, column, scale in (("camera_networked", "networked", 1), ("camera_online", "online", 1),
                               ("camera_intact", "serviceable_pct", 100)):  # fmt: skip
        told = ledger[column].dropna().astype(float) / scale
        row = rows.loc[kpi]
        assert row["denominator"] == len(told)
        assert row["numerator"] == pytest.approx(told.sum(), abs=0.05)
        assert row["now"] == pytest.approx(told.mean() * 100, abs=0.1)
        assert (row["before"], row["state"]) == (None, "reported")


def test_the_reporting_rate_counts_unit_periods(release):
    rows = rows_of(release)
    row = rows.loc["reporting"]  # jq: 7 days in; wg and weekly: 6 streets each, of which 1 and 2 did not report
    assert (row["numerator"], row["denominator"]) == (7 + 5 + 4, 7 + 6 + 6)
    assert row["now"] == pytest.approx(1600 / 19)
    assert row["before"] == 100
    street = rows_of(release, [("area", STREETS[1])]).loc["reporting"]
    assert (street["numerator"], street["denominator"]) == (7 + 1, 7 + 1 + 1)
    part = rows_of(release, [("from", "2026-11-10"), ("to", "2026-11-14")]).loc["reporting"]
    assert part["denominator"] == 4 + 6  # no dispute week lies wholly inside


def test_what_no_source_gives_is_absent_and_what_nobody_reported_is_missing(tmp_path, frame):
    with open_release(tmp_path / "bare", frame, sources=INCIDENTS) as release:
        rows = rows_of(release)
    absent = rows[rows["state"] == "absent"]
    assert set(absent.index) == set(rows.index[8:-1])
    assert absent[["now", "before", "numerator", "denominator", "p", "verdict"]].isna().all(axis=None)
    quiet = frame[frame["occurred_from"] < datetime(2026, 11, 9)]
    sheet = small.weekly_sheet({(street, 96): "missing" for street in STREETS})
    lines = dispute_lines()
    lines = lines[lines["period_start"] != WEEK]
    both = pd.concat([sheet, sheet.assign(dataset="weekly")])
    sources = (INCIDENTS[1], DISPUTES)
    with open_release(tmp_path / "quiet", quiet[quiet["source_id"] == "wg"], sources=sources, sheet=both,
                      dispute_stat=lines) as release:  # fmt: skip
        rows = rows_of(release)
    for kpi in ("incidents", "incidents:刑事", "disputes_found", "dispute_handled_pct"):
        assert (rows.loc[kpi, "now"], rows.loc[kpi, "state"]) == (None, "missing")
    assert rows.loc["incidents", "verdict"] == rows.loc["disputes_found", "verdict"] == "无法比较"
    assert (rows.loc["reporting", "now"], rows.loc["reporting", "before"]) == (0, 100)


def test_nothing_outside_the_scope_counts(release, frame):
    who = Scope(("990101",))
    rows, area = rows_of(release, scope=who), rows_of(release, [("area", "990101")])
    for kpi in [
        *rows.index[:11],
        *rows.index[11:14],
        "camera_networked",
        "camera_intact",
        "camera_online",
        "reporting",
    ]:
        assert rows.loc[kpi, ["now", "before"]].tolist() == area.loc[kpi, ["now", "before"]].tolist(), kpi
    for outside in ("990102", "990100", "no such"):
        with pytest.raises(OutsideScope):
            summary(release, release.selection([("area", outside)]), who)
    nothing = rows_of(release, scope=Scope(()))
    assert nothing.loc["incidents", "now"] in (0, None)
    assert nothing.loc[["disputes_found", "camera_online"], "now"].isna().all()


def test_the_routes_answer_and_refuse(release, tmp_path, frame):
    small.publish(tmp_path, frame, dispute_stat=dispute_lines())
    store = Store(tmp_path)
    app = FastAPI()
    app.include_router(router(store, lambda request: EVERYTHING))
    client = TestClient(app, raise_server_exceptions=False)
    found = client.get("/api/v1/summary", params={"area": "990101"}).json()
    assert found["rows"][0]["kpi"] == "incidents"
    assert list(found["rows"][0]) == ["kpi", "name", "now", "before", "difference", "percent", "z", "p", "verdict",
                                      "numerator", "denominator", "unit", "formula", "state"]  # fmt: skip
    answer = client.get("/api/v1/disputes", params={"level": "street"}).json()
    assert [row["code"] for row in answer["rows"]] == STREETS
    assert answer["meta"]["total"]["found"] == sum(row["found"] for row in answer["rows"])
    documented = app.openapi()["paths"]
    for path, names in (("/api/v1/summary", {"area", "from", "to"}), ("/api/v1/disputes", {"level", "area"})):
        assert names <= {parameter["name"] for parameter in documented[path]["get"]["parameters"]}
    store.close()


# --- categories are judged at once, whichever are shown ---------------------------------------------------------------

JUDGED = {"area": [None, "990102", STREETS[3], GRIDS["grid_code"][9]],
          "days": [("2026-08-03", "2026-08-10"), ("2026-10-01", "2026-11-01")]}  # fmt: skip


@pytest.fixture(scope="module")
def unsteady(tmp_path_factory):
    """Exact times, no recording time, 刑事 only in every other week before the last two: its phi is not that of 其他."""
    frame = small.incidents(12_000, seed=8).assign(recorded_at=pd.NaT, source_id="jq")
    week = (frame["occurred_from"] - pd.Timestamp(small.FIRST)).dt.days // 7
    frame = frame[~((frame["category"] == "刑事") & (week % 2 == 1) & (week < 95))].reset_index(drop=True)
    with open_release(tmp_path_factory.mktemp("unsteady"), frame, sources=INCIDENTS[:1]) as opened:
        yield opened, frame


@pytest.mark.parametrize("area", JUDGED["area"])
@pytest.mark.parametrize("days", JUDGED["days"])
@pytest.mark.parametrize("named", [("其他",), ("刑事", "纠纷"), ("治安", "无效")])
def test_naming_categories_does_not_change_their_verdicts(unsteady, area, days, named):
    release, _ = unsteady
    pairs = [("from", days[0]), ("to", days[1]), *([("area", area)] if area else [])]
    base = CATEGORIES if "无效" in named else ()
    every = changes(release, release.selection([*pairs, *(("category", c) for c in base)]), EVERYTHING)
    some = changes(release, release.selection([*pairs, *(("category", c) for c in named)]), EVERYTHING)
    assert some.categories == {name: every.categories[name] for name in named}
    assert some.total.now == sum(every.categories[name].now for name in named)
    assert some.total.difference == sum(every.categories[name].difference for name in named)


def test_p_of_a_category_is_widened_and_adjusted_over_all_of_them(unsteady):
    release, frame = unsteady
    street = STREETS[3]
    found = changes(
        release, release.selection([("area", street), ("category", "刑事"), ("category", "其他")]), EVERYTHING
    )
    valid = frame[(frame["street_code"] == street) & (frame["category"] != "无效")]
    week = (valid["occurred_from"] - pd.Timestamp(small.FIRST)).dt.days // 7
    weekly = valid.groupby(["category", week]).size().unstack(fill_value=0).reindex(columns=range(97), fill_value=0)
    past = weekly.loc[:, 43:94].to_numpy()  # 52 weeks before the compared one, week 95
    mean = past.mean(axis=1, keepdims=True)
    phi = ((past - mean) ** 2 / mean).sum() / (51 * len(past))  # below district level one for all categories
    assert phi > 1.05
    p = [stats.poisson_means_test(a, 7, b, 7).pvalue for a, b in weekly[[96, 95]].to_numpy().tolist()]
    p = stats.false_discovery_control(2 * stats.norm.cdf(stats.norm.ppf(np.array(p) / 2) / np.sqrt(phi)))
    expected = dict(zip(weekly.index, p, strict=True))
    assert {name: c.p for name, c in found.categories.items()} == pytest.approx(
        {name: expected[name] for name in ("刑事", "其他")}
    )
