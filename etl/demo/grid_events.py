"""The second incident source: events filed by grid staff, in GCJ-02, times as Excel serials."""

from __future__ import annotations

import csv
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from etl.demo.events import Events
from etl.demo.files import excel_serial, gzip_text, stamp, workbook
from etl.demo.frame import DATA_TIME_MINUTE, FIRST_DAY, TITLE, WEEKS, generator, to_degrees
from etl.demo.plan import City
from etl.demo.rhythm import STREAMS
from geo.crs import wgs84_to_gcj02

COLUMNS = ("事件编号", "事件类别", "事件小类", "发生时间", "上报时间", "经纬度", "网格编码", "状态", "createBy")
NOTES = (
    "填报说明（合成数据）",
    "一、经纬度取自手机地图（火星坐标）",
    "二、时间为表格序列值",
    "三、createBy 为系统自动带出",
)
_LOGINS = ("yanshi", "ceshi", "wanggeyuan", "shili")  # demo, test, grid worker, sample: no names of people
_BLANK_POINT = 0.004


class GridEventFiles:
    """Writer of ``wgsj.xlsx``, or of ``wgsj.csv.gz`` where a sheet would be too long; counts what each street filed."""

    def __init__(self, folder: Path, city: City):
        self._city = city
        self._rng = generator(city.seed, "grid events")
        self._opened = ExitStack()
        self.path = folder / ("wgsj.csv.gz" if city.scale.bulky else "wgsj.xlsx")
        self.filed = np.zeros((city.scale.streets, WEEKS), int)
        self.faults: Counter[str] = Counter()
        self.rows = 0
        self._base = excel_serial(datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day))
        title = f"{TITLE}网格事件上报明细"
        if city.scale.bulky:
            self._writer = csv.writer(self._opened.enter_context(gzip_text(self.path, "gb18030")))
            self._writer.writerow([title] + [""] * (len(COLUMNS) - 1))
            self._writer.writerow(COLUMNS)
        else:
            book = self._opened.enter_context(workbook(self.path))
            self._sheet = book.add_worksheet("事件")
            self._sheet.merge_range(
                0, 0, 0, len(COLUMNS) - 1, title, book.add_format({"align": "center", "bold": True})
            )
            self._sheet.write_row(1, 0, COLUMNS)
            notes = book.add_worksheet("说明")
            for row, text in enumerate(NOTES):
                notes.write_string(row, 0, text)
            notes.hide()

    def write(self, events: Events) -> None:
        """Append the grid events of one week."""
        if not len(events):
            return
        rng, count, city = self._rng, len(events), self._city
        week = events.minute // (7 * 1440)
        whole = week < WEEKS
        np.add.at(self.filed, (city.street[events.grid[whole]], week[whole]), 1)
        lon, lat = wgs84_to_gcj02(*to_degrees(*events.xy.T))
        point = [f"{x:.6f},{y:.6f}" for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
        for i in np.flatnonzero(rng.random(count) < _BLANK_POINT):
            point[i] = ""
            self.faults["blank_point"] += 1
        filed = np.minimum(events.minute + rng.integers(3, 300, count), DATA_TIME_MINUTE - 1)
        happened = np.round(self._base + events.minute / 1440, 6).tolist()
        reported = np.round(self._base + filed / 1440, 6).tolist()
        login = rng.integers(0, len(_LOGINS), count).tolist()
        stream, grid = events.stream.tolist(), events.grid.tolist()
        day = (events.minute // 1440).tolist()
        for i in range(count):
            self.rows += 1
            code = city.codes[grid[i]]
            kind = STREAMS[stream[i]]
            number = f"WG{FIRST_DAY + timedelta(days=day[i]):%Y%m%d}{self.rows:07d}"
            state = "已办结" if events.minute[i] < DATA_TIME_MINUTE - 5 * 1440 else "处理中"
            row = (
                number,
                kind.words[0],
                kind.subcategory,
                happened[i],
                reported[i],
                point[i],
                code,
                state,
                f"{code}_{_LOGINS[login[i]]}",
            )
            if city.scale.bulky:
                self._writer.writerow(row)
            else:
                self._sheet.write_row(self.rows + 1, 0, row)

    def close(self) -> list[Path]:
        """Finish the file and return it."""
        self._opened.close()
        stamp(self.path)
        return [self.path]
