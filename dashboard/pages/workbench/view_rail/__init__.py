"""The filter rail, the breadcrumb and the chips: every choice is a link to the state it leads to."""

from dashboard.pages.workbench.view_rail.chips import chips
from dashboard.pages.workbench.view_rail.rail import rail
from dashboard.pages.workbench.view_rail.where import area_line, child_level, crumbs, fault, root_name, title

__all__ = ["area_line", "child_level", "chips", "crumbs", "fault", "rail", "root_name", "title"]
