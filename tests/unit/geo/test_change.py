"""geo.change: tests of two counts, dispersion and adjustment, against scipy, statsmodels, published answers and noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.rates import test_poisson_2indep as statsmodels_rates

from geo.change import (
    CLEAR_FALL,
    CLEAR_RISE,
    FALL,
    NORMAL,
    NOT_COMPARABLE,
    RISE,
    benjamini_hochberg,
    dispersion,
    one_phi,
    poisson_e_test,
    poisson_z,
    score_z,
    verdict_words,
    widen,
)


@pytest.mark.parametrize(
    ("k1", "k2", "p"), [(0, 3, 0.0884), (6, 2, 0.1749), (25, 16, 0.1648), (7, 12, 0.266), (7, 21, 0.008)]
)
def test_published_e_test_answers(k1, k2, p):
    assert poisson_e_test(k1, 1, k2, 1).p == pytest.approx(p, abs=5e-4)


@settings(max_examples=150, deadline=None)
@given(
    k1=st.integers(0, 400),
    k2=st.integers(0, 400),
    n1=st.sampled_from([1, 7, 14, 28, 30, 31, 365]),
    n2=st.sampled_from([1, 7, 14, 28, 30, 31, 366]),
)
def test_e_test_equals_scipy(k1, k2, n1, n2):
    expected = 1.0 if k1 + k2 == 0 else stats.poisson_means_test(k1, n1, k2, n2).pvalue
    assert poisson_e_test(k1, n1, k2, n2).p == pytest.approx(expected, abs=1e-8)


def test_vectorised_equals_one_by_one_and_handles_nan():
    k1, k2 = np.array([[0.0, 3, 9], [np.nan, 12, 2500]]), np.array([[3.0, 3, 1], [2, 12, 2300]])
    result = poisson_e_test(k1, 7, k2, 14)
    assert result.p.shape == (2, 3)
    assert np.isnan(result.p[1, 0])
    for i, j in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2)]:
        assert result.p[i, j] == poisson_e_test(k1[i, j], 7, k2[i, j], 14).p
    assert result.exact.tolist() == [[True, True, True], [False, True, False]]


@pytest.mark.parametrize("difference", [0, 20, 60, 90])
def test_p_is_continuous_where_the_exact_sum_ends(difference):
    exact = poisson_e_test(1000 + difference, 7, 999 - difference, 7)
    normal = poisson_e_test(1000 + difference, 7, 1000 - difference, 7)
    assert exact.exact
    assert not normal.exact
    assert exact.p == pytest.approx(2 * stats.norm.sf(abs(exact.z)), abs=1e-3, rel=0.02)


def test_z_is_the_formula_of_the_design():
    k1, n1, k2, n2 = 20, 7, 35, 14
    assert score_z(k1, n1, k2, n2) == pytest.approx((k1 / n1 - k2 / n2) / np.sqrt((k1 + k2) / (n1 * n2)))
    assert score_z(0, 7, 0, 7) == 0.0


@pytest.mark.parametrize("bad", [(-1, 1, 1, 1), (1.5, 1, 1, 1), (1, 0, 1, 1), (1, 1, 1, -2)])
def test_impossible_input_is_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        poisson_e_test(*bad)


def test_poisson_z_known_answers():
    assert poisson_z(9, 4) == pytest.approx(2.0)
    assert poisson_z([25, 16], [16, 25]).tolist() == pytest.approx([2.0, -2.0])


def _random_pairs(seed, size):
    rng = np.random.default_rng(seed)
    pairs = zip(*rng.integers(0, 60, (2, size)).tolist(), *rng.choice([1, 7, 28, 31], (2, size)).tolist(), strict=True)
    return [pair for pair in pairs if pair[0] + pair[2]]


def test_pooled_e_test_equals_statsmodels_on_random_pairs():
    for k1, k2, n1, n2 in _random_pairs(3, 120):
        ours, other = (
            poisson_e_test(k1, n1, k2, n2, pooled=True),
            statsmodels_rates(k1, n1, k2, n2, method="etest-score"),
        )
        assert ours.p == pytest.approx(other.pvalue, abs=1e-8)
        assert ours.z == pytest.approx(other.statistic)
        if n1 == n2:  # the same but for ties, where statsmodels and scipy differ
            assert poisson_e_test(k1, n1, k2, n2).p == pytest.approx(other.pvalue, abs=1e-3)


def test_pooled_e_test_equals_every_pair_weighed_in_whole_numbers():
    for k1, k2, n1, n2 in _random_pairs(5, 150):
        rate = (k1 + k2) / (n1 + n2)
        x1, x2 = (np.arange(int(stats.poisson.isf(1e-14, n * rate)) + 2) for n in (n1, n2))
        x1 = x1[:, None]
        extreme = ((x1 * n2 - x2 * n1) ** 2 * (k1 + k2) >= (k1 * n2 - k2 * n1) ** 2 * (x1 + x2)) & (x1 + x2 > 0)
        expected = (stats.poisson.pmf(x1, n1 * rate) * stats.poisson.pmf(x2, n2 * rate) * extreme).sum()
        assert poisson_e_test(k1, n1, k2, n2, pooled=True).p == pytest.approx(expected, abs=1e-11)


def _chance_of_flag(mean1, days1, mean2, days2, limit=0.05, pooled=False):
    """The exact chance that a pair of Poisson counts is flagged: every pair weighed by its probability."""
    k1, k2 = (np.arange(int(stats.poisson.isf(1e-10, mean)) + 1) for mean in (mean1, mean2))
    weight = np.outer(stats.poisson.pmf(k1, mean1), stats.poisson.pmf(k2, mean2))
    return float((weight * (poisson_e_test(k1[:, None], days1, k2, days2, pooled=pooled).p < limit)).sum())


@pytest.mark.parametrize("mean", [0.05, 0.2, 1, 2, 5, 20])
def test_false_alarms_of_the_e_test_stay_at_their_nominal_share(mean):
    assert _chance_of_flag(mean, 7, mean, 7) <= 0.05
    assert _chance_of_flag(mean, 7, 4 * mean, 28) <= 0.056  # unequal lengths: 5.6 % at mean 2 is the most
    assert _chance_of_flag(mean, 7, mean, 7, limit=0.01) <= 0.011


@pytest.mark.parametrize(("mean", "times", "power"), [(2, 3, 0.27), (5, 3, 0.61), (20, 2, 0.74)])
def test_power_of_the_e_test_on_a_planted_rise(mean, times, power):
    assert _chance_of_flag(times * mean, 7, mean, 7) >= power


def test_short_windows_with_few_events_need_the_pooled_test_against_long_ones():
    """A doubled week against 28 days at 2 events a week: the published statistic is nearly blind to it."""
    assert _chance_of_flag(4, 7, 8, 28) < 0.02
    assert _chance_of_flag(4, 7, 8, 28, pooled=True) > 0.25
    assert _chance_of_flag(2, 7, 8, 28, pooled=True) <= 0.055


@pytest.mark.parametrize("mean", [0.2, 2, 20])
def test_maps_of_noise_stay_quiet_and_a_planted_rise_is_found(mean):
    rng, maps, grids = np.random.default_rng(17), 400, 100
    flagged = found = 0
    for now, before in rng.poisson(mean, (maps, 2, grids)):
        flagged += (benjamini_hochberg(poisson_e_test(now, 7, before, 7).p) < 0.05).any()
        now[:5] = rng.poisson(3 * mean, 5)
        found += (benjamini_hochberg(poisson_e_test(now, 7, before, 7).p)[:5] < 0.05).mean()
    assert flagged / maps <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / maps)
    assert found / maps >= {0.2: 0, 2: 0.005, 20: 0.93}[mean]


@pytest.mark.parametrize("mean", [0.2, 2, 20])
def test_widened_tests_stay_quiet_on_overdispersed_noise(mean):
    rng, maps, phi = np.random.default_rng(23), 300, 3.0
    rows = maps_flagged = raw = 0
    for weeks in rng.negative_binomial(mean / (phi - 1), 1 / phi, (maps, 100, 54)):
        p = poisson_e_test(weeks[:, 0], 7, weeks[:, 1], 7).p
        wide = widen(p, dispersion(weeks[:, 2:], np.full(52, 7.0), pooled=True).phi)
        rows += (wide < 0.05).mean() / maps
        maps_flagged += (benjamini_hochberg(wide) < 0.05).any()
        raw += (benjamini_hochberg(p) < 0.05).any()
    assert rows <= 0.05
    assert maps_flagged / maps <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / maps)
    assert raw / maps >= {0.2: 0.02, 2: 0.6, 20: 0.98}[mean]  # without phi


def test_known_mean_z_between_two_single_counts_flags_one_noise_pair_in_six():
    rng = np.random.default_rng(29)
    flagged = np.abs(poisson_z(*rng.poisson(200, (2, 200_000)))) > 1.96
    assert flagged.mean() == pytest.approx(0.165, abs=0.003)
    known = np.abs(poisson_z(rng.poisson(200, 200_000), 200)) > 1.96
    assert known.mean() == pytest.approx(0.05, abs=0.003)


def test_results_unpack_and_cannot_be_written_to():
    given = np.array([12.0, 7.0])
    p, z = result = poisson_e_test(given, 7, [7, 12], 7)
    assert (p is result.p) and (z is result.z)
    with pytest.raises(ValueError, match="read-only"):
        result.p[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        dispersion([[1.0] * 8], [7] * 8, pooled=True).phi[0] = 2
    given[0] = 3  # the caller's own array stays his


def _phi_by_loops(counts, exposure, rows):
    chi2 = df = 0.0
    for i in rows:
        known = [j for j in range(len(exposure)) if not np.isnan(counts[i][j])]
        total, days = sum(counts[i][j] for j in known), sum(exposure[j] for j in known)
        if len(known) < 8 or total == 0:
            continue
        for j in known:
            expected = total * exposure[j] / days
            chi2 += (counts[i][j] - expected) ** 2 / expected
        df += len(known) - 1
    return max(1.0, chi2 / df) if df else 1.0


def test_dispersion_equals_the_sum_written_out():
    rng = np.random.default_rng(11)
    exposure = rng.choice([28.0, 30.0, 31.0], 20)
    counts = rng.negative_binomial(2, 0.2, (12, 20)).astype(float)
    counts[rng.random(counts.shape) < 0.2] = np.nan
    counts[3, 6:] = np.nan  # six periods are too few
    counts[4] = np.where(np.isnan(counts[4]), np.nan, 0)
    each = dispersion(counts, exposure, pooled=False)
    for row in range(12):
        assert each.phi[row] == pytest.approx(_phi_by_loops(counts, exposure, [row]))
    assert each.phi[3] == 1.0
    assert not each.estimated[3]
    assert each.estimated[0]
    pooled = dispersion(counts, exposure, pooled=True)
    assert pooled.phi == pytest.approx(np.full(12, _phi_by_loops(counts, exposure, range(12))))


def test_pooled_dispersion_is_not_biased_by_rare_events():
    rng = np.random.default_rng(5)
    for mean in (0.05, 0.5, 5):
        phi = dispersion(rng.poisson(mean, (3000, 52)), np.full(52, 7.0), pooled=True).phi[0]
        assert phi < 1.02
    rate = rng.gamma(5, 1 / 5, (3000, 52))  # variance over mean of 1 + mean / 5
    assert dispersion(rng.poisson(4 * rate), np.full(52, 7.0), pooled=True).phi[0] == pytest.approx(1.8, rel=0.05)


def test_widen_is_its_formula_and_keeps_tiny_p():
    p, phi = np.array([0.5, 0.05, 1e-3]), np.array([1.0, 2.0, 3.0])
    assert widen(p, phi) == pytest.approx(2 * stats.norm.cdf(-stats.norm.ppf(1 - p / 2) / np.sqrt(phi)))
    assert widen(1e-60, 1.0) == pytest.approx(1e-60, rel=1e-6)
    assert widen(1.0, 4.0) == 1.0
    assert np.isnan(widen(np.nan, 2.0))


def test_benjamini_hochberg_equals_scipy_in_any_order():
    p = np.random.default_rng(31).random((20, 30)) ** 3
    expected = stats.false_discovery_control(p.ravel(), method="bh").reshape(p.shape)
    assert benjamini_hochberg(p) == pytest.approx(expected, abs=1e-15)
    assert benjamini_hochberg([]).shape == (0,)
    with pytest.raises(ValueError, match="between 0 and 1"):
        benjamini_hochberg([0.2, 1.2])


def test_benjamini_hochberg_by_hand_and_without_the_unknown():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.2])
    assert benjamini_hochberg(p) == pytest.approx([0.04, np.nan, 0.16 / 3, 0.16 / 3, 0.2], nan_ok=True)
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()


def test_verdict_words_and_their_borders():
    p = [0.009, 0.01, 0.049, 0.05, 0.009, 0.01, 0.05, np.nan, 0.001]
    z = [3, 3, 2, 2, -3, -2, -2, 5, 0]
    assert verdict_words(p, z).tolist() == [
        CLEAR_RISE, RISE, RISE, NORMAL, CLEAR_FALL, FALL, NORMAL, NOT_COMPARABLE, NORMAL,
    ]  # fmt: skip
    assert verdict_words([0.02], [1], strong=0.05, mild=0.1).tolist() == [CLEAR_RISE]


@pytest.mark.parametrize(
    ("counts", "exposure", "words"),
    [([[1, 2, 3]], [7, 7], "expected \\(3,\\)"), ([[1, -2]], [7, 7], "not below 0"), ([[1, 2]], [7, 0], "above 0")],
)
def test_dispersion_refuses_what_does_not_fit(counts, exposure, words):
    with pytest.raises(ValueError, match=words):
        dispersion(counts, exposure, pooled=True)


def test_one_phi_is_taken_in_every_form_and_several_are_refused():
    pooled = dispersion([[0, 12, 1, 9, 0, 14, 2, 2], [4, 6, 5, 5, 4, 6, 5, 5]], [7] * 8, pooled=True)
    assert one_phi(pooled) == one_phi(pooled.phi) == one_phi(float(pooled.phi[0])) == pooled.phi[0]
    each = dispersion([[0, 12, 1, 9, 0, 14, 2, 2], [4, 6, 5, 5, 4, 6, 5, 5]], [7] * 8, pooled=False)
    for bad, words in (
        (each, "2 different values"),
        ("much", "expected a number"),
        (0.5, "1 or more"),
        ([], "0 different"),
    ):
        with pytest.raises(ValueError, match=words):
            one_phi(bad)


def test_too_few_periods_are_said():
    assert "不足8个" in dispersion([[5, 9, 40, 1, 0, 30, 2]], [7] * 7, pooled=False).note
    assert dispersion([[5, 9, 40, 1, 0, 30, 2, 3]], [7] * 8, pooled=False).note == ""


def test_many_pairs_are_summed_in_blocks_with_the_same_answers():
    rng = np.random.default_rng(6)
    k1, k2 = rng.integers(700, 999, (2, 4000))
    whole = poisson_e_test(k1, 7, k2, 7).p
    assert (whole[::500] == [poisson_e_test(a, 7, b, 7).p for a, b in zip(k1[::500], k2[::500], strict=True)]).all()


def test_a_known_mean_and_its_count_are_not_negative():
    for now, mean in ((-1, 4), (4, -1)):
        with pytest.raises(ValueError, match="below 0"):
            poisson_z(now, mean)
