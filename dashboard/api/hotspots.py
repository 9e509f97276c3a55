"""``/hotspots``: where events gather, with what it takes to work it out again."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from dashboard.api import answers
from dashboard.api.request import documented, split
from data.selection import PARAMETERS
from data.store import Scope, Store
from data.store.hotspots import hotspots

OWN = ("method", "level", "window")


def add(api: APIRouter, store: Store, scope_of: Callable[[Request], Scope]) -> None:
    """Put the routes on ``api``."""

    @api.get("/hotspots", summary="热点图层及其全部参数（GeoJSON）",
             openapi_extra=documented(*PARAMETERS, *OWN))  # fmt: skip
    def layer(request: Request) -> Response:
        own, pairs = split(request, OWN, PARAMETERS)
        with store.current() as opened:
            found = hotspots(opened, opened.selection(pairs), scope_of(request), own.get("method", "gi"),
                             level=own.get("level", "grid"), window=own.get("window", "now"))  # fmt: skip
            return answers.geojson(found)
