"""XLSX and XLS: the sheet and the header block found, merged cells filled, hidden sheets and comments looked at."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import zipfile
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from etl.extract.raw import Raw, clean_name, match, shown, unique_names
from etl.faults import ColumnFault, FileFault
from etl.sources import Source

_HEADER_ROWS = 30
_DEEPEST = 6
_PLAIN = re.compile(r"^[+-]?[\d,]*\.?\d+([eE][+-]?\d+)?$")
_KEYS = (
    "code",
    "parent_code",
    "grid_code",
    "community_code",
    "street_code",
    "district_code",
    "area_code",
    "period",
    "period_start",
    "period_end",
)  # what a merged cell repeats though it be written as a number
_TEXTS = 2000  # texts outside the data that are looked at, per file


def read(source: Source, file: str, data: bytes) -> Raw:
    """Read one sheet of a workbook.

    The first visible sheet whose header block holds every mapped column is taken, or the named one.

    Raises
    ------
    FileFault, ColumnFault
    """
    where = f"{source.id} {file}"
    start = data.lstrip()[:300].lower()
    if not data:
        raise FileFault("文件是空的", where=where, found="0 字节", expected="工作簿", remedy="重新导出该文件")
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        raise FileFault(
            "文件是网页，不是工作簿",
            where=where,
            found="HTML 或 XML",
            expected="真正的 .xlsx 或 .xls",
            remedy="用 Excel 或 WPS 打开后另存为 .xlsx",
        )
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = list(book.sheets_metadata)
    except (CalamineError, OSError, ValueError) as error:
        kind = ".et 请先在 WPS 中另存为 .xlsx" if file.lower().endswith(".et") else "文件可能被截断或加了密码"
        raise FileFault(
            "工作簿打不开",
            where=where,
            found=kind,
            expected=".xlsx 或 .xls",
            remedy="重新导出，或用 Excel/WPS 打开后另存为 .xlsx",
        ) from error
    visible = [s.name for s in sheets if s.visible == SheetVisibleEnum.Visible]
    if source.sheet is not None:
        if source.sheet not in [s.name for s in sheets]:
            raise FileFault(
                "没有这个工作表",
                where=f"{where} {source.sheet}",
                found="、".join(s.name for s in sheets),
                remedy="改正来源的 sheet",
            )
        visible = [source.sheet]
    best: tuple[int, list[str], list[str]] | None = None
    for name in visible:
        rows, merges = _cells(book, name, where)
        found = _find_header(rows, merges, source)
        if isinstance(found, tuple):
            if best is None or len(found[0]) < len(best[1]):
                best = (0, *found)
            continue
        raw = _records(file, rows, merges, found)
        raw.remarks += _remarks(book, data, [s.name for s in sheets if s.name not in visible])
        raw.title = f"{name} {raw.title}"
        if not len(raw):
            raise FileFault(
                "文件没有数据行",
                where=f"{where} {name}",
                found="只有表头",
                expected="至少一行数据",
                remedy="重新导出；确实没有发生时请用上报登记写零报",
            )
        return raw
    if best is None or not best[2]:
        raise FileFault(
            "工作簿没有可见的数据",
            where=where,
            found=f"{len(sheets)} 个工作表",
            expected="至少一张有内容的表",
            remedy="取消隐藏，或用 sheet 写明工作表",
        )
    raise ColumnFault(
        "映射的列不在文件中",
        where=where,
        found="表头 " + shown(best[2]),
        expected="、".join(best[1]),
        remedy="改正 [source.columns] 的列名，或用 sheet、header 写明",
    )


def _cells(book: CalamineWorkbook, name: str, where: str) -> tuple[list[list[str]], list[tuple[int, int, int, int]]]:
    """All cells as text from A1 on, and merged ranges as (top, left, bottom, right)."""
    try:
        sheet = book.get_sheet_by_name(name)
        rows = [[_text(v) for v in row] for row in sheet.to_python(skip_empty_area=False)]
        ranges = sheet.merged_cell_ranges or []
    except (CalamineError, OSError, ValueError) as error:
        raise FileFault(
            "工作表读不出来",
            where=f"{where} {name}",
            found=type(error).__name__,
            expected="完整的工作簿",
            remedy="用 Excel 打开后另存为 .xlsx",
        ) from error
    return rows, [(a[0], a[1], b[0], b[1]) for a, b in ranges]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        if not math.isfinite(value):  # what a failed formula leaves in the cell
            return ""
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        seconds = int(value.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return str(value).strip()


def _find_header(rows: list[list[str]], merges: list[tuple[int, int, int, int]], source: Source):
    """(first row, last row, names, found) of the header block, or (missing names, best row's names)."""
    wanted = source.wanted()
    best: tuple[list[str], list[str]] | None = None
    if source.header == "auto":
        # The lowest block first: a title merged over the table is then no part of the header.
        blocks = [(r, e) for e in range(min(_HEADER_ROWS, len(rows))) for r in range(e, max(e - _DEEPEST, -1), -1)]
    else:
        given = [source.header] if isinstance(source.header, int) else list(source.header)
        blocks = [(given[0] - 1, given[-1] - 1)]
    for first, last in blocks:
        if last >= len(rows) or not any(rows[first]):
            continue
        if source.header == "auto" and not _closed(merges, first, last, len(rows[first])):
            continue
        names = _names(rows, merges, first, last)
        found, missing = match(wanted, names["leaf"] + names["path"])
        filled = [n for n in names["leaf"] if n]
        if (not missing and len(filled) > 1) or (not missing and wanted):
            lookup = dict(zip(names["path"], names["unique"], strict=True)) | dict(
                zip(reversed(names["leaf"]), reversed(names["unique"]), strict=True)
            )
            return {
                "first": first,
                "last": last,
                "names": names["unique"],
                "columns": {our: tuple(lookup[t] for t in theirs) for our, theirs in found.items()},
            }
        if best is None or (len(missing), -len(filled)) < (len(best[0]), -len(best[1])):
            best = (missing, filled)
    return best or ([], [])


def _closed(merges: list[tuple[int, int, int, int]], first: int, last: int, width: int) -> bool:
    """Whether a header block is whole: no merge crosses its edges, and no group header stands in its last row."""
    for top, left, bottom, right in merges:
        if top < first <= bottom or (first <= top <= last < bottom):
            return False
        if top == bottom == last and right > left and right - left + 1 < width:
            return False
    return True


def _names(rows: list[list[str]], merges, first: int, last: int) -> dict[str, list[str]]:
    """Per column: the lowest filled header cell, the whole path joined with ``/``, and a unique name."""
    width = max(len(r) for r in rows[first : last + 1])
    block = [[clean_name(r[c]) if c < len(r) else "" for c in range(width)] for r in rows[first : last + 1]]
    for top, left, bottom, right in merges:
        if first <= top <= last:
            value = block[top - first][left] if left < width else ""
            for r in range(top, min(bottom, last) + 1):
                for c in range(left, min(right, width - 1) + 1):
                    block[r - first][c] = value
    leaf, path = [], []
    for c in range(width):
        parts: list[str] = []
        for r in block:
            if r[c] and (not parts or parts[-1] != r[c]):
                parts.append(r[c])
        leaf.append(parts[-1] if parts else "")
        path.append("/".join(parts))
    return {"leaf": leaf, "path": path, "unique": unique_names(path)}


def _records(file: str, rows, merges, header: dict) -> Raw:
    first_data = header["last"] + 1
    width = len(header["names"])
    body = [[r[c] if c < len(r) else "" for c in range(width)] for r in rows[first_data:]]
    keys = {name for field in _KEYS for name in header["columns"].get(field, ())}
    for top, left, bottom, right in merges:
        if top >= first_data and left == right and bottom > top and left < width:
            value = body[top - first_data][left]
            # A unit's name or code merged over its lines stands for each of them; a count is that of them all.
            if _PLAIN.match(value) and header["names"][left] not in keys:
                continue
            for r in range(top + 1, min(bottom, len(rows) - 1) + 1):
                body[r - first_data][left] = value
    keep = [i for i, r in enumerate(body) if any(r)]
    table = pa.table(
        {name: pa.array([body[i][c] for i in keep], pa.string()) for c, name in enumerate(header["names"])}
    )
    title = " ".join(dict.fromkeys(v for r in rows[: header["first"]] for v in r if v))
    return Raw(
        file,
        table,
        np.array([first_data + 1 + i for i in keep], dtype=np.int64),
        header["columns"],
        title=title[:400],
        remarks=[("表题", title[:400])] if title else [],
    )


def _remarks(book: CalamineWorkbook, data: bytes, others: list[str]) -> list[tuple[str, str]]:
    """Texts of the sheets not read and of cell comments, to be searched for personal data."""
    out: list[tuple[str, str]] = []
    for name in others:
        try:
            cells = book.get_sheet_by_name(name).to_python(nrows=200)
        except (CalamineError, OSError, ValueError):
            continue
        out += [(f"工作表 {name}", t) for r in cells for v in r if (t := _text(v))]
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for part in archive.namelist():
                if re.search(r"xl/(threadedComments/|comments)", part) and archive.getinfo(part).file_size < (1 << 24):
                    try:
                        tree = ElementTree.fromstring(archive.read(part))
                    except ElementTree.ParseError:
                        continue
                    out += [("批注", node.text) for node in tree.iter() if node.text and node.text.strip()]
    return out[:_TEXTS]
