"""Disputes: the funnel, three rates each with its formula, how old the open ones are, and of what kind."""

from __future__ import annotations

from dashboard.compared import percent_words
from dashboard.components import html
from dashboard.components.bar import bar
from dashboard.components.card import card, empty, sub_head
from dashboard.components.link import link
from dashboard.components.rates import made_of
from dashboard.components.verdict import chip
from dashboard.components.words import (
    DISPUTE_STAGES,
    listed,
    p_text,
    share_text,
    signed,
    whole,
    window_text,
)
from dashboard.language import say
from dashboard.pages.workbench.state import PageState
from data.selection import parse_period
from data.store.changes import Change

BANDS = {"le30": "≤30天", "31_90": "31—90天", "gt90": ">90天"}
SHOWN = 8
_FILTERS = {"category": "类别", "hours": "时段", "weekdays": "星期", "polygon": "圈定范围"}
_UNREPORTED = 3  # units named; the rest are counted


def disputes(state: PageState, meta: dict, rows: list[dict], change: Change | None = None) -> html.Element:
    """The disputes of the selected area.

    Parameters
    ----------
    meta, rows
        Of :func:`data.store.disputes.disputes`.
    change : Change, optional
        ``found`` of the ``changes`` of :func:`data.store.disputes.compared_disputes`.
    """
    title = say("矛盾纠纷化解")
    if not meta["sources"]:
        return card(title, "", empty(say("本发布没有纠纷来源。")), className="disputes")
    caption = say("件 · {period}", period=_period(meta["period"]))
    if meta["total"] is None:
        body = [empty(say("这一时段没有任何上报，全部未报。")), _missing(state, meta, rows)]
        return card(title, caption, _present(body), className="disputes")
    body = [
        *_notes(state, meta),
        _found(change),
        _funnel(meta["funnel"]),
        _rates(meta["rates"]),
        _ageing(meta["ageing"]),
        _kinds(meta["categories"]),
        _absent(meta),
        _missing(state, meta, rows),
    ]
    return card(title, caption, _present(body), className="disputes")


def _present(parts: list) -> list:
    return [part for part in parts if part is not None]


def _period(period: dict) -> str:
    return window_text(parse_period(f"{period['from']}..{period['to']}"), year=True)


def _notes(state: PageState, meta: dict) -> list[html.Element]:
    """What the figures are not: those of the window, or of the filters in force."""
    selection, period = state.selection, meta["period"]
    notes = []
    if (period["from"], period["to"]) != (selection.start.isoformat(), selection.end.isoformat()):
        notes.append(say("纠纷按期上报，这里是{period}，不是所选时段。", period=_period(period)))
    if meta["ignored"]:
        notes.append(
            say("纠纷统计不分{names}，这些筛选不起作用。", names=listed(say(_FILTERS[n]) for n in meta["ignored"]))
        )
    return [html.P(["◆ ", text], className="note warn") for text in notes]


def _found(change: Change | None) -> html.Element | None:
    """The number found beside that of the period before, with its verdict."""
    if change is None or change.verdict is None or change.before is None:
        return None
    before = say("上一期{n}件", n=whole(change.before))
    if change.difference is None:
        return html.Div([html.Span(before, className="caption"), chip(change.verdict)], className="found")
    text = [
        html.Strong(signed(change.difference)),
        html.Span(percent_words(change)),
        html.Span(p_text(change.p), className="p"),
    ]
    return html.Div([html.Span(before, className="caption"), *text, chip(change.verdict)], className="found")


def _funnel(counts: dict[str, int | None]) -> html.Element:
    """Stages with their counts, each with its share of the one before; 来源未提供 where a source lacks one."""
    top = max((n for n in counts.values() if n is not None), default=0) or 1
    rows, above = [], None
    for stage, name in DISPUTE_STAGES.items():
        n = counts[stage]
        step = "" if n is None or above is None else share_text(n, above)
        number = (
            html.Span(whole(n), className="number")
            if n is not None
            else html.Span(say("来源未提供"), className="number none")
        )
        rows.append(
            html.Div(
                [
                    html.Span(say(name), className="name"),
                    html.Span(className="bar") if n is None else bar(n, None, top, ""),
                    number,
                    html.Span(step, className="change", title=say("占上一步的比例") if step else None),
                ],
                className="bar-row",
            )
        )
        above = above if n is None else n
    return html.Div(rows, className="bars funnel")


