"""What a check says, and the release it looks at."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from data import geopackage
from data.release_info import ReleaseInfo

ERROR, WARNING, INFO = "error", "warning", "info"
_WORD = {ERROR: "错误", WARNING: "警告", INFO: "说明"}


@dataclass(frozen=True)
class Finding:
    """One thing a rule found; never carries a personal value."""

    rule: str
    severity: str
    where: str
    found: str
    expected: str = ""

    def line(self) -> str:
        """The finding as one line."""
        expected = f" | 应为: {self.expected}" if self.expected else ""
        return " ".join(
            f"{_WORD[self.severity]} {self.rule} | 位置: {self.where} | 发现: {self.found}{expected}".split()
        )


def error(rule: str, where: str, found: object, expected: str = "") -> Finding:
    """A finding that makes the check fail."""
    return Finding(rule, ERROR, where, str(found), expected)


def warning(rule: str, where: str, found: object, expected: str = "") -> Finding:
    """A finding to look at."""
    return Finding(rule, WARNING, where, str(found), expected)


@dataclass(frozen=True)
class Subject:
    """The GeoPackage under test, and the release folder it lies in (None for a bare file)."""

    file: Path
    folder: Path | None

    @cached_property
    def info(self) -> ReleaseInfo:
        return geopackage.read_info(self.file)

    def connect(self) -> sqlite3.Connection:
        """A new read-only connection (one for each thread)."""
        return geopackage.connect(self.file)

    def layer(self, name: str) -> pa.Table:
        """A layer's rows, read once."""
        if name not in self._layers:
            self._layers[name] = geopackage.read(self.file, name)
        return self._layers[name]

    @cached_property
    def _layers(self) -> dict[str, pa.Table]:
        return {}
