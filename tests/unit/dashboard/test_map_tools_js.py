"""Drawing, measuring, locating and base maps by mouse, touch and keyboard, on a page with nothing but a map."""

import itertools
import math
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import shapely
from pyproj import Geod

sys.path.insert(0, str(Path(__file__).parent))
import scratch_map
from scratch_map import HEIGHT, LAT, LON, WIDTH

from dashboard.basemaps.tile_file import BLANK
from geo.crs import gcj02_to_wgs84, wgs84_to_gcj02

pytestmark = pytest.mark.browser
GEOD = Geod(ellps="WGS84")
SHAPE = "document.querySelectorAll('.draw-shape').length"


@pytest.fixture(scope="module")
def chromium():
    with scratch_map.chromium() as browser:
        yield browser


@pytest.fixture
def scratch(chromium):
    """Open pages; none may complain, unless the test takes its complaints."""
    opened: list[scratch_map.Scratch] = []

    def new(**options) -> scratch_map.Scratch:
        opened.append(scratch_map.Scratch(chromium, **options))
        return opened[-1]

    yield new
    for page in opened:
        page.context.close()
    assert [page.complaints for page in opened] == [[] for _ in opened]


def polygon(s, points) -> shapely.Polygon:
    return shapely.Polygon([s.place(*point) for point in points])


def close_to(drawn: str, expected: shapely.Polygon, m: float = 6) -> bool:
    """Whether two outlines lie within some metres of each other (one pixel of the page is 7.8 m)."""
    shape = shapely.from_wkt(drawn)
    assert shape.is_valid and shape.geom_type == "Polygon" and len(drawn) < 20_000
    return shape.boundary.hausdorff_distance(expected.boundary) < m / 91_000


# --- drawing ---------------------------------------------------------------------------------------------------------


def test_a_rectangle_is_dragged(scratch):
    s = scratch()
    s.draw("rectangle")
    assert s.page.evaluate("document.body.dataset.drawing") == "rectangle"
    assert "矩形" in s.page.inner_text(".tool-hint")
    s.drag([(200, 150), (400, 250), (500, 420)])
    [wkt] = s.drawn
    assert close_to(wkt, polygon(s, [(200, 150), (500, 150), (500, 420), (200, 420)]))
    assert len(shapely.from_wkt(wkt).exterior.coords) == 5
    s.page.wait_for_timeout(400)
    assert s.events == [] and s.page.evaluate("document.body.dataset.drawing") is None
    assert s.page.evaluate(SHAPE) == 0 and s.page.locator(".tool-hint, .tool-label").count() == 0
    # The page has its map back.
    s.click((450, 300))
    assert s.events == ["map click"]
    s.drag([(450, 300), (400, 300)])
    assert s.page.evaluate("map.getCenter().lng") > LON


def test_the_area_is_said_while_drawing(scratch):
    s = scratch()
    s.draw("rectangle")
    s.page.mouse.move(*s.at(200, 150))
    s.page.mouse.down()
    s.page.mouse.move(*s.at(500, 420))
    area = GEOD.geometry_area_perimeter(polygon(s, [(200, 150), (200, 420), (500, 420), (500, 150)]))[0]
    said = s.page.inner_text(".tool-label")
    assert said.endswith(" 平方公里") and float(said.split()[0]) == pytest.approx(area / 1e6, abs=0.06)
    s.page.mouse.up()


def test_a_circle_has_its_radius_on_the_ground(scratch):
    s = scratch()
    s.draw("circle")
    # The map counts from whole pixels, so it is asked itself what lies under the pointer.
    centre, rim = s.page.evaluate(
        "[[450, 300], [450, 200]].map((p) => map.containerPointToLatLng(p)).map((p) => [p.lng, p.lat])"
    )
    s.page.mouse.move(*s.at(450, 300))
    s.page.mouse.down()
    s.page.mouse.move(*s.at(450, 200))
    radius = GEOD.inv(*centre, *rim)[2]
    said = s.page.inner_text(".tool-label")
    assert said.startswith("半径 ") and float(said.split()[1]) == pytest.approx(radius, abs=1)
    s.page.mouse.up()
    corners = shapely.from_wkt(s.drawn[0]).exterior.coords[:-1]
    assert len(corners) == 64
    assert [GEOD.inv(*centre, *corner)[2] for corner in corners] == pytest.approx([radius] * 64, abs=0.5)


