"""/workbench: the address as state, words, and what each view shows of numbers made by hand or counted by pandas."""

import json
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from dashboard.components import html

sys.path.insert(0, str(Path(__file__).parent))
from reading import WEEK, attributes, children, classed, found, in_window, leads_to, links, state, style, texts

from dashboard.compared import unequal
from dashboard.components import verdict, words
from dashboard.components.release_state import freshness
from dashboard.pages.workbench import view_charts, view_drawer, view_map, view_rail
from dashboard.pages.workbench.state import (
    following,
    period_holding,
    period_kind,
    read_state,
    toggled_category,
)
from dashboard.pages.workbench.view_rail.filters import weekdays_after
from dashboard.pages.workbench.view_rail.space import WAYS, area_km2
from dashboard.pages.workbench.view_rail.time import presets
from dashboard.trend_steps import Step, with_band
from data.schema import CATEGORIES, INVALID
from data.selection import ParameterError, Selection, preceding
from data.store import Scope
from data.store.changes import Change
from data.store.facets import Facets, facets
from geo.change import MARKS, VERDICTS, percent_text

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ALL = Scope.everything()
AS_OF = datetime(2026, 11, 16)
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
PERIODS = ("week", "half", "month", "quarter", "year")


# --- the address is the state -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("search", [
    "", "?area=990101", "?from=2026-01-01&to=2026-02-01&compare=last_year&category=刑事&category=火灾",
    "?hours=22-5&weekdays=1,7&measure=change&level=grid", "?compare=2026-01-01..2026-02-01&measure=rate",
    "?layers=coverage&cover=sector&tab=places&view=side",
])  # fmt: skip
def test_an_address_survives_being_read_and_written(release, search):
    once = read_state(search, release)
    again = read_state(once.href(), release)
    assert again == once
    given_pairs, written = set(parse_qsl(search[1:])), set(parse_qsl(once.href()[1:]))
    assert given_pairs <= written


def test_only_shapes_of_cameras_that_the_release_has_can_be_drawn(release):
    chosen = view_map.cover(state(), release)
    assert chosen == {"chosen": "best", "choices": [["best", "最佳估计"]]}  # this release has no shapes at all
    with pytest.raises(ParameterError, match="cover"):
        view_map.cover(replace(state(), cover="sector"), release)


@pytest.mark.parametrize(("search", "name"), [
    ("?measure=heat", "measure"), ("?level=city", "level"), ("?level=grid&level=grid", "level"), ("?from=x&to=y", "from"),
    ("?colour=red", "colour"), ("?cover=all", "cover"),
])  # fmt: skip
def test_a_bad_address_is_refused_by_name(release, search, name):
    with pytest.raises(ParameterError) as fault:
        read_state(search, release)
    assert fault.value.parameter == name


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


@given(st.sets(st.integers(1, 7), max_size=6), st.integers(1, 7))
def test_the_first_weekday_clicked_is_chosen_alone_and_more_are_added(chosen, day):
    selection = Selection(*WEEK, weekdays=tuple(sorted(chosen)))
    after = weekdays_after(selection, day)
    if not chosen:
        assert after == (day,)
    elif chosen == {day} or (chosen | {day} == set(range(1, 8)) and day not in chosen):
        assert after == ()  # every day again
    else:
        assert set(after) == chosen ^ {day}


def test_months_compare_with_months_but_a_year_not_with_a_month():
    assert not unequal(Selection(date(2026, 3, 1), date(2026, 4, 1)))  # 31 days beside 28
    assert unequal(Selection(date(2026, 1, 1), date(2027, 1, 1), compare="2025-01-01..2025-02-01"))
    assert not unequal(Selection(*WEEK, compare="none"))


# --- words ------------------------------------------------------------------------------------------------------------


def test_numbers_are_written_the_way_the_field_does():
    assert [words.signed(n) for n in (1234, -5, 0, None)] == ["+1,234", "−5", "0", "—"]
    assert [words.signed_percent(x) for x in (32.0, -2.13, 0.04, None)] == ["+32%", "−2.1%", "0%", "—"]
    assert words.signed_percent(12.25) == "+12.3%"  # half up, as reports print it, not half to even
    assert [words.p_text(p) for p in (0.0001, 0.0234, 1.0, None)] == ["p<0.001", "p=0.023", "p=1", ""]
    assert words.whole(None) == "未报" and words.whole(0) == "0"


@given(st.integers(-5000, 5000), st.integers(1, 3000))
def test_a_percent_reads_the_same_from_counts_and_from_the_store(difference, before):
    assert words.signed_percent(difference * 100.0 / before) == percent_text(difference, before, signed=True)


