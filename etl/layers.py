"""Tables of a release with the file row behind each of their rows, and the rule by which a later file wins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from data.schema import LAYERS
from etl.accounts import Accounts

DERIVED = -1  # run of rows that no file holds


@dataclass
class Traced:
    """A layer's table; ``run`` and ``row`` (int, one per row) say which file and row of it each came from.
    ``declared`` holds what the sources said of carried rows where the layer shows what was derived."""

    table: pa.Table
    run: np.ndarray
    row: np.ndarray
    declared: pa.Table | None = None

    @classmethod
    def none(cls, layer: str) -> Traced:
        """An empty layer."""
        return cls(LAYERS[layer].empty(), np.zeros(0, np.int64), np.zeros(0, np.int64))

    @classmethod
    def of(cls, table: pa.Table, run: int, row: np.ndarray) -> Traced:
        """All rows from one file."""
        return cls(table, np.full(table.num_rows, run, np.int64), np.asarray(row, np.int64))

    def take(self, at: np.ndarray) -> Traced:
        """The rows at these positions."""
        return Traced(self.table.take(pa.array(at)), self.run[at], self.row[at])


def join(parts: list[Traced], layer: str) -> Traced:
    """Several tables of one layer as one."""
    if not parts:
        return Traced.none(layer)
    return Traced(
        pa.concat_tables([p.table for p in parts]),
        np.concatenate([p.run for p in parts]),
        np.concatenate([p.row for p in parts]),
    )


def settle(frame: pd.DataFrame, key: list[str], accounts: Accounts, *, whole: bool = False) -> np.ndarray:
    """Positions of the rows that stay: inside a file the first of equal keys, between files the later.

    With ``whole`` a key may have several rows in one file, which stand or fall together (a unit's report).
    ``frame`` has the key columns, ``run`` and ``row``. The others are accounted for: ``duplicate_id``, ``superseded``.
    """
    keyed = frame[key].astype(object).where(frame[key].notna(), "")
    number = keyed.groupby(key, sort=False, dropna=False).ngroup().to_numpy()
    run, row = frame["run"].to_numpy(), frame["row"].to_numpy()
    keep = np.ones(len(frame), bool)
    if not whole:
        keep = ~pd.DataFrame({"k": number, "r": run}).duplicated().to_numpy()
        for r in np.unique(run[~keep]):
            accounts.reject(int(r), row[~keep & (run == r)], "duplicate_id")
    last = np.full(number.max(initial=-1) + 1, DERIVED)
    np.maximum.at(last, number[keep], run[keep])
    old = keep & (run < last[number])
    standing = set(zip(run[keep & ~old], row[keep & ~old], strict=True))
    for r in np.unique(run[old]):
        rows = np.unique(row[old & (run == r)])
        gone = np.array([n for n in rows if (r, n) not in standing], dtype=np.int64)
        if r != DERIVED:
            accounts.reject(int(r), gone, "superseded")
    return np.flatnonzero(keep & ~old)


def origin(run: np.ndarray, row: np.ndarray) -> pa.Table:
    """Where the rows of a layer came from, in their order."""
    return pa.table({"run": pa.array(np.asarray(run, np.int32)), "row": pa.array(np.asarray(row, np.int32))})


def write_origins(path: Path, origins: dict[str, pa.Table]) -> None:
    """Keep each layer's origin beside the query index, in the order of the layer's rows; ``--append`` needs them."""
    with duckdb.connect(str(path)) as connection:
        for layer, table in origins.items():
            connection.register("fresh", table)
            connection.execute(f'CREATE TABLE "origin_{layer}" AS SELECT * FROM fresh')
            connection.unregister("fresh")


def read_origin(path: Path, layer: str) -> pa.Table:
    """What :func:`write_origins` kept of a layer."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.sql(f'SELECT * FROM "origin_{layer}" ORDER BY rowid').to_arrow_table()
