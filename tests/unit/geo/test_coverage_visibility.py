"""geo.coverage.visible_area against closed forms, ray casting and its own definition on random and awkward blocks."""

import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
import shapely.ops
from shapely import affinity, box

from geo.coverage import Obstacles, sector, visible_area, visible_areas

ROOM = box(-60, -60, 60, 60).difference(box(-50, -50, 50, 50))  # walls 10 m thick round 100 x 100 m
CITY = np.array([512_345.678, 4_012_345.678])


def shapes(seed: int, kind: str, count: int) -> list[shapely.Polygon]:
    """Random buildings: apart, overlapping, on a lattice (touching, collinear), with courtyards."""
    rng = np.random.default_rng(seed)
    out = []
    while len(out) < count:
        if kind == "lattice":
            x, y = rng.integers(-12, 12, 2)
            w, h = rng.integers(1, 6, 2)
            shape = box(x, y, x + w, y + h)
        elif kind == "triangles":
            shape = shapely.Polygon(rng.integers(-12, 13, (3, 2)))
        elif kind == "boxes":
            x, y, w, h = *rng.uniform(-60, 60, 2), *rng.uniform(2, 20, 2)
            shape = affinity.rotate(box(x - w, y - h, x + w, y + h), rng.uniform(0, 90))
        else:
            turn = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(5, 14)))
            reach = rng.uniform(3, 22, turn.size)
            middle = rng.uniform(-60, 60, 2)
            shape = shapely.Polygon(middle + np.column_stack([reach * np.cos(turn), reach * np.sin(turn)]))
            if kind == "courtyards" and shape.is_valid:
                shape = shape.difference(shape.representative_point().buffer(2))
        if shape.area > 0 and shape.is_valid and shape.geom_type == "Polygon":
            out.append(shape)
    return out


def apart(one, two) -> float:
    """Area in one of two shapes alone. On a grid of 15 micrometres: without it GEOS answers wrongly, once in some
    hundred times, for edges that lie on each other to the last digit."""
    return shapely.symmetric_difference(one, two, grid_size=2.0**-16).area


def blocked(spot: np.ndarray, points: np.ndarray, buildings) -> np.ndarray:
    """The definition: the segment runs through the inside of a building that does not carry the camera."""
    others = [b for b in buildings if not shapely.dwithin(b, shapely.Point(spot), 1e-6)]
    lines = shapely.linestrings(np.stack([np.broadcast_to(spot, points.shape), points], axis=1))
    hidden = np.zeros(len(points), bool)
    for building in others:
        hidden |= shapely.relate_pattern(lines, building, "T********")
    return hidden


def cast_area(spot, reach: float, buildings, rays: int = 7200) -> float:
    """Area seen all round by plain ray casting."""
    turn = (np.arange(rays) + 0.5) * 2 * np.pi / rays
    ends = spot + reach * np.column_stack([np.sin(turn), np.cos(turn)])
    walls = shapely.union_all(np.array(buildings, object))
    rays_ = shapely.linestrings(np.stack([np.broadcast_to(spot, ends.shape), ends], axis=1))
    away = shapely.distance(shapely.Point(spot), shapely.intersection(rays_, walls))
    free = np.minimum(np.where(np.isnan(away), reach, away), reach)
    return float((free**2).mean() * np.pi)


def test_room_with_a_square_pillar():
    # From (-20, 0) the pillar's near face x = 5, |y| <= 5 hides a trapezoid up to the wall x = 50: half widths 5, 14.
    seen = visible_area(-20, 0, range_m=500, obstacles=[ROOM, box(5, -5, 15, 5)])
    assert seen.area == pytest.approx(100 * 100 - (5 + 14) * 45, abs=1e-8)
    assert seen.is_valid and len(seen.interiors) == 0


def test_room_without_pillar_and_in_the_middle_with_four():
    assert visible_area(13, -31, range_m=500, obstacles=[ROOM]).area == pytest.approx(10_000, abs=1e-8)
    pillars = [box(-5, 20, 5, 30), box(-5, -30, 5, -20), box(20, -5, 30, 5), box(-30, -5, -20, 5)]
    shadow = (5 + 12.5) * 30  # from distance 20 to the wall at 50, half widths 5 and 12.5
    assert visible_area(0, 0, range_m=500, obstacles=[ROOM, *pillars]).area == pytest.approx(
        10_000 - 4 * shadow, abs=1e-8
    )


