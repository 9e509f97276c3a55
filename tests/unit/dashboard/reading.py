"""What the tests of the workbench share: the week they look at, and reading component trees."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qs

import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.pages.workbench.state import PageState
from data.schema import INVALID
from data.selection import Selection

WEEK = (date(2026, 11, 9), date(2026, 11, 16))


def state(compare="previous", window=WEEK, **selection) -> PageState:
    """A state of the page."""
    return PageState(Selection(*window, compare=compare, **selection))


def in_window(frame: pd.DataFrame, window, *, invalid=False) -> pd.DataFrame:
    """The incidents of a window, without 无效 unless asked for."""
    at = frame["occurred_from"]
    kept = (at >= pd.Timestamp(window[0])) & (at < pd.Timestamp(window[1]))
    return frame[kept & (invalid | (frame["category"] != INVALID))]


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
