"""Kernel sums on a grid by Fourier transform: every event is spread over nodes finer than the cells, then smoothed.

Lengths are in cells, densities in events per cell; row 0 is at the bottom. A node is a place a whole number of ``1/s``
cells from a cell centre. An event goes to the four nodes around it by bilinear weights, which keep its mass and its
centre. Nodes that sit alike in their cells share one kernel and so one convolution; the sum over the s x s kinds of
node is the density *at* the cell centres. Its error is that of interpolating the kernel between nodes, at most
``1/(8 s^2)`` of its curvature for any event. At the peak, where it is curved most, that error is always downward; the
kernel is narrowed a little so that it lies evenly on both sides and is half as large.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import fft, ndimage

_BLOCK = 1 << 15  # events spread at once: the temporaries stay in the processor's cache
_FINEST = 12  # most nodes a cell, each way
_FEW_NODES = 2_000_000  # cost little
_MOST_NODES = 70_000_000  # 560 MB
_SLIVER = 1e-3  # share of a kernel in the drawn cells below which a node at their rim moves to the nearest of them
_NOTHING = 1e-12  # kept from dividing 0 by 0 where there is no mass
_ROUNDING = 4e-16  # of all mass: what the transforms leave where nothing is


class Kernel(NamedTuple):
    """A round kernel of bandwidth 1 with mass 1 in the plane."""

    at: Callable[[np.ndarray], np.ndarray]  # height as a function of the squared distance
    reach: float  # taken as 0 beyond
    deviation: float  # standard deviation along each axis
    curvature: float  # Laplacian over height at the middle, without its sign


def _quartic(squared: np.ndarray) -> np.ndarray:
    return 3 / np.pi * np.maximum(1 - squared, 0) ** 2


def _gaussian(squared: np.ndarray) -> np.ndarray:
    return np.exp(-squared / 2) / (2 * np.pi)


KERNELS = {
    "quartic": Kernel(_quartic, 1.0, 8**-0.5, 8.0),
    "gaussian": Kernel(_gaussian, 6.0, 1.0, 2.0),  # 1.5e-8 of the height is left beyond 6
}


def nodes_per_cell(kernel: Kernel, bandwidth: float, cells: int) -> int:
    """Nodes a cell each way: one event errs by under 1 % of its peak; up to thrice as many where they are cheap."""
    enough = int(np.ceil((18 * kernel.curvature) ** 0.5 / bandwidth - 1e-9))
    s = min(max(int((_FEW_NODES / cells) ** 0.5), enough), 3 * enough)
    return max(1, min(s, _FINEST, int((_MOST_NODES / cells) ** 0.5)))


def kernel_sum(
    u: np.ndarray, v: np.ndarray, drawn: np.ndarray, kernel: Kernel, bandwidth: float, edge: bool
) -> np.ndarray:
    """Density of the events at the centres of the drawn cells, 0 elsewhere.

    Parameters
    ----------
    u, v : float arrays, shape (n,)
        Events in cells from the lower left corner of the grid, within it.
    drawn : bool array, shape (rows, columns)
        At least one is True.
    kernel, bandwidth
        The bandwidth in cells, at least 1.
    edge : bool
        Each node's kernel is divided by its mass in the drawn cells [Diggle1985]_, so that the sum is n.
    """
    rows, columns = (size + 2 for size in drawn.shape)  # a margin of one cell: its nodes share events at the rim
    s = nodes_per_cell(kernel, bandwidth, rows * columns)
    plane = _Plane((rows, columns), kernel, np.sqrt(bandwidth**2 - kernel.curvature / 16 / s**2))
    inside = np.zeros(plane.size, dtype=bool)
    inside[1 : rows - 1, 1 : columns - 1] = drawn
    plane.cover(inside)
    counts = _spread(u, v, plane.size, s)
    among_drawn = inside[:rows, :columns] & inside[1 : rows + 1, :columns]
    among_drawn &= inside[:rows, 1 : columns + 1] & inside[1 : rows + 1, 1 : columns + 1]
    rim = np.nonzero(~among_drawn)  # nodes that are not amid four drawn centres, whose kernels reach one at least
    moved, total = [], 0.0
    for up, right in ((i, j) for i in reversed(range(s)) for j in reversed(range(s))):  # the centres come last
        weight = counts[up, right]
        if not weight.any() and not moved:
            continue
        plane.place(up / s, right / s)
        if edge:
            mass = plane.covered()
            moved += _take_slivers(weight, mass, rim, (2 * up > s, 2 * right > s))
            if up == right == 0 and moved:
                _add_to_nearest(weight, inside, moved)
            weight /= np.maximum(mass, _NOTHING, out=mass)
        total += weight.sum()
        plane.add(weight)
    density = plane.summed()[1 : rows - 1, 1 : columns - 1]
    return np.where(drawn & (density > _ROUNDING * total), density, 0.0)


def _spread(u: np.ndarray, v: np.ndarray, size: tuple[int, int], s: int) -> np.ndarray:
    """Mass at the nodes, shape (s, s, *size): the first two say where in the cell, 0 is the centre."""
    rows, columns = size
    counts = np.zeros(s * s * rows * columns)
    step = np.arange(max(size) * s)
    along_u = step % s * (rows * columns) + step // s  # place of a node in ``counts``: this plus along_v
    along_v = step % s * (s * rows * columns) + step // s * columns
    for at in range(0, len(u), _BLOCK):
        x, y = ((w[at : at + _BLOCK] + 0.5) * s for w in (u, v))  # cell centres at whole multiples of s, the first at s
        i, j = x.astype(np.int64), y.astype(np.int64)
        x -= i
        y -= j
        west, east, south, north = along_u[i], along_u[i + 1], along_v[j], along_v[j + 1]
        both = x * y
        np.add.at(counts, south + west, 1 - x - y + both)
        np.add.at(counts, south + east, x - both)
        np.add.at(counts, north + west, y - both)
        np.add.at(counts, north + east, both)
    return counts.reshape(s, s, rows, columns)


def _take_slivers(weight: np.ndarray, mass: np.ndarray, rim: tuple[np.ndarray, ...], over: tuple[bool, bool]) -> list:
    """Take the events out of nodes with hardly a drawn cell near: [(row, column, events)].

    Rows and columns are those of the cell that holds the node; ``over`` says that this is the next one.
    """
    there = (weight[rim] > 0) & (mass[rim] < _SLIVER)
    if not there.any():
        return []
    at = tuple(index[there] for index in rim)
    taken = weight[at]
    weight[at] = 0
    return [(at[0] + over[0], at[1] + over[1], taken)]


def _add_to_nearest(weight: np.ndarray, inside: np.ndarray, moved: list) -> None:
    """Put what was taken out at the centre of the nearest drawn cell."""
    nearest = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
    for row, column, taken in moved:
        np.add.at(weight, tuple(nearest[:, row, column]), taken)


class _Plane:
    """Convolutions with one kernel in reused buffers: fresh memory costs more than the transforms."""

    def __init__(self, shape: tuple[int, int], kernel: Kernel, bandwidth: float):
        far = int(np.ceil(kernel.reach * bandwidth)) + 1
        self.kernel, self.bandwidth = kernel, bandwidth
        self.lags = [np.arange(-min(far, n - 1), min(far, n - 1) + 1) for n in shape]
        self.size = tuple(
            fft.next_fast_len(n + int(lag[-1]), real=True) for n, lag in zip(shape, self.lags, strict=True)
        )
        self.real = np.zeros(self.size)
        self.strip = np.zeros((self.lags[0].size, self.size[1]))
        self.waves, self.placed, self.mask, self.sum = np.zeros((4, self.size[0], self.size[1] // 2 + 1), dtype=complex)

    def cover(self, inside: np.ndarray) -> None:
        """Remember the cells that are drawn."""
        np.fft.rfft2(inside, out=self.mask)

    def place(self, up: float, right: float) -> None:
        """Put the kernel around a node that far above and right of a cell centre."""
        y, x = ((lag - o) / self.bandwidth for lag, o in zip(self.lags, (up, right), strict=True))
        self.strip[:, self.lags[1]] = self.kernel.at(y[:, None] ** 2 + x[None, :] ** 2) / self.bandwidth**2
        self.placed[:] = 0
        self.placed[self.lags[0]] = np.fft.rfft(self.strip)
        np.fft.fft(self.placed, axis=0, out=self.placed)

    def covered(self) -> np.ndarray:
        """Mass of the placed kernel in the drawn cells, for its node in each cell."""
        np.conjugate(self.placed, out=self.waves)
        self.waves *= self.mask
        return self._back(self.waves)

    def add(self, weight: np.ndarray) -> None:
        """Add the placed kernel around the node of each cell, times its weight."""
        np.fft.rfft2(weight, out=self.waves)
        self.waves *= self.placed
        self.sum += self.waves

    def summed(self) -> np.ndarray:
        """What was added up, at the cell centres."""
        return self._back(self.sum)

    def _back(self, waves: np.ndarray) -> np.ndarray:
        np.fft.ifft(waves, axis=0, out=waves)
        return np.fft.irfft(waves, self.size[1], axis=1, out=self.real)
