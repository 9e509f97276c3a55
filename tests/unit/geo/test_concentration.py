"""Concentration and repeat places: the published index written out, the ends derived, brute force, properties."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.evaluation import concentration, repeat_places


def published(counts):
    """The generalised index as Bernasco and Steenbeek print it, not scaled."""
    y = np.sort(np.asarray(counts, float)) / np.sum(counts)
    n, c = len(y), np.sum(counts)
    return max(1 / c, 1 / n) * (2 * np.sum(np.arange(1, n + 1) * y) - n - 1) - max(n / c, 1) + 1


def mean_difference(counts):
    """The plain index from all pairs."""
    counts = np.asarray(counts, float)
    return np.abs(counts[:, None] - counts).mean() / (2 * counts.mean())


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=40).filter(lambda v: sum(v) >= 2))
def test_both_indices_are_their_definitions(counts):
    found = concentration(counts)
    assert found.gini == pytest.approx(mean_difference(counts), abs=1e-12)
    whole = 1 - 1 / min(len(counts), sum(counts))
    assert found.gini_adjusted * whole == pytest.approx(published(counts), abs=1e-12)
    assert -1e-12 <= found.gini_adjusted <= 1 + 1e-12


@pytest.mark.parametrize(("places", "events"), [(10, 10), (10, 30), (10, 4), (1000, 17), (2, 2), (500, 499)])
def test_even_is_0_and_all_in_one_place_is_1_also_with_few_events(places, events):
    even = np.zeros(places)
    even[: min(events, places)] = max(1, events // places)
    one = np.zeros(places)
    one[places // 2] = events
    assert concentration(even).gini_adjusted == pytest.approx(0, abs=1e-12)
    assert concentration(one).gini_adjusted == pytest.approx(1)
    if events < places:
        assert concentration(even).gini == pytest.approx(1 - events / places)  # the bias of the plain index
        assert "少于地点" in concentration(even).note
    else:
        assert concentration(even).note == ""


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30).filter(any), st.randoms(use_true_random=False))
def test_the_curve_and_its_halves(counts, random):
    found = concentration(counts)
    ranked = sorted(counts, reverse=True)
    for share, places, pct in (
        (0.5, found.places_50, found.places_50_pct),
        (0.8, found.places_80, found.places_80_pct),
    ):
        assert sum(ranked[:places]) >= share * sum(counts) > sum(ranked[: places - 1]) - 1e-9
        assert pct == pytest.approx(100 * places / len(counts))
    assert found.events_pct[-1] == pytest.approx(100) and found.places_pct[-1] == pytest.approx(100)
    shuffled = list(counts)
    random.shuffle(shuffled)
    other = concentration(shuffled)
    np.testing.assert_allclose(other.events_pct, found.events_pct)
    assert other.gini == pytest.approx(found.gini)


def test_the_table_has_the_columns_of_the_80_20_analysis():
    table = concentration([1, 6, 0, 3]).table()
    assert table.position.tolist() == [1, 3, 0, 2] and table.icount.tolist() == [6, 3, 1, 0]
    np.testing.assert_allclose(table.perc, [60, 30, 10, 0])
    np.testing.assert_allclose(table.cumu_perc, [60, 90, 100, 100])
    places_pct, _events_pct, half, most, _gini = concentration([1, 6, 0, 3])
    np.testing.assert_allclose(places_pct, [25, 50, 75, 100])
    assert (half, most) == (25, 50)


def test_areas_make_it_a_curve_over_area():
    found = concentration([6, 3, 1], area=[6, 1, 3])
    assert found.order.tolist() == [1, 0, 2]  # by density
    np.testing.assert_allclose(found.places_pct, [10, 70, 100])
    np.testing.assert_allclose(found.events_pct, [30, 90, 100])
    assert (found.places_50, found.places_50_pct) == (2, pytest.approx(70)) and np.isnan(found.gini_adjusted)
    assert concentration([2, 4, 6], area=[1, 2, 3]).gini == pytest.approx(0, abs=1e-12)
    split = concentration([3, 3, 3, 1], area=[3, 3, 1, 3])  # cutting an even place in two changes nothing
    assert split.gini == pytest.approx(found.gini)


def test_concentration_of_little():
    nothing = concentration([0, 0])
    assert nothing.note == "没有事件" and np.isnan([nothing.gini, nothing.gini_adjusted, nothing.places_50_pct]).all()
    assert nothing.table().perc.isna().all()
    assert np.isnan(concentration([5]).gini_adjusted) and np.isnan(concentration([0, 1, 0]).gini_adjusted)
    assert concentration([]).places == 0
    with pytest.raises(ValueError, match="counts has 1 of 2 values missing or negative"):
        concentration([1, -1])
    with pytest.raises(ValueError, match="area has 1 of 2 values missing or not above 0"):
        concentration([1, 1], area=[1, 0])


# ---- repeat places


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), tolerance=st.sampled_from([0.0, 1.0, 2.5]))
def test_places_are_the_chains_of_brute_force(seed, tolerance):
    rng = np.random.default_rng(seed)
    xy, t = rng.integers(0, 12, (25, 2)).astype(float), rng.uniform(0, 100, 25)
    near = np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1)) <= tolerance
    for _ in range(25):
        near = near @ near
    groups = {tuple(np.flatnonzero(row)) for row in near}
    wanted = sorted((g for g in groups if len(g) >= 2), key=lambda g: (-len(g), *xy[list(g)].mean(axis=0)))
    found = repeat_places(xy, t, tolerance_m=tolerance)
    assert found.count.tolist() == [len(g) for g in wanted] and found.places == len(groups)
    for row, group in enumerate(wanted):
        members = list(group)
        assert np.flatnonzero(found.place == row).tolist() == members
        assert (found.first[row], found.last[row]) == (t[members].min(), t[members].max())
        np.testing.assert_allclose([found.x[row], found.y[row]], xy[members].mean(axis=0))
        assert found.share_pct[row] == pytest.approx(4 * len(group))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_rows_origin_and_a_stray_point_change_nothing(seed):
    rng = np.random.default_rng(seed)
    xy, t = rng.integers(0, 4, (40, 2)).astype(float), rng.uniform(0, 100, 40)
    found, order = repeat_places(xy, t, minimum=3), rng.permutation(40)
    shuffled = repeat_places(xy[order], t[order], minimum=3)
    shifted = repeat_places(xy + 4e6, t, minimum=3)
    stray = repeat_places(np.vstack([xy, (1e9, 1e9)]), np.append(t, 1), minimum=3)
    for other in (shuffled, shifted, stray):
        np.testing.assert_array_equal(other.count, found.count)
        np.testing.assert_array_equal(other.last, found.last)
    np.testing.assert_array_equal(shuffled.place, found.place[order])


def test_pile_ups_are_left_out_and_counted():
    xy = [(0, 0)] * 50 + [(7, 7)] * 3 + [(1, 5)]
    found = repeat_places(xy, exclude=[True] * 50 + [False] * 4)
    assert (found.count.tolist(), found.excluded, found.events, found.places) == ([3], 50, 4, 2)
    assert found.share_pct.tolist() == [75] and set(found.place[:50]) == {-1} and found.place[50] == 0
    assert np.isnan(found.first).all()


def test_identifiers_make_the_place():
    xy = [(0, 0), (0, 0), (500, 0), (9, 9)]
    found = repeat_places(xy, ids=["甲", "乙", "甲", "乙"])
    assert found.count.tolist() == [2, 2] and found.ids.tolist() == ["乙", "甲"]  # west first
    assert found.x.tolist() == [4.5, 250] and found.place.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("kind", ["numbers", "datetimes"])
def test_days_ask_for_events_close_together(kind):
    xy = [(0, 0)] * 3 + [(1, 1)] * 4 + [(2, 2)] * 3
    t = np.array([1.0, 31, 61, 1, 100, 130, 300, 5, 40, 90])
    if kind == "datetimes":
        t = np.datetime64("2026-01-01", "s") + (t * 86400).astype("timedelta64[s]")
    found = repeat_places(xy, t, days=30)
    assert found.count.tolist() == [4, 3] and found.place.tolist() == [1] * 3 + [0] * 4 + [-1] * 3
    assert found.last[0] == t[6] and found.first[1] == t[0]
    assert repeat_places(xy, t, days=30, minimum=3).count.size == 0
    assert repeat_places(xy, t, days=60, minimum=3).count.tolist() == [3]


def test_repeats_of_little_and_refusals():
    assert repeat_places(np.zeros((0, 2))).note == "没有事件"
    alone = repeat_places([(0, 0)])
    assert (alone.count.size, alone.note, alone.places) == (0, "没有满2起的地点", 1)
    assert repeat_places([(0, 0)] * 9, minimum=1).count.tolist() == [9]
    frame = gpd.GeoSeries(shapely.points([(120.0, 30.0)] * 2), crs=4490)
    for asked, message in (
        ({"xy": frame}, r"xy is in degrees \(EPSG:4490\)"),
        ({"xy": [(0, np.nan)]}, "1 of 1 points without coordinates"),
        ({"t": [1.0]}, r"t has shape \(1,\)"),
        ({"t": [1.0, np.nan]}, "1 missing"),
        ({"ids": ["a", pd.NA]}, "ids has shape .* 1 missing"),
        ({"days": 30}, "days is 30, expected 0 or more, with the times t"),
        ({"tolerance_m": -1}, "tolerance_m is -1"),
        ({"minimum": 0}, "minimum is 0"),
        ({"exclude": [True]}, "exclude has shape"),
    ):
        with pytest.raises(ValueError, match=message):
            repeat_places(**({"xy": [(0, 0), (0, 0)]} | asked))
