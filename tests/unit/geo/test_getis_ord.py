"""Gi* and contiguity against esda, libpysal, published numbers, simulated noise and planted clusters."""

import copy
import pickle
import warnings

import geopandas as gpd
import numpy as np
import pytest
import shapely
from maps import MEANS, allowed, as_w, lattice, noise_maps, squares
from scipy import stats
from statsmodels.stats.multitest import multipletests

from geo.autocorrelation import as_neighbours, contiguity, getis_ord_star
from geo.change import benjamini_hochberg

SIX = np.array([(10, 10), (20, 10), (40, 10), (15, 20), (30, 20), (30, 30)], float)
DOCTEST_Z = [-1.39727626, -0.28917762, 0.65064964, -0.28917762, 1.23452088, 2.02424331]


def within_15() -> list[list[int]]:
    far = np.hypot(*(SIX[:, None] - SIX[None]).transpose(2, 0, 1))
    return [[j for j in range(6) if j != i and far[i, j] <= 15] for i in range(6)]


def test_published_scores_of_six_points():
    assert getis_ord_star([2, 3, 3.2, 5, 8, 7], within_15()).z == pytest.approx(DOCTEST_Z, abs=1e-8)


@pytest.mark.parametrize("kind", ["counts", "rates"])
def test_scores_equal_esda_on_random_maps(kind):
    from esda import G_Local

    rng = np.random.default_rng(3)
    for side in (5, 12):
        x = rng.poisson(3, side * side).astype(float) if kind == "counts" else rng.normal(10, 3, side * side)
        near = lattice(side)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            esda = G_Local(x, as_w(near), transform="B", star=True, permutations=0)
        found = getis_ord_star(x, near)
        assert found.z == pytest.approx(esda.Zs, abs=1e-9)
        assert found.method == ("binomial" if kind == "counts" else "normal")
        if kind == "rates":
            assert found.p == pytest.approx(2 * stats.norm.sf(np.abs(esda.Zs)), abs=1e-12)


def test_p_of_counts_is_the_binomial_tail_of_scipy():
    x = np.random.default_rng(4).poisson(1.5, 100)
    near = lattice(10)
    found = getis_ord_star(x, near)
    for i, around in enumerate(near):
        inside, m = x[i] + x[around].sum(), len(around) + 1
        law = stats.binom(x.sum(), m / 100)
        assert found.p[i] == pytest.approx(min(1, 2 * min(law.cdf(inside), law.sf(inside - 1))), rel=1e-9)
    assert found.q == pytest.approx(multipletests(found.p, method="fdr_bh")[1])


def test_p_of_counts_is_what_throwing_the_events_again_gives():
    x = np.zeros(36, int)
    x[[7, 8, 13, 14]] = 3
    found = getis_ord_star(x, lattice(6))
    rng = np.random.default_rng(5)
    thrown = rng.multinomial(12, np.full(36, 1 / 36), 20_000)
    near = as_neighbours(lattice(6), 36).matrix
    for cell in (7, 0, 20, 35):
        inside = thrown[:, cell] + thrown @ near[cell].toarray()[0]
        seen = x[cell] + near[cell] @ x
        p = min(1, 2 * min(np.mean(inside >= seen), np.mean(inside <= seen)))
        assert found.p[cell] == pytest.approx(p, abs=0.02)


def test_labels_are_levels_of_q():
    x = noise_maps(2, 1, 20, 9)[0]
    x[[210, 211, 230, 231]] += 9
    x[[40, 41, 60]] += 3
    z, p, q, label = found = getis_ord_star(x, lattice(20))
    for i in range(400):
        level = "99" if q[i] <= 0.01 else "95" if q[i] <= 0.05 else "90" if q[i] <= 0.10 else None
        assert label[i] == ("none" if level is None else ("hot" if z[i] > 0 else "cold") + level)
    assert set(found.label) > {"none", "hot99"}
    assert (found.flagged == (q <= 0.05)).all()
    assert ((p <= q) & (q > 0)).all()


@pytest.mark.parametrize("mean", MEANS)
def test_at_most_one_noise_map_in_twenty_has_a_flag(mean):
    near = as_neighbours(lattice(20), 400)
    maps = [getis_ord_star(x, near) for x in noise_maps(mean, 400, 20, 1)]
    assert np.mean([found.flagged.any() for found in maps]) <= allowed(0.05, 400)
    cells = np.mean([(found.p <= 0.05).mean() for found in maps])
    assert 0.005 < cells <= 0.05


