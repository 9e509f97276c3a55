"""Text columns: full-width forms folded, the first filled of several columns, numbers read."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.personal import is_ascii
from etl.extract.raw import Raw
from etl.sources import Source

AS_WRITTEN = ("name", "subcategory", "status", "place_type", "location_type")
CODES = (
    "code",
    "parent_code",
    "grid_code",
    "community_code",
    "street_code",
    "district_code",
    "area_code",
    "camera_code",
    "incident_id",
    "place_id",
    "parent_id",
)
_NARROW = {c: c - 0xFEE0 for c in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
OTHER_TEXT = "（其他文字）"
_LONGEST_WORD, _MOST_WORDS = 12, 50
_NOT_TOLD = re.compile(r"[:：]|\d{6}|填表人|制表人|审核人|负责人|联系人")
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def fold(array: pa.Array) -> pa.Array:
    """NFKC and trimmed. ASCII columns, the common case, are only trimmed."""
    if is_ascii(array):
        return pc.ascii_trim_whitespace(array)
    return pc.utf8_trim_whitespace(pc.utf8_normalize(array, form="NFKC"))


def fold_word(word: str) -> str:
    """One word as it is compared: NFKC, no white space."""
    return "".join(unicodedata.normalize("NFKC", word).split())


def narrow(array: pa.Array) -> pa.Array:
    """Full-width letters, digits and signs (U+FF01 to U+FF5E) made narrow, nothing else touched: for codes."""
    if is_ascii(array):
        return pc.ascii_trim_whitespace(array)
    encoded = array.dictionary_encode()
    words = [w.translate(_NARROW).strip() for w in encoded.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(encoded.indices)


def column(raw: Raw, source: Source, field: str) -> pa.Array | None:
    """Our field of every record as text, "" where blank; the first filled of its columns, then the constant
    of [source.defaults]. None where the source does not give it at all. Words a person reads are kept as written,
    codes only made narrow, everything else folded."""
    clean = pc.utf8_trim_whitespace if field in AS_WRITTEN else narrow if field in CODES else fold
    out: pa.Array | None = None
    for name in raw.columns.get(field, ()):
        piece = raw.table[name]
        part = clean(pa.concat_arrays(piece.chunks) if piece.num_chunks != 1 else piece.chunk(0))
        out = part if out is None else pc.if_else(pc.equal(out, ""), part, out)
    if field in source.defaults:
        given = source.defaults[field]
        constant = clean(pa.array([str(int(given)) if isinstance(given, bool) else str(given)]))
        out = pa.repeat(constant[0], len(raw)) if out is None else pc.if_else(pc.equal(out, ""), constant[0], out)
    return out


def tellable(words: dict[str, int]) -> dict[str, int]:
    """Counted words that may be shown in the quality notes: short ones that cannot name a person or hold a number of
    one, the most frequent first. The others are counted together."""
    told = {w: n for w, n in words.items() if w != OTHER_TEXT and len(w) <= _LONGEST_WORD and not _NOT_TOLD.search(w)}
    told = dict(sorted(told.items(), key=lambda item: -item[1])[:_MOST_WORDS])
    rest = sum(words.values()) - sum(told.values())
    return told | ({OTHER_TEXT: rest} if rest else {})


def mapped_values(array: pa.Array, source: Source, field: str) -> pa.Array:
    """Apply [source.values.FIELD] to folded text; what is not listed stays."""
    table = {fold_word(k): str(v) for k, v in source.values.get(field, {}).items()}
    if not table:
        return array
    encoded = array.dictionary_encode()
    words = [table.get(fold_word(w), w) for w in encoded.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(encoded.indices)


def empty_to_null(array: pa.Array) -> pa.Array:
    """Blank text is missing."""
    return pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)


def numbers(array: pa.Array) -> np.ndarray:
    """Folded text as float64; NaN where it is not a plain number. Thousands commas are allowed."""
    filled = empty_to_null(array)
    try:
        values = filled.cast(pa.float64())
    except pa.ArrowInvalid:
        filled = pc.replace_substring_regex(filled, r"^(-?\d{1,3}),(\d{3})(,(\d{3}))?(\.\d+)?$", r"\1\2\4\5")
        ok = pc.fill_null(pc.match_substring_regex(filled, _NUMBER), False)
        values = pc.if_else(ok, filled, pa.scalar(None, pa.string())).cast(pa.float64())
    out = values.to_numpy(zero_copy_only=False).astype(float)
    out[np.isinf(out)] = np.nan
    return out


def whole(array: pa.Array) -> pa.Array:
    """Folded text as nullable int64; a fraction or a word is null."""
    values = numbers(array)
    bad = np.isnan(values) | (values != np.floor(values)) | (np.abs(values) > 2**53)
    return pa.array(np.where(bad, 0, values).astype(np.int64), mask=bad)


_TRUE = {"1", "是", "true", "t", "yes", "y", "on", "在线", "已联网", "高清", "有"}
_FALSE = {"0", "否", "false", "f", "no", "n", "off", "离线", "未联网", "标清", "无", "不在线"}


def flags(array: pa.Array) -> pa.Array:
    """Yes/no words as nullable booleans; unknown words are null."""
    encoded = array.dictionary_encode()
    words = [fold_word(w).lower() for w in encoded.dictionary.to_pylist()]
    return pa.array([True if w in _TRUE else False if w in _FALSE else None for w in words], pa.bool_()).take(
        encoded.indices
    )
