"""dashboard: maps and charts drawn on the server: their numbers, colours, words, and that all of it fits the page."""

import importlib.util
import io
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import shapely
from fastapi import FastAPI
from fastapi.testclient import TestClient
from matplotlib.font_manager import findfont, get_font
from matplotlib.text import Text
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import small_release as small

from dashboard import api, errors
from dashboard.measures import MEASURES
from dashboard.pictures import PICTURES, lettering
from dashboard.pictures.chart_drawing import draw_bars, draw_trend
from dashboard.pictures.chart_frames import Bar, BarFrame, TrendFrame
from dashboard.pictures.chart_questions import categories_picture, ranking_picture, trend_picture, week_picture
from dashboard.pictures.drawn import draw
from dashboard.pictures.files import picture
from dashboard.pictures.map_drawing import draw_map
from dashboard.pictures.map_frame import HATCHED, PLAIN
from dashboard.pictures.map_questions import map_picture
from dashboard.pictures.page import CHART, Head
from dashboard.pictures.palette import LIGHT
from dashboard.trend_steps import Step
from data.store import Scope, Store
from data.store.class_limits import class_limits
from data.store.metres import in_metres

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
EVERYTHING = Scope.everything()
WEEK = [("from", "2026-11-02"), ("to", "2026-11-09")]
LONG = "新城经济技术开发区滨河东路街道第二十七社区居民委员会第一百零八网格（专属）"
ASKED = [("map", {"measure": measure, "level": "grid"}) for measure in MEASURES]
ASKED += [("map", {"level": "street", "layers": "water,building,road,kde:70,labels,incidents,repeat_places,hotspots,cameras"}),
          *((name, {}) for name in PICTURES)]  # fmt: skip


@pytest.fixture(scope="module")
def frame():
    return small.incidents(6000)


@pytest.fixture(scope="module")
def releases(tmp_path_factory, frame):
    directory = tmp_path_factory.mktemp("workspace") / "releases"
    sheet = small.weekly_sheet({("990101001", 95): "missing"})
    frame = frame[~((frame["street_code"] == "990101001") & (frame["occurred_from"] >= "2026-11-02")
                    & (frame["occurred_from"] < "2026-11-09") )]  # fmt: skip
    sources = tuple(source for source in small.info().sources if source.source_id == "wg")
    frame = frame.assign(source_id="wg", recorded_at=pd.NaT)
    small.publish(directory, frame, sheet=sheet, stated=small.info(sources=sources))
    return directory


@pytest.fixture(scope="module")
def release(releases):
    with small.opened(releases) as opened:
        yield opened


def of(frame, start, end):
    """Incidents of a window that count."""
    begin = frame["occurred_from"]
    kept = (begin >= start) & (begin < end) & (frame["category"] != "无效")
    silent = (frame["street_code"] == "990101001") & (begin >= "2026-11-02") & (begin < "2026-11-09")
    return frame[kept & ~silent]


def texts(figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]


def boxes(figure) -> list[tuple[str, object]]:
    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    return [(text.get_text(), text.get_window_extent(renderer)) for text in texts(figure)]


def fits(figure) -> None:
    """Every text lies on the page, and texts of the page itself touch none of the others."""
    whole = figure.bbox
    placed = boxes(figure)
    for text, box in placed:
        assert box.x0 >= whole.x0 - 0.5 and box.x1 <= whole.x1 + 0.5, text
        assert box.y0 >= whole.y0 - 0.5 and box.y1 <= whole.y1 + 0.5, text
    own = {id(text): text for text in figure.texts}
    renderer = figure.canvas.get_renderer()
    page = [(text.get_text(), text.get_window_extent(renderer).padded(-0.6)) for text in own.values()]
    for number, (text, box) in enumerate(page):
        for other, box_of_other in page[number + 1 :]:
            assert not box.overlaps(box_of_other), (text, other)


def test_palette_is_that_of_the_pages():
    css = (ROOT / "dashboard/assets/1_tokens.css").read_text("utf-8")
    root = re.search(r":root \{(.*?)\}", css, re.DOTALL)[1]
    tokens = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", root))
    assert {name: tokens.get(name) for name in LIGHT} == LIGHT


