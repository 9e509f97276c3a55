"""Points to 28,175 Voronoi grids: ``geo.regions.assign`` beside ``geopandas.sjoin`` in the same run.

Usage: ``python tests/benchmarks/bench_assign.py [POINTS …]`` (default 1,000,000 and 10,000,000; the latter needs 6 GB
for the join). Times are wall clock on one core; ``index`` is the time to build the RegionIndex, part of ``assign``.
"""

from __future__ import annotations

import sys
import time

import geopandas as gpd
import numpy as np
import shapely

from geo.regions import RegionIndex, assign

GRIDS = 28_175
FRAME = (113.4, 34.6, 113.9, 35.0)


def voronoi_grids(rng: np.random.Generator) -> gpd.GeoDataFrame:
    """A partition of the frame with codes in random order."""
    west, south, east, north = FRAME
    frame = shapely.box(*FRAME)
    seeds = shapely.multipoints(rng.uniform((west, south), (east, north), (GRIDS, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=frame))
    codes = [f"{370102013_000000 + i:015d}" for i in rng.permutation(len(cells))]
    return gpd.GeoDataFrame({"grid_code": codes}, geometry=shapely.intersection(cells, frame), crs=4490)


def by_join(lon: np.ndarray, lat: np.ndarray, grids: gpd.GeoDataFrame) -> np.ndarray:
    """The same answer by ``sjoin``: the smallest code among those that intersect."""
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs=grids.crs)
    joined = gpd.sjoin(points, grids, predicate="intersects")
    joined = joined.sort_values("grid_code")
    joined = joined[~joined.index.duplicated()]
    found = np.full(lon.size, -1)
    found[joined.index] = joined["index_right"]
    return found


def timed(work, *given):
    """Seconds and result."""
    start = time.perf_counter()
    result = work(*given)
    return time.perf_counter() - start, result


def main(sizes: list[int]) -> None:
    """Print one line for each number of points."""
    rng = np.random.default_rng(20161)
    grids = voronoi_grids(rng)
    print(f"{'points':>12} index s  assign s    M/s again M/s  sjoin s  ratio equal")
    for n in sizes:
        lon, lat = rng.uniform(FRAME[0], FRAME[2], n), rng.uniform(FRAME[1], FRAME[3], n)
        whole_s, found = timed(assign, lon, lat, grids)
        index_s, index = timed(lambda n=n: RegionIndex(grids, points=n))
        again_s, _ = timed(index.assign, lon, lat)
        join_s, joined = timed(by_join, lon, lat, grids)
        same = bool((found == joined).all())
        print(
            f"{n:12,} {index_s:8.2f} {whole_s:9.2f} {n / whole_s / 1e6:6.1f} {n / again_s / 1e6:9.1f} {join_s:8.2f} "
            f"{join_s / whole_s:6.1f} {same}",
            flush=True,
        )


if __name__ == "__main__":
    main([int(float(arg)) for arg in sys.argv[1:]] or [1_000_000, 10_000_000])
