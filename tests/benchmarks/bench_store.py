"""Every question of the API at ten million incidents: median and p95 of 20, beside a calibration of the same run.

Usage: ``python tests/benchmarks/bench_store.py [DIRECTORY | ROWS]``: the current release of a workspace (or of a folder
of releases), else one made here with ROWS incidents (default 10000000) in 28,175 grids. Each of the 20 has a Selection of
its own, so that nothing is remembered from the one before; the routes are called in this process, JSON included. Whole
areas and days come first, then hours, weekdays and polygons. The last line is a click: all that the workbench asks.
"""

from __future__ import annotations

import asyncio
import itertools
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from clock import calibration
from fastapi import FastAPI

from dashboard.api import PREFIX, router
from data.index import FILE_NAME, build
from data.release_info import ReleaseInfo, SourceInfo
from data.schema import CATEGORIES, LAYERS, LOCATION_QUALITIES
from data.selection import Selection
from data.store import Release, Scope, Store, counts, disputes, profile, summary, trend
from data.store.changes import changes
from data.store.class_limits import class_limits
from data.store.facets import facets, without_unit

GRIDS_WIDE, GRIDS_HIGH = 175, 161  # 28,175 grids
WEST, SOUTH, SIDE = 113.4, 34.5, 0.004
FIRST, DAYS = np.datetime64("2024-11-18T00:00:00", "s"), 728
EVERYTHING = Scope.everything()
Selections = Callable[[Release], Iterator[Selection]]
CHOSEN = [(), ("刑事",), ("治安", "交通"), (), ("纠纷",), ("刑事", "治安", "求助"), ("求助",)]
CUTS = [{"hours": (18, 23)}, {"weekdays": (6, 7)}, {"polygon": True}, {"hours": (22, 5), "weekdays": (5, 6)}]
QUESTIONS = {  # promised seconds for whole areas and days, and with hours, weekdays or a polygon; None where it has neither
    "release": (0.1, None),
    "areas": (0.1, None),
    "summary": (0.1, 0.3),
    "trend?step=day": (0.1, 0.3),
    "profile": (0.1, 0.3),
    "counts?level=district": (0.1, 0.3),
    "counts?level=street": (0.1, 0.3),
    "counts?level=community": (0.1, 0.3),
    "counts?level=grid": (0.3, 0.6),
    "disputes?level=district": (0.1, None),
    "disputes?level=community": (0.1, None),
}


def main() -> None:
    """Print a table of the questions."""
    given = sys.argv[1] if len(sys.argv) > 1 else "10000000"
    print(f"标定 {calibration():.2f} s")
    if Path(given).is_dir():
        asyncio.run(ask(releases_in(Path(given))))
    else:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), int(float(given)))
            asyncio.run(ask(Path(folder)))
    print(f"标定 {calibration():.2f} s")


def releases_in(directory: Path) -> Path:
    """The folder of releases of a workspace, or the folder itself."""
    return directory / "releases" if (directory / "releases").is_dir() else directory


def make(releases: Path, rows: int) -> None:
    """Build the index of a made city."""
    made = release_tables(rows)
    (releases / "r").mkdir(parents=True)
    (releases / "current").symlink_to("r")
    started = time.perf_counter()
    build(releases / "r" / FILE_NAME, *made)
    seconds, size = time.perf_counter() - started, (releases / "r" / FILE_NAME).stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"建索引：{rows:,} 行 {seconds:.2f} s，{size:.0f} MB，峰值 {peak:.0f} MB")


async def ask(releases: Path) -> None:
    """Ask every question 20 times; a store of its own for each column, so that none finds what another left behind."""
    print(
        "| 问题 | 应在 | 中位 | p95（20 次） | 时段、星期、多边形：应在 | 中位 | p95 |\n|---|---|---|---|---|---|---|"
    )
    for question, (promised, promised_cut) in QUESTIONS.items():
        cells = [f"{promised * 1e3:g} ms", figures(await taken(releases, question, whole_selections))]
        if promised_cut is None:
            cells.append("– | – | –")
        else:
            cells += [f"{promised_cut * 1e3:g} ms", figures(await taken(releases, question, cut_selections))]
        print(f"| {question} | {' | '.join(cells)} |", flush=True)
    clicks = [clicked(releases, selections) for selections in (whole_selections, cut_selections)]
    print(f"| 一次点击 | – | {figures(clicks[0])} | – | {figures(clicks[1])} |")


async def taken(releases: Path, question: str, selections: Selections) -> list[float]:
    """Seconds of one question for each Selection."""
    store = Store(releases)
    app = FastAPI()
    app.include_router(router(store, lambda request: EVERYTHING))
    seconds = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://bench{PREFIX}/") as client:
        with store.current() as release:
            warm_up(release)
            for selection in selections(release):
                address = question
                if question not in ("release", "areas"):
                    address += ("&" if "?" in question else "?") + selection.to_query()
                began = time.perf_counter()
                answer = await client.get(address)
                seconds.append(time.perf_counter() - began)
                answer.raise_for_status()
    store.close()
    return seconds


