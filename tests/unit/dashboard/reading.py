"""What the tests of the workbench share: the week they look at, and reading the elements of a page."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qs

import pandas as pd

from dashboard.components import html
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
    """All text of a part, in order."""
    if part is None or isinstance(part, str):
        return part or ""
    return "".join(texts(child) for child in (children(part) if html.is_element(part) else part))


def found(part, wanted) -> list:
    """Every element at or below ``part`` for which ``wanted`` holds, in order."""
    if not isinstance(part, (list, tuple)):
        return []
    if not html.is_element(part):
        return [hit for child in part for hit in found(child, wanted)]
    return ([part] if wanted(part) else []) + found(children(part), wanted)


def classed(part, name: str) -> list:
    """Every element whose class contains ``name``."""
    return found(part, lambda e: name in attributes(e).get("class", ""))


def tagged(part, tag: str) -> list:
    """Every element with a tag."""
    return found(part, lambda e: e[0] == tag)


def links(part) -> list:
    """Every link, in order."""
    return tagged(part, "a")


def leads_to(link: html.Element) -> dict[str, list[str]]:
    """The parameters of the state a link leads to."""
    return parse_qs(attributes(link)["href"][1:])


def children(part: html.Element) -> list:
    """What stands in an element."""
    return part[2]


def attributes(part: html.Element) -> dict[str, str]:
    """What an element carries, under the names of the page."""
    return part[1]


def style(part: html.Element, name: str) -> str:
    """A part of an element's own style."""
    return dict(one.split(":") for one in attributes(part)["style"].split(";"))[name]
