"""One picture: the question to the Store, then the drawing."""

from __future__ import annotations

from datetime import datetime

from matplotlib.figure import Figure

from dashboard.layers import read_layers
from dashboard.pictures.chart_drawing import draw_bars, draw_trend, draw_week
from dashboard.pictures.chart_questions import categories_picture, ranking_picture, trend_picture, week_picture
from dashboard.pictures.map_drawing import draw_map
from dashboard.pictures.map_questions import DEFAULT_LAYERS, map_picture
from dashboard.pictures.page import Head
from data.selection import Selection
from data.store import Release, Scope


def draw(
    release: Release, selection: Selection, scope: Scope, name: str, own: dict[str, str], now: datetime
) -> tuple[Figure, Head]:
    """One of :data:`dashboard.pictures.PICTURES`.

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
