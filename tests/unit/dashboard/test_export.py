"""dashboard: exports hold exactly what is selected, in every format, with their head, and nothing of another scope."""

import asyncio
import io
import json
import re
import sqlite3
import sys
import tempfile
from contextlib import ExitStack, closing
from importlib import import_module
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode

import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from fastapi import FastAPI
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import small_release as small

from dashboard import api, errors, language
from dashboard.api import export as route
from dashboard.exports import facts_of
from dashboard.exports.download import Download
from data.schema import CATEGORIES
from data.store import Scope, Store
from data.store.exporting import EXPORTS, export

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The default engine")
CODES = {name: str for name in ("code", "grid_code", "community_code", "street_code", "district_code", "camera_code")}
NASTY = ["=1+1", "+86", "-x", "@SUM(A1)", " =2", "\t=3", "＝4", "a#b", 'say "so", twice', "two\nlines", "<b>&amp;</b>",
         " padded ", "正常"]  # fmt: skip
LEVEL_COLUMNS = {level: f"{level}_code" for level in ("district", "street", "community", "grid")}
SHAPED = [layer for layer, kind in EXPORTS.items() if kind.shaped]


def cameras() -> pd.DataFrame:
    grid = small.grids()
    x, y = shapely.bounds(shapely.from_wkb(grid["geom"].to_numpy())).T[:2]
    rows = {"camera_code": [f"3402000000132{i:07d}" for i in range(24)], "name": [f"={i}号点" for i in range(24)],
            "network": "天网", "online": [True, False, None] * 8, "device_state": "在用", "serviceable_pct": 98.5,
            "grid_code": grid["grid_code"], "x": x + 0.002, "y": y + 0.002}  # fmt: skip
    return pd.DataFrame(rows)


def disputes() -> pd.DataFrame:
    rows = []
    for i, code in enumerate(sorted(small.grids()["street_code"].unique())):
        for week in range(94, 97):
            start = small.FIRST + pd.Timedelta(days=7 * week)
            rows.append({"period_start": start, "period_end": start + pd.Timedelta(days=7), "area_code": code,
                         "found": 10 * i + week, "handled": i, "source_id": "jf"})  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def frame():
    made = small.incidents(4000)
    made["subcategory"] = np.array(NASTY)[np.arange(len(made)) % len(NASTY)]
    return made


@pytest.fixture(scope="module")
def releases(tmp_path_factory, frame):
    directory = tmp_path_factory.mktemp("workspace") / "releases"
    sheet = small.weekly_sheet({("990101001", 96): "missing", ("990101002", 96): "zero"})
    grid = small.grids()
    place = {
        "place_id": ["p1", "p2"],
        "name": ["学校", "医院"],
        "kind": "学校",
        "grid_code": grid["grid_code"][[0, 23]].tolist(),
    }
    points = pd.DataFrame({**place, "x": [small.WEST + 0.001, small.WEST + 0.055], "y": small.SOUTH + 0.001})
    areas = pd.DataFrame({**place, "place_id": ["a1", "a2"], "geom": grid["geom"][[0, 23]].tolist()})
    small.publish(
        directory, frame, sheet=sheet, camera=cameras(), dispute_stat=disputes(), key_place=points, key_area=areas
    )
    return directory


@pytest.fixture(scope="module")
def store(releases):
    opened = Store(releases)
    yield opened
    opened.close()


def serving(store, scope):
    server = FastAPI()
    server.state.store = store
    errors.register(server)
    server.include_router(api.router(store, lambda _request: scope))
    return TestClient(server)


@pytest.fixture(scope="module")
def client(store):
    with serving(store, Scope.everything()) as opened:
        yield opened


@pytest.fixture(scope="module")
def of_district(store):
    with serving(store, Scope(("990101",))) as opened:
        yield opened