@pytest.mark.parametrize("fov", [30, 90, 120, 250, 360])
def test_a_single_wall_s_shadow(fov):
    wall = box(-10, 10, 10, 11)  # in directions -45 to 45 degrees; what is seen before it are triangles
    half = min(fov / 2, 45)
    before = 10 * 10 * math.tan(math.radians(half))
    beside = sector(0, 0, 0, fov, 80).area - (
        sector(0, 0, 0, 90, 80).area if fov > 90 else sector(0, 0, 0, fov, 80).area
    )
    seen = visible_area(0, 0, bearing_deg=0, fov_deg=fov, range_m=80, obstacles=[wall])
    assert seen.area == pytest.approx(before + beside, rel=1e-3)
    assert not seen.intersects(shapely.Point(0, 50))


@pytest.mark.parametrize(
    ("bearing", "fov", "reach"),
    [(0, 90, 50), (213.7, 200, 80), (10, 359, 30), (0, 360, 120), (45, 0.5, 500), (45, 1e-3, 500)],
)
def test_nothing_in_the_way_gives_the_sector_itself(bearing, fov, reach):
    wanted = sector(*CITY, bearing, fov, reach)
    for obstacles in ([], [None, shapely.Polygon()], [affinity.translate(box(0, 0, 9, 9), *(CITY + 600))]):
        seen = visible_area(*CITY, bearing_deg=bearing, fov_deg=fov, range_m=reach, obstacles=obstacles)
        assert apart(seen, wanted) < 1e-2
        assert shapely.get_num_coordinates(seen) == shapely.get_num_coordinates(wanted)


@pytest.mark.parametrize("kind", ["boxes", "lattice", "triangles", "stars", "courtyards"])
@pytest.mark.parametrize("seed", range(6))
def test_a_point_is_seen_iff_no_building_stands_between(kind, seed):
    rng = np.random.default_rng([seed, 7])
    buildings = shapes(seed, kind, 18)
    lattice = kind in ("lattice", "triangles")
    for _ in range(4):
        spot = rng.integers(-10, 10, 2).astype(float) if lattice else rng.uniform(-30, 30, 2)
        reach = 15.0 if lattice else 70.0
        bearing, fov = rng.choice([0, 45, 90, rng.uniform(0, 360)]), rng.choice([60, 180, 270, 360])
        seen = visible_area(*spot, bearing_deg=bearing, fov_deg=fov, range_m=reach, obstacles=buildings)
        assert seen.is_valid
        points = spot + rng.uniform(-reach, reach, (400, 2))
        inside = shapely.intersects_xy(sector(*spot, bearing, fov, reach), points)
        clear = shapely.distance(shapely.points(points), seen.boundary) > 1e-3
        wanted = inside & ~blocked(spot, points, buildings)
        got = shapely.intersects_xy(seen, points)
        # Walls that touch leave a line of no width through which the definition sees; it has no area.
        assert (got == wanted)[clear].mean() > 0.998 if lattice else (got == wanted)[clear].all()


@pytest.mark.parametrize("kind", ["boxes", "stars"])
@pytest.mark.parametrize("seed", range(5))
def test_area_equals_ray_casting(kind, seed):
    buildings = shapes(100 + seed, kind, 30)
    union = shapely.union_all(np.array(buildings, object))
    rng = np.random.default_rng(seed)
    spots = rng.uniform(-40, 40, (40, 2))
    spot = spots[~shapely.dwithin(union, shapely.points(spots), 0.5)][0]
    seen = visible_area(*spot, range_m=80, obstacles=buildings)
    assert seen.area == pytest.approx(cast_area(spot, 80, buildings), rel=4e-3)


def test_cameras_on_buildings_see_over_them_and_it_is_said():
    house, other = box(0, 0, 10, 10), box(10, 0, 20, 10)  # they share a wall
    x, y = [5, 0, 10, 10, 3, 30], [5, 0, 10, 5, 10, 5]  # inside, corner, shared corner, shared wall, wall, apart
    got = visible_areas(x, y, range_m=8, obstacles=[house, other])
    assert got.mounted.tolist() == [True] * 5 + [False]
    circle = sector(0, 0, 0, 360, 8).area
    behind = sector(0, 0, 90, 90, 8).area - 5 * 5  # the other's wall is 5 m ahead, 45 degrees to both sides
    assert got.areas[0].area == pytest.approx(circle - behind, abs=1e-6)
    assert shapely.area(got.areas[[2, 3, 5]]) == pytest.approx(
        circle
    )  # both carry the camera; the last is out of reach
    assert "5个摄像机位于建筑上" in got.note
    assert visible_areas([30], [5], range_m=8, obstacles=[house]).note == ""


