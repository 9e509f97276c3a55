"""/meeting in headless Chromium: every number against the API, comments and order kept, two people at one item, decisions, presenting."""

import json
from datetime import date, timedelta
from urllib.request import urlopen

import pandas as pd
import pytest
import small_release as small
from serving import serving
from test_screen import layers

from dashboard.components.words import signed
from data.app_db import AppDb, ledger, meetings

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
WHOLE = "document.documentElement.dataset.whole !== undefined"
TODAY = date.today()


@pytest.fixture(scope="module")
def meeting(tmp_path_factory):
    """A served workspace with a ledger; its address and folder."""
    workspace = tmp_path_factory.mktemp("meeting")
    small.publish(workspace / "releases", small.incidents(9000, seed=5).assign(recorded_at=pd.NaT), **layers())
    db = AppDb(workspace / "app.db")
    ledger.add(
        db,
        "分析",
        TODAY - timedelta(days=9),
        matter="钟鼓社区 停车纠纷",
        unit="文昌街道办事处",
        due=TODAY - timedelta(days=3),
    )
    ledger.add(
        db,
        "分析",
        TODAY,
        matter="<b>夜间</b>巡防",
        unit="鼓楼坊派出所",
        due=TODAY + timedelta(days=5),
        area_code=small.grids()["grid_code"][0],
    )
    with serving(workspace) as address:
        yield address, workspace, db
    db.close()


@pytest.fixture
def open_page(chromium, meeting):
    """Open an address; no complaint and no other host is allowed."""
    opened, complaints = [], []
    address = meeting[0]

    def new(path="/meeting", size=(1440, 900), refused=False):
        page = chromium.new_page(viewport={"width": size[0], "height": size[1]})
        page.on("pageerror", lambda fault: complaints.append(str(fault)))
        if not refused:
            page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on(
            "request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else complaints.append(r.url)
        )
        page.goto(address + path)
        if "view=" not in path:
            page.wait_for_function(WHOLE, timeout=30_000)
        opened.append(page)
        return page

    yield new
    for page in opened:
        page.close()
    assert complaints == []


def test_the_numbers_are_those_of_the_api(open_page, meeting):
    page = open_page()

    def api(path):
        with urlopen(f"{meeting[0]}/api/v1/{path}") as answer:
            return json.load(answer)

    rows = {row["name"]: row for row in api("summary")["rows"] if row["kpi"].startswith("incidents")}
    table = page.locator("#s-overall table").first.locator("tbody tr")
    for row in table.all():
        cells = row.locator("td").all_inner_texts()
        told = rows["事件" if cells[0] == "合计" else cells[0]]
        assert (cells[1], cells[2]) == (f"{int(told['now']):,}", f"{int(told['before']):,}")
    year = {row["name"]: row for row in api("summary?compare=last_year")["rows"]}
    told = page.locator("#s-overall tbody tr").first.locator("td").nth(4).inner_text()
    assert told.split("（")[0] == signed(int(year["刑事"]["difference"]))
    week = api("profile")["rows"]
    shown = [
        int(text or 0)
        for text in page.locator("#s-hours table.narrow tbody td:not(.w):not(:last-child)").all_inner_texts()
    ]
    assert shown == [row["count"] for row in week]
    assert page.locator(".section-of[data-ready]").count() == 12 and "数据截至" in page.inner_text(".topbar")


def test_what_is_written_is_kept_and_the_second_writer_is_told(open_page, meeting):
    _, _, db = meeting

    def comments():
        held = meetings.find(db, "2026-W46", "")
        return held.comments if held else {}

    first, second = open_page(), open_page(refused=True)
    first.fill("#s-overall textarea", "请各街道核实")
    first.wait_for_function("yanpanMeeting.comments.overall === '请各街道核实'")
    second.fill("#s-video textarea", "另一节，两个人各写各的")
    second.wait_for_function("yanpanMeeting.comments.video")
    assert comments() == {"overall": "请各街道核实", "video": "另一节，两个人各写各的"}
    second.fill("#s-overall textarea", "另一个人写的")
    second.wait_for_function("document.getElementById('fault').textContent.includes('已被别人改过')")
    assert second.input_value("#s-overall textarea") == "另一个人写的"  # nothing typed is lost
    assert comments()["overall"] == "请各街道核实"
    # What is being typed stays while sections are moved, and is kept afterwards.
    first.reload()
    first.wait_for_function(WHOLE)
    first.fill("#s-quality textarea", "还没存")
    first.locator("#contents li[data-key=disputes]").hover()
    first.click("#contents li[data-key=disputes] [data-move='-1']")
    first.wait_for_function("yanpanMeeting.comments.quality === '还没存'")
    first.click("#contents li[data-key=last] input")
    first.wait_for_function("!document.getElementById('s-last')")
    first.wait_for_function("yanpanMeeting.order.length === 11")
    first.wait_for_timeout(500)
    order = meetings.find(db, "2026-W46", "").order
    assert "last" not in order and order.index("disputes") == order.index("hours") - 1
    again = open_page()
    assert again.input_value("#s-overall textarea") == "请各街道核实" and again.locator("#s-last").count() == 0
    assert again.input_value("#s-quality textarea") == "还没存"


