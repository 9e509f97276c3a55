"""The Store: follows ``releases/current`` and hands out the release that is current, open."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import sqlalchemy as sa

from data.errors import ReleaseError
from data.store.limits import Limits
from data.store.release import Release

CURRENT = "current"
_TRIES = 5


class Store:
    """The releases of a workspace, opened as needed.

    Parameters
    ----------
    releases : Path
        Directory with ``<id>/city.duckdb`` and the symbolic link ``current``.
    limits : Limits
    """

    def __init__(self, releases: Path, limits: Limits | None = None):
        self._directory = Path(releases)
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._open: Release | None = None
        self._opened_from: Path | None = None
        self._users: dict[Release, int] = {}
        self._frozen: tuple[str, Release] | None = None

    @contextmanager
    def current(self) -> Iterator[Release]:
        """The current release, for one request: all questions inside the block see the same one.

        The link is read each time, so a new release is served from the next request on; the one before stays open
        until its last user has left.

        Raises
        ------
        ReleaseError
            Where nothing is published, or the release cannot be opened.
        """
        release = self._enter()
        try:
            yield release
        finally:
            self._leave(release)

    def current_id(self) -> str:
        """Id of the current release.

        Raises
        ------
        ReleaseError
        """
        return self._target().name

    @contextmanager
    def release(self, release_id: str | None) -> Iterator[Release]:
        """A release by its id, for one request; None is the current one. Besides that, the one asked for last stays open.

        Raises
        ------
        ReleaseError
            Where there is no such release any more.
        """
        with self.current() as current:
            if release_id in (None, current.info.release_id):
                yield current
                return
        frozen = self._enter_frozen(release_id)
        try:
            yield frozen
        finally:
            self._leave(frozen)

    def _enter_frozen(self, release_id: str) -> Release:
        with self._lock:
            if self._frozen is None or self._frozen[0] != release_id:
                if not re.fullmatch(r"r\d{8}-\d{6}", release_id):
                    raise ReleaseError("没有这次发布", where="releases", found=release_id[:40])
                try:
                    opened = Release(self._directory / release_id, self._limits)
                except (OSError, sa.exc.SQLAlchemyError, duckdb.Error):
                    raise ReleaseError(
                        "这次发布已不在", where=f"releases/{release_id}", remedy="解除冻结，改看当前发布"
                    ) from None
                old, self._frozen = self._frozen, (release_id, opened)
                self._close_if_unused(old[1] if old else None)
            self._users[self._frozen[1]] = self._users.get(self._frozen[1], 0) + 1
            return self._frozen[1]

    def close(self) -> None:
        """Close the releases that are open, once nobody uses them."""
        with self._lock:
            old, self._open, self._opened_from = self._open, None, None
            frozen, self._frozen = self._frozen, None
            self._close_if_unused(old)
            self._close_if_unused(frozen[1] if frozen else None)

    def _enter(self) -> Release:
        with self._lock:
            self._follow()
            self._users[self._open] = self._users.get(self._open, 0) + 1
            return self._open

    def _leave(self, release: Release) -> None:
        with self._lock:
            self._users[release] -= 1
            if release is not self._open and (self._frozen is None or release is not self._frozen[1]):
                self._close_if_unused(release)

    def _follow(self) -> None:
        """Open what the link points to, if it is not the release that is open."""
        for attempt in range(_TRIES):
            target = self._target()
            if target == self._opened_from:
                return
            try:
                release = Release(target, self._limits)
            except (OSError, sa.exc.SQLAlchemyError, duckdb.Error) as fault:
                # The link may have been switched, and its old target removed, between reading and opening.
                if attempt + 1 < _TRIES:
                    time.sleep(0.02)
                    continue
                raise ReleaseError(
                    "发布无法打开", where=f"releases/{target.name}", found=type(fault).__name__,
                    expected="完整的 city.duckdb", remedy="yanpan releases use 换一个发布，或重新 yanpan etl",
                ) from fault  # fmt: skip
            old, self._open, self._opened_from = self._open, release, target
            self._close_if_unused(old)
            return

    def _target(self) -> Path:
        try:
            return self._directory / os.readlink(self._directory / CURRENT)
        except OSError as fault:
            raise ReleaseError(
                "还没有发布", where=f"releases/{CURRENT}", expected="指向一个发布的链接", remedy="先运行 yanpan etl"
            ) from fault

    def _close_if_unused(self, release: Release | None) -> None:
        if release is not None and not self._users.get(release):
            self._users.pop(release, None)
            release.close()