@given(st.floats(1e-6, 1.0))
def test_a_p_never_reads_on_the_other_side_of_a_threshold(p):
    text = words.p_text(p)
    shown = 0.0 if text == "p<0.001" else float(text[2:])
    assert all((shown < limit) == (p < limit) for limit in (0.01, 0.05)) and abs(shown - p) <= 0.001


def test_verdicts_have_the_shapes_of_the_method():
    for word in VERDICTS:
        assert texts(verdict.chip(word)) == MARKS[word] + word and texts(verdict.mark(word)) == MARKS[word]
    assert verdict.chip(None) is None and tuple(MARKS) == verdict.ORDER


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
        [html.Td("甲<b>", colSpan=3, className="x", style={"width": "5%"}), None, 7, ["a", html.B()]],
        id="i",
        title=None,
    )
    assert part == ["div", {"id": "i"}, [
        ["td", {"colspan": "3", "class": "x", "style": "width:5%"}, ["甲<b>"]], "7", ["", {}, ["a", ["b", {}, []]]],
    ]]  # fmt: skip


# --- headline, categories, week, ranking, places -----------------------------------------------------------------------


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
    change = Change(20, 100, -80, -80.0, 1.0, 0.2, "正常波动")
    shown = texts(view_charts.headline("市", page, change))
    assert "日均2.0，对比期1.0" in shown and "−80" not in shown
    ticks = classed(view_charts.categories(page, {"刑事": change}), "tick")
    assert [style(tick, "left") for tick in ticks] == ["50.00%"]  # 100 in 100 days are 10 in 10


def test_category_bars_are_sorted_and_keep_one_category_on_click():
    rows = {"刑事": Change(10, 20, -10, -50.0, -1.8, 0.06, "正常波动"), "交通": Change(40, 30, 10, 33.3, 1.2, 0.2, "正常波动"),
            "火灾": Change(None, None, verdict="无法比较")}  # fmt: skip
    section = view_charts.categories(state(), rows)
    assert [leads_to(a)["category"] for a in links(section)] == [["交通"], ["刑事"], ["火灾"]]
    fills = classed(section, "fill")
    assert [style(fill, "width") for fill in fills] == ["100.00%", "25.00%", "0.00%"]
    assert texts(links(section)[2]).startswith("火灾未报")
    back = links(view_charts.categories(state(categories=("交通",)), {"交通": rows["交通"]}))
    assert "category" not in leads_to(back[0])
    nothing = view_charts.categories(state(), {"火灾": rows["火灾"]})
    assert "没有任何上报" in texts(nothing) and not links(nothing)


def test_the_week_table_shades_by_share_and_states_unknown_hours():
    table = np.zeros((7, 24), dtype=int)
    table[4, 19:22] = 10, 5, 1
    section = view_charts.profile(state(), table, 12, False)
    cells = classed(section, "heat-")
    shades = {int(attributes(c)["class"].split()[0][-1]) for c in cells}
    assert len(cells) == 168 and shades == {0, 1, 3, 5}
    assert "高峰 19—22时，占100%" in texts(section) and "12起钟点不明" in texts(section)
    assert "没有任何上报" in texts(view_charts.profile(state(), table * 0, 0, True))
    assert "钟点都不明" in texts(view_charts.profile(state(), table * 0, 9, False))


def test_the_week_table_shows_the_filter_in_force_and_sets_it():
    table = np.ones((7, 24), dtype=int)
    section = view_charts.profile(state(weekdays=(5,), hours=(22, 1)), table, 0, False)
    inside = {(int(attributes(c)["data-weekday"]), int(attributes(c)["data-hour"])) for c in classed(section, "heat-1 in")
              + classed(section, "heat-5 in")}  # fmt: skip
    assert inside == {(5, 22), (5, 23), (5, 0), (5, 1)}
    heads = links(section)
    assert [leads_to(a).get("weekdays") for a in heads] == [["1"], ["2"], ["3"], ["4"], None, ["6"], ["7"]]


def area(code, count, before=1, difference=1, word="正常波动"):
    name = f"甲街道{code}社区"
    return {"code": code, "name": name, "count": count, "before": before, "difference": difference, "verdict": word}


def test_the_ranking_drills_and_puts_the_unreported_last():
    rows = [area("1", None), area("2", 3), area("3", 9), *(area(f"x{i}", 2) for i in range(9))]
    section = view_charts.ranking(state(compare="none"), "community", rows, "甲街道")
    assert [leads_to(a)["area"] for a in links(section)][:3] == [["3"], ["2"], ["x0"]]
    assert len(links(section)) == view_charts.RANKED
    assert "前8 / 共12 · 未报1" in texts(section) and "甲街道" not in texts(section)
    assert "没有下级" in texts(view_charts.ranking(state(), None, [], "甲"))
    assert "没有社区" in texts(view_charts.ranking(state(), "community", [], "甲"))