def test_decisions_sign_in_and_sign_off(open_page, meeting):
    address, _, db = meeting
    page = open_page("/meeting?period=2026-W45", refused=True)
    page.fill("#decide [name=matter]", "沿街店面 噪声")
    page.fill("#decide [name=unit]", "桥东街道综治中心")
    page.fill("#decide [name=due]", str(TODAY + timedelta(days=20)))
    page.click("#decide button")
    page.wait_for_selector(".decided li")
    assert "沿街店面 噪声" in page.inner_text(".decided")
    page.wait_for_function("document.getElementById('s-decisions').innerText.includes('沿街店面 噪声')")
    page.fill("#decide [name=matter]", "联系13812345678")
    page.fill("#decide [name=unit]", "某单位")
    page.fill("#decide [name=due]", str(TODAY))
    page.click("#decide button")
    page.wait_for_function("document.getElementById('decide-note').textContent.includes('不能写入个人信息')")
    page.fill("#sign-in input", "文昌街道")
    page.click("#sign-in button")
    page.wait_for_selector(".chip")
    page.fill("#sign input", "区综治中心")
    page.click("#sign button")
    page.wait_for_selector("#unsign")
    held = meetings.find(db, "2026-W45", "")
    assert (
        held.units == ["文昌街道"] and held.signed_by == "区综治中心" and held.ledger["release"] == "r20261116-060000"
    )
    # Signed is signed: nothing is recorded, commented or signed over any more, and the pack stays as it was.
    assert "区综治中心" in page.inner_text(".signed-bar")
    more = {"matter": "再加一项", "unit": "某单位", "due": str(TODAY)}
    refused = page.evaluate(
        "(values) => yanpan.meeting.post('item', { meeting: true, values: values }).then(() => '', (fault) => fault.message)",
        more,
    )
    assert "已签发" in refused and "再加一项" not in [one.matter for one in ledger.items(db)]
    ledger.add(db, "分析", date(2026, 11, 4), matter="签发以后才有的", unit="某单位", due=TODAY + timedelta(days=9))
    with urlopen(f"{address}/meeting/file?period=2026-W45&form=html") as answer:
        text = answer.read().decode()
    assert "区综治中心" in text and "文昌街道" in text and "沿街店面 噪声" in text and "签发以后才有的" not in text
    page.wait_for_function(WHOLE)
    assert page.locator("#s-overall textarea").is_disabled()


def test_what_was_decided_is_told_in_the_next_period(open_page, meeting):
    page = open_page("/meeting?period=2026-W42")
    page.fill("#decide [name=matter]", "老旧小区 充电棚")
    page.fill("#decide [name=unit]", "东堤街道办事处")
    page.fill("#decide [name=due]", str(TODAY + timedelta(days=20)))
    page.select_option("#decide [name=area_code]", label="district 990102")
    page.click("#decide button")
    page.wait_for_selector(".decided li")
    made = next(one for one in ledger.items(meeting[2]) if one.matter == "老旧小区 充电棚")
    assert made.number.startswith("2026W42-") and made.place == "district 990102" and made.area_code == "990102"
    after = open_page("/meeting?period=2026-W43")
    assert "老旧小区 充电棚" in after.inner_text("#s-last")


