"""Hotspot layers against counts from the raw rows, other people's code, and planted facts."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import shapely
import small_release as small
from esda import G_Local, Moran_Local
from libpysal.weights import W
from pyproj import Geod, Transformer
from scipy.spatial.distance import pdist, squareform
from scipy.stats import binom

from data.schema import INVALID
from data.selection import ParameterError
from data.store import Limits, OutsideScope, Release, Scope
from data.store.hotspots import METHODS, UNIT_METHODS, density_surface, hotspots, unit_classes
from data.store.hotspots.asked import steps
from data.store.hotspots.events import count_units
from data.store.hotspots.outlines import neighbours
from data.store.hotspots.projection import MANY, metre_points
from data.store.unit_rates import bayes_rates
from geo.autocorrelation import getis_ord_star, local_moran
from geo.density import kernel_density
from geo.spacetime import emerging_hotspots, near_repeat

EVERYTHING = Scope.everything()
DISTRICT, OTHER = "990101", "990103"
WEEK, BEFORE = (date(2026, 11, 9), date(2026, 11, 16)), (date(2026, 11, 2), date(2026, 11, 9))
LEFT_OUT = ("pile_up", "centroid")
CODES = small.grids()["grid_code"].to_numpy()


def marked(frame: pd.DataFrame) -> pd.DataFrame:
    """Some points made worse: default coordinates, centres, few decimals, off the map; and a cluster in one place."""
    rng = np.random.default_rng(8)
    frame = frame.copy()
    placed = np.flatnonzero(frame["x"].notna())
    kinds = rng.choice(["exact", "pile_up", "centroid", "low_precision", "outside"], len(placed),
                       p=[0.9, 0.04, 0.02, 0.02, 0.02])  # fmt: skip
    frame.loc[placed, "location_quality"] = kinds
    pile = frame["location_quality"] == "pile_up"
    frame.loc[pile, ["x", "y"]] = small.WEST + 0.005, small.SOUTH + 0.005
    far = frame["location_quality"] == "outside"
    frame.loc[far, ["x", "y"]] = small.WEST - 1, small.SOUTH
    frame.loc[far, [f"{level}_code" for level in small.LEVELS]] = None
    return frame


def planted(grid: int, n: int, when: str, spread: float = 0.001, seed: int = 0) -> pd.DataFrame:
    """``n`` events in the middle of a grid within two days of ``when``."""
    row, rng = small.grids().iloc[grid], np.random.default_rng(seed)
    x, y = np.array(shapely.from_wkb(row["geom"]).centroid.coords[0])
    frame = pd.DataFrame({"occurred_from": pd.Timestamp(when) + pd.to_timedelta(rng.uniform(0, 48, n), unit="h")})
    frame["occurred_from"] = frame["occurred_from"].dt.floor("s")
    frame["incident_id"] = [f"P{grid}-{when}-{i}" for i in range(n)]
    frame["x"], frame["y"] = x + rng.uniform(-spread, spread, n), y + rng.uniform(-spread, spread, n)
    for level in small.LEVELS:
        frame[f"{level}_code"] = row[f"{level}_code"]
    return frame.assign(category="刑事", source_id="jq", location_quality="exact", occurred_to=pd.NaT)


@pytest.fixture(scope="module")
def frame():
    return marked(small.incidents())


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Open a release made of incidents, and close it in the end."""
    found = []

    def open_one(frame, **more) -> Release:
        directory = small.publish(tmp_path_factory.mktemp("releases"), frame, **more)
        found.append(Release(directory, Limits()))
        return found[-1]

    yield open_one
    for release in found:
        release.close()


@pytest.fixture(scope="module")
def release(opened, frame):
    return opened(frame)


@pytest.fixture(scope="module")
def week(release):
    return release.selection([])


def kept(frame, window=WEEK, qualities=None):
    """The rows that count in a window."""
    begin = frame["occurred_from"]
    rows = frame[(begin >= str(window[0])) & (begin < str(window[1])) & (frame["category"] != INVALID)]
    if qualities is None:
        return rows[~rows["location_quality"].isin(LEFT_OUT)]
    return rows[rows["location_quality"].isin(qualities) & rows["x"].notna()]


def counted(frame, window=WEEK) -> np.ndarray:
    return kept(frame, window)["grid_code"].value_counts().reindex(CODES, fill_value=0).to_numpy().astype(float)


