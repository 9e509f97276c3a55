"""What every kind of source goes through: totals rows, personal data, codes written as numbers, unmapped columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data import personal
from etl.accounts import Accounts
from etl.extract.raw import Raw
from etl.faults import ColumnFault, PersonalDataFault
from etl.sources import Source
from etl.transform import text

TEXTS = (
    "name",
    "category",
    "subcategory",
    "status",
    "place_type",
    "channel",
    "kind",
    "location_type",
    "area_name",
    "device_state",
    "closed_level",
    "network",
    "level",
    "state",
    "dataset",
)
_TOTAL = r"^[\s\x{3000}]*(合[\s\x{3000}]*计|总[\s\x{3000}]*计|小[\s\x{3000}]*计)[\s\x{3000}]*[:：]?[\s\x{3000}]*$"
_SCIENTIFIC = r"^[+-]?\d(\.\d+[eE]\+?|[eE]\+)\d+$"  # as Excel writes it; 4E12 may be a code
PERSONAL_STOP_PCT = 1.0


@dataclass
class Context:
    """What the transforms of a release share. ``communities`` are the known 12-digit codes; ``quality`` collects
    what is told of each source; ``warnings`` what a person should look at."""

    zone: str
    crs: str
    accounts: Accounts
    china: bool = False
    communities: frozenset[str] = frozenset()
    quality: dict[str, dict] = field(default_factory=dict)
    warnings: list[dict] = field(default_factory=list)

    def of(self, source_id: str) -> dict:
        """The quality notes of a source."""
        return self.quality.setdefault(source_id, {})

    def warn(self, code: str, where: str, message: str, count: int = 0) -> None:
        """Add a warning of quality.json."""
        self.warnings.append({"code": code, "where": where, "message": message, "count": int(count)})

    def count(self, source_id: str, name: str, number: int) -> None:
        """Add to a counter of a source's quality notes."""
        if number:
            notes = self.of(source_id)
            notes[name] = notes.get(name, 0) + int(number)


def admit(raw: Raw, source: Source, context: Context, run: int) -> np.ndarray:
    """Leave in ``raw`` the records that go on (the others are rejected with their reason) and the mapped columns.

    Returns the mask of records still in play, all true, which the transforms narrow further.

    Raises
    ------
    PersonalDataFault
        A mapped column whose name is denied, or personal values in more than 1 % of the rows.
    ColumnFault
        Codes in scientific notation.
    """
    where = f"{source.id} {raw.file}"
    accounts = context.accounts
    accounts.runs[run].rows_in += len(raw) + len(raw.bad_rows)
    for row, reason in raw.bad_rows:
        accounts.reject(run, np.array([row]), "column_count", reason)
    mapped = {name for names in raw.columns.values() for name in names}
    for name in sorted(mapped):
        if personal.denied_header(name):
            raise PersonalDataFault(
                "映射了个人信息列",
                where=where,
                found=f"列 {name}",
                expected="只收地点、事件与汇总数",
                remedy="从 [source.columns] 中去掉这一列",
            )
    _scientific(raw, source, where)
    keep = ~total_rows(raw)
    accounts.reject(run, raw.row[~keep], "total_row")
    personal_rows, holding = np.zeros(len(raw), bool), []
    # Codes and serial numbers are digits by nature, so they are searched less suspiciously (see personal.scan).
    for field_name in (*TEXTS, *text.CODES):
        for name in raw.columns.get(field_name, ()):
            column = _flat(raw.table[name])
            found = personal.scan(column, communities=context.communities, identifier=field_name in text.CODES)
            personal_rows |= found.refused
            if found.refused.any():
                holding.append(name)
            if found.suspected.any():
                context.warn(
                    "suspected_personal",
                    f"{where} 列 {name}",
                    "疑似证件号（校验位不符），请核对",
                    found.suspected.sum(),
                )
            if found.household.any():
                context.warn(
                    "household_address", f"{where} 列 {name}", "含户级地址，已截到小区或道路", found.household.sum()
                )
                cut = pc.if_else(pa.array(found.household), personal.without_household(column), column)
                raw.table = raw.table.set_column(raw.table.column_names.index(name), name, cut)
    personal_rows &= keep
    if personal_rows.sum() > PERSONAL_STOP_PCT / 100 * max(len(raw), 1):
        raise PersonalDataFault(
            "映射的列里有个人信息",
            where=f"{where} 列 {'、'.join(holding)}",
            found=f"{int(personal_rows.sum())} 行（占 {100 * personal_rows.mean():.1f}%），"
            f"如第 {int(raw.row[personal_rows][0])} 行",
            expected="证件号、手机号、登录名不超过 1% 的行",
            remedy="在导出时去掉这些内容，或不映射该列",
        )
    accounts.reject(run, raw.row[personal_rows], "personal_value")
    _drop_unmapped(raw, source, context, mapped, where)
    raw.only(keep & ~personal_rows)
    return np.ones(len(raw), bool)


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks)
        if column.num_chunks
        else pa.array([], pa.string())
    )


