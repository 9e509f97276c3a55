"""Writing a whole demo workspace."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from data.errors import UsageError
from etl.demo.addresses import make_addresses
from etl.demo.basemap import write_base, write_places
from etl.demo.cameras import write_cameras
from etl.demo.declaration import MARKER, declaration
from etl.demo.disputes import draw_disputes, write_monthly, write_weekly
from etl.demo.events import Events, draw_weeks, expected_counts, make_intensity
from etl.demo.files import stamp
from etl.demo.frame import SCALES, WEEKS
from etl.demo.grid_events import GridEventFiles
from etl.demo.plan import City, make_city
from etl.demo.planted import make_planted
from etl.demo.police import PoliceFiles
from etl.demo.regions import write_areas, write_grids
from etl.demo.reports import write_register
from etl.demo.rhythm import POLICE, SOURCE_IDS, STREAMS
from etl.demo.truth import write_truth

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class DemoSummary:
    """What :func:`write_demo` wrote: counts by name, files relative to the workspace, seconds taken."""

    scale: str
    seed: int
    counts: Mapping[str, int]
    files: tuple[str, ...]
    seconds: float


def write_demo(
    workspace: Path, *, scale: str = "small", seed: int = 1, progress: Progress | None = None
) -> DemoSummary:
    """Write a synthetic city: ``inbox/*``, ``sources.toml``, ``truth.json`` and ``truth_expected.npz``.

    The same scale and seed give the same bytes and file times. An earlier demo in the workspace is replaced.

    Parameters
    ----------
    workspace : folder, made where absent.
    scale : ``small`` (2,800 grids, 60,000 incidents), ``city`` (28,175; 1 million) or ``huge`` (28,175; 10 million).
    seed : 0 or more.
    progress : called with a short text and the share done, 0 to 1.

    Raises
    ------
    UsageError
        Unknown scale, negative seed, or a workspace whose ``sources.toml`` is not from a demo.
    """
    begun = time.perf_counter()
    if scale not in SCALES:
        raise UsageError(
            "没有这个规模", where="--scale", found=scale, expected="、".join(SCALES), remedy="改用其中之一"
        )
    if seed < 0:
        raise UsageError(
            "随机种子不能为负", where="--seed", found=str(seed), expected="0 或正整数", remedy="换一个种子"
        )
    tell = progress or (lambda text, share: None)
    workspace = Path(workspace)
    _clear(workspace)
    inbox = workspace / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)

    tell("规划城市", 0.0)
    city = make_city(SCALES[scale], seed)
    planted = make_planted(city)
    intensity = make_intensity(city, planted)
    expected = expected_counts(city, intensity, planted)
    tell("网格与底图", 0.12)
    files = write_grids(inbox, city) + write_areas(inbox, city)
    base, counts = write_base(inbox, city)
    places, place_counts = write_places(inbox, city, planted)
    files += base + places
    tell("摄像机", 0.3)
    addresses = make_addresses(city)
    cameras = write_cameras(inbox, city, addresses, planted)
    files.append(cameras.path)
    tell("纠纷", 0.36)
    disputes = draw_disputes(city)
    files += write_monthly(inbox, city, disputes) + write_weekly(inbox, city, disputes)

    station_street = float(expected.by_source[POLICE][city.street == planted.station_street].sum())
    police, grid_events = PoliceFiles(inbox, city, planted, station_street), GridEventFiles(inbox, city)
    drawn = {**_draw(city, draw_weeks(city, addresses, intensity, planted), police, grid_events, tell)}
    files += police.close() + grid_events.close()
    files += write_register(inbox, city, disputes, grid_events.filed)
    file_facts = {
        "jq110": {
            "rows": dict(police.rows),
            "faults": dict(police.faults),
            "unmapped_category": {"涉水警情": police.unmapped_word},
        },
        "grid_event": {"rows": grid_events.rows, "faults": dict(grid_events.faults)},
    }
    declared = workspace / "sources.toml"
    declared.write_text(declaration(city.scale), encoding="utf-8")
    stamp(declared)
    file_facts["written"] = sorted(path.relative_to(workspace).as_posix() for path in files)
    truth = write_truth(workspace, city, planted, expected, disputes, cameras, police.station, drawn, file_facts)
    tell("完成", 1.0)
    counts = {
        "districts": city.scale.districts, "streets": city.scale.streets, "communities": city.scale.communities,
        "grids": city.scale.grids, "incidents": drawn["total"], "cameras": cameras.cameras, **counts, **place_counts,
    }  # fmt: skip
    names = tuple(sorted(path.relative_to(workspace).as_posix() for path in [*files, declared, *truth]))
    return DemoSummary(scale, seed, MappingProxyType(counts), names, time.perf_counter() - begun)


def _draw(city: City, weeks, police: PoliceFiles, grid_events: GridEventFiles, tell: Progress) -> dict[str, int]:
    """Draw and write all weeks; the numbers drawn."""
    source = np.array([stream.source for stream in STREAMS])
    valid = np.array([stream.category != "无效" for stream in STREAMS])
    drawn = {"total": 0, "tail": 0, "invalid": 0, "repeats": 0, **dict.fromkeys(SOURCE_IDS, 0)}
    for number, events in enumerate(weeks):
        of = source[events.stream]
        for key, writer, mine in ((SOURCE_IDS[0], police, of == POLICE), (SOURCE_IDS[1], grid_events, of != POLICE)):
            part: Events = events.take(mine)
            writer.write(part)
            drawn[key] += len(part)
        drawn["total"] += len(events)
        drawn["invalid"] += int((~valid[events.stream]).sum())
        drawn["repeats"] += int(events.repeat.sum())
        if number == WEEKS:
            drawn["tail"] = len(events)
        tell("事件", 0.4 + 0.55 * number / WEEKS)
    return drawn


def _clear(workspace: Path) -> None:
    """Remove the files of an earlier demo; refuse a workspace that is somebody's own."""
    declared = workspace / "sources.toml"
    if not declared.exists():
        return
    if MARKER not in declared.read_text(encoding="utf-8", errors="replace"):
        raise UsageError(
            "工作区已有自己的来源清单，演示数据不覆盖它",
            where=str(declared),
            expected="空的工作区，或由 yanpan demo 生成的工作区",
            remedy="换一个目录：yanpan demo --workspace 目录",
        )
    truth = workspace / "truth.json"
    if truth.exists():
        for name in json.loads(truth.read_text(encoding="utf-8"))["files"]["written"]:
            path = (workspace / name).resolve()
            if path.is_relative_to(workspace.resolve()):
                path.unlink(missing_ok=True)