def nearby() -> list[list[int]]:
    """Squares beside or corner to corner: units go up the rows (4), then to the next column (6)."""
    at = [divmod(i, 4) for i in range(24)]
    return [[j for j in range(24) if j != i and max(abs(at[i][0] - at[j][0]), abs(at[i][1] - at[j][1])) == 1]
            for i in range(24)]  # fmt: skip


def weights() -> W:
    return W(dict(enumerate(nearby())), silence_warnings=True)


def codes_of(features) -> set[str]:
    return {json.loads(text)["properties"]["code"] for text in features.features}


# --- units -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", ["now", "before"])
def test_gi_is_that_of_the_rows_and_z_is_esda_s(release, frame, week, window):
    found = unit_classes(release, week, EVERYTHING, "gi", "grid", window)
    x = counted(frame, WEEK if window == "now" else BEFORE)
    assert found.count.tolist() == x.tolist()
    phi = found.parameters["dispersion"]["phi"]
    direct = getis_ord_star(x, nearby(), dispersion=phi)
    assert found.label.tolist() == direct.label.tolist()
    np.testing.assert_allclose([found.z, found.p, found.q], [direct.z, direct.p, direct.q])
    esda = G_Local(x, weights(), transform="B", star=True, permutations=0)
    np.testing.assert_allclose(found.z, esda.Zs, rtol=1e-9)


def test_gi_p_is_binomial_where_nothing_is_overdispersed(opened, frame):
    """Fewer than eight weeks before the window: phi is 1, and the note says so."""
    release = opened(frame[frame["occurred_from"] >= "2026-10-12"], stated=small.info("r20261116-060001"))
    found = unit_classes(release, release.selection([]), EVERYTHING, "gi")
    assert found.parameters["dispersion"] | {"period_days": 7} == {
        "phi": 1.0, "periods": 3, "period": "days", "period_days": 7, "estimated": False, "pooled": True,
    }  # fmt: skip
    assert "完整的时期不足8个" in found.note
    x, near = counted(frame), nearby()
    for i in (0, 7, 23):
        local, share = x[[i, *near[i]]].sum(), (len(near[i]) + 1) / len(x)
        tails = binom.cdf(local, x.sum(), share), binom.sf(local - 1, x.sum(), share)
        assert found.p[i] == pytest.approx(min(1.0, 2 * min(tails)))


def test_dispersion_is_that_of_the_weeks_before(release, frame, week):
    rows = frame[(frame["category"] != INVALID) & frame["grid_code"].notna()]
    starts = [BEFORE[0] - timedelta(days=7 * k) for k in range(1, 53)]
    k = np.array([
        rows[rows["occurred_from"].between(str(day), str(day + timedelta(days=7)), inclusive="left")]["grid_code"].value_counts()
        .reindex(CODES, fill_value=0) for day in starts
    ], dtype=float)  # fmt: skip
    chi2 = ((k - k.mean(axis=0)) ** 2 / k.mean(axis=0)).sum()
    stated = unit_classes(release, week, EVERYTHING, "gi").parameters["dispersion"]
    assert stated["phi"] == pytest.approx(max(1.0, chi2 / (24 * 51)))
    assert (stated["periods"], stated["period_days"], stated["estimated"]) == (52, 7, True)


def test_lisa_is_that_of_the_rows_and_i_is_esda_s(release, frame, week):
    found = unit_classes(release, week, EVERYTHING, "lisa")
    x = counted(frame)
    direct = local_moran(x, nearby(), dispersion=found.parameters["dispersion"]["phi"])
    assert found.label.tolist() == direct.label.tolist()
    np.testing.assert_allclose(found.q, direct.q)
    np.testing.assert_allclose(found.z, Moran_Local(x, weights(), transformation="r", permutations=0).Is, rtol=1e-9)
    assert found.groups == ()


@pytest.mark.parametrize("window", ["now", "before"])
def test_emerging_is_that_of_the_twelve_weeks(release, frame, week, window):
    found = unit_classes(release, week, EVERYTHING, "emerging", "grid", window)
    last = WEEK if window == "now" else BEFORE
    weeks = [(last[0] - timedelta(days=7 * k), last[1] - timedelta(days=7 * k)) for k in range(11, -1, -1)]
    assert found.parameters["steps"] == [[str(a), str(b)] for a, b in weeks]
    cube = np.column_stack([counted(frame, one) for one in weeks])
    assert found.parameters["steps_n"] == cube.sum(axis=0).tolist()
    direct = emerging_hotspots(cube, nearby(), dispersion=found.parameters["dispersion"]["phi"])
    assert found.label.tolist() == direct.label.tolist()
    np.testing.assert_allclose(found.q, direct.q[:, -1])
    assert found.parameters["adjusted_over"] == cube.size


