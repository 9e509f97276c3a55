"""Blind hotspots: cells where events gather and most of them happen out of sight of every working camera."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
import sqlalchemy as sa

from data.selection import Selection
from data.store.coverage.ledger import cameras, in_area
from data.store.coverage.seen import located, sight, unjudged
from data.store.filters import INCIDENT
from data.store.hotspots import unit_classes
from data.store.layers import Box, feature
from data.store.metres import in_metres
from data.store.release import Release
from data.store.scope import Scope
from geo.coverage import nearest_camera_m

LEVEL = "grid"
BLIND_PCT = 50.0  # more than this unseen


def blind_hotspots(
    release: Release, selection: Selection, scope: Scope, bbox: Box | None
) -> tuple[list[str], dict, list[dict]]:
    """Hot grids in which more than half of the window's incidents are seen by no working camera.

    Returns
    -------
    features : list of str
        Outlines of the grids, by share unseen: ``{code, name, count, uncovered, uncovered_pct, nearest_camera_m}``.
        ``count`` are the incidents whose point is where they happened; the distance is from the middle (the median) of
        the unseen ones to the nearest working camera of the scope, None without one. Empty where the state of no camera
        is known.
    parameters : dict
        ``uncovered_over_pct``, and ``gi``: what reproduces the hot grids.
    notes : list of dict
        ``{text, n}``: why nothing can be judged, where that is so.

    Notes
    -----
    Hot is what Gi* flags at q <= 0.05 among the grids of the scope, see :func:`data.store.hotspots.unit_classes`.
    """
    reason = unjudged(release, scope)
    found = [] if reason else release.remember(("blind", selection, scope), lambda: _find(release, selection, scope))
    bounds = release.units.level(LEVEL).bounds
    parameters = unit_classes(release, selection, scope, "gi", LEVEL).parameters
    texts = [text for position, text in found if bbox is None or _meets(bounds[position], bbox)]
    notes = [{"text": reason, "n": 0}] if reason else []
    return texts, {"uncovered_over_pct": BLIND_PCT, "gi": parameters}, notes


def _find(release: Release, selection: Selection, scope: Scope) -> list[tuple[int, str]]:
    classes = unit_classes(release, selection, scope, "gi", LEVEL)
    hot = np.flatnonzero(classes.flagged & classes.listed & np.char.startswith(classes.label, "hot"))
    if not hot.size:
        return []
    rows = release.rows(
        sa.select(sa.column("rowid").label("row"), INCIDENT[LEVEL].label("unit"), INCIDENT.lon, INCIDENT.lat).where(
            *located(release, selection, scope), INCIDENT[LEVEL].in_(hot.tolist())
        )
    )
    unit, lon, lat = (rows[name].to_numpy() for name in ("unit", "lon", "lat"))
    unseen = sight(release, scope).incidents(rows["row"].to_numpy()) == 0
    size = len(release.units.level(LEVEL))
    count, lost = np.bincount(unit, minlength=size), np.bincount(unit[unseen], minlength=size)
    blind = hot[lost[hot] * 100.0 > BLIND_PCT * count[hot]]
    blind = blind[np.lexsort((-lost[blind], -lost[blind] / count[blind]))]
    middle = pd.DataFrame({"lon": lon[unseen], "lat": lat[unseen]}).groupby(unit[unseen].astype(np.int64)).median()
    away = _away(release, scope, middle.loc[blind].to_numpy())
    units, shapes = release.units.level(LEVEL), release.shapes(LEVEL, "near")
    return [
        (int(i), feature(shapes[i], {
            "code": units.codes[i],
            "name": units.names[i],
            "count": int(count[i]),
            "uncovered": int(lost[i]),
            "uncovered_pct": round(100.0 * lost[i] / count[i], 1),
            "nearest_camera_m": round(float(metres), 1) if np.isfinite(metres) else None,
        }))
        for i, metres in zip(blind, away, strict=True)
    ]  # fmt: skip


def _away(release: Release, scope: Scope, lon_lat: np.ndarray) -> np.ndarray:
    found = cameras(release)
    working = found.rows.shapes[found.works & in_area(release, None, scope) & found.rows.drawable]
    points, near = (in_metres(release, shapes) for shapes in (shapely.points(lon_lat), working))
    return nearest_camera_m(shapely.get_coordinates(points), shapely.get_coordinates(near))


def _meets(bounds: np.ndarray, box: Box) -> bool:
    west, south, east, north = box
    return bool(bounds[0] <= east and bounds[2] >= west and bounds[1] <= north and bounds[3] >= south)
