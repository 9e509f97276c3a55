"""/workbench: the address as state, what the views show, and that its numbers are those of the data."""

import base64
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from dash import html
from dash.development.base_component import Component
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import itertools

import small_release as small

from dashboard.components import words
from dashboard.components.topbar import freshness
from dashboard.components.tree import tree
from dashboard.pages.workbench import callbacks, view_charts, view_map, view_rail
from dashboard.pages.workbench.state import (
    PERIODS,
    PageState,
    complete_period,
    following,
    period_holding,
    period_kind,
    read_state,
    toggled_category,
    toggled_weekday,
    unequal,
)
from dashboard.settings import Settings
from data.schema import CATEGORIES, INVALID
from data.selection import ParameterError, Selection, preceding
from data.store import Scope, Store, counts, trend
from data.store.changes import Change, changes
from data.store.class_limits import class_limits, count_limits, rate_limits
from data.store.facets import facets

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ALL = Scope.everything()
WEEK = (date(2026, 11, 9), date(2026, 11, 16))
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@pytest.fixture(scope="module")
def frame():
    """Exact times and no recording time: every count compares as it stands."""
    table = small.incidents(6000, seed=5)
    return table.assign(recorded_at=pd.NaT)


@pytest.fixture(scope="module")
def store(tmp_path_factory, frame):
    directory = tmp_path_factory.mktemp("workbench")
    small.publish(directory, frame)
    opened = Store(directory)
    yield opened
    opened.close()


@pytest.fixture
def release(store):
    with store.current() as opened:
        yield opened


@pytest.fixture
def everywhere(monkeypatch):
    monkeypatch.setattr(callbacks, "caller_scope", lambda: ALL)


def state(compare="previous", window=WEEK, **selection) -> PageState:
    return PageState(Selection(*window, compare=compare, **selection))


def in_window(frame, window, *, invalid=False):
    at = frame["occurred_from"]
    kept = (at >= pd.Timestamp(window[0])) & (at < pd.Timestamp(window[1]))
    return frame[kept & (invalid | (frame["category"] != INVALID))]


def texts(part) -> str:
    """All text of a component, in order."""
    if part is None or isinstance(part, str):
        return part or ""
    if isinstance(part, (list, tuple)):
        return "".join(texts(child) for child in part)
    return texts(getattr(part, "children", str(part)))


def found(part, wanted) -> list:
    """Every component at or below ``part`` for which ``wanted`` holds, in order."""
    if isinstance(part, (list, tuple)):
        return [hit for child in part for hit in found(child, wanted)]
    if not isinstance(part, Component):
        return []
    return ([part] if wanted(part) else []) + found(getattr(part, "children", None), wanted)


def classed(part, name: str) -> list:
    """Every component whose class contains ``name``."""
    return found(part, lambda c: name in (getattr(c, "className", None) or ""))


# --- the address is the state -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("search", [
    "", "?area=990101", "?from=2026-01-01&to=2026-02-01&compare=last_year&category=刑事&category=火灾",
    "?hours=22-5&weekdays=1,7&measure=change&level=grid", "?compare=2026-01-01..2026-02-01&measure=rate",
])  # fmt: skip
def test_an_address_survives_being_read_and_written(release, search):
    once = read_state(search, release)
    again = read_state(once.href(), release)
    assert again == once
    given_pairs, written = set(parse_qsl(search[1:])), set(parse_qsl(once.href()[1:]))
    assert given_pairs <= written


@pytest.mark.parametrize(("search", "name"), [
    ("?measure=heat", "measure"), ("?level=city", "level"), ("?level=grid&level=grid", "level"), ("?from=x&to=y", "from"),
    ("?colour=red", "colour"),
])  # fmt: skip
def test_a_bad_address_is_refused_by_name(release, search, name):
    with pytest.raises(ParameterError) as fault:
        read_state(search, release)
    assert fault.value.parameter == name


@given(st.sampled_from(PERIODS), DAYS, DAYS)
def test_complete_period_is_whole_and_over(kind, day, over):
    window = (day - timedelta(days=6), day + timedelta(days=1))
    start, end = complete_period(kind, window, over)
    assert end <= over and (start, end) == period_holding(kind, start)
    assert period_kind((start, end)) == kind
    held = period_holding(kind, day)
    assert (start, end) == held or held[1] > over


