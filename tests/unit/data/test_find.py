"""Locating by code or name: what the rows hold, in the order of the match, and nothing outside the scope."""

import json
import unicodedata

import pandas as pd
import pytest
import shapely
import small_release as small

from data.store import Scope, Store
from data.store.find import KINDS, find

ALL = Scope.everything()
EAST = Scope(("990103",))


def cameras() -> pd.DataFrame:
    grid = small.grids()
    middle = shapely.centroid(shapely.from_wkb(grid["geom"].to_numpy()))
    frame = pd.DataFrame({
        "camera_code": [f"99010100021320{i:06d}" for i in range(len(grid))], "name": [f"和平路{i}号" for i in range(len(grid))],
        "network": "天网", "grid_code": grid["grid_code"], "x": shapely.get_x(middle), "y": shapely.get_y(middle),
    })  # fmt: skip
    loose = pd.DataFrame({"camera_code": ["AX-7"], "name": [None], "grid_code": [None], "x": [None], "y": [None]})
    return pd.concat([frame, loose], ignore_index=True)


def places() -> pd.DataFrame:
    names = ["和平", "第一中学", "和平广场", "第一中学"]
    grid = small.grids()["grid_code"].iloc[[0, 5, 20, 21]].tolist()
    return pd.DataFrame({
        "place_id": [f"P{i}" for i in range(4)], "name": names, "kind": "学校", "grid_code": grid,
        "x": small.WEST + 0.001, "y": small.SOUTH + 0.001,
    })  # fmt: skip


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    area = small.areas(small.grids())
    area["name"] = area["name"].replace({"street 990101001": "西岭街道", "community 990101001001": "西岭社区"})
    square = shapely.multipolygons([shapely.box(small.WEST, small.SOUTH, small.WEST + 0.004, small.SOUTH + 0.002)])
    mall = pd.DataFrame({"place_id": ["Q1"], "name": ["和平商圈"], "kind": ["商圈"],
                         "grid_code": ["990103002002002"], "geom": [shapely.to_wkb(square)]})  # fmt: skip
    folder = tmp_path_factory.mktemp("releases")
    small.publish(folder, small.incidents(50), area=area, camera=cameras(), key_place=places(), key_area=mall)
    store = Store(folder)
    with store.current() as opened:
        yield opened
    store.close()


def rows(release, text, scope=ALL, limit=10) -> list[dict]:
    return find(release, scope, text, limit).rows.to_pylist()


def codes(release, text, scope=ALL, limit=10) -> list[str]:
    return [row["code"] for row in rows(release, text, scope, limit)]


def everything() -> list[dict]:
    """All that can be found, from the frames the release was made of, in the order of kinds, levels and codes."""
    area, grid, camera, place = small.areas(small.grids()), small.grids(), cameras(), places()
    area["name"] = area["name"].replace({"street 990101001": "西岭街道", "community 990101001001": "西岭社区"})
    levels = ["city", "district", "street", "community"]
    area = area.sort_values("code").sort_values("level", key=lambda s: s.map(levels.index), kind="stable")
    found = [{"code": c, "name": n} for c, n in zip(area["code"], area["name"], strict=True)]
    found += [{"code": c, "name": n} for c, n in zip(grid["grid_code"], grid["name"], strict=True)]
    found += [{"code": c, "name": n} for c, n in zip(place["place_id"], place["name"], strict=True)]
    found.append({"code": "Q1", "name": "和平商圈"})
    camera = camera.sort_values("camera_code")
    found += [
        {"code": c, "name": n if isinstance(n, str) else ""}
        for c, n in zip(camera["camera_code"], camera["name"], strict=True)
    ]
    return found


@pytest.mark.parametrize(
    "text", ["990101", "99010100021320", "和平", "第一中学", "网格", "p1", "street", "西岭街道", "ax-7", "zzz"]
)
def test_codes_that_begin_so_then_equal_names_then_names_that_hold_it(release, text):
    def match(one) -> int:
        if one["code"].lower().startswith(text):
            return 0
        return 1 if one["name"].lower() == text else 2 if text in one["name"].lower() else 3

    expected = [one["code"] for one in sorted(everything(), key=match) if match(one) < 3]
    answer = find(release, ALL, text, 50)
    assert answer.rows["code"].to_pylist() == expected[:50]
    assert (answer.meta["matched"], answer.meta["returned"]) == (len(expected), min(50, len(expected)))


