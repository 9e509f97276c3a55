"""Releases: ``current`` is a whole release at every instant, whatever happens to the run."""

import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from full_release import city, info

from data import geopackage, releases
from data.errors import ReleaseError, UsageError
from data.releases import Workspace, begin, list_releases, lock, prune, publish, use


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "w")


def make(workspace, content: bytes = b"g" * 1000):
    with begin(workspace) as build:
        fill(build, content)
        return publish(build)


def fill(build, content: bytes) -> None:
    (build.path / "city.gpkg").write_bytes(content)
    (build.path / "tiles").mkdir()
    (build.path / "tiles" / "sum").write_text(hashlib.sha256(content).hexdigest())


def whole(release) -> bool:
    return (release / "tiles" / "sum").read_text() == hashlib.sha256((release / "city.gpkg").read_bytes()).hexdigest()


def test_paths_of_a_workspace(workspace, tmp_path, monkeypatch):
    assert workspace.sources_file == tmp_path / "w" / "sources.toml"
    assert (workspace.inbox, workspace.app_db) == (tmp_path / "w" / "inbox", tmp_path / "w" / "app.db")
    monkeypatch.chdir(tmp_path)
    assert Workspace("w").releases_dir == workspace.releases_dir


def test_publishing_switches_a_relative_link(workspace):
    first = make(workspace)
    assert workspace.current() == first == workspace.releases_dir / first.name
    second = make(workspace)
    assert os.readlink(workspace.releases_dir / "current") == second.name
    assert workspace.current() == second and whole(first) and whole(second)
    assert sorted(os.listdir(workspace.releases_dir)) == sorted(["current", first.name, second.name])
    assert sorted(os.listdir(second)) == ["city.gpkg", "tiles"]


def test_ids_are_utc_seconds_and_always_later(workspace):
    before = datetime.now(UTC).replace(microsecond=0)
    ids = [make(workspace).name for _ in range(5)]
    assert ids == sorted(set(ids))
    assert before <= datetime.strptime(ids[0], "r%Y%m%d-%H%M%S").replace(tzinfo=UTC) <= datetime.now(UTC)
    os.rename(workspace.releases_dir / ids[-1], workspace.releases_dir / "r20991231-235959")
    assert make(workspace).name == "r21000101-000000"


def test_nothing_published_yet_is_one_clear_line(workspace):
    with pytest.raises(ReleaseError, match=r"还没有发布.*yanpan etl"):
        workspace.current()
    release = make(workspace)
    (release / "city.gpkg").unlink()
    with pytest.raises(ReleaseError, match=r"当前发布损坏.*没有 city\.gpkg"):
        workspace.current()
    (workspace.releases_dir / "current").unlink()
    (workspace.releases_dir / "current").mkdir()
    with pytest.raises(ReleaseError, match="当前发布损坏"):
        workspace.current()


def test_a_build_that_fails_leaves_nothing(workspace):
    current = make(workspace)
    with pytest.raises(ValueError, match="the data"), begin(workspace) as build:
        fill(build, b"half")
        raise ValueError("the data")
    with begin(workspace) as build:
        fill(build, b"never published")
    assert workspace.current() == current
    assert sorted(os.listdir(workspace.releases_dir)) == sorted(["current", current.name])


def test_an_incomplete_or_open_build_is_not_published(workspace):
    with begin(workspace) as build:
        with pytest.raises(ReleaseError, match="发布不完整"):
            publish(build)
        fill(build, b"x")
        (build.path / "city.gpkg-wal").touch()
        with pytest.raises(ReleaseError, match=r"未关闭.*city\.gpkg-wal"):
            publish(build)
    with pytest.raises(ReleaseError, match="还没有发布"):
        workspace.current()


