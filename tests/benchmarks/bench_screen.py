"""The wall in headless Chromium on a release of a million incidents: first paint, whole, turns of the map.

Run: PYTHONPATH=.:tests/benchmarks .venv/bin/python tests/benchmarks/bench_screen.py [WORKSPACE [WORKERS]]
"""

from __future__ import annotations

import sys

from bench_page import FLAGS, city, served, show
from clock import calibration
from playwright.sync_api import sync_playwright

PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
MAPPED = "() => document.querySelector('.hotspot-ring') && performance.now()"
WHOLE = "() => document.documentElement.dataset.whole !== undefined && performance.now()"
TURNS = 20
LONG = """() => { window.long_ms = []; new PerformanceObserver((list) => { for (const one of list.getEntries()) window.long_ms.push(one.duration); })
 .observe({ type: 'longtask' }); }"""


def main() -> None:
    workers = sys.argv[2] if len(sys.argv) > 2 else "2"
    with city(sys.argv[1:]) as workspace, served(workspace, workers) as address:
        print(f"calibration {calibration():.2f} s")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            painted, mapped, whole = [], [], []
            for _ in range(6):
                context = browser.new_context(viewport={"width": 1920, "height": 1080})
                page = context.new_page()
                page.goto(f"{address}/screen", wait_until="commit")
                mapped.append(page.wait_for_function(MAPPED, polling=20, timeout=60_000).json_value())
                whole.append(page.wait_for_function(WHOLE, polling=20, timeout=60_000).json_value())
                painted.append(page.evaluate(PAINTED))
                context.close()
            show("first paint of the panels, server just started", painted[:1])
            show("hotspots on the map, server just started", mapped[:1])
            show("everything, cameras too, server just started", whole[:1])
            show("first paint of the panels, nothing cached", painted[1:])
            show("hotspots on the map, nothing cached", mapped[1:])
            show("everything, nothing cached", whole[1:])
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.goto(f"{address}/screen")
            page.wait_for_function(WHOLE, timeout=60_000)
            page.wait_for_timeout(1000)
            page.evaluate(LONG)
            for _ in range(TURNS):
                page.keyboard.press("ArrowRight")
                page.wait_for_timeout(900)
            tasks = page.evaluate("window.long_ms")
            print(f"{TURNS} turns of the map: {len(tasks)} tasks over 50 ms, longest {max(tasks, default=0):.0f} ms")
            browser.close()


if __name__ == "__main__":
    main()
