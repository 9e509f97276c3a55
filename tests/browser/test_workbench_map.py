"""The map of /workbench in headless Chromium: layers, two windows, drawing, methods, files, languages, releases."""

import csv
import io
import json
import re
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from urllib.request import urlopen

import pytest
import shapely

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
WEEK = "from=2026-11-09&to=2026-11-16"
CHINESE = re.compile(r"[\u3400-\u9fff]")


def query(visitor) -> dict[str, list[str]]:
    return parse_qs(urlsplit(visitor.page.url).query)


def api(visitor, path: str) -> dict:
    with urlopen(f"{visitor.address}/api/v1/{path}") as answer:
        return json.load(answer)


def total(visitor, extra: str) -> int:
    return sum(row["count"] or 0 for row in api(visitor, f"trend?{extra}")["rows"])


def callbacks(visitor) -> list[str]:
    return [url for url in visitor.asked if "_dash-update-component" in url]


def test_looks_change_the_address_and_count_nothing_again(visit):
    v = visit("?level=grid")
    hero, v.asked[:] = v.hero, []
    v.click(".measures summary")
    v.click(".measures a:has-text('变化')")
    assert query(v)["measure"] == ["change"] and len(callbacks(v)) == 1  # where the map looks; the numbers are there
    v.click(".layers summary")
    v.asked[:] = []
    v.click("li[data-layer=road] input[type=checkbox]")
    assert len(callbacks(v)) == 1 and "road" not in query(v)["layers"][0]
    v.click("#workbench-rail [data-category=刑事]")
    assert query(v)["measure"] == ["change"] and "road" not in query(v)["layers"][0] and v.hero != hero
    v.page.go_back()
    v.page.go_back()
    v.settle()
    assert "layers" not in query(v) and v.page.is_checked("li[data-layer=road] input[type=checkbox]") and v.hero == hero


def test_every_measure_paints_and_has_its_legend(visit):
    v = visit("?level=grid")
    for measure in ("count", "density", "rate", "eb", "change", "gi", "lisa", "emerging"):
        v.page.evaluate(f"yanpan.go({{measure: '{measure}'}})")
        v.settle()
        v.page.wait_for_function(f"document.querySelector('.map-panel').dataset.measure === '{measure}'")
        v.page.wait_for_function("!document.body.classList.contains('painting')")
        shown = v.page.locator(".legend-of:visible")
        assert shown.count() == 1 and measure in shown.get_attribute("class").split()
        colours = v.page.evaluate("""() => { const seen = new Set(), copy = new OffscreenCanvas(512, 512);
            const context = copy.getContext('2d', { willReadFrequently: true });
            for (const c of document.querySelectorAll('.leaflet-units-pane canvas')) {
                context.clearRect(0, 0, 512, 512);
                context.drawImage(c, 0, 0);
                const d = context.getImageData(0, 0, 512, 512).data;
                for (let i = 0; i < d.length; i += 40) if (d[i + 3]) seen.add(d[i] + ',' + d[i + 1] + ',' + d[i + 2]); }
            return seen.size; }""")
        assert colours >= 2, measure


def test_a_level_left_before_it_was_drawn_leaves_nothing_behind(visit):
    v = visit("?level=district")
    v.page.evaluate("yanpan.go({ level: 'grid' })")
    v.page.wait_for_function("document.querySelectorAll('.leaflet-units-pane > .leaflet-layer').length === 2")
    v.page.evaluate("yanpan.go({ level: 'district' })")
    v.settle()
    v.page.wait_for_function("!document.body.classList.contains('painting')")
    v.page.wait_for_function("""() => {
        const layers = [...document.querySelectorAll('.leaflet-units-pane > .leaflet-layer')];
        return layers.length === 1 && layers[0].style.opacity === '1' && layers[0].querySelector('canvas'); }""")
    assert v.page.inner_text("#workbench-tabs .tab-link").startswith("区县")


