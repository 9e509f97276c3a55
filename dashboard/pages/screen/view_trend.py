"""Twelve weeks with their control band: lines in an SVG that stretches, words in HTML that does not."""

from __future__ import annotations

from datetime import timedelta
from math import ceil, floor, log10

from dashboard.components import html
from dashboard.components.card import empty
from dashboard.components.words import month_text, plain, short_day, whole
from dashboard.language import say
from dashboard.trend_steps import Step, Trend

STEPS = 12
_UNITS = {"week": "周", "month": "月"}


def title(step: str) -> str:
    """What the figure is."""
    return say("近12周有效警情") if step == "week" else say("近12月有效警情")


def caption(found: Trend, step: str) -> str:
    """Unit and band of the latest step that has one."""
    unit = say(_UNITS[step])
    banded = [step for step in found.steps if step.lower is not None]
    if not banded:
        return say("起/{unit} · 完整的{unit}不够，没有控制带", unit=unit)
    low, high = round(banded[-1].lower), round(banded[-1].upper)
    return say("起/{unit} · 控制带 {low}—{high}", unit=unit, low=f"{low:,}", high=f"{high:,}")


def trend(found: Trend, step: str) -> html.Element:
    """The figure; empty where no step has a report."""
    steps = found.steps
    values = [v for s in steps for v in (s.count, s.lower, s.upper) if v is not None]
    if not any(step.count is not None for step in steps):
        return empty(say("所选时段没有任何上报。"))
    marks = _marks(min(values), max(values))
    low, high = marks[0], marks[-1]

    def across(i: int) -> float:
        return 100 * i / max(len(steps) - 1, 1)

    def up(value: float) -> float:
        return 100 * (high - value) / ((high - low) or 1)

    lines = [_path("grid-line", [(0, up(mark)), (100, up(mark))]) for mark in marks]
    drawing = html.Svg(
        [*_band(steps, across, up), *lines, *_line(steps, across, up)],
        viewBox="0 0 100 100", preserveAspectRatio="none", **{"aria-hidden": "true"},
    )  # fmt: skip
    axis = [html.Span(plain(mark), className="tick-y", style={"top": f"{up(mark):.2f}%"}) for mark in marks]
    axis += [
        html.Span(month_text(one.start) if step == "month" else short_day(one.start),
                  className="tick-x" + (" last" if i == len(steps) - 1 else ""), style={"left": f"{across(i):.2f}%"})
        for i, one in enumerate(steps) if (len(steps) - 1 - i) % 2 == 0
    ]  # fmt: skip
    points = [_point(one, step, across(i), up(one.count), i == len(steps) - 1)
              for i, one in enumerate(steps) if one.count is not None]  # fmt: skip
    words = say("{title}，最近{last}", title=title(step), last=whole(steps[-1].count))
    return html.Div([drawing, *axis, *points], className="plot", role="img", **{"aria-label": words})


def _marks(low: float, high: float) -> list[float]:
    """Round values from under the lowest to over the highest, three to five of them; the axis need not begin at 0."""
    rough = max(high - low, 1.0) / 3
    power = 10 ** floor(log10(rough))
    step = max(1.0, next(power * k for k in (1, 2, 5, 10) if power * k >= rough))
    first = floor(low / step)
    return [k * step for k in range(first, ceil(high / step) + 1)] or [first * step]


def _point(one: Step, step: str, left: float, top: float, last: bool) -> html.Element:
    end = one.start + timedelta(days=6)
    when = month_text(one.start) if step == "month" else say("{a}—{b}", a=short_day(one.start), b=short_day(end))
    said = say("{when}　{n}起", when=when, n=whole(one.count))
    tone = {"above": " bad", "below": " good"}.get(one.outside or "", "")
    tone += "" if one.complete else " open"
    place = {"left": f"{left:.2f}%", "top": f"{top:.2f}%"}
    inside = html.Strong(whole(one.count), className="last-count") if last else None
    return html.Span(inside, className="point" + (" last" if last else "") + tone, style=place, title=said)


def _band(steps: list[Step], across, up) -> list[html.Element]:
    """The band as one area for every run of steps that have one."""
    areas = []
    for run in _runs(steps, lambda step: step.lower is not None):
        top = [(across(i), up(steps[i].upper)) for i in run]
        bottom = [(across(i), up(steps[i].lower)) for i in reversed(run)]
        areas.append(_path("band", [*top, *bottom], closed=True))
        areas.append(_path("mean", [(across(i), up(steps[i].mean)) for i in run]))
    return areas


def _line(steps: list[Step], across, up) -> list[html.Element]:
    return [_path("count-line", [(across(i), up(steps[i].count)) for i in run])
            for run in _runs(steps, lambda step: step.count is not None)]  # fmt: skip


def _runs(steps: list[Step], wanted) -> list[list[int]]:
    runs: list[list[int]] = [[]]
    for i, step in enumerate(steps):
        if wanted(step):
            runs[-1].append(i)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _path(name: str, points: list[tuple[float, float]], *, closed: bool = False) -> html.Element:
    d = "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points) + ("Z" if closed else "")
    return html.Path(className=name, d=d, **{"vector-effect": "non-scaling-stroke"})
