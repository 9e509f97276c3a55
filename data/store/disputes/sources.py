"""The dispute sources of a release: which periods each speaks of, and which units report them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from data.index import CADENCE_DAYS, UNIT_LEVELS
from data.store.release import Release
from data.store.report_sources import StatedSource, days_of, places_of, stated_source
from data.store.reports import Reporting

STAT = sa.table(
    "dispute_stat",
    *(sa.column(name, sa.Date) for name in ("period_start", "period_end")),
    *(sa.column(name, sa.String) for name in ("area_code", "category", "channel", "closed_level", "source_id")),
)
_SHEET = sa.table(
    "report_status",
    *(sa.column(name) for name in ("period_start", "period_end", "area_code", "dataset", "state")),
)

Period = tuple[int, int]


@dataclass(frozen=True)
class DisputeSource:
    """One source of dispute statistics.

    Attributes
    ----------
    source_id : str
    cadence : str
        Declared; else the one nearest to its usual period.
    periods : tuple of (int, int)
        Days of every period it has a line or a report state for, ascending.
    told : frozenset of (int, int)
        Those with a line.
    level : str or None
        The narrowest level it has lines for; None without a line of an area of the release.
    """

    source_id: str
    cadence: str
    periods: tuple[Period, ...]
    told: frozenset[Period]
    level: str | None

    def speaks_of(self, level: str | None) -> bool:
        """Whether it has lines of this level or a narrower one (None: of any)."""
        if self.level is None or level is None:
            return self.level is not None
        return UNIT_LEVELS.index(self.level) >= UNIT_LEVELS.index(level)


def dispute_sources(release: Release) -> tuple[DisputeSource, ...]:
    """The sources, those declared first."""
    return release.remember("dispute sources", lambda: _read(release))


def reporting(release: Release, source: DisputeSource) -> Reporting | None:
    """Which of its units were in, in which periods; None where no report state is known."""
    made = release.remember(("dispute reports", source.source_id), lambda: _reported(release, source))
    return None if made is None else Reporting([made], release.units)


def _read(release: Release) -> tuple[DisputeSource, ...]:
    declared = {s.source_id: s.cadence for s in release.info.sources if s.kind == "dispute"}
    names = (STAT.c.source_id.label("source"), STAT.c.period_start, STAT.c.period_end)
    told = _periods(release.rows(sa.select(*names).distinct()))
    found = release.rows(sa.select(STAT.c.source_id.label("source"), STAT.c.area_code).distinct())
    levels = {}
    at, _ = places_of(found["area_code"], release.units)
    for source, level in zip(found["source"].to_pylist(), at.tolist(), strict=True):
        levels[source] = max(level, levels.get(source, -1))
    ids = list(dict.fromkeys([*declared, *sorted(told)]))
    sheet = (_SHEET.c.dataset.label("source"), _SHEET.c.period_start, _SHEET.c.period_end)
    stated = _periods(release.rows(sa.select(*sheet).where(_SHEET.c.dataset.in_(ids)).distinct()))
    sources = []
    for name in ids:
        own = told.get(name, set())
        periods = tuple(sorted(own | stated.get(name, set())))
        level = levels.get(name, -1)
        sources.append(
            DisputeSource(
                name,
                declared.get(name) or _usual_cadence(periods),
                periods,
                frozenset(own),
                UNIT_LEVELS[level] if level >= 0 else None,
            )
        )
    return tuple(sources)


def _periods(found) -> dict[str, set[Period]]:
    periods: dict[str, set[Period]] = {}
    columns = found["source"].to_pylist(), *(days_of(found[name]).tolist() for name in ("period_start", "period_end"))
    for source, start, end in zip(*columns, strict=True):
        if start < end:
            periods.setdefault(source, set()).add((start, end))
    return periods


def _usual_cadence(periods: tuple[Period, ...]) -> str:
    days = float(np.median([end - start for start, end in periods])) if periods else CADENCE_DAYS["month"]
    return min(CADENCE_DAYS, key=lambda name: abs(np.log(CADENCE_DAYS[name] / days)))


def _reported(release: Release, source: DisputeSource) -> StatedSource | None:
    sheet = release.rows(sa.select(*_SHEET.c).where(_SHEET.c.dataset == source.source_id))
    return stated_source(0, source.cadence, False, sheet, release.units)
