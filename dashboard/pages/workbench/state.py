"""The whole state of the page, read from the address and written to it: a Selection and how the map shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlencode

from dashboard.layers import FULL_PCT, read_layers
from dashboard.measures import COUNT, MEASURES
from data.index import INCIDENT_LEVELS
from data.schema import CATEGORIES, INVALID
from data.selection import ParameterError, Selection, Window, calendar_unit
from data.store import Release
from data.store.coverage import BEST, METHODS

DEFAULT_LAYERS = ("water", "building", "road", "labels", "incidents", "hotspots")
VIEWS = ("swipe", "side")
TABS = ("units", "incidents", "hotspots", "places", "alerts")
CUSTOM = "days"
NO_BASE = "none"
LOOKS = ("measure", "level", "layers", "view", "tab", "cover", "base")  # what only says how the page looks


@dataclass(frozen=True)
class Layer:
    """One layer over the units: what it is and how opaque."""

    name: str
    opacity_pct: int = FULL_PCT

    def __str__(self) -> str:
        return self.name if self.opacity_pct == FULL_PCT else f"{self.name}:{self.opacity_pct}"


DEFAULT = tuple(Layer(name) for name in DEFAULT_LAYERS)


@dataclass(frozen=True)
class PageState:
    """What the page shows; all of it stands in the address.

    Attributes
    ----------
    selection : Selection
    measure : str
        What colours the units of the map, one of ``MEASURES``.
    level : str or None
        Level the map keeps to; None follows zoom and drill.
    layers : tuple of Layer
        What is drawn over and under the units, bottom to top.
    view : str or None
        ``swipe`` or ``side``: the compared window beside the current one.
    tab : str
        What the drawer lists.
    cover : str
        Which shapes of the cameras the coverage layer draws, one of ``METHODS``.
    base : str
        Id of a base map of the settings; ``none`` is our own layers only.
    """

    selection: Selection
    measure: str = COUNT
    level: str | None = None
    layers: tuple[Layer, ...] = DEFAULT
    view: str | None = None
    tab: str = TABS[0]
    cover: str = BEST
    base: str = NO_BASE

    def href(self, **changes) -> str:
        """The address of this state with some of it, or of its Selection, changed."""
        own = {name: changes.pop(name) for name in LOOKS if name in changes}
        state = replace(self, **own, selection=replace(self.selection, **changes))
        return "?" + urlencode(state._pairs())

    def _pairs(self) -> list[tuple[str, str]]:
        pairs = self.selection.to_pairs()
        pairs += [("measure", self.measure)] if self.measure != COUNT else []
        pairs += [("level", self.level)] if self.level else []
        pairs += [("layers", ",".join(map(str, self.layers)))] if self.layers != DEFAULT else []
        pairs += [("view", self.view)] if self.view else []
        pairs += [("tab", self.tab)] if self.tab != TABS[0] else []
        pairs += [("cover", self.cover)] if self.cover != BEST else []
        return pairs + ([("base", self.base)] if self.base != NO_BASE else [])

    def shows(self, name: str) -> bool:
        """Whether a layer is on."""
        return any(layer.name == name for layer in self.layers)


def read_state(search: str | None, release: Release) -> PageState:
    """The state an address stands for.

    Raises
    ------
    ParameterError
        For a parameter or value that is not allowed.
    """
    pairs = parse_qsl((search or "").lstrip("?"), keep_blank_values=True)
    own = dict(zip(LOOKS, (MEASURES, INCIDENT_LEVELS, None, VIEWS, TABS, METHODS, None), strict=True))
    chosen: dict[str, str] = {}
    for name, value in pairs:
        if name not in own:
            continue
        if name in chosen:
            raise ParameterError(name, value, "只能出现一次")
        if own[name] is not None and value not in own[name]:
            raise ParameterError(name, value, " ".join(own[name]))
        chosen[name] = value
    layers = tuple(Layer(*one) for one in read_layers(chosen.pop("layers"))) if "layers" in chosen else DEFAULT
    selection = release.selection((name, value) for name, value in pairs if name not in own)
    return PageState(selection, layers=layers, **chosen)


def period_kind(window: Window) -> str:
    """``week``, ``half``, ``month``, ``quarter``, ``year``, or ``days`` for any other window."""
    start, end = window
    if start.weekday() == 0 and (end - start).days == 7:
        return "week"
    return calendar_unit(window)


def period_holding(kind: str, day: date) -> Window:
    """The week, half-month, month, quarter or year that holds ``day``."""
    if kind == "week":
        start = day - timedelta(days=day.weekday())
        return start, start + timedelta(days=7)
    first = day.replace(day=1)
    if kind == "half":
        middle = day.replace(day=16)
        return (first, middle) if day < middle else (middle, months_later(first, 1))
    months = {"month": 1, "quarter": 3, "year": 12}[kind]
    start = date(day.year, (day.month - 1) // months * months + 1, 1)
    return start, months_later(start, months)


def following(window: Window) -> Window:
    """The period of the same kind that starts where ``window`` ends."""
    start, end = window
    kind = calendar_unit(window)
    if kind == "days":
        return end, end + (end - start)
    return period_holding(kind, end)


def months_later(first: date, months: int) -> date:
    """The first of the month ``months`` after the month that ``first`` starts."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def toggled_category(selection: Selection, name: str) -> tuple[str, ...]:
    """Categories after a click on one: () stands for all but 无效; the last one standing cannot be left out."""
    chosen = set(selection.counted_categories) ^ {name}
    everything = {c for c in CATEGORIES if c != INVALID}
    if not chosen or chosen == everything:
        return ()
    return tuple(c for c in CATEGORIES if c in chosen)
