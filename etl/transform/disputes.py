"""Dispute statistics: one line a unit and period, or the wide workbook with a pair of columns for each type."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.code_tables import words as code_words
from data.schema import CLOSED_LEVELS, LAYERS
from etl.extract.raw import Raw
from etl.faults import ColumnFault
from etl.sources import COUNTS, Source
from etl.transform import periods, text
from etl.transform.common import Context, words
from etl.transform.units import Units, column_of

_STATED = re.compile(r"\(共计:?(\d+)件?\)")
_PAIR = re.compile(r"^(?P<group>.+)/(?P<leaf>[^/]*(?:化解数|化解件数))$")


def read(
    raw: Raw, source: Source, context: Context, run: int, keep: np.ndarray, units: Units, totals: pa.Table | None
) -> tuple[pa.Table, np.ndarray]:
    """Rows of ``dispute_stat`` and the file row each came from. ``totals`` are the sheet's 合计 rows, used as checks."""
    accounts = context.accounts
    start, end = periods.read(raw, source, context)
    bad = keep & np.isnat(start)
    accounts.reject(run, raw.row[bad], "unreadable_period")
    keep = keep & ~bad
    area = units.find(raw, source, context)
    lost = keep & np.array([a is None for a in area], bool)
    accounts.reject(run, raw.row[lost], "unknown_area")
    keep = keep & ~lost
    given = [c for c in COUNTS if c in raw.columns or c in source.defaults]
    pairs = None if given else type_pairs(raw.table.column_names)
    if not given and not pairs:
        raise ColumnFault(
            "没有映射任何计数",
            where=f"{source.id} {raw.file}",
            expected=f"{'、'.join(COUNTS)} 中至少一个，或“类型/化解数”成对的表头",
            remedy="在 [source.columns] 中补上计数列",
        )
    if pairs:
        return _wide(raw, source, context, run, keep, start, end, area, pairs, totals)
    counts = {c: text.whole(text.column(raw, source, c)) for c in given}
    for name in given:
        keep = _readable(text.column(raw, source, name), counts[name], name, raw, context, run, keep)
    blank = keep & np.all([v.is_null().to_numpy(zero_copy_only=False) for v in counts.values()], axis=0)
    accounts.reject(run, raw.row[blank], "nothing_reported")
    keep = keep & ~blank
    _check_totals(raw, source, context, keep, counts, totals)
    at = pa.array(np.flatnonzero(keep))
    columns = _frame(int(keep.sum()), source.id, start[keep], end[keep], area[keep])
    for name, value in counts.items():
        columns[name] = value.take(at)
    for name, table in (
        ("category", code_words("dispute_category")),
        ("channel", code_words("dispute_channel")),
        ("closed_level", {c: c for c in CLOSED_LEVELS}),
    ):
        value = text.column(raw, source, name)
        if value is not None:
            blank = pc.equal(value, "")
            named = words(value, source, name, table, "其他" if name != "closed_level" else None, context)
            columns[name] = pc.if_else(blank, pa.scalar(None, pa.string()), named).take(at)
    return _table(columns), raw.row[keep]


def type_pairs(names: list[str]) -> dict[str, dict[str, str]]:
    """Types of a wide header: {type as written: {"done": column, "open": column}}."""
    out: dict[str, dict[str, str]] = {}
    for name in names:
        found = _PAIR.match(name)
        if found:
            group = _STATED.sub("", found["group"].rsplit("/", 1)[-1])
            if group.startswith(("当前", "本月")):
                continue
            out.setdefault(group, {})["open" if found["leaf"].startswith("未") else "done"] = name
    return {g: p for g, p in out.items() if len(p) == 2}


def pair_columns(names: list[str]) -> list[str]:
    """The columns of :func:`type_pairs` and of the sheet's own monthly totals, to be kept from being dropped."""
    pairs = type_pairs(names)
    wanted = {c for p in pairs.values() for c in p.values()}
    return [n for n in names if n in wanted or (pairs and "本月" in n)]


