"""The city as a tree of areas with codes, names and numbers of people, over the grids' cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from etl.demo.frame import CITY_CODE, Scale, generator
from etl.demo.layout import Layout, make_layout
from etl.demo.names import DISTRICTS, invented, numeral
from etl.demo.partition import Cells, barriers, gather, group_pairs, make_cells, reading_order

_EXCLUSIVE_SHARE = 0.015
_EXCLUSIVE = ("产业园区", "高等院校", "中心医院", "机关大院", "物流园", "体育中心")


@dataclass(frozen=True)
class Areas:
    """One level of the tree: codes, names, index of the parent one level up, whether built up, centre in metres."""

    codes: np.ndarray
    names: np.ndarray
    parent: np.ndarray
    urban: np.ndarray
    xy: np.ndarray


@dataclass(frozen=True)
class City:
    """Everything that stands still: cells, areas of three levels and the grids' attributes (arrays of length n)."""

    scale: Scale
    seed: int
    layout: Layout
    cells: Cells
    districts: Areas
    streets: Areas
    communities: Areas
    community: np.ndarray  # index of each grid's community
    codes: np.ndarray
    names: np.ndarray
    exclusive: np.ndarray  # 专属
    households: np.ndarray
    population: np.ndarray
    staff: np.ndarray

    @property
    def street(self) -> np.ndarray:
        """Index of each grid's street."""
        return self.communities.parent[self.community]

    @property
    def district(self) -> np.ndarray:
        """Index of each grid's district."""
        return self.streets.parent[self.street]


def make_city(scale: Scale, seed: int) -> City:
    """Draw the standing city for a scale and a seed."""
    layout = make_layout(scale, seed)
    cells = make_cells(layout, scale, seed)
    rng = generator(seed, "plan")
    ones = np.ones(scale.grids)
    barrier = barriers(layout, cells)
    community = gather(cells.xy, ones, cells.pairs, barrier, scale.communities, rng)
    community_xy, size = _centres(cells.xy, ones, community, scale.communities)
    pairs, barrier = group_pairs(cells.pairs, barrier, community)
    street = gather(community_xy, size, pairs, barrier, scale.streets, rng)
    street_xy, size = _centres(community_xy, size, street, scale.streets)
    pairs, barrier = group_pairs(pairs, barrier, street)
    district = gather(street_xy, size, pairs, barrier, scale.districts, rng)
    district_xy, _ = _centres(street_xy, size, district, scale.districts)

    dense = layout.density(cells.xy) > 2.6
    urban = np.bincount(community, dense, scale.communities) > 0.5 * np.bincount(community)
    town = np.bincount(street, urban, scale.streets) > 0.5 * np.bincount(street)

    rank = np.argsort(np.argsort(np.hypot(*district_xy.T)))
    counties = 2 if scale.districts < 9 else 3
    is_county = rank >= scale.districts - counties
    pool = {False: [n for n in DISTRICTS if n.endswith("区")], True: [n for n in DISTRICTS if n.endswith("县")]}
    numbers = {False: 1, True: 21}
    codes, names = np.empty(scale.districts, object), np.empty(scale.districts, object)
    for i in reading_order(district_xy):
        kind = bool(is_county[i])
        codes[i] = f"{CITY_CODE[:4]}{numbers[kind]:02d}"
        names[i] = pool[kind].pop(0)
        numbers[kind] += 1
    districts = Areas(codes, names, np.zeros(scale.districts, int), ~is_county, district_xy)
    streets = _children(
        district, districts.codes, street_xy, town, (1, 100), ("街道", "镇"), invented(scale.streets, rng)
    )
    communities = _children(
        street, streets.codes, community_xy, urban, (1, 200), ("社区", "村"), invented(scale.communities, rng)
    )
    return _with_grids(scale, seed, layout, cells, districts, streets, communities, community, rng)


def _with_grids(scale, seed, layout, cells, districts, streets, communities, community, rng) -> City:
    exclusive = rng.random(scale.grids) < _EXCLUSIVE_SHARE
    households = np.round(scale.households * rng.lognormal(-0.06, 0.35, scale.grids)).astype(int)
    households[exclusive] = rng.integers(0, 40, exclusive.sum())
    population = np.round(households * rng.normal(2.75, 0.18, scale.grids).clip(2.2, 3.4)).astype(int)
    staff = rng.choice([0, 1, 2, 3], scale.grids, p=[0.012, 0.76, 0.21, 0.018])
    codes, names = np.empty(scale.grids, object), np.empty(scale.grids, object)
    for c in range(scale.communities):
        members = np.flatnonzero(community == c)
        for number, i in enumerate(members[reading_order(cells.xy[members])], 1):
            codes[i] = f"{communities.codes[c]}{number:03d}"
            kind = f"（{_EXCLUSIVE[i % len(_EXCLUSIVE)]}专属）" if exclusive[i] else "（基础）"
            names[i] = f"{communities.names[c]}第{numeral(number)}网格{kind}"
    return City(
        scale, seed, layout, cells, districts, streets, communities, community,
        codes, names, exclusive, households, population, staff,
    )  # fmt: skip


def _centres(xy: np.ndarray, weight: np.ndarray, group: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    mass = np.bincount(group, weight, count)
    return np.column_stack([np.bincount(group, weight * xy[:, i], count) / mass for i in (0, 1)]), mass


def _children(parent, parent_codes, xy, urban, first, endings, stems) -> Areas:
    """Codes of three more digits under each parent, built-up and rural ones from their own first number."""
    codes, names = np.empty(len(xy), object), np.empty(len(xy), object)
    for p in range(len(parent_codes)):
        members = np.flatnonzero(parent == p)
        following = list(first)
        for i in members[reading_order(xy[members])]:
            kind = 0 if urban[i] else 1
            codes[i] = f"{parent_codes[p]}{following[kind]:03d}"
            names[i] = stems[i] + endings[kind]
            following[kind] += 1
    return Areas(codes, names, parent, urban, xy)


def outlines(shapes: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    """Union of the shapes of each group; the shapes must form a coverage."""
    order = np.argsort(group, kind="stable")
    parts = np.split(shapes[order], np.searchsorted(group[order], np.arange(1, count)))
    return np.array([shapely.normalize(shapely.coverage_union_all(part)) for part in parts], dtype=object)
