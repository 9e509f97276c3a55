"""The skeleton of the page; everything in it that depends on data is filled in by callbacks."""

from __future__ import annotations

import dash_ag_grid as dag
import dash_leaflet as dl
from dash import dcc, html

from dashboard.components.topbar import topbar
from dashboard.pages.workbench import ids

LAYER_CHOICES = (
    ("points", "警情点位"), ("labels", "区域名称"), ("road", "道路"), ("water", "水系"), ("building", "建筑"),
)  # fmt: skip
_TABLE_THEME = """themeQuartz.withParams({
 fontFamily: 'inherit', fontSize: 13, headerFontSize: 12, headerFontWeight: 400, headerTextColor: 'var(--t3)',
 backgroundColor: 'var(--panel)', foregroundColor: 'var(--t1)', headerBackgroundColor: 'var(--raised)',
 borderColor: 'var(--line)', rowHoverColor: 'var(--raised)', wrapperBorder: false, wrapperBorderRadius: 0,
 accentColor: 'var(--accent)', headerColumnResizeHandleColor: 'transparent', cellHorizontalPadding: 12
})"""


def layout() -> html.Div:
    """The page."""
    return html.Div(
        [
            dcc.Location(id=ids.URL, refresh=False),
            *(
                dcc.Store(id=name)
                for name in (
                    ids.FOCUS,
                    ids.FRAME,
                    ids.SIDE,
                    ids.REQUEST,
                    ids.VALUES,
                    ids.POINTS_REQUEST,
                    ids.POINTS_STATE,
                )
            ),
            topbar("/workbench", id=ids.TOPBAR),
            html.Div([html.Div(id=ids.CRUMBS), html.Div(id=ids.CHIPS, className="chips")], className="subbar"),
            html.Div(id=ids.FAULT, **{"aria-live": "polite"}),
            html.Div(
                [
                    html.Aside(html.Div(id=ids.RAIL, className="rail"), **{"aria-label": "筛选"}),
                    html.Main([_map(), _drawer()], className="centre"),
                    html.Aside(_side(), className="side", **{"aria-label": "图表"}),
                ],
                className="workbench",
            ),
        ],
        className="page",
    )


def _map() -> html.Div:
    choices = [{"label": text, "value": value} for value, text in LAYER_CHOICES]
    layers = html.Details(
        [
            html.Summary("图层"),
            dcc.Checklist(choices, [value for value, _ in LAYER_CHOICES], id=ids.LAYERS, className="layer-list",
                          persistence=True, persistence_type="local"),
        ],
        className="layers floating-card",
    )  # fmt: skip
    city = dl.Map(
        [
            dl.GeoJSON(
                id=ids.POINTS, cluster=True, zoomToBoundsOnClick=True, spiderfyOnMaxZoom=True,
                superClusterOptions={"radius": 36, "maxZoom": 18, "minPoints": 3},
                pointToLayer={"variable": "yanpan.points.dot"}, clusterToLayer={"variable": "yanpan.points.cluster"},
                onEachFeature={"variable": "yanpan.points.describe"},
            ),
        ],
        id=ids.MAP, zoomControl=False, attributionControl=False, preferCanvas=False, zoomSnap=0.25, zoomDelta=0.5,
        maxZoom=19, minZoom=4,
        center=[0, 0], zoom=4, className="map",
    )  # fmt: skip
    return html.Div(
        [
            city,
            html.Div(id=ids.MAP_TOOLS, className="map-tools"),
            layers,
            html.Div(
                [html.Button(text, type="button", className=f"zoom {name}", title=label, **{"aria-label": label})
                 for name, text, label in (("in", "+", "放大"), ("out", "−", "缩小"), ("fit", "⌂", "回到所选区域"))],
                className="zooms",
            ),
            html.Div(className="scale-bar", **{"aria-hidden": "true"}),
            html.Div(id=ids.LEGEND, className="legend floating-card"),
            html.Div(id=ids.MAP_NOTE, className="map-note"),
            html.Div([html.Span(id=ids.MAP_FOOT), html.Span(id=ids.POINTS_COUNT),
                      html.Span(className="coordinates")], className="map-foot"),
        ],
        className="map-panel", **{"aria-label": "地图，方向键平移，加减号缩放，Esc 回上一级"}, role="region",
    )  # fmt: skip


def _drawer() -> html.Section:
    columns = [
        {"field": "name", "headerName": "名称", "cellRenderer": "YanpanArea", "flex": 2, "minWidth": 120},
        {"field": "parent", "headerName": "上级", "flex": 2, "minWidth": 100},
        *(
            {"field": field, "headerName": text, "type": "rightAligned", "flex": 1, "minWidth": width,
             "valueFormatter": {"function": f"yanpanFormat('{field}', params)"}}
            for field, text, width in (("count", "起数", 66), ("before", "对比期", 76), ("difference", "差", 64),
                                       ("percent", "变化", 80), ("rate", "每千人", 76), ("p", "p", 66))
        ),
        {"field": "verdict", "headerName": "判断", "cellRenderer": "YanpanVerdict", "flex": 1, "minWidth": 112},
    ]  # fmt: skip
    head = html.Div(
        [
            html.H2("各区域", id=ids.TABLE_HEAD),
            html.Div(id=ids.TABLE_SIZE, className="caption"),
            html.Button("收起", id="drawer-switch", type="button", className="button", **{"aria-expanded": "true"}),
        ],
        className="drawer-head",
    )
    grid = dag.AgGrid(
        id=ids.TABLE, columnDefs=columns, className="table",
        defaultColDef={"sortable": True, "resizable": True, "sortingOrder": ["desc", "asc", None]},
        dashGridOptions={
            "rowHeight": 30, "headerHeight": 30, "suppressCellFocus": False, "animateRows": False, "theme": {"function": _TABLE_THEME},
            "localeText": {"noRowsToShow": "没有区域", "loadingOoo": "正在读取…"}, "suppressMovableColumns": True,
        },
        style={"height": "100%"},
    )  # fmt: skip
    return html.Section([head, html.Div(grid, className="drawer-body")], className="drawer")


def _side() -> list:
    graph = dcc.Graph(id=ids.TREND, config={"displayModeBar": False, "displaylogo": False, "doubleClick": False},
                      style={"height": "148px"})  # fmt: skip
    trend = html.Section(
        [
            html.Div(id=ids.TREND_CARD, className="card-head"),
            html.Div(graph, className="card-body trend", role="img", **{"aria-label": "走势图"}),
        ],
        className="card",
    )
    return [
        html.Section(html.P("正在读取…", className="empty"), id=ids.HEADLINE, className="card headline",
                     **{"aria-live": "polite"}),
        trend,
        *(html.Div(id=name) for name in (ids.CATEGORIES, ids.PROFILE, ids.RANKING)),
    ]  # fmt: skip
