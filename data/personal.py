"""Personal data: found by header and by value, and kept out. No function here returns or stores a personal value."""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.errors import UsageError

# Header words after NFKC without white space (Chinese: anywhere in the header; Latin: as a whole token).
_DENIED = (
    "姓名",
    "当事人",
    "报警人",
    "受害人",
    "嫌疑人",
    "户主",
    "房主",
    "业主",
    "联系人",
    "负责人",
    "责任人",
    "身份证",
    "身份号码",
    "家庭地址",
    "监护人",
    "法定代表人",
    "驾驶证",
    "护照",
    "证件号",
    "手机",
    "电话",
    "联系方式",
    "出生日期",
    "性别",
    "民族",
    "宗教信仰",
    "政治面貌",
    "车牌",
    "号牌",
    "微信",
    "qq号",
    "邮箱",
    "人脸",
    "照片",
    "头像",
    "住址",
    "重点人员",
    "关注程度",
    "信访人",
    "矫正",
    "吸毒",
    "精神",
    "艾滋",
    "邪教",
    "密码",
    "用户名",
    "涉及人员",
    "安装人",
)
_DENIED_TOKENS = {
    "idcard",
    "sex",
    "dob",
    "date_of_birth",
    "telno",
    "create_by",
    "passport",
    "id_card",
    "phone",
    "mobile",
    "tel",
    "telephone",
    "attention",
    "qq",
    "email",
    "face",
    "photo",
    "wechat",
    "passwd",
    "password",
    "pass_word",
    "user_name",
    "username",
    "ip",
    "mac",
    "sn",
    "createby",
    "install_person",
    "install_persion",
    "idno",
    "id_no",
    "birthday",
    "gender",
    "plate_no",
    "is_attention",
}
_ALLOWED = {"涉及人员总数", "涉及人数", "网格员数", "人口数", "户数", "涉及人员数"}

_ID18 = r"(^|[^0-9])(?P<v>[1-9]\d{16}[0-9Xx])($|[^0-9A-Za-z])"
_ID15 = r"(^|[^0-9])(?P<v>[1-9]\d{14})($|[^0-9_])"
_MOBILE = r"(^|[^0-9.])(\+?(00)?86[- ]?)?(?P<m>1[3-9]\d[- ]?\d{4}[- ]?\d{4})($|[^0-9])"
_LOGIN = r"^\s*\d{15}_\s*[A-Za-z\p{Han}]"
_HOUSE = r"单元\s*\d{3,4}|\d+\s*(号楼|栋|幢|单元|号院)?\s*\d*\s*单元\s*\d+\s*(室|号|户)|\d+\s*(号楼|栋|幢)\s*\d+\s*室"
_ANY = r"\d{11}|\d{15}_|1[3-9]\d[- ]\d{4}|1[3-9]\d{5}[- ]\d{4}"
_SHORTEST = 11  # characters; nothing shorter is looked for among ASCII values
_FEW = 0.95  # a column whose first rows repeat themselves this much is searched by its distinct values
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class Found:
    """What a column holds: rows to refuse, rows only suspected, rows with a household address (masks)."""

    refused: np.ndarray
    suspected: np.ndarray
    household: np.ndarray

    @property
    def any(self) -> bool:
        """Whether anything at all was found."""
        return bool(self.refused.any() or self.suspected.any() or self.household.any())


def refuse_personal(**texts: str | None) -> None:
    """Refuse texts typed into a form that hold a personal value or a household address.

    Raises
    ------
    UsageError
        Naming the field, never the value.
    """
    for name, text in texts.items():
        if text and scan(pa.array([text], pa.string())).any:
            raise UsageError("不能写入个人信息", where=name, found="像证件号、手机号或住址",
                             expected="地点、单位、岗位与事项", remedy="删去个人信息再保存")  # fmt: skip


# A short name without any of these is rather that of a person.
UNIT_WORDS = "区县市州乡镇街道村居社所队局委办中心站处科股院校厂司厅部会组室府厦园场位"
POST_WORDS = "长员岗科队组室任管警站办股处务干事书记师工"
_NAME = re.compile(r"^[\u4e00-\u9fff·]{2,4}$")


def refuse_name(field: str, text: str | None, words: str, expected: str) -> None:
    """Refuse what looks like the name of a person where a unit or a post is asked for.

    Raises
    ------
    UsageError
        Naming the field, never the value.
    """
    plain = "".join((text or "").split())
    if _NAME.match(plain) and not any(word in plain for word in words):
        raise UsageError(
            "不能写入姓名", where=field, found="像人名", expected=expected, remedy="写单位和岗位，不写人名"
        )


