"""What a wall looks at: the default window of the release, the whole scope or one area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.components.words import before_name, now_name
from data.index import UNIT_LEVELS
from data.selection import Selection, Window, calendar_unit, parse_period
from data.store import Release, Scope
from data.store.units import Place


@dataclass(frozen=True)
class LookedAt:
    """A release as one wall sees it.

    Attributes
    ----------
    area : Place or None
        None is everything in the scope.
    """

    release: Release
    scope: Scope
    selection: Selection
    area: Place | None

    @property
    def window(self) -> Window:
        """The current window."""
        return self.selection.start, self.selection.end

    @property
    def now(self) -> str:
        """What the current window is called: 本周."""
        return now_name(self.window)

    @property
    def past(self) -> str:
        """What the compared window is called: 上周."""
        return before_name(self.window, self.selection.compare)

    @property
    def step(self) -> str:
        """What the trend goes by: ``month`` where the sources know only months, else ``week``."""
        return "month" if calendar_unit(self.window) != "days" else "week"

    def level(self, *wanted: str) -> str | None:
        """The first of some levels that lies under the area and has units."""
        for level in wanted:
            below = self.area is None or UNIT_LEVELS.index(level) > UNIT_LEVELS.index(self.area.level)
            if below and self.release.units.shown(level, self.area, self.scope).any():
                return level
        return None

    def drawn(self, *wanted: str) -> str | None:
        """The first of some levels that lies under the area and has outlines to draw."""
        units = self.release.units
        return self.level(*(one for one in wanted if np.isfinite(units.level(one).bounds).any()))


def look(release: Release, scope: Scope, area: str | None, period: str | None = None) -> LookedAt:
    """What a wall of an area looks at.

    Parameters
    ----------
    period : str or None
        As :func:`data.selection.parse_period` reads it; None is the release's default window.

    Raises
    ------
    ParameterError, OutsideScope, UnknownArea
    """
    window = zip(("from", "to"), map(str, parse_period(period)), strict=True) if period else ()
    selection = release.selection([*([("area", area)] if area else []), *window])
    return LookedAt(release, scope, selection, release.units.allowed(area, scope) if area else None)
