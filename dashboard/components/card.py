"""A panel with a title, a caption that says the answer or the unit, and a body; and what stands in an empty one."""

from __future__ import annotations

from dashboard.components import html


def card(title: str, caption, body, *, className: str = "") -> html.Element:
    """A panel of the side column; ``caption`` is text or components."""
    head = html.Div([html.H2(title), html.Div(caption, className="caption")], className="card-head")
    return html.Section([head, html.Div(body, className="card-body")], className=f"card {className}".strip())


def sub_head(title: str, caption: str) -> html.Element:
    """The head of a part of a panel."""
    return html.Div([html.H3(title), html.Span(caption, className="caption")], className="sub-head")


def empty(reason: str) -> html.Element:
    """Why there is nothing to show."""
    return html.P(reason, className="empty")
