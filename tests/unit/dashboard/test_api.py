"""dashboard: the API's answers and refusals, what answers without a session, settings, and the pages' hook."""

import json
import re
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from dash import html
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point, box
from starlette.websockets import WebSocketDisconnect

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import small_release as small

from dashboard import api, errors
from dashboard.api.rows_json import rows_json
from dashboard.app import create_app, server_from_environment
from dashboard.settings import VARIABLE, Settings, checked_settings
from data.errors import UsageError
from data.store import Scope, Store

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
META = {"release", "data_as_of", "timezone", "selection", "matched", "returned"}


@pytest.fixture(scope="module")
def frame():
    return small.incidents(4000)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, frame):
    directory = tmp_path_factory.mktemp("workspace")
    small.publish(directory / "releases", frame, sheet=small.weekly_sheet())
    return directory


def page(app, store, settings):
    """A page as small as can be; says what it was given."""
    with store.current() as release:
        app.layout = html.Div(f"{release.info.title} {settings.open_mode}", id="page")


@pytest.fixture(scope="module")
def client(workspace):
    app = create_app(Settings(workspace=workspace, open_mode=True), pages={"/workbench": page})
    with TestClient(app.server) as opened:
        yield opened


@pytest.fixture(scope="module")
def locked(workspace):
    app = create_app(Settings(workspace=workspace), pages={"/workbench": page})
    with TestClient(app.server, follow_redirects=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def of_district(workspace):
    """The API as someone sees it who may see one district."""
    server, store = FastAPI(), Store(workspace / "releases")
    errors.register(server)
    server.include_router(api.router(store, lambda _request: Scope(("990101",))))
    with TestClient(server) as opened:
        yield opened
    store.close()


def test_release_is_a_plain_object(client):
    answer = client.get("/api/v1/release").json()
    assert (answer["id"], answer["timezone"]) == ("r20261116-060000", "Asia/Shanghai")
    assert answer["data_as_of"] == small.AS_OF
    assert [(s["id"], s["cadence"]) for s in answer["sources"]] == [("jq", "day"), ("wg", "week")]
    assert all(s["age_days"] >= 0 for s in answer["sources"])


@pytest.mark.parametrize(
    ("path", "columns", "rows"),
    [
        ("areas?parent=990100", {"code", "name", "level", "bbox"}, 3),
        ("counts", {"code", "name", "count", "before", "rate_per_1000", "state", "periods_missing", "p", "verdict"}, 3),
        ("counts?level=grid", {"difference", "percent", "z"}, 24),
        ("trend", {"start", "category", "count", "state", "complete"}, 49),
        ("trend?step=month&from=2026-01-01&to=2026-07-01&category=刑事", {"start", "category"}, 6),
        ("profile", {"weekday", "hour", "count"}, 168),
    ],
)
def test_lists_have_meta_and_rows(client, path, columns, rows):
    answer = client.get(f"/api/v1/{path}").json()
    assert set(answer) == {"meta", "rows"}
    assert META.issubset(answer["meta"])
    assert len(answer["rows"]) == rows == answer["meta"]["matched"] == answer["meta"]["returned"]
    assert columns.issubset(answer["rows"][0])


def test_defaults_are_districts_days_and_the_last_complete_week(client):
    week = {"from": "2026-11-09", "to": "2026-11-16", "compare": "previous"}
    for path, same in (("counts", "counts?level=district"), ("trend", "trend?step=day")):
        answer = client.get(f"/api/v1/{path}").json()
        assert week.items() <= answer["meta"]["selection"].items()
        assert answer == client.get(f"/api/v1/{same}").json()


def test_counts_and_trend_agree_with_the_table(client, frame):
    query = "from=2026-02-01&to=2026-06-01&category=刑事&category=无效&weekdays=1,2"
    begin = frame["occurred_from"]
    part = frame[(begin >= "2026-02-01") & (begin < "2026-06-01") & frame["category"].isin(["刑事", "无效"])
                 & begin.dt.day_of_week.isin([0, 1])]  # fmt: skip
    rows = client.get(f"/api/v1/counts?level=street&{query}").json()["rows"]
    assert {row["code"]: row["count"] for row in rows} == part["street_code"].value_counts().to_dict()
    steps = client.get(f"/api/v1/trend?step=week&{query}").json()["rows"]
    assert sum(row["count"] for row in steps) == len(part)


def test_features_are_geojson_with_meta(client):
    answer = client.get("/api/v1/features/incident?bbox=113.6,34.7,113.63,34.73")
    assert answer.headers["content-type"] == "application/geo+json"
    body = answer.json()
    assert body["type"] == "FeatureCollection"
    assert body["meta"]["parameters"]["bbox"] == [113.6, 34.7, 113.63, 34.73]
    assert len(body["features"]) == body["meta"]["returned"] == body["meta"]["matched"]
    assert body["features"]
    for feature in body["features"]:
        lon, lat = feature["geometry"]["coordinates"]
        assert box(113.6, 34.7, 113.63, 34.73).covers(Point(lon, lat))


@pytest.mark.parametrize(
    ("path", "parameter", "value"),
    [
        ("counts?level=city", "level", "city"),
        ("counts?colour=red", "colour", "red"),
        ("counts?level=grid&level=grid", "level", "grid"),
        ("trend?step=hour", "step", "hour"),
        ("trend?level=grid", "level", "grid"),
        ("profile?hours=7", "hours", "7"),
        ("profile?from=2026-11-16&to=2026-11-09", "to", "2026-11-09"),
        ("counts?category=x", "category", "x"),
        ("counts?polygon=LINESTRING(0 0,1 1)", "polygon", "LINESTRING(0 0,1 1)"),
        ("areas?area=990101", "area", "990101"),
        ("release?x=1", "x", "1"),
        ("features/incident?bbox=1,2,3", "bbox", "1,2,3"),
        ("features/incident?bbox=3,2,1,4", "bbox", "3,2,1,4"),
        ("features/incident?bbox=nan,2,3,4", "bbox", "nan,2,3,4"),
        ("features/persons", "layer", "persons"),
        ("features/area?level=grid", "level", "grid"),
    ],
)
def test_bad_parameters_are_named_with_what_is_allowed(client, path, parameter, value):
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 422
    body = answer.json()
    assert (body["parameter"], body["value"]) == (parameter, value)
    assert body["allowed"]


@pytest.mark.parametrize("path", ["counts?area={}", "trend?area={}", "profile?area={}", "areas?parent={}",
                                  "features/grid?area={}", "features/incident?area={}"])  # fmt: skip
def test_areas_outside_the_scope_and_unknown_ones(client, of_district, path):
    assert of_district.get("/api/v1/" + path.format("990101001")).status_code == 200
    for code in ("990102", "990100", "x"):
        assert of_district.get("/api/v1/" + path.format(code)).status_code == 403
    answer = client.get("/api/v1/" + path.format("nowhere"))
    assert answer.status_code == 404
    assert "nowhere" in answer.json()["error"]


def test_a_limited_scope_never_sees_a_foreign_code(of_district):
    texts = [of_district.get(f"/api/v1/{path}").text for path in (
        "areas", "counts?level=grid", "trend", "profile", "features/grid", "features/area",
        "features/incident?from=2025-02-01&to=2026-11-01&bbox=113.59,34.69,113.64,34.74")]  # fmt: skip
    assert "990101" in "".join(texts)
    assert not any(foreign in text for text in texts for foreign in ("990102", "990103"))


MACHINES = ["/api/v1/counts", "/api/v1/none", "/tiles/a/1/1/1.png", "/metrics", "/openapi.json", "/_dash-layout"]
MACHINES += ["/_dash-dependencies", "/_reload-hash", "/assets/x.css"]


@pytest.mark.parametrize("path", MACHINES)
def test_without_a_session_machines_get_401(locked, path):
    answer = locked.get(path)
    assert answer.status_code == 401
    assert "登录" in answer.json()["error"]
    assert locked.post("/_dash-update-component", json={}).status_code == 401


@pytest.mark.parametrize("path", ["/", "/workbench", "/screen", "/admin/users"])
def test_without_a_session_pages_lead_to_sign_in(locked, path):
    answer = locked.get(path)
    assert (answer.status_code, answer.headers["location"], answer.content) == (303, "/login", b"")
    assert locked.post(path).status_code == 401


def test_without_a_session_websockets_are_closed(locked):
    with pytest.raises(WebSocketDisconnect), locked.websocket_connect("/_dash-ws-callback"):
        pass


def test_sign_in_health_and_readiness_always_answer(locked, client):
    for visitor in (locked, client):
        assert "--open" in visitor.get("/login").text
        assert visitor.get("/healthz").json() == {"status": "ok"}
        assert visitor.get("/readyz").status_code == 200


def test_not_ready_without_a_release(tmp_path):
    app = create_app(Settings(workspace=tmp_path, open_mode=True), pages={})
    with TestClient(app.server) as visitor:
        assert visitor.get("/healthz").status_code == 200
        for path in ("/readyz", "/api/v1/counts"):
            answer = visitor.get(path)
            assert answer.status_code == 503
            assert "yanpan etl" in answer.json()["error"]


def test_pages_are_registered_served_and_found(client):
    assert "_dash-component-suites" in client.get("/workbench").text
    assert client.get("/", follow_redirects=False).headers["location"] == "/workbench"
    layout = client.get("/_dash-layout").json()
    assert layout["props"]["children"] == "演示市 True"
    assert client.get("/workbenches").status_code == 404
    assert client.get("/docs").status_code == 404


def test_nothing_on_a_page_comes_from_another_host(client):
    for path in ("/workbench", "/login"):
        loaded = re.findall(r'(?:src|href|url\()\s*=?\s*["\']?([^"\'\s>)]+)', client.get(path).text)
        assert all(address.startswith("/") for address in loaded)
    assert any("dash-renderer" in address for address in re.findall(r'src="([^"]+)"', client.get("/workbench").text))


def test_answers_are_compressed(client):
    answer = client.get("/api/v1/counts?level=grid", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    plain = client.get("/api/v1/counts?level=grid", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert answer.json() == plain.json()


def test_openapi_documents_every_parameter(client):
    paths = client.get("/openapi.json").json()["paths"]
    named = {p["name"] for p in paths["/api/v1/counts"]["get"]["parameters"]}
    assert named == {"area", "from", "to", "compare", "category", "hours", "weekdays", "polygon", "level"}
    assert {"/api/v1/release", "/api/v1/areas", "/api/v1/trend", "/api/v1/profile", "/api/v1/features/{layer}",
            "/healthz", "/readyz"} <= set(paths)  # fmt: skip


def test_a_new_release_is_served_without_restart(tmp_path, frame):
    small.publish(tmp_path / "releases", frame, stated=small.info("r1"))
    app = create_app(Settings(workspace=tmp_path, open_mode=True), pages={})
    with TestClient(app.server) as visitor:
        assert visitor.get("/api/v1/counts").json()["meta"]["release"] == "r1"
        small.publish(tmp_path / "releases", frame.iloc[:300], stated=small.info("r2"))
        assert visitor.get("/api/v1/counts").json()["meta"]["release"] == "r2"


def test_two_apps_in_one_process_do_not_mix(workspace, tmp_path, frame):
    small.publish(tmp_path / "releases", frame, stated=small.info("other", title="别的市"))
    first = create_app(Settings(workspace=workspace, open_mode=True), pages={"/workbench": page})
    second = create_app(Settings(workspace=tmp_path, open_mode=True), pages={"/workbench": page})
    with TestClient(first.server) as one, TestClient(second.server) as two:
        assert "演示市" in one.get("/_dash-layout").json()["props"]["children"]
        assert "别的市" in two.get("/_dash-layout").json()["props"]["children"]
        assert one.get("/unknown").status_code == two.get("/unknown").status_code == 404


# --- settings --------------------------------------------------------------------------------------------------------


def test_workers_get_the_settings_of_their_parent(workspace, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(UsageError, match="yanpan serve"):
        server_from_environment()
    settings = Settings(workspace=workspace, open_mode=True, port=8123, workers=2, limits={"missing_pct": 7.5})
    monkeypatch.setenv(VARIABLE, "")
    settings.to_environment()
    assert Settings.from_environment() == settings
    assert Settings.from_environment().limits.missing_pct == 7.5


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "centre.example"])
def test_open_mode_refuses_any_host_but_loopback(workspace, host):
    with pytest.raises(UsageError, match=r"--host.*127\.0\.0\.1"):
        checked_settings(workspace=workspace, open_mode=True, host=host)
    assert checked_settings(workspace=workspace, host=host).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_open_mode_on_loopback(workspace, host):
    assert checked_settings(workspace=workspace, open_mode=True, host=host).open_mode


@pytest.mark.parametrize(("name", "value"), [("port", 70000), ("workers", 0), ("language", "xx"), ("colour", 1)])
def test_settings_that_cannot_be_are_named(workspace, name, value):
    with pytest.raises(UsageError, match=name):
        checked_settings(workspace=workspace, **{name: value})


# --- rows as JSON ----------------------------------------------------------------------------------------------------

_columns = st.fixed_dictionaries({
    "文字": st.none() | st.text(),
    "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
    "real": st.none() | st.floats(allow_infinity=False),
    "flag": st.none() | st.booleans(),
    "box": st.none() | st.lists(st.floats(-180, 180), max_size=4),
})  # fmt: skip


@given(st.lists(_columns, max_size=8))
def test_rows_json_says_what_json_says(rows):
    schema = pa.schema([("文字", pa.string()), ("whole", pa.int64()), ("real", pa.float64()), ("flag", pa.bool_()),
                        ("box", pa.list_(pa.float64()))])  # fmt: skip
    rows = [{**row, "文字": None if row["文字"] is None else row["文字"].encode("utf-8", "ignore").decode()}
            for row in rows]  # fmt: skip
    expected = [{k: None if isinstance(v, float) and pd.isna(v) else v for k, v in row.items()} for row in rows]
    assert json.loads(rows_json(pa.Table.from_pylist(rows, schema=schema))) == expected
