"""Mann-Kendall and emerging hotspots against published values, enumeration, scipy, noise and planted histories."""

import itertools
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from maps import MEANS, allowed, lattice
from scipy import stats

from geo.autocorrelation import as_neighbours, contiguity, getis_ord_star
from geo.spacetime.emerging import KINDS, classes, emerging_hotspots
from geo.spacetime.trend import mann_kendall


def test_published_trend_of_ten_years():
    """sfdep's page prints for one tract: tau 0.378, p 0.152, S 17, D 45, varS 125 (ten steps without ties)."""
    series = [4, 3, 2, 1, 0, 9, 5, 6, 7, 8]
    found = mann_kendall(series)
    s = sum(np.sign(b - a) for a, b in itertools.combinations(series, 2))
    assert found.s == s == 17
    assert found.variance == 125
    assert (round(found.tau, 3), round(found.p, 3)) == (0.378, 0.152)


def test_variance_with_ties_is_that_of_all_orders():
    values = [1, 1, 2, 2, 2, 5]
    s = [sum(np.sign(o[j] - o[i]) for i in range(6) for j in range(i + 1, 6)) for o in itertools.permutations(values)]
    assert mann_kendall(values).variance == pytest.approx(np.var(s))


def test_tau_and_slope_equal_scipy_on_random_series_with_ties_and_gaps():
    rng = np.random.default_rng(2)
    x = rng.integers(0, 12, (40, 30)).astype(float)
    x[rng.random(x.shape) < 0.15] = np.nan
    found = mann_kendall(x)
    for i, row in enumerate(x):
        at = np.flatnonzero(~np.isnan(row))
        assert found.tau[i] == pytest.approx(stats.kendalltau(at, row[at]).statistic)
        assert found.slope[i] == pytest.approx(stats.theilslopes(row[at], at).slope)
        assert found.n[i] == at.size


def test_trend_keeps_its_level_and_finds_a_rise():
    rng = np.random.default_rng(3)
    noise = mann_kendall(rng.poisson(2, (4000, 12)))
    assert 0.02 < np.mean(noise.p < 0.05) <= allowed(0.05, 4000)
    rise = mann_kendall(rng.poisson(np.linspace(2, 14, 12), (500, 12)))
    assert np.mean(rise.trend == "rising") > 0.9
    assert not (rise.trend == "falling").any()


def test_short_and_flat_series_say_so():
    assert tuple(mann_kendall([5] * 5)) == (0.0, 1.0, 0.0, 0.0)
    assert mann_kendall([5] * 5).note == "各期数值相同，没有趋势"
    assert "不足4期" in mann_kendall([1, 2]).note
    assert (
        mann_kendall([[1, 2, 3, 4, 5], [1, np.nan, np.nan, 2, 3], [7] * 5]).note
        == "1个序列不足4期，看不出趋势；1个序列各期数值相同，没有趋势"
    )
    with pytest.raises(ValueError, match="infinite"):
        mann_kendall([1, np.inf])


H, C, o = 1, -1, 0


@pytest.mark.parametrize(
    ("side", "z", "label"),
    [
        ([H] * 9 + [o], None, "historical_hot"),
        ([o] + [H] * 9 + [o], None, "historical_hot"),
        ([H] * 8 + [o, o], None, "none"),
        ([o] * 9 + [H], None, "new_hot"),
        ([H] * 10, range(10), "intensifying_hot"),
        ([H] * 10, range(10, 0, -1), "diminishing_hot"),
        ([H] * 10, [5, 6, 5, 6, 5, 6, 5, 6, 5, 6], "persistent_hot"),
        ([o] + [H] * 9, [5, 6, 5, 6, 5, 6, 5, 6, 5, 6], "persistent_hot"),
        ([o] * 7 + [H] * 3, None, "consecutive_hot"),
        ([o, H, o, o, o, o, o, H, H, H], None, "sporadic_hot"),
        ([o, C, o, o, o, o, o, H, H, H], None, "oscillating_hot"),
        ([C] + [o] * 8 + [H], None, "new_hot"),
        ([C] + [o] * 7 + [H, H], None, "oscillating_hot"),
        ([o, H, o, H, o, o, o, o, o, H], None, "sporadic_hot"),
        ([o, H, H, o, o, o, o, o, o, o], None, "none"),
        ([o] * 10, None, "none"),
        ([C] * 10, range(-1, -11, -1), "intensifying_cold"),
        ([C] * 10, range(-10, 0), "diminishing_cold"),  # a cold place that warms up is never an intensifying hotspot
        ([C] * 9 + [o], None, "historical_cold"),
        ([H] + [o] * 8 + [C], None, "new_cold"),
        ([H, C] + [o] * 7 + [C], None, "oscillating_cold"),
        ([o] * 8 + [C] * 2, None, "consecutive_cold"),
        ([H], None, "new_hot"),
    ],
)
def test_each_class_is_its_definition(side, z, label):
    side = np.array([side])
    z = side * 3.0 if z is None else np.array([list(z)], float)
    assert classes(side, z)[0].tolist() == [label]


