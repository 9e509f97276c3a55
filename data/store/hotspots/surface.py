"""Density of events over a scope, in the window asked and the one compared with it, by the same measures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from data.selection import Selection, Window
from data.store.hotspots.asked import asked_window, check, whole_scope
from data.store.hotspots.contours import bands, clipped, rounded
from data.store.hotspots.events import count_points, points
from data.store.hotspots.outlines import place_boundary, scope_boundary
from data.store.hotspots.parameters import immature_remark, joined, provenance
from data.store.hotspots.projection import metre_points
from data.store.hotspots.smoothing import MOST_CELLS, SHARES, bandwidth_rule, density_limits
from data.store.metres import DEGREES, crs_name, in_degrees, in_metres, release_crs
from data.store.release import Release
from data.store.scope import Scope
from geo.crs import transform
from geo.density import Surface, kernel_density
from geo.density.scale import automatic_cell
from geo.density.smooth import KERNELS

KERNEL = "quartic"
_FORM = KERNELS[KERNEL]
_STEP_DEGREES = 1e-6
NO_EVENTS, NO_OUTLINE = "没有可用的点", "授权范围没有边界"
REFERENCES = ["Diggle1985", "Jones1993", "Silverman1986", "EsriKernelDensity"]


@dataclass(frozen=True)
class Peak:
    """Where the density is highest: degrees, events per km2 over the window."""

    lon: float
    lat: float
    per_km2: float


@dataclass(frozen=True, eq=False)
class Density:
    """Kernel density of the scope, drawn inside the selected area and polygon.

    Attributes
    ----------
    contours : tuple of MultiPolygon
        Class k holds densities from ``limits[k]`` up to the next limit; degrees, 6 decimals. Empty without events.
    limits : tuple of float
        Events per km2 over the window, ascending; the same for ``now`` and ``before``.
    peak : Peak or None
        Of the part drawn.
    areas_km2 : tuple of float
        Of each class, as drawn.
    n : int
        Events in the surface, those of the whole scope.
    mass : float
        What the surface sums up to, in events.
    parameters : dict
    note : str
        As in UnitClasses.
    """

    contours: tuple[shapely.MultiPolygon, ...]
    limits: tuple[float, ...]
    peak: Peak | None
    areas_km2: tuple[float, ...]
    n: int
    mass: float
    parameters: dict
    note: str


@dataclass(frozen=True)
class _Surfaces:
    """What does not depend on the part drawn: the surface of each window by name."""

    surface: dict[str, Surface]
    mass: dict[str, float]
    limits: tuple[float, ...]
    bandwidth: dict


def density_surface(release: Release, selection: Selection, scope: Scope, window: str = "now") -> Density:
    """Kernel density of the events of the scope, as areas of five classes.

    Parameters
    ----------
    window : str
        ``now``, or ``before``: the window compared with, by the same bandwidth, cells and limits.

    Raises
    ------
    ParameterError, OutsideScope, UnknownArea

    Notes
    -----
    The radius of the quartic kernel is that within which a typical event (the median one) has 20 others, but at least
    600 m, at most the rule of thumb of :func:`geo.density.kernel_density`, and no less than 600 x 600 cells can show,
    rounded up to two digits. It comes from the current window (the compared one where the current has fewer than two
    events), from at most 100,000 of its events, evenly taken in time. The limits are round numbers near the densities
    below which 70, 85, 93, 97.5 and 99.5 % of the area with any density lie, both windows together.
    """
    check(selection, "kde", "grid", window)
    key = ("density_surface", selection, scope, window)
    return release.remember(key, lambda: _density(release, selection, scope, window))


def _density(release: Release, selection: Selection, scope: Scope, window: str) -> Density:
    drawn = drawn_area(release, selection, scope)
    base, asked = whole_scope(selection), asked_window(selection, window)
    found: _Surfaces | None = release.remember(("density both", base, scope), lambda: _surfaces(release, base, scope))
    _, left_out = count_points(release, base, scope, asked)
    parameters = {
        "method": "kde",
        **provenance(release, scope, window, asked),
        "kernel": KERNEL,
        "edge": True,
        "left_out": left_out,
        "seed": None,
        "reference": REFERENCES,
    }
    immature = immature_remark(release, asked)
    if found is None:
        return Density((), (), None, (), 0, 0.0, {**parameters, "n": 0}, joined(NO_OUTLINE, immature))
    surface = found.surface[window]
    parameters |= {
        "n": surface.n,
        "outside_boundary": surface.outside,
        **found.bandwidth,
        "cell_m": surface.cell_m,
        "cells": [*surface.values.shape],
        "bounds_m": [round(edge, 3) for edge in surface.bounds_m],
        "limits_per_km2": list(found.limits),
        "limits_shares": list(SHARES),
        "crs": crs_name(release_crs(release)),
        "automatic": ["bandwidth_m", "cell_m", "limits_per_km2"],
    }
    note = joined(surface.note, "" if found.limits else NO_EVENTS, immature)
    if not found.limits or drawn is None:
        return Density((), found.limits, None, (), surface.n, found.mass[window], parameters, note)
    areas_m = release.remember(("density bands", base, scope, window), lambda: bands(surface, found.limits))
    cut = clipped(areas_m, drawn)
    contours = rounded(in_degrees(release, cut), _STEP_DEGREES)
    areas = tuple((shapely.area(cut) / 1e6).round(4).tolist())
    return Density(tuple(contours), found.limits, _peak(release, surface, drawn), areas, surface.n, found.mass[window],
                   parameters, note)  # fmt: skip


def drawn_area(release: Release, selection: Selection, scope: Scope) -> shapely.Geometry | None:
    """The part of the scope that is looked at, in metres, prepared; None where it has no outline.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    drawn = scope_boundary(release, scope)
    if selection.area is not None:
        drawn = place_boundary(release, release.units.allowed(selection.area, scope))
    if drawn is None:
        return None
    if selection.polygon is not None:
        drawn = shapely.intersection(drawn, in_metres(release, shapely.from_wkt(selection.polygon)))
    # A copy: threads may not share a prepared shape, and the boundary of a scope is remembered.
    drawn = shapely.from_wkb(shapely.to_wkb(drawn))
    shapely.prepare(drawn)
    return drawn


