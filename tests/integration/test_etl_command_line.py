"""`yanpan etl` and `yanpan check` as a person calls them: exit codes, one line on stderr, the summary."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import pyogrio
import pytest
from city import City, incident_rows

ROOT = Path(__file__).resolve().parent.parent.parent


def yanpan(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(ROOT / "yanpan.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


def one_line(done: subprocess.CompletedProcess, *said: str) -> None:
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in said:
        assert word in lines[0]


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    made = City(tmp_path_factory.mktemp("city")).grids().incidents(incident_rows(20))
    made.write_sources()
    return made


def test_published_then_nothing_new_then_checked(city):
    first = yanpan("etl", "--workspace", city.path)
    assert first.returncode == 0, first.stderr
    assert "20" in first.stdout and "jq" in first.stdout and first.stderr == ""
    link = city.path / "releases" / "current"
    assert not os.path.isabs(os.readlink(link))
    release = city.current.name
    again = yanpan("etl", YANPAN_WORKSPACE=str(city.path))
    assert again.returncode == 0 and release not in again.stdout and "没有新内容" in again.stdout
    checked = yanpan("check", "--workspace", city.path)
    assert checked.returncode == 0, checked.stdout
    assert sorted(p.name for p in city.current.iterdir()) == ["city.duckdb", "city.gpkg", "quality.json", "rejects.csv"]
    assert oct((city.current / "city.gpkg").stat().st_mode)[-3] in "46"


def test_the_geopackage_opens_in_a_read_only_folder_with_gdal(city):
    if not (city.path / "releases" / "current").exists():
        yanpan("etl", "--workspace", city.path)
    folder = city.current
    folder.chmod(0o555)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what GDAL has to say comes as a warning
            seen = pyogrio.read_info(folder / "city.gpkg", layer="incident", force_feature_count=True)
    finally:
        folder.chmod(0o755)
    assert seen["features"] == 20
    assert not [p for p in folder.iterdir() if p.name.endswith(("-wal", "-shm", "-journal"))]


def test_refused_by_the_data_is_1_and_one_line(tmp_path):
    city = City(tmp_path).grids().incidents(incident_rows(3), columns={"status": "办理状态"})
    city.write_sources()
    done = yanpan("etl", "--workspace", tmp_path)
    assert done.returncode == 1
    one_line(done, "jq.csv", "办理状态")
    assert not (tmp_path / "releases" / "current").exists()


def test_a_personal_value_is_shown_neither_on_screen_nor_in_a_traceback(tmp_path):
    city = City(tmp_path).grids().incidents(incident_rows(20, 细类="手机13812345678"))
    city.write_sources()
    done = yanpan("etl", "--workspace", tmp_path)
    assert done.returncode == 1
    one_line(done, "jq.csv")
    assert "13812345678" not in done.stdout + done.stderr


@pytest.mark.parametrize("case", ["bad toml", "unknown option", "no such sources file"])
def test_wrong_use_is_2_and_one_line(tmp_path, case):
    arguments: list[object] = ["etl", "--workspace", tmp_path]
    if case == "bad toml":
        (tmp_path / "sources.toml").write_text("[release\ntitle = ", "utf-8")
    elif case == "unknown option":
        arguments.append("--colour")
    elif case == "no such sources file":
        arguments += ["--sources", tmp_path / "gone.toml"]
    done = yanpan(*arguments)
    assert done.returncode == 2
    one_line(done)


def test_check_finds_a_tampered_release(city, tmp_path):
    if not (city.path / "releases" / "current").exists():
        yanpan("etl", "--workspace", city.path)
    shutil.copy(city.current / "city.gpkg", tmp_path / "city.gpkg")
    with sqlite3.connect(tmp_path / "city.gpkg") as db:
        db.execute("update source_run set rows_out = rows_out + 1 where source_id = 'jq'")
    done = yanpan("check", tmp_path / "city.gpkg")
    assert done.returncode == 1 and "jq.csv" in done.stdout and "21" in done.stdout
