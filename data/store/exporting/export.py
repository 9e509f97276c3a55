"""What one export holds: rows in batches, with what they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from data.selection import Selection

GEOJSON = "geojson"  # column of a batch that carries its shapes; never one of ``Export.columns``
POINT = "Point"


@dataclass(frozen=True)
class Export:
    """Rows that can be written in any format.

    Attributes
    ----------
    layer : str
    selection : Selection
    meta : dict
        As the API's answer to the same question states it: release, Selection, scope, what the question adds.
    columns : pyarrow.Schema
        Attributes in order. Null is missing, never zero.
    rows : int
        How many there are, known before the first is read.
    batches : callable
        Gives the rows as tables that together have ``rows`` rows; each call reads them anew.
    geometry : str or None
        Simple-features type of the shapes; None for a plain table. Of ``Point`` the coordinates are the columns
        ``lon`` and ``lat`` (degrees, null without a usable point), of any other type a batch carries them as a further
        text column ``geojson``.
    """

    layer: str
    selection: Selection
    meta: dict
    columns: pa.Schema
    rows: int
    batches: Callable[[], Iterator[pa.Table]]
    geometry: str | None = None

    @classmethod
    def of_table(
        cls, layer: str, selection: Selection, meta: dict, table: pa.Table, geometry: str | None = None
    ) -> Export:
        """An export of rows that are in memory; a column ``geojson`` is the shapes. Columns of nothing become text."""
        table = table.cast(
            pa.schema([f.with_type(pa.string()) if pa.types.is_null(f.type) else f for f in table.schema])
        )
        columns = pa.schema([field for field in table.schema if field.name != GEOJSON])
        return cls(layer, selection, meta, columns, table.num_rows, lambda: iter((table,)), geometry)
