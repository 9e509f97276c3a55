"""The planted facts: where, when, how strong. Nothing else departs from the plain rhythm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from etl.demo.frame import WEEKS, generator, week_number
from etl.demo.plan import City
from etl.demo.rhythm import STREAMS

EMERGING_FROM = WEEKS - 6
VANISHED_FROM = WEEKS - 6
ACTION_WEEK = WEEKS - 12
ACTION_FACTOR, RING_FACTOR = 0.55, 1.06
SPIKE_WEEK, SPIKE_FACTOR, SPIKE_CATEGORY = WEEKS - 1, 5.0, "交通"
SILENT_WEEKS = (week_number("2025-W36"), week_number("2025-W37"))
BLIND_RADIUS_M, BLIND_SD_M = 95.0, 40.0
NO_CAMERA_M = 150.0
CONTROLS = 5


@dataclass(frozen=True)
class Added:
    """Extra events at a constant rate: ``rate`` per grid and week in weeks ``[first, last)``; they breed no repeats."""

    name: str
    stream: int
    grids: np.ndarray
    rate: float
    first: int
    last: int
    centre: np.ndarray | None = None  # local metres; events lie within BLIND_RADIUS_M of it where given


@dataclass(frozen=True)
class Planted:
    """All planted facts of a city; grids are indices."""

    added: tuple[Added, ...]
    treated: np.ndarray
    ring: np.ndarray
    control_rings: tuple[np.ndarray, ...]
    spike_street: int
    blind_centre: np.ndarray
    station_grid: int
    station_street: int
    station: np.ndarray  # local metres

    def one(self, name: str) -> Added:
        """The added component of that name."""
        return next(part for part in self.added if part.name == name)


def make_planted(city: City) -> Planted:
    """Choose the places of all planted facts, well apart from each other and from the city's edge."""
    rng = generator(city.seed, "planted")
    pairs = city.cells.pairs
    n = city.scale.grids
    graph = csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    graph = graph + graph.T
    reach = np.hypot(*city.cells.xy.T) / city.layout.radius_m
    allowed = (reach > 0.04) & (reach < 0.42) & ~city.exclusive & ~city.layout.wet(city.cells.xy, 60)
    allowed &= np.diff(graph.indptr) >= 5

    def hood(centre: int) -> np.ndarray:
        return np.sort(np.append(graph.indices[graph.indptr[centre] : graph.indptr[centre + 1]], centre))

    def ring_of(patch: np.ndarray) -> np.ndarray:
        return np.setdiff1d(np.unique(graph[patch].indices), patch)

    blocked = np.zeros(n, bool)

    def take(candidates: np.ndarray) -> int:
        centre = int(next(i for i in candidates if allowed[i] and not blocked[i]))
        blocked[np.isfinite(dijkstra(graph, unweighted=True, indices=centre, limit=5))] = True
        return centre

    order = rng.permutation(n)
    degree = np.diff(graph.indptr)
    six = order[degree[order] == 6]
    treated_at = take(six)
    like_it = six[np.argsort(np.abs(reach[six] - reach[treated_at]), kind="stable")]
    controls_at = [take(like_it) for _ in range(CONTROLS)]
    emerging, vanished, persistent = (hood(take(six)) for _ in range(3))
    room_m = shapely.distance(shapely.boundary(city.cells.metres), shapely.points(city.cells.xy))
    blind = take(order[room_m[order] > BLIND_RADIUS_M + 3])
    station_grid = take(order)
    treated = hood(treated_at)
    patches = [hood(i) for i in controls_at]
    rings = [ring_of(patch) for patch in patches]
    places = [emerging, vanished, persistent, treated, ring_of(treated), [blind], *patches, *rings]
    spike = _spike_street(city, np.unique(city.street[np.concatenate(places)]))

    unit = max(1.0, city.scale.incidents / n / WEEKS / 0.34)
    kind = {stream.subcategory: i for i, stream in enumerate(STREAMS)}
    added = (
        Added("emerging", kind["电动车被盗"], emerging, 3.0 * unit, EMERGING_FROM, WEEKS),
        Added("vanished", kind["打架斗殴"], vanished, 1.6 * unit, 0, VANISHED_FROM),
        Added("persistent", kind["扰乱公共秩序"], persistent, 1.6 * unit, 0, WEEKS),
        Added("blind", kind["扒窃"], np.array([blind]), 4.0 * unit, 0, WEEKS, city.cells.xy[blind]),
        Added("acted_on", kind["打架斗殴"], treated, 1.4 * unit, 0, WEEKS),
        *(Added(f"control_{i}", kind["打架斗殴"], patch, 1.4 * unit, 0, WEEKS) for i, patch in enumerate(patches, 1)),
    )
    return Planted(
        added, treated, ring_of(treated), tuple(rings), spike, city.cells.xy[blind],
        station_grid, int(city.street[station_grid]), city.cells.xy[station_grid],
    )  # fmt: skip


def _spike_street(city: City, touched: np.ndarray) -> int:
    """A street of middling size without any other planted fact, a built-up one where there is one."""
    size = np.bincount(city.street, minlength=city.scale.streets)
    free = np.setdiff1d(np.arange(city.scale.streets), touched)
    built_up = free[city.streets.urban[free]]
    choice = built_up if built_up.size else free
    return int(choice[np.argmin(np.abs(size[choice] - np.median(size)))])