def fetch(client, layer, form, **parameters):
    answer = client.get("/api/v1/export", params={"layer": layer, "format": form, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.content


def from_csv(body: bytes) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(body), comment="#", encoding="utf-8-sig", dtype=CODES, keep_default_na=False, na_values=[""]
    )


def from_xlsx(body: bytes) -> pd.DataFrame:
    rows = list(openpyxl.load_workbook(io.BytesIO(body))["数据"].values)
    return pd.DataFrame(rows[1:], columns=rows[0])


def from_geojson(body: bytes) -> pd.DataFrame:
    features = json.loads(body)["features"]
    frame = pd.DataFrame([one["properties"] for one in features])
    return frame.assign(geometry=[one["geometry"] and shapely.geometry.shape(one["geometry"]) for one in features])


def from_gpkg(body: bytes, layer: str, tmp_path) -> pd.DataFrame:
    path = tmp_path / "x.gpkg"
    path.write_bytes(body)
    return pyogrio.read_dataframe(path, layer=layer)


def random_selection(rng) -> dict:
    """Parameters of the Selection, and what they leave of a frame of incidents."""
    start = pd.Timestamp("2026-03-01") + pd.Timedelta(days=int(rng.integers(0, 200)))
    parameters = {"from": str(start.date()), "to": str((start + pd.Timedelta(days=int(rng.integers(1, 60)))).date()),
                  "compare": "none"}  # fmt: skip
    if rng.random() < 0.5:
        parameters["category"] = [str(c) for c in rng.choice(CATEGORIES, 3, replace=False)]
    if rng.random() < 0.5:
        parameters["hours"] = f"{rng.integers(0, 24)}-{rng.integers(0, 24)}"
    if rng.random() < 0.5:
        parameters["weekdays"] = ",".join(map(str, sorted(rng.choice(range(1, 8), 4, replace=False))))
    if rng.random() < 0.5:
        grid = small.grids().iloc[int(rng.integers(24))]
        parameters["area"] = str(grid[LEVEL_COLUMNS[rng.choice(list(LEVEL_COLUMNS))]])
    if rng.random() < 0.3:
        west, south = small.WEST + rng.random() * 0.03, small.SOUTH + rng.random() * 0.02
        parameters["polygon"] = shapely.box(west, south, west + 0.02, south + 0.02).wkt
    return parameters


def selected(frame, parameters) -> pd.DataFrame:
    """The same by pandas alone."""
    begin, until = frame["occurred_from"], frame["occurred_to"]
    keep = (begin >= parameters["from"]) & (begin < parameters["to"])
    keep &= frame["category"].isin(parameters.get("category", [c for c in CATEGORIES if c != "无效"]))
    if "hours" in parameters:
        first, last = map(int, parameters["hours"].split("-"))
        inside = {(first + i) % 24 for i in range((last - first) % 24 + 1)}
        keep &= begin.dt.hour.isin(inside) & (until.isna() | (until - begin <= pd.Timedelta(hours=1)))
    if "weekdays" in parameters:
        keep &= (begin.dt.day_of_week + 1).isin([int(day) for day in parameters["weekdays"].split(",")])
    if "area" in parameters:
        keep &= np.logical_or.reduce([frame[name] == parameters["area"] for name in LEVEL_COLUMNS.values()])
    if "polygon" in parameters:
        keep &= shapely.intersects_xy(shapely.from_wkt(parameters["polygon"]), frame["x"], frame["y"])
    return frame[keep]


@pytest.mark.parametrize("seed", range(12))
def test_numbers_equal_the_api_and_a_count_by_pandas(client, frame, seed):
    parameters = random_selection(np.random.default_rng(seed))
    expected = selected(frame, parameters)
    rows = from_csv(fetch(client, "incidents", "csv", **parameters))
    assert sorted(rows["incident_id"]) == sorted(expected["incident_id"])
    at = rows.set_index("incident_id").loc[expected["incident_id"]]
    assert at["grid_code"].fillna("").tolist() == expected["grid_code"].fillna("").tolist()
    assert pd.to_datetime(at["occurred_from"]).tolist() == expected["occurred_from"].tolist()
    assert np.allclose(at["lon"].astype(float), expected["x"].astype(float), equal_nan=True)
    for level, column in LEVEL_COLUMNS.items():
        counted = from_csv(fetch(client, "counts", "csv", level=level, **parameters))
        answer = client.get("/api/v1/counts", params={"level": level, **parameters}).json()
        assert counted["code"].tolist() == [row["code"] for row in answer["rows"]]
        for name in ("count", "rate_per_1000"):
            wanted = [row[name] for row in answer["rows"]]
            assert np.allclose(counted[name].astype(float), np.array(wanted, dtype=float), equal_nan=True, rtol=1e-15)
        by_unit = expected[column].value_counts()
        assert counted.set_index("code")["count"].dropna().replace(0, np.nan).dropna().to_dict() == by_unit.to_dict()
    steps = from_csv(fetch(client, "trend", "csv", step="week", **parameters))
    assert steps["count"].sum() == len(expected)


@pytest.mark.parametrize("layer", ["counts", "disputes", "coverage", "summary", "profile", "trend"])
def test_tables_are_the_answers_of_the_api(client, layer):
    parameters = {"from": "2026-10-05", "to": "2026-11-09"} | ({"level": "street"} if layer in SHAPED else {})
    rows = from_csv(fetch(client, layer, "csv", **parameters))
    with client.app.state.store.current() as release:
        selection = release.selection([("from", "2026-10-05"), ("to", "2026-11-09")])
        own = {"level": "street"} if layer in SHAPED else {}
        found = export(release, selection, Scope.everything(), layer, **own)
    expected = next(iter(found.batches())).to_pandas()
    assert list(rows.columns) == found.columns.names
    assert len(rows) == found.rows == found.meta["matched"]
    for name in found.columns.names:
        if expected[name].dtype.kind in "if":
            assert np.allclose(rows[name].astype(float), expected[name].astype(float), equal_nan=True, rtol=1e-15), name
        else:
            assert rows[name].fillna("").astype(str).tolist() == expected[name].fillna("").astype(str).tolist(), name


def same(one: pd.DataFrame, other: pd.DataFrame, names) -> None:
    for name in names:
        left, right = (side[name].reset_index(drop=True).replace({True: 1.0, False: 0.0}) for side in (one, other))
        if left.isna().all() and right.isna().all():
            continue
        if set(right.dropna()) <= {0.0, 1.0}:  # flags are read as what the format has for them
            left, right = left.astype(float), right.astype(float)
        if right.dtype.kind in "fiu":
            assert np.allclose(left.astype(float), right.astype(float), equal_nan=True, rtol=1e-15, atol=0), name
        elif name in ("occurred_from", "occurred_to", "status_at"):
            assert (
                pd.to_datetime(left).fillna(pd.Timestamp(0)).tolist()
                == pd.to_datetime(right).fillna(pd.Timestamp(0)).tolist()
            )
        else:
            assert left.fillna("").astype(str).tolist() == right.fillna("").astype(str).tolist(), name


@pytest.mark.parametrize("layer", SHAPED)
def test_every_format_holds_the_same_rows(client, layer, tmp_path):
    parameters = {"from": "2026-09-01", "to": "2026-11-01"}
    csv = from_csv(fetch(client, layer, "csv", **parameters))
    xlsx = from_xlsx(fetch(client, layer, "xlsx", **parameters))
    features = from_geojson(fetch(client, layer, "geojson", **parameters))
    table = from_gpkg(fetch(client, layer, "gpkg", **parameters), layer, tmp_path)
    assert list(csv.columns) == list(xlsx.columns)
    book = openpyxl.load_workbook(io.BytesIO(fetch(client, layer, "xlsx", **parameters)), read_only=True)
    assert (book["数据"].max_row, book["数据"].max_column) == (len(csv) + 1, len(csv.columns))
    assert len(csv) == len(xlsx) == len(features) == len(table) > 0
    same(xlsx, csv, csv.columns)
    shared = [name for name in csv.columns if name in features and name not in ("name", "subcategory")]
    same(features, csv, shared)
    same(table, csv, shared)
    assert list(features.columns) == list(table.columns)
    for one, other in zip(features["geometry"], table["geometry"], strict=True):
        assert (one is None) == (other is None)
        assert one is None or shapely.equals(one, other)
    if "lon" in csv and "lon" not in features:
        points = features["geometry"].map(lambda point: (np.nan, np.nan) if point is None else (point.x, point.y))
        assert np.allclose(np.array(points.tolist()), csv[["lon", "lat"]], equal_nan=True)


def test_areas_stand_where_they_are(client, tmp_path):
    grid = small.grids()
    shapes = dict(zip(grid["grid_code"], shapely.from_wkb(grid["geom"].to_numpy()), strict=True))
    for found in (from_geojson(fetch(client, "counts", "geojson", level="grid")),
                  from_gpkg(fetch(client, "counts", "gpkg", level="grid"), "counts", tmp_path)):  # fmt: skip
        assert set(found["code"]) == set(shapes)
        for code, shape in zip(found["code"], found["geometry"], strict=True):
            assert shapely.symmetric_difference(shape, shapes[code]).area < 1e-12


def test_geopackage_is_sound_and_its_index_finds_points(client, frame, tmp_path):
    parameters = {"from": "2026-01-01", "to": "2026-11-01"}
    path = tmp_path / "x.gpkg"
    path.write_bytes(fetch(client, "incidents", "gpkg", **parameters))
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT rtreecheck('rtree_incidents_geom')").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        stored = db.execute("SELECT min(occurred_from) FROM incidents").fetchone()[0]
    assert re.fullmatch(r"2026-01-\d\dT\d\d:\d\d:\d\d", stored)  # wall clock, no offset
    box = (small.WEST, small.SOUTH, small.WEST + 0.02, small.SOUTH + 0.02)
    part = selected(frame, {**parameters, "polygon": shapely.box(*box).wkt})
    found = pyogrio.read_dataframe(path, layer="incidents", bbox=box)
    assert sorted(found["incident_id"]) == sorted(part["incident_id"])
    assert pyogrio.read_info(path, layer="incidents")["features"] == len(selected(frame, parameters))
    assert found.crs.to_epsg() == 4490


def test_batches_never_lose_or_repeat_a_row(store, frame, monkeypatch):
    with store.current() as release:
        selection = release.selection([("from", "2025-01-01"), ("to", "2026-12-01")])
        whole = next(iter(export(release, selection, Scope.everything(), "incidents").batches()))
        monkeypatch.setattr(import_module("data.store.exporting.incidents"), "ROWS_AT_ONCE", 7)
        found = export(release, selection, Scope.everything(), "incidents")
        parts = list(found.batches())
        assert len(parts) > 100
        assert sum(part.num_rows for part in parts) == found.rows == len(frame[frame["category"] != "无效"])
        ids = [value for part in parts for value in part["incident_id"].to_pylist()]
        times = [value for part in parts for value in part["occurred_from"].to_pylist()]
        assert ids == whole["incident_id"].to_pylist()
        assert times == sorted(times)
        assert found.meta["unplaced"] == int(frame.loc[frame["category"] != "无效", "x"].isna().sum())


def test_missing_is_empty_and_said(client):
    rows = from_csv(fetch(client, "counts", "csv", level="street", category="火灾", hours="3-3", weekdays="3"))
    assert set(rows["state"]) <= {"zero", "reported", "missing"}
    assert rows.loc[rows["state"] == "missing", "count"].isna().all()
    assert (rows.loc[rows["state"] == "zero", "count"] == 0).all()
    ahead = from_csv(fetch(client, "counts", "csv", **{"from": "2027-01-04", "to": "2027-01-11"}))
    assert ahead["count"].isna().all() and set(ahead["state"]) == {"missing"}


# --- head -------------------------------------------------------------------------------------------------------------


def heads(client, tmp_path, layer="incidents", **parameters) -> dict[str, dict[str, str]]:
    """The facts at the head of each format, by their Chinese names."""
    csv = fetch(client, layer, "csv", **parameters).decode("utf-8-sig")
    lines = [line[2:].split("：", 1) for line in csv.splitlines() if line.startswith("# ")]
    book = openpyxl.load_workbook(io.BytesIO(fetch(client, layer, "xlsx", **parameters)))
    path = tmp_path / "head.gpkg"
    path.write_bytes(fetch(client, layer, "gpkg", **parameters))
    table = pyogrio.read_dataframe(path, layer="selection")
    words = json.loads(fetch(client, layer, "geojson", **parameters))["meta"]["words"]
    names = dict(zip(table["key"], table["name"], strict=True))
    metadata = pyogrio.read_info(path, layer=layer)["layer_metadata"]
    assert metadata["release"] == "r20261116-060000"
    return {
        "csv": dict(lines),
        "xlsx": {str(name): str(text) for name, text in book["说明"].values},
        "gpkg": dict(zip(table["name"], table["text"], strict=True)),
        "geojson": {names[key]: text for key, text in words.items()},
    }


def test_every_format_says_what_it_holds(client, tmp_path):
    parameters = {"from": "2026-10-05", "to": "2026-10-12", "area": "990102", "category": ["刑事", "治安"], "hours": "18-23",
                  "weekdays": "1,5"}  # fmt: skip
    for form, head in heads(client, tmp_path, **parameters).items():
        assert head["标题"] == "演示市", form
        assert "合成数据" in head["数据性质"]
        assert head["密级"] == "内部使用"
        assert "警情明细" in head["内容"]
        for part in ("990102", "2026-10-05 至 2026-10-11", "刑事", "治安", "18—24时", "周一、五"):
            assert part in head["选择"], (form, part)
        assert "2026-09-28 至 2026-10-04" in head["对比时段"]
        assert head["授权范围"] == "全部"
        assert head["数据截至"].startswith(small.AS_OF)
        assert head["发布"] == "r20261116-060000"
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", head["生成时间"])
        assert "按发生时间" in head["计数口径"]
        said = parse_qsl(head["查询"])
        assert dict(said) | {"category": "刑事"} == {
            "area": "990102", "from": "2026-10-05", "to": "2026-10-12", "compare": "previous", "category": "刑事",
            "hours": "18-23", "weekdays": "1,5",
        }  # fmt: skip
        again = client.get("/api/v1/export?" + urlencode([("layer", "incidents"), ("format", "csv"), *said]))
        assert len(from_csv(again.content)) == int(head["行数"])


def test_a_limited_scope_is_named(of_district):
    text = fetch(of_district, "counts", "csv").decode("utf-8-sig")
    assert "# 授权范围：district 990101（990101）\n" in text


def test_a_long_polygon_fits_the_cells_of_a_workbook(client):
    ring = [
        (small.WEST + 0.02 + 0.02 * np.cos(a), small.SOUTH + 0.02 + 0.02 * np.sin(a)) for a in np.linspace(0, 6.28, 450)
    ]
    polygon = shapely.set_precision(shapely.Polygon(ring), 1e-9).wkt
    book = openpyxl.load_workbook(io.BytesIO(fetch(client, "counts", "xlsx", polygon=polygon)))
    texts = [text for name, text in book["说明"].values if name == "查询"]
    assert all(len(text) <= 32_767 for text in texts)
    assert dict(parse_qsl("".join(texts)))["polygon"] == polygon


def test_the_head_of_a_csv_is_one_cell_a_line(client):
    body = fetch(client, "hotspots", "csv", method="gi", level="street")
    assert body.startswith(b"\xef\xbb\xbf# ")
    lines = body.decode("utf-8-sig").splitlines()
    assert all("," not in line for line in lines if line.startswith("#"))


def test_the_head_is_in_the_readers_language(client, monkeypatch):
    monkeypatch.setattr(language, "catalogue", lambda name: {"标题": "Title", "数据": "Data"} if name == "en" else {})
    parameters = {"layer": "counts", "format": "csv"}
    english = client.get("/api/v1/export", params=parameters, cookies={language.COOKIE: "en"}).text
    assert "# Title：演示市" in english
    book = client.get(
        "/api/v1/export", params={**parameters, "format": "xlsx"}, cookies={language.COOKIE: "en"}
    ).content
    assert openpyxl.load_workbook(io.BytesIO(book)).sheetnames[0] == "Data"
    client.cookies.clear()
    assert "# 标题：演示市" in client.get("/api/v1/export", params=parameters).text


# --- safety -----------------------------------------------------------------------------------------------------------


def test_texts_that_would_run_as_formulas_are_disarmed_and_others_kept(client, frame):
    expected = selected(frame, {"from": "2026-01-01", "to": "2026-11-01"}).set_index("incident_id")["subcategory"]
    for rows in (from_csv(fetch(client, "incidents", "csv", **{"from": "2026-01-01", "to": "2026-11-01"})),
                 from_xlsx(fetch(client, "incidents", "xlsx", **{"from": "2026-01-01", "to": "2026-11-01"}))):  # fmt: skip
        found = rows.set_index("incident_id")["subcategory"]
        for key, text in expected.items():
            risky = text.strip()[0] in "=+-@＝" or text[0] == "\t"
            assert found[key] == ("'" + text if risky else text)
    assert from_csv(fetch(client, "cameras", "csv"))["name"][3] == "'=3号点"
    kept = from_geojson(fetch(client, "incidents", "geojson", **{"from": "2026-01-01", "to": "2026-11-01"}))
    assert kept.set_index("incident_id")["subcategory"].to_dict() == expected.to_dict()


@pytest.mark.parametrize("layer", EXPORTS)
def test_nothing_of_another_scope_leaves(of_district, layer, tmp_path):
    foreign = re.compile(rb"99010[23]")
    for form in route.formats(layer):
        if form in route.PICTURE_FORMATS:
            continue
        body = fetch(of_district, layer, form, **{"from": "2025-06-01", "to": "2026-11-01"})
        if form == "xlsx":
            body = "".join(
                str(row) for sheet in openpyxl.load_workbook(io.BytesIO(body)) for row in sheet.values
            ).encode()
        assert not foreign.search(body), form
    answer = of_district.get("/api/v1/export", params={"layer": layer, "format": "csv", "area": "990102"})
    assert answer.status_code == 403


def test_points_of_another_scope_do_not_leave(of_district, frame):
    rows = from_csv(fetch(of_district, "incidents", "csv", **{"from": "2025-06-01", "to": "2026-11-01"}))
    part = selected(frame, {"from": "2025-06-01", "to": "2026-11-01", "area": "990101"})
    assert sorted(rows["incident_id"]) == sorted(part["incident_id"])


# --- refusals and delivery --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "parameter", "allowed"),
    [
        ("layer=trend&format=gpkg", "format", "csv xlsx png svg"),
        ("layer=map&format=csv", "format", "png svg"),
        ("layer=incidents&format=png", "format", "csv xlsx geojson gpkg"),
        ("layer=counts", "format", "csv xlsx geojson gpkg"),
        ("format=csv", "layer", "counts incidents"),
        ("layer=streets&format=csv", "layer", "counts incidents"),
        ("layer=counts&format=csv&level=city", "level", "district street community grid"),
        ("layer=hotspots&format=csv&method=x", "method", "kde gi"),
        ("layer=trend&format=csv&level=grid", "level", "step"),
        ("layer=map&format=png&measure=x", "measure", "count density"),
        ("layer=map&format=png&measure=change&compare=none", "measure", "count"),
        ("layer=map&format=png&layers=sky", "layers", "water"),
        ("layer=counts&format=csv&from=x&to=2026-01-01", "from", "日期"),
    ],
)
def test_bad_requests_say_what_is_allowed(client, query, parameter, allowed):
    answer = client.get(f"/api/v1/export?{query}")
    assert answer.status_code == 422
    assert answer.json()["parameter"] == parameter
    assert allowed in answer.json()["allowed"]