def test_planted_hotspots_are_found_named_and_numbered(opened, frame):
    more = [planted(9, 80, "2026-11-10"), planted(23, 60, "2026-11-12"), planted(23, 4, "2026-11-03")]
    whole = pd.concat([frame, *more], ignore_index=True)
    release = opened(whole, stated=small.info("r20261116-060002"))
    found = unit_classes(release, release.selection([]), EVERYTHING, "gi")
    assert {"hot99"} == set(found.label[[9, 23]])
    x, past = counted(whole), counted(whole, BEFORE)
    hot = set(np.flatnonzero(found.flagged & (found.z > 0)).tolist())
    assert set.union(*(set(group.units) for group in found.groups)) == hot
    assert [group.number for group in found.groups] == list(range(1, len(found.groups) + 1))
    excess = [group.excess for group in found.groups]
    assert excess == sorted(excess, reverse=True)
    near = nearby()
    for group in found.groups:
        units = list(group.units)
        assert (group.count, group.before) == (x[units].sum(), past[units].sum())
        assert group.excess == pytest.approx(x[units].sum() - len(units) * x.mean())
        top = units[int(np.argmax(x[units]))]
        assert group.code == CODES[top]
        assert group.name == f"community {CODES[top][:12]} · {release.units.level('grid').names[top]}"
        assert shapely.from_wkb(small.grids()["geom"].iloc[top]).contains(shapely.Point(group.lon, group.lat))
        reached = {units[0]}
        for _ in units:
            reached |= {j for i in reached for j in near[i] if j in units}
        assert reached == set(units)  # one piece
        assert not {j for i in units for j in near[i]} & (hot - set(units))  # and all of it
    assert {"new_hot"} == set(unit_classes(release, release.selection([]), EVERYTHING, "emerging").label[[9]])


def test_scopes_are_worlds_of_their_own(release, frame, week):
    scope = Scope((DISTRICT,))
    inside = np.char.startswith(CODES.astype(str), DISTRICT)
    for method in UNIT_METHODS:
        found = unit_classes(release, week, scope, method)
        assert set(found.label[~inside]) == {""}
        assert np.isnan(np.concatenate([values[~inside] for values in (found.z, found.p, found.q, found.count)])).all()
        assert not found.flagged[~inside].any()
        assert not found.listed[~inside].any()
        assert not {unit for group in found.groups for unit in group.units} & set(np.flatnonzero(~inside))
    found = unit_classes(release, week, scope, "gi")
    near = [[list(np.flatnonzero(inside)).index(j) for j in nearby()[i] if inside[j]] for i in np.flatnonzero(inside)]
    direct = getis_ord_star(counted(frame)[inside], near, dispersion=found.parameters["dispersion"]["phi"])
    np.testing.assert_allclose(found.p[inside], direct.p)
    assert found.parameters["n"] == counted(frame)[inside].sum()
    assert found.parameters["neighbours"]["mean"] == pytest.approx(np.mean([len(one) for one in near]), abs=1e-3)
    assert not np.allclose(found.p[inside], unit_classes(release, week, EVERYTHING, "gi").p[inside])
    for method in METHODS:
        with pytest.raises(OutsideScope):
            hotspots(release, replace(week, area=OTHER), scope, method)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_outside_the_scope_is_drawn(repeated, method):
    _, release = repeated
    wide = replace(release.selection([]), start=date(2026, 8, 1), compare="none")
    found = hotspots(release, wide, Scope((DISTRICT,)), method)
    assert found.features
    west = shapely.box(small.WEST, small.SOUTH, small.WEST + 2 * small.SIDE, small.SOUTH + 4 * small.SIDE).buffer(2e-6)
    for text in found.features:
        assert west.covers(shapely.from_geojson(text))
    assert found.meta["scope"] == [DISTRICT]


