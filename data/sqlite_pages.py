"""Bulk load of empty SQLite tables: rows become b-tree pages in Arrow and numpy and are appended to the file.

A million rows of fourteen columns take a fraction of what row-by-row inserts take, whichever driver makes them. Only
for a file that nobody else has open and that is thrown away after a failure; the schema must exist already. Layout:
https://www.sqlite.org/fileformat2.html (table b-trees, records, overflow pages).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_LOCK_BYTE = 0x40000000  # SQLite never uses the page that holds this byte
_LEAF, _INTERIOR = 0x0D, 0x05


class BulkLoader:
    """Fills empty rowid tables of an SQLite file, one after another.

    Parameters
    ----------
    path : a closed database in rollback-journal mode, without auto-vacuum and without reserved bytes on its pages.
    """

    def __init__(self, path: Path | str):
        self._file = open(path, "r+b")  # noqa: SIM115 closed in __exit__
        header = self._file.read(100)
        size = int.from_bytes(header[16:18], "big")
        self.page_bytes = 65_536 if size == 1 else size
        self._lock_page = _LOCK_BYTE // self.page_bytes + 1
        self._changes = int.from_bytes(header[24:28], "big")
        self._pages = self._file.seek(0, 2) // self.page_bytes

    def __enter__(self) -> BulkLoader:
        return self

    def __exit__(self, *_) -> None:
        """Tell the header how long the file has become."""
        changed = struct.pack(">I", self._changes + 1)
        for offset, value in ((24, changed), (28, struct.pack(">I", self._pages)), (92, changed)):
            self._file.seek(offset)
            self._file.write(value)
        self._file.close()

    def load(self, root_page: int, batches: Iterable[Cells]) -> None:
        """Fill one empty table.

        Parameters
        ----------
        root_page : of the table, from ``sqlite_schema``.
        batches : its rows in ascending order of rowid.
        """
        children: list[tuple[int, int]] = []  # page and its largest rowid
        for cells in batches:
            data, ends = self._spill(cells)
            children += self._write_leaves(data, ends, cells.rowids)
        if len(children) == 1:
            # A table of one page is its root: the leaf just written is the file's last page.
            self._file.seek((self._pages - 1) * self.page_bytes)
            page = self._file.read(self.page_bytes)
            self._pages -= 1
            self._file.truncate(self._pages * self.page_bytes)
            self._put(root_page, page)
        elif children:
            fan_out = (self.page_bytes - 12) // 15  # child, rowid of up to nine bytes, pointer
            while len(children) > fan_out:
                groups = np.array_split(np.array(children), -(-len(children) // fan_out))
                pages = self._append([self._interior(group) for group in groups])
                children = [(page, int(group[-1][1])) for page, group in zip(pages, groups, strict=True)]
            self._put(root_page, self._interior(np.array(children)))

    def _spill(self, cells: Cells) -> tuple[memoryview, np.ndarray]:
        """Move what a leaf may not hold of long rows to overflow pages; returns the cells and their ends."""
        usable = self.page_bytes
        largest = usable - 35
        long = np.flatnonzero(cells.payload_bytes > largest)
        if not len(long):
            return memoryview(cells.data), cells.ends
        least = (usable - 12) * 32 // 255 - 23
        starts = cells.ends - np.diff(cells.ends, prepend=0)
        data, parts, done = memoryview(cells.data), [], 0
        lengths = cells.ends - starts
        for row in long:
            payload, start, end = int(cells.payload_bytes[row]), int(starts[row]), int(cells.ends[row])
            local = least + (payload - least) % (usable - 4)
            local = local if local <= largest else least
            cut = end - payload + local
            rest = bytes(data[cut:end])
            step = usable - 4
            pieces = [rest[i : i + step] for i in range(0, len(rest), step)]
            numbers = self._numbers(len(pieces))
            links = [*numbers[1:], 0]
            written = [
                struct.pack(">I", link) + piece.ljust(step, b"\0") for link, piece in zip(links, pieces, strict=True)
            ]
            self._append(written)
            parts += [data[done:cut], struct.pack(">I", numbers[0])]
            done = end
            lengths[row] = cut - start + 4
        parts.append(data[done:])
        return memoryview(b"".join(parts)), np.cumsum(lengths)

    def _write_leaves(self, data: memoryview, ends: np.ndarray, rowids: np.ndarray) -> list[tuple[int, int]]:
        room = self.page_bytes - 8
        taken = np.concatenate([[0], ends + 2 * np.arange(1, len(ends) + 1)])  # a cell and its pointer
        cuts = [0]
        while cuts[-1] < len(ends):
            cuts.append(int(np.searchsorted(taken, taken[cuts[-1]] + room, side="right")) - 1)
        starts = np.concatenate([[0], ends])
        first, last = np.array(cuts[:-1]), np.array(cuts[1:])
        content = self.page_bytes - (starts[last] - starts[first])
        pages = np.zeros((len(first), self.page_bytes), dtype=np.uint8)
        pages[:, 0] = _LEAF
        words = pages.view(">u2")
        pages[:, 3:5] = (last - first).astype(">u2").view(np.uint8).reshape(-1, 2)
        pages[:, 5:7] = (content & 0xFFFF).astype(">u2").view(np.uint8).reshape(-1, 2)
        source = np.frombuffer(data, dtype=np.uint8)
        for i, (a, b, at) in enumerate(zip(first.tolist(), last.tolist(), content.tolist(), strict=True)):
            words[i, 4 : 4 + b - a] = starts[a:b] + (at - starts[a])
            pages[i, at:] = source[starts[a] : starts[b]]
        numbers = self._append(pages)
        return list(zip(numbers, rowids[last - 1].tolist(), strict=True))

    def _interior(self, children: np.ndarray) -> bytes:
        cells = [struct.pack(">I", page) + _varint(rowid) for page, rowid in children[:-1].tolist()]
        body = b"".join(cells)
        content = self.page_bytes - len(body)
        pointers = content + np.cumsum([0] + [len(cell) for cell in cells[:-1]])
        head = struct.pack(">BHHHBI", _INTERIOR, 0, len(cells), content & 0xFFFF, 0, int(children[-1][0]))
        return (head + pointers.astype(">u2").tobytes()).ljust(content, b"\0") + body

    def _numbers(self, count: int) -> list[int]:
        """Numbers the next pages get."""
        numbers = range(self._pages + 1, self._pages + count + 2)
        return [number for number in numbers if number != self._lock_page][:count]

    def _append(self, pages) -> list[int]:
        numbers = self._numbers(len(pages))
        self._file.seek(self._pages * self.page_bytes)
        before = sum(number < self._lock_page for number in numbers)
        runs = [pages[:before], pages[before:]]
        for run in runs:
            if len(run):
                if self._file.tell() == (self._lock_page - 1) * self.page_bytes:
                    self._file.write(bytes(self.page_bytes))
                self._file.write(run if isinstance(run, np.ndarray) else b"".join(run))
        self._pages = numbers[-1]
        return numbers

    def _put(self, page: int, data: bytes) -> None:
        self._file.seek((page - 1) * self.page_bytes)
        self._file.write(data)


@dataclass(frozen=True)
class Cells:
    """Rows as leaf cells one after another; ``ends`` in ``data``, ``payload_bytes`` and ``rowids`` are (n,) int64."""

    data: pa.Buffer
    ends: np.ndarray
    payload_bytes: np.ndarray
    rowids: np.ndarray


def cells(rowids: np.ndarray, columns: list[pa.Array]) -> Cells:
    """Rows of a table whose first column is its INTEGER PRIMARY KEY, as leaf cells.

    Parameters
    ----------
    rowids : (n,) int64, ascending, 0 to 2**28 - 1
    columns : the columns after the key: string, (fixed-size) binary, int64, float64 or bool arrays of n rows, strings
        also dictionary-encoded; null is NULL.

    Raises
    ------
    ValueError
        A type or rowid that cannot be stored.
    """
    count = len(rowids)
    if count and not 0 <= int(rowids[0]) <= int(rowids[-1]) < 1 << 28:
        raise ValueError("rowids outside 0 to 2**28 - 1")
    serials, bodies, sizes = [np.zeros(count, np.int64)], [], np.zeros(count, np.int64)
    for column in columns:
        serial, body, size = _encode(column)
        serials.append(serial)
        if body is not None:
            bodies.append(body)
            sizes += size
    types, type_mask = _varints(np.concatenate(serials))
    types, type_mask = (
        part.reshape(len(serials), count, -1).transpose(1, 0, 2).reshape(count, -1) for part in (types, type_mask)
    )
    header_bytes = 1 + type_mask.sum(axis=1)
    payload = header_bytes + sizes
    parts = [_varints(payload), _varints(rowids), _varints(header_bytes), (types, type_mask)]
    matrix, mask = (np.concatenate(side, axis=1) for side in zip(*parts, strict=True))
    offsets = np.concatenate([[0], np.cumsum(mask.sum(axis=1))]).astype(np.int32)
    flat = matrix.reshape(-1) if mask.all() else matrix[mask]
    heads = pa.Array.from_buffers(pa.binary(), count, [None, pa.py_buffer(offsets), pa.py_buffer(flat)])
    joined = pc.binary_join_element_wise(heads, *bodies, b"", null_handling="replace", null_replacement=b"")
    ends = np.frombuffer(joined.buffers()[1], np.int32)[1 : count + 1].astype(np.int64)
    return Cells(joined.buffers()[2], ends, payload, np.asarray(rowids, np.int64))


def _encode(column: pa.Array) -> tuple[np.ndarray, pa.Array | None, np.ndarray | int]:
    """Serial types, bodies (None where the serial type says all) and body sizes of one column."""
    missing = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    body, size = None, 0
    if pa.types.is_boolean(kind):
        serial = 8 + column.fill_null(False).cast(pa.int64()).to_numpy()
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        values = column.fill_null(0).to_numpy()
        serial, stored = _number(values)
        serial = np.full(len(values), serial)
        raw = stored.view(np.uint8)
        body = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(stored.itemsize), len(values), [None, pa.py_buffer(raw)]
        ).cast(pa.binary())
        size = np.full(len(values), stored.itemsize)
        if missing is not None:
            body = pc.if_else(pa.array(~missing), body, pa.scalar(b"", pa.binary()))
    elif pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        body = column.cast(pa.binary())
        size = pc.binary_length(body).fill_null(0).to_numpy().astype(np.int64)
        serial = 2 * size + (13 if pa.types.is_string(kind) else 12)
    else:
        raise ValueError(f"cannot store {kind}")
    if missing is not None:
        serial = np.where(missing, 0, serial)
        size = np.where(missing, 0, size)
    return serial, body, size


def _number(values: np.ndarray) -> tuple[int, np.ndarray]:
    """The serial type that holds all values, and the values in it."""
    if values.dtype.kind == "f":
        return 7, values.astype(">f8")
    for serial, stored in ((1, ">i1"), (2, ">i2"), (4, ">i4")):
        limits = np.iinfo(stored)
        if not len(values) or (limits.min <= values.min() and values.max() <= limits.max):
            return serial, values.astype(stored)
    return 6, values.astype(">i8")


def _varints(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SQLite varints of values below 2**28, right-aligned in (n, k) bytes, and which of the bytes count."""
    width = max(1, -(-int(values.max(initial=0)).bit_length() // 7))
    if width == 1:
        return values.astype(np.uint8)[:, None], np.ones((len(values), 1), bool)
    shifted = values.astype(np.int32)[:, None] >> (7 * np.arange(width - 1, -1, -1, dtype=np.int32))
    mask = shifted > 0
    mask[:, -1] = True
    septets = (shifted & 0x7F).astype(np.uint8)
    septets[:, :-1] |= 0x80
    return septets, mask


def _varint(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | value & 0x7F)
    return bytes(reversed(digits))
