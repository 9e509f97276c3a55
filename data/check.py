"""Is a release what it should be? Rules are small functions from the release to findings (``check_geopackage`` for the
file, ``check_rows`` for what the rows mean); this module says which are asked when.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from data import check_geopackage, check_rows, releases
from data.check_findings import ERROR, WARNING, Finding, Subject, error
from data.errors import DataFault, UsageError

Rule = Callable[[Subject], Iterator[Finding]]


@dataclass(frozen=True)
class CheckReport:
    """What a check found, in the order of the rules."""

    path: Path
    quick: bool
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == WARNING)

    @property
    def ok(self) -> bool:
        """No errors; warnings and remarks may stand."""
        return not self.errors

    def lines(self) -> list[str]:
        """One line for each finding, then the total."""
        total = f"{self.path}: {len(self.errors)} 个错误，{len(self.warnings)} 个警告"
        return [*(finding.line() for finding in self.findings), total]


def check(path: Path | str, *, quick: bool = False) -> CheckReport:
    """Hold a release folder, or a GeoPackage alone, against every rule.

    Parameters
    ----------
    path : folder of a release, or a .gpkg file.
    quick : only what costs no walk over the rows: what the ETL asks before it publishes.

    Raises
    ------
    UsageError
        There is nothing at ``path``, or a folder without a GeoPackage.
    """
    path = Path(path)
    file = path / releases.GEOPACKAGE if path.is_dir() else path
    if not file.is_file():
        raise UsageError("没有可检查的文件", where=str(file), expected="一次发布的文件夹，或 .gpkg 文件")
    subject = Subject(file, path if path.is_dir() else None)
    if unreadable := _unreadable(subject):
        return CheckReport(path, quick, (unreadable,))
    opening = [*check_geopackage.structure(subject), *_release(subject)]
    # Where layers or columns are missing the rules on rows have nothing to stand on.
    whole = not any(finding.rule.startswith(("schema.", "gpkg.core", "release.info")) for finding in opening)
    if not whole:
        return CheckReport(path, quick, tuple(opening))
    opening += check_rows.accounting(subject)
    if not quick:
        # SQLite and Arrow work outside the interpreter lock: the file is walked while the rows are judged.
        file_rules = (check_geopackage.integrity, check_geopackage.values, check_geopackage.geometries)
        row_rules = (
            check_rows.enumerations,
            check_rows.identities,
            check_rows.codes,
            check_rows.references,
            check_rows.grid_topology,
        )
        with ThreadPoolExecutor(2) as pool:
            for found in pool.map(lambda rules: [f for rule in rules for f in rule(subject)], (file_rules, row_rules)):
                opening += found
    return CheckReport(path, quick, tuple(opening))


def _unreadable(subject: Subject) -> Finding | None:
    with closing(subject.connect()) as db:
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as fault:
            return error("gpkg.sqlite", str(subject.file), fault, "SQLite 3 数据库")
    return None


def _release(subject: Subject) -> Iterator[Finding]:
    """What the release says of itself, and the files beside the GeoPackage."""
    try:
        info = subject.info
    except DataFault as fault:
        yield error("release.info", subject.file.name, fault.line())
        return
    if subject.folder is None:
        return
    name = subject.folder.resolve().name
    if name.startswith("r") and name != info.release_id:
        yield error("release.id", name, f"GeoPackage 中为 {info.release_id}", "与文件夹同名")
    for needed in (releases.QUERY_INDEX, releases.QUALITY, releases.REJECTS):
        if not (subject.folder / needed).is_file():
            yield error("release.files", needed, "没有这个文件")
    try:
        json.loads((subject.folder / releases.QUALITY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except ValueError as fault:
        yield error("release.quality", releases.QUALITY, fault, "JSON")
