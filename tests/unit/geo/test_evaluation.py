"""Hotspots and actions judged: published figures, brute force over ties, level on noise, planted effects."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from geo.autocorrelation import as_neighbours
from geo.evaluation import (
    choose_controls,
    hit_rate,
    hotspot_report,
    prediction_accuracy_index,
    prediction_efficiency_index,
    weighted_displacement_difference,
)

# ---- accuracy of a ranking


def test_the_published_example_of_ptools():
    pai, hit_pct, size_pct = prediction_accuracy_index([6, 3, 0], [3, 2, 1])
    np.testing.assert_allclose(pai, [2, 1.5, 1])
    np.testing.assert_allclose(hit_pct, [200 / 3, 100, 100])
    np.testing.assert_allclose(size_pct, [100 / 3, 200 / 3, 100])
    np.testing.assert_allclose(prediction_efficiency_index([6, 3, 0], [3, 2, 1]), [1, 1, 1])
    np.testing.assert_allclose(prediction_accuracy_index([6, 3, 0], [3, 2, 1], size=[5, 5, 5]), [2, 1.5, 1])


def test_area_and_street_length_in_the_denominator():
    pai, hit_pct, size_pct = prediction_accuracy_index([6, 3, 0], [3, 2, 1], size=[1, 1, 8])
    np.testing.assert_allclose(size_pct, [10, 20, 100])
    np.testing.assert_allclose(pai, [200 / 3 / 10, 5, 1])
    np.testing.assert_allclose(hit_pct, [200 / 3, 100, 100])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_ties_give_the_mean_over_all_their_orders(data):
    n = data.draw(st.integers(1, 6))
    events = np.array(data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)), float)
    predicted = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), float)
    if not events.any():
        return
    runs = []
    for order in permutations(range(n)):
        ranked = np.array(order)
        if (np.diff(predicted[ranked]) <= 0).all():
            runs.append(np.cumsum(events[ranked]))
    expected = 100 * np.mean(runs, axis=0) / events.sum()
    found = prediction_accuracy_index(events, predicted)
    np.testing.assert_allclose(found.hit_pct, expected, atol=1e-9)
    np.testing.assert_allclose(found.pai, expected / (100 * np.arange(1, n + 1) / n), atol=1e-9)
    at = prediction_accuracy_index(events, predicted, share_pct=100 * np.arange(1, n + 1) / n)
    np.testing.assert_allclose(at.hit_pct, expected, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_rankings_do_not_depend_on_rows_scale_or_transform(seed):
    rng = np.random.default_rng(seed)
    events, predicted, size = rng.integers(0, 5, 30), rng.integers(0, 6, 30), rng.uniform(0.5, 3, 30)
    events[0] = 1
    found = prediction_accuracy_index(events, predicted, size=size)
    order = rng.permutation(30)
    at = prediction_accuracy_index(events, predicted, size=size, share_pct=[1, 5, 20, 63.7])
    for other in (
        prediction_accuracy_index(events[order], predicted[order], size=size[order], share_pct=[1, 5, 20, 63.7]),
        prediction_accuracy_index(events * 3, np.exp(predicted), size=size * 1000, share_pct=[1, 5, 20, 63.7]),
    ):
        np.testing.assert_allclose(other.pai, at.pai, atol=1e-9)
    np.testing.assert_allclose([found.size_pct[-1], found.hit_pct[-1], found.pai[-1]], [100, 100, 1])
    best = prediction_efficiency_index(events, events / size, size=size)
    np.testing.assert_allclose(best.pei, 1)
    ours = prediction_efficiency_index(events, predicted, size=size)
    assert ((ours.pei >= 0) & (ours.pei <= 1)).all() and (ours.best_pai >= ours.pai - 1e-9).all()


def test_a_fixed_share_cuts_through_a_place():
    found = prediction_accuracy_index([8, 2], [2, 1], share_pct=[25, 50, 75])
    np.testing.assert_allclose(found.hit_pct, [40, 80, 90])
    np.testing.assert_allclose(found.pai, [1.6, 1.6, 1.2])
    assert prediction_accuracy_index([8, 2], [1, 1], share_pct=25).pai == pytest.approx(1)  # a tie is a random choice


def test_random_scores_give_an_index_of_one():
    rng = np.random.default_rng(1)
    events = rng.poisson(2, 400)
    mean = np.mean([prediction_accuracy_index(events, rng.random(400), share_pct=5).pai for _ in range(2000)])
    assert mean == pytest.approx(1, abs=0.02)


def test_accuracy_of_nothing_is_said():
    found = prediction_accuracy_index([0, 0], [1, 2])
    assert np.isnan(found.pai).all() and found.note == "没有事件，无法评价"
    assert np.isnan(prediction_efficiency_index([0, 0], [1, 2]).pei).all()
    assert prediction_accuracy_index([], []).pai.size == 0


@pytest.mark.parametrize(("change", "message"), [
    ({"events": [1, -1]}, "events has 1 of 2 values missing or negative"),
    ({"predicted": [1, np.nan]}, "predicted has 1 of 2 values missing"),
    ({"predicted": [1]}, r"predicted has shape \(1,\), expected \(2,\)"),
    ({"size": [1, 0]}, "size has 1 of 2 values missing or not above 0"),
    ({"share_pct": 0}, "share_pct is 0"),
    ({"share_pct": [5, 101]}, "share_pct is"),
    ({"events": [[1, 2]]}, "events has shape"),
])  # fmt: skip
def test_accuracy_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        prediction_efficiency_index(**({"events": [1, 2], "predicted": [1, 2]} | change))


# ---- last period's hotspots


def test_a_report_by_hand():
    """Ten cells of 1 km2; the flagged two caught 6 of 12 events, last period's top two 8."""
    before = [9, 7, 5, 0, 0, 0, 0, 0, 0, 0]
    now = [6, 2, 0, 4, 0, 0, 0, 0, 0, 0]
    flagged = [True, False, True] + [False] * 7
    hit_pct, pai, pei, count, held = report = hotspot_report(flagged, before, now, np.ones(10))
    assert (hit_pct, pai, count, held) == (50, 2.5, 2, 1)
    assert pei == pytest.approx(6 / 10)
    assert report.naive_hit_pct == pytest.approx(100 * 8 / 12) and report.naive_held == 2
    assert report.naive_pai == pytest.approx(10 / 3) and report.naive_pei == pytest.approx(0.8)
    assert not report.beats_naive and "未优于" in report.note and "随机" not in report.note
    good = hotspot_report([True, False, False, True] + [False] * 6, before, now)
    assert hotspot_report([True, True, False], [1, 1, 1], [1, 4, 4]).held == 1  # one event where three are usual
    assert hotspot_report([True, True, False], [1, 1, 1], [4, 4, 4], [3, 1, 2]).held == 1  # per area
    assert good.hit_pct == pytest.approx(100 * 10 / 12) and good.beats_naive and good.note == ""