def test_the_ranking_by_rise_puts_what_rose_most_first_and_what_is_not_compared_last():
    rows = [area("1", 90, 80, 10), area("2", 30, 5, 25), area("3", 50, 60, -10), area("4", 70, None, None, "无法比较")]
    section = view_charts.ranking(state(), "community", rows, "市")
    by_count, by_rise = (classed(section, f"by-{sort}")[0] for sort in ("count", "rise"))
    assert [leads_to(a)["area"][0] for a in links(by_count)] == ["1", "4", "3", "2"]
    assert [leads_to(a)["area"][0] for a in links(by_rise)] == ["2", "1", "3", "4"]
    buttons = found(section, lambda e: e[0] == "button")
    assert [attributes(b)["data-rank"] for b in buttons] == ["count", "rise"]
    assert not classed(view_charts.ranking(state(compare="none"), "community", rows, "市"), "by-rise")


def test_a_verdict_alone_makes_a_bar_strong():
    rows = [area("1", 9, 3, 6, "明显上升"), area("2", 8, 8, 0), area("3", 7, None, None, "无法比较")]
    bars = classed(classed(view_charts.ranking(state(), "grid", rows, "市"), "by-count"), "fill")
    assert ["strong" in attributes(bar)["class"] for bar in bars] == [True, False, False]


def test_places_are_ranked_and_the_rest_is_said():
    rows = [{"place_type": f"类{i}", "count": 20 - i, "before": 10} for i in range(11)]
    section = view_charts.places(state(), rows, {"state": "reported", "unnamed": 7})
    assert [texts(n) for n in classed(section, "number")] == [str(20 - i) for i in range(8)]
    assert "前8 / 共11" in texts(section) and "另有7起没有场所类型" in texts(section)
    absent = view_charts.places(state(), [], {"state": "absent", "unnamed": 60})
    assert "来源未提供" in texts(absent) and not classed(absent, "number")
    assert "没有任何上报" in texts(view_charts.places(state(), [], {"state": "missing", "unnamed": 0}))


# --- trend ------------------------------------------------------------------------------------------------------------

MONDAY = WEEK[0]


def step(i, count, complete=True, before=None, **band):
    return Step(MONDAY + timedelta(days=i), count, complete, MONDAY + timedelta(days=i - 7), before, **band)


def test_the_trend_breaks_where_missing_and_hollows_what_is_incomplete():
    steps = [step(0, 4, True, 2), step(1, None, True, None), step(2, 0, False, 5)]
    past, now = go.Figure(view_charts.trend_figure(steps, "day", "本周", "上周")).data
    assert list(now.y) == [4, None, 0] and list(past.y) == [2, None, 5]
    assert not now.connectgaps and not past.connectgaps and past.line.dash
    assert list(now.marker.symbol) == ["circle", "circle", "circle-open"]
    assert "未报" in now.customdata[1] and "未完整" in now.customdata[2]
    assert len(go.Figure(view_charts.trend_figure(steps, "day", "本周", None)).data) == 1


def test_the_band_is_drawn_behind_and_what_leaves_it_is_marked_and_said():
    rows = [{"start": str(MONDAY + timedelta(days=i)), "lower": 10.0, "mean": 20.0, "upper": 30.0, "outside": out}
            for i, out in enumerate([None, "above", "below"])]  # fmt: skip
    rows[0] |= {"lower": None, "mean": None, "upper": None}
    steps = with_band([step(0, 15), step(1, 40), step(2, 5), step(3, 9)], rows)
    figure = go.Figure(view_charts.trend_figure(steps, "day", "本周", None))
    band, now, above, below = figure.data
    assert band.type == "bar" and list(band.base) == [None, 10, 10, None] and list(band.y) == [None, 20, 20, None]
    assert (list(above.x), list(above.y), above.marker.symbol) == ([1], [40], "triangle-up")
    assert (list(below.x), list(below.y), below.marker.symbol) == ([2], [5], "triangle-down")
    assert figure.layout.yaxis.range[1] > 40 and "控制带 10—30" in now.customdata[1]
    said = texts(view_charts.trend_caption("day", state(), steps, {"reason": None}))
    assert "11月11日5起，低于控制带10—30，另有1处" in said and "控制带" in texts(classed(
        view_charts.trend_caption("day", state(), steps, {"reason": None}), "caption"))  # fmt: skip