@pytest.mark.parametrize("view", ["swipe", "side"])
def test_two_windows_stand_together_and_move_together(visit, view):
    v = visit(f"?view={view}&level=grid")
    now, before = v.page.locator(".window-name").all_inner_texts()
    assert now.endswith("11月9日—15日") and before.endswith("11月2日—8日")
    if view == "side":
        v.page.wait_for_selector(".map-second .identity-tile canvas")
        box = v.page.locator("#workbench-map").bounding_box()
        v.page.mouse.move(box["x"] + 100, box["y"] + 200)
        v.page.mouse.down()
        v.page.mouse.move(box["x"] + 160, box["y"] + 260, steps=4)
        v.page.mouse.up()
        v.settle()
        corners = v.page.evaluate("""() => [...document.querySelectorAll('.leaflet-container')].map(map => {
            const pane = map.querySelector('.leaflet-map-pane').getBoundingClientRect(), box = map.getBoundingClientRect();
            return [Math.round(pane.left - box.left), Math.round(pane.top - box.top)]; })""")
        assert len(corners) == 2
    else:
        clips = v.page.evaluate("""() => ['units', 'units-past'].map(name =>
            document.querySelector('.leaflet-' + name + '-pane').style.clip)""")
        assert all(clip.startswith("rect(") for clip in clips) and clips[0] != clips[1]
        v.page.focus("#swipe-handle")
        v.page.keyboard.press("ArrowRight")
        assert v.page.get_attribute("#swipe-handle", "aria-valuenow") == "52"
    v.click(".map-tools a:has-text('单图')")
    assert "view" not in query(v) and v.page.locator(".map-second").count() == 0


def test_a_drawn_rectangle_filters_everything_and_can_be_taken_away(visit):
    v = visit("?level=grid")
    whole = v.hero
    v.page.click("[data-draw=rectangle]")
    box = v.page.locator("#workbench-map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    v.page.mouse.move(x - 160, y - 120)
    v.page.mouse.down()
    v.page.mouse.move(x + 60, y + 90, steps=6)
    v.page.mouse.up()
    v.settle()
    wkt = query(v)["polygon"][0]
    assert shapely.from_wkt(wkt).is_valid and 0 < v.hero < whole
    assert v.hero == total(v, f"{WEEK}&polygon={quote(wkt)}")
    v.click("#workbench-chips .chip")
    assert "polygon" not in query(v) and v.hero == whole


def test_the_map_extent_becomes_the_selection(visit):
    v = visit("#15/34.72/113.63")
    v.click("[data-draw=extent]")
    wkt = query(v)["polygon"][0]
    assert v.hero == total(v, f"{WEEK}&polygon={quote(wkt)}")


def test_a_place_is_found_by_code_and_by_name(visit):
    v = visit()
    v.page.fill("#map-find input", "990102001")
    v.page.wait_for_selector("#map-find [role=option]")
    v.page.keyboard.press("ArrowDown")
    v.page.keyboard.press("Enter")
    v.settle()
    assert query(v)["area"][0].startswith("990102001")


def test_the_method_card_repeats_the_layer(visit):
    v = visit("?level=grid&measure=gi")
    v.page.evaluate("yanpan.methodCard('gi')")
    v.page.wait_for_selector("#method-card dl")
    text = v.page.inner_text("#method-card")
    for word in ("Gi* 热点", "怎么读", "不能说明", "数据截至", "r20261116-060000", "离散度"):
        assert word in text
    said = json.loads(v.page.get_attribute("#method-card [data-copy]", "data-copy"))
    with urlopen(v.address + said["api"]) as answer:
        again = json.load(answer)["meta"]
    assert again["parameters"]["dispersion"] == said["dispersion"] and again["release"] == said["release"]
    assert again["parameters"]["n"] == said["n"]
    v.page.keyboard.press("Escape")
    assert v.page.is_hidden("#method-card")


def test_the_page_the_api_and_the_file_say_the_same(visit):
    v = visit("?level=grid&category=" + quote("治安") + "&hours=18-23")
    v.page.click("#export-menu summary")
    links = v.page.evaluate("[...document.querySelectorAll('#export-list a')].map(a => a.getAttribute('href'))")
    counts = next(link for link in links if "layer=counts" in link and "format=csv" in link)
    with urlopen(v.address + counts) as answer:
        text = answer.read().decode("utf-8-sig")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(io.StringIO("\n".join(lines))))
    assert (
        sum(int(row["count"] or 0) for row in rows)
        == v.hero
        == total(v, f"{WEEK}&category={quote('治安')}&hours=18-23")
    )
    assert "r20261116-060000" in text and "2026-11-09" in text
    assert len(rows) == 24


