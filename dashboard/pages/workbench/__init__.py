"""/workbench 研判工作台: map, filters, charts and table over one Selection that the address holds."""

from __future__ import annotations

from dash import Dash

from dashboard import guard, tiles
from dashboard.pages.workbench import routes
from dashboard.pages.workbench.callbacks import register_callbacks
from dashboard.pages.workbench.layout import layout
from dashboard.settings import Settings
from data.store import Store


def register(app: Dash, store: Store, settings: Settings) -> None:
    """Put the page, its tiles and what its scripts ask on an app."""
    app.layout = layout
    app.server.include_router(tiles.router(store, guard.scope_of))
    routes.add(app.server, store)
    register_callbacks(app, store, settings)
