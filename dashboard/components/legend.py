"""Legends of the units: what a colour means, with its unit; the style sheet shows the one of the measure in force."""

from __future__ import annotations

from dashboard.components import html
from dashboard.components.verdict import MARKS, TONES
from dashboard.components.words import LEVEL_NAMES, before_name, days_text, listed, plain
from dashboard.language import say
from dashboard.measures import (
    BAYES,
    CHANGE,
    CHANGE_COLOURS,
    CLASSED,
    CLASSES,
    COUNT,
    DENSITY,
    DISPUTES,
    MEASURE_NAMES,
    RATE,
)
from data.selection import Selection
from data.store.class_limits import ClassLimits
from geo.change import NOT_COMPARABLE


def legend(
    selection: Selection, measure: str, level: str, limits: ClassLimits, dispute_limits: tuple[int, ...]
) -> list:
    """Every legend of a level that the same answer can be painted by.

    Parameters
    ----------
    dispute_limits : tuple of int
        Lower limits of the classes of disputes found; empty where they are not shown.
    """
    unit, days = say(LEVEL_NAMES[level]), days_text(selection.days)
    per = f"{unit} · {days}"
    parts = [_legend(COUNT, f"{say('起')} / {per}", scale(limits.count))]
    if limits.density:
        parts.append(_legend(DENSITY, say("起 / 平方公里 · {days}", days=days), scale(limits.density)))
    if limits.rate:
        parts.append(_legend(RATE, say("起 / 千人 · {days}", days=days), scale(limits.rate)))
        parts.append(_legend(BAYES, say("起 / 千人 · {days} · 经验贝叶斯", days=days), scale(limits.rate)))
    if selection.compare != "none":
        past = before_name((selection.start, selection.end), selection.compare)
        rows = [_word(colour, html.Span([html.Span(MARKS[word], className=f"mark {TONES[word]}"), say(word)]))
                for word, colour in CHANGE_COLOURS.items() if word != NOT_COMPARABLE]  # fmt: skip
        parts.append(
            _legend(CHANGE, say("{unit} · 与{past}比，{days}", unit=unit, past=past, days=days), html.Div(rows))
        )
    if measure in CLASSED:
        parts.append(_classes(measure, unit))
    if dispute_limits:
        parts.append(_legend(DISPUTES, f"{say('件')} / {unit}", scale(dispute_limits)))
    return parts


def _classes(measure: str, unit: str) -> html.Element:
    by_colour: dict[str, list[str]] = {}  # classes that share a colour share a line
    for one in CLASSES[measure]:
        by_colour.setdefault(one.colour, []).append(say(one.words))
    rows = [_word(colour, html.Span(listed(words))) for colour, words in by_colour.items()]
    return _legend(measure, say("{unit} · 已校正多重检验", unit=unit), html.Div(rows))


def _word(colour: str, words) -> html.Element:
    return html.Div(
        [html.Span(className="swatch-box", style={"background": f"var(--{colour})"}), words], className="legend-word"
    )


def _legend(measure: str, unit: str, body) -> html.Element:
    states = [html.Span(className="swatch-box hatched"), say("未报")]
    if measure == CHANGE:
        states += [html.Span(className="swatch-box incomparable"), say("无法比较")]
    elif measure not in CLASSED:
        states += [html.Span("0", className="swatch-box zero"), say("零报或无")]
    head = html.Div([html.Strong(say(MEASURE_NAMES[measure])), " ", html.Span(unit, className="caption")])
    return html.Div([head, body, html.Div(states, className="legend-states")], className=f"legend-of {measure}")


def scale(limits: tuple[float, ...]) -> html.Element:
    """Five swatches of equal width, the lower limit of each class under its left joint; a first limit of 0 is not written."""
    boxes = [html.Span(className=f"count-{number}") for number in range(1, len(limits) + 1)]
    marks = [html.Span(plain(limit) if limit else "") for limit in limits]
    return html.Div([html.Div(boxes, className="ramp"), html.Div(marks, className="limits")], className="scale")
