"""Colours of files: the light theme."""

from __future__ import annotations

from dashboard.pictures.palette import LIGHT

TONES = {name: (LIGHT[name], LIGHT[f"{name}-fill"]) for name in ("bad", "warn", "good")}  # text, ground
SERIES = (LIGHT["accent"], LIGHT["line3"], LIGHT["line2"])


def shade(step: int) -> tuple[str, str]:
    """Text and ground of a step 0 to 5 of the count ramp."""
    return ("#ffffff" if step >= 4 else LIGHT["t1"]), LIGHT[f"count-{step}"]


def hex_of(name: str) -> str:
    """A colour without its sign, as Office writes it."""
    return LIGHT.get(name, name).lstrip("#").upper()
