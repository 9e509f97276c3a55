"""Camera coverage: views between buildings, union and shares, points looked up, order of repair; peers in the same run.

Usage: ``python tests/benchmarks/bench_coverage.py [CAMERAS] [POINTS]`` (default 36,000 and 1,000,000). Each line: our
time, the peer's, their ratio, how far the answers agree. Medians of three runs on one core; peak memory at the end.
``spread`` is a city of 45 x 45 km (a tenth of it seen), ``dense`` one of 14 x 14 km in which nearly every place is.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time

import numpy as np
import shapely
from shapely import affinity

from geo.coverage import Obstacles, coverage_summary, covered_points, repair_order, sectors, visible_areas

BUILDINGS = 200
RAYS = 720


def timed(work, *given, runs: int = 3):
    """Median seconds and the result."""
    took = []
    for _ in range(runs):
        start = time.perf_counter()
        result = work(*given)
        took.append(time.perf_counter() - start)
    return statistics.median(took), result


def line(what: str, ours: float, peer: str, theirs: float | None, agrees: str) -> None:
    """One line of the table."""
    beside = f"{peer:28} {theirs * 1e3:10.2f} ms {theirs / ours:7.1f} x" if theirs else ""
    print(f"{what:34} {ours * 1e3:10.2f} ms  {beside:51}  {agrees}", flush=True)


def town(rng: np.random.Generator, span: float) -> np.ndarray:
    """A block of turned houses with streets between them."""
    side = int(np.ceil(np.sqrt(BUILDINGS)))
    lot = span / side
    middles = (np.stack(np.meshgrid(*[np.arange(side)] * 2), -1).reshape(-1, 2)[:BUILDINGS] + 0.5) * lot - span / 2
    half = rng.uniform(0.15, 0.38, (BUILDINGS, 2)) * lot
    houses = shapely.box(*(middles - half).T, *(middles + half).T)
    return np.array([affinity.rotate(house, rng.uniform(-20, 20)) for house in houses], object)


def cast(spots: np.ndarray, reach: float, houses: shapely.Geometry) -> np.ndarray:
    """Areas by plain ray casting."""
    turn = (np.arange(RAYS) + 0.5) * 2 * np.pi / RAYS
    away = reach * np.column_stack([np.sin(turn), np.cos(turn)])
    out = []
    for spot in spots:
        rays = shapely.linestrings(np.stack([np.broadcast_to(spot, away.shape), spot + away], axis=1))
        hit = shapely.distance(shapely.Point(spot), shapely.intersection(rays, houses))
        out.append((np.where(np.isnan(hit), reach, hit) ** 2).mean() * np.pi)
    return np.array(out)


def bench_views(rng: np.random.Generator, reach: float) -> None:
    """Visibility among 200 buildings, all of them within range of a camera in the middle."""
    houses = town(rng, 1.9 * reach)
    union = shapely.union_all(houses)
    spots = rng.uniform(-0.2 * reach, 0.2 * reach, (2000, 2))
    spots = spots[~shapely.dwithin(union, shapely.points(spots), 0.5)][:300]
    index = Obstacles(houses)
    ours, seen = timed(lambda: visible_areas(*spots.T, range_m=reach, obstacles=index))
    some = spots[:10]
    theirs, areas = timed(cast, some, reach, union, runs=1)
    off = np.abs(shapely.area(seen.areas[:10]) / areas - 1).max()
    line(
        f"view, a camera, range {reach:g} m",
        ours / len(spots),
        f"{RAYS} rays (shapely)",
        theirs / len(some),
        f"areas within {off:.2%}",
    )


def bench_city(rng: np.random.Generator, name: str, span: float, cameras: int, events: int) -> None:
    """A city of sectors: union, summary, points, repair."""
    x, y = rng.uniform(0, span, (2, cameras))
    fov = rng.choice([55.0, 70, 90, 110, 360], cameras)
    reach = rng.choice([30.0, 50, 80, 120], cameras, p=[0.25, 0.4, 0.25, 0.1])
    built, areas = timed(sectors, x, y, rng.uniform(0, 360, cameras), fov, reach)
    print(f"-- {name}: {cameras:,} sectors built in {built:.2f} s, {shapely.area(areas).sum() / 1e6:.0f} km2 in all")
    online = rng.random(cameras) < 0.97
    city = shapely.Point(span / 2, span / 2).buffer(span * 0.45, quad_segs=500)
    points = rng.uniform(0, span, (events, 2))
    peer, union = timed(lambda: shapely.union_all(areas), runs=1)
    ours, got = timed(lambda: coverage_summary(areas))
    off = abs(got.all.overlap.denominator * 1e6 / union.area - 1)
    line("united and measured", ours, "union_all", peer, f"area within {off:.0e}")
    ours, got = timed(lambda: coverage_summary(areas, city=city, online=online))
    line("with backup, online, city", ours, "union_all alone", peer, f"{got.all.area.share_pct:.1f} % seen")

    def by_tree() -> np.ndarray:
        point, _ = shapely.STRtree(areas).query(shapely.points(points), predicate="intersects")
        return np.bincount(point, minlength=len(points))

    peer, wanted = timed(by_tree)
    ours, seen = timed(covered_points, points, areas)
    line(f"{events:,} points", ours, "STRtree of sectors", peer, f"equal: {bool((seen == wanted).all())}")
    ours, order = timed(lambda: repair_order(areas, points, online=online))
    line("repair order", ours, "STRtree of sectors, look-up", peer, f"{order.events_covered:,} events seen online")
    step = np.arange(0, span, 100.0)
    streets = [shapely.linestrings(np.column_stack([step, np.full(step.size, v)])) for v in np.arange(50, span, 400.0)]
    ours, got = timed(
        lambda: coverage_summary(areas, city=city, online=online, roads=streets, places=points[:5000], incidents=points)
    )
    line("everything, all and online", ours, "", None, f"{got.all.road.denominator / 1e3:,.0f} km of road")


def main(cameras: int = 36_000, events: int = 1_000_000) -> None:
    """Print the table."""
    rng = np.random.default_rng(360)
    for reach in (150.0, 200.0):
        bench_views(rng, reach)
    for name, span in (("spread", 45_000.0), ("dense", 14_000.0)):
        bench_city(rng, name, span, cameras, events)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main(*(int(float(arg)) for arg in sys.argv[1:]))