HOLDER = """
import sys, time
sys.path.insert(0, sys.argv[2])
from data.releases import Workspace, lock
with lock(Workspace(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_is_told_who_holds_the_lock_until_it_dies(workspace):
    root = str(releases.Path(releases.__file__).parents[1])
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(workspace.path), root], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout.readline() == b"held\n"
            for writer in (begin(workspace), lock(workspace)):
                with (
                    pytest.raises(ReleaseError, match=rf"正由另一个程序写入.*进程 {child.pid}（.+）.*自 20\d\d-.*Z"),
                    writer,
                ):
                    pass
            for call in (lambda: use(workspace, "r20200101-000000"), lambda: prune(workspace, keep=1)):
                with pytest.raises(ReleaseError, match=str(child.pid)):
                    call()
        finally:
            child.kill()
    make(workspace)


def test_leftovers_of_dead_runs_are_cleared(workspace):
    current = make(workspace)
    directory = workspace.releases_dir
    (directory / ".building-r20200101-000000").mkdir()
    (directory / ".building-r20200101-000000" / "city.gpkg").touch()
    (directory / ".removing-r20200101-000000").mkdir()
    os.symlink("r20200101-000000", directory / ".current-r20200101-000000")
    (directory / "r20990101-000000").mkdir()  # renamed into place, killed before the switch
    (directory / "r20990101-000000" / ".unpublished").touch()
    assert [release.release_id for release in list_releases(workspace)] == [current.name]
    with begin(workspace) as build:
        assert sorted(os.listdir(directory)) == sorted([build.path.name, "current", current.name])
    # Killed after the switch: it is the current release, and stays.
    (current / ".unpublished").touch()
    assert [release.is_current for release in list_releases(workspace)] == [True]
    with begin(workspace):
        pass
    assert workspace.current() == current and not (current / ".unpublished").exists()


def test_using_and_listing(workspace):
    made = [make(workspace, b"x" * size) for size in (10, 20, 30)]
    use(workspace, made[0].name)
    listed = list_releases(workspace)
    assert workspace.current() == made[0]
    assert [(r.release_id, r.is_current) for r in listed] == [(m.name, m == made[0]) for m in made]
    assert [r.bytes - 64 for r in listed] == [10, 20, 30]
    with pytest.raises(
        ReleaseError, match=f"没有这次发布.*r20200101-000000.*{made[0].name}、{made[1].name}、{made[2].name}"
    ):
        use(workspace, "r20200101-000000")
    for outside in ("../w", "current", ""):
        with pytest.raises(ReleaseError, match="没有这次发布"):
            use(workspace, outside)


def test_pruning_keeps_the_newest_and_the_current(workspace):
    made = [make(workspace).name for _ in range(5)]
    use(workspace, made[1])
    assert prune(workspace, keep=2) == (made[0], made[2])
    assert [release.release_id for release in list_releases(workspace)] == [made[1], made[3], made[4]]
    assert workspace.current().name == made[1] and whole(workspace.current())
    assert prune(workspace, keep=9) == ()
    with pytest.raises(UsageError, match="至少 1"):
        prune(workspace, keep=0)


def _publish_until_killed(workspace) -> None:
    while True:
        make(workspace, os.urandom(random.Random().randrange(1, 200_000)))
        prune(workspace, keep=2)


def test_sigkill_at_any_moment_leaves_current_whole(workspace):
    make(workspace)
    moments = random.Random(5)
    seen = set()
    for _ in range(25):
        child = os.fork()
        if not child:
            try:
                _publish_until_killed(workspace)
            finally:
                os._exit(1)
        time.sleep(moments.random() * 0.06)
        os.kill(child, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        current = workspace.current()
        assert whole(current)
        assert all(whole(release.path) for release in list_releases(workspace))
        seen.add(current.name)
    last = make(workspace)
    assert len(seen) > 3 and workspace.current() == last
    assert not [name for name in os.listdir(workspace.releases_dir) if name.startswith(".")]


STEPS = ("rename", "symlink", "replace", "fsync")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_full_or_failing_disk_leaves_current_whole(workspace, monkeypatch, step, code):
    current = make(workspace)

    def failing(*_args, **_kwargs):
        raise OSError(code, os.strerror(code))

    words = "磁盘空间不足，当前发布未变.*剩余.*prune" if code == errno.ENOSPC else "发布失败，当前发布未变.*error"
    with pytest.raises(ReleaseError, match=words) as told, begin(workspace) as build:
        fill(build, b"new")
        monkeypatch.setattr(releases.os, step, failing)
        try:
            publish(build)
        finally:
            monkeypatch.undo()
    assert "\n" not in told.value.line()
    assert workspace.current() == current and whole(current)
    assert sorted(os.listdir(workspace.releases_dir)) == sorted(["current", current.name])


FILLER = """
import resource, sys
sys.path[:0] = [sys.argv[2], sys.argv[3]]
import signal
from data import geopackage
from data.errors import ReleaseError
from data.releases import Workspace, begin, publish
from full_release import city, info
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
tables = city(200)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), resource.RLIM_INFINITY))
try:
    with begin(Workspace(sys.argv[1])) as build:
        geopackage.write(build.path / "city.gpkg", tables, info())
        publish(build)
except ReleaseError as fault:
    print(fault.line())
    sys.exit(1)
"""


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB, where the machine lets us mount one."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], capture_output=True).returncode:
        pytest.skip("no right to mount a file system")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_a_disk_that_fills_up_is_told_in_one_line(small_disk):
    workspace = Workspace(small_disk / "w")
    current = make(workspace)
    tables = city(5000)
    with pytest.raises(ReleaseError, match=r"磁盘空间不足，当前发布未变.*剩余 .*prune"), begin(workspace) as build:
        geopackage.write(build.path / "city.gpkg", tables, info())
    assert workspace.current() == current and whole(current)
    assert sorted(os.listdir(workspace.releases_dir)) == sorted(["current", current.name])
    make(workspace)


@pytest.mark.parametrize("limit", [20_000, 300_000, 700_000])
def test_no_room_while_the_geopackage_is_written(workspace, limit):
    current = make(workspace)
    here = releases.Path(__file__).parent
    ran = subprocess.run(
        [sys.executable, "-c", FILLER, workspace.path, here.parents[2], here, str(limit)],
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.startswith("磁盘") and "当前发布未变" in ran.stdout and ran.stdout.count("\n") == 1
    assert workspace.current() == current and whole(current)
    assert sorted(os.listdir(workspace.releases_dir)) == sorted(["current", current.name])