@pytest.mark.parametrize("mean", [2.0, 20.0])
def test_overdispersed_noise_needs_its_phi(mean):
    near = as_neighbours(lattice(20), 400)
    maps = noise_maps(mean, 200, 20, 2, phi=2.0)
    assert np.mean([getis_ord_star(x, near, dispersion=2.0).flagged.any() for x in maps]) <= allowed(0.05, 200)
    assert np.mean([getis_ord_star(x, near).flagged.any() for x in maps]) > 0.3


@pytest.mark.parametrize("mean, added, power", [(0.2, 2, 0.9), (2.0, 4, 0.9), (20.0, 10, 0.9)])
def test_a_planted_cluster_is_found(mean, added, power):
    near = as_neighbours(lattice(20), 400)
    heart = 10 * 20 + 10
    hood = np.append(near[heart], heart)
    maps = noise_maps(mean, 60, 20, 3)
    maps[:, hood] += np.random.default_rng(3).poisson(added, (60, 9))
    found = [getis_ord_star(x, near) for x in maps]
    assert np.mean([f.label[heart].startswith("hot") and f.flagged[heart] for f in found]) >= power
    far = np.setdiff1d(np.arange(400), np.unique(np.concatenate([near[i] for i in hood])))
    flagged = np.array([f.flagged for f in found])
    assert flagged[:, far].sum() / flagged.sum() <= 0.07  # false ones among the flagged


def test_order_duplicates_and_form_of_neighbours_do_not_matter():
    from libpysal.graph import Graph

    x = noise_maps(2, 1, 9, 6)[0].astype(float)
    near = lattice(9)
    plain = getis_ord_star(x, near)
    order = np.random.default_rng(6).permutation(81)
    back = np.argsort(order)
    turned = getis_ord_star(x[order], [[int(back[j]) for j in near[i]] for i in order])
    assert turned.p == pytest.approx(plain.p[order], rel=1e-12)
    assert (turned.label == plain.label[order]).all()
    forms = [
        [around * 2 + [i] for i, around in enumerate(near)],  # twice, and itself
        dict(enumerate(near)),
        as_neighbours(near, 81).matrix * 3.5,
        as_neighbours(near, 81).matrix.toarray(),
        as_neighbours(near, 81).matrix.toarray().astype(int).tolist(),
        [set(around) for around in near],
        as_w(near),
        Graph.from_W(as_w(near)),
        contiguity(squares(9)),
        contiguity(squares(9, 250.0)),
    ]
    for form in forms:
        assert (getis_ord_star(x, form).q == plain.q).all()


@pytest.mark.parametrize(
    "values, words",
    [
        ([0] * 9, "没有事件"),
        ([4] * 9, "相同"),
        ([0] * 8 + [1], "1起"),
        ([0] * 8 + [30], "同一区域"),
        ([np.nan] * 9, "没有数据"),
    ],
)
def test_poor_input_gets_a_remark_and_no_nonsense(values, words):
    found = getis_ord_star(values, lattice(3))
    assert words in found.note
    if "同一" not in words:
        assert not found.flagged.any()


def test_missing_is_not_zero():
    x = noise_maps(3, 1, 6, 8)[0].astype(float)
    x[14] = np.nan
    near = lattice(6)
    found = getis_ord_star(x, near)
    kept = [i for i in range(36) if i != 14]
    number = {old: new for new, old in enumerate(kept)}
    without = getis_ord_star(x[kept], [[number[j] for j in near[i] if j != 14] for i in kept])
    assert found.label[14] == "missing"
    assert np.isnan([found.z[14], found.p[14], found.q[14]]).all()
    assert found.missing == 1
    assert (found.q[kept] == without.q).all()
    assert not (found.q[kept] == getis_ord_star(np.nan_to_num(x), near).q[kept]).all()


def test_broken_counts_are_said_to_be_judged_as_rates():
    assert "近似" in getis_ord_star(np.arange(9) + 0.5, lattice(3)).note
    assert getis_ord_star(np.arange(9), lattice(3)).note == ""


