"""The page and the pictures say the same of one Selection: trend, windows unequally long, percents, peak hours, layers."""

import ast
import json
import pickle
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import small_release as small
from hypothesis import given
from hypothesis import strategies as st
from reading import WEEK, children, classed, in_window, state, style, texts

from dashboard.api.request import whole
from dashboard.compared import before_scale, unequal
from dashboard.extent import outline
from dashboard.json_texts import json_texts
from dashboard.layers import LAYERS, read_layers
from dashboard.measures import CLASSED, CLASSES, MEASURE_NAMES, MEASURES
from dashboard.pages.workbench import answering, callbacks, view_charts, view_map
from dashboard.pages.workbench.state import DEFAULT, PageState, read_state
from dashboard.peak_hours import peak
from dashboard.pictures.chart_drawing import draw_trend
from dashboard.pictures.chart_questions import categories_picture, ranking_picture, trend_picture, week_picture
from dashboard.pictures.heads import change_sentence
from dashboard.pictures.map_questions import map_picture
from dashboard.trend_steps import trend_steps
from dashboard.unit_positions import positions_of
from data.schema import CATEGORIES, INVALID
from data.selection import ParameterError, Selection
from data.store import Scope, counts, profile, trend
from data.store.changes import Change, changes
from data.store.release import weight

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
ALL = Scope.everything()
SEEDS = range(30)


def some_selection(seed: int) -> Selection:
    """A window that is over, and one before it that is as long, or longer or shorter by anything."""
    dice = random.Random(seed * 7919)
    days = dice.randint(1, 60)
    end = date(2026, 11, 16) - timedelta(days=dice.randint(0, 60))
    start = end - timedelta(days=days)
    past = dice.choice([days, round(days * dice.uniform(0.8, 1.25)) or 1, dice.randint(1, 120), dice.randint(1, 120)])
    past_end = start - timedelta(days=dice.randint(0, 30))
    compare = dice.choice(["previous", *[f"{past_end - timedelta(days=past)}..{past_end}"] * 3])
    return Selection(
        start, end, dice.choice([None, None, None, "990101", "990101001"]), compare,
        dice.choice([(), (), ("治安",), tuple(c for c in CATEGORIES if c != INVALID)[:3]]),
        dice.choice([None, None, (18, 23)]), dice.choice([(), (), (1, 2), (6, 7)]),
    )  # fmt: skip


# --- the trend --------------------------------------------------------------------------------------------------------


def test_weekdays_left_out_are_gaps_in_page_and_picture_and_neither_zero_nor_unreported(release, frame):
    selection = replace(state().selection, weekdays=(1, 2))
    shown, head = trend_picture(release, selection, ALL, NOW, "day")
    assert shown.steps == tuple(trend_steps(release, selection, ALL, "day").steps)
    daily = in_window(frame, WEEK)["occurred_from"].dt.date.value_counts()
    before = in_window(frame, (WEEK[0] - timedelta(days=7), WEEK[0]))["occurred_from"].dt.date.value_counts()
    days = [WEEK[0] + timedelta(days=i) for i in range(7)]
    assert [s.count for s in shown.steps] == [daily[day] for day in days[:2]] + [None] * 5
    assert [s.before for s in shown.steps] == [before[day - timedelta(days=7)] for day in days[:2]] + [None] * 5
    assert [s.left_out for s in shown.steps] == [False] * 2 + [True] * 5
    figure = draw_trend(shown, head)
    assert not any(patch.get_hatch() for patch in figure.axes[0].patches)  # 未报 is hatched
    assert not any("未报" in text.get_text() for text in figure.texts)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("step", ["day", "week", "month"])
def test_steps_stand_beside_the_first_of_the_compared_window(release, seed, step):
    selection = replace(some_selection(seed), weekdays=())
    shown, _ = trend_picture(release, selection, ALL, NOW, step)
    assert shown.steps == tuple(trend_steps(release, selection, ALL, step).steps)
    start, end = selection.compare_window
    rows = trend(release, replace(selection, start=start, end=end, compare="none"), ALL, step).rows.to_pandas()
    past = rows.groupby("start", sort=True)["count"].sum()
    drawn = [(s.before_start, s.before) for s in shown.steps if s.before_start]
    wanted = [(date.fromisoformat(day), n) for day, n in past.items()][: len(shown.steps)]
    assert [day for day, _ in drawn] == [day for day, _ in wanted]
    # Only the last step that is drawn may be cut, and only by the end of the window itself.
    assert drawn == wanted