def test_the_board_a_card_and_its_form(open_page, meeting):
    _, _, db = meeting
    page, other = open_page("/meeting?view=board"), open_page("/meeting?view=board", refused=True)
    assert page.locator(".item.late").inner_text().startswith("钟鼓社区 停车纠纷") and "逾期3天" in page.inner_text(
        ".item.late"
    )
    assert "<b>夜间</b>巡防" in page.inner_text(".board")  # text, never markup
    for view in (page, other):
        view.click(".item.late")
        view.wait_for_selector("#item-history li")
    page.select_option("#item-form [name=state]", "结案")
    page.click("#item-form [type=submit]")
    page.wait_for_selector(".c-none .item")
    other.fill("#item-form [name=post]", "城管协调岗")
    other.click("#item-form [type=submit]")
    other.wait_for_function("document.getElementById('item-fault').textContent.includes('已被别人改过')")
    assert other.input_value("#item-form [name=post]") == "城管协调岗" and "结案" in other.inner_text("#item-fault")
    assert next(one for one in ledger.items(db) if one.state == "结案").post == ""
    other.wait_for_function("document.querySelectorAll('#item-history li').length === 2")
    other.click("#item-form [type=submit]")  # having seen it, only what was typed here is written
    other.wait_for_function("!document.getElementById('item-dialog').open")
    kept = next(one for one in ledger.items(db) if one.matter.startswith("钟鼓社区"))
    assert (kept.state, kept.post) == ("结案", "城管协调岗")


def test_the_list_and_the_map(open_page, meeting):
    page = open_page("/meeting?view=list")
    assert page.locator(".ledger-table tbody tr").count() >= 2
    page = open_page("/meeting?view=map")
    page.wait_for_selector(".ledger-mark")
    page.goto(meeting[0] + "/meeting?view=board")
    page.click("#item-new")
    page.fill("#item-form [name=matter]", "圈出来的地方")
    page.fill("#item-form [name=unit]", "某派出所")
    page.fill("#item-form [name=due]", str(TODAY + timedelta(days=3)))
    page.click("#draw")  # by way of the map, and what was typed comes back
    page.wait_for_selector(".draw-note")
    box = page.locator("#city").bounding_box()
    for dx, dy in ((0.4, 0.4), (0.6, 0.4), (0.5, 0.6)):
        page.mouse.click(box["x"] + box["width"] * dx, box["y"] + box["height"] * dy)
        page.wait_for_timeout(400)
    page.keyboard.press("Enter")
    page.wait_for_selector("#item-dialog[open]")
    assert page.input_value("#item-form [name=polygon]").startswith("POLYGON ((113.")
    assert page.input_value("#item-form [name=matter]") == "圈出来的地方"
    before = page.locator(".ledger-mark").count()
    page.click("#item-form [type=submit]")
    page.wait_for_function(f"document.querySelectorAll('.ledger-mark').length === {before + 1}")
    made = next(one for one in ledger.items(meeting[2]) if one.matter == "圈出来的地方")
    assert made.polygon and made.lon is None


def test_presenting_with_keys_and_live_maps(open_page):
    page = open_page(size=(1920, 1080))
    page.click("#present")
    assert page.locator(".present-step.on").count() == 1
    first = page.inner_text(".present-step.on")
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".present-step.on") != first
    while "热点" not in page.inner_text(".present-step.on"):
        page.keyboard.press("ArrowRight")
    frame = page.frame_locator("iframe")
    frame.locator(".map-foot").wait_for()
    frame.locator(".hotspot-ring, .leaflet-ground-pane .identity-tile").first.wait_for(timeout=20_000)
    over = page.evaluate(
        "[...document.querySelectorAll('#presenter h1, #presenter header, #presenter nav, #presenter footer')].filter(e => { const b = e.getBoundingClientRect(); return b.left < 0 || b.right > innerWidth || b.bottom > innerHeight; }).length"
    )
    assert over == 0 and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cut = "[...document.querySelectorAll('.present-evidence, .present-card')].filter(e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1).length"
    while page.locator(".present-step").last.get_attribute("class") != "present-step on":
        page.keyboard.press("ArrowRight")
        assert page.evaluate(cut) == 0, page.inner_text(".present-step.on")
        for drawing in page.locator(".present-card svg").all():
            place, shape = drawing.bounding_box(), [float(one) for one in drawing.get_attribute("viewBox").split()]
            assert place["width"] / place["height"] == pytest.approx(shape[2] / shape[3], rel=0.02)
    page.keyboard.press("d")
    assert page.locator("#decide").is_visible() and page.evaluate("document.activeElement.name") == "matter"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.locator("#presenter").is_hidden()


def test_bad_addresses_say_what_is_allowed(chromium, meeting):
    page = chromium.new_page()
    for search, status in (("?period=2026-W60", 422), ("?area=123", 404), ("?view=x", 422), ("?colour=1", 422)):
        answer = page.goto(f"{meeting[0]}/meeting{search}")
        assert answer.status == status and page.locator(".fault").count() == 1
    page.close()
