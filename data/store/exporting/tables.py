"""Answers of the Store as exports: the same rows, those of areas with their outlines."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.selection import Selection
from data.store.answer import Answer
from data.store.exporting.export import GEOJSON, Export
from data.store.hotspots.outlines import outline_texts
from data.store.release import Release

AREA = "MultiPolygon"


def of_table(layer: str, selection: Selection, answer: Answer) -> Export:
    """The rows of an answer; ``start`` becomes a date."""
    rows = answer.rows
    if "start" in rows.column_names:
        rows = rows.set_column(rows.column_names.index("start"), "start", rows["start"].cast(pa.date32()))
    return Export.of_table(layer, selection, answer.meta, rows)


def of_areas(release: Release, layer: str, selection: Selection, level: str, answer: Answer) -> Export:
    """Rows with a ``code`` of units of one level, and the units' outlines."""
    codes = pa.array(release.units.level(level).codes, pa.string())
    positions = pc.index_in(answer.rows["code"].combine_chunks(), value_set=codes).to_numpy(zero_copy_only=False)
    shapes = outline_texts(release, level, positions.astype(np.int64), "near")
    rows = answer.rows.append_column(GEOJSON, pa.array(shapes, pa.string()))
    return Export.of_table(layer, selection, answer.meta, rows, AREA)
