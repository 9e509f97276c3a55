"""CUSUMs: run lengths against simulation, closed forms and the normal tables; noise, and slow planted drifts."""

import numpy as np
import pytest
from scipy import stats

from geo.change import control_band, cusum_run_length, slow_drift


def _simulated_run_length(mean, k, h, sign, rng, runs=4000):
    """Mean and standard error of the run length, each run followed until it signals."""
    sums, lengths = np.zeros(runs), np.zeros(runs)
    alive = np.ones(runs, dtype=bool)
    while alive.any():
        sums[alive] = np.maximum(0, sums[alive] + sign * (rng.poisson(mean, alive.sum()) - k))
        lengths[alive] += 1
        alive &= ~(sums > h + 1e-9)
    return lengths.mean(), lengths.std() / np.sqrt(runs)


@pytest.mark.parametrize(("mean", "run_length_weeks"), [(0.2, 200), (2, 200), (20, 300)])
def test_designed_run_lengths_are_those_of_simulation(mean, run_length_weeks):
    rng = np.random.default_rng(3)
    found = slow_drift([1], mean=mean, run_length_weeks=run_length_weeks, change_pct=50)
    for sign, k, h, stated in (
        (1, found.reference_up, found.limit_up, found.run_length_up),
        (-1, found.reference_down, found.limit_down, found.run_length_down),
    ):
        length, error = _simulated_run_length(mean, k, h, sign, rng)
        assert stated == pytest.approx(length, abs=4 * error)
        assert stated >= run_length_weeks
        assert cusum_run_length(mean, k, h, down=sign < 0) == pytest.approx(stated)
        assert mean < k < 1.5 * mean if sign > 0 else 0.5 * mean < k < mean


def test_run_lengths_in_closed_form():
    """A limit of 0 makes every week a trial of its own."""
    assert cusum_run_length(4.0, 6.0, 0.0) == pytest.approx(1 / stats.poisson.sf(6, 4))
    assert cusum_run_length(4.0, 2.0, 0.0, down=True) == pytest.approx(1 / stats.poisson.cdf(1, 4))
    # One state above zero, solved by hand: from 0 a count of 1 leads to S = 0 (k = 1), 2 to S = 1, more to a signal.
    p = stats.poisson.pmf([0, 1, 2], 0.5)
    from_one = (1 + p[0] * 0) / (1 - p[1])  # L1 = 1 + p0 L0 + p1 L1
    slope = p[0] / (1 - p[1])
    from_zero = (1 + p[2] * from_one) / (1 - p[0] - p[1] - p[2] * slope)  # L0 = 1 + (p0 + p1) L0 + p2 L1
    assert cusum_run_length(0.5, 1.0, 1.0) == pytest.approx(from_zero)


def test_large_means_come_near_the_normal_tables():
    """k = 0.5 and h = 5 standard deviations: one-sided run length 930 (tables of the normal CUSUM: 465 two-sided)."""
    assert cusum_run_length(2500.0, 2525.0, 250.0) == pytest.approx(930, rel=0.1)
    assert cusum_run_length(2500.0, 2475.0, 250.0, down=True) == pytest.approx(930, rel=0.1)


def test_means_at_both_ends():
    large = slow_drift([100_000] * 3 + [60_000], mean=100_000, change_pct=50)
    assert large.run_length_up == np.inf and large.fall.tolist() == [False, False, False, True]
    small = slow_drift([0, 0, 1], mean=0.001, change_pct=20)
    assert small.run_length_up >= 1000 and small.run_length_down >= 1000


def test_sums_are_the_recursion_and_a_missing_week_leaves_them():
    series = np.array([5.0, 9, np.nan, 7, 2, 11, 12])
    found = slow_drift(series, mean=5.0, complete=[True, True, True, False, True, True, True])
    up = down = 0.0
    for t, count in enumerate(series):
        if t not in (2, 3):
            up, down = max(0, up + count - found.reference_up), max(0, down + found.reference_down - count)
        assert (found.up[t], found.down[t]) == (pytest.approx(up), pytest.approx(down))
    assert not found.rise[[2, 3]].any()


