"""Which units are hot, alike their neighbours, or becoming hot: the class of every unit of a level."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.selection import Selection
from data.store.baseline import level_dispersion
from data.store.hotspots.asked import UNIT_METHODS, asked_window, check, listed_units, steps, whole_scope
from data.store.hotspots.events import count_units
from data.store.hotspots.groups import Group, numbered, unit_name
from data.store.hotspots.outlines import neighbours
from data.store.hotspots.parameters import one_phi, provenance, unit_remarks, unit_tests
from data.store.release import Release
from data.store.scope import Scope
from geo.autocorrelation import Neighbours, getis_ord_star, local_moran
from geo.spacetime import emerging_hotspots

ALPHA = 0.05
STEPS_BACK = 1  # earlier steps in the neighbourhood of a step
MISSING, OUTSIDE, NONE = "missing", "", "none"
REFERENCES = {
    "gi": ["Ord1995", "Benjamini1995"],
    "lisa": ["Anselin1995", "Benjamini1995"],
    "emerging": ["Ord1995", "Mann1945", "Kendall1975", "Benjamini1995"],
}


@dataclass(frozen=True, eq=False)
class UnitClasses:
    """The class of every unit of a level, among the units of the scope. Arrays are by position, not to be written to.

    Attributes
    ----------
    method, level : str
    label : str array, shape (units,)
        ``gi``: hot99 hot95 hot90 none cold90 cold95 cold99; ``lisa``: HH LL HL LH none island; ``emerging``: new_hot …
        historical_cold none (see geo/). ``missing`` where a unit is 未报 in the window, ``""`` outside the scope.
    z, p, q : float arrays, shape (units,)
        Score (``lisa``: I), two-sided p and p adjusted over the scope; of the last step for ``emerging``. NaN where
        missing or outside the scope.
    flagged : bool array, shape (units,)
        Only these are drawn, named or numbered.
    count, before : float arrays, shape (units,)
        Events behind the class, in the window asked and in the one compared with it (all NaN where none is);
        pile-ups and centroids left out.
    listed : bool array, shape (units,)
        Units of the selected area and polygon: the classes do not depend on these.
    groups : tuple of Group
        Hot units that touch (``gi``, ``emerging``), with one listed at least.
    parameters : dict
        Everything that reproduces the classes; ``automatic`` names what was not chosen by hand.
    summary : dict
        ``classes`` (listed units of each label) and ``peak`` (the listed unit with most events, or None).
    note : str
        For the reader, in Chinese, parts joined by ；; empty where there is nothing to say.
    """

    method: str
    level: str
    label: np.ndarray
    z: np.ndarray
    p: np.ndarray
    q: np.ndarray
    flagged: np.ndarray
    count: np.ndarray
    before: np.ndarray
    listed: np.ndarray
    groups: tuple[Group, ...]
    parameters: dict
    summary: dict
    note: str


def unit_classes(
    release: Release, selection: Selection, scope: Scope, method: str, level: str = "grid", window: str = "now"
) -> UnitClasses:
    """The class of every unit of ``level``, judged among all units of the scope.

    Parameters
    ----------
    method : str
        ``gi``, ``lisa`` or ``emerging``.
    level : str
        ``district``, ``street``, ``community`` or ``grid``.
    window : str
        ``now``, or ``before``: the window compared with, by the same parameters (the dispersion too).

    Raises
    ------
    ParameterError
        An unknown method, level or window; ``before`` where nothing is compared.
    OutsideScope, UnknownArea
    """
    check(selection, method, level, window, UNIT_METHODS)
    key = ("unit_classes", selection, scope, method, level, window)
    return release.remember(key, lambda: _listed(release, selection, scope, method, level, window))


def _listed(release, selection, scope, method, level, window) -> UnitClasses:
    """What was judged in the whole scope, with what the area and polygon leave of it."""
    listed = listed_units(release, selection, scope, level)
    base = whole_scope(selection)
    key = ("unit_classes judged", base, scope, method, level, window)
    judged: UnitClasses = release.remember(key, lambda: _judged(release, base, scope, method, level, window))
    groups = ()
    if method != "lisa":
        hot = (
            judged.flagged & (np.char.find(judged.label, "hot") >= 0) & ~np.char.startswith(judged.label, "historical")
        )
        before = judged.before if window == "now" else None
        groups = numbered(release, level, neighbours(release, level), hot, listed, judged.label, judged.p, judged.q,
                          judged.count, before)  # fmt: skip
    listed.flags.writeable = False
    return replace(judged, listed=listed, groups=groups, summary=_summary(release, judged, listed, groups))


def _judged(release, selection, scope, method, level, window) -> UnitClasses:
    """Classes among all units of the scope; ``selection`` has no area and no polygon."""
    asked = asked_window(selection, window)
    near = neighbours(release, level)
    phi = level_dispersion(release, selection, scope, level, pooled=True, restricted=False)
    windows = steps(release, asked) if method == "emerging" else [asked]
    before = selection.compare_window if window == "now" else None
    counted = count_units(release, selection, scope, level, [*windows, before] if before else windows)
    past = counted.pop() if before else None
    inside, now = release.units.in_scope(level, scope), counted[-1]
    known = ~np.isnan(now.values)
    found = _TESTS[method](np.column_stack([step.values for step in counted]), near, one_phi(phi))
    label = np.where(inside, np.where(known, found.label, MISSING), OUTSIDE)
    z, p, q = (np.where(known, score, np.nan) for score in (found.z, found.p, found.q))
    parameters = {
        "method": method,
        "level": level,
        **provenance(release, scope, window, asked),
        "units": int(inside.sum()),
        "missing": int((inside & ~known).sum()),
        "n": now.n,
        "left_out": now.left_out,
        **unit_tests(near, known, phi, selection, ALPHA),
        "adjusted_over": found.tests,
        "reference": REFERENCES[method],
        "automatic": ["dispersion", "neighbours"],
    }
    if method == "emerging":
        parameters |= {
            "steps": [[start.isoformat(), end.isoformat()] for start, end in windows],
            "steps_n": [step.n for step in counted],
            "steps_missing": [int(np.isnan(step.values[inside]).sum()) for step in counted],
            "steps_back": STEPS_BACK,
        }
    arrays = {
        "label": label,
        "z": z,
        "p": p,
        "q": q,
        "flagged": known & (label != NONE if method == "emerging" else np.nan_to_num(q, nan=1.0) <= ALPHA),
        "count": now.values,
        "before": past.values if before else np.full(len(near), np.nan),
        "listed": np.zeros(len(near), dtype=bool),
    }
    for values in arrays.values():
        values.flags.writeable = False
    note = unit_remarks(release, selection, windows, phi, inside, found.note)
    return UnitClasses(method, level, **arrays, groups=(), parameters=parameters, summary={}, note=note)


@dataclass(frozen=True)
class _Found:
    """What a method says of the last step; ``tests`` is how many p were adjusted together."""

    label: np.ndarray
    z: np.ndarray
    p: np.ndarray
    q: np.ndarray
    tests: int
    note: str


def _gi(cube: np.ndarray, near: Neighbours, phi: float) -> _Found:
    found = getis_ord_star(cube[:, -1], near, alpha=ALPHA, dispersion=phi, counts=True)
    return _Found(found.label, found.z, found.p, found.q, _tests(found.p), found.note)


def _lisa(cube: np.ndarray, near: Neighbours, phi: float) -> _Found:
    found = local_moran(cube[:, -1], near, alpha=ALPHA, dispersion=phi, counts=True)
    return _Found(found.label, found.I, found.p, found.q, _tests(found.p), found.note)


def _emerging(cube: np.ndarray, near: Neighbours, phi: float) -> _Found:
    found = emerging_hotspots(cube, near, alpha=ALPHA, dispersion=phi, steps_back=STEPS_BACK)
    last = (found.z[:, -1], found.p[:, -1], found.q[:, -1])
    return _Found(found.label, *last, _tests(found.p), found.note)


def _tests(p: np.ndarray) -> int:
    return int((~np.isnan(p)).sum())


_TESTS = {"gi": _gi, "lisa": _lisa, "emerging": _emerging}


def _summary(release: Release, judged: UnitClasses, listed: np.ndarray, groups: tuple[Group, ...]) -> dict:
    kinds, sizes = np.unique(judged.label[listed], return_counts=True)
    counted = np.where(listed, np.nan_to_num(judged.count, nan=-1.0), -1.0)
    top = int(counted.argmax()) if counted.size else -1
    peak = None
    if top >= 0 and counted[top] > 0:
        peak = {
            "code": release.units.level(judged.level).codes[top],
            "name": unit_name(release, judged.level, top),
            "count": int(counted[top]),
        }
    return {"classes": dict(zip(kinds.tolist(), sizes.tolist(), strict=True)), "groups": len(groups), "peak": peak}
