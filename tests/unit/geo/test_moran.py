"""Local Moran against esda, exhaustive draws, simulated noise and planted clusters."""

import itertools
import warnings

import geopandas as gpd
import numpy as np
import pytest
from maps import MEANS, allowed, as_w, lattice, noise_maps
from scipy import stats

from geo.autocorrelation import as_neighbours, local_moran
from geo.autocorrelation.draws import tail_counts


@pytest.mark.parametrize("kind", ["counts", "rates"])
def test_index_and_quadrant_equal_esda(kind):
    from esda import Moran_Local

    rng = np.random.default_rng(2)
    x = rng.poisson(4, 144).astype(float) if kind == "counts" else rng.gamma(2, 3, 144)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        esda = Moran_Local(x, as_w(lattice(12)), permutations=9999, seed=5)
    found = local_moran(x, lattice(12), permutations=9999)
    assert np.abs(found.I - esda.Is).max() < 1e-9
    names = np.array(["", "HH", "LH", "LL", "HL"])[esda.q]
    clear = np.abs(np.array([x[n].mean() for n in lattice(12)]) - x.mean()) > 0.2
    assert (found.quadrant == names)[clear].all()
    if kind == "rates":  # esda's p is of one tail
        assert found.p == pytest.approx(np.minimum(1, 2 * esda.p_sim), abs=0.05)


def test_published_moran_is_the_mean_of_ours(real_data):
    """The global I of a row-standardised map is the mean of the local ones; published for 78 counties of St Louis."""
    import libpysal

    folder = real_data / "statref/libpysal/stl"

    values = gpd.read_file(folder / "stl_hom.shp")["HR8893"].to_numpy(float)
    weights = libpysal.io.open(str(folder / "stl.gal")).read()
    near = [[int(j) - 1 for j in weights.neighbors[i]] for i in weights.id_order]
    found = local_moran(values, near)
    assert found.I.sum() / (len(values) - 1) == pytest.approx(0.24365582621771659, abs=1e-9)


def test_p_of_counts_is_the_conditional_binomial():
    x = noise_maps(2, 1, 8, 4)[0]
    near = lattice(8)
    found = local_moran(x, near)
    for i, around in enumerate(near):
        inside = x[around].sum()
        law = stats.binom(x.sum() - x[i], len(around) / 63)
        assert found.p[i] == pytest.approx(min(1, 2 * min(law.cdf(inside), law.sf(inside - 1))), rel=1e-9)


def test_draws_are_uniform_samples_of_the_other_areas():
    """Every subset of the others, written out, against the draws of one small map."""
    x = np.array([0.5, 3.1, 0.5, 7.2, 1.9, 4.4, 0.5])
    k = np.array([2, 3, 6, 1, 2, 5, 4])
    seen = np.array([3.6, 5.5, 10.0, 0.5, 9.1, 13.0, 8.0])
    found = tail_counts(x, k, np.arange(7), seen, 40_000, np.random.default_rng(1)) / 40_000
    for i in range(7):
        sums = np.array([sum(c) for c in itertools.combinations(np.delete(x, i), k[i])])
        assert found[0, i] == pytest.approx(np.mean(sums >= seen[i] - 1e-9), abs=0.012)
        assert found[1, i] == pytest.approx(np.mean(sums <= seen[i] + 1e-9), abs=0.012)


def test_draws_of_a_large_map_match_the_normal_law_of_their_sums():
    rng = np.random.default_rng(8)
    x = rng.normal(0, 1, 3000)
    k = np.full(3000, 6)
    seen = np.full(3000, 2.0)
    found = tail_counts(x, k, np.arange(3000), seen, 20_000, rng) / 20_000
    assert found[0].mean() == pytest.approx(stats.norm.sf(2.0, 6 * x.mean(), np.sqrt(6) * x.std()), abs=0.01)
    assert found.sum(axis=0) == pytest.approx(np.ones(3000), abs=1e-12)


