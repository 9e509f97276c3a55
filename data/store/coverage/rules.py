"""The six rules of 天网 and the three of 地网: how many places keep them, and which do not."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from data.selection import Selection
from data.store.answer import Answer
from data.store.coverage.kept import RULE_FAILING, RULE_PLACE, kept
from data.store.coverage.ledger import cameras, in_area
from data.store.coverage.places import places
from data.store.layers import Box, feature, in_reach, point
from data.store.metres import in_degrees, in_metres, working_crs
from data.store.release import Release
from data.store.scope import Scope
from data.store.units import Place
from geo.coverage import RULES, RuleCheck
from geo.coverage.checking import rule_checks
from geo.coverage.judging import COVERED, NOT_JUDGED, UNCOVERED
from geo.coverage.summary import JUDGED

NO_PLACE = "没有此类场所，未评估"
_TEXT = pa.string()
_PLACE_SCHEMA = pa.schema(
    [("rule", _TEXT), ("note", _TEXT), ("grid", pa.int64()), ("status", _TEXT), ("network", _TEXT)]
)
_FAILING_SCHEMA = pa.schema(
    [("rule", _TEXT), ("grid", pa.int64()), *((name, _TEXT) for name in ("place_id", "entrance_id", "name", "kind", "reason", "advice")),
     *((name, pa.float64()) for name in ("nearest_m", "lon", "lat"))]
)  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """One rule checked at all places of a scope.

    Attributes
    ----------
    places : DataFrame
        Of each place: ``grid``, ``status``, ``network``.
    failing : DataFrame
        Of each point that would help: ``grid``, ``place_id``, ``entrance_id``, ``name``, ``kind``, ``reason``,
        ``advice``, ``nearest_m``, ``lon``, ``lat``.
    note : str
    """

    places: pd.DataFrame
    failing: pd.DataFrame
    note: str


def checked(release: Release, scope: Scope) -> dict[str, Checked]:
    """Every rule at the places of a scope, with the cameras of the scope; worked out once."""
    return release.remember(("rules", scope), lambda: _known(release, scope) or check(release, scope))


def to_rows(found: dict[str, Checked]) -> tuple[pa.Table, pa.Table]:
    """Places and failing places of every rule as rows to be kept; the note of a rule stands in a row without a grid."""
    notes = pd.DataFrame({"rule": list(found), "note": [one.note for one in found.values()]})
    places, failing = ([getattr(one, name).assign(rule=rule) for rule, one in found.items()]
                       for name in ("places", "failing"))  # fmt: skip
    return (
        pa.Table.from_pandas(pd.concat([notes, *places], ignore_index=True), _PLACE_SCHEMA),
        pa.Table.from_pandas(pd.concat(failing, ignore_index=True), _FAILING_SCHEMA),
    )


def _known(release: Release, scope: Scope) -> dict[str, Checked] | None:
    rows, lost = kept(release, scope, RULE_PLACE), kept(release, scope, RULE_FAILING)
    if rows is None or lost is None:
        return None
    rows, lost = _frame(rows), _frame(lost)
    notes = rows[rows["grid"].isna()].set_index("rule")["note"]
    rows = rows[rows["grid"].notna()].astype({"grid": np.int64})
    return {
        rule: Checked(
            rows.loc[rows["rule"] == rule, ["grid", "status", "network"]].reset_index(drop=True),
            lost[lost["rule"] == rule].drop(columns="rule").reset_index(drop=True),
            notes[rule],
        )
        for rule in RULES
    }


def _frame(rows: pa.Table) -> pd.DataFrame:
    """Texts stay texts, or None."""
    return pd.DataFrame(
        {
            name: pd.Series(rows[name].to_pylist(), dtype=object) if pa.types.is_string(kind) else rows[name].to_numpy()
            for name, kind in zip(rows.column_names, rows.schema.types, strict=True)
        }
    )


def check(release: Release, scope: Scope) -> dict[str, Checked]:
    """As :func:`checked`, anew."""
    found, ledger = places(release), cameras(release)
    crs = working_crs(release)
    chosen = np.flatnonzero(in_area(release, None, scope))
    # Numbers need not be unique across ledgers and layers, so positions stand in for them.
    near = ledger.frame.iloc[chosen].assign(camera_code=chosen.astype(str).astype(object))
    near = gpd.GeoDataFrame(near, geometry=in_metres(release, ledger.rows.shapes[chosen]), crs=crs)
    near = near[~near.geometry.isna()]
    own = np.flatnonzero(in_reach(release, found.frame["grid"].to_numpy(), None, scope))
    targets = gpd.GeoDataFrame(
        {
            "place_id": own.astype(str).astype(object),
            "kind": found.frame["kind"].to_numpy(object)[own],
            "parent_id": [str(i) if i >= 0 else None for i in found.frame["parent"].to_numpy()[own]],
        },
        geometry=found.shapes[own],
        crs=crs,
    )
    checks = rule_checks(targets, near, RULES)
    return {rule: _result(release, check) for rule, check in zip(RULES, checks, strict=True)}


def _result(release: Release, check: RuleCheck) -> Checked:
    frame = places(release).frame
    table = pd.DataFrame(check.places.drop(columns=["geometry", "kind"]))
    table = table.join(frame[["grid", "name", "kind"]], on=table["place_id"].astype(np.int64))
    failing = pd.DataFrame(check.failing.drop(columns="geometry")).merge(table, on="place_id", how="left")
    spots = in_degrees(release, check.failing.geometry.to_numpy())
    failing["lon"], failing["lat"] = shapely.get_x(spots), shapely.get_y(spots)
    identity = frame["place_id"].to_numpy(object)
    for column in ("place_id", "entrance_id"):
        failing[column] = [identity[int(i)] if i else None for i in failing[column]]
    wanted = ["grid", "place_id", "entrance_id", "name", "kind", "reason", "advice", "nearest_m", "lon", "lat"]
    return Checked(table[["grid", "status", "network"]], failing[wanted], check.note)


def coverage_rules(release: Release, selection: Selection, scope: Scope) -> Answer:
    """How far the rules are kept in the selected area.

    Returns
    -------
    Answer
        Rows ``rule, words, state`` (已评估, or 未评估 where no place could be judged), ``passing, total`` (places judged),
        ``not_judged, pct`` (None at base 0), ``note``, and for 地网 ``first_only, filler_only, both, none``: judged places
        by who covers them (天网, 地网, both, nobody), else null. ``meta.rules`` holds the same as a list. Cameras of the
        whole scope count, an entrance counts where its place does.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    area = None if selection.area is None else release.units.allowed(selection.area, scope)
    rows = [_row(release, rule, check, area, scope) for rule, check in checked(release, scope).items()]
    meta = {
        **release.base_meta(),
        "selection": {"area": selection.area},
        "scope": scope.to_meta(),
        "rules": rows,
    }
    return Answer.of(meta, pa.Table.from_pylist(rows))


