"""Tiles: every pixel says which unit, or which cameras' sight, its centre lies in; within the scope, for one release."""

import struct
import sys
import threading
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from dash import html
from fastapi import FastAPI
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import camera_release
import small_release as small

from dashboard import errors, language, tiles
from dashboard.app import create_app
from dashboard.settings import Settings
from dashboard.tiles import served
from data.selection import ParameterError
from data.store import Scope, Store

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ALL = Scope.everything()
Z = 13


def ledger():
    """Cameras of every state; those of the fifth row on of unknown state."""
    frame = camera_release.cameras(120)
    frame.loc[frame.index % 6 == 0, ["online", "serviceable_pct"]] = None
    return frame


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    import pandas as pd

    directory = tmp_path_factory.mktemp("tiles")
    line = shapely.multilinestrings([[(small.WEST, small.SOUTH + 0.015), (small.WEST + 0.06, small.SOUTH + 0.015)]])
    lake = shapely.multipolygons([shapely.box(small.WEST, small.SOUTH, small.WEST + 0.01, small.SOUTH + 0.005)])
    small.publish(
        directory, small.incidents(200),
        base_road=pd.DataFrame({"name": ["路"], "kind": ["主干路"], "geom": [shapely.to_wkb(line)]}),
        base_water=pd.DataFrame({"name": ["湖"], "kind": ["湖泊"], "geom": [shapely.to_wkb(lake)]}),
        camera=ledger(), camera_coverage=camera_release.covers(ledger()),
    )  # fmt: skip
    opened = Store(directory)
    yield opened
    opened.close()


