"""Lattices, noise and planted clusters that the tests of geo share."""

from __future__ import annotations

import numpy as np
import shapely

MEANS = (0.2, 2.0, 20.0)


def lattice(side: int) -> list[list[int]]:
    """Queen neighbours of a square lattice, by hand."""
    near = []
    for row in range(side):
        for column in range(side):
            around = [(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
            near.append([r * side + c for r, c in around if 0 <= r < side and 0 <= c < side])
    return near


def squares(side: int, size: float = 1.0) -> np.ndarray:
    """The lattice as polygons, in the same order."""
    row, column = np.divmod(np.arange(side * side), side)
    return shapely.box(column * size, row * size, (column + 1) * size, (row + 1) * size)


def noise_maps(mean: float, maps: int, side: int, seed: int, phi: float = 1.0) -> np.ndarray:
    """Counts (maps, side * side): Poisson, or negative binomial with variance ``phi`` times the mean."""
    rng = np.random.default_rng([seed, int(mean * 10)])
    if phi > 1:
        mean = rng.gamma(mean / (phi - 1), phi - 1, (maps, side * side))
    return rng.poisson(mean, (maps, side * side))


def allowed(share: float, trials: int) -> float:
    """A share with two standard errors of so many trials on top."""
    return share + 2 * np.sqrt(share * (1 - share) / trials)


def as_w(near):
    """The same neighbours as a libpysal W."""
    from libpysal.weights import W

    return W({i: list(map(int, around)) for i, around in enumerate(near)}, silence_warnings=True)
