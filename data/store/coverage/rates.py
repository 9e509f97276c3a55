"""覆盖率, 联网率, 完好率 and 在线率, kept apart, each with what it is made of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data.schema import NETWORKS
from data.store.coverage.ledger import cameras, in_area
from data.store.coverage.seen import sight, unjudged
from data.store.layers import in_reach, layer_rows
from data.store.release import Release
from data.store.scope import Scope
from data.store.units import Place
from geo.coverage.ledger import IN_USE
from geo.coverage.rules import SERVICEABLE_PCT

# 发改高技〔2015〕996号, for key public areas. Of 在线率 the text says nothing; 完好率 of key places of a trade is 95 %.
_TARGETS = {"覆盖率": 100.0, "联网率": 100.0, "完好率": SERVICEABLE_PCT, "在线率": None}
FORMULAS = {
    "覆盖率": "至少一个正常工作的摄像机看到的重点场所 ÷ 有位置的重点场所（不含出入口）",
    "联网率": "已联网的摄像机 ÷ 注明是否联网的摄像机（不含拆除）",
    "完好率": "各摄像机统计期完好率之和 ÷ 注明完好率的摄像机（不含拆除）；重点行业领域重要部位的目标为95%",
    "在线率": "当前在线的摄像机 ÷ 注明是否在线的摄像机（不含拆除）",
}


def rates(release: Release, area: Place | None, scope: Scope) -> list[dict]:
    """The four rates of the cameras and key places of an area.

    Returns
    -------
    list of dict
        ``name, numerator, denominator, unknown, pct, target_pct, formula``. ``unknown`` counts the cameras (or places)
        of which the source does not say it; they are in neither part. ``pct`` is None at base 0. 完好率 is the mean of the
        period, as the national text means it, so its numerator need not be whole.
    """
    found = cameras(release)
    chosen = in_area(release, area, scope) & ~found.removed
    parts = {"覆盖率": _places(release, area, scope)}
    for name, column, scale in (
        ("联网率", "networked", 1),
        ("完好率", "serviceable_pct", 100),
        ("在线率", "online", 1),
    ):
        values = found.values(column)[chosen]
        known = ~np.isnan(values)
        parts[name] = (float(values[known].sum()) / scale, int(known.sum()), int((~known).sum()))
    return [_rate(name, *parts[name]) for name in _TARGETS]


def _rate(name: str, numerator: float, denominator: int, unknown: int) -> dict:
    numerator = int(numerator) if float(numerator).is_integer() else round(numerator, 1)
    return {
        "name": name,
        "numerator": numerator,
        "denominator": denominator,
        "unknown": unknown,
        "pct": 100.0 * numerator / denominator if denominator else None,
        "target_pct": _TARGETS[name],
        "formula": FORMULAS[name],
    }


def _places(release: Release, area: Place | None, scope: Scope) -> tuple[int, int, int]:
    """Key places seen, those that can be judged, and those that cannot."""
    rows = layer_rows(release, "key_place")
    chosen = in_reach(release, rows.grid, area, scope) & rows.table["parent_id"].is_null().to_numpy()
    placed = chosen & rows.drawable
    if unjudged(release, scope):
        return 0, 0, int(chosen.sum())
    times = release.remember(("places seen", scope), lambda: _times(release, scope))
    return int((times[placed] > 0).sum()), int(placed.sum()), int((chosen & ~placed).sum())


def _times(release: Release, scope: Scope) -> np.ndarray:
    """How many working cameras of the scope see each key place; 0 without a point."""
    rows = layer_rows(release, "key_place")
    out = np.zeros(len(rows.grid), np.int64)
    placed = rows.drawable
    out[placed] = sight(release, scope).points(rows.lon[placed], rows.lat[placed])
    return out


def networks(release: Release, area: Place | None, scope: Scope) -> list[dict]:
    """Cameras of each network, counted; the last row, network None, are those of which the source does not name it.

    Returns
    -------
    list of dict
        ``network, cameras, in_use, online, networked, intact``; see :func:`counted`.
    """
    found = cameras(release)
    chosen = in_area(release, area, scope)
    own = found.frame["network"].to_numpy(object)
    position = np.full(len(found), len(NETWORKS))
    for i, name in enumerate(NETWORKS):
        position[own == name] = i
    columns = dict(counted(release, position, len(NETWORKS) + 1, chosen))
    names = [*NETWORKS, None]
    return [
        {"network": name} | {key: None if np.isnan(values[i]) else int(values[i]) for key, values in columns.items()}
        for i, name in enumerate(names)
        if name or columns["cameras"][i]
    ]


def counted(release: Release, unit: np.ndarray, size: int, chosen: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Cameras of each unit: ``cameras`` (all in the ledger), ``in_use`` (在用), and of those not dismantled ``online``,
    ``networked``, ``intact`` (完好率 of the period at the target or above) and ``hd``.

    Parameters
    ----------
    unit : ndarray of int, shape (n,)
        Unit of each camera, -1 for none.
    chosen : ndarray of bool, shape (n,)
        Cameras that count.

    Yields
    ------
    name, ndarray of float, shape (size,)
        NaN where a unit has cameras and the source says it of none of them.
    """
    found = cameras(release)
    chosen = chosen & (unit >= 0)
    alive = chosen & ~found.removed
    state = found.frame["device_state"]
    measures = {
        "cameras": (chosen, np.ones(len(found))),
        "in_use": (chosen, np.where(state.isna(), np.nan, state == IN_USE)),
        "online": (alive, found.values("online")),
        "networked": (alive, found.values("networked")),
        "intact": (alive, _reaches(found.values("serviceable_pct"))),
        "hd": (alive, found.values("hd")),
    }
    for name, (counting, values) in measures.items():
        known = counting & ~np.isnan(values)
        total, told = (np.bincount(unit[rows], minlength=size) for rows in (counting, known))
        sums = np.bincount(unit[known], weights=values[known], minlength=size)
        yield name, np.where((told == 0) & (total > 0), np.nan, sums)


def _reaches(share: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(share), np.nan, share >= SERVICEABLE_PCT)
