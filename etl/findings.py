"""What a release finds in its own index before it is checked: its alerts, written into both of its files, and what cameras
see and which rules they keep, written into the index.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from data import geopackage, releases
from data.index.tables import create
from data.schema import LAYERS
from data.store import Limits, Release
from data.store.alerting import raise_alerts
from data.store.coverage.prepared import prepare

LAYER = "alert"


def write_findings(folder: Path, previous: Path | None) -> None:
    """Work out and write what the release in ``folder`` finds.

    Parameters
    ----------
    previous : Path or None
        The release before: alerts it raised already are not new.
    """
    seen = _seen(previous)
    release = Release(folder, Limits())
    try:
        zone = ZoneInfo(release.info.timezone)
        rows = raise_alerts(release, datetime.now(UTC).astimezone(zone), seen)
        prepared = prepare(release)
    finally:
        release.close()
    with duckdb.connect(str(folder / releases.QUERY_INDEX)) as index:
        for name, table in prepared.items():
            create(index, name, table)
        if rows:
            index.register("raised", pa.Table.from_pylist(rows, schema=LAYERS[LAYER].empty().schema))
            index.execute(f"INSERT INTO {LAYER} BY NAME SELECT * FROM raised")
    if rows:
        _into_package(folder / releases.GEOPACKAGE, rows)


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
