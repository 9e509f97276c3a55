"""Sites against brute force, spopt's MCLP with CBC, the classical bound of greedy choice, and planted facts."""

from __future__ import annotations

from itertools import combinations

import geopandas as gpd
import numpy as np
import pulp
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog
from spopt.locate import MCLP

from geo import siting
from geo.coverage import sectors
from geo.siting import maximal_cover

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pulp")  # the oracle's own


def city(seed, n=300, m=40, side=10_000):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, side, (n, 2)), rng.uniform(0, side, (m, 2)), rng.integers(0, 12, n)


def within(xy, sites, radius_m):
    return np.hypot(*(xy[:, None] - sites[None]).transpose(2, 0, 1)) <= radius_m


def value(see, weight, sites, held=0, backup=0.0):
    views = see[:, list(sites)].sum(axis=1) + held
    return weight[views > 0].sum() + backup * weight[views > 1].sum()


def by_spopt(see, weight, k, fixed=None):
    model = MCLP.from_cost_matrix(
        (~see).astype(float), weight, 0.5, k, predefined_facilities_arr=None if fixed is None else np.array(fixed, int)
    )
    model.solve(pulp.PULP_CBC_CMD(msg=False))
    return model.problem.objective.value()


def relaxed(see, weight, k):
    """The linear relaxation: no dual bound is lower."""
    n, m = see.shape
    limits = np.vstack([np.hstack([-see.astype(float), np.eye(n)]), np.append(np.ones(m), np.zeros(n))])
    return -linprog(np.append(np.zeros(m), -weight), A_ub=limits, b_ub=np.append(np.zeros(n), k), bounds=(0, 1)).fun


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_optimum_is_that_of_every_combination(data):
    n, m = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 8))
    k = data.draw(st.integers(0, 4))
    backup = data.draw(st.sampled_from([0.0, 0.3, 1.0]))
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    see, weight = rng.random((n, m)) < 0.35, rng.integers(0, 6, n).astype(float)
    stand = rng.random((n, 2)) < 0.25
    held = stand.sum(axis=1)
    best = max(value(see, weight, s, held, backup) for s in combinations(range(m), min(k, m)))
    xy = np.zeros((n, 2))
    found = maximal_cover(xy, see, existing=stand, k=k, weights=weight, backup=backup, exact=True)
    assert found.method == "exact" and found.gap_pct == 0
    assert found.covered + backup * found.covered_twice == pytest.approx(best)
    assert found.bound == pytest.approx(best)
    assert found.covered + backup * found.covered_twice == pytest.approx(value(see, weight, found.chosen, held, backup))
    np.testing.assert_array_equal(found.seen, np.minimum(see[:, found.chosen].sum(axis=1) + held, 2))

    quick = maximal_cover(xy, see, existing=stand, k=k, weights=weight, backup=backup, exact=False)
    reached, before = quick.covered + backup * quick.covered_twice, value(see, weight, [], held, backup)
    assert reached <= best + 1e-9 <= quick.bound + 2e-9  # the stated bound holds
    assert reached - before >= (1 - 1 / np.e) * (best - before) - 1e-9
    assert best - reached <= quick.gap_pct / 100 * (best - before) + 1e-9  # and so does the stated share missed
    assert (np.diff(quick.gain) <= 1e-9).all() and (np.diff(found.gain) <= 1e-9).all()
    assert quick.gain.sum() == pytest.approx(reached - before)
    assert found.unreachable == weight[(held == 0) & ~see.any(axis=1)].sum()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("k", "radius_m"), [(5, 1500), (12, 1000)])
def test_the_optimum_equals_spopt(seed, k, radius_m):
    xy, sites, weight = city(seed)
    found = maximal_cover(xy, sites, k=k, weights=weight, radius_m=radius_m)
    assert found.method == "exact"
    assert found.covered == pytest.approx(by_spopt(within(xy, sites, radius_m), weight, k))
    assert found.share_pct == pytest.approx(100 * found.covered / weight.sum())


@pytest.mark.parametrize("seed", range(3))
def test_existing_sites_are_kept_as_spopt_keeps_them(seed):
    xy, sites, weight = city(seed)
    stand = np.arange(40) % 8 == 0
    see = within(xy, sites, 1500)
    found = maximal_cover(xy, sites[~stand], existing=sites[stand], k=6, weights=weight, radius_m=1500)
    assert found.covered == pytest.approx(by_spopt(see, weight, 6 + stand.sum(), stand))
    assert found.covered_before == weight[see[:, stand].any(axis=1)].sum()
    assert found.covered_before + found.gain.sum() == pytest.approx(found.covered)
    alone = maximal_cover(xy, sites[~stand], k=6, weights=weight, radius_m=1500)
    assert found.covered >= alone.covered and found.gain.sum() <= alone.gain.sum()


