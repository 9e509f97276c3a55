"""Where units stand among those of their level."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.store import Release


def positions_of(release: Release, level: str, codes: pa.ChunkedArray) -> np.ndarray:
    """Positions of units of ``level`` by their codes, ints, shape (codes,)."""
    at = release.remember(
        ("positions", level), lambda: {code: i for i, code in enumerate(release.units.level(level).codes)}
    )
    return np.array([at[code] for code in codes.to_pylist()], dtype=np.int64)
