"""What a release says of itself: stored in its GeoPackage metadata, its query index and its quality.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class SourceInfo:
    """One declared source in a release. Times are wall-clock ISO text of the release's zone, null where unknown."""

    source_id: str
    kind: str
    files: tuple[str, ...]
    rows: int
    cadence: str | None = None
    grace_days: int = 2
    precision: str | None = None  # month, day, hour, minute; incidents only
    first_event: str | None = None
    data_as_of: str | None = None  # latest event not after the file's time; a span counts by its end
    silent: bool = False  # 停报: missing from its data_as_of on
    file_time: str | None = None  # of the newest file, UTC
    reporting_delay_days: float | None = None  # 95 % delay seen between releases; null where never seen


@dataclass(frozen=True)
class ReleaseInfo:
    """Identity of a release. ``data_as_of`` is the oldest among the incident sources that are not silent."""

    release_id: str
    title: str
    crs: str
    timezone: str
    codes: str  # china or opaque
    created_at: str  # UTC, ISO with Z
    data_as_of: str | None
    code_version: str
    synthetic: bool = False
    sources: tuple[SourceInfo, ...] = field(default_factory=tuple)

    def to_json(self) -> str:
        """One JSON object, keys as the fields."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ReleaseInfo:
        """The inverse of :meth:`to_json`."""
        raw = json.loads(text)
        raw["sources"] = tuple(SourceInfo(**{**s, "files": tuple(s["files"])}) for s in raw["sources"])
        return cls(**raw)
