"""Cameras and coverage of every area of a level, and the rates of the whole."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely

from data.index import INCIDENT_LEVELS
from data.selection import Selection
from data.store.answer import Answer
from data.store.coverage.ground import ground
from data.store.coverage.ledger import camera_shapes, cameras, in_area, methods
from data.store.coverage.rates import counted, networks, rates
from data.store.coverage.seen import seen_by_unit, unjudged
from data.store.filters import below_or_equal, common_meta
from data.store.release import Release
from data.store.scope import Scope
from data.store.trend import selected_places
from data.store.units import Place

UNKNOWN_STATE = "{n}个摄像机状态不明，不计为正常工作"
NO_SHAPE = "{n}个摄像机没有覆盖范围"
NO_GRID = "{n}个摄像机不在任何网格内，不计入各区域"
PART_OF_AREA = "所选区域小于这一层级，面积未评估"


def coverage(release: Release, selection: Selection, scope: Scope, level: str = "district") -> Answer:
    """One row for every area of ``level`` in the selected area: cameras, what they cover, incidents they see.

    Parameters
    ----------
    level : str
        ``district``, ``street``, ``community`` or ``grid``. Where the selected area is smaller than the level, the one
        area that holds it is returned, with the cameras and incidents of the selected area only.

    Returns
    -------
    Answer
        Rows ``code, name, cameras, in_use, online, networked, intact, hd, serviceable_pct, area_km2, covered_km2,
        backup_km2, covered_pct, incidents, incidents_covered, incidents_covered_pct``: all cameras of the ledger and
        those in use; of those not dismantled the ones online, networked, with a 完好率 of 98 % or more, in high
        definition, and the mean 完好率; ground seen by one and by two working cameras of the scope; incidents of the
        window whose point is where they happened, and those that a working camera sees. Null where it is not known.

        ``meta``: ``rates`` (see :func:`data.store.coverage.rates.rates`), ``networks``, ``kpis`` (what is covered,
        together, as :func:`geo.coverage.coverage_summary` defines it), ``methods``, ``status_at`` and ``status_from``
        (latest and earliest time the states of the cameras are of), ``notes`` (what is not judged and why:
        ``{text, n}``, with ``{n}`` standing in the text).

    Raises
    ------
    OutsideScope, UnknownArea
    """
    area = None if selection.area is None else release.units.allowed(selection.area, scope)
    whole = area is None or below_or_equal(level, area)
    shown = release.units.shown(level, area, scope)
    reason = unjudged(release, scope)
    known = reason is None
    events = seen_by_unit(release, selection, scope, level)
    columns = _columns(release, area, scope, level, events[:, :-1], whole, known)
    table = pa.table({name: pa.array(values[shown], from_pandas=True) for name, values in columns.items()})
    meta = {
        **common_meta(release, selection, scope),
        "level": level,
        "rates": rates(release, area, scope),
        "networks": networks(release, area, scope),
        "kpis": _kpis(release, selection, area, scope, events.sum(axis=1)) if known else [],
        "methods": methods(release),
        **_status(release, area, scope),
        "notes": _notes(release, area, scope, whole, reason),
    }
    return Answer.of(meta, table)


def _columns(release, area, scope, level, events, whole, known) -> dict[str, np.ndarray]:
    units, found = release.units.level(level), cameras(release)
    grid = found.rows.grid
    unit = np.append(release.units.positions_in("grid", level), -1)[grid]
    chosen = in_area(release, area, scope)
    columns: dict[str, np.ndarray] = {"code": units.codes, "name": units.names}
    columns |= {name: _whole_numbers(values) for name, values in counted(release, unit, len(units), chosen)}
    columns["serviceable_pct"] = _mean(found.values("serviceable_pct"), unit, len(units), chosen & ~found.removed)
    if whole:
        measured = ground(release, scope, level)
        seen = [values if known else _nothing(units) for values in (measured.once, measured.twice)]
        columns |= dict(zip(("area_km2", "covered_km2", "backup_km2"), (measured.whole, *seen), strict=True))
    else:
        columns |= {name: _nothing(units) for name in ("area_km2", "covered_km2", "backup_km2")}
    columns["covered_pct"] = _share(columns["covered_km2"], columns["area_km2"])
    incidents, once, _ = events
    columns["incidents"] = incidents
    columns["incidents_covered"] = _whole_numbers(once if known else _nothing(units))
    columns["incidents_covered_pct"] = _share(once if known else _nothing(units), incidents)
    return columns


def _kpis(release: Release, selection: Selection, area: Place | None, scope: Scope, events: np.ndarray) -> list[dict]:
    """What is covered in the whole of the area and scope: ground and incidents, by one camera and by two."""
    level = _widest(release, selected_places(release, selection, scope) or ())
    inside = release.units.shown(level, area, scope)
    measured = ground(release, scope, level)
    km2, once, twice = (float(np.nansum(values[inside])) for values in (measured.whole, measured.once, measured.twice))
    incidents, seen, again = (int(n) for n in events)
    figures = [("area", once, km2, "平方公里"), ("area_backup", twice, km2, "平方公里"),
               ("incidents", seen, incidents, "起"), ("incidents_backup", again, incidents, "起")]  # fmt: skip
    return [
        {
            "kpi": name,
            "numerator": part,
            "denominator": base,
            "pct": 100.0 * part / base if base else None,
            "unit": unit,
        }
        for name, part, base, unit in figures
    ]


def _widest(release: Release, places: tuple[Place, ...]) -> str:
    """The widest level whose units make up some places without remainder; without places, the whole release."""
    for level in INCIDENT_LEVELS:
        if len(release.units.level(level)) and all(below_or_equal(level, place) for place in places):
            return level
    return INCIDENT_LEVELS[-1]


def _status(release: Release, area: Place | None, scope: Scope) -> dict:
    found = cameras(release)
    at = found.frame["status_at"][in_area(release, area, scope)].dropna()
    return {
        "status_at": None if at.empty else at.max().isoformat(),
        "status_from": None if at.empty else at.min().isoformat(),
    }


def _notes(release: Release, area: Place | None, scope: Scope, whole: bool, reason: str | None) -> list[dict]:
    """Sentences with their number apart, so that a page can say them in its language."""
    found = cameras(release)
    chosen = in_area(release, area, scope)
    counts = {
        UNKNOWN_STATE: int((found.unknown & chosen).sum()) if reason is None else 0,
        NO_SHAPE: int((chosen & ~found.removed & shapely.is_missing(camera_shapes(release))).sum()),
        NO_GRID: int((chosen & (found.rows.grid < 0)).sum()),
        PART_OF_AREA: int(not whole),
    }
    notes = [] if reason is None else [{"text": reason, "n": int(chosen.sum())}]
    return notes + [{"text": text, "n": n} for text, n in counts.items() if n]


def _whole_numbers(values: np.ndarray) -> np.ndarray:
    """Whole numbers with None for NaN."""
    values = np.asarray(values, float)
    return np.where(np.isnan(values), None, np.nan_to_num(values).astype(np.int64).astype(object))


def _mean(values: np.ndarray, unit: np.ndarray, size: int, chosen: np.ndarray) -> np.ndarray:
    known = chosen & (unit >= 0) & ~np.isnan(values)
    return _divided(
        np.bincount(unit[known], weights=values[known], minlength=size), np.bincount(unit[known], minlength=size)
    )


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return 100.0 * _divided(part, whole)


def _divided(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / whole, np.nan)


def _nothing(units) -> np.ndarray:
    return np.full(len(units), np.nan)
