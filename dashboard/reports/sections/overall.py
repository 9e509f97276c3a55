"""总体情况: how many, of what, beside the period before and the year before."""

from __future__ import annotations

from dashboard.components.words import NOTHING, short_day, whole
from dashboard.reports.asked import Asked
from dashboard.reports.model import Cell, Chart, Fact, Finding, Section, Table
from dashboard.reports.wording import change_cells, change_finding, change_words, p_cell, uneven
from dashboard.trend_steps import latest_steps
from data.store.changes import Change, Changes, changes

_NO_YEAR = "去年为0"


def overall(at: Asked) -> Section:
    """The section."""
    if not at.release.reports.source_ids:
        return Section("overall", (Finding("本发布没有事件来源。"),))
    now = changes(at.release, at.selection, at.scope)
    year = changes(at.release, at.last_year, at.scope)
    facts = _facts(at, now, year)
    if now.total.now is None:
        silent = Finding(f"{at.now}{at.place}没有任何警情上报，全部未报；未报不是零。", 9, "warn")
        return Section("overall", (silent,), (_table(at, now, year), _trend(at)), facts)
    total = change_finding(f"{at.now}{at.place}共接报", now.total, at.past, decimals=at.decimals, more=9)
    days = at.selection.days
    daily = f"日均{now.total.now / days:,.1f}起；" if days > 1 and at.over else ""
    second = f"{daily}{at.now}较去年同期：{change_words(year.total, '去年同期', decimals=at.decimals)}。"
    return Section("overall", (total, Finding(second, 8)), (_table(at, now, year), _trend(at)), facts)


def _table(at: Asked, now: Changes, year: Changes) -> Table:
    rows = [_row(at, name, one, year.categories[name]) for name, one in now.categories.items()]
    rows.append(_row(at, "合计", now.total, year.total))
    note = f"起；{uneven([*now.categories.values(), now.total])}环比为{at.now}与{at.past}之差，同比为与去年同期之差；上期不足10起不列百分比；判定为双侧E检验，多类同判已校正。"
    return Table("各类接报情况", ("类别", "本期", "上期", "环比", "同比", "日均", "p", "判定"), tuple(rows), note=note,
                 widths=(0.75, 0.95, 0.95, 1.9, 1.9, 0.85, 0.8, 1.3))  # fmt: skip


def _row(at: Asked, name: str, now: Change, year: Change) -> tuple[Cell, ...]:
    count, before, change, verdict = change_cells(now, at.decimals)
    daily = NOTHING if now.now is None or not at.over else f"{now.now / at.selection.days:,.1f}"
    return (
        Cell(name),
        count,
        before,
        change,
        change_cells(year, at.decimals, _NO_YEAR)[2],
        Cell(daily),
        p_cell(now.p),
        verdict,
    )


def _trend(at: Asked) -> Chart:
    step = "month" if at.selection.days >= 28 else "week"
    steps = latest_steps(at.release, at.selection, at.scope, step).steps
    labels = tuple(short_day(one.start) for one in steps)
    series = (
        ("起数", tuple(None if one.count is None or not one.complete else float(one.count) for one in steps)),
        ("控制下限", tuple(None if one.lower is None else max(0.0, round(one.lower, 1)) for one in steps)),
        ("控制上限", tuple(None if one.upper is None else round(one.upper, 1) for one in steps)),
    )
    words = "周" if step == "week" else "月"
    judged = [one for one in steps if one.complete and one.count is not None and one.upper is not None]
    outside = [f"{short_day(one.start)}起的一{words}{whole(one.count)}起" for one in judged if one.outside]
    note = (
        f"超出控制带：{'、'.join(outside)}。"
        if outside
        else "齐全的各期都在控制带（3倍标准差）之内。"
        if judged
        else ""
    )
    unsure = len(steps) - len(judged)
    note += f"{unsure}期未报、未齐或没有控制带，不作判断。" if unsure else ""
    return Chart(f"近{len(steps)}{words}走势", "line", f"起/{words}", labels, series, note=note)


def _facts(at: Asked, now: Changes, year: Changes) -> tuple[Fact, ...]:
    area = at.selection.area
    windows = (
        (at.now, at.window, now, "now"),
        (at.past, at.before, now, "before"),
        ("去年同期", at.last_year.compare_window, year, "before"),
    )
    return tuple(
        Fact(f"{words}{name or '合计'}", getattr(one, field), *window, area=area, category=name)
        for words, window, found, field in windows
        for name, one in [*found.categories.items(), (None, found.total)]
        if getattr(one, field) is not None
    )
