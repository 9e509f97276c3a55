"""Contiguity, Gi*, local Moran and the emerging cube on 28,175 grids beside libpysal and esda in the same run.

Usage: ``python tests/benchmarks/bench_autocorrelation.py``. Medians of 5 (emerging cube: 3); esda is warm (numba
compiled by a first call). Each line: seconds of both, ratio, agreement. Ends with the peak memory of the process.
"""

from __future__ import annotations

import resource
import statistics
import time
import warnings

import numpy as np
from bench_assign import voronoi_grids

from geo.autocorrelation import contiguity, getis_ord_star, local_moran
from geo.autocorrelation.draws import tail_counts
from geo.spacetime import emerging_hotspots

STEPS = 52


def median_s(work, times: int = 5):
    """Median seconds and the last result."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken), result


def line(name: str, ours_s: float, theirs_s: float | None, agreement: str) -> None:
    """One case."""
    peer = f"{theirs_s:9.3f} s {theirs_s / ours_s:7.1f} x" if theirs_s else f"{'-':>9}   {'-':>7}  "
    print(f"{name:<44} {ours_s:8.4f} s {peer}  {agreement}", flush=True)


def main() -> None:
    """Print one line for each case."""
    warnings.simplefilter("ignore")
    from esda import G_Local, Moran_Local
    from libpysal.graph import Graph

    rng = np.random.default_rng(28175)
    grids = voronoi_grids(rng)
    counts = rng.poisson(2.0, len(grids)).astype(float)
    rates = counts + rng.random(len(grids))
    print(f"{'case':<44} {'ours':>10} {'peer':>11} {'ratio':>9}  agreement")

    ours_s, near = median_s(lambda: contiguity(grids))
    theirs_s, graph = median_s(lambda: Graph.build_contiguity(grids, rook=False), 3)
    line("queen contiguity / libpysal Graph", ours_s, theirs_s, f"differences {abs(graph.sparse - near.matrix).nnz}")

    weights = graph.to_W()

    def esda_star():
        return G_Local(counts, weights, transform="B", star=True, permutations=0)

    esda_star()
    ours_s, star = median_s(lambda: getis_ord_star(counts, near))
    theirs_s, esda = median_s(esda_star)
    line("Gi*, exact p and q / esda analytic", ours_s, theirs_s, f"max |z - z| {np.abs(star.z - esda.Zs).max():.1e}")

    weights.transform = "r"

    def esda_moran():
        return Moran_Local(rates, weights, permutations=999, seed=1)

    esda_moran()
    theirs_s, esda = median_s(esda_moran)
    areas, seen = np.arange(len(grids)), near.matrix @ rates
    ours_s, tails = median_s(lambda: tail_counts(rates, near.count, areas, seen, 999, np.random.default_rng(1)), 5)
    gap = np.abs((tails.min(axis=0) + 1) / 1000 - esda.p_sim).mean()
    line("local Moran, 999 draws alone / esda 999", ours_s, theirs_s, f"mean |p - p| {gap:.4f} (chance)")
    ours_s, moran = median_s(lambda: local_moran(rates, near, seed=1), 3)
    line(
        f"local Moran of rates, {moran.permutations:,} draws / esda 999",
        ours_s,
        theirs_s,
        f"max |I - I| {np.abs(moran.I - esda.Is).max():.1e}",
    )
    ours_s, _ = median_s(lambda: local_moran(counts, near))
    line("local Moran of counts, exact p / esda 999", ours_s, theirs_s, "")
    cube = rng.poisson(2.0, (len(grids), STEPS))
    ours_s, _ = median_s(lambda: emerging_hotspots(cube, near), 3)
    line(f"emerging cube, {STEPS} steps", ours_s, None, "")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
