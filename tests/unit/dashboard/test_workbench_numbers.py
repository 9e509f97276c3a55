"""/workbench: that its numbers are those of the Store and of the raw rows, and what it shows where there are none."""

import base64
import itertools
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import small_release as small
from hypothesis import given
from hypothesis import strategies as st
from reading import WEEK, in_window, state
from scipy import stats

from dashboard import packing
from dashboard.components import verdict
from dashboard.pages.workbench import callbacks
from dashboard.pages.workbench.state import read_state
from dashboard.settings import Settings
from dashboard.trend_steps import trend_steps
from data.schema import CATEGORIES, INVALID
from data.store import Scope, Store, counts, trend
from data.store.changes import changes
from data.store.class_limits import class_limits, count_limits, rate_limits

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ALL = Scope.everything()


@pytest.fixture
def everywhere(monkeypatch):
    monkeypatch.setattr(callbacks, "caller_scope", lambda: ALL)


# --- numbers ----------------------------------------------------------------------------------------------------------


def unpacked(column):
    return np.frombuffer(base64.b64decode(column["data"]), dtype="<" + column["type"])


@given(st.lists(st.integers(-(2**31) + 1, 2**31 - 1), max_size=50))
def test_packed_numbers_come_back(values):
    assert unpacked(packing.pack(np.array(values, dtype=np.int64))).tolist() == values


@pytest.mark.parametrize("area", [None, "990102", "990102001"])
@pytest.mark.parametrize("level", ["district", "street", "community", "grid"])
def test_the_map_gets_the_counts_of_the_store(release, everywhere, store, area, level):
    search = "?from=2026-11-09&to=2026-11-16" + (f"&area={area}" if area else "")
    values = callbacks.show_values(store, {"search": search, "level": level})
    rows = counts(release, read_state(search, release).selection, ALL, level).rows.to_pylist()
    codes = release.units.level(level).codes.tolist()
    column = {name: unpacked(packed) for name, packed in values["columns"].items()}
    assert column["shown"].sum() == len(rows) == values["matched"] and values["size"] == len(codes)
    for row in rows:
        i = codes.index(row["code"])
        assert column["shown"][i] == 1 and column["count"][i] == row["count"] and column["before"][i] == row["before"]
        assert verdict.ORDER[column["verdict"][i]] == row["verdict"]
        assert column["p"][i] == pytest.approx(row["p"] * 10_000, abs=0.51)
        assert column["rate"][i] == pytest.approx(row["rate_per_1000"] * 1000, abs=0.51)


def test_missing_is_sent_apart_from_zero():
    rows = pa.table({"count": pa.array([None, 0, 3]), "before": pa.array([2, None, 0]), "difference": pa.nulls(3, pa.int64()),
                     "percent": pa.nulls(3, pa.float64()), "p": pa.array([None, None, 0.25]), "periods_missing": [1, 0, 0],
                     "verdict": ["无法比较", "无法比较", "正常波动"], "rate_per_1000": pa.array([None, 0.0, 1.5])})  # fmt: skip
    packed = packing.packed_rows(5, np.array([0, 2, 4]), rows)
    assert unpacked(packed["shown"]).tolist() == [1, 0, 1, 0, 1]
    assert unpacked(packed["count"])[[0, 2, 4]].tolist() == [-1, 0, 3]
    assert unpacked(packed["before"])[[0, 2, 4]].tolist() == [2, -1, 0]
    assert unpacked(packed["rate"])[[0, 2, 4]].tolist() == [-1, 0, 1500]


@given(st.lists(st.floats(1e-4, 1e6) | st.just(0.0), max_size=40))
def test_class_limits_ascend(values):
    whole = count_limits(np.array(values))
    assert whole[0] == 1 and all(a < b for a, b in itertools.pairwise(whole)) and len(whole) == 5
    rates = rate_limits(np.array([*values, np.nan]))
    assert rates == () or (rates[0] == 0 and all(a < b for a, b in itertools.pairwise(rates)))


def test_class_limits_stay_between_periods_and_areas(release):
    selection = state().selection
    here = class_limits(release, selection, ALL, "grid")
    earlier = replace(selection, start=date(2026, 3, 2), end=date(2026, 3, 9), area="990101", compare="none")
    assert class_limits(release, earlier, ALL, "grid") == here
    longer = replace(selection, start=date(2026, 1, 1), end=date(2026, 7, 1))
    assert class_limits(release, longer, ALL, "grid").count[-1] > here.count[-1]


