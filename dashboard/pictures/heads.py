"""Title, finding, selection and foot of a picture, in the language in use."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dashboard.compared import daily_words, percent_words, unequal
from dashboard.components.words import (
    LEVEL_NAMES,
    before_name,
    listed,
    p_text,
    period_name,
    signed,
    whole,
    window_text,
)
from dashboard.exports.facts import selection_words
from dashboard.language import say
from dashboard.pictures.page import Head
from data.selection import Selection
from data.store import Release, Scope
from data.store.changes import Change, changes
from geo.change import MARKS


def head_of(
    release: Release, selection: Selection, meta: dict, what: str, finding: str, now: datetime, rule: str,
    notes: tuple[str, ...] = (),
) -> Head:  # fmt: skip
    """What stands around a picture.

    Parameters
    ----------
    meta : dict
        Of the answer that is drawn.
    what : str
        What is shown.
    now : datetime
        With a time zone; stated in the release's.
    rule : str
        How it counts.
    notes : tuple of str
        What is not drawn, or has to be known.
    """
    window = (selection.start, selection.end)
    title = f"{place_name(release, selection)}　{what} · {period_name(window)}"
    words = selection_words(release, selection)
    if selection.compare_window is not None:
        past = before_name(window, selection.compare)
        words += say("；") + say(
            "对比{past}（{window}）", past=past, window=window_text(selection.compare_window, year=True)
        )
    tags = ((say("合成数据"),) if release.info.synthetic else ()) + (say("内部使用"),)
    return Head(title, finding, words, foot(release, selection, meta, now, rule, notes), tags)


def place_name(release: Release, selection: Selection) -> str:
    """The selected area's name, or the release's title."""
    place = None if selection.area is None else release.units.find(selection.area)
    return release.info.title if place is None else release.units.level(place.level).names[place.position]


def foot(
    release: Release, selection: Selection, meta: dict, now: datetime, rule: str, notes: tuple[str, ...] = ()
) -> str:
    """Window, what is not drawn, counting rule, data-as-of, release, when it was made."""
    parts = [window_text((selection.start, selection.end), year=True)]
    if meta.get("unplaced"):
        level = say(LEVEL_NAMES[meta["level"]])
        parts.append(say("未落入任何{level} {n} 起，不在其中", level=level, n=f"{meta['unplaced']:,}"))
    if meta.get("unknown"):
        parts.append(say("钟点不明 {n} 起，不在其中", n=f"{meta['unknown']:,}"))
    if meta.get("coarser"):
        parts.append(say("按月来源未计入：{names}", names=listed(meta["coarser"])))
    parts += [note for note in notes if note]
    as_of = (release.info.data_as_of or "—").replace("T", " ")[:16]
    made = now.astimezone(ZoneInfo(release.info.timezone))
    parts += [
        rule,
        say("数据截至 {t}", t=as_of),
        say("发布 {id}", id=release.info.release_id),
        say("生成于 {t}", t=made.strftime("%Y-%m-%d %H:%M")),
        say("内部使用"),
    ]
    return " · ".join(parts)


class Finding(NamedTuple):
    """A sentence, notes for the foot, and whether anything was reported at all."""

    text: str
    notes: tuple[str, ...]
    known: bool


def whole_finding(release: Release, selection: Selection, scope: Scope) -> Finding:
    """The whole of a Selection in one sentence: count, the one before, difference, verdict."""
    total = changes(release, selection, scope).total
    if total.now is None:
        return Finding(say("所选时段没有任何上报。"), (), False)
    uneven = total.difference is not None and total.difference != total.now - total.before
    notes = (say("差只按两期都已上报、同样齐全的部分"),) if uneven else ()
    return Finding(change_sentence(total, selection), notes, True)


def change_sentence(change: Change, selection: Selection) -> str:
    """Count, compared count, difference with its test, verdict."""
    now = say("共{n}起", n=whole(change.now))
    if selection.compare_window is None:
        return now + say("。")
    past = before_name((selection.start, selection.end), selection.compare)
    if change.before is None:
        return now + say("；{past}未报，无法比较。", past=past)
    parts = [now, say("{past}{n}起", past=past, n=whole(change.before))]
    if change.difference is None:
        return say("，").join(parts) + say("；缺报较多或尚未齐，不作比较。")
    told, share = signed(change.difference), percent_words(change) if change.before else ""
    if unequal(selection):
        told, share = daily_words(change, selection), ""
    inside = say("，").join(part for part in (share, p_text(change.p)) if part)
    parts.append(told + (say("（{words}）", words=inside) if inside else ""))
    if change.verdict:
        parts.append(f"{MARKS[change.verdict]} {say(change.verdict)}")
    return say("，").join(parts) + say("。")
