"""/screen in headless Chromium: every listed size, both lights, keys, touch, new releases, a server that is gone."""

import json
from datetime import date, datetime, timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pandas as pd
import pytest
import small_release as small
from serving import serving

from data.app_db import AppDb, ledger

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
SIZES = ("1366x768", "1920x1080", "3840x2160", "3840x1080", "5760x1080", "6656x1792", "6720x2160")
WHOLE = "document.documentElement.dataset.whole !== undefined"
THEMES = ("热点", "网格", "纠纷", "视频覆盖", "变化")
# Text that leaves its frame or covers other text; a text is as high as its glyphs, not as its line.
BOXES = """() => {
  const out = [], stage = document.getElementById('stage').getBoundingClientRect(), texts = [];
  const walker = document.createTreeWalker(document.getElementById('stage'), NodeFilter.SHOW_TEXT);
  const seen = (e) => { for (let n = e; n && n.nodeType === 1; n = n.parentElement) { const s = getComputedStyle(n);
    if (s.display === 'none' || s.visibility === 'hidden' || +s.opacity === 0) return false; } return true; };
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.data.trim() || !seen(node.parentElement) || node.parentElement.closest('[data-carousel]')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const r = range.getBoundingClientRect(), size = parseFloat(getComputedStyle(node.parentElement).fontSize), mid = (r.top + r.bottom) / 2;
    if (!r.width) continue;
    const b = { left: r.left, right: r.right, top: mid - 0.42 * size, bottom: mid + 0.42 * size }, said = node.data.trim().slice(0, 24);
    texts.push([b, said]);
    if (size < 14 * yanpan.wall.scale - 0.6) out.push(['small', said, size]);
    if (b.left < stage.left - 1 || b.right > stage.right + 1 || b.top < stage.top - 1 || b.bottom > stage.bottom + 1) out.push(['outside', said]);
    for (let n = node.parentElement; n && n.id !== 'stage'; n = n.parentElement) {
      const s = getComputedStyle(n);
      if (s.overflowX === 'visible' && s.overflowY === 'visible') continue;
      const c = n.getBoundingClientRect();
      if (b.left < c.left - 1.5 || b.right > c.right + 1.5 || b.top < c.top - 1 || b.bottom > c.bottom + 1) { out.push(['clipped', said, n.className || n.id]); break; }
    }
  }
  for (let i = 0; i < texts.length; i++) for (let j = i + 1; j < texts.length; j++) {
    const [a, x] = texts[i], [b, y] = texts[j];
    if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1.5) out.push(['over', x, y]);
  }
  const d = document.documentElement;
  if (d.scrollWidth > innerWidth || d.scrollHeight > innerHeight) out.push(['scroll', d.scrollWidth, d.scrollHeight]);
  return out;
}"""


def layers() -> dict[str, pd.DataFrame]:
    """Disputes, cameras and alerts, so that every panel has something to say."""
    week = {"period_start": date(2026, 11, 9), "period_end": date(2026, 11, 16), "source_id": "jf"}
    streets = sorted(small.grids()["street_code"].unique())
    stat = [{**week, "area_code": code, "category": None, "channel": None, "closed_level": None, "found": 40 + i, "accepted": 38 + i,
             "handled": 36 + i, "succeeded": 33 + i, "open": 4} for i, code in enumerate(streets)]  # fmt: skip
    grid = small.grids()
    cameras = pd.DataFrame({
        "camera_code": [f"C{i:03d}" for i in range(12)], "name": "路口", "network": "天网", "online": [True] * 10 + [False] * 2,
        "networked": True, "device_state": "正常", "grid_code": grid["grid_code"].iloc[:12],
        "x": [small.WEST + 0.002 + 0.004 * i for i in range(12)], "y": small.SOUTH + 0.005,
    })  # fmt: skip
    told = {
        "window_start": datetime(2026, 11, 9),
        "window_end": datetime(2026, 11, 16),
        "first_seen": datetime(2026, 11, 16),
    }
    alert = [
        {"alert_id": f"above:{i}", "kind": "above", "area_code": "990101", "severity": "high" if i < 2 else "medium",
         "evidence": json.dumps({"category": "治安", "count": 1234 + i, "upper": 900, "mean": 800.0}), **told}
        for i in range(5)
    ]  # fmt: skip
    return {"dispute_stat": pd.DataFrame(stat), "camera": cameras, "alert": pd.DataFrame(alert)}


