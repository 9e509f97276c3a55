"""The shapes of the Store's answers."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Answer:
    """Rows and what they are about.

    Attributes
    ----------
    meta : dict
        Release, Selection, scope, ``matched`` and ``returned``, and what the question adds.
    rows : pyarrow.Table
        Null is missing, never zero.
    """

    meta: dict
    rows: pa.Table

    @classmethod
    def of(cls, meta: dict, rows: pa.Table, matched: int | None = None) -> Answer:
        """An answer whose meta says how many rows matched and how many are returned."""
        matched = rows.num_rows if matched is None else matched
        return cls({**meta, "matched": matched, "returned": rows.num_rows}, rows)


@dataclass(frozen=True)
class Features:
    """Map features. ``features`` are GeoJSON Feature texts."""

    meta: dict
    features: list[str]
