"""Scan for clusters in space and time without a population, and for a burst in one series of known rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from geo.metres import metre_xy
from geo.moments import wall_clock
from geo.result import Result
from geo.spacetime import events as ev
from geo.spacetime.cylinders import NOTHING, Reach, Search

FEW_EVENTS = "事件不足2起，无法扫描"
NO_CLUSTER = "没有多于预期的时空范围，未见聚集"


@dataclass(frozen=True, eq=False)
class Scan(Result):
    """Clusters of a space-time permutation scan; unpacks as ``clusters, p``.

    Attributes
    ----------
    clusters : DataFrame
        The most likely cluster first, then those that share no ground and day with one above, by statistic: ``x, y``
        (centre, metres), ``radius_m`` (to the outermost event), ``start, end`` (days, the end not included; dates where
        dates were given), ``observed, expected, ratio``, ``statistic`` (log likelihood ratio), ``p`` and
        ``recurrence_days``. No rows where nothing exceeds its expectation.
    p : float
        Of the most likely cluster; 1 if there is none. One-sided (more than expected), already for the search over all
        centres, radii and windows: ``(r + 1) / (permutations + 1)``.
    n : int
        Events.
    places, days : int
        Different places, and days of the study period.
    simulated : ndarray of float, shape (permutations,)
        The highest statistic of each permutation; 0 if nothing exceeded its expectation.
    max_radius_m, max_days, min_events, prospective, permutations, seed
        As given.
    note : str
        What the user should know, "" if nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("clusters", "p")

    clusters: pd.DataFrame
    p: float
    n: int
    places: int
    days: int
    simulated: np.ndarray
    max_radius_m: float
    max_days: int
    min_events: int
    prospective: bool
    permutations: int
    seed: int
    note: str


def scan_permutation(
    xy,
    t: ArrayLike,
    *,
    max_radius_m: float,
    max_days: int,
    centres: ArrayLike | None = None,
    period: tuple | None = None,
    prospective: bool = False,
    min_events: int = 2,
    most: int = 10,
    permutations: int = 999,
    seed: int = 0,
) -> Scan:
    """Space-time permutation scan statistic [Kulldorff2005]_: where and when were there more events than expected.

    Needs no population: what is expected at a place and time follows from all events of the place and of the time.

    Parameters
    ----------
    xy : array_like (n, 2), GeoSeries or GeoDataFrame of points
        Metres. A frame in degrees is refused; plain arrays are taken as metres.
    t : array_like (n,)
        Moments, cut to calendar days of their wall clock, or days as numbers, cut to whole days.
    max_radius_m : float
        Largest radius, inclusive. Radii are the distances from a centre to the events.
    max_days : int
        Longest window, whole days.
    centres : array_like (c, 2), optional
        Centres of the circles in metres, a grid for example; the places of the events by default. Fewer centres are
        the remedy where the work is too much.
    period : (start, end), optional
        Study period in the unit of ``t``, the end not included; from the first to the last day with an event by
        default. A prospective scan of today needs it, for today may have had no event.
    prospective : bool
        Only windows that last to the end of the period, "going on now".
    min_events : int
        Fewest events that make a cluster.
    most : int
        Most clusters listed.
    permutations, seed : int
        Random permutations of the times over the points, and their seed. Equal for any order of the rows.

    Returns
    -------
    Scan

    Raises
    ------
    ValueError
        Degrees, missing coordinates or times, unequal lengths, an event outside the period, a bad limit; more than 20
        million events within the radius of the centres together.

    Notes
    -----
    With C events, C_z within the circle and C_d within the window, mu = C_z C_d / C is expected in the cylinder; for c
    observed, c > mu, the statistic is c ln(c/mu) + (C - c) ln((C - c)/(C - mu)), maximal over all cylinders. Its
    distribution is that of the maximum with times permuted; p of a secondary cluster is against the same maxima, which
    is cautious. ``ratio`` is c / mu. ``recurrence_days`` = 1 / p: run every day on pure chance, a cluster at least so
    strong turns up once in so many days (prospective; NaN otherwise).

    All cylinders are covered without visiting them: for a given count the statistic falls as mu grows, so the best
    window begins and ends on a day of an event of the cluster and the best circle ends at one; and pairs of first and
    last event whose upper bound lies below the highest value found so far are passed over. The maximum is exact.

    Examples
    --------
    >>> xy = [(0, 0), (40, 0), (0, 40)] + [(3000 * k, 9000) for k in range(12)]
    >>> days = [100, 101, 101] + [10 * k for k in range(12)]
    >>> found = scan_permutation(xy, days, max_radius_m=500, max_days=7, permutations=99)
    >>> found.clusters[["x", "y", "radius_m", "start", "end", "observed"]].values.tolist()
    [[0.0, 0.0, 40.0, 100.0, 102.0, 3.0]]
    >>> round(float(found.clusters.expected[0]), 2), found.p
    (0.8, 0.05)
    """
    radius = ev.check_limit(max_radius_m, "max_radius_m")
    if max_days < 1 or max_days != int(max_days):
        raise ValueError(f"max_days is {max_days}, expected whole days from 1 up")
    if min_events < 1:
        raise ValueError(f"min_events is {min_events}, expected at least 1")
    ev.check_permutations(permutations)
    points = metre_xy(xy)
    day, first_day, length = _calendar(t, period)
    if len(points) != len(day):
        raise ValueError(f"xy has {len(points)} events and t has {len(day)}, expected one time for each")
    order = ev.in_order_of_time(points, day)
    points, day = points[order], day[order]
    places, place = np.unique(points, axis=0, return_inverse=True)
    around = places if centres is None else metre_xy(centres, "centres")
    reach = Reach(around, places, place.ravel(), radius)
    search = Search(reach, day, length, int(max_days), int(min_events), prospective)
    highest = search.highest() if len(points) > 1 else 0.0
    simulated = search.maxima(np.random.default_rng(seed), permutations) if highest > 0 else np.zeros(permutations)
    # What lies below the lowest of the simulated maxima has p = 1 and is not worth a row.
    found = search.cylinders(min(highest, simulated.min())) if highest > 0 else NOTHING
    clusters = _table(_apart(found, around, most), simulated, first_day, prospective)
    return Scan(
        clusters=clusters,
        p=float(clusters.p.iloc[0]) if len(clusters) else 1.0,
        n=len(points),
        places=len(places),
        days=length,
        simulated=simulated,
        max_radius_m=radius,
        max_days=int(max_days),
        min_events=int(min_events),
        prospective=prospective,
        permutations=int(permutations),
        seed=seed,
        note=FEW_EVENTS if len(points) < 2 else "" if highest > 0 else NO_CLUSTER,
    )


