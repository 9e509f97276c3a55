"""The map's geometry in headless Chromium, held against pyproj, shapely and geo."""

import math
import random
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Geod

sys.path.insert(0, str(Path(__file__).parent))
import scratch_map

from geo.crs import gcj02_to_wgs84, wgs84_to_gcj02

pytestmark = pytest.mark.browser
GEOD = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def plain():
    """One page for all questions."""
    with scratch_map.chromium() as browser:
        page = scratch_map.Scratch(browser)
        yield page
        page.context.close()
    assert page.complaints == []


def test_gcj02_is_that_of_geo(plain):
    random_ = np.random.default_rng(1)
    lon, lat = random_.uniform(60, 150, 3000), random_.uniform(-5, 60, 3000)
    edge = (
        np.array([72.004, 137.8347, 105.0, 116.404, 183.0, 72.0039]),
        np.array([0.8293, 55.8271, 35.0, 39.915, 45.0, 30.0]),
    )
    lon, lat = np.concatenate([lon, edge[0]]), np.concatenate([lat, edge[1]])
    points = list(zip(lon.tolist(), lat.tolist(), strict=True))
    for name, function in (("wgs84ToGcj02", wgs84_to_gcj02), ("gcj02ToWgs84", gcj02_to_wgs84)):
        got = plain.ask(f"((points) => points.map((p) => yanpan.basemap.{name}(...p)))", points)
        np.testing.assert_allclose(np.array(got), np.column_stack(function(lon, lat)), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "given", "expected", "atol"),
    [
        ("wgs84ToGcj02", (116.404, 39.915), (116.41024449916938, 39.91640428150164), 1e-12),
        ("wgs84ToGcj02", (121.5272106, 31.1774276), (121.531541859215, 31.17530398364597), 1e-12),
        ("gcj02ToWgs84", (123, 45), (122.99395581, 44.99804062), 1e-8),
        ("wgs84ToGcj02", (113.6192856, 34.7478004), (113.6253334, 34.7466173), 1e-5),
        ("wgs84ToGcj02", (183, 45), (183, 45), 0),
        ("gcj02ToWgs84", (-75.16, 39.95), (-75.16, 39.95), 0),
    ],
)
def test_gcj02_published_vectors(plain, name, given, expected, atol):
    assert plain.ask(f"yanpan.basemap.{name}", *given) == pytest.approx(expected, abs=atol, rel=0)


def test_lengths_and_destinations_are_geodesic(plain):
    random_ = random.Random(2)
    pairs = []
    for _ in range(300):
        lon, lat = random_.uniform(-180, 180), random_.uniform(-80, 80)
        reach = 10 ** random_.uniform(-5, 1.3)
        pairs.append(
            (
                (lon, lat),
                (lon + random_.uniform(-reach, reach), max(-85, min(85, lat + random_.uniform(-reach, reach)))),
            )
        )
    pairs += [((113.0, 34.0), (113.0, 34.0)), ((0.0, 0.0), (1.0, 0.0)), ((10.0, 50.0), (10.0, 51.0))]
    got = plain.ask("((pairs) => pairs.map(([a, b]) => yanpan.geometry.length(a, b)))", pairs)
    expected = [GEOD.inv(*a, *b)[2] for a, b in pairs]
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-4)
    walks = [
        (
            (random_.uniform(-179, 179), random_.uniform(-80, 80)),
            random_.uniform(-360, 360),
            10 ** random_.uniform(0, 6),
        )
        for _ in range(300)
    ]
    got = plain.ask("((walks) => walks.map((w) => yanpan.geometry.destination(...w)))", walks)
    for (start, bearing, metres), (lon, lat) in zip(walks, got, strict=True):
        assert GEOD.inv(*GEOD.fwd(*start, bearing, metres)[:2], lon, lat)[2] < 1e-3


