"""Base maps: files that GDAL or this test wrote are read tile by tile; addresses as the services want them."""

import gzip
import random
import sqlite3
import struct
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from shapely import Point, box

from dashboard import basemaps, errors
from dashboard.basemaps.mbtiles import MBTiles
from dashboard.basemaps.pmtiles import PMTiles, directory_of, tile_number
from dashboard.guard import Guard
from dashboard.settings import Settings
from data.errors import UsageError

PNG = b"\x89PNG\r\n\x1a\n"


def picture(z: int, x: int, y: int) -> bytes:
    """Bytes that begin like a picture and say where they belong."""
    return PNG + f"{z}/{x}/{y}".encode()


def addresses(deepest: int) -> list[tuple[int, int, int]]:
    return [(z, x, y) for z in range(deepest + 1) for x in range(2**z) for y in range(2**z)]


def mbtiles(path: Path, tiles: dict, **metadata: str) -> Path:
    """As the specification says: rows count from the south."""
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE metadata (name text, value text)")
        file.executemany("INSERT INTO metadata VALUES (?, ?)", metadata.items())
        file.execute("CREATE TABLE tiles (zoom_level int, tile_column int, tile_row int, tile_data blob)")
        rows = [(z, x, (1 << z) - y - 1, data) for (z, x, y), data in tiles.items()]
        file.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", rows)
    file.close()
    return path


def varints(numbers) -> bytes:
    out = bytearray()
    for number in numbers:
        while number > 127:
            out.append(number % 128 + 128)
            number //= 128
        out.append(number)
    return bytes(out)


def hilbert(z: int, x: int, y: int) -> int:
    """Place on the curve by the recursive definition: the quadrants of a square, each a turned smaller curve."""
    if z == 0:
        return 0
    half = 1 << (z - 1)
    right, down = x >= half, y >= half
    inner = {
        (False, False): (0, (y, x)),
        (False, True): (1, (x, y - half)),
        (True, True): (2, (x - half, y - half)),
        (True, False): (3, (half - 1 - y, 2 * half - 1 - x)),
    }
    quadrant, (u, v) = inner[right, down]
    return quadrant * half * half + hilbert(z - 1, u, v)


def directory(entries: list[tuple[int, int, int, int]]) -> bytes:
    """Entries (number, run, length, offset) as bytes."""
    numbers = [entry[0] for entry in entries]
    steps = [number - before for number, before in zip(numbers, [0, *numbers], strict=False)]
    offsets = []
    for i, (_, _, _, offset) in enumerate(entries):
        follows = i and offset == entries[i - 1][3] + entries[i - 1][2]
        offsets.append(0 if follows else offset + 1)
    return varints([len(entries), *steps, *(e[1] for e in entries), *(e[2] for e in entries), *offsets])


