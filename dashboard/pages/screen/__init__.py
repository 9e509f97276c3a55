"""/screen 指挥大屏: the wall. A page of its own, whole when it arrives, without the runtime of the analyst's page."""

from dashboard.pages.screen.routes import add

__all__ = ["add"]
