"""Writing incidents into a GeoPackage with its spatial index: ours beside pyogrio's two ways, in one run.

``python tests/benchmarks/bench_geopackage.py [rows] [runs]``: medians, and how many times ours is faster. All
three write the same fourteen columns and an R-tree; ours also writes the other layers (empty), triggers and styles.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from data import geopackage
from data.check import check
from data.release_info import ReleaseInfo
from data.schema import CATEGORIES, LAYERS

INFO = ReleaseInfo(
    "r20260101-000000", "合成市", "EPSG:4490", "Asia/Shanghai", "opaque", "2026-01-01T00:00:00Z", None, "0"
)


def incidents(rows: int) -> pa.Table:
    """Random points with every column filled the way real ones are."""
    random = np.random.default_rng(0)
    grid = random.integers(0, 28_175, rows)
    codes = np.array([f"6206{i // 2880 + 1:02d}{i // 288 % 10 + 1:03d}{i // 12 % 24 + 1:03d}{i % 12 + 1:03d}"
                      for i in range(28_175)])  # fmt: skip
    when = np.sort(random.integers(1_600_000_000, 1_660_000_000, rows)).astype("datetime64[s]")
    nowhere = random.random(rows) < 0.02

    def coded(index: np.ndarray, values) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(list(values)))

    columns = {
        "incident_id": pa.array(np.arange(10**11, 10**11 + rows)).cast(pa.string()),
        "occurred_from": pa.array(when),
        "occurred_to": pa.array(when + np.timedelta64(3600, "s"), mask=random.random(rows) < 0.7),
        "recorded_at": pa.array(when + np.timedelta64(7000, "s")),
        "category": coded(random.integers(0, 7, rows), CATEGORIES[:7]),
        "subcategory": coded(random.integers(0, 40, rows), [f"类别{i}" for i in range(40)]),
        "status": coded(random.integers(0, 2, rows), ["结案", "在办"]),
        "grid_code": coded(grid, codes),
        "community_code": coded(grid, [code[:12] for code in codes]),
        "street_code": coded(grid, [code[:9] for code in codes]),
        "district_code": coded(grid, [code[:6] for code in codes]),
        "place_type": coded(random.integers(0, 9, rows), [f"场所{i}" for i in range(9)]),
        "location_quality": coded(random.integers(0, 2, rows), ["exact", "pile_up"]),
        "source_id": coded(np.zeros(rows), ["jq110"]),
        "x": pa.array(102 + random.normal(0, 0.3, rows), mask=nowhere),
        "y": pa.array(37 + random.normal(0, 0.2, rows), mask=nowhere),
    }
    return pa.table({field.name: columns[field.name] for field in LAYERS["incident"].arrow_schema()})


def _write_ours(table: pa.Table, path: Path) -> None:
    geopackage.write(path, {"incident": table}, INFO)


def _frame(table: pa.Table) -> gpd.GeoDataFrame:
    points = gpd.points_from_xy(table["x"].to_numpy(), table["y"].to_numpy())
    return gpd.GeoDataFrame(_plain(table).to_pandas(), geometry=points, crs=INFO.crs)


def _write_frame(frame: gpd.GeoDataFrame, path: Path) -> None:
    pyogrio.write_dataframe(frame, path, layer="incident")


def _arrow(table: pa.Table) -> pa.Table:
    x, y = (table[axis].to_numpy() for axis in "xy")
    wkb = shapely.to_wkb(np.where(np.isnan(x), None, shapely.points(x, y)))
    return _plain(table).append_column("geom", pa.array(wkb, pa.binary()))


def _write_arrow(table: pa.Table, path: Path) -> None:
    pyogrio.write_arrow(
        table, path, layer="incident", driver="GPKG", crs=INFO.crs, geometry_name="geom", geometry_type="Point"
    )


def _plain(table: pa.Table) -> pa.Table:
    return table.drop_columns(["x", "y"]).cast(pa.schema([(c.name, c.type) for c in LAYERS["incident"].columns]))


def main() -> None:
    """Print the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    table = incidents(rows)
    # Each is handed its own form of the table; making it is not counted.
    writers = {
        "ours": (_write_ours, table),
        "pyogrio.write_dataframe": (_write_frame, _frame(table)),
        "pyogrio.write_arrow": (_write_arrow, _arrow(table)),
    }
    seconds = {name: [] for name in (*writers, "check quick", "check")}
    with tempfile.TemporaryDirectory() as folder:
        for run in range(runs):
            for name, (write, given) in writers.items():
                path = Path(folder) / f"{run}.gpkg"
                start = time.perf_counter()
                write(given, path)
                seconds[name].append(time.perf_counter() - start)
                if name == "ours":
                    for quick in (True, False):
                        start = time.perf_counter()
                        check(path, quick=quick)
                        seconds["check quick" if quick else "check"].append(time.perf_counter() - start)
                path.unlink()
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    shown = pd.DataFrame({
        "s": medians, "rows/s": {name: rows / value for name, value in medians.items()},
        "times ours": {name: value / medians["ours"] for name, value in medians.items()},
        "runs": {name: " ".join(f"{value:.2f}" for value in values) for name, values in seconds.items()},
    })  # fmt: skip
    print(f"{rows:,} incidents, {runs} runs, medians")
    print(shown.to_string(formatters={"s": "{:.2f}".format, "rows/s": "{:,.0f}".format, "times ours": "{:.1f}".format}))


if __name__ == "__main__":
    main()
