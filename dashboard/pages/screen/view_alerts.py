"""The strip of alerts: what was found at publication, worst first."""

from __future__ import annotations

from dashboard.alert_words import alert_words
from dashboard.components import html
from dashboard.language import say
from data.store.alerts import Alert

MARKS = {"high": ("▲", "bad"), "medium": ("◆", "warn"), "low": ("○", "calm")}


def strip(found: list[Alert]) -> html.Element:
    """Every alert as a line; the page shows as many at a time as there is room for."""
    count = html.Strong(len(found), className="alert-count")
    head = html.Div([say("预警"), " ", count, html.Span(className="caption page-of")], className="alerts-head")
    if not found:
        return html.Div([head, html.Div(say("本次发布没有预警"), className="caption none")], className="alerts")
    return html.Div([head, html.Div([_line(one) for one in found], className="alert-lines",
                                    **{"data-carousel": "alerts"})], className="alerts")  # fmt: skip


def _line(alert: Alert) -> html.Element:
    shape, tone = MARKS[alert.severity]
    kind, words = alert_words(alert)
    return html.Div(
        [html.Span(shape, className=f"mark {tone}", **{"aria-hidden": "true"}), html.Strong(kind, className=tone),
         html.Span(words, className="words", title=words)],
        className="alert", **{"data-area": alert.code or ""},
    )  # fmt: skip
