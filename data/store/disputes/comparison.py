"""A window's disputes beside those of the compared one, with the test of incident counts (design: Verdicts)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.index import UNIT_LEVELS
from data.selection import Selection
from data.store.baseline import MOST_PERIODS
from data.store.changes import Change
from data.store.disputes.choosing import Chosen, Windows, due_periods, most_days, windows
from data.store.disputes.figures import PART_COUNTS, totals
from data.store.disputes.picture import Standing, counts_told, tally_of_whole, whole_standing
from data.store.disputes.rollup import of_places, roll_up
from data.store.disputes.sources import Period, dispute_sources, reporting
from data.store.release import Release
from data.store.scope import Scope
from data.store.trend import selected_places
from geo.change import NOT_COMPARABLE, dispersion, poisson_e_test, score_z, verdict_words, widen

JUDGED = PART_COUNTS


@dataclass(frozen=True)
class Compared:
    """The selected area, or the scope, in both windows.

    Attributes
    ----------
    windows : Windows
    now, before : Standing
    changes : dict of str to Change
        ``found``, ``handled`` and ``succeeded``, as far as the source tells them.
    """

    windows: Windows
    now: Standing
    before: Standing
    changes: dict[str, Change]


def compared_disputes(release: Release, selection: Selection, scope: Scope) -> Compared:
    """The disputes of the selected area, or of the scope, beside those of the compared window.

    Difference, percent, z, p and verdict are withheld where a window has no line, the windows hold different numbers of
    periods, or too many unit-periods are missing; else they compare the units in for both.

    Raises
    ------
    OutsideScope, UnknownArea

    Notes
    -----
    As for incidents: E-test with days as exposure, widened by the dispersion over earlier periods of the same number,
    the latest 52. A city of thousands of units hardly ever has every report in, so a period counts as complete while no
    more than ``limits.missing_pct`` of its unit-periods are missing.
    """
    key = ("compared disputes", selection.start, selection.end, selection.compare, selection.area, scope)
    return release.remember(key, lambda: _compute(release, selection, scope))


def _compute(release: Release, selection: Selection, scope: Scope) -> Compared:
    area = None if selection.area is None else release.units.allowed(selection.area, scope)
    places = selected_places(release, selection, scope)
    both = windows(dispute_sources(release), selection, None if area is None else area.level)
    now, before = (whole_standing(release, chosen, places) for chosen in (both.now, both.before))
    given = counts_told(release, both.now)
    word = None if both.before is None else NOT_COMPARABLE
    rows = {
        name: Change(now.one(name), before.one(name), verdict=word, periods_missing=now.one("missing") or 0)
        for name in JUDGED
        if name in given
    }
    if both.before is not None and _comparable(release, both, places):
        rows = _judged(release, both, places, rows)
    return Compared(both, now, before, rows)


def reports_due(release: Release, selection: Selection, scope: Scope, window: Period) -> tuple[int, int]:
    """Unit-periods of all dispute sources in periods wholly inside a window, and how many of them are not in."""
    places = selected_places(release, selection, scope)
    due = missing = 0
    for source in dispute_sources(release):
        tally = tally_of_whole(release, Chosen(source, due_periods(source, window)), places)
        if tally is not None:
            due, missing = due + int(tally.total.sum()), missing + int(tally.missing.sum())
    return due, missing


def _comparable(release: Release, both: Windows, places) -> bool:
    if not both.now.told or len(both.now.told) != len(both.before.told):
        return False
    for chosen in (both.now, both.before):
        tally = tally_of_whole(release, chosen, places)
        if tally is not None and tally.added_up().too_many(release.limits.missing_pct).any():
            return False
    return True


def _judged(release: Release, both: Windows, places, rows: dict[str, Change]) -> dict[str, Change]:
    skipped = _not_in_for_both(release, both)
    k1, k2 = (
        _compared(release, chosen, chosen.told, places, skipped).sum(axis=1) for chosen in (both.now, both.before)
    )
    days, days_before = both.now.days, both.before.days
    p = widen(poisson_e_test(k1, days, k2, days_before).p, _phi(release, both, places))
    z = score_z(k1, days, k2, days_before)
    words = verdict_words(p, np.nan_to_num(z), strong=release.limits.strong_p, mild=release.limits.mild_p)
    judged = {}
    for i, name in enumerate(JUDGED):
        if name in rows and not np.isnan(k1[i] + k2[i]):
            difference = int(k1[i] - k2[i])
            percent = difference * 100.0 / float(k2[i]) if k2[i] else None
            row = rows[name]
            judged[name] = Change(row.now, row.before, difference, percent, float(z[i]), float(p[i]), str(words[i]),
                                  row.periods_missing)  # fmt: skip
    return {**rows, **judged}


def _compared(release: Release, chosen: Chosen, periods: tuple[Period, ...], places, skipped: np.ndarray) -> np.ndarray:
    """The judged counts of some places in some periods, shape (counts, periods), without the skipped areas."""
    figures = totals(release, chosen.source)
    nothing = np.full((1, len(periods), len(figures.level)), np.nan)
    values = np.stack([(nothing if (v := figures.values(name, periods)) is None else v)[0] for name in JUDGED])
    flat = np.where(skipped, np.nan, values).reshape(-1, len(figures.level))
    rolled = roll_up(release.units, figures.level, figures.position, flat)
    return of_places(release.units, rolled, places).reshape(len(JUDGED), len(periods))


def _not_in_for_both(release: Release, both: Windows) -> np.ndarray:
    """Mask over the areas of the source: those in reporting units that are not in for every period of both windows."""
    figures, known = totals(release, both.now.source), reporting(release, both.now.source)
    skipped = np.zeros(len(figures.level), dtype=bool)
    for item in () if known is None else known.left_out([*both.now.due, *both.before.due]):
        for number in np.unique(figures.level[figures.level >= UNIT_LEVELS.index(item.level)]):
            inside = release.units.positions_in(UNIT_LEVELS[number], item.level)[figures.position]
            skipped |= (figures.level == number) & (
                np.ones_like(skipped) if item.units is None else np.isin(inside, item.units)
            )
    return skipped


def _phi(release: Release, both: Windows, places) -> np.ndarray:
    """Dispersion of each judged count over runs of as many periods as the window holds, back from the current one."""
    source, size = both.now.source, len(both.now.told)
    periods = most_days([p for p in source.told if p[1] <= both.now.told[0][0] and not _within(p, both.before)])
    known = reporting(release, source)
    if known is not None and periods:
        tally = known.tally_of(places, periods)
        periods = [p for p, bad in zip(periods, tally.too_many(release.limits.missing_pct)[0], strict=True) if not bad]
    runs = min(len(periods) // size, MOST_PERIODS)
    if not runs:
        return np.ones(len(JUDGED))
    periods = tuple(periods[len(periods) - runs * size :])
    nobody = np.zeros(len(totals(release, source).level), dtype=bool)
    counts = _compared(release, both.now, periods, places, nobody).reshape(len(JUDGED), runs, size).sum(axis=2)
    days = np.array([end - start for start, end in periods], dtype=float).reshape(runs, size).sum(axis=1)
    return dispersion(counts, days, pooled=False).phi


def _within(period: Period, chosen: Chosen) -> bool:
    return any(period[0] < end and start < period[1] for start, end in chosen.told)
