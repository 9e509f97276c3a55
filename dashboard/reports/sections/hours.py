"""时段与星期: when in the week it happens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dashboard.components.words import WEEKDAYS, whole
from dashboard.peak_hours import peak, week_table
from dashboard.reports.asked import Asked
from dashboard.reports.model import Cell, Chart, Finding, Section, Table
from data.store import profile
from geo.change import percent_text

_CLASSES = 5


def hours(at: Asked) -> Section:
    """The section."""
    if not at.release.reports.source_ids:
        return Section("hours", (Finding("本发布没有事件来源。"),))
    if not at.over:
        return Section("hours", (Finding(f"{at.now}尚未结束或数据未到，时段与星期不作判断。"),))
    found = profile(at.release, at.selection, at.scope)
    table, unknown = week_table(found), found.meta["unknown"]
    if not table.sum():
        return Section("hours", (Finding("来源未提供钟点，或这一时段没有事件。"),))
    start, end = at.before
    past = week_table(profile(at.release, replace(at.selection, start=start, end=end, compare="none"), at.scope))
    top, day = peak(table), int(table.sum(axis=1).argmax())
    share = percent_text(top.events, int(table.sum()), decimals=at.decimals)
    head = f"主要集中在{top.first}—{top.end}时，{whole(top.events)}起，占{share}；以星期{WEEKDAYS[day]}最多，{whole(int(table[day].sum()))}起。"
    findings = [Finding(head, 5)]
    if unknown:
        findings.append(Finding(f"另有{whole(unknown)}起钟点不明，不在其中。", 1))
    edges = np.quantile(table[table > 0], np.linspace(0, 1, _CLASSES + 1)[1:-1]) if table.any() else []
    rows = tuple(
        (Cell(f"星期{WEEKDAYS[i]}"), *(Cell(str(int(n)) if n else "", shade=int(n > 0) + int(np.searchsorted(edges, n)) if n else 0) for n in row), Cell(whole(int(row.sum()))))
        for i, row in enumerate(table)
    )  # fmt: skip
    heat = Table(
        "星期×钟点",
        ("", *(str(h) for h in range(24)), "计"),
        rows,
        note="起；空格为0；深浅按本表分五级。",
        widths=(2.6, *([1.0] * 24), 1.6),
    )
    labels = tuple(str(h) for h in range(24))
    series = ((at.now, tuple(map(float, table.sum(axis=0)))), (at.past, tuple(map(float, past.sum(axis=0)))))
    return Section("hours", tuple(findings), (heat, Chart("各钟点起数", "bar", "起", labels, series)))