@pytest.mark.parametrize(("kind", "season", "wanted"), [
    ("day", "weekday", "此前16个同一星期几中完整的不足8个"), ("week", None, "此前16周内完整的不足8周"), ("month", None, "此前16月内完整的不足8月"),
])  # fmt: skip
def test_a_trend_without_band_says_why(kind, season, wanted):
    meta = {"reason": "too_few", "band": {"season": season, "reach": 16, "base": 8}}
    shown = view_charts.trend_caption(kind, state(), [step(0, 3)], meta)
    assert wanted in texts(shown) and not classed(shown, "key band")


def test_the_figure_says_from_when_to_when_each_step_lasts_inside_the_window():
    starts = [date(2026, 10, 5), date(2026, 10, 12), date(2026, 10, 19)]
    steps = [Step(start, 1, True) for start in starts]
    window = (date(2026, 10, 7), date(2026, 10, 21))
    meta = go.Figure(view_charts.trend_figure(steps, "week", "本期", None, window)).layout.meta
    assert meta["starts"] == ["2026-10-07", "2026-10-12", "2026-10-19"]
    assert meta["ends"] == ["2026-10-12", "2026-10-19", "2026-10-21"]
    assert go.Figure(view_charts.trend_figure(steps, "week", "本期", None)).layout.meta is None


def test_a_few_days_lead_back_to_their_week():
    short = view_charts.trend_caption("day", state(window=(date(2026, 11, 11), date(2026, 11, 13))))
    assert (leads_to(links(short)[0])["from"], leads_to(links(short)[0])["to"]) == (["2026-11-09"], ["2026-11-16"])
    assert not links(view_charts.trend_caption("day", state()))


# --- disputes and cameras ---------------------------------------------------------------------------------------------


def dispute_meta(**changes):
    """Figures of 武威 2016 (domain.md): 8134 found, 8043 handled, 98.9 %."""
    meta = {
        "sources": [{"id": "w"}], "ignored": [], "periods_missing": 0, "total": {"found": 8134},
        "period": {"from": "2026-11-09", "to": "2026-11-16", "periods": 1, "days": 7},
        "funnel": {"found": 8134, "accepted": None, "handled": 8043, "succeeded": 7000},
        "rates": [
            {"name": "调处率", "formula": "调处数 ÷ 排查数", "numerator": 8043, "denominator": 8134, "pct": 98.88},
            {"name": "受理成功率", "formula": "调处成功数 ÷ 受理数", "numerator": None, "denominator": None, "pct": None},
            {"name": "调处成功率", "formula": "调处成功数 ÷ 调处数", "numerator": 0, "denominator": 0, "pct": None},
        ],
        "ageing": [{"band": "le30", "count": 40}, {"band": "31_90", "count": 0}, {"band": "gt90", "count": None}],
        "categories": [{"category": "邻里", "found": 30, "handled": 20, "succeeded": 9, "before": 40},
                       {"category": "消费", "found": 10, "handled": 9, "succeeded": 9, "before": None}],
    }  # fmt: skip
    return {**meta, **changes}


def test_the_dispute_funnel_gives_each_step_its_share_of_the_one_before():
    section = view_charts.disputes(state(), dispute_meta(), [])
    rows = classed(classed(section, "funnel"), "bar-row")
    assert [texts(row) for row in rows] == ["排查8,134", "受理来源未提供", "调处8,04398.9%", "成功7,00087%"]
    assert [len(classed(row, "fill")) for row in rows] == [1, 0, 1, 1]  # what is not told has no bar
    assert "件 · 2026年11月9日—15日" in texts(section) and not classed(section, "note warn")


def test_three_rates_keep_their_formula_and_base_and_a_base_of_0_has_none():
    section = view_charts.disputes(state(), dispute_meta(), [])
    rates = classed(section, "without-axis")
    assert [texts(rate) for rate in rates] == [
        "调处率98.9%8,043 ÷ 8,134　调处数 ÷ 排查数",
        "调处成功率—0 ÷ 0　调处成功数 ÷ 调处数",
    ]
    assert "来源未提供受理成功率。" in texts(section)


def test_open_disputes_by_age_and_kinds_with_the_period_before():
    section = view_charts.disputes(state(), dispute_meta(), [])
    ages = classed(classed(section, "ageing"), "bar-row")
    assert [texts(row) for row in ages] == ["≤30天40", "31—90天0", ">90天未报"]
    kinds = classed(classed(section, "kinds"), "bar-row")
    assert [texts(row) for row in kinds] == ["邻里30−10", "消费10"]
    assert [style(tick, "left") for tick in classed(kinds, "tick")] == ["100.00%"]
    bare = texts(view_charts.disputes(state(), dispute_meta(
        categories=[], ageing=[{"band": "le30", "count": None}]), []))  # fmt: skip
    assert "来源未提供受理成功率、未化解时长、类型。" in bare