def pmtiles(path: Path, tiles: dict, *, kind=2, packed=True, leaves=0, runs=(), version=3, inside=None) -> Path:
    """A PMTiles file; ``leaves`` > 0 puts so many entries into each directory under the root."""
    numbered = sorted(((4**z - 1) // 3 + hilbert(z, x, y), data) for (z, x, y), data in tiles.items())
    body, entries = bytearray(), []
    for number, data in numbered:
        if number in runs and entries:
            entries[-1] = (entries[-1][0], entries[-1][1] + 1, *entries[-1][2:])
            continue
        entries.append((number, 1, len(data), len(body)))
        body += data
    pack = gzip.compress if packed else bytes
    below = bytearray()
    if leaves:
        top = []
        for start in range(0, len(entries), leaves):
            leaf = pack(directory(entries[start : start + leaves]))
            top.append((entries[start][0], 0, len(leaf), len(below)))
            below += leaf
        entries = top
    root = pack(directory(entries))
    zooms = [z for z, _, _ in tiles] or [0]
    at_leaves = 127 + len(root)
    at_data = at_leaves + len(below)
    header = struct.pack(
        "<7sB11Q6B4iB2i", b"PMTiles", version, 127, len(root), at_leaves, 0, at_leaves, len(below), at_data, len(body),
        len(tiles), len(numbered), len(numbered), 1, inside or (2 if packed else 1), 1, kind, min(zooms), max(zooms),
        1_136_000_000, 347_000_000, 1_137_000_000, 348_000_000, 0, 0, 0,
    )  # fmt: skip
    path.write_bytes(header + root + below + body)
    return path


def settings(workspace: Path, *declared: dict) -> Settings:
    return Settings(workspace=workspace, open_mode=True,
                    basemaps=tuple(basemaps.BaseMap(name="图", **one) for one in declared))  # fmt: skip


# --- reading files ---------------------------------------------------------------------------------------------------


def test_mbtiles_rows_count_from_the_south(tmp_path):
    tiles = {address: picture(*address) for address in addresses(4) if sum(address) % 3}
    file = MBTiles(mbtiles(tmp_path / "城 市#1.mbtiles", tiles, format="png", minzoom="0", maxzoom="4"))
    assert [file.tile(*address) for address in addresses(4)] == [tiles.get(address) for address in addresses(4)]
    assert (file.min_zoom, file.max_zoom, file.bounds) == (0, 4, None)
    file.close()


@pytest.mark.parametrize(
    ("stated", "zooms", "bounds"),
    [
        ({"minzoom": "3", "maxzoom": "9", "bounds": "113.1,34.2,114.1,35.2"}, (3, 9), (113.1, 34.2, 114.1, 35.2)),
        ({"bounds": "0,0,0,0"}, (2, 5), None),
        ({"minzoom": "", "maxzoom": "x", "bounds": "middle of nowhere"}, (2, 5), None),
    ],
)
def test_mbtiles_says_its_zooms_or_they_are_counted(tmp_path, stated, zooms, bounds):
    tiles = {(z, 1, 1): picture(z, 1, 1) for z in (2, 5)}
    file = MBTiles(mbtiles(tmp_path / "m.mbtiles", tiles, **stated))
    assert ((file.min_zoom, file.max_zoom), file.bounds) == (zooms, bounds)
    file.close()


@pytest.mark.parametrize(
    ("address", "number"),
    [((0, 0, 0), 0), ((1, 0, 0), 1), ((1, 0, 1), 2), ((1, 1, 1), 3), ((1, 1, 0), 4), ((2, 0, 0), 5),
     ((3, 0, 0), 21), ((4, 0, 0), 85), ((5, 0, 0), 341), ((12, 3423, 1763), 19078479)],
)  # fmt: skip
def test_tile_numbers_of_the_specification(address, number):
    assert tile_number(*address) == number


def test_tile_numbers_follow_the_recursive_curve():
    assert [tile_number(*a) for a in addresses(5)] == [(4**z - 1) // 3 + hilbert(z, x, y) for z, x, y in addresses(5)]
    deep = random.Random(3)
    for _ in range(200):
        z = deep.randint(6, 20)
        x, y = deep.randrange(2**z), deep.randrange(2**z)
        assert tile_number(z, x, y) == (4**z - 1) // 3 + hilbert(z, x, y)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("leaves", [0, 7])
def test_pmtiles_gives_every_tile_and_none_else(tmp_path, packed, leaves):
    tiles = {address: picture(*address) for address in addresses(4) if sum(address) % 3}
    file = PMTiles(pmtiles(tmp_path / "m.pmtiles", tiles, packed=packed, leaves=leaves))
    assert [file.tile(*address) for address in addresses(4)] == [tiles.get(address) for address in addresses(4)]
    assert (file.min_zoom, file.max_zoom, file.bounds) == (1, 4, (113.6, 34.7, 113.7, 34.8))
    assert file.tile(9, 100, 100) is None
    file.close()


def test_pmtiles_runs_of_equal_tiles(tmp_path):
    sea = picture(0, 0, 0)
    tiles = dict.fromkeys(addresses(3), sea)
    file = PMTiles(pmtiles(tmp_path / "m.pmtiles", tiles, runs=range(85)))
    assert all(file.tile(*address) == sea for address in addresses(3)) and file.tile(4, 0, 0) is None
    file.close()


def test_tiles_of_gdal_are_the_same_in_both_files(tmp_path, monkeypatch):
    """GDAL writes only vector tiles here; the bytes must come out alike whichever file they are read from."""
    if not {"MVT", "PMTiles"} <= set(pyogrio.list_drivers(write=True)):
        pytest.fail("GDAL without MVT and PMTiles")
    seed = random.Random(5)
    points = [Point(113 + seed.random() * 2, 34 + seed.random() * 2) for _ in range(4000)]
    frame = gpd.GeoDataFrame({"n": range(4000)}, geometry=points, crs=4326)
    flat, packed = tmp_path / "g.mbtiles", tmp_path / "g.pmtiles"
    for path, driver in ((flat, "MVT"), (packed, "PMTiles")):
        frame.to_file(path, driver=driver, layer="p", MINZOOM=0, MAXZOOM=13)
    for path, reader in ((flat, MBTiles), (packed, PMTiles)):
        with pytest.raises(UsageError, match=r"只支持图片瓦片.*(pbf|mvt).*png"):
            reader(path)
    for reader in ("mbtiles", "pmtiles"):
        monkeypatch.setattr(f"dashboard.basemaps.{reader}.media_type", lambda data: "any")
    with sqlite3.connect(flat) as written:
        rows = written.execute("SELECT zoom_level, tile_column, tile_row, tile_data FROM tiles").fetchall()
    first, second = MBTiles(flat), PMTiles(packed)
    second._packed = 1  # as they stand in the file
    assert len(rows) > 2500
    for z, x, row, data in rows:
        y = 2**z - 1 - row
        assert first.tile(z, x, y) == data == second.tile(z, x, y)
    held = {(z, x, 2**z - 1 - row) for z, x, row, _ in rows}
    absent = {(z, x + 1, y) for z, x, y in held if x + 1 < 2**z} - held
    assert absent and all(first.tile(*a) is None and second.tile(*a) is None for a in absent)
    assert (first.min_zoom, first.max_zoom) == (second.min_zoom, second.max_zoom) == (0, 13)
    assert first.bounds == pytest.approx(second.bounds, abs=1e-5)
    first.close()
    second.close()


def test_directories_of_broken_files_end_too_early():
    whole = directory([(0, 1, 9, 0), (5, 2, 9, 9), (300, 0, 70, 18)])
    assert directory_of(whole).first == [0, 5, 300] and directory_of(whole).offset == [0, 9, 18]
    for cut in range(len(whole)):
        with pytest.raises(IndexError):
            directory_of(whole[:cut])


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda p: p.write_bytes(b"not a database, only long enough to be read as one" * 40), "SQLite"),
        (lambda p: sqlite3.connect(p).close() or p.write_bytes(b""), "SQLite"),
        (lambda p: mbtiles(p, {}), "没有图块"),
        (lambda p: mbtiles(p, {(0, 0, 0): gzip.compress(b"layer")}, format="pbf"), "图片瓦片.*pbf"),
        (lambda p: p.mkdir(), "没有这个底图文件"),
    ],
)
def test_mbtiles_that_cannot_be_used(tmp_path, make, told):
    make(tmp_path / "m.mbtiles")
    with pytest.raises(UsageError, match=told) as fault:
        basemaps.describe(settings(tmp_path, {"id": "m", "kind": "mbtiles", "path": "m.mbtiles"}))
    assert "m.mbtiles" in fault.value.line()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda p: p.write_bytes(b"PMTiles"), "第 3 版"),
        (lambda p: p.write_bytes(bytes(200)), "别的文件"),
        (lambda p: pmtiles(p, {(0, 0, 0): PNG}, version=2), "第 2 版"),
        (lambda p: pmtiles(p, {(0, 0, 0): gzip.compress(b"layer")}, kind=1), "图片瓦片.*mvt"),
        (lambda p: pmtiles(p, {(0, 0, 0): PNG}, inside=4), "zstd"),
        (lambda p: pmtiles(p, {}), "没有图块"),
        (lambda p: p.write_bytes(pmtiles(p, {(0, 0, 0): PNG}).read_bytes()[:140]), "不完整"),
        (lambda p: p.write_bytes(pmtiles(p, {(0, 0, 0): PNG}).read_bytes()[:-2]), "不完整"),
    ],
)
def test_pmtiles_that_cannot_be_used(tmp_path, make, told):
    make(tmp_path / "m.pmtiles")
    with pytest.raises(UsageError, match=told) as fault:
        basemaps.describe(settings(tmp_path, {"id": "m", "kind": "pmtiles", "path": "m.pmtiles"}))
    assert "m.pmtiles" in fault.value.line()