@given(st.sampled_from(PERIODS), DAYS)
def test_following_undoes_preceding(kind, day):
    period = period_holding(kind, day)
    assert preceding(following(period)) == period and following(preceding(period)) == period


@given(st.sets(st.sampled_from([c for c in CATEGORIES])), st.sampled_from(CATEGORIES))
def test_a_category_click_twice_changes_nothing(chosen, name):
    selection = Selection(*WEEK, categories=tuple(c for c in CATEGORIES if c in chosen))
    counted = set(selection.counted_categories)
    after = replace(selection, categories=toggled_category(selection, name))
    if counted == {name}:
        assert after.counted_categories == tuple(c for c in CATEGORIES if c != INVALID)
    else:
        assert set(after.counted_categories) == counted ^ {name}


@given(st.sets(st.integers(1, 7)), st.integers(1, 7))
def test_a_weekday_click_never_leaves_no_day(chosen, day):
    selection = Selection(*WEEK, weekdays=() if len(chosen) == 7 else tuple(sorted(chosen)))
    after = set(toggled_weekday(selection, day)) or set(range(1, 8))
    wanted = (chosen or set(range(1, 8))) ^ {day}
    assert after == (wanted or set(range(1, 8)))


def test_months_compare_with_months_but_a_year_not_with_a_month():
    assert not unequal(Selection(date(2026, 3, 1), date(2026, 4, 1)))  # 31 days beside 28
    assert unequal(Selection(date(2026, 1, 1), date(2027, 1, 1), compare="2025-01-01..2025-02-01"))
    assert not unequal(Selection(*WEEK, compare="none"))


# --- words ------------------------------------------------------------------------------------------------------------


def test_numbers_are_written_the_way_the_field_does():
    assert [words.signed(n) for n in (1234, -5, 0, None)] == ["+1,234", "−5", "0", "—"]
    assert [words.signed_percent(x) for x in (32.0, -2.13, 0.04, None)] == ["+32%", "−2.1%", "0%", "—"]
    assert [words.p_text(p) for p in (0.0001, 0.0234, 1.0, None)] == ["p<0.001", "p=0.023", "p=1", ""]
    assert words.whole(None) == "未报" and words.whole(0) == "0"


@pytest.mark.parametrize(("window", "text", "name"), [
    (WEEK, "11月9日—15日", "2026年第46周"),
    ((date(2026, 10, 26), date(2026, 11, 2)), "10月26日—11月1日", "2026年第44周"),
    ((date(2026, 2, 1), date(2026, 3, 1)), "2026年2月", "2026年2月"),
    ((date(2026, 7, 1), date(2026, 10, 1)), "2026年三季度", "2026年三季度"),
    ((date(2026, 11, 16), date(2026, 12, 1)), "11月16日—30日", "2026年11月下半月"),
    ((date(2025, 12, 30), date(2026, 1, 2)), "2025年12月30日—2026年1月1日", "3天"),
    ((date(2026, 11, 3), date(2026, 11, 4)), "11月3日", "1天"),
])  # fmt: skip
def test_windows_have_their_usual_names(window, text, name):
    assert words.window_text(window) == text
    assert words.period_name(window) == name


@pytest.mark.parametrize(("age", "tone"), [(0, "good"), (3, "good"), (4, "warn"), (5, "warn"), (6, "bad")])
def test_data_age_turns_amber_then_red(age, tone):
    sources = [{"cadence": "day", "grace_days": 2}, {"cadence": "week", "grace_days": 2}]
    as_of = date(2026, 11, 16)
    assert freshness("2026-11-16T06:00:00", sources, as_of + timedelta(days=age))[0] == tone


def test_a_tree_carries_tags_attributes_and_text_and_nothing_else():
    part = html.Div(
        [html.Td("甲<b>", colSpan=3, className="x", style={"width": "5%"}), None, 7, ["a", html.B()]], id="i"
    )
    assert tree(part) == ["div", {"id": "i"}, [
        ["td", {"colspan": "3", "class": "x", "style": "width:5%"}, ["甲<b>"]], "7", ["", {}, ["a", ["b", {}, []]]],
    ]]  # fmt: skip


