"""The week by the hour."""

from __future__ import annotations

import numpy as np

from dashboard.components import html
from dashboard.components.card import empty
from dashboard.components.words import WEEKDAYS
from dashboard.language import say

_CLASSES = 5


def week(counts: np.ndarray, missing: bool) -> html.Element:
    """Weekday by hour, shape (7, 24), with its key."""
    if missing:
        return empty(say("所选时段没有任何上报。"))
    if not counts.sum():
        return empty(say("所选范围没有事件。"))
    limits = _limits(int(counts.max()))
    cells = []
    for day in range(7):
        cells.append(html.Span(say(WEEKDAYS[day]), className="day"))
        for hour in range(24):
            n = int(counts[day, hour])
            shade = sum(n >= limit for limit in limits)
            words = say("周{day} {hour}时　{n}起", day=say(WEEKDAYS[day]), hour=hour, n=f"{n:,}")
            cells.append(html.Span(className=f"cell count-{shade}", title=words))
    hours = [html.Span(className="day")]
    hours += [html.Span(str(hour), className="hour") for hour in range(0, 24, 3)]
    return html.Div([html.Div(cells, className="cells"), html.Div(hours, className="hours"), _key(limits)],
                    className="week-body")  # fmt: skip


def _limits(most: int) -> list[int]:
    """Lower limits of the classes above 0, as even as whole numbers allow."""
    return sorted({max(1, round(1 + k * most / _CLASSES)) for k in range(_CLASSES)} - {most + 1})


def _key(limits: list[int]) -> html.Element:
    parts = [html.Span([html.Span(className="swatch count-0"), "0"])]
    for k, limit in enumerate(limits, 1):
        last = limits[k] - 1 if k < len(limits) else None
        words = say("{n}以上", n=limit) if last is None else f"{limit}—{last}" if last > limit else str(limit)
        parts.append(html.Span([html.Span(className=f"swatch count-{k}"), words]))
    return html.Div([*parts, html.Span(say("起/小时"), className="unit")], className="week-key caption")
