"""Verdicts over 28,175 grids: the E-test beside ``scipy.stats.poisson_means_test``, dispersion, bands and drift.

Usage: ``python tests/benchmarks/bench_change.py [GRIDS]``. scipy takes one pair at a time and is run on a sample; its
time is scaled to all pairs. Each line: median seconds of five runs, the peer's, their ratio, largest difference of p.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time

import numpy as np
from scipy import stats

from geo.change import control_band, dispersion, poisson_e_test, slow_drift

GRIDS = 28_175
SAMPLE = 300
REPEATS = 5


def median_s(work) -> float:
    """Median wall-clock seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main(grids: int) -> None:
    """Print one line a case."""
    rng = np.random.default_rng(20161)
    print(f"{'case':34} {'ours s':>9} {'peer s':>9} {'ratio':>8} agreement")
    for mean in (0.2, 2, 20):
        now, before = rng.poisson(mean * rng.gamma(2, 0.5, grids), (2, grids))
        ours = median_s(lambda now=now, before=before: poisson_e_test(now, 7, before, 7))
        chosen = rng.choice(np.flatnonzero(now + before), SAMPLE, replace=False)
        start = time.perf_counter()
        peer = np.array([stats.poisson_means_test(now[i], 7, before[i], 7).pvalue for i in chosen])
        peer_s = (time.perf_counter() - start) * grids / SAMPLE
        difference = np.abs(poisson_e_test(now, 7, before, 7).p[chosen] - peer).max()
        print(
            f"{f'E-test, mean {mean}':34} {ours:9.3f} {peer_s:9.1f} {peer_s / ours:8.0f} {difference:.1e}", flush=True
        )
    weeks = rng.poisson(2, (grids, 52)).astype(float)
    exposure = np.full(52, 7.0)
    ours = median_s(lambda: dispersion(weeks, exposure, pooled=True))
    peer_s = median_s(lambda: [stats.chisquare(row).statistic for row in weeks[:SAMPLE] + 1e-12]) * grids / SAMPLE
    chi2 = sum(stats.chisquare(row).statistic for row in weeks[weeks.sum(axis=1) > 0]) / (
        51 * (weeks.sum(axis=1) > 0).sum()
    )
    difference = abs(dispersion(weeks, exposure, pooled=True).phi[0] - max(1, chi2))
    print(f"{'dispersion, 52 weeks':34} {ours:9.3f} {peer_s:9.1f} {peer_s / ours:8.0f} {difference:.1e}")
    series = rng.poisson(20, 260)
    print(f"{'control band, 260 weeks':34} {median_s(lambda: control_band(series)):9.4f}")
    print(f"{'slow drift, 260 weeks':34} {median_s(lambda: slow_drift(series)):9.4f}")
    print(f"peak RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else GRIDS)