def clicked(releases: Path, selections: Selections) -> list[float]:
    """Seconds of all that the workbench asks, for each Selection."""
    store = Store(releases)
    seconds = []
    with store.current() as release:
        warm_up(release)
        for selection in selections(release):
            began = time.perf_counter()
            click(release, selection)
            seconds.append(time.perf_counter() - began)
    store.close()
    return seconds


def figures(seconds: list[float]) -> str:
    """Median and p95 in ms."""
    return f"{np.median(seconds) * 1e3:.0f} ms | {np.quantile(seconds, 0.95) * 1e3:.0f} ms"


def click(release: Release, selection: Selection) -> None:
    """What a click on the workbench asks, one after the other; in the browser they come at once."""
    facets(release, selection, EVERYTHING)
    changes(release, selection, EVERYTHING)
    profile(release, selection, EVERYTHING)
    for start, end in ((selection.start, selection.end), selection.compare_window):
        trend(release, Selection(start, end, None, "none", *filters(selection)), EVERYTHING)
    counts(release, selection, EVERYTHING, "district")
    counts(release, selection, EVERYTHING, "grid")
    class_limits(release, selection, EVERYTHING, "grid")
    without_unit(release, selection, EVERYTHING, "grid")


def filters(selection: Selection) -> tuple:
    """Categories, hours, weekdays and polygon."""
    return selection.categories, selection.hours, selection.weekdays, selection.polygon


def warm_up(release: Release) -> None:
    """Read once what stays in memory as long as a release is open; a window none of the Selections has."""
    start, end = (day - timedelta(days=7 * 30) for day in release.default_window())
    week = Selection(start, end)
    summary(release, week, EVERYTHING)
    disputes(release, week, EVERYTHING, "community")
    click(release, week)
    for kind in CUTS:
        profile(release, Selection(start, end, **cut_of(release, kind)), EVERYTHING)


def windows(release: Release) -> Iterator[tuple[date, date]]:
    """20 windows: weeks, months, half-months, a quarter, a year, and days that are none of these."""
    start, end = release.default_window()
    yield from ((start - timedelta(days=7 * i), end - timedelta(days=7 * i)) for i in range(8))
    months = [(end.replace(day=1) - timedelta(days=31 * i)).replace(day=1) for i in range(7)]
    yield from zip(months[1:5], months[:4], strict=True)
    yield from ((month, month.replace(day=16)) for month in months[1:3])
    yield from ((end - timedelta(days=days + 3), end - timedelta(days=3)) for days in (1, 7, 30, 45))
    yield months[4], months[1]
    yield end - timedelta(days=364), end


def whole_selections(release: Release) -> Iterator[Selection]:
    """20 Selections of whole areas and days."""
    for (start, end), categories in zip(windows(release), itertools.cycle(CHOSEN), strict=False):
        yield Selection(start, end, categories=categories)


def cut_selections(release: Release) -> Iterator[Selection]:
    """The same windows with an hour or weekday filter, or a polygon over the middle of the city."""
    for one, kind in zip(whole_selections(release), itertools.cycle(CUTS), strict=False):
        yield Selection(one.start, one.end, categories=one.categories, **cut_of(release, kind))


def cut_of(release: Release, kind: dict) -> dict:
    """The filter with its polygon made."""
    if "polygon" not in kind:
        return kind
    bounds = release.units.level("grid").bounds
    west, south = np.nanquantile(bounds[:, :2], 0.3, axis=0)
    east, north = np.nanquantile(bounds[:, 2:], 0.7, axis=0)
    ring = [(west, south), (east, south), ((west + east) / 2, north), (west, north)]
    return {"polygon": shapely.Polygon(ring).wkt}


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
    disputes_source = SourceInfo("jf", "dispute", ("made",), 0, "week")
    info = ReleaseInfo("r", "bench", "EPSG:4490", "Asia/Shanghai", "china", as_of + "Z", as_of, "0", True,
                       (source, disputes_source))  # fmt: skip
    rows = {"grid": grid, "area": pd.DataFrame(area).to_dict("list"), "incident": incident,
            "dispute_stat": dispute_lines(rng, sorted(set(codes["community_code"])))}  # fmt: skip
    return {layer: _table(layer, columns) for layer, columns in rows.items()}, info


def dispute_lines(rng: np.random.Generator, communities: list[str]) -> dict:
    """Weekly counts of every community."""
    weeks = DAYS // 7
    start = FIRST.astype("datetime64[D]") + 7 * np.repeat(np.arange(weeks), len(communities))
    found = rng.poisson(3, len(start))
    accepted = rng.binomial(found, 0.9)
    return {
        "period_start": start,
        "period_end": start + 7,
        "area_code": communities * weeks,
        "found": found,
        "accepted": accepted,
        "handled": accepted,
        "succeeded": rng.binomial(accepted, 0.95),
        "source_id": ["jf"] * len(start),
    }


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


if __name__ == "__main__":
    main()
