"""The alerts of a release: found in its own index, written into both of its files before it is checked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from data import geopackage, releases
from data.schema import LAYERS
from data.store import Limits, Release
from data.store.alerting import raise_alerts

LAYER = "alert"


def write_alerts(folder: Path, previous: Path | None) -> int:
    """Find the alerts of the release in ``folder`` and write them; how many there are.

    Parameters
    ----------
    previous : Path or None
        The release before: what it raised already is not new.
    """
    seen = _seen(previous)
    release = Release(folder, Limits())
    try:
        zone = ZoneInfo(release.info.timezone)
        rows = raise_alerts(release, datetime.now(UTC).astimezone(zone), seen)
    finally:
        release.close()
    if rows:
        raised = pa.Table.from_pylist(rows, schema=LAYERS[LAYER].empty().schema)
        with duckdb.connect(str(folder / releases.QUERY_INDEX)) as index:
            index.register("raised", raised)
            index.execute(f"INSERT INTO {LAYER} BY NAME SELECT * FROM raised")
        _into_package(folder / releases.GEOPACKAGE, rows)
    return len(rows)


def _seen(previous: Path | None) -> dict[str, datetime]:
    """Alerts the release before holds, each with the time it was first seen."""
    if previous is None:
        return {}
    rows = geopackage.read(previous / releases.GEOPACKAGE, LAYER).to_pylist()
    return {row["alert_id"]: row["first_seen"] for row in rows}


def _into_package(path: Path, rows: list[dict]) -> None:
    names = list(rows[0])
    query = f"INSERT INTO {LAYER} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    values = [[f"{v:%Y-%m-%dT%H:%M:%S}" if isinstance(v, datetime) else v for v in row.values()] for row in rows]
    with closing(sqlite3.connect(path)) as package, package:
        package.executemany(query, values)
