"""Space-time permutation scan: brute force, level, power; the one-dimensional scan."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from geo.spacetime.scan import scan_1d_p, scan_permutation


def statistic(c: int, mu: float, total: int) -> float:
    if c <= mu:
        return 0.0
    rest = (total - c) * math.log((total - c) / (total - mu)) if c < total else 0.0
    return c * math.log(c / mu) + rest


def by_loops(xy, day, centres, radius, max_days, least, prospective) -> float:
    """The highest statistic over every centre, radius and window."""
    total, best = len(day), 0.0
    first, after = int(min(day)), int(max(day)) + 1
    for centre in centres:
        apart = [math.dist(centre, point) for point in xy]
        for r in sorted({d for d in apart if d <= radius}):
            inside = [d <= r for d in apart]
            for start in range(first, after):
                for end in range(start + 1, min(start + max_days, after) + 1):
                    if prospective and end != after:
                        continue
                    window = [start <= d < end for d in day]
                    c = sum(a and b for a, b in zip(inside, window, strict=True))
                    if c >= least:
                        best = max(best, statistic(c, sum(inside) * sum(window) / total, total))
    return best


@pytest.mark.parametrize("prospective", [False, True])
@pytest.mark.parametrize("least", [1, 2, 3])
def test_statistic_equals_loops(prospective, least):
    rng = np.random.default_rng(10 * least + prospective)
    for trial in range(8):
        n = int(rng.integers(6, 26))
        xy = rng.integers(0, 6, (n, 2)) * 100.0  # a lattice: equal distances and equal places
        day = rng.integers(0, 9, n)
        centres = None if trial % 2 else rng.uniform(0, 500, (5, 2))
        found = scan_permutation(
            xy,
            day,
            centres=centres,
            max_radius_m=250,
            max_days=3,
            min_events=least,
            prospective=prospective,
            permutations=1,
        )
        expected = by_loops(xy, day, np.unique(xy, axis=0) if trial % 2 else centres, 250, 3, least, prospective)
        assert (found.clusters.statistic.iloc[0] if len(found.clusters) else 0.0) == pytest.approx(expected, abs=1e-12)


def test_simulated_maxima_are_those_of_permuted_events():
    rng = np.random.default_rng(3)
    xy, day = rng.integers(0, 8, (60, 2)) * 50.0, rng.integers(0, 20, 60)
    found = scan_permutation(xy, day, max_radius_m=120, max_days=4, permutations=100)
    ours = [
        scan_permutation(xy, rng.permutation(day), max_radius_m=120, max_days=4, permutations=1).clusters.statistic[0]
        for _ in range(100)
    ]
    # Two samples of one law: Kolmogorov-Smirnov distance below its 1 in 1,000 quantile.
    grid = np.concatenate([found.simulated, ours])
    gap = [abs(np.mean(found.simulated <= v) - np.mean(np.array(ours) <= v)) for v in grid]
    assert max(gap) < 1.95 * np.sqrt(2 / 100)


def test_rows_of_a_cluster_agree_with_the_events():
    rng = np.random.default_rng(8)
    xy, t = rng.uniform(0, 3000, (300, 2)), rng.uniform(0, 90, 300)
    found = scan_permutation(xy, t, max_radius_m=400, max_days=7, permutations=99)
    assert len(found.clusters) > 1
    for row in found.clusters.itertuples():
        circle = np.hypot(*(xy - [row.x, row.y]).T) <= row.radius_m + 1e-6
        window = (np.floor(t) >= row.start) & (np.floor(t) < row.end)
        assert (circle & window).sum() == row.observed
        assert circle.sum() * window.sum() / 300 == pytest.approx(row.expected)
        assert row.statistic == pytest.approx(statistic(row.observed, row.expected, 300))
        assert row.ratio == pytest.approx(row.observed / row.expected)
        assert row.p == (1 + (found.simulated >= row.statistic - 1e-9).sum()) / 100
        assert row.radius_m <= 400 and row.end - row.start <= 7
    first = found.clusters.iloc[0]
    for row in found.clusters.iloc[1:].itertuples():
        apart = np.hypot(row.x - first.x, row.y - first.y) > row.radius_m + first.radius_m
        assert apart or row.start >= first.end or row.end <= first.start


@pytest.mark.parametrize("prospective", [False, True])
@pytest.mark.parametrize(("mean", "cells"), [(0.2, 400), (2, 60), (20, 6)])
def test_level_on_noise(mean, cells, prospective):
    maps, rng, flagged = 200, np.random.default_rng(int(mean * 10)), 0
    for seed in range(maps):
        place = np.repeat(np.arange(cells), rng.poisson(mean, cells))
        xy = np.column_stack([place % 24, place // 24]) * 100.0
        found = scan_permutation(
            xy,
            rng.uniform(0, 40, len(place)),
            max_radius_m=200,
            max_days=5,
            prospective=prospective,
            period=(0, 40),
            permutations=19,
            seed=seed,
            most=1,
        )
        flagged += found.p <= 0.05
    assert flagged <= maps * 0.05 + 2 * math.sqrt(maps * 0.05 * 0.95)


def test_power_on_a_planted_cluster():
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        xy, t = rng.uniform(0, 5000, (300, 2)), rng.uniform(0, 120, 300)
        middle = np.array([2500.0, 1500.0])
        xy = np.vstack([xy, middle + rng.uniform(-150, 150, (8, 2))])
        t = np.concatenate([t, rng.uniform(60, 65, 8)])
        found = scan_permutation(xy, t, max_radius_m=500, max_days=7, permutations=99, seed=seed)
        top = found.clusters.iloc[0]
        near = math.dist((top.x, top.y), middle) < 500 and top.start < 65 and top.end > 60
        hits += found.p <= 0.05 and near
    assert hits >= 19


def test_two_planted_clusters_are_two_rows_also_at_one_place():
    rng = np.random.default_rng(5)
    xy, t = rng.uniform(0, 8000, (400, 2)), rng.uniform(0, 200, 400)
    planted = [((1000, 1000), 50), ((6000, 6000), 120), ((1000, 1000), 150)]
    for place, day in planted:
        xy, t = np.vstack([xy, place + rng.uniform(-80, 80, (10, 2))]), np.append(t, rng.uniform(day, day + 3, 10))
    found = scan_permutation(xy, t, max_radius_m=400, max_days=7, permutations=99).clusters
    strong = found[found.p <= 0.05]
    assert len(strong) == 3
    for place, day in planted:
        near = np.hypot(strong.x - place[0], strong.y - place[1]) < 300
        assert (near & strong.start.between(day - 3, day + 3)).any()


def scene(seed: int = 2):
    rng = np.random.default_rng(seed)
    xy, t = rng.integers(0, 40, (200, 2)) * 50.0, rng.uniform(0, 60, 200)
    return xy, t, dict(max_radius_m=300, max_days=7, permutations=49, seed=4)


def test_order_of_rows_and_origin_do_not_matter():
    xy, t, given = scene()
    whole = scan_permutation(xy, t, **given)
    order = np.random.default_rng(0).permutation(len(t))
    again = scan_permutation(xy[order], t[order], **given)
    pd.testing.assert_frame_equal(whole.clusters, again.clusters)
    assert np.array_equal(whole.simulated, again.simulated)
    moved = scan_permutation(np.add(xy, [500_000, 4_000_000]), t + 100, **given)
    shift = whole.clusters.copy()
    for column, by in {"x": 500_000, "y": 4_000_000, "start": 100, "end": 100}.items():
        shift[column] += by
    pd.testing.assert_frame_equal(shift, moved.clusters)
    assert np.allclose(whole.simulated, moved.simulated)


def test_a_far_event_changes_little_and_the_seed_decides():
    xy, t, given = scene()
    whole = scan_permutation(xy, t, **given)
    far = scan_permutation(np.vstack([xy, [[9e7, -9e7]]]), np.append(t, 30.5), **given)
    columns = ["x", "y", "radius_m", "start", "end", "observed"]
    assert far.clusters[columns].iloc[0].tolist() == whole.clusters[columns].iloc[0].tolist()
    assert np.array_equal(whole.simulated, scan_permutation(xy, t, **given).simulated)
    assert not np.array_equal(whole.simulated, scan_permutation(xy, t, **{**given, "seed": 5}).simulated)


def test_moments_are_cut_to_days_of_the_wall_clock():
    xy, t, given = scene()
    numbers = scan_permutation(xy, t, **given)
    moments = pd.Timestamp("2024-03-01") + pd.to_timedelta(t, unit="D")
    dates = scan_permutation(xy, moments.tz_localize("Asia/Shanghai"), **given)
    start = pd.Timestamp("2024-03-01") + pd.to_timedelta(numbers.clusters.start, unit="D")
    assert dates.clusters.start.tolist() == start.tolist()
    assert dates.clusters.statistic.tolist() == numbers.clusters.statistic.tolist()


def test_prospective_looks_at_the_end_of_the_period_only():
    rng = np.random.default_rng(1)
    xy, t = rng.uniform(0, 4000, (200, 2)), rng.uniform(0, 60, 200)
    xy, t = np.vstack([xy, rng.uniform(1000, 1100, (8, 2))]), np.append(t, rng.uniform(57, 60, 8))
    given = dict(max_radius_m=400, max_days=7, permutations=99, prospective=True)
    now = scan_permutation(xy, t, period=(0, 60), **given)
    assert now.p <= 0.02 and now.clusters.recurrence_days[0] >= 50 and now.clusters.end[0] == 60
    later = scan_permutation(xy, t, period=(0, 75), **given)
    assert later.p == 1 and len(later.clusters) == 0 and later.note


@pytest.mark.parametrize(
    ("xy", "t"),
    [([], []), ([[0, 0]], [1]), ([[5, 5]] * 6, [1, 2, 3, 4, 4, 9]), (np.arange(12).reshape(6, 2) * 1e3, [3] * 6)],
)
def test_degenerate_events_say_so(xy, t):
    found = scan_permutation(xy, t, max_radius_m=100, max_days=3, permutations=9)
    assert found.p == 1 and len(found.clusters) == 0 and found.note


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(max_days=0), "max_days is 0"),
        (dict(max_radius_m=-1), "max_radius_m is -1"),
        (dict(min_events=0), "min_events is 0"),
        (dict(permutations=0), "permutations is 0"),
        (dict(period=(0, 30)), "outside the period"),
        (dict(t=[1.0]), "t has 1, expected"),
    ],
)
def test_bad_input_is_refused(change, message):
    xy, t, given = scene()
    with pytest.raises(ValueError, match=message):
        scan_permutation(xy, **{"t": t, **given, **change})


def test_centres_far_from_all_events_find_nothing():
    xy, t, given = scene()
    found = scan_permutation(xy, t, centres=[[1e6, 1e6]], **given)
    assert found.p == 1 and len(found.clusters) == 0 and found.note


def test_too_much_work_is_refused_with_a_remedy():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="fewer centres"):
        scan_permutation(rng.uniform(0, 100, (6000, 2)), rng.uniform(0, 9, 6000), max_radius_m=500, max_days=3)


def test_caller_keeps_its_arrays():
    xy, t, given = scene()
    before = xy.copy(), t.copy()
    found = scan_permutation(xy, t, **given)
    assert np.array_equal(xy, before[0]) and np.array_equal(t, before[1])
    with pytest.raises(ValueError):
        found.simulated[0] = 1


def naus_by_loops(windows, mean, count, exponent_less, last_term) -> float:
    def point(x):
        return math.exp(-mean) * mean**x / math.factorial(x) if x >= 0 else 0.0

    def below(x):
        return sum(point(i) for i in range(x + 1))

    k, q = count, mean
    two = below(k - 1) ** 2 - (k - 1) * point(k) * point(k - 2) - (k - 1 - q) * point(k) * below(k - 3)
    a1 = 2 * point(k) * below(k - 1) * ((k - 1) * below(k - 2) - q * below(k - 3))
    a2 = point(k) ** 2 / 2 * ((k - 1) * (k - 2) * below(k - 3) - 2 * (k - 2) * q * below(k - 4) + q**2 * below(k - 5))
    a3 = sum(point(2 * k - r) * below(r - 1) ** 2 for r in range(1, k))
    a4 = sum(point(2 * k - r) * point(r) * ((r - 1) * below(r - 2) - q * below(r - 3)) for r in range(2, last_term + 1))
    return 1 - two * ((below(k - 1) ** 3 - a1 + a2 + a3 - a4) / two) ** (windows - exponent_less)


def test_published_scan_of_a_series():
    # ptools scanw(208, 2, 0.6, 6) and scanw(260, 1, 1, 6). It ends the last sum one term early and uses its second
    # argument as the 2 of the exponent; with both, its figures come out to the last digit printed.
    assert naus_by_loops(208, 0.6, 6, 2, 4) == pytest.approx(0.03902238, abs=5e-9)
    assert naus_by_loops(260, 1, 6, 1, 4) == pytest.approx(0.486814, abs=5e-7)
    assert scan_1d_p(windows=208, mean=0.6, count=6) == pytest.approx(0.03902238, abs=1e-6)
    assert scan_1d_p(windows=261, mean=1, count=6) == pytest.approx(0.486814, abs=1e-4)
    assert scan_1d_p(windows=208, mean=0.6, count=6) == pytest.approx(naus_by_loops(208, 0.6, 6, 2, 5), abs=1e-12)


@pytest.mark.parametrize(
    ("windows", "mean", "count"), [(2, 1.2, 3), (3, 1.2, 3), (3, 0.5, 2), (12, 1.0, 5), (40, 0.6, 4)]
)
def test_scan_of_a_series_against_simulation(windows, mean, count):
    rng, trials = np.random.default_rng(count), 60_000
    number, hits = rng.poisson(windows * mean, trials), 0
    for n in np.unique(number[number >= count]):
        t = np.sort(rng.uniform(0, windows, ((number == n).sum(), n)), axis=1)
        hits += ((t[:, count - 1 :] - t[:, : n - count + 1]).min(axis=1) < 1).sum()
    assert scan_1d_p(windows=windows, mean=mean, count=count) == pytest.approx(hits / trials, abs=0.008)


def test_scan_of_a_series_edges():
    assert scan_1d_p(windows=10, mean=0.3, count=1) == pytest.approx(1 - math.exp(-3))
    assert scan_1d_p(windows=10, mean=500, count=2) == 1
    assert 0 <= scan_1d_p(windows=1000, mean=0.001, count=30) < 1e-9
    for bad in (dict(windows=1), dict(mean=0), dict(mean=math.nan), dict(count=0), dict(count=2.5)):
        with pytest.raises(ValueError, match="expected"):
            scan_1d_p(**{"windows": 10, "mean": 1, "count": 3, **bad})
