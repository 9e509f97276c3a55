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
LEGEND = f"{PAGE}-legend"
MAP_FOOT = f"{PAGE}-map-foot"
MAP_NOTE = f"{PAGE}-map-note"

WHERE = f"{PAGE}-where"  # the whole address, from the browser
WHAT = f"{PAGE}-what"  # the address again, but only when the Selection in it has changed
FOCUS = f"{PAGE}-focus"  # where the map looks, from the address
FRAME = f"{PAGE}-frame"  # breadcrumb, chips, rail and top bar, as the browser draws them
SIDE = f"{PAGE}-side"  # the side column, likewise
MORE = f"{PAGE}-more"  # what stands further down, likewise
SEEING = f"{PAGE}-seeing"  # the address whose cameras are in sight, from the browser
SEEN = f"{PAGE}-seen"  # their rates and rules, as the browser draws them
REQUEST = f"{PAGE}-request"  # which level the map wants numbers for, from the browser
VALUES = f"{PAGE}-values"  # numbers of every unit of that level
MAPPED = f"{PAGE}-mapped"  # that the map stands, from the browser
LATER = f"{PAGE}-later"  # what is put into its place then

HEADLINE = f"{PAGE}-headline"
FIGURE = f"{PAGE}-figure"  # the trend's, from the server
TREND = f"{PAGE}-trend"
TREND_BODY = f"{PAGE}-trend-body"
TREND_CARD = f"{PAGE}-trend-card"
CATEGORIES = f"{PAGE}-categories"
PROFILE = f"{PAGE}-profile"
RANKING = f"{PAGE}-ranking"
PLACES = f"{PAGE}-places"
DISPUTES = f"{PAGE}-disputes"
CAMERAS = f"{PAGE}-cameras"

TABLE = f"{PAGE}-table"
TABLE_BODY = f"{PAGE}-table-body"
TABS = f"{PAGE}-tabs"
TABLE_SIZE = f"{PAGE}-table-size"