def test_the_naive_choice_has_the_same_area_and_shares_its_ties():
    before, now = [4, 2, 2, 0], [1, 3, 0, 0]
    flagged = [True, True, False, False]
    report = hotspot_report(flagged, before, now, [1, 1, 1, 1])
    assert report.naive_hit_pct == pytest.approx(100 * (1 + 1.5) / 4)  # half of the two tied cells
    order = [2, 3, 0, 1]
    swapped = hotspot_report(*(np.array(v)[order] for v in (flagged, before, now)))
    assert swapped.naive_hit_pct == report.naive_hit_pct and swapped.hit_pct == report.hit_pct
    large = hotspot_report([True, False, False], [4, 3, 3], [4, 3, 3], [4, 1, 1])  # density, not count, is naive
    assert large.naive_hit_pct == pytest.approx(100 * (6 + 4 * 2 / 4) / 10)


def test_hotspots_worse_than_a_random_choice_say_so():
    report = hotspot_report([True, False, False, False], [5, 1, 0, 0], [0, 3, 3, 3])
    assert (report.hit_pct, report.pai, report.held) == (0, 0, 0)
    assert report.note == "热点未优于按上期件数取同样面积：命中0.0%，后者0.0%；也未优于随机（25.0%）"


def test_flags_without_events_or_events_without_flags():
    assert "没有热点" in hotspot_report([False, False], [1, 2], [3, 4]).note
    silent = hotspot_report([True, False], [1, 2], [0, 0])
    assert "没有事件" in silent.note and np.isnan([silent.hit_pct, silent.pai, silent.pei]).all() and silent.held == 0
    assert np.isnan(hit_rate([True], [0])) and hit_rate([False, True], [1, 3]) == 75
    assert hotspot_report([], [], []).flagged == 0
    with pytest.raises(ValueError, match=r"flagged has shape .* expected .* of bool"):
        hotspot_report([1, 0], [1, 2], [3, 4])
    with pytest.raises(ValueError, match="before_counts has shape"):
        hotspot_report([True, False], [1], [3, 4])