def test_a_drift_is_dated():
    series = [20] * 60 + [30] * 10
    found = slow_drift(series, mean=20)
    assert found.rise_since == 60 and found.fall_since is None
    assert 61 <= found.rise.argmax() <= 64
    low = slow_drift([20] * 60 + [10] * 10, baseline_weeks=52)
    assert low.fall_since == 60 and low.fall.any() and not low.rise.any()
    assert np.isnan(low.up[:52]).all() and low.baseline_weeks == 52


def test_too_little_to_say():
    short = slow_drift([5] * 40)
    assert short.note == "完整的只有 40 周，不足基期的 52 周"
    assert not short.rise.any() and np.isnan(short.mean)
    assert slow_drift([0] * 60 + [3]).note == "基期没有事件，无从比较"
    one = slow_drift([1] + [0] * 60)
    assert np.isnan(one.limit_down) and not one.fall.any() and one.note == "事件太少，看不出下降"
    assert slow_drift([]).note


@pytest.mark.parametrize(
    ("series", "options", "fault"),
    [
        ([-1], {}, "whole numbers"),
        ([0.5], {}, "whole numbers"),
        ([[1]], {}, "shape"),
        ([1], {"mean": -1.0}, "mean is -1"),
        ([1], {"mean": np.inf}, "mean is inf"),
        ([1], {"baseline_weeks": 4}, "baseline_weeks is 4"),
        ([1], {"change_pct": 95}, "change_pct is 95"),
        ([1], {"run_length_weeks": 1}, "run_length_weeks is 1"),
        ([1], {"dispersion": 0.5}, "dispersion is 0.5"),
        ([1, 2], {"complete": [True]}, "complete has shape"),
    ],
)
def test_impossible_input_is_refused(series, options, fault):
    with pytest.raises(ValueError, match=fault):
        slow_drift(series, **options)
    with pytest.raises(ValueError, match="expected above 0"):
        cusum_run_length(0.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="limit is 5000"):
        cusum_run_length(1.0, 2.0, 5000.0)


@pytest.mark.parametrize("mean", [0.2, 2, 20])
def test_a_steady_year_stays_quiet_with_an_estimated_mean(mean):
    rng, runs = np.random.default_rng(5), 400
    signals = [_any(slow_drift(series)) for series in rng.poisson(mean, (runs, 104))]
    assert np.mean(signals) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_an_unsteady_year_stays_quiet_with_its_dispersion():
    rng, runs = np.random.default_rng(6), 300
    noise = rng.negative_binomial(10, 1 / 3, (runs, 104))  # mean 20, phi 3
    assert np.mean([_any(slow_drift(series, dispersion=3.0)) for series in noise]) <= 0.075
    assert np.mean([_any(slow_drift(series)) for series in noise]) > 0.3


@pytest.mark.parametrize(("mean", "found_in_a_year"), [(20, 0.85), (60, 0.95)])
def test_a_slow_drift_of_20_percent_is_found_sooner_than_by_the_band(mean, found_in_a_year):
    rng, runs = np.random.default_rng(8), 60
    course = mean * np.concatenate([np.ones(52), 1 + 0.2 * np.minimum(np.arange(1, 53) / 26, 1)])
    by_sum, by_band = [], []
    for series in rng.poisson(course, (runs, 104)):
        band = control_band(series)
        by_sum.append(_first(slow_drift(series).rise))
        by_band.append(_first(band.outside & (band.z > 0)))
    assert np.mean(np.array(by_sum) < 52) >= found_in_a_year
    assert np.mean(np.array(by_band) < 52) < 0.3
    assert np.median(by_sum) + 15 < np.median(by_band)


def _any(found):
    return bool(found.rise.any() or found.fall.any())


def _first(signals):
    """Weeks into the watched year; 999 for never."""
    later = signals[52:]
    return int(later.argmax()) if later.any() else 999
