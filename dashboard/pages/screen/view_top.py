"""The ten areas with most events."""

from __future__ import annotations

from dashboard.compared import scaled
from dashboard.components import html
from dashboard.components.bar import bar
from dashboard.components.card import empty
from dashboard.components.verdict import short_chip
from dashboard.components.words import LEVEL_NAMES, signed, whole
from dashboard.language import say
from dashboard.pages.screen.looked_at import LookedAt
from data.store import counts
from geo.change import NORMAL, NOT_COMPARABLE

SHOWN = 10


def top(at: LookedAt) -> list | html.Element:
    """Rows of areas, most first; those without a report have no place among them."""
    level = at.level("community", "street", "district", "grid")
    if level is None:
        return empty(say("没有更小的区域。"))
    rows = counts(at.release, at.selection, at.scope, level).rows.to_pylist()
    known = sorted((row for row in rows if row["count"] is not None), key=lambda row: (-row["count"], row["code"]))
    if not known:
        return empty(say("所选时段没有任何上报。"))
    shown = known[:SHOWN]
    most = max(max(row["count"], scaled(row["before"], at.selection) or 0) for row in shown) or 1
    parents = _parents(at, level)
    head = html.Div(
        [html.Span(), html.Span(say(LEVEL_NAMES[level])), html.Span(), html.Span(say("起数"), className="number"),
         html.Span(say("较{past}", past=at.past), className="change"), html.Span(say("判定"), className="judged")],
        className="rank-row columns caption",
    )  # fmt: skip
    return [head, html.Ol([_row(at, number, row, most, parents) for number, row in enumerate(shown, 1)])]


def _row(at: LookedAt, number: int, row: dict, most: float, parents: dict[str, str]) -> html.Element:
    word = row["verdict"]
    strong = word not in (None, NORMAL, NOT_COMPARABLE)
    parent = parents.get(row["code"], "")
    name = row["name"].removeprefix(parent) or row["name"]
    return html.Li(
        [
            html.Span(number, className="rank"),
            html.Span([html.Span(name), html.Span(parent.removesuffix("街道"), className="parent")], className="name", title=row["name"]),
            bar(row["count"], scaled(row["before"], at.selection), most, "strong" if strong else ""),
            html.Span(whole(row["count"]), className="number"),
            html.Span(signed(row["difference"]), className="change"),
            html.Span(short_chip(word), className="judged"),
        ],
        className="rank-row", **{"data-area": row["code"]},
    )  # fmt: skip


def _parents(at: LookedAt, level: str) -> dict[str, str]:
    """Name of the next wider unit of each unit of a level, by code."""
    units = at.release.units.level(level)
    for wider in ("street", "district"):
        if wider != level and wider in units.above and len(above := at.release.units.level(wider)):
            return {code: above.names[i] for code, i in zip(units.codes, units.above[wider], strict=True) if i >= 0}
    return {}
