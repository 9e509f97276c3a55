"""Class limits of the map: they stay while zooming, drilling and stepping through periods, so that colours compare."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from data.selection import Selection
from data.store.release import Release, day_number
from data.store.scope import Scope
from data.store.span_counts import count_spans

REFERENCE_DAYS = 364  # whole weeks, so that no weekday weighs more
_ORIGIN = date(2000, 1, 3)  # stands for any window of the same length
_SHARES = (0.4, 0.65, 0.85, 0.95)
_NICE = np.array([1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10])


@dataclass(frozen=True)
class ClassLimits:
    """Lower limits of the five classes above 0: whole counts, events per 1,000 people (empty: no population), and
    events per km2 (empty: no outlines)."""

    count: tuple[int, ...]
    rate: tuple[float, ...]
    density: tuple[float, ...]


def class_limits(release: Release, selection: Selection, scope: Scope, level: str) -> ClassLimits:
    """Limits for a level from the mean of the year before ``data_as_of``, for a window as long as the selected one.

    Categories, hours and weekdays count, the window's place in time and the selected area do not.
    """
    kept = replace(selection, start=_ORIGIN, end=_ORIGIN + timedelta(days=selection.days), compare="none", area=None)
    return release.remember(("class_limits", kept, scope, level), lambda: _compute(release, kept, scope, level))


def nice(value: float) -> float:
    """The nearest of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten."""
    if value <= 0:
        return 0.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(_NICE[np.argmin(np.abs(_NICE - value / power))] * power)


def count_limits(means: np.ndarray) -> tuple[int, ...]:
    """Five ascending whole limits, the first 1, near quantiles of the expected counts."""
    usual = means[means > 0]
    limits = [1]
    for share in _SHARES:
        wanted = round(nice(float(np.quantile(usual, share)))) if usual.size else 0
        if wanted <= limits[-1]:
            wanted = max(round(nice(limits[-1] * 1.3)), limits[-1] + 1)
        limits.append(wanted)
    return tuple(limits)


def rate_limits(rates: np.ndarray) -> tuple[float, ...]:
    """Five ascending limits, the first 0 (anything above none), near quantiles of the expected rates."""
    usual = rates[np.isfinite(rates) & (rates > 0)]
    if usual.size == 0:
        return ()
    limits = [0.0]
    for share in _SHARES:
        wanted = nice(float(np.quantile(usual, share)))
        if wanted <= limits[-1]:
            wanted = nice(limits[-1] * 1.4)
        limits.append(wanted)
    return tuple(round(limit, 9) for limit in limits)


def _compute(release: Release, selection: Selection, scope: Scope, level: str) -> ClassLimits:
    units = release.units.level(level)
    at = release.data_as_of
    means = np.zeros(len(units))
    if at is not None and len(units):
        end = day_number(at.date())
        found = count_spans(release, selection, scope, [(end - REFERENCE_DAYS, end)], level, len(units))
        means = found[0, :-1, 0] * selection.days / REFERENCE_DAYS
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.where(units.population > 0, means * 1000.0 / units.population, np.nan)
        densities = means / units.area_km2
    return ClassLimits(count_limits(means), rate_limits(rates), rate_limits(densities))
