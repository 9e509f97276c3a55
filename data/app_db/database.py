"""``app.db``, opened; its sessions, its mark and its way from one version to the next."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.app_db.tables import VERSION, Change, Table
from data.errors import UsageError

_WAIT_S = 10
_TRIES = 40


class AppDb:
    """The application database of a workspace; made when it is first written to.

    Several processes may have it open: SQLite keeps one writer at a time, the others wait.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        self._engine = sa.create_engine(f"sqlite:///{self.path}", connect_args={"timeout": _WAIT_S})
        sa.event.listen(self._engine, "connect", _set_up)
        self._ready = False

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that changes nothing."""
        self._make_ready()
        with Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes all stand, or none of them; nobody else writes meanwhile."""
        self._make_ready()
        with Session(self._engine, expire_on_commit=False) as session:
            session.execute(sa.text("BEGIN IMMEDIATE"))
            yield session
            session.commit()

    def mark(self) -> int:
        """A number that grows with every change; 0 where there is none yet."""
        if not self.path.is_file():
            return 0
        with self.reading() as session:
            return session.scalar(sa.select(sa.func.coalesce(sa.func.max(Change.id), 0)))

    def _make_ready(self) -> None:
        if self._ready:
            return
        with self._engine.connect() as connection:
            connection.execute(sa.text("BEGIN IMMEDIATE"))  # one of several processes makes the tables
            version = connection.scalar(sa.text("PRAGMA user_version"))
            if version > VERSION:
                raise UsageError("app.db 是更新版本写的", where=str(self.path), found=str(version), expected=f"不大于 {VERSION}",
                                 remedy="升级研判")  # fmt: skip
            if version < VERSION:
                Table.metadata.create_all(connection)
                connection.execute(sa.text(f"PRAGMA user_version = {VERSION}"))
            connection.execute(sa.text("COMMIT"))
        self._ready = True


def _set_up(connection, _record) -> None:
    connection.isolation_level = None  # transactions are begun by us
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_S * 1000}")
    for attempt in range(_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:  # another process is turning it on; SQLite does not wait for that
            if attempt + 1 == _TRIES:
                raise
            time.sleep(0.05)
    connection.execute("PRAGMA foreign_keys = ON")


def utc_now() -> datetime:
    """Now in UTC without a zone, to the second, as every time in the file is kept."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