@pytest.fixture(scope="module")
def wall(tmp_path_factory):
    """A served workspace with disputes, cameras and alerts."""
    workspace = tmp_path_factory.mktemp("wall")
    frame = small.incidents(9000, seed=5).assign(recorded_at=pd.NaT)
    small.publish(workspace / "releases", frame, **layers())
    with serving(workspace) as address:
        yield address


@pytest.fixture
def open_wall(chromium, wall):
    """Open the wall at a size; no complaint and no other host is allowed."""
    opened, complaints = [], []

    def new(search="", size="1920x1080", address=wall, goes_away=False):
        width, height = map(int, size.split("x"))
        page = chromium.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
        page.on("pageerror", lambda fault: complaints.append(str(fault)))
        if not goes_away:  # the browser itself says that nobody answers
            page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on(
            "request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else complaints.append(r.url)
        )
        page.goto(f"{address}/screen{search}")
        page.wait_for_function(WHOLE, timeout=30_000)
        page.wait_for_timeout(200)
        opened.append(page)
        return page

    yield new
    for page in opened:
        page.close()
    assert complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_no_text_is_cut_off_or_covered_at_any_size(open_wall, size):
    page = open_wall("?theme=light" if size == "3840x1080" else "", size)
    for _ in THEMES:
        assert page.evaluate(BOXES) == []
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(150)


@pytest.mark.parametrize("size", ["1366x768", "1920x1080", "3840x1080", "6720x2160"])
def test_the_longest_names_and_seven_digits_find_their_place(open_wall, size):
    page = open_wall("", size)
    page.evaluate("""() => {
        for (const one of document.querySelectorAll('.kpi .count, .number')) if (/^[\\d,]+$/.test(one.textContent)) one.textContent = '1,234,567';
        for (const one of document.querySelectorAll('.against strong')) one.textContent = '+123,456';
        document.querySelectorAll('#top li .name > span:first-child').forEach((one, i) => {
            delete one.dataset.said;
            one.textContent = ['克孜勒苏柯尔克孜自治州阿合奇县哈拉奇乡阿合奇村', '双江拉祜族佤族布朗族傣族自治县沙河乡', '积石山保安族东乡族撒拉族自治县', '东乌珠穆沁旗乌里雅斯太镇'][i % 4]; });
        document.querySelectorAll('#top li .parent').forEach((one) => { one.textContent = '巴音郭楞蒙古自治州'; });
        document.querySelector('#window .caption').textContent = '双江拉祜族佤族布朗族傣族自治县 · 全部类别 · 对比去年同期';
        yanpan.fitTexts();
    }""")
    assert page.evaluate(BOXES) == []


def test_every_number_is_that_of_the_api(open_wall, wall):
    page = open_wall()

    def api(path):
        with urlopen(f"{wall}/api/v1/{path}") as answer:
            return json.load(answer)

    def whole(selector):
        return int(page.inner_text(selector).replace(",", ""))

    summary = {row["kpi"]: row for row in api("summary")["rows"]}
    total = next(row for kpi, row in summary.items() if ":" not in kpi and kpi.startswith("incident"))
    assert whole(".hero-card .count") == total["now"]
    rows = sorted(api("counts?level=community")["rows"], key=lambda row: (-(row["count"] or 0), row["code"]))[:10]
    shown = page.locator("#top li .number").all_inner_texts()
    assert [int(text.replace(",", "")) for text in shown] == [row["count"] for row in rows]
    funnel = api("disputes?level=street")["meta"]["funnel"]
    stages = [int(text.replace(",", "")) for text in page.locator(".funnel .number").all_inner_texts()]
    assert stages == [funnel[name] for name in ("found", "accepted", "handled", "succeeded")]
    weeks = api("trend?step=week&from=2026-08-24&to=2026-11-16&compare=none")["rows"]
    by_week = {}
    for row in weeks:
        by_week[row["start"]] = by_week.get(row["start"], 0) + (row["count"] or 0)
    titles = page.locator("#trend .point").evaluate_all("all => all.map(one => one.title)")
    assert [int(title.split("\u3000")[1].rstrip("起").replace(",", "")) for title in titles] == list(by_week.values())
    assert page.inner_text(".alert-count") == "5" and page.locator(".alert:visible").count() == 3


