"""Choosing by a shape drawn on the map."""

from __future__ import annotations

import shapely
from pyproj import Geod

from dashboard.components import html
from dashboard.components.link import link
from dashboard.language import say
from dashboard.pages.workbench.state import PageState
from dashboard.pages.workbench.view_rail.section import section

# What the map draws when one of these is pressed (map_panel.js reads data-draw).
WAYS = (("rectangle", "框选"), ("circle", "圆选"), ("polygon", "多边形"), ("lasso", "套索"), ("extent", "随视野"))


def space(state: PageState) -> html.Element:
    """Buttons to draw with; the area of what is chosen, and its removal."""
    polygon = state.selection.polygon
    buttons = [html.Button(say(name), type="button", className="button", **{"data-draw": way}) for way, name in WAYS]
    body = [html.Div(buttons, className="draw-ways", role="group", **{"aria-label": say("空间选择")})]
    if polygon is None:
        return section(say("空间选择"), say("未选"), body)
    remove = link(
        say("移除"), state.href(polygon=None), className="text", label=say("移除筛选：{name}", name=area_text(polygon))
    )
    return section(say("空间选择"), area_text(polygon), [*body, html.Div(remove)])


def area_text(polygon: str) -> str:
    """How large a chosen shape is: 圈定2.31平方公里."""
    km2 = area_km2(polygon)
    return say("圈定{n}平方公里", n=f"{km2:,.0f}" if km2 >= 100 else f"{km2:.1f}" if km2 >= 10 else f"{km2:.2f}")


def area_km2(polygon: str) -> float:
    """Square kilometres of a WKT shape in degrees, on the ellipsoid."""
    shape = shapely.orient_polygons(shapely.from_wkt(polygon))
    return abs(Geod(ellps="WGS84").geometry_area_perimeter(shape)[0]) / 1e6