def scan_1d_p(*, windows: float, mean: float, count: int) -> float:
    """Chance that a window sliding over a series somewhere holds at least so many events, at a known rate [Naus1982]_.

    For one area watched over time: "6 thefts within 2 weeks; how often does chance do that in 8 years?" Testing only
    the window that was noticed would call far too many of them unusual.

    Parameters
    ----------
    windows : float
        Length of the series in window lengths (8 years of 2-week windows: 208), at least 2.
    mean : float
        Mean events per window, known from elsewhere.
    count : int
        Events in the window, from 1 up.

    Returns
    -------
    float
        Upper tail, between 0 and 1.

    Raises
    ------
    ValueError
        A series shorter than two windows, a mean not above 0, a count below 1.

    Notes
    -----
    Poisson process in continuous time: windows begin anywhere. With Q_j the chance of no such window in a series of j
    windows, P = 1 - Q_2 (Q_3 / Q_2)^(windows - 2); Q_2 and Q_3 are exact sums of Poisson probabilities, the rest is an
    approximation good to about two digits in the worst case and far better for small P.

    Examples
    --------
    >>> round(scan_1d_p(windows=208, mean=0.6, count=6), 5)
    0.03902
    """
    if not (np.isfinite([windows, mean]).all() and windows >= 2 and mean > 0):
        raise ValueError(f"windows is {windows} and mean {mean}, expected at least 2 windows and a mean above 0")
    if count < 1 or count != int(count):
        raise ValueError(f"count is {count}, expected a whole number from 1 up")
    if count == 1:
        return float(-np.expm1(-mean * windows))
    two, three = _no_window(int(count), float(mean))
    return float(np.clip(1 - two * (three / two) ** (windows - 2), 0.0, 1.0)) if two > 0 else 1.0


