"""A pack from a question: its sections in their order, and what the cover must say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from dashboard.components.words import window_text
from dashboard.reports.asked import Asked
from dashboard.reports.model import SECTIONS, Pack, Section
from dashboard.reports.sections.change import change
from dashboard.reports.sections.decided import advice, decisions, last
from dashboard.reports.sections.disputes import disputes
from dashboard.reports.sections.hotspots import hotspots, scorecard
from dashboard.reports.sections.hours import hours
from dashboard.reports.sections.overall import overall
from dashboard.reports.sections.reporting import quality, reporting
from dashboard.reports.sections.video import video
from dashboard.reports.suppress import suppressed
from data.app_db import Item
from data.store.returns import MISSING, returns

_MAKERS: dict[str, Callable[[Asked], Section]] = {
    "last": last,
    "overall": overall,
    "change": change,
    "hotspots": hotspots,
    "hours": hours,
    "disputes": disputes,
    "video": video,
    "reporting": reporting,
    "quality": quality,
    "scorecard": scorecard,
    "advice": advice,
}


def section(at: Asked, key: str, made: Sequence[Item] = (), comment: str = "") -> Section:
    """One section.

    Parameters
    ----------
    made : sequence of Item
        What this meeting has decided.
    comment : str
        What people have written to it.
    """
    found = decisions(at, list(made)) if key == "decisions" else _MAKERS[key](at)
    return replace(found, comment=comment)


def make_pack(
    at: Asked, *, order: Sequence[str] = tuple(SECTIONS), comments: Mapping[str, str] | None = None, made: Sequence[Item] = (),
    circulated_under: int | None = None, units: Sequence[str] = (), signed: str = "",
    told: Callable[[str, float], None] = lambda stage, share: None,
) -> Pack:  # fmt: skip
    """The whole pack.

    Parameters
    ----------
    order : sequence of str
        Sections to show, in their order.
    circulated_under : int or None
        Counts from 1 to below this are hidden in an edition for circulation; None is the edition for inside.
    units, signed : units that signed in, and the one that signed off.
    told : callable
        Hears the stage and the share done.
    """
    found = []
    for i, key in enumerate(order):
        told(SECTIONS[key], i / len(order))
        found.append(section(at, key, made, (comments or {}).get(key, "")))
    as_of = (at.release.info.data_as_of or "—").replace("T", " ")[:16]
    pack = Pack(
        at.meeting, at.place, at.period_words(), window_text(at.window, year=True), window_text(at.before, year=True), "全部类别（无效除外）",
        as_of, at.release.info.release_id, warnings(at), tuple(found), circulated_under is not None, at.release.info.synthetic, tuple(units), signed,
    )  # fmt: skip
    return pack if circulated_under is None else suppressed(pack, circulated_under)


def warnings(at: Asked) -> tuple[str, ...]:
    """What the first page says beside 数据截至: late and missing data are stated, never passed over."""
    told = ["本材料由合成数据生成，不是真实事件。"] if at.release.info.synthetic else []
    as_of = at.release.data_as_of
    if as_of is not None and as_of.date() < at.window[1]:
        told.append(f"数据截至早于本期结束，本期未齐：数据截至 {as_of:%Y-%m-%d %H:%M}，本期到 {at.window[1]}（不含）。")
    silent = [one.source_id for one in at.release.info.sources if one.silent]
    if silent:
        told.append(f"停报的来源：{'、'.join(silent)}。")
    missing = [one for one in returns(at.release, at.selection, at.scope) if one.state == MISSING]
    if missing:
        told.append(f"本期有{len(missing)}个单位期未报，见“上报情况”；未报不是零。")
    return tuple(told)
