"""Knox test beside ``pointpats.Knox``, and the space-time scan beside plain cumulative sums, in the same run.

Usage: ``python tests/benchmarks/bench_knox.py [POINTS …]`` (default 5,000 and 20,000). Points are uniform over
15 x 15 km and a year; Knox limits 300 m and 6 hours, 99 permutations; the scan 500 m and 7 days, 1,000 m and 14 days.
Times are wall clock; ours are medians of three, the peers' one run, in a process of its own so that each peak of
memory is its own. ``plain`` sums every circle and window of the events as they are, once, which one permutation costs.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import time

import numpy as np
from scipy.spatial import cKDTree

from geo.spacetime import knox, near_repeat, near_repeat_links, scan_permutation
from geo.spacetime.cylinders import log_likelihood_ratio

SIDE_M, DAYS = 15_000, 365


def events(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Uniform points and times."""
    rng = np.random.default_rng(n)
    return rng.uniform(0, SIDE_M, (n, 2)), rng.uniform(0, DAYS, n)


def ours(n: int):
    return tuple(knox(*events(n), distance_m=300, days=0.25, permutations=99))


def pointpats(n: int):
    from pointpats import Knox

    xy, t = events(n)
    peer = Knox(xy, t[:, None], 300, 0.25, permutations=99)
    return peer.nst, peer.expected[0, 0], peer.p_sim


def table(n: int):
    given = dict(distance_bands_m=[100, 200, 300, 400], day_bands=[1, 3, 7, 14])
    return int(near_repeat(*events(n), permutations=99, **given).observed.sum())


def one_place(n: int):
    return knox(np.zeros((n, 2)), events(n)[1], distance_m=300, days=0.25, permutations=99).p


def links(n: int):
    return len(near_repeat_links(*events(n), distance_m=300, days=7).first)


def scan(n: int, radius: float, days: int):
    found = scan_permutation(*events(n), max_radius_m=radius, max_days=days, permutations=999)
    return float(found.clusters.statistic[0]), found.p


def plain(n: int, radius: float, days: int):
    """The highest statistic by summing every circle and every window."""
    xy, t = events(n)
    day, best = np.floor(t).astype(int), 0.0
    whole = np.concatenate([[0], np.cumsum(np.bincount(day, minlength=DAYS))])
    tree = cKDTree(xy)
    for centre in xy:
        near = np.array(tree.query_ball_point(centre, radius))
        near = near[np.argsort(np.hypot(*(xy[near] - centre).T))]
        counts = np.zeros((len(near), DAYS + 1))
        counts[np.arange(len(near)), day[near] + 1] = 1
        counts = counts.cumsum(axis=0).cumsum(axis=1)
        circle = np.arange(1, len(near) + 1)[:, None]
        for length in range(1, days + 1):
            c, mu = counts[:, length:] - counts[:, :-length], circle * (whole[length:] - whole[:-length]) / n
            good = (c > 1) & (c > mu)
            if good.any():
                best = max(best, log_likelihood_ratio(c[good], mu[good], n).max())
    return best, None


def run(work, given, line) -> None:
    start = time.perf_counter()
    value = work(*given)
    line.put((time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, value))


def alone(work, *given, times: int = 1) -> tuple[float, float, object]:
    """Median seconds, peak GiB and result, each run in a fresh process."""
    results = []
    for _ in range(times):
        context = multiprocessing.get_context("spawn")
        line = context.Queue()
        process = context.Process(target=run, args=(work, given, line))
        process.start()
        results.append(line.get())
        process.join()
    return statistics.median(r[0] for r in results), max(r[1] for r in results), results[-1][2]


def main(sizes: list[int]) -> None:
    """Print one line for each case."""
    for n in sizes:
        mine, peak, (observed, expected, p, _) = alone(ours, n, times=3)
        peer, peer_peak, theirs = alone(pointpats, n)
        same = observed == theirs[0] and np.isclose(expected, theirs[1])
        print(
            f"knox {n:7,}: ours {mine:6.2f} s {peak:4.2f} GiB  pointpats {peer:6.2f} s {peer_peak:4.2f} GiB  "
            f"ratio {peer / mine:6.1f}  equal {same}  p {p:.2f} / {theirs[2]:.2f}",
            flush=True,
        )
        for name, work in (("near_repeat 4 x 4", table), ("knox at one place", one_place), ("links", links)):
            mine, peak, _ = alone(work, n, times=3)
            print(f"{name} {n:7,}: {mine:6.2f} s {peak:4.2f} GiB", flush=True)
    for radius, days in ((500, 7), (1000, 14)):
        mine, peak, (best, p) = alone(scan, 5000, radius, days)
        one, _, (check, _) = alone(plain, 5000, radius, days)
        print(
            f"scan 5,000, {radius} m, {days} days, 999 permutations: ours {mine:6.1f} s {peak:4.2f} GiB  "
            f"plain {one:5.1f} s for one, {one * 1000:,.0f} s EXTRAPOLATED  ratio {one * 1000 / mine:6.0f}  "
            f"equal {np.isclose(best, check)}  p {p:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main([int(float(arg)) for arg in sys.argv[1:]] or [5_000, 20_000])
