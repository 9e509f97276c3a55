"""Kernel density of events on a grid that the boundary alone decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike
from shapely.geometry.base import BaseGeometry

from geo.density.scale import (
    BY_BANDWIDTH,
    EIGHTH_OF_FRAME,
    FINEST_GRID,
    GIVEN,
    MOST_CELLS,
    automatic_bandwidth,
    automatic_cell,
    grid_shape,
)
from geo.density.smooth import KERNELS, kernel_sum
from geo.metres import metre_shape, metre_xy, refuse_other_crs
from geo.region_index import RegionIndex
from geo.result import Result

_LEFT = 1e-6  # cells; a cell centre on the boundary is judged this far left and below, so rounding does not decide


@dataclass(frozen=True, eq=False)
class Surface(Result):
    """Events per km2 on a grid of square cells. Unpacks as ``values, x_m, y_m``.

    Attributes
    ----------
    values : ndarray, shape (rows, columns)
        Density at the cell centres, events per km2 over the whole window; row 0 is the northernmost; NaN where the
        centre of the cell lies outside the boundary.
    bandwidth_m : float
        Radius of support (quartic) or standard deviation (gaussian), metres.
    bandwidth_rule : str
        "given", "standard distance", "finest grid" or "eighth of frame": see the Notes of :func:`kernel_density`.
    cell_m : float
        Side of a cell, metres.
    cell_rule : str
        "given" or "by bandwidth".
    kernel : str
        "quartic" or "gaussian".
    edge : bool
        Whether the kernels were corrected at the boundary.
    bounds_m : tuple of float
        Outer edges of the grid: x_min, y_min, x_max, y_max.
    n : int
        Events inside the boundary, those that were used.
    outside : int
        Events outside the boundary, left out.
    days : float or None
        Length of the window as given.
    note : str
        What a reader has to know, in Chinese; "" where there is nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("values", "x_m", "y_m")

    values: np.ndarray
    bandwidth_m: float
    bandwidth_rule: str
    cell_m: float
    cell_rule: str
    kernel: str
    edge: bool
    bounds_m: tuple[float, float, float, float]
    n: int
    outside: int
    days: float | None
    note: str

    @property
    def origin_m(self) -> tuple[float, float]:
        """Upper left corner of the grid: x_min, y_max."""
        return self.bounds_m[0], self.bounds_m[3]

    @property
    def x_m(self) -> np.ndarray:
        """East of the cell centres, by column."""
        return self.bounds_m[0] + (np.arange(self.values.shape[1]) + 0.5) * self.cell_m

    @property
    def y_m(self) -> np.ndarray:
        """North of the cell centres, by row: falling."""
        return self.bounds_m[1] + (np.arange(self.values.shape[0])[::-1] + 0.5) * self.cell_m

    @property
    def mass(self) -> float:
        """Sum of density times area over the drawn cells, in events; with ``edge`` it is ``n``."""
        return float(np.nansum(self.values) * self.cell_m**2 / 1e6)


