"""Charts as printed pages: trend, weekday by hour, and bars with their compared count, difference and verdict."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from dashboard.components.verdict import TONES
from dashboard.components.words import MISSING, WEEKDAYS
from dashboard.language import say
from dashboard.pictures.chart_frames import BarFrame, TrendFrame, WeekFrame
from dashboard.pictures.lettering import font, shortened, width_mm
from dashboard.pictures.page import BODY, CHART, SMALL, Box, Head, Page
from dashboard.pictures.palette import LIGHT, TONE_OF_VERDICT
from dashboard.trend_steps import Step
from geo.change import MARKS, NORMAL, NOT_COMPARABLE

_ROW_MM, _MOST_ROW_MM, _BAR_SHARE = 5.2, 8.5, 0.56
_SHADES = 5
_MANY_STEPS = 62  # from here on steps have no points of their own
_LABEL_STEP = 12  # labels on the axis of a trend, at most


def draw_trend(frame: TrendFrame, head: Head, size: tuple[float, float] = CHART) -> Figure:
    """A trend beside the compared one, with its control band; hatched gaps are 未报, hollow points not complete."""
    page = Page(size)
    body = page.frame(head)
    _trend_key(page, body, frame)
    axes = page.axes(Box(body.left + 11, body.bottom + 6, body.width - 13, body.height - 14))
    x = np.arange(len(frame.steps))
    count = _series(frame.steps, "count")
    before, lower, upper = (_series(frame.steps, name) for name in ("before", "lower", "upper"))
    for start, end in _runs(np.isfinite(upper)):
        inside = slice(start, end)
        edges = np.repeat(x[inside], 2) + np.tile([-0.5, 0.5], end - start)
        axes.fill_between(edges, np.repeat(lower[inside], 2), np.repeat(upper[inside], 2), color=LIGHT["accent-fill"],
                          alpha=0.55, linewidth=0, zorder=1)  # fmt: skip
    for start, end in _runs(_unreported(frame.steps)):
        axes.axvspan(start - 0.5, end - 0.5, facecolor=LIGHT["warn-fill"], edgecolor=LIGHT["warn"], hatch="////",
                     linewidth=0, alpha=0.7, zorder=0.5)  # fmt: skip
    if frame.past is not None:
        axes.plot(x, before, color=LIGHT["t2"], linewidth=1.3, dashes=(4, 3), zorder=2)
    axes.plot(x, count, color=LIGHT["accent"], linewidth=1.9, zorder=3)
    if len(x) <= _MANY_STEPS:
        full = np.array([step.complete for step in frame.steps], dtype=bool)
        for chosen, fill in ((full, LIGHT["accent"]), (~full, LIGHT["panel"])):
            axes.plot(x[chosen], count[chosen], linestyle="", marker="o", markersize=4.5, markerfacecolor=fill,
                      markeredgecolor=LIGHT["accent"], markeredgewidth=1.2, zorder=4)  # fmt: skip
    for side, mark, tone in (("above", "^", "bad"), ("below", "v", "good")):
        at = np.array([step.outside == side for step in frame.steps], dtype=bool)
        axes.plot(x[at], count[at], linestyle="", marker=mark, markersize=7, color=LIGHT[tone], zorder=5)
    _trend_axes(axes, frame, np.concatenate([count, before, upper]))
    return page.figure


def _series(steps: tuple[Step, ...], name: str) -> np.ndarray:
    return np.array([np.nan if getattr(step, name) is None else getattr(step, name) for step in steps], dtype=float)


def _unreported(steps: tuple[Step, ...]) -> np.ndarray:
    """Which steps are 未报; a day the weekday filter leaves out is not."""
    return np.array([step.count is None and not step.left_out for step in steps], dtype=bool)


def _label(step: Step, kind: str) -> str:
    day = step.start
    return f"{day.year}/{day.month}" if kind == "month" else f"{day.month}/{day.day}"


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _trend_axes(axes: Axes, frame: TrendFrame, values: np.ndarray) -> None:
    steps = frame.steps
    top = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
    axes.set_xlim(-0.6, len(steps) - 0.4)
    axes.set_ylim(0, max(top * 1.1, 1))
    every = max(1, -(-len(steps) // _LABEL_STEP))
    axes.set_xticks(range(0, len(steps), every), [_label(step, frame.step) for step in steps[::every]])
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="y", color=LIGHT["line"], linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_facecolor(LIGHT["panel"])
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LIGHT["line2"])
    axes.tick_params(length=0, colors=LIGHT["t3"])
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(SMALL))
        label.set_color(LIGHT["t3"])


def _trend_key(page: Page, body: Box, frame: TrendFrame) -> None:
    """Names of what is drawn, with a piece of each."""
    x, y = body.left, body.top - 3.0
    page.text(x, y, say("起"), SMALL, colour="t3")
    x += 8
    items = [(frame.now, "line", "accent")]
    items += [(frame.past, "dash", "t2")] if frame.past is not None else []
    if any(step.upper is not None for step in frame.steps):
        items.append((say("控制带"), "band", "accent-fill"))
    if not all(step.complete for step in frame.steps) and len(frame.steps) <= _MANY_STEPS:
        items.append((say("未完整"), "hollow", "accent"))
    if _unreported(frame.steps).any():
        items.append((say(MISSING), "hatch", "warn"))
    if any(step.outside == "above" for step in frame.steps):
        items.append((say("高出控制带"), "^", "bad"))
    if any(step.outside == "below" for step in frame.steps):
        items.append((say("低于控制带"), "v", "good"))
    for name, kind, colour in items:
        _key_piece(page, x, y + 1.0, kind, colour)
        page.text(x + 9, y, name, SMALL)
        x += 9 + width_mm(name, SMALL) + 7


def _key_piece(page: Page, x: float, y: float, kind: str, colour: str) -> None:
    if kind in ("band", "hatch"):
        page.rectangle(Box(x, y - 1.6, 7, 3.2), fill=colour, hatched=kind == "hatch", line=0.4)
    elif kind == "line":
        page.line((x, x + 7), (y, y), colour=colour, width=1.9)
    elif kind == "dash":
        for start in (0.0, 2.8, 5.6):
            page.line((x + start, x + start + 1.6), (y, y), colour=colour, width=1.3)
    else:
        shape, fill = ("o", LIGHT["panel"]) if kind == "hollow" else (kind, LIGHT[colour])
        page.marker(x + 3.5, y, shape, 5, markerfacecolor=fill, markeredgecolor=LIGHT[colour], markeredgewidth=1.2)


def draw_week(frame: WeekFrame, head: Head, size: tuple[float, float] = CHART) -> Figure:
    """Weekday by hour, the sums of each at the edges."""
    page = Page(size)
    body = page.frame(head)
    if frame.missing or not frame.counts.sum():
        _nothing(page, body, say("所选时段没有任何上报。") if frame.missing else say("所选范围没有钟点明确的事件。"))
        return page.figure
    top = int(frame.counts.max())
    _week_key(page, body, top)
    left, sums_mm, axis_mm, key_mm = 8.0, 16.0, 13.0, 6.5
    wide, high = (body.width - left - sums_mm) / 24, (body.height - axis_mm - key_mm) / 7
    written = width_mm(str(top), SMALL) < wide - 0.8  # numbers in all cells or in none
    bottom = body.bottom + axis_mm
    for day, hour in np.ndindex(7, 24):
        number, y = int(frame.counts[day, hour]), bottom + (6 - day) * high
        shade = -(-_SHADES * number // top)
        cell = Box(body.left + left + hour * wide + 0.4, y + 0.4, wide - 0.8, high - 0.8)
        page.rectangle(cell, fill=f"count-{shade}")
        if number and written:
            page.text(cell.left + cell.width / 2, y + high / 2, str(number), SMALL, align="center",
                      colour="t1" if shade < 3 else "panel", vertical="center_baseline")  # fmt: skip
    for day in range(7):
        y = bottom + (6 - day + 0.5) * high
        page.text(body.left, y, say(WEEKDAYS[day]), BODY, vertical="center_baseline")
        total = f"{int(frame.counts[day].sum()):,}"
        page.text(body.right, y, total, BODY, bold=True, colour="t1", align="right", vertical="center_baseline")
    hours = frame.counts.sum(axis=0)
    for hour in range(24):
        x = body.left + left + (hour + 0.5) * wide
        page.text(x, bottom - 3.6, str(hour), SMALL, colour="t3", align="center")
        page.rectangle(
            Box(x - wide * 0.3, body.bottom + 1.0, wide * 0.6, 6.5 * hours[hour] / hours.max()), fill="count-3"
        )
    page.text(body.right, bottom - 3.6, say("时　合计"), SMALL, colour="t3", align="right")
    return page.figure


def _week_key(page: Page, body: Box, top: int) -> None:
    """What the shades mean, in events."""
    x, y = body.left, body.top - 3.4
    page.text(x, y, say("起"), SMALL, colour="t3")
    x += 8
    low = 1
    for shade in range(_SHADES + 1):
        high = shade * top // _SHADES
        if shade and high < low:
            continue  # so few events that the shade stands for no number
        text = "0" if not shade else str(low) if low == high else f"{low:,}—{high:,}"
        page.rectangle(Box(x, y - 0.7, 6.5, 3.4), fill=f"count-{shade}", edge="line2", line=0.4)
        page.text(x + 8, y, text, SMALL)
        x += 8 + width_mm(text, SMALL) + 6
        low = high + 1 if shade else 1


def draw_bars(frame: BarFrame, head: Head, size: tuple[float, float] = CHART) -> Figure:
    """Rows of bars: name, bar with the compared count as a tick, count, difference, p and verdict."""
    page = Page(size)
    body = page.frame(head)
    if not frame.rows:
        _nothing(page, body, say("所选范围没有可列的行。"))
        return page.figure
    heads_mm = 6.0
    row = min((body.height - heads_mm) / len(frame.rows), _MOST_ROW_MM)
    shown = frame.rows[: int((body.height - heads_mm) / max(row, _ROW_MM))]
    row = max(row, _ROW_MM)
    names = min(max(width_mm(bar.name, BODY) for bar in shown), body.width * 0.3)
    columns = _columns(body, any(bar.verdict for bar in shown))
    bars = Box(body.left + names + 4, body.bottom, columns[0] - 16 - (body.left + names + 4), body.height)
    top = max([max(bar.value or 0, bar.before or 0) for bar in shown], default=0) or 1
    y = body.top - 3.4
    more = " · " + say("前{n} / 共{m}", n=len(shown), m=f"{frame.total:,}") if frame.total > len(shown) else ""
    page.text(body.left, y, frame.unit + more, SMALL, colour="t3")
    for x, words in zip(columns, (say("起"), say("差"), "p", say("判断")), strict=False):
        page.text(x, y, words, SMALL, colour="t3", align="right" if words != say("判断") else "left")
    page.line((body.left, body.right), (y - 1.8, y - 1.8), colour="line")
    for number, bar in enumerate(shown):
        middle = body.top - heads_mm - (number + 0.5) * row
        _bar_row(page, body, bars, columns, bar, middle, row, names, top)
    return page.figure


def _columns(body: Box, compared: bool) -> tuple[float, ...]:
    """Where count, difference and p end, and where the verdict begins."""
    if not compared:
        return (body.right,)
    return body.right - 58, body.right - 42, body.right - 24, body.right - 20


def _bar_row(
    page: Page, body: Box, bars: Box, columns, bar, middle: float, row: float, names: float, top: float
) -> None:
    def write(x: float, text: str, **style) -> None:
        page.text(x, middle, text, BODY, vertical="center", **style)

    write(body.left, shortened(bar.name, names, BODY), colour="t1")
    high = row * _BAR_SHARE
    if bar.value is None:
        page.rectangle(Box(bars.left, middle - high / 2, 9.0, high), hatched=True, line=0.5)
    elif bar.value:
        page.rectangle(Box(bars.left, middle - high / 2, bars.width * bar.value / top, high), fill=bar.colour)
    if bar.before is not None:
        x = bars.left + bars.width * bar.before / top
        page.line((x, x), (middle - high * 0.72, middle + high * 0.72), colour="t1", width=1.3)
    write(columns[0], bar.number, colour="t1", bold=True, align="right")
    if len(columns) > 1:
        write(columns[1], bar.difference, align="right")
        write(columns[2], bar.p, colour="t3", align="right")
        if bar.verdict:
            tone = TONE_OF_VERDICT[TONES[bar.verdict]]
            calm = bar.verdict in (NORMAL, NOT_COMPARABLE)
            text = shortened(f"{MARKS[bar.verdict]} {say(bar.verdict)}", body.right - columns[3], BODY - 0.5)
            page.text(columns[3], middle, text, BODY - 0.5, colour=tone, bold=not calm, vertical="center")


def _nothing(page: Page, body: Box, why: str) -> None:
    page.text(body.left + body.width / 2, body.bottom + body.height / 2, why, BODY + 1, colour="t3", align="center")
