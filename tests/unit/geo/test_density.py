"""Kernel density against sums by brute force, scikit-learn and another package's printed map; what must not move it."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from sklearn.neighbors import KernelDensity

from geo.density import density_change, kernel_density

SQUARE = shapely.box(0, 0, 4000, 4000)
ELL = shapely.Polygon([(0, 0), (5000, 0), (5000, 2000), (2500, 2000), (2500, 4000), (0, 4000)])
HOLED = shapely.Polygon(shapely.Point(2000, 2000).buffer(1990).exterior, [shapely.box(1230, 1510, 2310, 2777).exterior])
PIECES = shapely.MultiPolygon([shapely.box(0, 0, 1333, 3210), shapely.box(2111, 777, 4000, 4000)])
SHAPES = {"square": SQUARE, "ell": ELL, "holed": HOLED, "pieces": PIECES}
KERNELS = ("quartic", "gaussian")


def events(shape, n, seed=0):
    """Uniform events inside a shape."""
    rng = np.random.default_rng(seed)
    x_min, y_min, x_max, y_max = shape.bounds
    xy = rng.uniform((x_min, y_min), (x_max, y_max), (8 * n, 2))
    return xy[shapely.intersects_xy(shape, xy)][:n]


def height(squared_m2, bandwidth_m, kernel):
    """The kernels as they are defined, in events per km2."""
    q = squared_m2 / bandwidth_m**2
    if kernel == "quartic":
        return 3e6 / (np.pi * bandwidth_m**2) * np.where(q < 1, (1 - q) ** 2, 0)
    return 1e6 / (2 * np.pi * bandwidth_m**2) * np.exp(-q / 2)


def kernels_at_cells(xy, surface):
    """Matrix of drawn cells x events, and which cells are drawn."""
    drawn = ~np.isnan(surface.values)
    x, y = (grid[drawn] for grid in np.meshgrid(surface.x_m, surface.y_m))
    squared = (x[:, None] - xy[:, 0]) ** 2 + (y[:, None] - xy[:, 1]) ** 2
    return height(squared, surface.bandwidth_m, surface.kernel), drawn


def share_of_peak(found, exact):
    return np.abs(found - exact).max() / exact.max()


# -- against the sum itself ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_sum_by_brute_force(shape, kernel):
    xy = events(SHAPES[shape], 300)
    for edge in (False, True):
        surface = kernel_density(xy, bandwidth_m=300, cell_m=100, boundary=SHAPES[shape], kernel=kernel, edge=edge)
        terms, drawn = kernels_at_cells(xy, surface)
        mass = terms.sum(axis=0) * 0.01 if edge else 1.0
        assert share_of_peak(surface.values[drawn], (terms / mass).sum(axis=1)) < 0.001


@pytest.mark.parametrize(
    ("kernel", "bandwidth_m", "bound"),
    [
        ("quartic", 100, 0.011),
        ("quartic", 150, 0.005),
        ("quartic", 300, 0.001),
        ("quartic", 1200, 0.001),
        ("gaussian", 100, 0.001),
        ("gaussian", 300, 0.0005),
        ("gaussian", 1000, 0.0005),
    ],
)
def test_a_single_event_anywhere_is_near_its_kernel(kernel, bandwidth_m, bound):
    """A pile-up is the worst case of binning: no other event makes up for what it is off."""
    for xy in events(ELL, 60)[:, None, :]:
        surface = kernel_density(xy, bandwidth_m=bandwidth_m, cell_m=100, boundary=ELL, kernel=kernel)
        terms, drawn = kernels_at_cells(xy, surface)
        assert share_of_peak(surface.values[drawn], terms[:, 0] / (terms.sum() * 0.01)) < bound


@pytest.mark.parametrize("bandwidth_m", [300, 331, 480, 900])
def test_a_single_event_on_a_large_grid(bandwidth_m):
    """Large grids have the fewest nodes a cell: the bound of 1 % holds there too, at the worst of 12 places."""
    field = shapely.box(0, 0, 80_000, 60_000)
    rng = np.random.default_rng(bandwidth_m)
    centres = np.array([(x, y) for x in (10_050, 30_050, 50_050, 70_050) for y in (10_050, 30_050, 50_050)])
    xy = centres + rng.uniform(-50, 50, centres.shape)
    xy[0] = centres[0] + 12.5  # midway between nodes
    surface = kernel_density(xy, bandwidth_m=bandwidth_m, cell_m=100, boundary=field)
    for east, north in xy:
        rows = np.abs(surface.y_m - north) < bandwidth_m + 200
        columns = np.abs(surface.x_m - east) < bandwidth_m + 200
        squared = (surface.x_m[columns] - east) ** 2 + (surface.y_m[rows, None] - north) ** 2
        exact = height(squared, bandwidth_m, "quartic")
        exact /= exact.sum() * 0.01
        assert share_of_peak(surface.values[np.ix_(rows, columns)], exact) < 0.008


def test_gaussian_edge_correction_is_the_mass_in_the_rectangle():
    field = shapely.box(0, 0, 4000, 2500)
    xy = events(field, 200, seed=3)
    surface = kernel_density(xy, bandwidth_m=400, cell_m=50, boundary=field, kernel="gaussian")
    terms, drawn = kernels_at_cells(xy, surface)
    (across, along) = ((ndtr((side - v) / 400) - ndtr(-v / 400)) for side, v in zip((4000, 2500), xy.T, strict=True))
    assert share_of_peak(surface.values[drawn], (terms / (across * along)).sum(axis=1)) < 0.002


def test_quartic_edge_correction_is_the_mass_in_the_rectangle():
    """Mass of the kernel in the rectangle by a fine sum, at a place 120 m from a corner's two sides."""
    surface = kernel_density([(120, 3880)], bandwidth_m=600, cell_m=50, boundary=SQUARE)
    fine = (np.arange(1600) + 0.5) * 2.5
    mass = height((fine - 120) ** 2 + (fine[:, None] - 3880) ** 2, 600, "quartic").sum() * 2.5**2 / 1e6
    assert 0.3 < mass < 0.6
    peak = height(np.array(50.0), 600, "quartic")  # the nearest centre is (125, 3875)
    assert surface.values[2, 2] == pytest.approx(peak / mass, rel=0.005)


