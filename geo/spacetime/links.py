"""Which events are near repeats of which: links between events, their role, and how unusual each one's links are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special
from scipy.spatial import cKDTree

from geo.change import benjamini_hochberg
from geo.result import Result
from geo.spacetime import events as ev

ORIGINATOR, REPEAT, NEAR_REPEAT, ALONE = "originator", "repeat", "near repeat", "alone"
FEW_EVENTS = "事件不足2起，无从关联"
NO_LINK = "没有在限值以内的事件对"
CELLS = 1 << 20  # tails summed at once


@dataclass(frozen=True, eq=False)
class NearRepeatLinks(Result):
    """Links between events close in space and time; unpacks as ``first, second, apart_m, apart_days, role, p, q``.

    Attributes
    ----------
    first, second : ndarray of int, shape (links,)
        Positions of the earlier and the later event of each link, by time of the earlier. Of two at the same time the
        one further west (then south) is called first; which came first is not known.
    apart_m, apart_days : ndarray of float, shape (links,)
        Distance and difference in time.
    role : ndarray of str, shape (n,)
        ``"repeat"``: follows an event at the same place; ``"near repeat"``: follows one nearby only; ``"originator"``:
        is followed, and follows none; ``"alone"``: no link.
    links : ndarray of int, shape (n,)
        Links of each event, earlier and later together.
    p : ndarray of float, shape (n,)
        One-sided chance of at least so many links if the times were dealt at random over the points.
    q : ndarray of float, shape (n,)
        ``p`` adjusted (Benjamini-Hochberg) over all events; only this decides which events are flagged.
    distance_m, days, same_place_m : float
        As given.
    note : str
        What the user should know, "" if nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("first", "second", "apart_m", "apart_days", "role", "p", "q")

    first: np.ndarray
    second: np.ndarray
    apart_m: np.ndarray
    apart_days: np.ndarray
    role: np.ndarray
    links: np.ndarray
    p: np.ndarray
    q: np.ndarray
    distance_m: float
    days: float
    same_place_m: float
    note: str


def near_repeat_links(
    xy, t: ArrayLike, *, distance_m: float, days: float, same_place_m: float = 0.0
) -> NearRepeatLinks:
    """Events linked as near repeats, the role of each, and a local Knox test for each [Rogerson2001]_.

    Parameters
    ----------
    xy : array_like (n, 2), GeoSeries or GeoDataFrame of points
        Metres. A frame in degrees is refused; plain arrays are taken as metres.
    t : array_like (n,)
        Days as numbers, or moments.
    distance_m, days : float
        Limits, both inclusive, with the slack of :func:`geo.spacetime.knox.knox`.
    same_place_m : float
        Up to this distance, inclusive, a link joins events at the same place.

    Returns
    -------
    NearRepeatLinks

    Raises
    ------
    ValueError
        Degrees, missing coordinates or times, unequal lengths, a negative limit; more than 30 million pairs close in
        space and as many close in time.

    Notes
    -----
    With the times permuted, event i with m_i neighbours in space gets the time of event j, which h_j of the n - 1
    others are close to; its links are then hypergeometric, so p_i = mean over j of P(H(n - 1, h_j, m_i) >= links_i).
    That is the exact distribution over permutations, hence nothing is drawn at random here.

    Examples
    --------
    >>> xy = [(0, 0), (0, 0), (60, 0), (5000, 0), (9000, 0), (0, 9000)]
    >>> found = near_repeat_links(xy, [1, 3, 4, 40, 90, 130], distance_m=100, days=2)
    >>> list(zip(found.first.tolist(), found.second.tolist(), found.apart_m.tolist()))
    [(0, 1, 0.0), (1, 2, 60.0)]
    >>> found.role.tolist()
    ['originator', 'repeat', 'near repeat', 'alone', 'alone', 'alone']
    >>> found.p.round(3).tolist()
    [0.25, 0.017, 0.25, 1.0, 1.0, 1.0]
    """
    limit_m = ev.check_limit(distance_m, "distance_m") + ev.SLACK_M
    limit_d = ev.check_limit(days, "days") + ev.SLACK_DAYS
    limit_same = ev.check_limit(same_place_m, "same_place_m") + ev.SLACK_M
    points, times = ev.event_arrays(xy, t)
    order = ev.in_order_of_time(points, times)
    points, times, n = points[order], times[order], len(order)
    first, second, apart = _linked(points, times, limit_m, limit_d)
    links = np.bincount(first, minlength=n) + np.bincount(second, minlength=n)
    p = _tail(links, _in_space(points, limit_m), _in_time(times, limit_d)) if n > 1 else np.ones(n)
    followed, follows, again = np.zeros((3, n), dtype=bool)
    followed[first], follows[second], again[second[apart <= limit_same]] = True, True, True
    role = np.select([again, follows, followed], [REPEAT, NEAR_REPEAT, ORIGINATOR], ALONE)
    back = np.argsort(order)
    return NearRepeatLinks(
        first=order[first],
        second=order[second],
        apart_m=apart,
        apart_days=times[second] - times[first],
        role=role[back],
        links=links[back],
        p=p[back],
        q=benjamini_hochberg(p)[back],
        distance_m=float(distance_m),
        days=float(days),
        same_place_m=float(same_place_m),
        note=FEW_EVENTS if n < 2 else "" if len(first) else NO_LINK,
    )


