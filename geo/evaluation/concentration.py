"""How few places hold how many of the events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from geo.evaluation.inputs import counts_of, sizes_of
from geo.result import Result


@dataclass(frozen=True, eq=False)
class Concentration(Result):
    """The 80/20 curve of events over places.

    Attributes
    ----------
    places_pct, events_pct : ndarray, shape (n,)
        Cumulative share of places (of area where given) and of events, fullest place first.
    places_50_pct, places_80_pct : float
        Share of places (of area) that holds half and four fifths of the events: the fewest places that do.
    gini_adjusted : float
        0 where events are spread as evenly as can be, 1 where one place has all, also with fewer events than places.
        NaN with areas, for a single place, and for fewer than two events.
    gini : float
        The plain Gini index, which fewer events than places alone push towards 1. NaN without events.
    places_50, places_80 : int
        The number of those places.
    order : ndarray of int, shape (n,)
        Positions of the places, fullest first, ties by lowest position.
    counts : ndarray, shape (n,)
        Events in that order.
    places, events : int, float
        How many there are.
    note : str
        What the user must know, "" for nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("places_pct", "events_pct", "places_50_pct", "places_80_pct", "gini_adjusted")

    places_pct: np.ndarray
    events_pct: np.ndarray
    places_50_pct: float
    places_80_pct: float
    gini_adjusted: float
    gini: float
    places_50: int
    places_80: int
    order: np.ndarray
    counts: np.ndarray
    places: int
    events: float
    note: str

    def table(self) -> pd.DataFrame:
        """Columns position, icount, perc, cumu_perc: a row for each place, fullest first."""
        with np.errstate(invalid="ignore"):
            perc = 100 * self.counts / self.events if self.events else np.full(self.places, np.nan)
        return pd.DataFrame(
            {"position": self.order, "icount": self.counts, "perc": perc, "cumu_perc": self.events_pct}
        )  # fmt: skip


def concentration(counts: ArrayLike, *, area: ArrayLike | None = None) -> Concentration:
    """Cumulative share of events against cumulative share of places, and how uneven that is.

    Parameters
    ----------
    counts : array_like (n,)
        Events of each place, the places without events included: leaving them out makes any city look even.
    area : array_like (n,), optional
        Area of each place, above 0. Places then go by events per area, and shares of places are shares of area.

    Returns
    -------
    Concentration
        Unpacks as ``places_pct, events_pct, places_50_pct, places_80_pct, gini_adjusted``; ``table()`` lists the
        places.

    Raises
    ------
    ValueError
        Negative or missing counts, areas of another length or not above 0.

    Notes
    -----
    With c events at n places, shares :math:`y_i` in rising order, the plain index is :math:`G = (2 \\sum_i i y_i - n - 1)
    / n`. With c < n, c places with one event each are as even as can be, yet :math:`G = 1 - c/n`. Measured from that
    line of maximal equality [Bernasco2017]_

    .. math:: G' = \\max(1/c, 1/n) (2 \\sum_i i y_i - n - 1) - \\max(n/c, 1) + 1

    is 0 there, and 1 - 1/min(c, n) where one place has all; ``gini_adjusted`` is G' divided by that, so that it ends at
    1. Random events are not even: at two events a place chance alone gives about 0.4, so compare periods of like counts.

    Examples
    --------
    >>> found = concentration([8, 1, 1, 0, 0])
    >>> found.places_80_pct, round(found.gini, 2), round(found.gini_adjusted, 2)
    (20.0, 0.68, 0.85)
    >>> concentration([1, 0, 0, 1]).gini_adjusted
    0.0
    >>> found.table().cumu_perc.tolist()
    [80.0, 90.0, 100.0, 100.0, 100.0]
    """
    counts = counts_of(counts, "counts")
    size = sizes_of(area, "area", counts.size)
    order = np.argsort(-counts / size, kind="stable")
    ranked, n, total = counts[order], counts.size, float(counts.sum())
    places_pct = 100 * np.cumsum(size[order]) / size.sum() if n else np.zeros(0)
    events_pct = 100 * np.cumsum(ranked) / total if total > 0 else np.full(n, np.nan)
    few = [int(np.searchsorted(events_pct, share - 1e-9) + 1) if total > 0 else 0 for share in (50, 80)]
    held = [float(places_pct[k - 1]) if k else float("nan") for k in few]
    gini = _gini(places_pct / 100, events_pct / 100) if total > 0 else float("nan")
    adjusted = _adjusted(gini, n, total) if area is None else float("nan")
    note = (
        "没有事件" if total == 0 else f"事件{total:g}起少于地点{n}处，普通基尼系数偏高，请看校正值" if total < n else ""
    )
    return Concentration(
        places_pct, events_pct, *held, adjusted, gini, *few, order, ranked, n, total, note
    )  # fmt: skip


def _gini(places: np.ndarray, events: np.ndarray) -> float:
    """Twice the area between the curve, fullest first, and the diagonal."""
    x, y = np.append(0.0, places), np.append(0.0, events)
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1])) - 1)


def _adjusted(gini: float, n: int, c: float) -> float:
    if not (n > 1 and c >= 2):
        return float("nan")
    scale = max(n / c, 1.0)
    return max(0.0, (gini * scale - scale + 1) / (1 - 1 / min(c, n)))
