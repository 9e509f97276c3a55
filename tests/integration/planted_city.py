"""The demo city held in memory, without files: what was drawn, what was expected, what was planted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
from python_calamine import CalamineWorkbook

from etl.demo.addresses import Addresses, make_addresses
from etl.demo.cameras import write_cameras
from etl.demo.events import Events, Expected, draw_weeks, expected_counts, make_intensity
from etl.demo.frame import _TO_DEGREES, SCALES, WEEKS
from etl.demo.plan import City, make_city
from etl.demo.planted import Planted, make_planted
from etl.demo.rhythm import CATEGORIES, STREAMS
from geo.autocorrelation import Neighbours, contiguity
from geo.coverage import direction_bearing
from geo.crs import gcj02_to_wgs84

SEEDS = range(1, 11)
_CATEGORY = np.array([CATEGORIES.index(stream.category) for stream in STREAMS])
_VALID = np.array([stream.category != "无效" for stream in STREAMS])


@dataclass(frozen=True)
class Drawn:
    """One drawn city, positions in local metres."""

    city: City
    planted: Planted
    expected: Expected
    addresses: Addresses
    events: Events  # of the whole weeks, 无效 left out

    @property
    def week(self) -> np.ndarray:
        return self.events.minute // (7 * 1440)

    @property
    def day(self) -> np.ndarray:
        return self.events.minute / 1440

    @cached_property
    def near(self) -> Neighbours:
        return contiguity(self.city.cells.metres)

    @cached_property
    def weekly(self) -> np.ndarray:
        """Events of each grid in each week (n, WEEKS)."""
        return self.count()

    def count(self, *, category: str | None = None) -> np.ndarray:
        keep = slice(None) if category is None else _CATEGORY[self.events.stream] == CATEGORIES.index(category)
        size = self.city.scale.grids
        return np.bincount(self.events.grid[keep] * WEEKS + self.week[keep], minlength=size * WEEKS).reshape(
            size, WEEKS
        )

    def expect(self) -> np.ndarray:
        """Expected events of each grid and week (n, WEEKS)."""
        return self.expected.by_source.sum(axis=0)


@cache
def drawn(seed: int) -> Drawn:
    """The small city of a seed."""
    city = make_city(SCALES["small"], seed)
    planted = make_planted(city)
    intensity = make_intensity(city, planted)
    addresses = make_addresses(city)
    weeks = list(draw_weeks(city, addresses, intensity, planted))[:WEEKS]
    events = Events.joined(weeks)
    return Drawn(
        city, planted, expected_counts(city, intensity, planted), addresses, events.take(_VALID[events.stream])
    )


def cameras(city: Drawn, folder) -> gpd.GeoDataFrame:
    """The camera ledger that the demo writes for this city, read back to local metres, columns in our words."""
    path = write_cameras(folder, city.city, city.addresses, city.planted).path
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    frame = pd.DataFrame(rows[2:], columns=rows[1]).drop_duplicates("设备编码")
    frame = frame[frame["设备编码"].str[10:13].isin(["131", "132"])].reset_index(drop=True)
    lon, lat = gcj02_to_wgs84(frame["经度(WGS-84)"].astype(float), frame["纬度(WGS-84)"].astype(float))
    look = direction_bearing(frame["摄像机方向"].astype(int))
    state = frame["设备状态"].astype(str).map({"1": "在用", "2": "维修", "3": "拆除"})
    return gpd.GeoDataFrame(
        {
            "camera_code": frame["设备编码"], "device_state": state, "online": frame["在线"].astype(str) == "1",
            "bearing_deg": look.bearing_deg, "fov_deg": frame["视场角"].astype(float), "range_m": frame["可视距离"].astype(float),
        },
        geometry=gpd.points_from_xy(*_TO_DEGREES.transform(lon, lat, direction="INVERSE")),
    )  # fmt: skip


def summed(values: np.ndarray, unit: np.ndarray, units: int) -> np.ndarray:
    """Rows of grids summed by their unit."""
    out = np.zeros((units, *values.shape[1:]), dtype=values.dtype)
    np.add.at(out, unit, values)
    return out


def steps(weekly: np.ndarray, length: int, count: int) -> np.ndarray:
    """The last ``count`` steps of ``length`` weeks."""
    return weekly[:, weekly.shape[1] - length * count :].reshape(len(weekly), count, length).sum(axis=2)