def test_totals_and_categories_are_those_of_the_rows(release, frame):
    before = (WEEK[0] - timedelta(days=7), WEEK[0])
    result = changes(release, state().selection, ALL)
    assert result.total.now == len(in_window(frame, WEEK)) and result.total.before == len(in_window(frame, before))
    by_category = in_window(frame, WEEK)["category"].value_counts()
    assert {name: c.now for name, c in result.categories.items()} == {
        c: by_category.get(c, 0) for c in CATEGORIES if c != INVALID
    }
    assert sum(c.now for c in result.categories.values()) == result.total.now


def test_the_total_is_tested_as_the_design_says(release, frame):
    valid = frame[frame["category"] != INVALID]
    week = ((valid["occurred_from"] - pd.Timestamp(small.FIRST)).dt.days // 7).value_counts().sort_index()
    this = (WEEK[0] - small.FIRST).days // 7
    k1, k2 = week[this], week[this - 1]
    past = week.loc[this - 53 : this - 2].to_numpy()  # 52 weeks, the compared one left out
    assert len(past) == 52
    phi = max(1.0, float(((past - past.mean()) ** 2 / past.mean()).sum() / (len(past) - 1)))
    p = stats.poisson_means_test(int(k1), 7, int(k2), 7).pvalue
    wanted = 2 * stats.norm.cdf(stats.norm.ppf(p / 2) / np.sqrt(phi))
    total = changes(release, state().selection, ALL).total
    assert total.p == pytest.approx(wanted, abs=1e-6) and total.difference == k1 - k2
    assert total.percent == pytest.approx((k1 - k2) * 100 / k2)


@pytest.mark.parametrize("area", ["990101", "990101001", "990101001001", "990101001001002"])
def test_an_area_has_the_same_verdict_in_the_headline_and_in_the_table(release, area):
    selection = state(area=area).selection
    level = release.units.find(area).level
    row = counts(release, replace(selection, area=None), ALL, level).rows.filter(
        pa.compute.equal(counts(release, replace(selection, area=None), ALL, level).rows["code"], area)
    ).to_pylist()[0]  # fmt: skip
    total = changes(release, selection, ALL).total
    assert (total.now, total.before, total.p, total.verdict) == (row["count"], row["before"], row["p"], row["verdict"])


def test_the_trend_adds_up_and_pairs_with_the_compared_window(release, frame):
    selection = state().selection
    steps = trend_steps(release, selection, ALL, "day").steps
    assert [s.start for s in steps] == [WEEK[0] + timedelta(days=i) for i in range(7)]
    assert [s.before_start for s in steps] == [WEEK[0] + timedelta(days=i - 7) for i in range(7)]
    assert sum(s.count for s in steps) == len(in_window(frame, WEEK))
    daily = in_window(frame, (WEEK[0] - timedelta(days=7), WEEK[0]))["occurred_from"].dt.date.value_counts()
    assert [s.before for s in steps] == [daily.get(s.before_start, 0) for s in steps]
    assert trend(release, selection, ALL, "day").rows.num_rows == 7 * 7


# --- faults and emptiness ---------------------------------------------------------------------------------------------

SETTINGS = Settings(workspace="x", open_mode=True)


def asked(search: str) -> dict:
    """The address as the browser hands it to the page's functions."""
    return {"search": search}


@pytest.mark.parametrize("search", ["?area=12345", "?category=" + quote("盗窃"), "?from=2026-11-09"])
def test_a_fault_clears_every_number_and_says_why(store, everywhere, search):
    focus = callbacks.show_focus(store, SETTINGS, asked(search))
    assert focus["fault"] and focus["parts"]["workbench-fault"] and focus["parts"]["workbench-map-tools"] is None
    side, trend_figure = callbacks.show_side(store, asked(search))
    assert {f"workbench-{p}" for p in ("headline", "trend-card", "categories", "profile", "ranking")} <= set(side)
    assert [part for part in side.values() if part] == [side["workbench-headline"]]
    assert not trend_figure["data"]
    values = callbacks.show_values(store, {"search": search, "level": "grid"})
    assert "columns" not in values and values["parts"]["workbench-legend"] is None
    frame = callbacks.show_frame(store, SETTINGS, asked(search))
    assert [name for name, part in frame.items() if part] == ["workbench-topbar"]  # which release it is stays


def test_an_unforeseen_fault_is_logged_and_not_shown(store, everywhere, monkeypatch, caplog):
    monkeypatch.setattr(callbacks, "changes", lambda *_: 1 / 0)
    side, trend_figure = callbacks.show_side(store, asked(""))
    assert "已记入日志" in str(side["workbench-headline"]) and "ZeroDivision" not in str(side)
    assert "ZeroDivisionError" in caplog.text and not trend_figure["data"]


def test_outside_the_scope_nothing_is_told(store, monkeypatch):
    monkeypatch.setattr(callbacks, "caller_scope", lambda: Scope(("990101",)))
    assert "超出授权区域" in callbacks.show_focus(store, SETTINGS, asked("?area=990102"))["fault"]
    values = callbacks.show_values(store, {"search": "", "level": "street"})
    assert unpacked(values["columns"]["shown"]).tolist() == [1, 1, 0, 0, 0, 0]


def test_boundaries_alone_say_that_there_are_no_events(tmp_path, everywhere):
    small.publish(tmp_path, None, stated=small.info(sources=(), data_as_of=None))
    bare = Store(tmp_path)
    side, _ = callbacks.show_side(bare, asked(""))
    assert "没有事件来源" in str(side["workbench-headline"] or "") + str(side["workbench-trend-card"] or "")
    assert side["workbench-categories"] is None
    values = callbacks.show_values(bare, {"search": "", "level": "district"})
    assert "没有事件来源" in str(values["parts"]["workbench-map-note"]) and not values["counted"]
    assert values["parts"]["workbench-legend"] is None
    rail = str(callbacks.show_frame(bare, SETTINGS, asked(""))["workbench-rail"])
    assert "'number'}, ['—']" in rail and "'number'}, ['0']" not in rail
    bare.close()


def test_a_window_without_events_says_so(store, everywhere):
    values = callbacks.show_values(store, {"search": "?area=990101&hours=3-3&category=火灾&from=2026-11-15&to=2026-11-16",
                                           "level": "grid"})  # fmt: skip
    counted = unpacked(values["columns"]["count"])
    assert counted.max() == 0 and "没有事件" in str(values["parts"]["workbench-map-note"])


# --- scope ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("area", [None, "990101", "990101001", "990101001001001"])
def test_a_limited_visitor_hears_of_nothing_outside(store, release, monkeypatch, area):
    monkeypatch.setattr(callbacks, "caller_scope", lambda: Scope(("990101",)))
    search = "?from=2026-11-09&to=2026-11-16" + (f"&area={area}" if area else "")
    settings = Settings(workspace=".", open_mode=True)
    said = [
        callbacks.show_focus(store, settings, {"search": search}),
        callbacks.show_frame(store, settings, {"search": search}),
        callbacks.show_side(store, {"search": search})[0],
        callbacks.show_more(store, {"search": search}),
        callbacks.show_cameras(store, {"search": search}),
        callbacks.show_values(store, {"search": search, "level": "district"}),
    ]
    text = str(said)
    inside = release.units.in_scope("grid", Scope(("990101",)))
    for level in ("district", "street", "community", "grid"):
        mine = release.units.in_scope(level, Scope(("990101",)))
        units = release.units.level(level)
        assert not [code for code in units.codes[~mine] if f"{code}'" in text or f"{code}&" in text]
        assert not [name for name in units.names[~mine] if name in text and level != "grid"]
    focus = said[0]
    assert [one["units"] for one in focus["levels"]] == [1, 2, 4, 8]
    if area is None:
        bounds = release.units.level("grid").bounds[inside]
        assert focus["bounds"] == pytest.approx([*bounds[:, :2].min(axis=0), *bounds[:, 2:].max(axis=0)])


def test_an_area_outside_is_refused_everywhere_on_the_page(store, monkeypatch):
    monkeypatch.setattr(callbacks, "caller_scope", lambda: Scope(("990101",)))
    settings, search = Settings(workspace=".", open_mode=True), "?area=990102"
    focus = callbacks.show_focus(store, settings, {"search": search})
    values = callbacks.show_values(store, {"search": search, "level": "grid"})
    assert "超出授权区域" in focus["fault"] and "超出授权区域" in values["fault"]
    assert "990103" not in str([focus, values, callbacks.show_side(store, {"search": search})[0]])
