"""Last period's hotspots judged by this period's events, beside what a naive choice of the same area would have caught."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from geo.evaluation.inputs import counts_of, sizes_of
from geo.evaluation.prediction import taken_at
from geo.result import Result


@dataclass(frozen=True, eq=False)
class HotspotReport(Result):
    """Hotspots of one period against the events of the next.

    Attributes
    ----------
    hit_pct : float
        Share of this period's events inside the flagged cells; NaN where there is no event.
    pai : float
        ``hit_pct / area_pct``; 1 is a random choice of the same area.
    pei : float
        ``hit_pct`` to the largest share any cells of the same area hold, 0 to 1.
    flagged, held : int
        Flagged cells, and those of them with more events per area than the whole again.
    area_pct : float
        Share of the area that is flagged; also the hit rate of a random choice.
    naive_hit_pct, naive_pai, naive_pei, naive_held : float
        The same for the cells with most events per area last period, as many of them as fill the same area; equal
        cells at the cut count in part.
    beats_naive : bool
        ``hit_pct`` above ``naive_hit_pct``.
    note : str
        Says so where the hotspots do not beat the naive choice.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("hit_pct", "pai", "pei", "flagged", "held")

    hit_pct: float
    pai: float
    pei: float
    flagged: int
    held: int
    area_pct: float
    naive_hit_pct: float
    naive_pai: float
    naive_pei: float
    naive_held: float
    beats_naive: bool
    note: str


def hit_rate(flagged: ArrayLike, events: ArrayLike) -> float:
    """Share of events, in percent, inside the flagged places; NaN where there is no event.

    Parameters
    ----------
    flagged : bool array_like (n,)
    events : array_like (n,)
        Events of each place in the period judged.

    Raises
    ------
    ValueError
        Lengths that differ, flags that are not bool, negative or missing events.

    Examples
    --------
    >>> hit_rate([True, False, False], [3, 2, 1])
    50.0
    """
    events = counts_of(events, "events")
    total = events.sum()
    return float(100 * events[_flags(flagged, events.size)].sum() / total) if total > 0 else float("nan")


def hotspot_report(
    flagged: ArrayLike, before_counts: ArrayLike, now_counts: ArrayLike, area_km2: ArrayLike | None = None
) -> HotspotReport:
    """Whether the hotspots held, and whether a naive choice would have done as well.

    Parameters
    ----------
    flagged : bool array_like (n,)
        Cells marked as hotspots from the events of last period.
    before_counts, now_counts : array_like (n,)
        Events of each cell last period and this.
    area_km2 : array_like (n,), optional
        Area of each cell, above 0; equal by default. Street length serves as well.

    Returns
    -------
    HotspotReport
        Unpacks as ``hit_pct, pai, pei, flagged, held``.

    Raises
    ------
    ValueError
        Lengths that differ, flags that are not bool, missing or negative values.

    Notes
    -----
    Two yardsticks: a random choice of the same area (its hit rate is ``area_pct``, its PAI 1), and the cells that had
    most events per area last period. Hotspots that do not beat the latter add nothing to a sorted list.

    Examples
    --------
    >>> report = hotspot_report([True, True, False, False], [9, 1, 5, 0], [6, 0, 4, 0])
    >>> report.hit_pct, report.pai, report.naive_hit_pct, report.held
    (60.0, 1.2, 100.0, 1)
    >>> report.note
    '热点未优于按上期件数取同样面积：命中60.0%，后者100.0%'
    """
    now = counts_of(now_counts, "now_counts")
    before = counts_of(before_counts, "before_counts", now.size)
    area, flags = sizes_of(area_km2, "area_km2", now.size), _flags(flagged, now.size)
    whole, total = area.sum(), now.sum()
    share = float(area[flags].sum() / whole) if now.size else 0.0
    again = now * whole > total * area if now.size else np.zeros(0, bool)
    naive = taken_at(before / area, area, share) if flags.any() else np.zeros(now.size)
    best = taken_at(now / area, area, share) if flags.any() else np.zeros(now.size)
    hit_pct, naive_pct, best_pct = (_percent(part @ now, total) for part in (flags.astype(float), naive, best))
    beats = bool(hit_pct > naive_pct + 1e-9)
    return HotspotReport(
        hit_pct=hit_pct, pai=_over(hit_pct, 100 * share), pei=_over(hit_pct, best_pct),
        flagged=int(flags.sum()), held=int((flags & again).sum()), area_pct=100 * share,
        naive_hit_pct=naive_pct, naive_pai=_over(naive_pct, 100 * share), naive_pei=_over(naive_pct, best_pct),
        naive_held=float(naive @ again), beats_naive=beats, note=_note(flags, total, hit_pct, naive_pct, 100 * share),
    )  # fmt: skip


def _flags(flagged: ArrayLike, size: int) -> np.ndarray:
    flags = np.asarray(flagged)
    if flags.shape != (size,) or (flags.dtype != bool and size):
        raise ValueError(f"flagged has shape {flags.shape} and type {flags.dtype}, expected ({size},) of bool")
    return flags.astype(bool)


def _percent(part: float, total: float) -> float:
    return float(100 * part / total) if total > 0 else float("nan")


def _over(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def _note(flags: np.ndarray, total: float, hit_pct: float, naive_pct: float, area_pct: float) -> str:
    if not flags.any():
        return "上期没有热点，无从评价"
    if total <= 0:
        return "本期没有事件，无从评价"
    if hit_pct > naive_pct + 1e-9:
        return ""
    words = f"热点未优于按上期件数取同样面积：命中{hit_pct:.1f}%，后者{naive_pct:.1f}%"
    return words + (f"；也未优于随机（{area_pct:.1f}%）" if hit_pct <= area_pct + 1e-9 else "")
