"""``/rows``: the incidents themselves, a page at a time."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from dashboard.api import answers
from dashboard.api.request import choice, documented, split, whole
from data.selection import PARAMETERS
from data.store import Scope, Store
from data.store.rows import MOST_ROWS, ORDERS, incident_rows

_LIMIT = "500"
_FURTHEST = 10**9


def add(api: APIRouter, store: Store, scope_of: Callable[[Request], Scope]) -> None:
    """Put the routes on ``api``."""

    @api.get("/rows", summary="逐条事件，新的在前", openapi_extra=documented(*PARAMETERS, "limit", "offset", "order"))
    def rows(request: Request) -> Response:
        own, pairs = split(request, ("limit", "offset", "order"), PARAMETERS)
        limit = whole("limit", own.get("limit", _LIMIT), 1, MOST_ROWS)
        offset = whole("offset", own.get("offset", "0"), 0, _FURTHEST)
        order = choice("order", own.get("order", ORDERS[0]), ORDERS)
        with store.current() as opened:
            selection = opened.selection(pairs)
            found = incident_rows(opened, selection, scope_of(request), limit=limit, offset=offset, order=order)
            return answers.rows(found)