def test_an_instance_where_greedy_misses_and_says_by_how_much():
    """Two sites cover all ten; the largest site takes six of them across both halves."""
    see = np.zeros((10, 3), bool)
    see[:5, 1], see[5:, 2], see[2:8, 0] = True, True, True
    quick = maximal_cover(np.zeros((10, 2)), see, k=2, exact=False)
    assert (quick.covered, quick.method, quick.chosen.tolist()) == (8, "greedy", [0, 1])
    assert quick.bound == 10 and quick.gap_pct == 20 and "至多20.00%" in quick.note
    chosen, covered, share_pct, gap_pct = maximal_cover(np.zeros((10, 2)), see, k=2)
    assert (chosen.tolist(), covered, share_pct, gap_pct) == ([1, 2], 10, 100, 0)


@pytest.mark.parametrize("seed", range(4))
def test_the_gap_of_greedy_is_small_and_true(seed):
    xy, sites, weight = city(seed, n=800, m=80)
    best = maximal_cover(xy, sites, k=12, weights=weight, radius_m=1200, exact=True)
    quick = maximal_cover(xy, sites, k=12, weights=weight, radius_m=1200, exact=False)
    assert quick.covered <= best.covered <= quick.bound
    assert 100 * (best.covered - quick.covered) / best.covered <= quick.gap_pct + 1e-9 <= 2
    # no worse than the simple bound at the greedy answer: its value and the k largest gains left
    see = within(xy, sites, 1200)
    left = np.where(see[:, quick.chosen].any(axis=1), 0, weight) @ see
    assert quick.bound <= quick.covered + np.sort(left)[-12:].sum()
    assert relaxed(see, weight, 12) - 1 <= quick.bound <= 1.01 * relaxed(see, weight, 12)


def test_the_search_stops_at_its_node_limit_and_says_so(monkeypatch):
    monkeypatch.setattr(siting, "NODE_LIMIT", 0)
    monkeypatch.setattr(siting, "BOUND_STEPS", 1)
    xy, sites, weight = city(1, n=600, m=60)
    found = maximal_cover(xy, sites, k=10, weights=weight, radius_m=1800, exact=True)
    monkeypatch.undo()
    best = maximal_cover(xy, sites, k=10, weights=weight, radius_m=1800, exact=True)
    assert found.method == "node_limit" and found.covered <= best.covered <= found.bound
    assert found.gap_pct > 0 and "近似解" in found.note
    again = maximal_cover(xy, sites, k=10, weights=weight, radius_m=1800, exact=True)
    np.testing.assert_array_equal(best.chosen, again.chosen)


def test_the_solver_is_given_no_clock_and_no_slack(monkeypatch):
    """A time limit would make answers depend on the machine; HiGHS's own gap of 1e-4 is not an optimum."""
    import scipy.optimize

    asked, solve = [], scipy.optimize.milp
    monkeypatch.setattr(
        scipy.optimize, "milp", lambda *a, options, **k: asked.append(dict(options)) or solve(*a, options=options, **k)
    )
    xy, sites, weight = city(1, n=300, m=60)
    maximal_cover(xy, sites, k=8, weights=weight, radius_m=2000, exact=True)
    assert asked == [{"node_limit": siting.NODE_LIMIT, "mip_rel_gap": 0.0}]


def test_large_problems_are_greedy_unless_asked(monkeypatch):
    xy, sites, weight = city(2)
    assert maximal_cover(xy, sites, k=5, weights=weight, radius_m=1500).method == "exact"
    monkeypatch.setattr(siting, "EXACT_VIEWS", 10)
    monkeypatch.setattr(siting, "BOUND_STEPS", 0)
    assert maximal_cover(xy, sites, k=5, weights=weight, radius_m=1500).method == "greedy"
    assert maximal_cover(xy, sites, k=5, weights=weight, radius_m=1500, exact=True).method == "exact"


