"""How late events are recorded, which days are therefore not all in yet (未齐), and counts at equal maturity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from geo.change.calendar import Window
from geo.result import Result

FEWEST_EVENTS = 20  # events under which no delay is estimated: the latest one in 20 is what 95 % means


@dataclass(frozen=True, eq=False)
class Delay(Result):
    """How long it takes until most events are recorded; unpacks as ``days, events``.

    Attributes
    ----------
    days : float
        Delay within which at least ``share`` of the events were recorded; NaN where too few are known.
    events : int
        Events it rests on.
    share, horizon_days : float
    too_young, unknown, early : int
        Events left out because they are younger than the horizon or were recorded later than it, because a time is
        missing, and those recorded before they occurred (kept, as delay 0).
    note : str
    """

    unpacks: ClassVar[tuple[str, ...]] = ("days", "events")

    days: float
    events: int
    share: float
    horizon_days: float
    too_young: int
    unknown: int
    early: int
    note: str


@dataclass(frozen=True, eq=False)
class MatureCounts(Result):
    """Counts of windows seen at the same age; unpacks as ``counts, recorded``.

    Attributes
    ----------
    counts : ndarray of int, shape (windows,)
        Events recorded until the cutoff of their window.
    recorded : ndarray of int, shape (windows,)
        All events recorded until ``as_of``.
    cutoffs : tuple of datetime
        Until when an event must have been recorded to count, one for each window.
    seen_after_days : float
        The common age: days from the end of each window to its cutoff; negative while the latest is not over.
    unknown : ndarray of int, shape (windows,)
        Events without a recording time; they count.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("counts", "recorded")

    counts: np.ndarray
    recorded: np.ndarray
    cutoffs: tuple[datetime, ...]
    seen_after_days: float
    unknown: np.ndarray


def reporting_delay(
    occurred: ArrayLike, recorded: ArrayLike, as_of: datetime, *, share: float = 0.95, horizon_days: float = 90.0
) -> Delay:
    """Delay within which a share of the events is recorded.

    Parameters
    ----------
    occurred, recorded : array_like of datetime64, shape (n,)
        When each event happened and when it entered the records; NaT where unknown.
    as_of : datetime
        When the records were read.
    share : float
        Above 0, at most 1.
    horizon_days : float
        Delays are looked at up to here. Events younger than this are left out: of them only the quick ones are in yet,
        which would make the delay look short.

    Returns
    -------
    Delay
        ``days`` is NaN, with a note, where fewer than ``FEWEST_EVENTS`` are old enough.

    Raises
    ------
    ValueError
        Unequal lengths, a share or a horizon outside its bounds.

    Notes
    -----
    The quantile is the smallest observed delay that at least ``share`` of the events do not exceed (inverse of the
    empirical distribution), not an interpolated one. It says nothing of events that come in after the horizon.

    Examples
    --------
    >>> import numpy as np
    >>> from datetime import datetime
    >>> day = np.datetime64("2026-01-01") + np.arange(40)
    >>> late = np.where(np.arange(40) % 10 == 0, 6, 1)
    >>> reporting_delay(day, day + late, datetime(2026, 6, 1)).days
    6.0
    """
    occurred, recorded = _times(occurred, "occurred"), _times(recorded, "recorded")
    if occurred.shape != recorded.shape:
        raise ValueError(f"recorded has {recorded.size} events, expected the {occurred.size} of occurred")
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}, expected above 0, at most 1")
    if not horizon_days > 0:
        raise ValueError(f"horizon_days is {horizon_days}, expected above 0")
    known = ~(np.isnat(occurred) | np.isnat(recorded))
    delay = (recorded[known] - occurred[known]).astype(float) / 86400
    age = (np.datetime64(as_of, "s") - occurred[known]).astype(float) / 86400
    used = delay[(age >= horizon_days) & (delay <= horizon_days)]
    enough = len(used) >= FEWEST_EVENTS
    days = float(np.quantile(np.maximum(used, 0), share, method="inverted_cdf")) if enough else float("nan")
    note = "" if enough else f"满 {horizon_days:g} 天的事件只有 {len(used)} 起，不足 {FEWEST_EVENTS} 起，报送时延未知"
    return Delay(
        days,
        len(used),
        share,
        horizon_days,
        int(known.sum()) - len(used),
        int((~known).sum()),
        int((used < 0).sum()),
        note,
    )