def test_equals_scikit_learn_far_from_edges():
    rng = np.random.default_rng(4)
    xy = rng.normal((5000, 5000), 700, (500, 2))
    surface = kernel_density(
        xy, bandwidth_m=250, cell_m=100, boundary=shapely.box(0, 0, 10_000, 10_000), kernel="gaussian"
    )
    x, y = np.meshgrid(surface.x_m, surface.y_m)
    model = KernelDensity(kernel="gaussian", bandwidth=250).fit(xy)
    peer = np.exp(model.score_samples(np.column_stack([x.ravel(), y.ravel()]))).reshape(x.shape) * 500 * 1e6
    assert share_of_peak(surface.values, peer) < 0.0005


def test_equals_the_printed_map_of_sfhotspot(real_data):
    """Its kernel is (1 - d^2/h^2)^2 without a unit; the first nine cells it prints, in its order."""
    folder = real_data / "statref/memphis"
    printed = (folder / "published_example_output.txt").read_text().split("cell size 200 m; bandwidth 1000 m")[1]
    printed = [float(v) for v in re.findall(r"^ *\d+ +\d+ +([\d.]+) +\(\(", printed, re.M)[:9]]
    assert printed[0] == 0.0658
    table = pd.read_csv(folder / "memphis_robberies_jan.csv")
    robberies = gpd.GeoSeries(gpd.points_from_xy(table.longitude, table.latitude), crs=4326).to_crs(32615)
    field = gpd.GeoSeries([shapely.box(762136.2, 3876586, 794136.2, 3905386)], crs=32615)
    surface = kernel_density(robberies, bandwidth_m=1000, cell_m=200, boundary=field, edge=False)
    first = round((771936.2 - 762136.2) / 200)
    found = surface.values[-1, first : first + 9] * np.pi / 3
    assert found.tolist() == pytest.approx(printed, abs=0.004)  # 1.00 is printed with three digits


def test_equal_variance_is_a_radius_of_root_8_deviations():
    for kernel, bandwidth_m in (("quartic", 400 * 8**0.5), ("gaussian", 400)):
        surface = kernel_density(
            [(5000, 5000)],
            bandwidth_m=bandwidth_m,
            cell_m=100,
            boundary=shapely.box(0, 0, 10_000, 10_000),
            kernel=kernel,
        )
        weight = surface.values / surface.values.sum()
        assert np.sqrt((weight.sum(axis=0) * (surface.x_m - 5000) ** 2).sum()) == pytest.approx(400, rel=0.002)
        assert np.sqrt((weight.sum(axis=1) * (surface.y_m - 5000) ** 2).sum()) == pytest.approx(400, rel=0.002)


