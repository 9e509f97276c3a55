"""The side column, a module a topic: each view is a function of numbers and the state of the page."""

from dashboard.pages.workbench.view_charts.cameras import cameras
from dashboard.pages.workbench.view_charts.categories import categories
from dashboard.pages.workbench.view_charts.disputes import disputes
from dashboard.pages.workbench.view_charts.headline import headline
from dashboard.pages.workbench.view_charts.places import places
from dashboard.pages.workbench.view_charts.ranking import RANKED, ranking
from dashboard.pages.workbench.view_charts.trend import BLANK, trend_caption, trend_figure
from dashboard.pages.workbench.view_charts.week import profile

__all__ = [
    "BLANK",
    "RANKED",
    "cameras",
    "categories",
    "disputes",
    "headline",
    "places",
    "profile",
    "ranking",
    "trend_caption",
    "trend_figure",
]
