"""What colours the units of a map: one of the measures of the page."""

from __future__ import annotations

from dashboard.measures import CHANGE, CLASSED
from dashboard.pictures.painted import Asked, Painted
from dashboard.pictures.painted_classes import change, classes
from dashboard.pictures.painted_ramp import ramp
from dashboard.unit_positions import positions_of
from data.selection import Selection
from data.store import Release, Scope, counts


def paint(release: Release, selection: Selection, scope: Scope, measure: str, level: str) -> Painted:
    """The units of ``level`` by one of ``MEASURES``.

    Raises
    ------
    ParameterError
        For a measure the Selection or the release cannot give.
    OutsideScope, UnknownArea
    """
    counted = counts(release, selection, scope, level)
    positions = positions_of(release, level, counted.rows["code"])
    asked = Asked(release, selection, scope, level, counted, positions, counted.rows["name"].to_pylist())
    if measure == CHANGE:
        return change(asked)
    if measure in CLASSED:
        return classes(asked, measure)
    return ramp(asked, measure)