def test_more_is_drawn_only_where_it_decides():
    rng = np.random.default_rng(9)
    x = rng.normal(10, 1, 400)
    x[[189, 190, 191, 209, 210, 211, 229, 230, 231]] += 9
    found = local_moran(x, lattice(20), seed=3)
    assert found.label[210] == "HH"
    assert found.permutations > 999
    assert 2 / 1000 > 0.05 / 400 > found.p[210]  # 999 draws cannot get there
    flat = local_moran(np.random.default_rng(1).normal(10, 1, 400), lattice(20), seed=3)
    assert flat.permutations < found.permutations
    again = local_moran(x, lattice(20), seed=3)
    assert (again.p == found.p).all()


@pytest.mark.parametrize("mean", MEANS)
def test_at_most_one_noise_map_in_twenty_has_a_flag(mean):
    near = as_neighbours(lattice(20), 400)
    found = [local_moran(x, near) for x in noise_maps(mean, 400, 20, 11)]
    assert np.mean([f.flagged.any() for f in found]) <= allowed(0.05, 400)
    assert 0.005 < np.mean([np.mean(f.p <= 0.05) for f in found]) <= 0.05


def test_noise_rates_keep_the_level_too():
    near = as_neighbours(lattice(15), 225)
    rng = np.random.default_rng(12)
    found = [local_moran(rng.gamma(3, 1, 225) + 0.5, near, seed=i) for i in range(100)]
    assert np.mean([f.flagged.any() for f in found]) <= allowed(0.05, 100)
    share = np.mean([np.mean(f.p <= 0.05) for f in found])
    assert 0.03 < share <= allowed(0.05, 100 * 225)


def test_overdispersed_noise_needs_its_phi():
    near = as_neighbours(lattice(20), 400)
    maps = noise_maps(5, 200, 20, 13, phi=2.5)
    assert np.mean([local_moran(x, near, dispersion=2.5).flagged.any() for x in maps]) <= allowed(0.05, 200)
    assert np.mean([local_moran(x, near).flagged.any() for x in maps]) > 0.3


@pytest.mark.parametrize("mean, added", [(0.2, 2), (2.0, 4), (20.0, 12)])
def test_a_planted_cluster_is_high_among_high(mean, added):
    near = as_neighbours(lattice(20), 400)
    hood = np.append(near[210], 210)
    maps = noise_maps(mean, 60, 20, 14)
    maps[:, hood] += np.random.default_rng(3).poisson(added, (60, 9))
    labels = [local_moran(x, near).label[210] for x in maps]
    assert np.mean([label == "HH" for label in labels]) >= 0.85


def test_a_quiet_area_in_a_busy_place_is_low_among_high():
    x = np.full(100, 3)
    near = lattice(10)
    x[near[55]] = 14
    x[55] = 0
    assert local_moran(x, near).label[55] == "LH"


def test_order_and_duplicates_do_not_matter():
    x = noise_maps(2, 1, 9, 6)[0]
    near = lattice(9)
    plain = local_moran(x, near)
    order = np.random.default_rng(6).permutation(81)
    back = np.argsort(order)
    turned = local_moran(x[order], [[int(back[j]) for j in near[i]] * 2 for i in order])
    assert turned.p == pytest.approx(plain.p[order], rel=1e-12)


def test_islands_and_missing_values_are_named():
    found = local_moran([3, 0, np.nan, 9, 0, 2], [[1], [0, 2], [1], [], [2, 5], [4]])
    assert found.label[2] == "missing"
    assert found.label[3] == "island"
    assert np.isnan(found.p[[2, 3]]).all()
    assert found.islands.tolist() == [3]
    assert found.missing == 1


@pytest.mark.parametrize("values, words", [([0] * 9, "没有事件"), ([1.5] * 9, "相同"), ([0] * 8 + [1], "1起")])
def test_poor_input_gets_a_remark(values, words):
    found = local_moran(values, lattice(3))
    assert words in found.note
    assert found.p.tolist() == [1.0] * 9
    assert not found.flagged.any()


def test_no_neighbours_at_all_is_said():
    found = local_moran([1, 5, 2], [[], [], []])
    assert "互不相邻" in found.note
    assert found.label.tolist() == ["island"] * 3


@pytest.mark.parametrize(
    "values, options, words",
    [([1, -1], {}, "negative"), ([1, np.inf], {}, "infinite"), ([1, 2], {"permutations": 9}, "99 or more")],
)
def test_impossible_input_is_refused(values, options, words):
    with pytest.raises(ValueError, match=words):
        local_moran(values, [[1], [0]], **options)
