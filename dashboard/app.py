"""The dashboard: a Dash app on its FastAPI backend, built from settings, served by one or more workers.

A page is a module with ``register(app, store, settings)``: it sets ``app.layout`` and joins its callbacks to ids.
``PAGES`` names each page's address and module.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path

import anyio.to_thread
import uvicorn
from dash import Dash, html
from dash.backends._fastapi import reset_current_request, set_current_request
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.middleware.gzip import GZipMiddleware

from dashboard import api, basemaps, errors, guard, language, live, tiles
from dashboard.components.html import to_script
from dashboard.delivery import Delivery
from dashboard.notices import Postman
from dashboard.pages import meeting, screen
from dashboard.settings import Settings
from dashboard.warming import Warming
from data.app_db import AppDb
from data.store import Store

Register = Callable[[Dash, Store, Settings], None]
FACTORY = "dashboard.app:server_from_environment"
HOME = "/workbench"


def create_app(settings: Settings, pages: Mapping[str, Register] | None = None) -> Dash:
    """The Dash app; ``.server`` is its FastAPI application.

    Parameters
    ----------
    settings : Settings
    pages : mapping of address to register function, optional
        By default the pages of this version.
    """
    store = Store(settings.releases, settings.limits)
    db = AppDb(settings.app_db)
    watch = live.Live(store, db)
    server = FastAPI(
        title="研判",
        version="v1",
        docs_url=None,
        redoc_url=None,
        lifespan=partial(_lifespan, store=store, watch=watch, settings=settings, db=db),
    )
    server.state.db = db  # what routes write to
    errors.register(server)
    server.include_router(api.health_router(store))
    server.include_router(api.router(store, guard.scope_of))
    server.include_router(basemaps.router(settings))
    pages = _pages() if pages is None else pages
    # Addresses declared before Dash's own catch-all win, so an unknown address is a 404 and not an empty page.
    server.add_api_route("/login", _login, include_in_schema=False)
    server.add_api_route("/", _home, include_in_schema=False)
    app = Dash(
        __name__,
        server=server,
        title="研判",
        update_title=None,
        assets_folder=str(Path(__file__).parent / "assets"),
        assets_path_ignore=["screen", "meeting"],  # pages of their own
        suppress_callback_exceptions=True,
    )
    app.layout = html.Div()
    live.add(server, watch)
    screen.add(server, store, settings.screen, partial(_words, settings=settings), partial(_leaflet, app))
    meeting.add(server, store, settings, partial(_words, settings=settings), partial(_leaflet, app))
    for address, register in pages.items():
        register(app, store, settings)
        server.add_api_route(address, partial(_page, app, settings), include_in_schema=False)
    server.add_api_route("/{path:path}", _not_found, include_in_schema=False)
    # Level 5 costs a third of the default 9 for 2 % more bytes.
    server.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=5)
    server.add_middleware(Delivery)
    server.add_middleware(guard.Guard, open_mode=settings.open_mode)
    # Dash collects scripts and callbacks on the first request to its own routes; a page may be asked for first.
    app._setup_server()
    return app


def server_from_environment() -> FastAPI:
    """The ASGI application of a worker, from the settings its parent left in the environment."""
    return create_app(Settings.from_environment()).server


def serve(settings: Settings) -> None:
    """Serve until stopped, with ``settings.workers`` processes."""
    settings.to_environment()
    uvicorn.run(FACTORY, factory=True, host=settings.host, port=settings.port, workers=settings.workers,
                log_level="warning", server_header=False)  # fmt: skip


def _pages() -> dict[str, Register]:
    from dashboard.pages import workbench  # pages import this package's components; kept out of the API's import path

    return {"/workbench": workbench.register}


@asynccontextmanager
async def _lifespan(
    _server: FastAPI, store: Store, watch: live.Live, settings: Settings, db: AppDb
) -> AsyncIterator[None]:
    postman = Postman(db, settings.webhook.to_hook()) if settings.webhook else None
    warming = Warming(store)
    await anyio.to_thread.run_sync(warming.begin)
    warming.start()
    watching = asyncio.create_task(watch.watch())
    if postman:
        postman.start()
    yield
    watching.cancel()
    warming.stop()
    if postman:
        postman.stop()
    store.close()
    db.close()


async def _login() -> HTMLResponse:
    return HTMLResponse(guard.login_page())


async def _home() -> RedirectResponse:
    return RedirectResponse(HOME, status_code=303)


async def _page(app: Dash, settings: Settings, request: Request) -> Response:
    # Dash sets the request aside only for its own routes, and its index reads it.
    token = set_current_request(request)
    try:
        page = app.index()
    finally:
        reset_current_request(token)
    return HTMLResponse(page.replace("<head>", f"<head><script>{_words(request, settings)}</script>", 1))


@cache
def _leaflet(app: Dash) -> tuple[str, ...]:
    """Addresses of the scripts that bring Leaflet, as Dash writes them into its own pages."""
    found = re.findall(r'src="([^"]+)"', app._generate_scripts_html())
    return tuple(src for src in found if re.search(r"/(react|react-dom|prop-types)@|/dash_leaflet/", src))


def _words(request: Request, settings: Settings) -> str:
    """What the page's scripts say, in the visitor's language, the base maps and the mark of the visitor's scope; safe
    inside a script element."""
    chosen = request.cookies.get(language.COOKIE)
    chosen = chosen if chosen in language.LANGUAGES else "zh"
    maps = [{"id": one["id"], "name": one["name"]} for one in basemaps.describe(settings)]
    told = {"yanpanLanguage": chosen, "yanpanWords": language.catalogue(chosen), "yanpanBasemaps": maps,
            "yanpanScope": tiles.scope_mark(guard.scope_of(request))}  # fmt: skip
    return "Object.assign(window," + to_script(told) + ");"


async def _not_found(path: str) -> JSONResponse:
    return JSONResponse({"error": f"没有这个地址 | 发现: /{path[:100]}"}, status_code=404)
