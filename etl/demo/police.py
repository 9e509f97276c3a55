"""The 110 incidents: one GB18030 CSV a year, with every kind of fault that such files have, in known numbers."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from etl.demo.events import Events
from etl.demo.files import stamp
from etl.demo.frame import DATA_TIME_MINUTE, DAYS, FIRST_DAY, generator, to_degrees
from etl.demo.plan import City
from etl.demo.planted import Planted
from etl.demo.rhythm import STREAMS

COLUMNS = (
    "警情编号", "发生时间", "录入时间", "接警类别", "反馈类别", "细类", "经度", "纬度", "网格编码",
    "办理状态", "场所类型", "联系电话",
)  # fmt: skip
UNMAPPED_WORD = "涉水警情"
# Shares of the good rows. The first group spoils a row's place or time, at most one per row; the second adds rows.
SPOILT = {
    "swapped": 0.0015, "zero": 0.0025, "blank_point": 0.005, "point_999": 0.001, "off_map": 0.0015,
    "low_precision": 0.003, "full_width_time": 0.0035, "full_width_point": 0.001, "date_only": 0.01,
}  # fmt: skip
ADDED_ROWS = {"duplicate_id": 0.002, "unreadable_date": 0.0007, "blank_line": 0.0002}
_UNREADABLE = ("2025年13月45日", "不详", "昨天下午", "2026-02-30 10:00", "####")
_PLACES = {
    "home": ("居民小区", "城中村", "农村住宅"),
    "trade": ("商业街", '"商场,超市"', "娱乐场所", "农贸市场"),
    "road": ("城市道路", "交叉路口", "停车场"),
}
_FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９．")
_PILE_UP = {"small": 400, "city": 3_000, "huge": 14_000}


class PoliceFiles:
    """Writer of ``jq_YYYY.csv``; fed week by week, so memory stays that of one week."""

    def __init__(self, folder: Path, city: City, planted: Planted, expected_in_station_street: float):
        self._folder, self._city, self._planted = folder, city, planted
        self._rng = generator(city.seed, "police")
        self._pile_share = min(0.6, _PILE_UP[city.scale.name] / expected_in_station_street)
        self._files: dict[int, object] = {}
        self._good = 0
        self._number = 0
        self.faults: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()  # data rows of each file, blank lines left out
        self.unmapped_word = 0
        days = [FIRST_DAY + timedelta(days=i) for i in range(DAYS + 1)]
        self._years = np.array([day.year for day in days])
        self._days = pa.array([style(day) for style in _DATE_STYLES for day in days])
        self._minutes = pa.array([style(m) for style in _TIME_STYLES for m in range(1440)])
        self._whole_days = pa.array([style(day) for style in _DAY_STYLES for day in days])
        self._stamps = pa.array([f"{day:%Y%m%d}" for day in days])
        self._codes = pa.array(city.codes, pa.string())
        lon, lat = to_degrees(*planted.station[:, None])
        self.station = (round(float(lon[0]), 6), round(float(lat[0]), 6))

    def write(self, events: Events) -> None:
        """Append the 110 events of one week."""
        if not len(events):
            return
        table = self._table(events)
        lines = pc.binary_join_element_wise(*table, ",")
        year = self._years[events.minute // 1440]
        plain = self._plain
        for y in np.unique(year):
            chosen = np.flatnonzero(year == y)
            self._append(int(y), lines.take(pa.array(chosen)), table[0].take(pa.array(chosen)), plain[chosen])

    def close(self) -> list[Path]:
        """Add the 合计 row to every file and return the files."""
        paths = []
        for year, file in sorted(self._files.items()):
            total = self.rows[file.name]
            file.write(f"合计,,,,,,,,,,{total}起,\r\n".encode("gb18030"))
            file.close()
            self.faults["total_row"] += 1
            paths.append(self._folder / f"jq_{year}.csv")
            stamp(paths[-1])
        self.rows = Counter({Path(name).name: count for name, count in self.rows.items()})
        return paths

    def _append(self, year: int, lines: pa.Array, ids: pa.Array, plain: np.ndarray) -> None:
        rng = self._rng
        if year not in self._files:
            self._files[year] = (self._folder / f"jq_{year}.csv").open("wb")
            self._files[year].write((",".join(COLUMNS) + "\r\n").encode("gb18030"))
        file = self._files[year]
        count = len(lines)
        quota = {name: self._quota(share, count) for name, share in ADDED_ROWS.items()}
        sound = np.flatnonzero(plain)
        twice = rng.choice(sound, min(quota["duplicate_id"], len(sound)), replace=False)
        broken = []
        for i in rng.choice(sound, min(quota["unreadable_date"], len(sound)), replace=False):
            cells = lines[int(i)].as_py().split(",")
            self._number += 1
            broken.append(",".join([f"JQX{year}{self._number:09d}", str(rng.choice(_UNREADABLE)), *cells[2:]]))
        extra = [
            lines.take(pa.array(twice)),
            pa.array(broken, pa.string()),
            pa.array([""] * quota["blank_line"], pa.string()),
        ]
        where = [
            np.arange(count, dtype=float),
            twice + rng.uniform(0.1, 0.9, len(twice)),
            rng.uniform(0, count, len(broken)),
            rng.uniform(0, count, quota["blank_line"]),
        ]
        order = np.argsort(np.concatenate(where), kind="stable")
        whole = pa.concat_arrays([lines, *extra]).take(pa.array(order))
        file.write(("\r\n".join(whole.to_pylist()) + "\r\n").encode("gb18030"))
        self._good += count
        self.faults.update(duplicate_id=len(twice), unreadable_date=len(broken), blank_line=quota["blank_line"])
        self.rows[file.name] += count + len(twice) + len(broken)

    def _quota(self, share: float, count: int) -> int:
        """How many of the next ``count`` rows, so that the running total keeps to the share."""
        return int((self._good + count) * share) - int(self._good * share)

    def _table(self, events: Events) -> list[pa.Array]:
        rng, count = self._rng, len(events)
        day, minute = events.minute // 1440, events.minute % 1440
        self._number += count
        serial = pa.array([f"{i:07d}" for i in range(self._number - count, self._number)])
        ids = pc.binary_join_element_wise("JQ", self._stamps.take(pa.array(day)), serial, "")
        delay = np.minimum(rng.lognormal(np.log(14), 1.0, count), 330).astype(int)
        late = (rng.random(count) < 0.01) & (events.minute < DATA_TIME_MINUTE - 5 * 1440)
        delay[late] = rng.integers(600, 4 * 1440, late.sum())
        recorded = np.minimum(events.minute + 1 + delay, DATA_TIME_MINUTE - 1)
        zeros = np.zeros(count, int)
        style = rng.choice(len(_DATE_STYLES), count, p=[0.62, 0.2, 0.12, 0.06])
        lon, lat, spoilt = self._places(events)
        self._plain = spoilt == ""
        occurred = self._time_text(style, day, minute)
        only_date = spoilt == "date_only"
        whole_day = self._whole_days.take(pa.array(rng.integers(0, len(_DAY_STYLES), count) * (DAYS + 1) + day))
        occurred = pc.if_else(pa.array(only_date), whole_day, occurred)
        occurred = _edited(occurred, spoilt == "full_width_time", lambda text: text.translate(_FULL_WIDTH))
        taken, after = self._categories(events.stream)
        kinds = pa.array([s.subcategory for s in STREAMS]).take(pa.array(events.stream))
        settings = [word for name in ("home", "trade", "road") for word in _PLACES[name]]
        first = {"home": (0, 3), "trade": (3, 4), "road": (7, 3)}
        low = np.array([first[s.setting][0] for s in STREAMS])[events.stream]
        span = np.array([first[s.setting][1] for s in STREAMS])[events.stream]
        place = pa.array(settings).take(pa.array(low + (rng.random(count) * span).astype(int)))
        open_case = (events.minute > DATA_TIME_MINUTE - 9 * 1440) & (rng.random(count) < 0.5)
        status = pa.array(["办结", "处置中", "已派警"]).take(
            pa.array(np.where(open_case, rng.integers(1, 3, count), 0))
        )
        phones = pa.array(["", *(f"1990000{i:04d}" for i in range(1000))])  # nobody's: a block of zeros
        phone = phones.take(pa.array(np.where(rng.random(count) < 0.3, rng.integers(1, 1001, count), 0)))
        logged = self._time_text(zeros, recorded // 1440, recorded % 1440)
        return [
            ids,
            occurred,
            logged,
            taken,
            after,
            kinds,
            lon,
            lat,
            self._codes.take(pa.array(events.grid)),
            status,
            place,
            phone,
        ]

    def _time_text(self, style: np.ndarray, day: np.ndarray, minute: np.ndarray) -> pa.Array:
        left = self._days.take(pa.array(style * (DAYS + 1) + day))
        return pc.binary_join_element_wise(left, self._minutes.take(pa.array(style * 1440 + minute)), "")

    def _categories(self, stream: np.ndarray) -> tuple[pa.Array, pa.Array]:
        """What the call-taker wrote and what came back; the second counts, the first fills in where it is blank."""
        rng, count = self._rng, len(stream)
        words = [*sorted({word for s in STREAMS for word in s.words} | {UNMAPPED_WORD}), ""]
        index = {word: i for i, word in enumerate(words)}
        first = np.array([index[s.words[0]] for s in STREAMS])
        second = np.array([index[s.words[-1]] for s in STREAMS])
        true = np.where(rng.random(count) < 0.35, second[stream], first[stream])
        other = np.array([s.category == "其他" for s in STREAMS])[stream]
        true = np.where(other & (rng.random(count) < 0.12), index[UNMAPPED_WORD], true)
        self.unmapped_word += int((true == index[UNMAPPED_WORD]).sum())
        draw = rng.random(count)
        after = np.where(draw < 0.08, index[""], true)
        mistaken = np.array([index["其他警情"], index["纠纷"], index["群众紧急求助"]])[rng.integers(0, 3, count)]
        taken = np.where(draw > 0.95, mistaken, true)
        table = pa.array(words)
        return table.take(pa.array(taken)), table.take(pa.array(after))

    def _places(self, events: Events) -> tuple[pa.Array, pa.Array, np.ndarray]:
        """Text of both coordinates and, for each row, the fault that was put into it ('' for none)."""
        rng, count, city = self._rng, len(events), self._city
        lon, lat = to_degrees(*events.xy.T)
        spoilt = np.full(count, "", dtype="U20")
        piled = (city.street[events.grid] == self._planted.station_street) & (rng.random(count) < self._pile_share)
        spoilt[piled] = "pile_up"
        lon[piled], lat[piled] = self.station
        self.faults["pile_up"] += int(piled.sum())
        sound = rng.permutation(np.flatnonzero(~piled))
        used = 0
        for name, share in SPOILT.items():
            chosen = sound[used : used + self._quota(share, count)]
            used += len(chosen)
            if name == "date_only":  # a day that has only begun would end after the files were written
                chosen = chosen[events.minute[chosen] < DAYS * 1440]
            if name == "low_precision":  # only where the shortened point is still in its grid
                rough = np.round(lon[chosen], 3), np.round(lat[chosen], 3)
                polygon = city.cells.degrees[events.grid[chosen]]
                stays = shapely.contains_xy(polygon, *rough)
                chosen = chosen[stays]
                lon[chosen], lat[chosen] = rough[0][stays], rough[1][stays]
            spoilt[chosen] = name
            self.faults[name] += len(chosen)
        off = spoilt == "off_map"
        lon[off] += 0.9
        lat[off] -= 0.7
        east, north = _six_decimals(lon), _six_decimals(lat)
        swap = pa.array(spoilt == "swapped")
        east, north = pc.if_else(swap, north, east), pc.if_else(swap, east, north)
        for name, text in (("zero", "0"), ("blank_point", ""), ("point_999", "999")):
            mask = pa.array(spoilt == name)
            east, north = pc.if_else(mask, text, east), pc.if_else(mask, text, north)
        wide = spoilt == "full_width_point"
        rough = spoilt == "low_precision"
        east, north = (
            _edited(_edited(text, wide, lambda t: t.translate(_FULL_WIDTH)), rough, lambda t: t[:-3])
            for text in (east, north)
        )
        return east, north, spoilt


def _six_decimals(degrees: np.ndarray) -> pa.Array:
    """Text with exactly six decimals, never three zeros at the end (that would look like low precision)."""
    micro = np.round(degrees * 1e6).astype(np.int64)
    return pc.binary_join_element_wise(
        pc.cast(pa.array(micro // 1_000_000), pa.string()),
        pc.utf8_lpad(pc.cast(pa.array(micro % 1_000_000), pa.string()), 6, "0"),
        ".",
    )


def _edited(texts: pa.Array, mask: np.ndarray, change) -> pa.Array:
    """The texts with a change made where ``mask`` is true."""
    if not mask.any():
        return texts
    chosen = pa.array(mask)
    return pc.replace_with_mask(texts, chosen, pa.array([change(text) for text in texts.filter(chosen).to_pylist()]))


def _chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


_DATE_STYLES = (
    lambda day: f"{day:%Y-%m-%d}",
    lambda day: _chinese(day),
    lambda day: f"{day.year}/{day.month}/{day.day}",
    lambda day: f"{day.year}.{day.month}.{day.day}",
)
_TIME_STYLES = (
    lambda m: f" {m // 60:02d}:{m % 60:02d}:00",
    lambda m: f" {m // 60}时{m % 60:02d}分",
    lambda m: f" {m // 60}:{m % 60:02d}",
    lambda m: f" {m // 60:02d}:{m % 60:02d}",
)
_DAY_STYLES = (
    lambda day: _chinese(day),
    lambda day: f"{day:%Y年%m月%d日}",
    lambda day: f"{day.year}.{day.month}.{day.day}",
    lambda day: f"{day:%Y%m%d}",
)
