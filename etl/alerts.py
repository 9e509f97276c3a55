"""The alerts of a release: found in its own index, written into both of its files before it is checked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from data import releases
from data.schema import LAYERS
from data.store import Limits, Release, Scope
from data.store.alerting import raise_alerts
from data.store.alerts import Alert, alerts

LAYER = "alert"


def write_alerts(folder: Path, previous: Path | None) -> int:
    """Find the alerts of the release in ``folder`` and write them; how many there are.

    Parameters
    ----------
    previous : Path or None
        The release before: what it raised already is not new.
    """
    earlier = _earlier(previous)
    release = Release(folder, Limits())
    try:
        zone = ZoneInfo(release.info.timezone)
        rows = raise_alerts(release, datetime.now(UTC).astimezone(zone), earlier)
    finally:
        release.close()
    if rows:
        raised = pa.Table.from_pylist(rows, schema=LAYERS[LAYER].empty().schema)
        with duckdb.connect(str(folder / releases.QUERY_INDEX)) as index:
            index.register("raised", raised)
            index.execute(f"INSERT INTO {LAYER} BY NAME SELECT * FROM raised")
        _into_package(folder / releases.GEOPACKAGE, rows)
    return len(rows)


def _earlier(previous: Path | None) -> list[Alert]:
    if previous is None:
        return []
    release = Release(previous, Limits())
    try:
        return alerts(release, Scope.everything())
    finally:
        release.close()


def _into_package(path: Path, rows: list[dict]) -> None:
    names = list(rows[0])
    query = f"INSERT INTO {LAYER} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    values = [[f"{v:%Y-%m-%dT%H:%M:%S}" if isinstance(v, datetime) else v for v in row.values()] for row in rows]
    with closing(sqlite3.connect(path)) as package, package:
        package.executemany(query, values)
