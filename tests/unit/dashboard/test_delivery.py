"""What the page is made of: compressed once, tagged, kept for ever where its address carries a hash."""

import gzip

import brotli
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from dashboard.delivery import Delivery

TEXT = "function yanpan() { return '研判'; }\n" * 200


@pytest.fixture
def asked():
    return []


@pytest.fixture
def client(asked):
    def answer(request):
        asked.append(request.url.path)
        if "none" in request.url.path:
            return PlainTextResponse("no", 404)
        return PlainTextResponse(TEXT if "small" not in request.url.path else "x", media_type="text/javascript")

    app = Delivery(Starlette(routes=[Route("/{path:path}", answer)]))
    return TestClient(app)


@pytest.mark.parametrize(("accepted", "encoding", "open_"), [
    ("gzip, deflate, br, zstd", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress), ("identity", None, bytes),
])  # fmt: skip
def test_each_browser_gets_what_it_can_read(client, accepted, encoding, open_):
    with client.stream("GET", "/assets/a.js?m=1", headers={"accept-encoding": accepted}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == encoding
    assert open_(body).decode() == TEXT and int(answer.headers["content-length"]) == len(body)
    assert answer.headers["vary"] == "accept-encoding"


def test_an_answer_is_made_once_and_a_tag_saves_the_rest(client, asked):
    first = client.get("/assets/a.js")
    again = client.get("/assets/a.js", headers={"if-none-match": first.headers["etag"]})
    other = client.get("/assets/a.js", headers={"if-none-match": '"other"'})
    assert (first.status_code, again.status_code, other.status_code) == (200, 304, 200)
    assert again.content == b"" and other.text == TEXT and asked == ["/assets/a.js"]


@pytest.mark.parametrize(("path", "lasting"), [
    ("/assets/a.js?m=17", True), ("/_dash-component-suites/dash/dcc/x.v4_4_1m1795630050.js", True),
    ("/_dash-component-suites/plotly/plotly.min.js", False), ("/assets/logo.svg", False),
])  # fmt: skip
def test_only_hashed_addresses_are_kept_for_ever(client, path, lasting):
    said = client.get(path).headers["cache-control"]
    assert ("immutable" in said) is lasting and ("no-cache" in said) is not lasting


def test_other_parameters_make_nothing_anew_and_faults_are_not_kept(client, asked):
    for i in range(3):
        assert client.get(f"/assets/a.js?x={i}").text == TEXT
    assert asked == ["/assets/a.js"]
    assert client.get("/assets/none.js?m=1").headers["cache-control"] == "no-store"


def test_faults_small_files_and_data_pass_as_they_are(client, asked):
    for _ in range(2):
        assert client.get("/assets/none.js").status_code == 404
    assert asked.count("/assets/none.js") == 2
    assert "content-encoding" not in client.get("/assets/small.js").headers
    assert "cache-control" not in client.get("/api/v1/counts").headers