def test_keys_turn_freeze_and_a_touch_opens_an_area(open_wall):
    page = open_wall("?rotate=15")
    assert page.inner_text(".theme-tab.on") == "热点"
    page.keyboard.press("ArrowLeft")
    assert page.inner_text(".theme-tab.on") == "变化"
    page.click(".theme-tab:has-text('纠纷')")
    assert page.inner_text(".theme-tab.on") == "纠纷" and page.locator(".dispute-ring").count() == 6
    page.keyboard.press(" ")
    assert page.evaluate("document.documentElement.hasAttribute('data-frozen')")
    page.keyboard.press(" ")
    row = page.locator("#top li").first
    name, count = row.locator(".name").get_attribute("title"), row.locator(".number").inner_text()
    row.click()
    page.wait_for_selector(".drill")
    assert name in page.inner_text(".drill h2") and page.inner_text(".drill-number .count") == count
    assert page.evaluate(BOXES.replace("out.push(['over'", "0 && out.push(['over'")) == []
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('.drill')")


def test_a_wall_is_rehearsed_in_its_own_shape(open_wall):
    page = open_wall("?wall=6656x1792", "1366x768")
    box = page.locator("#stage").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(6656 / 1792, abs=0.01) and box["width"] <= 1366
    assert page.get_attribute("html", "data-columns") == "5"


def test_what_cannot_be_read_from_a_distance_is_marked(open_wall):
    """On a wall 4.8 m wide a design pixel is 2.5 mm: 17 of them are read at 6 m, 14 are not."""
    page = open_wall("?reading=6x4.8")
    page.wait_for_function("document.getElementById('reading').textContent.includes('读不清')")
    sizes = page.evaluate(
        "[...document.querySelectorAll('.unread')].map(e => parseFloat(getComputedStyle(e).fontSize) / yanpan.wall.scale)"
    )
    assert (
        sizes
        and max(sizes) < 16.8
        and page.locator(".hero-card .count.unread, #top li .number.unread, .theme-tab.unread").count() == 0
    )
    near = open_wall("?reading=3x4.8")
    near.wait_for_function("document.getElementById('reading').textContent.includes('都读得清')")


def test_an_area_has_its_own_wall_and_bad_addresses_are_refused(open_wall, wall, chromium):
    page = open_wall("?area=990102")
    with urlopen(f"{wall}/api/v1/summary?area=990102") as answer:
        total = json.load(answer)["rows"][0]["now"]
    assert int(page.inner_text(".hero-card .count").replace(",", "")) == total
    assert "district 990102" in page.inner_text("#window")
    bad = chromium.new_page()
    for search, status in (("?area=123", 404), ("?colour=red", 422)):
        answer = bad.goto(f"{wall}/screen{search}")
        assert answer.status == status and "应为" in bad.inner_text(".fault") and bad.locator(".kpi").count() == 0
    bad.close()


