"""The control band behind a trend: within which limits each step would lie by chance, from the steps before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.selection import Selection
from data.store.answer import Answer
from data.store.filters import common_meta, date_of, day_text, day_window
from data.store.release import Release
from data.store.reports import cadence_periods
from data.store.scope import Scope
from data.store.trend import area_tally, trend
from geo.change import MIN_PERIODS, ControlBand, control_band

BASE, REACH, LIMIT = 8, 16, 3.0  # complete steps a band rests on, among how many before; half its width in deviations
HISTORY_DAYS = {"day": 26 * 7, "week": 52 * 7, "month": 3 * 365 + 1}  # looked back over for the dispersion
_WEEK = 7


def trend_band(release: Release, selection: Selection, scope: Scope, step: str = "day") -> Answer:
    """Control band of every step of a trend, from the complete steps before it.

    Parameters
    ----------
    step : str
        As in ``trend``. A day is measured against the same weekday of the weeks before, a week against the weeks, a
        month against the months before, each taken as a month of mean length.

    Returns
    -------
    Answer
        Rows ``start, lower, mean, upper, outside``, one a step, in events. The limits are null for a step cut by the
        window, for a weekday left out, and where fewer than 8 of the 16 steps before were complete. ``outside`` is
        ``above`` or ``below``, null for a step inside its limits or not judged (未完整, or more than
        ``limits.missing_pct`` of its unit-periods missing). ``meta.band`` has ``base, reach, limit, dispersion, periods,
        estimated, season``; ``meta.reason`` is ``too_few`` where no step has limits, else null.

    Raises
    ------
    OutsideScope, UnknownArea

    Notes
    -----
    :func:`geo.change.control_band` on the root scale. Its dispersion is the mean square of z over the complete steps of
    the 26 weeks (days), 52 weeks or 36 months before the window, at least 1, and 1 where fewer than 8 were judged: how far
    steps usually lie from the eight before them. The dispersion around one long mean, which serves two windows apart,
    would count slow waves that the band itself follows. Measured on Philadelphia, steps outside without and with it:
    weeks 38 % and 1.0 %, days 12 % and 2.1 % (holidays among them), months 76 % and 0 %.
    """
    asked = replace(selection, compare="none")
    rows, facts = release.remember(("trend_band", asked, scope, step), lambda: _compute(release, asked, scope, step))
    known = pc.any(pc.is_valid(rows["mean"])).as_py()
    meta = {**common_meta(release, selection, scope), "step": step, "band": facts}
    return Answer.of({**meta, "reason": None if known else "too_few"}, rows)


def _compute(release: Release, selection: Selection, scope: Scope, step: str) -> tuple[pa.Table, dict]:
    window = day_window((selection.start, selection.end))
    shown = cadence_periods(*window, step)
    steps = [*_earlier(release, shown[0][0], step), *shown]
    counts, complete = _series(release, replace(selection, start=date_of(steps[0][0])), scope, step, steps)
    days = np.array([end - start for start, end in steps], dtype=float)
    length = days / days.mean() if step == "month" else np.ones(len(steps))
    standard = np.rint(counts / length)
    earlier = len(steps) - len(shown)
    season = _WEEK if step == "day" else 1
    alike = [np.arange(phase, len(steps), season) for phase in range(min(season, len(steps)))]
    z = _z(standard, complete, alike)[:earlier]
    z = z[~np.isnan(z)]
    estimated = z.size >= MIN_PERIODS
    phi = max(1.0, float(np.mean(z**2))) if estimated else 1.0
    limits, sign = np.full((3, len(steps)), np.nan), np.zeros(len(steps))
    for like in alike:
        band = _band(standard[like], complete[like], phi)
        limits[:, like] = np.array(list(band)) * length[like]
        sign[like] = np.where(band.outside, np.sign(band.z), 0)
    cut = np.array([not (window[0] <= start and end <= window[1]) for start, end in shown])
    left_out = np.array([_left_out(selection, step, start) for start, _ in shown])
    lower, mean, upper = np.where(cut | left_out, np.nan, limits[:, earlier:])
    sign = np.where(cut, 0, sign[earlier:])
    words = np.select([sign > 0, sign < 0], ["above", "below"], "")
    rows = pa.table(
        {
            "start": pa.array([day_text(start) for start, _ in shown], pa.string()),
            "lower": pa.array(lower, from_pandas=True),
            "mean": pa.array(mean, from_pandas=True),
            "upper": pa.array(upper, from_pandas=True),
            "outside": pa.array(words.tolist(), pa.string(), mask=words == ""),
        }
    )
    facts = {
        "base": BASE,
        "reach": REACH,
        "limit": LIMIT,
        "dispersion": phi,
        "periods": int(z.size),
        "estimated": estimated,
        "season": "weekday" if season == _WEEK else None,
    }
    return rows, facts


def _earlier(release: Release, start: int, step: str) -> list[tuple[int, int]]:
    """The steps before ``start`` that the release has data for from their first day on."""
    first = release.reports.first_day
    if first is None or first >= start:
        return []
    steps = cadence_periods(max(first, start - HISTORY_DAYS[step]), start, step)
    return [piece for piece in steps if piece[0] >= first]


def _series(release, selection: Selection, scope: Scope, step: str, steps) -> tuple[np.ndarray, np.ndarray]:
    """Events of each step, NaN where missing, and which steps are whole, over, all in and reported well enough."""
    rows = trend(release, selection, scope, step).rows
    width = len(selection.counted_categories)
    table = rows["count"].cast(pa.float64()).to_numpy().reshape(-1, width)
    counts = np.where(np.isnan(table).all(axis=1), np.nan, np.nansum(table, axis=1))
    complete = rows["complete"].to_numpy(zero_copy_only=False)[::width]
    tally = area_tally(release, selection, scope, steps)
    complete = complete & ~tally.too_many(release.limits.missing_pct)[0]
    left_out = np.array([_left_out(selection, step, start) for start, _ in steps])
    return np.where(left_out, np.nan, counts), complete


def _left_out(selection: Selection, step: str, start: int) -> bool:
    """Whether a step is a day that the weekday filter leaves out: a gap, not a zero."""
    return step == "day" and bool(selection.weekdays) and date_of(start).isoweekday() not in selection.weekdays


def _band(counts: np.ndarray, complete: np.ndarray, phi: float) -> ControlBand:
    return control_band(counts, complete=complete, dispersion=phi, weeks=BASE, reach=REACH, limit=LIMIT)


def _z(counts: np.ndarray, complete: np.ndarray, alike: list[np.ndarray]) -> np.ndarray:
    """How far each step lies from those like it before, in deviations of pure chance; NaN where not judged."""
    z = np.full(len(counts), np.nan)
    for like in alike:
        z[like] = _band(counts[like], complete[like], 1.0).z
    return z
