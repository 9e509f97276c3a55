"""Shrunk rates against esda and its published value; funnel limits against scipy's exact test, level and power."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from esda.smoothing import Empirical_Bayes
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geo.autocorrelation.rates import empirical_bayes_rate, funnel_limits


@pytest.mark.real
def test_the_published_value_on_the_st_louis_homicides(real_data):
    table = pd.read_csv(real_data / "statref/libpysal/stl/stl_hom.csv")
    rate, eb, _mean, variance = found = empirical_bayes_rate(table["HC7984"], table["PO7984"])
    assert eb[0] == pytest.approx(2.36718950e-05, abs=5e-14)
    assert rate[0] == pytest.approx(4 / 189087) and variance > 0 and len(eb) == 78
    np.testing.assert_allclose(eb, Empirical_Bayes(table["HC7984"].to_numpy(), table["PO7984"].to_numpy()).r.ravel())
    np.testing.assert_array_equal(np.asarray(found), eb)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 60))
def test_shrunk_rates_equal_esda_where_the_spread_is_real(seed, n):
    rng = np.random.default_rng(seed)
    base = rng.integers(20, 5000, n).astype(float)
    events = rng.poisson(base * rng.gamma(2, 0.02, n)).astype(float)
    found = empirical_bayes_rate(events, base)
    if found.variance > 0:
        np.testing.assert_allclose(found.eb, Empirical_Bayes(events, base).r.ravel(), rtol=1e-9)
    else:
        np.testing.assert_allclose(found.eb, found.mean)
    known = ~np.isnan(found.rate)
    between = np.sort(np.column_stack([found.rate, np.full(n, found.mean)])[known], axis=1)
    assert (between[:, 0] <= found.eb[known] + 1e-12).all() and (found.eb[known] <= between[:, 1] + 1e-12).all()
    order = rng.permutation(n)
    np.testing.assert_allclose(empirical_bayes_rate(events[order], base[order]).eb, found.eb[order], rtol=1e-9)


def test_less_spread_than_chance_gives_the_mean_everywhere():
    found = empirical_bayes_rate([9, 10, 11, 10, 10], [1000] * 5)
    assert found.variance == 0 and found.weight.tolist() == [0] * 5
    np.testing.assert_allclose(found.eb, 0.01)
    assert Empirical_Bayes(np.array([9, 10, 11, 10, 10.0]), np.full(5, 1000.0)).r.min() < 0  # what clipping is for


def test_shrinkage_brings_rates_nearer_to_the_truth():
    rng = np.random.default_rng(1)
    truth, base = rng.gamma(4, 0.005, 2000), rng.integers(20, 2000, 2000)
    found = empirical_bayes_rate(rng.poisson(truth * base), base)
    error = [np.mean((v - truth) ** 2) for v in (found.rate, found.eb)]
    assert error[1] < 0.55 * error[0]  # measured 0.51
    assert found.variance == pytest.approx(4 * 0.005**2, rel=0.15)


def test_areas_without_a_base_have_no_rate_and_are_counted():
    found = empirical_bayes_rate([5, 3, 9, 2, np.nan], [10, 0, np.nan, 20, 30])
    assert np.isnan(found.rate).tolist() == np.isnan(found.eb).tolist() == [False, True, True, False, True]
    assert found.mean == pytest.approx(7 / 30) and found.left_out == 3
    assert found.note == "3个区域没有基数或件数，无率，其12起不计入均值"
    alone = empirical_bayes_rate([5, 2], [10, 20])
    np.testing.assert_allclose(found.eb[[0, 3]], alone.eb)
    more = empirical_bayes_rate([50, 2], [10, 20])  # events are not persons
    assert more.rate.tolist() == [5, 0.1]


def test_rates_of_little():
    for events, base in (([], []), ([1, 2], [0, 0])):
        found = empirical_bayes_rate(events, base)
        assert np.isnan(found.mean) and np.isnan(found.eb).all() and "没有事件" in found.note
        assert funnel_limits(events, base).label.tolist() == [""] * len(events)
    silent = empirical_bayes_rate([0, 0], [5, 6])
    assert silent.eb.tolist() == [0, 0] and silent.note == "没有事件，不作判定"
    still = funnel_limits([0, 0], [5, 6])
    assert still.p.tolist() == [1, 1] and still.mean == 0 and "没有事件" in still.note
    single = funnel_limits([4], [7])
    assert single.p.tolist() == [1] and "只有1个区域" in single.note and single.label.tolist() == [""]
    same = funnel_limits([0, 0, 40], [1, 1, 1])
    assert same.label.tolist() == ["low", "low", "high"]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), level=st.floats(0.02, 50))
def test_the_funnel_is_the_exact_poisson_test(seed, level):
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.2, 3, 30)
    events = rng.poisson(level * base * rng.gamma(4, 0.25, 30)).astype(float)
    if not events.any():
        return
    found = funnel_limits(events, base)
    mean = events.sum() / base.sum() * base
    low, high = stats.poisson.cdf(events, mean), stats.poisson.sf(events - 1, mean)
    np.testing.assert_allclose(found.p, np.minimum(1, 2 * np.minimum(low, high)), rtol=1e-9)
    np.testing.assert_allclose(found.q, stats.false_discovery_control(found.p))
    assert ((found.label != "") == (found.q <= 0.05)).all()
    assert (found.rate[found.label == "high"] > found.mean).all() and (
        found.rate[found.label == "low"] < found.mean
    ).all()
    for level_, lower, upper in ((0.05, found.low_95, found.high_95), (0.002, found.low_998, found.high_998)):
        outside = (found.rate >= upper * (1 - 1e-9)) | (found.rate <= np.nan_to_num(lower, nan=-1) * (1 + 1e-9))
        np.testing.assert_array_equal(outside, found.p <= level_ * (1 + 1e-6))
        counts = upper * base
        np.testing.assert_allclose(stats.gamma.cdf(mean, counts)[mean > 0.03], level_ / 2, rtol=1e-6)
    order = rng.permutation(30)
    np.testing.assert_allclose(funnel_limits(events[order], base[order]).p, found.p[order])
    np.testing.assert_allclose(funnel_limits(events, base * 1000).p, found.p)


def test_the_limits_open_where_the_base_is_small():
    base = np.array([10, 100, 1000, 10_000, 100_000])
    found = funnel_limits(base // 10, base)
    assert (np.diff(found.high_95) < 0).all() and (np.diff(found.low_95[1:]) > 0).all() and np.isnan(found.low_95[0])
    assert (found.high_998 > found.high_95).all() and (found.low_998[2:] < found.low_95[2:]).all()
    normal = stats.norm.ppf(0.975) * np.sqrt(0.1 / 100_000)
    assert found.high_95[-1] - 0.1 == pytest.approx(normal, rel=0.02)


def at_most_five_in_a_hundred(share, n):
    assert share <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / n), share


@pytest.mark.parametrize("mean", [0.2, 2, 20])
def test_noise_is_not_flagged(mean):
    rng = np.random.default_rng(2)
    maps = [funnel_limits(rng.poisson(mean * base), base) for base in rng.uniform(0.5, 1.5, (400, 100))]
    at_most_five_in_a_hundred(np.mean([m.p <= 0.05 for m in maps]), 40_000)
    at_most_five_in_a_hundred(np.mean([(m.label != "").any() for m in maps]), 400)


def test_overdispersed_noise_needs_its_dispersion():
    rng = np.random.default_rng(3)
    counts = rng.negative_binomial(10 / 2, 1 / 3, (400, 100))  # variance 3 times the mean
    wide = [funnel_limits(k, np.ones(100), dispersion=3.0) for k in counts]
    at_most_five_in_a_hundred(np.mean([m.p <= 0.05 for m in wide]), 40_000)
    assert np.mean([(m.label != "").any() for m in wide]) < 0.15  # the tail of this noise is heavier than assumed
    assert np.mean([(funnel_limits(k, np.ones(100)).label != "").any() for k in counts]) > 0.9
    assert wide[0].high_95[0] > funnel_limits(counts[0], np.ones(100)).high_95[0]


@pytest.mark.parametrize(("mean", "factor", "power"), [(20, 2.0, 0.6), (20, 3.0, 0.99), (2, 5.0, 0.58)])
def test_a_planted_area_is_found(mean, factor, power):
    rng = np.random.default_rng(4)
    means = np.full(100, float(mean))
    means[17] *= factor
    maps = [funnel_limits(rng.poisson(means), np.ones(100)).label for _ in range(400)]
    assert np.mean([label[17] == "high" for label in maps]) >= power
    others = np.mean([np.delete(label, 17) != "" for label in maps])
    assert others < 0.005


@pytest.mark.parametrize(("change", "message"), [
    ({"events": [1, -2]}, "events has 1 of 2 values negative or infinite"),
    ({"base": [1, np.inf]}, "base has 1 of 2 values negative or infinite"),
    ({"base": [1]}, r"events has shape \(2,\) and base \(1,\)"),
    ({"events": [0.5, 2]}, "1 values that are not whole numbers"),
    ({"alpha": 0}, "alpha is 0"),
    ({"dispersion": 0.9}, "dispersion is 0.9"),
])  # fmt: skip
def test_refusals(change, message):
    with pytest.raises(ValueError, match=message):
        funnel_limits(**({"events": [1, 2], "base": [3, 4]} | change))
    if set(change) <= {"events", "base"} and "whole" not in message:
        with pytest.raises(ValueError, match=message):
            empirical_bayes_rate(**({"events": [1, 2], "base": [3, 4]} | change))
