"""CSV and TSV: encoding, delimiter and header found, every value kept as text."""

from __future__ import annotations

import codecs
import csv
import io

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from etl.extract.raw import Raw, clean_name, match, resolve, shown, unique_names
from etl.faults import ColumnFault, FileFault
from etl.sources import Source

_DELIMITERS = (",", "\t", ";", "|")
_HEADER_LINES = 40
_CELL_LINES = 200  # more line breaks than this in one cell are a quote left open


def decode(data: bytes, encoding: str, where: str) -> tuple[bytes, str]:
    """Bytes as UTF-8 and the encoding found: a BOM, then strict UTF-8, then gb18030 (a superset of GBK and GB2312).

    Raises
    ------
    FileFault
        When the bytes are in none of them, or not in the declared one.
    """
    if encoding == "auto":
        if data.startswith(codecs.BOM_UTF8):
            data, encoding = data[3:], "utf-8-sig"
            if not _is_utf8(data):
                raise FileFault(
                    "文件编码不可读",
                    where=where,
                    found="带 UTF-8 标记，内容却不是 UTF-8",
                    remedy="重新导出，或在来源中写明 encoding",
                )
            return data, encoding
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            encoding = "utf-16"
        elif _is_utf8(data):
            return data, "utf-8"
        else:
            encoding = "gb18030"
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise FileFault(
            "没有这种编码",
            where=where,
            found=encoding,
            expected="auto、utf-8、gb18030 等",
            remedy="改正来源的 encoding",
        ) from error
    if name == "utf-8":
        if not _is_utf8(data):
            raise FileFault(
                "文件编码不可读",
                where=where,
                found="不是 UTF-8",
                expected=encoding,
                remedy="把 encoding 改为 auto 或 gb18030",
            )
        return data, name
    decoder, out = codecs.getincrementaldecoder(encoding)("strict"), bytearray()
    try:
        for start in range(0, len(data), 1 << 24):
            out += decoder.decode(data[start : start + (1 << 24)], final=start + (1 << 24) >= len(data)).encode()
    except (UnicodeDecodeError, UnicodeError) as error:
        at = getattr(error, "start", 0)
        raise FileFault(
            "文件编码不可读",
            where=where,
            found=f"第{at}字节附近不是 {encoding}",
            expected="UTF-8 或 GB18030",
            remedy="重新导出，或在来源中写明 encoding",
        ) from error
    return bytes(out), encoding


def _is_utf8(data: bytes) -> bool:
    buffer = pa.py_buffer(data)
    offsets = pa.py_buffer(np.array([0, len(data)], dtype=np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, buffer]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _header(data: bytes, source: Source, where: str, tab: bool) -> tuple[str, int, int, list[str], str]:
    """Delimiter, byte offset of the first record, its line number, the column names, and the text above."""
    head = data[: 1 << 20].decode("utf-8", "ignore")
    lines = head.splitlines(keepends=True)[:400]
    wanted = source.wanted()
    best: tuple[int, str, list[str]] | None = None
    for delimiter in ("\t", *_DELIMITERS) if tab else _DELIMITERS:
        reader = csv.reader(io.StringIO("".join(lines)), delimiter=delimiter)
        for number, cells in enumerate(reader, start=1):
            if number > _HEADER_LINES:
                break
            names = [clean_name(c) for c in cells]
            fixed = source.header if isinstance(source.header, int) else None
            if fixed is not None and reader.line_num != fixed:
                continue
            found, missing = match(wanted, names)
            if (
                (not missing and wanted)
                or (not wanted and number == 1)
                or (fixed and len(names) > 1)
                or (source.query and found)
            ):
                consumed = "".join(lines[: reader.line_num])
                title = "".join(lines[: reader.line_num - 1]).strip()
                return delimiter, len(consumed.encode()), reader.line_num + 1, unique_names(names), title[:400]
            if best is None or len(found) > best[0]:
                best = (len(found), shown(names), missing)
    missing_names = "、".join(best[2] if best else [names[0] for names in wanted.values()])
    raise ColumnFault(
        "映射的列不在文件中",
        where=where,
        found=f"表头 {best[1] if best else '（空）'}",
        expected=f"缺 {missing_names}",
        remedy="改正 [source.columns] 的列名，或用 header 写明表头行号",
    )


def read(source: Source, file: str, data: bytes) -> Raw:
    """Read one text table whole.

    Raises
    ------
    FileFault, ColumnFault
    """
    where = f"{source.id} {file}"
    if data.lstrip()[:200].lower().startswith((b"<html", b"<!doctype", b"<table")):
        raise FileFault(
            "文件是网页，不是表格",
            where=where,
            found="HTML",
            expected="CSV",
            remedy="在系统里选择“导出 CSV/Excel”，或用 Excel 打开后另存",
        )
    if data[:4] == b"PK\x03\x04" or data[:4] == b"\xd0\xcf\x11\xe0":
        raise FileFault(
            "文件是工作簿，扩展名却是文本",
            where=where,
            found="Excel 内容",
            expected="CSV",
            remedy="把扩展名改回 .xlsx 或 .xls",
        )
    data, encoding = decode(data, source.encoding, where)
    if not data.strip():
        raise FileFault("文件是空的", where=where, found="0 行", expected="至少一行数据", remedy="重新导出该文件")
    delimiter, offset, first_line, names, title = _header(data, source, where, file.lower().endswith((".tsv", ".tab")))
    columns = resolve(source, file, names)
    body = memoryview(data)[offset:]
    table, bad = _parse(body, names, delimiter, where)
    lines = _line_numbers(data, offset, first_line, table.num_rows + len(bad))
    skipped = np.array([number - 1 for number, _ in bad], dtype=np.int64)
    row = np.delete(lines, skipped)
    _refuse_open_quote(table, lines, bool(bad), data, offset, delimiter, where)
    table, row = _drop_blank(table, row)
    if not table.num_rows and not bad:
        raise FileFault(
            "文件没有数据行",
            where=where,
            found="只有表头",
            expected="至少一行数据",
            remedy="重新导出；确实没有发生时请用上报登记写零报",
        )
    return Raw(
        file,
        table,
        row,
        columns,
        encoding=encoding,
        title=title,
        remarks=[("表题", title)] if title else [],
        bad_rows=[(int(lines[n - 1]), f"应有{len(names)}列，实有{k}列") for n, k in bad],
    )


def _parse(body: memoryview, names: list[str], delimiter: str, where: str) -> tuple[pa.Table, list[tuple[int, int]]]:
    """Records as text, and (1-based record, columns) of those with another number of columns."""
    if not bytes(body[:4096]).strip() and len(body) <= 4096:
        return pa.table({n: pa.array([], pa.string()) for n in names}), []
    buffer = pa.py_buffer(body)
    quoted = b'"' in body.obj
    parse = {"delimiter": delimiter, "newlines_in_values": quoted}
    convert = pacsv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
    )
    options = {"column_names": names, "block_size": 16 << 20}
    try:
        return pacsv.read_csv(
            pa.BufferReader(buffer), pacsv.ReadOptions(**options), pacsv.ParseOptions(**parse), convert
        ), []
    except pa.ArrowInvalid as error:
        if "columns" not in str(error):
            raise _unparsed(error, where) from error
    bad: list[tuple[int, int]] = []

    def note(row: pacsv.InvalidRow) -> str:
        bad.append((row.number, row.actual_columns))
        return "skip"

    try:
        table = pacsv.read_csv(
            pa.BufferReader(buffer),
            pacsv.ReadOptions(use_threads=False, **options),
            pacsv.ParseOptions(invalid_row_handler=note, **parse),
            convert,
        )
    except pa.ArrowInvalid as error:
        raise _unparsed(error, where) from error
    return table, bad


