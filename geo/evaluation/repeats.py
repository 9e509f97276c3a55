"""Places where it happens again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.spatial import cKDTree

from geo.metres import metre_xy
from geo.moments import wall_clock
from geo.result import Result


@dataclass(frozen=True, eq=False)
class RepeatPlaces(Result):
    """Places with several events, most events first, ties from west to east, then south to north, then by id.

    Attributes
    ----------
    count : ndarray of int, shape (m,)
        Events of each place.
    share_pct : ndarray, shape (m,)
        Of all events that were not excluded.
    x, y : ndarray, shape (m,)
        Mean of the events of the place, metres.
    first, last : ndarray, shape (m,)
        Earliest and latest time, in the type given; NaN where no times were given.
    place : ndarray of int, shape (n,)
        For each event the row of its place in this table, -1 where it is in none.
    ids : ndarray, shape (m,)
        Identifier of each place; its row where no ids were given.
    events, excluded, places : int
        Events counted, events left out by ``exclude``, and distinct places among those counted.
    tolerance_m, minimum, days
        As given.
    note : str
        What the user must know, "" for nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("count", "share_pct", "x", "y", "first", "last")

    count: np.ndarray
    share_pct: np.ndarray
    x: np.ndarray
    y: np.ndarray
    first: np.ndarray
    last: np.ndarray
    place: np.ndarray
    ids: np.ndarray
    events: int
    excluded: int
    places: int
    tolerance_m: float
    minimum: int
    days: float | None
    note: str


def repeat_places(
    xy,
    t: ArrayLike | None = None,
    *,
    ids: ArrayLike | None = None,
    tolerance_m: float = 0.0,
    minimum: int = 2,
    days: float | None = None,
    exclude: ArrayLike | None = None,
) -> RepeatPlaces:
    """Places with at least ``minimum`` events, ranked.

    Parameters
    ----------
    xy : array_like (n, 2), GeoSeries or GeoDataFrame of points
        Metres.
    t : array_like (n,), optional
        Time of each event: days as numbers, or datetime64.
    ids : array_like (n,), optional
        Address or place identifier; events with the same one are one place, wherever their points lie. Else places are
        distinct coordinates.
    tolerance_m : float
        Without ids, points this near or nearer are one place. Nearness chains: a row of points each within reach of
        the next is one place, so keep it small.
    minimum : int
        Events a place needs, 1 or more.
    days : float, optional
        Needs ``t``: only places where some ``minimum`` events fall within so many days, both ends included. All events
        of such a place are counted.
    exclude : bool array_like (n,), optional
        Events to leave out, as those on default coordinates (station, office, grid centre), which are no places.

    Returns
    -------
    RepeatPlaces
        Unpacks as ``count, share_pct, x, y, first, last``.

    Raises
    ------
    ValueError
        Degrees, lengths that differ, missing coordinates, times or ids, ``days`` without ``t``, negative tolerance.

    Examples
    --------
    >>> found = repeat_places([(0, 0), (9, 9), (0, 0), (5, 5), (9, 9), (0, 0)], [1, 2, 3, 4, 40, 5])
    >>> found.count.tolist(), found.share_pct.round(1).tolist(), found.last.tolist()
    ([3, 2], [50.0, 33.3], [5.0, 40.0])
    >>> repeat_places([(0, 0), (9, 9), (0, 0), (5, 5), (9, 9)], [1, 2, 3, 4, 40], days=30).count.tolist()
    [2]
    """
    points = metre_xy(xy)
    n = len(points)
    if not (np.isfinite(tolerance_m) and tolerance_m >= 0):
        raise ValueError(f"tolerance_m is {tolerance_m}, expected 0 or more")
    if minimum < 1:
        raise ValueError(f"minimum is {minimum}, expected 1 or more")
    if days is not None and (t is None or not days >= 0):
        raise ValueError(f"days is {days}, expected 0 or more, with the times t")
    when = _times(t, n)
    out = np.zeros(n, bool) if exclude is None else np.asarray(exclude, dtype=bool)
    if out.shape != (n,):
        raise ValueError(f"exclude has shape {out.shape}, expected ({n},): one for each event")
    kept = np.flatnonzero(~out)
    label, names = _places(points[kept], None if ids is None else _ids(ids, n)[kept], tolerance_m)
    count = np.bincount(label)
    x, y = (np.bincount(label, weights=axis) / np.maximum(count, 1) for axis in points[kept].T)
    repeated = count >= minimum
    if days is not None:
        repeated &= _within(label, when[kept], days, minimum, len(count))
    listed = np.flatnonzero(repeated)
    listed = listed[np.lexsort((listed, y[listed], x[listed], -count[listed]))]
    row = np.full(len(count), -1)
    row[listed] = np.arange(len(listed))
    place = np.full(n, -1)
    place[kept] = row[label]
    first, last = _ends(place, when, len(listed))
    note = "没有事件" if not kept.size else "" if listed.size else f"没有满{minimum}起的地点"
    return RepeatPlaces(
        count=count[listed], share_pct=100 * count[listed] / max(kept.size, 1), x=x[listed], y=y[listed],
        first=first, last=last, place=place, ids=np.arange(len(listed)) if names is None else names[listed],
        events=int(kept.size), excluded=int(out.sum()), places=len(count), tolerance_m=float(tolerance_m),
        minimum=int(minimum), days=days, note=note,
    )  # fmt: skip