def test_polygons_matrices_and_frames_are_the_same_question():
    xy, sites, weight = city(3)
    disc = shapely.buffer(shapely.points(sites), 1500, quad_segs=64)
    see = shapely.intersects_xy(disc[None], xy[:, :1], xy[:, 1:])
    asked = {"k": 6, "weights": weight}
    by_matrix = maximal_cover(xy, see, existing=see[:, :4], **asked)
    for candidates, existing in (
        (disc, disc[:4]),
        (list(disc), gpd.GeoSeries(disc[:4], crs=4549)),
        (sparse.coo_array(see), sparse.csc_matrix(see[:, :4])),
        (gpd.GeoDataFrame({"id": range(40)}, geometry=disc, crs=4549), see[:, :4]),
    ):
        found = maximal_cover(gpd.GeoSeries(shapely.points(xy), crs=4549), candidates, existing=existing, **asked)
        np.testing.assert_array_equal(found.chosen, by_matrix.chosen)
        assert found.covered == by_matrix.covered and found.radius_m is None
    points = gpd.GeoSeries(shapely.points(sites), crs=4549)
    np.testing.assert_array_equal(
        maximal_cover(xy, points, radius_m=1500, **asked).chosen,
        maximal_cover(xy, sites, radius_m=1500, **asked).chosen,
    )


def test_sectors_see_only_where_they_look():
    xy = np.array([(0, 50), (0, 60), (0, -50), (50, 0)])
    looks = sectors([0, 0], [0, 0], [0, 180], [60, 60], [100, 100])
    assert maximal_cover(xy, looks, k=1).chosen.tolist() == [0]
    second = maximal_cover(xy, looks, existing=looks[:1], k=2)
    assert (second.chosen.tolist(), second.covered, second.unreachable) == ([1], 3, 1)


def test_backup_puts_a_second_view_where_first_views_are_done():
    see = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], bool)
    weight = [10, 10, 3]
    assert maximal_cover(np.zeros((3, 2)), see, k=2, weights=weight).chosen.tolist() == [0, 2]
    double = maximal_cover(np.zeros((3, 2)), see, k=2, weights=weight, backup=0.5)
    assert double.chosen.tolist() == [0, 1] and (double.covered, double.covered_twice) == (20, 20)
    assert double.gain.tolist() == [20, 10] and double.seen.tolist() == [2, 2, 0]
    one_stands = maximal_cover(np.zeros((3, 2)), see, existing=see[:, :1], k=1, weights=weight, backup=0.5)
    assert one_stands.chosen.tolist() == [0] and one_stands.gain.tolist() == [10]  # a second at the same place


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_order_origin_stray_and_doubled_points_change_nothing(seed):
    xy, sites, weight = city(seed, n=120, m=20)
    found = maximal_cover(xy, sites, k=4, weights=weight, radius_m=1800)
    order = np.random.default_rng(seed).permutation(120)
    asked = {"k": 4, "radius_m": 1800}
    shuffled = maximal_cover(xy[order], sites, weights=weight[order], **asked)
    shifted = maximal_cover(xy + 4_000_000, sites + 4_000_000, weights=weight, **asked)
    stray = maximal_cover(np.vstack([xy, (1e7, -1e7)]), sites, weights=np.append(weight, 5), **asked)
    doubled = maximal_cover(np.repeat(xy, weight, axis=0), sites, **asked)
    for other in (shuffled, shifted, stray, doubled):
        np.testing.assert_array_equal(other.chosen, found.chosen)
        assert other.covered == pytest.approx(found.covered)
    assert stray.unreachable == found.unreachable + 5
    np.testing.assert_array_equal(shuffled.seen, found.seen[order])


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6])
def test_the_unit_of_weight_does_not_matter(scale):
    xy, sites, weight = city(4)
    found = maximal_cover(xy, sites, k=8, weights=weight * scale, radius_m=1300, exact=True)
    best = by_spopt(within(xy, sites, 1300), weight, 8)
    assert found.covered == pytest.approx(best * scale, rel=1e-9)


@pytest.mark.parametrize("exact", [True, False])
def test_ties_go_to_the_lowest_position(exact):
    see = np.array([[0, 1, 1, 0], [1, 0, 0, 1]], bool)
    found = maximal_cover(np.zeros((2, 2)), see, k=2, exact=exact)
    assert found.chosen.tolist() == [0, 1] and found.gain.tolist() == [1, 1]
    tenths = maximal_cover(np.zeros((3, 2)), np.eye(3, dtype=bool), k=3, weights=[0.3, 0.1 + 0.2, 0.3], exact=exact)
    assert tenths.chosen.tolist() == [0, 1, 2]


