"""Assignment, topology, dissolve and nesting of regions, against GEOS asked pair by pair."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from geo.regions import RegionIndex, area_m2, assign, dissolve, nest, topology


def brute(x, y, shapes, codes=None):
    """Every point against every region: the smallest code among those that intersect."""
    shapes = np.asarray(shapes, dtype=object)
    order = np.arange(len(shapes)) if codes is None else np.argsort(np.asarray(codes), kind="stable")
    found = np.full(len(x), -1)
    points = shapely.points(x, y)
    points[~(np.isfinite(x) & np.isfinite(y))] = Point()
    for position in order[::-1]:
        found[shapely.intersects(shapes[position], points)] = position
    return found


def voronoi(rng, n, west=0.0, south=0.0, width=1.0, height=1.0):
    """A partition of a rectangle into ``n`` cells, shuffled."""
    frame = box(west, south, west + width, south + height)
    seeds = shapely.multipoints(rng.random((n, 2)) * [width, height] + [west, south])
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=frame))
    return rng.permutation(shapely.intersection(cells, frame))


def probes(rng, shapes, n=4000):
    """Random points around the shapes, all their vertices, points on their edges, and the neighbours of those."""
    west, south, east, north = shapely.total_bounds(shapes)
    wide, high = east - west, north - south
    inside = rng.uniform([west - wide / 10, south - high / 10], [east + wide / 10, north + high / 10], (n, 2))
    corners = shapely.get_coordinates(shapes)
    corners = corners[rng.permutation(len(corners))[:n]]
    edges = np.concatenate(
        [shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(shapes))][:200]
    )
    part = rng.random((len(edges) - 1, 1))
    along = edges[:-1] + part * np.diff(edges, axis=0)
    halves = (edges[:-1] + edges[1:]) / 2
    exact = np.concatenate([corners, along, halves])
    close = np.nextafter(exact, rng.choice([-np.inf, np.inf], exact.shape))
    return np.concatenate([inside, exact, close]).T


def star(rng, x, y, radius, points):
    angle = np.sort(rng.random(points)) * 2 * np.pi
    reach = radius * (0.2 + 0.8 * rng.random(points))
    return Polygon(np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)])).buffer(0)


def overlapping_stars(rng, n=60):
    """Spiky shapes of very different sizes, one on the other; some cut to pieces, some with holes."""
    shapes = []
    for _ in range(n):
        x, y = rng.random(2)
        radius = 10 ** rng.uniform(-3, -0.3)
        shape = star(rng, x, y, radius, 12)
        if rng.random() < 0.4:
            shape = shape.difference(star(rng, x, y, radius / 2, 7))
        shapes.append(shape)
    return np.array(shapes, dtype=object)


def check(rng, shapes, codes=None, points=10_000):
    x, y = probes(rng, shapes)
    index = RegionIndex(shapes, codes, points=points)
    np.testing.assert_array_equal(index.assign(x, y), brute(x, y, shapes, codes))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [1, 2, 40, 700])
def test_random_partitions(n, seed):
    rng = np.random.default_rng([n, seed])
    check(rng, voronoi(rng, n))


@pytest.mark.parametrize("frame", [(113.4, 34.6, 0.5, 0.4), (40_492_000.0, 3_592_000.0, 30_000.0, 90_000.0)])
def test_degrees_and_eight_digit_metres(frame):
    rng = np.random.default_rng(5)
    shapes = voronoi(rng, 300, *frame)
    check(rng, shapes)
    check(rng, shapes, points=10_000_000)


@pytest.mark.parametrize("seed", range(6))
def test_overlaps_holes_and_pieces_go_to_the_smallest_code(seed):
    rng = np.random.default_rng(seed)
    shapes = overlapping_stars(rng)
    check(rng, shapes, rng.permutation(len(shapes)))
    check(rng, shapes, rng.permutation(len(shapes)), points=3_000_000)


def test_layers_over_each_other():
    """Communities and grids in one table: every point in at least two."""
    rng = np.random.default_rng(11)
    shapes = np.concatenate([voronoi(rng, 200), voronoi(rng, 12), [box(-1, -1, 2, 2)]])
    check(rng, shapes, rng.permutation(len(shapes)))


def test_a_stray_region_far_away_and_slivers():
    rng = np.random.default_rng(12)
    slivers = [box(x, 0, x + 1e-7, 1) for x in np.linspace(0.1, 0.9, 9)]
    shapes = np.concatenate([voronoi(rng, 300), slivers, [box(-110, -30, -109, -29)]])
    x, y = probes(rng, shapes[:309])
    found = assign(x, y, shapes)
    np.testing.assert_array_equal(found, brute(x, y, shapes))
    assert assign([-109.5], [-29.5], shapes).tolist() == [309]


def test_neighbours_that_do_not_share_their_vertices():
    """T-junctions and borders drawn twice, a rounding apart."""
    rng = np.random.default_rng(13)
    shapes = [box(0, 0, 1, 1), box(1, 0, 2, 0.5), box(1, 0.5, 2, 1), box(2.0000000001, 0, 3, 1), box(0.1, 1, 3, 2)]
    turned = shapely.affinity.rotate(MultiPolygon(shapes), 31, origin=(0, 0)).geoms
    check(rng, np.array(shapes, dtype=object))
    check(rng, np.array(list(turned), dtype=object))


def test_flat_and_steep_borders():
    rng = np.random.default_rng(14)
    wedge = np.linspace(0, 1, 30) ** 3 * 1e-4
    shapes = [Polygon([(0, a), (1, a / 2), (1, b / 2), (0, b)]) for a, b in pairwise(wedge)]
    shapes += [Polygon([(a, 1), (a / 2, 2), (b / 2, 2), (b, 1)]) for a, b in pairwise(wedge)]
    check(rng, np.array(shapes, dtype=object))


def test_borders_belong_to_the_smallest_code_not_to_nobody():
    frame = gpd.GeoDataFrame(
        {"grid_code": ["b", "a", "c"]}, geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1), box(0, 1, 2, 2)]
    )
    x, y = [1.0, 1.0, 0.0, 2.0, 0.5], [0.5, 1.0, 0.0, 2.0, 1.0]
    assert assign(x, y, frame).tolist() == [1, 1, 0, 2, 0]
    assert assign(x, y, frame.rename(columns={"grid_code": "code"})).tolist() == [1, 1, 0, 2, 0]
    assert assign(x, y, frame.geometry).tolist() == [0, 0, 0, 2, 0]
    assert assign(x, y, frame.geometry.to_numpy()).tolist() == [0, 0, 0, 2, 0]
    assert assign(x, y, RegionIndex(frame)).tolist() == [1, 1, 0, 2, 0]
    assert assign(x, y, RegionIndex(frame, codes=[3, 2, 1])).tolist() == [1, 2, 0, 2, 2]


def test_missing_codes_come_last_and_equal_codes_by_position():
    shapes = [box(0, 0, 1, 1)] * 3
    assert assign([0.5], [0.5], RegionIndex(shapes, codes=[None, "2", "2"])).tolist() == [1]


def test_points_that_lie_nowhere():
    shapes = [box(0, 0, 10, 10).difference(box(4, 4, 6, 6))]
    x = [np.nan, 1, np.inf, -np.inf, 5, 11, -1e-12, 1e300, 4]
    y = [1, np.nan, 1, 1, 5, 5, 5, 1e300, 5]
    assert assign(x, y, shapes).tolist() == [-1] * 8 + [0]


def test_scalars_empty_input_and_empty_regions():
    shapes = [box(0, 0, 1, 1), None, Polygon()]
    assert assign(0.5, 0.5, shapes) == 0
    assert assign([], [], shapes).shape == (0,)
    assert assign([0.5, np.nan], [0.5, 0], []).tolist() == [-1, -1]
    assert assign([0.5], [0.5], [None, Polygon()]).tolist() == [-1]


def test_order_of_points_and_of_rows_does_not_matter():
    rng = np.random.default_rng(15)
    shapes = overlapping_stars(rng)
    codes = np.array([f"{i:03d}" for i in rng.permutation(len(shapes))])
    x, y = probes(rng, shapes)
    first = codes[assign(x, y, RegionIndex(shapes, codes))]
    points, rows = rng.permutation(x.size), rng.permutation(len(shapes))
    second = codes[rows][assign(x[points], y[points], RegionIndex(shapes[rows], codes[rows]))]
    held = brute(x, y, shapes) >= 0
    np.testing.assert_array_equal(first[points][held[points]], second[held[points]])


def test_invalid_polygons_are_repaired_and_named():
    bow = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    index = RegionIndex([box(5, 5, 6, 6), bow])
    assert index.repaired.tolist() == [1]
    assert index.assign([0.2, 1.8, 1.0], [1.0, 1.0, 1.8]).tolist() == [1, 1, -1]


def test_a_line_is_refused():
    with pytest.raises(ValueError, match=r"regions\[1\] is a LineString, expected Polygon or MultiPolygon"):
        RegionIndex([box(0, 0, 1, 1), shapely.LineString([(0, 0), (1, 1)])])
    with pytest.raises(ValueError, match="2 codes for 1 regions"):
        RegionIndex([box(0, 0, 1, 1)], codes=["a", "b"])


def test_a_clean_partition_has_nothing_to_report():
    rng = np.random.default_rng(21)
    overlaps, gaps, outside, repaired, tolerance = topology(voronoi(rng, 300, 0, 0, 30_000, 20_000))
    assert (overlaps, gaps, outside, repaired, tolerance) == ((), (), (), (), 1.0)


def test_overlaps_gaps_and_strays_are_measured():
    squares = [box(x, y, x + 100, y + 100) for y in (0, 100, 200) for x in (0, 100, 200) if (x, y) != (100, 100)]
    squares[1] = box(95, 0, 200, 100)  # 5 m into its western neighbour
    squares[7] = box(200, 200, 300, 330)  # 30 m out of the parent
    squares.append(box(200.0, 300, 300, 300.005))  # inside the one before, 0.5 m2: within the tolerance
    found = topology(squares, parents=[box(0, 0, 300, 300)] * 8 + [None])
    assert [(a, b) for a, b, _ in found.overlaps] == [(0, 1)]
    assert found.overlaps[0].area_m2 == pytest.approx(500)
    (gap,) = found.gaps
    assert gap.polygon.equals(box(100, 100, 200, 200))
    assert gap.area_m2 == pytest.approx(10_000)
    assert [(o.position, o.area_m2) for o in found.outside_parent] == [(7, pytest.approx(3000))]
    assert len(topology(squares, tolerance_m2=0.1).overlaps) == 2


def test_a_region_within_a_hole_leaves_only_the_ring_as_gap():
    ring = box(0, 0, 100, 100).difference(box(20, 20, 80, 80))
    (gap,) = topology([ring, box(40, 40, 60, 60)]).gaps
    assert gap.area_m2 == pytest.approx(3600 - 400)
    assert topology([ring, box(20, 20, 80, 80)]).gaps == ()


def test_duplicates_and_contained_regions_are_overlaps():
    found = topology([box(0, 0, 10, 10), box(0, 0, 10, 10), box(2, 2, 4, 4)])
    assert [(o.first, o.second, round(o.area_m2)) for o in found.overlaps] == [(0, 1, 100), (0, 2, 4), (1, 2, 4)]


def test_areas_in_degrees_are_geodesic_areas():
    from pyproj import Geod

    degrees = gpd.GeoSeries([box(113.0, 34.0, 113.02, 34.02), box(113.015, 34.0, 113.03, 34.02)], crs="EPSG:4490")
    (overlap,) = topology(degrees).overlaps
    expected, _ = Geod(ellps="WGS84").geometry_area_perimeter(box(113.015, 34.0, 113.02, 34.02))
    assert overlap.area_m2 == pytest.approx(expected, rel=2e-5)  # an edge along a parallel is no geodesic
    tenth = [abs(Geod(ellps="WGS84").geometry_area_perimeter(shape)[0]) for shape in degrees]
    np.testing.assert_allclose(area_m2(degrees), tenth, rtol=2e-5)


def test_a_straight_border_in_degrees_with_a_t_junction_is_no_overlap():
    """Compared as drawn: projecting first would bend the long border away from the short ones."""
    long = box(113.0, 34.0, 113.5, 34.1)
    short = [box(113.0 + i / 10, 34.1, 113.1 + i / 10, 34.2) for i in range(5)]
    found = topology(gpd.GeoSeries([long, *short], crs=4326))
    assert found.overlaps == () and found.gaps == ()


def test_topology_of_nothing():
    for regions in ([], [None, Polygon()], gpd.GeoSeries([], crs=4326)):
        assert tuple(topology(regions))[:3] == ((), (), ())


def test_topology_refuses_what_it_cannot_judge():
    with pytest.raises(ValueError, match="2 parents for 1 regions"):
        topology([box(0, 0, 1, 1)], parents=[None, None])
    with pytest.raises(ValueError, match="tolerance_m2 is -1"):
        topology([box(0, 0, 1, 1)], tolerance_m2=-1)


@pytest.mark.parametrize("broken", [False, True])
def test_dissolve_is_the_union_of_each_key(broken):
    rng = np.random.default_rng(31)
    cells = voronoi(rng, 120)
    if broken:  # overlaps: no coverage any more
        cells[3] = cells[3].buffer(0.05)
    keys = rng.choice(["b", "a", "c", None], len(cells))
    frame = gpd.GeoDataFrame({"community": keys}, geometry=cells, crs=4326)
    merged = dissolve(frame, "community")
    assert merged["community"].tolist() == ["a", "b", "c"] and merged.crs == frame.crs
    for key, shape in zip(merged["community"], merged.geometry, strict=True):
        assert shapely.symmetric_difference(shape, shapely.union_all(cells[keys == key])).area < 1e-12
    rows = rng.permutation(len(cells))
    again = dissolve(cells[rows], keys[rows])
    assert again.columns.tolist() == ["key", "geometry"]
    assert all(
        a.equals(b) or a.symmetric_difference(b).area < 1e-12
        for a, b in zip(merged.geometry, again.geometry, strict=True)
    )


def test_nest_takes_the_largest_share_and_breaks_ties_by_code():
    parents = gpd.GeoDataFrame(
        {"code": ["2", "1", "3"]}, geometry=[box(0, 0, 10, 10), box(10, 0, 20, 10), box(0, 0, 8, 8)]
    )
    children = [box(1, 1, 2, 2), box(8, 4, 12, 6), box(9, 4, 12, 6), box(20, 0, 21, 1), box(30, 0, 31, 1), None]
    assert nest(children, parents).tolist() == [0, 1, 1, -1, -1, -1]
    assert nest(children[:2], parents.geometry).tolist() == [0, 0]


def test_nest_against_every_pair():
    rng = np.random.default_rng(41)
    children, parents = voronoi(rng, 150), voronoi(rng, 9, -0.1, 0.1, 0.9, 1.0)
    shared = shapely.area(shapely.intersection(children[:, None], parents[None, :]))
    expected = np.where(shared.max(axis=1) > 0, shared.argmax(axis=1), -1)
    np.testing.assert_array_equal(nest(children, parents), expected)


@pytest.fixture(scope="module")
def philadelphia(real_data):
    return real_data / "philadelphia"


@pytest.mark.real
def test_philadelphia_divisions_and_incidents(philadelphia):
    divisions = gpd.read_file(f"/vsigzip/{philadelphia}/political_divisions.geojson.gz")
    rows = pd.read_csv(philadelphia / "incidents_2024.csv.gz", nrows=60_000)
    x, y = rows["point_x"].to_numpy(float), rows["point_y"].to_numpy(float)
    corners = shapely.get_coordinates(divisions.geometry.to_numpy())[::23]
    x, y = np.append(x, corners[:, 0]), np.append(y, corners[:, 1])
    found = assign(x, y, divisions.geometry)
    usable = np.isfinite(x) & np.isfinite(y)
    point, region = shapely.STRtree(divisions.geometry.to_numpy()).query(
        shapely.points(x[usable], y[usable]), predicate="intersects"
    )
    least = np.full(usable.sum(), len(divisions))
    np.minimum.at(least, point, region)
    expected = np.full(x.size, -1)
    expected[usable] = np.where(least < len(divisions), least, -1)
    np.testing.assert_array_equal(found, expected)
    assert (found >= 0).mean() > 0.9
