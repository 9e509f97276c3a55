"""Colours of files: the light theme."""

from __future__ import annotations

from dashboard.pictures.palette import LIGHT

SERIES = ("accent", "line3", "line2")  # of charts, by name


def shade(step: int) -> tuple[str, str]:
    """Text and ground of a step 0 to 5 of the count ramp, by name."""
    return ("panel" if step >= 4 else "t1"), f"count-{step}"


def hex_of(name: str) -> str:
    """A colour without its sign, as Office writes it."""
    return LIGHT.get(name, name).lstrip("#").upper()