def _no_window(k: int, mean: float) -> tuple[float, float]:
    """Chance of no window with k events in a series of 2 and of 3 windows, k from 2 up."""

    def point(x):
        inside = np.maximum(x, 0)
        return np.where(x >= 0, np.exp(special.xlogy(inside, mean) - mean - special.gammaln(inside + 1)), 0.0)

    def below(x):
        return np.where(x >= 0, special.pdtr(np.maximum(x, 0), mean), 0.0)

    fewer, just = below(k - 1), point(k)
    two = fewer**2 - (k - 1) * just * point(k - 2) - (k - 1 - mean) * just * below(k - 3)
    r = np.arange(1, k)
    a1 = 2 * just * fewer * ((k - 1) * below(k - 2) - mean * below(k - 3))
    a2 = just**2 / 2 * ((k - 1) * (k - 2) * below(k - 3) - 2 * (k - 2) * mean * below(k - 4) + mean**2 * below(k - 5))
    a3 = (point(2 * k - r) * below(r - 1) ** 2).sum()
    a4 = (point(2 * k - r) * point(r) * ((r - 1) * below(r - 2) - mean * below(r - 3))).sum()
    return float(two), float(fewer**3 - a1 + a2 + a3 - a4)


def _calendar(t: ArrayLike, period: tuple | None) -> tuple[np.ndarray, int | np.datetime64, int]:
    """Day of the study period of each event, its first day, and its length."""
    ev.day_numbers(t)  # refuses what is not a time
    if np.asarray(t).dtype.kind in "iuf":
        days = np.floor(np.asarray(t, dtype=float)).astype(np.int64)
        ends = None if period is None else (int(np.floor(period[0])), int(np.ceil(period[1])))
        zero = 0
    else:
        days = _dates(t)
        ends = None if period is None else tuple(_dates([pd.Timestamp(period[0]), pd.Timestamp(period[1]).ceil("D")]))
        zero = np.datetime64(0, "D")
    if ends is None:
        ends = (int(days.min()), int(days.max()) + 1) if len(days) else (0, 1)
    outside = int(((days < ends[0]) | (days >= ends[1])).sum())
    if outside:
        raise ValueError(f"t has {outside} of {len(days)} events outside the period {period}: leave them out")
    return days - ends[0], zero + ends[0], int(ends[1] - ends[0])


def _dates(t) -> np.ndarray:
    """Days since 1970 of the wall clock."""
    return wall_clock(t).to_numpy().astype("datetime64[D]").astype(np.int64)


def _apart(found: pd.DataFrame, centres: np.ndarray, most: int) -> pd.DataFrame:
    """The strongest cylinder, then the strongest of those that meet none above it."""
    x, y = centres[found.centre].T
    found = found.assign(x=x, y=y)
    found = found.sort_values(["statistic", "radius_m", "x", "y", "start"], ascending=[False, True, True, True, True])
    columns = found.columns
    kept = []
    while len(found) and len(kept) < most:
        top = found.iloc[0]
        kept.append(top)
        meet = np.hypot(found.x - top.x, found.y - top.y) <= found.radius_m + top.radius_m + ev.SLACK_M
        found = found[~(meet & (found.start < top.stop) & (top.start < found.stop))]
    return pd.DataFrame(kept, columns=columns)


def _table(found: pd.DataFrame, simulated: np.ndarray, first_day, prospective: bool) -> pd.DataFrame:
    """Clusters as the user sees them, with p against the simulated maxima."""
    reached = [(simulated >= value * (1 - 1e-12)).sum() for value in found.statistic]
    p = (np.array(reached, dtype=float) + 1) / (len(simulated) + 1)
    start, stop = found.start.to_numpy(dtype=np.int64), found.stop.to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {
            "x": found.x.to_numpy(),
            "y": found.y.to_numpy(),
            "radius_m": found.radius_m.to_numpy(),
            "start": first_day + start,
            "end": first_day + stop,
            "observed": found.observed.to_numpy(dtype=np.int64),
            "expected": found.expected.to_numpy(),
            "ratio": (found.observed / found.expected).to_numpy(),
            "statistic": found.statistic.to_numpy(),
            "p": p,
            "recurrence_days": 1 / p if prospective else np.full(len(p), np.nan),
        }
    )
