"""Releases of a workspace: built aside under a lock, published by an atomic switch, listed, pruned.

At every instant ``releases/current`` is a relative link to a whole release, also when a run is killed or the disk
fills up.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from data.errors import ReleaseError, UsageError

GEOPACKAGE = "city.gpkg"
QUERY_INDEX = "city.duckdb"
QUALITY = "quality.json"
REJECTS = "rejects.csv"
_ID_FORMAT = "r%Y%m%d-%H%M%S"
_ID_PATTERN = re.compile(r"r\d{8}-\d{6}")
_TEMPORARY = (".building-", ".removing-", ".current-")
_UNPUBLISHED = ".unpublished"  # in a release renamed into place whose link was not yet switched
_FULL_ERRNO = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_TEXT = ("disk is full", "no space left on device", "file too large", "disk quota exceeded")


@dataclass(frozen=True)
class Workspace:
    """The folder a centre works in."""

    path: Path

    def __post_init__(self):
        object.__setattr__(self, "path", Path(self.path).absolute())

    @property
    def sources_file(self) -> Path:
        return self.path / "sources.toml"

    @property
    def inbox(self) -> Path:
        return self.path / "inbox"

    @property
    def releases_dir(self) -> Path:
        return self.path / "releases"

    @property
    def app_db(self) -> Path:
        return self.path / "app.db"

    @property
    def lock_file(self) -> Path:
        return self.path / ".lock"

    def current(self) -> Path:
        """Folder of the current release, by its own name, so that a later switch does not change what it holds.

        Raises
        ------
        ReleaseError
            Nothing was published yet, or the link leads nowhere.
        """
        link = self.releases_dir / "current"
        try:
            name = os.readlink(link)
        except FileNotFoundError as fault:
            raise ReleaseError("还没有发布", where=str(self.releases_dir), remedy="先运行 yanpan etl") from fault
        except OSError as fault:
            raise ReleaseError(
                "当前发布损坏",
                where=str(link),
                found=os.strerror(fault.errno),
                expected="指向一次发布的相对链接",
                remedy="用 yanpan releases use 指定一次发布",
            ) from fault
        release = self.releases_dir / name
        if not (release / GEOPACKAGE).is_file():
            raise ReleaseError(
                "当前发布损坏",
                where=str(link),
                found=f"{name} 中没有 {GEOPACKAGE}",
                remedy="用 yanpan releases use 指定一次完整的发布",
            )
        return release


@dataclass(frozen=True)
class Build:
    """A release being built: its id and the folder to fill, on the file system of the releases."""

    workspace: Workspace
    release_id: str
    path: Path


@dataclass(frozen=True)
class Release:
    """A published release. ``created_at`` is UTC as the id tells it; ``bytes`` is the size of its files."""

    release_id: str
    path: Path
    created_at: datetime
    bytes: int
    is_current: bool


@contextmanager
def lock(workspace: Workspace) -> Iterator[None]:
    """Be the only writer of the workspace. The kernel releases the lock when the process ends, however it ends.

    Raises
    ------
    ReleaseError
        Another process holds the lock; the message says which, where, doing what, since when.
    """
    workspace.path.mkdir(parents=True, exist_ok=True)
    handle = os.open(workspace.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise ReleaseError(
                "工作区正由另一个程序写入", where=str(workspace.path), found=_holder(handle), remedy="等它结束后再运行"
            ) from fault
        os.ftruncate(handle, 0)
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            "since": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        os.pwrite(handle, json.dumps(holder, ensure_ascii=False).encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


@contextmanager
def begin(workspace: Workspace) -> Iterator[Build]:
    """Take the lock, clear what dead runs left, and give a folder to build in; it goes unless it was published.

    Raises
    ------
    ReleaseError
        The workspace is locked, or the disk filled up while building (whichever part noticed it).
    """
    with lock(workspace):
        try:
            workspace.releases_dir.mkdir(exist_ok=True)
            _clear_leftovers(workspace)
            release_id = _next_id(workspace)
            build = Build(workspace, release_id, workspace.releases_dir / f".building-{release_id}")
            build.path.mkdir()
            try:
                yield build
            finally:
                shutil.rmtree(build.path, ignore_errors=True)
        except ReleaseError:
            raise
        except Exception as fault:
            if _disk_full(fault):
                raise _full(workspace) from fault
            if "disk i/o error" in str(fault).lower():  # how SQLite tells of everything else that keeps it from writing
                raise ReleaseError(
                    "磁盘读写出错，当前发布未变",
                    where=str(workspace.releases_dir),
                    found=str(fault),
                    remedy="检查磁盘、配额与文件大小限制",
                ) from fault
            raise


def publish(build: Build) -> Path:
    """Make the build the current release; returns its folder. Called inside :func:`begin`.

    Everything is on the disk before the name and the link appear. Any failure before the switch leaves ``current``
    untouched and removes the new release.

    Raises
    ------
    ReleaseError
        The build lacks its GeoPackage, a database in it was not closed, or the disk is full.
    """
    if not (build.path / GEOPACKAGE).is_file():
        raise ReleaseError("发布不完整", where=build.release_id, found=f"没有 {GEOPACKAGE}")
    if open_logs := [p.name for p in build.path.iterdir() if p.name.endswith(("-wal", "-shm", "-journal", ".wal"))]:
        raise ReleaseError("发布中有未关闭的数据库", where=build.release_id, found="、".join(sorted(open_logs)))
    releases = build.workspace.releases_dir
    final = releases / build.release_id
    try:
        (build.path / _UNPUBLISHED).touch()
        _sync_tree(build.path)
        os.rename(build.path, final)
        _sync(releases)
        _switch(build.workspace, build.release_id)
    except OSError as fault:
        shutil.rmtree(build.path, ignore_errors=True)
        shutil.rmtree(final, ignore_errors=True)
        if _disk_full(fault):
            raise _full(build.workspace) from fault
        raise ReleaseError(
            "发布失败，当前发布未变", where=str(fault.filename or releases), found=os.strerror(fault.errno or 0)
        ) from fault
    # The release is current from here on: what still fails must not undo it, and the next run clears the marker.
    with suppress(OSError):
        _sync(releases)
        (final / _UNPUBLISHED).unlink()
    return final


def list_releases(workspace: Workspace) -> tuple[Release, ...]:
    """Published releases, oldest first."""
    current = _current_name(workspace)
    found = []
    for name in _names(workspace):
        path = workspace.releases_dir / name
        if name != current and (path / _UNPUBLISHED).exists():
            continue
        size = sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
        found.append(Release(name, path, _moment(name), size, name == current))
    return tuple(found)


def use(workspace: Workspace, release_id: str) -> Path:
    """Switch ``current`` to a release that exists; returns its folder.

    Raises
    ------
    ReleaseError
        No such release (those that exist are named), or the workspace is locked.
    """
    with lock(workspace):
        known = {release.release_id: release.path for release in list_releases(workspace)}
        if release_id not in known:
            raise ReleaseError(
                "没有这次发布",
                where=str(workspace.releases_dir),
                found=release_id,
                expected="、".join(known) or "还没有任何发布",
            )
        _switch(workspace, release_id)
        _sync(workspace.releases_dir)
        return known[release_id]


def prune(workspace: Workspace, *, keep: int) -> tuple[str, ...]:
    """Remove old releases but the ``keep`` newest; the current one always stays. Returns the ids removed.

    Raises
    ------
    UsageError
        ``keep`` is below 1: the newest stays so that the next id is later.
    ReleaseError
        The workspace is locked.
    """
    if keep < 1:
        raise UsageError("保留的发布数太少", found=str(keep), expected="至少 1")
    with lock(workspace):
        _clear_leftovers(workspace)
        removed = []
        for release in list_releases(workspace)[:-keep]:
            if not release.is_current:
                # Renamed first: a prune that is killed leaves no half-removed release in the list.
                aside = workspace.releases_dir / f".removing-{release.release_id}"
                os.rename(release.path, aside)
                shutil.rmtree(aside)
                removed.append(release.release_id)
        return tuple(removed)


def _holder(handle: int) -> str:
    try:
        holder = json.loads(os.pread(handle, 4096, 0))
        return f"进程 {holder['pid']}（{holder['host']}），{holder['command']}，自 {holder['since']}"
    except (ValueError, KeyError):
        return "另一个程序"


def _names(workspace: Workspace) -> list[str]:
    if not workspace.releases_dir.is_dir():
        return []
    return sorted(p.name for p in workspace.releases_dir.iterdir() if _ID_PATTERN.fullmatch(p.name) and p.is_dir())


def _current_name(workspace: Workspace) -> str | None:
    try:
        return os.readlink(workspace.releases_dir / "current")
    except OSError:
        return None


def _moment(release_id: str) -> datetime:
    return datetime.strptime(release_id, _ID_FORMAT).replace(tzinfo=UTC)


def _next_id(workspace: Workspace) -> str:
    """The present second, or the one after the newest release where the clock is not past it."""
    moment = datetime.now(UTC)
    if names := _names(workspace):
        moment = max(moment, _moment(names[-1]) + timedelta(seconds=1))
    return moment.strftime(_ID_FORMAT)


def _clear_leftovers(workspace: Workspace) -> None:
    """Remove what killed runs left. Safe under the lock only: nobody else can be building."""
    if not workspace.releases_dir.is_dir():
        return
    current = _current_name(workspace)
    for path in workspace.releases_dir.iterdir():
        if path.is_symlink() and path.name.startswith(_TEMPORARY):
            path.unlink()
        elif path.name.startswith(_TEMPORARY):
            shutil.rmtree(path)
        elif (path / _UNPUBLISHED).exists() and not path.is_symlink():
            if path.name == current:
                (path / _UNPUBLISHED).unlink()
            else:
                os.rename(path, aside := workspace.releases_dir / f".removing-{path.name}")
                shutil.rmtree(aside)


def _switch(workspace: Workspace, release_id: str) -> None:
    releases = workspace.releases_dir
    link = releases / f".current-{release_id}"
    link.unlink(missing_ok=True)
    try:
        os.symlink(release_id, link)
        os.replace(link, releases / "current")
    except OSError:
        link.unlink(missing_ok=True)
        raise


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_full(fault: BaseException) -> bool:
    if isinstance(fault, OSError) and fault.errno in _FULL_ERRNO:
        return True
    return any(words in str(fault).lower() for words in _FULL_TEXT)


def _full(workspace: Workspace) -> ReleaseError:
    free_mib = shutil.disk_usage(workspace.path).free >> 20
    return ReleaseError(
        "磁盘空间不足，当前发布未变",
        where=str(workspace.releases_dir),
        found=f"剩余 {free_mib} MiB",
        remedy="腾出空间，或用 yanpan releases prune 删去旧发布",
    )
