"""``/summary``: the key figures."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from dashboard.api import answers
from dashboard.api.request import documented, split
from data.selection import PARAMETERS
from data.store import Scope, Store, summary


def add(api: APIRouter, store: Store, scope_of: Callable[[Request], Scope]) -> None:
    """Put the route on ``api``."""

    @api.get(
        "/summary",
        summary="关键指标：本期、上期、变化与判断，率的分子分母与公式",
        openapi_extra=documented(*PARAMETERS),
    )
    def key_figures(request: Request) -> Response:
        _, pairs = split(request, (), PARAMETERS)
        with store.current() as opened:
            return answers.rows(summary(opened, opened.selection(pairs), scope_of(request)))