def test_disputes_say_their_period_filters_that_do_not_hold_and_who_is_missing():
    month = {"from": "2026-10-01", "to": "2026-11-01", "periods": 1, "days": 31}
    meta = dispute_meta(period=month, ignored=["category", "hours"], periods_missing=4)
    rows = [{"code": f"99{i}", "name": f"第{i}街", "state": "missing" if i else "zero"} for i in range(6)]
    section = view_charts.disputes(state(), meta, rows)
    shown = texts(section)
    assert "这里是2026年10月，不是所选时段" in shown and "不分类别、时段，这些筛选不起作用" in shown
    assert "缺4个上报期" in shown and "第0街" not in shown and "等5个" in shown
    assert [leads_to(a)["area"] for a in links(section)] == [["991"], ["992"], ["993"]]
    silent = view_charts.disputes(state(), dispute_meta(total=None), rows)
    assert "全部未报" in texts(silent) and not classed(silent, "number")
    assert "没有纠纷来源" in texts(view_charts.disputes(state(), dispute_meta(sources=[]), []))


@pytest.mark.parametrize(("change", "wanted", "unwanted"), [
    (Change(52, 40, 12, 30.0, 1.0, 0.3, "正常波动"), "上一期40件+12+30%p=0.300○正常波动", "基数小"),
    (Change(9, 5, 4, 80.0, 1.0, 0.3, "正常波动"), "基数小", "%p"),
    (Change(9, 5, verdict="无法比较"), "–无法比较", "+"),
    (Change(9, None), "排查", "上一期"),
])  # fmt: skip
def test_disputes_found_stand_beside_the_period_before(change, wanted, unwanted):
    section = view_charts.disputes(state(), dispute_meta(), [], change)
    assert wanted in texts(section)
    assert unwanted not in texts(classed(section, "found"))


def rate(name, numerator, denominator, target):
    pct = 100 * numerator / denominator if denominator else None
    return {"name": name, "numerator": numerator, "denominator": denominator, "pct": pct, "target_pct": target,
            "formula": f"{name}的公式"}  # fmt: skip


CAMERAS = {"rates": [rate("覆盖率", 946, 1000, 100.0), rate("联网率", 981, 1000, 98.0), rate("完好率", 0, 0, 98.0),
                     rate("在线率", 962, 1000, None)],
           "status_at": "2026-11-16T06:00:00", "notes": [{"text": "{n}个摄像机没有覆盖范围", "n": 1200}]}  # fmt: skip


def test_camera_rates_stay_apart_each_against_its_target():
    section = view_charts.cameras(CAMERAS, [])
    rows = classed(section, "rate-row")
    assert [texts(classed(row, "judged")) for row in rows] == ["◆ 差5.4", "✓ 达标", "未评估", "无目标"]
    assert [texts(classed(row, "number")) for row in rows] == ["94.6%", "98.1%", "—", "96.2%"]
    assert texts(classed(rows[0], "made-of")) == "946 ÷ 1,000　覆盖率的公式"
    axis = children(classed(rows[0], "rate-axis")[0])  # from 90 to 100 %
    assert [(attributes(mark)["class"].split()[0], style(mark, "left")) for mark in axis] == [
        ("gap", "46.00%"), ("target", "100.00%"), ("point", "46.00%")]  # fmt: skip
    assert style(axis[0], "width") == "54.00%"
    assert [len(classed(row, "target")) for row in rows] == [1, 1, 1, 0]
    assert "轴90—100%" in texts(section) and "1,200个摄像机没有覆盖范围" in texts(section)


def test_a_low_rate_moves_the_start_of_the_axis_and_the_page_says_so():
    low = {**CAMERAS, "rates": [rate("覆盖率", 35, 100, 100.0), rate("联网率", 99, 100, 100.0)]}
    section = view_charts.cameras(low, [])
    assert "轴30—100%" in texts(section)
    assert style(classed(section, "point")[0], "left") == f"{5 / 70 * 100:.2f}%"


