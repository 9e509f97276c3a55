"""Alerts in words."""

from __future__ import annotations

from dashboard.components.words import whole
from dashboard.language import say
from data.store.alerts import Alert

KINDS = {"above": "突升", "hotspot": "新热点", "silent": "停报", "offline": "离线"}


def alert_words(alert: Alert) -> tuple[str, str]:
    """What kind an alert is, and its place, fact and comparison."""
    told = alert.evidence
    kind = say(KINDS[alert.kind])
    if alert.kind == "above":
        what = say("{place} {category}", place=alert.name or say("全市"), category=say(told["category"] or "全部"))
        return kind, say("{what} {n}起，控制上限{upper}", what=what, n=whole(told["count"]), upper=whole(told["upper"]))
    if alert.kind == "hotspot" and told["before"] is None:
        return kind, say("{place} {n}起", place=told["place"], n=whole(told["count"]))
    if alert.kind == "hotspot":
        return kind, say(
            "{place} {n}起，上期{before}起", place=told["place"], n=whole(told["count"]), before=whole(told["before"])
        )
    if alert.kind == "silent":
        return kind, say(
            "来源{source}停报，最近数据{at}",
            source=told["source"],
            at=(told["data_as_of"] or "—")[:16].replace("T", " "),
        )
    return kind, say(
        "{place}热点内{n}台摄像机离线（共{all}台）", place=told["place"], n=told["offline"], all=told["cameras"]
    )
