"""/api/v1/rows: pages of incidents, their header, and what is refused."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import small_release as small

from dashboard import api, errors
from data.schema import INVALID
from data.store import Scope, Store

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def frame():
    return small.incidents(4000)


@pytest.fixture(scope="module")
def store(tmp_path_factory, frame):
    directory = tmp_path_factory.mktemp("api_rows")
    small.publish(directory, frame, sheet=small.weekly_sheet())
    opened = Store(directory)
    yield opened
    opened.close()


def client_of(store, scope: Scope) -> TestClient:
    server = FastAPI()
    errors.register(server)
    server.include_router(api.router(store, lambda _request: scope))
    return TestClient(server)


def week(frame):
    at = frame["occurred_from"]
    kept = (at >= pd.Timestamp("2026-11-09")) & (at < pd.Timestamp("2026-11-16")) & (frame["category"] != INVALID)
    return frame[kept].sort_values(["occurred_from", "incident_id"], ascending=[False, True])


def test_rows_come_newest_first_with_the_usual_header(store, frame):
    answer = client_of(store, Scope.everything()).get("/api/v1/rows?limit=5&offset=2").json()
    assert [row["incident_id"] for row in answer["rows"]] == week(frame)["incident_id"].iloc[2:7].tolist()
    meta = answer["meta"]
    assert {"release", "data_as_of", "timezone", "selection", "matched", "returned"} <= set(meta)
    assert (meta["matched"], meta["returned"], meta["offset"]) == (len(week(frame)), 5, 2)
    whole = client_of(store, Scope.everything()).get("/api/v1/rows").json()
    assert whole["meta"]["returned"] == min(500, len(week(frame)))
    oldest = client_of(store, Scope.everything()).get("/api/v1/rows?order=earliest&limit=1").json()["rows"][0]
    assert oldest["occurred_from"] == week(frame)["occurred_from"].min().isoformat()


@pytest.mark.parametrize(("query", "name"), [
    ("limit=0", "limit"), ("limit=5001", "limit"), ("limit=1e3", "limit"), ("offset=-1", "offset"), ("offset=1.5", "offset"),
    ("order=place", "order"), ("limit=1&limit=2", "limit"), ("level=grid", "level"),
])  # fmt: skip
def test_a_wrong_page_is_refused_with_its_name(store, query, name):
    answer = client_of(store, Scope.everything()).get(f"/api/v1/rows?{query}")
    assert answer.status_code == 422 and answer.json()["parameter"] == name and answer.json()["allowed"]


def test_a_caller_gets_the_rows_of_the_own_area_only(store, frame):
    inside = client_of(store, Scope(("990101",)))
    answer = inside.get("/api/v1/rows?limit=5000").json()
    expected = week(frame)[week(frame)["district_code"] == "990101"]
    assert {row["incident_id"] for row in answer["rows"]} == set(expected["incident_id"])
    assert inside.get("/api/v1/rows?area=990102").status_code == 403
