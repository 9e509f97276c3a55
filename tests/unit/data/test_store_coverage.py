"""Coverage: rates, areas, rules and blind hotspots against pandas, shapely and direct calls of geo."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import small_release as small
from camera_release import METRES, cameras, covers, in_metres, key_areas, key_places, layers, roads, works
from pyproj import Geod

from data.schema import CATEGORIES, NETWORKS
from data.store import Extent, OutsideScope, Scope, Store, coverage, coverage_rules, features
from data.store.coverage import camera_shapes, methods
from geo.coverage import RULES, coverage_summary, road_junctions, rule_check

EVERYTHING = Scope.everything()
AREA = Scope(("990101",))
YEAR = [("from", "2026-01-01"), ("to", "2026-11-01")]
LENGTH = {"district": 6, "street": 9, "community": 12, "grid": 15}
HOT, SEEN_HOT = "990103001001001", "990101001001002"  # far apart; the second under a camera


@pytest.fixture(scope="module")
def frame():
    """Incidents of small_release; a tenth piled up; two grids hot in the last week."""
    frame = small.incidents()
    piled = frame["x"].notna() & (np.arange(len(frame)) % 10 == 0)
    frame.loc[piled, "location_quality"] = "pile_up"
    grid = small.grids().set_index("grid_code")
    extra = []
    for code in (HOT, SEEN_HOT):
        x, y = shapely.from_wkb(grid.loc[code, "geom"]).centroid.coords[0]
        some = frame.iloc[:300].copy()
        some[["x", "y"]] = np.column_stack([np.linspace(x - 2e-4, x + 2e-4, 300), np.full(300, y)])
        some["grid_code"], some["location_quality"], some["category"] = code, "exact", "治安"
        some["community_code"], some["street_code"], some["district_code"] = code[:12], code[:9], code[:6]
        some["occurred_from"], some["occurred_to"] = pd.Timestamp("2026-11-10 10:00"), pd.NaT
        some["incident_id"] = [f"{code}-{i}" for i in range(300)]
        extra.append(some)
    return pd.concat([frame, *extra], ignore_index=True)


@pytest.fixture(scope="module")
def ledger():
    """Random cameras, none near the one hot grid, one above the other; one that looks over from the next district."""
    frame = cameras()
    grid = small.grids().set_index("grid_code")
    heart = shapely.from_wkb(grid.loc[HOT, "geom"]).centroid
    frame = frame[np.hypot(frame["x"] - heart.x, frame["y"] - heart.y) > 0.007]
    above = shapely.from_wkb(grid.loc[SEEN_HOT, "geom"]).centroid
    over = small.WEST + 2 * small.SIDE + 1e-4, small.SOUTH + 0.005  # just east of the border of the first district
    frame = frame[np.hypot(frame["x"] - over[0], frame["y"] - over[1]) > 0.007]
    known = {"network": "天网", "device_state": "在用", "online": True, "range_m": 300.0, "fov_deg": 360.0}
    planted = [
        {"camera_code": "ABOVE", "x": above.x, "y": above.y, "grid_code": SEEN_HOT, **known},
        {"camera_code": "OVER", "x": over[0], "y": over[1], "grid_code": "990102001001001", **known},
    ]
    return pd.concat([frame, pd.DataFrame(planted)], ignore_index=True)


@pytest.fixture(scope="module")
def release(tmp_path_factory, frame, ledger):
    releases = tmp_path_factory.mktemp("releases")
    small.publish(releases, frame, **layers(ledger))
    store = Store(releases)
    with store.current() as opened:
        yield opened
    store.close()


def of_scope(codes, scope):
    """Mask: grid codes in a scope; those without a grid only in the whole release."""
    codes = pd.Series(codes).astype(object)
    return np.ones(len(codes), bool) if scope.areas is None else codes.fillna("").str.startswith(scope.areas).to_numpy()


def working_shapes(ledger, scope):
    """Areas of the working cameras of a scope, degrees."""
    mine = works(ledger) & of_scope(ledger["grid_code"], scope)
    return shapely.from_wkb(covers(ledger)["geom"].to_numpy())[mine]


def located(frame, start, end):
    inside = (frame["occurred_from"] >= start) & (frame["occurred_from"] < end) & frame["x"].notna()
    return frame[inside & frame["category"].isin(CATEGORIES[:-1]) & (frame["location_quality"] != "pile_up")]


def times_seen(points, shapes):
    return sum(
        shapely.intersects_xy(shape, points["x"].to_numpy(), points["y"].to_numpy()).astype(int) for shape in shapes
    )


# --- rates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("area", "scope"), [(None, EVERYTHING), ("990102", EVERYTHING), (None, AREA), ("990101001", AREA)]
)
def test_rates_are_kept_apart_and_say_what_they_are_made_of(release, ledger, area, scope):
    found = coverage(release, release.selection([("area", area)] if area else []), scope).meta["rates"]
    rate = {row["name"]: row for row in found}
    assert list(rate) == ["覆盖率", "联网率", "完好率", "在线率"]
    assert [row["target_pct"] for row in found] == [100, 100, 98, None]
    assert all(row["formula"] for row in found)
    mine = ledger[
        of_scope(ledger["grid_code"], scope) & of_scope(ledger["grid_code"], Scope((area,) if area else None))
    ]
    alive = mine[mine["device_state"] != "拆除"]
    for name, column in (("联网率", "networked"), ("在线率", "online")):
        known = alive[column].dropna().astype(bool)
        assert (rate[name]["numerator"], rate[name]["denominator"]) == (known.sum(), len(known))
        assert rate[name]["unknown"] == len(alive) - len(known) > 0
        assert rate[name]["pct"] == pytest.approx(100 * known.mean())
    share = alive["serviceable_pct"].dropna()
    assert rate["完好率"]["pct"] == pytest.approx(share.mean(), abs=0.1)
    assert rate["完好率"]["denominator"] == len(share)
    places = key_places()
    places = places[places["parent_id"].isna() & of_scope(places["grid_code"], scope)]
    places = places[of_scope(places["grid_code"], Scope((area,) if area else None))]
    seen = times_seen(places, working_shapes(ledger, scope)) > 0
    assert (rate["覆盖率"]["numerator"], rate["覆盖率"]["denominator"]) == (seen.sum(), len(places))


def test_nothing_known_is_not_zero(tmp_path, frame):
    ledger = cameras(50).assign(online=None, networked=None, device_state=None, serviceable_pct=np.nan, hd=None)
    small.publish(tmp_path, frame.iloc[:5000], **layers(ledger))
    store = Store(tmp_path)
    with store.current() as release:
        answer = coverage(release, release.selection(YEAR), EVERYTHING)
        assert [row["pct"] for row in answer.meta["rates"]] == [None] * 4
        rows = answer.rows.to_pandas()
        for name in (
            "in_use",
            "online",
            "networked",
            "intact",
            "hd",
            "covered_km2",
            "covered_pct",
            "incidents_covered",
        ):
            assert rows[name].isna().all()
        assert rows["cameras"].sum() == ledger["grid_code"].notna().sum()
        assert {note["text"] for note in answer.meta["notes"]} >= {"来源未提供摄像机状态，覆盖未评估"}
        blind = features(release, "blind", release.selection([]), EVERYTHING, Extent())
        assert (blind.features, blind.meta["notes"][0]["text"]) == ([], "来源未提供摄像机状态，覆盖未评估")
        assert set(coverage_rules(release, release.selection([]), EVERYTHING).rows["state"].to_pylist()) == {"未评估"}
    store.close()


def test_without_cameras_that_is_said(tmp_path, frame):
    small.publish(tmp_path, frame.iloc[:5000])
    store = Store(tmp_path)
    with store.current() as release:
        answer = coverage(release, release.selection(YEAR), EVERYTHING, "grid")
        assert answer.meta["notes"] == [{"text": "没有摄像机", "n": 0}]
        assert answer.rows["cameras"].to_pylist() == [0] * 24
        assert answer.rows["covered_km2"].to_pylist() == [None] * 24
        assert answer.meta["methods"] == ["best"]
        assert (answer.meta["status_at"], answer.meta["kpis"]) == (None, [])
    store.close()


# --- areas -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [EVERYTHING, AREA, Scope(("990102002", "990103001001001"))])
@pytest.mark.parametrize("level", ["district", "street", "community", "grid"])
def test_cameras_of_each_area(release, ledger, level, scope):
    rows = coverage(release, release.selection(YEAR), scope, level).rows.to_pandas().set_index("code")
    codes = sorted(c for c in small.grids()[f"{level}_code"].unique() if c.startswith(scope.areas or ("",)))
    assert rows.index.tolist() == codes
    mine = ledger[of_scope(ledger["grid_code"], scope)].assign(unit=lambda f: f["grid_code"].str[: LENGTH[level]])
    alive = mine[mine["device_state"] != "拆除"]

    def count(part):
        return part["unit"].value_counts().reindex(codes, fill_value=0)

    wanted = {
        "cameras": count(mine),
        "in_use": count(mine[mine["device_state"] == "在用"]),
        "online": count(alive[alive["online"].map(lambda flag: flag is True)]),
        "networked": count(alive[alive["networked"].map(lambda flag: flag is True)]),
        "intact": count(alive[alive["serviceable_pct"] >= 98]),
        "hd": count(alive[alive["hd"].map(lambda flag: flag is True)]),
    }
    for name, numbers in wanted.items():
        known = rows[name].notna()
        assert (rows[name][known] == numbers[known]).all(), name
        assert known.all() or level == "grid"
    mean = alive.groupby("unit")["serviceable_pct"].mean().reindex(codes)
    assert np.allclose(rows["serviceable_pct"].astype(float), mean, equal_nan=True)


@pytest.mark.parametrize(("level", "scope"), [("district", EVERYTHING), ("community", EVERYTHING), ("street", AREA)])
def test_ground_covered_is_what_coverage_summary_says(release, ledger, level, scope):
    rows = coverage(release, release.selection([]), scope, level).rows.to_pandas().set_index("code")
    outlines = small.areas(small.grids()).set_index("code")["geom"]
    shapes = gpd.GeoSeries(working_shapes(ledger, scope), crs=4326).to_crs(METRES)
    for code, row in rows.iterrows():
        outline = gpd.GeoSeries([shapely.from_wkb(outlines[code])], crs=4326).to_crs(METRES)
        wanted = coverage_summary(shapes, city=outline).all
        assert row["area_km2"] == pytest.approx(wanted.area.denominator, rel=1e-6)
        assert row["covered_km2"] == pytest.approx(wanted.area.numerator, rel=1e-6, abs=1e-9)
        assert row["backup_km2"] == pytest.approx(wanted.area_backup.numerator, rel=1e-6, abs=1e-9)
        assert row["covered_pct"] == pytest.approx(wanted.area.share_pct, rel=1e-6)


@pytest.mark.parametrize("pairs", [[], YEAR, [*YEAR, ("hours", "18-5")], [*YEAR, ("category", "刑事")]])
@pytest.mark.parametrize("scope", [EVERYTHING, AREA])
def test_incidents_seen_are_points_in_the_areas_of_working_cameras(release, frame, ledger, pairs, scope):
    selection = release.selection(pairs)
    part = located(frame, str(selection.start), str(selection.end))
    if selection.hours:
        span = part["occurred_to"] - part["occurred_from"]
        hour = part["occurred_from"].dt.hour
        part = part[~(span > pd.Timedelta(hours=1)) & ((hour >= 18) | (hour <= 5))]
    if selection.categories:
        part = part[part["category"].isin(selection.categories)]
    part = part[of_scope(part["grid_code"], scope)]
    times = times_seen(part, working_shapes(ledger, scope))
    answer = coverage(release, selection, scope, "street")
    rows = answer.rows.to_pandas().set_index("code")
    wanted = part.groupby("street_code").size().reindex(rows.index, fill_value=0)
    covered = part[times > 0].groupby("street_code").size().reindex(rows.index, fill_value=0)
    assert rows["incidents"].tolist() == wanted.tolist()
    assert rows["incidents_covered"].tolist() == covered.tolist() and covered.sum() > 0
    assert np.allclose(rows["incidents_covered_pct"].astype(float), 100 * covered / wanted, equal_nan=True)
    kpi = {row["kpi"]: row for row in answer.meta["kpis"]}
    assert (kpi["incidents"]["numerator"], kpi["incidents"]["denominator"]) == ((times > 0).sum(), len(part))
    assert kpi["incidents_backup"]["numerator"] == (times > 1).sum()
    assert kpi["area"]["numerator"] == pytest.approx(rows["covered_km2"].sum(), rel=1e-9)


def test_an_area_smaller_than_the_level_gives_the_one_that_holds_it(release, ledger):
    answer = coverage(release, release.selection([("area", "990102001001"), *YEAR]), EVERYTHING, "district")
    (row,) = answer.rows.to_pylist()
    assert row["code"] == "990102"
    assert row["cameras"] == ledger["grid_code"].fillna("").str.startswith("990102001001").sum()
    assert (row["area_km2"], row["covered_km2"], row["covered_pct"]) == (None, None, None)
    assert "所选区域小于这一层级，面积未评估" in [note["text"] for note in answer.meta["notes"]]
    kpi = {row["kpi"]: row for row in answer.meta["kpis"]}
    below = coverage(release, release.selection([("area", "990102001001")]), EVERYTHING, "grid").rows.to_pandas()
    assert kpi["area"]["numerator"] == pytest.approx(below["covered_km2"].sum())


def test_a_camera_of_the_next_district_is_not_told_to_a_limited_scope(release, ledger):
    """``OVER`` stands outside and looks in: it counts for the whole city, and not for the district alone."""
    codes = [("area", "990101002001001")]
    every = coverage(release, release.selection(codes), EVERYTHING, "grid").rows.to_pylist()[0]
    mine = coverage(release, release.selection(codes), AREA, "grid").rows.to_pylist()[0]
    assert every["covered_km2"] > mine["covered_km2"] + 0.05
    assert every["cameras"] == mine["cameras"]
    for question in (coverage, coverage_rules):
        for code in ("990102", "990100", "nowhere"):
            with pytest.raises(OutsideScope):
                question(release, release.selection([("area", code)]), AREA)
    nothing = coverage(release, release.selection([]), Scope(()))
    assert (nothing.rows.num_rows, nothing.meta["networks"][0]["cameras"]) == (0, 0)
    assert [row["denominator"] for row in nothing.meta["rates"]] == [0] * 4


def test_networks_and_the_time_of_the_states(release, ledger):
    for scope in (EVERYTHING, AREA):
        meta = coverage(release, release.selection([]), scope).meta
        mine = ledger[of_scope(ledger["grid_code"], scope)]
        assert [row["network"] for row in meta["networks"]] == [*NETWORKS, None]
        by = {row["network"]: row["cameras"] for row in meta["networks"]}
        assert by == {**mine["network"].value_counts().to_dict(), None: mine["network"].isna().sum()}
        assert (meta["status_at"], meta["status_from"]) == tuple(
            at.isoformat() for at in (mine["status_at"].max(), mine["status_at"].min())
        )


def test_a_method_picks_among_the_shapes_of_a_camera(tmp_path, frame):
    ledger = cameras(3).assign(device_state="在用", online=True)
    square = [shapely.to_wkb(shapely.box(113.61, 34.71, 113.61 + k * 1e-4, 34.711)) for k in range(1, 6)]
    cover = pd.DataFrame({"camera_code": ["C0000", "C0000", "C0000", "C0001", "C0002"], "geom": square,
                          "method": ["radius", "visible", "sector", "radius", "sector"]})  # fmt: skip
    small.publish(tmp_path, frame.iloc[:100], camera=ledger, camera_coverage=cover)
    store = Store(tmp_path)
    with store.current() as release:
        assert methods(release) == ["best", "visible", "sector", "radius"]

        def widths(method):
            return [None if s is None else round((s.bounds[2] - 113.61) * 1e4) for s in camera_shapes(release, method)]

        assert widths("best") == [2, 4, 5]
        assert widths("visible") == [2, None, None]
        assert widths("sector") == [3, None, 5]
        assert widths("radius") == [1, 4, None]
    store.close()


# --- without grids ---------------------------------------------------------------------------------------------------

EARTH = Geod(ellps="WGS84")
BEIJING = 116.35, 39.90


def around(lon, lat, metres):
    """A circle on the ellipsoid, degrees."""
    turns = np.linspace(0, 360, 180, endpoint=False)
    return shapely.Polygon(
        np.column_stack(EARTH.fwd(*(np.full(180, v) for v in (lon, lat)), turns, [metres] * 180)[:2])
    )


def publish_without_grids(releases, drawn):
    """Two districts side by side with two cameras in the first, and a crossing 700 m from the nearer camera.

    ``drawn`` are the levels with an outline; every incident is of the first district.
    """
    lon, lat = BEIJING
    boxes = [shapely.box(lon + 0.05 * i, lat, lon + 0.05 * (i + 1), lat + 0.05) for i in range(2)]
    rows = [("110100", "城", "city", None, shapely.union_all(boxes))]
    rows += [(f"11010{i + 1}", f"区{i}", "district", "110100", box) for i, box in enumerate(boxes)]
    areas = pd.DataFrame(rows, columns=["code", "name", "level", "parent_code", "geom"])
    areas["geom"] = [shapely.to_wkb(shapely.multipolygons([g])) if level in drawn else None
                     for level, g in zip(areas["level"], areas["geom"], strict=True)]  # fmt: skip
    at = np.array([[lon + 0.01, lat + 0.01], [lon + 0.03, lat + 0.03]])
    circles = [around(*at[0], 200.0), around(*at[1], 300.0)]
    camera = pd.DataFrame({"camera_code": ["A", "B"], "x": at[:, 0], "y": at[:, 1], "online": True,
                           "device_state": "在用", "network": "天网"})  # fmt: skip
    cover = pd.DataFrame({"camera_code": ["A", "B"], "method": "radius", "geom": shapely.to_wkb(circles)})
    x, y, _ = EARTH.fwd(*at[0], 250.0, 700.0)
    place = pd.DataFrame({"place_id": ["P"], "name": ["口"], "kind": ["路口"], "x": [x], "y": [y]})
    incidents = small.incidents(50).assign(x=lon + 0.02, y=lat + 0.02, location_quality="exact", district_code="110101")
    incidents[["street_code", "community_code", "grid_code"]] = None
    small.publish(releases, incidents, grid=pd.DataFrame(), area=areas, camera=camera, camera_coverage=cover,
                  key_place=place)  # fmt: skip
    return boxes, circles, (x, y)


@pytest.mark.parametrize("drawn", [("city", "district"), ("city",)])
def test_a_release_without_grids_is_measured_in_metres_of_its_own_place(tmp_path, drawn):
    boxes, circles, (x, y) = publish_without_grids(tmp_path, drawn)
    with small.opened(tmp_path) as release:
        selection = release.selection([])
        first, second = coverage(release, selection, EVERYTHING, "district").rows.to_pylist()
        found = features(release, "rule_failure", selection, EVERYTHING, Extent(rule="tw1")).features
    if "district" in drawn:
        km2 = [abs(EARTH.geometry_area_perimeter(shape)[0]) / 1e6 for shape in (*boxes, *circles)]
        assert [first["area_km2"], second["area_km2"]] == pytest.approx(km2[:2], rel=0.01)
        assert first["covered_km2"] == pytest.approx(sum(km2[2:]), rel=0.01)
        assert second["covered_km2"] == 0
    else:
        assert first["area_km2"] is None
    (crossing,) = map(json.loads, found)
    assert crossing["geometry"]["coordinates"] == pytest.approx([x, y], abs=1e-6)
    assert crossing["properties"]["nearest_camera_m"] == pytest.approx(700.0, rel=0.01)


def test_a_release_without_any_outline_still_tells_its_cameras(tmp_path):
    publish_without_grids(tmp_path, ())
    with small.opened(tmp_path) as release:
        answer = coverage(release, release.selection([]), EVERYTHING, "district")
        (first, *_) = coverage_rules(release, release.selection([]), EVERYTHING).meta["rules"]
    assert answer.rows["area_km2"].null_count == 2
    assert {row["network"]: row["cameras"] for row in answer.meta["networks"]}["天网"] == 2
    assert (first["rule"], first["passing"], first["total"]) == ("tw1", 0, 1)


# --- rules -----------------------------------------------------------------------------------------------------------


def all_places(scope):
    """Places of the rules in metres, with numbers of their own; entrances stand where their place does."""
    points, zones = key_places(), key_areas()
    at = in_metres(points["x"], points["y"])
    outlines = gpd.GeoSeries.from_wkb(zones["geom"], crs=4326).to_crs(METRES)
    lines = gpd.GeoSeries.from_wkb(roads()["geom"], crs=4326).to_crs(METRES)
    nodes = gpd.GeoSeries(shapely.points(road_junctions(lines)), crs=METRES)
    grid = small.grids()
    cells = gpd.GeoDataFrame(grid[["grid_code"]], geometry=gpd.GeoSeries.from_wkb(grid["geom"]), crs=4326)
    held = gpd.sjoin(gpd.GeoDataFrame(geometry=nodes).to_crs(4326), cells, predicate="within")["grid_code"]
    frame = pd.concat(
        [
            points[["place_id", "kind", "parent_id", "grid_code"]].assign(geometry=at),
            zones[["kind", "grid_code"]].assign(place_id=["Z0", "Z1"], geometry=outlines),
            pd.DataFrame({"place_id": [f"N{i}" for i in range(len(nodes))], "kind": "路口", "grid_code": held,
                          "geometry": nodes}),
        ],
        ignore_index=True,
    )  # fmt: skip
    parent = frame["parent_id"].map(frame.set_index("place_id")["grid_code"])
    frame["grid_code"] = parent.fillna(frame["grid_code"])
    return gpd.GeoDataFrame(frame[of_scope(frame["grid_code"], scope)], crs=METRES)


@pytest.fixture(scope="module")
def direct(ledger):
    """The rules asked of geo directly, by scope."""
    out = {}
    for scope in (EVERYTHING, AREA):
        mine = ledger[of_scope(ledger["grid_code"], scope)]
        at = gpd.GeoDataFrame(
            mine.drop(columns=["x", "y"]), geometry=in_metres(mine["x"], mine["y"]).values, crs=METRES
        )
        out[scope] = {rule: rule_check(all_places(scope), at, rule) for rule in RULES}
    return out


@pytest.mark.parametrize("scope", [EVERYTHING, AREA])
def test_rules_are_what_geo_says_of_the_same_places_and_cameras(release, direct, scope):
    answer = coverage_rules(release, release.selection([]), scope)
    assert answer.meta["rules"] == answer.rows.to_pylist()
    assert [row["rule"] for row in answer.meta["rules"]] == [
        "tw1",
        "tw2",
        "tw3",
        "tw4",
        "tw5",
        "tw6",
        "dw1",
        "dw2",
        "dw3",
    ]
    for row in answer.meta["rules"]:
        wanted = direct[scope][row["rule"]]
        got = (row["passing"], row["total"], row["not_judged"], row["pct"])
        assert got == (wanted.covered, wanted.judged, wanted.not_judged, wanted.share_pct), row["rule"]
        assert row["state"] == ("已评估" if wanted.judged else "未评估")
        assert row["words"] == RULES[row["rule"]].words
    assert {row["rule"] for row in answer.meta["rules"] if row["total"]} == {"tw1", "tw3", "tw4", "tw6"}


def test_rules_of_an_area_are_those_of_its_places(release, direct):
    answer = coverage_rules(release, release.selection([("area", "990102")]), EVERYTHING)
    codes = all_places(EVERYTHING).set_index("place_id")["grid_code"]
    for row in answer.meta["rules"]:
        places = direct[EVERYTHING][row["rule"]].places
        places = places[places["place_id"].map(codes).str.startswith("990102")]
        assert (row["passing"], row["total"]) == (
            (places["status"] == "已覆盖").sum(),
            (places["status"] != "未评估").sum(),
        )


@pytest.mark.parametrize("scope", [EVERYTHING, AREA])
def test_failing_places_are_points_with_their_reason(release, direct, scope):
    found = features(release, "rule_failure", release.selection([]), scope, Extent())
    got = pd.DataFrame(
        [{**f["properties"], "at": f["geometry"]["coordinates"]} for f in map(json.loads, found.features)]
    )
    assert found.meta["matched"] == len(got) and found.meta["cut"] is None
    for rule, wanted in direct[scope].items():
        part = got[got["rule"] == rule] if len(got) else got
        assert len(part) == len(wanted.failing)
        if not len(part):
            continue
        at = np.array(part["at"].tolist())
        metres = np.column_stack([v.to_numpy() for v in (in_metres(*at.T).x, in_metres(*at.T).y)])
        theirs = shapely.get_coordinates(wanted.failing.geometry.values)
        assert np.abs(np.sort(metres, axis=0) - np.sort(theirs, axis=0)).max() < 0.02
        reasons = wanted.places.set_index("place_id").loc[wanted.failing["place_id"]]
        assert sorted(part["reason"]) == sorted(reasons["reason"])
        nearest = reasons["nearest_m"].to_numpy()
        assert np.allclose(np.sort(part["nearest_camera_m"]), np.sort(nearest), atol=0.06)
    one = features(release, "rule_failure", release.selection([]), scope, Extent(rule="tw4"))
    assert {json.loads(f)["properties"]["rule"] for f in one.features} == {"tw4"}
    box = (small.WEST, small.SOUTH, small.WEST + 0.012, small.SOUTH + 0.012)
    near = features(release, "rule_failure", release.selection([]), scope, Extent(bbox=box))
    inside = [shapely.box(*box).covers(shapely.Point(at)) for at in got["at"]]
    assert near.meta["matched"] == sum(inside) > 0


def test_failing_places_stay_in_the_scope_and_the_area(release):
    known = key_places().set_index("place_id")["grid_code"]
    for scope, area, prefix in ((AREA, None, "990101"), (EVERYTHING, "990103001", "990103001")):
        selection = release.selection([("area", area)] if area else [])
        found = features(release, "rule_failure", selection, scope, Extent())
        places = [json.loads(f)["properties"]["place_id"] for f in found.features]
        assert places
        assert all(known[place].startswith(prefix) for place in places if place in known.index and place != "P0")
    assert features(release, "rule_failure", release.selection([]), Scope(()), Extent()).features == []


def test_crossings_carry_the_names_of_their_roads_unless_the_source_names_crossings(release, tmp_path, frame, ledger):
    found = features(release, "rule_failure", release.selection([]), EVERYTHING, Extent(rule="tw1"))
    names = {frozenset((json.loads(f)["properties"]["name"] or "").split(" × ")) for f in found.features}
    met = {
        frozenset({one, other} - {None}) or frozenset({""})
        for one in ("一路", "二路", None)
        for other in ("甲街", "乙街", None)
    }
    assert names <= met and any(len(name) == 2 for name in names)
    named = key_places().head(4).assign(kind="交叉口", parent_id=None)
    small.publish(tmp_path, frame.iloc[:100], **{**layers(ledger), "key_place": named})
    store = Store(tmp_path)
    with store.current() as other:
        (first, *_) = coverage_rules(other, other.selection([]), EVERYTHING).meta["rules"]
        assert (first["rule"], first["total"]) == ("tw1", 4)
    store.close()


# --- blind hotspots --------------------------------------------------------------------------------------------------


def test_a_hot_grid_out_of_sight_is_blind_and_one_under_a_camera_is_not(release, frame, ledger):
    found = features(release, "blind", release.selection([]), EVERYTHING, Extent())
    rows = {f["properties"]["code"]: f for f in map(json.loads, found.features)}
    assert HOT in rows and SEEN_HOT not in rows
    part = located(frame, "2026-11-09", "2026-11-16")
    shapes = working_shapes(ledger, EVERYTHING)
    mine = ledger[works(ledger)]
    cameras_at = in_metres(mine["x"], mine["y"])
    for code, feature in rows.items():
        inside = part[part["grid_code"] == code]
        lost = inside[times_seen(inside, shapes) == 0]
        p = feature["properties"]
        assert (p["count"], p["uncovered"]) == (len(inside), len(lost))
        assert p["uncovered_pct"] == pytest.approx(100 * len(lost) / len(inside), abs=0.06) and p["uncovered_pct"] > 50
        heart = in_metres([lost["x"].median()], [lost["y"].median()]).iloc[0]
        assert p["nearest_camera_m"] == pytest.approx(cameras_at.distance(heart).min(), abs=0.06)
        assert shapely.from_geojson(json.dumps(feature["geometry"])).area == pytest.approx(small.SIDE**2, rel=1e-6)
    assert found.meta["parameters"]["gi"]["method"] == "gi"
    assert found.meta["parameters"]["uncovered_over_pct"] == 50


def test_blind_hotspots_stay_in_the_scope_the_area_and_the_extent(release):
    def codes(scope, pairs=(), bbox=None):
        found = features(release, "blind", release.selection(list(pairs)), scope, Extent(bbox=bbox))
        return {json.loads(text)["properties"]["code"] for text in found.features}

    assert HOT in codes(Scope(("990103",)))
    assert not codes(Scope(("990102",))) and not codes(Scope(()))
    assert all(code.startswith("990101") for code in codes(AREA))
    assert HOT in codes(EVERYTHING, [("area", "990103")]) and HOT not in codes(EVERYTHING, [("area", "990101")])
    shapes = small.grids().set_index("grid_code")["geom"]
    for code, wanted in ((HOT, {HOT}), (SEEN_HOT, set())):
        assert codes(EVERYTHING, bbox=shapely.from_wkb(shapes[code]).centroid.buffer(1e-4).bounds) == wanted
    with pytest.raises(OutsideScope):
        codes(AREA, [("area", "990103")])
