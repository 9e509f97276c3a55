"""One section of the rail: its name, what it says, its controls."""

from __future__ import annotations

from dashboard.components import html


def section(title: str, note, body: list, *, className: str = "") -> html.Element:
    """A section; ``note`` is text or components, body parts that are None are left out."""
    head = html.Div([html.H2(title), html.Div(note, className="caption")], className="rail-head")
    parts = [part for part in body if part is not None]
    return html.Section([head, *parts], className=f"rail-section {className}".strip())
