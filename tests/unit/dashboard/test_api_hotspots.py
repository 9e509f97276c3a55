"""``/api/v1/hotspots``: every method as GeoJSON with its parameters, and its refusals."""

import json
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import small_release as small

import geo
from dashboard import api, errors
from data.store import Scope, Store
from data.store.hotspots import METHODS, UNIT_METHODS, hotspots

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
FOUR_WEEKS = "from=2026-10-19&to=2026-11-16"
GEOMETRY = {"kde": "MultiPolygon", "repeat_places": "Point", "near_repeat": "LineString"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    releases = tmp_path_factory.mktemp("workspace") / "releases"
    frame = small.incidents(12_000)
    placed = frame.index[frame["x"].notna() & (frame["occurred_from"] >= "2026-10-19")][:8]
    frame.loc[placed, ["x", "y"]] = frame.loc[placed[0], ["x", "y"]].to_numpy()
    small.publish(releases, frame, sheet=small.weekly_sheet())
    opened = Store(releases)
    yield opened
    opened.close()


def client_of(store: Store, scope: Scope) -> TestClient:
    server = FastAPI()
    errors.register(server)
    server.include_router(api.router(store, lambda _request: scope))
    return TestClient(server)


@pytest.fixture(scope="module")
def client(store):
    return client_of(store, Scope.everything())


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_geojson_with_what_reproduces_it(client, method):
    answer = client.get(f"/api/v1/hotspots?method={method}&{FOUR_WEEKS}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/geo+json"
    body = answer.json()
    assert body["type"] == "FeatureCollection"
    meta = body["meta"]
    assert {"release", "data_as_of", "timezone", "selection", "scope", "parameters", "n", "adjusted_over", "summary",
            "note", "matched", "returned", "cut"} <= set(meta)  # fmt: skip
    stated = meta["parameters"]
    assert {"method", "window", "from", "to", "n", "left_out", "seed", "crs", "reference", "automatic", "release",
            "data_as_of", "scope"} <= set(stated)  # fmt: skip
    assert (stated["method"], stated["from"], stated["to"]) == (method, "2026-10-19", "2026-11-16")
    assert stated["n"] == meta["n"] > 0
    assert len(body["features"]) == meta["returned"] == meta["matched"]
    kinds = {feature["geometry"]["type"] for feature in body["features"]}
    assert kinds <= {GEOMETRY.get(method, "Polygon"), "MultiPolygon"}
    known = (Path(geo.__file__).parent / "references.bib").read_text("utf-8")
    assert all(f"{{{key}," in known for key in stated["reference"])
    assert set(stated["automatic"]) <= set(stated)


def test_the_default_is_gi_of_the_grids(client, store):
    body = client.get("/api/v1/hotspots").json()
    assert body == client.get("/api/v1/hotspots?method=gi&level=grid&window=now").json()
    with store.current() as release:
        same = hotspots(release, release.selection([]), Scope.everything(), "gi")
    assert body["meta"] == json.loads(json.dumps(same.meta))
    assert body["features"] == [json.loads(text) for text in same.features]
    assert body["meta"]["parameters"]["level"] == "grid"


def test_levels_and_windows_are_asked_for(client):
    for method in UNIT_METHODS:
        for level, units in (("district", 3), ("street", 6), ("community", 12), ("grid", 24)):
            meta = client.get(f"/api/v1/hotspots?method={method}&level={level}&window=before").json()["meta"]
            assert (meta["parameters"]["units"], meta["parameters"]["from"]) == (units, "2026-11-02")
            assert sum(meta["summary"]["classes"].values()) == units


@pytest.mark.parametrize(
    ("query", "parameter", "value"),
    [
        ("method=heat", "method", "heat"),
        ("level=city", "level", "city"),
        ("method=kde&window=later", "window", "later"),
        ("window=before&compare=none", "window", "before"),
        ("bbox=1,2,3,4", "bbox", "1,2,3,4"),
        ("from=2026-11-09", "to", ""),
    ],
)
def test_bad_parameters_are_422_with_what_is_allowed(client, query, parameter, value):
    answer = client.get(f"/api/v1/hotspots?{query}")
    assert answer.status_code == 422
    body = answer.json()
    assert (body["parameter"], body["value"]) == (parameter, value)
    assert body["allowed"]


def test_a_scope_sees_itself_only(store):
    client = client_of(store, Scope(("990101",)))
    for method in METHODS:
        meta = client.get(f"/api/v1/hotspots?method={method}&{FOUR_WEEKS}").json()["meta"]
        assert meta["parameters"]["scope"] == meta["scope"] == ["990101"]
        assert client.get(f"/api/v1/hotspots?method={method}&area=990102").status_code == 403
    body = client.get(f"/api/v1/hotspots?method=lisa&{FOUR_WEEKS}").json()
    assert all(one["properties"]["code"].startswith("990101") for one in body["features"])
    assert body["meta"]["adjusted_over"] == 8


def test_the_parameters_are_documented(client):
    stated = {
        one["name"]: one for one in client.get("/openapi.json").json()["paths"]["/api/v1/hotspots"]["get"]["parameters"]
    }
    assert stated["method"]["schema"]["enum"] == list(METHODS)
    assert stated["window"]["schema"]["enum"] == ["now", "before"]
    assert "grid" in stated["level"]["schema"]["enum"]
