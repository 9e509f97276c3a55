"""The wall's page and addresses: escaped, scoped, configured, refused in one line."""

import json
import re
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
import small_release as small
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from dashboard.app import create_app
from dashboard.components import html
from dashboard.pages.screen import view_alerts, view_trend, view_week
from dashboard.pages.workbench import view_drawer
from dashboard.settings import Settings
from dashboard.settings_file import ScreenTable
from data.store import Scope
from data.store.alerts import Alert

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::starlette.exceptions.StarletteDeprecationWarning"
)
WEEK = (datetime(2026, 11, 9), datetime(2026, 11, 16))
EVIL = "<script>alert('&')</script>"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    directory = tmp_path_factory.mktemp("workspace")
    areas = small.areas(small.grids())
    areas["name"] = areas["name"].where(areas["level"] != "community", EVIL)
    small.publish(directory / "releases", small.incidents(6000), area=areas)
    return directory


def client(workspace, **screen):
    settings = Settings(workspace=workspace, open_mode=True, screen=ScreenTable(**screen))
    return TestClient(create_app(settings).server, base_url="http://127.0.0.1:8050")


def test_names_are_text_and_never_markup(workspace):
    page = client(workspace).get("/screen").text
    assert EVIL not in page and "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;" in page
    assert page.count("<script") == page.count("</script>")


@given(st.text(), st.text())
def test_any_text_survives_as_html(text, attribute):
    said = html.to_text(html.Span([text, None, 7], title=attribute))
    match = re.fullmatch(r'<span title="([^"]*)">(.*)7</span>', said, re.S)
    assert match and "<" not in match[2] and ">" not in match[2]


@pytest.mark.parametrize(("search", "status", "named"), [
    ("area=1", 404, "area"), ("wall=big", 422, "wall"), ("rotate=5", 422, "rotate"), ("theme=red", 422, "theme"),
    ("show=heat", 422, "show"), ("colour=1", 422, "colour"), ("dim=late", 422, "dim"), ("fit=stretch", 422, "fit"), ("reading=far", 422, "reading"),
])  # fmt: skip
def test_a_bad_address_is_refused_in_words(workspace, search, status, named):
    answer = client(workspace).get(f"/screen?{search}")
    assert answer.status_code == status and f"位置: {named}" in answer.text and "Traceback" not in answer.text


def test_settings_decide_title_themes_and_cards(workspace):
    own = client(
        workspace,
        title="平安指挥",
        themes=["change", "grid"],
        cards=["火灾"],
        walls={"main": "6656x1792"},
        theme="light",
    )
    page = own.get("/screen?wall=main").text
    assert "<h1>平安指挥</h1>" in page and 'data-theme="light"' in page
    assert re.findall(r'data-theme-name="(\w+)"', page) == ["change", "grid"]
    assert re.findall(r'<span class="label">([^<]+)', page) == ["有效警情", "火灾"]


def test_a_drill_stays_inside_the_area_of_the_wall(workspace):
    c = client(workspace)
    assert c.get("/screen/drill?code=990101001").status_code == 200
    assert c.get("/screen/drill?area=990102&code=990101001").status_code == 422
    assert c.get("/screen/drill?code=xx").status_code == 404


def test_a_limited_visitor_sees_his_own_and_nothing_else(workspace, monkeypatch):
    c = client(workspace)
    monkeypatch.setattr("dashboard.guard.scope_of", lambda request: Scope(("990102",)))
    state = c.get("/screen/state").json()
    own = c.get("/screen/state?area=990102").json()
    count = re.compile(r'"count"\}, \["([\d,]+)"')
    assert count.search(json.dumps(state["parts"]["kpis"]))[1] == count.search(json.dumps(own["parts"]["kpis"]))[1]
    for path in ("state?area=990101", "drill?code=990101001", "theme?name=grid&area=990101", "slow?area=990103"):
        assert c.get(f"/screen/{path}").status_code == 403
    told = json.dumps(state, ensure_ascii=False) + c.get("/screen/theme?name=hotspots").text
    assert "990101" not in told and "990103" not in told


def test_without_a_session_nothing_of_the_wall_answers(workspace):
    c = TestClient(
        create_app(Settings(workspace=workspace)).server, base_url="http://127.0.0.1:8050", follow_redirects=False
    )
    assert c.get("/screen").status_code == 303
    for path in ("/screen/state", "/screen/theme?name=grid", "/live"):
        assert c.get(path).status_code == 401


