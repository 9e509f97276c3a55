"""Verdicts as shape and word; colour comes third."""

from __future__ import annotations

from dashboard.components import html
from dashboard.language import say
from geo.change import CLEAR_FALL, CLEAR_RISE, FALL, MARKS, NORMAL, NOT_COMPARABLE, RISE

TONES = {CLEAR_RISE: "bad", RISE: "warn", NORMAL: "calm", FALL: "good", CLEAR_FALL: "good", NOT_COMPARABLE: "none"}
SHORT = {CLEAR_RISE: "上升", RISE: "关注", NORMAL: "正常", FALL: "略降", CLEAR_FALL: "下降", NOT_COMPARABLE: "不比"}
ORDER = tuple(MARKS)


def chip(word: str | None) -> html.Element | None:
    """The verdict with its word; only one that is not 正常波动 is filled. None where nothing is compared."""
    if word is None:
        return None
    return html.Span([html.Span(MARKS[word], className="mark", **{"aria-hidden": "true"}), say(word)],
                     className=f"verdict {TONES[word]}")  # fmt: skip


def short_chip(word: str | None) -> html.Element | None:
    """The same in two characters, for rows."""
    if word is None:
        return None
    return html.Span([html.Span(MARKS[word], className="mark", **{"aria-hidden": "true"}), say(SHORT[word])],
                     className=f"verdict {TONES[word]}", title=say(word))  # fmt: skip


def mark(word: str | None) -> html.Element:
    """The shape alone, with its word for those who cannot see it."""
    if word is None:
        return html.Span(className="mark")
    return html.Span(
        MARKS[word], className=f"mark {TONES[word]}", title=say(word), role="img", **{"aria-label": say(word)}
    )
