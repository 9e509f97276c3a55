"""What a run has read so far."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from etl.accounts import Accounts
from etl.extract.raw import Raw
from etl.sources import Source
from etl.transform.common import Context
from etl.transform.incidents import Part


@dataclass
class Job:
    """One file to read; ``raw`` is there already for a database."""

    source: Source
    path: Path | None
    sha256: str
    modified: datetime
    raw: Raw | None = None


@dataclass
class Gathered:
    """Everything a release holds, in memory, and where it came from."""

    context: Context
    accounts: Accounts
    tables: dict[str, pa.Table] = field(default_factory=dict)
    origins: dict[str, pa.Table] = field(default_factory=dict)
    topology: Future | None = None  # of the dict that quality.json tells
    parts: dict[str, Part] = field(default_factory=dict)
    file_times: dict[str, datetime] = field(default_factory=dict)
    as_of: dict[str, np.datetime64 | None] = field(default_factory=dict)
