"""Cameras, what they cover, key places and roads on the map of small_release, and the same things in metres."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import small_release as small
from shapely import wkb

from data.schema import DEVICE_STATES, NETWORKS
from geo.coverage import camera_areas

METRES = "EPSG:4547"  # 3-degree Gauss-Krueger zone of the map's middle
EAST, NORTH = small.WEST + 6 * small.SIDE, small.SOUTH + 4 * small.SIDE


def grid_at(lon: np.ndarray, lat: np.ndarray) -> list[str | None]:
    """Code of the grid that holds each point, None outside."""
    grid = small.grids()
    shapes = shapely.from_wkb(grid["geom"].to_numpy())
    found = [np.flatnonzero(shapely.intersects_xy(shapes, x, y)) for x, y in zip(lon, lat, strict=True)]
    return [grid["grid_code"].iloc[i[0]] if i.size else None for i in found]


def cameras(n: int = 400, seed: int = 5) -> pd.DataFrame:
    """Cameras of every state and network; some without a grid (just off the map), some of unknown state."""
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(small.WEST - 0.001, EAST, n), rng.uniform(small.SOUTH, NORTH, n)

    def some(values, missing=0.1):
        picked = pd.Series(rng.choice(np.array(values, object), n))
        return picked.where(rng.random(n) >= missing, None)

    frame = pd.DataFrame({"camera_code": [f"C{i:04d}" for i in range(n)], "x": lon, "y": lat})
    frame["name"] = "点位"
    frame["network"], frame["device_state"] = some(NETWORKS), some(DEVICE_STATES[:1] * 6 + DEVICE_STATES, 0.05)
    frame["online"], frame["networked"], frame["hd"] = (
        some([True, True, False]),
        some([True, False]),
        some([True, False]),
    )
    frame["location_type"] = some(["6", "1/6", "2"])
    frame["serviceable_pct"] = pd.to_numeric(some(np.round(rng.uniform(94, 100, 50), 1)))
    frame["bearing_deg"], frame["fov_deg"] = pd.to_numeric(some([0.0, 90, 135, 300])), pd.to_numeric(some([60.0, 120]))
    frame["range_m"] = pd.to_numeric(some([80.0, 150, 400]))
    frame["status_at"] = pd.Timestamp("2026-11-15 20:00") + pd.to_timedelta(rng.integers(0, 600, n), unit="min")
    frame["grid_code"] = grid_at(lon, lat)
    return frame


def in_metres(lon, lat) -> gpd.GeoSeries:
    """Points in metres."""
    return gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=4326).to_crs(METRES)


def covers(frame: pd.DataFrame) -> pd.DataFrame:
    """``camera_coverage``: a sector where the look is known, else a circle."""
    frame = frame.reset_index(drop=True)
    at = in_metres(frame["x"], frame["y"])
    drawn = camera_areas(at.x, at.y, frame["bearing_deg"], frame["fov_deg"], frame["range_m"])
    shapes = gpd.GeoSeries(drawn.areas, crs=METRES).to_crs(4326)
    return pd.DataFrame(
        {"camera_code": frame["camera_code"], "method": drawn.method, "area_m2": shapely.area(drawn.areas),
         "online": frame["online"], "geom": shapes.to_wkb()}
    )  # fmt: skip


def key_places(n: int = 60, seed: int = 8) -> pd.DataFrame:
    """Schools and markets with up to two entrances each, squares without."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        kind = ("学校", "市场", "广场")[i % 3]
        x, y = rng.uniform(small.WEST, EAST), rng.uniform(small.SOUTH, NORTH)
        rows.append({"place_id": f"P{i}", "name": f"{kind}{i}", "kind": kind, "x": x, "y": y})
        for k in range(rng.integers(0, 3) if kind != "广场" else 0):
            rows.append({"place_id": f"P{i}-{k}", "name": "门", "kind": "出入口", "parent_id": f"P{i}",
                         "x": x + rng.uniform(-5e-4, 5e-4), "y": y + rng.uniform(-5e-4, 5e-4)})  # fmt: skip
    frame = pd.DataFrame(rows)
    return frame.assign(grid_code=grid_at(frame["x"], frame["y"]))


def key_areas() -> pd.DataFrame:
    """A shopping quarter in each of the first two districts."""
    boxes = [shapely.box(small.WEST + at, small.SOUTH + 0.012, small.WEST + at + 0.004, small.SOUTH + 0.017)
             for at in (0.003, 0.023)]  # fmt: skip
    codes = grid_at([shape.centroid.x for shape in boxes], [shape.centroid.y for shape in boxes])
    return pd.DataFrame({"place_id": ["P0", "A1"], "name": ["商圈一", "商圈二"], "kind": "商圈", "grid_code": codes,
                         "geom": [wkb.dumps(shapely.multipolygons([shape])) for shape in boxes]})  # fmt: skip


def roads() -> pd.DataFrame:
    """Three roads along and three across that share a vertex wherever they meet: nine crossings."""
    xs, ys = small.WEST + np.array([0.0053, 0.0253, 0.0453]), small.SOUTH + np.array([0.0053, 0.0203, 0.0353])
    along = [[(small.WEST, y), *((x, y) for x in xs), (EAST, y)] for y in ys]
    across = [[(x, small.SOUTH), *((x, y) for y in ys), (x, NORTH)] for x in xs]
    lines = [shapely.multilinestrings([line]) for line in [*along, *across]]
    names = ["一路", "二路", None, "甲街", "乙街", None]
    return pd.DataFrame({"name": names, "kind": "支路", "geom": shapely.to_wkb(np.array(lines))})


def layers(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Everything for ``small_release.publish``."""
    return {"camera": frame, "camera_coverage": covers(frame), "key_place": key_places(), "key_area": key_areas(),
            "base_road": roads()}  # fmt: skip


def works(frame: pd.DataFrame) -> np.ndarray:
    """Cameras in use that are online, or 完好 by 98 %."""
    online = frame["online"].map(lambda flag: flag is True)
    return ((frame["device_state"] == "在用") & (online | (frame["serviceable_pct"] >= 98))).to_numpy()
