"""Links that change the address and so the state; the page's script follows them without a reload."""

from __future__ import annotations

from dashboard.components import html


def link(children, href: str, *, className: str = "", label: str | None = None, **attributes) -> html.Element:
    """A link to another state of the same page."""
    if label:
        attributes["aria-label"] = label
    return html.A(children, href=href, className=f"nav {className}".strip(), **attributes)


def segment(
    options: list[tuple[str, str, bool]], label: str, *, className: str = "", last: html.Element | None = None
) -> html.Element:
    """A row of choices: (text, href, chosen); the chosen one is filled. An empty href cannot be chosen; ``last`` is a choice
    that is no link."""
    items = [
        link(text, href, className="on" if chosen else "", **{"aria-current": "true" if chosen else "false"})
        if href
        else html.Span(text, className="off", **{"aria-disabled": "true"})
        for text, href, chosen in options
    ]
    head = {"className": f"segment {className}".strip(), "role": "group", "aria-label": label}
    return html.Div([*items, last], **head)
