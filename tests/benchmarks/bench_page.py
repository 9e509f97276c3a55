"""The page in headless Chromium on a release of a million incidents: first load, filter clicks, pan and zoom, weight.

Run: PYTHONPATH=.:tests/benchmarks .venv/bin/python tests/benchmarks/bench_page.py [WORKSPACE [WORKERS]]
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from clock import calibration
from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
CATEGORIES = ("刑事", "治安", "交通", "纠纷", "求助")
# Everything visible is current: numbers at the side, colours of the units.
QUIET = """() => !document.body.classList.contains('busy') && !document.body.classList.contains('painting')"""
INTERACTIVE = (
    "() => document.querySelector('.leaflet-units-pane .identity-tile canvas') && document.querySelector('.hero')"
)
FRAMES = """() => { window.frames_ms = []; let last = performance.now(); window.watching = true;
 (function tick(now) { window.frames_ms.push(now - last); last = now; if (window.watching) requestAnimationFrame(tick); })(last); }"""


@contextmanager
def city(given: list[str]) -> Iterator[Path]:
    """The workspace named on the command line; else a demo city of a million incidents, made for the run."""
    if given:
        yield Path(given[0])
        return
    with tempfile.TemporaryDirectory() as directory:
        for command in (("demo", "--scale", "city"), ("etl",)):
            subprocess.run(
                [".venv/bin/yanpan", *command, "--workspace", directory], check=True, stdout=subprocess.DEVNULL
            )
        yield Path(directory)


@contextmanager
def served(workspace: Path, workers: str) -> Iterator[str]:
    """The dashboard of a workspace, ready; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        ".venv/bin/yanpan",
        "serve",
        "--open",
        "--port",
        str(port),
        "--workers",
        workers,
        "--workspace",
        str(workspace),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                urlopen(f"{address}/readyz").close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(10)


def show(name: str, times: list[float], unit: str = "ms") -> None:
    ordered = sorted(times)
    p95 = ordered[max(0, round(0.95 * len(ordered)) - 1)]
    print(f"{name:46s} median {statistics.median(ordered):7.0f}  p95 {p95:7.0f} {unit}  n={len(ordered)}")


def loaded(page, address: str) -> float:
    begin = time.perf_counter()
    page.goto(f"{address}/workbench", wait_until="commit")
    page.wait_for_function(INTERACTIVE, polling=20, timeout=60_000)
    return (time.perf_counter() - begin) * 1000


def clicks(page, level: str) -> list[float]:
    times = []
    for i in range(20):
        page.evaluate("() => { window.begun = performance.now(); }")
        selector = f"#workbench-rail [data-category={CATEGORIES[i % len(CATEGORIES)]}]"
        page.evaluate("s => document.querySelector(s).click()", selector)
        page.wait_for_function(QUIET, polling=5, timeout=30_000)
        times.append(
            page.evaluate(
                "() => new Promise(done => requestAnimationFrame(() => done(performance.now() - window.begun)))"
            )
        )
        page.wait_for_timeout(250)
    return times


def moves(page) -> list[float]:
    box = page.locator("#workbench-map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate(FRAMES)
    for _ in range(6):
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 160, y + 60, steps=12)
        page.mouse.up()
        page.mouse.wheel(0, -240)
        page.wait_for_timeout(700)
        page.mouse.wheel(0, 240)
        page.wait_for_timeout(700)
    return page.evaluate("() => { window.watching = false; return window.frames_ms.slice(1); }")


def main() -> None:
    workers = sys.argv[2] if len(sys.argv) > 2 else "2"
    with city(sys.argv[1:]) as workspace, served(workspace, workers) as address:
        print(f"calibration {calibration():.2f} s")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            for name in ("first load, nothing cached, server just started", "first load, nothing cached"):
                context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
                show(name, [loaded(context.new_page(), address)])
                context.close()
            context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
            page = context.new_page()
            cold = loaded(page, address)
            page.wait_for_timeout(2000)
            sizes = page.evaluate("performance.getEntriesByType('resource').map(e => e.transferSize)")
            print(f"over the wire {sum(sizes) / 1e6:.2f} MB in {len(sizes)} requests (load {cold:.0f} ms)")
            show("load, browser cache warm", [loaded(page, address) for _ in range(5)])
            for level in ("district", "street", "grid"):
                page.goto(f"{address}/workbench?level={level}")
                page.wait_for_function(INTERACTIVE, timeout=60_000)
                page.wait_for_timeout(3000)
                show(f"filter click at {level}, first time", clicks(page, level))
                show(f"filter click at {level}, again", clicks(page, level))
            frames = moves(page)
            print(
                f"pan and zoom at grid: longest frame {max(frames):.0f} ms, over 100 ms: {sum(f > 100 for f in frames)} of {len(frames)}"
            )
            browser.close()


if __name__ == "__main__":
    main()
