"""Do events that are close in space tend to be close in time: the Knox test and its table of bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from geo.change import benjamini_hochberg
from geo.result import Result
from geo.spacetime import events as ev
from geo.spacetime.tables import PairTables


@dataclass(frozen=True, eq=False)
class Knox(Result):
    """Knox test; unpacks as ``observed, expected, p, ratio``.

    Attributes
    ----------
    observed : int
        Pairs close in space and in time.
    expected : float
        Mean of ``observed`` over all permutations of the times, exactly: ``close_in_space * close_in_time / pairs``.
    p : float
        One-sided (more than chance), ``(r + 1) / (permutations + 1)``.
    ratio : float
        ``observed / expected``; NaN where nothing was expected.
    p_poisson : float
        Chance of more than ``observed`` under a Poisson law of mean ``expected``. Only for comparison with other
        programs: pairs are not independent, so ``p`` decides.
    n, pairs, close_in_space, close_in_time : int
        Events, all pairs of them, and the pairs within either limit.
    distance_m, days, permutations, seed
        As given.
    note : str
        What the user should know, "" if nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("observed", "expected", "p", "ratio")

    observed: int
    expected: float
    p: float
    ratio: float
    p_poisson: float
    n: int
    pairs: int
    close_in_space: int
    close_in_time: int
    distance_m: float
    days: float
    permutations: int
    seed: int
    note: str