@given(st.integers(0, 2000), st.integers(1, 2000), st.sampled_from([95.0, 98.0, 100.0]))
def test_the_gap_to_a_target_is_what_a_reader_would_subtract(numerator, denominator, target):
    numerator = min(numerator, denominator)
    row = view_charts.cameras({**CAMERAS, "rates": [rate("联网率", numerator, denominator, target)]}, [])
    shown, said = texts(classed(row, "number")), texts(classed(row, "judged"))
    if numerator * 100 >= target * denominator:
        assert said == "✓ 达标"
    else:
        gap = float(said.removeprefix("◆ 差"))
        assert gap == pytest.approx(max(target - float(shown.rstrip("%")), 0.1))


def test_rules_are_listed_and_what_is_not_assessed_is_neither_kept_nor_broken():
    rules = [
        {"rule": "tw1", "words": "交叉路口", "state": "已评估", "passing": 5, "total": 8, "note": ""},
        {"rule": "tw2", "words": "关键节点", "state": "已评估", "passing": 4, "total": 4, "note": ""},
        {"rule": "dw1", "words": "村组", "state": "未评估", "passing": 0, "total": 0, "note": "没有此类场所，未评估"},
    ]
    rows = children(classed(view_charts.cameras(CAMERAS, rules), "rules")[0])
    assert [texts(row) for row in rows] == ["◆交叉路口5 / 862.5%", "✓关键节点4 / 4100%", "– –村组未评估"]


def test_without_cameras_the_card_says_why():
    nothing = {**CAMERAS, "rates": [rate("覆盖率", 0, 0, 100.0)], "notes": [{"text": "没有摄像机", "n": 0}]}
    section = view_charts.cameras(nothing, [])
    assert "没有摄像机" in texts(section) and not classed(section, "rate-row")


# --- rail -------------------------------------------------------------------------------------------------------------

NOTHING = Facets(dict.fromkeys(CATEGORIES, 0), (0,) * 24, 0)


def test_the_rail_counts_each_facet_without_its_own_filter(release, frame):
    page = state(categories=("刑事",), hours=(8, 11))
    rail = view_rail.rail(page, facets(release, page.selection, ALL), AS_OF)
    boxes = classed(rail, "check")
    week = in_window(frame, WEEK, invalid=True)
    span = week["occurred_to"] - week["occurred_from"]
    known = span.isna() | (span <= pd.Timedelta(hours=1))
    hour = week["occurred_from"].dt.hour
    inside = week[known & hour.between(8, 11)]["category"].value_counts()
    shown = {attributes(b)["data-category"]: texts(b[2][-1]) for b in boxes}
    assert shown == {c: str(inside.get(c, 0)) for c in CATEGORIES}
    assert [attributes(b)["aria-checked"] for b in boxes] == ["true"] + ["false"] * 7
    own = week[known & (week["category"] == "刑事")]
    by_hour = own["occurred_from"].dt.hour.value_counts()
    assert facets(release, page.selection, ALL).hours == tuple(by_hour.get(h, 0) for h in range(24))
    ahead = found(rail, lambda c: attributes(c).get("title", "") == "之后没有数据")
    assert len(ahead) == 1  # the next week has not begun


def test_nothing_recorded_without_a_report_is_missing_in_the_rail_and_0_with_one():
    some = dict(NOTHING.categories) | {"刑事": 3}
    for missing, word in ((True, "未报"), (False, "0")):
        rail = view_rail.rail(state(), Facets(some, (0,) * 24, 0, missing), AS_OF)
        assert [texts(b[2][-1]) for b in classed(rail, "check")] == ["3"] + [word] * 7
    rail = view_rail.rail(state(), Facets(None, (0,) * 24, 0), None)
    assert {texts(b[2][-1]) for b in classed(rail, "check")} == {"—"}


@given(st.datetimes(datetime(2019, 1, 1), datetime(2030, 12, 31)))
def test_presets_are_counted_from_the_data_and_hold_its_last_moment(as_of):
    windows = presets(as_of)
    last = as_of - timedelta(microseconds=1)
    for name in ("今日", "本周", "本月", "半月", "本季", "本年"):
        start, end = windows[name]
        assert start <= last.date() < end, name
    for name, days in (("近7天", 7), ("近28天", 28)):
        assert windows[name] == (as_of.date() - timedelta(days=days), as_of.date())
    kinds = {"本周": "week", "本月": "month", "半月": "half", "本季": "quarter", "本年": "year"}
    assert {name: period_kind(windows[name]) for name in kinds} == kinds
    assert windows["今日"][1] - windows["今日"][0] == timedelta(days=1)


def filled(part) -> list[str]:
    """What is chosen among the controls of a part."""
    return [texts(c) for c in found(part, lambda c: "on" in attributes(c).get("class", "").split())]


