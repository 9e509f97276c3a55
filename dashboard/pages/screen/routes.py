"""Addresses of the wall: the page, and what its scripts ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from dashboard import errors, guard, language
from dashboard.api import answers
from dashboard.api.request import choice, split, whole
from dashboard.pages.screen import gathering
from dashboard.pages.screen.looked_at import LookedAt, look
from dashboard.pages.screen.page import page
from dashboard.pages.screen.view_themes import THEMES
from dashboard.settings_file import ScreenTable
from data.errors import YanpanError
from data.selection import ParameterError
from data.store import Store

WALL = (
    "wall",
    "fit",
    "rotate",
    "theme",
    "show",
    "dim",
    "reading",
    "only",
)  # how the wall looks: the browser's business


def add(
    server: FastAPI,
    store: Store,
    settings: ScreenTable,
    head: Callable[[Request], str],
    leaflet: Callable[[], tuple[str, ...]],
) -> None:
    """Put the page and its addresses on the server.

    Parameters
    ----------
    settings : ScreenTable
        What the workspace's settings say of walls.
    head : callable
        What every page tells its scripts, as JavaScript.
    leaflet : callable
        Addresses of the map's scripts.
    """

    def looked(release, request: Request, *more: str) -> tuple[LookedAt, dict]:
        own, _ = split(request, ("area", "period", *WALL, *more))
        language.use(request.cookies.get(language.COOKIE))
        return look(release, guard.scope_of(request), own.get("area") or None, own.get("period")), own

    @server.get("/screen", include_in_schema=False)
    def wall(request: Request) -> Response:
        language.use(request.cookies.get(language.COOKIE))
        try:
            with store.current() as release:
                at, own = looked(release, request)
                _check(own, settings)
                state = gathering.quick(at, datetime.now(UTC), settings.cards, request.app.state.db)
        except YanpanError as fault:
            return HTMLResponse(page(head(request), settings, None, fault=language.said(fault)), errors.status(fault))
        return HTMLResponse(page(head(request), settings, state, leaflet()))

    @server.get("/screen/state", include_in_schema=False)
    def state(request: Request) -> Response:
        with store.current() as release:
            found = gathering.quick(
                looked(release, request)[0], datetime.now(UTC), settings.cards, request.app.state.db
            )
        return answers.plain(answers.text(found))

    @server.get("/screen/slow", include_in_schema=False)
    def slow(request: Request) -> Response:
        with store.current() as release:
            return answers.plain(answers.text(gathering.slow(looked(release, request)[0])))

    @server.get("/screen/drill", include_in_schema=False)
    def drill(request: Request) -> Response:
        with store.current() as release:
            at, own = looked(release, request, "code")
            inside = look(release, at.scope, own.get("code", ""), own.get("period"))
            if inside.area is None or (
                at.area and not release.units.inside(inside.area.level, at.area)[inside.area.position]
            ):
                raise ParameterError("code", own.get("code", ""), "大屏所看区域内的代码")
            return answers.plain(answers.text(gathering.drill(inside)))

    @server.get("/screen/theme", include_in_schema=False)
    def theme(request: Request) -> Response:
        with store.current() as release:
            at, own = looked(release, request, "name")
            name = choice("name", own.get("name", ""), tuple(one for one, _ in THEMES))
            if name == "hotspots":
                found = gathering.hotspot_theme(at)
            elif name == "cover":
                found = gathering.cover_theme(at)
            else:
                found = gathering.unit_theme(at, name)
        return answers.plain(answers.text({**found, "release": release.info.release_id}))


def _check(own: dict[str, str], settings: ScreenTable) -> None:
    """Refuse what the browser could not follow.

    Raises
    ------
    ParameterError
    """
    for name, allowed in (
        ("fit", ("contain", "anamorphic")),
        ("theme", ("dark", "light")),
        ("show", settings.themes),
        ("only", ("map",)),
    ):
        if name in own:
            choice(name, own[name], allowed)
    wall = own.get("wall")
    if (
        wall is not None
        and wall not in settings.walls
        and not re.fullmatch(r"[1-9]\d{2,4}x[1-9]\d{2,4}", wall, re.ASCII)
    ):
        raise ParameterError("wall", wall, " ".join(("6656x1792", *settings.walls)))
    if own.get("rotate", "0") != "0":
        whole("rotate", own["rotate"], 15, 60)
    if "dim" in own and not re.fullmatch(r"\d{1,2}-\d{1,2}", own["dim"], re.ASCII):
        raise ParameterError("dim", own["dim"], "22-6")
    if "reading" in own and not re.fullmatch(r"\d+(\.\d+)?x\d+(\.\d+)?", own["reading"], re.ASCII):
        raise ParameterError("reading", own["reading"], "6x4.8")