def _scientific(raw: Raw, source: Source, where: str) -> None:
    for field_name in text.CODES:
        for name in raw.columns.get(field_name, ()):
            if not pc.any(pc.match_substring(raw.table[name], "e", ignore_case=True)).as_py():
                continue
            hit = pc.match_substring_regex(raw.table[name], _SCIENTIFIC)
            if pc.any(hit).as_py():
                at = pc.index(hit, True).as_py()
                raise ColumnFault(
                    "编码被写成科学计数法",
                    where=f"{where} 列 {name} 第 {int(raw.row[at])} 行",
                    found=re.sub(r"\d", "d", raw.table[name][at].as_py()),
                    expected="文本形式的完整编码",
                    remedy="科学计数法会丢位：在 Excel 中把该列设为文本后重新导出",
                )


def total_rows(raw: Raw) -> np.ndarray:
    """合计, 总计, 小计 in one of the first two columns or in the column that names the unit or the record."""
    looked = dict.fromkeys(raw.table.column_names[:2])
    for field_name in ("area_name", "area_code", "name", "code", "grid_code", "incident_id", "camera_code"):
        looked.update(dict.fromkeys(raw.columns.get(field_name, ())))
    out = np.zeros(len(raw), bool)
    for name in looked:
        if pc.any(pc.match_substring(raw.table[name], "计")).as_py():
            out |= pc.match_substring_regex(raw.table[name], _TOTAL).to_numpy(zero_copy_only=False)
    return out


def _drop_unmapped(raw: Raw, source: Source, context: Context, mapped: set[str], where: str) -> None:
    """Unmapped columns never go further; those that look personal are named (never their values)."""
    notes = context.of(source.id)
    for position, name in enumerate(raw.table.column_names):
        if name in mapped:
            continue
        told = name if not re.search(r"\d{6}", name) else f"第{position + 1}列"  # a value may stand where a name should
        why = "列名" if personal.denied_header(name) else None
        if why is None and any(
            personal.scan(chunk, communities=context.communities).any for chunk in raw.table[name].chunks
        ):
            why = "内容"
        if why:
            seen = notes.setdefault("personal_columns", {})
            if told not in seen:
                seen[told] = why
                context.warn("personal_column_dropped", f"{where} 列 {told}", f"按{why}判断含个人信息，未入库")
        dropped = notes.setdefault("dropped_columns", [])
        if told not in dropped:
            dropped.append(told)
    raw.table = raw.table.select([n for n in raw.table.column_names if n in mapped])
    for place in dict.fromkeys(p for p, _ in raw.remarks):
        texts = pa.array([t for p, t in raw.remarks if p == place], pa.string())
        found = personal.scan(texts, communities=context.communities)
        if found.any:
            context.warn(
                "personal_remark",
                f"{where} {place}",
                "表外文字含疑似个人信息，未入库",
                (found.refused | found.suspected | found.household).sum(),
            )
    raw.remarks = []


def words(
    array: pa.Array, source: Source, field_name: str, table: dict[str, str], unknown: str | None, context: Context
) -> pa.Array:
    """Translate a column of words: [source.values], then a shipped table, else ``unknown``, counted by word."""
    own = {text.fold_word(k): str(v) for k, v in source.values.get(field_name, {}).items()}
    known = {text.fold_word(k): v for k, v in table.items()}
    ours = set(table.values())
    encoded = array.dictionary_encode()
    out, strange = [], {}
    counts = np.bincount(encoded.indices.to_numpy(zero_copy_only=False), minlength=len(encoded.dictionary))
    for n, word in zip(counts, encoded.dictionary.to_pylist(), strict=True):
        folded = text.fold_word(word)
        value = own.get(folded, known.get(folded))
        if value is None and folded in ours:
            value = folded
        if value is None:
            if folded or unknown is not None:
                strange[word or "（空）"] = int(n)
            value = unknown
        out.append(value)
    if strange:
        seen = context.of(source.id).setdefault("unmapped", {}).setdefault(field_name, {})
        for word, n in text.tellable(strange).items():
            seen[word] = seen.get(word, 0) + n
    return pa.array(out, pa.string()).take(encoded.indices)