def test_new_releases_come_whole_and_a_server_that_is_gone_is_said(tmp_path, open_wall):
    def publish(n, name):
        frame = small.incidents(n, seed=n).assign(recorded_at=pd.NaT)
        small.publish(tmp_path / "releases", frame, stated=small.info(release_id=name))
        at, kind = frame["occurred_from"], frame["category"]
        return int(((at >= "2026-11-09") & (at < "2026-11-16") & (kind != "无效")).sum())

    expected = {"r20261116-060000": publish(3000, "r20261116-060000")}
    with serving(tmp_path) as address:
        port = int(address.rsplit(":", 1)[1])
        page = open_wall("", "1920x1080", address, goes_away=True)
        # What the wall shows is recorded at every change: a number never stands under another release's id.
        page.evaluate("""() => { window.shown = []; new MutationObserver(() => window.shown.push(
            [document.querySelector('#foot .release-id').textContent, document.querySelector('.hero-card .count').textContent]))
            .observe(document.getElementById('stage'), { subtree: true, childList: true, characterData: true }); }""")
        for n, name in ((4000, "r20261116-070000"), (5000, "r20261116-080000")):
            expected[name] = publish(n, name)
            page.wait_for_function(
                f"document.querySelector('#foot .release-id').textContent.includes('{name}')", timeout=20_000
            )
            assert int(page.inner_text(".hero-card .count").replace(",", "")) == expected[name]
        for said, number in page.evaluate("window.shown"):
            assert int(number.replace(",", "")) == expected[said.split()[-1]]
        assert page.inner_text("#offline") == ""
    page.wait_for_function("document.getElementById('offline').textContent.includes('连接中断')", timeout=20_000)
    with serving(tmp_path, port):
        page.wait_for_function("document.getElementById('offline').textContent === ''", timeout=20_000)


def test_what_people_write_is_on_the_wall_at_once(tmp_path, open_wall):
    today = date.today()
    small.publish(tmp_path / "releases", small.incidents(3000).assign(recorded_at=pd.NaT), **layers())
    (tmp_path / "yanpan.toml").write_text('[screen]\nleft = ["week", "trend", "kpis"]\n', "utf-8")
    db = AppDb(tmp_path / "app.db")
    with serving(tmp_path) as address:
        page = open_wall("", "3360x1080", address, goes_away=True)
        tops = [page.locator(f"#p-{name}").bounding_box()["y"] for name in ("week", "trend", "kpis")]
        assert tops == sorted(tops) and page.inner_text("#supervised") and page.inner_text(".alert-count") == "5"
        page.evaluate("window.same = document.querySelector('.hero-card .count')")
        item = ledger.add(
            db,
            "分析",
            today - timedelta(days=9),
            matter="钟鼓社区 停车纠纷",
            unit="文昌街道办事处",
            due=today - timedelta(days=3),
        )
        page.wait_for_function("document.querySelector('.alert-count').textContent === '6'", timeout=5000)
        assert (
            page.locator(".alert:has-text('逾期')").inner_text().split("\n")[-1]
            == "钟鼓社区 停车纠纷，逾期3天（文昌街道办事处）"
        )
        assert page.locator("#supervised strong").all_inner_texts() == ["0", "0", "1", "0"]
        ledger.change(db, item.id, item.version, "分析", today, state="销号")
        page.wait_for_function("document.querySelector('.alert-count').textContent === '5'", timeout=5000)
        assert page.locator("#supervised strong").all_inner_texts() == ["0", "0", "0", "1"]
        # Seen to on the workbench, gone from the wall; nothing else was drawn anew.
        send = "(seen) => fetch('/workbench/acknowledge', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(seen)}).then(r => r.status)"
        assert page.evaluate(send, {"alert_id": "above:0", "seen": True}) == 200
        page.wait_for_function("document.querySelector('.alert-count').textContent === '4'", timeout=5000)
        assert "已确认 1" in page.inner_text(".alerts-head")
        assert page.evaluate("window.same === document.querySelector('.hero-card .count')")
        request = Request(f"{address}/workbench/acknowledge", b'{"alert_id": "above:1", "seen": true}',
                          {"Content-Type": "application/json", "Origin": "http://elsewhere.example"})  # fmt: skip
        with pytest.raises(HTTPError, match="403"):
            urlopen(request)
    db.close()
