"""The query index and the Store at 10 million incidents, and against pandas at 1 million, in one run.

The questions are those of a dashboard that cross-filters: A is one of two years and three of seven categories, B is A
in one of nine districts. Run: ``python tests/benchmarks/bench_store.py [ROWS]`` (default 10000000).
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
import sqlalchemy as sa

from data.index import FILE_NAME, build
from data.release_info import ReleaseInfo, SourceInfo
from data.schema import CATEGORIES, LAYERS, LOCATION_QUALITIES
from data.selection import Selection
from data.store import Release, Scope, Store, counts, profile, trend
from data.store.filters import INCIDENT, in_days, selected
from data.store.filters import day_window as days

GRIDS_WIDE, GRIDS_HIGH = 175, 161  # 28,175 grids
WEST, SOUTH, SIDE = 113.4, 34.5, 0.004
FIRST, DAYS = np.datetime64("2024-11-18T00:00:00", "s"), 728
YEAR = [("from", "2025-11-15"), ("to", "2026-11-15"), ("compare", "none")]
YEAR += [("category", name) for name in ("刑事", "治安", "求助")]
EVERYTHING = Scope.everything()
RUNS = 20


def main() -> None:
    rows = int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'incidents':>12} {'build s':>8} {'file MB':>8} {'peak MB':>8}")
        frame = made = None
        for n in sorted({1_000_000, rows}):
            made = release_tables(n)
            releases = Path(folder) / str(n)
            (releases / "r").mkdir(parents=True)
            (releases / "current").symlink_to("r")
            started = time.perf_counter()
            build(releases / "r" / FILE_NAME, *made)
            seconds = time.perf_counter() - started
            size = (releases / "r" / FILE_NAME).stat().st_size / 1e6
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
            print(f"{n:>12,} {seconds:>8.2f} {size:>8.0f} {peak:>8.0f}")
            if n == 1_000_000:
                frame = as_frame(made[0]["incident"])
        del made
        answers = {n: ask_store(Path(folder) / str(n)) for n in sorted({1_000_000, rows})}
        pandas_ms = ask_pandas(frame)
    print(f"\n{'question':<32} {'1e6 ms':>9} {'pandas ms':>10} {'ratio':>6} {rows:>12,} ms (median / p95 of {RUNS})")
    for name, (median, p95) in answers[rows].items():
        small = answers[1_000_000][name][0]
        peer = pandas_ms.get(name)
        against = f"{peer:>10.1f} {peer / small:>6.1f}" if peer else f"{'':>10} {'':>6}"
        print(f"{name:<32} {small:>9.1f} {against} {median:>12.1f} / {p95:.1f}")


def release_tables(n: int) -> tuple[dict[str, pa.Table], ReleaseInfo]:
    """A city of 28,175 grids in 144 streets and 9 districts, and ``n`` incidents of two years, unevenly spread."""
    rng = np.random.default_rng(1)
    number = np.arange(GRIDS_WIDE * GRIDS_HIGH)
    column, row = number % GRIDS_WIDE, number // GRIDS_WIDE
    x, y = WEST + column * SIDE, SOUTH + row * SIDE
    district = column * 3 // GRIDS_WIDE + 3 * (row * 3 // GRIDS_HIGH)
    street = column * 12 // GRIDS_WIDE + 12 * (row * 12 // GRIDS_HIGH)
    community = column * 48 // GRIDS_WIDE + 48 * (row * 48 // GRIDS_HIGH)
    codes = {
        "district_code": [f"9901{d + 1:02d}" for d in district],
        "street_code": [f"9901{d + 1:02d}{s + 1:03d}" for d, s in zip(district, street, strict=True)],
    }
    codes["community_code"] = [f"{s}{c % 997 + 1:03d}" for s, c in zip(codes["street_code"], community, strict=True)]
    codes["grid_code"] = [f"{i:015d}" for i in number]
    shapes = shapely.box(x, y, x + SIDE, y + SIDE)
    grid = {**codes, "name": codes["grid_code"], "population": rng.integers(200, 2000, len(number)),
            "geom": shapely.to_wkb(shapes)}  # fmt: skip
    area = [
        {
            "code": code,
            "name": code,
            "level": level,
            "geom": shapely.to_wkb(shapely.box(WEST, SOUTH, WEST + 1, SOUTH + 1)),
        }
        for level in ("district", "street", "community")
        for code in sorted(set(codes[f"{level}_code"]))
    ]
    weight = rng.gamma(0.8, 1, len(number))
    where = rng.choice(len(number), n, p=weight / weight.sum()).astype(np.int32)
    begin = FIRST + rng.integers(0, DAYS * 86_400, n).astype("timedelta64[s]")
    incident = {
        "incident_id": pa.array(np.arange(n)).cast(pa.string()),
        "occurred_from": begin,
        "recorded_at": begin + rng.integers(0, 86_400, n).astype("timedelta64[s]"),
        "category": _coded(rng.choice(7, n, p=[0.1, 0.2, 0.2, 0.05, 0.15, 0.2, 0.1]), CATEGORIES[:7]),
        "location_quality": _coded(np.zeros(n), LOCATION_QUALITIES),
        "source_id": _coded(np.zeros(n), ["jq"]),
        "x": x[where] + rng.uniform(0, SIDE, n),
        "y": y[where] + rng.uniform(0, SIDE, n),
    }
    for name, of_grid in codes.items():
        values, index = np.unique(of_grid, return_inverse=True)
        incident[name] = _coded(index[where], values)
    as_of = "2026-11-16T00:00:00"
    source = SourceInfo("jq", "incident", ("made",), n, "day", data_as_of=as_of)
    info = ReleaseInfo("r", "bench", "EPSG:4490", "Asia/Shanghai", "china", as_of + "Z", as_of, "0", True, (source,))
    tables = {"grid": _table("grid", grid), "area": _table("area", pd.DataFrame(area).to_dict("list")),
              "incident": _table("incident", incident)}  # fmt: skip
    return tables, info


def _coded(index: np.ndarray, values) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(list(values), pa.string()))


def _table(layer: str, columns: dict) -> pa.Table:
    size = len(next(iter(columns.values())))
    values = {f.name: columns.get(f.name) for f in LAYERS[layer].arrow_schema()}
    kinds = {f.name: f.type for f in LAYERS[layer].arrow_schema()}
    return pa.table({
        name: pa.nulls(size, kinds[name]) if column is None
        else column if isinstance(column, pa.Array) else pa.array(column, kinds[name])
        for name, column in values.items()
    })  # fmt: skip


def timed(question: Callable[[], object]) -> tuple[float, float]:
    """Median and 95th percentile in ms, after two warm-up runs."""
    for _ in range(2):
        question()
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        question()
        taken.append((time.perf_counter() - started) * 1e3)
    return statistics.median(taken), sorted(taken)[int(RUNS * 0.95) - 1]


def ask_store(releases: Path) -> dict[str, tuple[float, float]]:
    store = Store(releases)
    results = {}
    with store.current() as release:
        for letter, area in (("A", []), ("B", [("area", "990105")])):
            asked = release.selection(YEAR + area)
            compared = release.selection([pair for pair in YEAR if pair[0] != "compare"] + area)
            questions = {
                "Q1 daily trend by category": lambda s=asked: trend(release, s, EVERYTHING),
                "Q2 per grid": lambda s=asked: counts(release, s, EVERYTHING, "grid"),
                "Q3 hour x weekday": lambda s=asked: profile(release, s, EVERYTHING),
                "Q4 per street": lambda s=asked: counts(release, s, EVERYTHING, "street"),
                "Q5 100 m cells": lambda s=asked: cells(release, s),
                "per street, judged": lambda s=compared: counts(release, s, EVERYTHING, "street"),
            }
            results |= {f"{name} {letter}": timed(question) for name, question in questions.items()}
        week = release.selection([])
        results["week per grid, judged"] = timed(lambda: counts(release, week, EVERYTHING, "grid"))
    store.close()
    return results


def cells(release: Release, selection: Selection) -> pa.Table:
    """Counts by cells of 100 m, as density needs them."""
    east = sa.cast((INCIDENT.lon - WEST) * 915.0, sa.SmallInteger).label("east")
    north = sa.cast((INCIDENT.lat - SOUTH) * 1112.0, sa.SmallInteger).label("north")
    conditions = [in_days(*days((selection.start, selection.end))), *selected(release, selection, EVERYTHING)]
    query = sa.select(east, north, sa.func.count().label("n")).where(*conditions)
    return release.rows(query.group_by("east", "north"))


def as_frame(incident: pa.Table) -> pd.DataFrame:
    """The same rows as pandas would keep them for such questions: narrow, coded, in time order."""
    frame = incident.select(["occurred_from", "x", "y"]).to_pandas()
    for name in ("category", "district_code", "street_code", "grid_code"):
        frame[name] = incident[name].combine_chunks().to_pandas()
    frame = frame.sort_values("occurred_from", ignore_index=True)
    frame["day"] = frame["occurred_from"].dt.floor("D")
    frame["hour"] = frame["occurred_from"].dt.hour.astype("int8")
    frame["weekday"] = frame["occurred_from"].dt.day_of_week.astype("int8")
    frame["east"] = ((frame["x"] - WEST) * 915).astype("int16")
    frame["north"] = ((frame["y"] - SOUTH) * 1112).astype("int16")
    return frame


def ask_pandas(frame: pd.DataFrame) -> dict[str, float]:
    start, end = pd.Timestamp("2025-11-15"), pd.Timestamp("2026-11-15")

    def chosen(letter: str) -> pd.DataFrame:
        inside = (frame["day"] >= start) & (frame["day"] < end) & frame["category"].isin(["刑事", "治安", "求助"])
        return frame[inside & (frame["district_code"] == "990105") if letter == "B" else inside]

    groups = {
        "Q1 daily trend by category": ["day", "category"],
        "Q2 per grid": ["grid_code"],
        "Q3 hour x weekday": ["weekday", "hour"],
        "Q4 per street": ["street_code"],
        "Q5 100 m cells": ["east", "north"],
    }
    return {
        f"{name} {letter}": timed(lambda c=columns, x=letter: chosen(x).groupby(c, observed=True).size())[0]
        for letter in "AB"
        for name, columns in groups.items()
    }


if __name__ == "__main__":
    main()
