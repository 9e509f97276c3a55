"""The units of a map as a measure shows them, and what every measure starts from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from dashboard.components.words import LEVEL_NAMES
from dashboard.language import say
from dashboard.pictures.map_frame import Legend, Ranked
from data.selection import Selection
from data.store import Answer, Release, Scope
from data.store.disputes import disputes

TITLES = {"count": "各{level}起数", "density": "各{level}每平方公里起数", "rate": "各{level}每千人起数",
          "eb": "各{level}每千人起数（稳健率）", "change": "各{level}变化", "gi": "{level}热点（Gi*）",
          "lisa": "{level}局部 Moran", "emerging": "{level}时空热点", "disputes": "各{level}纠纷排查"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Painted:
    """The units of one level as a measure shows them; arrays are by position.

    Attributes
    ----------
    shown : bool array, shape (units,)
        Units of the selected area.
    colours : str array, shape (units,)
    title : str
    legend : Legend
    ranked_title, ranked : str, tuple of Ranked
    finding : str
        A sentence on what stands out; empty where nothing does.
    groups : array, shape (hotspots, 3)
        Longitude, latitude and number of each numbered hotspot.
    counted : Answer
        The counts behind it.
    of_events : bool
        False where it is not incidents that are counted.
    notes : tuple of str
        What a reader must know besides.
    """

    shown: np.ndarray
    colours: np.ndarray
    title: str
    legend: Legend
    ranked_title: str
    ranked: tuple[Ranked, ...]
    finding: str
    groups: np.ndarray
    counted: Answer
    of_events: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked for, and the counts that every measure starts from.

    ``positions`` are those of the counted rows among the units of the level, ``names`` the rows' names.
    """

    release: Release
    selection: Selection
    scope: Scope
    level: str
    counted: Answer
    positions: np.ndarray
    names: list[str]

    @property
    def size(self) -> int:
        """Number of units of the level."""
        return len(self.release.units.level(self.level))

    @property
    def level_name(self) -> str:
        """The level in the language in use."""
        return say(LEVEL_NAMES[self.level])

    @property
    def per(self) -> str:
        """What a number is of: a unit of the level, in so many days."""
        return f"{self.level_name} · {say('{n}天', n=self.selection.days)}"

    @cached_property
    def disputes(self) -> Answer:
        """The disputes of the same units."""
        return disputes(self.release, self.selection, self.scope, self.level)

    def column(self, name: str) -> np.ndarray:
        """A column of the counts as floats, NaN where null."""
        return self.counted.rows[name].cast(pa.float64()).to_numpy()

    def spread(self, values: np.ndarray, nothing) -> np.ndarray:
        """Values of the counted rows by position."""
        out = np.full(self.size, nothing, dtype=values.dtype)
        out[self.positions] = values
        return out


def painted(
    asked: Asked,
    measure: str,
    colours: np.ndarray,
    legend: Legend,
    ranked: tuple[str, list[Ranked]],
    finding: str,
    *,
    groups: np.ndarray | None = None,
    notes: Iterable[str] = (),
) -> Painted:
    """The units asked for in ``colours`` (by position); ``ranked`` is the title of the list and its rows."""
    shown = np.zeros(asked.size, dtype=bool)
    shown[asked.positions] = True
    return Painted(
        shown, colours, say(TITLES[measure], level=asked.level_name), legend, ranked[0], tuple(ranked[1]), finding,
        np.empty((0, 3)) if groups is None else groups, asked.counted, measure != "disputes", tuple(notes),
    )  # fmt: skip
