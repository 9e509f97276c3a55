"""Addresses of assets for pages that are whole when they arrive."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_ASSETS = Path(__file__).parents[1] / "assets"


@cache
def address(name: str) -> str:
    """An asset with its time of change, so that it can be kept for ever."""
    return f"/assets/{name}?m={(_ASSETS / name).stat().st_mtime}"
