"""Events close to each other in space and time, and whether there are more of them than chance would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.selection import Selection, Window
from data.store.hotspots.events import count_points, points
from data.store.hotspots.projection import metre_points
from data.store.metres import crs_name, release_crs
from data.store.release import Release
from data.store.scope import Scope
from geo.spacetime import NearRepeat, NearRepeatLinks, near_repeat, near_repeat_links
from geo.spacetime.events import NORM, day_numbers, days_within, metres_within

LINK_M, LINK_DAYS = 200.0, 7.0
DISTANCE_BANDS_M = (100.0, 200.0, 300.0, 400.0)
DAY_BANDS = (1.0, 2.0, 4.0, 7.0, 14.0)  # those shorter than the window
PERMUTATIONS, SEED = 999, 0
MOST_EVENTS = 5_000  # tested or linked at once
MOST_PAIRS = 100_000  # gone through for each permutation
NOT_LINKED = "事件过多，不画连线，请选区域或缩短时段"
SAMPLED = "检验只用随机抽取的部分事件"
REFERENCES = ["Knox1964", "Ratcliffe2008", "Rogerson2001"]


@dataclass(frozen=True, eq=False)
class NearRepeats:
    """Links between events, and the table of near repeats.

    Attributes
    ----------
    links : NearRepeatLinks or None
        None where there are too many events to link.
    lon, lat : float arrays, shape (events,)
        Of the events that ``links`` names by position; degrees.
    table : NearRepeat or None
        None with fewer than two events.
    parameters : dict
    remarks : tuple of str
    """

    links: NearRepeatLinks | None
    lon: np.ndarray
    lat: np.ndarray
    table: NearRepeat | None
    parameters: dict
    remarks: tuple[str, ...]


def near_repeats(release: Release, selection: Selection, scope: Scope, asked: Window) -> NearRepeats:
    """Links and table of the events of the Selection whose point and day are known.

    Notes
    -----
    The test goes through the pairs close in space or in time once for each permutation. Beyond 5,000 events, or 100,000
    such pairs, it takes an even random sample: pairs close in both are thinned as all others are, so the ratios stay
    what they are, and p is right though less sharp. Lines are drawn for up to 5,000 events and 100,000 pairs.
    """
    _, left_out = count_points(release, selection, scope, asked)
    found = points(release, selection, scope, asked, "weekday", "occurred_from")
    crs = release_crs(release)
    dated = np.flatnonzero(found["weekday"].is_valid().to_numpy() & (crs is not None))
    known, n, rng = found.num_rows, len(dated), np.random.default_rng(SEED)
    if n > MOST_EVENTS:
        dated = np.sort(rng.choice(dated, MOST_EVENTS, replace=False))
    found = found.take(pa.array(dated))
    lon, lat, when = (found[name].to_numpy() for name in ("lon", "lat", "occurred_from"))
    xy = metre_points(release, lon, lat) if len(dated) else np.zeros((0, 2))
    days, bands = day_numbers(when), _day_bands(asked)
    sample = np.arange(len(dated))
    pairs = _close_pairs(xy, days, DISTANCE_BANDS_M[-1], bands[-1])
    if pairs > MOST_PAIRS:
        sample = np.sort(rng.choice(sample, int(len(sample) * np.sqrt(MOST_PAIRS / pairs)), replace=False))
    table = None
    if len(sample) > 1:
        table = near_repeat(xy[sample], days[sample], distance_bands_m=DISTANCE_BANDS_M, day_bands=bands,
                            permutations=PERMUTATIONS, seed=SEED)  # fmt: skip
    links = None
    if n <= MOST_EVENTS and _close_pairs(xy, days, LINK_M, LINK_DAYS) <= MOST_PAIRS:
        links = near_repeat_links(xy, days, distance_m=LINK_M, days=LINK_DAYS)
    parameters = {
        "n": n,
        "left_out": {**left_out, "no_day": known - n},
        "distance_m": LINK_M,
        "days": LINK_DAYS,
        "distance_bands_m": list(DISTANCE_BANDS_M),
        "day_bands": list(bands),
        "metric": "euclidean",
        "permutations": PERMUTATIONS,
        "seed": SEED,
        "tested_on": len(sample),
        "sample": None if len(sample) == n else "numpy.random.default_rng(seed).choice, events by time",
        "adjustment": "Benjamini-Hochberg",
        "adjusted_over": 0 if table is None else int((~np.isnan(table.q)).sum()),
        "crs": None if crs is None else crs_name(crs),
        "reference": REFERENCES,
        "automatic": ["day_bands", "tested_on"],
    }
    remarks = (
        "" if links is not None else NOT_LINKED,
        SAMPLED if len(sample) < n else "",
        "" if table is None else table.note,
    )
    return NearRepeats(links, lon, lat, table, parameters, remarks)


def _day_bands(asked: Window) -> tuple[float, ...]:
    return tuple(limit for limit in DAY_BANDS if limit < (asked[1] - asked[0]).days) or DAY_BANDS[:1]


def _close_pairs(xy: np.ndarray, days: np.ndarray, metres: float, within_days: float) -> int:
    """Pairs close in space, or in time if these are fewer."""
    space = metres_within(xy, np.array([metres]), NORM["euclidean"])[0]
    return int(min(space, days_within(np.sort(days), np.array([within_days]))[0]))
