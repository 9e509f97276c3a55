"""SIGKILL or a full disk at any moment: `current` stays on a whole release and the next run cleans up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from city import City, csv_text, incident_rows

from data.errors import ReleaseError
from data.releases import Workspace, lock

ROOT = Path(__file__).resolve().parent.parent.parent

# Forks one child for each moment, so that the libraries are loaded once: at a share of the progress, or before the
# n-th rename or link on disk. The child is killed there; a moment that is never reached ends with exit code 9.
DRIVER = """
import json, os, signal, sys
from pathlib import Path
from data.releases import Workspace
from etl import pipeline

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def child(moment):
    kind, _, value = moment.partition(":")
    def progress(stage, share):
        if kind == "share" and share >= float(value):
            die()
    if kind == "call":
        left = [int(value)]
        for name in ("rename", "replace", "symlink"):
            real = getattr(os, name)
            def wrapped(*a, _real=real, **k):
                left[0] -= 1
                if left[0] < 0:
                    die()
                return _real(*a, **k)
            setattr(os, name, wrapped)
    if kind == "size":
        import resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(value), int(value)))
    pipeline.run(Workspace(Path(sys.argv[1])), progress=progress)

out = []
for moment in json.loads(sys.argv[2]):
    pid = os.fork()
    if pid == 0:
        code = 9
        try:
            child(moment)
        except Exception as fault:
            print(type(fault).__name__, file=sys.stderr)
            code = 1
        os._exit(code)
    status = os.waitpid(pid, 0)[1]
    current = os.path.realpath(Path(sys.argv[1]) / "releases" / "current")
    out.append([moment, os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status), current])
print(json.dumps(out))
"""


def kill_at(city: City, moments: list[str]) -> list[tuple[str, int, str]]:
    city.write_sources()
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(city.path), json.dumps(moments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(row) for row in json.loads(done.stdout)]


def tidy(city: City) -> list[str]:
    """Names in releases/ other than whole releases and the link."""
    out = []
    for entry in (city.path / "releases").iterdir():
        whole = entry.is_dir() and {"city.gpkg", "city.duckdb", "quality.json", "rejects.csv"} == {
            p.name for p in entry.iterdir()
        }
        if entry.name != "current" and not whole:
            out.append(entry.name)
    return out


def test_killed_at_many_moments_current_stays_whole_and_the_next_run_succeeds(tmp_path):
    city = City(tmp_path).grids().incidents(incident_rows(9))
    city.run()
    first = city.current
    city.incidents(incident_rows(400))
    moments = [f"share:{s}" for s in (0.0, 0.3, 0.6, 0.7, 0.95)] + [f"call:{n}" for n in range(4)]
    seen = kill_at(city, moments)
    killed = [m for m, status, _ in seen if status == signal.SIGKILL]
    assert set(killed) >= {"share:0.0", "share:0.3", "share:0.6", "share:0.95", "call:0"}
    for moment, status, current in seen:
        folder = Path(current)
        assert {"city.gpkg", "city.duckdb", "quality.json", "rejects.csv"} <= {p.name for p in folder.iterdir()}, moment
        if status == signal.SIGKILL and moment.startswith("share"):
            assert folder == first, moment
        rows = len(json.loads((folder / "quality.json").read_text("utf-8"))["release"]["sources"])
        assert rows == 2
    city.incidents(incident_rows(401))
    done = city.run()
    assert done.release_id == city.current.name
    assert len(city.table("incident")) == 401
    assert tidy(city) == []


def test_a_first_run_that_is_killed_leaves_nothing_that_looks_like_a_release(tmp_path):
    city = City(tmp_path).grids().incidents(incident_rows(9))
    kill_at(city, ["share:0.6", "share:0.95"])
    assert not (tmp_path / "releases" / "current").exists()
    city.run()
    assert len(city.table("incident")) == 9 and tidy(city) == []


def test_a_full_disk_is_a_fault_that_publishes_nothing(tmp_path):
    city = City(tmp_path).grids().incidents(incident_rows(9))
    city.run()
    first = city.current
    city.incidents(incident_rows(3000))
    seen = kill_at(city, ["size:20000", "size:300000"])
    for moment, status, current in seen:
        assert status in (-1, -9), (moment, status)
        if status == -1:
            assert Path(current) == first
    assert seen[0][1] == -1
    assert tidy(city) == []
    city.incidents(incident_rows(3001))
    city.run()
    assert len(city.table("incident")) == 3001 and tidy(city) == []


def test_the_command_itself_killed_by_the_clock(tmp_path):
    city = City(tmp_path).grids().incidents(incident_rows(9))
    city.run()
    first = city.current
    city.put("jq.csv", csv_text(incident_rows(30_000)))
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "yanpan.py"), "etl", "--workspace", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(1.8)
    process.kill()
    process.wait(30)
    assert {"city.gpkg", "city.duckdb", "quality.json", "rejects.csv"} <= {p.name for p in city.current.iterdir()}
    rows = len(city.table("incident"))
    assert rows == (9 if city.current == first else 30_000)
    city.put("jq.csv", csv_text(incident_rows(50)))
    city.run()
    assert len(city.table("incident")) == 50 and tidy(city) == []


def test_a_second_writer_is_told_who_holds_the_workspace(tmp_path):
    city = City(tmp_path).grids().incidents(incident_rows(9))
    with lock(Workspace(tmp_path)), pytest.raises(ReleaseError) as caught:
        city.run()
    assert str(os.getpid()) in str(caught.value)
