"""How the density of one window differs from that of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from geo.density.smooth import KERNELS
from geo.density.surface import Surface
from geo.result import Result


@dataclass(frozen=True, eq=False)
class DensityChange(Result):
    """Two surfaces compared cell by cell. Unpacks as ``values, log2_ratio``.

    Attributes
    ----------
    values : ndarray, shape (rows, columns)
        Density now minus before, events per km2 over ``days`` (the window of now); row 0 is the northernmost; NaN
        outside the boundary.
    log2_ratio : ndarray, shape (rows, columns)
        ``log2(now / before)``: 1 is a doubling, -1 a halving. Both are taken as at least ``floor_per_km2``; NaN outside
        the boundary and where both are below it.
    floor_per_km2 : float
        Density below which a ratio says nothing.
    scale : float
        What the densities before were multiplied by, ``days / days_before``; 1 where the windows have no length.
    days, days_before : float or None
        Lengths of the two windows.
    bandwidth_m, cell_m, kernel, edge, bounds_m
        Of both surfaces, see :class:`Surface`.
    n, n_before : int
        Events of each window, not scaled.
    note : str
        What a reader has to know, in Chinese; "" where there is nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("values", "log2_ratio")

    values: np.ndarray
    log2_ratio: np.ndarray
    floor_per_km2: float
    scale: float
    days: float | None
    days_before: float | None
    bandwidth_m: float
    cell_m: float
    kernel: str
    edge: bool
    bounds_m: tuple[float, float, float, float]
    n: int
    n_before: int
    note: str


def density_change(now: Surface, before: Surface, *, floor_per_km2: float | None = None) -> DensityChange:
    """Difference and ratio of two densities on one grid.

    It describes and tests nothing: smoothed chance looks like change too. Whether a change is more than chance is
    decided on counts of areas by :func:`geo.change.poisson_e_test`.

    Parameters
    ----------
    now, before : Surface
        With one grid, bandwidth, kernel and edge correction. Windows of unequal length carry ``days``: those before are
        scaled to the length of now.
    floor_per_km2 : float, optional
        Densities below it count as it in the ratio, which would explode over a base near 0. By default what a single
        event has at its own place, ``K_h(0)``.

    Returns
    -------
    DensityChange

    Raises
    ------
    ValueError
        Surfaces that differ in grid, drawn cells, bandwidth, kernel or edge correction; ``days`` on one of them only; a
        floor that is not above 0.

    Examples
    --------
    >>> import shapely
    >>> from geo.density import density_change, kernel_density
    >>> town = shapely.box(0, 0, 2000, 1000)
    >>> same = {"bandwidth_m": 500, "cell_m": 100, "boundary": town}
    >>> before = kernel_density([(450, 450)] * 8, days=28, **same)
    >>> now = kernel_density([(450, 450)] * 4, days=7, **same)
    >>> values, log2_ratio = density_change(now, before)
    >>> values[5, 4].round(2).item(), log2_ratio[5, 4].round(2).item()
    (7.64, 1.0)
    """
    _refuse_unlike(now, before)
    if (now.days is None) != (before.days is None):
        raise ValueError(f"days is {now.days} now and {before.days} before, expected both or neither")
    if floor_per_km2 is None:
        floor_per_km2 = float(KERNELS[now.kernel].at(np.zeros(())) / now.bandwidth_m**2 * 1e6)
    if not (np.isfinite(floor_per_km2) and floor_per_km2 > 0):
        raise ValueError(f"floor_per_km2 is {floor_per_km2}, expected a number above 0")
    scale = 1.0 if now.days is None else now.days / before.days
    base = before.values * scale
    ratio = np.log2(np.maximum(now.values, floor_per_km2) / np.maximum(base, floor_per_km2))
    ratio[(now.values < floor_per_km2) & (base < floor_per_km2)] = np.nan
    return DensityChange(
        now.values - base,
        ratio,
        floor_per_km2,
        scale,
        now.days,
        before.days,
        now.bandwidth_m,
        now.cell_m,
        now.kernel,
        now.edge,
        now.bounds_m,
        now.n,
        before.n,
        _note(now, before, scale),
    )


def _refuse_unlike(now: Surface, before: Surface) -> None:
    for name in ("kernel", "bandwidth_m", "cell_m", "bounds_m", "edge"):
        first, second = getattr(now, name), getattr(before, name)
        if first != second:
            raise ValueError(
                f"{name} is {first} now and {second} before, expected one: compute both with the same boundary, "
                f"kernel, edge, bandwidth_m={now.bandwidth_m:g} and cell_m={now.cell_m:g}"
            )
    if not np.array_equal(np.isnan(now.values), np.isnan(before.values)):
        raise ValueError("now and before are drawn in different cells, expected one boundary")


def _note(now: Surface, before: Surface, scale: float) -> str:
    said = []
    if scale != 1:
        said.append(f"两期长短不同，前期 {before.days:g} 天按 {scale:.3g} 倍折算为 {now.days:g} 天")
    said += [f"{word}没有事件" for word, surface in (("本期", now), ("前期", before)) if not surface.n]
    return "；".join(said)
