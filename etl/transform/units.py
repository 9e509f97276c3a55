"""Reporting units of sheets: an area or grid code as written, or a name that leads to exactly one area."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa

from etl.extract.raw import Raw
from etl.sources import Source
from etl.transform import text
from etl.transform.common import Context
from etl.transform.regions import area_code

_OFFICE = re.compile(r"(办事处|办公室|街道办|人民政府|政府|居民委员会|居委会|村民委员会|村委会|综治中心)$")
_RANK = re.compile(r"(街道|社区|镇|乡|村)$")


def _forms(name: str) -> tuple[tuple[str, str], str]:
    """A name as sheets write it, with and without its office (泺源街道办事处, 泺源街道), and without its rank (泺源)."""
    full = text.fold_word(name)
    plain = _OFFICE.sub("", full)
    return (full, plain), _RANK.sub("", plain)


class Units:
    """Names and codes of the areas and grids of a release. 和平 written on one side may stand for 和平社区 on the
    other; 和平村 and 和平社区 are two places, so never both names are taken without their rank."""

    def __init__(self, areas: pd.DataFrame, grids: pd.DataFrame):
        self.codes = set(areas["code"]) | set(grids["grid_code"])
        names: dict[str, set[str]] = {}
        written: dict[str, set[str]] = {}
        for code, name in zip(areas["code"], areas["name"], strict=True):
            if isinstance(name, str):
                forms, bare = _forms(name)
                for form in (*forms, bare):
                    names.setdefault(form, set()).add(code)
                for form in forms:
                    written.setdefault(form, set()).add(code)
        self.names, self.written = (
            {key: next(iter(found)) for key, found in group.items() if key and len(found) == 1}
            for group in (names, written)
        )

    def find(self, raw: Raw, source: Source, context: Context) -> np.ndarray:
        """Each record's area or grid code, None where unknown; unknown words are counted in the quality notes."""
        out = np.full(len(raw), None, object)
        strange: dict[str, int] = {}
        for name, lookup in (("area_code", self._code), ("area_name", self._name)):
            words = text.column(raw, source, name)
            if words is None:
                continue
            words = text.mapped_values(words, source, name)
            encoded = words.dictionary_encode()
            known = {word: lookup(word) for word in encoded.dictionary.to_pylist() if word}
            for i, word in enumerate(words.to_pylist()):
                if out[i] is None and word:
                    out[i] = known[word]
                    if out[i] is None:
                        strange[word] = strange.get(word, 0) + 1
        if strange:
            notes = context.of(source.id)
            for word, n in notes.get("unknown_areas", {}).items():
                strange[word] = strange.get(word, 0) + n
            notes["unknown_areas"] = text.tellable(strange)
        return out

    def _code(self, word: str) -> str | None:
        code = area_code(word)
        return code if code in self.codes else None

    def _name(self, word: str) -> str | None:
        forms, bare = _forms(word)
        return next((self.names[form] for form in forms if form in self.names), self.written.get(bare))


def column_of(values: np.ndarray) -> pa.Array:
    """Codes as Arrow text, None as null."""
    return pa.array(values.tolist(), pa.string())
