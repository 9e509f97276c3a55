"""Code rules against the published vectors."""

import pandas as pd
import pyarrow as pa
import pytest

from data.code_rules import area_code_fault, camera_code_fault, community_code_fault, grid_code_fault, parse_gb28181


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("370102013006008", None),
        ("370102013006001", None),
        ("370102013006999", None),
        ("330102001201003", None),
        ("370102013006000", "顺序码为000"),
        ("37010201300608", "不是15位"),
        ("3701020130060081", "不是15位"),
        ("3.70102E+14", "科学计数法，请设为文本"),
        ("3.70102e14", "科学计数法，请设为文本"),
        ("37010201300600A", "非数字"),
        ("３７０１０２０１３００６００８", "非数字"),
        ("", "不是15位"),
        (" 370102013006008", "非数字"),
        (None, None),
    ],
)
def test_grid_codes(code, words):
    (fault,) = grid_code_fault([code])
    assert fault is None if words is None else words in fault


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("330102016001", None),
        ("440983102201", None),
        ("330603107200", None),
        ("654203500500", None),
        ("370102013006", None),
        ("330102000001", "街道"),
        ("330102600001", "街道"),
        ("330102016000", "社区"),
        ("330102016600", "社区"),
        ("33010201600", "不是12位"),
        ("330102016001001", "不是12位"),
        ("3.30102E+11", "科学计数法"),
        ("33010201600X", "非数字"),
        (None, None),
    ],
)
def test_community_codes(code, words):
    (fault,) = community_code_fault([code])
    assert fault is None if words is None else words in fault


@pytest.mark.parametrize(
    ("level", "good", "bad"),
    [
        ("community", "330102016001", "330102016"),
        ("street", "330102016", "330102"),
        ("street", "330102599", "330102600"),
        ("district", "330102", "330102016"),
        ("city", "330100", "3301"),
        ("province", "330000", "33"),
    ],
)
def test_area_codes(level, good, bad):
    right, wrong = area_code_fault([good, bad], level)
    assert right is None and wrong


@pytest.mark.parametrize(
    ("code", "parts", "camera"),
    [
        ("34020000001320000101", ("34020000", "00", "132", "0", "000101"), True),
        ("42010011101320803002", ("42010011", "10", "132", "0", "803002"), True),
        ("34020000001310000001", ("34020000", "00", "131", "0", "000001"), True),
        ("34020000001180000001", ("34020000", "00", "118", "0", "000001"), False),
        ("34020000002150000001", ("34020000", "00", "215", "0", "000001"), False),
    ],
)
def test_device_codes(code, parts, camera):
    parsed = parse_gb28181(code)
    assert (parsed.region, parsed.industry, parsed.type, parsed.network, parsed.serial) == parts
    assert (parsed.is_camera, parsed.fault) == (camera, None)
    assert "".join(parts) == code
    (fault,) = camera_code_fault([code])
    assert (fault is None) == camera


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("3402000000132000010", "不是20位"),
        ("3.4020000001320E+19", "科学计数法"),
        ("3402000000132000010A", "非数字"),
        ("", "不是20位"),
    ],
)
def test_other_ledger_ids_come_back_with_their_fault(code, words):
    parsed = parse_gb28181(code)
    assert words in parsed.fault and not parsed.is_camera and parsed.region == ""


def test_multi_sensor_cameras_are_taken_by_option_and_an_nvr_is_named():
    codes = ["34020000001210000001", "34020000001220000001", "34020000001180000001", None]
    assert [fault is None for fault in camera_code_fault(codes)] == [False, False, False, True]
    assert [fault is None for fault in camera_code_fault(codes, other_video=True)] == [True, True, False, True]
    assert "NVR" in camera_code_fault(codes)[2]


def test_columns_come_in_any_text_form():
    codes = ["370102013006008", "370102013006000", None]
    expected = grid_code_fault(codes).tolist()
    for form in (
        pa.array(codes),
        pa.array(codes).dictionary_encode(),
        pa.chunked_array([codes[:1], codes[1:]]),
        pa.array(codes, pa.large_string()),
    ):
        assert grid_code_fault(form).tolist() == expected
    assert grid_code_fault([]).tolist() == []


@pytest.mark.real
def test_published_codes_of_five_cities_and_all_streets_pass(real_data):
    villages = pd.read_csv(real_data / "china" / "codes_villages_five_cities.csv.gz", dtype=str)["code"]
    assert len(villages) == 8241 and not [fault for fault in community_code_fault(villages.tolist()) if fault]
    streets = pd.read_csv(real_data / "china" / "codes_streets_national.csv.gz", dtype=str)["code"]
    faults = area_code_fault(streets.tolist(), "street")
    assert [code for code, fault in zip(streets, faults, strict=True) if fault] == ["350527000"]
