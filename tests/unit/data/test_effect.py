"""Whether an action helped: the published arithmetic by way of the Store, against a count of the raw rows; a planted drop is found,
noise is not, and nothing is concluded without a control.
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import shapely
import small_release as small

from data.selection import Selection
from data.store import Scope
from data.store.effect import WEEKS_AFTER, Act, effects, units_of
from data.store.hotspots import unit_classes
from geo.evaluation import weighted_displacement_difference

SIDE = 24
WEEKS = 80
FIRST = date(2025, 1, 6)
ALL = Scope.everything()
ACTED = FIRST + timedelta(weeks=60)
HOT = [(3, 3), (3, 12), (12, 3), (20, 20), (12, 20)]  # middles of 3 x 3 grids; the first is acted on


def city(seed: int, factor: float):
    """A square of 576 grids with five hot blocks of nine, the first of which falls to ``factor`` once it is acted on."""
    rng = np.random.default_rng(seed)
    rows, codes = [], []
    for i in range(SIDE * SIDE):
        x, y = small.WEST + (i % SIDE) * small.SIDE, small.SOUTH + (i // SIDE) * small.SIDE
        code = f"990101001{i // 100 + 1:03d}{i % 100 + 1:03d}"
        codes.append(code)
        rows.append({"grid_code": code, "name": f"格{i}", "kind": "基础", "community_code": code[:12], "street_code": code[:9],
                     "district_code": code[:6], "population": 100, "geom": shapely.to_wkb(shapely.box(x, y, x + small.SIDE, y + small.SIDE))})  # fmt: skip
    grid = pd.DataFrame(rows)
    rate = np.full((SIDE * SIDE, WEEKS), 0.3)
    for n in range(len(HOT)):
        rate[block(n)] = 4.0
        if n == 0:
            rate[block(n), 60:] *= factor
    drawn = rng.poisson(rate)
    which, week = np.repeat(np.indices(drawn.shape).reshape(2, -1), drawn.ravel(), axis=1)
    at = pd.Timestamp(FIRST) + pd.to_timedelta(week * 7 * 86_400 + rng.integers(0, 7 * 86_400, len(week)), unit="s")
    box = shapely.bounds(shapely.from_wkb(grid["geom"].to_numpy()))
    frame = pd.DataFrame({"incident_id": [f"J{i}" for i in range(len(which))], "occurred_from": at, "occurred_to": pd.NaT, "category": "治安",
                          "source_id": "jq", "location_quality": "exact", "x": box[which, 0] + 0.005, "y": box[which, 1] + 0.005})  # fmt: skip
    for level in small.LEVELS:
        frame[f"{level}_code"] = grid[f"{level}_code"].to_numpy()[which]
    return grid, frame, drawn


def published(tmp_path, seed, factor, silent=()):
    """``silent``: communities whose weeks after the action are 未报."""
    grid, frame, drawn = city(seed, factor)
    sheet = None
    if silent:
        sheet = pd.DataFrame([
            {"period_start": FIRST + timedelta(weeks=week), "period_end": FIRST + timedelta(weeks=week + 1), "area_code": code, "dataset": "jq",
             "state": "missing" if code in silent and week >= 60 else "reported"}
            for code in sorted(grid["community_code"].unique()) for week in range(WEEKS)
        ])  # fmt: skip
        gone = frame["community_code"].isin(silent) & frame["occurred_from"].ge(pd.Timestamp(ACTED))
        frame = frame[~gone]
    end = FIRST + timedelta(weeks=WEEKS)
    stated = small.info(data_as_of=f"{end}T00:00:00", sources=small.info().sources[:1])
    small.publish(tmp_path, frame, stated=stated, grid=grid, sheet=sheet)
    return grid, drawn


def around(cells: list[int], reach: int = 1) -> list[int]:
    """Cells within ``reach`` steps of some, themselves left out."""
    near = {b * SIDE + a for i in cells for a in range(i % SIDE - reach, i % SIDE + reach + 1) for b in range(i // SIDE - reach, i // SIDE + reach + 1)
            if 0 <= a < SIDE and 0 <= b < SIDE}  # fmt: skip
    return sorted(near - set(cells))


def block(n: int) -> list[int]:
    x, y = HOT[n]
    return sorted([y * SIDE + x, *around([y * SIDE + x])])


def test_the_effect_is_that_of_the_formula_on_the_raw_counts(tmp_path):
    _, drawn = published(tmp_path, 3, 0.4)
    with small.opened(tmp_path) as release:
        found = effects(release, ALL, Act(tuple(block(0)), ACTED, ACTED))
        week = Selection(ACTED - timedelta(days=7), ACTED, compare="none")
        groups = [
            group
            for group in unit_classes(release, week, ALL, "gi", "grid").groups
            if not set(group.units) & set(block(0))
        ]
    assert [one.weeks for one in found] == list(WEEKS_AFTER) and len(groups) >= 4
    for one in found:
        before, after = slice(60 - 1 - 52, 59), slice(60, 60 + one.weeks)  # the week before the action is left out

        def pair(cells, before=before, after=after):
            return int(drawn[list(cells), before].sum()), int(drawn[list(cells), after].sum())

        assert one.treated == pair(block(0)) and one.ring == pair(around(block(0)))
        assert sorted(one.left_alone) == sorted((group.code, *pair(group.units)) for group in groups)
        # Controls: up to five, nearest in baseline, a ring away from the ring of what was acted on and from each other.
        chosen = []
        for group in sorted(groups, key=lambda group, pair=pair, one=one: abs(pair(group.units)[0] - one.treated[0])):
            held = [set(block(0)), *(set(other.units) for other in chosen)]
            if len(chosen) < 5 and not any(set(around(list(group.units), 2)) & other for other in held):
                chosen.append(group)
        assert one.controls == len(chosen) >= 3 and one.control == tuple(
            map(sum, zip(*(pair(group.units) for group in chosen), strict=True))
        )
        rings = [pair(around(list(group.units))) for group in chosen]
        assert one.control_ring == tuple(map(sum, zip(*rings, strict=True)))
        direct = weighted_displacement_difference(one.control, one.treated, one.control_ring, one.ring, exposure=(364, 7 * one.weeks),
                                                  control_weight=1 / len(chosen), dispersion=one.measured.dispersion)  # fmt: skip
        assert (one.measured.estimate, one.measured.p) == pytest.approx((direct.estimate, direct.p))
    last = found[-1].measured
    assert last.p < 0.01 and last.low < -0.6 * 36 * 12 < last.high  # the planted fall lies inside the interval


def test_noise_is_seldom_called_an_effect(tmp_path):
    called = 0
    for seed in range(12):
        published(tmp_path / str(seed), 100 + seed, 1.0)
        with small.opened(tmp_path / str(seed)) as release:
            called += effects(release, ALL, Act(tuple(block(0)), ACTED, ACTED))[-1].measured.p < 0.05
    assert called <= 3  # 0.6 expected; more than 3 of 12 happens once in 500


def test_a_place_acted_on_is_no_control_and_without_any_nothing_is_concluded(tmp_path):
    published(tmp_path, 5, 0.5)
    mine = Act(tuple(block(0)), ACTED, ACTED)
    with small.opened(tmp_path) as release:
        free = effects(release, ALL, mine)[0]
        some = effects(release, ALL, mine, [mine, Act(tuple(block(1)), ACTED, ACTED)])[0]
        everywhere = Act(tuple(set(range(SIDE * SIDE)) - set(block(0))), ACTED, ACTED)
        none = effects(release, ALL, mine, [mine, everywhere])[0]
    assert len(some.left_alone) == len(free.left_alone) - 1 and none.controls == 0 and none.left_alone == ()
    assert none.measured.note == "无对照，不作结论" and np.isnan(none.measured.p)


def test_missing_reports_are_no_fall(tmp_path):
    grid, _ = published(tmp_path / "all", 11, 1.0)
    mine = set(grid["community_code"].iloc[block(0)])
    assert len(mine) == 2
    published(tmp_path / "some", 11, 1.0, silent=mine)
    act = Act(tuple(block(0)), ACTED, ACTED)
    with small.opened(tmp_path / "all") as told, small.opened(tmp_path / "some") as silent:
        assert len(effects(told, ALL, act)) == 3 and effects(silent, ALL, act) == []


def test_a_scope_sees_the_effect_of_its_own_places_alone(tmp_path):
    grid, _ = published(tmp_path, 13, 0.5)
    act = Act(tuple(block(0)), ACTED, ACTED)
    inside = Scope(tuple(sorted(set(grid["community_code"].iloc[block(0)]))))
    with small.opened(tmp_path) as release:
        held = set(np.flatnonzero(release.units.in_scope("grid", inside)).tolist())
        own = effects(release, inside, act)
        assert own and {release.units.find(code).position for one in own for code, _, _ in one.left_alone} <= held
        assert effects(release, Scope((grid["community_code"].iloc[-1],)), act) == []


def test_what_is_not_over_or_has_no_past_is_not_told(tmp_path):
    published(tmp_path, 7, 0.5)
    with small.opened(tmp_path) as release:
        late = Act(tuple(block(0)), FIRST + timedelta(weeks=73), FIRST + timedelta(weeks=73))
        early = Act(tuple(block(0)), FIRST + timedelta(weeks=5), FIRST + timedelta(weeks=6))
        assert [one.weeks for one in effects(release, ALL, late)] == [4] and effects(release, ALL, early) == []
        assert effects(release, ALL, Act((), ACTED, ACTED)) == []


def test_a_place_is_a_point_a_polygon_or_an_area(tmp_path):
    grid, _ = published(tmp_path, 9, 1.0)
    one = block(1)[4]
    box = shapely.from_wkb(grid["geom"][one])
    with small.opened(tmp_path) as release:
        middle = box.centroid
        assert units_of(release, point=(middle.x, middle.y)) == (one,)
        assert units_of(release, polygon=shapely.to_wkt(box.buffer(-0.001))) == (one,)
        assert len(units_of(release, code="990101")) == SIDE * SIDE
        assert units_of(release, code="123") == () and units_of(release, point=(0.0, 0.0)) == ()


def test_places_drawn_anywhere_are_those_found_among_all_grids(tmp_path):
    grid, _ = published(tmp_path, 9, 1.0)
    shapes, rng = shapely.from_wkb(grid["geom"].tolist()), np.random.default_rng(3)
    middles, wide = shapely.point_on_surface(shapes), SIDE * small.SIDE
    with small.opened(tmp_path) as release:
        for x, y, radius in rng.uniform((-0.1, -0.1, 0.01), (1.1, 1.1, 0.4), (40, 3)).tolist():
            point = shapely.Point(small.WEST + x * wide, small.SOUTH + y * wide)
            drawn = point.buffer(radius * wide)
            assert units_of(release, point=(point.x, point.y)) == tuple(np.flatnonzero(shapely.covers(shapes, point)))
            assert units_of(release, polygon=drawn.wkt) == tuple(np.flatnonzero(shapely.intersects(drawn, middles)))
