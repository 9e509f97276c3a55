"""Kernel density of clustered events on 600 x 600 cells of 100 m: ``geo.density`` beside its peers in the same run.

Usage: ``python tests/benchmarks/bench_density.py [POINTS …]`` (default 100,000 and 1,000,000).

Peers: ``scipy.ndimage.gaussian_filter`` on counts in the same cells (no boundary, no edge correction, gaussian only)
and scikit-learn's KernelDensity (gaussian, rtol 1e-4) on 400 cells, EXTRAPOLATED to all. Wall and CPU times are medians
of 5; the machine is shared, so the ratio counts. The error is the largest difference from the exact sums at 2,000 of
the densest 20,000 cells, over the exact peak among them; the exact edge weights are each event's kernel summed over all
cells. ``pile`` puts 1 % of the events at each of three places on cell corners.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import shapely
from scipy import ndimage, spatial
from sklearn.neighbors import KernelDensity

from geo.density import kernel_density

SIDE_M, CELL_M = 60_000, 100
CELLS = SIDE_M // CELL_M
FIELD = shapely.box(0, 0, SIDE_M, SIDE_M)
KM2 = CELL_M**2 / 1e6


def city(rng: np.random.Generator, n: int, piles: int) -> np.ndarray:
    """A quarter even, half in a wide centre, a quarter in 60 quarters of 600 m, some of them at the border."""
    even, wide = n // 4, n // 2
    quarters = rng.uniform(0, SIDE_M, (60, 2))
    xy = [rng.uniform(0, SIDE_M, (even, 2)), rng.normal(SIDE_M / 2, 6000, (wide, 2))]
    xy.append(quarters[rng.integers(0, 60, n - even - wide)] + rng.normal(0, 600, (n - even - wide, 2)))
    xy = np.abs(np.concatenate(xy))
    xy = np.minimum(xy, 2 * SIDE_M - xy)  # reflected at the border, so that it is dense there too
    for place in range(piles):
        xy[place * n // 100 : (place + 1) * n // 100] = (20_000 + 7_100 * place, 31_000 + 5_300 * place)
    return rng.permutation(xy)


def height(squared: np.ndarray, bandwidth_m: float, kernel: str) -> np.ndarray:
    """The kernel in events per km2."""
    q = squared / bandwidth_m**2
    if kernel == "quartic":
        return 3e6 / np.pi / bandwidth_m**2 * np.where(q < 1, (1 - q) ** 2, 0)
    return 1e6 / (2 * np.pi) / bandwidth_m**2 * np.exp(-q / 2)


def edge_masses(xy: np.ndarray, bandwidth_m: float, kernel: str) -> np.ndarray:
    """Sum of each event's kernel over all cells, exactly, cell by cell of its surroundings."""
    reach = int(np.ceil(bandwidth_m * (1 if kernel == "quartic" else 6) / CELL_M)) + 1
    lag = np.arange(-reach, reach + 1)
    mass = np.empty(len(xy))
    for at in range(0, len(xy), 2000):
        part = xy[at : at + 2000]
        cell = np.floor(part / CELL_M).astype(int)[:, :, None] + lag
        gap = np.where((cell >= 0) & (cell < CELLS), ((cell + 0.5) * CELL_M - part[:, :, None]) ** 2, np.inf)
        mass[at : at + 2000] = (
            height(gap[:, 0, :, None] + gap[:, 1, None, :], bandwidth_m, kernel).sum(axis=(1, 2)) * KM2
        )
    return mass


def exact(xy: np.ndarray, x: np.ndarray, y: np.ndarray, bandwidth_m: float, kernel: str, edge: bool) -> np.ndarray:
    """The sums themselves at the given cell centres, over the events that a tree finds within reach."""
    weight = 1 / edge_masses(xy, bandwidth_m, kernel) if edge else np.ones(len(xy))
    tree, centres = spatial.KDTree(xy), np.column_stack([x, y])
    out = np.empty(len(centres))
    for k, near in enumerate(tree.query_ball_point(centres, bandwidth_m * (1 if kernel == "quartic" else 6))):
        squared = ((xy[near] - centres[k]) ** 2).sum(axis=1)
        out[k] = (height(squared, bandwidth_m, kernel) * weight[near]).sum()
    return out