@pytest.mark.parametrize("ending", ["double", "enter", "first corner"])
def test_a_polygon_is_clicked(scratch, ending):
    s = scratch()
    s.draw("polygon")
    corners = [(200, 150), (520, 180), (480, 400), (260, 350)]
    s.click(*corners[:3])
    if ending == "double":
        s.page.mouse.dblclick(*s.at(*corners[3]))
    elif ending == "enter":
        s.click(corners[3])
        s.page.keyboard.press("Enter")
    else:
        s.click(corners[3], (203, 152))
    [wkt] = s.drawn
    assert close_to(wkt, polygon(s, corners)) and len(shapely.from_wkt(wkt).exterior.coords) == 5
    s.page.wait_for_timeout(400)
    assert s.events == [] and s.page.evaluate("map.getZoom()") == 14  # the double click is not the map's


def test_the_map_can_be_moved_between_the_corners_of_a_polygon(scratch):
    s = scratch()
    s.draw("polygon")
    s.click((200, 150), (520, 180))
    first = [s.place(200, 150), s.place(520, 180)]
    s.drag([(600, 400), (560, 380), (500, 340)])
    s.centre = tuple(s.page.evaluate("[map.getCenter().lng, map.getCenter().lat]"))
    assert s.centre[0] > LON + 0.005
    s.click((420, 340))
    s.page.keyboard.press("Enter")
    assert close_to(s.drawn[0], shapely.Polygon([*first, s.place(420, 340)]))


def test_a_polygon_that_crosses_itself_is_refused_and_can_be_put_right(scratch):
    s = scratch()
    s.draw("polygon")
    s.click((200, 150), (500, 400), (500, 150), (200, 400))
    s.page.keyboard.press("Enter")
    assert s.events == ["边界自相交，请重画"] and s.drawn == []
    s.page.keyboard.press("Backspace")
    s.page.keyboard.press("Enter")
    assert close_to(s.drawn[0], polygon(s, [(200, 150), (500, 400), (500, 150)]))


def test_a_page_may_say_refusals_its_own_way(scratch):
    s = scratch()
    s.page.evaluate("() => { yanpan.draw.refused = (text) => events.push('own: ' + text); }")
    s.draw("lasso")
    s.drag([(300, 200), (500, 400), (500, 200), (300, 400)])
    assert s.events == ["own: 边界自相交，请重画"]


def around(cx: float, cy: float, radius: float, turns: float = 1.0, steps: int = 240) -> list[tuple[float, float]]:
    return [
        (
            cx + radius * math.cos(2 * math.pi * turns * i / steps),
            cy + radius * math.sin(2 * math.pi * turns * i / steps),
        )
        for i in range(steps + 1)
    ]


def test_a_lasso_follows_the_hand_with_few_points(scratch):
    s = scratch()
    s.draw("lasso")
    s.drag(around(450, 300, 180))
    [wkt] = s.drawn
    assert close_to(wkt, polygon(s, around(450, 300, 180)), m=16)
    assert 20 < len(shapely.from_wkt(wkt).exterior.coords) <= 201


def test_a_lasso_whose_ends_cross_keeps_its_outline(scratch):
    s = scratch()
    s.draw("lasso")
    # Once around and a little more, the end running out through the beginning.
    s.drag([*around(450, 300, 150, steps=120), (590, 330), (640, 350)])
    [wkt] = s.drawn
    shape = shapely.from_wkt(wkt)
    assert shape.is_valid and shape.area == pytest.approx(polygon(s, around(450, 300, 150)).area, rel=0.06)
    s.draw("lasso")
    s.drag(around(450, 300, 120, turns=2, steps=150))
    assert shapely.from_wkt(s.drawn[0]).area == pytest.approx(polygon(s, around(450, 300, 120)).area, rel=0.03)


def test_a_lasso_in_eight_is_refused_and_the_next_is_taken(scratch):
    s = scratch()
    s.draw("lasso")
    s.drag([*around(330, 300, 100, steps=60), *[(860 - x, y) for x, y in around(330, 300, 100, steps=60)]])
    assert s.events == ["边界自相交，请重画"] and s.drawn == [] and s.page.evaluate(SHAPE) == 0
    s.drag(around(450, 300, 100, steps=60))
    assert len(s.drawn) == 1


