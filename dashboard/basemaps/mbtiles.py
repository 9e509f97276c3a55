"""Pictures out of an MBTiles file (version 1.3), which is an SQLite database whose rows count from the south."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from dashboard.basemaps.tile_file import RASTER_ONLY, BaseMapFault, Box, media_type, usable_bounds, vector_fault


class MBTiles:
    """An open MBTiles file, see :class:`~dashboard.basemaps.tile_file.TileFile`. Threads share it.

    Raises
    ------
    BaseMapFault
        Where the file is no MBTiles, is empty, or holds vector tiles.
    """

    def __init__(self, path: Path):
        self._lock = threading.Lock()
        # Immutable: no lock file beside it, so it may stand in a folder that cannot be written.
        self._file = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        try:
            self._read(path)
        except sqlite3.Error as fault:
            self.close()
            raise BaseMapFault("底图文件打不开", where=path.name, found=type(fault).__name__,
                               expected="MBTiles：SQLite，含表 metadata 和 tiles") from None  # fmt: skip
        except BaseException:
            self.close()
            raise

    def _read(self, path: Path) -> None:
        stated = dict(self._file.execute("SELECT name, value FROM metadata"))
        first = self._file.execute("SELECT tile_data FROM tiles LIMIT 1").fetchone()
        if first is None:
            raise BaseMapFault("底图文件里没有图块", where=path.name, found="0 块", expected=RASTER_ONLY)
        if media_type(first[0]) is None:
            raise vector_fault(path, str(stated.get("format") or "不认得的图块"))
        zooms = self._zooms(stated)
        if zooms is None:
            zooms = self._file.execute("SELECT min(zoom_level), max(zoom_level) FROM tiles").fetchone()
        self.min_zoom, self.max_zoom = zooms
        self.bounds = _bounds(stated.get("bounds"))

    @staticmethod
    def _zooms(stated: dict[str, str]) -> tuple[int, int] | None:
        try:
            return int(stated["minzoom"]), int(stated["maxzoom"])
        except (KeyError, ValueError, TypeError):
            return None

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """The picture at an address."""
        where = {"z": z, "x": x, "row": 2**z - 1 - y}
        with self._lock:
            found = self._file.execute(
                "SELECT tile_data FROM tiles WHERE zoom_level = :z AND tile_column = :x AND tile_row = :row", where
            ).fetchone()
        return found[0] if found else None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _bounds(text: str | None) -> Box | None:
    try:
        west, south, east, north = (float(part) for part in str(text).split(","))
    except ValueError:
        return None
    return usable_bounds((west, south, east, north))
