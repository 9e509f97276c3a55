"""Counts of a selected area as a whole and by category, in two windows, each with its test.

The recipe is that of the Store's ``counts`` (design: Verdicts), over categories instead of areas.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from data.index import INCIDENT_LEVELS
from data.schema import CATEGORIES, INVALID
from data.selection import Selection
from data.store.baseline import MOST_PERIODS, periods_before
from data.store.counts import counts, immature_from, maturity_cutoffs
from data.store.filters import day_window
from data.store.release import Release
from data.store.scope import Scope
from data.store.span_counts import count_spans
from data.store.trend import area_tally, selected_places
from data.store.window_counts import count_window
from geo.change import benjamini_hochberg, dispersion, poisson_e_test, score_z, verdict_words, widen

_MOST_LOOKED_AT = 4 * MOST_PERIODS  # periods with gaps are passed over, but not for ever


@dataclass(frozen=True)
class Change:
    """One count beside the one before.

    Attributes
    ----------
    now, before : int or None
        Recorded counts; None is missing (未报), or not compared.
    difference, percent, z, p : number or None
        None where withheld; ``percent`` also where the base is 0. ``p`` is final.
    verdict : str or None
        None where nothing is compared.
    periods_missing : int
        Unit-periods of the current window that are not in.
    """

    now: int | None
    before: int | None
    difference: int | None = None
    percent: float | None = None
    z: float | None = None
    p: float | None = None
    verdict: str | None = None
    periods_missing: int = 0


@dataclass(frozen=True)
class Changes:
    """The whole and its parts; ``categories`` by name, in the order of data.schema, all that count."""

    total: Change
    categories: dict[str, Change]


def changes(release: Release, selection: Selection, scope: Scope) -> Changes:
    """The count of the selected area and of each of its counted categories; kept, as several parts of a page ask.

    p of a category is adjusted over all categories but 无效 (over 无效 too where it is named), whichever are shown: naming
    a category does not change its verdict.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    return release.remember(("changes", selection, scope), lambda: _compute(release, selection, scope))


def _compute(release: Release, selection: Selection, scope: Scope) -> Changes:
    places = selected_places(release, selection, scope)
    now, before = (selection.start, selection.end), selection.compare_window
    windows = [day_window(now)] + ([day_window(before)] if before else [])
    tally = area_tally(release, selection, scope, windows)
    left_out = release.reports.left_out(windows) if before else []
    cutoffs = maturity_cutoffs(release, now, before)
    names = selection.counted_categories
    judged = tuple(c for c in CATEGORIES if c != INVALID or c in names)
    every = replace(selection, categories=judged)
    found = [
        count_window(release, every, scope, "category", len(CATEGORIES), window, cutoff, left_out)
        for window, cutoff in zip(windows, cutoffs, strict=True)
    ]
    silent = [bool(tally.none_in[0, i]) for i in range(len(windows))]
    recorded = [
        _or_missing(_with_whole(c.recorded, judged, names), quiet) for c, quiet in zip(found, silent, strict=True)
    ]
    missing = int(tally.missing[0, 0])
    if before is None:
        rows = [Change(n, None, periods_missing=missing) for n in recorded[0]]
        return Changes(rows[-1], _named(judged, rows, names))
    fresh = immature_from(release)
    comparable = (
        not tally.too_many(release.limits.missing_pct).any()
        and release.reports.compared_units_of(places, left_out) > 0
        and not (fresh is not None and max(end for _, end in windows) > fresh)
    )
    k1, k2 = (_with_whole(c.compared, judged, names) for c in found)
    days, days_before = selection.days, (before[1] - before[0]).days
    p = np.full(len(k1), np.nan)
    if comparable:
        pooled = selection.area is not None and release.units.find(selection.area).level in INCIDENT_LEVELS[1:]
        phi = _dispersion(release, every, scope, places, names, pooled)
        p = widen(poisson_e_test(k1, days, k2, days_before).p, phi)
        p[:-1] = benjamini_hochberg(p[:-1])  # the categories are judged at once, the whole by itself
    z = score_z(k1, days, k2, days_before)
    words = verdict_words(p, z, strong=release.limits.strong_p, mild=release.limits.mild_p)
    rows = []
    for i in range(len(k1)):
        row = Change(recorded[0][i], recorded[1][i], verdict=str(words[i]), periods_missing=missing)
        if comparable:
            difference = int(k1[i] - k2[i])
            percent = difference * 100.0 / k2[i] if k2[i] else None
            row = Change(row.now, row.before, difference, percent, float(z[i]), float(p[i]), str(words[i]), missing)
        rows.append(row)
    return Changes(_as_judged_by_level(release, selection, scope, rows[-1]), _named(judged, rows, names))


def _as_judged_by_level(release: Release, selection: Selection, scope: Scope, total: Change) -> Change:
    """An area that stands among others of its level has the verdict it has there: p adjusted over all of them."""
    if selection.area is None or (level := release.units.find(selection.area).level) not in INCIDENT_LEVELS:
        return total
    row = counts(release, selection, scope, level).rows.to_pylist()[0]
    kept = ("before", "difference", "percent", "z", "p", "verdict", "periods_missing")
    return Change(row["count"], **{name: row[name] for name in kept})


def _or_missing(values: np.ndarray, silent: bool) -> list[int | None]:
    return [None if silent and n == 0 else int(n) for n in values]


def _named(judged: tuple[str, ...], rows: list[Change], names: tuple[str, ...]) -> dict[str, Change]:
    """Of the rows of the judged categories those shown."""
    return {category: row for category, row in zip(judged, rows, strict=False) if category in names}


def _with_whole(by_category: np.ndarray, judged: tuple[str, ...], names: tuple[str, ...]) -> np.ndarray:
    """The judged categories, then the sum of those shown."""
    each, shown = (by_category[..., [CATEGORIES.index(c) for c in chosen]] for chosen in (judged, names))
    return np.concatenate([each, shown.sum(axis=-1, keepdims=True)], axis=-1)


def _dispersion(release, every: Selection, scope, places, names, pooled: bool) -> np.ndarray:
    """phi of each category of ``every`` and of the sum of those shown, from the latest complete periods before the
    current window."""
    judged = every.counted_categories
    periods = list(islice(periods_before(release, every), _MOST_LOOKED_AT))
    if not periods:
        return np.ones(len(judged) + 1)
    tally = release.reports.tally_of(places, periods)
    whole = (tally.missing[0] == 0) & (tally.total[0] > 0)
    periods = [period for period, ok in zip(periods, whole, strict=True) if ok][:MOST_PERIODS]
    if not periods:
        return np.ones(len(judged) + 1)
    starts, ends = np.array(periods).T
    by_period = count_spans(release, every, scope, periods, "category", len(CATEGORIES))[0, :-1].T
    exposure = (ends - starts).astype(float)
    table = _with_whole(by_period, judged, names).T
    if not pooled:
        return dispersion(table, exposure, pooled=False).phi
    return np.append(
        dispersion(table[:-1], exposure, pooled=True).phi, dispersion(table[-1:], exposure, pooled=True).phi
    )