# -- mass and edge ---------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(SHAPES)), st.sampled_from(KERNELS), st.integers(1, 400), st.floats(30, 700), st.floats(1, 9)
)
def test_the_mass_is_the_number_of_events(shape, kernel, n, cell_m, bandwidth_cells):
    xy = events(SHAPES[shape], n, seed=n)
    surface = kernel_density(
        xy, bandwidth_m=cell_m * bandwidth_cells, cell_m=cell_m, boundary=SHAPES[shape], kernel=kernel
    )
    assert (surface.n, surface.outside) == (n, 0)
    assert np.nansum(surface.values) * cell_m**2 / 1e6 == pytest.approx(n, rel=1e-9)
    assert surface.mass == pytest.approx(n, rel=1e-9)
    assert np.nanmin(surface.values) >= 0


def test_corners_and_borders_are_inside_and_keep_their_mass():
    xy = [(0, 0), (4000, 0), (0, 4000), (4000, 4000), (2000, 0), (4000, 1234), (0, 77), (12, 4000)]
    for cell_m in (100, 130, 999):
        surface = kernel_density(xy, bandwidth_m=1000, cell_m=cell_m, boundary=SQUARE)
        assert (surface.n, surface.outside) == (8, 0)
        assert surface.mass == pytest.approx(8, rel=1e-9)


def test_events_in_a_sliver_without_cells_stay_and_stay_near():
    """A spit 20 m wide and 2 km long: no cell centre within the radius of an event at its tip."""
    spit = shapely.union_all([shapely.box(0, 0, 2000, 2000), shapely.box(2000, 990, 4000, 1010)])
    for kernel in KERNELS:
        surface = kernel_density([(3990, 1000)] * 5, bandwidth_m=200, cell_m=90, boundary=spit, kernel=kernel)
        assert surface.n == 5
        assert surface.mass == pytest.approx(5, rel=1e-9)
        row, column = np.unravel_index(np.nanargmax(surface.values), surface.values.shape)
        assert surface.x_m[column] > 1900
        assert abs(surface.y_m[row] - 1000) < 90


def test_events_in_a_sliver_between_two_parts_go_to_the_nearer():
    parts = [shapely.box(0, 0, 1000, 1000), shapely.box(2000, 0, 3000, 1000), shapely.box(1000, 505, 2000, 525)]
    for east, left in ((1460, 7), (1540, 0)):
        surface = kernel_density([(east, 515)] * 7, bandwidth_m=200, cell_m=100, boundary=shapely.union_all(parts))
        assert np.nansum(surface.values[:, :10]) * 0.01 == pytest.approx(left, abs=1e-9)
        assert surface.mass == pytest.approx(7, rel=1e-9)


def test_uniform_events_droop_at_the_border_and_the_correction_makes_up_for_it():
    """This correction keeps the mass; right on the border it lifts 0.5 to 0.7 only, and the rest stands just inside."""
    side = (np.arange(400) + 0.5) * 10
    xy = np.array([(x, y) for x in side for y in side])
    for kernel, bandwidth_m in (("quartic", 600), ("gaussian", 200)):
        corrected, plain = (
            kernel_density(xy, bandwidth_m=bandwidth_m, cell_m=50, boundary=SQUARE, kernel=kernel, edge=edge).values
            / 10_000
            for edge in (True, False)
        )
        assert corrected[40, 40] == pytest.approx(1, rel=0.002) and plain[40, 40] == pytest.approx(1, rel=0.002)
        assert plain[40, 0] < 0.56 and plain[0, 0] < 0.31
        assert corrected[40, 0] > 0.7 and corrected[0, 0] > 0.5
        assert corrected.max() < 1.2
        band = slice(0, 12)  # 600 m from the western border
        assert corrected[40, band].mean() == pytest.approx(1, abs=0.015)
        assert plain[40, band].mean() < 0.9
        assert corrected.mean() == pytest.approx(1, rel=1e-9)


