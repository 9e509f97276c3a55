"""Identity tiles: every pixel names the unit its centre lies in, within the caller's scope, for the current release."""

import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import shapely
from fastapi import FastAPI
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import small_release as small

from dashboard import errors, tiles
from data.store import Scope, Store

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ALL = Scope.everything()
Z = 13


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


def test_answers_keep_for_ever_and_only_for_the_current_release(store):
    server = FastAPI()
    errors.register(server)
    server.include_router(tiles.router(store, lambda _request: ALL))
    client = TestClient(server)
    x, y = tile_at(small.WEST, small.SOUTH)
    good = client.get(f"/tiles/grid/{Z}/{x}/{y}.png?release=r20261116-060000")
    assert good.headers["content-type"] == "image/png" and "immutable" in good.headers["cache-control"]
    listed = client.get("/tiles/grid/units.json?release=r20261116-060000")
    assert len(listed.json()["codes"]) == 24 and "immutable" in listed.headers["cache-control"]
    refused = [f"/tiles/grid/{Z}/{x}/{y}.png?release=r20200101-000000", "/tiles/base/units.json?release=r20261116-060000",
               "/tiles/moon/1/0/0.png?release=r20261116-060000", "/tiles/grid/3/8/0.png?release=r20261116-060000",
               "/tiles/grid/99/0/0.png?release=r20261116-060000"]  # fmt: skip
    for address in refused:
        answer = client.get(address)
        assert answer.status_code == 404 and "immutable" not in answer.headers.get("cache-control", "")
