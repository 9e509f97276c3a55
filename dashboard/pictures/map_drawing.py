"""A map as a printed page: the map, beside it legends and the list of what matters, around it head and foot."""

from __future__ import annotations

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from dashboard.language import say
from dashboard.pictures.lettering import MM_PER_POINT, font, shortened, width_mm
from dashboard.pictures.map_frame import HATCHED, PLAIN, Label, MapFrame, Overlay
from dashboard.pictures.map_side import draw_side
from dashboard.pictures.page import A4_LANDSCAPE, BODY, SMALL, Box, Head, Page
from dashboard.pictures.palette import LIGHT
from dashboard.pictures.shapes import fill, hatch, stroke

SIDE_MM, GAP_MM, EDGE_MM = 58.0, 6.0, 4.0  # column beside the map; between the two; of the map around its extent
HATCH_MM, BAR_MM = 1.5, 40.0
MANY_UNITS = 4000  # from here lines between units are hair-thin
_RING_MM = 2.4  # half of what a numbered hotspot takes
_LABEL_OVER = 1.25  # how much wider than its area a name may be
_NICE = np.array([1, 2, 5])


def draw_map(frame: MapFrame, head: Head | None, size: tuple[float, float] = A4_LANDSCAPE) -> Figure:
    """The page.

    Parameters
    ----------
    head : Head or None
        None is a map without head and foot, for a page that has its own.
    size : (float, float)
        Width and height in millimetres.
    """
    page = Page(size)
    body = Box(0.5, 0.5, size[0] - 1, size[1] - 1) if head is None else page.frame(head)
    box = Box(body.left, body.bottom, body.width - SIDE_MM - GAP_MM, body.height)
    draw_side(page, Box(box.right + GAP_MM, body.bottom, SIDE_MM, body.height), frame)
    axes = page.axes(box)
    metres_a_mm = _aim(axes, frame.extent, box)
    _draw_units(axes, frame, metres_a_mm)
    for order, overlay in enumerate(frame.overlays):
        _OVERLAYS[overlay.kind](axes, overlay, 3.0 + order * 0.1)
    for number, (shapes, colour, width) in enumerate(frame.borders):
        stroke(axes, shapes, colour, width, order=2.5 + number * 0.1)
    stroke(axes, frame.chosen, "accent", 1.7, order=5.0)
    taken = _corners(axes, box, metres_a_mm) + _marks(axes, frame.overlays, metres_a_mm)
    _draw_labels(axes, box, metres_a_mm, frame.labels, taken)
    axes.add_artist(Rectangle((0, 0), 1, 1, transform=axes.transAxes, facecolor="none", edgecolor=LIGHT["line2"],
                             linewidth=0.8, zorder=9, clip_on=False))  # fmt: skip
    return page.figure


def _aim(axes: Axes, extent: tuple[float, float, float, float], box: Box) -> float:
    """Show an extent whole, without distortion; metres in a millimetre of paper."""
    west, south, east, north = extent
    scale = max((east - west) / (box.width - 2 * EDGE_MM), (north - south) / (box.height - 2 * EDGE_MM), 1e-6)
    x, y = (west + east) / 2, (south + north) / 2
    axes.set_xlim(x - scale * box.width / 2, x + scale * box.width / 2)
    axes.set_ylim(y - scale * box.height / 2, y + scale * box.height / 2)
    axes.set_autoscale_on(False)
    axes.set_axis_off()
    axes.add_artist(Rectangle((0, 0), 1, 1, transform=axes.transAxes, facecolor=LIGHT["map-outside"], zorder=0))
    return scale


def _draw_units(axes: Axes, frame: MapFrame, metres_a_mm: float) -> None:
    fill(axes, frame.land, "map-land", edge="map-street", line=0.4, order=0.5)
    line = 0.08 if len(frame.shapes) > MANY_UNITS else 0.25
    for colour in np.unique(frame.colours):
        shapes = frame.shapes[frame.colours == colour]
        if colour == HATCHED:
            hatch(axes, shapes, HATCH_MM * metres_a_mm)
        else:
            fill(axes, shapes, "map-land" if colour == PLAIN else colour, edge="map-grid", line=line)