def _times(t: ArrayLike | None, n: int) -> np.ndarray:
    if t is None:
        return np.full(n, np.nan)
    when = np.asarray(t)
    when = when.astype(float) if when.dtype.kind in "iuf" else wall_clock(t).to_numpy()
    if when.shape != (n,) or pd.isna(when).any():
        raise ValueError(f"t has shape {when.shape} with {int(pd.isna(when).sum())} missing, expected ({n},) without")
    return when


def _ids(ids: ArrayLike, n: int) -> np.ndarray:
    names = np.asarray(ids, dtype=object)
    if names.shape != (n,) or pd.isna(names).any():
        raise ValueError(
            f"ids has shape {names.shape} with {int(pd.isna(names).sum())} missing, expected ({n},) without"
        )
    return names


def _places(points: np.ndarray, ids: np.ndarray | None, tolerance_m: float) -> tuple[np.ndarray, np.ndarray | None]:
    """Number of the place of each event, and the names of the places where they have some."""
    if ids is not None:
        label, names = pd.factorize(ids, sort=True)
        return label, np.asarray(names)
    spots, label = np.unique(points, axis=0, return_inverse=True)
    label = label.ravel()
    if tolerance_m > 0 and len(spots):
        one, other = cKDTree(spots).query_pairs(tolerance_m, output_type="ndarray").T
        near = sparse.coo_matrix((np.ones(len(one)), (one, other)), shape=(len(spots),) * 2)
        label = sparse.csgraph.connected_components(near, directed=False)[1][label]
    return label, None


def _within(label: np.ndarray, when: np.ndarray, days: float, minimum: int, places: int) -> np.ndarray:
    """Places where some ``minimum`` events fall within ``days``."""
    order = np.lexsort((when, label))
    label, when = label[order], when[order]
    last = len(label) - minimum + 1
    found = np.zeros(places, bool)
    if last > 0:
        span = when[minimum - 1 :] - when[:last]
        if np.issubdtype(span.dtype, np.timedelta64):
            span = span / np.timedelta64(1, "D")
        close = (label[minimum - 1 :] == label[:last]) & (span <= days)
        found[label[:last][close]] = True
    return found


def _ends(place: np.ndarray, when: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    listed = np.flatnonzero(place >= 0)
    order = listed[np.lexsort((when[listed], place[listed]))]
    starts = np.searchsorted(place[order], np.arange(rows))
    ends = np.searchsorted(place[order], np.arange(rows), side="right") - 1
    return when[order[starts]], when[order[ends]]
