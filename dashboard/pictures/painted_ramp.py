"""Units coloured from low to high: counts, densities, rates, disputes."""

from __future__ import annotations

import numpy as np

from dashboard.components.words import plain
from dashboard.exports.facts import of_disputes
from dashboard.language import say
from dashboard.measures import MEASURE_NAMES
from dashboard.pictures.map_frame import HATCHED, PLAIN, Legend, Ranked, Swatch
from dashboard.pictures.painted import Asked, Painted, painted
from data.selection import ParameterError
from data.store.class_limits import class_limits, count_limits
from data.store.unit_rates import bayes_rates

RAMP = tuple(f"count-{number}" for number in range(1, 6))


def ramp(asked: Asked, measure: str) -> Painted:
    """By ``count``, ``density``, ``rate``, ``eb`` or ``disputes``."""
    values, missing, limits, unit, digits = _values(asked, measure)
    above = np.searchsorted(np.array(limits), np.nan_to_num(values), side="right")
    colours = np.where(values > 0, np.char.add("count-", np.maximum(above, 1).astype(str)), "count-0").astype("<U12")
    colours[np.isnan(values)] = PLAIN
    colours[missing] = HATCHED
    states = [Swatch(HATCHED, say("未报"))] if missing.any() else []
    states += [Swatch("count-0", say("0，零报或无"))]
    if (np.isnan(values) & ~missing).any():
        states += [Swatch("map-land", say("来源未提供"))]
    legend = Legend(
        say(MEASURE_NAMES[measure]), unit, RAMP, tuple(plain(limit) if limit else "" for limit in limits), tuple(states)
    )
    order = np.lexsort((np.arange(len(values)), -np.nan_to_num(values, nan=-1.0)))
    ranked = [Ranked(asked.names[i], f"{values[i]:,.{digits}f}") for i in order if values[i] > 0]
    most = say("最多的{level}" if measure in ("count", "disputes") else "最高的{level}", level=asked.level_name)
    finding = (
        say(
            "{title}：{name}，{value} {unit}。",
            title=most,
            **vars(ranked[0]),
            unit=unit.split(" · ")[0].removesuffix(f" / {asked.level_name}"),
        )
        if ranked
        else ""
    )
    notes = ()
    if measure == "disputes":
        total = int(np.nansum(values))
        finding = (
            say("共排查{n:,}件。", n=total) + finding if not np.isnan(values).all() else say("所选时段没有纠纷上报。")
        )
        notes = tuple(of_disputes(asked.disputes.meta))
    return painted(asked, measure, asked.spread(colours, PLAIN), legend, (most, ranked), finding, notes=notes)


def _values(asked: Asked, measure: str) -> tuple[np.ndarray, np.ndarray, tuple[float, ...], str, int]:
    """Value of each row, which are 未报, the classes' limits, the unit, decimals."""
    release, level = asked.release, asked.level
    if measure == "disputes":
        return _disputes(asked)
    number = asked.column("count")
    missing = np.isnan(number)
    limits = class_limits(release, asked.selection, asked.scope, level)
    days = say("{n}天", n=asked.selection.days)
    if measure == "count":
        return number, missing, limits.count, f"{say('起')} / {asked.per}", 0
    if measure == "density":
        values = number / release.units.level(level).area_km2[asked.positions]
        return values, missing, _known(limits.density, measure), say("起 / 平方公里 · {days}", days=days), 1
    if measure == "rate":
        values = asked.column("rate_per_1000")
        return values, missing, _known(limits.rate, measure), say("起 / 千人 · {days}", days=days), 2
    values = bayes_rates(release, level, asked.spread(number, np.nan))[asked.positions]
    return values, missing, _known(limits.rate, measure), say("起 / 千人 · {days} · 经验贝叶斯", days=days), 2


def _known(limits: tuple[float, ...], measure: str) -> tuple[float, ...]:
    if not limits:
        raise ParameterError("measure", measure, "count change gi lisa emerging；本发布没有人口或边界，算不出")
    return limits


def _disputes(asked: Asked) -> tuple[np.ndarray, np.ndarray, tuple[float, ...], str, int]:
    rows = asked.disputes.rows
    found = dict(zip(rows["code"].to_pylist(), rows["found"].to_pylist(), strict=True))
    state = dict(zip(rows["code"].to_pylist(), rows["state"].to_pylist(), strict=True))
    codes = asked.counted.rows["code"].to_pylist()
    values = np.array([np.nan if found.get(code) is None else found[code] for code in codes], dtype=float)
    missing = np.array([state.get(code) == "missing" for code in codes], dtype=bool)
    return values, missing, count_limits(np.nan_to_num(values)), f"{say('件')} / {asked.per}", 0
