"""geo.coverage.coverage_summary against closed forms and other ways to the same figures."""

import math
from dataclasses import fields

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coverage import Coverage, coverage_summary, sectors, visible_areas

CITY = shapely.box(0, 0, 2000, 1000)
BOXES = [shapely.box(0, 0, 1000, 1000), shapely.box(500, 0, 1500, 1000), shapely.box(1900, 0, 2100, 1000)]
GRID = 2.0**-16


def fleet(seed: int, n: int, span: float = 300.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, span, (2, n))
    return sectors(x, y, rng.uniform(0, 360, n), rng.choice([60, 110, 250, 360], n), rng.uniform(20, 80, n))


def once_and_twice(areas) -> tuple[shapely.Geometry, shapely.Geometry]:
    """One camera after the other: what is seen at all, and what is seen again."""
    once = twice = shapely.Polygon()
    for area in areas:
        twice = shapely.union(twice, shapely.intersection(once, area, grid_size=GRID), grid_size=GRID)
        once = shapely.union(once, area, grid_size=GRID)
    return once, twice


def shares(coverage: Coverage) -> dict:
    return {f.name: getattr(coverage, f.name) and getattr(coverage, f.name).share_pct for f in fields(Coverage)}


def test_boxes_by_hand():
    roads = [shapely.LineString([(-100, 500), (2100, 500)]), shapely.LineString([(700, 0), (700, 500), (1200, 500)])]
    places = [[250, 10], [750, 10], [1750, 10], [1500, 10]]
    events = [[250, 10]] * 3 + [[600, 600]] * 2 + [[1800, 5]] * 5
    got = coverage_summary(BOXES, online=[True, False, None], city=CITY, roads=roads, places=places, incidents=events)
    every, online = got
    assert tuple(every.area) == pytest.approx((1.6, 2.0, 80.0))  # 0 to 1500 and 1900 to 2000 of 2000 m
    assert tuple(every.area_backup) == pytest.approx((0.5, 2.0, 25.0))
    assert tuple(every.overlap) == pytest.approx((2.2, 1.7, 220 / 1.7))
    assert tuple(every.road) == pytest.approx((1700 + 1000, 2200 + 1000, 100 * 2700 / 3200))
    assert tuple(every.road_backup) == pytest.approx((500 + 500 + 300, 3200, 100 * 1300 / 3200))
    assert tuple(every.places) == (3, 4, 75.0) and tuple(every.places_backup) == (1, 4, 25.0)
    assert tuple(every.incidents) == (5, 10, 50.0) and tuple(every.incidents_backup) == (2, 10, 20.0)
    assert tuple(online.area) == pytest.approx((1.0, 2.0, 50.0)) and online.area_backup.numerator == 0
    assert tuple(online.road) == pytest.approx((1000 + 800, 3200, 100 * 1800 / 3200))
    assert tuple(online.incidents) == (5, 10, 50.0) and tuple(online.incidents_backup) == (0, 10, 0.0)
    assert (got.cameras, got.cameras_online, got.cameras_unknown) == (3, 1, 1)
    assert got.note == "1个摄像机在线状态不明，不计为在线"
    assert {every.area.unit, every.road.unit, every.places.unit, every.incidents.unit} == {"平方公里", "米", "处", "起"}


def test_what_is_not_given_is_not_judged_and_never_zero():
    got = coverage_summary(BOXES)
    assert got.online is None
    assert {name for name, share in shares(got.all).items() if share is not None} == {"overlap"}
    rows = pd.DataFrame(got.rows())
    assert len(rows) == 18 and (rows["state"] == "未评估").sum() == 17
    assert rows.loc[rows["state"] == "未评估", ["numerator", "denominator", "share_pct"]].isna().all(axis=None)
    full = pd.DataFrame(coverage_summary(BOXES, online=[1, 0, 1], city=CITY, roads=[], places=[], incidents=[]).rows())
    assert (full["state"] == "已评估").all()
    empty = full["kpi"].str.startswith(("road", "places", "incidents"))
    assert full.loc[empty, "share_pct"].isna().all() and (full.loc[empty, "denominator"] == 0).all()


def test_without_cameras_there_are_zeros_and_a_note():
    got = coverage_summary([], online=[], city=CITY, roads=[shapely.LineString([(0, 0), (9, 0)])], incidents=[[1, 1]])
    for coverage in got:
        assert coverage.area.share_pct == 0 and coverage.road.share_pct == 0 and coverage.incidents.share_pct == 0
        assert coverage.overlap.share_pct is None and coverage.places is None
    assert got.note == "没有摄像机"


def test_all_offline_is_zero_online():
    got = coverage_summary(BOXES, online=[False] * 3, city=CITY, incidents=[[1, 1]])
    assert got.online.area.share_pct == 0 and got.online.incidents.share_pct == 0 and got.all.area.share_pct > 0


