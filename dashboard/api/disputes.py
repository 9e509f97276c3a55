"""``/disputes``: the statistics of disputes."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from dashboard.api import answers
from dashboard.api.request import choice, documented, split
from data.index import INCIDENT_LEVELS
from data.selection import PARAMETERS
from data.store import Scope, Store, disputes


def add(api: APIRouter, store: Store, scope_of: Callable[[Request], Scope]) -> None:
    """Put the route on ``api``."""

    @api.get("/disputes", summary="矛盾纠纷：排查、受理、调处、成功，三种率，类型、账龄与化解层级",
             openapi_extra=documented(*PARAMETERS, "level"))  # fmt: skip
    def area_disputes(request: Request) -> Response:
        own, pairs = split(request, ("level",), PARAMETERS)
        level = choice("level", own.get("level", "district"), INCIDENT_LEVELS)
        with store.current() as opened:
            return answers.rows(disputes(opened, opened.selection(pairs), scope_of(request), level))