def test_saved_views_come_back_whole(visit):
    v = visit("?level=grid&measure=change&category=" + quote("交通"))
    v.page.fill("#saved-views input", "交通变化")
    v.page.click("#saved-views button[type=submit]")
    v.click("#workbench-rail a:has-text('重置')")
    assert "category" not in query(v)
    v.click("#saved-views a:has-text('交通变化')")
    assert query(v)["category"] == ["交通"] and query(v)["measure"] == ["change"] and query(v)["level"] == ["grid"]


def test_playback_steps_through_the_past(visit):
    v = visit()
    v.page.click("#player-open")
    v.page.wait_for_selector("#player input[type=range]")
    v.page.evaluate("""() => { const s = document.querySelector('#player input'); s.value = 9;
        s.dispatchEvent(new Event('input', { bubbles: true })); }""")
    v.settle()
    assert query(v)["from"] == ["2026-10-26"] and v.hero == total(v, "from=2026-10-26&to=2026-11-02")


def test_the_lists_hold_the_rows_of_the_selection(visit):
    v = visit("?tab=incidents")
    v.page.wait_for_selector(".ag-row a.cell-category")
    assert re.search(r"匹配 ([\d,]+)", v.page.inner_text("#workbench-table-size"))[1].replace(",", "") == str(v.hero)
    v.click("#workbench-tabs a:has-text('热点')")
    assert query(v)["tab"] == ["hotspots"]
    v.click("#workbench-tabs .tab-link")
    assert "tab" not in query(v) and v.page.locator(".ag-row").count() > 0


def test_english_leaves_only_the_data_in_chinese(visit):
    v = visit()
    v.page.click("#language-switch")
    v.page.wait_for_selector(".ag-row")
    v.settle()
    v.page.click(".layers summary")
    v.page.wait_for_timeout(300)
    assert v.page.evaluate("document.documentElement.lang") == "en"
    left = v.page.evaluate("""() => { const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) { const n = walk.currentNode, e = n.parentElement;
            if (/[\\u3400-\\u9fff]/.test(n.data) && e.offsetParent && !e.closest('script, style')) found.push(n.data.trim()); }
        return found; }""")
    names = re.compile(r"第\d+网格|演示市|合成数据|街道|研判|中文")
    assert [text for text in left if not names.search(text)] == []
    v.page.click("#language-switch")
    v.page.wait_for_selector(".ag-row")
    assert v.page.evaluate("document.documentElement.lang") == "zh-CN"


@pytest.mark.parametrize(("search", "word"), [
    ("?layers=kde:200", "layers"), ("?measure=x", "measure"), ("?view=three", "view"), ("?polygon=POINT(1 2)", "polygon"),
    ("?from=2026-11-16&to=2026-11-09", "to"), ("?hours=9-99", "hours"),
])  # fmt: skip
def test_bad_parameters_are_named_and_leave_no_number(visit, search, word):
    v = visit(search, numbers=False)
    v.page.wait_for_selector("[role=alert]")
    assert word in v.page.inner_text("[role=alert]")
    v.click("[role=alert] a")
    v.page.wait_for_selector(".ag-row")
    assert v.hero == total(v, WEEK)


def test_a_window_without_reports_is_not_a_window_of_zeros(visit):
    v = visit("?" + urlencode({"from": "2030-01-01", "to": "2030-01-08"}), numbers=False)
    v.page.wait_for_selector(".hero.missing")
    v.settle()
    assert v.page.inner_text(".hero") == "未报"
    assert "0" not in v.page.locator("#workbench-rail .check .number").all_inner_texts()


def test_narrow_windows_keep_everything_within_reach(visit):
    v = visit(viewport={"width": 820, "height": 1100}, has_touch=True)
    assert v.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not v.page.locator("#workbench-rail").is_visible()
    v.page.click("[data-drawer=rail]")
    v.page.wait_for_timeout(300)
    v.click("#workbench-rail [data-category=刑事]")
    assert len(query(v)["category"]) == 6