def star(random_: random.Random, lon: float, lat: float, reach: float, corners: int) -> list[tuple[float, float]]:
    """A ring that does not cross itself."""
    angles = [2 * math.pi * (i + random_.uniform(0.1, 0.9)) / corners for i in range(corners)]
    far = [reach * random_.uniform(0.3, 1) for _ in angles]
    return [(lon + r * math.cos(a), lat + r * math.sin(a)) for r, a in zip(far, angles, strict=True)]


def test_areas_are_those_on_the_ellipsoid(plain):
    random_ = random.Random(4)
    rings = [
        star(random_, random_.uniform(75, 130), random_.uniform(-50, 55), 10 ** random_.uniform(-3.5, 0.5), 12)
        for _ in range(60)
    ]
    got = plain.ask("((rings) => rings.map((r) => yanpan.geometry.area(r)))", rings)
    for ring, area in zip(rings, got, strict=True):
        # Sides straight in longitude and latitude, as the server takes them: many short geodesics.
        fine = shapely.segmentize(shapely.Polygon(ring), max(map(abs, np.ptp(np.array(ring), axis=0))) / 3000)
        exact = abs(GEOD.geometry_area_perimeter(fine)[0])
        assert area == pytest.approx(exact, rel=1e-6)
        if max(np.ptp(np.array(ring), axis=0)) < 0.02:
            assert area == pytest.approx(abs(GEOD.geometry_area_perimeter(shapely.Polygon(ring))[0]), rel=1e-4)


def test_circles_are_round_on_the_ground(plain):
    for centre, metres in (((113.62, 34.74), 500), ((87.6, 43.8), 12_000), ((110.3, 18.2), 35)):
        ring = plain.ask("yanpan.geometry.circle", centre, metres)
        assert len(ring) == 64 and shapely.Polygon(ring).is_valid
        assert [GEOD.inv(*centre, *p)[2] for p in ring] == pytest.approx([metres] * 64, abs=1e-3)


def test_thinned_paths_stay_close_and_few(plain):
    random_ = random.Random(6)
    path, x, y = [], 0.0, 0.0
    for i in range(2500):
        x, y = (
            x + math.cos(i / 300) * 2 + random_.uniform(-0.4, 0.4),
            y + math.sin(i / 300) * 2 + random_.uniform(-0.4, 0.4),
        )
        path.append((x, y))
    kept = plain.ask("yanpan.geometry.thinned", path, 200)
    assert kept[0] == 0 and kept[-1] == len(path) - 1 and kept == sorted(set(kept)) and len(kept) <= 200
    assert shapely.LineString(path).hausdorff_distance(shapely.LineString([path[i] for i in kept])) < 10
    assert plain.ask("yanpan.geometry.thinned", [(0, 0), (5, 0), (10, 0)], 200) == [0, 2]
    assert plain.ask("yanpan.geometry.thinned", [(1, 1), (1, 1)], 200) == [0, 1]


def lobes(ring) -> list[float]:
    """Areas of what a ring encloses, by GEOS: the outlines of the parts that touch in points at most."""
    lines = shapely.union_all(shapely.LinearRing(ring))
    faces = shapely.get_parts(shapely.polygonize([lines]))
    whole = shapely.union_all([shapely.Polygon(f.exterior) for f in faces])
    # What hangs together only in points falls apart when it is shrunk a little.
    return sorted((shapely.Polygon(p.exterior).area for p in shapely.get_parts(whole)), reverse=True)


