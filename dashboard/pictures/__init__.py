"""Maps and charts drawn on the server: a question to the Store gives a frame and a head, a drawing makes a figure.

The drawings are pure and can be put on any page size; nothing here uses pyplot or changes matplotlib's settings.
"""

from __future__ import annotations

import re
from datetime import datetime

from matplotlib.figure import Figure

from dashboard.pictures.chart_drawing import draw_bars, draw_trend, draw_week
from dashboard.pictures.chart_questions import categories_picture, ranking_picture, trend_picture, week_picture
from dashboard.pictures.files import picture
from dashboard.pictures.lettering import FontMissing
from dashboard.pictures.map_drawing import draw_map
from dashboard.pictures.map_questions import DEFAULT_LAYERS, KNOWN_LAYERS, map_picture
from dashboard.pictures.measures import MEASURES
from dashboard.pictures.page import Head
from data.index import INCIDENT_LEVELS
from data.selection import ParameterError, Selection
from data.store import STEPS, Release, Scope

__all__ = ["MEASURES", "PICTURES", "FontMissing", "draw", "picture"]

# Each picture's own parameters; what one may be, or None for the layers of a map.
PICTURES: dict[str, dict[str, tuple[str, ...] | None]] = {
    "map": {"level": INCIDENT_LEVELS, "measure": MEASURES, "layers": None},
    "trend": {"step": STEPS},
    "profile": {},
    "categories": {},
    "ranking": {"level": INCIDENT_LEVELS},
}


def draw(
    release: Release, selection: Selection, scope: Scope, name: str, own: dict[str, str], now: datetime
) -> tuple[Figure, Head]:
    """One of ``PICTURES``.

    Parameters
    ----------
    own : dict
        Its own parameters, each one of the allowed; ``layers`` as in the page's address.
    now : datetime
        With a time zone.

    Raises
    ------
    ParameterError, OutsideScope, UnknownArea, FontMissing
    """
    match name:
        case "map":
            layers = read_layers(own["layers"]) if "layers" in own else DEFAULT_LAYERS
            frame, head = map_picture(release, selection, scope, now, level=own.get("level", "district"),
                                      measure=own.get("measure"), layers=layers)  # fmt: skip
            return draw_map(frame, head), head
        case "trend":
            frame, head = trend_picture(release, selection, scope, now, own.get("step", "day"))
            return draw_trend(frame, head), head
        case "profile":
            frame, head = week_picture(release, selection, scope, now)
            return draw_week(frame, head), head
        case "categories":
            frame, head = categories_picture(release, selection, scope, now)
            return draw_bars(frame, head), head
        case "ranking":
            frame, head = ranking_picture(release, selection, scope, now, own.get("level"))
            return draw_bars(frame, head), head
    raise KeyError(name)


def read_layers(text: str) -> tuple[tuple[str, int], ...]:
    """Layers of a page's address, bottom to top, each with its opacity in percent.

    Raises
    ------
    ParameterError
    """
    found: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"(\w+)(?::(\d{1,3}))?", part, re.ASCII)
        if match is None or match[1] not in KNOWN_LAYERS or match[1] in found or int(match[2] or 100) > 100:
            raise ParameterError("layers", text, " ".join(KNOWN_LAYERS) + "，以逗号分隔，各一次；可带不透明度 kde:60")
        found[match[1]] = int(match[2] or 100)
    return tuple(found.items())
