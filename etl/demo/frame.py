"""Constants of the synthetic city: its sizes, its calendar and its local metre frame."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyproj

TITLE = "演示市（合成数据）"
CITY_NAME = "演示市"
CITY_CODE = "990100"  # well formed, and given to no real place
LON0_DEG, LAT0_DEG = 113.6, 34.7
TIMEZONE = "Asia/Shanghai"

FIRST_DAY = date(2024, 11, 18)  # a Monday
WEEKS = 104
DAYS = WEEKS * 7
DATA_TIME = datetime(2026, 11, 16, 6, 0)  # wall clock: the morning after the last week
DATA_TIME_EPOCH_S = int((DATA_TIME - datetime(1970, 1, 1)).total_seconds()) - 8 * 3600
DATA_TIME_MINUTE = DAYS * 1440 + 6 * 60  # minutes since FIRST_DAY
SPRING_FESTIVALS = (date(2025, 1, 29), date(2026, 2, 17))

_LOCAL = pyproj.CRS.from_proj4(f"+proj=tmerc +lat_0={LAT0_DEG} +lon_0={LON0_DEG} +k=1 +ellps=GRS80 +units=m")
_TO_DEGREES = pyproj.Transformer.from_crs(_LOCAL, _LOCAL.geodetic_crs, always_xy=True)


@dataclass(frozen=True)
class Scale:
    """How large a demo is. ``radius_m`` is the mean radius of the city's outline."""

    name: str
    grids: int
    communities: int
    streets: int
    districts: int
    incidents: int  # expected number in the 104 weeks, 无效 left out
    cameras: int
    radius_m: float
    households: float  # mean of a grid
    places: int  # factor on the numbers of key places
    buildings: int
    bulky: bool  # large tables as gzipped CSV, the shapefile zipped


SCALES = {
    scale.name: scale
    for scale in (
        Scale("small", 2_800, 350, 30, 6, 60_000, 3_600, 17_000.0, 260.0, 1, 2_500, False),
        Scale("city", 28_175, 2_600, 116, 9, 1_000_000, 36_000, 38_000.0, 110.0, 5, 6_000, True),
        Scale("huge", 28_175, 2_600, 116, 9, 10_000_000, 36_000, 38_000.0, 110.0, 5, 6_000, True),
    )
}


def to_degrees(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Local metres (east, north of the city's centre) to CGCS2000 degrees: ``(lon, lat)``."""
    lon, lat = _TO_DEGREES.transform(x, y)
    return np.asarray(lon), np.asarray(lat)


def week_start(week: int) -> date:
    """Monday of week number ``week`` (0 is the first; 104 is the day after the last)."""
    return FIRST_DAY + timedelta(days=7 * week)


def week_label(week: int) -> str:
    """ISO label of a week number, such as ``2026-W46``."""
    year, number, _ = week_start(week).isocalendar()
    return f"{year}-W{number:02d}"


def week_number(label: str) -> int:
    """Week number of an ISO label; the inverse of :func:`week_label`."""
    year, number = label.split("-W")
    return (date.fromisocalendar(int(year), int(number), 1) - FIRST_DAY).days // 7


def generator(seed: int, topic: str) -> np.random.Generator:
    """A random stream of its own for each topic, so that a change in one leaves the others as they were."""
    return np.random.default_rng([seed, *topic.encode()])
