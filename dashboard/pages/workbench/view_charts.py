"""The side column: the number of the selection, its trend, categories, week and ranking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import plotly.graph_objects as go
from dash import html

from dashboard.components.card import card, empty
from dashboard.components.link import link
from dashboard.components.verdict import chip, mark
from dashboard.components.words import (
    LEVEL_NAMES,
    MISSING,
    NOTHING,
    WEEKDAYS,
    before_name,
    now_name,
    p_text,
    signed,
    signed_percent,
    whole,
)
from dashboard.pages.workbench.state import PageState, unequal
from data.schema import CATEGORIES
from data.selection import Selection
from data.store.changes import Change
from geo.change import NORMAL, NOT_COMPARABLE

SMALL_BASE = 10  # events before, under which a percent says nothing
RANKED = 8
BLANK = {"template": "none", "height": 148, "xaxis": {"visible": False}, "yaxis": {"visible": False},
         "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}  # fmt: skip
_STEP_NAMES = {"day": "每日", "week": "每周", "month": "每月"}


@dataclass(frozen=True)
class Step:
    """One step of the trend: counts are None where missing (未报)."""

    start: date
    count: int | None
    complete: bool
    before_start: date | None = None
    before: int | None = None


def headline(name: str, state: PageState, change: Change) -> list:
    """The number of the selection with its change and verdict."""
    selection = state.selection
    past = before_name((selection.start, selection.end), selection.compare)
    head = html.Div([html.H2(name, title=name), chip(change.verdict)], className="headline-head")
    if change.now is None:
        number = html.Div([html.Span(MISSING, className="hero missing"), html.Span("没有任何上报，不按0计")])
        return [head, html.Div(number, className="headline-row")]
    number = html.Div([html.Span(whole(change.now), className="hero"), html.Span(" 起", className="unit")])
    notes = []
    if change.periods_missing:
        notes.append(f"本期缺{change.periods_missing:,}个上报期")
    row = [number]
    if selection.compare != "none":
        row.append(html.Div(_difference(change, past, selection), className="delta"))
        if change.before is not None:
            notes.insert(0, f"{past}{whole(change.before)}起")
            if change.difference is not None and change.difference != change.now - change.before:
                notes.append("差只按两期都已上报、同样齐全的部分")
    foot = html.Div(" · ".join(notes), className="caption") if notes else None
    return [head, html.Div(row, className="headline-row"), foot]


def _difference(change: Change, past: str, selection: Selection) -> list:
    if change.before is None:
        return [html.Span(f"{past}未报，无法比较", className="caption")]
    if change.difference is None:
        return [html.Span("缺报较多或尚未齐，不作比较", className="caption")]
    p = html.Span(p_text(change.p), className="p")
    if unequal(selection):
        before = selection.compare_window
        daily, past_daily = change.now / selection.days, change.before / (before[1] - before[0]).days
        return [html.Span(f"日均{daily:,.1f}，{past}{past_daily:,.1f}", className="t1"), p]
    if change.before == 0:
        text = f"{past}为0，增加{whole(change.difference)}起" if change.difference else f"{past}也为0"
        return [html.Span(text, className="t1"), p]
    percent = signed_percent(change.percent) if change.before >= SMALL_BASE else "基数小"
    return [html.Strong(signed(change.difference)), html.Span(percent), p]


# --- trend ------------------------------------------------------------------------------------------------------------


def trend_figure(steps: list[Step], step: str, now: str, past: str | None) -> go.Figure:
    """The trend beside that of the compared window: gaps where missing, hollow where a step is not complete.

    Colours are left to the style sheet, which knows the theme.
    """
    x = list(range(len(steps)))
    labels = [_label(s.start, step) for s in steps]
    figure = go.Figure()
    if past is not None:
        figure.add_scatter(
            x=x, y=[s.before for s in steps], mode="lines", name=past, connectgaps=False,
            line={"width": 1.8, "dash": "4px,3px"}, hoverinfo="skip",
        )  # fmt: skip
    figure.add_scatter(
        x=x, y=[s.count for s in steps], mode="lines+markers" if len(steps) <= 62 else "lines", name=now,
        connectgaps=False, line={"width": 2.5},
        marker={"size": 6, "symbol": ["circle" if s.complete else "circle-open" for s in steps], "line": {"width": 1.5}},
        customdata=[_hover(s, step, now, past) for s in steps], hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    every = max(1, -(-len(steps) // 7))
    top = max([v for s in steps for v in (s.count, s.before) if v is not None], default=0)
    figure.update_layout(
        template="none", height=148, margin={"l": 38, "r": 12, "t": 8, "b": 24}, showlegend=False, hovermode="x",
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", dragmode=False,
        font={"size": 12, "family": "Source Han Sans SC, Noto Sans CJK SC, Microsoft YaHei, sans-serif"},
        xaxis={"tickvals": x[::every], "ticktext": labels[::every], "fixedrange": True, "showgrid": False,
               "zeroline": False, "range": [-0.5, len(steps) - 0.5]},
        yaxis={"rangemode": "tozero", **({"dtick": 1} if top <= 3 else {"nticks": 4}), "fixedrange": True, "zeroline": False,
               "range": [0, max(top * 1.12, 1)], "tickformat": ",d"},
    )  # fmt: skip
    return figure


def _label(day: date, step: str) -> str:
    if step == "month":
        return f"{day.month}月"
    return f"{day.month}/{day.day}"


def _hover(s: Step, step: str, now: str, past: str | None) -> str:
    text = f"{_label(s.start, step)}{' 起一周' if step == 'week' else ''}　{now} "
    text += MISSING if s.count is None else f"{s.count:,}起" + ("" if s.complete else "（未完整）")
    if past is not None and s.before_start is not None:
        text += f"<br>{_label(s.before_start, step)}　{past} " + (MISSING if s.before is None else f"{s.before:,}起")
    return text


def trend_caption(step: str, state: PageState) -> list:
    """Title words and key of the trend."""
    selection = state.selection
    window = (selection.start, selection.end)
    key = ["起 · ", html.Span(className="key now", **{"aria-hidden": "true"}), now_name(window)]
    if selection.compare != "none":
        key += [" ", html.Span(className="key past", **{"aria-hidden": "true"}), before_name(window, selection.compare)]
    return [html.H2(_STEP_NAMES[step]), html.Div(key, className="caption")]


# --- categories -------------------------------------------------------------------------------------------------------


def categories(state: PageState, rows: dict[str, Change]) -> html.Section:
    """Bars by category, the compared window as a tick; a click keeps one category."""
    selection = state.selection
    compared = selection.compare != "none"
    past = before_name((selection.start, selection.end), selection.compare)
    caption = "起" + (f" · 竖线为{past}{'按天数折算' if unequal(selection) else ''}" if compared else "")
    known = [c for c in rows.values() if c.now is not None]
    if not known:
        return card("类别", caption, empty("所选时段没有任何上报。"))
    scale = before_scale(selection)
    top = max(max(c.now, (c.before or 0) * scale) for c in known) or 1
    order = sorted(rows.items(), key=lambda item: -(item[1].now or 0))
    body = [_category_row(state, name, change, top, scale) for name, change in order]
    return card("类别", caption, html.Div(body, className="bars"))


def before_scale(selection: Selection) -> float:
    """What a compared count is multiplied by before it is drawn beside a current one: 1 but for unequal windows."""
    if not unequal(selection):
        return 1.0
    before = selection.compare_window
    return selection.days / (before[1] - before[0]).days


def _bar(count: int | None, before: int | None, top: float, scale: float, fill: str) -> html.Span:
    """A bar with the compared count as a tick."""
    parts = [html.Span(className=f"fill {fill}", style={"width": _share(count, top)})]
    if before is not None:
        parts.append(html.Span(className="tick", style={"left": _share(before * scale, top)}))
    return html.Span(parts, className="bar")


def _category_row(state: PageState, name: str, change: Change, top: float, scale: float) -> html.A:
    only = state.selection.categories == (name,)
    return link(
        [
            html.Span(name, className="name"),
            _bar(change.now, change.before, top, scale, f"cat-{CATEGORIES.index(name)}"),
            html.Span(whole(change.now), className="number"),
            html.Span(_change(state, change.difference), className="change"),
            mark(change.verdict),
        ],
        state.href(categories=() if only else (name,)),
        className="bar-row" + (" only" if only else ""),
        title="回到全部类别" if only else f"只看{name}",
        **{"data-category": name},
    )


def _change(state: PageState, difference: int | None) -> str:
    """A difference, where the windows are long alike and compared at all."""
    if state.selection.compare == "none":
        return ""
    return NOTHING if unequal(state.selection) else signed(difference)


def _share(value: float | None, top: float) -> str:
    return f"{(value or 0) / top * 100:.2f}%"


# --- week -------------------------------------------------------------------------------------------------------------


def profile(state: PageState, counts: np.ndarray, unknown: int, missing: bool) -> html.Section:
    """Weekday by hour, shape (7, 24); cells filter when dragged over, heads by keyboard too."""
    if missing:
        return card("时段 × 星期", "起", empty("所选时段没有任何上报。"))
    total = int(counts.sum())
    if total == 0:
        reason = f"{unknown:,}起钟点都不明，无法分时段。" if unknown else "所选范围没有事件。"
        return card("时段 × 星期", "起", empty(reason))
    top = int(counts.max())
    selection = state.selection
    days, hours = selection.weekdays or range(1, 8), selection.counted_hours or range(24)
    filtered = bool(selection.weekdays) or selection.hours is not None
    rows = []
    for day in range(1, 8):
        cells = []
        for hour in range(24):
            n = int(counts[day - 1, hour])
            shade = int(np.ceil(5 * n / top))
            inside = " in" if filtered and day in days and hour in hours else ""
            cells.append(
                html.Td(className=f"heat-{shade}{inside}", title=f"周{WEEKDAYS[day - 1]} {hour}时　{n:,}起",
                        **{"data-hour": hour, "data-weekday": day})
            )  # fmt: skip
        only = selection.weekdays == (day,)
        head = link(WEEKDAYS[day - 1], state.href(weekdays=() if only else (day,)), className="head",
                    label=f"只看周{WEEKDAYS[day - 1]}")  # fmt: skip
        rows.append(html.Tr([html.Th(head, scope="row"), *cells]))
    axis = html.Tr([html.Td(), *(html.Td(str(hour) if hour < 21 else f"{hour}时", colSpan=3) for hour in range(0, 24, 3))],
                   className="axis")  # fmt: skip
    label = f"星期乘小时的起数，{peak(counts)}，另有{unknown}起钟点不明"
    table = html.Table(html.Tbody([*rows, axis]), className="heat", **{"data-brush": "week", "aria-label": label})
    note = html.P(f"另有{unknown:,}起钟点不明，未计入。", className="note") if unknown else None
    return card("时段 × 星期", f"起 · {peak(counts)}", [table, note])


def peak(counts: np.ndarray) -> str:
    """The three hours in a row that hold most, and their share."""
    by_hour = counts.sum(axis=0)
    three = by_hour[:-2] + by_hour[1:-1] + by_hour[2:]
    start = int(np.argmax(three))
    return f"高峰 {start}—{start + 2}时，占{three[start] * 100 / counts.sum():.0f}%"


# --- ranking ----------------------------------------------------------------------------------------------------------


def ranking(state: PageState, level: str | None, rows: list[dict], parent: str) -> html.Section:
    """The areas of the next level by count, the compared window as a tick; a click drills.

    ``parent`` is the name of the selected area, left out where names repeat it.
    """
    if level is None:
        return card("下级排名", "", empty("已是最小单元，没有下级。"))
    title = f"{LEVEL_NAMES[level]}排名"
    if not rows:
        return card(title, "", empty(f"所选区域没有{LEVEL_NAMES[level]}。"))
    order = sorted(rows, key=lambda r: (r["count"] is None, -(r["count"] or 0), r["code"]))
    shown = order[:RANKED]
    scale = before_scale(state.selection)
    top = max([max(r["count"] or 0, (r["before"] or 0) * scale) for r in shown], default=0) or 1
    missing = sum(r["count"] is None for r in rows)
    caption = f"起 · 前{len(shown)} / 共{len(rows):,}" + (f" · 未报{missing:,}" if missing else "")
    return card(title, caption, html.Ol([_rank_row(state, i, r, top, scale, parent) for i, r in enumerate(shown, 1)],
                                        className="bars ranks"))  # fmt: skip


def _rank_row(state: PageState, number: int, row: dict, top: float, scale: float, parent: str) -> html.Li:
    word = row["verdict"]
    strong = word not in (None, NORMAL, NOT_COMPARABLE)
    content = [
        html.Span(number, className="rank"),
        html.Span(row["name"].removeprefix(parent) or row["name"], className="name", title=row["name"]),
        _bar(row["count"], row["before"], top, scale, "strong" if strong else ""),
        html.Span(whole(row["count"]), className="number"),
        html.Span(_change(state, row["difference"]), className="change"),
        mark(word),
    ]
    return html.Li(link(content, state.href(area=row["code"]), className="bar-row", title=f"进入{row['name']}"))