def test_more_rows_than_a_sheet_holds_are_refused_with_the_remedy(client, monkeypatch):
    monkeypatch.setattr(route, "MOST_ROWS", 10)
    answer = client.get("/api/v1/export?layer=incidents&format=xlsx&from=2026-10-01&to=2026-11-01")
    assert answer.status_code == 422
    assert "csv" in answer.json()["allowed"] and "10 行" in answer.json()["allowed"]
    assert fetch(client, "incidents", "csv", **{"from": "2026-10-01", "to": "2026-11-01"})


def test_the_file_is_named_after_layer_window_and_release(client):
    head = client.get("/api/v1/export?layer=counts&format=csv").headers
    name = "研判_counts_2026-11-09_2026-11-15_r20261116-060000.csv"
    assert head["content-disposition"].endswith(f"filename*=UTF-8''{quote(name)}")
    assert unquote(head["content-disposition"]).endswith(name)
    assert head["content-disposition"].isascii()
    assert head["content-type"].startswith("text/csv") and "no-store" in head["cache-control"]


def test_an_empty_selection_is_a_file_with_its_head(client, tmp_path):
    parameters = {"from": "2020-01-01", "to": "2020-01-08"}
    assert len(from_csv(fetch(client, "incidents", "csv", **parameters))) == 0
    assert len(from_xlsx(fetch(client, "incidents", "xlsx", **parameters))) == 0
    assert len(from_geojson(fetch(client, "incidents", "geojson", **parameters))) == 0
    assert len(from_gpkg(fetch(client, "incidents", "gpkg", **parameters), "incidents", tmp_path)) == 0
    for method in ("kde", "repeat_places", "near_repeat", "lisa"):
        assert len(from_csv(fetch(client, "hotspots", "csv", method=method, **parameters)).columns) > 1
        assert fetch(client, "hotspots", "xlsx", method=method, **parameters)


