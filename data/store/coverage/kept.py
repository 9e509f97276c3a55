"""Tables that publication worked out for whoever may see everything; a release made before that has none of them."""

from __future__ import annotations

import pyarrow as pa
import sqlalchemy as sa

from data.store.release import Release
from data.store.scope import Scope

GROUND, RULE_PLACE, RULE_FAILING = "camera_ground", "rule_place", "rule_failing"


def kept(release: Release, scope: Scope, table: str) -> pa.Table | None:
    """A table of publication; None for a smaller scope, which has its own cameras, and where the release has none."""
    if scope.areas is not None:
        return None
    names = release.remember(
        "table names",
        lambda: set(release.rows(sa.text("SELECT table_name FROM duckdb_tables()"))["table_name"].to_pylist()),
    )
    return release.rows(sa.text(f"SELECT * FROM {table}")) if table in names else None
