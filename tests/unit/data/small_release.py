"""A release small enough to read, made by hand: 3 districts x 2 streets x 2 communities x 2 grids, two sources."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from data.index import FILE_NAME, build
from data.release_info import ReleaseInfo, SourceInfo
from data.schema import CATEGORIES, LAYERS
from data.store import Release, Store

WEST, SOUTH, SIDE = 113.60, 34.70, 0.01
FIRST = date(2025, 1, 6)  # a Monday
AS_OF = "2026-11-16T00:00:00"
LEVELS = ("district", "street", "community", "grid")


def grids() -> pd.DataFrame:
    """24 squares in a row of four by six, with the codes of everything above them."""
    rows = []
    for d in range(3):
        for s in range(2):
            for c in range(2):
                for g in range(2):
                    street = f"99010{d + 1}{s + 1:03d}"
                    column, row = (d * 2 + s), (c * 2 + g)
                    x, y = WEST + column * SIDE, SOUTH + row * SIDE
                    rows.append(
                        {
                            "grid_code": f"{street}{c + 1:03d}{g + 1:03d}",
                            "name": f"第{g + 1}网格",
                            "kind": "基础",
                            "community_code": f"{street}{c + 1:03d}",
                            "street_code": street,
                            "district_code": street[:6],
                            "population": 100 * (len(rows) + 1),
                            "geom": shapely.to_wkb(shapely.box(x, y, x + SIDE, y + SIDE)),
                        }
                    )
    return pd.DataFrame(rows)


def areas(grid: pd.DataFrame) -> pd.DataFrame:
    """City, districts, streets and communities, as unions of the grids."""
    shapes = shapely.from_wkb(grid["geom"].to_numpy())
    rows = [("990100", "演示市", "city", None, grid["population"].sum(), shapely.union_all(shapes))]
    for level, length, parent in (("district", 6, None), ("street", 9, 6), ("community", 12, 9)):
        codes = grid["grid_code"].str[:length]
        for code in sorted(codes.unique()):
            inside = (codes == code).to_numpy()
            above = "990100" if parent is None else code[:parent]
            rows.append((code, f"{level} {code}", level, above, grid["population"][inside].sum(),
                         shapely.union_all(shapes[inside])))  # fmt: skip
    frame = pd.DataFrame(rows, columns=["code", "name", "level", "parent_code", "population", "geom"])
    frame["geom"] = [shapely.to_wkb(shapely.multipolygons(shapely.get_parts(shape))) for shape in frame["geom"]]
    return frame


def incidents(n: int = 20_000, seed: int = 3, days: int = 679) -> pd.DataFrame:
    """Random incidents of two sources with everything a real file has: spans, unknown places, late records, 无效."""
    rng = np.random.default_rng(seed)
    grid = grids()
    which = rng.choice(len(grid), n, p=rng.dirichlet(np.ones(len(grid)) * 3))
    seconds = rng.integers(0, days * 86_400, n)
    begin = np.datetime64(FIRST, "s") + seconds.astype("timedelta64[s]")
    frame = pd.DataFrame({"occurred_from": pd.Series(begin), "category": rng.choice(CATEGORIES, n)})
    frame["incident_id"] = [f"J{i:06d}" for i in range(n)]
    span = rng.random(n)
    midnight, hour = frame["occurred_from"].dt.floor("D"), frame["occurred_from"].dt.floor("h")
    frame["occurred_to"] = pd.NaT
    frame.loc[span < 0.1, "occurred_from"] = midnight
    frame.loc[span < 0.1, "occurred_to"] = midnight + timedelta(days=1)
    hourly = (span >= 0.1) & (span < 0.2)
    frame.loc[hourly, "occurred_from"] = hour
    frame.loc[hourly, "occurred_to"] = hour + timedelta(hours=1)
    frame["source_id"] = np.where(rng.random(n) < 0.7, "jq", "wg")
    late = pd.Series(rng.exponential(2.0, n) * 86_400).astype(int)
    recorded = frame["occurred_from"] + pd.to_timedelta(late, unit="s")
    frame["recorded_at"] = recorded.where(frame["source_id"] == "jq")
    for level in LEVELS:
        frame[f"{level}_code"] = grid[f"{level}_code"].to_numpy()[which]
    x0, y0 = shapely.bounds(shapely.from_wkb(grid["geom"].to_numpy())).T[:2]
    frame["x"], frame["y"] = x0[which] + rng.uniform(0, SIDE, n), y0[which] + rng.uniform(0, SIDE, n)
    frame["location_quality"] = "exact"
    frame["subcategory"] = "细类"
    nowhere = rng.random(n) < 0.03
    frame.loc[nowhere, [f"{level}_code" for level in LEVELS]] = None
    frame.loc[nowhere, ["x", "y"]] = np.nan
    frame.loc[nowhere, "location_quality"] = "none"
    return frame


def weekly_sheet(states: dict[tuple[str, int], str] | None = None, weeks: int = 97) -> pd.DataFrame:
    """``report_status`` of source ``wg``: every street and week reported, but for the given (street, week number)."""
    rows = []
    for street in sorted(grids()["street_code"].unique()):
        for week in range(weeks):
            start = FIRST + timedelta(days=7 * week)
            state = (states or {}).get((street, week), "reported")
            rows.append({"period_start": start, "period_end": start + timedelta(days=7), "area_code": street,
                         "dataset": "wg", "state": state})  # fmt: skip
    return pd.DataFrame(rows)


def table(layer: str, frame: pd.DataFrame | None) -> pa.Table:
    """A layer's Arrow table from the columns a frame has."""
    schema = LAYERS[layer].arrow_schema()
    if frame is None or frame.empty:
        return schema.empty_table()
    columns = []
    for field in schema:
        if field.name not in frame:
            columns.append(pa.nulls(len(frame), field.type))
        else:
            columns.append(pa.array(frame[field.name], type=field.type, from_pandas=True))
    return pa.Table.from_arrays(columns, schema=schema)