def _water(axes: Axes, overlay: Overlay, order: float) -> None:
    fill(axes, overlay.shapes, "map-water", opacity=0.85 * overlay.opacity, order=order - 0.7)


def _building(axes: Axes, overlay: Overlay, order: float) -> None:
    fill(axes, overlay.shapes, "line2", opacity=0.45 * overlay.opacity, order=order - 0.7)


def _road(axes: Axes, overlay: Overlay, order: float) -> None:
    for width in np.unique(overlay.numbers):
        lines = overlay.shapes[overlay.numbers == width]
        stroke(axes, lines, "map-road", float(width), opacity=0.7 * overlay.opacity, order=order - 0.7)


def _density(axes: Axes, overlay: Overlay, order: float) -> None:
    for number, shape in enumerate(overlay.shapes, 1):
        if not shape.is_empty:
            # The lowest class is faint against land: outlined in the next one's colour.
            edge, line = ("density-2", 0.5) if number == 1 else (None, 0.0)
            fill(axes, np.array([shape]), f"density-{number}", edge=edge, line=line, opacity=0.92 * overlay.opacity,
                 order=order + number * 0.01)  # fmt: skip


def _points(axes: Axes, overlay: Overlay, order: float) -> None:
    size = 3.4 if len(overlay.xy) <= 1500 else 2.2
    axes.plot(*overlay.xy.T, linestyle="", marker="o", markersize=size, color=LIGHT["t1"], markeredgecolor=LIGHT["panel"],
              markeredgewidth=0.35, alpha=overlay.opacity, zorder=order)  # fmt: skip


def _repeats(axes: Axes, overlay: Overlay, order: float) -> None:
    most = max(overlay.numbers.max(initial=2), 2)
    sizes = 5.0 + 13.0 * np.sqrt(overlay.numbers / most)
    axes.scatter(*overlay.xy.T, s=sizes**2 * 0.6, facecolors="none", edgecolors=LIGHT["bad"], linewidths=1.0,
                 alpha=overlay.opacity, zorder=order)  # fmt: skip


def _numbers(axes: Axes, overlay: Overlay, order: float) -> None:
    axes.plot(*overlay.xy.T, linestyle="", marker="o", markersize=11, color=LIGHT["panel"], markeredgecolor=LIGHT["t1"],
              markeredgewidth=1.1, zorder=6.5)  # fmt: skip
    for (x, y), number in zip(overlay.xy, overlay.numbers, strict=True):
        axes.text(x, y, str(int(number)), fontproperties=font(7.5 if number < 100 else 6.5, bold=True), ha="center",
                  va="center_baseline", color=LIGHT["t1"], zorder=6.6, clip_on=True)  # fmt: skip


_OVERLAYS = {"water": _water, "building": _building, "road": _road, "density": _density, "points": _points,
             "repeats": _repeats, "numbers": _numbers}  # fmt: skip


def _corners(axes: Axes, box: Box, metres_a_mm: float) -> list[tuple[float, float, float, float]]:
    """Scale bar and north arrow; the boxes they take, in millimetres of the map."""
    longest = BAR_MM * metres_a_mm
    power = 10.0 ** np.floor(np.log10(longest))
    metres = float(_NICE[_NICE * power <= longest].max() * power)
    long = metres / metres_a_mm
    text = say("{n} 千米", n=f"{metres / 1000:g}") if metres >= 1000 else say("{n} 米", n=f"{metres:g}")
    right, bottom = box.width - 6.0, 5.0
    held = (right - long - 4.0, bottom - 3.0, right + 4.0, bottom + 7.0)
    at = {"transform": axes.transAxes, "zorder": 8}
    _card(axes, box, held)
    x = [(right - long) / box.width, (right - long / 2) / box.width, right / box.width]
    y = bottom / box.height
    tick = 1.4 / box.height
    axes.plot([x[0], x[0], x[2], x[2]], [y + tick, y, y, y + tick], color=LIGHT["t1"], linewidth=1.0, **at)
    axes.plot([x[1], x[1]], [y, y + tick * 0.7], color=LIGHT["t1"], linewidth=1.0, **at)
    axes.text(x[2], (bottom + 2.4) / box.height, text, fontproperties=font(SMALL), color=LIGHT["t2"], ha="right",
              va="bottom", **at)  # fmt: skip
    north = (box.width - 10.5, box.height - 14.0, box.width - 3.0, box.height - 3.0)
    _card(axes, box, north)
    middle = (north[0] + north[2]) / 2
    arrow = np.array([(middle, north[3] - 1.3), (middle - 1.5, north[3] - 5.6), (middle, north[3] - 4.6),
                      (middle + 1.5, north[3] - 5.6)]) / (box.width, box.height)  # fmt: skip
    axes.fill(*arrow.T, color=LIGHT["t2"], **at)
    axes.text(middle / box.width, (north[1] + 1.4) / box.height, say("北"), fontproperties=font(SMALL, bold=True),
              color=LIGHT["t2"], ha="center", va="bottom", **at)  # fmt: skip
    return [held, north]


