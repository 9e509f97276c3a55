"""The trend beside that of the compared window, with its control band."""

from __future__ import annotations

from datetime import date, timedelta

from dashboard.components import html
from dashboard.components.link import link
from dashboard.components.words import MISSING, before_name, day_text, month_text, now_name, short_day, tick_days
from dashboard.language import say
from dashboard.pages.workbench.state import PageState, period_holding
from dashboard.trend_steps import Step
from data.selection import Window

HEIGHT = 148
BLANK = {"height": HEIGHT, "xaxis": {"visible": False}, "yaxis": {"visible": False},
         "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}  # fmt: skip
_STEP_NAMES = {"day": "每日", "week": "每周", "month": "每月"}
_STEP_UNITS = {"day": "天", "week": "周", "month": "月"}
# The style sheet gives these two their colours: a figure cannot name a role.
_MARKS = {"above": ("triangle-up", "rgb(1,1,1)"), "below": ("triangle-down", "rgb(2,2,2)")}
_SPARSE = 62  # steps up to which each has its point


def trend_figure(steps: list[Step], step: str, now: str, past: str | None, window: Window | None = None) -> dict:
    """The trend: gaps where missing, hollow where a step is not complete, a triangle where it leaves its band.

    Colours are left to the style sheet, which knows the theme. A plain figure: plotly's own objects check every value at
    30 ms a click.

    Parameters
    ----------
    now, past : str
        What the two windows are called; ``past`` None without comparison.
    window : (date, date), optional
        The current window, half-open; with it, dragging over steps chooses them (charts.js reads ``layout.meta``).
    """
    x = list(range(len(steps)))
    drawn: list[dict] = []
    if any(s.upper is not None for s in steps):
        height = [None if s.upper is None else s.upper - s.lower for s in steps]
        drawn.append({"type": "bar", "x": x, "y": height, "base": [s.lower for s in steps], "width": 1, "hoverinfo": "skip",
                      "name": say("控制带")})  # fmt: skip
    if past is not None:
        drawn.append({
            "type": "scatter", "x": x, "y": [s.before for s in steps], "mode": "lines", "name": past, "connectgaps": False,
            "line": {"width": 1.8, "dash": "4px,3px"}, "hoverinfo": "skip",
        })  # fmt: skip
    drawn.append({
        "type": "scatter", "x": x, "y": [s.count for s in steps], "name": now, "connectgaps": False, "line": {"width": 2.5},
        "mode": "lines+markers" if len(steps) <= _SPARSE else "lines",
        "marker": {"size": 6, "symbol": ["circle" if s.complete else "circle-open" for s in steps], "line": {"width": 1.5}},
        "customdata": [_hover(s, step, now, past) for s in steps], "hovertemplate": "%{customdata}<extra></extra>",
    })  # fmt: skip
    for side, (symbol, colour) in _MARKS.items():
        out = [i for i, s in enumerate(steps) if s.outside == side]
        if out:
            drawn.append({"type": "scatter", "x": out, "y": [steps[i].count for i in out], "mode": "markers", "name": side,
                          "hoverinfo": "skip", "marker": {"size": 11, "symbol": symbol, "color": colour}})  # fmt: skip
    every = max(1, -(-len(steps) // 7))
    marked = [s.start for s in steps[::every]]
    labels = [month_text(day) for day in marked] if step == "month" else tick_days(marked)
    top = max([v for s in steps for v in (s.count, s.before, s.upper) if v is not None], default=0)
    layout = {
        "height": HEIGHT, "margin": {"l": 38, "r": 12, "t": 8, "b": 24}, "showlegend": False, "hovermode": "x",
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "dragmode": False, "bargap": 0,
        "font": {"size": 12, "family": "Source Han Sans SC, Noto Sans CJK SC, Microsoft YaHei, sans-serif"},
        "xaxis": {"tickvals": x[::every], "ticktext": labels, "tickangle": 0, "fixedrange": True, "showgrid": False,
                  "zeroline": False, "range": [-0.5, len(steps) - 0.5]},
        "yaxis": {"rangemode": "tozero", **({"dtick": 1} if top <= 3 else {"nticks": 4}), "fixedrange": True,
                  "zeroline": False, "range": [0, max(top * 1.12, 1)], "tickformat": ",d"},
        "meta": None if window is None else _cuts(steps, window),
    }  # fmt: skip
    return {"data": drawn, "layout": layout}


def _cuts(steps: list[Step], window: Window) -> dict:
    """From when to when each step lasts inside the window."""
    starts = [max(s.start, window[0]) for s in steps]
    return {"starts": [d.isoformat() for d in starts], "ends": [d.isoformat() for d in [*starts[1:], window[1]]]}


def _label(day: date, step: str) -> str:
    return month_text(day) if step == "month" else short_day(day)


def _hover(s: Step, step: str, now: str, past: str | None) -> str:
    when = say("{day} 起一周", day=_label(s.start, step)) if step == "week" else _label(s.start, step)
    count = say(MISSING) if s.count is None else say("{n}起", n=f"{s.count:,}")
    text = f"{when}　{now} {count}" + ("" if s.complete or s.count is None else say("（未完整）"))
    if past is not None and s.before_start is not None:
        before = say(MISSING) if s.before is None else say("{n}起", n=f"{s.before:,}")
        text += f"<br>{_label(s.before_start, step)}　{past} {before}"
    if s.upper is not None:
        text += f"<br>{say('控制带')} {_limits(s)}"
    return text


def _limits(s: Step) -> str:
    digits = 1 if s.upper < 20 else 0  # a count must not seem to lie on the limit it has passed
    return f"{s.lower:,.{digits}f}—{s.upper:,.{digits}f}"


def trend_caption(step: str, state: PageState, steps: list[Step] = (), band: dict | None = None) -> list:
    """Title, key, and one line on the band: which steps leave it, or why there is none.

    Parameters
    ----------
    steps : list of Step
        With their limits.
    band : dict, optional
        ``meta`` of :func:`data.store.band.trend_band`.
    """
    selection = state.selection
    window = (selection.start, selection.end)
    key = [f"{say('起')} · ", html.Span(className="key now", **{"aria-hidden": "true"}), now_name(window)]
    if selection.compare != "none":
        key += [" ", html.Span(className="key past", **{"aria-hidden": "true"}), before_name(window, selection.compare)]
    if any(s.upper is not None for s in steps):
        key += [" ", html.Span(className="key band", **{"aria-hidden": "true"}), say("控制带")]
    notes = [_wider(state), _outside(steps, step) if band is None or band["reason"] is None else _reason(step, band)]
    notes = [note for note in notes if note]
    foot = html.Div(notes, className="head-note") if notes else None
    return [html.H2(say(_STEP_NAMES[step])), html.Div(key, className="caption"), foot]


def _outside(steps: list[Step], step: str) -> html.Element | None:
    """The latest step that leaves its band, and how many do."""
    out = [s for s in steps if s.outside]
    if not out:
        return None
    last = out[-1]
    day = say("{day} 起一周", day=day_text(last.start)) if step == "week" else (
        _label(last.start, step) if step == "month" else day_text(last.start))  # fmt: skip
    words = "{day}{n}起，高于控制带{limits}" if last.outside == "above" else "{day}{n}起，低于控制带{limits}"
    text = say(words, day=day, n=f"{last.count:,}", limits=_limits(last))
    more = say("，另有{n}处", n=len(out) - 1) if len(out) > 1 else ""
    shape, tone = ("▲", "bad") if last.outside == "above" else ("▼", "good")
    return html.Span([html.Span(shape, className=f"mark {tone}", **{"aria-hidden": "true"}), " ", text + more])


def _reason(step: str, band: dict) -> html.Element:
    facts, unit = band["band"], say(_STEP_UNITS[step])
    if facts["season"]:
        text = say("此前{reach}个同一星期几中完整的不足{base}个，没有控制带", reach=facts["reach"], base=facts["base"])
    else:
        text = say(
            "此前{reach}{unit}内完整的不足{base}{unit}，没有控制带", reach=facts["reach"], base=facts["base"], unit=unit
        )
    return html.Span(text)


def _wider(state: PageState) -> html.Element | None:
    """The way back out of a few days: the week that holds them."""
    selection = state.selection
    if selection.days >= 7:
        return None
    start, end = period_holding("week", selection.end - timedelta(days=1))
    return link(say("看整周"), state.href(start=start, end=end), className="text")
