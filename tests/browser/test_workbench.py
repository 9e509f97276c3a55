"""/workbench in headless Chromium: what is clicked is what is counted, and the address says it all."""

import json
import re
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest
import shapely
import small_release as small

from data.schema import INVALID

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def query(visitor) -> dict[str, list[str]]:
    return parse_qs(urlsplit(visitor.page.url).query)


def api(visitor, path: str) -> dict:
    with urlopen(f"{visitor.address}/api/v1/{path}") as answer:
        return json.load(answer)


def total(visitor, extra: str = "") -> int:
    rows = api(visitor, f"trend?from=2026-11-09&to=2026-11-16{extra}")["rows"]
    return sum(row["count"] or 0 for row in rows)


def unit_point(visitor, code: str) -> tuple[float, float]:
    """Where on the screen a grid's middle lies, from the map's own view in the address."""
    zoom, lat, lon = (float(v) for v in urlsplit(visitor.page.url).fragment.split("/"))
    grid = small.grids().set_index("grid_code").loc[code]
    middle = shapely.from_wkb(grid["geom"]).centroid
    scale = 256 * 2**zoom

    def world(lon, lat):
        return (lon / 360 + 0.5) * scale, (0.5 - np.arcsinh(np.tan(np.radians(lat))) / (2 * np.pi)) * scale

    box = visitor.page.locator("#workbench-map").bounding_box()
    (x, y), (cx, cy) = world(middle.x, middle.y), world(lon, lat)
    return box["x"] + box["width"] / 2 + x - cx, box["y"] + box["height"] / 2 + y - cy


def test_the_page_shows_what_the_api_counts_and_the_rows_hold(visit, frame):
    v = visit()
    assert v.hero == total(v)
    at = frame["occurred_from"]
    kept = (at >= pd.Timestamp("2026-11-09")) & (at < pd.Timestamp("2026-11-16")) & (frame["category"] != INVALID)
    kept &= (frame["source_id"] == "wg") | (frame["street_code"] != "990103002")
    assert v.hero == kept.sum()
    text = v.page.inner_text("body")
    assert "演示市·合成数据" in text and "演示模式" in text and "r20261116-060000" in text and "数据截至 11-16" in text
    shown = [int(n) for n in v.page.locator("#workbench-categories .number").all_inner_texts()]
    assert sum(shown) == v.hero and shown == sorted(shown, reverse=True)
    assert v.page.locator(".js-plotly-plot .js-line").count() >= 2
    assert v.page.evaluate("document.documentElement.lang") == "zh-CN"


def test_a_category_filters_everything_sends_no_geometry_and_can_be_undone(visit):
    v = visit("?level=grid")
    everything, v.asked[:] = v.hero, []
    v.click("#workbench-rail [data-category=刑事]")
    without = v.hero
    assert "刑事" not in query(v)["category"] and len(query(v)["category"]) == 6
    chosen = "".join(f"&category={c}" for c in ("%E5%88%91%E4%BA%8B",))
    assert everything - without == total(v, chosen) > 0
    assert not [url for url in v.asked if "/tiles/" in url]
    asked = [url for url in v.asked if "_dash-update-component" in url]
    assert len(asked) == 5  # where, filters, numbers, further down, units: one round, each once
    assert "不含刑事" in v.page.inner_text("#workbench-chips")
    v.page.reload()
    v.page.wait_for_selector(".ag-row")
    v.settle()
    assert v.hero == without
    v.page.go_back()
    v.page.wait_for_function(f"document.querySelector('.hero').textContent === '{everything:,}'")
    assert "category" not in query(v)


