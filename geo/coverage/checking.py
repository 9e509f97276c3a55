"""Checking the rules of 天网 and 地网: which places keep them, which do not, and which cannot be judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.coverage.inputs import refuse_repeated, text_column
from geo.coverage.judging import BOTH, COVERED, NEITHER, NOT_JUDGED, UNCOVERED, judge_entrances, judge_places
from geo.coverage.ledger import Ledger, read_ledger
from geo.coverage.rules import AREA, ENTRANCE, GAP, Rule, find_rule
from geo.coverage.summary import NO_CAMERA
from geo.metres import refuse_degrees, refuse_other_crs
from geo.result import Result


@dataclass(frozen=True, eq=False)
class NetworkSplit(Result):
    """Judged places of a 补盲 rule by who covers them.

    Attributes
    ----------
    first_only, filler_only, both, none : int
        Covered by the first network alone (天网), by the filling one alone (地网), by both, by neither.
    before_pct : float or None
        Share covered by the first network: before the gaps were filled. ``RuleCheck.share_pct`` is the share after.
    filled_pct : float or None
        地网补盲率: ``filler_only / (filler_only + none)``, the part of the gaps that is filled; None without a gap.
    """

    first_only: int
    filler_only: int
    both: int
    none: int
    before_pct: float | None
    filled_pct: float | None


@dataclass(frozen=True, eq=False)
class RuleCheck(Result):
    """Which places keep a rule.

    Attributes
    ----------
    rule : Rule
        With every setting used.
    places : GeoDataFrame
        One row for each place of the rule, in the order given: place_id, kind, status (已覆盖 未覆盖 未评估), reason,
        nearest_m (to the nearest working camera of the rule's networks, NaN without one; for entrances that of the
        entrance farthest from one), cameras (that count; for entrances at the worst one), share_pct (of area or length,
        NaN for points), entrances, entrances_covered (0 where the rule asks for none), network (补盲: 天网 地网 两者 无,
        else "").
    failing : GeoDataFrame
        点位建议, a point for each 未覆盖 place or entrance: place_id, entrance_id ("" for the place itself), advice.
    covered, judged, not_judged : int
        Places 已覆盖; 已覆盖 and 未覆盖; 未评估.
    share_pct : float or None
        ``100 covered / judged``; None where none was judged.
    split : NetworkSplit or None
        For 补盲 rules.
    cameras, working, unknown : int
        All cameras; those that work; those whose state is not known: never counted as working.
    note : str
        What the reader must know, in Chinese; "" when nothing.
    """

    unpacks: ClassVar = ("covered", "judged", "not_judged", "share_pct")
    rule: Rule
    places: gpd.GeoDataFrame
    failing: gpd.GeoDataFrame
    covered: int
    judged: int
    not_judged: int
    share_pct: float | None
    split: NetworkSplit | None
    cameras: int
    working: int
    unknown: int
    note: str


def rule_check(places: gpd.GeoDataFrame, cameras: gpd.GeoDataFrame, rule: Rule | str) -> RuleCheck:
    """Check one rule of 天网 (tw1 to tw6) or 地网 (dw1 to dw3) at every place it is about.

    Parameters
    ----------
    places : GeoDataFrame
        Metres; points, lines or polygons with ``place_id``, ``kind`` and, for entrances, ``parent_id``: the place they
        belong to. Rows of other kinds are not looked at.
    cameras : GeoDataFrame
        Metres, points, with ``camera_code``, ``network``, ``device_state``, ``online``, ``serviceable_pct``,
        ``location_type``, ``bearing_deg``, ``fov_deg``, ``range_m``; a column may be absent or null, which is unknown.
    rule : Rule or str
        A rule, or the id of one in ``RULES``.

    Returns
    -------
    RuleCheck
        Unpacks as ``covered, judged, not_judged, share_pct``.

    Raises
    ------
    ValueError
        Degrees, frames in different CRS, a repeated ``place_id`` or ``camera_code``, no such rule.

    Notes
    -----
    A camera works when ``device_state`` is 在用 and it is online, or 完好 in the period (``serviceable_pct`` of the rule
    or more). It is unknown where ``device_state`` is missing, or it is 在用 and neither ``online`` nor
    ``serviceable_pct`` is given; unknown ones do not count as working. Where no camera's state is known at all, or no
    network for a rule that asks for one, the places are 未评估.

    点位: at least k working cameras within ``radius_m``, where ``facing`` each with its sector over the point or of a
    fitting ``location_type``; the sector of a camera whose look is not known is a circle (an upper estimate).
    区域: at least k in the polygon or within ``radius_m`` of it; the share of its area in working cameras' sectors is
    reported. 出入口: *every* entrance of a place; a place without entrances, or one of them without coordinates and the
    others covered, is 未评估, never 未覆盖. 补盲: covered by the first network or by the filling one; a line is so where
    ``min_share_pct`` of its length lies within ``radius_m`` of cameras.

    Examples
    --------
    >>> import geopandas as gpd
    >>> places = gpd.GeoDataFrame(
    ...     {"place_id": ["J1", "J2"], "kind": ["路口", "路口"]}, geometry=gpd.points_from_xy([0, 500], [0, 0]), crs=4547
    ... )
    >>> cameras = gpd.GeoDataFrame(
    ...     {"camera_code": ["C1"], "device_state": ["在用"], "online": [True], "location_type": ["6"]},
    ...     geometry=gpd.points_from_xy([10], [0]),
    ...     crs=4547,
    ... )
    >>> check = rule_check(places, cameras, "tw1")
    >>> tuple(check), check.places["status"].tolist()
    ((1, 2, 0, 50.0), ['已覆盖', '未覆盖'])
    >>> check.failing["advice"].tolist()
    ['在此增设摄像机']
    """
    return rule_checks(places, cameras, (rule,))[0]


def rule_checks(
    places: gpd.GeoDataFrame, cameras: gpd.GeoDataFrame, rules: Iterable[Rule | str]
) -> tuple[RuleCheck, ...]:
    """:func:`rule_check` of several rules, the ledger of cameras read once for all that count the same ones as 完好."""
    rules = [find_rule(rule) for rule in rules]
    refuse_degrees(places, "places")
    refuse_degrees(cameras, "cameras")
    refuse_other_crs(places, cameras, ("places", "cameras"))
    if "place_id" not in places:
        raise ValueError("places has no column place_id")
    refuse_repeated(places["place_id"], "place_id")
    ledgers = {share: read_ledger(cameras, serviceable_pct=share) for share in {r.serviceable_pct for r in rules}}
    return tuple(_check(places, ledgers[rule.serviceable_pct], rule) for rule in rules)


def _check(places: gpd.GeoDataFrame, ledger: Ledger, rule: Rule) -> RuleCheck:
    frame = places.reset_index(drop=True)
    kind, parent = text_column(frame, "kind"), text_column(frame, "parent_id")
    told = "kind" in frame
    chosen = np.flatnonzero(np.isin(kind, rule.kinds) if told else pd.isna(parent))
    unable = _unable(rule, ledger, told)
    judge = judge_entrances if rule.target == ENTRANCE else judge_places
    columns, failing = judge(rule, ledger, frame, chosen, parent)
    table = gpd.GeoDataFrame(
        {"place_id": frame["place_id"].to_numpy()[chosen], "kind": kind[chosen]} | columns,
        geometry=frame.geometry.values[chosen],
        crs=places.crs,
    )
    if unable:
        table["status"], table["reason"], table["network"], failing = NOT_JUDGED, unable, "", failing[:0]
    status = table["status"].to_numpy()
    covered, missed = int((status == COVERED).sum()), int((status == UNCOVERED).sum())
    return RuleCheck(
        rule,
        table,
        gpd.GeoDataFrame(failing, geometry="geometry", crs=places.crs),
        covered,
        covered + missed,
        len(table) - covered - missed,
        _share(covered, covered + missed),
        _split(table, rule) if rule.target == GAP else None,
        len(ledger.works),
        int(ledger.works.sum()),
        int(ledger.unknown.sum()),
        _note(rule, ledger, unable, len(table)),
    )


def _unable(rule: Rule, ledger: Ledger, told: bool) -> str:
    """Why no place can be judged; "" where they can."""
    if not told:
        return "来源未提供场所类型，未评估"
    if ledger.works.size and ledger.unknown.all():
        return "来源未提供摄像机状态，未评估"
    if (rule.networks or rule.fillers) and ledger.works.size and pd.isna(ledger.network).all():
        return "来源未提供所属网络，未评估"
    return ""


def _note(rule: Rule, ledger: Ledger, unable: str, places: int) -> str:
    remarks = [unable] if unable else []
    remarks += ["没有此类场所，未评估"] if not places else []
    remarks += [NO_CAMERA] if not ledger.works.size else []
    if unknown := int(ledger.unknown.sum()):
        remarks.append(f"{unknown}个摄像机状态不明，不计为正常工作")
    if (rule.networks or rule.fillers) and (lost := int(pd.isna(ledger.network).sum())):
        remarks.append(f"{lost}个摄像机未注明所属网络，不计入任何网络")
    if ledger.note and (rule.facing or rule.target == AREA):
        remarks.append(ledger.note)
    return "；".join(remarks)


def _split(table: gpd.GeoDataFrame, rule: Rule) -> NetworkSplit:
    network = table["network"].to_numpy()
    names = ("、".join(rule.networks), "、".join(rule.fillers), BOTH, NEITHER)
    first, filler, both, none = (int((network == name).sum()) for name in names)
    return NetworkSplit(
        first, filler, both, none, _share(first + both, first + filler + both + none), _share(filler, filler + none)
    )


def _share(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
