"""geo.coverage: points looked up in areas, and the order of repair, against brute force."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coverage import covered_points, nearest_camera_m, repair_order, sectors
from geo.runs import blocks, ranges

CITY = np.array([512_345.678, 4_012_345.678])


def fleet(seed: int, n: int, span: float = 400.0, reach=(20, 90)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, span, (2, n))
    fov = rng.choice([60, 90, 200, 360], n)
    return sectors(x, y, rng.uniform(0, 360, n), fov, rng.uniform(*reach, n))


def table(points: np.ndarray, areas) -> np.ndarray:
    """Every point against every area."""
    return np.array([[a is not None and shapely.intersects_xy(a, *p) for a in areas] for p in points]).reshape(
        len(points), len(areas)
    )


@pytest.mark.parametrize("seed", range(4))
def test_counts_equal_every_point_against_every_area(seed):
    areas = fleet(seed, 60)
    points = np.random.default_rng(seed).uniform(-50, 450, (700, 2))
    wanted = table(points, areas).sum(axis=1)
    assert (covered_points(points, areas) == wanted).all()
    assert wanted.max() > 2 and (wanted == 0).any()


@pytest.mark.parametrize("spread", ["city", "one corner", "one place"])
def test_counts_equal_the_tree_s_on_many_points(spread):
    rng = np.random.default_rng(9)
    areas = fleet(9, 3000, span=6000.0)
    points = {
        "city": rng.uniform(-100, 6100, (60_000, 2)),
        "one corner": rng.normal(300, 200, (60_000, 2)),
        "one place": np.full((60_000, 2), 3000.0) + rng.integers(0, 2, (60_000, 1)),
    }[spread]
    point, _ = shapely.STRtree(areas).query(shapely.points(points), predicate="intersects")
    assert (covered_points(points, areas) == np.bincount(point, minlength=len(points))).all()


def test_sectors_against_range_and_bearing():
    """The polygon misses only slivers along the arc: at most 0.04 % of the range for steps of 3 degrees."""
    rng = np.random.default_rng(4)
    x, y, bearing, fov, reach = 100.0, 50.0, 75.0, 110.0, 80.0
    points = np.array([x, y]) + rng.uniform(-90, 90, (50_000, 2))
    east, north = (points - [x, y]).T
    off = np.abs((np.degrees(np.arctan2(east, north)) - bearing + 180) % 360 - 180)
    away = np.hypot(east, north)
    exact = (away <= reach) & (off <= fov / 2)
    got = covered_points(points, sectors([x], [y], [bearing], [fov], [reach])) > 0
    assert not (got & ~exact).any()
    missed = exact & ~got
    assert missed.mean() < 2e-4 and (away[missed] > reach * (1 - 4e-4)).all()


def test_sizes_far_apart_strays_holes_and_empties():
    small = fleet(2, 30)
    ring = shapely.Point(200, 200).buffer(150).difference(shapely.Point(200, 200).buffer(60))
    areas = np.array(
        [
            *small,
            shapely.box(-2e5, -2e5, 2e5, 2e5),
            ring,
            None,
            shapely.Polygon(),
            shapely.box(9e8, 9e8, 9e8 + 1, 9e8 + 1),
        ],
        object,
    )
    points = np.random.default_rng(3).uniform(-100, 500, (500, 2))
    points = np.vstack([points, [[1.5e5, -1.5e5], [1e12, 0], [9e8 + 0.5, 9e8 + 0.5]]])
    assert (covered_points(points, areas) == table(points, areas).sum(axis=1)).all()


@pytest.mark.parametrize("size", [1, 7, 10, 11, 1000])
def test_blocks_hold_every_run_once(size):
    count = np.array([3, 0, 10, 1, 1, 25, 2])
    parts = list(blocks(count, size))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(7))
    assert all(count[part].sum() <= size or part.stop - part.start == 1 for part in parts)
    assert list(blocks(count[:0], size)) == []
    assert ranges(np.array([5, 9, 0]), np.array([2, 0, 3])).tolist() == [5, 6, 0, 1, 2]


def test_borders_count_and_nothing_is_counted_twice():
    boxes = [shapely.box(0, 0, 50, 50), shapely.box(50, 0, 100, 50)]
    assert covered_points([[50, 25], [0, 0], [100, 50], [100.001, 50], [25, 25]], boxes).tolist() == [2, 1, 1, 0, 1]


def test_empty_sides_and_refusals():
    assert covered_points([], fleet(1, 5)).tolist() == []
    assert covered_points([[1, 2], [3, 4]], []).tolist() == [0, 0]
    assert covered_points([[1, 2]], [None, shapely.Polygon()]).tolist() == [0]
    lonlat = gpd.GeoSeries(gpd.points_from_xy([113.6], [34.7]), crs=4490)
    with pytest.raises(ValueError, match=r"xy is in degrees \(EPSG:4490\)"):
        covered_points(lonlat, fleet(1, 5))
    with pytest.raises(ValueError, match=r"areas is in degrees"):
        covered_points([[1, 2]], gpd.GeoSeries(fleet(1, 5), crs=4326))
    with pytest.raises(ValueError, match=r"areas\[0\] is a Point"):
        covered_points([[1, 2]], [shapely.Point(0, 0)])
    twice = gpd.GeoDataFrame({"camera_code": ["A", "B", "A"]}, geometry=fleet(1, 3))
    with pytest.raises(ValueError, match="camera_code A stands more than once"):
        covered_points([[1, 2]], twice)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 8))
def test_order_of_rows_and_origin(seed, n):
    areas, rng = fleet(seed, n), np.random.default_rng(seed)
    points = rng.uniform(0, 400, (40, 2))
    base = covered_points(points, areas)
    turn = rng.permutation(40)
    assert (covered_points(points[turn], areas[::-1]) == base[turn]).all()
    clear = shapely.distance(shapely.points(points)[:, None], shapely.boundary(areas)[None]).min(axis=1) > 1e-6
    moved = shapely.transform(areas, lambda xy: xy + CITY)
    assert (covered_points(points + CITY, moved) == base)[clear].all()


def test_nearest_camera():
    rng = np.random.default_rng(0)
    points, cameras = rng.uniform(0, 1000, (200, 2)), rng.uniform(0, 1000, (30, 2))
    wanted = np.hypot(*(points[:, None] - cameras[None]).transpose(2, 0, 1)).min(axis=1)
    assert nearest_camera_m(points, cameras) == pytest.approx(wanted)
    assert np.isinf(nearest_camera_m(points[:2], [])).all()


@pytest.mark.parametrize("seed", range(12))
def test_repair_equals_failing_and_repairing_one_by_one(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    areas, points = fleet(seed, n, span=200.0), rng.uniform(0, 200, (80, 2))
    online = rng.random(n) < 0.6
    sees = table(points, areas)

    def covered(works: np.ndarray) -> int:
        return int(sees[:, works].any(axis=1).sum())

    now = covered(online)
    got = repair_order(areas, points, online=online)
    for i in range(n):
        without, with_it = online.copy(), online.copy()
        without[i], with_it[i] = False, True
        assert got.loss[i] == now - covered(without)
        assert got.gain[i] == covered(with_it) - now
    assert got.seen.tolist() == sees.sum(axis=0).tolist()
    assert (got.events, got.events_covered, got.unknown) == (80, now, 0)
    assert got.loss.sum() <= now
    assert (
        sorted(got.order) == np.flatnonzero(~online).tolist() and sorted(got.watch) == np.flatnonzero(online).tolist()
    )
    assert got.order.tolist() == sorted(np.flatnonzero(~online), key=lambda i: (-got.gain[i], i))
    assert got.watch.tolist() == sorted(np.flatnonzero(online), key=lambda i: (-got.loss[i], i))


def test_ties_are_broken_by_code_then_position():
    areas = np.array([shapely.box(0, 0, 10, 10)] * 4, object)
    points, off = [[5, 5]], [False] * 4
    assert repair_order(areas, points, online=off).order.tolist() == [0, 1, 2, 3]
    assert repair_order(areas, points, online=off, codes=["d", "b", "c", "a"]).order.tolist() == [3, 1, 2, 0]
    frame = gpd.GeoDataFrame({"camera_code": ["9", "10", "2", "1"]}, geometry=areas)
    assert repair_order(frame, points, online=off).order.tolist() == [3, 1, 2, 0]  # as text
    order, gain, loss = repair_order(areas, points, online=off)
    assert (gain == 1).all() and (loss == 0).all() and len(order) == 4


def test_unknown_cameras_and_empty_sides_are_said():
    areas = np.array([shapely.box(0, 0, 10, 10)] * 3, object)
    got = repair_order(areas, [[5, 5], [99, 99]], online=[None, False, True])
    assert got.order.tolist() == [1] and got.watch.tolist() == [2] and got.loss.tolist() == [0, 0, 1]
    assert got.unknown == 1 and "1个摄像机在线状态不明" in got.note
    none = repair_order(areas, [], online=[True, False, False])
    assert none.gain.tolist() == [0, 0, 0] and none.order.tolist() == [1, 2] and "没有事件" in none.note
    bare = repair_order([], [[1, 1]], online=[])
    assert bare.order.size == 0 and (bare.events, bare.events_covered) == (1, 0) and "没有摄像机" in bare.note
    for wrong, words in (([True], "online has 1 values, expected 3"), ([True, 2, 0], "expected true, false")):
        with pytest.raises(ValueError, match=words):
            repair_order(areas, [[1, 1]], online=wrong)
    with pytest.raises(ValueError, match="codes has 2 values, expected 3"):
        repair_order(areas, [[1, 1]], online=[True] * 3, codes=["a", "b"])


def test_order_of_rows_and_copies_of_events():
    rng = np.random.default_rng(6)
    areas, points = fleet(6, 12, span=250.0), rng.uniform(0, 250, (150, 2))
    online = rng.random(12) < 0.5
    base = repair_order(areas, points, online=online)
    turn, stir = rng.permutation(12), rng.permutation(150)
    moved = repair_order(areas[turn], points[stir], online=online[turn])
    assert (moved.gain == base.gain[turn]).all() and (moved.loss == base.loss[turn]).all()
    double = repair_order(areas, np.vstack([points, points]), online=online)
    assert (double.gain == 2 * base.gain).all() and double.order.tolist() == base.order.tolist()
