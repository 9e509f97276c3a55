"""Identity and accounting: nothing counted twice, nothing lost, the same files change nothing."""

from __future__ import annotations

import codecs
import csv
import io

import pytest
from city import City, centre, csv_text, incident_rows

from data.errors import DataFault


def test_a_repeated_id_inside_a_file_is_rejected_and_the_first_stays(tmp_path):
    rows = incident_rows(9)
    rows[5] = {**rows[5], "编号": "J00001", "类别": "治安"}
    city = City(tmp_path, china=False).grids().incidents(rows)
    city.run()
    assert city.table("reject")[["row", "reason_code"]].values.tolist() == [[7, "duplicate_id"]]
    assert city.table("incident").set_index("incident_id").loc["J00001", "category"] == "刑事"
    assert city.accounted().loc["jq"].tolist() == [9, 8, 1]


def test_in_a_later_file_the_later_row_wins(tmp_path):
    city = City(tmp_path, china=False).grids()
    city.put("jq_9.csv", csv_text(incident_rows(9)))
    corrected = [{**r, "类别": "治安"} for r in incident_rows(9)[:3]]
    city.put("jq_10.csv", csv_text(corrected))  # in natural order after jq_9
    city.declare_incidents(incident_rows(1)[0], "jq_*.csv").run()
    table = city.table("incident").set_index("incident_id")["category"]
    assert table.loc[["J00000", "J00001", "J00002"]].tolist() == ["治安"] * 3
    assert len(table) == 9
    rejects = city.table("reject")
    assert rejects[["file", "row", "reason_code"]].values.tolist() == [["jq_9.csv", r, "superseded"] for r in (2, 3, 4)]
    assert city.accounted().loc["jq"].tolist() == [12, 9, 3]


def test_superseded_rows_do_not_count_as_faults(tmp_path):
    """A whole file replaced by a later one is no reason to refuse the run."""
    city = City(tmp_path, china=False).grids()
    city.put("jq_1.csv", csv_text(incident_rows(9)))
    city.put("jq_2.csv", csv_text([{**r, "类别": "治安"} for r in incident_rows(9)]))
    city.declare_incidents(incident_rows(1)[0], "jq_*.csv", max_reject_pct=0).run()
    assert city.accounted().loc["jq"].tolist() == [18, 9, 9]


def test_ids_belong_to_their_source(tmp_path):
    city = City(tmp_path, china=False).grids().incidents(incident_rows(9))
    city.put("other.csv", csv_text(incident_rows(9, 备注="x")))
    city.declare_incidents(incident_rows(1)[0], "other.csv", "other").run()
    assert city.table("incident").groupby("source_id").size().to_dict() == {"jq": 9, "other": 9}


def test_equal_rows_without_an_id_stay_separate_and_overlapping_exports_do_not_double(tmp_path):
    one = {"时间": "2026-03-02 10:00:00", "类别": "刑事", "经度": centre(0)[0], "纬度": centre(0)[1]}
    two = {**one, "类别": "治安"}
    three = {**one, "类别": "火灾"}
    city = City(tmp_path, china=False).grids()
    city.put("e_1.csv", csv_text([one, one, one, two]))
    city.put("e_2.csv", csv_text([one, three]))
    city.declare_incidents(one, "e_*.csv").run()
    table = city.table("incident")
    assert table["category"].value_counts().to_dict() == {"刑事": 3, "治安": 1, "火灾": 1}
    assert table["incident_id"].is_unique
    assert city.accounted().loc["jq"].tolist() == [6, 5, 1]
    assert city.rejects() == {"superseded": 1}


def test_a_file_that_is_there_twice_is_read_once(tmp_path):
    rows = [{k: v for k, v in r.items() if k != "编号"} for r in incident_rows(9)]
    city = City(tmp_path, china=False).grids()
    city.put("a_1.csv", csv_text(rows))
    city.put("a_2.csv", csv_text(rows))
    city.declare_incidents(rows[0], "a_*.csv").run()
    assert len(city.table("incident")) == 9
    assert city.accounted().loc["jq"].tolist() == [9, 9, 0]


def test_a_second_run_over_the_same_files_publishes_nothing(tmp_path):
    city = City(tmp_path, china=False).grids().incidents(incident_rows(9))
    first = city.run()
    assert first.release_id == city.current.name
    again = city.run()
    assert again.release_id is None
    assert city.run(append=True).release_id is None
    assert [p.name for p in (tmp_path / "releases").iterdir() if p.name.startswith("r2")] == [first.release_id]
    city.put("jq.csv", csv_text(incident_rows(10)))
    third = city.run()
    assert third.release_id > first.release_id
    assert len(city.table("incident")) == 10


def content(city: City) -> dict:
    """What a release says, without its run times and its own id."""
    out = {}
    for layer in ("area", "grid", "incident", "dispute_stat", "report_status", "camera", "camera_coverage", "reject"):
        table = city.table(layer).drop(columns="fid", errors="ignore")
        out[layer] = sorted(map(repr, table.values.tolist()))
    runs = city.table("source_run")
    out["runs"] = sorted(
        map(repr, runs[["source_id", "file", "sha256", "rows_in", "rows_out", "rows_rejected"]].values.tolist())
    )
    return out


