"""The skeleton of the page; everything in it that depends on data is filled in by callbacks."""

from __future__ import annotations

import dash_ag_grid as dag
import dash_leaflet as dl
from dash import dcc, html

from dashboard import language
from dashboard.components.topbar import topbar
from dashboard.language import say
from dashboard.pages.caller import caller_language
from dashboard.pages.workbench import ids, view_drawer
from dashboard.pages.workbench.state import TABS

_TABLE_THEME = """themeQuartz.withParams({
 fontFamily: 'inherit', fontSize: 13, headerFontSize: 12, headerFontWeight: 400, headerTextColor: 'var(--t3)',
 backgroundColor: 'var(--panel)', foregroundColor: 'var(--t1)', headerBackgroundColor: 'var(--raised)',
 borderColor: 'var(--line)', rowHoverColor: 'var(--raised)', browserColorScheme: 'inherit', wrapperBorder: false, wrapperBorderRadius: 0,
 accentColor: 'var(--accent)', headerColumnResizeHandleColor: 'transparent', cellHorizontalPadding: 12
})"""


def layout() -> html.Div:
    """The page, in the visitor's language."""
    language.use(caller_language())
    return html.Div(
        [
            dcc.Location(id=ids.URL, refresh=False),
            *(
                dcc.Store(id=name)
                for name in (
                    ids.FOCUS,
                    ids.FRAME,
                    ids.SIDE,
                    ids.MORE,
                    ids.SEEING,
                    ids.SEEN,
                    ids.WHERE,
                    ids.WHAT,
                    ids.REQUEST,
                    ids.VALUES,
                    ids.FIGURE,
                    ids.MAPPED,
                )
            ),
            dcc.Store(id=ids.LATER, data={"trend": _trend().to_plotly_json(), "table": _table().to_plotly_json()}),
            topbar("/workbench", id=ids.TOPBAR),
            html.Div(
                [
                    html.Div(id=ids.CRUMBS),
                    html.Div(id="map-find"),
                    html.Div(id=ids.CHIPS, className="chips"),
                    _actions(),
                ],
                className="subbar",
            ),
            html.Div(id=ids.FAULT, **{"aria-live": "polite"}),
            html.Div(
                [
                    html.Aside(html.Div(id=ids.RAIL, className="rail"), **{"aria-label": say("筛选")}),
                    html.Main([_map(), _drawer()], className="centre"),
                    html.Aside(_side(), className="side", **{"aria-label": say("图表")}),
                ],
                className="workbench",
            ),
        ],
        className="page",
    )


def _actions() -> html.Div:
    """What is done with the state: play it, send it, take it away; and, in narrow windows, the panels at the sides."""
    export = html.Details(
        [html.Summary(say("导出"), className="button"), html.Div(id="export-list", className="menu floating-card exports")],
        id="export-menu", className="menu-of right",
    )  # fmt: skip
    buttons = [
        html.Button(text, type="button", className="button" + extra, **attributes)
        for text, extra, attributes in (
            (say("筛选"), " narrow-only", {"data-drawer": "rail"}),
            (say("图表"), " narrow-only", {"data-drawer": "side"}),
            (say("播放"), "", {"id": "player-open"}),
            (say("复制链接"), "", {"id": "copy-link"}),
        )
    ]
    return html.Div([*buttons, export], className="actions")


