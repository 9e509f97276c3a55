"""What cameras see of each unit and which rules they keep, worked out once at publication for whoever may see everything:
both take seconds for tens of thousands of cameras and depend on nothing a reader chooses.
"""

from __future__ import annotations

import pyarrow as pa

from data.index import INCIDENT_LEVELS
from data.store.coverage.ground import measure
from data.store.coverage.kept import GROUND, RULE_FAILING, RULE_PLACE
from data.store.coverage.rules import check, to_rows
from data.store.release import Release
from data.store.scope import Scope


def prepare(release: Release) -> dict[str, pa.Table]:
    """The tables to keep in the index, by name, see :mod:`data.store.coverage.kept`."""
    everything = Scope.everything()
    grounds = [measure(release, everything, level).to_rows(level) for level in INCIDENT_LEVELS]
    places, failing = to_rows(check(release, everything))
    return {GROUND: pa.concat_tables(grounds), RULE_PLACE: places, RULE_FAILING: failing}
