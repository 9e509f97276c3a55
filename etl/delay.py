"""How late events arrive, seen between two releases; used where a source does not say when it recorded them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from data import geopackage, releases

SHARE = 0.95


def seen(gathered, previous: Path | None) -> dict[str, float]:
    """Days within which 95 % of the events new in this release had arrived, per incident source without recording
    times. An event that occurred before the earlier release's data_as_of and was not in it was late by at least that
    many days; others arrived in time (0). Sources without a new event are left out."""
    if previous is None or not gathered.parts:
        return {}
    info = geopackage.read_info(previous / releases.GEOPACKAGE)
    before = {
        s.source_id: np.datetime64(s.data_as_of, "s") for s in info.sources if s.kind == "incident" and s.data_as_of
    }
    wanted = {k: p for k, p in gathered.parts.items() if k in before and np.isnat(p.recorded).all()}
    if not wanted:
        return {}
    old = geopackage.read(previous / releases.GEOPACKAGE, "incident").select(["incident_id", "source_id"])
    out = {}
    for source_id, part in wanted.items():
        ids = old["incident_id"].filter(pc.equal(old["source_id"], source_id)).combine_chunks()
        new = pc.invert(pc.is_in(part.ids, value_set=ids)).to_numpy(zero_copy_only=False)
        if new.any():
            late = np.maximum((before[source_id] - part.start[new]).astype(float) / 86400, 0)
            out[source_id] = float(np.quantile(late, SHARE))
    return out