def test_on_even_chance_no_flags_beat_the_naive_list_by_much():
    """Where every cell is alike, neither choice catches more than its area in the long run."""
    rng = np.random.default_rng(2)
    rates = []
    for _ in range(400):
        before, now = rng.poisson(2, (2, 400))
        flagged = before >= np.sort(before)[-20]
        report = hotspot_report(flagged, before, now)
        rates.append((report.pai, report.naive_pai))
    np.testing.assert_allclose(np.mean(rates, axis=0), 1, atol=0.04)


# ---- action against controls


def test_the_published_example_of_ptools_for_an_action():
    found = weighted_displacement_difference((308, 318), (207, 110), (150, 140), (178, 157))
    estimate, se, z = found
    assert (estimate, round(z, 2)) == (-118, -2.98)
    assert se == pytest.approx(np.sqrt(1568))
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert (found.low, found.high) == pytest.approx(stats.norm.interval(0.95, estimate, se))
    assert found.ratio == 1 and found.note == ""


def test_windows_and_weights_by_hand():
    """52 weeks before, 12 after, three controls: r = 3/13, w = 1/3."""
    found = weighted_displacement_difference(
        (390, 90), (130, 12), (260, 66), (104, 27), exposure=(364, 84), control_weight=1 / 3
    )
    r, w = 84 / 364, 1 / 3
    assert found.estimate == pytest.approx((12 - 30) + (27 - 24) - ((90 - 90) + (66 - 60)) / 3)
    variance = 12 + r**2 * 130 + 27 + r**2 * 104 + w**2 * (90 + r**2 * 390 + 66 + r**2 * 260)
    assert found.se == pytest.approx(np.sqrt(variance))
    assert found.z == pytest.approx(found.estimate / found.se)
    assert found.ratio == pytest.approx(r) and found.expected == pytest.approx(54)
    wide = weighted_displacement_difference(
        (390, 90), (130, 12), (260, 66), (104, 27), exposure=(364, 84), control_weight=1 / 3, dispersion=4
    )
    assert wide.estimate == found.estimate and wide.se == pytest.approx(2 * found.se) and wide.p > found.p


def test_without_a_control_nothing_is_concluded():
    found = weighted_displacement_difference(None, (40, 10), None, (20, 30))
    assert found.estimate == -20 and found.note == "无对照，不作结论"
    assert np.isnan([found.z, found.p, found.low, found.high]).all()
    nothing = weighted_displacement_difference((0, 0), (0, 0), (0, 0), (0, 0))
    assert np.isnan(nothing.z) and nothing.p == 1 and nothing.note == "没有事件，不作结论"
    few = weighted_displacement_difference((9, 8), (4, 1), None, None)
    assert "件数过少" in few.note and few.p == pytest.approx(2 * stats.norm.sf(abs(few.z)))  # r = 1: the two agree


def noise(rng, mean, weeks, ring, runs, controls=5, change=(1.0, 1.0), spread=None):
    """(runs, 8) counts: before and after of controls, treated, rings of controls, ring of treated."""
    before, after = weeks
    areas = np.array([controls, controls, 1, 1, controls * ring, controls * ring, ring, ring], float)
    change = np.array([1, 1, 1, change[0], 1, 1, 1, change[1]])
    means = mean * areas * np.array([before, after] * 4) * change
    if spread is None:
        return rng.poisson(means, (runs, 8))
    return rng.negative_binomial(means / (spread - 1), 1 / spread, (runs, 8))


