"""The number of the selection with its change and verdict."""

from __future__ import annotations

from dashboard.compared import daily_words, percent_words, unequal
from dashboard.components import html
from dashboard.components.verdict import chip
from dashboard.components.words import MISSING, before_name, p_text, signed, whole
from dashboard.language import say
from dashboard.pages.workbench.state import PageState
from data.selection import Selection
from data.store.changes import Change


def headline(name: str, state: PageState, change: Change) -> list:
    """The number of the selection with its change and verdict."""
    selection = state.selection
    past = before_name((selection.start, selection.end), selection.compare)
    head = html.Div([html.H2(name, title=name), chip(change.verdict)], className="headline-head")
    if change.now is None:
        number = html.Div([html.Span(say(MISSING), className="hero missing"), html.Span(say("没有任何上报，不按0计"))])
        return [head, html.Div(number, className="headline-row")]
    number = html.Div(
        [html.Span(whole(change.now), className="hero"), html.Span(f" {say('起', n=change.now)}", className="unit")]
    )
    notes = []
    if change.periods_missing:
        notes.append(say("本期缺{n}个上报期", n=f"{change.periods_missing:,}"))
    row = [number]
    if selection.compare != "none":
        row.append(html.Div(_difference(change, past, selection), className="delta"))
        if change.before is not None:
            notes.insert(0, say("{past}{n}起", past=past, n=whole(change.before)))
            if change.difference is not None and change.difference != change.now - change.before:
                notes.append(say("差只按两期都已上报、同样齐全的部分"))
    foot = html.Div(" · ".join(notes), className="caption") if notes else None
    return [head, html.Div(row, className="headline-row"), foot]


def _difference(change: Change, past: str, selection: Selection) -> list:
    if change.before is None:
        return [html.Span(say("{past}未报，无法比较", past=past), className="caption")]
    if change.difference is None:
        return [html.Span(say("未结束、未齐或缺报较多，不作比较"), className="caption")]
    p = html.Span(p_text(change.p), className="p")
    if unequal(selection):
        return [html.Span(daily_words(change, selection), className="t1"), p]
    if change.before == 0:
        text = say("{past}为0，增加{n}起", past=past, n=whole(change.difference))
        return [html.Span(text if change.difference else say("{past}也为0", past=past), className="t1"), p]
    return [html.Strong(signed(change.difference)), html.Span(percent_words(change)), p]
