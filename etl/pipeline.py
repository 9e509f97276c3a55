"""One run: declared files in, a published release out, or nothing at all."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from data import check, geopackage, index, releases
from data.errors import DataFault, ReleaseError
from data.release_info import ReleaseInfo
from data.releases import Workspace
from data.schema import LAYERS
from etl import extract, freshness, gather, layers, sources
from etl.accounts import HARMLESS, Run
from etl.faults import RejectFault
from etl.findings import write_findings
from etl.gathered import Gathered, Job
from etl.sources import Sources

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Outcome:
    """What a run did. ``release_id`` is None where nothing was new; ``rows`` is the summary, one per source:
    (id, kind, files, rows in, rows out, rejected)."""

    release_id: str | None
    path: Path | None
    rows: tuple[tuple[str, str, int, int, int, int], ...]
    warnings: tuple[str, ...]
    seconds: float


def run(
    workspace: Workspace,
    *,
    sources_file: Path | None = None,
    append: bool = False,
    progress: Progress = lambda stage, share: None,
) -> Outcome:
    """Build and publish a release from the workspace's sources.

    Parameters
    ----------
    sources_file : default the workspace's ``sources.toml``; relative paths in it count from its folder.
    append : add new files to the current release instead of reading everything again.
    progress : called with the stage (in words) and the share done, 0 to 1.

    Raises
    ------
    UsageError
        sources.toml is wrong.
    DataFault
        The data refuses to be published; the current release stays as it is.
    ReleaseError
        The workspace is locked or the disk is full.
    """
    began = time.perf_counter()
    path = sources_file or workspace.sources_file
    declared = sources.load(path)
    with releases.begin(workspace) as build:
        previous = _previous(workspace)
        jobs = _jobs(declared, path.parent, progress)
        known = _known(previous) if previous else {}
        signature = _signature(declared, jobs, f"append {previous.name}" if append and previous else "whole")
        if previous and not append and known.get("signature") == signature:
            return Outcome(None, previous, (), (), time.perf_counter() - began)
        if append and previous:
            read = {
                (r["source_id"], r["sha256"])
                for r in geopackage.read(previous / releases.GEOPACKAGE, "source_run")
                .select(["source_id", "sha256"])
                .to_pylist()
            }
            jobs = [job for job in jobs if (job.source.id, job.sha256) not in read]
            if not jobs:
                return Outcome(None, previous, (), (), time.perf_counter() - began)
        gathered = gather.gather(declared, jobs, previous if append else None, progress)
        _limit_rejects(declared, gathered)
        _warn_of_losses(declared, gathered)
        info = freshness.describe(declared, gathered, build.release_id, _code_version(), previous)
        _write(build.path, gathered, info, progress)
        progress("预警与覆盖", 0.92)
        write_findings(build.path, previous)
        _explain(build.path, gathered, info, signature)
        progress("检查", 0.95)
        report = check.check(build.path, quick=True)
        if not report.ok:
            raise DataFault(
                "发布前检查未通过",
                where=build.release_id,
                found=report.errors[0].line(),
                remedy="当前发布未变；请把这一行告知维护者",
            )
        published = releases.publish(build)
    progress("已发布", 1.0)
    return Outcome(
        info.release_id,
        published,
        _summary(declared, gathered),
        tuple(f"{w['where']}：{w['message']}" for w in gathered.context.warnings),
        time.perf_counter() - began,
    )


def _code_version() -> str:
    return version("yanpan")


def _previous(workspace: Workspace) -> Path | None:
    try:
        return workspace.current()
    except ReleaseError:
        return None


def _jobs(declared: Sources, base: Path, progress: Progress) -> list[Job]:
    """Every file of every source with its checksum; a file that is there twice under one source is read once."""
    jobs: list[Job] = []
    for position, source in enumerate(declared.source):
        progress("核对文件", 0.02 + 0.03 * position / len(declared.source))
        if source.url is not None:
            raw = extract.read_database(source)
            jobs.append(Job(source, None, raw.sha256, datetime.now(UTC), raw))
            continue
        seen: set[str] = set()
        for file in sources.files_of(source, base):
            digest = extract.checksum(file)
            if digest not in seen:
                seen.add(digest)
                jobs.append(Job(source, file, digest, datetime.fromtimestamp(file.stat().st_mtime, UTC)))
    return jobs


def _signature(declared: Sources, jobs: list[Job], mode: str) -> str:
    """What a release is made of: the list with its variables filled in, the code tables, the files, and the release
    it was added to. Two runs with one signature would publish the same."""
    digest = hashlib.sha256(f"{mode}\0{_code_version()}\0{declared.model_dump_json()}".encode())
    for table in sorted((files("data") / "codes").iterdir(), key=lambda t: t.name):
        digest.update(table.read_bytes())
    for job in jobs:
        digest.update(f"{job.source.id}\0{job.sha256}\0".encode())
    return digest.hexdigest()


def _known(release: Path) -> dict:
    try:
        return json.loads((release / releases.QUALITY).read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _limit_rejects(declared: Sources, gathered: Gathered) -> None:
    for source in declared.source:
        rows = sum(r.rows_in for r in gathered.accounts.runs if r.source_id == source.id and not r.carried)
        counts = gathered.accounts.counts(source.id)
        bad = {code: n for code, n in counts.items() if code not in HARMLESS}
        total = sum(bad.values())
        if rows and 100 * total > source.max_reject_pct * rows:
            worst = gathered.accounts.main_reason(source.id)
            runs = [r for r in gathered.accounts.runs if r.source_id == source.id and not r.carried]
            file = max(runs, key=lambda r: r.rows_rejected).file
            raise RejectFault(
                "退回的行太多",
                where=f"{source.id} {file}",
                found=f"{total}/{rows} 行（{100 * total / rows:.1f}%），最多的是“{worst}”",
                expected=f"不超过 {source.max_reject_pct:g}%",
                remedy="检查列映射与文件；确属正常时调高 max_reject_pct",
            )


def _warn_of_losses(declared: Sources, gathered: Gathered) -> None:
    """Say in words what would else look like a quiet city: words not known, regions rejected, events without a grid."""
    for source in declared.source:
        notes = gathered.context.quality.get(source.id, {})
        for name, words in notes.get("unmapped", {}).items():
            most = "、".join(f"{w} {n}" for w, n in sorted(words.items(), key=lambda i: -i[1])[:5])
            where = f"[source.values.{name}]"
            gathered.context.warn(
                "unmapped_words",
                source.id,
                f"{name} 有 {len(words)} 个词不认识（{most}），请在 {where} 中写明",
                sum(words.values()),
            )
        bad = {k: n for k, n in gathered.accounts.counts(source.id).items() if k not in HARMLESS}
        if source.kind in ("area", "grid") and bad:
            gathered.context.warn(
                "regions_rejected",
                source.id,
                f"退回了 {sum(bad.values())} 个区域或网格，原因见 rejects.csv",
                sum(bad.values()),
            )
        lost = notes.get("without_grid", 0)
        if lost and notes.get("location_quality", {}).get("none", 0) < lost:
            gathered.context.warn("events_without_grid", source.id, f"{lost} 起不在任何网格内，只计入总数", lost)


def _write(folder: Path, gathered: Gathered, info: ReleaseInfo, progress: Progress) -> None:
    """The GeoPackage and the query index, side by side: both work outside the interpreter lock."""
    tables = gathered.tables
    total = max(sum(t.num_rows for t in tables.values()), 1)
    done: dict[str, int] = {}

    def told(layer: str, rows: int) -> None:
        done[layer] = rows
        progress("写入", 0.6 + 0.3 * min(sum(done.values()) / total, 1))

    def index_it() -> None:
        index.build(folder / releases.QUERY_INDEX, tables, info)
        layers.write_origins(folder / releases.QUERY_INDEX, gathered.origins)

    progress("写入", 0.6)
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(geopackage.write, folder / releases.GEOPACKAGE, tables, info, progress=told),
            pool.submit(index_it),
        ]
        for job in jobs:
            job.result()


def _explain(folder: Path, gathered: Gathered, info: ReleaseInfo, signature: str) -> None:
    """quality.json and rejects.csv."""
    context, accounts = gathered.context, gathered.accounts
    per_source = {}
    reasons = (
        gathered.tables["reject"].group_by(["source_id", "reason_code"]).aggregate([([], "count_all")]).to_pylist()
    )
    for source in info.sources:
        runs = [r for r in accounts.runs if r.source_id == source.source_id]
        per_source[source.source_id] = {
            "kind": source.kind,
            "rows_in": sum(r.rows_in for r in runs),
            "rows_out": sum(r.rows_out for r in runs),
            "rows_rejected": sum(r.rows_rejected for r in runs),
            "rejects": {r["reason_code"]: r["count_all"] for r in reasons if r["source_id"] == source.source_id},
            "files": [_run_note(r) for r in runs],
            **context.quality.get(source.source_id, {}),
        }
    other = {k: v for k, v in context.quality.items() if k not in per_source}
    document = {
        "release": json.loads(info.to_json()),
        "signature": signature,
        "sources": per_source,
        "layers": {name: gathered.tables[name].num_rows for name in LAYERS},
        "notes": other,
        "topology": gathered.topology.result(),
        "warnings": context.warnings,
    }
    (folder / releases.QUALITY).write_text(json.dumps(document, ensure_ascii=False, indent=1, default=str), "utf-8")
    with (folder / releases.REJECTS).open("wb") as out:
        out.write(b"\xef\xbb\xbf")
        pacsv.write_csv(gathered.tables["reject"], pa.PythonFile(out, "w"), pacsv.WriteOptions(quoting_style="needed"))


def _run_note(r: Run) -> dict:
    return {
        "file": r.file,
        "sha256": r.sha256,
        "rows_in": r.rows_in,
        "rows_out": r.rows_out,
        "rows_rejected": r.rows_rejected,
        "encoding": r.encoding,
        "crs_declared": r.crs_declared,
        "crs_detected": r.crs_detected,
    }


def _summary(declared: Sources, gathered: Gathered) -> tuple[tuple[str, str, int, int, int, int], ...]:
    out = []
    for source in declared.source:
        runs = [r for r in gathered.accounts.runs if r.source_id == source.id]
        out.append(
            (
                source.id,
                source.kind,
                len(runs),
                sum(r.rows_in for r in runs),
                sum(r.rows_out for r in runs),
                sum(r.rows_rejected for r in runs),
            )
        )
    return tuple(out)
