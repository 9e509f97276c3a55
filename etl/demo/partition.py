"""An exact planar partition of the city into grids, and their gathering into communities, streets and districts.

Grids are Voronoi cells. Their points stand in mirrored pairs along the river and the main roads, so boundaries follow
these; points beyond the outline are dropped with their cells, so the city's edge is made of cell edges as well. Every
boundary is built once and used by both neighbours, hence neither gap nor overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import Voronoi, cKDTree

from etl.demo.frame import Scale, generator, to_degrees
from etl.demo.layout import Layout

_MERGE_M = 4.0  # corners nearer than this become one
_BEND_FROM_M = 140.0  # shorter edges stay straight


@dataclass(frozen=True)
class Cells:
    """The grids' shapes.

    ``xy`` (n, 2) points in local metres, each within its cell; ``metres`` and ``degrees`` (n,) polygons;
    ``pairs`` (m, 2) neighbours that share an edge and ``edges`` (m,) these edges as lines in local metres.
    """

    xy: np.ndarray
    metres: np.ndarray
    degrees: np.ndarray
    pairs: np.ndarray
    edges: np.ndarray


def make_cells(layout: Layout, scale: Scale, seed: int) -> Cells:
    """Partition the city into exactly ``scale.grids`` cells."""
    rng = generator(seed, "cells")
    points = _points(layout, scale.grids, rng)
    diagram = Voronoi(points)
    corner, vertices = _merged_corners(diagram)
    kept = np.arange(scale.grids)  # the points inside come first
    regions = [diagram.regions[diagram.point_region[i]] for i in kept]
    owner = np.repeat(kept, [len(region) for region in regions])
    ring = np.concatenate([np.asarray(region) for region in regions])
    away = diagram.vertices[ring] - points[owner]
    around = np.lexsort([np.arctan2(away[:, 1], away[:, 0]), owner])
    owner, start = owner[around], corner[ring[around]]
    first = np.searchsorted(owner, kept)
    following = np.arange(1, len(start) + 1)
    following[np.append(first[1:], len(start)) - 1] = first
    end = start[following]
    real = start != end
    owner, start, end = owner[real], start[real], end[real]
    key = np.minimum(start, end) * len(vertices) + np.maximum(start, end)
    unique, edge = np.unique(key, return_inverse=True)
    low, high = vertices[unique // len(vertices)], vertices[unique % len(vertices)]
    bend = _bends(low, high, rng)
    for _ in range(6):
        inner = _inner_corners(low, high, bend)
        metres, degrees = _polygons(vertices, inner, bend, owner, start, end, edge, scale.grids)
        bad = ~shapely.is_valid(degrees)
        bad[shapely.STRtree(degrees).query(degrees, predicate="overlaps").ravel()] = True
        if not bad.any():
            break
        bend[edge[bad[owner]]] = 0.0
    else:
        raise AssertionError("the drawn cells do not form a partition")
    order = np.argsort(edge, kind="stable")
    shared = np.flatnonzero(edge[order][1:] == edge[order][:-1])
    pairs = np.column_stack([owner[order][shared], owner[order][shared + 1]])
    number = edge[order][shared]
    lines = shapely.linestrings(np.concatenate([low[number, None], inner[number], high[number, None]], axis=1))
    return Cells(points[: scale.grids], metres, degrees, pairs, lines)


def _points(layout: Layout, count: int, rng: np.random.Generator) -> np.ndarray:
    """Voronoi points: ``count`` inside the outline, then a band of them outside."""
    draw, total = _sampler(layout, rng)
    per_m2 = count / total  # grids per m2 where the relative density is 1

    fixed = _along_lines(layout, per_m2, rng)
    n_fixed = len(fixed)
    n_free = count - n_fixed
    free = np.empty((0, 2))
    while len(free) < n_free:
        more = draw(2 * count)
        free = np.vstack([free, more[layout.inside(more) & ~layout.wet(more, 30)]])
    free = free[:n_free]
    n_band = int(0.35 * count)
    band = np.empty((0, 2))
    while len(band) < n_band:
        more = draw(2 * count)
        band = np.vstack([band, more[~layout.inside(more) & layout.inside(more, 1.25)]])
    band = band[:n_band]
    for _ in range(3):  # a little Lloyd relaxation evens the sizes without making a honeycomb
        everyone = np.vstack([fixed, free, band])
        cloud = draw(14 * len(everyone))
        nearest = cKDTree(everyone).query(cloud)[1]
        size = np.bincount(nearest, minlength=len(everyone))
        mean = np.column_stack([np.bincount(nearest, cloud[:, i], len(everyone)) for i in (0, 1)])
        mean = np.where(size[:, None] > 0, mean / np.maximum(size, 1)[:, None], everyone)
        moved = everyone + 0.8 * (mean - everyone)
        stays_free = ~layout.inside(moved) | layout.wet(moved, 30)
        free = np.where(stays_free[n_fixed:count, None], free, moved[n_fixed:count])
        stays_band = layout.inside(moved[count:])
        band = np.where(stays_band[:, None], band, moved[count:])
    return np.vstack([fixed, free, band])


def _sampler(layout: Layout, rng: np.random.Generator) -> tuple[Callable[[int], np.ndarray], float]:
    """A function that draws points at the wanted density out to 1.25 outlines, and the density's integral inside."""
    half = 1.45 * layout.radius_m
    middle = (np.arange(600) + 0.5) / 300 - 1
    cells = half * np.stack(np.meshgrid(middle, middle), axis=-1).reshape(-1, 2)
    cell_m = half / 300
    density = layout.density(cells)
    total = float(density[layout.inside(cells)].sum() * cell_m**2)
    density[~layout.inside(cells, 1.25)] = 0
    cumulative = np.cumsum(density) / density.sum()

    def draw(count: int) -> np.ndarray:
        chosen = cells[np.searchsorted(cumulative, rng.random(count))]
        return chosen + rng.uniform(-0.5, 0.5, (count, 2)) * cell_m

    return draw, total