def is_ascii(array: pa.Array) -> bool:
    """Whether a text column holds ASCII alone: one look at its bytes."""
    data = array.buffers()[2]
    if data is None or not len(array):
        return True
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    content = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]
    return not content.size or int(content.max()) < 128


def denied_header(header: str) -> bool:
    """Whether a header names a person-level or credential column (domain words; allow-listed totals pass)."""
    name = "".join(unicodedata.normalize("NFKC", header).split()).lower()
    if name.split("#")[0] in _ALLOWED:
        return False
    if any(word in name for word in _DENIED):
        return True
    tokens = [t.rstrip("0123456789") for t in re.split(r"[^a-z0-9]+", name) if t]
    joined = {name, *tokens, *("_".join(p) for p in itertools.pairwise(tokens))}
    return not joined.isdisjoint(_DENIED_TOKENS) or name.replace("_", "") in {"idcard", "idcardno", "isattention"}


def valid_id18(value: str) -> bool:
    """GB 11643: 17 digits weighted modulo 11, the check character, and a plausible birth date."""
    if not _plausible_date(value[6:14]):
        return False
    return "10X98765432"[sum(int(c) * w for c, w in zip(value, _WEIGHTS, strict=False)) % 11] == value[17].upper()


def _plausible_date(digits: str) -> bool:
    try:
        return np.datetime64(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}") < np.datetime64("2200") and digits[:2] in (
            "18",
            "19",
            "20",
        )
    except ValueError:
        return False


def scan(array: pa.Array, *, communities: frozenset[str] = frozenset(), identifier: bool = False) -> Found:
    """Search a text column (full-width forms are folded).

    ``communities`` are known 12-digit codes: 15 digits that begin with one are a grid code, not an old ID number.
    ``identifier`` columns (serial numbers, codes) are not searched for 15-digit ID numbers, which they resemble, nor
    for mobile numbers where most values would be one and begin with a date.
    """
    if len(array) > 10_000 and len(array.slice(0, 10_000).unique()) < _FEW * 10_000:
        encoded = array.dictionary_encode()
        found = scan(encoded.dictionary, communities=communities, identifier=identifier)
        at = encoded.indices.to_numpy(zero_copy_only=False)
        return Found(found.refused[at], found.suspected[at], found.household[at])
    none = np.zeros(len(array), bool)
    household = none
    if not is_ascii(array):
        array = pc.utf8_normalize(array, form="NFKC")
        if not identifier:
            household = pc.match_substring_regex(array, _HOUSE).to_numpy(zero_copy_only=False)
    longest = pc.max(pc.binary_length(array)).as_py() or 0
    if longest < _SHORTEST:
        return Found(none, none.copy(), household)
    hit = pc.match_substring_regex(array, _ANY).to_numpy(zero_copy_only=False)
    refused, suspected = none.copy(), none.copy()
    if not hit.any():
        return Found(refused, suspected, household)
    at = np.flatnonzero(hit)
    part = array.take(pa.array(at))
    login = pc.match_substring_regex(part, _LOGIN).to_numpy(zero_copy_only=False)
    mobile = pc.match_substring_regex(part, _MOBILE).to_numpy(zero_copy_only=False)
    if identifier and mobile.sum() > len(array) / 2 and _dated(part.filter(pa.array(mobile))):
        mobile = np.zeros(at.size, bool)
    refused[at[login | mobile]] = True
    for i in np.flatnonzero(pc.match_substring_regex(part, _ID18).to_numpy(zero_copy_only=False)):
        values = [m.group("v") for m in re.finditer(_ID18, part[int(i)].as_py())]
        if any(valid_id18(v) for v in values):
            refused[at[i]] = True
        elif not identifier and any(_plausible_date(v[6:14]) for v in values):
            suspected[at[i]] = True
    if not identifier:
        for i in np.flatnonzero(pc.match_substring_regex(part, _ID15).to_numpy(zero_copy_only=False)):
            values = [m.group("v") for m in re.finditer(_ID15, part[int(i)].as_py())]
            if any(_plausible_date("19" + v[6:12]) and v[:12] not in communities for v in values):
                refused[at[i]] = True
    return Found(refused, suspected, household)


def _dated(values: pa.Array) -> bool:
    """Whether 11-digit serial numbers begin with a date (yyMMdd), as nearly no list of mobile numbers would."""
    return (
        pc.mean(pc.match_substring_regex(values, r"^\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])\d{5}$").cast(pa.int8())).as_py()
        > 0.9
    )


def without_household(array: pa.Array) -> pa.Array:
    """Household addresses cut back to the road or compound."""
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(array, r"\d+\s*(号楼|栋|幢|单元|号院).*$", ""))
