"""A page with nothing but a map and the map's own scripts, in headless Chromium; nothing is asked from outside."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dash
import dash_leaflet
from playwright.sync_api import sync_playwright

ASSETS = Path(__file__).resolve().parents[3] / "dashboard" / "assets"
DEPS = Path(dash.__file__).parent / "deps"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
LON, LAT, ZOOM, WIDTH, HEIGHT = 113.62, 34.74, 14, 900, 600
SCRIPTS = {
    "react.js": next(DEPS.glob("react@18*.min.js")),
    "react-dom.js": next(DEPS.glob("react-dom@18*.min.js")),
    "prop-types.js": next(DEPS.glob("prop-types@*.min.js")),
    "leaflet.js": Path(dash_leaflet.__file__).parent / "dash_leaflet.js",
    **{name: ASSETS / name for name in ("0_shell.js", "basemap.js", "map_draw.js", "map_find.js", "map_geometry.js",
                                        "map_measure.js", "map_tool.js")},
}  # fmt: skip
STYLES = [ASSETS / name for name in ("1_tokens.css", "2_shell.css", "3_workbench.css", "5_map_tools.css")]
HTML = f"""<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><link rel="icon" href="data:,"></head><body>
<div class="map-panel" style="position:absolute;left:20px;top:50px;width:{WIDTH}px;height:{HEIGHT}px"><div id="map"></div></div>
<div style="position:absolute;left:20px;top:8px"><div id="map-find"></div></div>
{"".join(f'<script src="/{name}"></script>' for name in SCRIPTS)}
<script>
const events = [];
const map = L.map("map", {{ center: [{LAT}, {LON}], zoom: {ZOOM}, zoomControl: false, attributionControl: false,
                            zoomSnap: 0.25, fadeAnimation: false, zoomAnimation: false, inertia: false }});
map.createPane("basemap").style.zIndex = 200;
map.on("click", () => events.push("map click"));
document.addEventListener("keydown", (e) => {{ if (e.key === "Escape") events.push("page escape"); }});
document.addEventListener("yanpan:draw-refused", (e) => events.push(e.detail));
document.addEventListener("yanpan:measure", (e) => events.push("measure " + e.detail));
</script></body></html>"""


@contextmanager
def chromium() -> Iterator:
    """A browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "/usr/bin/chromium", args=FLAGS
        )
        yield browser
        browser.close()


class Scratch:
    """A page with a map; knows where on the screen a place lies by its own Mercator."""

    def __init__(self, chromium, **options):
        self.context = chromium.new_context(viewport={"width": 960, "height": 680}, reduced_motion="reduce", **options)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.answers: dict[str, object] = {}  # beginning of an address -> what is answered
        self.page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.route("**/*", self._serve)
        self.page.goto("http://scratch.test/")
        for style in STYLES:
            self.page.add_style_tag(content=style.read_text("utf-8"))
        self.page.evaluate("map.invalidateSize()")
        self.centre, self.zoom = (LON, LAT), ZOOM

    def _serve(self, route) -> None:
        url = route.request.url
        name = url.removeprefix("http://scratch.test/")
        if name == "":
            return route.fulfill(body=HTML, content_type="text/html; charset=utf-8")
        if name in SCRIPTS:
            return route.fulfill(path=str(SCRIPTS[name]), content_type="text/javascript; charset=utf-8")
        self.asked.append(url)
        answer = next((a for start, a in self.answers.items() if url.startswith(start)), None)
        if callable(answer):
            answer = answer(url)
        if answer is None:
            return route.abort()
        if isinstance(answer, bytes):
            return route.fulfill(body=answer, content_type="image/png")
        return route.fulfill(json=answer)

    def world(self, lon: float, lat: float) -> tuple[float, float]:
        scale = 256 * 2**self.zoom
        return (lon / 360 + 0.5) * scale, (0.5 - math.asinh(math.tan(math.radians(lat))) / (2 * math.pi)) * scale

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Screen point of a point of the map, in pixels from its upper left."""
        return 20 + x, 50 + y

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Longitude and latitude of a point of the map."""
        cx, cy = self.world(*self.centre)
        scale = 256 * 2**self.zoom
        wx, wy = (cx + x - WIDTH / 2) / scale, (cy + y - HEIGHT / 2) / scale
        return (wx - 0.5) * 360, math.degrees(math.atan(math.sinh((0.5 - wy) * 2 * math.pi)))

    def drag(self, points) -> None:
        self.page.mouse.move(*self.at(*points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.at(*point))
        self.page.mouse.up()

    def click(self, *points) -> None:
        for point in points:
            self.page.mouse.click(*self.at(*point))
            self.page.wait_for_timeout(30)

    def draw(self, kind: str) -> None:
        self.page.evaluate(
            "(kind) => { window.drawn = []; yanpan.draw.start(map, kind, (wkt) => drawn.push(wkt)); }", kind
        )

    @property
    def drawn(self) -> list[str]:
        return self.page.evaluate("window.drawn")

    @property
    def events(self) -> list[str]:
        return self.page.evaluate("events.splice(0)")

    def ask(self, function: str, *values):
        return self.page.evaluate(f"(values) => {function}(...values)", list(values))
