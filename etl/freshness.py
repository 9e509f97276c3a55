"""How far each source reaches, which have fallen silent, and what the release says of itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.compute as pc

from data.index import CADENCE_DAYS
from data.release_info import ReleaseInfo, SourceInfo
from etl import delay
from etl.gathered import Gathered
from etl.sources import Sources
from etl.transform import reports


def find_data_as_of(declared: Sources, out: Gathered) -> None:
    """``data_as_of`` per incident source: its latest event, spans by their end, not after its file's time."""
    zone = ZoneInfo(declared.release.timezone)
    for source_id, part in out.parts.items():
        end = np.where(np.isnat(part.to), part.start, part.to)
        limit = out.file_times.get(source_id)
        if limit is not None:
            local = np.datetime64(limit.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds"), "s")
            known = end[end <= local]
            if known.size == 0 and end.size:
                out.context.warn("events_after_file", source_id, "所有事件都晚于文件时间，数据截至取最晚事件", end.size)
                known = end
            elif later := int((end > local).sum()):
                out.context.warn("events_after_file", source_id, "发生时间晚于文件时间，不计入数据截至", later)
        else:
            known = end
        out.as_of[source_id] = known.max() if known.size else None


def silent_sources(declared: Sources, out: Gathered) -> set[str]:
    known = {k: v for k, v in out.as_of.items() if v is not None}
    if not known:
        return set()
    newest = max(known.values())
    silent = set()
    for source in declared.source:
        if source.id in known:
            days = reports.SILENCE_CADENCES * CADENCE_DAYS[source.cadence] + source.grace_days
            if newest - known[source.id] > np.timedelta64(days, "D"):
                silent.add(source.id)
    return silent


def release_day(declared: Sources, out: Gathered) -> np.datetime64 | None:
    awake = [v for k, v in out.as_of.items() if v is not None and k not in silent_sources(declared, out)]
    return min(awake) if awake else None


def describe(
    declared: Sources, out: Gathered, release_id: str, code_version: str, previous: Path | None
) -> ReleaseInfo:
    """The release's word about itself."""
    zone = ZoneInfo(declared.release.timezone)
    silent = silent_sources(declared, out)
    day = release_day(declared, out)
    late = delay.seen(out, previous)
    infos = []
    for source in declared.source:
        runs = [r for r in out.accounts.runs if r.source_id == source.id]
        part = out.parts.get(source.id)
        as_of = out.as_of.get(source.id)
        if source.kind == "dispute":
            mine = out.tables["dispute_stat"].filter(pc.equal(out.tables["dispute_stat"]["source_id"], source.id))
            last = pc.max(mine["period_end"]).as_py()
            as_of = np.datetime64(last, "s") if last else None
        elif source.kind != "incident" and source.id in out.file_times:
            local = out.file_times[source.id].astimezone(zone).replace(tzinfo=None)
            as_of = np.datetime64(local.isoformat(timespec="seconds"), "s")
        infos.append(
            SourceInfo(
                source.id,
                source.kind,
                tuple(dict.fromkeys(r.file for r in runs)),
                sum(r.rows_out for r in runs),
                source.cadence,
                source.grace_days,
                part.precision if part is not None else None,
                str(part.start.min()) if part is not None and len(part) else None,
                str(as_of) if as_of is not None else None,
                source.id in silent,
                out.file_times[source.id].strftime("%Y-%m-%dT%H:%M:%SZ") if source.id in out.file_times else None,
                late.get(source.id),
            )
        )
    return ReleaseInfo(
        release_id,
        declared.release.title,
        declared.release.crs,
        declared.release.timezone,
        "china" if out.context.china else "opaque",
        datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        str(day) if day is not None else None,
        code_version,
        declared.release.synthetic,
        tuple(infos),
    )
