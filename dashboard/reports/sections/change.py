"""变化: what rose and fell beyond chance, by category, by area, by time of day; the rest is said to be 正常波动."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dashboard.components.words import LEVEL_NAMES
from dashboard.reports.asked import Asked
from dashboard.reports.model import Cell, Fact, Finding, Picture, Section, Table
from dashboard.reports.wording import change_cells, change_finding, names, p_cell, ranked, uneven
from data.store import counts
from data.store.changes import Change, changes
from geo.change import CLEAR_FALL, CLEAR_RISE, FALL, NORMAL, NOT_COMPARABLE, RISE, benjamini_hochberg, verdict_words

BANDS = ((0, 5), (6, 11), (12, 17), (18, 23))
_LISTED = 10
_FINDINGS = 7


def change(at: Asked) -> Section:
    """The section."""
    if not at.release.reports.source_ids:
        return Section("change", (Finding("本发布没有事件来源。"),))
    found = changes(at.release, at.selection, at.scope).categories
    level = at.level("street", "community", "grid", "district")
    areas, adjusted = _areas(at, level) if level else ([], 0)
    bands = _judged_bands(at) if at.over else []  # hours that are still to come are no 0
    named = [*found.items(), *((row["name"], _change(row)) for row in areas)]
    findings = [change_finding(name, one, at.past, decimals=at.decimals) for name, one in named if _speaks(one)]
    findings += [
        change_finding(f"{name}发生的", one, at.past, decimals=at.decimals, more=-0.5)
        for name, one in bands
        if _speaks(one)
    ]
    head = _headline(at, found, areas, level)
    blocks = [_bands_table(at, bands)] if bands else []
    if level:
        picture = Picture(f"各{LEVEL_NAMES[level]}与{at.past}相比", "change", "按判定着色；斜线为未报。")
        blocks = [_areas_table(at, level, areas, adjusted), picture, *blocks]
    return Section(
        "change",
        (head, *ranked(findings, _FINDINGS)),
        tuple(blocks),
        (*_area_facts(at, areas), *_band_facts(at, bands)),
    )


def _judged_bands(at: Asked) -> list[tuple[str, Change]]:
    """The count of each band; p is adjusted over the bands, which are judged at once."""
    found = [changes(at.release, replace(at.selection, hours=band), at.scope).total for band in BANDS]
    known = [i for i, one in enumerate(found) if one.p is not None]
    adjusted = benjamini_hochberg([found[i].p for i in known]) if known else []
    limits = at.release.limits
    for i, p in zip(known, adjusted, strict=True):
        word = str(verdict_words(p, found[i].z, strong=limits.strong_p, mild=limits.mild_p))
        found[i] = replace(found[i], p=float(p), verdict=word)
    return [(_band_words(band), one) for band, one in zip(BANDS, found, strict=True)]


def _speaks(one: Change) -> bool:
    return one.verdict not in (None, NORMAL, NOT_COMPARABLE)


def _headline(at: Asked, found: dict[str, Change], areas: list[dict], level: str | None) -> Finding:
    up = [name for name, one in found.items() if one.verdict in (CLEAR_RISE, RISE)]
    down = [name for name, one in found.items() if one.verdict in (CLEAR_FALL, FALL)]
    silent = [name for name, one in found.items() if one.verdict == NOT_COMPARABLE]
    parts = []
    if up:
        parts.append(f"{names(up)}较{at.past}上升，超出正常波动")
    if down:
        parts.append(f"{names(down)}下降，超出正常波动")
    if silent:
        parts.append(f"{names(silent)}缺报或未齐，无法比较")
    rest = len(found) - len(up) - len(down) - len(silent)
    if rest:
        parts.append(f"{'其余' if parts else ''}{rest}类属正常波动")
    if level:
        moved = sum(_speaks(_change(row)) for row in areas)
        unsure = sum(row["verdict"] in (None, NOT_COMPARABLE) for row in areas)
        judged = len(areas) - unsure
        if moved:
            parts.append(f"{len(areas)}个{LEVEL_NAMES[level]}中{moved}个有超出正常波动的变化")
        elif judged:
            parts.append(f"可比的{judged}个{LEVEL_NAMES[level]}均在正常波动之内")
        if unsure:
            parts.append(f"{unsure}个{LEVEL_NAMES[level]}缺报或未齐，无法比较")
    return Finding("；".join(parts) + "。", 9, "bad" if up else "")


def _areas(at: Asked, level: str) -> tuple[list[dict], int]:
    """The areas, and over how many their p is adjusted."""
    answer = counts(at.release, at.selection, at.scope, level)
    return answer.rows.to_pylist(), answer.meta["adjusted_over"]


def _change(row: dict) -> Change:
    return Change(
        row["count"],
        row["before"],
        row["difference"],
        row["percent"],
        row["z"],
        row["p"],
        row["verdict"],
        row["periods_missing"],
    )


def _areas_table(at: Asked, level: str, areas: list[dict], adjusted: int) -> Table:
    """Verdicts first, then the largest differences."""

    def key(row: dict):
        return (not _speaks(_change(row)), -abs(row["difference"] or 0), row["code"])

    year = {row["code"]: _change(row) for row in counts(at.release, at.last_year, at.scope, level).rows.to_pylist()}
    rows = []
    for row in sorted(areas, key=key)[:_LISTED]:
        now, before, told, word = change_cells(_change(row), at.decimals)
        rows.append(
            (
                Cell(row["name"]),
                now,
                before,
                told,
                change_cells(year[row["code"]], at.decimals, "去年为0")[2],
                p_cell(row["p"]),
                word,
            )
        )
    early = "" if at.over else f"{at.now}未齐，起数只是已到的部分；"
    note = f"起；{early}{uneven([_change(row) for row in areas])}先列超出正常波动的，再按差数列前{_LISTED}；p按授权范围内可比的{adjusted}个{LEVEL_NAMES[level]}校正。"
    return Table(f"各{LEVEL_NAMES[level]}变化", (LEVEL_NAMES[level], "本期", "上期", "环比", "同比", "p", "判定"), tuple(rows), note=note,
                 widths=(1.2, 0.8, 0.8, 1.8, 1.8, 0.8, 1.3))  # fmt: skip


def _bands_table(at: Asked, bands: list[tuple[str, Change]]) -> Table:
    rows = []
    for name, one in bands:
        now, before, told, word = change_cells(one, at.decimals)
        rows.append((Cell(name), now, before, told, p_cell(one.p), word))
    return Table("各时段变化", ("时段", "本期", "上期", "环比", "p", "判定"), tuple(rows), note=f"起；{uneven([one for _, one in bands])}钟点不明的不在其中；p按四个时段校正。",
                 widths=(1.4, 0.8, 0.8, 1.5, 0.9, 1.3))  # fmt: skip


def _band_words(band: tuple[int, int]) -> str:
    return f"{band[0]}—{band[1] + 1}时"


def _area_facts(at: Asked, areas: Iterable[dict]) -> list[Fact]:
    return [
        Fact(f"{row['name']}{words}", row[field], *window, area=row["code"])
        for row in areas
        for words, window, field in ((at.now, at.window, "count"), (at.past, at.before, "before"))
        if row[field] is not None
    ]


def _band_facts(at: Asked, bands: list[tuple[str, Change]]) -> list[Fact]:
    return [
        Fact(f"{name}{words}", getattr(one, field), *window, area=at.selection.area, hours=band)
        for band, (name, one) in zip(BANDS, bands, strict=False)
        for words, window, field in ((at.now, at.window, "now"), (at.past, at.before, "before"))
        if getattr(one, field) is not None
    ]