def test_a_client_that_goes_away_leaves_nothing_behind():
    closed, sent = [], asyncio.Event()

    def endless():
        try:
            while True:
                yield b"x" * 1000
        finally:
            closed.append("rows")

    async def gone():
        await sent.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message.get("body"):
            sent.set()

    held = ExitStack()
    held.callback(lambda: closed.append("release"))
    response = Download(endless(), "研判_x.csv", held)
    asyncio.run(asyncio.wait_for(response({"type": "http", "asgi": {"spec_version": "2.3"}}, gone, send), 10))
    assert closed == ["rows", "release"]


def test_temporary_files_are_gone(client, store, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fetch(client, "incidents", "gpkg", **{"from": "2026-01-01", "to": "2026-11-01"})
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("dashboard.exports.gpkg_file.rtree.pack", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        client.get("/api/v1/export?layer=incidents&format=gpkg&from=2026-01-01&to=2026-11-01")
    assert list(tmp_path.iterdir()) == []


def test_a_release_is_held_as_long_as_its_file_is_sent(releases, frame):
    store = Store(releases)
    with ExitStack() as held:
        release = held.enter_context(store.current())
        selection = release.selection([("from", "2026-01-01"), ("to", "2026-11-01")])
        found = export(release, selection, Scope.everything(), "incidents")
        assert facts_of(found, release, pd.Timestamp("2026-11-16", tz="UTC"))
        store.close()  # as a new release would do
        assert sum(batch.num_rows for batch in found.batches()) == found.rows
