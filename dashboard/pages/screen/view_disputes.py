"""Disputes: the funnel and the three rates, each with its formula."""

from __future__ import annotations

from dashboard.components import html
from dashboard.components.bar import bar
from dashboard.components.card import empty
from dashboard.components.words import DISPUTE_STAGES, share_text, signed, whole, window_text
from dashboard.language import say
from data.selection import parse_period

_KINDS = 6
_FORMULAS = {"handled_pct": "调处÷排查", "accepted_success_pct": "成功÷受理", "handled_success_pct": "成功÷调处"}


def caption(meta: dict) -> str:
    """Unit and period: disputes are reported by period, which need not be the window."""
    if not meta["sources"]:
        return ""
    period = meta["period"]
    return say("件 · {period}", period=window_text(parse_period(f"{period['from']}..{period['to']}")))


def disputes(meta: dict) -> html.Element:
    """Funnel and rates."""
    if not meta["sources"]:
        return empty(say("本发布没有纠纷来源。"))
    if meta["total"] is None:
        return empty(say("这一时段没有任何上报，全部未报。"))
    counts = meta["funnel"]
    most = max((n for n in counts.values() if n is not None), default=0) or 1
    stages = [
        html.Div(
            [html.Span(say(name), className="name"),
             html.Span(className="bar") if counts[stage] is None else bar(counts[stage], None, most, f"stage-{i}"),
             html.Span(say("未提供") if counts[stage] is None else whole(counts[stage]),
                       className="number" + (" none" if counts[stage] is None else ""))],
            className="stage-row",
        )
        for i, (stage, name) in enumerate(DISPUTE_STAGES.items())
    ]  # fmt: skip
    rates = [
        html.Div(
            [html.Div([html.Div(say(rate["name"])), html.Div(say(_FORMULAS[rate["key"]]), className="caption")]),
             html.Strong(share_text(rate["numerator"], rate["denominator"]))],
            className="rate",
        )
        for rate in meta["rates"] if rate["denominator"] is not None
    ]  # fmt: skip
    missing = meta["periods_missing"]
    note = html.P(say("缺{n}个上报期", n=f"{missing:,}"), className="note missing") if missing else None
    return html.Div([html.Div(stages, className="funnel"), html.Div(rates, className="rates") if rates else None, note,
                     _kinds(meta["categories"])], className="dispute-body")  # fmt: skip


def _kinds(categories: list[dict]) -> html.Element | None:
    """Kinds by number found, for walls with room."""
    found = [one for one in categories if one["found"]][:_KINDS]
    if not found:
        return None
    most = max(max(one["found"], one["before"] or 0) for one in found)
    rows = [
        html.Div(
            [html.Span(one["category"], className="name", title=one["category"]),
             bar(one["found"], one["before"], most, ""), html.Span(whole(one["found"]), className="number"),
             html.Span("" if one["before"] is None else signed(one["found"] - one["before"]), className="change")],
            className="stage-row kind",
        )
        for one in found
    ]  # fmt: skip
    return html.Div(rows, className="kinds wide-only")