# --- views ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "wanted", "unwanted"), [
    (Change(None, 5, verdict="无法比较"), "未报", "0 起"),
    (Change(3, 0, 3, None, 1.7, 0.25, "正常波动"), "上周为0，增加3起", "%"),
    (Change(0, 0, 0, None, 0.0, 1.0, "正常波动"), "上周也为0", "增加"),
    (Change(6, 3, 3, 100.0, 1.0, 0.4, "正常波动"), "基数小", "%"),
    (Change(60, 40, 20, 50.0, 2.0, 0.04, "需关注"), "+20+50%p=0.040", "基数小"),
    (Change(60, 40, 12, 40.0, 2.0, 0.04, "需关注"), "差只按两期都已上报", "+20"),
        (Change(60, None, verdict="无法比较"), "上周未报，无法比较", "+"),
    (Change(60, 40, verdict="无法比较", periods_missing=3), "本期缺3个上报期", "+"),
])  # fmt: skip
def test_the_headline_says_what_a_change_is_worth(change, wanted, unwanted):
    shown = texts(view_charts.headline("甲街道", state(), change))
    assert wanted in shown and unwanted not in shown


def test_unequal_windows_are_compared_by_day():
    page = state(window=(date(2026, 1, 1), date(2026, 1, 11)), compare="2025-01-01..2025-04-11")
    shown = texts(view_charts.headline("市", page, Change(20, 100, -80, -80.0, 1.0, 0.2, "正常波动")))
    assert "日均2.0，对比期1.0" in shown and "−80" not in shown
    rows = {"刑事": Change(20, 100, -80, -80.0, 1.0, 0.2, "正常波动")}
    ticks = classed(view_charts.categories(page, rows), "tick")
    assert [tick.style["left"] for tick in ticks] == ["50.00%"]  # 100 in 100 days are 10 in 10


def test_category_bars_are_sorted_and_keep_one_category_on_click():
    rows = {"刑事": Change(10, 20, -10, -50.0, -1.8, 0.06, "正常波动"), "交通": Change(40, 30, 10, 33.3, 1.2, 0.2, "正常波动"),
            "火灾": Change(None, None, verdict="无法比较")}  # fmt: skip
    section = view_charts.categories(state(), rows)
    links = found(section, lambda c: isinstance(c, html.A))
    assert [dict(parse_qsl(a.href[1:]))["category"] for a in links] == ["交通", "刑事", "火灾"]
    fills = classed(section, "fill")
    assert [fill.style["width"] for fill in fills] == ["100.00%", "25.00%", "0.00%"]
    assert texts(links[2]).startswith("火灾未报")
    back = found(
        view_charts.categories(state(categories=("交通",)), {"交通": rows["交通"]}), lambda c: isinstance(c, html.A)
    )
    assert "category" not in dict(parse_qsl(back[0].href[1:]))


def test_the_trend_breaks_where_missing_and_hollows_what_is_incomplete():
    days = [date(2026, 11, 9) + timedelta(days=i) for i in range(3)]
    steps = [view_charts.Step(days[0], 4, True, days[0], 2), view_charts.Step(days[1], None, True, days[1], None),
             view_charts.Step(days[2], 0, False, days[2], 5)]  # fmt: skip
    past, now = view_charts.trend_figure(steps, "day", "本周", "上周").data
    assert list(now.y) == [4, None, 0] and list(past.y) == [2, None, 5]
    assert not now.connectgaps and not past.connectgaps and past.line.dash
    assert list(now.marker.symbol) == ["circle", "circle", "circle-open"]
    assert "未报" in now.customdata[1] and "未完整" in now.customdata[2]
    assert len(view_charts.trend_figure(steps, "day", "本周", None).data) == 1


def test_the_week_table_shades_by_share_and_states_unknown_hours():
    table = np.zeros((7, 24), dtype=int)
    table[4, 19:22] = 10, 5, 1
    section = view_charts.profile(state(), table, 12, False)
    cells = classed(section, "heat-")
    shades = {int(c.className.split()[0][-1]) for c in cells}
    assert len(cells) == 168 and shades == {0, 1, 3, 5}
    assert "高峰 19—21时，占100%" in texts(section) and "12起钟点不明" in texts(section)
    assert "没有任何上报" in texts(view_charts.profile(state(), table * 0, 0, True))
    assert "钟点都不明" in texts(view_charts.profile(state(), table * 0, 9, False))