def test_the_preset_in_force_is_the_only_one_filled():
    rail = view_rail.rail(state(), NOTHING, AS_OF)
    rows = classed(rail, "periods")
    words_of = [texts(item) for row in rows for item in children(row)]
    assert words_of == ["今日", "本周", "近7天", "近28天", "本月", "半月", "本季", "本年", "自定义"]
    assert filled(rows) == ["本周"]  # the last seven days are the same; one is enough
    free = view_rail.rail(state(window=(date(2026, 11, 2), date(2026, 11, 5))), NOTHING, AS_OF)
    assert filled(classed(free, "periods")) == ["自定义"]
    fields = found(free, lambda c: attributes(c).get("id", "") == "date-range")[0]
    assert attributes(fields)["class"] == "dates" and attributes(fields)["data-last"] == "2026-11-04"


def test_comparison_presets_are_those_of_geo_change():
    rail = view_rail.rail(state(window=(date(2026, 2, 16), date(2026, 2, 23))), NOTHING, AS_OF)
    shown = {texts(a): leads_to(a) for a in links(classed(rail, "compare"))}
    assert list(shown) == ["上周", "去年同期", "不比", "春节对齐", "年初至今"]
    assert [shown[name]["compare"] for name in list(shown)[:3]] == [["previous"], ["last_year"], ["none"]]
    assert shown["春节对齐"]["compare"] == ["2025-01-28..2025-02-04"]  # 春节 2026-02-17 and 2025-01-29
    to_date = shown["年初至今"]
    assert (to_date["from"], to_date["to"], to_date["compare"]) == (
        ["2026-01-01"], ["2026-02-23"], ["2025-01-01..2025-02-23"])  # fmt: skip


def test_a_comparison_in_force_is_filled_and_explained():
    aligned = state(window=(date(2026, 2, 16), date(2026, 2, 23)), compare="2025-01-28..2025-02-04")
    section = classed(view_rail.rail(aligned, NOTHING, AS_OF), "compare")
    assert filled(section) == ["春节对齐"]
    assert "按春节对齐：2026年2月17日对2025年1月29日" in texts(section)
    own = state(window=(date(2026, 1, 1), date(2026, 2, 1)), compare="2025-12-01..2026-01-15")
    section = classed(view_rail.rail(own, NOTHING, AS_OF), "compare")
    assert filled(section) == ["自定义"]
    assert "两期天数不同：31天对45天；两期重叠14天" in texts(section)
    fields = found(section, lambda c: attributes(c).get("id", "") == "compare-range")[0]
    assert attributes(fields)["data-from"] == "2025-12-01" and attributes(fields)["data-last"] == "2026-01-14"


POLYGON = "POLYGON((113.60 34.70,113.65 34.70,113.65 34.75,113.60 34.70))"


def test_a_drawn_area_shows_its_size_and_can_be_removed():
    bare = view_rail.rail(state(), NOTHING, AS_OF)
    draws = found(bare, lambda c: "data-draw" in attributes(c))
    assert [attributes(b)["data-draw"] for b in draws] == ["rectangle", "circle", "polygon", "lasso", "extent"]
    assert [texts(b) for b in draws] == [name for _, name in WAYS]
    page = state(polygon=POLYGON)
    rail = view_rail.rail(page, NOTHING, AS_OF)
    remove = [a for a in links(rail) if texts(a) == "移除"]
    assert len(remove) == 1 and "polygon" not in leads_to(remove[0])
    assert "圈定12.7平方公里" in texts(rail)
    chip = links(view_rail.chips(page))
    assert [texts(a) for a in chip] == ["圈定12.7平方公里×"] and "polygon" not in leads_to(chip[0])


@given(st.floats(73, 130), st.floats(18, 50), st.floats(0.01, 0.5))
def test_the_size_of_a_drawn_area_is_that_of_the_ellipsoid(lon, lat, side):
    square = shapely.box(lon, lat, lon + side, lat + side)
    corners = np.array(square.exterior.coords)
    expected = abs(Geod(ellps="GRS80").polygon_area_perimeter(corners[:, 0], corners[:, 1])[0]) / 1e6
    assert area_km2(square.wkt) == pytest.approx(expected, rel=1e-6)
    assert area_km2(square.reverse().wkt) == pytest.approx(area_km2(square.wkt))


def test_saved_views_have_their_place(release):
    place = found(view_rail.rail(state(), NOTHING, None), lambda c: attributes(c).get("id", "") == "saved-views")
    assert len(place) == 1 and attributes(place[0])["data-own"] == "views" and texts(place[0]) == ""