def pixels(png: bytes) -> np.ndarray:
    """The numbers of a PNG, read as its standard says (filters none, up); grey or 24-bit."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(png):
        (size,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + size
    width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    bands = {0: 1, 2: 3}[colour]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width * bands + 1)
    assert depth == 8 and set(rows[:, 0]) <= {0, 2}
    out = np.zeros((height, width * bands), np.uint8)
    for y in range(height):
        out[y] = rows[y, 1:] + (out[y - 1] if rows[y, 0] == 2 and y else 0)
    values = out.reshape(height, width, bands).astype(int)
    return values[..., 0] if bands == 1 else values @ [65536, 256, 1]


def tile_at(lon, lat, z=Z):
    x, y = (tiles.to_world(np.array([lon]), np.array([lat]))[0] * 2**z).astype(int)
    return int(x), int(y)


def centres(z, x, y):
    """Longitude and latitude of the centres of all pixels, from the definition of Web Mercator."""
    u = (np.arange(512) + 0.5) / 512
    lon = (x + u) / 2**z * 360 - 180
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (y + u) / 2**z))))
    return np.meshgrid(lon, lat)


def test_filling_equals_point_in_polygon():
    rng = np.random.default_rng(4)
    blobs = [shapely.Point(*rng.uniform(-10, 74, 2)).buffer(rng.uniform(3, 20), quad_segs=3) for _ in range(6)]
    holed = blobs[0].difference(blobs[0].centroid.buffer(2)).union(shapely.box(70.2, 60.1, 90, 70))
    shapes = np.array([holed, *blobs[1:]])
    coords = [shapely.get_coordinates(ring) for shape in shapes for ring in shapely.get_rings(shapely.get_parts(shape))]
    owners = [i for i, shape in enumerate(shapes) for _ in shapely.get_rings(shapely.get_parts(shape))]
    edges = np.vstack([np.hstack([ring[:-1], ring[1:]]) for ring in coords])
    owner = np.concatenate([np.full(len(ring) - 1, i) for ring, i in zip(coords, owners, strict=True)])
    picture = tiles.fill(edges, owner, np.arange(1, len(shapes) + 1), size=64)
    x, y = np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5)
    wanted = np.zeros((64, 64), int)
    for i in reversed(range(len(shapes))):  # the first of overlapping polygons stays
        wanted[shapely.contains_xy(shapes[i], x, y)] = i + 1
    assert (picture == wanted).all() and len(np.unique(picture)) > 4


def test_a_stroke_covers_what_lies_within_half_its_width():
    line = shapely.LineString([(5, 8), (50, 40)])
    edges, owner = tiles.strokes(np.array([[5.0, 8, 50, 40]]), 6)
    picture = tiles.fill(edges, owner, np.array([1]), size=64)
    x, y = np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5)
    away = shapely.distance(line, shapely.points(x, y))
    assert picture[away < 2.99].all() and not picture[away > 3 * np.sqrt(2) + 0.01].any()


@pytest.mark.parametrize("level", ["district", "street", "community", "grid"])
def test_each_pixel_names_the_unit_it_lies_in(store, level):
    with store.current() as release:
        x, y = tile_at(small.WEST + 0.03, small.SOUTH + 0.02)
        ids = pixels(tiles.Tiles().tile(release, ALL, level, Z, x, y))
        shapes = tiles.unit_shapes(release, level)
        lon, lat = centres(Z, x, y)
        inside = np.array([shapely.contains_xy(shape, lon, lat) for shape in shapes])
        wanted = np.where(inside.any(axis=0), inside.argmax(axis=0) + 1, 0)
        border = shapely.distance(shapely.union_all(shapely.boundary(shapes)), shapely.points(lon, lat)) < 1e-9
        assert (ids == wanted)[~border].all()
        assert len(np.unique(ids)) > 2


def test_a_limited_scope_sees_only_its_units(store):
    kept = tiles.Tiles()
    with store.current() as release:
        x, y = tile_at(small.WEST + 0.03, small.SOUTH + 0.02)
        everything = pixels(kept.tile(release, ALL, "grid", Z, x, y))
        mine = pixels(kept.tile(release, Scope(("990102",)), "grid", Z, x, y))
        allowed = np.flatnonzero(release.units.in_scope("grid", Scope(("990102",)))) + 1
        assert (mine == np.where(np.isin(everything, allowed), everything, 0)).all() and mine.any()
        assert not pixels(kept.tile(release, Scope(()), "grid", Z, x, y)).any()
        listed = tiles.unit_list(release, Scope(("990102",)), "grid")
        assert {c for c in listed["codes"] if c} == set(release.units.level("grid").codes[allowed - 1])
        assert all((lon is None) == (code is None) for lon, code in zip(listed["lon"], listed["codes"], strict=True))


def test_the_base_map_is_drawn_by_bits(store):
    with store.current() as release:
        x, y = tile_at(small.WEST + 0.005, small.SOUTH + 0.01)
        bits = pixels(tiles.Tiles().tile(release, ALL, "base", Z, x, y))
        lon, lat = centres(Z, x, y)
        lake = (lon > small.WEST) & (lon < small.WEST + 0.01) & (lat > small.SOUTH) & (lat < small.SOUTH + 0.005)
        assert ((bits & tiles.WATER) > 0)[lake].all() and not ((bits & tiles.WATER) > 0)[~lake].any()
        road = np.abs(lat - small.SOUTH - 0.015) < 1e-6
        assert ((bits & tiles.MAIN_ROAD) > 0).any() and not ((bits & tiles.MINOR_ROAD) > 0).any()
        assert ((bits & tiles.MAIN_ROAD) > 0)[road & (lon > small.WEST + 0.001)].all()


def test_labels_stand_inside_their_units(store):
    with store.current() as release:
        listed = tiles.unit_list(release, ALL, "community")
        shapes = tiles.unit_shapes(release, "community")
        assert shapely.contains_xy(shapes, listed["lon"], listed["lat"]).all()
        names = [listed["above_names"]["street"][i] for i in listed["above"]["street"]]
        assert names == [f"street {code[:9]}" for code in listed["codes"]]


def test_depths_count_the_polygons_over_each_pixel():
    rng = np.random.default_rng(9)
    shapes = [shapely.Point(*rng.uniform(-5, 69, 2)).buffer(rng.uniform(3, 25), quad_segs=4) for _ in range(30)]
    edges = np.vstack([np.hstack([c[:-1], c[1:]]) for c in map(shapely.get_coordinates, shapes)])
    owner = np.repeat(np.arange(30), [len(shapely.get_coordinates(shape)) - 1 for shape in shapes])
    plane = rng.integers(0, 3, 30)
    x, y = np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5)
    inside = np.array([shapely.contains_xy(shape, x, y) for shape in shapes])
    wanted = np.array([inside[plane == k].sum(axis=0) for k in range(3)])
    assert (tiles.depths(edges, owner, plane, 3, size=64) == wanted).all() and wanted.max() > 3
    nothing = tiles.depths(edges[:0], owner[:0], plane, 3, size=64)
    assert nothing.shape == (3, 64, 64) and not nothing.any()


def wrong_coverage(bits, cameras, lon, lat):
    """How many pixels differ from what the polygons themselves say; those on an edge may be either."""
    shapes = shapely.from_wkb(camera_release.covers(cameras)["geom"].to_numpy())
    works = camera_release.works(cameras)
    state, known = cameras["device_state"], cameras["online"].notna() | cameras["serviceable_pct"].notna()
    unknown = (state.isna() | ((state == "在用") & ~known)).to_numpy()
    broken = ~works & ~unknown & (state != "拆除").to_numpy()

    def over(chosen):
        times = np.zeros(lon.shape, int)
        for shape in shapes[chosen]:
            west, south, east, north = shape.bounds
            near = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
            times[near] += shapely.contains_xy(shape, lon[near], lat[near])
        return times

    seen = over(works)
    wanted = np.where(
        seen > 1, 3, np.where(seen > 0, 1, np.where(over(broken) > 0, 4, np.where(over(unknown) > 0, 8, 0)))
    )
    wrong = bits != wanted
    rims = shapely.union_all(shapely.boundary(shapes))
    return int((shapely.distance(rims, shapely.points(lon[wrong], lat[wrong])) > 1e-9).sum())


@pytest.mark.parametrize("scope", [ALL, Scope(("990101",)), Scope(("990102001", "990103002002")), Scope(())])
@pytest.mark.parametrize("z", [12, 15])
def test_coverage_says_how_each_pixel_is_seen(store, scope, z):
    cameras = ledger()
    if scope.areas is not None:
        cameras = cameras[cameras["grid_code"].fillna("").str.startswith(scope.areas or ("x",))]
    found = set()
    with store.current() as release:
        west, north = tile_at(small.WEST, small.SOUTH + 0.04, z)
        east, south = tile_at(small.WEST + 0.06, small.SOUTH, z)
        for x, y in {(west, north), (west, south), ((west + east) // 2, (north + south) // 2), (east, south)}:
            bits = pixels(tiles.Tiles().tile(release, scope, "coverage", z, x, y))
            lon, lat = centres(z, x, y)
            assert wrong_coverage(bits, cameras, lon, lat) == 0
            found |= set(np.unique(bits))
    assert found == ({0} if scope.areas == () else found) and (scope != ALL or found == {0, 1, 3, 4, 8})


def test_coverage_of_one_method_draws_the_cameras_that_have_it(store):
    cameras = ledger()
    method = camera_release.covers(cameras)["method"].to_numpy()
    with store.current() as release:
        x, y = tile_at(small.WEST + 0.03, small.SOUTH + 0.02, 14)
        lon, lat = centres(14, x, y)
        for name in ("sector", "radius"):
            bits = pixels(tiles.Tiles().tile(release, ALL, "coverage", 14, x, y, name))
            assert wrong_coverage(bits, cameras[method == name], lon, lat) == 0 and bits.any()
        with pytest.raises(ParameterError, match="best sector radius"):
            tiles.Tiles().tile(release, ALL, "coverage", 14, x, y, "visible")


def test_coverage_is_empty_where_a_sector_is_smaller_than_a_pixel(store):
    with store.current() as release:
        x, y = tile_at(small.WEST + 0.03, small.SOUTH + 0.02, tiles.FROM_ZOOM - 1)
        assert not pixels(tiles.Tiles().tile(release, ALL, "coverage", tiles.FROM_ZOOM - 1, x, y)).any()


def test_tiles_are_kept_for_each_scope_and_method(store):
    kept = tiles.Tiles()
    with store.current() as release:
        x, y = tile_at(small.WEST + 0.03, small.SOUTH + 0.02, 14)
        asked = [(scope, method) for scope in (ALL, Scope(("990102",))) for method in ("best", "sector")]
        first = [kept.tile(release, scope, "coverage", 14, x, y, method) for scope, method in asked]
        again = [kept.tile(release, scope, "coverage", 14, x, y, method) for scope, method in reversed(asked)]
        assert again[::-1] == first and len(set(first)) == 4


@pytest.mark.parametrize("level", ["grid", "community", "street"])
@pytest.mark.parametrize("areas", [("990101001",), ("990102",), ("990101001", "990102002001"), ()])
def test_nothing_outside_the_scope_is_named_above_a_unit_either(store, level, areas):
    with store.current() as release:
        listed = tiles.unit_list(release, Scope(areas), level)
    for name, length in (("district", 6), ("street", 9), ("community", 12)):
        if name not in listed["above"]:
            continue
        names = {text for text in listed["above_names"][name] if text}
        assert all(any(text.split()[1].startswith(area) for area in areas) for text in names)
        for code, place in zip(listed["codes"], listed["above"][name], strict=True):
            mine = code is not None and any(code[:length].startswith(area) for area in areas)
            assert (listed["above_names"][name][place] == f"{name} {code[:length]}") if mine else place == -1


class As:
    """A release under another id."""

    def __init__(self, release, release_id):
        self._release, self.info = release, replace(release.info, release_id=release_id)

    def __getattr__(self, name):
        return getattr(self._release, name)


def test_shapes_of_the_two_releases_used_last_are_kept(store, monkeypatch):
    read, tile, numbers = Counter(), tiles.Tiles(), iter(range(100))

    def counted(release, level, real=served.unit_shapes):
        read[release.info.release_id, level] += 1
        return real(release, level)

    monkeypatch.setattr(served, "unit_shapes", counted)
    with store.current() as release:

        def ask(release_id, *levels):
            for level in levels:  # an address not asked before, so that no kept picture answers
                tile.tile(As(release, release_id), ALL, level, Z, next(numbers), 0)

        for release_id in ("r3", "r2", "r1", "r1", "r1"):  # rolled back twice
            ask(release_id, "district", "grid")
        assert set(read.values()) == {1}
        ask("r2", "grid")
        assert read["r2", "grid"] == 1
        ask("r3", "grid")
        assert read["r3", "grid"] == 2
        ask("r2", "grid")
        ask("r1", "grid")
        assert (read["r2", "grid"], read["r1", "grid"]) == (1, 2)


def test_nobody_waits_for_a_layer_they_did_not_ask_for(store, monkeypatch):
    begun, go_on, tile = threading.Event(), threading.Event(), tiles.Tiles()

    def slow(release, level, real=served.unit_shapes):
        if level == "grid":
            begun.set()
            assert go_on.wait(60)
        return real(release, level)

    monkeypatch.setattr(served, "unit_shapes", slow)
    x, y = tile_at(small.WEST, small.SOUTH)
    with store.current() as release, ThreadPoolExecutor(4) as pool:
        first = tile.tile(release, ALL, "district", Z, x, y)
        try:
            held = [pool.submit(tile.tile, release, ALL, "grid", Z, x, y) for _ in range(2)]
            assert begun.wait(60)
            asked = [
                pool.submit(tile.tile, release, ALL, *place) for place in (("district", Z, x, y), ("street", Z, x, y))
            ]
            assert asked[0].result(timeout=20) == first and asked[1].result(timeout=20)
        finally:
            go_on.set()
        assert held[0].result(60) == held[1].result(60)


RELEASE = "release=r20261116-060000"
IN_FORCE = f"{RELEASE}&scope={tiles.scope_mark(ALL)}"


@pytest.fixture
def scopes():
    """Whose request it is: the last one."""
    return [ALL]


@pytest.fixture
def client(store, scopes):
    server = FastAPI()
    errors.register(server)
    server.include_router(tiles.router(store, lambda _request: scopes[-1]))

    @server.get("/numbers/{number}")
    def number(number: int, other: int) -> int:
        return number + other

    return TestClient(server)


def test_answers_keep_for_ever_and_only_for_the_current_release(client):
    x, y = tile_at(small.WEST, small.SOUTH)
    good = client.get(f"/tiles/grid/{Z}/{x}/{y}.png?{IN_FORCE}")
    assert good.headers["content-type"] == "image/png" and "immutable" in good.headers["cache-control"]
    listed = client.get(f"/tiles/grid/units.json?{IN_FORCE}")
    assert len(listed.json()["codes"]) == 24 and "immutable" in listed.headers["cache-control"]
    cover = client.get(f"/tiles/coverage/{Z}/{x}/{y}.png?{IN_FORCE}&method=sector")
    assert cover.headers["content-type"] == "image/png" and "immutable" in cover.headers["cache-control"]
    old = f"release=r20200101-000000&scope={tiles.scope_mark(ALL)}"
    refused = [f"/tiles/grid/{Z}/{x}/{y}.png?{old}", f"/tiles/grid/units.json?{old}", f"/tiles/base/units.json?{IN_FORCE}",
               *(f"/tiles/{place}.png?{IN_FORCE}" for place in ("moon/1/0/0", "grid/3/8/0", "grid/99/0/0", "grid/abc/0/0",
                 "grid/3/-1/0", "base/1/0/x", "grid/1/0/0.5", "grid/1/0/" + "9" * 5000))]  # fmt: skip
    for address in refused:
        answer = client.get(address)
        assert answer.status_code == 404 and "immutable" not in answer.headers.get("cache-control", "")
        assert set(answer.json()) == {"error"}


def test_an_address_answers_for_one_scope_alone(client, scopes):
    x, y = tile_at(small.WEST, small.SOUTH)
    kinds = Scope(("990101",)), Scope(("990102",)), Scope(("990101", "990102")), Scope(())
    marks = [tiles.scope_mark(scope) for scope in (ALL, *kinds)]
    assert len(set(marks)) == 5 and all(len(mark) == 12 and set(mark) <= set("0123456789abcdef") for mark in marks)
    assert tiles.scope_mark(Scope(("990102", "990101"))) == marks[3]
    for path in (f"grid/{Z}/{x}/{y}.png", f"base/{Z}/{x}/{y}.png", f"coverage/{Z}/{x}/{y}.png", "street/units.json"):
        for scope in (ALL, *kinds):
            scopes.append(scope)
            for mark in marks:
                answer = client.get(f"/tiles/{path}?{RELEASE}&scope={mark}")
                mine = mark == tiles.scope_mark(scope)
                assert answer.status_code == (200 if mine else 404)
                assert mine or answer.json()["error"].endswith("处理: 重新打开页面")


@pytest.mark.parametrize(("path", "parameter", "value"), [
    ("grid/13/0/0.png", "release", ""),
    (f"grid/13/0/0.png?{RELEASE}", "scope", ""),
    ("grid/units.json", "release", ""),
    (f"base/13/0/0.png?{IN_FORCE}&colour=red", "colour", "red"),
    (f"grid/13/0/0.png?{IN_FORCE}&method=zzz", "method", "zzz"),
    (f"grid/13/0/0.png?{IN_FORCE}&{RELEASE}", "release", "r20261116-060000"),
    (f"grid/units.json?{IN_FORCE}&x=1", "x", "1"),
    (f"coverage/13/0/0.png?{IN_FORCE}&method=moon", "method", "moon"),
])  # fmt: skip
def test_bad_parameters_are_named_with_what_is_allowed(client, path, parameter, value):
    answer = client.get(f"/tiles/{path}")
    body = answer.json()
    assert answer.status_code == 422 and set(body) == {"error", "parameter", "value", "allowed"}
    assert (body["parameter"], body["value"]) == (parameter, value) and body["allowed"]


@pytest.mark.parametrize(("path", "parameter", "value", "allowed"), [
    ("x?other=1", "number", "x", "整数"), ("1?other=", "other", "", "整数"), ("1", "other", "", "必须给出"),
])  # fmt: skip
def test_what_fastapi_refuses_is_said_the_same_way(client, path, parameter, value, allowed):
    answer = client.get(f"/numbers/{path}")
    body = answer.json()
    assert answer.status_code == 422 and body.pop("error").startswith("参数不可用")
    assert body == {"parameter": parameter, "value": value, "allowed": allowed}


def test_refusals_are_in_the_visitors_language(client, monkeypatch):
    english = {
        "没有这个图块": "No such tile",
        "参数不可用": "Parameter not usable",
        "整数": "a whole number",
        "发现": "found",
    }
    monkeypatch.setattr(language, "catalogue", lambda name: english if name == "en" else {})
    for cookie, missing, wrong, allowed in (
        ("en", "No such tile | 位置: tiles | found: moon/1/0/0", "Parameter not usable", "a whole number"),
        ("zh", "没有这个图块 | 位置: tiles | 发现: moon/1/0/0", "参数不可用", "整数"),
        ("xx", "没有这个图块 | 位置: tiles | 发现: moon/1/0/0", "参数不可用", "整数"),
    ):
        client.cookies.set(language.COOKIE, cookie)
        assert client.get("/tiles/moon/1/0/0.png").json()["error"].startswith(missing)
        body = client.get("/numbers/x?other=1").json()
        assert body["error"].startswith(wrong) and body["allowed"] == allowed


def test_the_page_tells_its_scripts_the_mark_of_the_scope(store, tmp_path):
    def page(app, store, settings):
        app.layout = html.Div()

    app = create_app(Settings(workspace=tmp_path, open_mode=True), pages={"/workbench": page})
    with TestClient(app.server) as visitor:
        assert f'"yanpanScope": "{tiles.scope_mark(ALL)}"' in visitor.get("/workbench").text
