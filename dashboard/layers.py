"""The layers a map can show, and how an address names them."""

from __future__ import annotations

import re

from dashboard.language import say
from data.selection import ParameterError

LAYERS = (
    "water", "building", "road", "coverage", "kde", "labels", "near_repeat", "blind", "rules", "repeat_places",
    "key_places", "cameras", "incidents", "hotspots",
)  # fmt: skip
FULL_PCT = 100


def read_layers(text: str) -> tuple[tuple[str, int], ...]:
    """Layers of an address, bottom to top, each with its opacity in percent; empty text is none at all.

    Raises
    ------
    ParameterError
    """
    found: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"(\w+)(?::(\d{1,3}))?", part, re.ASCII)
        if match is None or match[1] not in LAYERS or match[1] in found or int(match[2] or FULL_PCT) > FULL_PCT:
            allowed = say("{names}，以逗号分隔，各一次；可带不透明度 kde:60", names=" ".join(LAYERS))
            raise ParameterError("layers", text, allowed)
        found[match[1]] = int(match[2] or FULL_PCT)
    return tuple(found.items())
