"""What a chart shows, gathered before it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.trend_steps import Step


@dataclass(frozen=True)
class TrendFrame:
    """A trend by ``step`` and the names of its two windows; ``past`` is None where nothing is compared."""

    steps: tuple[Step, ...]
    step: str
    now: str
    past: str | None


@dataclass(frozen=True, eq=False)
class WeekFrame:
    """Weekday by hour, int array (7, 24). ``missing`` is 未报: nothing to be drawn."""

    counts: np.ndarray
    missing: bool


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart.

    Attributes
    ----------
    name : str
    value, before : float or None
        Length of the bar and place of its tick; None is 未报, or not compared.
    number, difference, p : str
        As written.
    verdict : str or None
    colour : str
    """

    name: str
    value: float | None
    before: float | None
    number: str
    difference: str
    p: str
    verdict: str | None
    colour: str


@dataclass(frozen=True)
class BarFrame:
    """Rows of a bar chart in their order, the first of ``total``; ``unit`` says what bar and tick are."""

    rows: tuple[Bar, ...]
    unit: str
    total: int
