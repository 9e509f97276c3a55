"""/coverage and the map layers of cameras: shapes of the answers, refusals, nothing outside the scope."""

import sys
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import camera_release
import small_release as small

from dashboard import api, errors
from data.store import Scope, Store

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
YEAR = "from=2026-01-01&to=2026-11-01"
ROW = ["code", "name", "cameras", "in_use", "online", "networked", "intact", "hd", "serviceable_pct", "area_km2",
       "covered_km2", "backup_km2", "covered_pct", "incidents", "incidents_covered", "incidents_covered_pct"]  # fmt: skip


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    directory = tmp_path_factory.mktemp("releases")
    small.publish(directory, small.incidents(6000), **camera_release.layers(camera_release.cameras()))
    return directory


def served(releases, scope):
    server, store = FastAPI(), Store(releases)
    errors.register(server)
    server.include_router(api.router(store, lambda _request: scope))
    with TestClient(server) as opened:
        yield opened
    store.close()


@pytest.fixture(scope="module")
def client(releases):
    yield from served(releases, Scope.everything())


@pytest.fixture(scope="module")
def of_district(releases):
    yield from served(releases, Scope(("990101",)))


def test_rates_are_the_default_part(client):
    body = client.get("/api/v1/coverage").json()
    assert body == client.get("/api/v1/coverage?part=rates&level=district").json()
    meta = body["meta"]
    assert [list(row) for row in body["rows"]] == [ROW] * 3
    assert {row["name"] for row in meta["rates"]} == {"覆盖率", "联网率", "完好率", "在线率"}
    assert {"name", "numerator", "denominator", "pct", "target_pct", "formula"} <= set(meta["rates"][0])
    assert meta["methods"] == ["best", "sector", "radius"]
    assert meta["tiles"] == {"from_zoom": 11, "bits": {"seen": 1, "twice": 2, "broken": 4, "unknown": 8}}
    assert meta["matched"] == meta["returned"] == 3
    assert "rules" not in meta
    assert len(client.get(f"/api/v1/coverage?level=grid&{YEAR}").json()["rows"]) == 24


def test_rules_are_a_part_of_their_own(client):
    body = client.get("/api/v1/coverage?part=rules").json()
    assert [row["rule"] for row in body["rows"]] == ["tw1", "tw2", "tw3", "tw4", "tw5", "tw6", "dw1", "dw2", "dw3"]
    assert body["rows"] == body["meta"]["rules"]
    assert {"rule", "words", "state", "passing", "total", "pct", "note"} <= set(body["rows"][0])
    assert "rates" not in body["meta"]


@pytest.mark.parametrize("layer", ["incident", "camera", "key_place"])
def test_clusters_add_up_to_what_matched(client, layer):
    body = client.get(f"/api/v1/features/{layer}?{YEAR}&zoom=11&bbox=113.5,34.6,113.8,34.8").json()
    meta = body["meta"]
    assert meta["returned"] == len(body["features"]) and meta["parameters"]["zoom"] == 11
    assert meta["clustered"] == (layer == "incident")
    if meta["clustered"]:
        assert sum(feature["properties"]["count"] for feature in body["features"]) == meta["matched"] > 1500
        assert all(feature["properties"]["cluster"] for feature in body["features"])
    else:
        assert meta["matched"] == meta["returned"] > 0


@pytest.mark.parametrize("layer", ["blind", "rule_failure", "camera", "camera_coverage", "key_area"])
def test_layers_of_cameras_are_geojson(client, layer):
    body = client.get(f"/api/v1/features/{layer}?bbox=113.5,34.6,113.8,34.8").json()
    assert body["type"] == "FeatureCollection"
    assert body["meta"]["returned"] == len(body["features"])
    if layer == "rule_failure":
        one = client.get("/api/v1/features/rule_failure?rule=tw4").json()
        assert {feature["properties"]["rule"] for feature in one["features"]} == {"tw4"}
        assert {"place_id", "name", "reason", "nearest_camera_m"} <= set(one["features"][0]["properties"])


@pytest.mark.parametrize(
    ("path", "parameter", "value"),
    [
        ("coverage?level=city", "level", "city"),
        ("coverage?part=all", "part", "all"),
        ("coverage?zoom=3", "zoom", "3"),
        ("features/incident?zoom=21", "zoom", "21"),
        ("features/incident?zoom=-1", "zoom", "-1"),
        ("features/incident?zoom=nan", "zoom", "nan"),
        ("features/incident?zoom=near", "zoom", "near"),
        ("features/rule_failure?rule=tw7", "rule", "tw7"),
    ],
)
def test_bad_parameters_are_named(client, path, parameter, value):
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 422
    assert (answer.json()["parameter"], answer.json()["value"]) == (parameter, value)
    assert answer.json()["allowed"]


def test_nothing_outside_the_scope_is_told(of_district):
    paths = ["coverage?level=grid", "coverage?part=rules", *(f"features/{layer}?{YEAR}" for layer in (
        "camera", "camera_coverage", "key_place", "key_area", "blind", "rule_failure"))]  # fmt: skip
    texts = [of_district.get(f"/api/v1/{path}").text for path in paths]
    assert "990101" in texts[0] and "990101" in texts[2]
    assert not any(foreign in text for text in texts for foreign in ("990102", "990103"))
    for path in (
        "coverage?",
        "coverage?part=rules&",
        "features/blind?",
        "features/rule_failure?",
        "features/camera?zoom=9&",
    ):
        assert of_district.get(f"/api/v1/{path}area=990102").status_code == 403
        assert of_district.get(f"/api/v1/{path}area=990101001").status_code == 200


def test_the_document_of_the_api_names_what_is_new(client):
    paths = client.get("/openapi.json").json()["paths"]
    named = {p["name"] for p in paths["/api/v1/features/{layer}"]["get"]["parameters"]}
    assert {"zoom", "rule", "bbox"} <= named
    assert "part" in {p["name"] for p in paths["/api/v1/coverage"]["get"]["parameters"]}
