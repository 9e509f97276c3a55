"""The meeting as one HTML page: bar, controls, sections, side; and what its scripts need to know."""

from __future__ import annotations

from dashboard import language
from dashboard.components import html
from dashboard.components.topbar import plain_topbar
from dashboard.language import say
from dashboard.pages.asset_addresses import address
from dashboard.pages.meeting import view_ledger, view_pack
from dashboard.pages.meeting.looked_at import KINDS, LookedAt

_STYLES = ("1_tokens.css", "2_shell.css", "meeting/meeting.css", "screen/map.css")
_SCRIPTS = ("0_shell.js", "meeting/1_pack.js", "meeting/2_present.js", "meeting/3_ledger.js")
_MAP = ("units.js", "identity_layer.js", "map_paint.js", "screen/2_map.js", "meeting/4_map.js")
BRAND = "研判"
VIEWS = ("pack", "board", "list", "map")


def page(head: str, release: list, body: html.Element, told: dict, leaflet: tuple[str, ...] = ()) -> str:
    """The whole page.

    Parameters
    ----------
    head : str
        JavaScript that tells the scripts words and scope.
    release : list
        What the bar says of the release.
    told : dict
        For the scripts: period, area, release, versions.
    leaflet : tuple of str
        Addresses of the map's scripts, where the page has a map.
    """
    styles = "".join(f'<link rel="stylesheet" href="{address(name)}">' for name in _STYLES)
    scripts = (*leaflet, *map(address, (*_SCRIPTS, *(_MAP if leaflet else ()))))
    title = " · ".join((say("碰头会"), BRAND))
    lang = "zh-CN" if language.current() == "zh" else "en"
    whole = html.Div([plain_topbar("/meeting", release), body], className="meeting-page")
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{html.to_text(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">{styles}'
        f"<script>{head}window.yanpanMeeting={html.to_script(told)};</script></head><body>{html.to_text(whole)}"
        f"{''.join(f'<script defer src={chr(34)}{src}{chr(34)}></script>' for src in scripts)}</body></html>"
    )


def controls(looked: LookedAt, view: str) -> html.Element:
    """Title, period, area, views, and what can be done."""
    at = looked.at
    kinds = [
        html.element(
            "option",
            {"value": looked.of_kind(kind), **({"selected": ""} if say(name) == say(at.meeting) else {})},
            [say(name)],
        )
        for kind, name in KINDS.items()
    ]
    if at.meeting not in KINDS.values():
        kinds.insert(0, html.element("option", {"value": looked.question.period, "selected": ""}, [say(at.meeting)]))
    steps = [
        html.A(
            mark,
            href=looked.query(period=looked.neighbour(by), view=view),
            className="button step",
            title=say(words),
            **{"aria-label": say(words)},
        )
        for mark, words, by in (("‹", "上一期", -1), ("›", "下一期", 1))
    ]
    views = [html.A(say(name), href=looked.query(view=key if key != "pack" else ""), className="on" if key == view else "", **({"aria-current": "page"} if key == view else {}))
             for key, name in (("pack", "材料"), ("board", "看板"), ("list", "清单"), ("map", "地图"))]  # fmt: skip
    left = [
        html.element("select", {"id": "kind", "aria-label": say("会议")}, kinds),
        steps[0],
        html.Span(at.period_words(), className="period"),
        steps[1],
        _area(looked),
    ]
    return html.Div(
        [
            html.Div(left, className="controls-left"),
            html.Nav(views, className="segment", **{"aria-label": say("视图")}),
            html.Div(_deeds(looked, view), className="controls-right"),
        ],
        className="controls",
    )


def _area(looked: LookedAt) -> html.Element:
    units = looked.release.units
    groups = [html.element("option", {"value": ""}, [say("全市") if looked.scope.areas is None else say("授权区域")])]
    for level in ("district", "street"):
        of, shown = units.level(level), units.in_scope(level, looked.scope)
        options = [
            html.element(
                "option",
                {"value": str(code), **({"selected": ""} if str(code) == looked.question.area else {})},
                [str(name)],
            )
            for code, name, seen in zip(of.codes, of.names, shown, strict=True)
            if seen
        ]
        if options:
            groups.append(
                html.element("optgroup", {"label": say("区县") if level == "district" else say("街道")}, options)
            )
    return html.element("select", {"id": "area", "aria-label": say("区域")}, groups)


def _deeds(looked: LookedAt, view: str) -> list:
    if view != "pack":
        load = html.element(
            "label",
            {"class": "button", "title": say("XLSX 或 XLS，至少有 事项、责任单位、期限 三列")},
            [
                say("导入清单"),
                html.element("input", {"type": "file", "id": "import", "accept": ".xlsx,.xls", "hidden": ""}),
            ],
        )
        return [load, html.Button(say("新增事项"), className="button primary", type="button", id="item-new")]
    forms = [
        html.A(text, href=f"/meeting/file{looked.query(form=form)}", className="file", download="")
        for form, text in (
            ("pptx", "PPTX"),
            ("docx", "DOCX"),
            ("pdf", "PDF A4"),
            ("pdf16x9", "PDF 16:9"),
            ("html", "HTML"),
        )
    ]
    circulated = [
        html.A(
            say("{form}（通报版）", form=text),
            href=f"/meeting/file{looked.query(form=form, circulate='1')}",
            className="file",
            download="",
        )
        for form, text in (("docx", "DOCX"), ("pdf", "PDF A4"))
    ]
    menu = html.Details(
        [html.Summary(say("导出")), html.Div([*forms, *circulated], className="menu card-menu")],
        className="menu-of right",
    )
    frozen = looked.meeting is not None and looked.meeting.release_id is not None
    freeze = html.Button(
        say("解除冻结") if frozen else say("冻结发布"),
        className="button" + (" on" if frozen else ""),
        type="button",
        id="freeze",
        title=say("冻结后会上看到的数不随新发布变化"),
    )
    link = html.Button(say("复制链接"), className="button", type="button", id="copy-link")
    return [
        link,
        freeze,
        menu,
        html.Button(
            say("演示"),
            className="button primary",
            type="button",
            id="present",
            title=say("全屏，← → 翻页，D 记事项，Esc 退出"),
        ),
    ]


def pack_body(looked: LookedAt, first: html.Element) -> html.Element:
    """Contents, sections (the first is there, the others follow), side."""
    sections = [
        html.Div(
            first if i == 0 else html.P(say("正在计算…"), className="empty"),
            id=f"s-{key}",
            className="section-of",
            **{"data-key": key},
        )
        for i, key in enumerate(looked.order)
    ]
    warnings = html.Div(id="warnings")
    left = html.Div([html.H2(say("各节")), view_pack.contents(looked)], className="pack-contents")
    signed = html.P("✓ " + looked.question.signed, className="signed-bar") if looked.question.signed else None
    return html.Div([controls(looked, "pack"), signed, html.P(className="fault-line bad", id="fault", role="alert"),
                     html.Main([left, html.Div([warnings, *sections], className="pack-sections", id="sections"), html.Div(view_pack.side(looked), className="pack-side", id="side")], className="pack-body"),
                     html.Div(id="presenter", role="dialog", **{"aria-label": say("演示")})])  # fmt: skip


def ledger_body(looked: LookedAt, view: str, effects: dict, places: list) -> html.Element:
    """The strip, then the board, the list or the map."""
    items, today = looked.items, looked.at.today
    if view == "board":
        shown = view_ledger.board(items, effects, today)
    elif view == "list":
        shown = view_ledger.table(items, effects, today)
    else:
        shown = html.Div([html.Div(id="city"), html.Div(className="scale-bar")], className="map-body ledger-map")
    foot = html.Div([say("灰条为措施前每周起数，蓝条为措施后，按事项圈定的地点统计；结论看与对照地点之差。责任到单位和岗位，不记姓名。"),
                     html.Span(say("发布 {id}", id=looked.release.info.release_id))], className="ledger-foot caption")  # fmt: skip
    nothing = (
        html.P(say("台账里还没有事项。按“新增事项”，或导入已有的清单。"), className="empty")
        if not items and view != "map"
        else None
    )
    return html.Div([controls(looked, view), html.P(className="fault-line bad", id="fault", role="alert"),
                     html.Main([view_ledger.strip(items, today), nothing, shown, foot], className="ledger-body"), view_ledger.dialog(places)])  # fmt: skip