def test_without_correction_interior_events_keep_their_mass_and_border_events_lose_half():
    inner = kernel_density([(2000, 2000)] * 4, bandwidth_m=600, cell_m=50, boundary=SQUARE, edge=False)
    assert inner.mass == pytest.approx(4, rel=0.001)
    border = kernel_density([(0, 2000)] * 4, bandwidth_m=600, cell_m=50, boundary=SQUARE, edge=False)
    assert border.mass == pytest.approx(2, rel=0.001)


def test_cells_are_drawn_where_their_centre_is_inside():
    surface = kernel_density(events(HOLED, 20), bandwidth_m=300, cell_m=70, boundary=HOLED)
    x, y = np.meshgrid(surface.x_m, surface.y_m)
    assert np.array_equal(~np.isnan(surface.values), shapely.contains_xy(HOLED, x, y))
    assert 0 < np.isnan(surface.values).mean() < 1


# -- orientation and what must not move it ---------------------------------------------------------------------------


def test_row_0_is_north_and_column_0_is_west():
    surface = kernel_density([(3950, 3950), (3950, 3950), (50, 50)], bandwidth_m=300, cell_m=100, boundary=SQUARE)
    assert np.unravel_index(np.argmax(surface.values), surface.values.shape) == (0, 39)
    assert surface.values[39, 0] > 0 and surface.values[0, 0] == 0 and surface.values[39, 39] == 0
    assert surface.origin_m == (0, 4000)
    assert (surface.y_m[0], surface.x_m[0], surface.y_m[-1]) == (3950, 50, 50)


@pytest.mark.parametrize("kernel", KERNELS)
def test_reflecting_and_turning_the_events_turns_the_map(kernel):
    def mapped(xy, shape):
        return kernel_density(xy, bandwidth_m=370, cell_m=100, boundary=shape, kernel=kernel).values

    def close(a, b):
        np.testing.assert_allclose(a, b, rtol=0, atol=0.004 * np.nanmax(b))  # another place among the nodes

    xy, base = events(ELL, 80, seed=5), mapped(events(ELL, 80, seed=5), ELL)
    assert base.shape == (40, 50)
    close(mapped([5000, 0] + xy * [-1, 1], shapely.transform(ELL, lambda p: [5000, 0] + p * [-1, 1])), base[:, ::-1])
    close(mapped([0, 4000] + xy * [1, -1], shapely.transform(ELL, lambda p: [0, 4000] + p * [1, -1])), base[::-1])
    close(
        mapped([4000, 0] + xy[:, ::-1] * [-1, 1], shapely.transform(ELL, lambda p: [4000, 0] + p[:, ::-1] * [-1, 1])),
        np.rot90(base),
    )


@settings(max_examples=25, deadline=None)
@given(st.floats(-2e6, 2e6), st.floats(-5e6, 5e6), st.sampled_from(sorted(SHAPES)))
def test_shifting_events_and_boundary_changes_nothing(east, north, shape):
    shape, xy, by = SHAPES[shape], events(SHAPES[shape], 60, seed=6), np.array([east, north])
    here = kernel_density(xy, boundary=shape)
    there = kernel_density(xy + by, boundary=shapely.transform(shape, lambda p: p + by))
    assert there.cell_m == here.cell_m
    assert there.bandwidth_m == pytest.approx(here.bandwidth_m, rel=1e-9)
    np.testing.assert_allclose(there.values, here.values, rtol=0, atol=1e-7 * np.nanmax(here.values))
    assert there.bounds_m == pytest.approx(np.add(here.bounds_m, [*by, *by]), abs=1e-6)


def test_centres_on_the_border_do_not_hang_on_rounding():
    """40.5 by 30.5 cells: the last column and row have their centres right on the border, wherever the origin is."""
    field = shapely.box(17.3, 5.9, 17.3 + 40.5 * 33.3, 5.9 + 30.5 * 33.3)
    for by in np.random.default_rng(0).uniform(-1e6, 1e6, (20, 2)):
        moved = shapely.transform(field, lambda p, by=by: p + by)
        surface = kernel_density(np.array([(500, 500)]) + by, bandwidth_m=200, cell_m=33.3, boundary=moved)
        assert surface.values.shape == (31, 41)
        assert not np.isnan(surface.values).any()


