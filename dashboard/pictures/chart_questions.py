"""From a Selection to a chart: what the Store answers, and its finding in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pyarrow as pa

from dashboard.components.words import LEVEL_NAMES, NOTHING, before_name, now_name, p_text, signed, whole
from dashboard.language import say
from dashboard.pictures.chart_frames import Bar, BarFrame, Step, TrendFrame, WeekFrame
from dashboard.pictures.heads import head_of, whole_finding
from dashboard.pictures.page import Head
from data.index import INCIDENT_LEVELS, UNIT_LEVELS
from data.schema import CATEGORIES
from data.selection import Selection
from data.store import Release, Scope, counts, profile, trend, trend_band
from data.store.changes import changes
from data.store.filters import common_meta
from geo.change import NORMAL, NOT_COMPARABLE

RANKED = 15
UNEQUAL = 0.1  # windows that differ by more are compared by the day
_STEP_TITLES = {"day": "每日起数", "week": "每周起数", "month": "每月起数"}


def _rule() -> str:
    return say("按发生时间计，含起始日、不含结束日")


def trend_picture(
    release: Release, selection: Selection, scope: Scope, now: datetime, step: str = "day"
) -> tuple[TrendFrame, Head]:
    """The trend of a Selection by ``day``, ``week`` or ``month``."""
    answer = trend(release, selection, scope, step)
    steps = _summed(answer.rows)
    past = None
    before: list[int | None] = []
    if selection.compare_window is not None:
        start, end = selection.compare_window
        earlier = replace(selection, start=start, end=end, compare="none")
        before = [count for _, count, _ in _summed(trend(release, earlier, scope, step).rows)]
        past = before_name((selection.start, selection.end), selection.compare)
    band = {row["start"]: row for row in trend_band(release, selection, scope, step).rows.to_pylist()}
    frames = []
    for number, (start, count, complete) in enumerate(steps):
        limits = band.get(start, {})
        day = date.fromisoformat(start)
        label = f"{day.year}/{day.month}" if step == "month" else f"{day.month}/{day.day}"
        earlier_count = before[number] if number < len(before) else None
        band_of = ("lower", "upper", "outside") if count is not None else ()
        frames.append(Step(day, label, count, earlier_count, complete, **{name: limits.get(name) for name in band_of}))
    whole = whole_finding(release, selection, scope)
    finding = whole.text
    outside = [frame for frame in frames if frame.outside]
    if outside:
        finding += say("{n}步越出控制带，最近一次是{day}。", n=len(outside), day=outside[-1].start.isoformat())
    elif whole.known and any(frame.upper is not None for frame in frames):
        finding += say("没有一步越出控制带。")
    window = (selection.start, selection.end)
    head = head_of(release, selection, answer.meta, say(_STEP_TITLES[step]), finding, now, _rule(), whole.notes)
    return TrendFrame(tuple(frames), now_name(window), past), head


def _summed(rows: pa.Table) -> list[tuple[str, int | None, bool]]:
    """Start, count over all categories and completeness of each step; None where nothing is in."""
    found: dict[str, list] = {}
    for row in rows.to_pylist():
        one = found.setdefault(row["start"], [None, row["complete"]])
        if row["count"] is not None:
            one[0] = (one[0] or 0) + row["count"]
    return [(start, count, complete) for start, (count, complete) in found.items()]


def week_picture(release: Release, selection: Selection, scope: Scope, now: datetime) -> tuple[WeekFrame, Head]:
    """Weekday by hour of a Selection."""
    answer = profile(release, selection, scope)
    missing = answer.meta["state"] == "missing"
    counted = np.zeros((7, 24), dtype=np.int64) if missing else answer.rows["count"].to_numpy().reshape(7, 24)
    if missing:
        finding = say("所选时段没有任何上报。")
    else:
        finding = _peak(counted) if counted.sum() else say("所选范围没有钟点明确的事件。")
    head = head_of(release, selection, answer.meta, say("时段 × 星期"), finding, now, _rule())
    return WeekFrame(counted, missing), head


def _peak(counted: np.ndarray) -> str:
    """The three hours in a row and the weekday that hold most."""
    hours, days = counted.sum(axis=0), counted.sum(axis=1)
    three = hours[:-2] + hours[1:-1] + hours[2:]
    start = int(np.argmax(three))
    share = three[start] * 100 / counted.sum()
    return say("共{n:,}起钟点明确；高峰{a}—{b}时，占{share:.0f}%；{day}最多，{k:,}起。", n=int(counted.sum()), a=start, b=start + 2,
               share=share, day=say("周" + "一二三四五六日"[int(np.argmax(days))]), k=int(days.max()))  # fmt: skip


def categories_picture(release: Release, selection: Selection, scope: Scope, now: datetime) -> tuple[BarFrame, Head]:
    """Counts of every counted category, most first."""
    found = changes(release, selection, scope)
    rows = sorted(found.categories.items(), key=lambda item: -(item[1].now or 0))
    bars = tuple(
        _bar(selection, say(name), f"cat-{CATEGORIES.index(name)}", change.now, change.before, change.difference, change.p,
             change.verdict)
        for name, change in rows
    )  # fmt: skip
    whole = whole_finding(release, selection, scope)
    meta = common_meta(release, selection, scope)
    head = head_of(release, selection, meta, say("各类别起数"), whole.text, now, _rule(), whole.notes)
    return BarFrame(bars, _unit(selection), len(bars)), head


def ranking_level(release: Release, selection: Selection) -> str:
    """The widest level under the selected area that has units; the narrowest one where nothing is under it."""
    under = -1 if selection.area is None else UNIT_LEVELS.index(release.units.find(selection.area).level)
    found = [one for one in INCIDENT_LEVELS if UNIT_LEVELS.index(one) > under and len(release.units.level(one))]
    return found[0] if found else INCIDENT_LEVELS[-1]


def ranking_picture(
    release: Release, selection: Selection, scope: Scope, now: datetime, level: str | None = None
) -> tuple[BarFrame, Head]:
    """The areas of a level by count, most first; ``level`` None is the next one under the selected area."""
    if selection.area is not None:
        release.units.allowed(selection.area, scope)
    level = level or ranking_level(release, selection)
    answer = counts(release, selection, scope, level)
    rows = sorted(answer.rows.to_pylist(), key=lambda r: (r["count"] is None, -(r["count"] or 0), r["code"]))
    bars = []
    for row in rows[:RANKED]:
        strong = row["verdict"] not in (None, NORMAL, NOT_COMPARABLE)
        bars.append(_bar(selection, row["name"], "accent" if strong else "count-3", row["count"], row["before"],
                         row["difference"], row["p"], row["verdict"]))  # fmt: skip
    whole = whole_finding(release, selection, scope)
    finding, notes = whole.text, whole.notes
    flagged = sum(row["verdict"] not in (None, NORMAL, NOT_COMPARABLE) for row in rows)
    if whole.known and selection.compare_window is not None and rows:
        name = say(LEVEL_NAMES[level])
        finding += (
            say("{n}个{level}超出正常波动。", n=flagged, level=name)
            if flagged
            else say("没有一个{level}超出正常波动。", level=name)
        )
    silent = sum(row["count"] is None for row in rows)
    notes += (say("未报 {n} 个", n=silent),) if silent else ()
    head = head_of(release, selection, answer.meta, say("各{level}起数", level=say(LEVEL_NAMES[level])), finding, now, _rule(),
                   notes)  # fmt: skip
    return BarFrame(tuple(bars), _unit(selection), len(rows)), head


def _unit(selection: Selection) -> str:
    if selection.compare_window is None:
        return say("起")
    past = before_name((selection.start, selection.end), selection.compare)
    text = say("起 · 竖线为{past}", past=past)
    return text + (say("，按天数折算") if _by_day(selection) != 1.0 else "")


def _by_day(selection: Selection) -> float:
    """What a compared count is multiplied by beside a current one: 1 but for windows of unequal length."""
    before = selection.compare_window
    ratio = selection.days / (before[1] - before[0]).days if before else 1.0
    return ratio if abs(ratio - 1) > UNEQUAL else 1.0


def _bar(selection: Selection, name: str, colour: str, count, before, difference, p, verdict) -> Bar:
    scaled = None if before is None else before * _by_day(selection)
    text = NOTHING if difference is None or _by_day(selection) != 1.0 else signed(difference)
    return Bar(name, count, scaled, whole(count), text, p_text(p).removeprefix("p").removeprefix("="), verdict, colour)
