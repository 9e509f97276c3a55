"""What a second look at real use asks: two ledgers with the same numbers, an appended release, a changed table."""

from __future__ import annotations

import dataclasses
import errno
import os

import pytest
from city import CHINA_CODES, City, cell, centre, csv_text, feature_collection, incident_rows

import data.code_tables
from data import geopackage, releases
from data.errors import YanpanError
from data.store import Store
from data.store.coverage import camera_shapes, cameras
from etl import sources


def places(kind: str) -> str:
    return csv_text([{"号": n, "名": f"{kind}{n}", "经度": centre(n)[0], "纬度": centre(n)[1]} for n in range(1, 6)])


def test_two_ledgers_with_the_same_numbers_stay_two(tmp_path):
    city = City(tmp_path).grids()
    columns = {"place_id": "号", "name": "名", "lon": "经度", "lat": "纬度"}
    for kind in ("学校", "医院"):
        city.put(f"{kind}.csv", places(kind))
        city.add(kind, "key_place", f"{kind}.csv", columns=columns, defaults={"kind": kind})
        city.add(f"{kind}视频", "camera", f"{kind}.csv", columns={"camera_code": "号", "lon": "经度", "lat": "纬度"})
    city.run()
    assert sorted(city.table("key_place")["name"]) == sorted(f"{k}{n}" for k in ("学校", "医院") for n in range(1, 6))
    assert len(city.table("camera")) == 10
    assert city.table("reject").empty
    with Store(tmp_path / "releases").current() as release:
        own = zip(cameras(release).rows.shapes, camera_shapes(release), strict=True)
        assert all(
            shape.contains(point) for point, shape in own
        )  # each sees where it stands, not where its namesake does


def test_a_typed_year_does_not_become_the_data_time_when_something_is_appended(tmp_path):
    city = City(tmp_path).grids()
    rows = [*incident_rows(), {**incident_rows(1)[0], "编号": "typo", "时间": "2099-01-01 10:00"}]
    city.incidents(rows)
    city.run()
    before = geopackage.read_info(city.current / releases.GEOPACKAGE)
    city.put("p.csv", places("学校"))
    city.add("schools", "key_place", "p.csv", columns={"place_id": "号", "lon": "经度", "lat": "纬度"})
    city.run(append=True)
    after = geopackage.read_info(city.current / releases.GEOPACKAGE)
    assert after.data_as_of == before.data_as_of < "2099"
    assert [dataclasses.replace(s, file_time=None) for s in after.sources[:2]] == [
        dataclasses.replace(s, file_time=None) for s in before.sources
    ]


def test_monthly_data_stay_monthly_when_something_is_appended(tmp_path):
    city = City(tmp_path).grids()
    city.incidents([{"编号": "a", "时间": "2026-01-01"}, {"编号": "b", "时间": "2026-02-01"}], precision="month",
                   cadence="month")  # fmt: skip
    city.run()
    city.put("p.csv", places("学校"))
    city.add("schools", "key_place", "p.csv", columns={"place_id": "号", "lon": "经度", "lat": "纬度"})
    city.run(append=True)
    source = next(s for s in geopackage.read_info(city.current / releases.GEOPACKAGE).sources if s.kind == "incident")
    assert source.precision == "month"


def test_outlines_and_sums_made_from_grids_follow_appended_grids(tmp_path):
    cities = [City(tmp_path / name) for name in ("grown", "whole")]
    for city in cities:
        city.put("g_1.geojson", feature_collection([({"code": c, "人口": 100}, cell(n))
                                                    for n, c in enumerate(CHINA_CODES[:6])]))  # fmt: skip
        city.add("grids", "grid", "g_*.geojson", crs="cgcs2000", columns={"grid_code": "code", "population": "人口"})
    cities[0].run()
    for city in cities:
        city.put("g_2.geojson", feature_collection([({"code": c, "人口": 700}, cell(n + 6))
                                                    for n, c in enumerate(CHINA_CODES[6:])]))  # fmt: skip
    cities[0].run(append=True)
    cities[1].run()
    grown, whole = (city.shapes("area").set_index("code").sort_index() for city in cities)
    assert grown.index.tolist() == whole.index.tolist()
    assert grown["population"].tolist() == whole["population"].tolist()
    assert grown.geometry.area.tolist() == pytest.approx(whole.geometry.area.tolist())


def test_a_source_that_is_no_longer_declared_is_not_appended_to(tmp_path):
    city = City(tmp_path).grids().incidents(incident_rows())
    city.run()
    other = City(tmp_path).grids()
    other.put("p.csv", places("学校"))
    other.add("schools", "key_place", "p.csv", columns={"place_id": "号", "lon": "经度", "lat": "纬度"})
    with pytest.raises(YanpanError, match="jq"):
        other.run(append=True)


def test_a_whole_run_after_an_append_is_not_taken_for_the_same(tmp_path):
    city = City(tmp_path).grids().incidents(incident_rows())
    city.run()
    city.put("p.csv", places("学校"))
    city.add("schools", "key_place", "p.csv", columns={"place_id": "号", "lon": "经度", "lat": "纬度"})
    city.run(append=True)
    assert city.run().release_id is not None
    assert city.run().release_id is None


def test_a_changed_code_table_is_something_new(tmp_path, monkeypatch):
    folder = tmp_path / "tables" / "codes"
    folder.mkdir(parents=True)
    for table in (data.code_tables.files("data") / "codes").iterdir():
        (folder / table.name).write_bytes(table.read_bytes())
    monkeypatch.setattr("etl.pipeline.files", lambda _package: folder.parent)
    city = City(tmp_path / "city").grids().incidents(incident_rows())
    city.run()
    assert city.run().release_id is None
    with (folder / "incident_category.csv").open("a", encoding="utf-8") as table:
        table.write("涉水警情,其他\n")
    assert city.run().release_id is not None


def test_a_disk_that_fails_after_the_switch_does_not_undo_the_release(tmp_path, monkeypatch):
    city = City(tmp_path).grids().incidents(incident_rows())
    real, calls = releases._sync, []

    def failing(path):
        calls.append(path)
        if path == releases.Workspace(city.path).releases_dir and calls.count(path) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        real(path)

    monkeypatch.setattr(releases, "_sync", failing)
    assert city.run().release_id == city.current.name
    assert (city.current / releases.GEOPACKAGE).is_file()


@pytest.mark.parametrize("line", ['ulr = "mysql://u:s3cret@h/db"', 'cadence = "${YANPAN_TEST_SECRET}"'])
def test_a_wrong_key_does_not_print_a_password(tmp_path, monkeypatch, line):
    monkeypatch.setenv("YANPAN_TEST_SECRET", "s3cret")
    city = City(tmp_path).grids()
    text = city.write_sources().read_text("utf-8")
    line = line.replace("s3cret", "${YANPAN_TEST_SECRET}")
    text = text.replace("[source.columns]", f"{line}\n[source.columns]", 1)
    (city.path / "sources.toml").write_text(text, "utf-8")
    with pytest.raises(YanpanError) as fault:
        sources.load(city.path / "sources.toml")
    assert "s3cret" not in str(fault.value)


@pytest.mark.parametrize("value", ["+8613812345678", "8613812345678", "138 1234 5678", "138-1234-5678"])
def test_mobile_numbers_in_other_spellings_are_refused(tmp_path, value):
    city = City(tmp_path).grids()
    rows = incident_rows(300)
    rows[7]["编号"] = f"电话{value}"
    city.incidents(rows)
    city.run()
    assert city.table("reject")["reason_code"].tolist() == ["personal_value"]
    assert value not in city.everything()