@pytest.mark.parametrize("kernel", KERNELS)
def test_pile_ups_and_strays_move_neither_grid_nor_bandwidth(kernel):
    xy = events(ELL, 250, seed=7)
    plain = kernel_density(xy, boundary=ELL, kernel=kernel)
    piled = kernel_density(np.vstack([xy, np.repeat(xy[:1], 10_000, axis=0)]), boundary=ELL, kernel=kernel)
    stray = kernel_density(np.vstack([xy, [(1e6, 0), (0, -1e6), (0, 4100)]]), boundary=ELL, kernel=kernel)
    for other in (piled, stray):
        assert (other.bounds_m, other.cell_m, other.values.shape) == (plain.bounds_m, plain.cell_m, plain.values.shape)
        assert other.bandwidth_m == pytest.approx(plain.bandwidth_m, rel=1e-12)
    assert (piled.n, piled.outside) == (10_250, 0)
    assert piled.mass == pytest.approx(10_250, rel=1e-9)
    assert (stray.n, stray.outside) == (250, 3)
    np.testing.assert_allclose(stray.values, plain.values, rtol=1e-9)
    assert stray.note == "3 起在边界外，未计入"


def test_a_pile_up_at_a_new_place_weighs_as_one_place():
    xy = events(ELL, 250, seed=7)
    once, often = (kernel_density(np.vstack([xy, [(200.0, 300.0)] * k]), boundary=ELL) for k in (1, 10_000))
    assert once.bandwidth_m == often.bandwidth_m
    assert once.bandwidth_m == pytest.approx(kernel_density(xy, boundary=ELL).bandwidth_m, rel=0.01)


def test_order_does_not_matter_and_repeats_add_up():
    xy = events(HOLED, 200, seed=8)
    plain = kernel_density(xy, boundary=HOLED)
    shuffled = kernel_density(np.random.default_rng(0).permutation(xy), boundary=HOLED)
    thrice = kernel_density(np.repeat(xy, 3, axis=0), boundary=HOLED)
    atol = 1e-9 * np.nanmax(plain.values)
    np.testing.assert_allclose(shuffled.values, plain.values, rtol=0, atol=atol)
    np.testing.assert_allclose(thrice.values, 3 * plain.values, rtol=0, atol=3 * atol)
    assert thrice.bandwidth_m == shuffled.bandwidth_m == pytest.approx(plain.bandwidth_m, rel=1e-12)


def test_the_boundary_may_come_in_pieces_and_layers():
    halves = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 2000, 4000), shapely.box(2000, 0, 4000, 4000)], crs=32650)
    xy = events(SQUARE, 50)
    whole = kernel_density(xy, bandwidth_m=400, cell_m=100, boundary=SQUARE)
    for given_xy in (
        xy,
        gpd.GeoSeries(gpd.points_from_xy(*xy.T), crs=32650),
        gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T)),
    ):
        pieces = kernel_density(given_xy, bandwidth_m=400, cell_m=100, boundary=halves)
        np.testing.assert_allclose(pieces.values, whole.values, rtol=1e-12)


def test_nothing_of_the_caller_changes_and_nothing_of_the_result_can():
    for xy in (np.array([[100.0, 200.0]]), events(SQUARE, 5), np.asfortranarray(events(SQUARE, 5))):
        before = xy.copy()
        surface = kernel_density(xy, bandwidth_m=400, cell_m=100, boundary=SQUARE)
        assert np.array_equal(xy, before)
    with pytest.raises(ValueError, match="read-only"):
        surface.values[0, 0] = 1
    with pytest.raises(FrozenInstanceError):
        surface.n = 3
    values, x_m, y_m = surface
    assert values is surface.values and x_m.shape == y_m.shape == (40,)


# -- what is chosen automatically ------------------------------------------------------------------------------------


def test_automatic_bandwidth_is_the_stated_rule():
    xy = events(ELL, 300, seed=9)
    places = np.unique(xy, axis=0)
    distance = np.hypot(*(places - places.mean(axis=0)).T)
    radius = 0.9 * min(np.sqrt((distance**2).mean()), np.median(distance) / np.sqrt(np.log(2))) * 300**-0.2
    quartic = kernel_density(np.vstack([xy, xy[:40]]), boundary=ELL)
    assert (quartic.bandwidth_rule, quartic.cell_rule) == ("standard distance", "by bandwidth")
    assert quartic.bandwidth_m == pytest.approx(radius, rel=1e-9)
    assert kernel_density(xy, boundary=ELL, kernel="gaussian").bandwidth_m == pytest.approx(radius / 8**0.5, rel=1e-9)


