"""Sentences from templates, each with its evidence: counts, difference, test, verdict. Nothing is said that the numbers do not
carry: zero bases have no percent, missing reports no comparison, 正常波动 no trend.
"""

from __future__ import annotations

from dashboard.components.words import NOTHING, p_text, signed, whole
from dashboard.reports.model import Cell, Finding
from data.store.changes import Change
from geo.change import CLEAR_FALL, CLEAR_RISE, FALL, MARKS, NORMAL, RISE, percent_text

TONES = {CLEAR_RISE: "bad", RISE: "warn", FALL: "good", CLEAR_FALL: "good"}
SMALL_BASE = 10  # under it a percent says little and is not told
_WEIGHTS = {CLEAR_RISE: 4.0, RISE: 3.0, CLEAR_FALL: 2.5, FALL: 2.0}


def change_words(change: Change, past: str, *, decimals: int = 1) -> str:
    """「12起，较上周+5起（+71.4%），E检验p=0.270，属正常波动」

    Parameters
    ----------
    past : str
        What the compared period is called: 上周, 去年同期.
    """
    if change.now is None:
        return "未报"
    now = f"{whole(change.now)}起"
    if change.before is None:
        return f"{now}，{past}未报，无法比较"
    if change.difference is None:
        return f"{now}，{past}{whole(change.before)}起，缺报较多或尚未齐，不作比较"
    base = change.now - change.difference if change.difference == change.now - change.before else None
    if change.before == 0 and base == 0:
        told = f"{now}，{past}为0，" + (f"增加{whole(change.now)}起" if change.now else "持平")
    else:
        share = percent_change(change, decimals)
        told = f"{now}，较{past}{signed(change.difference)}起" + (f"（{share}）" if share else "")
        if base is None:
            told += f"（只比两期都已上报的部分{_pair(change)}，{past}共{whole(change.before)}起）"
    return f"{told}，E检验{p_text(change.p)}，{verdict_words(change.verdict)}"


def _pair(change: Change) -> str:
    """The two counts that were compared, where they follow from difference and percent."""
    if not change.difference or not change.percent:
        return ""
    before = round(change.difference * 100 / change.percent)
    return f"：{whole(before + change.difference)}起对{whole(before)}起"


def uneven(found: list[Change]) -> str:
    """A note where differences are not those of the two counts beside them."""
    odd = any(one.difference is not None and one.difference != one.now - one.before for one in found)
    return "差只按两期都已上报、同样齐全的部分；" if odd else ""


def percent_change(change: Change, decimals: int = 1) -> str:
    """The change in percent; 基数小 under ``SMALL_BASE``, "" where nothing is told."""
    if change.percent is None or not change.before:
        return ""
    if change.before < SMALL_BASE:
        return "基数小"
    return percent_text(change.percent, 100, signed=True, decimals=decimals)


def verdict_words(word: str | None) -> str:
    """属正常波动, or the verdict itself."""
    return "" if word is None else "属正常波动" if word == NORMAL else word


def verdict_cell(word: str | None) -> Cell:
    """A verdict with its shape."""
    return Cell(NOTHING if word is None else f"{MARKS[word]} {word}", TONES.get(word, ""))


def p_cell(p: float | None) -> Cell:
    """A p, never on the other side of a threshold; — where nothing is tested."""
    return Cell(p_text(p).removeprefix("p").removeprefix("=") or NOTHING)


def change_cells(change: Change, decimals: int = 1, zero_word: str = "上期为0") -> tuple[Cell, Cell, Cell, Cell]:
    """本期, 上期, difference with percent (环比), verdict; ``zero_word`` says that there is no base."""
    if change.difference is None:
        told = NOTHING
    else:
        share = percent_change(change, decimals)
        zero = zero_word if change.before == 0 and change.now else ""
        told = f"{signed(change.difference)}" + (f"（{share or zero}）" if share or zero else "")
    return Cell(whole(change.now)), Cell(whole(change.before)), Cell(told), verdict_cell(change.verdict)


def change_finding(name: str, change: Change, past: str, *, decimals: int = 1, more: float = 0.0) -> Finding:
    """A sentence on one count, ranked by verdict, then by size."""
    weight = _WEIGHTS.get(change.verdict, 0.0) + min(abs(change.difference or 0) / 1000, 0.9) + more
    return Finding(f"{name}{change_words(change, past, decimals=decimals)}。", weight, TONES.get(change.verdict, ""))


def ranked(findings: list[Finding], most: int) -> tuple[Finding, ...]:
    """The most important first; equal ones stay in their order."""
    return tuple(sorted(findings, key=lambda one: -one.weight)[:most])


def names(words: list[str], most: int = 5) -> str:
    """Some names, and how many more."""
    shown = "、".join(words[:most])
    return shown + (f"等{len(words)}处" if len(words) > most else "")
