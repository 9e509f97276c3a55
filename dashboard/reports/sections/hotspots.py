"""热点: new, lasting and faded ones, the top grids by name, and whether the last period's hotspots held (热点成绩单)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dashboard.components.words import q_text, signed, whole
from dashboard.peak_hours import PEAK_WEEKS, peak, weeks_around
from dashboard.reports.asked import Asked
from dashboard.reports.model import Cell, Fact, Finding, Picture, Section, Table
from dashboard.reports.wording import names
from dashboard.told_hotspots import FADED, HOT, LASTING, NEW, Hotspot, faded_hotspots, told_hotspots
from data.store.alerting import LEAST_EVENTS
from data.store.filters import day_window
from data.store.hotspots import unit_classes
from data.store.hotspots.groups import unit_name
from geo.change import percent_text
from geo.evaluation import hotspot_report

LEVEL = "grid"
_LISTED = 8
_TOP_GRIDS = 5
_PEAK_EVENTS = 20  # fewer events have no peak worth telling
_TONES = {NEW: "warn", FADED: "good"}


def has_grids(at: Asked) -> bool:
    """Whether hotspots can be told at all."""
    return bool(len(at.release.units.level(LEVEL)) and at.release.reports.source_ids)


def why_not(at: Asked) -> str:
    """Why nothing is said of hotspots; "" where something is: a window that is missing or unfinished has none, nor have they
    faded."""
    if not has_grids(at):
        return "没有网格或没有事件来源，不作热点检验。"
    if not at.over:
        return f"{at.now}尚未结束或数据未到，不作热点判断。"
    tally = at.release.reports.tally_of(None, [day_window(at.window), day_window(at.before)])
    silent = [name for name, none in zip((at.now, at.past), tally.none_in[0], strict=True) if none]
    return f"{'、'.join(silent)}未报，不作热点判断。" if silent else ""


def hotspots(at: Asked) -> Section:
    """The section."""
    if why := why_not(at):
        return Section("hotspots", (Finding(why),))
    found = found_hotspots(at)
    faded = faded_hotspots(at.release, at.selection, at.scope, LEVEL) if at.area is None else []
    label = _labels([*found, *faded])
    large = [one for one in found if one.group.count >= LEAST_EVENTS]
    by = {state: [one for one in large if one.state == state] for state in (NEW, LASTING)}
    parts = [f"{at.now}热点{len(large)}处"]
    for state in (NEW, LASTING):
        if by[state]:
            parts.append(f"{state}{len(by[state])}处（{names([label[id(one)] for one in by[state]])}）")
    if len(large) < len(found):
        parts.append(f"另有{len(found) - len(large)}处不足{LEAST_EVENTS}起")
    if faded:
        parts.append(f"消退{len(faded)}处（{names([label[id(one)] for one in faded])}）")
    head = Finding("，".join(parts) + "。", 9, "warn" if by[NEW] else "")
    if not found:
        gone = f"，{at.past}的{len(faded)}处已消退" if faded else ""
        head = Finding(f"{at.now}没有网格显著高于平均{gone}。", 9)
    more = [
        Finding(_sentence(at, one, label[id(one)]), 8 - one.group.number / 10, _TONES.get(one.state, ""))
        for one in large[:3]
    ]
    blocks = [
        Picture("热点分布", "hotspots", "底色为核密度（起/平方公里），编号为Gi*显著（q≤0.05）的成片网格。"),
    ]
    rows = tuple(_row(at, one, label[id(one)]) for one in [*found[:_LISTED], *faded[: max(0, _LISTED - len(found))]])
    if rows:
        note = "起，堆积点与质心点不计；q为全部网格校正后的最小值；高峰为所在社区近12周。" + (
            f"只列前{_LISTED}处。" if len(found) > _LISTED else ""
        )
        blocks.append(Table("热点清单", ("序号", "地点", "状态", "网格数", "本期", "上期", "差", "q", "高峰"), rows, texts=3, note=note,
                            widths=(0.5, 1.8, 0.7, 0.7, 0.7, 0.7, 0.7, 0.9, 1.1)))  # fmt: skip
    blocks.append(_top_grids(at))
    return Section("hotspots", (head, *more), tuple(blocks), tuple(_facts(at, found)))


def found_hotspots(at: Asked) -> list[Hotspot]:
    """The hotspots, as far as they lie in the area: their counts are those of the grids inside it."""
    found = told_hotspots(at.release, at.selection, at.scope, LEVEL)
    if at.area is None:
        return found
    classes = unit_classes(at.release, at.selection, at.scope, "gi", LEVEL)
    told = []
    for one in found:
        inside = [i for i in one.group.units if classes.listed[i]]
        before = None if np.isnan(classes.before[inside]).all() else int(np.nansum(classes.before[inside]))
        group = replace(one.group, units=tuple(inside), count=int(np.nansum(classes.count[inside])), before=before)
        told.append(replace(one, group=group))
    return told


def peak_hours(at: Asked, one: Hotspot) -> str:
    """The three hours in which most happened in the last twelve weeks in the community (or grid) of a hotspot's peak; "" where
    too few events say so."""
    week = weeks_around(at.release, at.selection, at.scope, one.group.code)
    if week.sum() < _PEAK_EVENTS:
        return ""
    found = peak(week)
    return f"{found.first}—{found.end}时"


def _labels(found: list[Hotspot]) -> dict[int, str]:
    """What each hotspot is called, by identity: the place of its peak, with 一带 where it is more than one grid, and with the grid
    where two share a place."""
    places = [one.place for one in found]
    told = {}
    for one in found:
        name = (
            one.place
            if places.count(one.place) == 1
            else f"{one.place}{one.group.name.rpartition(one.place)[2].strip(' ·')}"
        )
        told[id(one)] = replace(one, place=name).around
    return told


def _sentence(at: Asked, one: Hotspot, place: str) -> str:
    group = one.group
    past = "" if group.before is None else f"，{at.past}同一范围{whole(group.before)}起"
    hours = peak_hours(at, one)
    peak_part = f"，所在社区近{PEAK_WEEKS}周高峰{hours}" if hours else ""
    return f"热点{group.number} {place}（{one.parent}）{one.state or ''}：{len(group.units)}个网格{whole(group.count)}起{past}，{q_text(group.q_min)}{peak_part}。"


def _row(at: Asked, one: Hotspot, place: str) -> tuple[Cell, ...]:
    group = one.group
    gone = one.state == FADED
    now = "—" if gone else whole(group.count)
    before = whole(group.count) if gone else "—" if group.before is None else whole(group.before)
    q = q_text(group.q_min).removeprefix("q").removeprefix("=")
    cells = ["—" if gone else str(group.number), f"{place}（{one.parent}）" if one.parent else place, one.state or "—",
             str(len(group.units)), now, before, "—" if gone else signed(one.difference), "—" if gone else q, "" if gone else peak_hours(at, one) or "—"]  # fmt: skip
    return tuple(Cell(text, _TONES.get(one.state, "") if i == 2 else "") for i, text in enumerate(cells))


def _top_grids(at: Asked) -> Table:
    classes = unit_classes(at.release, at.selection, at.scope, "gi", LEVEL)
    count = np.where(classes.listed & ~np.isnan(classes.count), classes.count, -1)
    top = [int(i) for i in np.argsort(-count, kind="stable")[:_TOP_GRIDS] if count[i] > 0]
    rows = tuple(
        (Cell(unit_name(at.release, LEVEL, i)), Cell(str(at.release.units.level(LEVEL).codes[i])), Cell(whole(int(count[i]))),
         Cell(whole(None if np.isnan(classes.before[i]) else int(classes.before[i]))), Cell("是" if classes.flagged[i] and classes.label[i] in HOT else "否"))
        for i in top
    )  # fmt: skip
    return Table(
        f"起数最多的{len(rows)}个网格",
        ("网格", "编码", "本期", "上期", "显著"),
        rows,
        texts=2,
        widths=(2.0, 1.5, 0.7, 0.7, 0.7),
        note="起数多不等于显著：显著是连同周边高于偶然。",
    )


def _facts(at: Asked, found: list[Hotspot]) -> list[Fact]:
    return [
        Fact(f"热点{one.group.number}{words}", count, *window, units=one.group.units)
        for one in found
        for words, window, count in ((at.now, at.window, one.group.count), (at.past, at.before, one.group.before))
        if count is not None
    ]


def scorecard(at: Asked) -> Section:
    """热点成绩单: the last period's hotspots judged by this period's events."""
    if why := why_not(at):
        return Section("scorecard", (Finding(why),))
    then = unit_classes(at.release, at.selection, at.scope, "gi", LEVEL, "before")
    now = unit_classes(at.release, at.selection, at.scope, "gi", LEVEL)
    area = at.release.units.level(LEVEL).area_km2
    used = now.listed & ~np.isnan(now.count) & ~np.isnan(then.count) & (area > 0)
    flagged = np.isin(then.label, HOT) & used
    if not flagged.any():
        return Section("scorecard", (Finding(f"{at.past}没有显著热点，无可评。"),))
    report = hotspot_report(flagged[used], then.count[used], now.count[used], area[used])
    hits, total = int(now.count[flagged].sum()), int(now.count[used].sum())
    held = f"{at.past}标出的{report.flagged}个网格占面积{report.area_pct:.2f}%，{at.now}发生{whole(hits)}起，占{percent_text(hits, total, decimals=at.decimals)}；其中{report.held}个网格本期仍高于平均密度"
    judged = "好于按上期起数取同样面积的做法" if report.beats_naive else "没有好过按上期起数取同样面积的做法"
    rows = tuple(
        (Cell(name), Cell(meaning), Cell(ours), Cell(naive))
        for name, meaning, ours, naive in (
            (
                "命中率",
                "本期事件落在其中的份额",
                percent_text(hits, total, decimals=at.decimals),
                f"{report.naive_hit_pct:.1f}%",
            ),
            ("PAI", "命中率 ÷ 面积份额；随机取为1", f"{report.pai:.1f}", f"{report.naive_pai:.1f}"),
            ("PEI", "命中率 ÷ 同样面积最多能命中的份额", f"{report.pei:.2f}", f"{report.naive_pei:.2f}"),
            (
                "仍高的网格",
                "密度高于全体平均",
                f"{report.held}/{report.flagged}",
                f"{report.naive_held:.0f}/{report.flagged}",
            ),
        )
    )
    title = f"{at.past}热点在{at.now}的表现"
    table = Table(
        title,
        ("指标", "含义", "热点", "按上期起数"),
        rows,
        texts=2,
        note="面积相同；起数为有位置的事件。",
        widths=(1, 2.4, 1, 1),
    )
    return Section("scorecard", (Finding(f"{held}；{judged}。", 5, "" if report.beats_naive else "warn"),), (table,))