# --- serving ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    workspace, away = tmp_path_factory.mktemp("workspace"), tmp_path_factory.mktemp("away")
    (workspace / "maps").mkdir()
    tiles = {(3, 6, 3): PNG + b"png", (3, 6, 2): b"\xff\xd8\xff\xe0jpeg", (3, 5, 3): b"RIFF....WEBPVP8 "}
    mbtiles(workspace / "maps" / "m.mbtiles", tiles, format="png", minzoom="3", maxzoom="3")
    pmtiles(away / "p.pmtiles", {(3, 6, 3): PNG + b"other"})
    return settings(
        workspace,
        {"id": "near", "kind": "mbtiles", "path": "maps/m.mbtiles", "attribution": "审图号"},
        {"id": "far", "kind": "pmtiles", "path": str(away / "p.pmtiles"), "min_zoom": 2, "datum": "gcj02"},
        {"id": "online", "kind": "xyz", "address": "http://h.example/{z}/{x}/{y}"},
    )


@pytest.fixture(scope="module")
def client(served):
    server = FastAPI()
    errors.register(server)
    server.include_router(basemaps.router(served))
    with TestClient(server) as opened:
        yield opened


def test_pictures_are_served_by_id_with_their_kind(client):
    for address, kind in (("3/6/3", "image/png"), ("3/6/2", "image/jpeg"), ("3/5/3", "image/webp")):
        answer = client.get(f"/tiles/basemap/near/{address}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/tiles/basemap/far/3/6/3").content == PNG + b"other"


