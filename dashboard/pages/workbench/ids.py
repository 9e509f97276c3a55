"""Ids of /workbench: page name and part."""

PAGE = "workbench"

URL = f"{PAGE}-url"
CRUMBS = f"{PAGE}-crumbs"
CHIPS = f"{PAGE}-chips"
RAIL = f"{PAGE}-rail"
FAULT = f"{PAGE}-fault"
TOPBAR = f"{PAGE}-topbar"

MAP = f"{PAGE}-map"
MAP_TOOLS = f"{PAGE}-map-tools"
LAYERS = f"{PAGE}-layers"
LEGEND = f"{PAGE}-legend"
MAP_FOOT = f"{PAGE}-map-foot"
MAP_NOTE = f"{PAGE}-map-note"
POINTS = f"{PAGE}-points"
POINTS_COUNT = f"{PAGE}-points-count"

FOCUS = f"{PAGE}-focus"  # where the map looks, from the address
FRAME = f"{PAGE}-frame"  # breadcrumb, chips, rail and top bar, as the browser draws them
SIDE = f"{PAGE}-side"  # the side column, likewise
REQUEST = f"{PAGE}-request"  # which level the map wants numbers for, from the browser
VALUES = f"{PAGE}-values"  # numbers of every unit of that level
POINTS_REQUEST = f"{PAGE}-points-request"  # which extent the map wants incidents of, from the browser
POINTS_STATE = f"{PAGE}-points-state"

HEADLINE = f"{PAGE}-headline"
TREND = f"{PAGE}-trend"
TREND_CARD = f"{PAGE}-trend-card"
CATEGORIES = f"{PAGE}-categories"
PROFILE = f"{PAGE}-profile"
RANKING = f"{PAGE}-ranking"

TABLE = f"{PAGE}-table"
TABLE_HEAD = f"{PAGE}-table-head"
TABLE_SIZE = f"{PAGE}-table-size"
