"""The worked example of the methods page runs on a release made from the demo's files."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: object) -> str:
    done = subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-800:]
    return done.stdout


def test_the_example_runs_on_the_demo(tmp_path):
    run("yanpan.py", "demo", "--scale", "small", "--workspace", tmp_path)
    run("yanpan.py", "etl", "--workspace", tmp_path)
    said = run("examples/methods.py", tmp_path / "releases" / "current").splitlines()
    events, hot = map(int, re.match(r"最近四周 (\d+) 起，φ=1\.\d\d，热点 (\d+) 格", said[0]).groups())
    assert 2000 < events < 2800  # about 577 a week, planted facts and the spike on top
    assert 28 < hot < 250  # four planted places of seven grids and the five controls, with their neighbours
    assert "在带内" in said[2] or "越出" in said[2]
    assert re.search(r"起，上期\d+起，.*p[=<]", said[3])