def _card(axes: Axes, box: Box, held: tuple[float, float, float, float]) -> None:
    left, bottom, right, top = held
    axes.add_artist(Rectangle((left / box.width, bottom / box.height), (right - left) / box.width,
                             (top - bottom) / box.height, transform=axes.transAxes, facecolor=LIGHT["panel"], alpha=0.88,
                             edgecolor="none", zorder=7))  # fmt: skip


def _marks(axes: Axes, overlays: tuple[Overlay, ...], metres_a_mm: float) -> list[tuple[float, float, float, float]]:
    """The boxes that numbered hotspots take."""
    west, south = axes.get_xlim()[0], axes.get_ylim()[0]
    xy = [(overlay.xy - (west, south)) / metres_a_mm for overlay in overlays if overlay.kind == "numbers"]
    return [
        (x - _RING_MM, y - _RING_MM, x + _RING_MM, y + _RING_MM) for x, y in np.concatenate([np.empty((0, 2)), *xy])
    ]


def _draw_labels(axes: Axes, box: Box, metres_a_mm: float, labels: tuple[Label, ...], taken: list) -> None:
    """Names, most important first, moved up or down where they touch another mark, left out where that is no help."""
    west, south = axes.get_xlim()[0], axes.get_ylim()[0]
    for label in labels:
        size = BODY + 1.0 if label.wide else SMALL
        text = shortened(label.text, box.width / 4, size, bold=label.wide)
        half, high = width_mm(text, size, bold=label.wide) / 2 + 0.8, size * MM_PER_POINT * 0.75
        if not label.wide and 2 * half > _LABEL_OVER * label.room / metres_a_mm:
            continue
        x, y = (label.x - west) / metres_a_mm, (label.y - south) / metres_a_mm
        places = ((x - half, y + shift - high, x + half, y + shift + high) for shift in (0, 2 * high, -2 * high))
        free = (p for p in places if _inside(p, box) and not any(_touch(p, other) for other in taken))
        place = next(free, None)
        if place is None:
            continue
        taken.append(place)
        axes.text(label.x, south + (place[1] + high) * metres_a_mm, text, fontproperties=font(size, bold=label.wide),
                  parse_math=False, ha="center", va="center", color=LIGHT["map-label"], zorder=6,
                  path_effects=[withStroke(linewidth=2.2, foreground=LIGHT["panel"])])  # fmt: skip


def _inside(place: tuple, box: Box) -> bool:
    return place[0] > 0 and place[1] > 0 and place[2] < box.width and place[3] < box.height


def _touch(one: tuple, other: tuple) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def total_extent(shapes: np.ndarray) -> tuple[float, float, float, float]:
    """The extent of shapes; a kilometre around the origin where there are none."""
    bounds = shapely.total_bounds(shapes[~shapely.is_missing(shapes)]) if len(shapes) else np.full(4, np.nan)
    return tuple(bounds.tolist()) if np.isfinite(bounds).all() else (-500.0, -500.0, 500.0, 500.0)