def test_walls_that_touch_leave_no_gap_and_cuts_change_nothing():
    whole = [box(-20, 10, 20, 14)]
    halves = [box(-20, 10, 3, 14), box(3, 10, 20, 14)]
    thirds = [box(-20, 10, 1 / 3, 14), box(1 / 3, 10, 7, 12), box(1 / 3, 12, 7, 14), box(7, 10, 20, 14)]
    overlap = [box(-20, 10, 8, 14), box(2, 10, 20, 14), box(-3, 10, 4, 13)]
    wanted = visible_area(0, 0, range_m=60, obstacles=whole)
    for parts in (halves, thirds, overlap, [shapely.MultiPolygon([halves[0], box(99, 99, 100, 100)]), halves[1]]):
        seen = visible_area(0, 0, range_m=60, obstacles=parts)
        assert seen.is_valid
        assert apart(seen, wanted) < 1e-2
        assert not seen.intersects(shapely.Point(3, 30))


@pytest.mark.parametrize("turn", [0, 11.3, 33.0, 71.7])
@pytest.mark.parametrize("slope", [0.9, 0.37, 0.0, -0.5])
def test_walls_that_touch_to_the_last_digit_only_let_no_ray_through(turn, slope):
    """Two halves of one wall, turned and far from the origin: the gap between them lies in the line of sight."""
    along = shapely.LineString([(5 * slope, 5), (20 * slope, 20)])
    halves = shapely.get_parts(shapely.ops.split(box(-20, 10, 20, 14), along))
    assert len(halves) == 2
    parts = [affinity.translate(affinity.rotate(h, turn, origin=(0, 0)), *CITY) for h in halves]
    first, second = (shapely.get_coordinates(p) for p in parts)
    parts[1] = shapely.Polygon(second + 1e-9 * np.sign(second - first.mean(axis=0)))  # a nanometre apart
    seen = visible_area(*CITY, range_m=60, obstacles=parts)
    wanted = visible_area(*CITY, range_m=60, obstacles=[shapely.convex_hull(shapely.union_all(parts))])
    assert seen.is_valid
    assert shapely.hausdorff_distance(seen, wanted) < 1e-3


def test_edges_seen_end_on_hide_nothing_of_their_own():
    along = box(0, 10, 5, 20)  # its side x = 0 lies in the line of sight to the north
    seen = visible_area(0, 0, range_m=40, obstacles=[along])
    assert seen.intersects(shapely.Point(-0.01, 30)) and not seen.intersects(shapely.Point(0.01, 30))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["lattice", "triangles"])
def test_a_turned_lattice_sees_what_the_lattice_sees(kind, seed):
    """Walls in line with cameras, corners and each other, but only to the last digit."""
    rng = np.random.default_rng([seed, 3])
    buildings, spots = shapes(300 + seed, kind, 25), rng.integers(-11, 11, (30, 2)).astype(float)
    bearing, fov, turn = rng.integers(0, 8, 30) * 45.0, rng.choice([90.0, 180, 360], 30), rng.uniform(0, 90)
    flat = visible_areas(*spots.T, bearing_deg=bearing, fov_deg=fov, range_m=15, obstacles=buildings)
    turned = [affinity.rotate(b, -turn, origin=(0, 0)) for b in buildings]
    at = shapely.get_coordinates([affinity.rotate(shapely.Point(s), -turn, origin=(0, 0)) for s in spots])
    got = visible_areas(*at.T, bearing_deg=bearing + turn, fov_deg=fov, range_m=15, obstacles=turned)
    assert shapely.is_valid(got.areas).all() and (got.mounted == flat.mounted).all()
    whole = fov == 360  # its rim has its vertices elsewhere after the turn
    assert shapely.area(got.areas)[~whole] == pytest.approx(shapely.area(flat.areas)[~whole], abs=1e-4)
    assert shapely.area(got.areas)[whole] == pytest.approx(shapely.area(flat.areas)[whole], rel=2e-3)


def test_crossing_buildings_are_cut_where_they_meet():
    cross = [box(-20, 9, 20, 11), box(-1, 5, 1, 15)]
    union = [shapely.union_all(cross)]
    one, two = (visible_area(2.5, 0, range_m=50, obstacles=o) for o in (cross, union))
    assert apart(one, two) < 1e-2


def test_order_origin_and_more_buildings():
    buildings = shapes(5, "stars", 40)
    base = visible_area(1.5, 2.5, bearing_deg=40, fov_deg=250, range_m=75, obstacles=buildings)
    back = visible_area(1.5, 2.5, bearing_deg=40, fov_deg=250, range_m=75, obstacles=buildings[::-1])
    assert apart(base, back) < 1e-2
    moved = [affinity.translate(b, *CITY) for b in buildings]
    there = visible_area(*(CITY + np.array([1.5, 2.5])), bearing_deg=40, fov_deg=250, range_m=75, obstacles=moved)
    assert there.area == pytest.approx(base.area, abs=1e-4)
    fewer = visible_area(1.5, 2.5, bearing_deg=40, fov_deg=250, range_m=75, obstacles=buildings[:20])
    assert shapely.difference(base, fewer, grid_size=2.0**-16).area < 1e-2 and base.area < fewer.area
    far = [*buildings, box(1e7, 1e7, 1e7 + 10, 1e7 + 10)]
    assert visible_area(1.5, 2.5, bearing_deg=40, fov_deg=250, range_m=75, obstacles=far).equals(base)


