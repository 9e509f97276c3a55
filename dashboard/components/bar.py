"""A bar with the compared count as a tick."""

from __future__ import annotations

from dashboard.components import html


def bar(count: float | None, before: float | None, top: float, fill: str) -> html.Element:
    """A bar with the compared count as a tick; ``top`` is the count of a full bar."""
    parts = [html.Span(className=f"fill {fill}".strip(), style={"width": share(count, top)})]
    if before is not None:
        parts.append(html.Span(className="tick", style={"left": share(before, top)}))
    return html.Span(parts, className="bar")


def share(value: float | None, top: float) -> str:
    """A part of a full bar, as the style sheet wants it."""
    return f"{(value or 0) / top * 100:.2f}%"
