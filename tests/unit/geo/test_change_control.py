"""Control bands against loops, hand-made series, noise and planted rises."""

import numpy as np
import pytest

from geo.change import control_band

LIMIT = 3 * np.sqrt(1 + 1 / 8)


def _by_loops(series, complete, phi, weeks=8, reach=16):
    """z and outside of every week, written out."""
    rows = []
    for t, count in enumerate(series):
        base = [series[i] for i in range(t - 1, -1, -1) if t - i <= reach and complete[i] and not np.isnan(series[i])]
        if len(base) < weeks or np.isnan(count) or not complete[t]:
            rows.append((np.nan, False))
            continue
        centre = sum(2 * k**0.5 for k in base[:weeks]) / weeks
        sd = ((1 + 1 / weeks) * phi) ** 0.5
        low = max(centre - 3 * sd, 0)
        z = (2 * count**0.5 - centre) / sd
        rows.append((z, z > 3 or count < low**2 / 4 >= 1))
    return np.array([z for z, _ in rows]), np.array([out for _, out in rows])


@pytest.mark.parametrize("phi", [1.0, 2.5])
def test_equals_loops_with_gaps_and_cut_weeks(phi):
    rng = np.random.default_rng(1)
    series = rng.negative_binomial(4, 0.25, 80).astype(float)
    series[rng.random(80) < 0.15] = np.nan
    series[40:52] = np.nan  # leaves weeks with fewer than eight within reach
    complete = rng.random(80) > 0.1
    band = control_band(series, complete=complete, dispersion=phi)
    z, outside = _by_loops(series, complete, phi)
    assert band.z == pytest.approx(z, nan_ok=True)
    assert band.outside.tolist() == outside.tolist()
    assert np.isnan(band.upper[52:60]).all()
    assert np.isfinite(band.upper[79])
    assert band.note == ("" if complete[79] and not np.isnan(series[79]) else band.note)


def test_a_hand_made_week():
    lower, centre, upper = band = control_band([16] * 8 + [25])
    assert centre[8] == 16
    assert (lower[8], upper[8]) == (pytest.approx((8 - LIMIT) ** 2 / 4), pytest.approx((8 + LIMIT) ** 2 / 4))
    assert band.z[8] == pytest.approx(2 / np.sqrt(1 + 1 / 8))
    assert np.isnan([lower[:8], centre[:8], upper[:8], band.z[:8]]).all()
    assert not band.outside.any()
    assert control_band([16] * 8 + [32]).outside[8]
    assert control_band([16] * 8 + [4]).outside[8]
    assert not control_band([16] * 8 + [32], dispersion=2.0).outside[8]


def test_the_week_itself_is_not_in_its_base():
    assert control_band([4] * 8 + [400]).upper[8] == control_band([4] * 8 + [4]).upper[8]


def test_a_missing_week_is_not_a_zero():
    series = np.array([9.0] * 12)
    series[[3, 6]] = np.nan
    band = control_band(series)
    assert band.centre[10:].tolist() == [9.0, 9.0]
    assert np.isnan(band.centre[9])  # seven weeks alone
    assert np.isnan(control_band(np.append(series, np.nan)).z[12])
    assert control_band(np.append(series, np.nan)).note == "最近一周未报，不作判断"


def test_a_week_that_is_not_over_gets_a_band_but_no_verdict():
    series, complete = [20] * 9 + [3], [True] * 9 + [False]
    assert control_band(series).outside[9]
    band = control_band(series, complete=complete)
    assert not band.outside[9] and np.isnan(band.z[9]) and np.isfinite(band.lower[9])
    assert band.note == "最近一周不完整，不作判断"
    after = control_band([*series, 20], complete=[*complete, True])
    assert after.centre[10] == pytest.approx(20)  # nor is it part of a later base


def test_too_little_to_say_and_nothing_at_all():
    assert control_band([5] * 8).note == "此前 16 周内完整的不足 8 周，没有控制带"
    assert control_band([]).note
    quiet = control_band([0] * 20)
    assert not quiet.outside.any() and quiet.upper[19] == pytest.approx((LIMIT / 2) ** 2)


@pytest.mark.parametrize(
    ("series", "options", "fault"),
    [
        ([-1.0], {}, "whole numbers"),
        ([1.5], {}, "whole numbers"),
        ([np.inf], {}, "whole numbers"),
        ([[1, 2]], {}, r"shape \(1, 2\)"),
        ([1, 2], {"complete": [True]}, "complete has shape"),
        ([1, 2], {"dispersion": 0.9}, "dispersion is 0.9"),
        ([1, 2], {"reach": 7}, "reach is 7"),
    ],
)
def test_impossible_input_is_refused(series, options, fault):
    with pytest.raises(ValueError, match=fault):
        control_band(series, **options)


def _outside(counts, phi=1.0):
    """Share of the ninth weeks that lie above and below their band, over many series at once."""
    y = 2 * np.sqrt(counts)
    band = [control_band(row, dispersion=phi) for row in counts[:3000]]
    judged = np.array([b.outside[8] for b in band])
    high = np.array([b.z[8] > 0 for b in band])
    z = (y[:, 8] - y[:, :8].mean(axis=1)) / np.sqrt((1 + 1 / 8) * phi)
    assert [b.z[8] for b in band] == pytest.approx(z[:3000].tolist())
    return (judged & high).mean(), (judged & ~high).mean()


@pytest.mark.parametrize("mean", [0.2, 2, 3, 20])
def test_false_alarms_on_noise(mean):
    above, below = _outside(np.random.default_rng(7).poisson(mean, (3000, 9)))
    assert above <= 0.004  # nominal 0.00135 and two standard errors, 0.0023 at the worst mean (1)
    assert below <= 0.004


def test_false_alarms_on_overdispersed_noise():
    counts = np.random.default_rng(9).negative_binomial(10, 1 / 3, (3000, 9))  # mean 20, phi 3
    assert sum(_outside(counts)) > 0.05
    assert sum(_outside(counts, phi=3.0)) <= 0.01


@pytest.mark.parametrize(("mean", "times", "power"), [(2, 3, 0.17), (5, 3, 0.5), (20, 2, 0.65), (20, 3, 0.99)])
def test_power_on_a_planted_rise(mean, times, power):
    counts = np.random.default_rng(11).poisson(mean, (3000, 9))
    counts[:, 8] = np.random.default_rng(12).poisson(mean * times, 3000)
    assert _outside(counts)[0] >= power


def test_the_mean_of_roots_is_the_centre_that_noise_has_on_both_sides():
    """Against the root of the mean, which lies above the roots (Jensen): too few rises flagged, too many falls."""
    rng = np.random.default_rng(13)
    for mean in (0.2, 2, 20):
        past, now = rng.poisson(mean, (200_000, 8)), 2 * np.sqrt(rng.poisson(mean, 200_000))
        roots = now - 2 * np.sqrt(past).mean(axis=1)
        root = now - 2 * np.sqrt(past.mean(axis=1))
        assert abs(roots.mean()) < 0.015
        assert root.mean() < {0.2: -0.35, 2: -0.2, 20: -0.03}[mean]
        assert (root > LIMIT).mean() < (roots > LIMIT).mean() < 0.0025
        assert (root < -LIMIT).mean() >= (roots < -LIMIT).mean()
