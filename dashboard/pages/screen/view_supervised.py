"""挂牌督办: how the ledger stands today."""

from __future__ import annotations

from dashboard.components import html
from dashboard.language import say
from data.app_db.ledger import Count


def supervised(count: Count) -> html.Element:
    """Four numbers; status by shape and word."""
    cells = [
        ("○", "none", say("在办"), count.open - count.overdue),
        ("◆", "warn" if count.soon else "none", say("7日到期"), count.soon),
        ("×", "bad" if count.overdue else "none", say("逾期"), count.overdue),
        ("✓", "good" if count.struck_lately else "none", say("7日销号"), count.struck_lately),
    ]
    return html.Div([_cell(*one) for one in cells], className="supervised-cells")


def _cell(shape: str, tone: str, name: str, number: int) -> html.Element:
    mark = html.Span(shape, className=f"mark {tone}", **{"aria-hidden": "true"})
    return html.Div([html.Div([mark, " ", name], className="caption"), html.Strong(f"{number:,}")])
