"""What a touch opens: one area with its number, weeks, hours, categories, disputes and cameras."""

from __future__ import annotations

import numpy as np

from dashboard.compared import percent_words, scaled
from dashboard.components import html
from dashboard.components.bar import bar
from dashboard.components.card import sub_head
from dashboard.components.verdict import chip, mark
from dashboard.components.words import LEVEL_NAMES, p_text, share_text, signed, whole
from dashboard.language import say
from dashboard.pages.screen import view_trend
from dashboard.pages.screen.looked_at import LookedAt
from dashboard.pages.screen.view_hours import hour_bars
from dashboard.peak_hours import peak_words
from dashboard.trend_steps import Trend
from data.schema import CATEGORIES
from data.store.changes import Changes


def drill(
    at: LookedAt,
    name: str,
    above: str,
    found: Changes,
    weeks: Trend,
    hours: np.ndarray,
    disputes: dict,
    rates: list[dict],
) -> html.Element:
    """The panel.

    Parameters
    ----------
    hours : int array, shape (7, 24)
    disputes : dict
        Meta of the Store's ``disputes`` for the area.
    rates : list of dict
        Camera rates of the area.
    """
    back = html.Button(["← ", say("返回")], type="button", className="drill-back")
    head = html.Div(
        [html.Div([html.H2(name), html.Span([say(LEVEL_NAMES[at.area.level]), " · ", above], className="caption")]), back],
        className="drill-head",
    )  # fmt: skip
    return html.Div(
        [
            head,
            _number(at, found),
            _block(
                view_trend.title(at.step),
                view_trend.caption(weeks, at.step),
                view_trend.trend(weeks, at.step),
                "drill-trend",
            ),
            _block(say("时段"), peak_words(hours) if hours.sum() else "", _hours(hours), "drill-hours"),
            _block(say("类别"), say("竖线为{past}", past=at.past), _categories(at, found), "drill-categories"),
            _block(say("纠纷"), "", _disputes(disputes), "drill-line"),
            _block(say("摄像机"), "", _cameras(rates), "drill-line"),
        ],
        className="drill panel",
    )


def _block(title: str, caption: str, body, name: str) -> html.Element:
    return html.Div([sub_head(title, caption), html.Div(body, className="drill-body")], className=f"drill-block {name}")


def _number(at: LookedAt, found: Changes) -> html.Element:
    total = found.total
    told = [html.Span(whole(total.now), className="count"), html.Span(say("起", n=total.now or 0), className="unit")]
    against = [html.Span(say("{past} {n}", past=at.past, n=whole(total.before)), className="caption")]
    if total.difference is not None:
        past = [percent_words(total), " ", *against] if total.before else [say("{past}为0", past=at.past)]
        against = [html.Strong(signed(total.difference)), " ", *past, " ", html.Span(p_text(total.p), className="p")]
    return html.Div([html.Div(told), html.Div([chip(total.verdict), html.Div(against)])], className="drill-number")


def _hours(hours: np.ndarray) -> html.Element:
    axis = [html.Span(str(hour)) for hour in range(0, 24, 6)]
    return html.Div([hour_bars(hours), html.Div(axis, className="hour-axis caption")])


def _categories(at: LookedAt, found: Changes) -> list[html.Element]:
    known = [(name, one) for name, one in found.categories.items() if one.now]
    most = max((max(one.now, scaled(one.before, at.selection) or 0) for _, one in known), default=1) or 1
    return [
        html.Div(
            [html.Span(say(name), className="name"),
             bar(one.now, scaled(one.before, at.selection), most, f"cat-{CATEGORIES.index(name)}"),
             html.Span(whole(one.now), className="number"), html.Span(signed(one.difference), className="change"),
             mark(one.verdict)],
            className="drill-row",
        )
        for name, one in sorted(known, key=lambda item: -item[1].now)[:5]
    ]  # fmt: skip


def _disputes(meta: dict) -> str:
    if not meta["sources"]:
        return say("本发布没有纠纷来源。")
    if meta["total"] is None:
        return say("未报")
    told = meta["funnel"]
    words = [say("排查 {n} 件", n=whole(told["found"]))]
    words += [say("调处成功 {n} 件", n=whole(told["succeeded"]))] if told["succeeded"] is not None else []
    return " · ".join(words)


def _cameras(rates: list[dict]) -> str:
    told = [
        f"{say(rate['name'])} {share_text(rate['numerator'], rate['denominator'])}"
        for rate in rates
        if rate["denominator"]
    ]
    return " · ".join(told) or say("没有摄像机。")
