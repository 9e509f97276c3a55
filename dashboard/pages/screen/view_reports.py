"""上报率: which unit-periods of the window are in."""

from __future__ import annotations

from dashboard.components import html
from dashboard.components.words import listed, share_text
from dashboard.language import say
from dashboard.pages.screen.looked_at import LookedAt
from data.store import counts

_SQUARES, _NAMED = 36, 2


def reports(at: LookedAt) -> html.Element | None:
    """The share of units that have reported, each unit a square, and who has not."""
    level = at.level("street", "district")
    if level is None or not at.release.reports.source_ids:
        return None
    rows = counts(at.release, at.selection, at.scope, level).rows.to_pylist()
    missing = [row for row in rows if row["state"] == "missing"]
    partly = [row for row in rows if row["state"] != "missing" and row["periods_missing"]]
    zero = [row for row in rows if row["state"] == "zero"]
    told = len(rows) - len(missing)
    share = html.Div([html.Div(say("警情上报率"), className="caption"), html.Strong(share_text(told, len(rows)))])
    words = [html.Span(say("未报 {n}", n=len(missing)), className="missing"), " ",
             listed(row["name"] for row in missing[:_NAMED])] if missing else [say("没有未报")]  # fmt: skip
    gaps = [say("缺期 {n}", n=len(partly))] if partly else []
    rest = " · ".join([say("零报 {n}", n=len(zero)), *gaps, say("已报 {n}", n=told)])
    squares = None
    if len(rows) <= _SQUARES:
        squares = html.Div([html.Span(className=f"square {_state(row)}", title=row["name"]) for row in rows],
                           className="squares")  # fmt: skip
    return html.Div([share, squares, html.Div([html.Div(words), html.Div(rest, className="caption")])],
                    className="reports")  # fmt: skip


def _state(row: dict) -> str:
    return "partly" if row["state"] != "missing" and row["periods_missing"] else row["state"]
