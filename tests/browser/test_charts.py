"""The side column, the rail and the drawer's lists in headless Chromium: dragging, sorting, choosing, listing."""

import json
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import urlopen

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
WEEK = "from=2026-11-09&to=2026-11-16"


def query(visitor) -> dict[str, list[str]]:
    return parse_qs(urlsplit(visitor.page.url).query)


def api(visitor, path: str) -> dict:
    with urlopen(f"{visitor.address}/api/v1/{path}") as answer:
        return json.load(answer)


def plot(visitor) -> tuple[float, float, float]:
    """Left edge of the trend's plot, width of a step of a week by day, and a height inside."""
    visitor.page.wait_for_selector("#workbench-trend .nsewdrag")
    box = visitor.page.locator("#workbench-trend .nsewdrag").bounding_box()
    return box["x"], box["width"] / 7, box["y"] + box["height"] / 2


def test_the_map_and_its_numbers_do_not_wait_for_the_script_of_the_trend(visit):
    v = visit(numbers=False)
    held = []
    v.page.route("**/plotly.min.js*", lambda route: held.append(route))
    v.page.reload()
    v.page.wait_for_selector(".leaflet-units-pane .identity-tile canvas")
    v.page.wait_for_selector("#workbench-headline .hero")
    v.page.wait_for_selector("#workbench-table .ag-row")
    assert v.page.locator(".js-plotly-plot").count() == 0
    v.page.wait_for_timeout(200)
    held[0].continue_()
    v.page.wait_for_selector("#workbench-trend .nsewdrag")


def test_dragging_over_the_trend_chooses_its_days_and_a_click_one(visit):
    v = visit(f"?{WEEK}")
    left, step, y = plot(v)
    v.page.mouse.move(left + 3.5 * step, y)
    v.page.mouse.down()
    v.page.mouse.move(left + 1.5 * step, y, steps=4)  # backwards too
    assert v.page.locator(".trend-brush").count() == 1
    v.page.mouse.up()
    v.settle()
    assert (query(v)["from"], query(v)["to"]) == (["2026-11-10"], ["2026-11-13"])
    rows = api(v, "trend?from=2026-11-10&to=2026-11-13")["rows"]
    assert v.hero == sum(row["count"] or 0 for row in rows) and v.page.locator(".trend-brush").count() == 0
    v.click("text=看整周")
    assert (query(v)["from"], query(v)["to"]) == (["2026-11-09"], ["2026-11-16"])
    left, step, y = plot(v)
    v.page.mouse.click(left + 6.5 * step, y)
    v.settle()
    assert (query(v)["from"], query(v)["to"]) == (["2026-11-15"], ["2026-11-16"])


def test_escape_lets_go_of_the_steps_and_leaves_everything_as_it_was(visit):
    v = visit(f"?{WEEK}&area=990101")
    left, step, y = plot(v)
    before = v.page.url
    v.page.mouse.move(left + 1.5 * step, y)
    v.page.mouse.down()
    v.page.mouse.move(left + 3.5 * step, y)
    v.page.keyboard.press("Escape")
    v.page.mouse.up()
    v.settle()
    assert urlsplit(v.page.url).query == urlsplit(before).query and v.page.locator(".trend-brush").count() == 0


def test_the_band_stands_behind_the_trend(visit):
    v = visit(f"?{WEEK}")
    v.page.wait_for_selector("#workbench-trend .barlayer .point")
    assert v.page.locator("#workbench-trend .barlayer .point").count() == 7
    fill = "getComputedStyle(document.querySelector('#workbench-trend .barlayer .point path')).fill"
    light = v.page.evaluate(fill)
    v.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert v.page.evaluate(fill) != light  # the style sheet colours it, not the figure
    first = visit("?from=2025-01-06&to=2025-01-13")
    assert "没有控制带" in first.page.inner_text("#workbench-trend-card")


def test_the_ranking_is_sorted_by_rise_and_stays_so(visit):
    v = visit(f"?{WEEK}")
    assert v.page.is_visible(".by-count") and not v.page.is_visible(".by-rise")
    v.page.click("button[data-rank=rise]")
    assert v.page.is_visible(".by-rise") and not v.page.is_visible(".by-count")
    changes = [
        int(text.replace("−", "-")) for text in v.page.locator(".by-rise .change").all_inner_texts() if text != "—"
    ]
    assert changes == sorted(changes, reverse=True)
    v.page.reload()
    v.page.wait_for_selector(".by-rise", state="visible")
    assert v.page.get_attribute("button[data-rank=rise]", "aria-pressed") == "true"


def test_the_first_weekday_is_chosen_alone_and_presets_count_from_the_data(visit):
    v = visit(f"?{WEEK}")
    days = "#workbench-rail .segment.week a"
    v.click(f"{days}:nth-child(5)")
    assert query(v)["weekdays"] == ["5"]
    v.click(f"{days}:nth-child(6)")
    assert query(v)["weekdays"] == ["5,6"]
    v.click("#workbench-chips .chip")
    assert "weekdays" not in query(v)
    v.click(".periods a:has-text('今日')")
    assert (query(v)["from"], query(v)["to"]) == (["2026-11-15"], ["2026-11-16"])  # data up to midnight
    v.click(".periods a:has-text('近28天')")
    assert (query(v)["from"], query(v)["to"]) == (["2026-10-19"], ["2026-11-16"])


def test_the_compared_window_is_chosen_freely_both_ends_included(visit):
    v = visit(f"?{WEEK}")
    v.page.click("#custom-compare")
    v.page.fill("#compare-range input[name=from]", "2026-09-07")
    v.page.dispatch_event("#compare-range input[name=from]", "change")
    v.settle()
    assert query(v)["compare"] == ["2026-09-07..2026-11-09"]
    v.page.fill("#compare-range input[name=last]", "2026-09-13")
    v.page.dispatch_event("#compare-range input[name=last]", "change")
    v.settle()
    assert query(v)["compare"] == ["2026-09-07..2026-09-14"]
    before = sum(row["count"] or 0 for row in api(v, "trend?from=2026-09-07&to=2026-09-14")["rows"])
    assert f"对比期{before:,}起" in v.page.inner_text("#workbench-headline")


def test_the_drawer_lists_the_rows_that_are_counted(visit):
    v = visit(f"?{WEEK}&tab=incidents")
    v.page.wait_for_selector(".ag-row .cell-category")
    answer = api(v, f"rows?{WEEK}")
    first = v.page.locator(".ag-row[row-index='0'] [col-id=incident_id]").inner_text()
    assert first == answer["rows"][0]["incident_id"]
    assert f"匹配 {answer['meta']['matched']:,}" in v.page.inner_text("#workbench-table-size")
    assert answer["meta"]["matched"] == v.hero
    category = answer["rows"][0]["category"]
    v.click(".ag-row[row-index='0'] .cell-category")
    assert query(v)["category"] == [category]
    assert v.hero == api(v, f"rows?{WEEK}&category={quote(category)}")["meta"]["matched"]