def test_automatic_bandwidth_looks_at_both_axes():
    """The reference tool that peers.md tells of takes the spread of x alone."""
    field, xy = shapely.box(0, 0, 40_000, 40_000), events(SQUARE, 200, seed=10)
    base, tall, wide = (kernel_density(xy * by, boundary=field).bandwidth_m for by in ((1, 1), (1, 9), (9, 1)))
    assert tall > 3 * base and wide > 3 * base
    street = np.column_stack([np.full(50, 2000.0), np.linspace(100, 3900, 50)])
    for line in (street, street[:, ::-1]):
        assert 300 < kernel_density(line, boundary=SQUARE).bandwidth_m < 800


def test_automatic_bandwidth_hardly_heeds_a_few_far_events_inside():
    field = shapely.box(0, 0, 30_000, 30_000)
    xy = np.random.default_rng(1).normal(15_000, 1000, (300, 2))
    far = np.vstack([xy, np.random.default_rng(2).uniform(0, 30_000, (6, 2))])
    first, second = (kernel_density(v, boundary=field, kernel="gaussian").bandwidth_m for v in (xy, far))
    assert second < 1.25 * first


@pytest.mark.parametrize("side_m", [3, 40, 900, 5000, 60_000, 300_000])
def test_automatic_cells_suit_any_size_of_town(side_m):
    town = shapely.box(1e5, 1e6, 1e5 + side_m, 1e6 + 0.7 * side_m)
    for kernel, deviation in (("quartic", 8**-0.5), ("gaussian", 1)):
        surface = kernel_density(events(town, 100), boundary=town, kernel=kernel)
        assert 0 < surface.cell_m <= surface.bandwidth_m * deviation / 1.5
        assert surface.values.size < 300_000
        assert surface.mass == pytest.approx(100, rel=1e-9)
    small = kernel_density(events(town, 100), bandwidth_m=side_m / 300, boundary=town)
    assert small.cell_m <= small.bandwidth_m
    first_digits = surface.cell_m / 10 ** np.floor(np.log10(surface.cell_m) + 1e-9)
    assert np.isclose(first_digits, [1, 1.5, 2, 3, 4, 5, 6, 8]).any()


@pytest.mark.parametrize("turned_deg", [0, 31, 90])
def test_a_thin_boundary_gets_cells_that_fit_into_it(turned_deg):
    strip, along = (
        shapely.affinity.rotate(shape, turned_deg, (1500, 4))
        for shape in (shapely.box(0, 0, 3000, 8), shapely.MultiPoint([(x, 4) for x in range(50, 3000, 100)]))
    )
    surface = kernel_density(shapely.get_coordinates(along), bandwidth_m=1000, boundary=strip)
    assert surface.n == 30
    assert surface.mass == pytest.approx(30, rel=1e-9)
    assert (~np.isnan(surface.values)).sum() > 1


def test_no_event_gives_zeros_and_says_so():
    for xy in (np.zeros((0, 2)), [], [(9e6, 9e6)]):
        surface = kernel_density(xy, boundary=ELL)
        assert (surface.n, surface.mass, surface.bandwidth_rule) == (0, 0, "eighth of frame")
        assert np.nanmax(surface.values) == 0
        assert np.isnan(surface.values).any()
        assert "边界内没有事件" in surface.note
    assert "1 起在边界外" in surface.note
    assert surface.bandwidth_m == pytest.approx(4000 / 8 * 8**0.5)
    assert kernel_density([], boundary=ELL, kernel="gaussian").bandwidth_m == 500


@pytest.mark.parametrize("n", [1, 50])
def test_events_at_one_place_say_so(n):
    surface = kernel_density([(1234, 567)] * n, boundary=ELL)
    assert surface.bandwidth_rule == "eighth of frame"
    assert surface.mass == pytest.approx(n, rel=1e-9)
    assert surface.note == f"{n} 起同在一处，图形只是核的形状；不足两处，带宽按边界外框短边的八分之一取"
    assert kernel_density([(1234, 567)] * n, bandwidth_m=400, boundary=ELL).note == f"{n} 起同在一处，图形只是核的形状"