def kernel_density(
    xy: ArrayLike | gpd.GeoSeries | gpd.GeoDataFrame,
    *,
    bandwidth_m: float | None = None,
    cell_m: float | None = None,
    boundary: BaseGeometry | gpd.GeoSeries | gpd.GeoDataFrame,
    kernel: str = "quartic",
    edge: bool = True,
    days: float | None = None,
) -> Surface:
    """Density of events inside a boundary, in events per km2.

    Parameters
    ----------
    xy : array_like (n, 2), GeoSeries or GeoDataFrame of points
        Events in metres, one row each; several at one place are several events.
    bandwidth_m : float, optional
        Radius of support of the quartic kernel, standard deviation of the gaussian. By default a rule (see Notes).
    cell_m : float, optional
        Side of a cell, at most ``bandwidth_m``. By default a round length from the bandwidth (see Notes).
    boundary : Polygon, MultiPolygon, GeoSeries or GeoDataFrame
        The area in metres, in the CRS of ``xy``; several shapes are united. Its border belongs to it.
    kernel : {"quartic", "gaussian"}
        Equal smoothness is equal variance: a quartic radius of ``sqrt(8)`` standard deviations of the gaussian.
    edge : bool
        Divide the kernel of each event by its mass inside the boundary, so that no event is lost over the border and
        the mass of the surface is ``n``. Without it the density falls off near the border.
    days : float, optional
        Length of the window, kept for :func:`density_change`; it does not change the values.

    Returns
    -------
    Surface

    Raises
    ------
    ValueError
        Degrees, two different CRSs, missing coordinates, an unknown kernel, a length that is not above 0, a bandwidth
        below the cell, a boundary in which no cell has its centre, or more than 4,000,000 cells.

    Notes
    -----
    The density at the centre g of a cell is ``sum_i K_h(g - x_i) / e(x_i)`` with ``K_h(d) = 3 / (pi h^2) (1 - d^2 /
    h^2)^2`` for d < h (quartic) or ``exp(-d^2 / (2 h^2)) / (2 pi h^2)`` (gaussian). ``e(x)`` is 1 without ``edge``,
    else the sum of ``K_h(g - x)`` times the cell area over the drawn cells: the form of the edge correction in which
    the mass is kept [Diggle1985]_ [Jones1993]_. It keeps the mass, not the height: of even events it shows 0.71 of the
    density right on a straight border and 0.51 in a right corner (without correction 0.5 and 0.25), and up to 1.09 and
    1.19 a little inside. A cell is drawn where its centre is inside.

    The sum is computed by binning finer than the cells and Fourier transforms. A single event is off by less than 1 %
    of its peak from a bandwidth of 1.5 cells on (above 1,000,000 cells: from 3 cells on), many events by far less.
    Events in a part of the area too thin for the grid, with less than 0.001 of their kernel in drawn cells, count at
    the centre of the nearest one.

    *Grid.* Its lower left corner is that of the boundary, whatever the events are: strays and pile-ups do not move it.

    *Automatic bandwidth*, "standard distance": the quartic radius is ``0.9 min(SD, Dm / sqrt(ln 2)) m^-0.2`` over the
    m distinct places inside the boundary, SD being the root mean square and Dm the median of their distances from
    their mean centre: Silverman's rule of thumb [Silverman1986]_ in the plane, as [EsriKernelDensity]_ has it. The
    gaussian gets the same variance. Repeats at a place do not count, so a pile-up cannot narrow it. Where the places
    are so close together that no grid of the frame could show it, "finest grid": a deviation of 1.5 cells of a grid of
    1,000,000. Fewer than two places, "eighth of frame": a deviation of an eighth of the shorter side of the frame.

    *Automatic cell*, "by bandwidth": a round length (1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten) between a quarter
    and two thirds of the kernel's standard deviation, aimed at 250,000 cells; halved until a centre is inside.

    Examples
    --------
    >>> import shapely
    >>> from geo.density import kernel_density
    >>> town = shapely.box(500_000, 4_000_000, 502_000, 4_001_000)
    >>> events = [(500_400, 4_000_500), (500_400, 4_000_500), (501_900, 4_000_100), (510_000, 4_000_500)]
    >>> surface = kernel_density(events, bandwidth_m=500, cell_m=100, boundary=town)
    >>> surface.values.shape, surface.n, surface.outside, round(surface.mass, 9)
    ((10, 20), 3, 1, 3.0)
    >>> surface.note
    '1 起在边界外，未计入'
    >>> values, x_m, y_m = surface
    >>> x_m[:2].tolist(), y_m[:2].tolist()
    ([500050.0, 500150.0], [4000950.0, 4000850.0])
    """
    if kernel not in KERNELS:
        raise ValueError(f"kernel is {kernel!r}, expected one of {', '.join(KERNELS)}")
    for name, value in (("bandwidth_m", bandwidth_m), ("cell_m", cell_m), ("days", days)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} is {value}, expected a number above 0")
    refuse_other_crs(xy, boundary, ("xy", "boundary"))
    form, shape = KERNELS[kernel], _polygons(boundary)
    x, y = np.array(metre_xy(xy).T, order="C")  # our own copy: it is worked on in place
    x_min, y_min, x_max, y_max = shape.bounds
    frame = x_max - x_min, y_max - y_min
    index = RegionIndex([shape], points=len(x) // 4)  # its raster has this many cells
    inside = index.assign(x, y) == 0
    outside = int(len(x) - inside.sum())
    if outside:
        x, y = x[inside], y[inside]
    bandwidth_rule = cell_rule = GIVEN
    if bandwidth_m is None:
        bandwidth_m, bandwidth_rule = automatic_bandwidth(x, y, frame, form)
    if cell_m is None:
        cell_m, cell_rule = automatic_cell(bandwidth_m, frame, form), BY_BANDWIDTH
    if bandwidth_m < cell_m:
        raise ValueError(
            f"bandwidth_m={bandwidth_m:g} ({bandwidth_rule}) is below cell_m={cell_m:g}, expected at least one cell: "
            "use smaller cells or a larger bandwidth"
        )
    drawn, cell_m = _drawn(index, shape, cell_m, halve=cell_rule != GIVEN)
    rows, columns = drawn.shape
    for along, least in ((x, x_min), (y, y_min)):
        along -= least
        along /= cell_m
    values = kernel_sum(x, y, drawn, form, bandwidth_m / cell_m, edge) / (cell_m**2 / 1e6)
    values[~drawn] = np.nan
    return Surface(
        values[::-1],
        float(bandwidth_m),
        bandwidth_rule,
        float(cell_m),
        cell_rule,
        kernel,
        bool(edge),
        (x_min, y_min, x_min + columns * cell_m, y_min + rows * cell_m),
        len(x),
        outside,
        days,
        _note(x, y, outside, bandwidth_rule),
    )


def _polygons(boundary) -> BaseGeometry:
    """The boundary without the lines and points that the repair of a polygon may leave."""
    shape = metre_shape(boundary)
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.union_all(parts[shapely.area(parts) > 0])


def _drawn(index: RegionIndex, shape: BaseGeometry, cell_m: float, *, halve: bool) -> tuple[np.ndarray, float]:
    """Which cells have their centre inside, row 0 at the bottom, and the cell that was used in the end."""
    x_min, y_min, x_max, y_max = shape.bounds
    while True:
        rows, columns = grid_shape((x_max - x_min, y_max - y_min), cell_m)
        x = x_min + (np.arange(columns) + 0.5 - _LEFT) * cell_m
        y = y_min + (np.arange(rows) + 0.5 - _LEFT) * cell_m
        drawn = index.assign(x[None, :], y[:, None]) == 0
        if drawn.any():
            return drawn, cell_m
        if not halve or 4 * rows * columns > MOST_CELLS:
            raise ValueError(
                f"no cell of cell_m={cell_m:g} has its centre inside the boundary ({shape.area:g} m2, "
                f"{x_max - x_min:g} x {y_max - y_min:g} m), expected at least one: use smaller cells"
            )
        cell_m /= 2


def _note(x: np.ndarray, y: np.ndarray, outside: int, bandwidth_rule: str) -> str:
    said = []
    if not len(x):
        said.append("边界内没有事件，密度处处为零")
    elif np.ptp(x) == 0 and np.ptp(y) == 0:
        said.append(f"{len(x)} 起同在一处，图形只是核的形状")
    if bandwidth_rule == EIGHTH_OF_FRAME:
        said.append("不足两处，带宽按边界外框短边的八分之一取")
    if bandwidth_rule == FINEST_GRID:
        said.append("各处过于集中，带宽按网格能表示的最小值取")
    if outside:
        said.append(f"{outside} 起在边界外，未计入")
    return "；".join(said)
