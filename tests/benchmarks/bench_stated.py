"""What is promised in seconds: median and p95 of 20 beside a calibration of the same run.

Usage: ``python tests/benchmarks/bench_stated.py``. The calibration is a fixed piece of single-core work, printed before
and after: where it takes longer than usual, so does everything. Agreement and peers are in the benches of each topic.
"""

from __future__ import annotations

import numpy as np
from bench_coverage import town
from bench_density import CELL_M, FIELD, city
from clock import calibration, twenty

from geo.coverage import Obstacles, coverage_summary, covered_points, sectors, visible_areas
from geo.density import kernel_density

CAMERAS, SPAN_M = 36_000, 45_000.0


def cases(rng: np.random.Generator):
    """Name, promised seconds, the work, and how many of it one call does."""
    xy = city(rng, 1_000_000, 0)
    for kernel in ("gaussian", "quartic"):
        yield (
            f"核密度 100 万点 600×600 格，{kernel} 300 米，边界校正", 0.3,
            lambda kernel=kernel: kernel_density(xy, bandwidth_m=300, cell_m=CELL_M, boundary=FIELD, kernel=kernel), 1,
        )  # fmt: skip
    x, y = rng.uniform(0, SPAN_M, (2, CAMERAS))
    fov, reach = rng.choice([55.0, 70, 90, 110, 360], CAMERAS), rng.choice([50.0, 80, 120], CAMERAS)
    areas = sectors(x, y, rng.uniform(0, 360, CAMERAS), fov, reach)
    yield "36,000 个扇形合并并量面积", 1.0, lambda: coverage_summary(areas), 1
    points = rng.uniform(0, SPAN_M, (1_000_000, 2))
    yield "100 万点查 36,000 个扇形", 1.0, lambda: covered_points(points, areas), 1
    blocks = Obstacles(town(rng, 380.0))
    spots = rng.uniform(-40, 40, (200, 2))
    yield (
        "可视区，200 栋建筑，每台", 0.002,
        lambda: visible_areas(*spots.T, range_m=200.0, obstacles=blocks), len(spots),
    )  # fmt: skip


def main() -> None:
    """Print one line for each case."""
    print(f"标定 {calibration():.2f} s")
    print("| 什么 | 应在 | 中位 | p95（20 次） |\n|---|---|---|---|")
    for name, promised, work, count in cases(np.random.default_rng(2026)):
        work()
        median, high = twenty(work)
        print(
            f"| {name} | {promised * 1e3:g} ms | {median / count * 1e3:.3g} ms | {high / count * 1e3:.3g} ms |",
            flush=True,
        )
    print(f"标定 {calibration():.2f} s")


if __name__ == "__main__":
    main()
