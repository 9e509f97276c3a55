"""Who reported what and when: declared sheets, and what a source's own silence tells."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.index import CADENCE_DAYS
from data.schema import LAYERS
from etl.extract.raw import Raw
from etl.sources import COUNTS, Source
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
SILENCE_CADENCES = 3
_STATES = ("missing", "zero", "reported")
_MISSING, _ZERO, _REPORTED = range(3)
_GAP_DAYS, _HANDFUL_DAYS, _LONGEST_GAP_DAYS = 366, 10, 3660


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
    """Report states of an incident source without a declared sheet: every cadence period from the first to the last
    event (mistyped years left out, see :func:`_main_body`). Periods wholly inside a silence of more than 3 cadences are
    ``missing``; others without an event ``zero``.

    ``days`` are the events' days (datetime64[D]); ``units`` the areas that together make the city.
    """
    if not days.size or not units:
        return LAYERS["report_status"].empty()
    seen = _main_body(np.unique(days))
    silence = SILENCE_CADENCES * CADENCE_DAYS[source.cadence]
    gaps = [(a + 1, b) for a, b in itertools.pairwise(seen) if (b - a).astype(int) - 1 > silence]
    spans = _walk(_first_period(seen[0], source.cadence), seen[-1] + 1, source.cadence)
    states = [_MISSING if any(a <= start and end <= b for a, b in gaps) else _ZERO for start, end in spans.tolist()]
    filled = np.searchsorted(seen, spans[:, 1]) > np.searchsorted(seen, spans[:, 0])
    states = np.where(filled, _REPORTED, states)
    return _derived(spans, units, np.repeat(states, len(units)), source.id)


def _main_body(seen: np.ndarray) -> np.ndarray:
    """Days without a leading handful that lie more than a year before the rest: a mistyped year, not a first event."""
    for at in np.flatnonzero(np.diff(seen).astype(int) > _GAP_DAYS)[::-1]:
        if at + 1 <= _HANDFUL_DAYS:
            return seen[at + 1 :]
    return seen


def _walk(start: np.datetime64, stop: np.datetime64, cadence: str) -> np.ndarray:
    """Periods one after another from ``start`` until ``stop`` is reached, as pairs of days."""
    spans = []
    while start < stop:
        spans.append((start, periods.end_of(start, cadence)))
        start = spans[-1][1]
    return np.array(spans, "datetime64[D]").reshape(-1, 2)


def of_disputes(source: Source, table: pa.Table) -> pa.Table:
    """Report states of a dispute source without a declared sheet: each unit that ever reported, each period from the
    first to the last; a line of zeros is a nil return, no line is ``missing``, also where nobody reported."""
    if not table.num_rows:
        return LAYERS["report_status"].empty()
    pairs = np.column_stack([table[n].to_numpy().astype("datetime64[D]") for n in ("period_start", "period_end")])
    spans = _with_gaps(_distinct(pairs), source.cadence)
    units = sorted(pc.unique(table["area_code"]).to_pylist())
    unit = pc.index_in(table["area_code"], value_set=pa.array(units, pa.string())).to_numpy()
    cell = np.searchsorted(_ordered(spans), _ordered(pairs)) * len(units) + unit
    events = np.sum([pc.fill_null(table[n], 0).to_numpy() for n in COUNTS], axis=0)
    states = np.full(len(spans) * len(units), _MISSING)
    states[cell] = _ZERO
    states[cell[events > 0]] = _REPORTED
    return _derived(spans, units, states, source.id)


def _ordered(spans: np.ndarray) -> np.ndarray:
    """Pairs of days as one number each, in the order of the pairs."""
    days = spans.astype(np.int64)
    return days[:, 0] * (1 << 24) + days[:, 1]


def _distinct(spans: np.ndarray) -> np.ndarray:
    return spans[np.unique(_ordered(spans), return_index=True)[1]]


def _with_gaps(spans: np.ndarray, cadence: str) -> np.ndarray:
    """Sorted periods and those between them that nobody named; a gap that only a mistyped year explains stays one."""
    first = _main_body(np.unique(spans[:, 0]))[0]
    reached = np.maximum.accumulate(spans[:, 1])
    between = [spans]
    for end, start in zip(reached[:-1], spans[1:, 0], strict=True):
        if first <= end < start <= end + _LONGEST_GAP_DAYS:
            walked = _walk(end, start, cadence)
            between.append(walked[walked[:, 1] <= start])  # a rest shorter than the cadence is no period
    return _distinct(np.concatenate(between))


def _first_period(day: np.datetime64, cadence: str) -> np.datetime64:
    if cadence == "day":
        return day
    if cadence == "week":
        return day - (day.astype(int) + 3) % 7
    month = day.astype("datetime64[M]")
    return (month if cadence == "month" else month - month.astype(int) % 3).astype("datetime64[D]")


def _derived(spans: np.ndarray, units: list[str], states: np.ndarray, dataset: str) -> pa.Table:
    """Rows of every period and unit, period by period; ``states`` are places in ``_STATES``."""
    start, end = (pa.array(np.repeat(days, len(units)), pa.date32()) for days in spans.T)
    unit = pa.array(np.tile(np.arange(len(units)), len(spans)))
    return _table(
        {
            "period_start": start,
            "period_end": end,
            "area_code": pa.array(units, pa.string()).take(unit),
            "dataset": pa.repeat(pa.scalar(dataset), len(states)),
            "state": pa.array(_STATES).take(pa.array(states)),
        },
        len(states),
    )


def _table(columns: dict[str, pa.Array], n: int) -> pa.Table:
    schema = LAYERS["report_status"].arrow_schema()
    return pa.table(
        {f.name: columns[f.name].cast(f.type) if f.name in columns else pa.nulls(n, f.type) for f in schema},
        schema=schema,
    )