def test_hovering_reads_the_unit_and_a_click_drills_until_escape(visit):
    v = visit("?level=grid")
    rows = {row["code"]: row for row in api(v, "counts?level=grid&from=2026-11-09&to=2026-11-16")["rows"]}
    for code in ("990102001002001", "990103001002002", "990102002001002"):
        v.page.mouse.move(*unit_point(v, code))
        v.page.wait_for_selector(".hover-card:not([hidden])")
        card = v.page.inner_text(".hover-card")
        row = rows[code]
        assert row["name"] in card and re.search(rf"\b{row['count']} 起", card) and row["verdict"] in card
        assert f"community {code[:12]}" in card
    v.page.mouse.click(*unit_point(v, "990102002001002"))
    v.settle()
    assert query(v)["area"] == ["990102002001002"] and v.hero == rows["990102002001002"]["count"]
    assert v.page.inner_text(".crumbs").split("/")[-1].strip() == "第2网格"
    for parent in ("990102002001", "990102002", "990102"):
        v.page.keyboard.press("Escape")
        v.settle()
        assert query(v)["area"] == [parent]
    v.page.keyboard.press("Escape")
    v.settle()
    assert "area" not in query(v)


def test_the_level_follows_zoom_and_drill(visit):
    v = visit()
    heads = [v.page.inner_text("#workbench-tabs .tab-link")]
    for _ in range(4):
        v.click(".ranks a")
        heads.append(v.page.inner_text("#workbench-tabs .tab-link"))
    order = ["区县", "街道", "社区", "网格"]
    places = [order.index(head.split()[0]) for head in heads]
    assert places == sorted(places) and places[-1] == 3
    assert len(query(v)["area"][0]) == 15
    zoomed = visit("#16/34.72/113.63")
    assert zoomed.page.inner_text("#workbench-tabs .tab-link").startswith("网格") and "area" not in query(zoomed)


def test_close_up_single_incidents_are_drawn_and_counted(visit):
    v = visit("?area=990101001001001&from=2026-01-01&to=2026-11-01")
    v.page.click(".layers summary")
    said = v.page.locator("li[data-layer=incidents] .layer-said")
    v.page.wait_for_function(
        "document.querySelector('li[data-layer=incidents] .layer-said').textContent.includes('视野内')"
    )
    drawn = int(re.search(r"视野内 ([\d,]+)", said.inner_text())[1].replace(",", ""))
    box = v.page.evaluate("""() => { const [z, lat, lon] = location.hash.slice(1).split("/").map(Number);
        const map = document.querySelector("#workbench-map").getBoundingClientRect();
        return [z, lat, lon, map.width, map.height]; }""")
    assert drawn == in_view(v, box, "&area=990101001001001&from=2026-01-01&to=2026-11-01")
    v.page.click("li[data-layer=incidents] input[type=checkbox]")
    v.settle()
    assert "incidents" not in query(v)["layers"][0].split(",")


def in_view(visitor, box, selection: str) -> int:
    """Incidents of a selection within the map's view, by the API without levels of detail."""
    zoom, lat, lon, width, height = box
    scale = 256 * 2**zoom
    x, y = (lon / 360 + 0.5) * scale, (0.5 - np.arcsinh(np.tan(np.radians(lat))) / (2 * np.pi)) * scale

    def degrees(x, y):
        return (x / scale - 0.5) * 360, np.degrees(np.arctan(np.sinh((0.5 - y / scale) * 2 * np.pi)))

    (west, north), (east, south) = degrees(x - width / 2, y - height / 2), degrees(x + width / 2, y + height / 2)
    return api(visitor, f"features/incident?bbox={west:.5f},{south:.5f},{east:.5f},{north:.5f}{selection}")["meta"][
        "matched"
    ]


def test_dragging_over_the_week_filters_hours_and_days(visit):
    v = visit()
    start = v.page.locator("td[data-weekday='5'][data-hour='18']").bounding_box()
    end = v.page.locator("td[data-weekday='6'][data-hour='21']").bounding_box()
    v.page.mouse.move(start["x"] + 3, start["y"] + 3)
    v.page.mouse.down()
    v.page.mouse.move(end["x"] + 3, end["y"] + 3, steps=5)
    v.page.mouse.up()
    v.settle()
    assert query(v)["hours"] == ["18-21"] and query(v)["weekdays"] == ["5,6"]
    assert v.hero == total(v, "&hours=18-21&weekdays=5,6")
    v.click(".chip:has-text('时')")
    assert "hours" not in query(v) and query(v)["weekdays"] == ["5,6"]


