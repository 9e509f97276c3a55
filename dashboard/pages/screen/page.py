"""The wall as one HTML page: skeleton, parts, and which scripts it needs."""

from __future__ import annotations

from dashboard import language
from dashboard.components import html
from dashboard.components.card import sub_head
from dashboard.language import say
from dashboard.pages.asset_addresses import address
from dashboard.pages.screen.view_themes import tabs
from dashboard.settings_file import ScreenTable

DEFAULT_TITLE = "社会治安综合研判"
_STYLES = ("1_tokens.css", "screen/screen.css", "screen/panels.css", "screen/map.css")
_FIRST = ("screen/0_fit.js", "screen/1_wall.js")  # places the panels before anything is painted
_SCRIPTS = ("0_shell.js", "units.js", "identity_layer.js", "map_paint.js", "map_overlays.js", "screen/2_map.js",
            "screen/3_themes.js", "screen/4_live.js", "screen/5_remote.js", "screen/6_drill.js", "screen/7_reading.js")  # fmt: skip


def page(
    head: str, settings: ScreenTable, state: dict | None, leaflet: tuple[str, ...] = (), fault: str | None = None
) -> str:
    """The whole page.

    Parameters
    ----------
    head : str
        JavaScript that tells the scripts words and scope.
    state : dict or None
        Of :func:`~dashboard.pages.screen.gathering.quick`; None where there is nothing to show, and ``fault`` says why.
    leaflet : tuple of str
        Addresses of the map's scripts.
    """
    parts = state["parts"] if state else {}
    told = {"settings": settings.model_dump(include={"theme", "rotate_s", "themes", "dim", "walls", "left", "right"})}
    told |= {"release": state["release"], "map": state["map"]} if state else {}
    title = say(settings.title) if settings.title == DEFAULT_TITLE else settings.title
    styles = "".join(f'<link rel="stylesheet" href="{address(name)}">' for name in _STYLES)
    scripts = "".join(f'<script defer src="{src}"></script>' for src in (*leaflet, *map(address, _SCRIPTS)))
    first = "".join(f'<script src="{address(name)}"></script>' for name in _FIRST)
    again = "" if fault is None else '<meta http-equiv="refresh" content="30">'  # nobody stands by a wall to try again
    lang = "zh-CN" if language.current() == "zh" else "en"
    return (
        f'<!doctype html><html lang="{lang}" data-theme="{settings.theme}"><head><meta charset="utf-8"><title>{html.to_text(title)}'
        f'</title><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">{again}{styles}'
        f"<script>{head}window.yanpanScreen={html.to_script(told)};</script></head><body>"
        f"{html.to_text(_stage(parts, title, settings.themes, fault))}{first}{scripts if state else ''}</body></html>"
    )


def _stage(parts: dict, title: str, themes: list[str], fault: str | None) -> html.Element:
    waiting = html.P(say("正在计算…"), className="empty")
    head = html.Header(
        [
            _part("window", parts),
            html.Div([html.H1(title), _part("synthetic", parts)], className="title"),
            html.Div([_part("age", parts), html.Div([html.Div(className="time"), html.Div(className="caption day")], id="clock")],
                     className="head-right"),
        ],
        className="head",
    )  # fmt: skip
    if fault is not None:
        return html.Div(
            [head, html.Div([html.Strong(say("没有可显示的")), html.P(fault)], className="fault")], id="stage"
        )
    panels = [
        html.Section(_part("kpis", parts), className="place kpi-place", id="p-kpis"),
        _panel("trend", _part("trend_title", parts), [_part("trend", parts)], _part("trend_caption", parts)),
        _panel("week", say("时段 × 星期"), [_part("week", parts)], _part("week_caption", parts)),
        _map(parts, themes),
        _panel("top", say("高发区域 TOP10"), [_part("top", parts)], [html.Span(className="tick-key"), say("竖线为对比期")]),
        _panel("disputes", say("矛盾纠纷化解"), [_part("disputes", parts)], _part("disputes_caption", parts)),
        html.Div(
            [
                _panel("video", say("视频覆盖"), [html.Div(waiting, id="cameras")], html.Span(id="cameras_caption")),
                _panel("rules", say("九条覆盖规则"), [html.Div(id="rules")], say("通过率 · 天网六条 地网三条")),
            ],
            className="place video-group", id="p-video-group",
        ),
        _panel("supervised", say("挂牌督办"), [_part("supervised", parts)], say("件")),
        _panel("sources", say("数据来源"), [html.Ul(_inside("sources", parts), id="sources")], say("最近数据 · 距今")),
        html.Section(_part("alerts", parts), className="place panel strip", id="p-alerts"),
        html.Section(_part("reports", parts), className="place panel strip", id="p-reports"),
    ]  # fmt: skip
    return html.Div([head, *panels, html.Div(id="offline", role="status"), html.Div(id="drill")], id="stage")


def _panel(name: str, title, body: list, caption) -> html.Element:
    head = html.Div([html.H2(title), html.Div(caption, className="caption")], className="panel-head")
    return html.Section([head, html.Div(body, className="panel-body")], className=f"place panel {name}", id=f"p-{name}")


def _map(parts: dict, themes: list[str]) -> html.Element:
    captions = [html.Span(className="theme-of", **{"data-of": name}) for name in themes]
    legends = [html.Div(className="theme-of legend-box", **{"data-of": name}) for name in themes]
    head = html.Div([tabs(themes), html.Div(captions, className="theme-captions")], className="panel-head map-head")
    city = html.Div([html.Div(id="city"), *legends, html.Div(className="scale-bar")], className="map-body")
    listed = html.Div(
        [sub_head(say("热点清单"), say("所在社区24小时分布（12周）")), html.Div(id="hotspot-list")],
        className="map-list wide-only",
    )
    return html.Section(
        [head, html.Div([city, listed], className="map-row"), html.Div(_inside("foot", parts), className="map-foot", id="foot")],
        className="place panel map", id="p-map",
    )  # fmt: skip


def _part(name: str, parts: dict) -> html.Element:
    return html.Div(_inside(name, parts), id=name)


def _inside(name: str, parts: dict):
    inside = parts.get(name)
    return inside[2] if isinstance(inside, list) and inside[0] == "" else inside