def test_the_ranking_drills_and_puts_the_unreported_last():
    def row(code, n):
        return {
            "code": code,
            "name": f"甲街道{code}社区",
            "count": n,
            "before": 1,
            "difference": 1,
            "verdict": "正常波动",
        }

    rows = [row("1", None), row("2", 3), row("3", 9)] + [row(f"x{i}", 2) for i in range(9)]
    section = view_charts.ranking(state(), "community", rows, "甲街道")
    links = found(section, lambda c: isinstance(c, html.A))
    assert [dict(parse_qsl(a.href[1:]))["area"] for a in links][:3] == ["3", "2", "x0"] and len(
        links
    ) == view_charts.RANKED
    assert "前8 / 共12 · 未报1" in texts(section) and "甲街道" not in texts(section)
    assert "没有下级" in texts(view_charts.ranking(state(), None, [], "甲"))


def test_the_rail_counts_each_facet_without_its_own_filter(release, frame):
    page = state(categories=("刑事",), hours=(8, 11))
    rail = view_rail.rail(page, facets(release, page.selection, ALL), date(2026, 11, 16))
    boxes = classed(rail, "check")
    week = in_window(frame, WEEK, invalid=True)
    span = week["occurred_to"] - week["occurred_from"]
    known = span.isna() | (span <= pd.Timedelta(hours=1))
    hour = week["occurred_from"].dt.hour
    inside = week[known & hour.between(8, 11)]["category"].value_counts()
    shown = {b.to_plotly_json()["props"]["data-category"]: texts(b.children[-1]) for b in boxes}
    assert shown == {c: str(inside.get(c, 0)) for c in CATEGORIES}
    assert [b.to_plotly_json()["props"]["aria-checked"] for b in boxes] == ["true"] + ["false"] * 7
    own = week[known & (week["category"] == "刑事")]
    by_hour = own["occurred_from"].dt.hour.value_counts()
    assert facets(release, page.selection, ALL).hours == tuple(by_hour.get(h, 0) for h in range(24))
    ahead = found(rail, lambda c: getattr(c, "title", "") == "之后没有数据")
    assert len(ahead) == 1  # the next week has not begun


def test_crumbs_climb_to_the_city_and_chips_take_filters_away(release):
    page = state(
        area="990101001001", categories=tuple(c for c in CATEGORIES if c not in ("刑事", INVALID)), weekdays=(6, 7)
    )
    nav = view_rail.crumbs(page, release)
    links = found(nav, lambda c: isinstance(c, html.A))
    assert [dict(parse_qsl(a.href[1:])).get("area") for a in links] == [None, "990101", "990101001"]
    assert texts(nav).endswith("community 990101001001/选网格")
    removable = found(view_rail.chips(page), lambda c: isinstance(c, html.A))
    assert [texts(a) for a in removable] == ["类别 不含刑事×", "周六、日×"]
    assert "weekdays" not in dict(parse_qsl(removable[1].href[1:]))


# --- numbers ----------------------------------------------------------------------------------------------------------


def unpacked(column):
    return np.frombuffer(base64.b64decode(column["data"]), dtype="<" + column["type"])


@given(st.lists(st.integers(-(2**31) + 1, 2**31 - 1), max_size=50))
def test_packed_numbers_come_back(values):
    assert unpacked(view_map.pack(np.array(values, dtype=np.int64))).tolist() == values


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
        assert view_map.ORDER[column["verdict"][i]] == row["verdict"]
        assert column["p"][i] == pytest.approx(row["p"] * 10_000, abs=0.51)
        assert column["rate"][i] == pytest.approx(row["rate_per_1000"] * 1000, abs=0.51)


def test_missing_is_sent_apart_from_zero():
    rows = pa.table({"count": pa.array([None, 0, 3]), "before": pa.array([2, None, 0]), "difference": pa.nulls(3, pa.int64()),
                     "percent": pa.nulls(3, pa.float64()), "p": pa.array([None, None, 0.25]), "periods_missing": [1, 0, 0],
                     "verdict": ["无法比较", "无法比较", "正常波动"], "rate_per_1000": pa.array([None, 0.0, 1.5])})  # fmt: skip
    packed = view_map.packed_rows("grid", 5, np.array([0, 2, 4]), rows)["columns"]
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
    steps = callbacks.trend_steps(release, selection, ALL, "day")
    assert [s.start for s in steps] == [WEEK[0] + timedelta(days=i) for i in range(7)]
    assert [s.before_start for s in steps] == [WEEK[0] + timedelta(days=i - 7) for i in range(7)]
    assert sum(s.count for s in steps) == len(in_window(frame, WEEK))
    daily = in_window(frame, (WEEK[0] - timedelta(days=7), WEEK[0]))["occurred_from"].dt.date.value_counts()
    assert [s.before for s in steps] == [daily.get(s.before_start, 0) for s in steps]
    assert trend(release, selection, ALL, "day").rows.num_rows == 7 * 7


