"""One rule at many places: how many fitting cameras are near, what is missing, and what would help."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from geo.coverage.inputs import on_lattice, text_column
from geo.coverage.ledger import Ledger
from geo.coverage.rules import AREA, GAP, Rule

COVERED, UNCOVERED, NOT_JUDGED = "已覆盖", "未覆盖", "未评估"
BOTH, NEITHER = "两者", "无"
_ROUND = 64  # segments a quarter circle: the disc's edge is within 0.008 % of the radius


@dataclass(frozen=True)
class _Finding:
    """For each target: whether the rule is kept, cameras that count, cameras near that look elsewhere, that are broken
    or of unknown state but would fit, distance to the nearest working one (NaN: none), share covered (NaN: a point),
    and where to put the next camera."""

    ok: np.ndarray
    cameras: np.ndarray
    averted: np.ndarray
    broken: np.ndarray
    unknown: np.ndarray
    nearest_m: np.ndarray
    share_pct: np.ndarray
    spot: np.ndarray


def judge_places(
    rule: Rule, ledger: Ledger, frame: pd.DataFrame, chosen: np.ndarray, parent: np.ndarray
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Columns of the table of places, and the table of what would help where; each place is its own target."""
    shapes = on_lattice(np.asarray(frame.geometry.values[chosen], object))
    found = _find(rule, ledger, shapes, (*rule.networks, *rule.fillers))
    given = _given(shapes)
    status = np.where(given, np.where(found.ok, COVERED, UNCOVERED), NOT_JUDGED)
    reason = [_reason(rule, found, i) if given[i] else "没有可用的位置" for i in range(chosen.size)]
    network = np.full(chosen.size, "", object)
    if rule.target == GAP:
        first, filler = (_find(rule, ledger, shapes, names).ok for names in (rule.networks, rule.fillers))
        alone = [first & ~filler, filler & ~first, found.ok]
        network[:] = np.select(alone, ["、".join(rule.networks), "、".join(rule.fillers), BOTH], NEITHER)
        network[~given] = ""
    none = np.zeros(chosen.size, int)
    columns = _columns(status, reason, found.nearest_m, found.cameras, found.share_pct, none, none, network)
    missed = np.flatnonzero(status == UNCOVERED)
    place = frame["place_id"].to_numpy()[chosen]
    return columns, _helps(rule, found, missed, place[missed], np.full(missed.size, "", object))


def judge_entrances(
    rule: Rule, ledger: Ledger, frame: pd.DataFrame, chosen: np.ndarray, parent: np.ndarray
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """As :func:`judge_places`; the entrances of a place are the targets, and all of them count."""
    identity = frame["place_id"].to_numpy(object)
    of = pd.Index(text_column(frame, "place_id")[chosen]).get_indexer(parent)
    entrance = np.flatnonzero(of >= 0)
    of = of[entrance]
    shapes = on_lattice(np.asarray(frame.geometry.values[entrance], object))
    given = _given(shapes)
    found = _find(rule, ledger, shapes, rule.networks)
    size = chosen.size
    every = np.bincount(of, minlength=size)
    covered, lost = (np.bincount(of[v], minlength=size) for v in (given & found.ok, ~given))
    missed = every - covered - lost
    status = np.select([missed > 0, (every == 0) | (lost > 0)], [UNCOVERED, NOT_JUDGED], COVERED)
    reason = [_entrance_reason(rule, *numbers) for numbers in zip(every, missed, lost, strict=True)]
    worst = np.full(size, -np.inf)
    np.maximum.at(worst, of[given], found.nearest_m[given])
    fewest = np.full(size, np.iinfo(int).max)
    np.minimum.at(fewest, of[given], found.cameras[given])
    some = every > lost
    nearest, cameras = np.where(some, worst, np.nan), np.where(some, fewest, 0)
    blank = np.full(size, "", object)
    columns = _columns(status, reason, nearest, cameras, np.full(size, np.nan), every, covered, blank)
    at = np.flatnonzero(given & ~found.ok)
    return columns, _helps(rule, found, at, identity[chosen][of[at]], identity[entrance[at]])


def _find(rule: Rule, ledger: Ledger, shapes: np.ndarray, networks: tuple[str, ...]) -> _Finding:
    counts = np.isin(ledger.network, networks) if networks else np.ones(len(ledger.works), bool)
    counts &= ~ledger.removed
    target, camera = shapely.STRtree(ledger.points).query(shapes, predicate="dwithin", distance=rule.radius_m)
    target, camera = target[counts[camera]], camera[counts[camera]]
    works, fits = ledger.works[camera], np.ones(camera.size, bool)
    if rule.facing:
        kind = np.array([bool(words.intersection(rule.location_types)) for words in ledger.location], bool)
        fits = kind[camera] | shapely.intersects(ledger.areas[camera], shapes[target])
    unknown = ledger.unknown[camera]
    number = [
        np.bincount(target[which], minlength=len(shapes))
        for which in (works & fits, works & ~fits, ~works & ~unknown & fits, unknown & fits)
    ]
    share, spot = _shares(rule, ledger, shapes, target[works & fits], camera[works & fits], counts & ledger.works)
    ok = (number[0] >= rule.k) & ~(share < rule.min_share_pct)
    return _Finding(ok, *number, _nearest(ledger.points[counts & ledger.works], shapes), share, spot)


def _nearest(points: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    nearest = np.full(len(shapes), np.nan)
    if len(points):
        (target, _), distance = shapely.STRtree(points).query_nearest(shapes, return_distance=True, all_matches=False)
        nearest[target] = distance
    return nearest


def _shares(rule: Rule, ledger: Ledger, shapes: np.ndarray, target, camera, counts) -> tuple[np.ndarray, np.ndarray]:
    """Covered share of the polygons of a rule for areas and of lines, else NaN; a point to advise: the point itself,
    one inside the polygon, the middle of the longest piece of line not covered."""
    share, spot = np.full(len(shapes), np.nan), np.full(len(shapes), None, object)
    size = np.where(_given(shapes), shapely.get_dimensions(shapes), -1)
    spot[size == 0] = shapely.centroid(shapes[size == 0])
    spot[size == 2] = shapely.point_on_surface(shapes[size == 2])
    if rule.target == AREA and (size == 2).any():
        areas = ledger.areas[counts]
        of, area = shapely.STRtree(areas).query(shapes, predicate="intersects")
        for i in np.flatnonzero(size == 2):
            seen = shapely.intersection(shapes[i], shapely.union_all(areas[area[of == i]]))
            share[i] = 100 * seen.area / shapes[i].area
    for i in np.flatnonzero(size == 1):
        near = camera[target == i]
        reach = (
            ledger.areas[near]
            if rule.facing
            else on_lattice(shapely.buffer(ledger.points[near], rule.radius_m, quad_segs=_ROUND))
        )
        open_ = shapely.difference(shapes[i], shapely.union_all(reach))
        share[i] = 100 * (1 - open_.length / shapes[i].length)
        pieces = shapely.get_parts(open_ if open_.length else shapes[i])
        longest = pieces[np.argmax(shapely.length(pieces))]
        spot[i] = shapely.line_interpolate_point(longest, 0.5, normalized=True)
    return share, spot


def _given(shapes: np.ndarray) -> np.ndarray:
    """Whether there is a shape; one without extent (a line of no length) has become empty on the lattice."""
    return ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))