def binned(xy: np.ndarray, bandwidth_m: float) -> np.ndarray:
    """scipy's filter on counts, row 0 at the top."""
    at = np.minimum((xy / CELL_M).astype(np.int64), CELLS - 1)
    counts = np.bincount((CELLS - 1 - at[:, 1]) * CELLS + at[:, 0], minlength=CELLS**2).reshape(CELLS, CELLS)
    return ndimage.gaussian_filter(counts / KM2, bandwidth_m / CELL_M, mode="constant")


def timed(work, repeats: int = 5):
    """Median wall and CPU seconds, and the last result."""
    wall, cpu = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        result = work()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    return float(np.median(wall)), float(np.median(cpu)), result


def error_pct(values, xy, rng, bandwidth_m, kernel, edge) -> float:
    """Largest error at 2,000 dense cells in percent of the exact peak; the densest 200 are among them."""
    order = np.argsort(-values.ravel())
    cells = np.concatenate([order[:200], rng.choice(order[200:20_000], 1800, replace=False)])
    row, column = np.divmod(cells, CELLS)
    truth = exact(xy, (column + 0.5) * CELL_M, SIDE_M - (row + 0.5) * CELL_M, bandwidth_m, kernel, edge)
    return 100 * np.abs(values.ravel()[cells] - truth).max() / truth.max()


def main(sizes: list[int]) -> None:
    """Print one line for each case."""
    rng = np.random.default_rng(20161)
    print(f"{'points':>10} {'case':36} {'wall ms':>8} {'CPU ms':>8} {'x filter':>8} {'error %':>8} {'mass - n':>10}")
    for n in sizes:
        for piles in (0, 3):
            xy = city(rng, n, piles)
            filter_s, filter_cpu, values = timed(lambda xy=xy: binned(xy, 300))
            wrong = error_pct(values, xy, rng, 300, "gaussian", False)
            mark = " pile" if piles else ""
            line = f"{n:10,} {'scipy filter, gaussian 300 m' + mark:36} {filter_s * 1e3:8.0f} {filter_cpu * 1e3:8.0f}"
            print(f"{line} {1:8.1f} {wrong:8.2f}", flush=True)
            for kernel, bandwidth_m, edge in (
                ("gaussian", 300, True),
                ("gaussian", 300, False),
                ("quartic", 300, True),
                ("quartic", 300, False),
                ("quartic", 850, True),
            ):
                given = {
                    "bandwidth_m": bandwidth_m,
                    "cell_m": CELL_M,
                    "boundary": FIELD,
                    "kernel": kernel,
                    "edge": edge,
                }
                wall, cpu, surface = timed(lambda xy=xy, given=given: kernel_density(xy, **given))
                wrong = error_pct(surface.values, xy, rng, bandwidth_m, kernel, edge)
                name = f"{kernel} {bandwidth_m} m{', edge' * edge}{mark}"
                print(
                    f"{n:10,} {name:36} {wall * 1e3:8.0f} {cpu * 1e3:8.0f} {wall / filter_s:8.1f} {wrong:8.2f} "
                    f"{surface.mass - n:10.1e}",
                    flush=True,
                )
        wall, cpu, surface = timed(lambda xy=xy: kernel_density(xy, boundary=FIELD), 3)
        name = f"automatic: {surface.bandwidth_m:.0f} m, cells of {surface.cell_m:g} m"
        print(f"{n:10,} {name:36} {wall * 1e3:8.0f} {cpu * 1e3:8.0f} {wall / filter_s:8.1f}", flush=True)
    some = rng.uniform(0, SIDE_M, (400, 2))
    fit = KernelDensity(kernel="gaussian", bandwidth=300, rtol=1e-4).fit(xy[:100_000])
    wall, cpu, _ = timed(lambda: fit.score_samples(some), 1)
    whole, whole_cpu = (v * CELLS**2 / len(some) * 1e3 for v in (wall, cpu))
    name = "scikit-learn, EXTRAPOLATED from 400"
    print(f"{min(len(xy), 100_000):10,} {name:36} {whole:8.0f} {whole_cpu:8.0f}")
    print(f"peak RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB, checks included")


if __name__ == "__main__":
    main([int(float(arg)) for arg in sys.argv[1:]] or [100_000, 1_000_000])