@pytest.mark.parametrize("kind", ["rectangle", "circle", "lasso"])
def test_a_press_without_a_way_draws_nothing(scratch, kind):
    s = scratch()
    s.draw(kind)
    s.click((300, 300))
    assert s.drawn == [] and s.events == []
    s.drag([(300, 300), (400, 400), (300, 450), (250, 320)])
    assert len(s.drawn) == 1


@pytest.mark.parametrize("kind", ["rectangle", "circle", "polygon", "lasso"])
def test_escape_cancels_and_the_page_does_not_hear_it(scratch, kind):
    s = scratch()
    s.draw(kind)
    if kind == "polygon":
        s.click((200, 150), (520, 180))
    else:
        s.page.mouse.move(*s.at(300, 300))
        s.page.mouse.down()
        s.page.mouse.move(*s.at(400, 350))
    s.page.keyboard.press("Escape")
    s.page.mouse.up()
    s.page.wait_for_timeout(400)
    assert s.drawn == [] and s.events == [] and s.page.evaluate(SHAPE) == 0
    assert s.page.evaluate("document.body.dataset.drawing") is None
    s.page.keyboard.press("Escape")
    s.click((300, 300))
    assert s.events == ["page escape", "map click"]


def test_another_tool_takes_the_place_of_the_first(scratch):
    s = scratch()
    s.draw("polygon")
    s.click((200, 150), (520, 180))
    s.draw("rectangle")
    assert s.page.locator(".tool-hint").count() == 1 and s.page.evaluate(SHAPE) == 0
    s.drag([(300, 300), (400, 400)])
    assert len(s.drawn) == 1


def test_by_keyboard_the_cross_in_the_middle_draws(scratch):
    s = scratch()
    s.draw("rectangle")
    s.page.keyboard.press("Space")
    corner = s.place(WIDTH / 2, HEIGHT / 2)
    assert s.page.evaluate("map.getContainer().classList.contains('by-keys')")
    for key in ("ArrowRight", "ArrowDown"):
        s.page.keyboard.press(key)
        s.page.wait_for_timeout(400)
    other = s.page.evaluate("[map.getCenter().lng, map.getCenter().lat]")
    assert other[0] > corner[0] and other[1] < corner[1]
    s.page.keyboard.press("Space")
    assert close_to(s.drawn[0], shapely.box(corner[0], other[1], other[0], corner[1]))
    s.page.evaluate("map.setView([34.74, 113.62], 14, {animate: false})")
    s.draw("polygon")
    s.page.keyboard.press("Space")
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        s.page.keyboard.press(key)
        s.page.wait_for_timeout(400)
        s.page.keyboard.press("Space")
    s.page.keyboard.press("Enter")
    assert len(shapely.from_wkt(s.drawn[0]).exterior.coords) == 5