def test_a_few_places_in_one_yard_do_not_ask_for_a_grid_without_end():
    for kernel in KERNELS:
        surface = kernel_density([(1234, 567), (1235, 567), (1234.5, 568)], boundary=ELL, kernel=kernel)
        assert surface.bandwidth_rule == "finest grid"
        assert surface.note == "各处过于集中，带宽按网格能表示的最小值取"
        assert surface.bandwidth_m < 30 and surface.values.size < 3_000_000
        assert surface.mass == pytest.approx(3, rel=1e-9)
    assert kernel_density([(1234, 567), (1734, 567)], boundary=ELL).note == ""


# -- refusals --------------------------------------------------------------------------------------------------------


def test_wrong_input_is_refused_by_name():
    good = {"bandwidth_m": 300, "cell_m": 100, "boundary": SQUARE}
    xy = [(1000, 1000)]
    degrees = gpd.GeoSeries([shapely.Point(113, 35)], crs=4490)
    county = gpd.GeoSeries([shapely.box(113, 34, 114, 35)], crs=4490)
    for wrong, match in [
        ({"kernel": "uniform"}, "kernel is 'uniform', expected one of quartic, gaussian"),
        ({"bandwidth_m": 0}, "bandwidth_m is 0, expected a number above 0"),
        ({"bandwidth_m": np.nan}, "bandwidth_m is nan"),
        ({"cell_m": -5}, "cell_m is -5"),
        ({"days": 0}, "days is 0"),
        ({"bandwidth_m": 99}, r"bandwidth_m=99 \(given\) is below cell_m=100"),
        ({"cell_m": 5000, "bandwidth_m": 8000, "boundary": shapely.box(0, 0, 4000, 2400)}, "no cell of cell_m=5000"),
        ({"boundary": county}, "boundary is in degrees"),
        ({"boundary": shapely.LineString([(0, 0), (1, 1)])}, "no area"),
    ]:
        with pytest.raises(ValueError, match=match):
            kernel_density(xy, **{**good, **wrong})
    for wrong_xy, match in [
        (degrees, "xy is in degrees"),
        ([(1, np.nan)], "1 of 1 points without coordinates"),
        ([1, 2, 3], "shape"),
    ]:
        with pytest.raises(ValueError, match=match):
            kernel_density(wrong_xy, **good)
    zone = gpd.GeoSeries([SQUARE], crs=32650)
    with pytest.raises(ValueError, match="xy is in EPSG:32649 and boundary in EPSG:32650"):
        kernel_density(gpd.GeoSeries([shapely.Point(1, 1)], crs=32649), bandwidth_m=300, cell_m=100, boundary=zone)


def test_too_many_cells_are_refused_with_a_remedy_that_works():
    county = shapely.box(0, 0, 90_000, 50_000)
    with pytest.raises(ValueError, match="expected at most 4,000,000") as refused:
        kernel_density([(1, 1)], bandwidth_m=100, cell_m=10, boundary=county, edge=False)
    cell_m = float(re.search(r"use cell_m=([\d.]+)", str(refused.value))[1])
    surface = kernel_density([(1, 1)], bandwidth_m=100, cell_m=cell_m, boundary=county, edge=False)
    assert 3_500_000 < surface.values.size <= 4_000_000
    with pytest.raises(ValueError, match="4,000,000"):
        kernel_density([(1, 1)], bandwidth_m=3, boundary=county)


# -- change ----------------------------------------------------------------------------------------------------------

GRID = {"bandwidth_m": 500, "cell_m": 100, "boundary": ELL}


def test_change_is_the_difference_and_the_log_ratio():
    a, b = events(ELL, 90, seed=11), events(ELL, 70, seed=12)
    now, before = kernel_density(a, **GRID), kernel_density(b, **GRID)
    change = density_change(now, before)
    np.testing.assert_array_equal(change.values, now.values - before.values)
    assert np.nansum(change.values) * 0.01 == pytest.approx(20, rel=1e-9)
    both = (now.values > change.floor_per_km2) & (before.values > change.floor_per_km2)
    assert both.sum() > 400
    np.testing.assert_allclose(change.log2_ratio[both], np.log2(now.values[both] / before.values[both]))
    assert change.floor_per_km2 == pytest.approx(3e6 / (np.pi * 500**2))
    assert (change.scale, change.n, change.n_before, change.note) == (1, 90, 70, "")
    values, ratio = change
    assert values is change.values and ratio is change.log2_ratio


