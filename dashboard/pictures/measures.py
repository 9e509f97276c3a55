"""What colours the units of a map: one of the measures of the page."""

from __future__ import annotations

import numpy as np

from dashboard.pictures.painted import Asked, Painted
from dashboard.pictures.painted_classes import change, classes
from dashboard.pictures.painted_ramp import ramp
from data.selection import Selection
from data.store import Release, Scope, counts

MEASURES = ("count", "density", "rate", "eb", "change", "gi", "lisa", "emerging", "disputes")
CLASSED = ("gi", "lisa", "emerging")


def paint(release: Release, selection: Selection, scope: Scope, measure: str, level: str) -> Painted:
    """The units of ``level`` by one of ``MEASURES``.

    Raises
    ------
    ParameterError
        For a measure the Selection or the release cannot give.
    OutsideScope, UnknownArea
    """
    counted = counts(release, selection, scope, level)
    at = {code: i for i, code in enumerate(release.units.level(level).codes)}
    positions = np.array([at[code] for code in counted.rows["code"].to_pylist()], dtype=np.int64)
    asked = Asked(release, selection, scope, level, counted, positions, counted.rows["name"].to_pylist())
    if measure == "change":
        return change(asked)
    if measure in CLASSED:
        return classes(asked, measure)
    return ramp(asked, measure)
