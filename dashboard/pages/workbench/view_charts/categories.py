"""Bars by category."""

from __future__ import annotations

from dashboard.compared import scaled, unit_words
from dashboard.components import html
from dashboard.components.bar import bar
from dashboard.components.card import card, empty
from dashboard.components.link import link
from dashboard.components.verdict import mark
from dashboard.components.words import whole
from dashboard.language import say
from dashboard.pages.workbench.state import PageState
from dashboard.pages.workbench.view_charts.bars import change_text, longest
from data.schema import CATEGORIES
from data.store.changes import Change


def categories(state: PageState, rows: dict[str, Change]) -> html.Element:
    """Bars by category, the compared window as a tick; a click keeps one category, a second one brings all back."""
    caption = unit_words(state.selection)
    known = [(c.now, c.before) for c in rows.values() if c.now is not None]
    if not known:
        return card(say("类别"), caption, empty(say("所选时段没有任何上报。")))
    top = longest(known, state.selection)
    order = sorted(rows.items(), key=lambda item: -(item[1].now or 0))
    body = [_row(state, name, change, top) for name, change in order]
    return card(say("类别"), caption, html.Div(body, className="bars by-category"))


def _row(state: PageState, name: str, change: Change, top: float) -> html.Element:
    only = state.selection.categories == (name,)
    return link(
        [
            html.Span(say(name), className="name"),
            bar(change.now, scaled(change.before, state.selection), top, f"cat-{CATEGORIES.index(name)}"),
            html.Span(whole(change.now), className="number"),
            html.Span(change_text(state, change.difference), className="change"),
            mark(change.verdict),
        ],
        state.href(categories=() if only else (name,)),
        className="bar-row" + (" only" if only else ""),
        title=say("回到全部类别") if only else say("只看{name}", name=say(name)),
        **{"data-category": name},
    )
