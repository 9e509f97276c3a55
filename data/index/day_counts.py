"""Incidents of whole days by category, source, district and street, counted once at publication."""

from __future__ import annotations

import duckdb

TABLE = "day_count"


def write_day_counts(con: duckdb.DuckDBPyConnection) -> None:
    """Write ``day_count`` from ``incident``: its columns of whole days down to the street, and ``n``, how many."""
    con.execute(
        f"CREATE TABLE {TABLE} AS SELECT day, week, half, category, source, district, street, count(*)::INTEGER AS n "
        "FROM incident GROUP BY ALL ORDER BY day, district, street, category, source"
    )
