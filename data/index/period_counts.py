"""Incidents of every community and grid in each week and half-month, counted once at publication.

Their dispersion over the periods before a window is asked for at each click; counted from single incidents it would cost
more than all the rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from data.index.incidents import INCIDENT_LEVELS
from data.index.tables import insert
from data.schema import CATEGORIES

TABLE = "period_count"
LEVELS = INCIDENT_LEVELS[INCIDENT_LEVELS.index("community") :]
KINDS = ("week", "half")
CODEC = "lz4"
_ROWS_AT_ONCE = 1 << 20
_WIDTHS = tuple(map(np.dtype, ("<u1", "<u2", "<u4")))


def write_period_counts(con: duckdb.DuckDBPyConnection, sizes: dict[str, int]) -> None:
    """Write ``period_count`` from ``incident``.

    A row holds a level, kind, period (as in columns ``week`` and ``half``) and category, and the counts of all units in the
    order of their positions: unsigned numbers of ``width`` bytes, little-endian, LZ4. Rows without an incident are left out.

    Parameters
    ----------
    sizes : dict
        Number of units of each level.
    """
    # Not compressed once more by DuckDB, which would then unpack all rows to read a few.
    con.execute(f"CREATE TABLE {TABLE} (level VARCHAR, kind VARCHAR, period INTEGER, category UTINYINT, width UTINYINT, "
                "counts BLOB USING COMPRESSION uncompressed)")  # fmt: skip
    running = [_Running(level, kind, sizes[level]) for level in LEVELS for kind in KINDS if sizes[level]]
    rows: list[tuple] = []
    found = con.sql(f"SELECT {', '.join((*KINDS, 'category', *LEVELS))} FROM incident")
    for batch in found.to_arrow_reader(_ROWS_AT_ONCE):
        for one in running:
            rows += one.take(batch)
    for one in running:
        rows += one.done()
    if rows:
        names = ("level", "kind", "period", "category", "width", "counts")
        insert(con, TABLE, pa.table([pa.array(column) for column in zip(*rows, strict=True)], names=names))


def unpack(width: int, counts: bytes, size: int) -> np.ndarray:
    """The counts of a row, shape (units,)."""
    kind = np.dtype(f"<u{width}")
    return np.frombuffer(pa.decompress(counts, size * width, codec=CODEC, asbytes=True), kind)


class _Running:
    """The period being counted; rows come in the order of time."""

    def __init__(self, level: str, kind: str, size: int):
        self._level, self._kind, self._size = level, kind, size
        self._period: int | None = None
        self._counts = np.zeros(len(CATEGORIES) * size, dtype=np.uint32)

    def take(self, batch: pa.RecordBatch) -> Iterator[tuple]:
        """Count more rows; the periods they complete."""
        unit = batch[self._level]
        placed = unit.is_valid().to_numpy(zero_copy_only=False)
        cell = batch["category"].to_numpy().astype(np.int64) * self._size
        cell += unit.fill_null(0).to_numpy()
        period = batch[self._kind].to_numpy()
        edges = [0, *(np.flatnonzero(np.diff(period)) + 1).tolist(), len(period)]
        for start, end in itertools.pairwise(edges):
            if start == end:
                continue
            if period[start] != self._period:
                yield from self.done()
                self._period = int(period[start])
            # Not bincount, whose result is as long as the table: most periods have fewer events than there are cells.
            np.add.at(self._counts, cell[start:end][placed[start:end]], np.uint32(1))

    def done(self) -> Iterator[tuple]:
        """The rows of the period counted so far; the next one begins at 0."""
        for category, counts in enumerate(self._counts.reshape(len(CATEGORIES), self._size)):
            if most := int(counts.max(initial=0)):
                width = next(kind for kind in _WIDTHS if most <= np.iinfo(kind).max)
                packed = pa.compress(counts.astype(width).tobytes(), codec=CODEC, asbytes=True)
                yield self._level, self._kind, self._period, category, width.itemsize, packed
        self._counts[:] = 0