def judged(counts, weeks, controls=5, **asked):
    return [
        weighted_displacement_difference(
            row[:2], row[2:4], row[4:6], row[6:], exposure=weeks, control_weight=1 / controls, **asked
        )
        for row in counts
    ]


def at_most_five_in_a_hundred(flags):
    assert np.mean(flags) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / len(flags)), np.mean(flags)


@pytest.mark.parametrize("weeks", [(52, 12), (26, 8), (8, 4)])
@pytest.mark.parametrize("mean", [2, 20])
def test_z_keeps_its_level_on_noise(weeks, mean):
    found = judged(noise(np.random.default_rng(3), mean, weeks, 8, 2000), weeks)
    at_most_five_in_a_hundred([abs(f.z) > 1.96 for f in found])
    at_most_five_in_a_hundred([f.p < 0.05 for f in found])
    assert np.mean([f.z for f in found]) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("weeks", [(52, 12), (52, 4), (26, 8)])
@pytest.mark.parametrize("ring", [1, 8])
def test_p_keeps_its_level_where_z_cannot(weeks, ring):
    """0.2 events a week: z flags up to 15 %, nearly all as falls; p does not."""
    found = judged(noise(np.random.default_rng(4), 0.2, weeks, ring, 2000), weeks)
    at_most_five_in_a_hundred([f.p < 0.05 for f in found])
    if (weeks, ring) == ((52, 4), 1):
        assert np.mean([abs(f.z) > 1.96 for f in found]) > 0.1
        assert all("件数过少" in f.note for f in found if f.se)


def test_overdispersed_noise_needs_its_dispersion():
    rng = np.random.default_rng(5)
    counts = noise(rng, 5, (52, 12), 8, 2000, spread=3.0)
    at_most_five_in_a_hundred([f.p < 0.05 for f in judged(counts, (52, 12), dispersion=3.0)])
    assert np.mean([f.p < 0.05 for f in judged(counts, (52, 12))]) > 0.2


@pytest.mark.parametrize(("mean", "ring_share", "power"), [(12, 0.3, 0.85), (20, 0.3, 0.95), (20, 1.0, 0.9)])
def test_the_planted_effect_is_found(mean, ring_share, power):
    """The action of the demo: 0.55 in the treated place, 1.06 in its ring, 12 weeks after against 52 before."""
    rng = np.random.default_rng(6)
    found = judged(noise(rng, mean, (52, 12), ring_share, 1000, change=(0.55, 1.06)), (52, 12))
    assert np.mean([f.p < 0.05 and f.estimate < 0 for f in found]) >= power
    expected = 12 * mean * (-0.45 + 0.06 * ring_share)
    assert np.mean([f.estimate for f in found]) == pytest.approx(expected, rel=0.03)
    inside = np.mean([f.low <= expected <= f.high for f in found])
    assert inside == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(("change", "message"), [
    ({"treated": (1, -1)}, r"treated is \(1, -1\)"),
    ({"treated": None}, "treated is None"),
    ({"control": (1, 2, 3)}, r"control is \(1, 2, 3\)"),
    ({"displaced_treated": (1, np.nan)}, "displaced_treated is"),
    ({"control": None}, "displaced_control is given without control"),
    ({"exposure": (0, 7)}, "exposure is"),
    ({"exposure": (7, np.inf)}, "exposure is"),
    ({"control_weight": 0}, "control_weight is 0"),
    ({"dispersion": 0.5}, "dispersion is 0.5"),
])  # fmt: skip
def test_actions_that_cannot_be_judged_are_refused(change, message):
    asked = dict.fromkeys(("control", "treated", "displaced_control", "displaced_treated"), (4, 5)) | change
    with pytest.raises(ValueError, match=message):
        weighted_displacement_difference(
            asked.pop("control"), asked.pop("treated"), asked.pop("displaced_control"), asked.pop("displaced_treated"),
            **asked,
        )  # fmt: skip


