"""Who asks, inside a callback."""

from __future__ import annotations

from dash.backends._fastapi import get_current_request

from dashboard.guard import scope_of
from dashboard.language import COOKIE
from data.store import Scope


def caller_scope() -> Scope:
    """The areas the visitor whose callback runs may see; nothing where no request is under way."""
    try:
        return scope_of(get_current_request())
    except RuntimeError:
        return Scope(())


def caller_language() -> str | None:
    """The language the visitor has chosen; None where none is."""
    try:
        return get_current_request().cookies.get(COOKIE)
    except RuntimeError:
        return None