def test_the_keyboard_reaches_filters_and_table(visit):
    v = visit()
    v.page.focus("#workbench-rail [data-category=交通]")
    v.page.keyboard.press("Space")
    v.settle()
    assert "交通" not in query(v)["category"]
    focused = "document.activeElement.dataset.category"
    assert v.page.evaluate(focused) == "交通"  # the focus stays where it was
    assert v.page.get_attribute("#workbench-rail [data-category=交通]", "aria-checked") == "false"
    v.page.focus(".ag-row a.nav")
    v.page.keyboard.press("Enter")
    v.settle()
    assert "area" in query(v)


def test_periods_step_and_free_dates_include_both_ends(visit):
    v = visit()
    v.click(".stepper a[aria-label^=前一段]")
    assert (query(v)["from"], query(v)["to"]) == (["2026-11-02"], ["2026-11-09"])
    v.click(".periods a:has-text('半月')")
    assert (query(v)["from"], query(v)["to"]) == (["2026-11-01"], ["2026-11-16"])
    v.page.click("#custom-dates")
    v.page.fill("#date-range input[name=last]", "2026-11-05")
    v.page.dispatch_event("#date-range input[name=last]", "change")
    v.settle()
    assert (query(v)["from"], query(v)["to"]) == (["2026-11-01"], ["2026-11-06"])


def test_a_wrong_address_is_explained_and_shows_no_number(visit):
    v = visit("?area=12345", numbers=False)
    v.page.wait_for_selector("[role=alert]")
    assert "没有这个区域" in v.page.inner_text("[role=alert]")
    v.settle()
    assert v.page.locator(".hero").count() == 0 and v.page.locator(".ag-row").count() == 0
    v.page.click("[role=alert] a")
    v.page.wait_for_selector(".ag-row")
    v.settle()
    assert v.hero == total(v) and v.page.locator("[role=alert]").count() == 0


def test_a_fault_after_numbers_takes_them_away(visit):
    v = visit()
    v.page.evaluate("yanpan.go({area: 'nowhere'})")
    v.page.wait_for_selector("[role=alert]")
    v.page.wait_for_function("!document.querySelector('.hero') && !document.querySelector('.ag-row')")
    assert v.page.locator(".identity-tile canvas").count() == v.page.locator(".leaflet-base-pane canvas").count()


def test_the_theme_follows_the_system_until_chosen(visit):
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = visit(color_scheme="dark")
    assert dark.page.evaluate(ground) == "rgb(11, 18, 25)"
    dark.page.click("#theme-switch")  # light
    assert dark.page.evaluate(ground) == "rgb(238, 241, 244)"
    dark.page.reload()
    dark.page.wait_for_selector(".ag-row")
    assert dark.page.evaluate(ground) == "rgb(238, 241, 244)"


def test_two_visitors_do_not_meet(visit):
    one, two = visit("?area=990101"), visit("?area=990102")
    first, second = one.hero, two.hero
    one.click("#workbench-rail [data-category=治安]")
    assert one.hero < first and two.hero == second
    two.click(".crumbs a")
    assert two.hero == total(two) and query(one)["area"] == ["990101"]


def test_nothing_is_cut_at_usual_sizes(visit):
    v = visit("?from=2025-11-03&to=2026-11-02&compare=last_year")
    for width, height in ((1366, 768), (1440, 900), (1920, 1080)):
        v.page.set_viewport_size({"width": width, "height": height})
        v.settle()
        assert v.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert v.page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        wide = v.page.evaluate("""[...document.querySelectorAll('.rail, .side, .topbar, .subbar, .map-tools')]
            .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className)""")
        assert wide == []
    small_text = v.page.evaluate("""[...document.querySelectorAll('.page *')].filter(e => e.childNodes.length &&
        [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.offsetParent &&
        parseFloat(getComputedStyle(e).fontSize) < 12 && !e.closest('.mark, .swatch-box')).map(e => e.className)""")
    assert small_text == []