def test_where_a_file_has_nothing_the_picture_is_transparent(client, tmp_path):
    answer = client.get("/tiles/basemap/near/12/3300/1600")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    (tmp_path / "blank.png").write_bytes(answer.content)
    with Image.open(tmp_path / "blank.png") as blank:
        assert blank.convert("RGBA").getextrema()[3] == (0, 0)


@pytest.mark.parametrize(
    "path",
    ["nowhere/3/6/3", "online/3/6/3", "near/3/8/3", "near/3/6/8", "near/3/-1/3", "near/25/0/0", "near/-1/0/0",
     "..%2Fmaps%2Fm.mbtiles/3/6/3", "maps%2Fm.mbtiles/3/6/3"],
)  # fmt: skip
def test_only_configured_ids_and_tiles_of_the_world_are_answered(client, path):
    answer = client.get(f"/tiles/basemap/{path}")
    assert answer.status_code == 404 and PNG not in answer.content


def test_nothing_is_served_without_a_session(served):
    server = FastAPI()
    errors.register(server)
    server.include_router(basemaps.router(served))
    with TestClient(Guard(server, open_mode=False)) as stranger:
        assert stranger.get("/tiles/basemap/near/3/6/3").status_code == 401


def test_many_threads_read_one_file(served):
    from concurrent.futures import ThreadPoolExecutor

    tiles = {address: picture(*address) for address in addresses(5)}
    mbtiles(served.workspace / "t.mbtiles", tiles)
    pmtiles(served.workspace / "t.pmtiles", tiles, leaves=5)
    for file in (MBTiles(served.workspace / "t.mbtiles"), PMTiles(served.workspace / "t.pmtiles")):
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda address, file=file: file.tile(*address), addresses(5)))
        assert found == list(tiles.values())
        file.close()