def test_area_and_polygon_say_what_is_listed_not_what_is_hot(opened, frame):
    release = opened(pd.concat([frame, planted(9, 80, "2026-11-10"), planted(20, 80, "2026-11-10")], ignore_index=True),
                     stated=small.info("r20261116-060003"))  # fmt: skip
    week = release.selection([])
    whole = unit_classes(release, week, EVERYTHING, "gi")
    district = unit_classes(release, replace(week, area="990102"), EVERYTHING, "gi")
    assert district.label is whole.label
    assert district.listed.tolist() == [code.startswith("990102") for code in CODES]
    assert {group.number for group in district.groups} == set(range(1, len(district.groups) + 1))
    assert all(district.listed[list(group.units)].any() for group in district.groups)
    assert all(CODES[list(CODES).index(group.code)].startswith("990102") for group in district.groups)
    listed = hotspots(release, replace(week, area="990102"), EVERYTHING, "gi")
    flagged = set(CODES[whole.flagged])
    assert codes_of(listed) == {code for code in flagged if code.startswith("990102")}
    assert codes_of(hotspots(release, week, EVERYTHING, "gi")) == flagged
    assert sum(listed.meta["summary"]["classes"].values()) == 8
    lasso = shapely.box(small.WEST + 2.5 * small.SIDE, small.SOUTH, small.WEST + 2.6 * small.SIDE, small.SOUTH + 0.009)
    around = unit_classes(release, replace(week, polygon=lasso.wkt), EVERYTHING, "gi")
    assert around.label is whole.label
    assert CODES[around.listed].tolist() == ["990102001001001"]
    grid = unit_classes(release, replace(week, area=CODES[9]), EVERYTHING, "gi", "street")
    assert release.units.level("street").codes[grid.listed].tolist() == [CODES[9][:9]]


def test_an_unreported_unit_is_missing_and_not_cold(opened, frame):
    street, quiet = "990102001", (frame["street_code"] == "990102001") & (frame["occurred_from"] >= "2026-11-09")
    rows = frame[~quiet].assign(source_id="wg", recorded_at=pd.NaT)
    sheet = small.weekly_sheet({(street, 96): "missing"})
    release = opened(rows, sheet=sheet, stated=small.info("r20261116-060004", sources=small.info().sources[1:]))
    week = release.selection([])
    silent = np.char.startswith(CODES.astype(str), street)
    known = [i for i in range(24) if not silent[i]]
    near = [[known.index(j) for j in nearby()[i] if j in known] for i in known]
    for method, direct in (("gi", getis_ord_star), ("lisa", local_moran)):
        found = unit_classes(release, week, EVERYTHING, method)
        assert set(found.label[silent]) == {"missing"}
        assert np.isnan(found.p[silent]).all()
        assert np.isnan(found.count[silent]).all()
        own = direct(counted(rows)[known], near, dispersion=found.parameters["dispersion"]["phi"])
        np.testing.assert_allclose(found.q[known], own.q)
        assert (found.parameters["missing"], found.parameters["adjusted_over"]) == (4, 20)
        assert found.summary["classes"]["missing"] == 4
    found = unit_classes(release, week, EVERYTHING, "emerging")
    assert set(found.label[silent]) == {"missing"}
    assert found.parameters["steps_missing"] == [0] * 11 + [4]
    assert found.parameters["adjusted_over"] == 24 * 12 - 4
    assert not set(CODES[silent]) & codes_of(hotspots(release, week, EVERYTHING, "emerging"))
    assert "missing" not in unit_classes(release, week, EVERYTHING, "gi", "grid", "before").label


def test_pile_ups_and_centres_are_left_out_and_counted(release, frame, week):
    rows = frame[(frame["occurred_from"] >= "2026-11-09") & (frame["occurred_from"] < "2026-11-16")
                 & (frame["category"] != INVALID)]  # fmt: skip
    by = rows["location_quality"].value_counts()
    left = unit_classes(release, week, EVERYTHING, "gi").parameters["left_out"]
    nowhere = rows["grid_code"].isna() & ~rows["location_quality"].isin(LEFT_OUT)
    assert left == {"pile_up": by["pile_up"], "centroid": by["centroid"], "no_unit": nowhere.sum()}
    density = density_surface(release, week, EVERYTHING)
    assert density.parameters["left_out"] == {
        "centroid": by["centroid"], "pile_up": by["pile_up"], "outside": by["outside"], "no_coordinates": by["none"],
    }  # fmt: skip
    assert density.n == by["exact"] + by["low_precision"]


def test_the_same_question_is_answered_from_memory(release, week):
    for method in METHODS:
        assert hotspots(release, week, EVERYTHING, method) is hotspots(release, week, EVERYTHING, method)
    assert unit_classes(release, week, EVERYTHING, "gi") is unit_classes(release, week, EVERYTHING, "gi")
    with pytest.raises(ValueError, match="read-only"):
        unit_classes(release, week, EVERYTHING, "gi").z[0] = 1.0


