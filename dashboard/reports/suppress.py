"""An edition for circulation: whatever tells a count from 1 to below a limit is hidden, and as much more as keeps it from being
worked out.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dashboard.reports.model import Cell, Chart, Finding, Pack, Section, Table

HIDDEN = "隐去"
_NOTHING_LEFT = "本节的数较小，供通报的一版不列。"
_NUMBER = r"\d{1,3}(?:,\d{3})+|\d+"
_COUNT = re.compile(rf"^(?:{_NUMBER})$")
_RATIO = re.compile(rf"^({_NUMBER}) ÷ ({_NUMBER})$")
_CHANGE = re.compile(rf"^([+−])?({_NUMBER})(?:（.*）)?$")
# Counts of events and disputes in a sentence: what it counts now, and the difference to another window.
_SAID = re.compile(rf"(?<![\d.,])({_NUMBER})(?=(?:起|件)(?!事))")
_DIFFERENCE = re.compile(rf"([+−])({_NUMBER})(?=起|件)")
_NOW = re.compile(rf"(?<![\d.,+−])({_NUMBER})(?=起|件)")
# Columns that say how many events or disputes there were; their places, dates and codes are no secret.
_COUNTS = ("本期", "上期", "排查", "调处", "未办结", "逾期", "起数", "事件", "看不到", "可补事件")
_CHANGES = ("环比", "同比", "差")
_KEPT = ("序号", "次序", "网格数", "编码", "应报", "已报", "零报", "迟报", "未报", "文件", "读入", "入库", "退回")
_NEVER = ("措施前后", "同期未采取措施的热点", "星期×钟点")  # nothing but small counts, or sums that give them away


def suppressed(pack: Pack, under: int) -> Pack:
    """The pack without small counts.

    A row of a table that holds a small count, or from which one follows (a base from a count and its difference, the rest of a
    rate), is hidden whole; where that is one row alone, the row with the next smallest count is hidden too, since the total
    may stand elsewhere. Sentences that say a small count, or from which one follows, are left out; so are notes.
    """
    return replace(pack, sections=tuple(_section(one, under) for one in pack.sections))


def _section(section: Section, under: int) -> Section:
    blocks = []
    for one in section.blocks:
        if isinstance(one, Table):
            told = None if one.title.startswith(_NEVER) else _table(one, under)
            if told is not None and any(cell.text == HIDDEN for row in told.rows for cell in row) <= any(
                HIDDEN not in [cell.text for cell in row] for row in told.rows
            ):
                blocks.append(told)  # one with nothing but hidden rows says nothing
        elif isinstance(one, Chart):
            blocks.append(_chart(one, under))
        else:
            blocks.append(one)
    findings = tuple(one for one in section.findings if not _tells(one.text, under) and "预计" not in one.text)
    return replace(section, blocks=tuple(blocks), findings=findings or (Finding(_NOTHING_LEFT),), facts=())


def _int(text: str) -> int:
    return int(text.replace(",", ""))


def _small(value: int, under: int) -> bool:
    return 0 < value < under


def _tells(text: str, under: int) -> bool:
    """Whether a sentence says a small count, or a count and a difference that give one."""
    if any(_small(_int(found), under) for found in _SAID.findall(text)):
        return True
    now = _NOW.search(text)
    for sign, size in _DIFFERENCE.findall(text):
        base = (_int(now[1]) if now else 0) - (_int(size) if sign == "+" else -_int(size))
        if _small(base, under):
            return True
    return False


def _table(table: Table, under: int) -> Table:
    counted = [i for i, name in enumerate(table.head) if name in _COUNTS]
    rates = [i for i, name in enumerate(table.head) if name in ("数", "通过 ÷ 已评估")]
    if not counted and not rates:
        return table
    small = [r for r, row in enumerate(table.rows) if _row_tells(table, [cell.text for cell in row], under)]
    if len(small) == 1:
        rest = [
            (size, r)
            for r, row in enumerate(table.rows)
            if r not in small and (size := _size(row, counted)) and row[0].text != "合计"
        ]
        small += [min(rest)[1]] if rest else []
    if not small:
        return replace(table, note=_note(table.note, under))
    kept = [i for i, name in enumerate(table.head) if i < table.texts or name in _KEPT]
    rows = tuple(
        tuple(cell if i in kept else Cell(HIDDEN) for i, cell in enumerate(row)) if r in small else row
        for r, row in enumerate(table.rows)
    )
    return replace(table, rows=rows, note=_note(table.note, under) + f"有少于{under}的数的行、和可据以推算的行隐去。")


def _row_tells(table: Table, row: list[str], under: int) -> bool:
    by = dict(zip(table.head, row, strict=True))
    counts = [_int(by[name]) for name in _COUNTS if _COUNT.match(by.get(name, ""))]
    if any(_small(value, under) for value in counts):
        return True
    now = by.get("本期", by.get("起数", ""))
    for name in _CHANGES:
        found = _CHANGE.match(by.get(name, ""))
        if found and _COUNT.match(now):
            size = _int(found[2]) if found[1] != "−" else -_int(found[2])
            if _small(_int(now) - size, under):
                return True
    if "看不到" in by and len(counts) == 2 and _small(counts[0] - counts[1], under):
        return True
    ratio = next((found for text in row if (found := _RATIO.match(text))), None)
    if ratio and table.head[0] == "率":
        above, below = _int(ratio[1]), _int(ratio[2])
        return _small(above, under) or _small(below, under) or _small(below - above, under)
    return False


def _size(row: tuple[Cell, ...], counted: list[int]) -> int:
    values = [_int(row[i].text) for i in counted if _COUNT.match(row[i].text)]
    return max(values, default=0)


def _note(note: str, under: int) -> str:
    """A note without the parts that tell a small count."""
    return "；".join(part for part in note.split("；") if not _tells(part, under))


def _chart(chart: Chart, under: int) -> Chart:
    """Small values are left out, never one alone; a gap is not 0."""
    series = []
    for name, values in chart.series:
        gone = {i for i, v in enumerate(values) if v is not None and 0 < v < under}
        if len(gone) == 1:
            rest = [(v, i) for i, v in enumerate(values) if i not in gone and v]
            gone |= {min(rest)[1]} if rest else set()
        series.append((name, tuple(None if i in gone else v for i, v in enumerate(values))))
    told = _note(chart.note, under)
    return replace(
        chart,
        series=tuple(series),
        note=told + (f"少于{under}的和可据以推算的不画。" if tuple(series) != chart.series else ""),
    )
