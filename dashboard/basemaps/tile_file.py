"""What MBTiles and PMTiles files have in common: pictures by address, and one line where a file is not usable."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from data.errors import UsageError

Box = tuple[float, float, float, float]
RASTER_ONLY = "png、jpg 或 webp 图片瓦片"
MAX_ZOOM = 24
# One transparent pixel: what a map answers where it has nothing, so that the browser's log stays empty.
BLANK = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6360600000000300012b094d840000000049454e44ae426082"
)


class BaseMapFault(UsageError):
    """A configured base map cannot be used."""


class TileFile(Protocol):
    """A local file of pictures.

    Attributes
    ----------
    min_zoom, max_zoom : int
        Zooms the file holds.
    bounds : (west, south, east, north) or None
        Degrees the file says it covers.
    """

    min_zoom: int
    max_zoom: int
    bounds: Box | None

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """The picture at an address (y counts from the north); None where the file has none."""

    def close(self) -> None:
        """Close the file."""


def media_type(data: bytes) -> str | None:
    """What kind of picture bytes are; None for anything else, vector tiles included."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    if data[:2] == b"\xff\xd8":
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def vector_fault(path: Path, found: str) -> BaseMapFault:
    """The fault of a file that holds vector tiles."""
    return BaseMapFault("底图只支持图片瓦片", where=path.name, found=found, expected=RASTER_ONLY,
                        remedy="用 tippecanoe、QGIS 等另存为图片瓦片的 MBTiles 或 PMTiles")  # fmt: skip


def usable_bounds(box: Box) -> Box | None:
    """Bounds as they are where they span a part of the world; None where a file states nonsense."""
    west, south, east, north = box
    return box if -180 <= west < east <= 180 and -90 <= south < north <= 90 else None
