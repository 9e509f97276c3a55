"""What stands at the head of every exported file: the Selection, what it counts and where it comes from."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dashboard.components.words import LEVEL_NAMES, hours_text, listed, weekdays_text
from dashboard.language import say
from dashboard.measures import CLASSED, MEASURE_NAMES
from data.selection import Selection, Window
from data.store import Release
from data.store.exporting import EXPORTS, Export, meaning

SCOPE_NAMES = 20  # areas of a scope that are named one by one
# Parameters of a question that its meta repeats, in words.
STATED = {
    "level": LEVEL_NAMES,
    "step": {"day": "按日", "week": "按周", "month": "按月"},
    "method": {"kde": "核密度", **{name: MEASURE_NAMES[name] for name in CLASSED}, "repeat_places": "重复地点",
               "near_repeat": "近重复"},
}  # fmt: skip
_FILTERS = {"category": "类别", "hours": "钟点", "weekdays": "星期", "polygon": "多边形"}


class Fact(NamedTuple):
    """One line of the head: a name for programs, a name and a text for readers."""

    key: str
    name: str
    text: str


def facts_of(export: Export, release: Release, now: datetime) -> list[Fact]:
    """The head of an export, in the language in use.

    Parameters
    ----------
    now : datetime
        With a time zone; stated in the release's.
    """
    kind, meta, selection = EXPORTS[export.layer], export.meta, export.selection
    made = now.astimezone(ZoneInfo(release.info.timezone))
    facts = [
        Fact("title", say("标题"), release.info.title),
        Fact("notice", say("密级"), say("内部使用")),
        Fact("layer", say("内容"), " ".join([say(kind.title), *_stated(meta)])),
        Fact("selection", say("选择"), selection_words(release, selection)),
        Fact("compare", say("对比时段"), _span(selection.compare_window) if selection.compare_window else say("不比")),
        Fact("query", say("查询"), selection.to_query()),
        Fact("scope", say("授权范围"), scope_words(release, meta["scope"])),
        Fact("data_as_of", say("数据截至"), f"{release.info.data_as_of or '—'} {release.info.timezone}"),
        Fact("release", say("发布"), release.info.release_id),
        Fact("generated_at", say("生成时间"), made.isoformat(timespec="seconds")),
        Fact("rows", say("行数"), str(export.rows)),
        Fact("rule", say("计数口径"), say(kind.rule)),
    ]
    if release.info.synthetic:
        facts.insert(1, Fact("synthetic", say("数据性质"), say("合成数据，不是真实事件")))
    if notes := _not_counted(export.layer, meta):
        facts.append(Fact("notes", say("须知"), say("；").join(notes)))
    if export.layer == "hotspots":
        facts.append(Fact("parameters", say("参数"), json.dumps(meta["parameters"], ensure_ascii=False)))
    fields = ((name, meaning(export.layer, name)) for name in export.columns.names)
    text = "｜".join(f"{name} {say(words)}" for name, words in fields if words)
    return [*facts, Fact("fields", say("字段"), text)]


def file_name(layer: str, selection: Selection, release_id: str, ending: str) -> str:
    """``研判_counts_2026-11-09_2026-11-15_<release>.csv``: the last day is the window's own."""
    last = selection.end - timedelta(days=1)
    return f"研判_{layer}_{selection.start}_{last}_{release_id}.{ending}"


def selection_words(release: Release, selection: Selection) -> str:
    """A Selection in words: area, window, categories, hours, weekdays, polygon."""
    parts = [place_words(release, selection.area) if selection.area else say("全部授权范围")]
    parts.append(_span((selection.start, selection.end)))
    named = listed(say(name) for name in selection.categories)
    parts.append(named or say("全部类别（无效除外）"))
    if selection.hours is not None:
        parts.append(hours_text(selection.hours))
    if selection.weekdays:
        parts.append(weekdays_text(selection.weekdays))
    if selection.polygon:
        parts.append(say("所圈多边形之内"))
    return say("；").join(parts)


def scope_words(release: Release, areas: list[str] | str) -> str:
    """The scope an answer states, in words."""
    if areas == "all":
        return say("全部")
    named = [place_words(release, code) for code in areas[:SCOPE_NAMES]]
    more = [say("等{n}个区域", n=len(areas))] if len(areas) > SCOPE_NAMES else []
    return listed(named + more) or say("无")


def place_words(release: Release, code: str) -> str:
    """Name and code of a unit; the code alone where this release has no such unit, or no name."""
    place = release.units.find(code)
    if place is None:
        return code
    name = release.units.level(place.level).names[place.position]
    return code if name == code else f"{name}（{code}）"


def _span(window: Window) -> str:
    start, end = window
    days = (end - start).days
    return say("{first} 至 {last}（{n}天）", first=start, last=end - timedelta(days=1), n=days)


def _stated(meta: dict) -> list[str]:
    return [say(words[meta[name]]) for name, words in STATED.items() if meta.get(name) in words]


def _not_counted(layer: str, meta: dict) -> list[str]:
    """What the Selection holds and the rows do not, or cannot, show; what a method remarks."""
    if layer == "disputes":
        return of_disputes(meta)
    notes = []
    if meta.get("unknown"):
        notes.append(say("钟点或星期不明 {n} 起", n=meta["unknown"]))
    if meta.get("unplaced"):
        text = "未落入任何{level} {n} 起" if "level" in meta else "没有坐标 {n} 起（在明细中，不在地图上）"
        notes.append(say(text, n=meta["unplaced"], level=say(LEVEL_NAMES.get(meta.get("level"), ""))))
    if meta.get("coarser"):
        notes.append(say("按月来源 {names}", names=listed(meta["coarser"])))
    if meta.get("cut"):
        notes.append(say("只列前 {n} 个，共 {m} 个", n=meta["returned"], m=meta["matched"]))
    return notes + [say(part) for part in meta.get("note", "").split("；") if part]


def of_disputes(meta: dict) -> list[str]:
    """Which periods the rows are of, and which filters they do not know."""
    notes = []
    if meta.get("period"):
        notes.append(
            say(
                "统计期 {a} 至 {b}（不含），来源 {name}",
                a=meta["period"]["from"],
                b=meta["period"]["to"],
                name=meta["source"],
            )
        )
    if meta.get("coarser"):
        notes.append(say("时段短于统计期，以最近一期代替"))
    if meta.get("ignored"):
        notes.append(say("不适用的筛选：{names}", names=listed(say(_FILTERS[name]) for name in meta["ignored"])))
    return notes
