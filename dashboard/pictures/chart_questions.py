"""From a Selection to a chart: what the Store answers, and its finding in words."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from dashboard.compared import scaled, unequal, unit_words
from dashboard.components.words import LEVEL_NAMES, NOTHING, WEEKDAYS, before_name, now_name, p_text, signed, whole
from dashboard.language import say
from dashboard.peak_hours import peak_words, week_table
from dashboard.pictures.chart_frames import Bar, BarFrame, TrendFrame, WeekFrame
from dashboard.pictures.heads import head_of, whole_finding
from dashboard.pictures.page import Head
from dashboard.trend_steps import trend_steps
from data.index import INCIDENT_LEVELS, UNIT_LEVELS
from data.schema import CATEGORIES
from data.selection import Selection
from data.store import Release, Scope, counts, profile
from data.store.changes import changes
from data.store.filters import common_meta
from geo.change import NORMAL, NOT_COMPARABLE

RANKED = 15
_STEP_TITLES = {"day": "每日起数", "week": "每周起数", "month": "每月起数"}


def _rule() -> str:
    return say("按发生时间计，含起始日、不含结束日")


def trend_picture(
    release: Release, selection: Selection, scope: Scope, now: datetime, step: str = "day"
) -> tuple[TrendFrame, Head]:
    """The trend of a Selection by ``day``, ``week`` or ``month``."""
    found = trend_steps(release, selection, scope, step)
    whole = whole_finding(release, selection, scope)
    finding = whole.text
    outside = [one for one in found.steps if one.outside]
    if outside:
        finding += say("{n}步越出控制带，最近一次是{day}。", n=len(outside), day=outside[-1].start.isoformat())
    elif whole.known and any(one.upper is not None for one in found.steps):
        finding += say("没有一步越出控制带。")
    window = (selection.start, selection.end)
    head = head_of(release, selection, found.meta, say(_STEP_TITLES[step]), finding, now, _rule(), whole.notes)
    past = None if selection.compare == "none" else before_name(window, selection.compare)
    return TrendFrame(tuple(found.steps), step, now_name(window), past), head


def week_picture(release: Release, selection: Selection, scope: Scope, now: datetime) -> tuple[WeekFrame, Head]:
    """Weekday by hour of a Selection."""
    answer = profile(release, selection, scope)
    missing = answer.meta["state"] == "missing"
    counted = week_table(answer)
    if missing:
        finding = say("所选时段没有任何上报。")
    else:
        finding = _peak(counted) if counted.sum() else say("所选范围没有钟点明确的事件。")
    head = head_of(release, selection, answer.meta, say("时段 × 星期"), finding, now, _rule())
    return WeekFrame(counted, missing), head


def _peak(counted: np.ndarray) -> str:
    """How many, the hours and the weekday that hold most."""
    days = counted.sum(axis=1)
    return say("共{n:,}起钟点明确；{peak}；{day}最多，{k:,}起。", n=int(counted.sum()), peak=peak_words(counted),
               day=say("周{days}", days=say(WEEKDAYS[int(np.argmax(days))])), k=int(days.max()))  # fmt: skip


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
    return BarFrame(bars, unit_words(selection), len(bars)), head


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
    return BarFrame(tuple(bars), unit_words(selection), len(rows)), head


def _bar(selection: Selection, name: str, colour: str, count, before, difference, p, verdict) -> Bar:
    text = NOTHING if difference is None or unequal(selection) else signed(difference)
    short_p = p_text(p).removeprefix("p").removeprefix("=")
    return Bar(name, count, scaled(before, selection), whole(count), text, short_p, verdict, colour)
