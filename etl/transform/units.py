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


def _forms(name: str) -> list[str]:
    """A name as sheets write it, from full to bare: 泺源街道办事处, 泺源街道, 泺源."""
    full = text.fold_word(name)
    plain = _OFFICE.sub("", full)
    return list(dict.fromkeys(f for f in (full, plain, _RANK.sub("", plain)) if f))


class Units:
    """Names and codes of the areas and grids of a release."""

    def __init__(self, areas: pd.DataFrame, grids: pd.DataFrame):
        self.codes = set(areas["code"]) | set(grids["grid_code"])
        names: dict[str, set[str]] = {}
        for code, name in zip(areas["code"], areas["name"], strict=True):
            if isinstance(name, str):
                for form in _forms(name):
                    names.setdefault(form, set()).add(code)
        self.names = {key: next(iter(found)) for key, found in names.items() if len(found) == 1}

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
            context.of(source.id).setdefault("unknown_areas", {}).update(strange)
        return out

    def _code(self, word: str) -> str | None:
        code = area_code(word)
        return code if code in self.codes else None

    def _name(self, word: str) -> str | None:
        return next((self.names[form] for form in _forms(word) if form in self.names), None)


def column_of(values: np.ndarray) -> pa.Array:
    """Codes as Arrow text, None as null."""
    return pa.array(values.tolist(), pa.string())