def info(release_id: str = "r20261116-060000", sources: tuple[SourceInfo, ...] | None = None, **changes) -> ReleaseInfo:
    """ReleaseInfo of the small release."""
    if sources is None:
        sources = tuple(
            SourceInfo(name, "incident", (f"{name}.csv",), 1, cadence, 2, "minute", None, AS_OF)
            for name, cadence in (("jq", "day"), ("wg", "week"))
        )
    stated = {"title": "演示市", "crs": "EPSG:4490", "timezone": "Asia/Shanghai", "codes": "china",
              "created_at": "2026-11-15T22:00:00Z", "data_as_of": AS_OF, "code_version": "0.1.0", "synthetic": True}  # fmt: skip
    return ReleaseInfo(release_id=release_id, sources=sources, **{**stated, **changes})


def publish(
    releases: Path,
    frame: pd.DataFrame,
    *,
    sheet: pd.DataFrame | None = None,
    stated: ReleaseInfo | None = None,
    current: bool = True,
    **layers: pd.DataFrame,
) -> Path:
    """Build a release under ``releases`` and point ``current`` at it."""
    stated = stated or info()
    grid = layers.pop("grid", None)
    grid = grids() if grid is None else grid
    tables = {
        "grid": table("grid", grid),
        "area": table("area", layers.pop("area", None) if "area" in layers else areas(grid)),
        "incident": table("incident", frame),
        "report_status": table("report_status", sheet),
        **{name: table(name, rows) for name, rows in layers.items()},
    }
    directory = releases / stated.release_id
    directory.mkdir(parents=True)
    build(directory / FILE_NAME, tables, stated)
    if current:
        switch(releases, stated.release_id)
    return directory


def switch(releases: Path, release_id: str) -> None:
    """Point ``current`` at a release, atomically."""
    link = releases / f".{release_id}.link"
    os.symlink(release_id, link)
    os.replace(link, releases / "current")


@contextmanager
def opened(releases: Path) -> Iterator[Release]:
    """The current release under ``releases``, as a store opens it."""
    store = Store(releases)
    try:
        with store.current() as release:
            yield release
    finally:
        store.close()
