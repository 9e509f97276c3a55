"""What a map shows, gathered before it is drawn. Shapes and points are in metres, colours are names of the palette."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

HATCHED, PLAIN = "hatched", "plain"  # 未报; a unit that is not coloured


@dataclass(frozen=True)
class Swatch:
    """One line of a legend: a box of a colour, or a mark (as matplotlib names it) filled with it, and its words."""

    colour: str
    words: str
    mark: str = ""
    tone: str = "t2"


@dataclass(frozen=True)
class Legend:
    """What colours mean.

    Attributes
    ----------
    name, unit : str
    ramp : tuple of str
        Colours from low to high, with ``limits``, the lower limit of each; an empty limit is not written.
    swatches : tuple of Swatch
        Colours with words: classes, 未报, 0.
    note : str
        How it was worked out.
    """

    name: str
    unit: str
    ramp: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    swatches: tuple[Swatch, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Ranked:
    """One line of the list beside the map."""

    name: str
    value: str
    mark: str = ""
    tone: str = "t2"


@dataclass(frozen=True, eq=False)
class Label:
    """A name on the map, of an area ``room`` metres wide; a narrow one gives way where its area does not hold it."""

    x: float
    y: float
    text: str
    room: float
    wide: bool = False


@dataclass(frozen=True, eq=False)
class Overlay:
    """A layer over the units.

    ``kind`` is ``water``, ``building``, ``road``, ``density`` (``shapes`` are the areas of five classes), ``points``
    (``xy``), ``repeats`` (``xy`` with ``numbers`` of events) or ``numbers`` (``xy`` with the number of a hotspot).
    """

    kind: str
    opacity: float = 1.0
    shapes: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=object))
    xy: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    numbers: np.ndarray = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, eq=False)
class MapFrame:
    """A map ready to be drawn.

    Attributes
    ----------
    extent : (west, south, east, north)
    shapes : array of geometry, shape (units,)
        Missing for a unit without an outline.
    colours : array of str, shape (units,)
        A colour, ``HATCHED`` or ``PLAIN``.
    land : array of geometry
        Ground of the scope around the units.
    borders : tuple of (shapes, colour, points)
        Outlines over the units, weak to strong.
    chosen : array of geometry
        The selected area or polygon, outlined.
    overlays : tuple of Overlay
        Bottom to top.
    labels : tuple of Label
        Most important first.
    legends : tuple of Legend
    ranked_title : str
    ranked : tuple of Ranked
    """

    extent: tuple[float, float, float, float]
    shapes: np.ndarray
    colours: np.ndarray
    land: np.ndarray
    borders: tuple[tuple[np.ndarray, str, float], ...]
    chosen: np.ndarray
    overlays: tuple[Overlay, ...]
    labels: tuple[Label, ...]
    legends: tuple[Legend, ...]
    ranked_title: str = ""
    ranked: tuple[Ranked, ...] = ()