def test_nothing_published_is_said(tmp_path):
    answer = client(tmp_path).get("/screen")
    assert answer.status_code == 503 and "yanpan etl" in answer.text


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_marks_hold_every_value_and_are_few(a, b):
    marks = view_trend._marks(min(a, b), max(a, b))
    assert marks[0] <= min(a, b) and marks[-1] >= max(a, b) and len(marks) <= 6
    assert np.allclose(np.diff(marks), np.diff(marks)[:1] if len(marks) > 1 else [])


@given(st.integers(1, 5000))
def test_week_classes_are_whole_and_apart(most):
    limits = view_week._limits(most)
    assert limits[0] == 1 and limits == sorted(set(limits)) and limits[-1] <= most and len(limits) <= 5


def test_a_week_of_nothing_is_not_a_week_of_noughts():
    assert "未报" in html.to_text(view_week.week(np.zeros((7, 24), int), True)) or "没有任何上报" in html.to_text(
        view_week.week(np.zeros((7, 24), int), True)
    )
    assert "没有事件" in html.to_text(view_week.week(np.zeros((7, 24), int), False))


ALERTS = [
    (
        "above",
        "990101",
        {"category": "治安", "count": 1234, "upper": 900, "mean": 800.0},
        "突升",
        "1,234起，控制上限900",
    ),
    ("above", None, {"category": None, "count": 9, "upper": 5, "mean": 3.0}, "突升", "全市 全部 9起"),
    (
        "hotspot",
        "990102001001",
        {"place": "甲", "count": 12, "before": None, "number": 1, "q": 0.01},
        "新热点",
        "甲 12起",
    ),
    ("silent", None, {"source": "jq", "data_as_of": None}, "停报", "来源jq停报"),
    (
        "offline",
        "990102001001",
        {"place": "甲", "offline": 2, "cameras": 5, "number": 1},
        "离线",
        "2台摄像机离线（共5台）",
    ),
]


@pytest.mark.parametrize(("kind", "code", "evidence", "named", "said"), ALERTS)
def test_every_kind_of_alert_has_words_on_the_wall_and_in_the_list(kind, code, evidence, named, said):
    alert = Alert("k", kind, code, None if code is None else "甲", "high", evidence, (WEEK[0], WEEK[1]), WEEK[1])
    line = html.to_text(view_alerts.strip([alert], {}, [], date(2026, 1, 1)))
    (row,) = view_drawer.alert_rows([alert], {})
    assert named in line and said in line and row["kind"] == named and said in row["words"]
    assert row["severity"] == "▲ 高" and row["window"] == "11月9日—15日" and row["code"] == code


def test_sources_that_know_only_months_are_shown_by_the_month(tmp_path):
    stated = small.info()
    monthly = replace(stated, sources=tuple(replace(one, precision="month", cadence="month") for one in stated.sources))
    small.publish(tmp_path / "releases", small.incidents(6000).assign(recorded_at=pd.NaT), stated=monthly)
    page = client(tmp_path).get("/screen").text
    assert "近12月有效警情" in page and "近12周" not in page and "起/月" in page
    assert len(re.findall(r'class="point', page)) >= 12 and "2026年10月" in page


def test_a_place_that_outlines_its_districts_alone_has_a_map(tmp_path):
    """Open boundaries of real cities: streets and communities by name, districts by outline, nothing else."""
    areas = small.areas(small.grids())
    areas["geom"] = areas["geom"].where(areas["level"] == "district", None)
    small.publish(
        tmp_path / "releases", small.incidents(0), grid=pd.DataFrame(), area=areas, stated=small.info(sources=())
    )
    c = client(tmp_path)
    told = c.get("/screen/state").json()["map"]
    assert told["land"] == "district"
    assert told["names"] == {"level": "district", "codes": ["990101", "990102", "990103"]}
    for theme in ("grid", "change"):
        found = c.get(f"/screen/theme?name={theme}").json()
        assert found["caption"] == "本发布没有事件来源。" and found["legend"] is None and "level" not in found


def test_names_on_the_map_are_those_inside_the_area(workspace):
    names = client(workspace).get("/screen/state?area=990102").json()["map"]["names"]
    assert names["level"] == "street" and names["codes"] and all(code.startswith("990102") for code in names["codes"])
