"""What the page's scripts ask besides the API: method cards, and the windows that playback steps through."""

from __future__ import annotations

from contextlib import suppress

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from dashboard import guard, language
from dashboard.api import answers
from dashboard.api.request import choice, split, whole
from dashboard.components import html
from dashboard.pages.workbench.lists import listed
from dashboard.pages.workbench.state import TABS
from dashboard.pages.workbench.view_method import CARDS, method_card
from data.app_db.acknowledging import acknowledge, acknowledged, take_back
from data.index import INCIDENT_LEVELS
from data.selection import PARAMETERS, ParameterError, preceding
from data.store import Store
from data.store.alerts import alerts

_MOST_STEPS = 60


class Seen(BaseModel):
    """An alert that is seen to, or that stands again."""

    alert_id: str
    seen: bool


def add(server: FastAPI, store: Store) -> None:
    """Put the routes on the server."""

    @server.get("/workbench/card", include_in_schema=False)
    def card(request: Request) -> Response:
        own, pairs = split(request, ("layer", "level"), PARAMETERS)
        layer = choice("layer", own.get("layer", ""), CARDS)
        level = choice("level", own["level"], INCIDENT_LEVELS) if "level" in own else None
        language.use(request.cookies.get(language.COOKIE))
        with store.current() as release:
            shown = method_card(release, layer, release.selection(pairs), guard.scope_of(request), level)
        return answers.plain(answers.text(html.part(shown)))

    @server.get("/workbench/list", include_in_schema=False)
    def rows(request: Request) -> Response:
        own, pairs = split(request, ("tab",), PARAMETERS)
        tab = choice("tab", own.get("tab", ""), TABS)
        language.use(request.cookies.get(language.COOKIE))
        with store.current() as release:
            selection, scope = release.selection(pairs), guard.scope_of(request)
            if selection.area is not None:
                release.units.allowed(selection.area, scope)
            found = listed(release, tab, selection, scope, acknowledged(request.app.state.db))
        return answers.plain(answers.text(found))

    @server.post("/workbench/acknowledge", include_in_schema=False)
    def see_to(request: Request, seen: Seen) -> dict:
        db, by = request.app.state.db, guard.writer_of(request)
        with store.current() as release:
            if seen.alert_id not in {one.alert_id for one in alerts(release, guard.scope_of(request))}:
                raise ParameterError("alert_id", seen.alert_id, "当前发布的一条预警")
        if seen.seen:
            acknowledge(db, seen.alert_id, by)
        else:
            take_back(db, seen.alert_id, by)
        return {"seen": seen.seen}

    @server.get("/workbench/steps", include_in_schema=False)
    def steps(request: Request) -> Response:
        own, pairs = split(request, ("count",), PARAMETERS)
        count = whole("count", own.get("count", "12"), 1, _MOST_STEPS)
        with store.current() as release:
            selection = release.selection(pairs)
            if selection.area is not None:
                release.units.allowed(selection.area, guard.scope_of(request))
        windows = [(selection.start, selection.end)]
        with suppress(OverflowError, ValueError):  # the calendar begins somewhere
            while len(windows) < count:
                windows.append(preceding(windows[-1]))
        return answers.plain(answers.text({"windows": [[str(a), str(b)] for a, b in reversed(windows)]}))
