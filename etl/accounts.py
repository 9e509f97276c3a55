"""Row accounting: what came in, what went out, and why a row did not. ``rows_in = rows_out + rows_rejected``, always."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from data.schema import LAYERS

REASONS = {
    "unreadable_date": "发生时间读不出来",
    "unreadable_period": "统计期读不出来",
    "duplicate_id": "编号在同一来源中重复",
    "superseded": "被后来文件中的同一编号替代",
    "total_row": "合计行，不是记录",
    "personal_value": "含疑似个人信息，整行退回",
    "column_count": "列数与表头不符",
    "missing_code": "编码为空",
    "bad_code": "编码不合规则",
    "unknown_area": "单位不在区域表中",
    "unknown_dataset": "没有这个来源",
    "unknown_state": "上报状态读不出来",
    "unknown_level": "层级读不出来",
    "unreadable_number": "计数读不出来",
    "nothing_reported": "单位没有填任何数（未报）",
    "not_a_camera": "设备类型不是摄像机",
    "no_point": "没有可用坐标",
    "no_shape": "没有可用图形",
}
# Not faults of the data: a later file replaced the row, it is the sheet's own check sum, or a unit left it blank.
HARMLESS = ("superseded", "total_row", "nothing_reported")


@dataclass
class Run:
    """One file of one source in this release."""

    source_id: str
    file: str
    sha256: str
    rows_in: int = 0
    rows_rejected: int = 0
    encoding: str | None = None
    crs_declared: str | None = None
    crs_detected: str | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None, microsecond=0))
    finished_at: datetime | None = None
    code_version: str = ""
    carried: bool = False  # read by an earlier release

    @property
    def rows_out(self) -> int:
        return self.rows_in - self.rows_rejected


class Accounts:
    """The runs of a release and their rejected rows. A row is rejected once, for the first reason found."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._parts: list[tuple[int, np.ndarray, str, str]] = []
        self._carried = LAYERS["reject"].empty()

    def open(self, run: Run) -> int:
        """Add a run; the returned position names it from here on."""
        self.runs.append(run)
        return len(self.runs) - 1

    def close(self, position: int) -> None:
        """Mark the run as finished."""
        self.runs[position].finished_at = datetime.now(UTC).replace(tzinfo=None, microsecond=0)

    def reject(self, position: int, rows: np.ndarray, code: str, reason: str | None = None) -> None:
        """Reject rows (1-based, of the file). ``reason`` never carries a value of the row."""
        rows = np.atleast_1d(np.asarray(rows, dtype=np.int64))
        if rows.size:
            self.runs[position].rows_rejected += rows.size
            self._parts.append((position, rows, code, reason or REASONS[code]))

    def carry(self, rejects: pa.Table) -> None:
        """Keep the rejected rows of an earlier release; their runs were opened with their counts."""
        self._carried = rejects

    def counts(self, source_id: str) -> Counter:
        """Rejected rows of a source by reason code, rows of an earlier release not counted."""
        out: Counter = Counter()
        for position, rows, code, _ in self._parts:
            if self.runs[position].source_id == source_id:
                out[code] += rows.size
        return out

    def main_reason(self, source_id: str) -> str:
        """The reason, in words, for which most rows of a source were rejected as faulty."""
        out: Counter = Counter()
        for position, rows, code, reason in self._parts:
            if self.runs[position].source_id == source_id and code not in HARMLESS:
                out[reason] += rows.size
        return out.most_common(1)[0][0] if out else ""

    def reject_table(self) -> pa.Table:
        """The reject layer, in order of source, file and row."""
        columns: dict[str, list] = {name: [] for name in LAYERS["reject"].names}
        for position, rows, code, reason in self._parts:
            run, n = self.runs[position], rows.size
            for name, value in (
                ("source_id", run.source_id),
                ("file", run.file),
                ("reason_code", code),
                ("reason", reason),
            ):
                columns[name].append(pa.repeat(pa.scalar(value), n))
            columns["row"].append(pa.array(rows))
        schema = LAYERS["reject"].arrow_schema()
        fresh = pa.table({n: pa.chunked_array(columns[n], schema.field(n).type) for n in schema.names}, schema=schema)
        return pa.concat_tables([self._carried, fresh]).sort_by(
            [("source_id", "ascending"), ("file", "ascending"), ("row", "ascending")]
        )

    def run_table(self) -> pa.Table:
        """The source_run layer."""
        schema = LAYERS["source_run"].arrow_schema()
        return pa.table(
            {n: pa.array([getattr(r, n) for r in self.runs], schema.field(n).type) for n in schema.names}, schema=schema
        )
