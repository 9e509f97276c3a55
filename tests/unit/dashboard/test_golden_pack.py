"""The pack of a fixed release, word for word: it changes only where that is meant. To renew the golden text after a change that
is meant: ``YANPAN_GOLDEN=write .venv/bin/python -m pytest tests/unit/dashboard/test_golden_pack.py``, and read its diff.
"""

import os
from datetime import date
from pathlib import Path

import camera_release
import pandas as pd
import pytest
import small_release as small

from dashboard.reports import making
from dashboard.reports.making import pack_of
from dashboard.reports.question import Question, as_rows
from data.app_db import AppDb, ledger
from data.store import Scope

GOLDEN = Path(__file__).parent / "golden"
MONDAY = date(2026, 11, 16)


@pytest.mark.parametrize(
    ("name", "more"), [("week", {}), ("circulated", {"circulated_under": 5}), ("district", {"area": "990102"})]
)
def test_the_pack_is_the_golden_one(tmp_path, name, more):
    streets = sorted(small.grids()["street_code"].unique())
    week = {
        "period_start": date(2026, 11, 9),
        "period_end": MONDAY,
        "source_id": "jf",
        "channel": None,
        "closed_level": None,
    }
    stat = [{**week, "area_code": code, "category": None, "found": 40 + i, "accepted": 38, "handled": 36, "succeeded": 33, "open": 4, "overdue": i}
            for i, code in enumerate(streets)]  # fmt: skip
    sheet = small.weekly_sheet({(streets[0], 96): "missing"})
    folder = small.publish(tmp_path, small.incidents(12_000).assign(recorded_at=pd.NaT), sheet=sheet, dispute_stat=pd.DataFrame(stat),
                           **camera_release.layers(camera_release.cameras()))  # fmt: skip
    db = AppDb(tmp_path / "app.db")
    for days, matter in ((-20, "停车纠纷"), (10, "夜间巡防")):
        ledger.add(
            db,
            "分析",
            date(2026, 10, 20),
            matter=matter,
            unit="街道办事处",
            due=date.fromordinal(MONDAY.toordinal() + days),
            area_code="990102001",
        )
    question = Question(folder.name, "2026-W46", items=as_rows(ledger.items(db)), today=MONDAY, **{"area": "", **more})
    with small.opened(tmp_path) as release:
        told = "\n".join(pack_of(making.asked_of(release, Scope.everything(), question), question).texts()) + "\n"
    golden = GOLDEN / f"pack_{name}.txt"
    if os.environ.get("YANPAN_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(told, "utf-8")
    assert told.splitlines() == golden.read_text("utf-8").splitlines()