def immature_from(as_of: datetime, delay_days: float) -> date:
    """The first day whose events are not yet all in (未齐): days from here on are younger than the reporting delay.

    Parameters
    ----------
    as_of : datetime
    delay_days : float
        At least 0; see :func:`reporting_delay`.

    Returns
    -------
    date
        A window is all in where its exclusive end is not after this day.

    Examples
    --------
    >>> from datetime import datetime
    >>> str(immature_from(datetime(2026, 11, 16), 3.5))
    '2026-11-12'
    """
    if not delay_days >= 0:
        raise ValueError(f"delay_days is {delay_days}, expected 0 or more")
    return (as_of - timedelta(days=delay_days)).date()


def maturity_cutoffs(windows: Sequence[Window], as_of: datetime) -> tuple[datetime, ...]:
    """Until when an event must have been recorded for every window to be seen at the same age.

    Each window is seen as long after its end as the latest one is at ``as_of``.

    Parameters
    ----------
    windows : sequence of (date, date)
        Half-open; at least one.
    as_of : datetime

    Returns
    -------
    tuple of datetime
        One for each window; that of the latest is ``as_of``.

    Raises
    ------
    ValueError
        No window.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> week, before = (date(2026, 11, 9), date(2026, 11, 16)), (date(2026, 11, 2), date(2026, 11, 9))
    >>> [str(cutoff) for cutoff in maturity_cutoffs([week, before], datetime(2026, 11, 17, 12))]
    ['2026-11-17 12:00:00', '2026-11-10 12:00:00']
    """
    if not windows:
        raise ValueError("windows is empty, expected one at least")
    seen_after = as_of - _midnight(max(end for _, end in windows))
    return tuple(_midnight(end) + seen_after for _, end in windows)


def equal_maturity_counts(
    occurred: ArrayLike, recorded: ArrayLike, windows: Sequence[Window], as_of: datetime
) -> MatureCounts:
    """Events of each window that were recorded within the same age.

    Parameters
    ----------
    occurred : array_like of datetime64, shape (n,)
        When each event happened.
    recorded : array_like of datetime64, shape (n,)
        When it entered the records; NaT where unknown, which counts as in time.
    windows : sequence of (date, date)
        Half-open.
    as_of : datetime
        When the records were read; what was recorded later does not count at all.

    Returns
    -------
    MatureCounts

    Raises
    ------
    ValueError
        Unequal lengths, an event without a time of occurrence, or no window.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> occurred = ["2026-11-04", "2026-11-05", "2026-11-11", "2026-11-12"]
    >>> recorded = ["2026-11-05", "2026-11-14", "2026-11-11", "2026-11-16"]
    >>> weeks = [(date(2026, 11, 9), date(2026, 11, 16)), (date(2026, 11, 2), date(2026, 11, 9))]
    >>> counts, all_recorded = equal_maturity_counts(occurred, recorded, weeks, datetime(2026, 11, 17))
    >>> counts.tolist(), all_recorded.tolist()
    ([2, 1], [2, 2])
    """
    occurred, recorded = _times(occurred, "occurred"), _times(recorded, "recorded")
    if occurred.shape != recorded.shape:
        raise ValueError(f"recorded has {recorded.size} events, expected the {occurred.size} of occurred")
    if np.isnat(occurred).any():
        raise ValueError(f"occurred is missing for {int(np.isnat(occurred).sum())} events, expected a time for each")
    cutoffs = maturity_cutoffs(windows, as_of)
    unknown = np.isnat(recorded)
    seen = unknown | (recorded <= np.datetime64(as_of, "s"))
    found = np.zeros((3, len(windows)), dtype=np.int64)
    for i, ((start, end), cutoff) in enumerate(zip(windows, cutoffs, strict=True)):
        inside = seen & (occurred >= np.datetime64(start, "s")) & (occurred < np.datetime64(end, "s"))
        mature = inside & (unknown | (recorded <= np.datetime64(cutoff, "s")))
        found[:, i] = mature.sum(), inside.sum(), (inside & unknown).sum()
    age = (cutoffs[0] - _midnight(windows[0][1])).total_seconds() / 86400
    return MatureCounts(found[0], found[1], cutoffs, age, found[2])


def _times(values: ArrayLike, name: str) -> np.ndarray:
    times = np.asarray(values, dtype="datetime64[s]")
    if times.ndim != 1:
        raise ValueError(f"{name} has shape {times.shape}, expected (events,)")
    return times


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
