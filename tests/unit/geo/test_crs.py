"""Datum shifts against published vectors, projections against EPSG, and the evidence on a file's datum."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod
from shapely import box

from geo import crs
from geo.crs import (
    UNDECIDED,
    bd09_to_gcj02,
    bd09_to_wgs84,
    detect_datum,
    detect_datum_polygons,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    guess_cgcs2000_zone,
    metre_crs,
    transform,
    wgs84_to_gcj02,
    xy_swapped,
)
from geo.evaluation import repeat_places
from geo.metres import metre_shape, metre_xy
from geo.regions import RegionIndex, area_m2, assign
from geo.siting import maximal_cover

# From the tests and README files of coordtransform, eviltransform and gcoord, recomputed; tolerance in degrees.
VECTORS = [
    (wgs84_to_gcj02, (116.404, 39.915), (116.41024449916938, 39.91640428150164), 1e-12),
    (gcj02_to_wgs84, (116.404, 39.915), (116.39775550083061, 39.91359571849836), 1e-5),  # published: one step
    (gcj02_to_bd09, (116.404, 39.915), (116.41036949371029, 39.92133699351021), 1e-12),
    (bd09_to_gcj02, (116.404, 39.915), (116.39762729119315, 39.90865673957631), 1e-5),  # published: one step
    (bd09_to_gcj02, (116.404, 39.915), (116.3976270878572, 39.9086563394784), 1e-11),
    (wgs84_to_gcj02, (121.5272106, 31.1774276), (121.531541859215, 31.17530398364597), 1e-12),
    (wgs84_to_gcj02, (116.377817, 39.911954), (116.38404722455657, 39.91334545536069), 1e-12),
    (gcj02_to_wgs84, (123, 45), (122.99395581, 44.99804062), 1e-8),
    (gcj02_to_wgs84, (123, 45), (122.99395597, 44.99804071), 1e-5),
    (gcj02_to_bd09, (123, 45), (123.006365, 45.006369), 1e-6),
    (wgs84_to_gcj02, (113.6192856, 34.7478004), (113.6253334, 34.7466173), 1e-5),
    (gcj02_to_bd09, (113.6253334, 34.7466173), (113.6317519, 34.7528605), 1e-7),
    (wgs84_to_gcj02, (123.4253306, 41.8032629), (123.4314787, 41.8057023), 1e-5),
    (gcj02_to_bd09, (123.4314787, 41.8057023), (123.438095, 41.8114013), 1e-7),
]
# City triples of gcoord, from map services: WGS 84, GCJ-02, BD-09.
CITIES = [
    ((113.6192856, 34.7478004), (113.6253334, 34.7466173), (113.6317519, 34.7528605)),  # 郑州
    ((123.4253306, 41.8032629), (123.4314787, 41.8057023), (123.438095, 41.8114013)),  # 沈阳
]
PAIRS = [(wgs84_to_gcj02, gcj02_to_wgs84), (gcj02_to_bd09, bd09_to_gcj02)]
EVERY = [wgs84_to_gcj02, gcj02_to_wgs84, gcj02_to_bd09, bd09_to_gcj02, bd09_to_wgs84]


@pytest.mark.parametrize(("shift", "given_", "expected", "tolerance"), VECTORS)
def test_published_vectors(shift, given_, expected, tolerance):
    np.testing.assert_allclose(shift(*given_), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("wgs", "gcj", "bd"), CITIES)
def test_city_triples_both_ways(wgs, gcj, bd):
    """The services agree with the formula within 6e-6 degrees for GCJ-02, within 1e-7 for BD-09."""
    for shift, start, end, tolerance in (
        (wgs84_to_gcj02, wgs, gcj, 1e-5),
        (gcj02_to_wgs84, gcj, wgs, 1e-5),
        (gcj02_to_bd09, gcj, bd, 1e-7),
        (bd09_to_gcj02, bd, gcj, 1e-7),
        (bd09_to_wgs84, bd, wgs, 1e-5),
    ):
        np.testing.assert_allclose(shift(*start), end, rtol=0, atol=tolerance)
    np.testing.assert_allclose(gcj02_to_bd09(*wgs84_to_gcj02(*wgs)), bd, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("there", "back"), PAIRS)
def test_every_published_point_comes_back_within_1e12(there, back):
    given_ = np.array([point for _, point, _, _ in VECTORS] + [city[i] for city in CITIES for i in range(3)]).T
    np.testing.assert_allclose(back(*there(*given_)), given_, rtol=0, atol=1e-12)
    np.testing.assert_allclose(there(*back(*given_)), given_, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shift", EVERY)
def test_the_edge_of_the_box_is_inside_and_what_follows_is_not(shift):
    west, south, east, north = crs.CHINA_BOX
    assert (west, south, east, north) == (72.004, 0.8293, 137.8347, 55.8271)
    inside = np.array([(west, 30.0), (east, 30.0), (110.0, south), (110.0, north)]).T
    outside = np.array([(west - 1e-6, 30.0), (east + 1e-6, 30.0), (110.0, south - 1e-6), (110.0, north + 1e-6)]).T
    assert (np.abs(np.array(shift(*inside)) - inside).max(axis=0) > 1e-4).all()
    np.testing.assert_array_equal(shift(*outside), outside)


@pytest.mark.parametrize("shift", EVERY)
def test_outside_china_and_nan_are_returned_unchanged(shift):
    lon = np.array([183.0, -75.16, 72.003, 137.835, 110.0, 110.0, np.nan, 116.0, np.inf])
    lat = np.array([45.0, 39.95, 30.0, 30.0, 0.82, 55.83, 39.0, np.nan, 40.0])
    x, y = shift(lon, lat)
    np.testing.assert_array_equal(x, lon)
    np.testing.assert_array_equal(y, lat)


@pytest.mark.parametrize("shift", EVERY)
def test_arrays_scalars_and_shapes_agree_and_the_input_stays(shift):
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(75, 133, (7, 5)), rng.uniform(18, 53, (7, 5))
    before = lon.copy(), lat.copy()
    x, y = shift(lon, lat)
    assert x.shape == y.shape == (7, 5)
    np.testing.assert_array_equal([lon, lat], before)
    one = shift(float(lon[3, 2]), float(lat[3, 2]))
    np.testing.assert_allclose(one, (x[3, 2], y[3, 2]), rtol=0, atol=1e-12)
    assert np.ndim(one[0]) == 0
    assert shift([], [])[0].shape == (0,)


@pytest.mark.parametrize(("there", "back"), PAIRS)
@settings(max_examples=100, deadline=None)
@given(lon=st.floats(73, 136), lat=st.floats(3, 54))
def test_round_trips_within_1e9(there, back, lon, lat):
    np.testing.assert_allclose(back(*there(lon, lat)), (lon, lat), rtol=0, atol=1e-9)
    np.testing.assert_allclose(there(*back(lon, lat)), (lon, lat), rtol=0, atol=1e-9)


def test_bd09_to_wgs84_goes_by_gcj02():
    lon, lat = np.array([100.1, 116.4, 121.5]), np.array([25.5, 39.9, 31.2])
    np.testing.assert_allclose(bd09_to_wgs84(*gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))), (lon, lat), rtol=0, atol=1e-9)


def test_many_points_are_shifted_block_by_block_alike():
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(70, 140, 280_000), rng.uniform(0, 57, 280_000)
    x, y = wgs84_to_gcj02(lon, lat)
    some = rng.integers(0, lon.size, 50)
    single = np.array([wgs84_to_gcj02(a, b) for a, b in zip(lon[some], lat[some], strict=True)])
    np.testing.assert_allclose(np.column_stack([x, y])[some], single, rtol=0, atol=1e-12)


def test_the_shift_of_a_beijing_point_is_556_m_and_890_m():
    geod = Geod(ellps="WGS84")
    gcj = wgs84_to_gcj02(116.404, 39.915)
    bd = gcj02_to_bd09(*gcj)
    assert geod.inv(116.404, 39.915, *gcj)[2] == pytest.approx(556, abs=1)
    assert geod.inv(*gcj, *bd)[2] == pytest.approx(890, abs=5)
    again = wgs84_to_gcj02(*gcj)  # converting twice moves the point again
    assert geod.inv(*gcj, *again)[2] == pytest.approx(550, abs=10)


@pytest.mark.parametrize(("lon", "lat", "epsg", "east", "north"), [
    (120.0, 30.0, 4549, 500000.000, 3320113.398),
    (120.0, 30.0, 4528, 40500000.000, 3320113.398),
    (119.9183831, 32.4580023, 4549, 492326.344, 3592643.621),
    (119.9183831, 32.4580023, 4528, 40492326.344, 3592643.621),
    (119.9183831, 32.4580023, 3857, 13349253.343, 3823581.841),
])  # fmt: skip
def test_projections_are_east_before_north(lon, lat, epsg, east, north):
    np.testing.assert_allclose(transform(lon, lat, "EPSG:4490", f"EPSG:{epsg}"), (east, north), rtol=0, atol=1e-3)
    np.testing.assert_allclose(transform(east, north, f"EPSG:{epsg}", "EPSG:4490"), (lon, lat), rtol=0, atol=1e-8)


def test_wgs84_and_cgcs2000_are_one_at_this_scale():
    lon, lat = np.array([75.0, 119.9183831, 134.5]), np.array([39.5, 32.4580023, 48.0])
    np.testing.assert_allclose(transform(lon, lat, "EPSG:4326", "EPSG:4490"), (lon, lat), rtol=0, atol=1e-9)
    for name in ("wgs84", "cgcs2000"):
        np.testing.assert_array_equal(crs.TO_WGS84[name](lon, lat), (lon, lat))


def test_what_cannot_be_projected_is_nan():
    x, y = transform([np.nan, 120.0, 120.0], [30.0, 95.0, 30.0], "EPSG:4490", "EPSG:4549")
    assert np.isnan(x).tolist() == np.isnan(y).tolist() == [True, True, False]


@pytest.mark.parametrize(("place", "bounds", "epsg"), [
    ("南京", (118.36, 31.23, 119.24, 32.61), 4549),
    ("武威", (101.8, 36.4, 104.2, 39.5), 4543),
    ("银川", (105.8, 37.6, 106.9, 38.9), 4544),
    ("喀什", (75.6, 39.2, 76.2, 39.7), 4534),
    ("三亚", (109.0, 18.1, 109.8, 18.6), 4545),
    ("Philadelphia", (-75.28, 39.87, -74.96, 40.14), 32618),
    ("Boston", (-71.2, 42.2, -70.9, 42.4), 32619),
    ("Lancashire", (-3.1, 53.5, -2.0, 54.2), 32630),
    ("Delhi", (77.0, 28.4, 77.4, 28.9), 32643),
    ("Seoul", (126.8, 37.4, 127.2, 37.7), 32652),
    ("Sydney", (150.5, -34.2, 151.4, -33.5), 32756),
    ("Longyearbyen", (15.0, 84.5, 16.0, 85.0), 32661),
])  # fmt: skip
def test_metre_crs_by_place(place, bounds, epsg):
    chosen = metre_crs(bounds)
    assert chosen.to_epsg() == epsg, place
    assert chosen.axis_info[0].unit_name == "metre"
    lon, lat = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    x, y = transform([lon, lon + 0.001], [lat, lat], "EPSG:4326", chosen)
    true_m = Geod(ellps="WGS84").inv(lon, lat, lon + 0.001, lat)[2]
    assert np.hypot(*np.diff([x, y], axis=1)).item() == pytest.approx(true_m, rel=0.012 if lat > 84 else 1.1e-3)


def test_metre_crs_follows_the_three_degree_rule_over_china():
    for zone in range(25, 46):
        area = CRS.from_epsg(4534 + zone - 25).area_of_use
        lon, lat = (area.west + area.east) / 2, (area.south + area.north) / 2
        assert metre_crs((lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1)).to_epsg() == 4534 + zone - 25


@pytest.mark.parametrize("bounds", [(500000, 3300000, 510000, 3310000), (np.nan,) * 4, (120, 31, 119, 32)])
def test_metre_crs_refuses_what_is_not_degrees(bounds):
    with pytest.raises(ValueError, match="min_lon, min_lat, max_lon, max_lat"):
        metre_crs(bounds)


def test_zone_numbers_are_the_meridian_by_three_or_the_six_degree_count():
    for zone in range(25, 46):
        for epsg in (4513 + zone - 25, 4534 + zone - 25):
            assert CRS.from_epsg(epsg).coordinate_operation.params[1].value == 3 * zone
    for zone in range(13, 24):
        assert CRS.from_epsg(4491 + zone - 13).coordinate_operation.params[1].value == 6 * zone - 3


@pytest.mark.parametrize("epsg", [*range(4513, 4534), *range(4491, 4502)])
def test_zone_is_guessed_from_eight_digit_eastings(epsg):
    area = CRS.from_epsg(epsg).area_of_use
    rng = np.random.default_rng(epsg)
    lon, lat = rng.uniform(area.west, area.east, 50), rng.uniform(area.south, area.north, 50)
    x, y = transform(lon, lat, "EPSG:4490", f"EPSG:{epsg}")
    assert guess_cgcs2000_zone(np.append(x, np.nan), np.append(y, 1.0)) == epsg
    assert not xy_swapped(x, y)
    assert guess_cgcs2000_zone(y, x) is None
    assert xy_swapped(y, x)


def test_zone_is_not_guessed_where_it_is_not_written():
    x, y = transform([119.9, 120.1], [32.4, 32.5], "EPSG:4490", "EPSG:4549")
    assert guess_cgcs2000_zone(x, y) is None  # six digits: any meridian
    assert xy_swapped(y, x) and not xy_swapped(x, y)
    assert guess_cgcs2000_zone([119.9, 120.1], [32.4, 32.5]) is None  # degrees
    assert not xy_swapped([119.9], [32.4]) and not xy_swapped([32.4], [119.9])
    assert guess_cgcs2000_zone([39.5e6, 40.5e6], [3.5e6, 3.5e6]) is None  # two zones in one file
    assert guess_cgcs2000_zone([30.5e6], [3.5e6]) == 4518
    assert guess_cgcs2000_zone([24.5e6], [3.5e6]) is None  # no such zone
    assert guess_cgcs2000_zone([], []) is None and not xy_swapped([np.nan], [np.nan])


SQUARE = box(120.0, 30.0, 120.1, 30.1)


@pytest.mark.parametrize("epsg", [4490, 4326, 4214, 4610])
@pytest.mark.parametrize("wrap", [gpd.GeoSeries, lambda shapes, crs: gpd.GeoDataFrame(geometry=shapes, crs=crs)])
def test_degrees_are_refused_where_metres_are_needed(epsg, wrap):
    points, shapes = wrap([SQUARE.centroid], crs=epsg), wrap([SQUARE], crs=epsg)
    message = rf"is in degrees \(EPSG:{epsg}\), expected metres: project it with to_crs"
    for ask in (
        lambda: metre_xy(points, "events"),
        lambda: metre_shape(shapes, "boundary"),
        lambda: maximal_cover(points, [(0, 0)], k=1, radius_m=100),
        lambda: maximal_cover([(0, 0)], shapes, k=1),
        lambda: repeat_places(points),
    ):
        with pytest.raises(ValueError, match=message):
            ask()


def test_metres_pass_and_feet_do_not():
    metres = gpd.GeoSeries([SQUARE], crs=4490).to_crs(metre_crs(SQUARE.bounds))
    np.testing.assert_allclose(metre_shape(metres).area, area_m2([SQUARE], crs=4490), rtol=1e-4)
    np.testing.assert_array_equal(metre_xy([(1, 2), (3, 4)]), [(1, 2), (3, 4)])  # plain arrays are metres
    assert metre_xy(metres.centroid).shape == (1, 2) and metre_xy([]).shape == (0, 2)
    with pytest.raises(ValueError, match=r"events is in US survey foot \(EPSG:2263\), expected metres"):
        metre_xy(gpd.GeoSeries([shapely.Point(1e6, 2e5)], crs=2263), "events")
    for given_, message in (
        ([(1, 2, 3)], r"has shape \(1, 3\)"),
        ([(1, np.inf), (1, 1)], "1 of 2 points without coordinates"),
        (gpd.GeoSeries([None, shapely.Point(1, 2)], crs=4549), "1 of 2 points without coordinates"),
    ):
        with pytest.raises(ValueError, match=message):
            metre_xy(given_)
    with pytest.raises(ValueError, match="boundary has no area"):
        metre_shape(shapely.LineString([(0, 0), (1, 1)]))


def grids(n, west=116.2, south=39.8, step=0.004):
    """n x n square grids of about 400 m."""
    return np.array([box(west + i * step, south + j * step, west + (i + 1) * step, south + (j + 1) * step)
                     for i in range(n) for j in range(n)], dtype=object)  # fmt: skip


FROM_WGS84 = {
    "wgs84": lambda lon, lat: (lon, lat),
    "gcj02": wgs84_to_gcj02,
    "bd09": lambda lon, lat: gcj02_to_bd09(*wgs84_to_gcj02(lon, lat)),
}


def points_in(shapes, n, seed):
    west, south, east, north = shapely.total_bounds(shapes)
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(west, east, n), rng.uniform(south, north, n)
    return lon, lat, assign(lon, lat, shapes)


@pytest.mark.parametrize("truth", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize(("shapes", "n"), [(grids(20), 60), (grids(3, step=0.3), 3000)], ids=["grids", "districts"])
def test_points_tell_their_datum(truth, shapes, n):
    lon, lat, declared = points_in(shapes, n, 3)
    method, hypothesis, evidence, used, *_ = detect_datum(
        *FROM_WGS84[truth](lon, lat), regions=shapes, declared=declared
    )
    assert (method, hypothesis, used) == ("points", truth, n)
    assert set(evidence) == {"wgs84", "gcj02", "bd09"}
    assert evidence[truth] > 0.999
    for name in evidence:  # the shares are what reading the file that way gives
        x, y = crs.TO_WGS84[name](*FROM_WGS84[truth](lon, lat))
        assert evidence[name] == pytest.approx(np.mean(assign(x, y, shapes) == declared))


def test_points_with_some_wrong_codes_still_tell():
    shapes = grids(20)
    lon, lat, declared = points_in(shapes, 2000, 4)
    declared[:600] = np.random.default_rng(5).permutation(declared[:600])
    declared[600:700] = -1
    found = detect_datum(*wgs84_to_gcj02(lon, lat), regions=RegionIndex(shapes), declared=declared)
    assert found.hypothesis == "gcj02" and found.n == 1900
    assert found.margin >= found.margin_needed


def test_points_that_cannot_tell():
    shapes = grids(20)
    lon, lat, declared = points_in(shapes, 2000, 6)
    few = detect_datum(lon[:19], lat[:19], regions=shapes, declared=declared[:19])
    assert few.hypothesis == UNDECIDED and "19" in few.reason
    pile = detect_datum(np.full(500, lon[0]), np.full(500, lat[0]), regions=shapes, declared=np.full(500, declared[0]))
    assert pile.hypothesis == UNDECIDED and pile.n == 1
    shuffled = detect_datum(lon, lat, regions=shapes, declared=np.roll(declared, 1))
    assert shuffled.hypothesis == UNDECIDED
    whole = box(110, 35, 120, 45)  # far from any border every hypothesis holds
    assert detect_datum(lon, lat, regions=[whole], declared=np.zeros(2000, int)).hypothesis == UNDECIDED
    noisy = np.random.default_rng(7).normal(0, 0.01, (2, 2000))  # a kilometre of noise on 400 m grids
    assert detect_datum(lon + noisy[0], lat + noisy[1], regions=shapes, declared=declared).hypothesis == UNDECIDED
    assert detect_datum([], [], regions=shapes, declared=[]).n == 0
    abroad = grids(10, west=-75.2, south=39.9)
    assert detect_datum(*points_in(abroad, 500, 8)[:2], regions=abroad).hypothesis == UNDECIDED


def test_points_without_declared_areas_use_the_rim():
    shapes = grids(20)
    lon, lat, _ = points_in(shapes, 3000, 9)
    assert detect_datum(*wgs84_to_gcj02(lon, lat), regions=gpd.GeoSeries(shapes, crs=4490)).hypothesis == "gcj02"
    with pytest.raises(ValueError, match="3000 longitudes, 3000 latitudes, 1 declared"):
        detect_datum(lon, lat, regions=shapes, declared=[0])


@pytest.mark.parametrize("truth", ["wgs84", "gcj02", "bd09"])
def test_polygons_tell_their_datum(truth):
    shapes = grids(6, step=0.05)
    moved = shapely.transform(shapes, lambda xy: np.column_stack(FROM_WGS84[truth](*xy.T)))
    method, hypothesis, evidence, n, margin, *_ = detect_datum_polygons(gpd.GeoSeries(moved, crs=4326), shapes)
    assert (method, hypothesis) == ("polygons", truth)
    assert evidence[truth] < 0.01 and min(v for k, v in evidence.items() if k != truth) > 50
    assert margin > 1.5 and n > 20
    projected = gpd.GeoSeries(shapes, crs=4490).to_crs(4548)
    assert detect_datum_polygons(moved, projected).hypothesis == truth


def test_polygons_that_cannot_tell():
    shapes = grids(6, step=0.05)
    assert detect_datum_polygons(shapes, grids(6, west=113.2, step=0.05)).hypothesis == UNDECIDED  # elsewhere
    assert detect_datum_polygons(shapes[:2], [box(116.2, 39.8, 116.25, 39.9)]).hypothesis == UNDECIDED  # 14 vertices
    abroad = grids(6, west=-75.2, step=0.05)
    assert detect_datum_polygons(abroad, abroad).hypothesis == UNDECIDED
    with pytest.raises(ValueError, match="the reference has no polygon"):
        detect_datum_polygons(shapes, [None])


@pytest.fixture(scope="module")
def china(real_data):
    return real_data / "china"


@pytest.fixture(scope="module")
def reference(china):
    return gpd.read_file(china / "boundaries_cgcs2000_district.geojson")


@pytest.mark.real
@pytest.mark.parametrize(
    "city", ["wuwei_620600", "yinchuan_640100", "nanjing_320100", "dazhou_511700", "yichun_360900"]
)
def test_real_boundaries_of_five_cities(china, reference, city):
    own = reference[reference["gb"].str[3:7] == city[-6:-2]]
    for part, against in (("districts", own), ("outline", reference)):
        found = detect_datum_polygons(gpd.read_file(china / f"boundaries_gcj02_{city}_{part}.json"), against)
        assert found.hypothesis == "gcj02", found
    assert detect_datum_polygons(own, own).hypothesis == "wgs84"
    assert detect_datum_polygons(own.simplify(0.005), own).hypothesis == "wgs84"
    jitter = np.random.default_rng(1).normal(0, 0.0003, 10_000)
    rough = shapely.transform(own.geometry.to_numpy(), lambda xy: xy + jitter[(xy * 1e6).astype(int) % 10_000])
    assert detect_datum_polygons(rough, own).hypothesis == "wgs84"


@pytest.mark.real
@pytest.mark.parametrize(
    "city", ["wuwei_620600", "yinchuan_640100", "nanjing_320100", "dazhou_511700", "yichun_360900"]
)
def test_a_reference_too_coarse_decides_nothing(china, reference, city):
    own = reference[reference["gb"].str[3:7] == city[-6:-2]]
    districts = gpd.read_file(china / f"boundaries_gcj02_{city}_districts.json")
    assert detect_datum_polygons(districts, own.envelope).hypothesis == UNDECIDED
    coarse = shapely.transform(own.geometry.to_numpy(), lambda xy: np.round(xy * 20) / 20)  # to about 5 km
    assert detect_datum_polygons(districts, coarse).hypothesis == UNDECIDED