@pytest.mark.parametrize("start", [0.0, 33.3, 301.0])
def test_neighbouring_sectors_add_up_to_the_wide_one(start):
    buildings = shapes(11, "boxes", 25)
    spot = (70.0, 70.0)
    wide = visible_area(*spot, bearing_deg=start, fov_deg=240, range_m=90, obstacles=buildings)
    parts = [
        visible_area(*spot, bearing_deg=start + d, fov_deg=120, range_m=90, obstacles=buildings) for d in (-60, 60)
    ]
    assert apart(wide, shapely.union_all(parts, grid_size=2.0**-16)) < 1e-2


def test_many_cameras_at_once_equal_one_by_one():
    buildings = shapes(3, "boxes", 30)
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-80, 80, (2, 25))
    fov, reach, turn = rng.uniform(20, 360, 25), rng.uniform(10, 90, 25), rng.permutation(25) * 10
    many = visible_areas(x, y, bearing_deg=turn, fov_deg=fov, range_m=reach, obstacles=Obstacles(buildings))
    for i in range(25):
        one = visible_area(x[i], y[i], bearing_deg=turn[i], fov_deg=fov[i], range_m=reach[i], obstacles=buildings)
        assert one.equals(many.areas[i])
        alone = shapely.difference(one, sector(x[i], y[i], turn[i], fov[i], reach[i]), grid_size=2.0**-16)
        assert alone.area < 1e-2
    assert visible_areas([], [], range_m=[], obstacles=buildings).areas.shape == (0,)


def test_real_footprints(real_data):
    path = real_data / "philadelphia" / "park_building_footprints.geojson.gz"
    buildings = gpd.read_file(f"/vsigzip/{path}").to_crs(26918)
    union = shapely.union_all(shapely.make_valid(buildings.geometry.values))
    rng = np.random.default_rng(20)
    middles = shapely.get_coordinates(shapely.centroid(buildings.geometry.values))
    spots = middles[rng.choice(len(middles), 60, replace=False)] + rng.uniform(-60, 60, (60, 2))
    got = visible_areas(*spots.T, range_m=100, obstacles=buildings)
    assert shapely.is_valid(got.areas).all()
    hidden = 0
    for spot, seen, mounted in zip(spots, *got, strict=True):
        points = spot + rng.uniform(-90, 90, (150, 2))
        points = points[np.hypot(*(points - spot).T) < 99.9]
        clear = shapely.distance(shapely.points(points), seen.boundary) > 1e-3
        near = [b for b in buildings.geometry.values if b.distance(shapely.Point(spot)) < 100]
        wanted = ~blocked(spot, points, near)
        assert (shapely.intersects_xy(seen, points) == wanted)[clear].all()
        assert mounted == union.intersects(shapely.Point(spot))
        hidden += int((~wanted).sum())
    assert hidden > 300


def test_degrees_lines_and_odd_values_are_refused():
    lonlat = gpd.GeoSeries([box(113, 34, 113.1, 34.1)], crs=4490)
    with pytest.raises(ValueError, match=r"obstacles is in degrees \(EPSG:4490\)"):
        visible_area(0, 0, range_m=10, obstacles=lonlat)
    with pytest.raises(ValueError, match=r"obstacles\[0\] is a LineString"):
        visible_area(0, 0, range_m=10, obstacles=[shapely.LineString([(0, 1), (1, 1)])])
    for wrong in (
        {"range_m": 0},
        {"range_m": math.inf},
        {"range_m": 9, "fov_deg": 0},
        {"range_m": 9, "fov_deg": 90, "bearing_deg": math.nan},
    ):
        with pytest.raises(ValueError, match="visible_area"):
            visible_area(0, 0, obstacles=[], **wrong)


def test_invalid_buildings_are_mended_and_the_caller_s_stay():
    bowtie = shapely.Polygon([(-5, 10), (5, 20), (5, 10), (-5, 20)])
    given = np.array([bowtie, None], object)
    seen = visible_area(0, 0, range_m=40, obstacles=given)
    assert seen.is_valid and not seen.intersects(shapely.Point(0, 30))
    assert given[0] is bowtie and given[1] is None
