"""Clusters: every point in the cell of the screen that holds it, none lost, none of another scope."""

import json

import numpy as np
import pandas as pd
import pytest
import shapely
import small_release as small
from camera_release import EAST, NORTH, cameras, key_places
from scipy.spatial import cKDTree

from data.schema import CATEGORIES
from data.store import Extent, Limits, Scope, Store, features

EVERYTHING = Scope.everything()
BOX = (113.604, 34.703, 113.648, 34.733)
YEAR = [("from", "2026-01-01"), ("to", "2026-11-01")]


@pytest.fixture(scope="module")
def frame():
    frame = small.incidents()
    piled = frame["x"].notna() & (np.arange(len(frame)) % 11 == 0)
    frame.loc[piled, ["x", "y", "location_quality"]] = 113.6171, 34.7171, "pile_up"
    return frame


@pytest.fixture(scope="module")
def releases(tmp_path_factory, frame):
    directory = tmp_path_factory.mktemp("releases")
    many = cameras(2500).assign(x=lambda f: f["x"].where(f.index % 50 > 0))
    small.publish(directory, frame, camera=many, key_place=key_places(1700))
    return directory


@pytest.fixture(scope="module")
def release(releases):
    with small.opened(releases) as opened:
        yield opened


@pytest.fixture(scope="module")
def every_point(releases):
    """The same release, whose points are all listed."""
    store = Store(releases, Limits(points=100_000))
    with store.current() as opened:
        yield opened
    store.close()


def read(found):
    return [json.loads(text) for text in found.features]


def placed(frame, start="2026-01-01", end="2026-11-01", categories=CATEGORIES[:-1]):
    inside = (frame["occurred_from"] >= start) & (frame["occurred_from"] < end) & frame["x"].notna()
    return frame[inside & frame["category"].isin(categories)]


def within(frame, box):
    return frame[frame["x"].between(box[0], box[2]) & frame["y"].between(box[1], box[3])]


def cells(frame, zoom):
    """The cell of each point: Web Mercator in pixels of the zoom, 56 a side."""
    pixels = 256 * 2.0**zoom
    x = frame["x"] / 360 * pixels
    y = np.log(np.tan(np.pi / 4 + np.radians(frame["y"]) / 2)) / (2 * np.pi) * pixels
    return [np.floor(x / 56).rename("column"), np.floor(y / 56).rename("row")]


@pytest.mark.parametrize("zoom", [0, 10, 12.5, 14, 16])
@pytest.mark.parametrize("box", [None, BOX])
def test_each_cluster_is_a_cell_of_the_screen_and_stands_at_the_mean_of_its_members(release, frame, zoom, box):
    found = features(release, "incident", release.selection(YEAR), EVERYTHING, Extent(bbox=box, zoom=zoom))
    part = placed(frame) if box is None else within(placed(frame), box)
    assert (found.meta["matched"], found.meta["clustered"], found.meta["cut"]) == (len(part), True, None)
    assert found.meta["cluster_zoom"] == zoom
    got = read(found)
    assert found.meta["returned"] == len(got)
    groups = part.groupby(cells(part, zoom))
    wanted = pd.concat([groups.size(), groups[["x", "y"]].mean()], axis=1)
    at = np.array([f["geometry"]["coordinates"] for f in got])
    away, which = cKDTree(wanted[["x", "y"]]).query(at)
    assert sorted(which) == list(range(len(wanted))) and away.max() < 1e-6
    assert wanted[0].to_numpy()[which].tolist() == [f["properties"]["count"] for f in got]
    counted = pd.DataFrame([f["properties"]["by"] for f in got]).sum()
    assert counted.astype(int).to_dict() == part["category"].value_counts().to_dict()


def test_a_cluster_says_how_many_of_its_members_stand_at_default_coordinates(release, frame):
    found = features(release, "incident", release.selection(YEAR), EVERYTHING, Extent(bbox=BOX, zoom=16))
    part = within(placed(frame), BOX)
    piled = part[part["location_quality"] == "pile_up"]
    by_quality = {}
    for feature in read(found):
        p = feature["properties"]
        by_quality.setdefault(p["quality"], []).append(p)
        assert (p["quality"] == "placed") == (p["pile_up"] == 0)
        assert (p["quality"] == "pile_up") == (p["pile_up"] == p["count"])
    assert sum(p["pile_up"] for kind in by_quality.values() for p in kind) == len(piled) > 0
    assert set(by_quality) == {"placed", "mixed"}


@pytest.mark.parametrize(
    "pairs",
    [
        [("category", "刑事"), ("category", "无效"), ("weekdays", "1,2,3,4")],
        [("hours", "6-21")],
        [("polygon", "POLYGON((113.603 34.702,113.655 34.704,113.641 34.738,113.603 34.702))")],
        [("area", "990102")],
    ],
)
def test_clusters_follow_the_whole_selection(release, every_point, pairs):
    selection = release.selection([("from", "2025-02-01"), ("to", "2026-11-01"), *pairs])
    found = features(release, "incident", selection, EVERYTHING, Extent(bbox=BOX, zoom=13))
    singly = read(features(every_point, "incident", selection, EVERYTHING, Extent(bbox=BOX)))
    assert found.meta["clustered"] and found.meta["matched"] == len(singly) > 1500
    assert sum(f["properties"]["count"] for f in read(found)) == len(singly)
    counted = pd.DataFrame([f["properties"]["by"] for f in read(found)]).sum().astype(int)
    assert counted.to_dict() == pd.Series([f["properties"]["category"] for f in singly]).value_counts().to_dict()


