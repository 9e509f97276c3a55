"""The filters in force, each with a cross that removes it."""

from __future__ import annotations

from dashboard.components import html
from dashboard.components.link import link
from dashboard.components.words import hours_text, listed, weekdays_text, window_text
from dashboard.language import say
from dashboard.pages.workbench.state import PageState
from dashboard.pages.workbench.view_rail.space import area_text
from data.schema import CATEGORIES, INVALID


def chips(state: PageState) -> list:
    """The window, then the filters in force; the area is in the breadcrumb beside them."""
    selection = state.selection
    shown = []
    if selection.categories:
        shown.append((_categories_text(selection.categories), state.href(categories=())))
    if selection.hours is not None:
        shown.append((hours_text(selection.hours), state.href(hours=None)))
    if selection.weekdays:
        shown.append((weekdays_text(selection.weekdays), state.href(weekdays=())))
    if selection.polygon:
        shown.append((area_text(selection.polygon), state.href(polygon=None)))
    if selection.compare != "previous":
        shown.append((_compare_text(state), state.href(compare="previous")))
    window = window_text((selection.start, selection.end), year=True)
    return [html.Span(window, className="caption"), *(_chip(text, href) for text, href in shown)]


def _chip(text: str, href: str) -> html.Element:
    cross = html.Span("×", className="cross", **{"aria-hidden": "true"})
    return link([html.Span(text, className="words"), cross], href, className="chip", title=text,
                label=say("移除筛选：{name}", name=text))  # fmt: skip


def _compare_text(state: PageState) -> str:
    selection = state.selection
    if selection.compare == "none":
        return say("不对比")
    if selection.compare == "last_year":
        return say("对比去年同期")
    return say("对比 {window}", window=window_text(selection.compare_window, year=True))


def _categories_text(chosen: tuple[str, ...]) -> str:
    left_out = [c for c in CATEGORIES if c not in chosen and c != INVALID]
    if left_out and len(left_out) < len(chosen) and INVALID not in chosen:
        return say("类别 不含{names}", names=listed(say(c) for c in left_out))
    return say("类别 {names}", names=listed(say(c) for c in chosen))
