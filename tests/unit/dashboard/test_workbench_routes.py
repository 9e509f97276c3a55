"""What the page's scripts ask besides the API: cards, lists, steps."""

import pytest
import small_release as small
from starlette.testclient import TestClient

from dashboard import guard
from dashboard.app import create_app
from dashboard.pages.workbench.view_method import CARDS
from dashboard.settings import Settings
from data.store import Scope

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
WEEK = "from=2026-11-09&to=2026-11-16"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    workspace = tmp_path_factory.mktemp("routes")
    small.publish(workspace / "releases", small.incidents(4000))
    return TestClient(create_app(Settings(workspace=workspace, open_mode=True)).server)


def texts(tree) -> str:
    """Everything a tree says."""
    if isinstance(tree, str):
        return tree + " "
    return "" if tree is None else "".join(texts(part) for part in tree[2])


@pytest.mark.parametrize("layer", CARDS)
def test_every_layer_has_a_card_with_window_data_and_release(client, layer):
    answer = client.get(f"/workbench/card?layer={layer}&level=grid&{WEEK}")
    assert answer.status_code == 200
    said = texts(answer.json())
    for word in ("方法卡", "11月9日", "不能说明", "r20261116-060000", "接口数据"):
        assert word in said, word


@pytest.mark.parametrize(("address", "parameter"), [
    ("card?layer=nothing", "layer"), ("card?layer=count&level=x", "level"), ("list?tab=nothing", "tab"),
    ("steps?count=0", "count"), ("steps?count=x", "count"), ("steps?count=61", "count"), ("steps?count=%EF%BC%95", "count"), ("list?tab=units&bogus=1", "bogus"),
])  # fmt: skip
def test_bad_parameters_are_named(client, address, parameter):
    answer = client.get(f"/workbench/{address}")
    assert answer.status_code == 422 and answer.json()["parameter"] == parameter


def test_steps_lead_up_to_the_window_and_end_where_the_calendar_begins(client):
    windows = client.get(f"/workbench/steps?count=3&{WEEK}").json()["windows"]
    assert windows == [["2026-10-26", "2026-11-02"], ["2026-11-02", "2026-11-09"], ["2026-11-09", "2026-11-16"]]
    months = client.get("/workbench/steps?count=2&from=2026-11-01&to=2026-12-01").json()["windows"]
    assert months == [["2026-10-01", "2026-11-01"], ["2026-11-01", "2026-12-01"]]
    long = client.get("/workbench/steps?count=60&from=1900-01-01&to=2200-01-01&compare=none")
    assert long.status_code == 200 and long.json()["windows"][-1] == ["1900-01-01", "2200-01-01"]


@pytest.mark.parametrize("address", ["card?layer=gi", "card?layer=count", "list?tab=units", "list?tab=incidents",
                                     "list?tab=hotspots", "list?tab=places", "steps?count=2"])  # fmt: skip
def test_nothing_is_answered_outside_the_scope(client, monkeypatch, address):
    monkeypatch.setattr(guard, "scope_of", lambda _request: Scope(("990101",)))
    assert client.get(f"/workbench/{address}&area=990102&{WEEK}").status_code == 403
    inside = client.get(f"/workbench/{address}&area=990101&{WEEK}")
    assert inside.status_code == 200 and "990102" not in inside.text and "990103" not in inside.text