def _linked(points, times, limit_m: float, limit_d: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs close in both, the earlier first, and their distance; from the shorter list. Events in order of time."""
    space, time = ev.metres_within(points, np.array([limit_m]), 2.0)[0], ev.days_within(times, np.array([limit_d]))[0]
    ev.refuse_too_many(int(space), int(time))
    if not min(space, time):
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32), np.zeros(0)
    if space <= time:
        first, second = ev.pairs_in_space(points, limit_m, 2.0)
        near = ev.in_blocks(ev.day_gap(times), first, second) <= limit_d
    else:
        first, second = ev.pairs_in_time(times, limit_d)
        near = ev.in_blocks(ev.metre_gap(points, 2.0), first, second) <= limit_m
    first, second = first[near], second[near]
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    return first, second, ev.in_blocks(ev.metre_gap(points, 2.0), first, second)


def _in_space(points: np.ndarray, limit: float) -> np.ndarray:
    return cKDTree(points).query_ball_point(points, limit, return_length=True) - 1


def _in_time(times: np.ndarray, limit: float) -> np.ndarray:
    """Others within the limit of each event; a pair is counted at both of its ends or at neither."""
    past = np.searchsorted(times, times + limit, side="right")  # first position too late for each event
    return past - np.cumsum(np.bincount(past, minlength=len(times) + 1))[:-1] - 1


def _tail(links: np.ndarray, near: np.ndarray, at_time: np.ndarray) -> np.ndarray:
    """Mean over the times of P(H >= links), H hypergeometric; computed once for each pair of links and neighbours."""
    others = len(links) - 1
    height, times = np.unique(at_time, return_counts=True)
    p = np.ones(len(links))
    has = np.flatnonzero(links)
    pairs, back = np.unique(np.column_stack([links[has], near[has]]), axis=0, return_inverse=True)
    tail = np.empty(len(pairs))
    step = max(1, CELLS // len(height))
    for start in range(0, len(pairs), step):
        k, m = pairs[start : start + step, :1], pairs[start : start + step, 1:]
        tail[start : start + step] = _hypergeometric_tail(k, others, height, m) @ (times / len(links))
    p[has] = tail[back.ravel()]
    return np.clip(p, 0.0, 1.0)


def _hypergeometric_tail(k: np.ndarray, others: int, marked: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """P(H >= k) for H marked among the drawn, summed away from the middle: upwards from k above the mode, so that small
    tails keep their precision; below it what lies under k is taken off 1.
    """
    k, marked, drawn = (v.astype(float) for v in np.broadcast_arrays(k, marked, drawn))
    upward = k > np.floor((marked + 1) * (drawn + 1) / (others + 2))
    step = np.where(upward, 1.0, -1.0)
    x = np.where(upward, k, k - 1)
    possible = (x <= np.minimum(marked, drawn)) & (x >= np.maximum(0, marked + drawn - others))
    with np.errstate(invalid="ignore"):
        log = _log_choose(marked, x) + _log_choose(others - marked, drawn - x) - _log_choose(others, drawn)
    term = np.where(possible, np.exp(np.where(possible, log, -np.inf)), 0.0)
    total = term.copy()
    while np.any(term > 1e-17 * total):
        low = np.where(upward, x, x - 1)  # from P(low) to P(low + 1), or back
        rise = np.maximum(marked - low, 0) * np.maximum(drawn - low, 0)
        fall = (low + 1) * (others - marked - drawn + low + 1)
        over, under = np.where(upward, rise, fall), np.where(upward, fall, rise)
        term = np.where(under > 0, term * np.maximum(over, 0) / np.where(under > 0, under, 1.0), 0.0)
        x = x + step
        total += term
    return np.where(upward, total, 1.0 - total)


def _log_choose(of: np.ndarray, some: np.ndarray) -> np.ndarray:
    return special.gammaln(of + 1) - special.gammaln(some + 1) - special.gammaln(of - some + 1)
