"""One small release, one server, one headless Chromium for the whole session; a fresh visitor for each test."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest
import shapely
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "data"))
import small_release as small
from serving import serving

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="session")
def frame():
    """The incidents behind the release; times exact, so that pandas counts what the page counts."""
    return small.incidents(8000, seed=11).assign(recorded_at=pd.NaT)


@pytest.fixture(scope="session")
def address(tmp_path_factory, frame):
    """A served workspace; the second source misses its reports of the last week in one street."""
    workspace = tmp_path_factory.mktemp("workspace")
    road = shapely.multilinestrings([[(small.WEST, small.SOUTH + 0.015), (small.WEST + 0.06, small.SOUTH + 0.015)]])
    lake = shapely.multipolygons([shapely.box(small.WEST - 0.01, small.SOUTH, small.WEST, small.SOUTH + 0.005)])
    only_sheet = frame[(frame["source_id"] == "wg") | (frame["street_code"] != "990103002")]
    small.publish(
        workspace / "releases", only_sheet,
        base_road=pd.DataFrame({"name": ["路"], "kind": ["主干路"], "geom": [shapely.to_wkb(road)]}),
        base_water=pd.DataFrame({"name": ["湖"], "kind": ["湖泊"], "geom": [shapely.to_wkb(lake)]}),
    )  # fmt: skip
    with serving(workspace) as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """A browser window on the workbench, with everything it asked and complained about."""

    def __init__(self, chromium, address: str, **options):
        options = {"viewport": {"width": 1440, "height": 900}, "locale": "zh-CN", "color_scheme": "light",
                   "reduced_motion": "reduce", **options}  # fmt: skip
        self.address, self.context = address, chromium.new_context(**options)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.running: set = set()
        self.page.on("request", self._begun)
        for ended in ("requestfinished", "requestfailed"):
            self.page.on(ended, lambda request: self.running.discard(request))
        self.page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)

    def _begun(self, request) -> None:
        self.asked.append(request.url)
        if "ws-worker" not in request.url:  # Dash's own connection stays open
            self.running.add(request)

    def open(self, search: str = "") -> Visitor:
        """Go there and wait until the map and the table have their numbers."""
        self.page.goto(f"{self.address}/workbench{search}")
        self.page.wait_for_selector(".ag-row", timeout=20_000)
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until nothing has been asked for a moment and the side column is current."""
        self.page.wait_for_function("!document.body.classList.contains('busy')")
        quiet = 0
        while quiet < 5:
            self.page.wait_for_timeout(40)
            quiet = 0 if self.running else quiet + 1

    def click(self, selector: str) -> None:
        self.page.click(selector)
        self.settle()

    @property
    def hero(self) -> int:
        return int(self.page.inner_text(".hero").replace(",", ""))

    @property
    def outside(self) -> list[str]:
        host = urlsplit(self.address).netloc
        return [url for url in self.asked if urlsplit(url).scheme.startswith(("http", "ws"))
                and urlsplit(url).netloc != host]  # fmt: skip


@pytest.fixture
def visit(chromium, address):
    """Open windows; all are closed afterwards, and none may have complained or asked another host."""
    opened: list[Visitor] = []

    def new(search: str = "", *, numbers: bool = True, **options) -> Visitor:
        """``numbers=False`` only opens the address, for pages that have none."""
        visitor = Visitor(chromium, address, **options)
        opened.append(visitor)
        if numbers:
            return visitor.open(search)
        visitor.page.goto(f"{address}/workbench{search}")
        return visitor

    yield new
    for visitor in opened:
        visitor.context.close()
    assert [v.complaints for v in opened] == [[] for _ in opened]
    assert [v.outside for v in opened] == [[] for _ in opened]