def test_sites_that_add_nothing_are_not_chosen():
    see = np.array([[1, 1, 1], [0, 1, 0]], bool)
    found = maximal_cover(np.zeros((2, 2)), see, k=3)
    assert found.chosen.tolist() == [1] and "其余候选点不再增加覆盖" in found.note
    few = maximal_cover(np.zeros((2, 2)), np.eye(2, dtype=bool), k=5)
    assert few.chosen.tolist() == [0, 1] and "候选点仅2个" in few.note and few.share_pct == 100
    assert maximal_cover(np.zeros((2, 2)), see, existing=see, k=2).chosen.tolist() == []


def test_degenerate_questions_get_a_word():
    sites = np.array([(0.0, 0.0)])
    for demand, weight in ((np.zeros((0, 2)), None), (np.zeros((3, 2)), [0, 0, 0])):
        found = maximal_cover(demand, sites, k=1, weights=weight, radius_m=10)
        assert found.chosen.size == 0 and np.isnan(found.share_pct) and "没有需求" in found.note
    none = maximal_cover(np.zeros((3, 2)), np.zeros((0, 2)), k=2, radius_m=10)
    assert none.chosen.size == 0 and (none.share_pct, none.unreachable, none.gap_pct) == (0, 3, 0)
    assert "3（100.0%）任何候选点都看不到" in none.note
    same = maximal_cover(np.zeros((50, 2)), np.zeros((4, 2)), k=2, radius_m=10)
    assert same.chosen.tolist() == [0] and same.covered == 50
    assert maximal_cover(np.zeros((3, 2)), sites, k=0, radius_m=10).covered == 0
    blind = maximal_cover(np.zeros((3, 2)), [shapely.Polygon(), shapely.box(-1, -1, 1, 1), None], k=2)
    assert blind.chosen.tolist() == [1]
    rim = maximal_cover([(2000.0, 0.0), (2000.001, 0.0)], sites, k=1, radius_m=2000)
    assert rim.covered == 1  # the rim is inside


def test_callers_arrays_stay_and_results_are_locked():
    xy, sites, weight = city(5)
    before = xy.copy(), sites.copy(), weight.copy()
    found = maximal_cover(xy, sites, k=3, weights=weight, radius_m=1000)
    for now, then in zip((xy, sites, weight), before, strict=True):
        np.testing.assert_array_equal(now, then)
    with pytest.raises(ValueError, match="read-only"):
        found.chosen[0] = 1


@pytest.mark.parametrize(("change", "message"), [
    ({"k": -1}, "k is -1"),
    ({"k": 1.5}, "k is 1.5"),
    ({"k": True}, "k is True"),
    ({"radius_m": None}, "candidates are points and radius_m is None"),
    ({"radius_m": float("nan")}, "radius_m is nan"),
    ({"weights": [1, 2]}, r"weights has shape \(2,\), expected \(3,\)"),
    ({"weights": [1, -2, 1]}, "1 of 3 values missing or negative"),
    ({"weights": [1, np.nan, -1]}, "2 of 3 values missing or negative"),
    ({"backup": 1.5}, "backup is 1.5"),
    ({"candidates": np.ones((2, 2), bool)}, "candidates has 2 rows, expected 3"),
    ({"candidates": [shapely.LineString([(0, 0), (1, 1)])]}, "1 of 1 shapes without area"),
    ({"candidates": gpd.GeoSeries([shapely.Point(120, 30)], crs=4326)}, r"candidates is in degrees \(EPSG:4326\)"),
    ({"candidates": gpd.GeoSeries([shapely.box(120, 30, 121, 31)], crs=4490)}, "candidates is in degrees"),
    ({"existing": gpd.GeoSeries([shapely.Point(120, 30)], crs=4326)}, "existing is in degrees"),
    ({"demand": gpd.GeoSeries([shapely.Point(120, 30)] * 3, crs=4490)}, "demand is in degrees"),
    ({"demand": [(0, 0), (np.nan, 1), (1, 1)]}, "1 of 3 points without coordinates"),
])  # fmt: skip
def test_what_cannot_be_answered_is_refused(change, message):
    asked = {"demand": np.zeros((3, 2)), "candidates": np.zeros((2, 2)), "k": 1, "radius_m": 10} | change
    with pytest.raises(ValueError, match=message):
        maximal_cover(asked.pop("demand"), asked.pop("candidates"), **asked)


def test_a_matrix_of_numbers_is_the_matrix_of_flags():
    see = np.random.default_rng(3).random((60, 9)) < 0.2
    xy = np.random.default_rng(4).uniform(0, 100, (60, 2))
    flags = maximal_cover(xy, see, k=3)
    for form in (see.astype(int), see.astype(float)):
        assert maximal_cover(xy, form, k=3) == flags
