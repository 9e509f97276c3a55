"""Pictures out of a PMTiles file (version 3): a header, directories of tile numbers, and the tiles.

Tiles are numbered along Hilbert curves, zoom after zoom. A directory gives runs of numbers and where their bytes are;
an entry of run length 0 points to a directory further down. Specification: Protomaps, PMTiles version 3.
"""

from __future__ import annotations

import gzip
import os
import struct
import threading
import zlib
from bisect import bisect_right
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

from dashboard.basemaps.tile_file import RASTER_ONLY, BaseMapFault, media_type, usable_bounds, vector_fault

_HEADER = struct.Struct("<7sB11Q6B4iB2i")
_NONE, _GZIP = 1, 2  # compressions of the specification; 0 is unknown
_KINDS = {1: "矢量瓦片 mvt", 5: "avif"}
_DEEPEST = 4  # directories under each other
_KEPT = 64  # directories kept in memory


class Directory(NamedTuple):
    """Entries by tile number: first number, run length (0: another directory), length and offset of the bytes."""

    first: list[int]
    run: list[int]
    length: list[int]
    offset: list[int]


def tile_number(z: int, x: int, y: int) -> int:
    """The number of a tile: those of all wider zooms come first, then its place on the zoom's Hilbert curve.

    Examples
    --------
    >>> [tile_number(0, 0, 0), tile_number(1, 1, 0), tile_number(12, 3423, 1763)]
    [0, 4, 19078479]
    """
    number = (4**z - 1) // 3
    for bit in range(z - 1, -1, -1):
        side = 1 << bit
        right, down = bool(x & side), bool(y & side)
        number += side * side * ((3 * right) ^ down)
        x, y = x & (side - 1), y & (side - 1)
        if not down:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
    return number


class PMTiles:
    """An open PMTiles file, see :class:`~dashboard.basemaps.tile_file.TileFile`. Threads share it.

    Raises
    ------
    BaseMapFault
        Where the file is no PMTiles of version 3, or holds vector tiles.
    """

    def __init__(self, path: Path):
        self._name = path.name
        self._lock = threading.Lock()
        self._leaves: OrderedDict[tuple[int, int], Directory] = OrderedDict()
        self._file = os.open(path, os.O_RDONLY)
        try:
            self._read(path)
        except BaseException:
            self.close()
            raise

    def _read(self, path: Path) -> None:
        head = os.pread(self._file, _HEADER.size, 0)
        if len(head) < _HEADER.size or head[:7] != b"PMTiles" or head[7] != 3:
            version = f"第 {head[7]} 版" if head[:7] == b"PMTiles" and len(head) > 7 else "别的文件"
            raise BaseMapFault("底图文件打不开", where=path.name, found=version, expected="PMTiles 第 3 版")
        (_, _, root, root_length, _, _, self._leaf_start, _, self._data_start, _, _, _, _, _, self._inside, self._packed,
         kind, self.min_zoom, self.max_zoom, west, south, east, north, _, _, _) = _HEADER.unpack(head)  # fmt: skip
        if self._inside not in (_NONE, _GZIP) or self._packed not in (0, _NONE, _GZIP):
            raise BaseMapFault("底图文件打不开", where=path.name, found="brotli 或 zstd 压缩", expected="gzip 或不压缩",
                               remedy="用 pmtiles convert 重新生成")  # fmt: skip
        self.bounds = usable_bounds((west / 1e7, south / 1e7, east / 1e7, north / 1e7))
        self._root = self._directory(root, root_length)
        if not self._root.first:
            raise BaseMapFault("底图文件里没有图块", where=path.name, found="0 块", expected=RASTER_ONLY)
        if media_type(self._numbered(self._root.first[0]) or b"") is None:
            raise vector_fault(path, _KINDS.get(kind, "不认得的图块"))

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """The picture at an address."""
        return self._numbered(tile_number(z, x, y))

    def _numbered(self, number: int) -> bytes | None:
        directory = self._root
        for _ in range(_DEEPEST):
            i = bisect_right(directory.first, number) - 1
            if i < 0:
                return None
            if directory.run[i]:
                if number - directory.first[i] >= directory.run[i]:
                    return None
                data = self._bytes(self._data_start + directory.offset[i], directory.length[i])
                return self._unpacked(data) if self._packed == _GZIP else data
            directory = self._leaf(self._leaf_start + directory.offset[i], directory.length[i])
        return None

    def _leaf(self, start: int, length: int) -> Directory:
        key = (start, length)
        with self._lock:
            if key in self._leaves:
                self._leaves.move_to_end(key)
                return self._leaves[key]
        made = self._directory(start, length)
        with self._lock:
            self._leaves[key] = made
            while len(self._leaves) > _KEPT:
                self._leaves.popitem(last=False)
        return made

    def _directory(self, start: int, length: int) -> Directory:
        data = self._bytes(start, length)
        try:
            return directory_of(self._unpacked(data) if self._inside == _GZIP else data)
        except IndexError:
            raise self._broken() from None

    def _unpacked(self, data: bytes) -> bytes:
        try:
            return gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            raise self._broken() from None

    def _bytes(self, start: int, length: int) -> bytes:
        data = os.pread(self._file, length, start)
        if len(data) < length:
            raise self._broken()
        return data

    def _broken(self) -> BaseMapFault:
        return BaseMapFault("底图文件不完整", where=self._name, found="目录或图块读不出", remedy="重新复制这个文件")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def directory_of(data: bytes) -> Directory:
    """A directory from its bytes: the number of entries, then numbers, runs, lengths and offsets, all as varints.

    Raises
    ------
    IndexError
        Where the bytes end too early.
    """
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    entries = varint()
    if entries > len(data):
        raise IndexError
    first, last = [], 0
    for _ in range(entries):
        last += varint()
        first.append(last)
    run = [varint() for _ in range(entries)]
    length = [varint() for _ in range(entries)]
    offset: list[int] = []
    for i in range(entries):
        stated = varint()  # 0: right behind the entry before
        offset.append(stated - 1 if stated else offset[i - 1] + length[i - 1])
    return Directory(first, run, length, offset)