def test_crumbs_climb_to_the_city_and_chips_take_filters_away(release):
    page = state(
        area="990101001001", categories=tuple(c for c in CATEGORIES if c not in ("刑事", INVALID)), weekdays=(6, 7)
    )
    nav = view_rail.crumbs(page, release, Scope.everything())
    assert [leads_to(a).get("area") for a in links(nav)] == [None, ["990101"], ["990101001"]]
    assert texts(nav).endswith("community 990101001001/选网格")
    removable = links(view_rail.chips(page))
    assert [texts(a) for a in removable] == ["类别 不含刑事×", "周六、日×"]
    assert "weekdays" not in leads_to(removable[1]) and "category" in leads_to(removable[1])


@pytest.mark.parametrize(("filters", "text", "parameter"), [
    ({"hours": (22, 5)}, "22—次日6时", "hours"), ({"weekdays": (1,)}, "周一", "weekdays"), ({"polygon": POLYGON}, "圈定", "polygon"),
    ({"categories": ("火灾",)}, "类别 火灾", "category"), ({"compare": "none"}, "不对比", None), ({"compare": "last_year"}, "对比去年同期", None),
    ({"compare": "2026-01-01..2026-02-01"}, "对比 2026年1月", None),
])  # fmt: skip
def test_every_filter_in_force_is_a_chip_that_removes_it(filters, text, parameter):
    page = state(**filters)
    chip = links(view_rail.chips(page))
    assert len(chip) == 1 and text in texts(chip[0])
    after = leads_to(chip[0])
    assert after.get(parameter) is None if parameter else after["compare"] == ["previous"]
    assert not links(view_rail.chips(state()))


# --- drawer -----------------------------------------------------------------------------------------------------------


def test_the_drawer_has_a_tab_for_each_list_and_keeps_the_rest_of_the_state():
    page = replace(state(area="990101"), tab="incidents", measure="gi")
    tabs = view_drawer.tabs(page, "community", {"incidents": 1051})
    assert [texts(a) for a in links(tabs)] == ["社区", "警情 1,051", "热点", "场所", "预警"]
    assert [attributes(a)["aria-selected"] for a in links(tabs)] == ["false", "true", "false", "false", "false"]
    assert leads_to(links(tabs)[2])["tab"] == ["hotspots"] and leads_to(links(tabs)[2])["measure"] == ["gi"]
    assert all("view" in attributes(a)["class"].split() for a in links(tabs))


def test_every_list_has_columns_and_numbers_stand_right():
    for tab in ("units", "incidents", "hotspots", "places", "alerts"):
        columns = view_drawer.columns(tab)
        assert len({c["field"] for c in columns}) == len(columns) and all(c["headerName"] for c in columns)
    right = [c["field"] for c in view_drawer.columns("hotspots") if c.get("type") == "rightAligned"]
    assert right == ["number", "units", "count", "before", "difference", "excess", "q_min"]
    lacking = [c["field"] for c in view_drawer.columns("incidents", ("status", "community"))]
    assert "status" not in lacking and "community" not in lacking and "grid" in lacking


def test_the_head_says_how_many_match_are_shown_and_have_no_point():
    assert view_drawer.head({"matched": 1051, "returned": 500, "unplaced": 3}) == "匹配 1,051 · 显示 500 · 无坐标 3"
    assert view_drawer.head({"matched": 2, "returned": 2, "unplaced": 0}) == "匹配 2 · 显示 2"


def test_hotspots_and_places_become_rows():
    group = {"number": 1, "units": 3, "code": "990101001001001", "name": "甲", "count": 40, "before": 31, "excess": 22.5,
             "classes": {"hot95": 1, "hot99": 2}, "p_min": 0.0, "q_min": 0.001, "lon": 1.0, "lat": 2.0}  # fmt: skip
    rows = view_drawer.hotspot_rows([group, {**group, "before": None}], {"hot99": "热点"})
    assert [(row["word"], row["difference"]) for row in rows] == [("热点", 9), ("热点", None)]
    feature = {"geometry": {"coordinates": [113.6, 34.7]}, "properties": {
        "count": 5, "first": "2026-11-09T01:00:00", "last": "2026-11-15T02:00:00", "share_pct": 1.5,
        "categories": {"治安": 3, "交通": 2}, "category_pct": {}, "grid_code": "1", "grid_name": "第一网格"}}  # fmt: skip
    place = view_drawer.place_rows([json.dumps(feature)])[0]
    assert place["kinds"] == "治安 3、交通 2" and (place["grid"], place["grid_code"]) == ("第一网格", "1")
    fields = {c["field"] for tab in ("hotspots", "places") for c in view_drawer.columns(tab)}
    assert fields <= set(rows[0]) | set(place)