def _row(release: Release, rule: str, check: Checked, area: Place | None, scope: Scope) -> dict:
    inside = in_reach(release, check.places["grid"].to_numpy(), area, scope)
    status = check.places["status"].to_numpy()[inside]
    passing, missed = int((status == COVERED).sum()), int((status == UNCOVERED).sum())
    total = passing + missed
    row = {
        "rule": rule,
        "words": RULES[rule].words,
        "state": JUDGED if total else NOT_JUDGED,
        "passing": passing,
        "total": total,
        "not_judged": len(status) - total,
        "pct": 100.0 * passing / total if total else None,
        "note": check.note if len(status) or NO_PLACE in check.note else NO_PLACE,
    }
    return row | _split(rule, check.places["network"].to_numpy()[inside])


def _split(rule: str, network: np.ndarray) -> dict[str, int | None]:
    names = ("first_only", "filler_only", "both", "none")
    about = RULES[rule]
    if not about.fillers:
        return dict.fromkeys(names)
    words = ("、".join(about.networks), "、".join(about.fillers), "两者", "无")
    return {name: int((network == word).sum()) for name, word in zip(names, words, strict=True)}


def rule_failures(
    release: Release, selection: Selection, scope: Scope, bbox: Box | None, rule: str | None
) -> tuple[int, list[str]]:
    """Where the rules are not kept: a point for each failing place or entrance.

    Parameters
    ----------
    rule : str or None
        One of ``geo.coverage.RULES``; None is all.

    Returns
    -------
    matched : int
    features : list of str
        At most ``limits.points``, by rule: ``{rule, place_id, entrance_id, name, kind, reason, advice,
        nearest_camera_m}``. The distance is from the place (of entrances, the one farthest from a camera) to the nearest
        working camera of the rule's networks; None without one.
    """
    area = None if selection.area is None else release.units.allowed(selection.area, scope)
    matched, texts = 0, []
    for name, check in checked(release, scope).items():
        if rule not in (None, name):
            continue
        lost = check.failing
        inside = in_reach(release, lost["grid"].to_numpy(), area, scope)
        if bbox is not None:
            west, south, east, north = bbox
            inside &= lost["lon"].between(west, east).to_numpy() & lost["lat"].between(south, north).to_numpy()
        matched += int(inside.sum())
        for row in lost[inside].head(release.limits.points - len(texts)).itertuples(index=False):
            texts.append(_failure(name, row))
    return matched, texts


def _failure(rule: str, row) -> str:
    properties = {
        "rule": rule,
        "place_id": row.place_id,
        "entrance_id": row.entrance_id,
        "name": None if pd.isna(row.name) else row.name,
        "kind": row.kind,
        "reason": row.reason,
        "advice": row.advice,
        "nearest_camera_m": None if np.isnan(row.nearest_m) else round(row.nearest_m, 1),
    }
    return feature(point(row.lon, row.lat), properties)
