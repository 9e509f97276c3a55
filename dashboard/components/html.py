"""HTML elements light enough to be made by the thousand, as the page's script turns them into real ones.

Dash keeps every component in its store and asks each one after every change; a page of a thousand small ones spends a
second a click on that, and making them takes longer than counting. What only shows numbers is therefore made of these
and sent as one value. The layout itself, which callbacks fill, is made of Dash's.

An element is ``[tag, attributes, children]``, a list of parts ``["", {}, children]``; children are elements and text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape

Element = list
_ATTRIBUTES = {"className": "class", "colSpan": "colspan"}


def part(value) -> Element | str | None:
    """An element, a text or number, or a list of these, as one part of a page; None stays None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return value if is_element(value) else ["", {}, _parts(value)]
    return str(value)


def to_text(value) -> str:
    """A part as HTML text, everything in it escaped; for pages that are whole when they arrive."""
    one = part(value)
    if one is None or isinstance(one, str):
        return escape(one or "")
    tag, attributes, children = one
    inside = "".join(map(to_text, children))
    if not tag:
        return inside
    said = "".join(f' {name}="{escape(text)}"' for name, text in attributes.items())
    return f"<{tag}{said}>{inside}</{tag}>"


def to_script(value: object) -> str:
    """A value as JavaScript, safe inside a script element."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def is_element(value) -> bool:
    """Whether a list is an element, not a list of parts."""
    return isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], dict)


def _parts(children) -> list:
    if not isinstance(children, (list, tuple)) or is_element(children):
        children = (children,)
    return [part(child) for child in children if child is not None]


def element(tag: str, attributes: dict[str, str], children=None) -> Element:
    """An element of a tag that is rare enough to have no name of its own here."""
    return [tag, {name: str(value) for name, value in attributes.items()}, _parts(children)]


def _maker(tag: str) -> Callable[..., Element]:
    def make(children=None, *, style: dict[str, str] | None = None, **attributes) -> Element:
        own = {_ATTRIBUTES.get(name, name): str(value) for name, value in attributes.items() if value is not None}
        if style:
            own["style"] = ";".join(f"{name}:{value}" for name, value in style.items())
        return [tag, own, _parts(children)]

    return make


A, B, Button, Div, H1, H2, H3, Li, Nav, Ol, P, Section = map(
    _maker, ("a", "b", "button", "div", "h1", "h2", "h3", "li", "nav", "ol", "p", "section")
)
Footer, Header, Main, Path, Svg = map(_maker, ("footer", "header", "main", "path", "svg"))
Details, Dd, Dl, Dt, Span, Strong, Summary, Table, Tbody, Td, Th, Tr, Ul = map(
    _maker,
    ("details", "dd", "dl", "dt", "span", "strong", "summary", "table", "tbody", "td", "th", "tr", "ul"),
)
