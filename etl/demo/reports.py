"""The register of reports: who had filed what, when; 未报, 零报 and 已报 are three states."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from etl.demo.disputes import MONTHS, Disputes, month_due, month_label, week_due
from etl.demo.files import gzip_text, stamp
from etl.demo.frame import WEEKS, generator, week_label
from etl.demo.plan import City
from etl.demo.planted import SILENT_WEEKS

COLUMNS = ("单位编码", "数据项", "期", "状态", "应报时间", "实报时间")
STATES = ("未报", "零报", "已报")


def write_register(folder: Path, city: City, disputes: Disputes, filed: np.ndarray) -> list[Path]:
    """``上报登记.csv`` for the second incident source (by street and week) and both dispute sources.

    ``filed`` (streets, weeks) holds the grid events counted; the silent weeks are 未报 for every street.
    """
    rng = generator(city.seed, "register")
    path = folder / ("上报登记.csv.gz" if city.scale.bulky else "上报登记.csv")
    state = np.where(filed.T > 0, 2, 1)
    state[list(SILENT_WEEKS)] = 0
    weeks, week_dues = [week_label(w) for w in range(WEEKS)], [week_due(w) for w in range(WEEKS)]
    parts = (
        ("网格事件", city.streets.codes, weeks, week_dues, state),
        ("纠纷月报", city.streets.codes, [month_label(m) for m in range(len(MONTHS))],
         [month_due(m) for m in range(len(MONTHS))], disputes.monthly_state),
        ("纠纷周报", city.communities.codes, weeks, week_dues, disputes.weekly_state),
    )  # fmt: skip
    with gzip_text(path, "utf-8-sig") if city.scale.bulky else path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for name, codes, labels, dues, states in parts:
            for period, (label, due) in enumerate(zip(labels, dues, strict=True)):
                minutes = -rng.integers(5, 1600, len(codes))
                late = rng.random(len(codes)) < 0.03
                minutes[late] = rng.integers(5, 420, late.sum())
                done = np.datetime64(due.replace(" ", "T"), "m") + minutes
                text = np.char.replace(done.astype(str), "T", " ").tolist()
                for code, value, at in zip(codes, states[period].tolist(), text, strict=True):
                    writer.writerow([code, name, label, STATES[value], due, at if value else ""])
    stamp(path)
    return [path]
