"""The maps of a pack as pictures at print quality."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dashboard import language
from dashboard.reports.asked import Asked

SIZE_MM = (172.0, 122.0)
_GROUND = (("water", 100), ("road", 100))


def draw(at: Asked, name: str, now: datetime, *, lists: bool = True) -> bytes:
    """A map as PNG.

    Parameters
    ----------
    name : str
        ``hotspots``: density and numbered hotspots; ``change``: units by their verdict.
    lists : bool
        With the counts of the foremost units beside the map; an edition for circulation goes without.

    Raises
    ------
    FontMissing
    """
    from dashboard.pictures.files import picture  # matplotlib only where something is drawn
    from dashboard.pictures.map_drawing import draw_map
    from dashboard.pictures.map_questions import map_picture

    language.use("zh")
    if name == "hotspots":
        asked = {
            "level": at.level("street", "community", "district", "grid"),
            "layers": (*_GROUND, ("kde", 100), ("hotspots", 100), ("labels", 100)),
        }
    else:
        asked = {
            "level": at.level("street", "community", "grid", "district"),
            "measure": "change",
            "layers": (*_GROUND, ("labels", 100)),
        }
    frame, _ = map_picture(at.release, at.selection, at.scope, now, **asked)
    if not lists:
        frame = replace(frame, ranked_title="", ranked=())
    return picture(draw_map(frame, None, SIZE_MM), "png", title=name)
