"""The 碰头会 pack in all formats, self-check and all, and the meeting page's first section.

Run: PYTHONPATH=.:tests/benchmarks .venv/bin/python tests/benchmarks/bench_report.py [WORKSPACE]
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from urllib.request import urlopen

from bench_page import city, served, show
from clock import calibration

from dashboard.reports.asked import period_text
from dashboard.reports.making import FORMS, make_files
from dashboard.reports.question import Question
from data.store import Limits, Release, Scope

RUNS = 3  # of some seconds each
OPENINGS = 20


def main() -> None:
    with city(sys.argv[1:]) as workspace:
        current = workspace / "releases" / os.readlink(workspace / "releases" / "current")
        release = Release(current, Limits())
        period = period_text(release.default_window())
        release.close()
        print(f"calibration {calibration():.2f} s")
        question = Question(current.name, period, "", date.today())
        times = []
        for _ in range(RUNS):
            with tempfile.TemporaryDirectory() as out:
                began = time.perf_counter()
                make_files(current, Scope.everything(), question, FORMS, Path(out))
                times.append(1000 * (time.perf_counter() - began))
        show("a pack in all four formats, checked", times)
        print(f"most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
        if (current / "city.gpkg").is_file():
            with served(workspace, "1") as address:
                opened = []
                for _ in range(OPENINGS):
                    began = time.perf_counter()
                    urlopen(f"{address}/meeting").read()
                    opened.append(1000 * (time.perf_counter() - began))
                show("the meeting page with its first section", opened)


if __name__ == "__main__":
    main()
