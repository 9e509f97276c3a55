"""``/counts``, ``/trend``, ``/profile``: incidents counted."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from dashboard.api import answers
from dashboard.api.request import choice, documented, split
from data.index import INCIDENT_LEVELS
from data.selection import PARAMETERS
from data.store import STEPS, Scope, Store, counts, profile, trend


def add(api: APIRouter, store: Store, scope_of: Callable[[Request], Scope]) -> None:
    """Put the routes on ``api``."""

    @api.get("/counts", summary="各区域的起数、对比与判断", openapi_extra=documented(*PARAMETERS, "level"))
    def area_counts(request: Request) -> Response:
        own, pairs = split(request, ("level",), PARAMETERS)
        level = choice("level", own.get("level", "district"), INCIDENT_LEVELS)
        with store.current() as opened:
            return answers.rows(counts(opened, opened.selection(pairs), scope_of(request), level))

    @api.get("/trend", summary="按日、周、月的走势", openapi_extra=documented(*PARAMETERS, "step"))
    def steps(request: Request) -> Response:
        own, pairs = split(request, ("step",), PARAMETERS)
        step = choice("step", own.get("step", "day"), STEPS)
        with store.current() as opened:
            return answers.rows(trend(opened, opened.selection(pairs), scope_of(request), step))

    @api.get("/profile", summary="星期乘小时", openapi_extra=documented(*PARAMETERS))
    def week(request: Request) -> Response:
        _, pairs = split(request, (), PARAMETERS)
        with store.current() as opened:
            return answers.rows(profile(opened, opened.selection(pairs), scope_of(request)))
