"""The calendar of data/codes: 春节 by year. The file is editable; holidays and sensitive periods stand in it too."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path

from data.errors import UsageError

_FESTIVAL = "spring_festival"


@cache
def spring_festivals() -> dict[int, date]:
    """The first day of 正月 by year."""
    lines = (files("data") / "codes" / "calendar.csv").read_text("utf-8").splitlines()
    days = [date.fromisoformat(row["start"]) for row in csv.DictReader(lines) if row["kind"] == _FESTIVAL]
    return {day.year: day for day in days}


FILE_NAME = "calendar.csv"  # of a workspace: more rows of the same columns
_SENSITIVE = "sensitive"


def sensitive_periods(workspace: Path) -> list[tuple[date, date]]:
    """First and last days of 敏感时期, of data/codes and of the workspace's own calendar.

    Raises
    ------
    UsageError
        Where a row of the workspace's calendar cannot be read.
    """
    texts = [(files("data") / "codes" / "calendar.csv").read_text("utf-8")]
    own = Path(workspace) / FILE_NAME
    if own.is_file():
        content = own.read_bytes()
        try:
            texts.append(content.decode("utf-8-sig"))
        except UnicodeDecodeError:
            texts.append(content.decode("gb18030", "replace"))  # as Excel writes it
    found = []
    for text in texts:
        for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
            if (row.get("kind") or "").strip() != _SENSITIVE:
                continue
            try:
                found.append((date.fromisoformat(row["start"].strip()), date.fromisoformat(row["end"].strip())))
            except (KeyError, ValueError, AttributeError):
                raise UsageError("日历读不出", where=f"{FILE_NAME} 第 {number} 行", found=str(row.get("start"))[:20],
                                 expected="start,end,kind,name，日期如 2026-03-01") from None  # fmt: skip
    return found
