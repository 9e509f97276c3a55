"""The bar on top of every page: brand, pages, language, light; the release is filled in by the page."""

from __future__ import annotations

from dash import html

from dashboard import language
from dashboard.components import html as plain
from dashboard.language import say

PAGES = (("研判工作台", "/workbench"), ("指挥大屏", "/screen"), ("碰头会", "/meeting"))  # only those that exist


def topbar(current: str, *, id: str) -> html.Header:
    """The bar; the page fills in the release under ``id``."""
    tabs = [
        html.A(say(name), href=address, className="tab on" if address == current else "tab",
               **({"aria-current": "page"} if address == current else {}))
        for name, address in PAGES
    ]  # fmt: skip
    theme = html.Button(
        [html.Span(className="theme-icon", **{"aria-hidden": "true"}), html.Span(className="theme-word")],
        id="theme-switch", className="ghost", title=say("切换明暗：随系统、明、暗"), **{"aria-label": say("切换明暗")},
    )  # fmt: skip
    other = "EN" if language.current() == "zh" else "中文"
    words = html.Button(
        other, id="language-switch", className="ghost", title=say("切换语言"), **{"aria-label": say("切换语言")}
    )
    return html.Header(
        [
            html.A([html.Span(className="logo", **{"aria-hidden": "true"}), "研判"], href="/", className="brand"),
            html.Nav(tabs, className="tabs", **{"aria-label": say("页面")}),
            html.Div(id=id, className="release"),
            words,
            theme,
        ],
        className="topbar",
    )


def plain_topbar(current: str, release: list) -> plain.Element:
    """The same bar for pages that are whole when they arrive; ``release`` is what it says of the release."""
    tabs = [
        plain.A(say(name), href=address, className="tab on" if address == current else "tab",
                **({"aria-current": "page"} if address == current else {}))
        for name, address in PAGES
    ]  # fmt: skip
    icon, word = plain.Span(className="theme-icon", **{"aria-hidden": "true"}), plain.Span(className="theme-word")
    theme = plain.Button([icon, word], id="theme-switch", className="ghost", title=say("切换明暗：随系统、明、暗"),
                         **{"aria-label": say("切换明暗")})  # fmt: skip
    words = plain.Button("EN" if language.current() == "zh" else "中文", id="language-switch", className="ghost",
                         title=say("切换语言"), **{"aria-label": say("切换语言")})  # fmt: skip
    brand = plain.A([plain.Span(className="logo", **{"aria-hidden": "true"}), "研判"], href="/", className="brand")
    nav = plain.Nav(tabs, className="tabs", **{"aria-label": say("页面")})
    return plain.Header([brand, nav, plain.Div(release, className="release"), words, theme], className="topbar")
