"""Where in a grid things happen: a fixed stock of addresses per grid, some along its edges, some around two centres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from etl.demo.frame import generator
from etl.demo.plan import City

ROADSIDE, INNER = 14, 14  # addresses of each kind per grid
_JITTER_M = 14.0


@dataclass(frozen=True)
class Addresses:
    """``xy`` (n, 28, 2) local metres, roadside ones first; ``reach_m`` (n, 28) room around each within the grid."""

    xy: np.ndarray
    reach_m: np.ndarray

    def draw(self, grid: np.ndarray, roadside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A position (m, 2) for each event, within its grid; a few addresses of each grid draw most events."""
        popular = 1 / np.arange(1, ROADSIDE + 1) ** 0.8
        number = np.searchsorted(np.cumsum(popular) / popular.sum(), rng.random(len(grid)))
        on_road = np.where(roadside, rng.random(len(grid)) < 0.9, rng.random(len(grid)) < 0.25)
        number = np.minimum(number, ROADSIDE - 1) + np.where(on_road, 0, ROADSIDE)
        return self.around(self.xy[grid, number], self.reach_m[grid, number], rng)

    @staticmethod
    def around(xy: np.ndarray, reach_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Uniform in a circle of ``reach_m`` around each position."""
        angle = rng.uniform(0, 2 * np.pi, len(xy))
        radius = reach_m * np.sqrt(rng.random(len(xy)))
        return xy + np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def make_addresses(city: City) -> Addresses:
    """The stock of addresses of a city; none in water, none outside its grid."""
    rng = generator(city.seed, "addresses")
    n = city.scale.grids
    polygons, home = city.cells.metres, city.cells.xy
    shapely.prepare(polygons)
    border = shapely.boundary(polygons)
    size = np.sqrt(shapely.area(polygons))
    at = rng.random((n, ROADSIDE)) * shapely.length(border)[:, None]
    road = shapely.get_coordinates(shapely.line_interpolate_point(border[:, None], at)).reshape(n, ROADSIDE, 2)
    inward = home[:, None] - road
    depth = rng.uniform(9, 26, (n, ROADSIDE, 1)) / np.hypot(inward[..., 0], inward[..., 1])[..., None]
    road = road + np.minimum(depth, 0.5) * inward
    centre = home[:, None] + rng.normal(0, 0.12, (n, 2, 2)) * size[:, None, None]
    which = (rng.random((n, INNER)) < 0.65).astype(int)
    inner = centre[np.arange(n)[:, None], which] + rng.normal(0, 0.07, (n, INNER, 2)) * size[:, None, None]
    xy = np.concatenate([road, inner], axis=1)
    flat = xy.reshape(-1, 2)
    count = ROADSIDE + INNER
    within = shapely.contains_xy(np.repeat(polygons, count), flat[:, 0], flat[:, 1]) & ~city.layout.wet(flat)
    flat = np.where(within[:, None], flat, np.repeat(home, count, axis=0))
    edge_m = shapely.distance(shapely.points(flat), np.repeat(border, count))
    reach = np.minimum(0.85 * edge_m - 0.3, _JITTER_M)  # 0.3 m stays for rounding to 1e-6 degrees
    too_near = reach < 0.2
    flat[too_near] = np.repeat(home, count, axis=0)[too_near]
    reach[too_near] = 2.0
    return Addresses(flat.reshape(n, count, 2), reach.reshape(n, count))
