"""Counts of every area of a level in two windows, with state, test and verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from data.index import UNIT_LEVELS
from data.selection import Selection, Window
from data.store.answer import Answer
from data.store.baseline import level_dispersion
from data.store.filters import below_or_equal, common_meta, day_text, day_window
from data.store.release import Release, day_number
from data.store.reports import LeftOut, Tally
from data.store.scope import Scope
from data.store.units import Place
from data.store.window_counts import count_window
from geo import change
from geo.change import benjamini_hochberg, poisson_e_test, verdict_words, widen


@dataclass(frozen=True)
class _Judgement:
    p: np.ndarray
    z: np.ndarray
    phi: np.ndarray
    words: np.ndarray
    baseline: dict


def counts(release: Release, selection: Selection, scope: Scope, level: str = "district") -> Answer:
    """One row for every area of ``level`` in the selected area, never cut; kept, as several parts of a page ask.

    Parameters
    ----------
    release : Release
    selection : Selection
    scope : Scope
    level : str
        ``district``, ``street``, ``community`` or ``grid``. Where the selected area is smaller than the level, the one
        area that holds it is returned, with the events of the selected area only.

    Returns
    -------
    Answer
        Rows ``code, name, count, before, rate_per_1000, state, periods_missing, before_state, before_periods_missing,
        difference, percent, z, p, phi, verdict``; ``count_mature, before_mature`` where equal maturity cuts a count,
        ``compared_count, compared_before`` where units not in for both windows are left out of the comparison.
        ``rate_per_1000`` is null under a polygon, whose people nobody counted.
        p is final (widened by phi, then adjusted over all areas of the level in the scope) and null where withheld.

    Raises
    ------
    OutsideScope, UnknownArea
        For an area the caller may not see, or that does not exist.
    """
    kept = release.remember(("counts", selection, scope, level), lambda: _compute(release, selection, scope, level))
    return Answer(dict(kept.meta), kept.rows)


def _compute(release: Release, selection: Selection, scope: Scope, level: str) -> Answer:
    units = release.units.level(level)
    area = None if selection.area is None else release.units.allowed(selection.area, scope)
    wider_area = area is None or below_or_equal(level, area)
    shown = release.units.shown(level, area, scope)
    judged = release.units.in_scope(level, scope) if wider_area else shown
    now = (selection.start, selection.end)
    before = selection.compare_window
    windows = [day_window(now)] + ([day_window(before)] if before else [])
    tally = _tally(release, level, windows, None if wider_area else area)
    left_out = release.reports.left_out(windows) if before else []
    cutoffs = maturity_cutoffs(release, now, before)
    found = [
        count_window(release, selection, scope, level, len(units), window, cutoff, left_out, area=not wider_area)
        for window, cutoff in zip(windows, cutoffs, strict=True)
    ]
    current = found[0]
    population = units.population
    if not wider_area:
        own = release.units.level(area.level).population[area.position]
        population = np.full(len(units), own)
    state = states(current.recorded, tally, 0)
    columns: dict[str, np.ndarray] = {
        "code": units.codes,
        "name": units.names,
        "count": _whole(current.recorded, state == "missing"),
    }
    too_many = tally.too_many(release.limits.missing_pct).any(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(population > 0, current.recorded * 1000.0 / population, np.nan)
    # With a drawn shape the events are those inside it, the people those of the whole unit: no rate.
    rate = np.where(too_many | (state == "missing") | (selection.polygon is not None), np.nan, rate)
    meta = {**common_meta(release, selection, scope), "level": level, "unplaced": current.unplaced}
    if before is None:
        columns |= {"before": _nothing(units), "rate_per_1000": rate, "state": state}
        columns |= {"periods_missing": tally.missing[:, 0]}
        columns |= {name: _nothing(units) for name in ("difference", "percent", "z", "p")}
        columns["verdict"] = np.full(len(units), None, dtype=object)
    else:
        past = found[1]
        state_before = states(past.recorded, tally, 1)
        immature = immature_from(release)
        fresh = immature is not None and max(end for _, end in windows) > immature
        remaining = _compared_units(release, level, left_out, None if wider_area else area)
        comparable = ~too_many & (remaining > 0) & ~np.bool_(fresh)
        judgement = _judge(release, selection, scope, level, current, past, comparable & judged, not wider_area)
        difference = np.where(comparable, current.compared - past.compared, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            percent = np.where(past.compared > 0, difference * 100.0 / past.compared, np.nan)
        columns |= {
            "before": _whole(past.recorded, state_before == "missing"),
            "rate_per_1000": rate,
            "state": state,
            "periods_missing": tally.missing[:, 0],
            "before_state": state_before,
            "before_periods_missing": tally.missing[:, 1],
            "difference": pa.array(difference, from_pandas=True).cast(pa.int64()),
            "percent": percent,
            "z": np.where(comparable, judgement.z, np.nan),
            "p": judgement.p,
            "phi": judgement.phi,
            "verdict": judgement.words,
        }
        if any((c.mature[shown] != c.recorded[shown]).any() for c in found):
            columns |= {"count_mature": _whole(current.mature, state == "missing"),
                        "before_mature": _whole(past.mature, state_before == "missing")}  # fmt: skip
        if left_out:
            columns |= {"compared_count": _whole(current.compared, ~comparable),
                        "compared_before": _whole(past.compared, ~comparable)}  # fmt: skip
        meta |= {
            "days": selection.days,
            "days_before": (before[1] - before[0]).days,
            "adjusted_over": int((comparable & judged).sum()),
            "dispersion": judgement.baseline,
            "units_left_out": units_left_out(release, left_out),
            "immature_from": None if immature is None else day_text(immature),
        }
    rows = pa.table({name: _column(values) for name, values in columns.items()})
    return Answer.of(meta, rows if shown.all() else rows.filter(pa.array(shown)))


def maturity_cutoffs(release: Release, now: Window, before: Window | None) -> list[datetime | None]:
    """Until when a row must have been recorded to count in each window at equal maturity; None where no source knows.

    Both windows are seen as long after their end as the later one is at ``data_as_of``.
    """
    windows = [now] + ([before] if before else [])
    if before is None or release.data_as_of is None or not any(release.reports.knows_recorded):
        return [None] * len(windows)
    return list(change.maturity_cutoffs(windows, release.data_as_of))


def immature_from(release: Release) -> int | None:
    """The first day whose events are not yet all in (未齐), from the reporting delay; None where no delay is known.

    Sources that know ``recorded_at`` are compared at equal maturity and need no such mark.
    """
    if release.data_as_of is None:
        return None
    days = [
        day_number(change.immature_from(release.data_as_of, delay))
        for delay, recorded in zip(release.reports.delay_days, release.reports.knows_recorded, strict=True)
        if delay is not None and not recorded
    ]
    return min(days, default=None)


def states(recorded: np.ndarray, tally: Tally, window: int) -> np.ndarray:
    """``reported`` where something was recorded, else ``missing`` where no unit-period is in, else ``zero``."""
    return np.select([recorded > 0, tally.none_in[:, window]], ["reported", "missing"], "zero")


def units_left_out(release: Release, left_out: list[LeftOut]) -> list[dict]:
    """Reporting units left out of the comparison, by source; ``codes`` null is the whole source."""
    return [
        {
            "source": release.reports.source_ids[item.source],
            "codes": None if item.units is None else release.units.level(item.level).codes[item.units].tolist(),
        }
        for item in left_out
    ]


def _tally(release: Release, level: str, windows: list[tuple[int, int]], area: Place | None) -> Tally:
    """Unit-periods of every unit of the level; where the selected area is smaller, of that area."""
    if area is None:
        return release.reports.tally(level, windows)
    one, size = release.reports.tally_of((area,), windows), len(release.units.level(level))
    return Tally(np.repeat(one.total, size, axis=0), np.repeat(one.missing, size, axis=0))


def _compared_units(release: Release, level: str, left_out: list[LeftOut], area: Place | None) -> np.ndarray:
    if area is None:
        return release.reports.compared_units(level, left_out)
    size = len(release.units.level(level))
    return np.full(size, release.reports.compared_units_of((area,), left_out))


def _judge(release, selection, scope, level, current, past, judged: np.ndarray, restricted: bool) -> _Judgement:
    before = selection.compare_window
    k1, k2 = (np.where(judged, c.compared, np.nan) for c in (current, past))
    test = poisson_e_test(k1, selection.days, k2, (before[1] - before[0]).days)
    pooled = UNIT_LEVELS.index(level) > UNIT_LEVELS.index("district")
    phi = level_dispersion(release, selection, scope, level, pooled=pooled, restricted=restricted)
    p = benjamini_hochberg(widen(test.p, phi.phi))
    words = verdict_words(p, np.nan_to_num(test.z), strong=release.limits.strong_p, mild=release.limits.mild_p)
    rows = np.flatnonzero(judged)
    baseline = {
        "pooled": pooled,
        "phi": float(phi.phi[0]) if pooled and len(phi.phi) else None,
        "periods": int(phi.periods[rows].max()) if rows.size else 0,
        "estimated": bool(phi.estimated[rows].all()) if rows.size else False,
    }
    return _Judgement(p, test.z, phi.phi, words, baseline)


def _nothing(units) -> np.ndarray:
    return np.full(len(units), np.nan)


def _whole(values: np.ndarray, null: np.ndarray) -> pa.Array:
    return pa.array(values, pa.int64(), mask=np.asarray(null, dtype=bool))


def _column(values) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    if values.dtype.kind in "OU":
        return pa.array(values.astype(object, copy=False), pa.string())  # twice as fast as from fixed-width text
    return pa.array(values, from_pandas=True)
