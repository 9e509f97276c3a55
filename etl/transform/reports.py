"""Who reported what and when: declared sheets, and what a source's own silence tells."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pyarrow as pa

from data.schema import LAYERS
from etl.extract.raw import Raw
from etl.sources import Source
from etl.transform import periods, text, times
from etl.transform.common import Context, words
from etl.transform.units import Units, column_of

STATE_WORDS = {
    "未报": "missing",
    "漏报": "missing",
    "missing": "missing",
    "零报": "zero",
    "零报告": "zero",
    "0": "zero",
    "zero": "zero",
    "已报": "reported",
    "上报": "reported",
    "迟报": "reported",
    "reported": "reported",
}
CADENCE_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92}
SILENCE_CADENCES = 3


def read(
    raw: Raw, source: Source, context: Context, run: int, keep: np.ndarray, units: Units, datasets: set[str]
) -> tuple[pa.Table, np.ndarray]:
    """Rows of ``report_status`` and the file row each came from."""
    accounts = context.accounts
    start, end = periods.read(raw, source, context)
    area = units.find(raw, source, context)
    state = words(text.column(raw, source, "state"), source, "state", STATE_WORDS, None, context)
    dataset = text.mapped_values(text.column(raw, source, "dataset"), source, "dataset")
    known = np.array([d in datasets for d in dataset.to_pylist()], bool)
    for bad, reason in (
        (np.isnat(start), "unreadable_period"),
        (np.array([a is None for a in area]), "unknown_area"),
        (state.is_null().to_numpy(zero_copy_only=False), "unknown_state"),
        (~known, "unknown_dataset"),
    ):
        at = keep & bad
        accounts.reject(run, raw.row[at], reason)
        keep = keep & ~at
    at = pa.array(np.flatnonzero(keep))
    columns = {
        "period_start": pa.array(start[keep], pa.date32()),
        "period_end": pa.array(end[keep], pa.date32()),
        "area_code": column_of(area[keep]),
        "dataset": dataset.take(at),
        "state": state.take(at),
    }
    for name in ("due_at", "reported_at"):
        value = text.column(raw, source, name)
        if value is not None:
            moment = times.parse(value, zone=context.zone, source_zone=source.timezone).start[keep]
            columns[name] = pa.array(moment, pa.timestamp("s"), mask=np.isnat(moment))
    return _table(columns, int(keep.sum())), raw.row[keep]


def of_incidents(source: Source, days: np.ndarray, units: list[str]) -> pa.Table:
    """Report states of an incident source without a declared sheet: every cadence period from its first to its last
    event. Periods wholly inside a silence of more than 3 cadences are ``missing``; others without an event ``zero``.

    ``days`` are the events' days (datetime64[D]); ``units`` the areas that together make the city.
    """
    if not days.size or not units:
        return LAYERS["report_status"].empty()
    seen = np.unique(days)
    silence = SILENCE_CADENCES * CADENCE_DAYS[source.cadence]
    gaps = [(a + 1, b) for a, b in itertools.pairwise(seen) if (b - a).astype(int) - 1 > silence]
    start = _first_period(seen[0], source.cadence)
    rows = []
    while start <= seen[-1]:
        end = periods.end_of(start, source.cadence)
        filled = np.searchsorted(seen, end) > np.searchsorted(seen, start)
        silent = any(a <= start and end <= b for a, b in gaps)
        rows += [(start, end, unit, "reported" if filled else "missing" if silent else "zero") for unit in units]
        start = end
    return _derived(rows, source.id)


def of_disputes(source: Source, table: pa.Table) -> pa.Table:
    """Report states of a dispute source without a declared sheet: each unit that ever reported, each period any unit
    reported; a line of zeros is a nil return, no line is ``missing``."""
    if not table.num_rows:
        return LAYERS["report_status"].empty()
    frame = table.select(["period_start", "period_end", "area_code"]).to_pandas()
    counts = [n for n in ("found", "accepted", "handled", "succeeded", "open") if table[n].null_count < len(table)]
    frame["total"] = np.sum([table[n].to_pandas().fillna(0) for n in counts], axis=0) if counts else 0
    held = frame.groupby(["period_start", "period_end", "area_code"])["total"].sum()
    rows = []
    for start, end in held.index.droplevel("area_code").unique():
        for unit in sorted(frame["area_code"].unique()):
            value = held.get((start, end, unit))
            rows.append(
                (
                    np.datetime64(start, "D"),
                    np.datetime64(end, "D"),
                    unit,
                    "missing" if value is None else "reported" if value > 0 else "zero",
                )
            )
    return _derived(rows, source.id)


def _first_period(day: np.datetime64, cadence: str) -> np.datetime64:
    if cadence == "day":
        return day
    if cadence == "week":
        return day - (day.astype(int) + 3) % 7
    month = day.astype("datetime64[M]")
    return (month if cadence == "month" else month - month.astype(int) % 3).astype("datetime64[D]")


def _derived(rows: list[tuple], dataset: str) -> pa.Table:
    frame = pd.DataFrame(rows, columns=["period_start", "period_end", "area_code", "state"])
    return _table(
        {
            "period_start": pa.array(frame["period_start"].to_numpy().astype("datetime64[D]"), pa.date32()),
            "period_end": pa.array(frame["period_end"].to_numpy().astype("datetime64[D]"), pa.date32()),
            "area_code": pa.array(frame["area_code"].tolist(), pa.string()),
            "dataset": pa.repeat(pa.scalar(dataset), len(frame)),
            "state": pa.array(frame["state"].tolist(), pa.string()),
        },
        len(frame),
    )


def _table(columns: dict[str, pa.Array], n: int) -> pa.Table:
    schema = LAYERS["report_status"].arrow_schema()
    return pa.table(
        {f.name: columns[f.name].cast(f.type) if f.name in columns else pa.nulls(n, f.type) for f in schema},
        schema=schema,
    )
