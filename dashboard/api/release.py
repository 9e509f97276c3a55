"""``/release``, ``/areas``: what is published."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from dashboard.api import answers
from dashboard.api.request import documented, split
from data.store import Scope, Store, areas, describe


def add(api: APIRouter, store: Store, scope_of: Callable[[Request], Scope]) -> None:
    """Put the routes on ``api``."""

    @api.get("/release", summary="当前发布", openapi_extra=documented())
    def release(request: Request) -> Response:
        split(request, ())
        with store.current() as opened:
            return answers.plain(answers.text(describe(opened, datetime.now(UTC), scope_of(request))))

    @api.get("/areas", summary="下级区域", openapi_extra=documented("parent"))
    def child_areas(request: Request) -> Response:
        own, _ = split(request, ("parent",))
        with store.current() as opened:
            return answers.rows(areas(opened, scope_of(request), own.get("parent")))
