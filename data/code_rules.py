"""Rules of the codes China's centres use: grid codes, 12-digit community codes, GB/T 28181 device ids.

Length alone never tells what a code is (15 digits may be a grid or a GA/T 2000.33 community, 20 a device or a CJ/T 349
grid), so each rule is asked of a column that was declared to hold that code. Codes must be text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_SCIENTIFIC = r"^[+-]?\d(\.\d+)?[eE][+-]?\d+$"
_SCIENTIFIC_FAULT = "科学计数法，请设为文本"
CAMERA_TYPES = {"131": "摄像机", "132": "网络摄像机"}
CAMERA_TYPES_OPTIONAL = {"121": "视频卡口", "122": "多目摄像机"}
DEVICE_TYPES = {
    "111": "DVR",
    "112": "视频服务器",
    "118": "NVR",
    **CAMERA_TYPES_OPTIONAL,
    **CAMERA_TYPES,
    "134": "报警输入",
    "135": "报警输出",
    "200": "信令服务器",
    "215": "业务分组",
    "216": "虚拟组织",
}


def _text(codes: Iterable[str | None] | pa.Array | pa.ChunkedArray) -> pa.Array:
    array = codes if isinstance(codes, (pa.Array, pa.ChunkedArray)) else pa.array(list(codes), pa.string())
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array.cast(pa.string())


def _reasons(codes: pa.Array, tests: list[tuple[pa.Array, str]]) -> np.ndarray:
    """The first reason that applies to each code, or None; a missing code has no fault."""
    result = np.full(len(codes), None, dtype=object)
    for applies, reason in reversed(tests):
        result[applies.fill_null(False).to_numpy(zero_copy_only=False)] = reason
    return result


def grid_code_fault(codes) -> np.ndarray:
    """What is wrong with each 15-digit grid code (6 + 3 + 3 + 3 digits, the last 001 to 999).

    Parameters
    ----------
    codes : (n,) strings; null is no code and no fault.

    Returns
    -------
    (n,) object array
        The reason in the reader's words, None where the code is right. Whether ``[:12]`` names a known community
        and whether codes are unique is for the caller, who knows the tables.
    """
    text = _text(codes)
    return _reasons(
        text,
        [
            (pc.match_substring_regex(text, _SCIENTIFIC), _SCIENTIFIC_FAULT),
            (pc.invert(pc.match_substring_regex(text, r"^[0-9]*$")), "含有非数字"),
            (pc.not_equal(pc.utf8_length(text), 15), "不是15位"),
            (pc.equal(pc.utf8_slice_codeunits(text, 12, 15), "000"), "顺序码为000，应为001至999"),
        ],
    )


def community_code_fault(codes) -> np.ndarray:
    """What is wrong with each 12-digit statistical division code (GB/T 2260 + 3 + 3).

    The street part is 001-099 街道, 100-199 镇, 200-399 乡, 400-599 政企合一; the community part is 001-199 居委会,
    200-399 村委会, 400-599 类似 (the rule text of the last was not seen; all published rows fit).

    Parameters
    ----------
    codes : (n,) strings; null is no code and no fault.

    Returns
    -------
    (n,) object array
        The reason, None where the code is right.
    """
    text = _text(codes)
    street, community = pc.utf8_slice_codeunits(text, 6, 9), pc.utf8_slice_codeunits(text, 9, 12)
    return _reasons(
        text,
        [
            (pc.match_substring_regex(text, _SCIENTIFIC), _SCIENTIFIC_FAULT),
            (pc.invert(pc.match_substring_regex(text, r"^[0-9]*$")), "含有非数字"),
            (pc.not_equal(pc.utf8_length(text), 12), "不是12位"),
            (_outside(street), "街道（乡镇）段应为001至599"),
            (_outside(community), "社区（村）段应为001至599"),
        ],
    )


def area_code_fault(codes, level: str) -> np.ndarray:
    """What is wrong with the code of an area: 12 digits for a community, 9 for a street, 6 above it.

    Parameters
    ----------
    codes : (n,) strings; null is no code and no fault.
    level : one of ``data.schema.LEVELS``.

    Returns
    -------
    (n,) object array
        The reason, None where the code is right.
    """
    if level == "community":
        return community_code_fault(codes)
    text = _text(codes)
    length = 9 if level == "street" else 6
    tests = [
        (pc.match_substring_regex(text, _SCIENTIFIC), _SCIENTIFIC_FAULT),
        (pc.invert(pc.match_substring_regex(text, r"^[0-9]*$")), "含有非数字"),
        (pc.not_equal(pc.utf8_length(text), length), f"不是{length}位"),
    ]
    if level == "street":
        tests.append((_outside(pc.utf8_slice_codeunits(text, 6, 9)), "街道（乡镇）段应为001至599"))
    return _reasons(text, tests)


def _outside(part: pa.Array) -> pa.Array:
    return pc.or_(pc.less(part, "001"), pc.greater(part, "599"))


@dataclass(frozen=True)
class DeviceCode:
    """Parts of a 20-digit GB/T 28181 id (rule A); all empty where ``fault`` says why it is none."""

    code: str
    region: str = ""  # 8 digits: GB/T 2260 and two of the 基层 unit
    industry: str = ""
    type: str = ""
    network: str = ""
    serial: str = ""
    is_camera: bool = False  # type 131 or 132
    fault: str | None = None


def parse_gb28181(code: str) -> DeviceCode:
    """Take a device id apart; an id of another shape comes back with its ``fault``, never an exception.

    A well-formed id of a device that is no camera (an NVR, a business group) has no fault and ``is_camera`` False.
    """
    text = code.strip()
    fault = device_code_fault([text])[0]
    if fault:
        return DeviceCode(text, fault=fault)
    kind = text[10:13]
    return DeviceCode(text, text[:8], text[8:10], kind, text[13], text[14:], kind in CAMERA_TYPES)


def device_code_fault(codes) -> np.ndarray:
    """What keeps each code from being a GB/T 28181 id; None where it is one (of whatever device).

    Parameters
    ----------
    codes : (n,) strings; null is no code and no fault.
    """
    text = _text(codes)
    return _reasons(
        text,
        [
            (pc.match_substring_regex(text, _SCIENTIFIC), _SCIENTIFIC_FAULT),
            (pc.invert(pc.match_substring_regex(text, r"^[0-9]*$")), "含有非数字"),
            (pc.not_equal(pc.utf8_length(text), 20), "不是20位"),
        ],
    )


def camera_code_fault(codes, *, other_video: bool = False) -> np.ndarray:
    """What keeps each code out of the camera layer: the faults of :func:`device_code_fault`, or another device type.

    Parameters
    ----------
    codes : (n,) strings; null is no code and no fault.
    other_video : also take 121 (视频卡口) and 122 (多目摄像机).
    """
    text = _text(codes)
    accepted = [*CAMERA_TYPES, *(CAMERA_TYPES_OPTIONAL if other_video else ())]
    reasons = device_code_fault(text)
    kinds = pc.utf8_slice_codeunits(text, 10, 13)
    for row in np.flatnonzero(pc.invert(pc.is_in(kinds, pa.array(accepted))).to_numpy(zero_copy_only=False)):
        if reasons[row] is None and text[row].is_valid:
            kind = kinds[row].as_py()
            reasons[row] = f"类型 {kind}（{DEVICE_TYPES.get(kind, '未知')}）不是摄像机"
    return reasons