def test_few_points_are_listed_one_by_one_and_without_a_zoom_nothing_changes(release, frame):
    week = release.selection([])
    part = placed(frame, "2026-11-09", "2026-11-16")
    near = features(release, "incident", week, EVERYTHING, Extent(zoom=9))
    plain = features(release, "incident", week, EVERYTHING, Extent())
    assert near.features == plain.features and len(near.features) == len(part)
    assert (near.meta["clustered"], near.meta["cluster_zoom"]) == (False, None)
    assert "clustered" not in plain.meta
    wide = features(release, "incident", release.selection(YEAR), EVERYTHING, Extent())
    assert (wide.features, wide.meta["cut"]) == ([], "extent")


def test_a_deep_zoom_over_a_wide_extent_gets_larger_cells(release, frame):
    found = features(
        release, "incident", release.selection(YEAR), EVERYTHING, Extent(bbox=(-180, -80, 180, 80), zoom=20)
    )
    assert found.meta["returned"] <= 5000 < found.meta["matched"] == len(placed(frame))
    assert found.meta["cluster_zoom"] < 20
    assert sum(f["properties"]["count"] for f in read(found)) == len(placed(frame))


def test_the_limit_of_points_also_decides(tmp_path, frame):
    small.publish(tmp_path, frame)
    store = Store(tmp_path, Limits(points=100))
    with store.current() as release:
        found = features(release, "incident", release.selection([]), EVERYTHING, Extent(zoom=11))
        assert found.meta["clustered"] and 100 < found.meta["matched"] < 1500
        piled_up = (113.61709, 34.71709, 113.61711, 34.71711)
        alone = features(release, "incident", release.selection(YEAR), EVERYTHING, Extent(bbox=piled_up, zoom=19))
        assert [f["properties"]["quality"] for f in read(alone)] == ["pile_up"]
    store.close()


@pytest.mark.parametrize("scope", [("990101",), ("990102001", "990103002001001"), ()])
def test_clusters_hold_nothing_outside_the_scope(release, frame, scope):
    who, selection = Scope(scope), release.selection([("from", "2025-02-01"), ("to", "2026-11-01")])
    found = features(release, "incident", selection, who, Extent(zoom=15))
    part = placed(frame, "2025-02-01", "2026-11-01")
    mine = part[part["grid_code"].fillna("").str.startswith(scope or ("x",))]
    assert found.meta["matched"] == len(mine)
    if found.meta["clustered"]:
        assert sum(f["properties"]["count"] for f in read(found)) == len(mine)
    for layer, whole in (("camera", cameras(2500)), ("key_place", key_places(1700))):
        allowed = whole["grid_code"].fillna("").str.startswith(scope or ("x",))
        if layer == "camera":
            allowed &= whole.index % 50 > 0
        assert features(release, layer, selection, who, Extent(zoom=12)).meta["matched"] == allowed.sum()


def test_cameras_are_counted_by_state_and_key_places_by_kind(release):
    selection = release.selection([])
    whole = cameras(2500)
    whole = whole[whole.index % 50 > 0]
    state = whole["online"].map({True: "online", False: "offline"}).fillna("unknown")
    found = features(release, "camera", selection, EVERYTHING, Extent(zoom=13))
    assert (found.meta["matched"], found.meta["clustered"]) == (len(whole), True)
    counted = pd.DataFrame([f["properties"]["by"] for f in read(found)]).sum().astype(int)
    assert counted.to_dict() == state.value_counts().to_dict()
    wanted = whole.groupby(cells(whole, 13)).size()
    assert sorted(f["properties"]["count"] for f in read(found)) == sorted(wanted)
    places = key_places(1700)
    found = features(release, "key_place", selection, EVERYTHING, Extent(zoom=13))
    counted = pd.DataFrame([f["properties"]["by"] for f in read(found)]).sum().astype(int)
    assert counted.to_dict() == places["kind"].value_counts().to_dict()


def test_a_camera_says_its_state_and_nothing_of_an_address(release):
    box = (small.WEST, small.SOUTH, small.WEST + 0.01, small.SOUTH + 0.01)
    found = read(features(release, "camera", release.selection([]), EVERYTHING, Extent(bbox=box, zoom=18)))
    whole = cameras(2500)
    mine = within(whole[whole.index % 50 > 0], box).set_index("camera_code")
    assert {f["properties"]["camera_code"] for f in found} == set(mine.index)
    for f in found:
        p, row = f["properties"], mine.loc[f["properties"]["camera_code"]]
        wanted = {True: "online", False: "offline"}.get(row["online"], "unknown")
        assert (p["state"], p["network"]) == (wanted, None if pd.isna(row["network"]) else row["network"])
        assert p["status_at"] == row["status_at"].isoformat()
        assert not {"address", "ip", "person", "user_name", "mac"} & {name.lower() for name in p}
    assert shapely.box(*box).covers(shapely.points([f["geometry"]["coordinates"] for f in found])).all()


def test_a_release_without_incidents_answers(tmp_path, frame):
    small.publish(tmp_path, frame.iloc[:0])
    store = Store(tmp_path)
    with store.current() as release:
        found = features(
            release, "incident", release.selection([]), EVERYTHING, Extent(bbox=(0, 0, EAST, NORTH), zoom=5)
        )
        assert (found.meta["matched"], found.features, found.meta["clustered"]) == (0, [], False)
        assert features(release, "camera", release.selection([]), EVERYTHING, Extent(zoom=5)).features == []
    store.close()