def _wide(
    raw: Raw,
    source: Source,
    context: Context,
    run: int,
    keep: np.ndarray,
    start,
    end,
    area,
    pairs: dict,
    totals: pa.Table | None,
) -> tuple[pa.Table, np.ndarray]:
    table = code_words("dispute_category")
    where = f"{source.id} {raw.file}"
    parts, rows, grand, told_any = [], [], np.zeros(len(raw)), np.zeros(len(raw), bool)
    cells, keep = _cells(raw, context, run, keep, pairs)
    for group, pair in pairs.items():
        done, left = cells[pair["done"]], cells[pair["open"]]
        filled = keep & ~pc.and_(pc.is_null(done), pc.is_null(left)).to_numpy(zero_copy_only=False)
        told_any |= filled
        both = pc.add(done, left)  # null where a half is blank: what was found is then not known
        held = pc.add(pc.fill_null(done, 0), pc.fill_null(left, 0)).to_numpy(zero_copy_only=False)
        grand += held
        at = pa.array(np.flatnonzero(filled))
        columns = _frame(int(filled.sum()), source.id, start[filled], end[filled], area[filled])
        category = words(pa.array([group]), source, "category", table, "其他", context)[0].as_py()
        columns["category"] = pa.repeat(pa.scalar(category), int(filled.sum()))
        columns["found"], columns["succeeded"], columns["open"] = both.take(at), done.take(at), left.take(at)
        parts.append(_table(columns))
        rows.append(raw.row[filled])
        stated = _STATED.search(pair["done"])
        total = int(held[keep].sum())
        if stated and int(stated[1]) != total:
            context.warn("total_mismatch", f"{where} {group}", f"表头写共计{stated[1]}件，各单位相加{total}件", 1)
        for name in pair.values():
            _check_total(where, name, cells[name], context, keep, totals)
    context.accounts.reject(run, raw.row[keep & ~told_any], "nothing_reported")
    for name in raw.table.column_names:
        if "本月" in name and "总数" in name:
            told = text.numbers(text.fold(raw.table[name].combine_chunks()))
            wrong = keep & told_any & np.isfinite(told) & (told != grand)
            if wrong.any():
                context.warn("total_mismatch", f"{where} {name}", "本月总数与各类型相加不符", int(wrong.sum()))
    return pa.concat_tables(parts), np.concatenate(rows)


def _cells(
    raw: Raw, context: Context, run: int, keep: np.ndarray, pairs: dict
) -> tuple[dict[str, pa.Array], np.ndarray]:
    """The counts of a wide sheet by column, blank ones null, and the records in which all that is filled is a count."""
    cells: dict[str, pa.Array] = {}
    for name in (column for pair in pairs.values() for column in pair.values()):
        written = text.fold(pc.fill_null(raw.table[name].combine_chunks(), ""))
        cells[name] = text.whole(written)
        keep = _readable(written, cells[name], name, raw, context, run, keep)
    return cells, keep


def _readable(
    written: pa.Array, counts: pa.Array, name: str, raw: Raw, context: Context, run: int, keep: np.ndarray
) -> np.ndarray:
    """Reject the records whose cell is filled and yet no count."""
    broken = keep & pc.and_(pc.not_equal(written, ""), pc.is_null(counts)).to_numpy(zero_copy_only=False)
    context.accounts.reject(run, raw.row[broken], "unreadable_number", f"计数读不出来（{name}）")
    return keep & ~broken


def _check_totals(
    raw: Raw, source: Source, context: Context, keep: np.ndarray, counts: dict[str, pa.Array], totals: pa.Table | None
) -> None:
    for name, values in counts.items():
        if column := raw.columns.get(name, ()):
            _check_total(f"{source.id} {raw.file}", column[0], values, context, keep, totals)


def _check_total(
    where: str, column: str, values: pa.Array, context: Context, keep: np.ndarray, totals: pa.Table | None
) -> None:
    if totals is None or totals.num_rows != 1:  # several totals rows are subtotals of unknown groups
        return
    told = text.whole(text.fold(totals[column].combine_chunks()))[0].as_py()
    summed = int(pc.sum(values.filter(pa.array(keep))).as_py() or 0)
    if told is not None and told != summed:
        context.warn("total_mismatch", f"{where} {column}", f"合计行为{told}，各行相加为{summed}", 1)


def _frame(n: int, source_id: str, start, end, area) -> dict[str, pa.Array]:
    return {
        "period_start": pa.array(start, pa.date32()),
        "period_end": pa.array(end, pa.date32()),
        "area_code": column_of(area),
        "source_id": pa.repeat(pa.scalar(source_id), n),
    }


def _table(columns: dict[str, pa.Array]) -> pa.Table:
    schema = LAYERS["dispute_stat"].arrow_schema()
    n = len(columns["source_id"])
    return pa.table(
        {f.name: columns[f.name].cast(f.type) if f.name in columns else pa.nulls(n, f.type) for f in schema},
        schema=schema,
    )