def test_fingers_draw_too(scratch):
    s = scratch(has_touch=True)
    touch = s.context.new_cdp_session(s.page)

    def finger(kind: str, *points) -> None:
        places = [dict(zip("xy", s.at(*point), strict=True)) for point in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    s.draw("lasso")
    way = around(450, 300, 150, steps=60)
    finger("touchStart", way[0])
    for point in way[1:]:
        finger("touchMove", point)
    finger("touchEnd")
    assert close_to(s.drawn[0], polygon(s, way), m=25)
    assert s.page.evaluate("map.getCenter().lng") == pytest.approx(LON)  # the map stood still
    s.draw("polygon")
    for point in ((200, 150), (520, 180), (480, 400)):
        s.page.touchscreen.tap(*s.at(*point))
        s.page.wait_for_timeout(450)
    for _ in range(2):
        s.page.touchscreen.tap(*s.at(300, 380))
    s.page.wait_for_timeout(100)
    assert close_to(s.drawn[0], polygon(s, [(200, 150), (520, 180), (480, 400), (300, 380)]))
    assert s.events == [] and s.page.evaluate("map.getZoom()") == 14


def test_the_view_is_a_rectangle(scratch):
    s = scratch()
    expected = shapely.box(*s.place(0, HEIGHT), *s.place(WIDTH, 0))
    assert close_to(s.page.evaluate("yanpan.draw.extent(map)"), expected)
    s.page.evaluate("map.setView([0, 0], 0)")
    assert shapely.from_wkt(s.page.evaluate("yanpan.draw.extent(map)")).bounds[::2] == (-180, 180)


def test_a_selection_is_outlined_and_the_rest_dimmed(scratch):
    s = scratch()
    ring = [s.place(*p) for p in ((200, 150), (600, 150), (600, 450), (200, 450))]
    hole = [s.place(*p) for p in ((300, 200), (300, 400), (400, 400), (400, 200))]
    far = [s.place(*p) for p in ((700, 250), (800, 250), (800, 350))]
    shape = shapely.MultiPolygon([shapely.Polygon(ring, [hole]), shapely.Polygon(far)])
    assert s.ask("((wkt) => yanpan.draw.show(map, wkt))", shape.wkt)

    def dimmed(x: float, y: float) -> bool:
        return s.page.evaluate(
            "([x, y]) => { const p = document.querySelector('.draw-outside'), q = p.ownerSVGElement.createSVGPoint();"
            " const m = p.getScreenCTM(); q.x = x; q.y = y; return p.isPointInFill(q.matrixTransform(m.inverse())); }",
            list(s.at(x, y)),
        )

    assert [dimmed(*p) for p in ((100, 100), (250, 300), (350, 300), (500, 300), (650, 300), (780, 280))] == [
        True, False, True, False, True, False]  # fmt: skip
    assert s.page.locator(".draw-outline").count() == 1
    style = "getComputedStyle(document.querySelector('.draw-outline')).stroke"
    assert s.page.evaluate(style) == "rgb(12, 101, 156)"
    s.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert s.page.evaluate(style) == "rgb(98, 182, 231)"
    s.click((500, 300))
    assert s.events == ["map click"]  # it does not stand in the way
    assert s.ask("((wkt) => yanpan.draw.show(map, wkt))", "POLYGON ((1 2, 3 4))") is False
    assert s.page.locator(".draw-outline, .draw-outside").count() == 0
    s.ask("((wkt) => yanpan.draw.show(map, wkt))", shape.wkt)
    s.page.evaluate("yanpan.draw.clear(map)")
    assert s.page.locator(".draw-outline, .draw-outside, .leaflet-outline-pane svg").count() == 0


# --- measuring -------------------------------------------------------------------------------------------------------


def metres(text: str) -> float:
    number, unit = text.replace("共 ", "").replace("周长 ", "").split()
    return float(number.replace(",", "")) * {"米": 1, "公里": 1000}[unit]


def test_a_line_is_measured_part_by_part(scratch):
    s = scratch()
    s.page.evaluate("yanpan.measure.toggle(map)")
    corners = [(200, 150), (520, 180), (480, 400)]
    s.click(*corners[:2])
    s.page.mouse.move(*s.at(*corners[2]))
    parts = [GEOD.inv(*s.place(*a), *s.place(*b))[2] for a, b in itertools.pairwise(corners)]
    live, whole = s.page.inner_text(".tool-label").split(" · ")
    assert metres(live) == pytest.approx(parts[1], rel=0.005) and metres(whole) == pytest.approx(sum(parts), rel=0.005)
    s.page.mouse.dblclick(*s.at(*corners[2]))
    s.page.wait_for_timeout(400)
    shown = [metres(text) for text in s.page.locator(".measure-part").all_inner_texts()]
    assert shown == pytest.approx(parts, rel=0.005)
    assert metres(s.page.inner_text(".measure-whole")) == pytest.approx(sum(parts), rel=0.005)
    assert s.events == ["measure true"]
    # It stands while the page is used, and Escape takes it away.
    s.click((700, 500))
    assert s.events == ["map click"] and s.page.locator(".measure-line").count() == 1
    s.page.keyboard.press("Escape")
    assert s.page.locator(".measure-line, .measure-label, .tool-label").count() == 0
    assert s.events == ["measure false"] and not s.page.evaluate("yanpan.measure.active")
    s.page.keyboard.press("Escape")
    assert s.events == ["page escape"]


def test_back_at_the_first_point_there_is_an_area(scratch):
    s = scratch()
    s.page.evaluate("yanpan.measure.toggle(map)")
    corners = [(200, 150), (520, 180), (480, 400), (260, 350)]
    s.click(*corners, (202, 151))
    around_, size = s.page.inner_text(".measure-whole").split(" · ")
    area, perimeter = GEOD.geometry_area_perimeter(polygon(s, corners))
    assert metres(around_) == pytest.approx(perimeter, rel=0.005)
    assert float(size.removesuffix(" 平方公里")) == pytest.approx(abs(area) / 1e6, rel=0.005)
    assert s.page.locator(".measure-part").count() == 4 and s.page.locator(".measure-area").count() == 1
    s.page.evaluate("yanpan.measure.toggle(map)")
    assert s.page.locator(".measure-line, .measure-label").count() == 0 and s.events == [
        "measure true",
        "measure false",
    ]


def test_a_measured_ring_that_crosses_itself_has_no_area(scratch):
    s = scratch()
    s.page.evaluate("yanpan.measure.toggle(map)")
    s.click((200, 150), (520, 400), (520, 150), (200, 400), (202, 151))
    assert "没有面积" in s.page.inner_text(".measure-whole")


def test_measuring_by_keyboard_and_taking_back(scratch):
    s = scratch()
    s.page.evaluate("yanpan.measure.toggle(map)")
    s.page.keyboard.press("Space")
    s.page.keyboard.press("ArrowRight")
    s.page.wait_for_timeout(400)
    s.page.keyboard.press("Space")
    s.page.keyboard.press("ArrowDown")
    s.page.wait_for_timeout(400)
    s.page.keyboard.press("Space")
    assert s.page.locator(".measure-part").count() == 2
    s.page.keyboard.press("Backspace")
    assert s.page.locator(".measure-part").count() == 1
    s.page.keyboard.press("Enter")
    start, end = s.place(WIDTH / 2, HEIGHT / 2), s.place(WIDTH / 2 + 80, HEIGHT / 2)
    assert metres(s.page.inner_text(".measure-whole")) == pytest.approx(GEOD.inv(*start, *end)[2], rel=0.01)
    s.page.evaluate("yanpan.measure.toggle(map)")
    s.page.evaluate("yanpan.measure.toggle(map)")
    s.page.keyboard.press("Escape")
    assert s.events == ["measure true", "measure false", "measure true", "measure false"]


# --- locating --------------------------------------------------------------------------------------------------------

ROWS = [
    {"kind": "area", "code": "990101001", "name": "西岭街道", "level": "street", "parent": "演示市/晨光区", "lon": 113.6, "lat": 34.7, "bbox": [113, 34, 114, 35]},
    {"kind": "camera", "code": "9901", "name": None, "level": None, "parent": "", "lon": 113.6, "lat": 34.7, "bbox": None},
    {"kind": "key_place", "code": "P1", "name": "<b>学校</b>", "level": None, "parent": "演示市", "lon": 113.6, "lat": 34.7, "bbox": None},
]  # fmt: skip


@pytest.fixture
def finder(scratch):
    s = scratch()
    s.answers["http://scratch.test/api/v1/find"] = lambda url: {"rows": [] if "zzz" in url else ROWS}
    s.page.evaluate("() => { yanpan.find.onChoose = (row) => events.push(row.code); }")
    return s


def asked(s) -> list[str]:
    return [parse_qs(urlsplit(url).query)["q"][0] for url in s.asked]


def test_a_text_is_asked_once_it_rests_and_the_rows_are_shown(finder):
    s = finder
    s.page.locator("#map-find input").press_sequentially("西岭街", delay=20)
    s.page.wait_for_selector("[role=option]")
    assert asked(s) == ["西岭街"] and "limit=10" in s.asked[0]
    options = s.page.locator("[role=option]").all_inner_texts()
    assert [part for part in ("西岭街道", "街道", "990101001", "演示市 / 晨光区") if part not in options[0]] == []
    assert "摄像机" in options[1] and "9901" in options[1]
    assert "<b>学校</b>" in options[2] and "重点场所" in options[2]  # text, never markup
    field = s.page.locator("#map-find input")
    assert field.get_attribute("role") == "combobox" and field.get_attribute("aria-expanded") == "true"
    listed = field.get_attribute("aria-controls")
    assert s.page.get_attribute(f"#{listed}", "role") == "listbox"
    assert field.get_attribute("aria-label") and s.page.get_attribute(f"#{listed}", "aria-label")


def test_keys_move_choose_and_close(finder):
    s = finder
    field = s.page.locator("#map-find input")

    def marked() -> int:
        named = s.page.get_attribute("#map-find input", "aria-activedescendant")
        chosen = s.page.eval_on_selector_all(
            "[role=option]", "all => all.filter(o => o.ariaSelected === 'true').map(o => o.id)"
        )
        assert chosen == [named]
        return int(named.rsplit("-", 1)[1])

    field.fill("99")
    s.page.wait_for_selector("[role=option]")
    places = [marked()]
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"):
        field.press(key)
        places.append(marked())
    assert places == [0, 1, 2, 0, 2]
    field.press("ArrowUp")
    field.press("Enter")
    assert s.events == ["9901"] and field.input_value() == "9901"
    assert not s.page.is_visible("[role=listbox]") and field.get_attribute("aria-expanded") == "false"
    field.fill("99")
    s.page.wait_for_selector("[role=option]")
    field.press("Escape")
    assert not s.page.is_visible("[role=listbox]") and field.input_value() == "99"
    field.press("ArrowDown")
    assert s.page.is_visible("[role=listbox]")
    field.press("Escape")
    field.press("Escape")
    assert field.input_value() == "" and s.events == []  # the page hears none of them
    field.fill("99")
    field.press("Enter")
    s.page.wait_for_selector("[role=option]")
    s.page.click("[role=option] >> nth=2")
    assert s.events == ["P1"]


def test_nothing_found_and_no_answer_are_said(finder):
    s = finder
    s.page.fill("#map-find input", "zzz")
    s.page.wait_for_selector(".find-note:not([hidden])")
    assert s.page.inner_text(".find-note") == "没有这样的编码或名称"
    s.answers.clear()
    s.page.fill("#map-find input", "99")
    s.page.wait_for_function("document.querySelector('.find-note').textContent.includes('没有成功')")
    assert not s.page.is_visible("[role=listbox]")
    assert [text for text in s.complaints if "Failed to load" not in text] == []
    s.complaints.clear()


def test_letters_of_an_input_method_are_not_asked(finder):
    s = finder
    ime = s.context.new_cdp_session(s.page)
    s.page.focus("#map-find input")
    for text in ("x", "xi", "xil"):
        ime.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
        s.page.wait_for_timeout(200)
    assert asked(s) == []
    ime.send("Input.insertText", {"text": "西岭"})
    s.page.wait_for_selector("[role=option]")
    assert asked(s) == ["西岭"]


def test_leaving_the_field_closes_the_list(finder):
    s = finder
    s.page.fill("#map-find input", "99")
    s.page.wait_for_selector("[role=option]")
    s.click((450, 400))
    assert not s.page.is_visible("[role=listbox]")


# --- base maps -------------------------------------------------------------------------------------------------------


def described(**changes) -> dict:
    return {"id": "m", "name": "图", "kind": "xyz", "tiles": ["http://tiles.test/{z}/{x}/{y}"], "hosts": "", "min_zoom": 0,
            "max_zoom": 18, "datum": "wgs84", "attribution": "审图号 1", "bounds": None, "outside": True, **changes}  # fmt: skip


def apply(s, description) -> None:
    s.page.evaluate("(one) => yanpan.basemap.apply(map, one)", description)
    s.page.wait_for_timeout(150)


def tiles(s, selector: str = ".basemap-tiles img") -> dict[tuple[int, int, int], tuple[float, float, float, float]]:
    """Left, top, right and bottom of each tile, in pixels of the map, by its address."""
    boxes = s.page.eval_on_selector_all(
        selector,
        "all => all.map((t) => { const b = t.getBoundingClientRect(); return [t.src, b.left, b.top, b.right, b.bottom]; })",
    )
    return {tuple(map(int, src.split("/")[-3:])): (le - 20, to - 50, ri - 20, bo - 50) for src, le, to, ri, bo in boxes}


def corner(z: int, x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude of the north-west corner of a tile."""
    return x / 2**z * 360 - 180, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / 2**z))))


def on_map(s, lon: float, lat: float) -> tuple[float, float]:
    (x, y), (cx, cy) = s.world(lon, lat), s.world(*s.centre)
    return x - cx + WIDTH / 2, y - cy + HEIGHT / 2


@pytest.mark.parametrize(
    ("lon", "lat", "zoom"),
    [
        (113.62, 34.74, 17),
        (116.404, 39.915, 17),
        (87.6, 43.8, 17),
        (110.3, 20.0, 18),
        (113.62, 34.74, 14),
        (113.62, 34.74, 10),
        (113.62, 34.74, 4),
    ],
)
def test_gcj02_tiles_stand_where_they_belong_and_cover_the_view(scratch, lon, lat, zoom):
    s = scratch()
    s.answers["http://tiles.test/"] = BLANK
    s.centre, s.zoom = (lon, lat), zoom
    s.page.evaluate("([lat, lon, z]) => map.setView([lat, lon], z, {animate: false})", [lat, lon, zoom])
    apply(s, described(datum="gcj02"))
    found = tiles(s)
    for (z, x, y), (left, top, right, bottom) in found.items():
        west, north = gcj02_to_wgs84(*corner(z, x, y))
        east, south = gcj02_to_wgs84(*corner(z, x + 1, y + 1))
        assert z == zoom
        assert (left, top) == pytest.approx(on_map(s, west, north), abs=1.6)
        assert (right, bottom) == pytest.approx(on_map(s, east, south), abs=1.6)
    within = {
        address: place for address, place in found.items()
        if place[0] < WIDTH and place[2] > 0 and place[1] < HEIGHT and place[3] > 0
    }  # fmt: skip
    # Every pixel of the view lies on a tile, and on the one that holds its place in GCJ-02.
    for x, y in ((1, 1), (WIDTH - 1, 1), (1, HEIGHT - 1), (WIDTH - 1, HEIGHT - 1), (450, 300), (333, 511)):
        assert any(le <= x <= ri and to <= y <= bo for le, to, ri, bo in within.values())
        place = wgs84_to_gcj02(*place_of(s, x, y))
        wx, wy = (v / 256 for v in s.world(*map(float, place)))
        if min(wx % 1, 1 - wx % 1, wy % 1, 1 - wy % 1) > 0.01:
            le, to, ri, bo = within[zoom, math.floor(wx), math.floor(wy)]
            assert le - 1 <= x <= ri + 1 and to - 1 <= y <= bo + 1
    # No seams: neighbours meet or overlap by a pixel or two.
    for (z, x, y), (_, _, right, bottom) in within.items():
        if (z, x + 1, y) in within:
            assert 0 <= right - within[z, x + 1, y][0] <= 2.5
        if (z, x, y + 1) in within:
            assert 0 <= bottom - within[z, x, y + 1][1] <= 2.5


def place_of(s, x: float, y: float) -> tuple[float, float]:
    return s.place(x, y)


def test_a_tile_corner_of_a_gcj02_map_is_within_a_pixel(scratch):
    """Beijing at zoom 17: without the shift a corner is 467 pixels off (556 m)."""
    s = scratch()
    s.answers["http://tiles.test/"] = BLANK
    s.centre, s.zoom = (116.404, 39.915), 17
    s.page.evaluate("map.setView([39.915, 116.404], 17, {animate: false})")
    apply(s, described(datum="gcj02"))
    off, plainly = [], []
    for (z, x, y), (left, top, _, _) in tiles(s).items():
        expected = on_map(s, *map(float, gcj02_to_wgs84(*corner(z, x, y))))
        off.append(math.dist((left, top), expected))
        plainly.append(math.dist(on_map(s, *corner(z, x, y)), expected))
    assert max(off) <= 1.6 and np.median(off) < 1
    assert min(plainly) > 400


def test_data_does_not_move_with_the_base_map(scratch):
    s = scratch()
    s.answers["http://tiles.test/"] = BLANK
    before = s.page.evaluate("[map.getCenter(), map.getBounds(), map.mouseEventToLatLng({clientX: 100, clientY: 100})]")
    apply(s, described(datum="gcj02"))
    assert (
        s.page.evaluate("[map.getCenter(), map.getBounds(), map.mouseEventToLatLng({clientX: 100, clientY: 100})]")
        == before
    )


@pytest.mark.parametrize(("lon", "lat", "datum"), [(-75.16, 39.95, "gcj02"), (113.62, 34.74, "wgs84")])
def test_without_a_shift_tiles_lie_on_the_usual_raster(scratch, lon, lat, datum):
    s = scratch()
    s.answers["http://tiles.test/"] = BLANK
    s.centre, s.zoom = (lon, lat), 16
    s.page.evaluate("([lat, lon]) => map.setView([lat, lon], 16, {animate: false})", [lat, lon])
    apply(s, described(datum=datum))
    found = tiles(s)
    assert len(found) >= 12
    for (z, x, y), (left, top, right, bottom) in found.items():
        assert (left, top) == pytest.approx(on_map(s, *corner(z, x, y)), abs=1)
        assert (right - left, bottom - top) == (256, 256)


def test_one_base_map_at_a_time_and_none_asks_for_nothing(scratch):
    s = scratch()
    s.answers |= {"http://tiles.test/": BLANK, "http://other.test/": BLANK}
    s.page.evaluate("map.panBy([300, 0], {animate: false})")
    s.page.wait_for_timeout(100)
    assert s.asked == []
    apply(s, described())
    assert s.asked and all(url.startswith("http://tiles.test/14/") for url in s.asked)
    assert s.page.inner_text(".basemap-said") == "审图号 1"
    assert s.page.locator(".leaflet-basemap-pane .basemap-tiles").count() == 1
    s.asked.clear()
    apply(s, described())
    assert s.asked == []  # the same again changes nothing
    apply(s, described(tiles=["http://other.test/a/{z}/{x}/{y}", "http://other.test/b/{z}/{x}/{y}"], attribution=""))
    assert {url.split("/")[3] for url in s.asked} == {"a", "b"}
    assert s.page.locator(".basemap-tiles").count() == 2 and s.page.locator(".basemap-said").count() == 1
    s.asked.clear()
    apply(s, None)
    s.page.evaluate("map.panBy([-900, 0], {animate: false})")
    s.page.wait_for_timeout(100)
    assert s.asked == [] and s.page.locator(".basemap-tiles, .basemap-said").count() == 0


def test_tianditu_as_the_server_describes_it(scratch, tmp_path):
    from dashboard import basemaps
    from dashboard.settings import Settings

    declared = basemaps.BaseMap(id="t", name="天地图", kind="tianditu", key="K 1")
    [one] = basemaps.describe(Settings(workspace=tmp_path, basemaps=(declared,)))
    s = scratch()
    for host in range(8):
        s.answers[f"https://t{host}.tianditu.gov.cn/"] = BLANK
    apply(s, one)
    queries = [parse_qs(urlsplit(url).query) for url in s.asked]
    assert {urlsplit(url).path for url in s.asked} == {"/vec_w/wmts", "/cva_w/wmts"}
    assert {q["tk"][0] for q in queries} == {"K 1"} and {q["TILEMATRIX"][0] for q in queries} == {"14"}
    wx, wy = (int(v / 256) for v in s.world(LON, LAT))
    assert (str(wx), str(wy)) in {(q["TILECOL"][0], q["TILEROW"][0]) for q in queries}
    names = s.page.eval_on_selector_all(
        ".basemap-tiles", "all => all.map((t) => t.querySelector('img').src.match(/LAYER=(...)/)[1])"
    )
    assert names == ["vec", "cva"]  # names over the map


def test_zooms_and_bounds_of_a_map_are_kept(scratch):
    s = scratch()
    s.answers["http://tiles.test/"] = BLANK
    west, south = s.place(0, HEIGHT)
    east, north = s.place(WIDTH / 4, 0)
    apply(s, described(min_zoom=13, max_zoom=15, bounds=[west, south, east, north]))
    assert s.asked and max(int(url.split("/")[4]) for url in s.asked) <= int(s.world(east, north)[0] / 256)
    s.asked.clear()
    s.page.evaluate("map.setZoom(16, {animate: false})")
    s.page.wait_for_timeout(150)
    assert {url.split("/")[3] for url in s.asked} <= {"15"}
    s.asked.clear()
    s.page.evaluate("map.setZoom(12, {animate: false})")
    s.page.wait_for_timeout(150)
    assert s.asked == []


def test_a_map_that_cannot_be_read_is_said(scratch):
    s = scratch()
    apply(s, described(name="市局地图"))
    s.page.wait_for_selector(".basemap-said.bad")
    assert s.page.inner_text(".basemap-said") == "底图“市局地图”读不到"
    s.complaints.clear()
    s.answers["http://tiles.test/"] = BLANK
    s.page.evaluate("map.panBy([600, 0], {animate: false})")
    s.page.wait_for_selector(".basemap-said:not(.bad)")
    assert s.page.inner_text(".basemap-said") == "审图号 1"
    s.complaints.clear()
