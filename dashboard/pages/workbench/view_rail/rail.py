"""The whole rail, section by section."""

from __future__ import annotations

from datetime import datetime

from dashboard.components import html
from dashboard.components.link import link
from dashboard.language import say
from dashboard.pages.workbench.state import PageState
from dashboard.pages.workbench.view_rail.compare import compare
from dashboard.pages.workbench.view_rail.filters import categories, hours, weekdays
from dashboard.pages.workbench.view_rail.section import section
from dashboard.pages.workbench.view_rail.space import space
from dashboard.pages.workbench.view_rail.time import time
from data.store.facets import Facets


def rail(state: PageState, facets: Facets, as_of: datetime | None) -> list:
    """The filter rail.

    Parameters
    ----------
    as_of : datetime or None
        ``data_as_of`` of the release: today and this week are counted from it, later windows cannot be stepped to.
    """
    # What stands in the section of saved views is the browser's own (saved_views.js).
    views = section(say("已存视图"), "", [html.Div(id="saved-views", **{"data-own": "views"})])
    return [
        time(state, as_of),
        compare(state),
        categories(state, facets),
        hours(state, facets),
        weekdays(state),
        space(state),
        views,
        html.Div(link(say("重置筛选"), "?", className="button wide"), className="rail-section"),
    ]