@dataclass(frozen=True, eq=False)
class NearRepeat(Result):
    """Table of near repeats; unpacks as ``observed, expected, ratio, p, q``.

    Attributes
    ----------
    observed : ndarray of int, shape (R, C)
        Pairs of events; rows are distance bands (same place, the bands, beyond), columns day bands (the bands, beyond).
    expected : ndarray of float, shape (R, C)
        Mean of ``observed`` over all permutations of the times, exactly: row total times column total over all pairs.
    ratio : ndarray of float, shape (R, C)
        ``observed / expected``; NaN where nothing was expected.
    p : ndarray of float, shape (R, C)
        One-sided (more than chance) for each cell alone, ``(r + 1) / (permutations + 1)``.
    q : ndarray of float, shape (R, C)
        ``p`` adjusted (Benjamini-Hochberg) over the cells inside the bands; NaN in the row and column beyond and where
        nothing was expected. Only this decides what is flagged.
    distance_labels, day_labels : tuple of str
        The bands as intervals: ``[`` and ``]`` include the limit, ``(`` and ``)`` do not.
    n : int
        Events.
    distance_bands_m, day_bands, same_place_m, closed, metric, permutations, seed
        As given.
    note : str
        What the user should know, "" if nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("observed", "expected", "ratio", "p", "q")

    observed: np.ndarray
    expected: np.ndarray
    ratio: np.ndarray
    p: np.ndarray
    q: np.ndarray
    distance_labels: tuple[str, ...]
    day_labels: tuple[str, ...]
    n: int
    distance_bands_m: tuple[float, ...]
    day_bands: tuple[float, ...]
    same_place_m: float
    closed: str
    metric: str
    permutations: int
    seed: int
    note: str


def knox(xy, t: ArrayLike, *, distance_m: float, days: float, permutations: int = 999, seed: int = 0) -> Knox:
    """Knox test of space-time interaction [Knox1964]_: are more pairs close in both than if times were dealt at random.

    Parameters
    ----------
    xy : array_like (n, 2), GeoSeries or GeoDataFrame of points
        Metres. A frame in degrees is refused; plain arrays are taken as metres.
    t : array_like (n,)
        Days as numbers, or moments (datetime64, with or without zone).
    distance_m, days : float
        Limits, both inclusive: ``distance <= distance_m`` and ``|difference| <= days``. A slack of 1e-6 m and 1e-9 days
        absorbs rounding.
    permutations : int
        Random permutations of the times over the points.
    seed : int
        Seed of the permutations. Equal for any order of the rows.

    Returns
    -------
    Knox
        Unpacks as ``observed, expected, p, ratio``.

    Raises
    ------
    ValueError
        Degrees, missing coordinates or times, unequal lengths, a negative limit; more than 30 million pairs close in
        space and as many close in time.

    Notes
    -----
    Of N = n(n-1)/2 pairs, n_s are close in space and n_t in time. With times permuted every pair of places gets every
    pair of times with equal chance, so the mean of the statistic is n_s n_t / N. Only the shorter of the two lists of
    close pairs is made, and the other dimension is permuted along it; the distribution is the same. A place where the
    population changes over time also raises the statistic.

    Examples
    --------
    >>> xy = [(0, 0), (30, 0), (5000, 0), (5030, 0), (9000, 0), (0, 9000)]
    >>> result = knox(xy, [1, 2, 50, 51, 90, 130], distance_m=100, days=1, permutations=199)
    >>> observed, expected, p, ratio = result
    >>> observed, round(expected, 3), round(ratio, 2)
    (2, 0.267, 7.5)
    >>> result.pairs, result.close_in_space, result.close_in_time
    (15, 2, 2)
    """
    limit_m = np.array([ev.check_limit(distance_m, "distance_m") + ev.SLACK_M])
    limit_d = np.array([ev.check_limit(days, "days") + ev.SLACK_DAYS])
    points, times = ev.event_arrays(xy, t)
    tables = PairTables(points, times, limit_m, limit_d, ev.NORM["euclidean"])
    observed = int(tables.observed[0, 0])
    reached = sum(int(table[0, 0] >= observed) for table in tables.permuted(ev.check_permutations(permutations), seed))
    space, time = int(tables.rows[0]), int(tables.columns[0])
    expected = space * time / tables.pairs if tables.pairs else 0.0
    return Knox(
        observed=observed,
        expected=expected,
        p=(reached + 1) / (permutations + 1),
        ratio=observed / expected if expected else float("nan"),
        p_poisson=float(special.pdtrc(observed, expected)) if expected else 1.0,
        n=len(points),
        pairs=tables.pairs,
        close_in_space=space,
        close_in_time=time,
        distance_m=float(distance_m),
        days=float(days),
        permutations=int(permutations),
        seed=seed,
        note=tables.note(),
    )


def near_repeat(
    xy,
    t: ArrayLike,
    *,
    distance_bands_m: ArrayLike,
    day_bands: ArrayLike,
    same_place_m: float = 0.0,
    closed: str = "right",
    metric: str = "euclidean",
    permutations: int = 999,
    seed: int = 0,
) -> NearRepeat:
    """Knox test over bands of distance and time, repeats at the same place apart [Ratcliffe2008]_.

    Parameters
    ----------
    xy, t
        As in :func:`knox`.
    distance_bands_m : array_like
        Upper limits of the distance bands, ascending, above ``same_place_m``.
    day_bands : array_like
        Upper limits of the day bands, ascending, from 0 up. The first band begins at, and includes, no difference; a
        first limit of 0 (``closed="right"``) is a band of its own for equal times.
    same_place_m : float
        Pairs up to this distance, inclusive in any case, are the first row, "same place".
    closed : {"right", "left"}
        ``"right"``: (a, b], a limit belongs to the band below it, as in :func:`knox`. ``"left"``: [a, b), a limit
        belongs to the band above it, as the Near Repeat Calculator counts (its "0 to 1 days" are equal dates).
    metric : {"euclidean", "manhattan"}
        Manhattan is the calculator's default.
    permutations, seed
        As in :func:`knox`.

    Returns
    -------
    NearRepeat
        Unpacks as ``observed, expected, ratio, p, q``. The last row and column hold the pairs beyond the last limits.

    Raises
    ------
    ValueError
        As in :func:`knox`; bands that do not ascend; an unknown ``closed`` or ``metric``.

    Notes
    -----
    The smallest p is 1 / (permutations + 1), and the adjustment may multiply it by the number of cells: below 20 times
    as many permutations as cells a single cell cannot reach q = 0.05, and ``note`` says so.

    Examples
    --------
    >>> xy = [(0, 0), (0, 0), (150, 0), (9000, 0), (9000, 0), (0, 9000)]
    >>> t = [1, 3, 3, 40, 90, 130]
    >>> table = near_repeat(xy, t, distance_bands_m=[100, 200], day_bands=[0, 7], permutations=99)
    >>> table.distance_labels, table.day_labels
    (('[0]', '(0, 100]', '(100, 200]', '> 200'), ('[0]', '(0, 7]', '> 7'))
    >>> table.observed.tolist()
    [[0, 1, 1], [0, 0, 0], [1, 1, 0], [0, 0, 11]]
    """
    if closed not in ("right", "left"):
        raise ValueError(f"closed is {closed!r}, expected 'right' or 'left'")
    if metric not in ev.NORM:
        raise ValueError(f"metric is {metric!r}, expected one of {', '.join(ev.NORM)}")
    same = ev.check_limit(same_place_m, "same_place_m")
    bands_m, bands_d = _ascending(distance_bands_m, "distance_bands_m"), _ascending(day_bands, "day_bands")
    if bands_m[0] <= same or (closed == "left" and bands_d[0] <= 0):
        raise ValueError(f"the first bands end at {bands_m[0]:g} m and {bands_d[0]:g} days, expected above their start")
    side = 1 if closed == "right" else -1
    limit_m = np.concatenate([[same + ev.SLACK_M], bands_m + side * ev.SLACK_M])
    points, times = ev.event_arrays(xy, t)
    tables = PairTables(points, times, limit_m, bands_d + side * ev.SLACK_DAYS, ev.NORM[metric])
    reached = np.zeros_like(tables.observed)
    for table in tables.permuted(ev.check_permutations(permutations), seed):
        reached += table >= tables.observed
    p = (reached + 1) / (permutations + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.outer(tables.rows, tables.columns) / max(tables.pairs, 1)
        ratio = np.where(expected > 0, tables.observed / expected, np.nan)
    q = np.full(p.shape, np.nan)
    tested = expected[:-1, :-1] > 0
    q[:-1, :-1][tested] = benjamini_hochberg(p[:-1, :-1][tested])
    cells, note = int(tested.sum()), tables.note()
    if not note and 20 * cells > permutations + 1:
        note = f"{cells}格同时检验，置换{permutations}次偏少，单独一格达不到显著"
    return NearRepeat(
        observed=tables.observed,
        expected=expected,
        ratio=ratio,
        p=p,
        q=q,
        distance_labels=_labels(bands_m, same, closed),
        day_labels=_labels(bands_d, None, closed),
        n=len(points),
        distance_bands_m=tuple(bands_m.tolist()),
        day_bands=tuple(bands_d.tolist()),
        same_place_m=same,
        closed=closed,
        metric=metric,
        permutations=int(permutations),
        seed=seed,
        note=note,
    )


def _ascending(limits: ArrayLike, name: str) -> np.ndarray:
    values = np.atleast_1d(np.asarray(limits, dtype=float))
    ascend = values.ndim == 1 and len(values) and np.isfinite(values).all() and (np.diff(values) > 0).all()
    if not ascend or values[0] < 0:
        raise ValueError(f"{name} is {values.tolist()}, expected ascending limits not below 0")
    return values


def _labels(limits: np.ndarray, same: float | None, closed: str) -> tuple[str, ...]:
    """Bands as intervals; a row for the same place comes first where there is one."""
    words: list[str] = []
    if same is not None:
        words.append("[0]" if same == 0 else f"[0, {same:g}]")
    start = 0.0 if same is None else same
    for k, limit in enumerate(limits):
        if k == 0 and same is None:
            words.append("[0]" if limit == 0 else f"[0, {limit:g}{']' if closed == 'right' else ')'}")
        elif closed == "right" or k == 0:
            words.append(f"({start:g}, {limit:g}{']' if closed == 'right' else ')'}")
        else:
            words.append(f"[{start:g}, {limit:g})")
        start = limit
    return (*words, f"{'>' if closed == 'right' else '>='} {limits[-1]:g}")