@pytest.mark.parametrize("step", ["day", "week", "month"])
def test_a_very_long_compared_window_is_cut_to_what_is_drawn(release, step, store, monkeypatch):
    selection = replace(state().selection, compare="1950-01-01..2199-12-31")
    with pytest.raises(ParameterError):  # so many steps are refused by themselves
        trend(release, replace(selection, start=date(1950, 1, 1), end=date(2199, 12, 31)), ALL, "day")
    steps = trend_steps(release, selection, ALL, step).steps
    assert len(steps) == {"day": 7, "week": 1, "month": 1}[step] and steps[0].before_start <= date(1950, 1, 1)
    assert trend_picture(release, selection, ALL, NOW, step)[0].steps == tuple(steps)
    monkeypatch.setattr(callbacks, "caller_scope", lambda: ALL)
    side, figure = callbacks.show_side(store, {"search": "?" + selection.to_query()})
    assert figure["data"] and side["workbench-categories"]


# --- windows unequally long, percents ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_page_and_picture_measure_a_change_alike(release, seed):
    selection = some_selection(seed)
    page = PageState(selection)
    answer = changes(release, selection, ALL)
    total = answer.total
    headline = texts(view_charts.headline("甲", page, total))
    bars, head = categories_picture(release, selection, ALL, NOW)
    start, end = selection.compare_window
    past_days = (end - start).days
    if total.difference is not None and unequal(selection):
        daily = f"日均{total.now / selection.days:,.1f}，"
        assert daily in headline and daily in head.finding
        assert f"{total.before / past_days:,.1f}" in head.finding
        assert "%" not in head.finding and "%" not in headline and "基数小" not in head.finding
        assert "按天数折算" in bars.unit
    elif total.difference is not None and total.before:
        share = "基数小" if total.before < 10 else "%"
        assert share in headline and share in head.finding and "日均" not in head.finding
        assert "按天数折算" not in bars.unit
    section = view_charts.categories(page, answer.categories)
    assert texts(classed(section, "caption")[0]) == bars.unit
    top = max(max(bar.value or 0, bar.before or 0) for bar in bars.rows) or 1
    ticks = [f"{bar.before / top * 100:.2f}%" for bar in bars.rows if bar.before is not None]
    assert [style(tick, "left") for tick in classed(section, "tick")] == ticks
    assert [texts(one) for one in classed(section, "change")] == [bar.difference for bar in bars.rows]
    ranked, _ = ranking_picture(release, selection, ALL, NOW, "grid")
    rows = counts(release, selection, ALL, "grid").rows.to_pylist()
    rows.sort(key=lambda row: (row["count"] is None, -(row["count"] or 0), row["code"]))
    assert ranked.unit == bars.unit and ranked.rows
    for bar, row in zip(ranked.rows, rows, strict=False):
        past = row["before"]
        assert (bar.name, bar.value) == (row["name"], row["count"])
        assert bar.before == (None if past is None else pytest.approx(past * before_scale(selection)))


@given(st.integers(1, 400), st.integers(1, 400))
def test_a_tick_is_moved_exactly_where_differences_are_left_out(days, past):
    start = date(2026, 1, 1)
    compare = f"{start - timedelta(days=past)}..{start}"
    selection = Selection(start, start + timedelta(days=days), compare=compare)
    apart = past / days < 0.9 or past / days > 1.11
    assert unequal(selection) == apart
    assert before_scale(selection) == (days / past if apart else 1.0)


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from(["previous", "2024-01-01..2024-06-01"]))
def test_the_headline_and_the_finding_have_the_same_words(now, before, compare):
    page = state(compare=compare)
    percent = (now - before) * 100 / before if before else None
    change = Change(now, before, now - before, percent, 1.0, 0.2, "正常波动")
    told = [texts(one) for one in children(classed(view_charts.headline("甲", page, change), "delta")[0])]
    sentence = change_sentence(change, page.selection)
    if not before and compare == "previous":
        assert told[0].startswith("上周") and "%" not in sentence and "基数小" not in sentence
    else:
        assert all(part in sentence for part in told)
        assert ("%" in sentence) == any("%" in part for part in told)
    assert ("日均" in sentence) == unequal(page.selection) == told[0].startswith("日均")


# --- peak hours -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_page_and_picture_name_the_same_peak(release, seed):
    selection = some_selection(seed)
    _, head = week_picture(release, selection, ALL, NOW)
    table = profile(release, selection, ALL).rows["count"].to_numpy().reshape(7, 24)
    if not table.sum():
        assert "高峰" not in head.finding
        return
    section = texts(view_charts.profile(PageState(selection), table, 0, False))
    words = head.finding.split("；")[1]
    assert words.startswith("高峰") and words in section


def test_a_peak_ends_where_its_last_hour_does():
    table = np.zeros((7, 24), dtype=int)
    table[4, 18:21] = 10, 5, 1
    table[2, 3] = 4
    assert peak(table) == (18, 21, 16)


# --- layers, measures --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["kde:60,labels", "", "water", "kde:100", ",".join(LAYERS)])
def test_page_and_picture_read_the_same_layers(release, text):
    page = read_state(f"?layers={text}", release)
    assert [(one.name, one.opacity_pct) for one in page.layers] == list(read_layers(text))