def test_parameters_reproduce_the_layer(release, frame, week):
    """From what the answer says alone, and the rows."""
    asked = replace(week, categories=("刑事", "治安"), hours=(8, 19))
    answer = hotspots(release, asked, Scope((DISTRICT, OTHER)), "gi")
    stated = json.loads(json.dumps(answer.meta))
    p = stated["parameters"]
    begin = frame["occurred_from"]
    span = (frame["occurred_to"] - begin).fillna(pd.Timedelta(0))
    rows = frame[(begin >= p["from"]) & (begin < p["to"]) & frame["category"].isin(stated["selection"]["category"])
                 & begin.dt.hour.between(8, 19) & (span <= pd.Timedelta(hours=1))
                 & ~frame["location_quality"].isin([name for name in p["left_out"] if name != "no_unit"])]  # fmt: skip
    units = [i for i, code in enumerate(CODES) if code.startswith(tuple(p["scope"]))]
    assert len(units) == p["units"] == p["adjusted_over"] == stated["adjusted_over"]
    x = rows["grid_code"].value_counts().reindex(CODES[units], fill_value=0).to_numpy()
    assert x.sum() == p["n"] == stated["n"]
    near = [[units.index(j) for j in nearby()[i] if j in units] for i in units]
    direct = getis_ord_star(x, near, alpha=p["alpha"], dispersion=p["dispersion"]["phi"])
    assert codes_of(answer) == set(CODES[units][direct.flagged])
    for text in answer.features:
        own = json.loads(text)["properties"]
        at = units.index(list(CODES).index(own["code"]))
        assert own["label"] == direct.label[at]
        assert (own["count"], own["q"]) == (x[at], pytest.approx(direct.q[at]))
    assert {"release", "data_as_of", "timezone", "scope", "seed", "crs", "reference", "automatic"} <= set(p)


@pytest.mark.parametrize(
    ("method", "level", "window", "parameter"),
    [("hot", "grid", "now", "method"), ("gi", "city", "now", "level"), ("gi", "grid", "later", "window")],
)
def test_what_cannot_be_asked_is_refused(release, week, method, level, window, parameter):
    with pytest.raises(ParameterError) as fault:
        hotspots(release, week, EVERYTHING, method, level=level, window=window)
    assert fault.value.parameter == parameter


def test_no_compared_window_no_before(release, week):
    alone = replace(week, compare="none")
    for ask in (unit_classes, density_surface):
        with pytest.raises(ParameterError, match="compare=none"):
            ask(release, alone, EVERYTHING, *(["gi", "grid"] if ask is unit_classes else []), "before")
    assert np.isnan(unit_classes(release, alone, EVERYTHING, "gi").before).all()
    assert len(density_surface(release, alone, EVERYTHING).contours) == 5


@pytest.mark.parametrize(("window", "asked"), [("now", [WEEK, BEFORE]), ("before", [BEFORE]), (None, [WEEK])])
def test_only_windows_that_are_used_are_counted(release, week, monkeypatch, window, asked):
    counted = []

    def spy(release, selection, scope, level, windows):
        counted.extend(windows)
        return count_units(release, selection, scope, level, windows)

    monkeypatch.setattr("data.store.hotspots.units.count_units", spy)
    selection = week if window else replace(week, compare="none")
    unit_classes(release, selection, Scope((DISTRICT, OTHER)), "gi", "street", window or "now")
    assert counted == asked


def test_a_scope_below_the_level_has_no_units(release, week):
    found = unit_classes(release, week, Scope(("990101001",)), "gi", "district")
    assert set(found.label) == {""}
    assert found.note == "授权范围内没有这一层级的单元"
    assert hotspots(release, week, Scope(()), "gi").features == []


def test_steps_keep_their_kind(release):
    days = steps(release, (date(2026, 3, 1), date(2026, 3, 29)))
    assert len(days) == 12
    assert {(end - start).days for start, end in days} == {28}
    months = steps(release, (date(2026, 3, 1), date(2026, 4, 1)))
    assert {start.day for start, _ in months} == {1}
    assert steps(release, (date(2025, 1, 20), date(2025, 1, 27))) == [
        (date(2025, 1, 6), date(2025, 1, 13)), (date(2025, 1, 13), date(2025, 1, 20)), (date(2025, 1, 20), date(2025, 1, 27)),
    ]  # fmt: skip