def append_city(path, parts: list[list[dict]], upto: int) -> City:
    city = City(path).grids()
    for n, part in enumerate(parts[:upto], 1):
        city.put(f"jq_{n}.csv", csv_text(part))
        plain = [{k: v for k, v in r.items() if k != "编号"} for r in part]
        city.put(f"ev_{n}.csv", csv_text(plain))
        city.put(
            f"dis_{n}.csv",
            csv_text(
                [
                    {"单位": "370102013", "期": f"2026-0{n}", "排查": 3 + n},
                    {"单位": "370103002", "期": "2026-01", "排查": n},
                ]
            ),
        )
        city.put(
            f"cam_{n}.csv",
            csv_text(
                [{"编码": f"C{k}", "经度": centre(k)[0], "纬度": centre(k)[1], "名称": f"{n}"} for k in range(n, n + 3)]
            ),
        )
    city.declare_incidents(parts[0][0], "jq_*.csv", cadence="day")
    city.declare_incidents([k for k in parts[0][0] if k != "编号"], "ev_*.csv", "ev", cadence="day")
    city.add(
        "dis", "dispute", "dis_*.csv", cadence="month", columns={"area_code": "单位", "period": "期", "found": "排查"}
    )
    return city.add(
        "cam",
        "camera",
        "cam_*.csv",
        crs="cgcs2000",
        columns={"camera_code": "编码", "lon": "经度", "lat": "纬度", "name": "名称"},
    )


def test_append_gives_what_one_run_over_all_files_gives(tmp_path):
    rows = incident_rows(60, 网格="")
    rows[3]["时间"], rows[8]["经度"], rows[14]["纬度"] = "不详", "0", ""
    rows[20]["网格"] = "370102013007002"
    rows[21]["经度"], rows[21]["网格"] = "", "370103002001003"
    rows[40]["编号"] = "J00039"  # repeated inside its file
    later = [{**r, "类别": "治安"} for r in rows[25:35]] + rows[50:]
    parts = [rows[:30], rows[30:50], later]
    grown = append_city(tmp_path / "grown", parts, 1)
    grown.run()
    for n in (2, 3):
        append_city(tmp_path / "grown", parts, n).run(append=True)
    whole = append_city(tmp_path / "whole", parts, 3)
    whole.run()
    a, b = content(grown), content(whole)
    assert {k: v for k, v in a.items() if k != "incident"} == {k: v for k, v in b.items() if k != "incident"}
    assert a["incident"] == b["incident"]
    assert grown.accounted().equals(whole.accounted())
    assert grown.quality()["release"]["data_as_of"] == whole.quality()["release"]["data_as_of"]


def test_rejects_csv_is_the_reject_layer_in_utf8_with_bom(tmp_path):
    rows = incident_rows(9)
    rows[2]["时间"], rows[5]["编号"] = "不详", rows[4]["编号"]
    city = City(tmp_path, china=False).grids().incidents(rows, name="警情,三月.csv", max_reject_pct=50)
    city.run()
    data = (city.current / "rejects.csv").read_bytes()
    assert data.startswith(codecs.BOM_UTF8) and not data[3:].startswith(codecs.BOM_UTF8)
    parsed = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    layer = city.table("reject")
    assert len(parsed) == 2
    assert [[r["source_id"], r["file"], int(r["row"]), r["reason_code"], r["reason"]] for r in parsed] == layer[
        ["source_id", "file", "row", "reason_code", "reason"]
    ].values.tolist()


def test_a_source_without_rejects_still_has_the_file_with_its_header(tmp_path):
    city = City(tmp_path, china=False).grids().incidents(incident_rows(9))
    city.run()
    text = (city.current / "rejects.csv").read_text("utf-8-sig")
    assert [c.strip('"') for c in text.split()[0].split(",")] == ["source_id", "file", "row", "reason_code", "reason"]


@pytest.mark.parametrize(("limit", "refused"), [(30, True), (34, False)])
def test_too_many_rejects_stop_the_run(tmp_path, limit, refused):
    rows = incident_rows(9)
    for n in range(3):
        rows[n]["时间"] = "?"
    city = City(tmp_path, china=False).grids().incidents(rows, max_reject_pct=limit)
    if not refused:
        city.run()
        assert city.accounted().loc["jq"].tolist() == [9, 6, 3]
        return
    with pytest.raises(DataFault) as caught:
        city.run()
    assert "jq" in str(caught.value) and "3" in caught.value.found and "max_reject_pct" in caught.value.remedy


def test_a_carried_source_keeps_its_camera_codes_where_none_is_mapped(tmp_path):
    """camera_code is derived like an incident's identity: equal rows stay, and another run gives the same codes."""
    text = csv_text(
        [{"名称": "路口", "经度": centre(0)[0], "纬度": centre(0)[1]}] * 2
        + [{"名称": "桥", "经度": centre(1)[0], "纬度": centre(1)[1]}]
    )
    found = []
    for name in ("one", "two"):
        city = City(tmp_path / name, china=False).grids()
        city.put("cam.csv", text)
        city.add("cam", "camera", "cam.csv", crs="wgs84", columns={"name": "名称", "lon": "经度", "lat": "纬度"})
        city.run()
        found.append(sorted(city.table("camera")["camera_code"]))
    assert len(set(found[0])) == 3 and found[0] == found[1]