@pytest.mark.parametrize("seed", range(6))
def test_areas_equal_cameras_added_one_by_one(seed):
    rng = np.random.default_rng(seed)
    areas, online = fleet(seed, 25), rng.random(25) < 0.7
    city = shapely.Polygon([(0, 0), (260, 40), (300, 300), (150, 180), (20, 290)])
    got = coverage_summary(areas, online=online, city=city)
    for coverage, chosen in zip(got, (areas, areas[online]), strict=True):
        once, twice = once_and_twice(chosen)
        assert coverage.overlap.denominator == pytest.approx(once.area / 1e6, rel=1e-6)
        assert coverage.overlap.numerator == pytest.approx(shapely.area(chosen).sum() / 1e6)
        assert coverage.area.numerator == pytest.approx(shapely.intersection(once, city).area / 1e6, rel=1e-6)
        assert coverage.area_backup.numerator == pytest.approx(shapely.intersection(twice, city).area / 1e6, rel=1e-6)
        assert coverage.area.denominator == pytest.approx(city.area / 1e6)


@pytest.mark.parametrize("seed", range(6))
def test_roads_equal_the_overlay_with_the_union(seed):
    rng = np.random.default_rng(seed)
    areas = fleet(seed, 25)
    roads = [shapely.LineString(rng.uniform(0, 300, (int(rng.integers(2, 8)), 2))) for _ in range(8)]
    roads.append(shapely.MultiLineString([[(0, 0), (300, 0), (300, 0)], [(0, 300), (300, 300)]]))
    got = coverage_summary(areas, roads=roads).all
    once, twice = once_and_twice(areas)
    whole = shapely.length(roads).sum()
    assert got.road.denominator == pytest.approx(whole)
    assert got.road.numerator == pytest.approx(shapely.length(shapely.intersection(roads, once)).sum(), rel=1e-6)
    assert got.road_backup.numerator == pytest.approx(
        shapely.length(shapely.intersection(roads, twice)).sum(), rel=1e-6
    )


@pytest.mark.parametrize(
    ("x", "y", "bearings", "fovs", "reaches"),
    [
        (-4.8, 6.6, (90, 90), (90, 90), (80, 50)), (-6.6, -3.9, (90, 90), (90, 90), (50, 80)),
        (-0.2, -4.5, (90, 90), (90, 90), (50, 80)), (6.3, 6.2, (315, 270), (180, 90), (80, 50)),
        (1.3, -7.4, (135, 90), (180, 90), (80, 50)),
    ],
)  # fmt: skip
def test_two_sectors_that_geos_alone_gets_wrong(x, y, bearings, fovs, reaches):
    """The smaller lies in the larger; GEOS 3.14.1 says they share nothing, without an error."""
    pair = sectors([x, x], [y, y], bearings, fovs, reaches)
    got = coverage_summary(pair, city=shapely.box(-300, -300, 300, 300)).all
    assert got.area_backup.numerator * 1e6 == pytest.approx(min(shapely.area(pair)), abs=0.01)
    assert got.area.numerator * 1e6 == pytest.approx(max(shapely.area(pair)), abs=0.01)


@pytest.mark.parametrize("origin", [(0, 0), (512_345.678, 4_012_345.678)])
def test_two_cameras_on_one_pole(origin):
    """|A or B| + |A and B| = |A| + |B|, for edges that lie on each other to the last digit."""
    rng = np.random.default_rng(20)
    for _ in range(60):
        x, y = np.array(origin) + rng.uniform(-60, 60, 2)
        walls = [
            shapely.box(*(c - h), *(c + h))
            for c, h in zip(rng.uniform(-60, 60, (25, 2)) + origin, rng.uniform(1, 12, (25, 2)), strict=True)
        ]
        look = {
            "bearing_deg": rng.integers(0, 8, 2) * 45.0,
            "fov_deg": rng.choice([90.0, 180, 270], 2),
            "range_m": rng.choice([50.0, 80], 2),
        }
        areas = [
            *visible_areas([x, x], [y, y], **look, obstacles=walls).areas,
            *sectors([x, x], [y, y], *look.values()),
        ]
        for first, second in ((0, 1), (0, 2), (2, 3), (1, 2)):
            pair = [areas[first], areas[second]]
            got = coverage_summary(pair, city=shapely.Point(x, y).buffer(200)).all
            total = got.area.numerator + got.area_backup.numerator
            assert total * 1e6 == pytest.approx(shapely.area(pair).sum(), abs=0.05)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 12))