# --- faults and emptiness ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("search", ["?area=12345", "?category=" + quote("盗窃"), "?from=2026-11-09"])
def test_a_fault_clears_every_number_and_says_why(store, everywhere, search):
    focus = callbacks.show_focus(store, search)
    assert focus["fault"] and focus["parts"]["workbench-fault"] and focus["parts"]["workbench-map-tools"] is None
    side = callbacks.show_side(store, search)
    assert set(side) == {f"workbench-{p}" for p in ("headline", "trend-card", "categories", "profile", "ranking")}
    assert [part for part in side.values() if part] == [side["workbench-headline"]]
    assert not callbacks.show_trend(store, search).data
    values = callbacks.show_values(store, {"search": search, "level": "grid"})
    assert "columns" not in values and values["parts"]["workbench-legend"] is None
    frame = callbacks.show_frame(store, Settings(workspace="x", open_mode=True), search)
    assert [name for name, part in frame.items() if part] == ["workbench-topbar"]  # which release it is stays
    assert callbacks.show_points(store, {"search": search, "bbox": [0, 0, 1, 1]})[0]["features"] == []


def test_an_unforeseen_fault_is_logged_and_not_shown(store, everywhere, monkeypatch, caplog):
    monkeypatch.setattr(callbacks, "changes", lambda *_: 1 / 0)
    side = callbacks.show_side(store, "")
    assert "已记入日志" in str(side["workbench-headline"]) and "ZeroDivision" not in str(side)
    assert "ZeroDivisionError" in caplog.text


def test_outside_the_scope_nothing_is_told(store, monkeypatch):
    monkeypatch.setattr(callbacks, "caller_scope", lambda: Scope(("990101",)))
    assert "超出授权区域" in callbacks.show_focus(store, "?area=990102")["fault"]
    values = callbacks.show_values(store, {"search": "", "level": "street"})
    assert unpacked(values["columns"]["shown"]).tolist() == [1, 1, 0, 0, 0, 0]


def test_boundaries_alone_say_that_there_are_no_events(tmp_path, everywhere):
    small.publish(tmp_path, None, stated=small.info(sources=(), data_as_of=None))
    bare = Store(tmp_path)
    side = callbacks.show_side(bare, "")
    assert "没有事件来源" in str(side["workbench-headline"]) and side["workbench-categories"] is None
    values = callbacks.show_values(bare, {"search": "", "level": "district"})
    assert "没有事件来源" in str(values["parts"]["workbench-map-note"]) and not values["counted"]
    assert values["parts"]["workbench-legend"] is None
    rail = str(callbacks.show_frame(bare, Settings(workspace="x"), "")["workbench-rail"])
    assert "'number'}, ['—']" in rail and "'number'}, ['0']" not in rail
    bare.close()


def test_a_window_without_events_says_so(store, everywhere):
    values = callbacks.show_values(store, {"search": "?area=990101&hours=3-3&category=火灾&from=2026-11-15&to=2026-11-16",
                                           "level": "grid"})  # fmt: skip
    counted = unpacked(values["columns"]["count"])
    assert counted.max() == 0 and "没有事件" in str(values["parts"]["workbench-map-note"])


def test_points_are_the_incidents_in_view(store, everywhere, frame):
    west, south = small.WEST, small.SOUTH
    box = [west, south, west + 2.5 * small.SIDE, south + 1.5 * small.SIDE]
    points, parts = callbacks.show_points(store, {"search": "?from=2026-08-01&to=2026-11-16", "bbox": box})
    week = in_window(frame, (date(2026, 8, 1), WEEK[1]))
    assert week["x"].isna().any()
    inside = week[week["x"].between(box[0], box[2]) & week["y"].between(box[1], box[3])]
    assert {f["properties"]["incident_id"] for f in points["features"]} == set(inside["incident_id"])
    text = str(parts["workbench-points-count"])
    assert f"视野内 {len(inside)} 起" in text and f"无坐标 {week['x'].isna().sum()} 起" in text