def test_a_row_says_what_it_is_and_where(release):
    [street] = rows(release, "西岭街道")
    assert (street["kind"], street["level"], street["parent"]) == ("area", "street", "演示市/district 990101")
    outline = shapely.box(*street["bbox"])
    assert street["bbox"] == pytest.approx([113.60, 34.70, 113.61, 34.74])
    assert outline.contains(shapely.Point(street["lon"], street["lat"]))
    [grid] = rows(release, "990102001002001")
    assert (grid["kind"], grid["level"], grid["name"]) == ("grid", "grid", "第1网格")
    assert grid["parent"] == "演示市/district 990102/street 990102001/community 990102001002"
    camera = rows(release, "99010100021320000003")[0]
    assert (camera["kind"], camera["level"], camera["bbox"]) == ("camera", None, None)
    assert (camera["lon"], camera["lat"]) == pytest.approx(tuple(cameras().loc[3, ["x", "y"]].astype(float)), abs=1e-6)
    assert camera["parent"].endswith("/第2网格")
    [mall] = rows(release, "和平商圈")
    assert (mall["kind"], mall["bbox"]) == ("key_place", None)
    assert small.WEST < mall["lon"] < small.WEST + 0.004 and small.SOUTH < mall["lat"] < small.SOUTH + 0.002
    [loose] = rows(release, "AX-7")
    assert (loose["name"], loose["parent"], loose["lon"], loose["lat"]) == (None, "", None, None)
    assert {row["kind"] for text in ("9901", "和平") for row in rows(release, text, limit=50)} == set(KINDS)


def test_of_several_words_the_last_is_in_the_name_the_others_above_it(release):
    assert codes(release, "西岭街道 第2网格") == ["990101001001002", "990101001002002"]
    assert codes(release, "第2网格　西岭社区") == []  # the last word names the unit itself
    assert codes(release, "西岭 西岭社区") == ["990101001001"]


def test_width_case_and_spaces_do_not_matter(release):
    wide = "".join(chr(ord(c) + 0xFEE0) for c in "ax-7")
    assert unicodedata.normalize("NFKC", wide) == "ax-7"
    assert codes(release, wide) == codes(release, " AX-7 ") == ["AX-7"]
    assert codes(release, "９９０１０１００１") == codes(release, "990101001")


@pytest.mark.parametrize("text", ["%", "_", ".*", "(", "\\", "'; DROP TABLE unit", "x" * 60, "\u3000", "/"])
def test_text_is_only_text(release, text):
    assert rows(release, text) == []


def test_nothing_outside_the_scope_is_found_or_named(release):
    everywhere = {row["code"] for text in ("99", "和平", "第一中学") for row in rows(release, text, limit=50)}
    for text in ("99", "和平", "第一中学", "AX-7", "Q1", "演示市"):
        for row in rows(release, text, EAST, limit=50):
            assert row["code"] in everywhere | {"Q1"}
            assert "演示市" not in row["parent"] and "990101" not in row["parent"] and "990102" not in row["parent"]
    found = find(release, EAST, "99", 50)
    grids = [row for row in found.rows.to_pylist() if row["kind"] == "grid"]
    assert {row["code"][:6] for row in grids} == {"990103"} and len(grids) == 8
    cameras_found = [row["code"] for row in rows(release, "990101000213", EAST, limit=50)]
    assert cameras_found == [
        f"99010100021320{i:06d}" for i in range(16, 24)
    ]  # the cameras of its grids, whatever their code
    assert codes(release, "第一中学", EAST) == ["P3"]  # the other stands in another district
    assert codes(release, "AX-7", EAST) == []  # without a grid it belongs to no part
    assert codes(release, "990101", Scope(())) == [] and codes(release, "99", Scope(("gone",))) == []
    assert find(release, EAST, "第一中学", 1).meta["matched"] == 1
    json.dumps(found.meta, ensure_ascii=False)


def test_the_api_answers_and_refuses(release, tmp_path):
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from dashboard import api, errors

    small.publish(tmp_path, small.incidents(50), camera=cameras(), key_place=places())
    store, server = Store(tmp_path), FastAPI()
    errors.register(server)
    server.include_router(api.router(store, lambda _request: EAST))
    with TestClient(server) as client:
        answer = client.get("/api/v1/find", params={"q": "第一中学", "limit": 5}).json()
        assert [row["code"] for row in answer["rows"]] == ["P3"] and answer["meta"]["matched"] == 1
        assert set(answer["rows"][0]) == {"kind", "code", "name", "level", "parent", "lon", "lat", "bbox"}
        assert len(client.get("/api/v1/find?q=99").json()["rows"]) == 10
        for query, parameter in (("", "q"), ("q=", "q"), ("q=%20", "q"), ("q=" + "x" * 61, "q"), ("q=a&limit=0", "limit"),
                                 ("q=a&limit=51", "limit"), ("q=a&limit=x", "limit"), ("q=a&limit=²", "limit"),
                                 ("q=a&area=9", "area"), ("q=a&q=b", "q")):  # fmt: skip
            refused = client.get(f"/api/v1/find?{query}")
            assert (refused.status_code, refused.json()["parameter"]) == (422, parameter), query
        named = {p["name"] for p in server.openapi()["paths"]["/api/v1/find"]["get"]["parameters"]}
        assert named == {"q", "limit"}
    store.close()
