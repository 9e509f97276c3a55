"""Drawing for the methods page: one small figure a method, in the colours of the product's light theme."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import shapely
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap

INK, QUIET, LINE, GROUND, ACCENT = "#13202C", "#5E6F7D", "#D3DBE2", "#FFFFFF", "#0C659C"
BAD, WARN, GOOD = "#A5230E", "#9A6200", "#005F52"
DENSITY = LinearSegmentedColormap.from_list("density", ["#FBE3B4", "#F6B56B", "#E27A45", "#B33F4D", "#6A2350"])
COUNT = LinearSegmentedColormap.from_list("count", ["#EEF4F8", "#CCE1EE", "#97C3DF", "#5699C4", "#2A6F9D", "#143F60"])
CHANGE = LinearSegmentedColormap.from_list(
    "change", ["#1C5C92", "#5B9ACA", "#B4D2E7", "#EDEEEC", "#F2CC98", "#D98C3B", "#97500F"]
)
SIDES = {
    "hot99": "#97500F", "hot95": "#D98C3B", "none": "#EDEEEC", "cold95": "#5B9ACA", "cold99": "#1C5C92",
}  # fmt: skip

plt.rcParams.update(
    {
        "font.family": ["Noto Sans CJK SC", "sans-serif"],
        "font.size": 9, "axes.edgecolor": LINE, "axes.labelcolor": QUIET, "xtick.color": QUIET, "ytick.color": QUIET,
        "text.color": INK, "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
        "axes.spines.top": False, "axes.spines.right": False, "axes.unicode_minus": True, "figure.facecolor": GROUND,
        "legend.frameon": False, "legend.fontsize": 8, "savefig.dpi": 110,
    }
)  # fmt: skip


def sheet(columns: int = 1, *, width: float = 7.2, height: float = 3.6, **options):
    """A figure with so many axes side by side."""
    figure, axes = plt.subplots(1, columns, figsize=(width, height), layout="constrained", **options)
    return figure, axes


def land(axis, *, title: str = "") -> None:
    """An axis for a map: equal scale, no ticks, no frame."""
    axis.set_aspect("equal")
    axis.set_axis_off()
    axis.set_title(title)


def areas(axis, shapes, *, colours=None, values=None, cmap=COUNT, line=GROUND, width=0.2, limits=None):
    """Polygons filled by colour or by value (NaN hatched as missing); the collection, for a colour bar."""
    parts, owner = shapely.get_parts(np.asarray(shapes, dtype=object), return_index=True)
    rings = [shapely.get_coordinates(shapely.get_exterior_ring(part)) for part in parts]
    filled = PolyCollection(rings, edgecolors=line, linewidths=width)
    if colours is not None:
        filled.set_facecolor([colours[i] for i in owner])
    else:
        filled.set_array(np.asarray(values, float)[owner])
        filled.set_cmap(cmap)
        if limits:
            filled.set_clim(*limits)
    axis.add_collection(filled)
    axis.autoscale_view()
    return filled


def outline(axis, shape, *, colour=QUIET, width=0.8, style="-") -> None:
    """Borders of a shape, or lines."""
    lines = shapely.get_parts(shapely.boundary(shape) if shapely.get_dimensions(shape) == 2 else shape)
    lines = shapely.get_parts(lines)
    axis.add_collection(
        LineCollection(
            [shapely.get_coordinates(part) for part in lines], colors=colour, linewidths=width, linestyles=style
        )
    )
    axis.autoscale_view()


def surface(axis, values, bounds_m, *, cmap=DENSITY, limits=None):
    """A raster whose row 0 is the north."""
    west, south, east, north = bounds_m
    return axis.imshow(
        values, cmap=cmap, extent=(west, east, south, north), origin="upper", interpolation="nearest",
        vmin=limits and limits[0], vmax=limits and limits[1],
    )  # fmt: skip


def ruler(figure, drawn, axis, label: str) -> None:
    """The legend of a ramp, with its unit."""
    bar = figure.colorbar(drawn, ax=axis, shrink=0.6, pad=0.01)
    bar.outline.set_visible(False)
    bar.set_label(label)


def key(axis, colours: dict[str, str], **where) -> None:
    """A legend of named colours."""
    marks = [plt.Line2D([], [], marker="s", linestyle="", color=c, label=n, markersize=7) for n, c in colours.items()]
    axis.legend(handles=marks, loc=where.pop("loc", "lower right"), **where)


def save(figure, path) -> None:
    """Write the PNG and let the figure go; a small palette keeps the file small."""
    from PIL import Image

    figure.savefig(path)
    plt.close(figure)
    Image.open(path).convert("RGB").quantize(192, dither=Image.Dither.NONE).save(path, optimize=True)
