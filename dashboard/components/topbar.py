"""The bar on top of every page: brand, pages, which release this is and how old its data are."""

from __future__ import annotations

from datetime import date, datetime

from dash import html

from dashboard import language
from dashboard.components.words import listed, moment
from dashboard.language import say
from data.index import CADENCE_DAYS

PAGES = (("研判工作台", "/workbench"),)  # only those that exist


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


def release_state(described: dict, today: date, *, open_mode: bool) -> list:
    """Title, synthetic tag, age of the data with its state, silent sources and release id."""
    title = described["title"]
    parts = []
    if described["synthetic"]:
        name = title.replace("合成数据", "").strip("（）() ·")
        parts.append(html.Span(f"{name}·{say('合成数据')}", className="tag synthetic"))
    else:
        parts.append(html.Span(title, className="tag"))
    if open_mode:
        parts.append(
            html.Span(say("演示模式"), className="tag", title=say("无需登录，以“分析”身份查看全部范围，只在本机开放"))
        )
    incident = [source for source in described["sources"] if source["kind"] == "incident"]
    silent = [source["id"] for source in incident if source["silent"]]
    if silent:
        parts.append(
            html.Span("◆ " + say("停报 {n} 个来源", n=len(silent)), className="status warn", title=listed(silent))
        )
    tone, note = freshness(described["data_as_of"], incident, today)
    parts.append(
        html.Span(
            [html.Span(className=f"dot {tone}"), say("数据截至 {at}", at=moment(described["data_as_of"], today)),
             html.Span(f" {note}", className=tone) if note else None],
            className="status", title=note or say("在更新期限内"),
        )
    )  # fmt: skip
    parts.append(html.Span(described["id"], className="release-id"))
    return parts


def freshness(data_as_of: str | None, sources: list[dict], today: date) -> tuple[str, str]:
    """Tone and words: good within the shortest cadence and its grace, warn beyond, bad beyond three cadences."""
    if data_as_of is None:
        return "none", say("没有事件来源")
    age = (today - datetime.fromisoformat(data_as_of).date()).days
    cadence = min((CADENCE_DAYS[s["cadence"] or "week"] for s in sources), default=7)
    grace = min((s["grace_days"] for s in sources), default=2)
    if age <= cadence + grace:
        return "good", ""
    return ("bad" if age > 3 * cadence + grace else "warn"), say("已过{n}天", n=age)
