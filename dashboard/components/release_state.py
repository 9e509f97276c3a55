"""Which release a page shows, and how old its data are."""

from __future__ import annotations

from datetime import date, datetime

from dashboard.components import html
from dashboard.components.words import listed, moment
from dashboard.language import say
from data.index import CADENCE_DAYS


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
