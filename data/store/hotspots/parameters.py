"""What a layer says of itself, so that a reader can work it out again, and the remarks that go with it."""

from __future__ import annotations

import numpy as np

from data.selection import Selection, Window, calendar_unit
from data.store.counts import immature_from
from data.store.filters import day_text
from data.store.metres import DEGREES
from data.store.release import Release, day_number
from data.store.scope import Scope
from geo.autocorrelation import Neighbours
from geo.change import MIN_PERIODS, Dispersion

FEW_PERIODS = f"完整的时期不足{MIN_PERIODS}个，离散系数取1"
UNEQUAL = "两期长度不同，离散系数按当前时段"
UNEQUAL_STEPS = "各期天数不等"
IMMATURE = "时段末尾的数据未齐"
NO_UNITS = "授权范围内没有这一层级的单元"


def provenance(release: Release, scope: Scope, window: str, asked: Window) -> dict:
    """Release, scope and window."""
    fresh = immature_from(release)
    return {
        "window": window,
        "from": asked[0].isoformat(),
        "to": asked[1].isoformat(),
        "immature_from": None if fresh is None else day_text(fresh),
        "scope": scope.to_meta(),
        "release": release.info.release_id,
        "data_as_of": release.info.data_as_of,
        "timezone": release.info.timezone,
    }


def unit_tests(near: Neighbours, known: np.ndarray, phi: Dispersion, selection: Selection, alpha: float) -> dict:
    """Neighbours, test, adjustment and dispersion of a method over units.

    Parameters
    ----------
    known : bool array, shape (units,)
        Units that take part.
    """
    among = near.among(known)
    used = np.flatnonzero(known)
    return {
        "neighbours": {
            "rule": near.rule,
            "mean": round(float(among.count.mean()), 3) if len(among) else None,
            "islands": int(among.islands.size),
        },
        "p": "two-sided exact binomial",
        "alpha": alpha,
        "adjustment": "Benjamini-Hochberg",
        "dispersion": {
            "phi": one_phi(phi),
            "periods": int(phi.periods[used].max()) if used.size else 0,
            "period": calendar_unit((selection.start, selection.end)),
            "period_days": selection.days,
            "estimated": bool(phi.estimated[used].all()) if used.size else False,
            "pooled": True,
        },
        "seed": None,
        "crs": DEGREES,
    }


def one_phi(phi: Dispersion) -> float:
    """The level's pooled phi; 1 for a level without units."""
    return float(phi.phi[0]) if len(phi.phi) else 1.0


def unit_remarks(
    release: Release, selection: Selection, windows: list[Window], phi: Dispersion, inside: np.ndarray, said: str
) -> str:
    """Remarks of a method over units; ``windows`` are its steps, the asked one last, ``said`` is what geo/ remarks."""
    if not inside.any():
        return NO_UNITS
    asked = windows[-1]
    remarks = [said]
    if not phi.estimated[inside].all():
        remarks.append(FEW_PERIODS)
    if (asked[1] - asked[0]).days != selection.days:
        remarks.append(UNEQUAL)
    if len({(end - start).days for start, end in windows}) > 1:
        remarks.append(UNEQUAL_STEPS)
    remarks.append(immature_remark(release, asked))
    return joined(*remarks)


def immature_remark(release: Release, asked: Window) -> str:
    """Says that the last days of a window are not all in, where so."""
    fresh = immature_from(release)
    return IMMATURE if fresh is not None and day_number(asked[1]) > fresh else ""


def joined(*remarks: str) -> str:
    """Remarks as one text; empty ones are left out."""
    return "；".join(remark for remark in remarks if remark)
