"""Knox test, table of near repeats and links: published numbers, other programs, brute force, noise and power."""

from __future__ import annotations

import csv
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pointpats import Knox, KnoxLocal
from scipy import stats

from geo.spacetime import events, tables
from geo.spacetime.knox import knox, near_repeat
from geo.spacetime.links import near_repeat_links


@pytest.fixture(scope="module")
def burkitt(real_data) -> tuple[np.ndarray, np.ndarray]:
    frame = gpd.read_file(real_data / "statref/libpysal/burkitt/burkitt.shp")
    return frame[["X", "Y"]].to_numpy(float), frame["T"].to_numpy(float)


def noise(rng, mean, cells, days=40):
    """Poisson counts at places on a lattice, at random times."""
    place = np.repeat(np.arange(cells), rng.poisson(mean, cells))
    return np.column_stack([place % 20, place // 20]) * 100.0, rng.uniform(0, days, len(place))


NOISE = [(0.2, 600), (2, 60), (20, 6)]


def allowed(maps: int) -> float:
    """5 % of maps and two standard errors."""
    return maps * 0.05 + 2 * math.sqrt(maps * 0.05 * 0.95)


# Knox


def test_published_knox(burkitt):
    result = knox(*burkitt, distance_m=20, days=5)
    assert result.observed == 13
    assert result.p_poisson == pytest.approx(0.14624558197140414, abs=1e-14)
    assert (result.close_in_space, result.close_in_time, result.pairs, result.n) == (3429, 52, 17578, 188)
    assert result.expected == pytest.approx(10.1438161, abs=1e-7)
    assert 0.15 < result.p < 0.25  # pointpats prints 0.17 and 0.21 for two seeds of 99
    observed, expected, p, ratio = result
    assert (observed, expected, p, ratio) == (result.observed, result.expected, result.p, result.ratio)


@pytest.mark.parametrize("seed", range(4))
def test_knox_equals_pointpats(seed):
    rng = np.random.default_rng(seed)
    n = 150
    xy, t = rng.integers(0, 30, (n, 2)) * 10.0, rng.integers(0, 60, n).astype(float)
    peer = Knox(xy, t[:, None], 50, 3, permutations=0)
    ours = knox(xy, t, distance_m=50, days=3, permutations=1)
    assert ours.observed == peer.nst
    assert ours.expected == pytest.approx(peer.expected[0, 0])
    assert ours.p_poisson == pytest.approx(peer.p_poisson, abs=1e-12)


def test_expected_and_p_are_those_of_all_permutations():
    from itertools import permutations

    xy = np.array([[0, 0], [10, 0], [0, 10], [500, 0], [505, 0], [900, 900]], dtype=float)
    t = np.array([1, 2, 2, 30, 60, 61.0])

    def count(times):
        close = [math.dist(xy[i], xy[j]) <= 15 and abs(times[i] - times[j]) <= 1 for i in range(6) for j in range(i)]
        return sum(close)

    every = [count(order) for order in permutations(t)]
    result = knox(xy, t, distance_m=15, days=1, permutations=20_000)
    assert result.observed == count(t) == 3
    assert result.expected == pytest.approx(np.mean(every), abs=1e-12)
    exact = np.mean(np.array(every) >= result.observed)
    assert result.p == pytest.approx(exact, abs=4 * math.sqrt(exact / 20_000))


def test_either_list_of_pairs_gives_the_same_law():
    rng = np.random.default_rng(6)
    xy, t = rng.uniform(0, 1000, (80, 2)), rng.uniform(0, 100, 80)
    limits = np.array([100.0]), np.array([5.0])
    forced = tables.PairTables(xy, t, *limits, 2.0)
    by_time = [table[0, 0] for table in forced.permuted(3000, 1)]
    forced.time_moves = not forced.time_moves
    forced.lists = forced._lists()
    by_space = [table[0, 0] for table in forced.permuted(3000, 1)]
    assert np.mean(by_time) == pytest.approx(np.mean(by_space), abs=4 * np.std(by_time) * math.sqrt(2 / 3000))
    assert stats.ks_2samp(by_time, by_space).pvalue > 0.001
    table = forced._table(forced.times if forced.time_moves else forced.points)
    assert np.array_equal(table, forced.observed)


def test_limits_are_inclusive_whatever_the_rounding():
    xy = [(0, 0), (30, 40), (1e6, 0), (1e6, 50)]
    t = [0.1, 0.3, 7.7, 7.5]
    assert abs(0.3 - 0.1) < 0.2 < abs(7.7 - 7.5) + 1e-15  # the difference falls on either side of the limit
    assert knox(xy, t, distance_m=50, days=0.2, permutations=1).observed == 2
    assert knox(xy, t, distance_m=49.9999, days=0.2, permutations=1).observed == 0
    assert knox(xy, t, distance_m=50, days=0.1999, permutations=1).observed == 0
    moved = np.add(xy, [431_234.567, 4_321_098.765])
    assert knox(moved, np.add(t, 19_723.1), distance_m=50, days=0.2, permutations=1).observed == 2


def test_moments_are_days():
    rng = np.random.default_rng(2)
    xy, t = rng.uniform(0, 500, (60, 2)), rng.integers(0, 24 * 90, 60) / 24
    plain = knox(xy, t, distance_m=100, days=2.5)
    moments = pd.Timestamp("2024-02-27") + pd.to_timedelta(t * 24, unit="h")
    assert knox(xy, moments.to_numpy(), distance_m=100, days=2.5) == plain
    zoned = pd.Series(moments.tz_localize("UTC").tz_convert("Asia/Shanghai"))
    assert knox(xy, zoned, distance_m=100, days=2.5) == plain
    dates = [moment.date() for moment in moments]
    assert knox(xy, dates, distance_m=100, days=2) == knox(xy, np.floor(t), distance_m=100, days=2)


def test_order_of_rows_and_origin_do_not_matter():
    rng = np.random.default_rng(1)
    xy, t = rng.integers(0, 40, (120, 2)) * 25.0, rng.integers(0, 50, 120)
    order = rng.permutation(120)
    given_ = dict(distance_m=100, days=3, permutations=99, seed=8)
    whole = knox(xy, t, **given_)
    assert knox(xy[order], t[order], **given_) == whole
    assert knox(np.add(xy, [5e5, 4e6]), t + 1000, **given_) == whole
    bands = dict(distance_bands_m=[50, 150], day_bands=[1, 5], permutations=99, seed=8)
    table, again = near_repeat(xy, t, **bands), near_repeat(xy[order], t[order], **bands)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(table, again, strict=True))
    links = near_repeat_links(xy, t, distance_m=100, days=3)
    other = near_repeat_links(xy[order], t[order], distance_m=100, days=3)
    assert np.array_equal(links.links[order], other.links) and np.allclose(links.p[order], other.p, atol=1e-13)
    ours = {frozenset(p) for p in zip(links.first.tolist(), links.second.tolist(), strict=True)}
    assert ours == {frozenset(p) for p in zip(order[other.first].tolist(), order[other.second].tolist(), strict=True)}


def test_a_far_event_adds_no_close_pair():
    rng = np.random.default_rng(4)
    xy, t = rng.uniform(0, 2000, (200, 2)), rng.uniform(0, 60, 200)
    near, far = (
        knox(a, b, distance_m=150, days=4, permutations=199)
        for a, b in [(xy, t), (np.vstack([xy, [[1e8, -1e8]]]), np.append(t, 30.0))]
    )
    assert (far.observed, far.close_in_space) == (near.observed, near.close_in_space)
    assert far.expected == pytest.approx(near.expected, rel=0.05)


@pytest.mark.parametrize(("mean", "cells"), NOISE)
def test_knox_level_on_noise(mean, cells):
    rng, flagged = np.random.default_rng(int(mean * 10)), 0
    for seed in range(200):
        flagged += knox(*noise(rng, mean, cells), distance_m=150, days=2, permutations=99, seed=seed).p <= 0.05
    assert flagged <= allowed(200)


def planted(seed, repeats=25):
    """250 random events; some of them followed nearby within two days."""
    rng = np.random.default_rng(seed)
    xy, t = rng.uniform(0, 10_000, (250, 2)), rng.uniform(0, 180, 250)
    after = rng.choice(250, repeats, replace=False)
    angle, far = rng.uniform(0, 2 * np.pi, repeats), rng.uniform(20, 90, repeats)
    step = np.column_stack([np.cos(angle), np.sin(angle)]) * far[:, None]
    return np.vstack([xy, xy[after] + step]), np.append(t, t[after] + rng.uniform(0.2, 1.8, repeats)), after


def test_power_on_planted_near_repeats():
    for seed in range(20):
        xy, t, after = planted(seed)
        assert knox(xy, t, distance_m=100, days=2, permutations=199).p == 1 / 200
        table = near_repeat(xy, t, distance_bands_m=[100, 200, 300], day_bands=[2, 4, 6], permutations=199)
        assert table.q[1, 0] <= 0.05 and table.ratio[1, 0] > 5
        links = near_repeat_links(xy, t, distance_m=100, days=2)
        flagged = np.flatnonzero(links.q <= 0.05)
        assert set(after) & set(flagged) or len(flagged) == 0
        found = set(zip(links.first.tolist(), links.second.tolist(), strict=True))
        assert {(a, 250 + k) for k, a in enumerate(after.tolist())} <= found


def test_many_events_at_one_place_stay_small_and_quick():
    t = np.random.default_rng(0).uniform(0, 365, 20_000)
    result = knox(np.zeros((20_000, 2)), t, distance_m=300, days=0.25, permutations=3)
    assert result.close_in_space == result.pairs == 199_990_000
    assert result.observed == result.close_in_time and result.p == 1 and result.note
    same = near_repeat(np.zeros((20_000, 2)), t, distance_bands_m=[100], day_bands=[0.1, 0.25], permutations=2)
    assert same.observed[0].sum() == same.observed.sum() == 199_990_000
    with pytest.raises(ValueError, match=r"199,990,000 pairs are close in space .* shorten the distance or"):
        knox(np.zeros((20_000, 2)), t, distance_m=300, days=200, permutations=3)


@pytest.mark.parametrize(
    ("xy", "t", "word"),
    [
        ([], [], "不足2起"),
        ([[1, 1]], [3], "不足2起"),
        ([[0, 0], [900, 0], [0, 900]], [1, 1, 5], "没有距离"),
        ([[0, 0], [9, 0], [0, 900]], [1, 50, 99], "没有时间"),
        ([[5, 5]] * 5, [1, 2, 30, 60, 90], "无从判断"),
        ([[0, 0], [9, 0], [0, 900]], [7, 7, 7], "无从判断"),
    ],
)
def test_degenerate_events_say_so(xy, t, word):
    result = knox(xy, t, distance_m=100, days=2, permutations=9)
    assert result.p == 1 and word in result.note
    table = near_repeat(xy, t, distance_bands_m=[100], day_bands=[2], permutations=9)
    assert word in table.note and table.observed.sum() == len(xy) * (len(xy) - 1) // 2
    assert not (table.q <= 0.05).any()
    links = near_repeat_links(xy, t, distance_m=100, days=2)
    assert len(links.role) == len(links.p) == len(xy) and not (links.q <= 0.05).any()
    assert links.note or len(links.first)


def test_bad_input_is_refused():
    xy, t = [[0, 0], [1, 1]], [1.0, 2.0]
    degrees = gpd.GeoSeries(gpd.points_from_xy([113.5, 113.6], [34.7, 34.8]), crs=4490)
    for call in (
        lambda **k: knox(**{"xy": xy, "t": t, "distance_m": 1, "days": 1, **k}),
        lambda **k: near_repeat_links(**{"xy": xy, "t": t, "distance_m": 1, "days": 1, **k}),
    ):
        for change, message in [
            ({"xy": degrees}, "degrees"),
            ({"xy": [[0, 0], [np.nan, 1]]}, "1 of 2 points without coordinates"),
            ({"t": [1.0, np.nan]}, "1 of 2 events without a time"),
            ({"t": pd.Series(pd.to_datetime(["2024-01-01", None]))}, "1 of 2 events without a time"),
            ({"t": ["2024-01-01", "2024-01-02"]}, "expected days as numbers, or moments"),
            ({"t": [True, False]}, "expected days as numbers"),
            ({"t": [[1.0], [2.0]]}, r"t has shape \(2, 1\)"),
            ({"t": [1.0]}, "xy has 2 events and t has 1"),
            ({"distance_m": -1}, "distance_m is -1"),
            ({"days": math.inf}, "days is inf"),
        ]:
            with pytest.raises(ValueError, match=message):
                call(**change)
    for change, message in [
        ({"closed": "both"}, "closed is 'both'"),
        ({"metric": "chebyshev"}, "metric is 'chebyshev'"),
        ({"distance_bands_m": [200, 100]}, "distance_bands_m is"),
        ({"day_bands": []}, "day_bands is"),
        ({"day_bands": [0, 1], "closed": "left"}, "0 days, expected above"),
        ({"same_place_m": 100}, "100 m and"),
        ({"permutations": 0}, "permutations is 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            near_repeat(xy, t, **{"distance_bands_m": [100], "day_bands": [1], **change})


def test_caller_keeps_its_arrays():
    rng = np.random.default_rng(3)
    xy, t = rng.uniform(0, 500, (40, 2)), rng.uniform(0, 30, 40)
    before = xy.copy(), t.copy()
    table = near_repeat(xy, t, distance_bands_m=[50], day_bands=[3], permutations=9)
    near_repeat_links(xy, t, distance_m=50, days=3)
    assert np.array_equal(xy, before[0]) and np.array_equal(t, before[1])
    with pytest.raises(ValueError):
        table.observed[0, 0] = 1


# Table of near repeats


OVER_MEAN = "Observed over mean expected frequencies"
SIGNIFICANT = "Statistical significant table"
OBSERVED = "Observed frequencies distribution"


def calculator(real_data) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Events as the Near Repeat Calculator lists them, and its tables (rows: distance, columns: days)."""
    path = real_data / "statref/nearrepeat/arson_2016_near_repeat_calculator_1.3_output.csv"
    lines = path.read_text("ascii").splitlines()
    start = lines.index("Rec, X, Y, Date")
    rows = [row for row in csv.reader(lines[start + 1 :]) if row]
    listed = pd.DataFrame(rows, columns=["rec", "x", "y", "date"]).astype({"x": float, "y": float})
    listed["date"] = pd.to_datetime(listed["date"].str.strip(), format="%m/%d/%Y")
    found = {}
    for name in (OVER_MEAN, SIGNIFICANT, OBSERVED):
        at = lines.index(name) + 3
        cells = [next(csv.reader([line]))[2:6] for line in lines[at : at + 5]]
        found[name] = np.array([[float(cell) if cell.strip() else 0.0 for cell in row] for row in cells])
    means = [float(line.split(",")[1]) for line in lines if line.startswith("Mean,")]
    found["Mean"] = np.array(means).reshape(4, 5).T
    return listed, found


def test_near_repeat_calculator(real_data):
    listed, published = calculator(real_data)
    assert len(listed) == 522
    table = near_repeat(
        listed[["x", "y"]],
        listed.date,
        distance_bands_m=[200, 400, 600],
        day_bands=[1, 2, 3],
        closed="left",
        metric="manhattan",
        permutations=999,
        seed=1,
    )
    assert table.distance_labels == ("[0]", "(0, 200)", "[200, 400)", "[400, 600)", ">= 600")
    assert table.day_labels == ("[0, 1)", "[1, 2)", "[2, 3)", ">= 3")
    # Its labels say "1 to 200" and "0 to 1": the pair at 400 m and the dates show half-open bands.
    assert np.array_equal(table.observed, published[OBSERVED])
    assert table.observed[1, 0] == 9
    # Its means are of 99 permutations; ours are exact. Pairs are about Poisson, so the error of a mean is known.
    error = np.sqrt(table.expected / 99)
    assert (np.abs(published["Mean"] - table.expected) < 3.5 * error).all()
    ratio = published[OVER_MEAN]
    assert np.allclose(ratio, table.observed / published["Mean"], atol=6e-4)
    assert ratio[1, 0] == 74.25 == pytest.approx(9 / (12 / 99))  # over its own mean of 12 pairs in 99 permutations
    assert table.ratio[1, 0] == pytest.approx(9 / (56 * 412 / 135_981))
    near = published["Mean"] > 0.5
    assert np.allclose(table.ratio[near], ratio[near], rtol=0.25)
    # Significant at its 0.01, the least that 99 permutations give, and ours: the same cells of the near part.
    significant = published[SIGNIFICANT]
    assert np.array_equal((significant == 0.01)[:4, :3], table.p[:4, :3] <= 0.01)
    assert table.q[1, 0] == table.q[:4, :3].min() <= 0.05


def test_published_coordinates_differ_from_the_listed_ones_by_one_pair(real_data):
    path = real_data / "statref/nearrepeat/arson_2016_projected.csv"
    frame = pd.read_csv(path, header=None, names=["x", "y", "date"])
    table = near_repeat(
        frame[["x", "y"]],
        pd.to_datetime(frame.date),
        distance_bands_m=[200, 400, 600],
        day_bands=[1, 2, 3],
        closed="left",
        metric="manhattan",
        permutations=1,
    )
    off = table.observed - calculator(real_data)[1][OBSERVED]
    assert off[2, 3] == 1 and off[3, 3] == -1 and np.abs(off).sum() == 2  # 399.96 m, rounded to 400.0 there


def by_loops(xy, t, same, bands, days, closed, metric) -> np.ndarray:
    out = np.zeros((len(bands) + 2, len(days) + 1), dtype=int)

    def place(value, limits):
        for k, limit in enumerate(limits):
            if value < limit or (closed == "right" and value == limit):
                return k
        return len(limits)

    for i in range(len(t)):
        for j in range(i):
            dx, dy = abs(xy[i][0] - xy[j][0]), abs(xy[i][1] - xy[j][1])
            apart = dx + dy if metric == "manhattan" else math.sqrt(dx * dx + dy * dy)
            row = 0 if apart <= same else 1 + place(apart, bands)
            out[row, place(abs(t[i] - t[j]), days)] += 1
    return out


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 20)), min_size=0, max_size=25),
    st.sampled_from(["right", "left"]),
    st.sampled_from(["euclidean", "manhattan"]),
    st.sampled_from([0.0, 10.0]),
)
def test_table_equals_loops(rows, closed, metric, same):
    xy, t = np.array([row[:2] for row in rows], dtype=float).reshape(-1, 2) * 10, [row[2] for row in rows]
    table = near_repeat(
        xy,
        t,
        distance_bands_m=[30, 50, 80],
        day_bands=[1, 4],
        same_place_m=same,
        closed=closed,
        metric=metric,
        permutations=3,
    )
    assert np.array_equal(table.observed, by_loops(xy, t, same, [30, 50, 80], [1, 4], closed, metric))
    assert table.observed.shape == (len(table.distance_labels), len(table.day_labels)) == (5, 3)
    assert ((table.p > 0) & (table.p <= 1)).all()
    if len(t) > 1:
        assert table.expected.sum() == pytest.approx(table.observed.sum())


def test_table_adds_up_to_knox():
    rng = np.random.default_rng(9)
    xy, t = rng.uniform(0, 1500, (150, 2)), rng.uniform(0, 60, 150)
    table = near_repeat(xy, t, distance_bands_m=[60, 120, 240], day_bands=[1, 3, 7], permutations=9)
    for k, distance in enumerate([60, 120, 240], start=2):
        for c, days in enumerate([1, 3, 7], start=1):
            whole = knox(xy, t, distance_m=distance, days=days, permutations=1)
            assert table.observed[:k, :c].sum() == whole.observed
            assert table.expected[:k, :c].sum() == pytest.approx(whole.expected)


@pytest.mark.parametrize(("mean", "cells"), NOISE)
def test_table_flags_few_maps_of_noise(mean, cells):
    rng, maps, cells_p, cells_q, flagged = np.random.default_rng(int(mean * 10)), 100, [], 0, 0
    for seed in range(maps):
        table = near_repeat(
            *noise(rng, mean, cells), distance_bands_m=[100, 200], day_bands=[1, 2, 4], permutations=199, seed=seed
        )
        tested = ~np.isnan(table.q)
        cells_p.append((table.p[tested] <= 0.05).mean())
        cells_q += int((table.q <= 0.05).sum())
        flagged += (table.q <= 0.05).any()
    assert flagged <= allowed(maps)
    assert np.mean(cells_p) <= 0.05 + 2 * np.std(cells_p) / math.sqrt(maps)
    assert cells_q <= maps * 9 * 0.05


def test_too_few_permutations_for_the_cells_are_named():
    rng = np.random.default_rng(0)
    xy, t = rng.uniform(0, 500, (80, 2)), rng.uniform(0, 30, 80)
    bands = dict(distance_bands_m=[50, 100, 150], day_bands=[1, 2, 3])
    assert "置换99次偏少" in near_repeat(xy, t, permutations=99, **bands).note
    assert near_repeat(xy, t, permutations=199, **bands).note == ""


# Links


@pytest.mark.parametrize("case", ["burkitt", 0, 1, 2])
def test_links_equal_pointpats(case, burkitt):
    if case == "burkitt":
        xy, t, distance, days = *burkitt, 20, 5
    else:
        rng = np.random.default_rng(case)
        n = 80 + 60 * case
        xy, t, distance, days = rng.uniform(0, 600, (n, 2)), rng.integers(0, 50, n).astype(float), 120, 4
    peer = KnoxLocal(xy, t[:, None], distance, days, permutations=0)
    ours = near_repeat_links(xy, t, distance_m=distance, days=days)
    assert np.array_equal(ours.links, peer.nsti)
    assert np.allclose(ours.p, peer.p_hypergeom, atol=1e-11)
    assert len(ours.first) == peer.nst == len(peer.adjlist) / 2
    leads = peer.adjlist[peer.adjlist.orientation == "lead"]
    strict = ours.apart_days > 0
    assert set(zip(leads.focal, leads.neighbor, strict=True)) == set(
        zip(ours.first[strict].tolist(), ours.second[strict].tolist(), strict=True)
    )
    assert (t[ours.first] <= t[ours.second]).all()
    assert np.allclose(ours.apart_m, np.hypot(*(xy[ours.first] - xy[ours.second]).T))


def test_published_local_knox(burkitt):
    # pointpats' documentation prints these for burkitt.
    found = near_repeat_links(*burkitt, distance_m=20, days=5)
    linked = np.flatnonzero(found.links)
    assert linked.tolist()[:6] == [25, 26, 30, 31, 35, 36] and len(linked) == 26
    assert found.p[linked][:4].round(8).tolist() == [0.1348993, 0.14220663, 0.07335085, 0.08400282]


def test_local_p_is_that_of_permuted_times():
    rng = np.random.default_rng(11)
    xy, t = rng.uniform(0, 300, (40, 2)), rng.uniform(0, 40, 40)
    found = near_repeat_links(xy, t, distance_m=90, days=3)
    reached = np.zeros(40)
    for _ in range(1500):
        reached += near_repeat_links(xy, rng.permutation(t), distance_m=90, days=3).links >= found.links
    assert np.abs(reached / 1500 - found.p).max() < 4.5 * math.sqrt(0.25 / 1500)


def test_small_tail_keeps_its_precision():
    xy = np.vstack([np.zeros((12, 2)), np.column_stack([np.arange(1, 401) * 1000.0, np.zeros(400)])])
    t = np.concatenate([np.full(12, 500.0), np.arange(400.0)])
    found = near_repeat_links(xy, t, distance_m=10, days=0.5)
    heights = np.array([12] * 12 + [1] * 400) - 1
    exact = stats.hypergeom.sf(10, 411, heights, 11).mean()
    assert 0 < found.p[0] < 1e-20 and found.p[0] == pytest.approx(exact, rel=1e-9)
    assert (found.q[:12] < 1e-18).all() and (found.q[12:] == 1).all()


def test_roles():
    xy = [(0, 0), (0, 0), (60, 0), (0, 3), (9000, 0), (9000, 50), (0, 9000)]
    t = [1, 3, 4, 5, 10, 10, 10]
    found = near_repeat_links(xy, t, distance_m=100, days=2)
    near = "near repeat"
    assert found.role.tolist() == ["originator", "repeat", near, near, "originator", near, "alone"]
    linked = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert linked == [(0, 1), (1, 2), (1, 3), (2, 3), (4, 5)]
    assert found.apart_days.tolist() == [2, 1, 2, 1, 0]
    nearly = near_repeat_links(xy, t, distance_m=100, days=2, same_place_m=5)
    assert nearly.role.tolist()[3] == "repeat"
    assert near_repeat_links(xy, t, distance_m=100, days=4).role.tolist()[3] == "near repeat"


@pytest.mark.parametrize(("mean", "cells"), NOISE)
def test_links_flag_few_maps_of_noise(mean, cells):
    rng, maps, flagged, share = np.random.default_rng(int(mean * 10)), 200, 0, []
    for _ in range(maps):
        found = near_repeat_links(*noise(rng, mean, cells), distance_m=150, days=2)
        flagged += (found.q <= 0.05).any()
        share.append((found.p <= 0.05).mean())
    assert flagged <= allowed(maps)
    assert np.mean(share) <= 0.05 + 2 * np.std(share) / math.sqrt(maps)


def test_power_of_links_on_a_chain():
    """Six events within 60 m and a day among 150 others: they are the ones flagged."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        xy, t = rng.uniform(0, 5000, (150, 2)), rng.uniform(0, 200, 150)
        xy = np.vstack([xy, rng.uniform(1970, 2030, (6, 2))])
        t = np.append(t, 100 + rng.uniform(0, 1, 6))
        flagged = np.flatnonzero(near_repeat_links(xy, t, distance_m=100, days=2).q <= 0.05)
        assert set(range(150, 156)) <= set(flagged.tolist()) and len(flagged) <= 8


def test_pairs_in_time_are_those_of_loops():
    days = np.sort(np.random.default_rng(0).integers(0, 30, 50) / 4)
    first, second = events.pairs_in_time(days, 1.0)
    loops = {(i, j) for j in range(50) for i in range(j) if days[j] - days[i] <= 1.0}
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == loops and len(first) == len(loops)
    assert events.days_within(days, np.array([1.0]))[0] == len(loops)


def test_links_far_below_the_mean_have_a_p_near_one():
    """Half of all events at one place, a few of them late and alone: next to no link where hundreds are expected."""
    rng = np.random.default_rng(1)
    xy = np.zeros((3000, 2))
    xy[1500:] = rng.uniform(1e4, 1e6, (1500, 2))
    t = rng.uniform(0, 10, 3000)
    t[:20] = 1000 + 50 * (np.arange(20) // 2)
    found = near_repeat_links(xy, t, distance_m=10, days=3)
    heights = np.abs(t[:, None] - t[None]) <= 3
    heights = heights.sum(axis=1) - 1
    expected = stats.hypergeom.sf(found.links[0] - 1, 2999, heights, 1499).mean()
    assert found.links[0] == 1
    assert found.p[0] == pytest.approx(expected, rel=1e-9)
    assert found.p[0] > 0.9
