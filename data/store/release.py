"""One release opened for questions: its index file, read-only, and what is kept of it in memory."""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
import sqlalchemy as sa

from data.index import FILE_NAME
from data.release_info import ReleaseInfo, SourceInfo
from data.selection import Selection, Window, default_window, parse_selection
from data.store.limits import Limits
from data.store.polygons import teach
from data.store.reports import Reports
from data.store.units import Units

T = TypeVar("T")
MOST_BYTES = 400_000_000  # of remembered answers, in one worker
_SAMPLE = 200
# Temporary files must not go beside the release, which may stand in a read-only folder. Groups by grid (15 bits) and
# period (7) fit the array-based grouping, twice as fast as hashing, when it may use more than its 12 bits.
_CONFIG = {"temp_directory": tempfile.gettempdir(), "perfect_ht_threshold": 22}


class Release:
    """A release that is open. Threads share it; the file is never written.

    Attributes
    ----------
    info : ReleaseInfo
    units : Units
    reports : Reports
        Which unit-periods of which incident source are in.
    limits : Limits
    """

    def __init__(self, directory: Path, limits: Limits):
        path = directory / FILE_NAME
        if not path.is_file():
            raise FileNotFoundError(path)
        self.limits = limits
        self._lock = threading.Lock()
        self._kept: OrderedDict[object, tuple[object, int]] = OrderedDict()  # value and its bytes, latest used last
        self._bytes = 0
        self._computing: dict[object, threading.Lock] = {}
        self._engine = sa.create_engine(
            f"duckdb:///{path}",
            connect_args={"read_only": True, "config": _CONFIG},
            pool_size=4,
            max_overflow=28,
        )
        try:
            # One connection stays open: it keeps the file's pages in memory and the SQL function known.
            self._keeper = self._engine.connect()
            teach(self._keeper.connection.driver_connection)
            self._read()
        except BaseException:
            self._engine.dispose()
            raise

    def _read(self) -> None:
        self.info = ReleaseInfo.from_json(self.rows(sa.text("SELECT info FROM release"))["info"][0].as_py())
        self.units = Units(self.rows(sa.text("SELECT * FROM unit")))
        self.reports = Reports(
            self.rows(sa.text("SELECT * FROM source ORDER BY position")),
            self.rows(sa.text("SELECT * FROM silence")),
            self.rows(sa.text("SELECT * FROM report_status")),
            self.info,
            self.units,
        )

    def close(self) -> None:
        """Close the file."""
        self._keeper.close()
        self._engine.dispose()

    def rows(self, statement: sa.Executable) -> pa.Table:
        """Run one query and return its rows as Arrow columns."""
        compiled = statement.compile(self._engine, compile_kwargs={"render_postcompile": True})
        values = [compiled.params[name] for name in compiled.positiontup or ()]
        with self._engine.connect() as connection:
            return connection.connection.driver_connection.sql(str(compiled), params=values).to_arrow_table()

    def shapes(self, level: str, detail: str) -> list[str]:
        """Display geometry of every unit of a level as GeoJSON text, in the order of positions."""
        outline = sa.table("shape", *(sa.column(name) for name in ("level", "detail", "position", "geojson"))).c
        found = self.rows(
            sa.select(outline.geojson)
            .where(outline.level == level, outline.detail == detail)
            .order_by(outline.position)
        )
        return found["geojson"].to_pylist()

    def remember(self, key: object, compute: Callable[[], T]) -> T:
        """The value for ``key``, computed once however many ask at a time, and kept while the release is open.

        What has gone unused longest is forgotten when all values together grow past ``MOST_BYTES``.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
            own = self._computing.setdefault(key, threading.Lock())
        with own:
            with self._lock:
                if key in self._kept:
                    return self._kept[key][0]
            try:
                value = compute()
                size = weight(value)
                with self._lock:
                    self._keep(key, value, size)
            finally:
                with self._lock:
                    self._computing.pop(key, None)
        return value

    def weigh_again(self, key: object) -> None:
        """To be called after a remembered value has grown, so that its new bytes count."""
        with self._lock:
            if key in self._kept:
                value = self._kept[key][0]
                self._keep(key, value, weight(value))

    def _keep(self, key: object, value: object, size: int) -> None:
        """Under the lock: keep a value as the latest used."""
        self._bytes += size - self._kept.pop(key, (None, 0))[1]
        self._kept[key] = value, size
        while self._bytes > MOST_BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1][1]

    @property
    def data_as_of(self) -> datetime | None:
        """Wall clock of the release's zone; None for a release without incidents."""
        return datetime.fromisoformat(self.info.data_as_of) if self.info.data_as_of else None

    @property
    def incident_sources(self) -> tuple[SourceInfo, ...]:
        """The incident sources the release declares."""
        return tuple(source for source in self.info.sources if source.kind == "incident")

    def default_window(self) -> Window:
        """The last complete ISO week at ``data_as_of``; the last complete month where all sources are monthly."""
        at = self.data_as_of or datetime.fromisoformat(self.info.created_at.rstrip("Z"))
        sources = self.incident_sources
        return default_window(at, monthly=bool(sources) and all(s.precision == "month" for s in sources))

    def selection(self, pairs) -> Selection:
        """A Selection from query parameters, with this release's default window."""
        return parse_selection(pairs, self.default_window())

    def base_meta(self) -> dict:
        """What every answer says of its release."""
        return {
            "release": self.info.release_id,
            "title": self.info.title,
            "synthetic": self.info.synthetic,
            "data_as_of": self.info.data_as_of,
            "timezone": self.info.timezone,
        }


def day_number(day) -> int:
    """Days since 1970-01-01, as the index counts them."""
    return int(np.datetime64(day, "D").astype(np.int64))


def weight(value: object, deep: int = 5) -> int:
    """Roughly the bytes a value holds: its arrays, tables, shapes and texts, and those inside it, so many steps deep."""
    if isinstance(value, Release):
        return 0  # it holds the values, not they it
    if isinstance(value, (pa.Table, pa.Array, pa.ChunkedArray)):
        return value.nbytes + 200
    if isinstance(value, pd.DataFrame):
        return sum(weight(value[name].to_numpy(), deep) for name in value.columns)
    if isinstance(value, np.ndarray):
        inside = (
            _sampled(value.ravel()[:: max(value.size // _SAMPLE, 1)], value.size, deep) if value.dtype == object else 0
        )
        return value.nbytes + inside + 100
    if isinstance(value, shapely.Geometry):
        return 16 * int(shapely.get_num_coordinates(value)) + 150
    if isinstance(value, (str, bytes)):
        return len(value) + 50
    if deep == 0:
        return 100
    if isinstance(value, dict):
        pairs = list(value.items())
        return 200 + _sampled([one for pair in pairs[:_SAMPLE] for one in pair], 2 * len(pairs), deep)
    if isinstance(value, (list, tuple, set, frozenset)):
        return 100 + _sampled(list(islice(value, _SAMPLE)), len(value), deep)
    inside = getattr(value, "__dict__", None)
    return 100 + (weight(dict(inside), deep - 1) if inside else 0)


def _sampled(some, size: int, deep: int) -> int:
    """Bytes of ``size`` values of which some are given."""
    return sum(weight(one, deep - 1) for one in some) * size // len(some) if len(some) else 0
