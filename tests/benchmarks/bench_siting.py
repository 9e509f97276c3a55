"""Next k camera sites: ``geo.siting.maximal_cover`` beside spopt's MCLP with PuLP's CBC in the same run.

Usage: ``python tests/benchmarks/bench_siting.py [RUNS]`` (default 3; medians are printed). Both start from the same
points; spopt is fed its 0/1 cost matrix, whose making is not counted. ``equal`` compares the covered weight. The last
lines are sizes for which spopt was not run (its model alone takes minutes): greedy with its stated gap.
"""

from __future__ import annotations

import resource
import sys
import time
import warnings
from statistics import median

import numpy as np
import pulp
from scipy.spatial.distance import cdist
from spopt.locate import MCLP

from geo.siting import maximal_cover

warnings.filterwarnings("ignore", category=DeprecationWarning, module="pulp")

# Demand, candidates, k, radius in m, side of the square in m. The first is the size of the baselines; the last has so
# much overlap that every solver toils.
SIDE_BY_SIDE = [(2_000, 200, 20, 2_000, 30_000), (2_000, 200, 20, 2_000, 20_000), (2_000, 200, 10, 2_000, 12_000)]
OURS_ALONE = [(20_000, 1_000, 50, 800, 30_000), (100_000, 5_000, 100, 500, 30_000), (28_175, 28_175, 100, 500, 30_000)]


def instance(n: int, m: int, side_m: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Demand, candidates and whole-number weights."""
    rng = np.random.default_rng(20161)
    return rng.uniform(0, side_m, (n, 2)), rng.uniform(0, side_m, (m, 2)), rng.integers(1, 20, n)


def by_spopt(cost: np.ndarray, weight: np.ndarray, k: int) -> tuple[float, float, float]:
    """Seconds to build, seconds to solve, covered weight."""
    start = time.perf_counter()
    model = MCLP.from_cost_matrix(cost, weight, 0.5, k)
    built = time.perf_counter()
    model.solve(pulp.PULP_CBC_CMD(msg=False))
    return built - start, time.perf_counter() - built, model.problem.objective.value()


def ours(n: int, m: int, k: int, radius_m: float, side_m: float, runs: int):
    """Median seconds and the answer."""
    demand, candidates, weight = instance(n, m, side_m)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        found = maximal_cover(demand, candidates, k=k, weights=weight, radius_m=radius_m)
        seconds.append(time.perf_counter() - start)
    return median(seconds), found


def main(runs: int) -> None:
    """Print one line for each size."""
    print(f"{'demand':>8} {'sites':>6} {'k':>4} {'ours s':>7} {'spopt build + solve s':>22} {'ratio':>6} equal method  "
          f"{'covered':>8} share % gap % peak MiB")  # fmt: skip
    ours(*SIDE_BY_SIDE[1], runs=1)  # imports
    for case in SIDE_BY_SIDE + OURS_ALONE:
        n, m, k, radius_m, side_m = case
        our_s, found = ours(*case, runs=runs)
        beside = f"{'-':>22} {'-':>6} {'-':>5}"
        if case in SIDE_BY_SIDE:
            demand, candidates, weight = instance(n, m, side_m)
            cost = (cdist(demand, candidates) > radius_m).astype(float)
            build_s, solve_s, covered = (
                median(v) for v in zip(*(by_spopt(cost, weight, k) for _ in range(runs)), strict=True)
            )
            same = abs(covered - found.covered) < 1e-6 * covered
            beside = f"{build_s:13.2f} + {solve_s:6.2f} {(build_s + solve_s) / our_s:6.1f} {same!s:>5}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{n:8,} {m:6,} {k:4} {our_s:7.3f} {beside} {found.method:7} {found.covered:8,.0f} {found.share_pct:7.2f} "
              f"{found.gap_pct:5.2f} {peak:8.0f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
