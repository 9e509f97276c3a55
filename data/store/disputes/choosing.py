"""Which source answers for a window, and with which of its periods: never two sources added, never a day twice."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from data.selection import Selection, Window, compare_window
from data.store.disputes.sources import DisputeSource, Period
from data.store.filters import date_of, day_text, day_window
from data.store.report_sources import cadence_periods

_BACK = 2  # a window shorter than the period takes the latest one, no further back than twice its length


@dataclass(frozen=True)
class Chosen:
    """What of a source stands for a window.

    Attributes
    ----------
    source : DisputeSource
    due : tuple of (int, int)
        Its periods in the window, those nobody told included, ascending and without overlap.
    inside : bool
        False where the window is shorter than a period: ``due`` is then the latest period up to its end.
    """

    source: DisputeSource
    due: tuple[Period, ...]
    inside: bool = True

    @property
    def told(self) -> tuple[Period, ...]:
        """The periods with lines."""
        return tuple(period for period in self.due if period in self.source.told)

    @property
    def days(self) -> int:
        """Days of the periods with lines."""
        return sum(end - start for start, end in self.told)


def choose(sources: Iterable[DisputeSource], window: Period, level: str | None = None) -> Chosen | None:
    """The source that fits a window best: the one that tells most days of it in periods wholly inside, of several the one
    with the longest periods; for a window shorter than any period the one with the shortest.

    Parameters
    ----------
    level : str or None
        Sources without a line of this level or below come only where no other is.

    Returns
    -------
    Chosen or None
        None without any source. ``told`` is empty where the window's periods have no line: 未报.
    """
    sources = list(sources)
    if not sources:
        return None
    able = [source for source in sources if source.speaks_of(level)] or sources
    inside = [Chosen(source, due_periods(source, window)) for source in able]
    best = max(inside, key=lambda one: (one.days, -len(one.told)))
    if best.days:
        return best
    latest = [one for source in able if not _holds_period(source, window) and (one := _latest(source, window))]
    if latest:
        return min(latest, key=lambda one: one.due[0][1] - one.due[0][0])
    return max(inside, key=lambda one: (bool(one.due), -len(one.due)))


@dataclass(frozen=True)
class Windows:
    """What stands for the window and for the compared one; None without a source, or without comparison."""

    now: Chosen | None
    before: Chosen | None


def windows(sources: Iterable[DisputeSource], selection: Selection, level: str | None) -> Windows:
    """Both windows of a Selection, answered by one source.

    Where a period longer than the window stands for it, the compared one is that of the period: the month before, last
    year's. A compared window that would share days with the current one is none.
    """
    now = choose(sources, day_window((selection.start, selection.end)), level)
    before = selection.compare_window
    if now is None or before is None:
        return Windows(now, None)
    if not now.inside:
        start, end = now.due[0]
        before = compare_window((date_of(start), date_of(end)), selection.compare)
    found = choose([now.source], day_window(before))
    shared = any(a < d and c < b for a, b in now.due for c, d in found.due)
    return Windows(now, None if shared else found)


def about_windows(both: Windows, selection: Selection) -> dict:
    """What an answer says of them: ``source``, ``coarser``, ``period`` and ``before`` (None without comparison).

    A period has ``from, to, periods, days``; where nothing is told it is the window itself, with 0 periods.
    """
    now, before = both.now, both.before
    return {
        "source": now.source.source_id if now else None,
        "coarser": [now.source.source_id] if now and not now.inside else [],
        "period": _covered(now, (selection.start, selection.end)),
        "before": None if before is None else _covered(before, selection.compare_window),
    }


def _covered(chosen: Chosen | None, window: Window) -> dict:
    told = chosen.told if chosen else ()
    start, end = (day_text(told[0][0]), day_text(told[-1][1])) if told else (day.isoformat() for day in window)
    return {"from": start, "to": end, "periods": len(told), "days": chosen.days if chosen else 0}


def due_periods(source: DisputeSource, window: Period) -> tuple[Period, ...]:
    """Periods of a source wholly inside a window: its own, and calendar ones of its cadence where it has none."""
    own = most_days([p for p in source.periods if window[0] <= p[0] and p[1] <= window[1]])
    due, cursor = [], window[0]
    for start, end in [*own, (window[1], window[1])]:
        gap = cadence_periods(cursor, start, source.cadence) if cursor < start else []
        due += [(a, b) for a, b in gap if cursor <= a and b <= start]
        cursor = end
        if start < end:
            due.append((start, end))
    return tuple(due)


def most_days(periods: list[Period]) -> list[Period]:
    """Of overlapping periods those that together tell most days, the fewest of them."""
    periods = sorted(periods, key=lambda p: p[1])
    ends = [end for _, end in periods]
    best: list[tuple[int, int, list[Period]]] = [(0, 0, [])]  # days, minus how many, which
    for number, (start, end) in enumerate(periods):
        days, few, chosen = best[bisect_right(ends, start, hi=number)]
        best.append(max(best[-1], (days + end - start, few - 1, [*chosen, (start, end)]), key=lambda one: one[:2]))
    return best[-1][2]


def _holds_period(source: DisputeSource, window: Period) -> bool:
    """Whether a calendar period of the source's cadence fits into the window."""
    return any(window[0] <= a and b <= window[1] for a, b in cadence_periods(*window, source.cadence))


def _latest(source: DisputeSource, window: Period) -> Chosen | None:
    ended = [p for p in source.told if p[1] <= window[1] and window[1] - p[1] <= _BACK * (p[1] - p[0])]
    return Chosen(source, (max(ended, key=lambda p: (p[1], p[0])),), inside=False) if ended else None