def _reason(rule: Rule, found: _Finding, i: int) -> str:
    near, n = f"{rule.radius_m:g}米内", int(found.cameras[i])
    share = "" if np.isnan(found.share_pct[i]) else f"，覆盖{found.share_pct[i]:.0f}%"
    if found.ok[i]:
        return f"{near}{n}个正常工作的摄像机{share}"
    if n >= rule.k:
        return f"{near}{n}个正常工作的摄像机{share}，应达{rule.min_share_pct:g}%"
    parts = [f"{near}只有{n}个正常工作的摄像机，应有{rule.k}个" if n else f"{near}没有符合要求且正常工作的摄像机"]
    for number, words in ((found.averted, "未照到此处"), (found.broken, "未正常工作"), (found.unknown, "状态不明")):
        if number[i]:
            parts.append(f"{number[i]}个{words}")
    return "，".join(parts)


def _entrance_reason(rule: Rule, every: int, missed: int, lost: int) -> str:
    if not every:
        return "没有出入口数据"
    if missed:
        return f"{every}个出入口中{missed}个在{rule.radius_m:g}米内没有正常工作的摄像机"
    if lost:
        return f"{every}个出入口中{lost}个没有可用的位置"
    return f"{every}个出入口在{rule.radius_m:g}米内均有正常工作的摄像机"


def _helps(rule: Rule, found: _Finding, at: np.ndarray, place: np.ndarray, entrance: np.ndarray) -> pd.DataFrame:
    advice = [_advice(rule, found, i) for i in at]
    return pd.DataFrame({"place_id": place, "entrance_id": entrance, "advice": advice, "geometry": found.spot[at]})


def _advice(rule: Rule, found: _Finding, i: int) -> str:
    near, lack = f"{rule.radius_m:g}米内", max(1, rule.k - int(found.cameras[i]))
    if found.broken[i]:
        return f"先修复{near}{found.broken[i]}个未正常工作的摄像机"
    if found.unknown[i]:
        return f"先核实{near}{found.unknown[i]}个摄像机的状态"
    if found.averted[i]:
        return f"调整{near}摄像机的朝向，或在此增设摄像机"
    return "在此增设摄像机" if lack == 1 else f"在此增设{lack}个摄像机"


def _columns(status, reason, nearest, cameras, share, entrances, entrances_covered, network) -> dict[str, np.ndarray]:
    return {
        "status": np.asarray(status, object),
        "reason": np.asarray(reason, object),
        "nearest_m": nearest,
        "cameras": cameras,
        "share_pct": share,
        "entrances": entrances,
        "entrances_covered": entrances_covered,
        "network": network,
    }