# ---- control places


def lattice(side):
    """Queen neighbours of a square lattice, row by row."""
    row, column = np.divmod(np.arange(side * side), side)
    near = (np.abs(row[:, None] - row) <= 1) & (np.abs(column[:, None] - column) <= 1)
    np.fill_diagonal(near, False)
    return sparse.csr_matrix(near)


def steps(one, other, side):
    (r1, c1), (r2, c2) = np.divmod(one, side), np.divmod(other, side)
    return max(abs(r1 - r2), abs(c1 - c2))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ring_steps", [1, 2])
def test_controls_by_brute_force_on_a_lattice(seed, ring_steps):
    side, rng = 25, np.random.default_rng(seed)
    places = rng.choice(side * side, 40, replace=False)
    acted, baseline = rng.random(40) < 0.1, rng.integers(0, 30, 40)
    treated = int(rng.integers(40))
    found = choose_controls(places, treated, baseline, lattice(side), acted=acted, ring_steps=ring_steps)
    busy = np.flatnonzero(acted | (np.arange(40) == treated))
    apart = lambda i, others: all(steps(places[i], places[j], side) > 2 * ring_steps for j in others)  # noqa: E731
    expected = []
    for i in sorted(range(40), key=lambda i: (abs(int(baseline[i]) - int(baseline[treated])), i)):
        if i not in busy and apart(i, busy) and apart(i, expected) and len(expected) < 5:
            expected.append(i)
    assert found.chosen.tolist() == expected
    assert found.candidates == sum(i not in busy and apart(i, busy) for i in range(40))
    if expected:
        assert found.control_weight == pytest.approx(1 / len(expected))
    for i, ring in zip([treated, *expected], [found.treated_ring, *found.rings], strict=True):
        around = [j for j in range(side * side) if 0 < steps(places[i], j, side) <= ring_steps]
        assert ring.tolist() == around
    taken = np.concatenate([places[[treated, *expected]], found.treated_ring, *found.rings])
    assert len(np.unique(taken)) == len(taken)  # no area counts twice


def test_places_may_be_clusters_and_neighbours_come_in_any_form():
    near = lattice(12)
    lists = [near.indices[near.indptr[i] : near.indptr[i + 1]] for i in range(144)]
    places = [[0, 1, 12], 5, np.array([130, 131]), [3]]
    found = choose_controls(places, 0, [10, 11, 30, 10], near)
    assert found.chosen.tolist() == [1, 2]  # place 3 is two steps from the cluster
    assert found.treated_ring.tolist() == [2, 13, 14, 24, 25]
    for form in (lists, as_neighbours(near, 144), dict(enumerate(lists))):
        assert choose_controls(places, 0, [10, 11, 30, 10], form).chosen.tolist() == [1, 2]


def test_no_control_is_said_and_leads_to_no_conclusion():
    found = choose_controls([0, 1, 13], 0, [5, 5, 5], lattice(12))
    assert found.chosen.size == 0 and np.isnan(found.control_weight) and found.note == "无对照，不作结论"
    assert choose_controls([0, 60], 0, [5, 5], lattice(12), acted=[True, True]).chosen.size == 0
    acted = np.array([False, False])
    choose_controls([0, 60], 0, [5, 5], lattice(12), acted=acted)
    assert not acted.any()  # the caller's array stays


@pytest.mark.parametrize(("change", "message"), [
    ({"treated": 2}, "treated is 2, expected a position among 2 places"),
    ({"baseline": [1]}, "baseline has shape"),
    ({"acted": [True]}, "acted has shape"),
    ({"places": [0, 144]}, "places name areas out of range"),
    ({"places": [0, []]}, "places name areas out of range or none"),
    ({"ring_steps": 0}, "ring_steps is 0"),
    ({"most": 0}, "most 0"),
])  # fmt: skip
def test_controls_refuse(change, message):
    asked = {"places": [0, 60], "treated": 0, "baseline": [5, 5], "neighbours": lattice(12)} | change
    with pytest.raises(ValueError, match=message):
        choose_controls(**asked)
