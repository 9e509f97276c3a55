"""The top of the wall: window, title, age of the data, clock; and which reports are in."""

from __future__ import annotations

from datetime import date, datetime

from dashboard.components import html
from dashboard.components.release_state import freshness
from dashboard.components.words import listed, moment, period_name, window_text
from dashboard.language import say
from dashboard.pages.screen.looked_at import LookedAt

_TONES = ("bad", "warn", "none", "good")
_SHAPES = {"good": "✓", "warn": "◆", "bad": "▲", "none": "–"}
_SHOWN = 6


def window(at: LookedAt, name: str) -> html.Element:
    """Which window and what of it."""
    return html.Div(
        [
            html.Div([html.Strong(period_name(at.window)), " ", window_text(at.window)], className="head-window"),
            html.Div(say("{area} · 全部类别 · 对比{past}", area=name, past=at.past), className="caption"),
        ]
    )


def age(described: dict, local: datetime) -> html.Element:
    """How old the data are, with the state of the source that is worst."""
    today = local.date()
    incident = [source for source in described["sources"] if source["kind"] == "incident"]
    tone, note = freshness(described["data_as_of"], incident, today)
    silent = [source["id"] for source in incident if source["silent"]]
    words = note or since(described["data_as_of"], local)
    if silent:
        words = " · ".join(filter(None, (note, say("停报：{names}", names=listed(silent)))))
        tone = "bad" if tone == "bad" else "warn"
    return html.Div(
        [
            html.Div([say("数据截至"), " ", html.Strong(moment(described["data_as_of"], today))], className="head-age"),
            html.Div([html.Span(className=f"dot {tone}"), words], className="caption"),
        ]
    )


def since(iso: str | None, local: datetime) -> str:
    """How long ago data ended, and that this is in time."""
    if iso is None:
        return say("没有事件来源")
    hours = max(0, int((local - datetime.fromisoformat(iso)).total_seconds() // 3600))
    return say("{n}小时前，正常", n=hours) if hours < 48 else say("{n}天前，正常", n=hours // 24)


def sources(described: dict, today: date) -> list[html.Element]:
    """The sources with their age, amber beyond their cadence and grace, red beyond three cadences; the worst first, as many
    as there is room for, and how many others are in time."""
    tones = [(freshness(one["data_as_of"], [one], today)[0], one) for one in described["sources"]]
    judged = sorted(tones, key=lambda one: _TONES.index(one[0]))
    rows = [_source(tone, source, today) for tone, source in judged[:_SHOWN]]
    if len(judged) > _SHOWN:
        rows.append(html.Li(html.Span(say("另有{n}个来源", n=len(judged) - _SHOWN), className="name more")))
    return rows


def _source(tone: str, source: dict, today: date) -> html.Element:
    told = say("停报") if source["silent"] else "" if source["age_days"] is None else _age(source["age_days"])
    return html.Li(
        [
            html.Span(_SHAPES[tone], className=f"mark {tone}", **{"aria-hidden": "true"}),
            html.Span(source["id"], className="name"),
            html.Span(moment(source["data_as_of"], today), className="number"),
            html.Span(told, className=f"change {tone}"),
        ]
    )


def _age(days: float) -> str:
    return say("{n}小时", n=int(days * 24)) if days < 2 else say("{n}天", n=int(days))
