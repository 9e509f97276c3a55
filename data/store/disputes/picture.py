"""The figures of one window: of every unit of a level, and of the selected places taken together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.store.disputes.choosing import Chosen
from data.store.disputes.figures import COUNTS, PART_COUNTS, STOCKS, Figures, parts, totals
from data.store.disputes.rollup import of_places, roll_up, sum_told
from data.store.disputes.sources import reporting
from data.store.release import Release
from data.store.reports import Tally
from data.store.units import Place


@dataclass(frozen=True)
class Rate:
    """One of the three rates that reports call 调处率: its name, what is divided, and by what."""

    key: str
    name: str
    formula: str
    numerator: str
    denominator: str

    @property
    def counts(self) -> tuple[str, str]:
        """The two counts it needs."""
        return self.numerator, self.denominator

    @property
    def parts(self) -> tuple[str, str]:
        """Columns of its two parts: only lines that tell both counts are in either."""
        return f"{self.key}_above", f"{self.key}_below"


RATES = (
    Rate("handled_pct", "调处率", "调处数 ÷ 排查数", "handled", "found"),
    Rate("accepted_success_pct", "受理成功率", "调处成功数 ÷ 受理数", "succeeded", "accepted"),
    Rate("handled_success_pct", "调处成功率", "调处成功数 ÷ 调处数", "succeeded", "handled"),
)
_COLUMNS = (*COUNTS, *(part for rate in RATES for part in rate.parts))


@dataclass(frozen=True)
class Standing:
    """Figures of some places.

    Attributes
    ----------
    values : dict of str to ndarray of float, shape (places,)
        Every count and both parts of every rate; NaN is not known.
    state : ndarray of object, shape (places,)
        missing, zero, reported; None where the source does not speak of such places.
    missing : ndarray of float, shape (places,)
        Unit-periods not in; NaN where no report state is known.
    """

    values: dict[str, np.ndarray]
    state: np.ndarray
    missing: np.ndarray

    def columns(self) -> dict[str, pa.Array]:
        """The columns of an answer."""
        pct = {}
        for rate in RATES:
            above, below = (self.values[name] for name in rate.parts)
            with np.errstate(divide="ignore", invalid="ignore"):
                pct[rate.key] = pa.array(np.where(below > 0, 100.0 * above / below, np.nan), from_pandas=True)
        return {
            **{name: _whole_numbers(self.values[name]) for name in COUNTS},
            "state": pa.array(self.state.tolist(), pa.string()),
            "periods_missing": _whole_numbers(self.missing),
            **pct,
        }

    def one(self, name: str) -> int | None:
        """A figure of the first place."""
        return whole(float((self.missing if name == "missing" else self.values[name])[0]))

    def totals(self) -> dict[str, int | None] | None:
        """Every count of the first place; None where nothing is in."""
        if self.state[0] in (None, "missing"):
            return None
        return {name: self.one(name) for name in COUNTS}

    def rates(self) -> list[dict]:
        """The three rates of the first place: ``key, name, formula, numerator, denominator, pct``, None at base 0."""
        rows = []
        for rate in RATES:
            above, below = (self.one(name) for name in rate.parts)
            pct = 100.0 * above / below if below else None
            rows.append({"key": rate.key, "name": rate.name, "formula": rate.formula, "numerator": above,
                         "denominator": below, "pct": pct})  # fmt: skip
        return rows


def whole(value: float | None) -> int | None:
    """A figure as a whole number; None for NaN."""
    return None if value is None or np.isnan(value) else int(value)


def counts_told(release: Release, chosen: Chosen | None) -> set[str]:
    """The counts a source tells at all."""
    return set(totals(release, chosen.source).counts) if chosen else set()


def unit_standing(release: Release, chosen: Chosen | None, level: str) -> Standing:
    """Figures of every unit of a level; where the source has no line of it or below, they are not known, nor 未报."""
    size = len(release.units.level(level))
    if chosen is None or not chosen.source.speaks_of(level):
        return _unknown(size)
    rolled = _rolled(release, chosen)
    values = {name: rolled[name][level] if name in rolled else np.full(size, np.nan) for name in _COLUMNS}
    known = reporting(release, chosen.source)
    tally = known.tally(level, chosen.due) if known and chosen.due else None
    return _standing(release, chosen, values, tally)


def whole_standing(release: Release, chosen: Chosen | None, places: tuple[Place, ...] | None) -> Standing:
    """Figures of some units taken together (None: the whole release), as one place."""
    if chosen is None or not (places is None or any(chosen.source.speaks_of(place.level) for place in places)):
        return _unknown(1)
    rolled = _rolled(release, chosen)
    values = {
        name: of_places(release.units, {level: v[None] for level, v in rolled[name].items()}, places)
        if name in rolled
        else np.full(1, np.nan)
        for name in _COLUMNS
    }
    return _standing(release, chosen, values, tally_of_whole(release, chosen, places))


def tally_of_whole(release: Release, chosen: Chosen, places: tuple[Place, ...] | None) -> Tally | None:
    """Unit-periods of some units taken together, a column a period; None where no report state is known."""
    known = reporting(release, chosen.source)
    return known.tally_of(places, chosen.due) if known and chosen.due else None


def part_figures(
    release: Release, chosen: Chosen, places: tuple[Place, ...] | None, by: str
) -> dict[str, dict[str, float]]:
    """``found``, ``handled`` and ``succeeded`` of every part of the selected places, by name of the part."""
    if not chosen.told:
        return {}
    key = ("dispute parts", chosen.source.source_id, chosen.told, places, by)
    return release.remember(key, lambda: _part_figures(release, chosen, places, by))


def _part_figures(release, chosen: Chosen, places, by: str) -> dict[str, dict[str, float]]:
    names, figures = parts(release, chosen.source, chosen.told, by)
    found = {name: np.full(len(names), np.nan) for name in PART_COUNTS}
    for name in figures.counts:
        flat = figures.values(name, chosen.told).reshape(-1, len(figures.level))
        rolled = roll_up(release.units, figures.level, figures.position, flat)
        found[name] = sum_told(of_places(release.units, rolled, places).reshape(len(names), -1), axis=1)
    return {part: {name: float(found[name][i]) for name in PART_COUNTS} for i, part in enumerate(names)}


def _rolled(release: Release, chosen: Chosen) -> dict[str, dict[str, np.ndarray]]:
    key = ("dispute figures", chosen.source.source_id, chosen.told)
    return release.remember(key, lambda: _roll(release, totals(release, chosen.source), chosen.told))


def _roll(release: Release, figures: Figures, told: tuple) -> dict[str, dict[str, np.ndarray]]:
    """By column and level, shape (units,): flows added up over the periods, stocks at the latest."""
    columns = {name: found[0] for name in COUNTS if (found := figures.values(name, told)) is not None}
    for rate in RATES:
        if set(rate.counts) <= columns.keys():
            known = ~np.isnan(columns[rate.numerator]) & ~np.isnan(columns[rate.denominator])
            columns |= {
                part: np.where(known, columns[name], np.nan) for part, name in zip(rate.parts, rate.counts, strict=True)
            }
    if len(np.unique(figures.level)) == 1:  # no line stands above another: added up first, it is the same
        columns = {name: _over_periods(name, values)[None] for name, values in columns.items()}
    sizes = [len(values) for values in columns.values()]
    stacked = np.concatenate(list(columns.values())) if columns else np.zeros((0, len(figures.level)))
    by_level = roll_up(release.units, figures.level, figures.position, stacked)
    ends = np.cumsum(sizes)
    return {
        name: {level: _over_periods(name, found[end - size : end]) for level, found in by_level.items()}
        for name, size, end in zip(columns, sizes, ends, strict=True)
    }


def _over_periods(name: str, values: np.ndarray) -> np.ndarray:
    """A count's rows, one a period, as one: a flow is added up, a stock is the latest."""
    return values[-1] if name in STOCKS else sum_told(values, axis=0)


