"""When in the week events happen, and when in the day most do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from dashboard.components.words import share_text
from dashboard.language import say
from data.selection import Selection
from data.store import Answer, Release, Scope, profile

PEAK_WEEKS = 12  # a week alone has too few events
_HOURS = 3


def week_table(profiled: Answer) -> np.ndarray:
    """Events by weekday and hour of the Store's ``profile``, shape (7, 24); 0 where nothing was reported."""
    return np.array([n or 0 for n in profiled.rows["count"].to_pylist()]).reshape(7, 24)


def weeks_around(release: Release, selection: Selection, scope: Scope, code: str) -> np.ndarray:
    """Events of the last ``PEAK_WEEKS`` weeks by weekday and hour, shape (7, 24), of the community that holds a unit; of the unit
    where there is none in the scope."""
    units, place = release.units, release.units.find(code)
    above = units.level(place.level).above.get("community")
    if above is not None and above[place.position] >= 0 and units.in_scope("community", scope)[above[place.position]]:
        code = str(units.level("community").codes[above[place.position]])
    start = selection.end - timedelta(weeks=PEAK_WEEKS)
    return week_table(profile(release, replace(selection, area=code, start=start, compare="none"), scope))


class Peak(NamedTuple):
    """Hours from the beginning of ``first`` to that of ``end``, and the events in them."""

    first: int
    end: int
    events: int


def peak(counts: np.ndarray) -> Peak:
    """The three hours in a row that hold most; ``counts`` is weekday by hour, shape (7, 24)."""
    three = np.convolve(counts.sum(axis=0), np.ones(_HOURS, dtype=np.int64), mode="valid")
    first = int(np.argmax(three))
    return Peak(first, first + _HOURS, int(three[first]))


def peak_words(counts: np.ndarray) -> str:
    """The peak and its share of all."""
    found = peak(counts)
    share = share_text(found.events, int(counts.sum()))
    return say("高峰 {a}—{b}时，占{share}", a=found.first, b=found.end, share=share)
