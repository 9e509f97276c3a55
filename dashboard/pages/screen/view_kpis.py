"""The cards of numbers: all valid events, then the categories."""

from __future__ import annotations

from dashboard.compared import percent_words
from dashboard.components import html
from dashboard.components.verdict import chip, short_chip
from dashboard.components.words import p_text, signed, whole
from dashboard.language import current, say
from dashboard.pages.screen.looked_at import LookedAt
from data.store.changes import Change, Changes

_EVERYWHERE = 4  # cards on every wall; the others only on wide ones


def kpis(at: LookedAt, found: Changes, names: list[str]) -> html.Element:
    """The hero and the categories."""
    cards = [_card(say("有效警情"), found.total, at, "hero-card")]
    for number, name in enumerate(names):
        if (change := found.categories.get(name)) is not None:
            cards.append(_card(say(name), change, at, "" if number < _EVERYWHERE else "wide-only"))
    return html.Div(cards, className="kpis")


def _card(name: str, change: Change, at: LookedAt, extra: str) -> html.Element:
    hero = extra == "hero-card"
    number = [html.Span(whole(change.now), className="count" + (" missing" if change.now is None else ""))]
    if hero and change.now is not None:
        number.append(html.Span(say("起", n=change.now), className="unit"))
    return html.Div(
        [
            html.Div([html.Span(name, className="label"), _chip(change.verdict, hero)], className="card-line"),
            html.Div(number, className="card-number"),
            html.Div(_against(change, at, hero), className="card-line against"),
        ],
        className=f"kpi {extra}".strip(),
    )


def _chip(word: str | None, hero: bool) -> html.Element | None:
    """The verdict; in two syllables where a small card has no room for more."""
    return chip(word) if hero or current() == "zh" else short_chip(word)


def _against(change: Change, at: LookedAt, hero: bool) -> list:
    if at.selection.compare == "none":
        return []
    if change.before is None:
        return [html.Span(say("{past}未报", past=at.past), className="caption")]
    past = html.Span(say("{past} {n}", past=at.past, n=whole(change.before)), className="caption past")
    if change.difference is None:
        return [html.Span(say("不作比较"), className="caption"), past]
    if change.before == 0:
        words = say("{past}为0", past=at.past)
        return [html.Strong(signed(change.difference)), html.Span(words, className="percent"),
                html.Span(p_text(change.p), className="p")]  # fmt: skip
    return [html.Strong(signed(change.difference)), html.Span(percent_words(change), className="percent"),
            past if hero else None, html.Span(p_text(change.p), className="p")]  # fmt: skip