@pytest.mark.parametrize(
    ("name", "own"), ASKED, ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else value
)
def test_every_picture_fits_its_page_and_shows_no_empty_boxes(release, name, own):
    for pairs in (
        WEEK,
        [*WEEK, ("area", "990101")],
        [("from", "2027-01-04"), ("to", "2027-01-11")],
        [*WEEK, ("category", "火灾"), ("hours", "3-4"), ("polygon", shapely.box(113.61, 34.71, 113.63, 34.73).wkt)],
    ):
        figure, head = draw(release, release.selection(pairs), EVERYTHING, name, own, NOW)
        fits(figure)
        shown = "".join(text.get_text() for text in texts(figure))
        known = get_font(findfont(lettering.font(9))).get_charmap()
        assert not {character for character in shown if ord(character) not in known and not character.isspace()}
        assert "r20261116-060000" in head.foot and "内部使用" in head.foot and "2026-11-16 00:00" in head.foot
        assert "合成数据" in head.tags
        assert "内部使用" in shown and "合成数据" in shown and "r20261116-060000" in shown


def test_formats_and_sizes(release):
    figure, head = draw(release, release.selection(WEEK), EVERYTHING, "map", {}, NOW)
    image = Image.open(io.BytesIO(picture(figure, "png", title=head.title, description=head.foot)))
    assert abs(image.width - 297 / 25.4 * 300) <= 1 and abs(image.height - 210 / 25.4 * 300) <= 1
    assert image.info["Description"] == head.foot and image.info["Title"] == head.title
    tree = ElementTree.fromstring(picture(figure, "svg", title=head.title, description=head.foot))
    assert tree.tag.endswith("svg") and "r20261116-060000" in "".join(tree.itertext())
    figure, _ = draw(release, release.selection(WEEK), EVERYTHING, "trend", {}, NOW)
    image = Image.open(io.BytesIO(picture(figure, "png")))
    assert abs(image.width - CHART[0] / 25.4 * 300) <= 1


@pytest.mark.parametrize("level", ["street", "grid"])
def test_units_have_the_colour_of_their_count(release, frame, level):
    selection = release.selection(WEEK)
    found, head = map_picture(release, selection, EVERYTHING, NOW, level=level)
    counted = of(frame, "2026-11-02", "2026-11-09")[f"{level}_code"].value_counts()
    limits = class_limits(release, selection, EVERYTHING, level).count
    for code, colour in zip(release.units.level(level).codes, found.colours, strict=True):
        number = int(counted.get(code, 0))
        if code.startswith("990101001"):
            assert colour == HATCHED
        else:
            assert colour == f"count-{sum(number >= limit for limit in limits)}"
    assert (
        f"共{counted.sum() + int(of(frame, '2026-11-02', '2026-11-09')['grid_code'].isna().sum()):,}起" in head.finding
    )
    assert [row.value for row in found.ranked[:3]] == [f"{n:,}" for n in sorted(counted, reverse=True)[:3]]
    assert any(swatch.colour == HATCHED and "未报" in swatch.words for swatch in found.legends[0].swatches)


def test_missing_units_are_drawn_hatched(release):
    found, head = map_picture(release, release.selection(WEEK), EVERYTHING, NOW, level="street", layers=())
    fill, line = (tuple(int(LIGHT[name][i : i + 2], 16) for i in (1, 3, 5)) for name in ("warn-fill", "warn"))

    def pixels(frame):
        image = np.asarray(Image.open(io.BytesIO(picture(draw_map(frame, head), "png"))).convert("RGB")).astype(int)
        middle = image[400:-300, 200:2400]
        return [int((np.abs(middle - colour).sum(axis=2) < 12).sum()) for colour in (fill, line)]

    filled, lined = pixels(found)
    assert filled > 10_000 and lined > 2_000
    plain = np.where(found.colours == HATCHED, PLAIN, found.colours)
    assert pixels(type(found)(**{**vars(found), "colours": plain})) == [0, 0]