def _map() -> html.Div:
    city = dl.Map(
        [], id=ids.MAP, zoomControl=False, attributionControl=False, preferCanvas=False, zoomSnap=0.25, zoomDelta=0.5,
        maxZoom=19, minZoom=4, center=[0, 0], zoom=4, className="map",
    )  # fmt: skip
    buttons = (
        ("in", "+", say("放大")),
        ("out", "−", say("缩小")),
        ("fit", "⌂", say("回到所选区域")),
        ("measure", "↔", say("量距离")),
    )
    swipe = html.Div(html.Span("‹ ›", **{"aria-hidden": "true"}), id="swipe-handle", className="swipe-handle", tabIndex=0, role="slider",
                     **{"aria-label": say("卷帘位置"), "aria-valuemin": "0", "aria-valuemax": "100"})  # fmt: skip
    return html.Div(
        [
            city,
            swipe,
            html.Div([html.Div(className="window-name now"), html.Div(className="window-name before")], className="window-names"),
            html.Div(id="map-progress", className="map-progress", hidden=True),
            html.Div(say("正在读取地图数据…"), id="map-waiting", className="map-waiting", hidden=True),
            html.Div(id=ids.MAP_TOOLS, className="map-tools"),
            html.Details(
                [html.Summary([say("图层"), " ", html.Span(id="layer-count", className="caption")]), html.Div(id="layer-panel")],
                className="layers floating-card",
            ),
            html.Aside(id="method-card", className="method-card floating-card", hidden=True, **{"aria-label": say("方法卡")}),
            html.Div(
                [html.Button(text, type="button", className=f"zoom {name}", title=label, **{"aria-label": label})
                 for name, text, label in buttons],
                className="zooms",
            ),
            html.Div(className="scale-bar", **{"aria-hidden": "true"}),
            html.Div([html.Div(id=ids.LEGEND), html.Div(id="overlay-keys")], className="legend floating-card"),
            _player(),
            html.Div(id=ids.MAP_NOTE, className="map-note"),
            html.Div([html.Span(id=ids.MAP_FOOT), html.Span(className="coordinates")], className="map-foot"),
        ],
        className="map-panel", **{"aria-label": say("地图，方向键平移，加减号缩放，Esc 回上一级")}, role="region",
    )  # fmt: skip


def _player() -> html.Div:
    return html.Div(
        [
            html.Button("▶", type="button", className="play", **{"aria-label": say("播放")}),
            html.Div(className="slide"),
            html.Strong(className="when"),
            html.Button("×", type="button", className="close", **{"aria-label": say("关闭")}),
        ],
        id="player", className="player floating-card", hidden=True,
    )  # fmt: skip


def _drawer() -> html.Section:
    head = html.Div(
        [
            html.Div(id=ids.TABS),
            html.Div(id=ids.TABLE_SIZE, className="caption"),
            html.Button(
                say("收起"), id="drawer-switch", type="button", className="button", **{"aria-expanded": "true"}
            ),
        ],
        className="drawer-head",
    )
    return html.Section([head, html.Div(id=ids.TABLE_BODY, className="drawer-body")], className="drawer")


def _table() -> dag.AgGrid:
    return dag.AgGrid(
        id=ids.TABLE, columnDefs=view_drawer.columns(TABS[0]), className="table",
        defaultColDef={"sortable": True, "resizable": True, "sortingOrder": ["desc", "asc", None]},
        dashGridOptions={
            "rowHeight": 30, "headerHeight": 30, "suppressCellFocus": False, "animateRows": False, "theme": {"function": _TABLE_THEME},
            "localeText": {"noRowsToShow": say("没有可列的"), "loadingOoo": say("正在读取…")}, "suppressMovableColumns": True,
        },
        style={"height": "100%"},
    )  # fmt: skip


def _trend() -> dcc.Graph:
    return dcc.Graph(id=ids.TREND, config={"displayModeBar": False, "displaylogo": False, "doubleClick": False},
                     style={"height": "148px"})  # fmt: skip


def _side() -> list:
    trend = html.Section(
        [
            html.Div(id=ids.TREND_CARD, className="card-head"),
            html.Div(id=ids.TREND_BODY, className="card-body trend", role="img", **{"aria-label": say("走势图")}),
        ],
        className="card",
    )
    return [
        html.Section(html.P(say("正在读取…"), className="empty"), id=ids.HEADLINE, className="card headline",
                     **{"aria-live": "polite"}),
        trend,
        *(html.Div(id=name) for name in (ids.CATEGORIES, ids.PROFILE, ids.PLACES, ids.RANKING, ids.DISPUTES, ids.CAMERAS)),
    ]  # fmt: skip
