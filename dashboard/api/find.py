"""``/find``: locate by code or name."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from dashboard.api import answers
from dashboard.api.request import documented, split, whole
from data.selection import ParameterError
from data.store import Scope, Store
from data.store.find import find

LONGEST_TEXT, MOST_ROWS, USUAL_ROWS = 60, 50, 10
_DOCUMENTED = documented("q")
_DOCUMENTED["parameters"][0]["required"] = True
_DOCUMENTED["parameters"].append({
    "name": "limit", "in": "query", "required": False, "description": f"最多几行，1 至 {MOST_ROWS}，缺省 {USUAL_ROWS}",
    "schema": {"type": "string", "pattern": r"^\d{1,2}$"},
})  # fmt: skip


def add(api: APIRouter, store: Store, scope_of: Callable[[Request], Scope]) -> None:
    """Put the routes on ``api``."""

    @api.get("/find", summary="按编码或名称定位", openapi_extra=_DOCUMENTED)
    def places(request: Request) -> Response:
        own, _ = split(request, ("q", "limit"))
        text, limit = own.get("q", ""), own.get("limit", str(USUAL_ROWS))
        if not text.strip() or len(text) > LONGEST_TEXT:
            raise ParameterError("q", text, f"编码开头、名称或名称的一部分，1 至 {LONGEST_TEXT} 个字")
        most = whole("limit", limit, 1, MOST_ROWS)
        with store.current() as opened:
            return answers.rows(find(opened, scope_of(request), text, most))