def test_windows_of_unequal_length_are_scaled_to_now():
    xy = events(ELL, 60, seed=13)
    now, before = kernel_density(xy, days=7, **GRID), kernel_density(np.repeat(xy, 4, axis=0), days=28, **GRID)
    change = density_change(now, before)
    assert (change.scale, change.days, change.days_before) == (0.25, 7, 28)
    assert np.nanmax(np.abs(change.values)) < 1e-9
    assert np.nanmax(np.abs(change.log2_ratio)) < 1e-9
    assert change.note == "两期长短不同，前期 28 天按 0.25 倍折算为 7 天"
    assert density_change(before, now).scale == 4


def test_the_ratio_does_not_explode_over_an_empty_base():
    now, none = kernel_density([(1050, 1050)] * 8, **GRID), kernel_density([], **GRID)
    for change, sign in ((density_change(now, none), 1), (density_change(none, now), -1)):
        known = change.log2_ratio[~np.isnan(change.log2_ratio)]
        assert 0 < known.size < 100  # where now is above the floor: a part of the 79 cells under the kernel
        assert np.all(sign * known >= 0) and np.abs(known).max() == pytest.approx(3, abs=0.02)  # 8 events over one
    assert density_change(now, none).note == "前期没有事件"
    assert np.isnan(density_change(none, none).log2_ratio).all()
    assert np.isnan(density_change(now, none, floor_per_km2=1000).log2_ratio).all()


def test_unlike_surfaces_are_refused():
    xy = events(ELL, 20)
    now = kernel_density(xy, **GRID)
    for other, match in [
        ({"bandwidth_m": 400}, "bandwidth_m is 500.0 now and 400.0 before"),
        ({"cell_m": 50}, "cell_m"),
        ({"kernel": "gaussian"}, "kernel"),
        ({"edge": False}, "edge"),
        ({"boundary": SQUARE}, "bounds_m"),
        ({"boundary": ELL.difference(shapely.box(1000, 1000, 1500, 1500))}, "different cells"),
        ({"days": 7}, "days is None now and 7 before"),
    ]:
        with pytest.raises(ValueError, match=match):
            density_change(now, kernel_density(xy, **{**GRID, **other}))
    with pytest.raises(ValueError, match="floor_per_km2 is 0"):
        density_change(now, now, floor_per_km2=0)


# -- a real city -----------------------------------------------------------------------------------------------------


def test_a_year_of_memphis(real_data):
    folder = real_data / "statref/memphis"
    table = pd.read_csv(folder / "memphis_robberies.csv")
    robberies = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table.longitude, table.latitude), crs=4326).to_crs(
        32615
    )
    precincts = gpd.read_file(f"/vsigzip/{folder}/memphis_precincts.geojson.gz").to_crs(32615)  # one of nine is invalid
    inside = int(robberies.intersects(precincts.geometry.make_valid().union_all()).sum())
    assert 2200 < inside < len(robberies)
    surface = kernel_density(robberies, boundary=precincts, days=365)
    assert (surface.n, surface.outside) == (inside, len(robberies) - inside)
    assert surface.mass == pytest.approx(inside, rel=1e-9)
    assert 1000 < surface.bandwidth_m < 2500 and surface.cell_m == 150  # sfhotspot's own rule gives 8,877 m here
    plain = kernel_density(robberies, boundary=precincts, edge=False)
    drawn = np.argwhere(~np.isnan(plain.values))
    some = drawn[np.random.default_rng(0).choice(len(drawn), 400, replace=False)]
    x, y = plain.x_m[some[:, 1]], plain.y_m[some[:, 0]]
    xy = robberies.get_coordinates().to_numpy()[robberies.within(precincts.make_valid().union_all())]
    exact = height((x[:, None] - xy[:, 0]) ** 2 + (y[:, None] - xy[:, 1]) ** 2, plain.bandwidth_m, "quartic").sum(
        axis=1
    )
    assert np.abs(plain.values[tuple(some.T)] - exact).max() < 0.001 * np.nanmax(plain.values)
    late = robberies.date >= "2019-07-01"
    same = {"bandwidth_m": 1500, "cell_m": 150, "boundary": precincts}
    change = density_change(
        kernel_density(robberies[late], days=184, **same), kernel_density(robberies[~late], days=181, **same)
    )
    assert np.nansum(change.values) * 0.15**2 == pytest.approx(change.n - change.n_before * 184 / 181, rel=1e-9)