def _surfaces(release: Release, selection: Selection, scope: Scope) -> _Surfaces | None:
    boundary = scope_boundary(release, scope)
    if boundary is None:
        return None
    windows: dict[str, Window] = {"now": (selection.start, selection.end)}
    if selection.compare_window is not None:
        windows["before"] = selection.compare_window
    xy = {name: _metre_points(release, selection, scope, window) for name, window in windows.items()}
    typical = xy["now"] if len(xy["now"]) > 1 else max(xy.values(), key=len)
    x_min, y_min, x_max, y_max = boundary.bounds
    frame = x_max - x_min, y_max - y_min
    bandwidth = bandwidth_rule(typical, frame, _FORM)
    radius = bandwidth["bandwidth_m"]
    cell_m = (
        np.ceil(max(frame) / MOST_CELLS) if max(frame) > MOST_CELLS * automatic_cell(radius, frame, _FORM) else None
    )
    surface = {}
    for name, (start, end) in windows.items():
        surface[name] = kernel_density(xy.pop(name), boundary=boundary, kernel=KERNEL, bandwidth_m=radius, cell_m=cell_m,
                                       days=(end - start).days)  # fmt: skip
        cell_m = surface[name].cell_m
    limits = density_limits(np.concatenate([one.values[one.values > 0] for one in surface.values()]))
    # Kept in single precision: half the memory, and a contour moves by less than a millimetre.
    kept = {name: replace(one, values=one.values.astype(np.float32)) for name, one in surface.items()}
    return _Surfaces(kept, {name: one.mass for name, one in surface.items()}, limits, bandwidth)


def _metre_points(release: Release, selection: Selection, scope: Scope, window: Window) -> np.ndarray:
    found = points(release, selection, scope, window)
    return metre_points(release, found["lon"].to_numpy(), found["lat"].to_numpy())


def _peak(release: Release, surface: Surface, drawn: shapely.Geometry) -> Peak | None:
    """The highest cell of the part drawn; of one that holds no cell centre, the cell it stands in."""
    x_min, y_min, x_max, y_max = drawn.bounds
    columns = np.flatnonzero((surface.x_m >= x_min) & (surface.x_m <= x_max))
    rows = np.flatnonzero((surface.y_m >= y_min) & (surface.y_m <= y_max))
    x, y = np.meshgrid(surface.x_m[columns], surface.y_m[rows])
    heights = np.where(shapely.contains_xy(drawn, x, y), surface.values[np.ix_(rows, columns)], np.nan)
    if not (heights > 0).any():
        return None
    at = np.unravel_index(np.nanargmax(heights), heights.shape)
    lon, lat = transform(x[at], y[at], release_crs(release), DEGREES)
    return Peak(round(float(lon), 6), round(float(lat), 6), float(heights[at]))
