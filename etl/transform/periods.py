"""Reporting periods as sheets name them: 2026-W46, 2026年10月, 01/2020, 2026Q3, first and last day."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from etl.extract.raw import Raw
from etl.sources import Source
from etl.transform import text, times
from etl.transform.common import Context

_Y, _M = r"((?:19|20)\d{2})", r"(0?[1-9]|1[0-2])"  # years in reach: 4565 is the head of an Excel serial day
_WEEK = re.compile(rf"^{_Y}[-年/ ]?(?:W|第)0?(\d{{1,2}})周?$", re.I | re.A)
_QUARTER = re.compile(rf"^{_Y}[-年/ ]?(?:Q([1-4])|第?([一二三四1-4])季度?)$", re.I | re.A)
_HALF = re.compile(rf"^{_Y}[-年/ ]?{_M}(?:-H([12])|月([上下])(?:半月)?)$", re.I | re.A)
_MONTH = re.compile(rf"^{_Y}(?:[-年/.]{_M}|(0[1-9]|1[0-2]))月?份?$", re.A)
_MONTH_FIRST = re.compile(rf"^{_M}[/-]{_Y}$", re.A)
_YEAR = re.compile(rf"^{_Y}年?$", re.A)
_NEITHER = re.compile(r"^(?:19|20)\d{3}$", re.A)  # 20261: a month without its 0, not a serial day of 1955
_IN_NAME = re.compile(r"(?<!\d)(20\d{2})\s*[-_年.]?\s*(0?[1-9]|1[0-2])(?!\d)")
_IN_TITLE = re.compile(r"(?:(20\d{2})\s*年)?\s*(\d{1,2})\s*月")


def period(word: str, cadence: str) -> tuple[np.datetime64, np.datetime64] | None:
    """Half-open days of one period word; a plain date is the period of the source's cadence that begins there."""
    word = word.strip()
    if found := _WEEK.match(word):
        return _week(int(found[1]), int(found[2]))
    if found := _QUARTER.match(word):
        quarter = found[2] or str("一二三四".find(found[3]) + 1 if found[3] in "一二三四" else found[3])
        start = np.datetime64(f"{found[1]}-{3 * int(quarter) - 2:02d}", "M")
        return start.astype("datetime64[D]"), (start + 3).astype("datetime64[D]")
    if found := _HALF.match(word):
        start = np.datetime64(f"{found[1]}-{int(found[2]):02d}", "M")
        middle = start.astype("datetime64[D]") + 15
        return (
            (start.astype("datetime64[D]"), middle)
            if found[3] == "1" or found[4] == "上"
            else (middle, (start + 1).astype("datetime64[D]"))
        )
    if found := _MONTH.match(word):
        return _month(found[1], found[2] or found[3])
    if found := _MONTH_FIRST.match(word):
        return _month(found[2], found[1])
    if found := _YEAR.match(word):
        return np.datetime64(f"{found[1]}-01-01"), np.datetime64(f"{int(found[1]) + 1}-01-01")
    if _NEITHER.match(word):
        return None
    parsed = times.parse(text.fold(pa.array([word])), zone="UTC")
    if np.isnat(parsed.start[0]):
        return None
    start = parsed.start[0].astype("datetime64[D]")
    return start, end_of(start, cadence)


def end_of(start: np.datetime64, cadence: str) -> np.datetime64:
    """Exclusive end of the period of a cadence that begins on ``start``."""
    if cadence == "day":
        return start + 1
    if cadence == "week":
        return start + 7
    months = {"month": 1, "quarter": 3}[cadence]
    later = start.astype("datetime64[M]") + months
    return later.astype("datetime64[D]") + (start - start.astype("datetime64[M]").astype("datetime64[D]"))


def _week(year: int, week: int) -> tuple[np.datetime64, np.datetime64] | None:
    fourth = np.datetime64(f"{year}-01-04")
    monday = fourth - (fourth.astype(int) + 3) % 7
    start = monday + 7 * (week - 1)
    return (start, start + 7) if 1 <= week <= 53 else None


def _month(year: str, month: str) -> tuple[np.datetime64, np.datetime64]:
    start = np.datetime64(f"{year}-{int(month):02d}", "M")
    return start.astype("datetime64[D]"), (start + 1).astype("datetime64[D]")


def read(raw: Raw, source: Source, context: Context) -> tuple[np.ndarray, np.ndarray]:
    """Start and exclusive end of each record's period, datetime64[D], NaT where unreadable. Without a period column
    or constant the month is taken from the sheet's title and the file's name (a title may leave out the year)."""
    start, end = np.full(len(raw), np.datetime64("NaT", "D")), np.full(len(raw), np.datetime64("NaT", "D"))
    if source.given("period"):
        _fill(text.column(raw, source, "period"), source.cadence, start, end)
    elif source.given("period_start"):
        _fill(text.column(raw, source, "period_start"), source.cadence, start, end)
        last = text.column(raw, source, "period_end")
        if last is not None:
            stop = times.parse(last, zone=context.zone).start.astype("datetime64[D]")
            end = np.where(np.isnat(stop), end, stop)
    elif (span := named(raw.title, raw.file)) is not None:
        start[:], end[:] = span
    bad = ~(start < end)
    start[bad], end[bad] = np.datetime64("NaT"), np.datetime64("NaT")
    return start, end


def named(title: str, file: str) -> tuple[np.datetime64, np.datetime64] | None:
    """The month that a title and a file name agree on; None where they name none, or two."""
    in_file = _IN_NAME.search(file)
    in_title = _IN_TITLE.search(title)
    if in_title and 1 <= int(in_title[2]) <= 12:
        year = in_title[1] or (in_file[1] if in_file else None)
        if year is None or (in_file and int(in_file[2]) != int(in_title[2])):
            return None
        return _month(year, in_title[2])
    return _month(in_file[1], in_file[2]) if in_file else None


def _fill(array: pa.Array, cadence: str, start: np.ndarray, end: np.ndarray) -> None:
    encoded = array.dictionary_encode()
    spans = [period(w, cadence) if w else None for w in encoded.dictionary.to_pylist()]
    nothing = (np.datetime64("NaT", "D"),) * 2
    pairs = np.array([s or nothing for s in spans], dtype="datetime64[D]").reshape(-1, 2)
    at = encoded.indices.to_numpy(zero_copy_only=False)
    start[:], end[:] = pairs[at, 0], pairs[at, 1]