def test_rounded_rates_can_be_declared():
    x = np.random.default_rng(2).normal(500, 60, 400).round()
    assert getis_ord_star(x, lattice(20)).flagged.sum() > 50  # as counts they vary far more than Poisson
    assert not getis_ord_star(x, lattice(20), counts=False).flagged.any()
    with pytest.raises(ValueError, match="broken"):
        getis_ord_star(x + 0.5, lattice(20), counts=True)


def test_islands_are_named_and_judged_by_themselves():
    found = getis_ord_star([3, 0, 1, 9, 0], [[1], [0, 2], [1], [], [2]])
    assert found.islands.tolist() == [3]
    assert found.p[3] == pytest.approx(2 * stats.binom.sf(8, 13, 1 / 5))


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: getis_ord_star([1, -2, 3], [[1], [0], []]), "negative counts"),
        (lambda: getis_ord_star([1, np.inf, 3], [[1], [0], []]), "infinite"),
        (lambda: getis_ord_star([1, 2], [[1], [0], []]), "3 areas, expected 2"),
        (lambda: getis_ord_star([1, 2], [[1], [2]]), "positions"),
        (lambda: getis_ord_star([1, 2], [[1], [0]], dispersion=0.5), "dispersion"),
        (lambda: getis_ord_star([1, 2], None), "expected contiguity"),
        (lambda: getis_ord_star([1, 2], {"a": ["b"], "b": ["a"]}), "keyed by"),
        (lambda: getis_ord_star([1, 2], gpd.GeoDataFrame({"grid_code": ["a", "b"]})), "a GeoDataFrame, expected"),
    ],
)
def test_impossible_input_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_results_are_frozen_and_the_input_is_left_alone():
    x = np.arange(9.0)
    found = getis_ord_star(x, lattice(3))
    for one in (found, copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        with pytest.raises(ValueError, match="read-only"):
            one.z[0] = 1
    assert found == getis_ord_star(x, lattice(3))
    assert found != getis_ord_star(x[::-1], lattice(3))
    x[0] = 5
    assert x.flags.writeable


@pytest.mark.parametrize("file", ["columbus/columbus.shp", "stl/stl_hom.shp", "virginia/virginia.shp"])
def test_contiguity_equals_libpysal_on_real_shapes(real_data, file):
    from libpysal.graph import Graph

    frame = gpd.read_file(real_data / "statref/libpysal" / file)
    theirs = Graph.build_contiguity(frame.set_crs(None, allow_override=True), rook=False).sparse
    assert abs(contiguity(frame).matrix - theirs).nnz == 0


def test_contiguity_sees_corners_on_sides_slivers_and_islands():
    whole, upper, lower = shapely.box(0, 0, 1, 2), shapely.box(1, 1, 2, 2), shapely.box(1, 0, 2, 1.0 - 1e-13)
    found = contiguity([whole, upper, lower, shapely.box(9, 9, 10, 10), None])
    assert [found[i].tolist() for i in range(5)] == [[1, 2], [0, 2], [0, 1], [], []]
    assert found.islands.tolist() == [3, 4]
    degrees = gpd.GeoSeries(squares(4, 0.01), crs=4490)
    assert [found.tolist() for found in contiguity(degrees)] == [sorted(n) for n in lattice(4)]


def test_flags_are_those_of_esda_s_fdr(real_data):
    """esda names the largest p that passes; published for the local Moran of 78 counties of St Louis at 0.1: 1/780."""
    import libpysal
    from esda import Moran_Local, fdr

    folder = real_data / "statref/libpysal/stl"
    values = gpd.read_file(folder / "stl_hom.shp")["HR8893"].to_numpy(float)
    weights = libpysal.io.open(str(folder / "stl.gal")).read()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        published = Moran_Local(values, weights, permutations=99, seed=1).p_sim
    assert fdr(published, 0.1) == pytest.approx(0.001282051282051282)
    assert not (benjamini_hochberg(published) <= 0.1).any()
    rng = np.random.default_rng(4)
    for _ in range(50):
        p = np.concatenate([rng.random(60), rng.random(20) * 0.01])
        assert ((benjamini_hochberg(p) <= 0.05) == (p <= fdr(p, 0.05))).all()