def test_a_map_shows_nothing_outside_the_scope(release):
    scope = Scope(("990101",))
    grid = small.grids()
    inside = shapely.from_wkb(grid.loc[grid["district_code"] == "990101", "geom"].to_numpy())
    allowed = in_metres(release, shapely.union_all(inside)).buffer(1.0)
    for own in ({"level": "grid"}, {"level": "street"}):
        found, _ = map_picture(
            release,
            release.selection(WEEK),
            scope,
            NOW,
            layers=(("kde", 100), ("labels", 100), ("incidents", 100)),
            **own,
        )
        drawn = [*found.shapes, *found.land, *(shape for shapes, _, _ in found.borders for shape in shapes)]
        drawn += [shape for overlay in found.overlays for shape in overlay.shapes]
        assert not [shape for shape in drawn if not shape.is_empty and not allowed.covers(shape)]
        points = np.concatenate([overlay.xy for overlay in found.overlays])
        assert len(points) and shapely.contains_xy(allowed, points).all()
        assert not any("99010" in label.text and "990101" not in label.text for label in found.labels)


def test_points_drawn_are_those_selected(release, frame):
    found, head = map_picture(
        release, release.selection(WEEK), EVERYTHING, NOW, level="grid", layers=(("incidents", 100),)
    )
    part = of(frame, "2026-11-02", "2026-11-09")
    assert len(found.overlays[0].xy) == part["x"].notna().sum()
    assert f"没有坐标 {part['x'].isna().sum()} 起" in head.foot
    assert f"未落入任何网格 {part['grid_code'].isna().sum()} 起" in head.foot


def test_what_cannot_be_drawn_is_named(release):
    _, head = map_picture(
        release, release.selection(WEEK), EVERYTHING, NOW, level="grid", layers=(("cameras", 100), ("blind", 50))
    )
    assert "图上没有这些图层：摄像机、盲区" in head.foot


def test_density_stands_on_plain_ground_unless_a_measure_is_asked_for(release):
    selection = release.selection([("from", "2026-06-01"), ("to", "2026-09-01")])
    alone, head = map_picture(release, selection, EVERYTHING, NOW, level="grid", layers=(("kde", 100),))
    both, _ = map_picture(release, selection, EVERYTHING, NOW, level="grid", measure="count", layers=(("kde", 100),))
    assert set(alone.colours) == {PLAIN} and "核密度" in head.title and len(alone.legends) == 1
    assert set(both.colours) != {PLAIN} and len(both.legends) == 2
    assert "起 / 平方公里" in alone.legends[0].unit and "带宽" in alone.legends[0].note


def test_the_scale_bar_is_as_long_as_it_says(release):
    found, head = map_picture(release, release.selection(WEEK), EVERYTHING, NOW, level="grid", layers=())
    axes = draw_map(found, head).axes[0]
    label = next(text.get_text() for text in axes.texts if text.get_text().endswith(("千米", "米")))
    number, unit = label.split()
    metres = float(number) * (1000 if unit == "千米" else 1)
    bar = max(
        (line for line in axes.lines if line.get_transform() == axes.transAxes),
        key=lambda line: np.ptp(line.get_xdata()),
    )
    assert np.ptp(bar.get_xdata()) * np.ptp(axes.get_xlim()) == pytest.approx(metres)
    width, height = axes.get_position().size * axes.figure.get_size_inches()
    assert np.ptp(axes.get_xlim()) / width == pytest.approx(np.ptp(axes.get_ylim()) / height)


def test_chart_numbers_equal_a_count_by_pandas(release, frame):
    selection = release.selection([("from", "2026-08-03"), ("to", "2026-10-05")])
    now, before = of(frame, "2026-08-03", "2026-10-05"), of(frame, "2026-06-01", "2026-08-03")
    week, head = week_picture(release, selection, EVERYTHING, NOW)
    exact = now[now["occurred_to"].isna() | (now["occurred_to"] - now["occurred_from"] <= pd.Timedelta(hours=1))]
    expected = np.zeros((7, 24), dtype=int)
    np.add.at(expected, (exact["occurred_from"].dt.day_of_week, exact["occurred_from"].dt.hour), 1)
    assert (week.counts == expected).all() and f"共{len(exact):,}起" in head.finding
    assert f"钟点不明 {len(now) - len(exact)} 起" in head.foot
    bars, _ = categories_picture(release, selection, EVERYTHING, NOW)
    assert {bar.name: bar.value for bar in bars.rows} == now["category"].value_counts().to_dict()
    assert {bar.name: bar.before for bar in bars.rows} == before["category"].value_counts().to_dict()
    ranked, _ = ranking_picture(release, selection, EVERYTHING, NOW, "grid")
    top = now["grid_code"].value_counts()
    assert [bar.value for bar in ranked.rows] == sorted(top, reverse=True)[: len(ranked.rows)]
    assert ranked.total == 24
    steps, head = trend_picture(release, selection, EVERYTHING, NOW, "week")
    by_week = now.groupby(now["occurred_from"].dt.to_period("W-SUN").dt.start_time).size()
    assert {pd.Timestamp(step.start): step.count for step in steps.steps} == by_week.to_dict()
    assert sum(step.before for step in steps.steps) == len(before)
    assert f"共{len(now):,}起" in head.finding