# --- what a page is told ---------------------------------------------------------------------------------------------


def test_local_maps_are_described_from_their_files(served):
    near, far, online = basemaps.describe(served)
    address, version = near["tiles"][0].split("?v=")
    assert address == "/tiles/basemap/near/{z}/{x}/{y}" and len(version) == 12
    assert {k: v for k, v in near.items() if k != "tiles"} == {
        "id": "near", "name": "图", "kind": "mbtiles", "hosts": "", "min_zoom": 3, "max_zoom": 3, "datum": "wgs84",
        "attribution": "审图号", "bounds": None, "outside": False,
    }  # fmt: skip
    assert (far["min_zoom"], far["max_zoom"], far["datum"]) == (2, 3, "gcj02")
    assert far["bounds"] == [113.6, 34.7, 113.7, 34.8]
    assert online["tiles"] == ["http://h.example/{z}/{x}/{y}"] and online["outside"]
    assert (online["min_zoom"], online["max_zoom"]) == (0, 18)


def test_one_map_is_found_by_its_id_and_none_is_none(served):
    assert basemaps.describe_one(served, "far") == basemaps.describe(served)[1]
    assert [basemaps.describe_one(served, name) for name in ("none", "gone", None)] == [None, None, None]
    assert basemaps.describe(Settings(workspace=served.workspace)) == []


@pytest.mark.parametrize(
    ("layer", "pair"), [(None, "vec cva"), ("vec", "vec cva"), ("img", "img cia"), ("ter", "ter cta")]
)
def test_tianditu_addresses(tmp_path, layer, pair):
    declared = {"id": "t", "kind": "tianditu", "key": "K/1 2"} | ({"layer": layer} if layer else {})
    [one] = basemaps.describe(settings(tmp_path, declared))
    expected = [
        f"https://t{{s}}.tianditu.gov.cn/{name}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={name}"
        "&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=K%2F1%202"
        for name in pair.split()
    ]
    assert one["tiles"] == expected and one["hosts"] == "01234567"
    assert (one["min_zoom"], one["max_zoom"], one["outside"]) == (1, 18, True)


def test_tianditu_through_a_mirror_and_wmts_templates(tmp_path):
    mirror, kvp = basemaps.describe(settings(
        tmp_path,
        {"id": "t", "kind": "tianditu", "key": "k", "address": "http://10.1.2.3/tdt/", "max_zoom": 16},
        {"id": "w", "kind": "wmts", "key": "k", "address": "http://h.example/w/EPSG:3857:{TileMatrix}/{TileRow}/{TileCol}?t={key}"},
    ))  # fmt: skip
    assert mirror["tiles"][0].startswith("http://10.1.2.3/tdt/vec_w/wmts?") and mirror["hosts"] == ""
    assert mirror["max_zoom"] == 16
    assert kvp["tiles"] == ["http://h.example/w/EPSG:3857:{z}/{y}/{x}?t=k"]


def test_bounds_of_the_world_are_kept(tmp_path):
    tiles = {(0, 0, 0): PNG}
    mbtiles(tmp_path / "m.mbtiles", tiles, bounds=",".join(map(str, box(-180, -85, 180, 85).bounds)))
    [one] = basemaps.describe(settings(tmp_path, {"id": "m", "kind": "mbtiles", "path": "m.mbtiles"}))
    assert one["bounds"] == [-180, -85, 180, 85]
