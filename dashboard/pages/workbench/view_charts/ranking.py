"""The areas of the next level, ranked."""

from __future__ import annotations

from dashboard.compared import scaled
from dashboard.components import html
from dashboard.components.bar import bar
from dashboard.components.card import card, empty
from dashboard.components.link import link
from dashboard.components.verdict import mark
from dashboard.components.words import LEVEL_NAMES, whole
from dashboard.language import say
from dashboard.pages.workbench.state import PageState
from dashboard.pages.workbench.view_charts.bars import change_text, longest
from geo.change import NORMAL, NOT_COMPARABLE

RANKED = 8
COUNT, RISE = "count", "rise"  # what the ranking is sorted by; charts.js shows one of the two lists
_SORTS = ((COUNT, "起数"), (RISE, "升幅"))


def ranking(state: PageState, level: str | None, rows: list[dict], parent: str) -> html.Element:
    """The areas of the next level by count and by rise, the compared window as a tick; a click drills.

    Parameters
    ----------
    rows : list of dict
        ``code, name, count, before, difference, verdict`` of every area of the level.
    parent : str
        Name of the selected area, left out where names repeat it.
    """
    if level is None:
        return card(say("下级排名"), "", empty(say("已是最小单元，没有下级。")))
    title = say("{level}排名", level=say(LEVEL_NAMES[level]))
    if not rows:
        return card(title, "", empty(say("所选区域没有{level}。", level=say(LEVEL_NAMES[level]))))
    order = sorted(rows, key=lambda r: (r["count"] is None, -(r["count"] or 0), r["code"]))
    missing = sum(r["count"] is None for r in rows)
    caption = say("起 · 前{n} / 共{all}", n=min(RANKED, len(rows)), all=f"{len(rows):,}")
    caption += " · " + say("未报{n}", n=f"{missing:,}") if missing else ""
    body = [_list(state, order[:RANKED], COUNT, parent)]
    if state.selection.compare != "none":
        rising = sorted(rows, key=lambda r: (_rise(r, state) is None, -(_rise(r, state) or 0), r["code"]))
        body = [_switch(), *body, _list(state, rising[:RANKED], RISE, parent)]
    return card(title, caption, body, className="ranking")


def _rise(row: dict, state: PageState) -> float | None:
    """How many more than before, days evened out; None where nothing is compared."""
    if row["difference"] is None or row["count"] is None or row["before"] is None:
        return None
    even = scaled(row["before"], state.selection)
    return row["difference"] if even == row["before"] else row["count"] - even


def _switch() -> html.Element:
    buttons = [html.Button(say(name), type="button", **{"data-rank": sort}) for sort, name in _SORTS]
    return html.Div(buttons, className="segment small sorts", role="group", **{"aria-label": say("排序")})


def _list(state: PageState, shown: list[dict], sort: str, parent: str) -> html.Element:
    top = longest([(r["count"], r["before"]) for r in shown], state.selection)
    return html.Ol([_row(state, i, r, top, parent) for i, r in enumerate(shown, 1)], className=f"bars ranks by-{sort}")


def _row(state: PageState, number: int, row: dict, top: float, parent: str) -> html.Element:
    word = row["verdict"]
    strong = word not in (None, NORMAL, NOT_COMPARABLE)
    content = [
        html.Span(number, className="rank"),
        html.Span(row["name"].removeprefix(parent) or row["name"], className="name", title=row["name"]),
        bar(row["count"], scaled(row["before"], state.selection), top, "strong" if strong else ""),
        html.Span(whole(row["count"]), className="number"),
        html.Span(change_text(state, row["difference"]), className="change"),
        mark(word),
    ]
    enter = link(content, state.href(area=row["code"]), className="bar-row", title=say("进入{name}", name=row["name"]))
    return html.Li(enter)
