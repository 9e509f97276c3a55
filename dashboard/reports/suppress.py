"""Small cells hidden in an edition for circulation, and as many more as keep them from being worked out."""

from __future__ import annotations

import re
from dataclasses import replace

from dashboard.reports.model import Cell, Chart, Finding, Pack, Section, Table

_COUNT = re.compile(r"\d{1,3}(,\d{3})*|\d+")
_SMALL_IN_TEXT = re.compile(r"(?<![\d.,%=第前近])(\d{1,3}(?:,\d{3})*)(?=[起件])")
_TOTALS = ("合计", "计")
_LINKED = (
    "上期",
    "环比",
    "同比",
    "差",
    "日均",
    "p",
    "判定",
    "占比",
    "上报率",
    "看不到",
)  # say the count again in other words
_COUNTS = ("本期", "上期", "排查", "调处", "未办结", "逾期", "起数", "事件", "看不到", "可补事件", "计", "之后起数")


def suppressed(pack: Pack, under: int) -> Pack:
    """The pack with every count from 1 to below ``under`` hidden, in tables, charts and sentences.

    In a table a hidden count takes with it what tells it again in its row; where a column with a total has one cell hidden,
    the next smallest is hidden too.
    """
    hidden = f"<{under}"
    return replace(pack, sections=tuple(_section(one, under, hidden) for one in pack.sections))


def _section(section: Section, under: int, hidden: str) -> Section:
    blocks = tuple(
        _table(one, under, hidden) if isinstance(one, Table) else _chart(one, under) if isinstance(one, Chart) else one
        for one in section.blocks
    )
    findings = tuple(replace(one, text=_sentence(one, under, hidden)) for one in section.findings)
    return replace(section, blocks=blocks, findings=findings, facts=())


def _sentence(finding: Finding, under: int, hidden: str) -> str:
    """A sentence whose counts are small says so instead; its differences and percents would tell them."""

    def small(found: re.Match) -> bool:
        return 0 < int(found[1].replace(",", "")) < under

    if not any(small(found) for found in _SMALL_IN_TEXT.finditer(finding.text)):
        return finding.text
    text = re.sub(r"，?较[^，；。]*?[起件](（[^）]*）)?", "", finding.text)
    return _SMALL_IN_TEXT.sub(lambda found: hidden if small(found) else found[0], text)


def _table(table: Table, under: int, hidden: str) -> Table:
    head = table.head
    counted = [i for i, name in enumerate(head) if name in _COUNTS or name.isdigit()]
    if not counted:
        return table
    rows = [list(row) for row in table.rows]
    totals = [i for i, row in enumerate(rows) if row and row[0].text in _TOTALS]
    small = {
        (r, c)
        for r, row in enumerate(rows)
        for c in counted
        if _value(row[c]) is not None and 0 < _value(row[c]) < under
    }
    for c in counted:
        own = [r for r, column in small if column == c and r not in totals]
        if len(own) == 1 and totals:
            rest = [
                (r, _value(rows[r][c])) for r in range(len(rows)) if r not in (*own, *totals) and _value(rows[r][c])
            ]
            if rest:
                small.add((min(rest, key=lambda one: one[1])[0], c))
    for r, c in small:
        rows[r][c] = Cell(hidden)
    # In a week table the sum of a row gives a single hidden hour away.
    if head[-1] == "计":
        for r in {r for r, _ in small}:
            rows[r][-1] = Cell("—")
    linked = [i for i, name in enumerate(head) if name in _LINKED and i not in counted] if head[-1] != "计" else []
    for r in {r for r, _ in small}:
        for c in linked:
            rows[r][c] = Cell("—")
    note = table.note + f"少于{under}的数写作{hidden}，并隐去可据以推算的数。" if small else table.note
    return replace(table, rows=tuple(map(tuple, rows)), note=note)


def _chart(chart: Chart, under: int) -> Chart:
    """Small values are left out of bars; a gap is not 0."""
    series = tuple(
        (name, tuple(None if v is not None and 0 < v < under else v for v in values)) for name, values in chart.series
    )
    note = f"{chart.note}少于{under}的不画。" if series != chart.series else chart.note
    return replace(chart, series=series, note=note)


def _value(cell: Cell) -> int | None:
    return int(cell.text.replace(",", "")) if _COUNT.fullmatch(cell.text) else None