def _rates(rates: list[dict]) -> html.Element | None:
    """Three rates that all are called 调处率 somewhere, each with its formula; one at base 0 is —."""
    told = [rate for rate in rates if rate["denominator"] is not None]
    rows = [
        html.Div(
            [
                html.Span(say(rate["name"]), className="name"),
                html.Span(share_text(rate["numerator"], rate["denominator"]), className="number"),
                html.Span(made_of(rate), className="caption made-of"),
            ],
            className="rate-row without-axis",
        )
        for rate in told
    ]
    return html.Div(rows, className="rates") if rows else None


def _ageing(ageing: list[dict]) -> html.Element | None:
    """How long the open ones have been open."""
    known = [one["count"] for one in ageing if one["count"] is not None]
    if not known:
        return None
    top = max(known) or 1
    rows = [
        html.Div(
            [
                html.Span(say(BANDS.get(one["band"], one["band"])), className="name"),
                bar(one["count"], None, top, ""),
                html.Span(whole(one["count"]), className="number"),
            ],
            className="bar-row",
        )
        for one in ageing
    ]
    return html.Div([sub_head(say("未化解时长"), say("件")), html.Div(rows, className="bars ageing")])


def _kinds(categories: list[dict]) -> html.Element | None:
    """Kinds of dispute by number found, the period before as a tick."""
    found = [one for one in categories if one["found"]]
    if not found:
        return None
    shown = sorted(found, key=lambda one: (-one["found"], one["category"]))[:SHOWN]
    top = max(max(one["found"], one["before"] or 0) for one in shown)
    rows = []
    for one in shown:
        difference = "" if one["before"] is None else signed(one["found"] - one["before"])
        rows.append(
            html.Div(
                [
                    html.Span(one["category"], className="name", title=one["category"]),
                    bar(one["found"], one["before"], top, ""),
                    html.Span(whole(one["found"]), className="number"),
                    html.Span(difference, className="change"),
                ],
                className="bar-row",
            )
        )
    caption = say("排查件数 · 竖线为上一期") if any(one["before"] is not None for one in shown) else say("排查件数")
    if len(found) > len(shown):
        caption += f" · {say('前{n} / 共{all}', n=len(shown), all=len(found))}"
    return html.Div([sub_head(say("类型"), caption), html.Div(rows, className="bars kinds")])


def _absent(meta: dict) -> html.Element | None:
    """What the source does not tell at all."""
    names = [say(rate["name"]) for rate in meta["rates"] if rate["denominator"] is None]
    names += [say("未化解时长")] if all(one["count"] is None for one in meta["ageing"]) else []
    names += [] if meta["categories"] else [say("类型")]
    return html.P(say("来源未提供{names}。", names=listed(names)), className="note") if names else None


def _missing(state: PageState, meta: dict, rows: list[dict]) -> html.Element | None:
    """How many reports are missing, and the areas of which nothing has come in."""
    silent = [row for row in rows if row["state"] == "missing"]
    parts: list = []
    if meta["periods_missing"]:
        parts += [html.Span(say("缺{n}个上报期", n=f"{meta['periods_missing']:,}"), className="missing"), " "]
    if silent:
        parts += [html.Span(say("未报："), className="missing")]
    for row in silent[:_UNREPORTED]:
        parts += [link(row["name"], state.href(area=row["code"]), title=say("进入{name}", name=row["name"])), " "]
    if len(silent) > _UNREPORTED:
        parts.append(say("等{n}个", n=len(silent)))
    return html.P(parts, className="note") if parts else None
