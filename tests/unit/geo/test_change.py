"""geo.change against scipy, published answers, brute force and simulated noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geo.change import (
    CLEAR_FALL,
    CLEAR_RISE,
    FALL,
    NORMAL,
    NOT_COMPARABLE,
    RISE,
    benjamini_hochberg,
    dispersion,
    poisson_e_test,
    poisson_z,
    score_z,
    verdict,
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


def test_e_test_keeps_its_level_on_noise():
    rng = np.random.default_rng(7)
    for mean in (0.5, 3, 40):
        p = poisson_e_test(rng.poisson(mean * 7, 4000), 7, rng.poisson(mean * 14, 4000), 14).p
        assert np.mean(p < 0.05) < 0.065


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


def test_benjamini_hochberg_by_hand_and_without_the_unknown():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.2])
    assert benjamini_hochberg(p) == pytest.approx([0.04, np.nan, 0.16 / 3, 0.16 / 3, 0.2], nan_ok=True)
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()


def test_verdict_words_and_their_borders():
    p = [0.009, 0.01, 0.049, 0.05, 0.009, 0.01, 0.05, np.nan, 0.001]
    z = [3, 3, 2, 2, -3, -2, -2, 5, 0]
    assert verdict(p, z).tolist() == [
        CLEAR_RISE, RISE, RISE, NORMAL, CLEAR_FALL, FALL, NORMAL, NOT_COMPARABLE, NORMAL,
    ]  # fmt: skip
    assert verdict([0.02], [1], strong=0.05, mild=0.1).tolist() == [CLEAR_RISE]
