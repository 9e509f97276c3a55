"""The editable tables of data/codes/: words of other systems and what they are here."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def words(table: str) -> dict[str, str]:
    """A two-column table (their word, ours) as a mapping; ``table`` is a file name of data/codes without ``.csv``."""
    text = (files("data") / "codes" / f"{table}.csv").read_text("utf-8")
    return {row[0]: row[1] for row in list(csv.reader(text.splitlines()))[1:] if row}
