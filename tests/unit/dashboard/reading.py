"""Reading component trees in tests: their text, their parts, where their links lead."""

from __future__ import annotations

from urllib.parse import parse_qs

from dash import html
from dash.development.base_component import Component


def texts(part) -> str:
    """All text of a component, in order."""
    if part is None or isinstance(part, str):
        return part or ""
    if isinstance(part, (list, tuple)):
        return "".join(texts(child) for child in part)
    return texts(getattr(part, "children", str(part)))


def found(part, wanted) -> list:
    """Every component at or below ``part`` for which ``wanted`` holds, in order."""
    if isinstance(part, (list, tuple)):
        return [hit for child in part for hit in found(child, wanted)]
    if not isinstance(part, Component):
        return []
    return ([part] if wanted(part) else []) + found(getattr(part, "children", None), wanted)


def classed(part, name: str) -> list:
    """Every component whose class contains ``name``."""
    return found(part, lambda c: name in (getattr(c, "className", None) or ""))


def links(part) -> list:
    """Every link, in order."""
    return found(part, lambda c: isinstance(c, html.A))


def leads_to(link: html.A) -> dict[str, list[str]]:
    """The parameters of the state a link leads to."""
    return parse_qs(link.href[1:])


def attributes(part: Component) -> dict:
    """What a component carries, ``data-`` and ``aria-`` names too."""
    return part.to_plotly_json()["props"]