def _along_lines(layout: Layout, per_m2: float, rng: np.random.Generator) -> np.ndarray:
    """Mirrored pairs of points on both sides of the river and the main roads."""
    taken = np.empty((0, 2))
    lines = [layout.river, *(road.xy for road in layout.roads)]
    for line in lines:
        geometry = shapely.LineString(line)
        steps, at = [], rng.uniform(0, 100)
        while at < geometry.length:
            here = np.asarray(geometry.interpolate(at).coords)
            size = float(1 / np.sqrt(per_m2 * layout.density(here)[0]))
            steps.append((at, size))
            at += size * rng.uniform(0.8, 1.25)
        if not steps:
            continue
        at, size = np.array(steps).T
        here = shapely.get_coordinates(shapely.line_interpolate_point(geometry, at))
        ahead = shapely.get_coordinates(shapely.line_interpolate_point(geometry, np.minimum(at + 5, geometry.length)))
        back = shapely.get_coordinates(shapely.line_interpolate_point(geometry, np.maximum(at - 5, 0)))
        direction = (ahead - back) / np.hypot(*(ahead - back).T)[:, None]
        offset = np.maximum(0.48 * size, 110 if line is layout.river else 0)[:, None]
        offset = offset * np.column_stack([-direction[:, 1], direction[:, 0]])
        pair = np.stack([here + offset, here - offset], axis=1)
        flat = pair.reshape(-1, 2)
        good = (layout.inside(flat) & ~layout.wet(flat, 25)).reshape(-1, 2).all(axis=1)
        if len(taken):
            gap = cKDTree(taken).query(flat)[0].reshape(-1, 2).min(axis=1)
            good &= gap > 0.62 * size
        inner = cKDTree(flat).query(flat, k=2)[0][:, 1].reshape(-1, 2).min(axis=1)
        good &= inner > 0.5 * size
        taken = np.vstack([taken, pair[good].reshape(-1, 2)])
    return taken


def _merged_corners(diagram: Voronoi) -> tuple[np.ndarray, np.ndarray]:
    """Corner number of each Voronoi vertex and the corners' coordinates."""
    near = cKDTree(diagram.vertices).query_pairs(_MERGE_M, output_type="ndarray")
    size = len(diagram.vertices)
    graph = coo_matrix((np.ones(len(near)), (near[:, 0], near[:, 1])), shape=(size, size))
    count, label = connected_components(graph, directed=False)
    members = np.bincount(label, minlength=count)
    mean = np.column_stack([np.bincount(label, diagram.vertices[:, i], count) / members for i in (0, 1)])
    return label.astype(np.int64), mean