def _standing(release: Release, chosen: Chosen, values: dict[str, np.ndarray], tally: Tally | None) -> Standing:
    """The state of each place; a nil return without a line is 0 in every count its source tells."""
    counts = np.stack([values[name] for name in COUNTS])
    no_line = np.isnan(counts).all(axis=0)
    missing = np.full(len(no_line), np.nan)
    nothing_in = no_line
    if tally is not None:
        missing = tally.missing.sum(axis=1).astype(float)
        nothing_in = no_line & (missing == tally.total.sum(axis=1))
    state = np.select([(np.nan_to_num(counts) > 0).any(axis=0), nothing_in], ["reported", "missing"], "zero")
    given = counts_told(release, chosen)
    nil = no_line & (state == "zero")
    filled = {name: np.where(nil, 0.0, column) if name in given else column for name, column in values.items()}
    return Standing(filled, state.astype(object), missing)


def _unknown(size: int) -> Standing:
    nothing = np.full(size, np.nan)
    return Standing(dict.fromkeys(_COLUMNS, nothing), np.full(size, None, dtype=object), nothing)


def _whole_numbers(values: np.ndarray) -> pa.Array:
    known = ~np.isnan(values)
    return pa.array(np.where(known, values, 0).astype(np.int64), pa.int64(), mask=~known)
