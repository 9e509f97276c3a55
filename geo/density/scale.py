"""Bandwidth and cell where the caller gives none. Pile-ups count once, strays outside the boundary not at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.density.smooth import Kernel

CELLS_WANTED = 250_000  # of the frame, unless the bandwidth asks for more or has no use for so many
FINEST_CELLS = 1_000_000  # of the frame: the grid that an automatic bandwidth may need
MOST_CELLS = 4_000_000

GIVEN = "given"
STANDARD_DISTANCE = "standard distance"  # 0.9 min(SD, Dm / sqrt(ln 2)) n^-0.2
FINEST_GRID = "finest grid"
EIGHTH_OF_FRAME = "eighth of frame"
BY_BANDWIDTH = "by bandwidth"

_COARSEST = 1.5  # cells a standard deviation of the kernel; a map of larger ones shows the cells
_FINEST = 4
_STEPS = np.array([1, 1.5, 2, 3, 4, 5, 6, 8])


def automatic_bandwidth(x: np.ndarray, y: np.ndarray, frame: tuple[float, float], kernel: Kernel) -> tuple[float, str]:
    """Bandwidth in metres and the rule it came from; see the Notes of :func:`geo.density.kernel_density`."""
    places = pd.unique(x + 1j * y)
    if len(places) < 2:
        return min(frame) / 8 / kernel.deviation, EIGHTH_OF_FRAME
    distance = np.abs(places - places.mean())
    spread = min(np.sqrt(np.mean(distance**2)), np.median(distance) / np.sqrt(np.log(2)))
    deviation, rule = 0.9 * spread * len(places) ** -0.2 * 8**-0.5, STANDARD_DISTANCE
    least = _COARSEST * np.sqrt(frame[0] / FINEST_CELLS * frame[1])
    if deviation < least:
        deviation, rule = least, FINEST_GRID
    return float(deviation / kernel.deviation), rule


def automatic_cell(bandwidth_m: float, frame: tuple[float, float], kernel: Kernel) -> float:
    """A round length between a quarter and two thirds of the kernel's deviation, aimed at ``CELLS_WANTED``."""
    deviation = bandwidth_m * kernel.deviation
    length = float(np.clip(np.sqrt(frame[0] / CELLS_WANTED * frame[1]), deviation / _FINEST, deviation / _COARSEST))
    power = 10.0 ** np.floor(np.log10(length))
    step = np.searchsorted(_STEPS, length / power * (1 + 1e-9), side="right") - 1
    return float(_STEPS[max(step, 0)] * power)


def grid_shape(frame: tuple[float, float], cell_m: float) -> tuple[int, int]:
    """Rows and columns that cover the frame.

    Raises
    ------
    ValueError
        More than ``MOST_CELLS``.
    """
    columns, rows = (max(1, int(np.ceil(side / cell_m - 1e-9))) for side in frame)
    if rows * columns > MOST_CELLS:
        enough = np.ceil(cell_m * np.sqrt(rows * columns / MOST_CELLS) * 1.01 * 10) / 10
        raise ValueError(
            f"the grid has {rows:,} x {columns:,} cells at cell_m={cell_m:g}, expected at most {MOST_CELLS:,}: "
            f"use cell_m={enough:g} and a bandwidth_m not below it, or a smaller boundary"
        )
    return rows, columns
