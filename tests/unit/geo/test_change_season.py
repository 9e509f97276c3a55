"""Robust trend and season: statsmodels itself, planted parts, gaps, outliers and series too short."""

import numpy as np
import pytest
from statsmodels.tsa.seasonal import STL

from geo.change import seasonal_trend

WEEKDAYS = np.array([0, -2, -1, 0, 2, 12, -11])


def _series(rng, noise=1.0, n=140):
    step = np.arange(n)
    trend, season = 20 + 5 * np.sin(step / 40), WEEKDAYS[step % 7]
    return trend, season, trend + season + rng.normal(0, noise, n)


def test_without_gaps_it_is_statsmodels_robust_stl_with_one_season():
    *_, values = _series(np.random.default_rng(1))
    trend, season, rest = found = seasonal_trend(values, period=7)
    fit = STL(values, period=7, seasonal=9999, seasonal_deg=0, robust=True).fit()
    assert trend == pytest.approx(fit.trend, abs=0.01) and season == pytest.approx(fit.seasonal, abs=0.01)
    assert trend + season + rest == pytest.approx(values)
    assert found.weight == pytest.approx(fit.weights, abs=0.02)
    assert (found.period, found.missing, found.note) == (7, 0, "")


@pytest.mark.parametrize("gaps", ["anywhere", "saturdays"])
def test_gaps_stay_gaps_and_bend_nothing(gaps):
    rng = np.random.default_rng(2)
    trend, season, values = _series(rng)
    gap = rng.choice(140, 14, replace=False) if gaps == "anywhere" else 7 * rng.choice(20, 10, replace=False) + 5
    given = values.copy()
    given[gap] = np.nan
    found = seasonal_trend(given, period=7)
    for part in (found.trend, found.season, found.rest, found.weight):
        assert np.flatnonzero(np.isnan(part)).tolist() == sorted(gap)
    known = ~np.isnan(given)
    whole = seasonal_trend(values, period=7)
    for found_part, whole_part, true in ((found.trend, whole.trend, trend), (found.season, whole.season, season)):
        error = np.sqrt(np.mean((found_part - true)[known] ** 2))
        assert error < 1.5 * np.sqrt(np.mean((whole_part - true)[known] ** 2))
    assert (found.missing, found.note) == (len(gap), f"{len(gap)} 处缺报，只在拟合时补上，不显示")
    assert np.isnan(given[gap]).all()  # the caller's series is as it was


def test_one_extraordinary_day_bends_neither_trend_nor_season():
    trend, _, values = _series(np.random.default_rng(3))
    values[70] += 200
    found = seasonal_trend(values, period=7)
    plain = STL(values, period=7).fit()
    assert np.abs(found.trend - trend).max() < 2
    assert np.abs(plain.trend - trend).max() > 8
    assert found.rest[70] > 190 and found.weight[70] < 0.01


def test_a_shift_of_level_moves_the_trend_alone():
    *_, values = _series(np.random.default_rng(4))
    a, b = seasonal_trend(values, period=7), seasonal_trend(values + 1000, period=7)
    assert b.trend == pytest.approx(a.trend + 1000)
    assert b.season == pytest.approx(a.season, abs=1e-6)


def test_a_planted_season_of_few_years_is_found_closer_than_by_one_that_changes():
    step, rng = np.arange(312), np.random.default_rng(5)
    season = 30 * np.sin(2 * np.pi * step / 52)
    values = rng.poisson(200 + step / 4 + season)
    found, changing = seasonal_trend(values, period=52), STL(values, period=52, robust=True).fit()
    error = np.sqrt(np.mean((found.season - season) ** 2))
    assert error < 10
    assert error < 0.7 * np.sqrt(np.mean((changing.seasonal - season) ** 2))
    assert found.season[:260] == pytest.approx(found.season[52:], abs=2)  # the same every year


def test_all_zero_is_all_zero():
    found = seasonal_trend(np.zeros(30), period=7)
    assert np.abs([found.trend, found.season, found.rest]).max() < 1e-12


@pytest.mark.parametrize(
    ("series", "options", "fault"),
    [
        (np.ones(13), {"period": 7}, r"series has 13 steps, expected two periods or more \(14 steps\)"),
        (np.ones(103), {"period": 52}, "expected two periods or more"),
        ([], {"period": 7}, "series has 0 steps"),
        (np.r_[np.ones(16), [np.nan] * 4], {"period": 7}, "misses 4 of 20 steps, expected at most 10 %"),
        (np.r_[np.nan, np.ones(13)], {"period": 7, "most_missing_pct": 5}, "expected at most 5 %"),
        (np.where(np.arange(21) % 7 == 6, np.nan, 1), {"period": 7, "most_missing_pct": 20}, "no value at one of"),
        (np.r_[np.ones(20), np.inf], {"period": 7}, "infinite"),
        (np.ones((2, 20)), {"period": 7}, "shape"),
        (np.ones(20), {"period": 1}, "period is 1"),
        (np.ones(20), {"period": 6.5}, "period is 6.5"),
    ],
)
def test_what_cannot_be_decomposed_is_refused_with_the_reason(series, options, fault):
    with pytest.raises(ValueError, match=fault):
        seasonal_trend(series, **options)
