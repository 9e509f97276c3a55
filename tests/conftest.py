"""What all tests share: where the real open data is, and the versions the run stands on."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pyogrio
import pyproj
import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_report_header() -> str:
    """Versions that decide geometry and storage."""
    return (
        f"GDAL {'.'.join(map(str, pyogrio.__gdal_version__))}  PROJ {pyproj.proj_version_str}  "
        f"SQLite {sqlite3.sqlite_version}  真实数据 {'有' if real_data_folder().is_dir() else '无'}"
    )


def real_data_folder() -> Path:
    """YANPAN_REAL_DATA, by default ../shared/data beside the project; relative paths count from the project."""
    return (ROOT / os.environ.get("YANPAN_REAL_DATA", "../shared/data")).resolve()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real open data; tests that need it are reported as not run where it is absent."""
    folder = real_data_folder()
    if not folder.is_dir():
        pytest.skip("real data absent")
    return folder
