"""The read-only JSON API under ``/api/v1``, a module a topic; health and readiness.

Each module has ``add(api, store, scope_of)``, which puts its routes on the router.
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request

from dashboard.api import coverage, disputes, export, features, find, hotspots, incidents, release, rows, summary
from data.store import Scope, Store

PREFIX = "/api/v1"


def router(store: Store, scope_of: Callable[[Request], Scope]) -> APIRouter:
    """The routes.

    Parameters
    ----------
    store : Store
    scope_of : callable
        The areas the caller of a request may see.
    """
    api = APIRouter(prefix=PREFIX, tags=["v1"])
    for topic in (release, incidents, features, rows, find, export, hotspots, coverage, summary, disputes):
        topic.add(api, store, scope_of)
    return api


def health_router(store: Store) -> APIRouter:
    """``/healthz``: the process answers. ``/readyz``: a release is open (503 with the reason where not)."""
    health = APIRouter(tags=["health"])

    @health.get("/healthz", summary="进程在运行")
    def healthz() -> dict:
        return {"status": "ok"}

    @health.get("/readyz", summary="有发布可查")
    def readyz() -> dict:
        with store.current():
            return {"status": "ok"}

    return health
