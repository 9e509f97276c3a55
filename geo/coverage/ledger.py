"""The camera ledger as the rules read it: where, whether it works, whose it is, what it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.coverage.inputs import flags, number_column, on_lattice, refuse_repeated, text_column
from geo.coverage.rules import SERVICEABLE_PCT
from geo.coverage.sectors import camera_areas
from geo.metres import metre_xy
from geo.result import Result

IN_USE, REMOVED = "在用", "拆除"


@dataclass(frozen=True, eq=False)
class Working(Result):
    """Which cameras work.

    Attributes
    ----------
    works : ndarray of bool, shape (n,)
    unknown : ndarray of bool, shape (n,)
        Cameras whose state is not known; they do not count as working.
    """

    unpacks: ClassVar = ("works", "unknown")
    works: np.ndarray
    unknown: np.ndarray


@dataclass(frozen=True)
class Ledger:
    """Arrays of shape (n,): points, whether it works, whether that is unknown, whether it was removed, network (None
    where not named), values of location_type, area looked at; and a note on what was assumed."""

    points: np.ndarray
    works: np.ndarray
    unknown: np.ndarray
    removed: np.ndarray
    network: np.ndarray
    location: list[frozenset[str]]
    areas: np.ndarray
    note: str


def working_cameras(cameras: pd.DataFrame, *, serviceable_pct: float = SERVICEABLE_PCT) -> Working:
    """Cameras in use (在用) that are online, or 完好 in the period.

    Parameters
    ----------
    cameras : DataFrame
        With ``device_state``, ``online``, ``serviceable_pct``; a column may be absent or null, which is unknown.
    serviceable_pct : float
        完好率 of the period from which on a camera counts as 完好.

    Returns
    -------
    Working
        Unpacks as ``works, unknown``. Unknown is a camera without ``device_state``, or one 在用 with neither ``online``
        nor ``serviceable_pct``; what is given of the two decides.

    Raises
    ------
    ValueError
        ``online`` holds other values than true, false and missing.

    Examples
    --------
    >>> ledger = pd.DataFrame({"device_state": ["在用", "在用", "维修", None], "online": [True, None, True, True]})
    >>> works, unknown = working_cameras(ledger)
    >>> works.tolist(), unknown.tolist()
    ([True, False, False, False], [False, True, False, True])
    """
    state, share = text_column(cameras, "device_state"), number_column(cameras, "serviceable_pct")
    online = np.full(len(cameras), np.nan)
    if "online" in cameras:
        online = flags(cameras["online"], len(cameras), "online")
    in_use = state == IN_USE
    works = in_use & ((online == 1) | (share >= serviceable_pct))
    return Working(works, pd.isna(state) | (in_use & np.isnan(online) & np.isnan(share)))


def read_ledger(cameras: gpd.GeoDataFrame, *, serviceable_pct: float) -> Ledger:
    """The columns the rules need.

    Raises
    ------
    ValueError
        Degrees, a camera without coordinates, a repeated ``camera_code``, flags or numbers that are none.
    """
    if "camera_code" in cameras:
        refuse_repeated(cameras["camera_code"], "camera_code")
    xy = metre_xy(cameras, "cameras")
    works, unknown = working_cameras(cameras, serviceable_pct=serviceable_pct)
    look = camera_areas(*xy.T, *(number_column(cameras, name) for name in ("bearing_deg", "fov_deg", "range_m")))
    location = [frozenset(_codes(word)) for word in text_column(cameras, "location_type")]
    removed = text_column(cameras, "device_state") == REMOVED
    return Ledger(
        shapely.points(xy),
        works,
        unknown,
        removed,
        text_column(cameras, "network"),
        location,
        on_lattice(look.areas),
        look.note,
    )


def _codes(word: str | None) -> list[str]:
    """Several codes stand in one cell with a stroke between; 6.0 is what a spreadsheet makes of 6."""
    return [part.strip().removesuffix(".0") for part in (word or "").split("/")]