def test_rings_that_cross_themselves_become_their_outline_or_nothing(plain):
    random_ = random.Random(8)
    rings = []
    for _ in range(250):
        n = random_.choice([5, 8, 20, 120])
        wobble = random_.choice([0.0, 0.05, 0.5, 1.5])
        turns = random_.choice([1, 1, 1.04, 2])
        rings.append([(113.6 + 0.01 * (1 + random_.uniform(-wobble, wobble)) * math.cos(2 * math.pi * turns * i / n),
                       34.7 + 0.01 * (1 + random_.uniform(-wobble, wobble)) * math.sin(2 * math.pi * turns * i / n)) for i in range(n)])  # fmt: skip
    rings += [
        [(random_.uniform(113, 113.1), random_.uniform(34, 34.1)) for _ in range(random_.choice([4, 6, 9]))]
        for _ in range(150)
    ]
    rings = [[(round(x, 6), round(y, 6)) for x, y in ring] for ring in rings]
    strict = plain.ask("((rings) => rings.map((r) => yanpan.geometry.valid(r, false)))", rings)
    mended = plain.ask("((rings) => rings.map((r) => yanpan.geometry.valid(r, true)))", rings)
    outcomes = {"whole": 0, "mended": 0, "refused": 0}
    for ring, plainly, mend in zip(rings, strict, mended, strict=True):
        polygon = shapely.Polygon(ring)
        assert (plainly is not None) == polygon.is_valid
        if polygon.is_valid:
            outcomes["whole"] += 1
            assert shapely.Polygon(plainly).equals(polygon) and mend == plainly
            continue
        parts = lobes(ring)
        outcomes["mended" if mend else "refused"] += 1
        if mend:
            assert shapely.Polygon(mend).is_valid
            assert shapely.Polygon(mend).area == pytest.approx(parts[0], rel=1e-3)
        else:
            assert len(parts) > 1 and parts[1] > 0.0999 * parts[0]
    assert min(outcomes.values()) > 20, outcomes


@pytest.mark.parametrize(
    "ring",
    [
        [],
        [(1, 1), (2, 2)],
        [(1, 1), (2, 2), (3, 3)],
        [(1, 1), (2, 2), (1, 1), (2, 2)],
        [(0, 0), (2, 0), (1, 0), (1, 1)],
        [(0, 0), (1, 1), (1, 0), (0, 1)],
        [(0, 0), (0.0000001, 0), (0, 0.0000001)],
    ],
)
def test_what_is_no_polygon_is_refused(plain, ring):
    assert plain.ask("yanpan.geometry.valid", ring, False) is None
    mended = plain.ask("yanpan.geometry.valid", ring, True)
    assert mended is None or shapely.Polygon(mended).is_valid


def test_wkt_is_written_and_read(plain):
    ring = [(113.6123456, 34.7), (113.7, 34.7000004), (113.65, 34.75)]
    text = plain.ask("yanpan.geometry.wkt", ring)
    assert text == "POLYGON ((113.612346 34.7, 113.7 34.7, 113.65 34.75, 113.612346 34.7))"
    hole = shapely.Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(1, 1), (2, 1), (2, 2)]])
    for shape in (shapely.from_wkt(text), hole, shapely.MultiPolygon([hole, shapely.box(-9.5, -1e-7, -8, 1)])):
        for written in (
            shapely.to_wkt(shape),
            shapely.to_wkt(shape, rounding_precision=-1, trim=True).replace(", ", ",").lower(),
        ):
            got = plain.ask("yanpan.geometry.parse", written)
            polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in got]
            assert shapely.equals_exact(
                shapely.MultiPolygon(polygons), shapely.MultiPolygon(shapely.get_parts(shape).tolist()), 1e-6
            )
    for wrong in ("", "POINT (1 2)", "POLYGON EMPTY", "POLYGON ((1 2, 3 4))", "POLYGON ((1 2, 3 x, 5 6, 1 2))", "POLYGON ((1 2, 3 4, 5 6, 1 2)",
                  "POLYGON ((1 2, 3, 5 6, 1 2))", 'POLYGON (("constructor"))'):  # fmt: skip
        assert plain.ask("yanpan.geometry.parse", wrong) is None, wrong


def test_lengths_and_areas_in_words(plain):
    assert [plain.ask("yanpan.geometry.lengthText", n) for n in (0, 7.26, 512.4, 1000, 12345, 123456, 2345678)] == [
        "0 米", "7.3 米", "512 米", "1 公里", "12.35 公里", "123.5 公里", "2,345.7 公里"]  # fmt: skip
    assert [plain.ask("yanpan.geometry.areaText", n) for n in (800, 24_600, 1_234_000, 5.6e9)] == [
        "800 平方米", "0.025 平方公里", "1.23 平方公里", "5,600 平方公里"]  # fmt: skip