@pytest.mark.parametrize("text", ["sky", "kde:101", "kde:-1", "kde,kde", "kde:6x", "kde:", "kde:６０"])
def test_page_and_picture_refuse_the_same_layers(release, text):
    for read in (read_layers, lambda given: read_state(f"?layers={given}", release)):
        with pytest.raises(ParameterError) as refused:
            read(text)
        assert refused.value.parameter == "layers" and all(name in refused.value.allowed for name in LAYERS)


def test_every_layer_is_drawn_on_paper_or_named_as_not_drawn(release):
    layers = tuple((name, 100) for name in LAYERS)
    _, head = map_picture(release, state().selection, ALL, NOW, level="grid", layers=layers)
    absent = head.foot.split("图上没有这些图层：")[1].split(" · ")[0]
    assert absent and not any(name in absent for name in LAYERS)  # in the reader's words
    assert {one.name for one in DEFAULT} <= set(LAYERS)


def test_every_measure_has_a_name_and_those_with_classes_have_theirs():
    assert set(MEASURE_NAMES) == set(MEASURES) and set(CLASSES) == set(CLASSED)


# --- what is imported when --------------------------------------------------------------------------------------------


def test_a_server_starts_without_matplotlib():
    code = ("import sys, dashboard.app; from dashboard.pages import workbench; "
            "sys.exit('matplotlib' in sys.modules)")  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_nothing_but_the_app_imports_a_page():
    wrong = set()
    for path in (ROOT / "dashboard").rglob("*.py"):
        if "pages" in path.relative_to(ROOT).parts or path.name == "app.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dashboard.pages"):
                wrong.add(str(path.relative_to(ROOT)))
    assert wrong == set()


# --- what the page keeps ----------------------------------------------------------------------------------------------


def test_a_kept_answer_is_weighed_and_nobody_shares_it(release):
    asked = []

    @answering.kept
    def deep(_release, scope, text):
        asked.append(text)
        answer = text
        for number in range(12):
            answer = ["div", {"class": scope.areas}, [answer, f"{number:02}" * 5_000]]
        return {"part": answer}

    before = release._bytes
    first = deep(release, ALL, "a")
    grown = release._bytes - before
    assert grown == weight(pickle.dumps(first)) > 120_000
    first["part"][2].append("changed by its asker")
    second = deep(release, ALL, "a")
    assert second != first and asked == ["a"]
    assert deep(release, Scope(("990101",)), "a") != second and asked == ["a", "a"]


# --- one way to ask ---------------------------------------------------------------------------------------------------


def test_positions_are_those_of_the_codes(release):
    rows = counts(release, replace(state().selection, area="990102"), ALL, "grid").rows
    codes = release.units.level("grid").codes
    assert [codes[i] for i in positions_of(release, "grid", rows["code"])] == rows["code"].to_pylist()


def test_an_outline_is_that_of_its_area(release):
    place = release.units.find("990101001")
    drawn = json.loads(outline(release, place))
    points = np.array([point for ring in drawn["coordinates"] for point in np.array(ring).reshape(-1, 2)])
    bounds = release.units.level("street").bounds[place.position]
    assert [*points.min(axis=0), *points.max(axis=0)] == pytest.approx(bounds.tolist(), abs=1e-6)


def test_disputes_can_be_shown_only_where_a_source_has_lines(release, tmp_path):
    assert not view_map.has_disputes(release)
    stated = small.info()
    silent = replace(stated.sources[0], source_id="jf", kind="dispute")
    small.publish(tmp_path, None, stated=replace(stated, sources=(silent,), data_as_of=None))
    with small.opened(tmp_path) as opened:
        assert not view_map.has_disputes(opened)


@pytest.mark.parametrize(
    "text", ["", "0", "61", "-1", "+1", "1.0", "1e1", " 5", "5\n", "５", "٣", "1_0", "99999999999"]
)
def test_a_whole_number_is_digits_within_its_bounds(text):
    with pytest.raises(ParameterError) as refused:
        whole("count", text, 1, 60)
    assert (refused.value.parameter, refused.value.value) == ("count", text) and "1 至 60" in refused.value.allowed
    assert [whole("count", good, 1, 60) for good in ("1", "60", "007")] == [1, 60, 7]


@given(st.lists(st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), max_size=6))
def test_times_and_days_are_iso_text_in_answers_and_exports(times):
    times = [None if one is None else one.replace(microsecond=0) for one in times]
    column = pa.chunked_array([pa.array(times, pa.timestamp("us"))])
    wanted = [None if one is None else one.isoformat() for one in times]
    assert [json.loads(text) for text in json_texts(column).to_pylist()] == wanted
    days = pa.chunked_array([pa.array([one and one.date() for one in times], pa.date32())])
    assert [json.loads(text) for text in json_texts(days).to_pylist()] == [one and one[:10] for one in wanted]