def _unparsed(error: pa.ArrowInvalid, where: str) -> FileFault:
    """The reader's own words may quote a row, so only the kind of error is told."""
    return FileFault(
        "文本表无法解析",
        where=where,
        found=type(error).__name__,
        expected="分隔符一致的文本表",
        remedy="用 Excel 打开检查后另存为 CSV",
    )


def _refuse_open_quote(
    table: pa.Table, lines: np.ndarray, ragged: bool, data: bytes, offset: int, delimiter: str, where: str
) -> None:
    """A quote that is never closed swallows the lines after it into one cell: a broken file, not a long text."""
    if data.find(b'"', offset) < 0:
        return
    breaks = [pc.count_substring(column, "\n") for column in table.columns]
    most = max((pc.max(b).as_py() or 0 for b in breaks), default=0)
    at_end = any(b[-1].as_py() for b in breaks if len(b))
    if most <= _CELL_LINES and not at_end and not ragged:
        return
    record, body = 0, io.BytesIO(data)  # shares the bytes; a copy of a large file would double the memory
    body.seek(offset)
    try:
        stream = io.TextIOWrapper(body, "utf-8", "replace", newline="\n")
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        for record, cells in enumerate(reader, start=1):  # noqa: B007 (the message names the last one read)
            if any(cell.count("\n") > _CELL_LINES for cell in cells):
                break
        else:
            return
    except csv.Error as error:
        if "unexpected end of data" not in str(error):
            return  # a stray quote inside a cell, which the reader above takes as it stands
        record += 1
    opened = int(lines[min(record, len(lines)) - 1]) if len(lines) else 0
    raise FileFault(
        "引号没有闭合",
        where=f"{where} 第 {opened} 行起",
        found="其后各行被并入一个单元格",
        expected="成对的双引号",
        remedy="补上或去掉这个引号；文件可能被截断，请重新导出",
    )


def _line_numbers(data: bytes, offset: int, first_line: int, count: int) -> np.ndarray:
    """The 1-based line of each record, blank lines counted past."""
    plain = np.arange(first_line, first_line + count, dtype=np.int64)
    if b"\n\n" not in data and b"\n\r\n" not in data and data[offset : offset + 1] not in (b"\n", b"\r"):
        return plain
    raw = np.frombuffer(data, np.uint8)[offset:]
    ends = np.append(np.flatnonzero(raw == 10), raw.size)
    starts = np.concatenate(([0], ends[:-1] + 1))
    length = ends - starts
    blank = (length <= 0) | ((length == 1) & (raw[np.minimum(starts, raw.size - 1)] == 13))
    filled = first_line + np.flatnonzero(~blank)
    # Quoted line breaks make more lines than records; record numbers are then the best answer.
    return filled if filled.size == count else plain


def _drop_blank(table: pa.Table, row: np.ndarray) -> tuple[pa.Table, np.ndarray]:
    """Leave out records in which every value is blank: separators only, as Excel writes them."""
    blank = None
    for name in table.column_names:
        empty = (
            pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(table[name])), 0)
            if blank is not None
            else pc.equal(pc.binary_length(table[name]), 0)
        )
        blank = empty if blank is None else pc.and_(blank, empty)
        if not pc.any(blank).as_py():
            return table, row
    keep = pc.invert(blank)
    return table.filter(keep), row[keep.to_numpy()]
