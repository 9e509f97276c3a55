"""The pack as a page: sections to read, comment, order and hide; what was decided; who was there."""

from __future__ import annotations

from dashboard.components import html
from dashboard.components.words import day_text
from dashboard.language import say
from dashboard.pages.meeting.looked_at import LookedAt
from dashboard.reports.files.html_file import on_page, section_parts
from dashboard.reports.model import SECTIONS, Picture, Section
from dashboard.reports.sections.hotspots import LEVEL, has_grids
from dashboard.told_hotspots import told_hotspots
from data.app_db.tables import LEVELS
from data.schema import CATEGORIES, INVALID


def contents(looked: LookedAt) -> html.Element:
    """The list of sections, each with its switch and its place; those hidden at the end."""
    order = looked.order
    rows = [_entry(key, True) for key in order] + [_entry(key, False) for key in SECTIONS if key not in order]
    return html.Ol(rows, id="contents")


def _entry(key: str, shown: bool) -> html.Element:
    name = say(SECTIONS[key])
    box = html.element("input", {"type": "checkbox", "aria-label": name, **({"checked": ""} if shown else {})})
    moves = [html.Button(mark, className="move", type="button", title=say(words), **{"aria-label": say(words), "data-move": by})
             for mark, words, by in (("↑", "上移", -1), ("↓", "下移", 1))]  # fmt: skip
    return html.Li([box, html.A(name, href=f"#s-{key}"), html.Span(moves, className="moves")], **{"data-key": key})


def section(number: int, found: Section, looked: LookedAt) -> html.Element:
    """One section with its comment."""
    pictures = {block.name: picture_address(looked, block.name) for block in found.blocks if isinstance(block, Picture)}
    body = section_parts(number, found, pictures, on_page)
    comment = html.element(
        "textarea",
        {"class": "comment-box", "data-comment": found.key, "maxlength": "400", "rows": "1", "placeholder": say("写批注（进材料）"),
         "aria-label": say("批注"), **({"disabled": ""} if _signed(looked) else {})},
        [found.comment],
    )  # fmt: skip
    return html.Div([body, comment])


def picture_address(looked: LookedAt, name: str) -> str:
    """Where a map of the pack is drawn; it names the release, so it may be kept."""
    return f"/meeting/picture{looked.query()}&name={name}&release={looked.release.info.release_id}"


def _signed(looked: LookedAt) -> bool:
    return looked.meeting is not None and looked.meeting.signed_at is not None


def side(looked: LookedAt) -> html.Element:
    """Decisions of this meeting, the form for a new one, and who signed in."""
    return html.Div([_decided(looked), _form(looked), _units(looked), _sign(looked)], id="side-parts")


def _decided(looked: LookedAt) -> html.Element:
    rows = [
        html.Li([html.Strong(one.matter), html.Div(one.action), html.Div(
            " · ".join(filter(None, (one.unit, one.post))) + " · " + say("期限 {day}", day=day_text(one.due)), className="caption")])
        for one in looked.made
    ]  # fmt: skip
    body = html.Ol(rows, className="decided") if rows else html.P(say("还没有记下的事项。"), className="empty")
    return html.Section(
        [
            html.Div([html.H2(say("议定事项")), html.Span(str(len(rows)), className="caption")], className="card-head"),
            body,
        ],
        className="card",
    )


def field(
    name: str,
    label: str,
    kind: str = "text",
    *,
    needed: bool = False,
    value: str = "",
    most: int = 0,
    options: tuple = (),
) -> html.Element:
    """One labelled control of a form."""
    told = {"name": name, **({"required": ""} if needed else {}), **({"maxlength": str(most)} if most else {})}
    if options:
        control = html.element(
            "select",
            told,
            [
                html.element("option", {"value": one, **({"selected": ""} if one == value else {})}, [text])
                for one, text in options
            ],
        )
    else:
        control = html.element("input", {**told, "type": kind, "value": value})
    return html.element("label", {"class": f"field f-{name}"}, [html.Span(label), control])


def item_fields(places: list[tuple[str, str]], due: str = "") -> list[html.Element]:
    """The fields of an item; ``places`` are codes with names."""
    categories = (("", say("全部类别")), *((one, say(one)) for one in CATEGORIES if one != INVALID))
    return [
        field("matter", say("事项"), needed=True, most=60),
        field("action", say("措施"), most=200),
        field("unit", say("责任单位"), needed=True, most=40),
        field("post", say("岗位（不写姓名）"), most=20),
        field("due", say("期限"), "date", needed=True, value=due),
        field("area_code", say("地点"), options=(("", say("不限地点")), *places)),
        field("category", say("看哪类警情的效果"), options=categories),
        field("level", say("级别"), value=LEVELS[3], options=tuple((one, say(one)) for one in LEVELS)),
    ]


def _form(looked: LookedAt) -> html.Element:
    places = place_options(looked)
    send = html.Button(say("记下"), className="button primary", type="submit")
    form = html.element(
        "form",
        {"id": "decide", "autocomplete": "off"},
        [*item_fields(places), send, html.P(className="note", id="decide-note", role="status")],
    )
    return html.Section([html.Div([html.H2(say("记一项"))], className="card-head"), form], className="card")


def place_options(looked: LookedAt) -> list[tuple[str, str]]:
    """Where an item may lie: hotspots of the period, then districts and streets."""
    at, units = looked.at, looked.release.units
    found = []
    if has_grids(at):
        found = [
            (one.group.code, say("热点{n} {place}", n=one.group.number, place=one.around))
            for one in told_hotspots(at.release, at.selection, at.scope, LEVEL)[:9]
        ]
    for level in ("district", "street"):
        shown = units.shown(level, at.area, at.scope)
        of = units.level(level)
        found += [(str(code), str(name)) for code, name, seen in zip(of.codes, of.names, shown, strict=True) if seen]
    return found


def _units(looked: LookedAt) -> html.Element:
    units = looked.question.units
    rows = [
        html.Span(
            [
                one,
                html.Button(
                    "×",
                    type="button",
                    className="cross",
                    **{"data-unit": one, "aria-label": say("去掉 {name}", name=one)},
                ),
            ],
            className="chip",
        )
        for one in units
    ]
    add = html.element("form", {"id": "sign-in", "class": "inline", "autocomplete": "off"}, [
        html.element("input", {"name": "unit", "maxlength": "40", "placeholder": say("单位名称"), "aria-label": say("签到单位")}), html.Button(say("签到"), className="button", type="submit")])  # fmt: skip
    return html.Section(
        [
            html.Div(
                [html.H2(say("签到单位")), html.Span(str(len(units)), className="caption")], className="card-head"
            ),
            html.Div(rows, className="chips"),
            add,
        ],
        className="card",
    )


def _sign(looked: LookedAt) -> html.Element:
    if _signed(looked):
        body = [
            html.P(looked.question.signed),
            html.Button(say("撤回签发"), className="button", type="button", id="unsign"),
        ]
    else:
        body = [html.element("form", {"id": "sign", "class": "inline", "autocomplete": "off"}, [
            html.element("input", {"name": "unit", "maxlength": "40", "required": "", "placeholder": say("签发单位"), "aria-label": say("签发单位")}), html.Button(say("签发"), className="button", type="submit")]),
            html.P(say("签发后材料按这一发布固定，不再改动。"), className="note")]  # fmt: skip
    return html.Section([html.Div([html.H2(say("签发"))], className="card-head"), *body], className="card")
