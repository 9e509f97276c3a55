"""Kinds of event and their rhythm: share, place, hour, weekday, season, 春节."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from etl.demo.frame import DAYS, FIRST_DAY, SPRING_FESTIVALS

POLICE, GRID_STAFF = 0, 1  # the two incident sources
SOURCE_IDS = ("jq110", "grid_event")
CATEGORIES = ("刑事", "治安", "交通", "火灾", "纠纷", "求助", "其他", "无效")
LAG_DAYS = 13  # a repeat follows within 1 to 13 days, at an hour of its own: always less than 14 days


@dataclass(frozen=True)
class Stream:
    """One kind of event. ``share`` of all expected events; ``hours`` are (peak hour, width in hours, weight)."""

    source: int
    category: str
    subcategory: str
    share: float
    setting: str  # home, trade or road: where its places are
    hours: tuple[tuple[float, float, float], ...]
    weekdays: tuple[float, ...] = (1, 1, 1, 1, 1, 1, 1)  # Monday first
    season: float = 0.0  # amplitude of the yearly wave
    peak_day: int = 200  # day of the year with the highest expectation
    festival: float = 0.62  # factor at the height of 春节
    repeats: float = 0.0  # mean number of near repeats an event breeds
    words: tuple[str, ...] = field(default=())  # what the source writes for the category


_DAY = ((10, 3, 1.0), (16, 3, 1.0))
_EVENING = ((20, 2.5, 1.0), (13, 3, 0.4))
_NIGHT = ((23, 2.5, 1.0), (1.5, 1.5, 0.5))
_RUSH = ((8, 1.4, 1.0), (18, 1.8, 1.1), (13, 4, 0.5))
_BREAK_IN = ((3, 2, 1.0), (14, 2.5, 0.7))
_WEEKEND = (0.92, 0.92, 0.94, 0.97, 1.1, 1.15, 1.0)
_WORKDAYS = (1.12, 1.1, 1.08, 1.06, 1.1, 0.8, 0.74)
_CRIME = ("刑事类警情",)
_ORDER = ("行政（治安）类警情", "行政(治安)类警情")
_ROAD = ("道路交通类警情",)
_HELP = ("群众紧急求助",)

STREAMS = (
    Stream(0, "刑事", "入室盗窃", 0.020, "home", _BREAK_IN, season=0.12, peak_day=340, repeats=0.30, words=_CRIME),
    Stream(0, "刑事", "电动车被盗", 0.035, "trade", _EVENING, season=0.18, peak_day=220, repeats=0.15, words=_CRIME),
    Stream(0, "刑事", "电信网络诈骗", 0.030, "home", _DAY, _WORKDAYS, words=_CRIME),
    Stream(0, "刑事", "扒窃", 0.015, "trade", _RUSH, _WEEKEND, words=_CRIME),
    Stream(0, "治安", "打架斗殴", 0.050, "trade", _NIGHT, _WEEKEND, 0.22, 205, words=_ORDER),
    Stream(0, "治安", "扰乱公共秩序", 0.055, "home", _EVENING, _WEEKEND, 0.20, 210, words=_ORDER),
    Stream(0, "交通", "一般事故", 0.160, "road", _RUSH, _WORKDAYS, 0.06, 300, words=_ROAD),
    Stream(0, "交通", "交通拥堵", 0.060, "road", _RUSH, _WORKDAYS, 0.05, 300, words=_ROAD),
    Stream(0, "火灾", "火情", 0.020, "home", _EVENING, season=0.30, peak_day=20, festival=1.9, words=("火灾",)),
    Stream(0, "纠纷", "邻里纠纷", 0.070, "home", _EVENING, _WEEKEND, 0.14, 195, words=("纠纷",)),
    Stream(0, "纠纷", "消费纠纷", 0.060, "trade", _DAY, _WEEKEND, words=("纠纷",)),
    Stream(0, "求助", "走失与紧急救助", 0.150, "home", _DAY, season=0.06, peak_day=190, words=_HELP),
    Stream(0, "其他", "其他情况", 0.065, "home", _DAY, words=("其他警情",)),
    Stream(0, "无效", "误拨与骚扰", 0.030, "home", _EVENING, words=("无效报警",)),
    Stream(1, "纠纷", "物业与邻里矛盾", 0.060, "home", _DAY, _WORKDAYS, 0.10, 190, words=("矛盾纠纷",)),
    Stream(1, "求助", "便民服务", 0.050, "home", _DAY, _WORKDAYS, words=("便民服务",)),
    Stream(1, "其他", "市容环境", 0.070, "trade", _DAY, _WORKDAYS, 0.10, 200, words=("市容环境",)),
    Stream(1, "其他", "设施损坏", 0.030, "road", _DAY, _WORKDAYS, 0.12, 210, words=("公共设施",)),
)  # fmt: skip


def day_factors(stream: Stream) -> np.ndarray:
    """Relative expectation of each day, (DAYS + 7,), with a mean of 1 over the first ``DAYS``."""
    days = [FIRST_DAY + timedelta(days=i) for i in range(DAYS + 7)]
    week = np.array(stream.weekdays)[np.arange(DAYS + 7) % 7]
    year_day = np.array([day.timetuple().tm_yday for day in days])
    wave = 1 + stream.season * np.cos(2 * np.pi * (year_day - stream.peak_day) / 365.25)
    holiday = np.ones(DAYS + 7)
    for feast in SPRING_FESTIVALS:
        away = np.array([(day - feast).days for day in days]) - 2.5
        holiday += (stream.festival - 1) / (1 + (np.abs(away) / 6.0) ** 6)
    factor = week * wave * holiday
    return factor / factor[:DAYS].mean()


def hour_profile(stream: Stream) -> np.ndarray:
    """Probability of each hour of the day, (24,)."""
    hour = np.arange(24) + 0.5
    profile = np.full(24, 0.12)
    for peak, width, weight in stream.hours:
        away = np.abs(hour - peak)
        profile += weight * np.exp(-0.5 * (np.minimum(away, 24 - away) / width) ** 2)
    return profile / profile.sum()
