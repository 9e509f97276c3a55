"""``/coverage``: cameras, what they cover, and how far the rules of 天网 and 地网 are kept."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from dashboard.api import answers
from dashboard.api.request import choice, documented, split
from dashboard.tiles import COVERAGE_BITS, FROM_ZOOM
from data.index import INCIDENT_LEVELS
from data.selection import PARAMETERS
from data.store import Answer, Scope, Store, coverage, coverage_rules

PARTS = ("rates", "rules")


def add(api: APIRouter, store: Store, scope_of: Callable[[Request], Scope]) -> None:
    """Put the routes on ``api``."""

    @api.get(
        "/coverage",
        summary="摄像机与视频覆盖：四率、各区域、规则",
        openapi_extra=documented(*PARAMETERS, "level", "part"),
    )
    def camera_coverage(request: Request) -> Response:
        own, pairs = split(request, ("level", "part"), PARAMETERS)
        level = choice("level", own.get("level", "district"), INCIDENT_LEVELS)
        part = choice("part", own.get("part", "rates"), PARTS)
        with store.current() as opened:
            selection, scope = opened.selection(pairs), scope_of(request)
            if part == "rules":
                return answers.rows(coverage_rules(opened, selection, scope))
            found = coverage(opened, selection, scope, level)
            # What a page needs to ask for the coverage tiles, beside the methods the answer already names.
            tiles = {"from_zoom": FROM_ZOOM, "bits": COVERAGE_BITS}
            return answers.rows(Answer({**found.meta, "tiles": tiles}, found.rows))
