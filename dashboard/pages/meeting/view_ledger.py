"""The ledger as a board, a list and a map: what is open, overdue, closed and being watched, struck off."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

from dashboard.components import html
from dashboard.components.words import day_text, p_text, share_text, short_day, signed_tenths
from dashboard.language import say
from dashboard.pages.meeting.view_pack import field, item_fields
from dashboard.supervised import due_words
from data.app_db import Change, Item
from data.app_db.ledger import CLOSED, NAMES, OPEN, SOON_DAYS, STRUCK, burn_down, count, is_overdue, punctual
from data.app_db.tables import KINDS, STATES, WARNINGS
from data.store.effect import Effect
from geo.evaluation.displacement import NO_CONTROL

_WEEKS, _SHOWN = 12, 12
_MILD, _STRONG = 0.05, 0.01
OVERDUE = "逾期"
COLUMNS = ((OPEN, "○", "accent"), (OVERDUE, "×", "bad"), (CLOSED, "◐", "none"), (STRUCK, "✓", "good"))


def strip(items: list[Item], today: date) -> html.Element:
    """Five numbers and the burn-down."""
    told = count(items, today)
    good, ended = punctual(items, today - timedelta(weeks=_WEEKS), today)
    cells = [
        (say("未办结"), f"{told.open:,}", say("逾期{n}", n=told.overdue), "bad" if told.overdue else ""),
        (say("7日内到期"), f"{told.soon:,}", "" if told.next_due is None else say("最近 {day}", day=day_text(told.next_due)), "warn" if told.soon else ""),
        (say("结案待观察"), f"{told.closed:,}", say("满4周评估"), ""),
        (say("按期办结率"), share_text(good, ended), say("{a}÷{b}，近12周", a=good, b=ended), ""),
        (say("销号"), f"{told.struck:,}", say("近7日 {n}", n=told.struck_lately), ""),
    ]  # fmt: skip
    numbers = [
        html.Div(
            [html.Div(name, className="caption"), html.Strong(number), html.Div(more, className=f"caption {tone}")]
        )
        for name, number, more, tone in cells
    ]
    return html.Div([html.Div(numbers, className="ledger-numbers"), _burn_down(items, today)], className="ledger-strip")


def _burn_down(items: list[Item], today: date) -> html.Element:
    days = [today - timedelta(weeks=n) for n in reversed(range(_WEEKS))]
    rows = burn_down(items, days)
    most = max((n for _, n, _ in rows), default=0) or 1
    bars = [
        html.Div([html.Span(str(open_then), className="value"),
                  html.Div([html.Div(className="late", style={"height": f"{100 * late / max(open_then, 1):.0f}%"})], className="column", style={"height": f"{44 * open_then / most:.0f}px"}),
                  html.Span(short_day(day), className="day")], title=say("{day} 未办结{n}，其中逾期{m}", day=day_text(day), n=open_then, m=late), className="bar-of")
        for day, open_then, late in rows
    ]  # fmt: skip
    head = html.Div(
        [
            html.Span(say("近12周未办结")),
            html.Span("■", className="accent"),
            say("在办"),
            html.Span("■", className="bad"),
            say(OVERDUE),
        ],
        className="caption",
    )
    return html.Div([head, html.Div(bars, className="burn-bars")], className="burn")


def column_of(item: Item, today: date) -> str:
    """Where a card stands."""
    return OVERDUE if is_overdue(item, today) else item.state


def board(items: list[Item], effects: dict[int, list[Effect]], today: date) -> html.Element:
    """Four columns of cards, the most pressing first."""
    columns = []
    for name, mark, tone in COLUMNS:
        own = [one for one in items if column_of(one, today) == name]
        own.sort(key=lambda one: (one.struck or one.closed or one.due, one.id), reverse=name in (CLOSED, STRUCK))
        title = say("结案·看效果") if name == CLOSED else say(name)
        head = html.H2(
            [
                html.Span(mark, className=tone, **{"aria-hidden": "true"}),
                f" {title} ",
                html.Span(str(len(own)), className="count"),
            ]
        )
        cards = [card(one, effects.get(one.id, []), today) for one in own[:_SHOWN]]
        more = (
            html.P(say("另有 {n} 件，见清单", n=len(own) - _SHOWN), className="caption") if len(own) > _SHOWN else None
        )
        columns.append(html.Section([head, *cards, more], className=f"column-of c-{tone}"))
    return html.Div(columns, className="board")


def card(item: Item, effects: list[Effect], today: date) -> html.Element:
    """Place and matter, action, unit · post, deadline with days left, effect as before and after with its test."""
    column = column_of(item, today)
    tone = (
        "bad"
        if column == OVERDUE
        else "warn"
        if item.state == OPEN and (item.due - today).days <= SOON_DAYS
        else "none"
    )
    if item.state == OPEN:
        when = [html.Span(say("期限 {day}", day=day_text(item.due))), html.Span(due_words(item, today), className=tone)]
    else:
        ended = item.struck or item.closed
        when = [html.Span(say("{what} {day}", what=say(item.state), day=day_text(ended) if ended else "")), None]
    warning = html.Span(say(item.warning), className="tag bad") if item.warning else None
    parts = [html.Div([html.Strong(item.matter), html.Span(item.number, className="caption")], className="card-line"), html.P(item.action) if item.action else None, html.Div(item.place, className="caption") if item.place else None,
             html.Div([" · ".join(filter(None, (item.unit, item.post))), " ", warning], className="t2"), html.Div(when, className="card-line")]  # fmt: skip
    if effects:
        parts.append(effect(effects[-1]))
    elif item.state != OPEN:
        parts.append(html.Div(say("满4周且有地点的事项会自动评估。"), className="caption effect"))
    return html.element(
        "article",
        {"class": f"item {'late' if column == OVERDUE else ''}", "tabindex": "0", "data-item": str(item.id)},
        parts,
    )


def effect(one: Effect) -> html.Element:
    """Weekly averages before and after at the place, and what the test with controls says."""
    before = one.treated[0] / ((one.before[1] - one.before[0]).days / 7)
    after = one.treated[1] / one.weeks
    most = max(before, after, 0.1)
    bars = [
        html.Div(
            [
                html.Span(className=f"bar-{name}", style={"width": f"{70 * value / most:.0f}%"}),
                html.Span(f"{value:.1f}"),
            ],
            className="effect-bar",
        )
        for name, value in (("before", before), ("after", after))
    ]
    found = one.measured
    if found.note == NO_CONTROL:
        told, tone = say(NO_CONTROL), "none"
    elif found.p < _MILD:
        down = found.estimate < 0
        told, tone = (
            say("较对照{n}起 {p}", n=signed_tenths(found.estimate), p=p_text(found.p)),
            ("good" if down else "bad"),
        )
        told = ("▼ " if found.p < _STRONG else "▽ ") + told if down else "▲ " + told
    else:
        told, tone = (
            "○ " + say("较对照{n}起，未超出偶然 {p}", n=signed_tenths(found.estimate), p=p_text(found.p)),
            "none",
        )
    words = say("前周均{a}，后{w}周均{b}", a=f"{before:.1f}", b=f"{after:.1f}", w=one.weeks)
    return html.Div(
        [
            *bars,
            html.Div([html.Span(words, className="caption"), html.Span(told, className=tone)], className="card-line"),
        ],
        className="effect",
    )


def table(items: list[Item], effects: dict[int, list[Effect]], today: date) -> html.Element:
    """Every item as a row."""
    head = [
        say(name)
        for name in (
            "编号",
            "种类",
            "级别",
            "事项",
            "地点",
            "责任单位",
            "岗位",
            "立项日",
            "期限",
            "状态",
            "黄牌",
            "效果",
        )
    ]
    rows = []
    for one in sorted(items, key=lambda item: (not is_overdue(item, today), item.state != OPEN, item.due, item.id)):
        late = is_overdue(one, today)
        state = due_words(one, today) if late else say(one.state)
        told = effects.get(one.id)
        worth = "" if not told else say("{w}周 {n}起", w=told[-1].weeks, n=signed_tenths(told[-1].measured.estimate))
        cells = (
            one.number,
            say(one.kind),
            say(one.level),
            one.matter,
            one.place,
            one.unit,
            one.post,
            str(one.opened),
            str(one.due),
            state,
            say(one.warning) if one.warning else "",
            worth,
        )
        rows.append(
            html.element(
                "tr",
                {"data-item": str(one.id), "tabindex": "0", "class": "late" if late else ""},
                [html.Td(text) for text in cells],
            )
        )
    return html.Table(
        [html.element("thead", {}, [html.Tr([html.Th(name) for name in head])]), html.Tbody(rows)],
        className="ledger-table",
    )


def marks(items: list[Item], points: dict[int, tuple[float, float]], today: date) -> list[dict]:
    """What the map view writes at each place."""
    shapes = {name: (mark, tone) for name, mark, tone in COLUMNS}
    found = []
    for one in items:
        if one.id in points:
            mark, tone = shapes[column_of(one, today)]
            lon, lat = points[one.id]
            found.append(
                {
                    "id": one.id,
                    "lon": lon,
                    "lat": lat,
                    "mark": mark,
                    "tone": tone,
                    "label": f"{one.matter} · {one.unit} · {say(one.state)}",
                    "polygon": one.polygon,
                }
            )
    return found


def dialog(places: list[tuple[str, str]]) -> html.Element:
    """The form in which an item is added or changed."""
    extra = [
        field("kind", say("种类"), value=KINDS[0], options=tuple((one, say(one)) for one in KINDS)),
        field("state", say("状态"), value=OPEN, options=tuple((one, say(one)) for one in STATES)),
        field("closed", say("结案日"), "date"),
        field("warning", say("黄牌"), options=tuple((one, say(one) if one else say("无")) for one in WARNINGS)),
        field("polygon", say("范围（在图上画）")),
    ]
    draw = html.Button(say("在图上画"), className="button", type="button", id="draw")
    buttons = html.Div(
        [
            html.Button(say("取消"), className="button", type="button", id="item-cancel"),
            html.Button(say("保存"), className="button primary", type="submit"),
        ],
        className="buttons",
    )
    form = html.element("form", {"id": "item-form", "autocomplete": "off", "method": "dialog"}, [
        html.H2(say("事项"), id="item-title"), html.Div([*item_fields(places), *extra, draw], className="fields"),
        html.P(className="fault-line bad", id="item-fault", role="alert"), buttons, html.Div(id="item-history")])  # fmt: skip
    return html.element("dialog", {"id": "item-dialog"}, [form])


def history(found: list[Change], zone: ZoneInfo) -> html.Element:
    """Every change of an item, the latest first."""
    rows = []
    for one in found:
        what = say("；").join(
            f"{say(NAMES.get(name, name))} {old or '—'} → {new or '—'}"
            for name, (old, new) in one.what.items()
            if name != "meeting_id"
        )
        rows.append(
            html.Li(
                [
                    html.Span(
                        f"{one.at.replace(tzinfo=UTC).astimezone(zone):%Y-%m-%d %H:%M} · {one.by}", className="caption"
                    ),
                    html.Div(what),
                ]
            )
        )
    return html.Div([html.H3(say("改动记录")), html.Ol(rows)])