def test_neighbours_survive_the_rounding_of_the_outlines(opened, frame):
    """Each pair meets only where a corner of one lies on a side of the other, at any angle."""
    rng, rows = np.random.default_rng(3), []
    for pair in range(60):
        angle = rng.uniform(0, np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        at = np.array([small.WEST + pair % 10 * 0.01, small.SOUTH + pair // 10 * 0.01])
        for k, (x0, y0, x1, y1) in enumerate(((0, 0, 1, 3), (1, 1, 2, 2))):
            corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) * 0.001 @ turn.T + at
            code = f"99010100100{pair // 30 + 1}{2 * (pair % 30) + k + 1:03d}"
            rows.append({"grid_code": code, "name": code, "kind": "基础", "community_code": code[:12], "population": 1,
                         "street_code": code[:9], "district_code": code[:6],
                         "geom": shapely.to_wkb(shapely.Polygon(corners))})  # fmt: skip
    release = opened(frame.iloc[:0], grid=pd.DataFrame(rows), stated=small.info("r20261116-060005"))
    found = neighbours(release, "grid")
    assert all(found[2 * pair].tolist() == [2 * pair + 1] for pair in range(60))


# --- density -----------------------------------------------------------------------------------------------------------


def metres(rows: pd.DataFrame, crs: str) -> np.ndarray:
    return np.column_stack(Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(rows["x"], rows["y"]))


def test_density_is_that_of_the_points_and_loses_none(release, frame, week):
    wide = replace(week, start=date(2026, 9, 1))
    found = density_surface(release, wide, EVERYTHING)
    p = found.parameters
    rows = kept(frame, (date(2026, 9, 1), WEEK[1]), ("exact", "low_precision"))
    assert found.n == len(rows) == p["n"]
    assert found.mass == pytest.approx(len(rows), rel=1e-6)
    city = shapely.box(small.WEST, small.SOUTH, small.WEST + 6 * small.SIDE, small.SOUTH + 4 * small.SIDE)
    to = Transformer.from_crs("EPSG:4326", p["crs"], always_xy=True)
    boundary = shapely.transform(shapely.segmentize(city, small.SIDE), lambda xy: np.column_stack(to.transform(*xy.T)))
    direct = kernel_density(metres(rows, p["crs"]), bandwidth_m=p["bandwidth_m"], cell_m=p["cell_m"], boundary=boundary,
                            kernel=p["kernel"], edge=p["edge"])  # fmt: skip
    row, column = np.unravel_index(np.nanargmax(direct.values), direct.values.shape)
    lon, lat = to.transform(direct.x_m[column], direct.y_m[row], direction="INVERSE")
    assert (found.peak.lon, found.peak.lat) == (pytest.approx(lon, abs=1e-5), pytest.approx(lat, abs=1e-5))
    assert found.peak.per_km2 == pytest.approx(np.nanmax(direct.values), rel=1e-3)
    x, y = np.meshgrid(direct.x_m, direct.y_m)
    at = np.column_stack(to.transform(x.ravel(), y.ravel(), direction="INVERSE"))
    height, slack = direct.values.ravel(), 0.03 * np.nanmax(direct.values)
    for k, (low, shape) in enumerate(zip(found.limits, found.contours, strict=True)):
        high = found.limits[k + 1] if k < 4 else np.inf
        surely = (height > low + slack) & (height < high - slack)
        never = (height < low - slack) | (height > high + slack)
        inside = shapely.contains_xy(shape, at)
        assert inside[surely].all()
        assert not inside[never].any()
    assert all(shape.is_valid for shape in found.contours)
    assert len(found.contours) == 5
    assert not shapely.is_empty(found.contours).any()
    assert shapely.covers(city.buffer(1e-6), found.contours).all()
    assert sum(found.areas_km2) <= boundary.area / 1e6


def test_both_windows_share_bandwidth_cells_and_limits(release, week):
    now, before = (density_surface(release, week, EVERYTHING, window) for window in ("now", "before"))
    assert now.limits == before.limits
    assert len(now.limits) == 5
    assert list(now.limits) == sorted(set(now.limits))
    for name in ("bandwidth_m", "bandwidth_rule", "cell_m", "cells", "bounds_m", "limits_per_km2"):
        assert now.parameters[name] == before.parameters[name]
    assert (now.parameters["from"], before.parameters["from"]) == ("2026-11-09", "2026-11-02")
    assert now.n != before.n
    assert before.mass == pytest.approx(before.n, rel=1e-6)


def test_density_of_the_scope_is_cut_along_the_area(release, week):
    whole, part = (density_surface(release, replace(week, area=area), EVERYTHING) for area in (None, DISTRICT))
    assert (part.n, part.limits) == (whole.n, whole.limits)
    west = shapely.box(small.WEST, small.SOUTH, small.WEST + 2 * small.SIDE, small.SOUTH + 4 * small.SIDE)
    for one, other in zip(whole.contours, part.contours, strict=True):
        assert shapely.symmetric_difference(one.intersection(west), other).area <= 1e-4 * west.area
    assert west.buffer(1e-6).contains(shapely.Point(part.peak.lon, part.peak.lat))
    lasso = replace(week, polygon=west.buffer(-0.004).wkt)
    drawn = density_surface(release, lasso, EVERYTHING)
    assert west.buffer(-0.004 + 2e-6).covers(shapely.union_all(drawn.contours))
    own = density_surface(release, week, Scope((DISTRICT,)))
    assert own.n < whole.n
    assert own.mass == pytest.approx(own.n, rel=1e-6)


def test_a_window_without_events_has_no_density_and_says_so(release, week):
    found = density_surface(release, replace(week, start=date(2030, 1, 7), end=date(2030, 1, 14)), EVERYTHING)
    assert (found.contours, found.limits, found.peak, found.n) == ((), (), None, 0)
    assert "没有可用的点" in found.note
    one = density_surface(release, replace(week, area=CODES[0]), Scope((CODES[0],)))
    assert one.mass == pytest.approx(one.n)


def test_many_points_are_projected_within_a_centimetre(release):
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(113.2, 114.1, MANY + 5), rng.uniform(34.3, 35.1, MANY + 5)
    found = metre_points(release, lon, lat)
    exact = Transformer.from_crs("EPSG:4326", "EPSG:4547", always_xy=True).transform(lon, lat)
    np.testing.assert_allclose(found, np.column_stack(exact), rtol=0, atol=0.01)
    np.testing.assert_allclose(metre_points(release, lon[:9], lat[:9]), found[:9], rtol=0, atol=0.01)


# --- places and pairs ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def repeated(opened, frame):
    """Three places with 5, 3 and 3 events, and near repeats round a fourth."""
    rows = [planted(2, 5, "2026-11-10", 0.0), planted(5, 3, "2026-11-09", 0.0, 1), planted(13, 3, "2026-11-12", 0.0, 2)]
    rows[0].loc[[1, 3], "category"] = "治安"
    rows[2]["location_quality"] = "low_precision"  # a shortened point is no place
    rows.append(planted(18, 40, "2026-11-13", 0.0008, 3))
    whole = pd.concat([frame, *rows], ignore_index=True)
    return whole, opened(whole, stated=small.info("r20261116-060006"))


def test_repeat_places_are_those_of_a_group_by(repeated):
    whole, release = repeated
    answer = hotspots(release, release.selection([]), EVERYTHING, "repeat_places")
    rows = kept(whole, WEEK, ("exact",))
    groups = rows.groupby(["x", "y"])["occurred_from"].agg(["size", "min", "max"])
    groups = groups[groups["size"] > 1].sort_values("size", ascending=False)
    found = [json.loads(text) for text in answer.features]
    assert [one["properties"]["count"] for one in found] == groups["size"].tolist()
    first = found[0]
    x, y = first["geometry"]["coordinates"]
    own = rows[np.isclose(rows["x"], x, atol=1e-7) & np.isclose(rows["y"], y, atol=1e-7)]
    assert first["properties"]["count"] == len(own) == 5
    assert first["properties"]["first"] == own["occurred_from"].min().isoformat()
    assert first["properties"]["last"] == own["occurred_from"].max().isoformat()
    assert first["properties"]["categories"] == {"刑事": 3, "治安": 2}
    assert first["properties"]["category_pct"] == {"刑事": 60.0, "治安": 40.0}
    assert first["properties"]["grid_code"] == CODES[2]
    assert answer.meta["n"] == len(rows)
    assert answer.meta["summary"]["events"] == groups["size"].sum()
    inside = hotspots(release, replace(release.selection([]), area=CODES[5]), EVERYTHING, "repeat_places")
    assert [json.loads(text)["properties"]["count"] for text in inside.features] == [3]


def test_near_repeats_are_the_pairs_of_the_points(repeated):
    whole, release = repeated
    selection = replace(release.selection([]), start=date(2026, 11, 1))
    answer = hotspots(release, selection, EVERYTHING, "near_repeat")
    p = answer.meta["parameters"]
    rows = kept(whole, (date(2026, 11, 1), WEEK[1]), ("exact", "low_precision"))
    rows = rows[(rows["occurred_to"] - rows["occurred_from"]).fillna(pd.Timedelta(0)) <= pd.Timedelta(days=1)]
    assert len(rows) == p["n"] == p["tested_on"]
    apart = squareform(pdist(metres(rows, p["crs"])))
    days = squareform(pdist(rows["occurred_from"].astype("datetime64[s]").astype("int64").to_numpy()[:, None] / 86_400))
    upper = np.triu(np.ones(apart.shape, dtype=bool), 1)
    linked = upper & (apart <= p["distance_m"]) & (days <= p["days"])
    summary = answer.meta["summary"]
    assert summary["links"] == linked.sum()
    assert summary["same_place"] == (linked & (apart == 0)).sum()
    found = sorted((q["metres"], q["days"]) for q in (json.loads(text)["properties"] for text in answer.features))
    lines = linked & (apart > 0)
    expected = sorted(zip(apart[lines].round(1).tolist(), days[lines].round(4).tolist(), strict=True))
    np.testing.assert_allclose(found, expected, atol=0.11)
    direct = near_repeat(metres(rows, p["crs"]), rows["occurred_from"].to_numpy(), distance_bands_m=p["distance_bands_m"],
                         day_bands=p["day_bands"], permutations=p["permutations"], seed=p["seed"])  # fmt: skip
    table = answer.meta["table"]
    assert table["observed"] == direct.observed.tolist()
    assert table["observed"][0][0] + table["observed"][1][0] >= 40  # the planted ones
    np.testing.assert_allclose(np.array(table["ratio"], float), direct.ratio, atol=1e-6)
    np.testing.assert_allclose(np.array(table["q"], float), direct.q, atol=2e-3)
    assert answer.meta["adjusted_over"] == np.isfinite(direct.q).sum()


def test_too_many_events_are_sampled_for_the_test_and_not_linked(repeated, monkeypatch):
    _, release = repeated
    module = __import__("data.store.hotspots.near_repeats", fromlist=["MOST_EVENTS"])
    selection = replace(release.selection([]), start=date(2026, 10, 1))
    whole = module.near_repeats(release, selection, EVERYTHING, (selection.start, selection.end))
    monkeypatch.setattr(module, "MOST_EVENTS", 300)
    some = module.near_repeats(release, selection, EVERYTHING, (selection.start, selection.end))
    assert some.links is None
    assert some.parameters["n"] == whole.parameters["n"] > some.parameters["tested_on"] == 300
    assert {"检验只用随机抽取的部分事件", "事件过多，不画连线，请选区域或缩短时段"} <= set(some.remarks)
    assert some.table.n == 300
    assert (some.table.observed.sum(), whole.table.observed.sum()) == (
        300 * 299 / 2,
        whole.table.n * (whole.table.n - 1) / 2,
    )


# --- what counts are divided by -----------------------------------------------------------------------------------------


def test_areas_are_those_on_the_ellipsoid(release):
    shapes = shapely.from_wkb(small.grids()["geom"].to_numpy())
    expected = [abs(Geod(ellps="WGS84").geometry_area_perimeter(shape)[0]) / 1e6 for shape in shapes]
    np.testing.assert_allclose(release.units.level("grid").area_km2, expected, rtol=1e-4)
    np.testing.assert_allclose(release.units.level("district").area_km2.sum(), np.sum(expected), rtol=1e-4)


def test_rates_are_drawn_to_the_common_one_by_marshall_s_formula(release):
    population = small.grids()["population"].to_numpy().astype(float)
    events = np.random.default_rng(2).poisson(population * 0.05 * np.linspace(0.5, 1.5, 24)).astype(float)
    events[[3, 11]] = np.nan
    known = ~np.isnan(events)
    e, b = events[known], population[known]
    mean = e.sum() / b.sum()
    spread = max(0.0, (b * (e / b - mean) ** 2).sum() / b.sum() - mean / b.mean())
    weight = spread / (spread + mean / b)
    found = bayes_rates(release, "grid", events)
    np.testing.assert_allclose(found[known], 1000 * (weight * e / b + (1 - weight) * mean))
    assert np.isnan(found[~known]).all()
