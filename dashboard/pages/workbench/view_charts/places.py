"""Events by type of place."""

from __future__ import annotations

from dashboard.compared import scaled, unit_words
from dashboard.components import html
from dashboard.components.bar import bar
from dashboard.components.card import card, empty
from dashboard.components.words import whole
from dashboard.language import say
from dashboard.pages.workbench.state import PageState
from dashboard.pages.workbench.view_charts.bars import longest

SHOWN = 8


def places(state: PageState, rows: list[dict], meta: dict) -> html.Element:
    """Bars by type of place, the compared window as a tick.

    Parameters
    ----------
    rows, meta
        Of :func:`data.store.place_types.place_types`.
    """
    title = say("场所")
    if meta["state"] == "absent":
        return card(title, "", empty(say("来源未提供场所类型。")))
    if meta["state"] == "missing":
        return card(title, say("起"), empty(say("所选时段没有任何上报。")))
    shown = [row for row in rows if row["count"]][:SHOWN]
    unnamed = (
        html.P(say("另有{n}起没有场所类型。", n=f"{meta['unnamed']:,}"), className="note") if meta["unnamed"] else None
    )
    if not shown:
        return card(title, say("起"), [empty(say("所选范围没有带场所类型的事件。")), unnamed])
    top = longest([(row["count"], row["before"]) for row in shown], state.selection)
    bars = [
        html.Div(
            [
                html.Span(row["place_type"], className="name", title=row["place_type"]),
                bar(row["count"], scaled(row["before"], state.selection), top, ""),
                html.Span(whole(row["count"]), className="number"),
            ],
            className="bar-row",
        )
        for row in shown
    ]
    rest = sum(row["count"] > 0 for row in rows) - len(shown)
    caption = unit_words(state.selection) + (
        f" · {say('前{n} / 共{all}', n=len(shown), all=len(shown) + rest)}" if rest else ""
    )
    return card(title, caption, [html.Div(bars, className="bars plain"), unnamed])
