"""From CSV to a published release, beside a plain geopandas script doing the bare same work, in the same run.

    .venv/bin/python tests/benchmarks/bench_etl.py [--rows 1000000] [--runs 3]

Each contestant runs in a process of its own; seconds are wall time of the whole process, memory its peak. The peer
reads the CSV and the grids, joins points to polygons and writes both layers to a GeoPackage. Ours publishes a
release: the same, and personal-data scan, accounting, pile-ups, topology, query index, checks and atomic switch.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import shapely
from clock import calibration

GRIDS = 28_175
CATEGORIES = np.array(["刑事", "治安", "交通", "火灾", "纠纷", "求助", "其他"])

PEER = """
import sys, geopandas as gpd, pandas as pd
folder = sys.argv[1]
grids = gpd.read_file(folder + "/grids.gpkg")
frame = pd.read_csv(folder + "/incidents.csv", dtype={"id": str}, parse_dates=["time"])
points = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs="EPSG:4326")
joined = points.sjoin(grids[["grid_code", "geometry"]], how="left", predicate="within").drop(columns="index_right")
grids.to_file(folder + "/peer.gpkg", layer="grid", driver="GPKG")
joined.to_file(folder + "/peer.gpkg", layer="incident", driver="GPKG")
"""

SOURCES = """
[release]
title = "基准"
crs = "EPSG:4326"
codes = "opaque"
[[source]]
id = "grids"
kind = "grid"
path = "grids.gpkg"
[source.columns]
grid_code = "grid_code"
[[source]]
id = "incidents"
kind = "incident"
path = "incidents.csv"
[source.columns]
incident_id = "id"
occurred_from = "time"
category = "category"
lon = "lon"
lat = "lat"
"""


def make(folder: Path, rows: int, seed: int = 7) -> None:
    """28,175 Voronoi grids and seeded incidents in minutes over two years, half of them in clusters."""
    rng = np.random.default_rng(seed)
    seeds = shapely.multipoints(rng.uniform((113.2, 34.4), (114.0, 35.1), (GRIDS, 2)))
    frame = shapely.box(113.2, 34.4, 114.0, 35.1)
    cells = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=frame)), frame)
    codes = [f"g{i:06d}" for i in range(len(cells))]
    gpd.GeoDataFrame({"grid_code": codes}, geometry=cells, crs="EPSG:4326").to_file(folder / "grids.gpkg")
    centres = rng.uniform((113.25, 34.45), (113.95, 35.05), (400, 2))
    half = rows // 2
    xy = np.vstack(
        [
            rng.uniform((113.2, 34.4), (114.0, 35.1), (rows - half, 2)),
            np.clip(
                centres[rng.integers(400, size=half)] + rng.normal(0, 0.004, (half, 2)), (113.2, 34.4), (114.0, 35.1)
            ),
        ]
    )[rng.permutation(rows)]
    moments = np.datetime64("2024-11-18T00:00") + rng.integers(0, 728 * 1440, rows).astype("timedelta64[m]")
    table = pa.table(
        {
            "id": pa.array(np.char.add("j", np.arange(rows).astype(str))),
            "time": pa.array(np.char.replace(moments.astype("datetime64[s]").astype(str), "T", " ")),
            "category": pa.array(CATEGORIES[rng.integers(7, size=rows)]),
            "lon": pa.array(np.round(xy[:, 0], 6)),
            "lat": pa.array(np.round(xy[:, 1], 6)),
        }
    )
    pacsv.write_csv(table, folder / "incidents.csv", pacsv.WriteOptions(quoting_style="none"))
    (folder / "sources.toml").write_text(SOURCES, "utf-8")


def measured(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak MiB of a child process."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        sys.exit(f"{' '.join(command[:3])} … 失败: {child.stderr.read().decode()[-800:]}")
    return seconds, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-peer", action="store_true")
    options = parser.parse_args()
    yanpan = Path(sys.executable).parent / "yanpan"
    print(f"核 {os.cpu_count()}  标定 {calibration():.2f} s  行 {options.rows:,}  网格 {GRIDS:,}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, options.rows)
        found: dict[str, list[tuple[float, float]]] = {"geopandas": [], "yanpan": []}
        for n in range(options.runs):
            if not options.no_peer:
                (folder / "peer.gpkg").unlink(missing_ok=True)
                found["geopandas"].append(measured([sys.executable, "-c", PEER, name]))
            found["yanpan"].append(
                measured([str(yanpan), "etl", "--sources", f"{name}/sources.toml", "--workspace", f"{name}/w{n}"])
            )
        for who, runs in found.items():
            if runs:
                seconds = [s for s, _ in runs]
                print(
                    f"{who:10} {statistics.median(seconds):7.2f} s  ({' '.join(f'{s:.2f}' for s in seconds)})  "
                    f"峰值 {max(m for _, m in runs):,.0f} MiB"
                )
        if found["geopandas"]:
            ratio = [p[0] / y[0] for p, y in zip(found["geopandas"], found["yanpan"], strict=True)]
            print(f"geopandas / yanpan  {statistics.median(ratio):.2f} 倍  ({' '.join(f'{r:.2f}' for r in ratio)})")
    print(f"本进程峰值 {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB；pandas {pd.__version__}")


if __name__ == "__main__":
    main()
