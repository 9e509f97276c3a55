"""Dispute statistics: the monthly six-row workbook of each month, and a weekly table of every community."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etl.demo.files import gzip_text, stamp, workbook
from etl.demo.frame import CITY_NAME, WEEKS, generator, week_label, week_start
from etl.demo.plan import City

TYPES = (
    "婚姻家庭", "邻里", "房屋宅基地", "合同", "生产经营", "损害赔偿", "山林土地", "征地拆迁",
    "环境污染", "劳动争议", "消费", "医疗", "道路交通事故", "物业", "其它",
)  # fmt: skip
_SHARES = np.array([160, 278, 67, 44, 31, 76, 18, 28, 4, 13, 7, 55, 33, 20, 54], float)
MONTHS = tuple((2024 + (10 + i) // 12, (10 + i) % 12 + 1) for i in range(24))  # 2024-11 to 2026-10
WRONG_TOTAL_MONTH = 17  # the 合计 of one type is 3 too high in this month's workbook
_ZERO_SHARE, _MISSING_SHARE = 0.02, 0.012
WEEK_COLUMNS = ("单位编码", "单位名称", "周", "排查数", "受理数", "调处数", "调处成功数")


@dataclass(frozen=True)
class Disputes:
    """What was filed.

    ``monthly`` (months, streets, types, 2): resolved and open; ``monthly_state`` (months, streets) and ``weekly_state``
    (weeks, communities): 0 missing, 1 zero, 2 reported; ``weekly`` (weeks, communities, 4): 排查 受理 调处 成功.
    """

    monthly: np.ndarray
    monthly_state: np.ndarray
    weekly: np.ndarray
    weekly_state: np.ndarray


def draw_disputes(city: City) -> Disputes:
    """Draw all counts; a unit that did not report has no counts, one that reported nothing has zeros."""
    rng = generator(city.seed, "disputes")
    scale = city.scale
    people = np.bincount(city.street, city.population, scale.streets)
    mean = 32 * people / people.mean()
    season = np.array([1 + 0.12 * np.cos(2 * np.pi * (month - 7) / 12) for _, month in MONTHS])
    found = rng.poisson(season[:, None, None] * mean[None, :, None] * (_SHARES / _SHARES.sum()))
    state = rng.choice([0, 1, 2], found.shape[:2], p=[_MISSING_SHARE, _ZERO_SHARE, 1 - _ZERO_SHARE - _MISSING_SHARE])
    found[state < 2] = 0
    state[(state == 2) & (found.sum(axis=2) == 0)] = 1
    resolved = rng.binomial(found, 0.94)
    people = np.bincount(city.community, city.population, scale.communities)
    weekly = rng.poisson(1.6 * people / people.mean(), (WEEKS, scale.communities))
    weekly_state = np.where(rng.random(weekly.shape) < _MISSING_SHARE, 0, 2)
    weekly[weekly_state == 0] = 0
    weekly_state[(weekly_state == 2) & (weekly == 0)] = 1
    accepted = rng.binomial(weekly, 0.92)
    handled = rng.binomial(accepted, 0.97)
    succeeded = rng.binomial(handled, 0.95)
    monthly = np.stack([resolved, found - resolved], axis=-1)
    return Disputes(monthly, state, np.stack([weekly, accepted, handled, succeeded], axis=-1), weekly_state)


def write_monthly(folder: Path, city: City, disputes: Disputes) -> list[Path]:
    """One workbook a month, ``纠纷_YYYYMM.xlsx``: title, three header rows, 合计, then each street or town."""
    paths = []
    for number, (year, month) in enumerate(MONTHS):
        path = folder / f"纠纷_{year}{month:02d}.xlsx"
        with workbook(path) as book:
            _fill_month(book, city, disputes, number)
        stamp(path)
        paths.append(path)
    return paths


def _fill_month(book, city: City, disputes: Disputes, number: int) -> None:
    counts, state, month = disputes.monthly[number], disputes.monthly_state[number], MONTHS[number][1]
    sheet = book.add_worksheet(f"{month}月")
    head = book.add_format({"align": "center", "valign": "vcenter", "text_wrap": True, "border": 1})
    last = 2 + 2 * len(TYPES)
    total = counts.sum(axis=0)
    stated = total.copy()
    if number == WRONG_TOTAL_MONTH:
        stated[1, 0] += 3
    sheet.merge_range(0, 0, 0, last, f"{CITY_NAME}矛盾纠纷排查化解基本情况统计表（{month} 月）", head)
    sheet.merge_range(1, 0, 3, 0, "镇办", head)
    sheet.merge_range(1, 1, 1, last, "矛盾纠纷类型", head)
    sheet.merge_range(2, 1, 2, 2, "当前矛盾\n纠纷情况", head)
    sheet.write(3, 1, "本月矛盾\n纠纷总数", head)
    sheet.write(3, 2, "本月未化解\n纠纷数", head)
    for i, kind in enumerate(TYPES):
        left = 3 + 2 * i
        sheet.merge_range(2, left, 2, left + 1, f"{kind}\n（共计：{total[i].sum()} 件）", head)
        sheet.write(3, left, "化解数", head)
        sheet.write(3, left + 1, "未化解数", head)
    sheet.write_row(4, 0, ["合　计" if month % 2 else "合计", int(stated.sum()), int(stated[:, 1].sum())])
    sheet.write_row(4, 3, stated.ravel().tolist())
    for row, name in enumerate(city.streets.names, 5):
        sheet.write(row, 0, name)
        if state[row - 5]:
            own = counts[row - 5]
            sheet.write_row(row, 1, [int(own.sum()), int(own[:, 1].sum()), *own.ravel().tolist()])


def write_weekly(folder: Path, city: City, disputes: Disputes) -> list[Path]:
    """Weekly counts of every community that reported, and a 合计 row at the end."""
    path = folder / ("纠纷周报.csv.gz" if city.scale.bulky else "纠纷周报.csv")
    codes, names = city.communities.codes, city.communities.names
    with gzip_text(path, "utf-8-sig") if city.scale.bulky else path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(WEEK_COLUMNS)
        for week in range(WEEKS):
            label = week_label(week)
            rows = disputes.weekly[week].tolist()
            for i in np.flatnonzero(disputes.weekly_state[week]).tolist():
                writer.writerow([codes[i], names[i], label, *rows[i]])
        writer.writerow(["合计", "", "", *disputes.weekly.sum(axis=(0, 1)).tolist()])
    stamp(path)
    return [path]


def month_label(number: int) -> str:
    """Label of a month number, such as ``2026-10``."""
    year, month = MONTHS[number]
    return f"{year}-{month:02d}"


def month_due(number: int) -> str:
    """When a month's workbook is due: noon of the fifth of the next month."""
    year, month = MONTHS[number]
    return f"{year + month // 12}-{month % 12 + 1:02d}-05 12:00"


def week_due(week: int) -> str:
    """When a week's reports are due: eight in the evening of its Sunday."""
    return f"{np.datetime64(week_start(week)) + 6} 20:00"