def test_order_origin_and_second_copies(seed, n):
    rng = np.random.default_rng(seed)
    areas, online = fleet(seed, n), rng.random(n) < 0.6
    city, events, places = shapely.box(0, 0, 300, 300), rng.uniform(0, 300, (50, 2)), rng.uniform(0, 300, (7, 2))
    road = [shapely.LineString(rng.uniform(0, 300, (5, 2)))]

    def figures(areas, online, city, road, events, places, what=("all", "online")) -> dict:
        got = coverage_summary(areas, online=online, city=city, roads=road, incidents=events, places=places)
        return {(w, k): v for w in what for k, v in shares(getattr(got, w)).items() if v is not None}

    base = figures(areas, online, city, road, events, places)
    turn = rng.permutation(n)
    assert figures(areas[turn], online[turn], city, road, events[::-1], places[::-1]) == pytest.approx(base, abs=1e-6)
    shift = (500_000.0, 4_000_000.0)  # whole metres: the points move exactly
    move = lambda shapes: shapely.transform(shapes, lambda xy: xy + shift)  # noqa: E731
    assert figures(
        move(areas), online, move(city), move(np.array(road)), events + shift, places + shift
    ) == pytest.approx(base, abs=1e-4)
    twice = figures(np.concatenate([areas, areas]), np.concatenate([online, online]), city, road, events, places)
    for (cameras, name), share in base.items():
        if name in ("area", "road", "places", "incidents"):
            assert twice[cameras, name] == pytest.approx(share, abs=1e-6)
            assert twice[cameras, f"{name}_backup"] == pytest.approx(share, abs=1e-6)  # a second camera at each place
        assert share >= 0 and (name == "overlap" or share <= 100 + 1e-9)
    copies = figures(areas, online, city, road * 2, np.vstack([events, events]), places)
    assert copies["all", "road"] == pytest.approx(base["all", "road"])
    assert copies["all", "incidents"] == pytest.approx(base["all", "incidents"])


def test_many_cameras_in_closed_form():
    """Circles on a lattice: apart they cover n pi r2; a second set shifted by r overlaps each in the known lens."""
    x, y = (v.ravel() for v in np.meshgrid(np.arange(40) * 200.0, np.arange(40) * 200.0))
    r, n = 50.0, 1600
    areas = sectors(np.r_[x, x + r], np.r_[y, y], np.zeros(2 * n), np.full(2 * n, 360), np.full(2 * n, r))
    got = coverage_summary(
        areas, online=np.r_[np.ones(n, bool), np.zeros(n, bool)], city=shapely.box(-100, -100, 8000, 8000)
    )
    lens = 2 * r * r * math.acos(0.5) - r / 2 * math.sqrt(4 * r * r - r * r)
    assert got.online.area.numerator * 1e6 == pytest.approx(n * math.pi * r * r, rel=1e-3)
    assert got.all.area_backup.numerator * 1e6 == pytest.approx(n * lens, rel=3e-3)
    assert got.all.area.numerator * 1e6 == pytest.approx(n * (2 * math.pi * r * r - lens), rel=1e-3)


def test_frames_of_a_release_and_refusals():
    frame = gpd.GeoDataFrame(
        {"camera_code": list("abc"), "online": pd.array([True, False, None], "boolean")}, geometry=BOXES, crs=4547
    )
    city = gpd.GeoSeries([CITY], crs=4547)
    got = coverage_summary(
        frame, online=frame["online"], city=city, incidents=gpd.GeoSeries(gpd.points_from_xy([1], [1]), crs=4547)
    )
    assert got.online.area.share_pct == pytest.approx(50) and got.cameras_unknown == 1
    with pytest.raises(ValueError, match="camera_code a stands more than once"):
        coverage_summary(pd.concat([frame, frame.iloc[:1]]), city=city)
    with pytest.raises(ValueError, match=r"areas is in degrees \(EPSG:4490\)"):
        coverage_summary(frame.set_crs(4490, allow_override=True))
    with pytest.raises(ValueError, match="city is in degrees"):
        coverage_summary(frame, city=city.set_crs(4490, allow_override=True))
    with pytest.raises(ValueError, match=r"roads\[0\] is a Polygon"):
        coverage_summary(frame, roads=[CITY])
    with pytest.raises(ValueError, match="roads is in degrees"):
        coverage_summary(frame, roads=gpd.GeoSeries([shapely.LineString([(113, 34), (114, 34)])], crs=4326))
    with pytest.raises(ValueError, match="online has 2 values, expected 3"):
        coverage_summary(frame, online=[True, False])
    with pytest.raises(ValueError, match="1 of 2 points without coordinates"):
        coverage_summary(frame, incidents=[[1, 1], [math.nan, 1]])


def test_what_the_caller_gave_stays():
    areas = fleet(1, 6)
    before = shapely.to_wkb(areas).tolist()
    frame = gpd.GeoDataFrame({"camera_code": list("abcdef")}, geometry=areas)
    coverage_summary(frame, city=CITY, online=[True] * 6, incidents=[[1, 1]])
    assert shapely.to_wkb(areas).tolist() == before and list(frame.columns) == ["camera_code", "geometry"]