def _bends(low: np.ndarray, high: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sideways shift of three inner corners of each edge as shares of its length; zero rows stay straight."""
    length = np.hypot(*(high - low).T)
    middle = rng.normal(0, 0.045, len(low))
    bend = np.column_stack([0.55 * middle, middle, 0.55 * middle]) + rng.normal(0, 0.022, (len(low), 3))
    bend = np.clip(bend, -0.11, 0.11)
    bend[length < _BEND_FROM_M] = 0.0
    return bend


def _inner_corners(low: np.ndarray, high: np.ndarray, bend: np.ndarray) -> np.ndarray:
    along = high - low
    side = np.column_stack([-along[:, 1], along[:, 0]])
    share = np.array([0.25, 0.5, 0.75])
    return low[:, None] + share[None, :, None] * along[:, None] + bend[:, :, None] * side[:, None]


def _polygons(vertices, inner, bend, owner, start, end, edge, count) -> tuple[np.ndarray, np.ndarray]:
    """Rings from directed edges, in local metres and in degrees rounded to 1e-7."""
    forward = (start < end)[:, None, None]
    chain = np.where(forward, inner[edge], inner[edge][:, ::-1])
    ring = np.concatenate([vertices[start][:, None], chain], axis=1)
    keep = np.concatenate(
        [np.ones((len(start), 1), bool), np.repeat((bend[edge] != 0).any(axis=1)[:, None], 3, 1)], axis=1
    )
    xy = ring[keep]
    index = np.repeat(owner, keep.sum(axis=1))
    lon, lat = to_degrees(xy[:, 0], xy[:, 1])
    degrees = np.round(np.column_stack([lon, lat]), 7)
    made = []
    for coordinates in (xy, degrees):
        made.append(shapely.polygons(shapely.linearrings(coordinates, indices=index)))
    assert len(made[0]) == count
    return made[0], made[1]


def gather(
    xy: np.ndarray, weight: np.ndarray, pairs: np.ndarray, barrier: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Gather connected places into ``count`` connected groups of about equal weight.

    Parameters
    ----------
    xy : (n, 2) positions, local metres.
    weight : (n,) how much each place counts for the size of a group.
    pairs : (m, 2) neighbours.
    barrier : (m,) share of the common border that a river or a fast road runs along; groups tend to end there.

    Returns
    -------
    (n,) int
        Group of each place, 0 to ``count - 1``; every group is connected over ``pairs``.
    """
    share = weight / weight.sum()
    seeds = xy[rng.choice(len(xy), count, replace=False, p=share)]
    for _ in range(12):
        nearest = cKDTree(seeds).query(xy)[1]
        mass = np.bincount(nearest, weight, count)
        mean = np.column_stack([np.bincount(nearest, weight * xy[:, i], count) for i in (0, 1)])
        seeds = np.where(mass[:, None] > 0, mean / np.maximum(mass, 1e-12)[:, None], seeds)
    tree = cKDTree(xy)
    roots: list[int] = []
    taken: set[int] = set()
    for seed in seeds:
        near = np.atleast_1d(tree.query(seed, k=min(60, len(xy)))[1])
        root = next(int(i) for i in near if int(i) not in taken)
        taken.add(root)
        roots.append(root)
    length = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T) * rng.uniform(0.8, 1.25, len(pairs)) * (1 + 4 * barrier)
    graph = csr_matrix((length, (pairs[:, 0], pairs[:, 1])), shape=(len(xy), len(xy)))
    sources = dijkstra(graph, directed=False, indices=roots, min_only=True, return_predecessors=True)[2]
    position = np.full(len(xy), -1)
    position[roots] = np.arange(count)
    return position[sources]


def group_pairs(pairs: np.ndarray, barrier: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Neighbouring groups, from neighbouring members, and the mean barrier between them."""
    edges = np.sort(group[pairs], axis=1)
    apart = edges[:, 0] != edges[:, 1]
    unique, number = np.unique(edges[apart], axis=0, return_inverse=True)
    number = number.ravel()
    return unique, np.bincount(number, barrier[apart]) / np.bincount(number)


def barriers(layout: Layout, cells: Cells) -> np.ndarray:
    """Which neighbouring cells (m,) lie on two sides of the river or of a fast road: 1 or 0."""
    lines = [layout.river, *(road.xy for road in layout.roads if road.kind == "快速路")]
    divide = shapely.multilinestrings([shapely.LineString(line) for line in lines])
    shapely.prepare(divide)
    return shapely.intersects(divide, shapely.linestrings(cells.xy[cells.pairs])).astype(float)


def reading_order(xy: np.ndarray) -> np.ndarray:
    """Order in which places are numbered: rows from north to south, each row from west to east."""
    rows = max(1, round(np.sqrt(len(xy))))
    top_down = np.argsort(-xy[:, 1], kind="stable")
    return np.concatenate([part[np.argsort(xy[part, 0], kind="stable")] for part in np.array_split(top_down, rows)])