def test_cold_is_hot_with_the_signs_reversed():
    rng = np.random.default_rng(5)
    side = rng.choice([-1, 0, 1], (3000, 10), p=[0.1, 0.3, 0.6])
    side[:1000] = rng.choice([0, 1], (1000, 10), p=[0.05, 0.95])
    side[::2] *= -1
    z = side * 2 + rng.normal(0, 1, side.shape) + np.where(rng.random((3000, 1)) < 0.5, 1, -1) * np.arange(10)
    hot, cold = classes(side, z)[0], classes(-side, -z)[0]
    turned = [n.replace("_hot", "_x").replace("_cold", "_hot").replace("_x", "_cold") for n in cold]
    assert turned == hot.tolist()
    assert len(set(hot)) >= 12


def test_one_step_is_plain_gi_star():
    x = np.random.default_rng(6).poisson(2, 100)
    x[44:47] += 9
    cube, plain = emerging_hotspots(x[:, None], lattice(10)), getis_ord_star(x, lattice(10))
    assert cube.z[:, 0] == pytest.approx(plain.z)
    assert cube.q[:, 0] == pytest.approx(plain.q)


def test_space_time_scores_of_real_tracts_equal_esda_on_the_cube_unrolled(real_data):
    """The cube as one map of n x T areas, neighbours now and one step back; 168 Boston tracts, ten years.

    The table printed for them elsewhere (statref) stands on nine random permutations a score, too few to compare with.
    """
    from esda import G_Local
    from libpysal.weights import W

    folder = real_data / "statref/emerging_hotspots"
    tracts = gpd.read_file(f"/vsigzip/{folder}/boston_tracts_168.geojson.gz")
    values = pd.read_csv(folder / "guns_ecometric_2010_2019.csv", dtype={".region_id": str})
    cube = values.pivot(index=".region_id", columns="year", values="value").loc[tracts[".region_id"]].to_numpy()
    near, steps = contiguity(tracts.geometry), cube.shape[1]
    cells = {}
    for i, around in enumerate(near):
        for t in range(steps):
            now = [(j, t) for j in around]
            back = [(j, t - 1) for j in [*around, i]] if t else []
            cells[i * steps + t] = [int(j) * steps + s for j, s in now + back]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights = W(cells, silence_warnings=True)
        esda = G_Local(cube.ravel(), weights, transform="B", star=True, permutations=0)
    found = emerging_hotspots(cube, near)
    assert found.z.ravel() == pytest.approx(esda.Zs, abs=1e-9)
    assert found.method == "normal"
    assert set(found.label) == {"none", "consecutive_hot", "persistent_hot", "sporadic_cold"}


@pytest.mark.parametrize("mean", MEANS)
def test_at_most_one_noise_cube_in_twenty_has_a_flag(mean):
    near = as_neighbours(lattice(12), 144)
    rng = np.random.default_rng([8, int(mean * 10)])
    found = [emerging_hotspots(rng.poisson(mean, (144, 12)), near) for _ in range(200)]
    assert np.mean([(f.side != 0).any() for f in found]) <= allowed(0.05, 200)
    assert np.mean([np.mean(f.p <= 0.05) for f in found]) <= 0.05


def planted(mean, seed, steps=12):
    rng = np.random.default_rng(seed)
    cube = rng.poisson(mean, (400, steps))
    near = lattice(20)
    hood = np.append(near[210], 210)
    return rng, cube, near, hood


def test_planted_histories_are_called_by_their_names():
    hits = {"new": 0, "consecutive": 0, "persistent": 0, "intensifying": 0, "historical": 0}
    for seed in range(20):
        rng, cube, near, hood = planted(2, seed)
        everywhere = as_neighbours(near, 400)
        new, run, always, rising, gone = (cube.copy() for _ in range(5))
        new[hood, -1] += rng.poisson(6, 9)
        run[np.ix_(hood, range(8, 12))] += rng.poisson(6, (9, 4))
        always[hood] += rng.poisson(6, (9, 12))
        rising[hood] += rng.poisson(np.linspace(4, 16, 12), (9, 12))
        gone[hood, :-2] += rng.poisson(9, (9, 10))
        for name, x in zip(hits, (new, run, always, rising, gone), strict=True):
            label = emerging_hotspots(x, everywhere).label[210]
            hits[name] += label == f"{name}_hot"
    assert hits["new"] >= 18
    assert hits["consecutive"] >= 18
    assert hits["intensifying"] >= 18
    assert hits["persistent"] >= 17  # one in twenty drifts by chance
    assert set(hits) <= set(KINDS)


def test_a_missing_step_is_neither_zero_nor_significant():
    _, cube, near, hood = planted(3, 1)
    cube = cube.astype(float)
    cube[hood] += 9
    cube[210, 5] = np.nan
    found = emerging_hotspots(cube, near)
    assert found.missing == 1
    assert np.isnan(found.q[210, 5])
    assert found.side[210, 5] == 0
    assert found.label[210] in ("persistent_hot", "intensifying_hot", "diminishing_hot")


@pytest.mark.parametrize(
    "cube, options, words",
    [
        ([1, 2, 3], {}, "shape"),
        ([[1, -1], [0, 1]], {}, "negative"),
        ([[1, 1], [1, 1]], {"steps_back": -1}, "steps_back"),
    ],
)
def test_impossible_input_is_refused(cube, options, words):
    with pytest.raises(ValueError, match=words):
        emerging_hotspots(cube, [[1], [0]], **options)


def test_all_zero_and_few_steps_are_said():
    found = emerging_hotspots(np.zeros((9, 3), int), lattice(3))
    assert "没有事件" in found.note
    assert "少于10期" in found.note
    assert set(found.label) == {"none"}