def test_steps_without_a_report_are_a_hatched_gap(release):
    frame, head = trend_picture(
        release, release.selection([("from", "2026-11-09"), ("to", "2026-11-30")]), EVERYTHING, NOW, "week"
    )
    assert [step.count is None for step in frame.steps] == [False, True, True]
    axes = draw_trend(frame, head).axes[0]
    assert sum(bool(patch.get_hatch()) for patch in axes.patches) == 1
    assert np.isnan(axes.lines[-1].get_ydata()).sum() in (0, 2)


def test_long_names_and_large_numbers_fit():
    head = Head(
        f"{LONG}　{LONG} · 2026年第46周",
        "共1,234,567起，" * 30,
        LONG * 8,
        " · ".join([LONG] * 12),
        ("合成数据", "内部使用"),
    )
    rows = tuple(
        Bar(LONG, 1_234_567.0, 999_999.0, "1,234,567", "+234,568", "<0.001", "明显上升", "accent") for _ in range(15)
    )
    fits(draw_bars(BarFrame(rows, "起 · 竖线为去年同期，按天数折算", 28_175), head))
    steps = tuple(
        Step(date(2026, 12, 31), 1_234_567, i % 2 == 0, before=999_999, lower=100.0, upper=2_000_000.0, outside="above")
        for i in range(90)
    )
    fits(draw_trend(TrendFrame(steps, "day", "本期", "去年同期"), head))


def test_lines_break_between_words_and_end_where_there_is_no_room():
    text = "数据截至 2026-11-16 05:30 · 发布 r20261116-060000 · 生成于 2026-11-16 09:00 · 内部使用"
    for most in (30, 45, 80, 200):
        for line in lettering.lines(text, most, 8, most_lines=9):
            assert lettering.width_mm(line, 8) <= most
            assert not line.endswith("·")
    joined = " ".join(lettering.lines(text, 60, 8, most_lines=9))
    assert "2026-11-16" in joined and "r20261116-060000" in joined
    assert lettering.lines(text, 40, 8, most_lines=1)[0].endswith("…")
    assert lettering.shortened("甲乙丙", 100, 9) == "甲乙丙"


def test_without_a_chinese_font_one_line_says_what_to_install(releases, monkeypatch):
    monkeypatch.setattr(lettering, "FAMILIES", ("No Such Font SC",))
    lettering.family.cache_clear()
    server, store = FastAPI(), Store(releases)
    errors.register(server)
    server.include_router(api.router(store, lambda _request: EVERYTHING))
    try:
        with TestClient(server) as client:
            answer = client.get("/api/v1/export?layer=map&format=png")
            assert answer.status_code == 503
            assert "No Such Font SC" in answer.json()["error"] and "fonts-noto-cjk" in answer.json()["error"]
            assert "\n" not in answer.json()["error"]
            assert client.get("/api/v1/export?layer=counts&format=csv").status_code == 200
    finally:
        lettering.family.cache_clear()
        store.close()


def test_threads_draw_what_one_draws(release):
    def one(pairs):
        figure, _ = draw(release, release.selection(pairs), EVERYTHING, "ranking", {}, NOW)
        return picture(figure, "png")

    asked = [[("from", f"2026-0{month}-01"), ("to", f"2026-0{month + 1}-01")] for month in range(1, 7)]
    alone = [one(pairs) for pairs in asked]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(one, asked)) == alone


def test_pyplot_and_its_global_figures_are_not_used():
    assert importlib.util.find_spec("matplotlib.pyplot")
    code = (
        "import sys, dashboard.pictures.drawn, dashboard.pictures.files; sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
