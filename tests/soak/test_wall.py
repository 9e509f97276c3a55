"""A wall for months, accelerated: 500 turns of the map, 200 releases, a hundred walls told at once. Prints the table of
docs/screen.md."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import time

import pandas as pd
import pytest
import small_release as small
import websockets
from playwright.sync_api import sync_playwright
from serving import serving

pytestmark = [pytest.mark.soak, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
TURNS, RELEASES, WALLS = 500, 200, 100
SETTLED, FILLED = 20, 100  # releases after which a tab has no more elements; and all that is kept (2,048 tiles) is
WHOLE = "document.documentElement.dataset.whole !== undefined"


def publish(workspace, number: int) -> str:
    name = f"r20261116-{number:06d}"
    frame = small.incidents(3000, seed=number).assign(recorded_at=pd.NaT)
    small.publish(workspace / "releases", frame, stated=small.info(release_id=name))
    old = workspace / "releases" / f"r20261116-{number - 5:06d}"
    if old.exists():
        shutil.rmtree(old)
    return name


def resident_mb() -> float:
    gc.collect()
    with open("/proc/self/statm") as told:
        return int(told.read().split()[1]) * 4096 / 1e6


class Tab:
    """What a browser tab holds after a garbage collection."""

    def __init__(self, page):
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")

    def held(self) -> tuple[float, int]:
        for _ in range(3):
            self._session.send("HeapProfiler.collectGarbage")
        told = {one["name"]: one["value"] for one in self._session.send("Performance.getMetrics")["metrics"]}
        return told["JSHeapUsedSize"] / 1e6, int(told["Nodes"])


def test_memory_over_turns_and_releases(tmp_path):
    publish(tmp_path, 0)
    with serving(tmp_path) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
        faults = []
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.goto(f"{address}/screen?rotate=0")
        page.wait_for_function(WHOLE, timeout=30_000)
        tab, rows = Tab(page), []

        def note(what: str) -> None:
            heap, nodes = tab.held()
            rows.append((what, heap, nodes, resident_mb()))
            print(f"| {what} | {heap:.1f} | {nodes:,} | {rows[-1][3]:.0f} |", flush=True)

        note("打开")
        for _ in range(10):
            page.keyboard.press("ArrowRight")
        note("10 次轮播")
        for _ in range(TURNS):
            page.keyboard.press("ArrowRight")
        note(f"再 {TURNS} 次轮播")
        for number in range(1, RELEASES + 1):
            name = publish(tmp_path, number)
            page.wait_for_function(
                f"document.querySelector('#foot .release-id').textContent.includes('{name}')", timeout=30_000
            )
            if number in (SETTLED, FILLED, RELEASES):
                page.wait_for_timeout(500)
                note(f"{number} 个发布")
        browser.close()
    by = {what: (heap, nodes, server) for what, heap, nodes, server in rows}
    assert by[f"再 {TURNS} 次轮播"][0] < 1.05 * by["10 次轮播"][0]
    first, filled, last = (by[f"{n} 个发布"] for n in (SETTLED, FILLED, RELEASES))
    assert last[0] < 1.05 * filled[0] and last[1] < 1.05 * first[1] and last[2] < 1.05 * filled[2]
    assert faults == []


def test_a_hundred_walls_are_told_within_a_second(tmp_path):
    publish(tmp_path, 0)

    async def wall(address: str, ready: asyncio.Semaphore) -> float:
        async with websockets.connect(address.replace("http", "ws") + "/live") as line:
            known = json.loads(await line.recv())["release"]
            ready.release()
            while json.loads(await line.recv())["release"] == known:
                pass
            return time.perf_counter()

    async def told(address: str) -> list[float]:
        ready = asyncio.Semaphore(0)
        walls = [asyncio.create_task(wall(address, ready)) for _ in range(WALLS)]
        for _ in range(WALLS):
            await ready.acquire()
        await asyncio.sleep(1.0)
        await asyncio.to_thread(publish, tmp_path, 1)
        switched = time.perf_counter()
        return [one - switched for one in await asyncio.gather(*walls)]

    with serving(tmp_path) as address:
        after = sorted(asyncio.run(told(address)))
    print(f"| {WALLS} 面墙收到新发布 | 中位 {after[len(after) // 2]:.2f} s | 最晚 {after[-1]:.2f} s |")
    assert after[-1] < 1.0
