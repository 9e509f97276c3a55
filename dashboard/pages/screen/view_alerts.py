"""The strip of alerts: what was found at publication, worst first, and what is overdue in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from dashboard.alert_words import alert_words
from dashboard.components import html
from dashboard.language import say
from dashboard.supervised import due_words
from data.app_db import Acknowledgement, Item
from data.app_db.ledger import is_overdue
from data.store.alerts import Alert

MARKS = {"high": ("▲", "bad"), "medium": ("◆", "warn"), "low": ("○", "calm")}


def strip(found: list[Alert], seen: Mapping[str, Acknowledgement], due: list[Item], today: date) -> html.Element:
    """Every alert nobody has seen to as a line, overdue items among them; the page shows as many at a time as there is room for.

    Parameters
    ----------
    seen : mapping
        Alerts that somebody has seen to, told by their number alone.
    due : list of Item
        Items of the ledger that are overdue or soon will be.
    today : date
    """
    standing = [one for one in found if one.alert_id not in seen]
    overdue = [one for one in due if is_overdue(one, today)]
    worst = [_line(one) for one in standing if one.severity == "high"]
    rest = [_line(one) for one in standing if one.severity != "high"]
    lines = [
        *worst,
        *(_item(one, today) for one in overdue),
        *rest,
        *(_item(one, today) for one in due if one not in overdue),
    ]
    handled = len(found) - len(standing)
    more = html.Span(say("已确认 {n}", n=handled), className="caption") if handled else None
    count = html.Strong(len(lines), className="alert-count")
    head = html.Div([say("预警"), " ", count, html.Span(className="caption page-of"), more], className="alerts-head")
    if not lines:
        said = say("预警均已确认") if handled else say("本次发布没有预警")
        return html.Div([head, html.Div(said, className="caption none")], className="alerts")
    return html.Div([head, html.Div(lines, className="alert-lines", **{"data-carousel": "alerts"})], className="alerts")


def _line(alert: Alert) -> html.Element:
    kind, words = alert_words(alert)
    return _row(*MARKS[alert.severity], kind, words, alert.code)


def _item(item: Item, today: date) -> html.Element:
    overdue = is_overdue(item, today)
    shape, tone = ("×", "bad") if overdue else ("◆", "warn")
    words = f"{item.matter}{say('，')}{due_words(item, today)}{say('（')}{item.unit}{say('）')}"
    return _row(shape, tone, say("逾期") if overdue else say("到期"), words, item.area_code)


def _row(shape: str, tone: str, kind: str, words: str, code: str | None) -> html.Element:
    return html.Div(
        [html.Span(shape, className=f"mark {tone}", **{"aria-hidden": "true"}), html.Strong(kind, className=tone),
         html.Span(words, className="words", title=words)],
        className="alert", **{"data-area": code or ""},
    )  # fmt: skip
