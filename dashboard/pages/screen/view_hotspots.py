"""Numbered hotspots: what stands beside them on the map, and the list of wide walls."""

from __future__ import annotations

import numpy as np

from dashboard.components import html
from dashboard.components.card import empty
from dashboard.components.legend import scale
from dashboard.components.words import KERNEL_NAMES, days_text, plain, q_text, signed, whole
from dashboard.language import say
from dashboard.pages.screen.looked_at import LookedAt
from dashboard.pages.screen.view_hours import hour_bars
from dashboard.peak_hours import peak
from dashboard.told_hotspots import NEW, Hotspot, told_hotspots

SHOWN = 9  # with a name on the map; the list has as many as fit
LISTED = 10
_NAMED_FROM = 3  # events; smaller ones keep their number


def found(at: LookedAt, level: str) -> list[Hotspot]:
    """The numbered hotspots, in their order."""
    return told_hotspots(at.release, at.selection, at.scope, level)


def marks(rows: list[Hotspot]) -> list[dict]:
    """What the map writes beside each."""
    return [
        {
            "number": one.group.number,
            "lon": one.group.lon,
            "lat": one.group.lat,
            "code": one.group.code,
            "label": None if one.group.count < _NAMED_FROM else html.part([html.Strong(one.around), " ", html.Span(say("{n}起", n=whole(one.group.count))), " ",
                                None if one.state is None else html.Span(say(one.state), className=f"state {_tone(one)}")]),
        }
        for one in rows[:SHOWN] if one.group.lon is not None
    ]  # fmt: skip


def _tone(one: Hotspot) -> str:
    return "new" if one.state == NEW else "lasting"


def caption(at: LookedAt, rows: list[Hotspot], kde: dict) -> str:
    """How many, and the highest density."""
    peak = (kde.get("summary") or {}).get("peak") or {}
    parts = [say("热点 {n} 处", n=len(rows))]
    fresh = sum(one.state == NEW for one in rows)
    if at.selection.compare != "none" and rows:
        parts.append(say("新增 {n}", n=fresh))
    if peak.get("per_km2") is not None:
        parts.append(say("密度峰值 {n}", n=f"{peak['per_km2']:,.1f}"))
    return " · ".join(parts)


def legend(at: LookedAt, kde: dict) -> html.Element:
    """Classes of the density with its unit, then what it was computed with."""
    asked = kde["parameters"]
    unit = say("起/平方公里 · {days}", days=days_text(at.selection.days))
    head = html.Div([html.Strong(say("警情核密度")), " ", html.Span(unit, className="caption")])
    limits = asked.get("limits_per_km2") or []
    body = scale(tuple(limits)) if limits else html.Div(say("事件太少，没有密度面"), className="caption")
    foot = []
    if asked.get("bandwidth_m"):
        kernel = say(KERNEL_NAMES[asked["kernel"]])
        foot = [
            say("带宽{n}米", n=plain(round(asked["bandwidth_m"]))),
            kernel,
            say("格网{n}米", n=plain(asked["cell_m"])),
        ]
    rule = say("编号为Gi*显著（q≤0.05）的成片网格")
    return html.Div([head, body, html.Div(" · ".join(foot), className="caption"), html.Div(rule, className="caption")],
                    className="legend-of density")  # fmt: skip


def listed(at: LookedAt, rows: list[Hotspot], weeks: list[np.ndarray]) -> html.Element:
    """The list of wide walls: each with its day by the hour.

    Parameters
    ----------
    weeks : list of int array, shape (7, 24)
        Events of each by weekday and hour.
    """
    if not rows:
        return empty(say("没有网格超出偶然。"))
    return html.Ol([_row(one, week) for one, week in zip(rows[:LISTED], weeks, strict=True)], className="hotspot-list")


def _row(one: Hotspot, week: np.ndarray) -> html.Element:
    state = None if one.state is None else html.Span(say(one.state), className=f"state {_tone(one)}")
    return html.Li(
        [
            html.Span(one.group.number, className="rank"),
            html.Div(
                [
                    html.Div([html.Strong(one.around), html.Span(one.parent, className="parent")], className="name"),
                    html.Div(
                        [html.Strong(say("{n}起", n=whole(one.group.count))), " ", signed(one.difference), " ", state]
                    ),
                    html.Div(
                        say("{n}个网格 · {q}", n=len(one.group.units), q=q_text(one.group.q_min)), className="caption"
                    ),
                ]
            ),
            html.Div([hour_bars(week), html.Div(_peak(week), className="caption")]),
        ]
    )


def _peak(week: np.ndarray) -> str:
    if not week.sum():
        return ""
    found = peak(week)
    return say("{a}—{b}时", a=found.first, b=found.end)
