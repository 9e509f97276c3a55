"""The calendar of data/codes: 春节 by year. The file is editable; holidays and sensitive periods stand in it too."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from importlib.resources import files

_FESTIVAL = "spring_festival"


@cache
def spring_festivals() -> dict[int, date]:
    """The first day of 正月 by year."""
    lines = (files("data") / "codes" / "calendar.csv").read_text("utf-8").splitlines()
    days = [date.fromisoformat(row["start"]) for row in csv.DictReader(lines) if row["kind"] == _FESTIVAL]
    return {day.year: day for day in days}
