"""The camera ledger (一机一档): GCJ-02 headed WGS-84, rows that are no cameras, columns not to keep."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from etl.demo.addresses import ROADSIDE, Addresses
from etl.demo.files import gzip_text, stamp, workbook
from etl.demo.frame import DATA_TIME, FIRST_DAY, TITLE, generator, to_degrees
from etl.demo.plan import City
from etl.demo.planted import NO_CAMERA_M, Planted
from geo.crs import wgs84_to_gcj02

COLUMNS = (
    "设备编码", "设备名称", "行政区划", "网格编码", "所属网络", "照射具体位置", "经度(WGS-84)", "纬度(WGS-84)",
    "摄像机方向", "视场角", "可视距离", "联网属性", "设备状态", "在线", "完好率", "状态时间",
    "是否高清", "安装时间", "IP", "USER_NAME", "PASS_WORD",
)  # fmt: skip
NETWORKS = ("天网工程", "雪亮工程", "地网", "社会单位")
_GAP_M = 60.0  # working cameras stay this much further from the blind hotspot than NO_CAMERA_M


@dataclass(frozen=True)
class CameraFile:
    """The ledger written and what is in it."""

    path: Path
    rows: int
    cameras: int  # different working or broken cameras, types 131 and 132
    online: int
    recorders: int  # type 118
    groups: int  # type 215
    repeated: int


def write_cameras(folder: Path, city: City, addresses: Addresses, planted: Planted) -> CameraFile:
    """Write the ledger as XLSX, or gzipped CSV where it is long."""
    rng = generator(city.seed, "cameras")
    count = city.scale.cameras
    grid, xy = _places(city, addresses, planted, count, rng)
    recorders, groups, repeated = max(8, count // 150), max(5, count // 300), 2 if count < 10_000 else 6
    state = rng.choice([1, 2, 3], count, p=[0.955, 0.033, 0.012])
    online = (rng.random(count) < 0.973) & (state == 1)
    near = np.hypot(*(xy - planted.blind_centre).T) < NO_CAMERA_M
    state[near], online[near] = 2, False
    kind = rng.choice([1, 2, 3, 4, 5, 6], count, p=[0.2, 0.15, 0.12, 0.08, 0.25, 0.2])
    network = rng.choice(4, count, p=[0.38, 0.32, 0.2, 0.1])
    direction = rng.integers(1, 10, count)
    angle = np.where(direction == 9, 360, rng.choice([55, 70, 90, 110], count))
    reach = rng.choice([30, 50, 80, 120], count, p=[0.25, 0.4, 0.25, 0.1])
    lon, lat = wgs84_to_gcj02(*to_degrees(*xy.T))
    networked = rng.random(count) < 0.96
    whole = np.where(online, rng.uniform(94, 100, count), rng.uniform(0, 90, count)).round(1)
    installed = rng.integers(-3000, 700, count)
    industry = rng.choice(["00", "01", "02", "04", "11"], count, p=[0.45, 0.25, 0.1, 0.15, 0.05])
    model = rng.choice(["132", "131"], count, p=[0.9, 0.1])
    serial = rng.permutation(count) + 1
    rows = []
    for i in range(count):
        district = city.districts.codes[city.district[grid[i]]]
        community = city.communities.names[city.community[grid[i]]]
        rows.append((
            f"{district}00{industry[i]}{model[i]}0{serial[i]:06d}", f"{community}{i % 97 + 1}号点位",
            district, city.codes[grid[i]],
            NETWORKS[network[i]], str(kind[i]), f"{lon[i]:.6f}", f"{lat[i]:.6f}",
            str(direction[i]), int(angle[i]), int(reach[i]),
            "0" if networked[i] else "1", str(state[i]), "1" if online[i] else "0", float(whole[i]),
            f"{DATA_TIME:%Y-%m-%d} 05:00:00",
            "是" if rng.random() < 0.82 else "否", f"{FIRST_DAY + timedelta(days=int(installed[i])):%Y-%m-%d}",
            f"192.0.2.{i % 250 + 1}", "demo", "demo-only",
        ))  # fmt: skip
    extra = [rows[i] for i in rng.choice(count, repeated, replace=False)]
    for number in range(recorders + groups):
        like = rows[int(rng.integers(0, count))]
        code, name = ("118", "硬盘录像机") if number < recorders else ("215", "业务分组")
        device = f"{like[2]}0000{code}0{number + 1:06d}"
        extra.append((device, f"{name}{number + 1}", *like[2:8], "", "", "", *like[11:15], *like[15:]))
    order = np.argsort(
        np.concatenate([np.arange(count, dtype=float), rng.uniform(0.6 * count, count, len(extra))]), kind="stable"
    )
    everything = rows + extra
    path = _write(folder, [everything[i] for i in order], city.scale.bulky)
    return CameraFile(path, len(everything), count, int(online.sum()), recorders, groups, repeated)


def _places(city: City, addresses: Addresses, planted: Planted, count: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Grids and places: along roads, more of them downtown, none near the blind hotspot but two broken ones."""
    weight = np.minimum(city.layout.density(city.cells.xy), 12) ** 0.45
    grid = np.sort(rng.choice(len(weight), 2 * count, p=weight / weight.sum()))
    number = np.where(
        rng.random(2 * count) < 0.75, rng.integers(0, ROADSIDE, 2 * count), ROADSIDE + rng.integers(0, 10, 2 * count)
    )
    xy = addresses.around(addresses.xy[grid, number], np.minimum(addresses.reach_m[grid, number], 6), rng)
    far = np.flatnonzero(np.hypot(*(xy - planted.blind_centre).T) > NO_CAMERA_M + _GAP_M)
    kept = np.sort(rng.choice(far, count - 2, replace=False))
    blind = planted.one("blind").grids[0]
    broken = planted.blind_centre + np.array([[45.0, 20.0], [-20.0, -48.0]])
    return np.append(grid[kept], [blind, blind]), np.vstack([xy[kept], broken])


def _write(folder: Path, rows: list[tuple], bulky: bool) -> Path:
    title = f"{TITLE}视频监控一机一档"
    path = folder / ("一机一档.csv.gz" if bulky else "一机一档.xlsx")
    if bulky:
        with gzip_text(path, "gb18030") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(rows)
    else:
        with workbook(path) as book:
            sheet = book.add_worksheet("一机一档")
            sheet.merge_range(0, 0, 0, len(COLUMNS) - 1, title, book.add_format({"bold": True, "align": "center"}))
            sheet.write_row(1, 0, COLUMNS)
            for number, row in enumerate(rows, 2):
                sheet.write_row(number, 0, row)
    stamp(path)
    return path
