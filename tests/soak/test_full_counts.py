"""Full counts, by hand: `make soak`. The table it prints is kept in docs/soak.md."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.soak
ROOT = Path(__file__).resolve().parents[2]
YANPAN = Path(sys.executable).parent / "yanpan"


def run(*arguments: str, check: bool = True) -> tuple[float, float]:
    """Wall seconds and peak MiB of one command."""
    began = time.perf_counter()
    child = subprocess.Popen([str(YANPAN), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = child.stderr.read().decode()
    _, status, usage = os.wait4(child.pid, 0)
    assert not check or status == 0, error[-500:]
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def quality(workspace: Path) -> dict:
    return json.loads((workspace / "releases" / "current" / "quality.json").read_text("utf-8"))


def accounts_add_up(document: dict) -> None:
    for name, source in document["sources"].items():
        assert source["rows_in"] == source["rows_out"] + source["rows_rejected"], name


@pytest.mark.parametrize("scale, incidents", [("city", 1_000_000), ("huge", 10_000_000)])
def test_demo_city_whole(tmp_path, scale, incidents):
    wrote, wrote_mib = run("demo", "--scale", scale, "--workspace", str(tmp_path))
    took, mib = run("etl", "--workspace", str(tmp_path))
    document = quality(tmp_path)
    accounts_add_up(document)
    rows = document["layers"]["incident"]
    print(
        f"\ndemo {scale}: 写 {wrote:.0f} s {wrote_mib:.0f} MiB；ETL {took:.0f} s {mib:.0f} MiB；事件 {rows:,}；"
        f"网格 {document['layers']['grid']:,}；摄像机 {document['layers']['camera']:,}"
    )
    assert document["layers"]["grid"] == 28_175
    assert document["layers"]["camera"] == 36_000
    assert abs(rows / incidents - 1) < 0.05
    assert mib < 6 * 1024
    again, _ = run("etl", "--workspace", str(tmp_path))
    assert len(list((tmp_path / "releases").glob("r*"))) == 1
    checked, _ = run("check", "--workspace", str(tmp_path))
    print(f"再跑一次（没有新内容）{again:.1f} s；check {checked:.1f} s")


def test_philadelphia_whole(tmp_path, real_data):
    took, mib = run("etl", "--sources", str(ROOT / "examples" / "philadelphia.toml"), "--workspace", str(tmp_path))
    document = quality(tmp_path)
    accounts_add_up(document)
    incidents = document["sources"]["incidents"]
    print(
        f"\n费城: {took:.1f} s {mib:.0f} MiB；{incidents['rows_in']:,} = {incidents['rows_out']:,} + "
        f"{incidents['rows_rejected']:,}；{incidents['location_quality']}"
    )
    assert incidents["rows_in"] == 901_965
    assert incidents["rows_rejected"] == 163  # SOURCE.md: dc_key repeated in 163 rows
    assert incidents["location_quality"]["none"] + incidents["location_quality"]["outside"] >= 18_409 + 28


def test_killed_at_any_moment(tmp_path):
    """40 runs killed at random: current is always whole, and the run after the last succeeds."""
    run("demo", "--workspace", str(tmp_path))
    run("etl", "--workspace", str(tmp_path))
    whole = os.readlink(tmp_path / "releases" / "current")
    sources = tmp_path / "sources.toml"
    chance, landed = random.Random(5), 0
    for n in range(40):
        sources.write_text(sources.read_text("utf-8") + f"# {n}\n", "utf-8")  # something new, so that it builds
        child = subprocess.Popen(
            [str(YANPAN), "etl", "--workspace", str(tmp_path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.2, 10))
        child.send_signal(signal.SIGKILL)
        child.wait()
        now = os.readlink(tmp_path / "releases" / "current")
        landed += now != whole
        whole = now
        if n % 10 == 0:
            run("check", "--workspace", str(tmp_path))
    run("etl", "--workspace", str(tmp_path))
    run("check", "--workspace", str(tmp_path))
    assert list((tmp_path / "releases").glob(".building-*")) == []
    print(f"\n40 次 SIGKILL：{landed} 次已发布，current 始终完整")
