"""The lie of the town before any boundary: outline, centres, river, lake and main roads, in local metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from etl.demo.frame import Scale, generator


@dataclass(frozen=True)
class Road:
    """A main road: name, class (高速 快速路 主干路) and its line, local metres, shape (n, 2)."""

    name: str
    kind: str
    xy: np.ndarray


@dataclass(frozen=True)
class Layout:
    """Outline harmonics, density centres and the lines that the grids follow. Lengths in metres."""

    radius_m: float
    harmonics: np.ndarray  # rows (k, amplitude, phase)
    core_m: float
    towns: np.ndarray  # (n, 2)
    river: np.ndarray  # centre line, (n, 2)
    water: tuple[tuple[str, str, shapely.Polygon], ...]  # name, kind, polygon
    roads: tuple[Road, ...]

    def inside(self, xy: np.ndarray, stretch: float = 1.0) -> np.ndarray:
        """Which of the points (n, 2) lie within the outline stretched by ``stretch``."""
        turn = np.linspace(-np.pi, np.pi, 2049)
        reach = np.interp(np.arctan2(xy[:, 1], xy[:, 0]), turn, self.outline(turn))
        return np.hypot(xy[:, 0], xy[:, 1]) < stretch * reach

    def outline(self, angle: np.ndarray) -> np.ndarray:
        """Distance of the outline from the centre in each direction (radians), metres."""
        k, amplitude, phase = self.harmonics.T
        return self.radius_m * (1 + (amplitude * np.cos(np.outer(angle, k) + phase)).sum(axis=1))

    def density(self, xy: np.ndarray) -> np.ndarray:
        """Relative density of grids: high in the core, lower outside, with bumps at the towns; 1 far out."""
        core = 11 * np.exp(-((np.hypot(xy[:, 0], xy[:, 1]) / self.core_m) ** 1.7))
        bumps = np.zeros(len(xy))
        for town in self.towns:
            bumps += 4 * np.exp(-(((xy - town) ** 2).sum(axis=1)) / (0.16 * self.core_m) ** 2)
        return 1 + core + bumps

    def wet(self, xy: np.ndarray, margin_m: float = 0.0) -> np.ndarray:
        """Which of the points lie in water or nearer to it than ``margin_m``."""
        water = shapely.union_all([polygon for _, _, polygon in self.water])
        if margin_m:
            water = water.buffer(margin_m, quad_segs=4)
        shapely.prepare(water)
        return shapely.contains_xy(water, xy[:, 0], xy[:, 1])


def make_layout(scale: Scale, seed: int) -> Layout:
    """Draw the lie of the town for a scale and a seed."""
    rng = generator(seed, "layout")
    radius = scale.radius_m
    k = np.arange(2, 9)
    harmonics = np.column_stack([k, rng.uniform(0.5, 1, k.size) * 0.11 / k**0.7, rng.uniform(0, 2 * np.pi, k.size)])
    core = 0.30 * radius
    town_count = 7 if scale.grids < 10_000 else 16
    angle = np.linspace(0, 2 * np.pi, town_count, endpoint=False) + rng.normal(0, 0.16, town_count)
    reach = rng.uniform(0.5, 0.82, town_count) * radius
    towns = np.column_stack([reach * np.cos(angle), reach * np.sin(angle)])
    river = _river(radius, rng)
    return Layout(radius, harmonics, core, towns, river, _water(radius, river, rng), _roads(radius, core, towns, rng))


def _wobble(length: int, period: float, amplitude: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random curve: three sines of about ``period`` samples."""
    t = np.arange(length)
    parts = [
        np.sin(2 * np.pi * t / (period * f) + rng.uniform(0, 6.3)) / n for n, f in ((1, 1.0), (2, 0.47), (4, 0.23))
    ]
    return amplitude * np.sum(parts, axis=0)


def _river(radius: float, rng: np.random.Generator) -> np.ndarray:
    x = np.arange(-1.35 * radius, 1.35 * radius, 120.0)
    y = -0.13 * radius - 0.22 * x + _wobble(x.size, 0.9 * radius / 120, 0.055 * radius, rng)
    return np.column_stack([x, y])


def _water(radius: float, river: np.ndarray, rng: np.random.Generator) -> tuple[tuple[str, str, shapely.Polygon], ...]:
    step = np.gradient(river, axis=0)
    normal = np.column_stack([-step[:, 1], step[:, 0]]) / np.hypot(*step.T)[:, None]
    half = (45 + 0.0012 * radius + _wobble(len(river), 40, 14, rng))[:, None]
    channel = shapely.make_valid(shapely.Polygon(np.vstack([river + half * normal, (river - half * normal)[::-1]])))
    near = river[np.argmin(np.abs(river[:, 0] - 0.42 * radius))]
    centre = near + np.array([0.01, 0.052]) * radius
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    reach = 1 + 0.13 * np.cos(2 * angle + 1) + 0.10 * np.cos(3 * angle + 2.2) + 0.05 * np.cos(5 * angle)
    lake = shapely.Polygon(
        centre + radius * np.column_stack([0.068 * reach * np.cos(angle), 0.040 * reach * np.sin(angle)])
    )
    return (("演河", "河流", channel), ("镜湖", "湖泊", lake.difference(channel)))


def _roads(radius: float, core: float, towns: np.ndarray, rng: np.random.Generator) -> tuple[Road, ...]:
    roads = []
    rings: dict[str, shapely.Polygon] = {}
    angle = np.linspace(0, 2 * np.pi, 160)
    for name, kind, reach in (("内环路", "快速路", 0.15), ("中环路", "快速路", 0.29), ("绕城高速", "高速", 0.52)):
        wobble = 1 + 0.07 * np.cos(2 * angle + rng.uniform(0, 6)) + 0.04 * np.cos(3 * angle + rng.uniform(0, 6))
        ring = reach * radius * wobble
        xy = np.column_stack([1.12 * ring * np.cos(angle), 0.94 * ring * np.sin(angle)])
        roads.append(Road(name, kind, xy))
        rings[name] = shapely.Polygon(xy)
    for number, town in enumerate(towns, 1):  # from a ring out through each town and on to the edge
        along = np.linspace(0.08, 1.25, 120)[:, None]
        reach = np.hypot(*town)
        side = np.array([-town[1], town[0]]) / reach
        bend = _wobble(120, 70, 0.022 * radius, rng)[:, None] * np.sin(np.pi * np.clip(along, 0, 1))
        scale = 1 / max(reach / radius, 0.6)
        kind = "高速" if number % 4 == 1 else "主干路"
        within = rings["中环路" if kind == "高速" else "内环路"]
        name = f"演{number}{'高速' if kind == '高速' else '公路'}"
        line = shapely.LineString(town * along * scale + side * bend).difference(within)
        outer = max(shapely.get_parts(line), key=shapely.length)
        roads.append(Road(name, kind, shapely.get_coordinates(outer)))
    turn = rng.uniform(0.12, 0.2)
    cos, sin = np.cos(turn), np.sin(turn)
    for axis, word in ((0, "街"), (1, "路")):
        offset, number = -0.9 * core, 0
        while offset < 0.9 * core:
            half = core * np.sqrt(max(0.1, 1 - (offset / core) ** 2)) * rng.uniform(0.8, 1.05)
            t = np.arange(-half, half, 60.0)
            bend = offset + _wobble(t.size, 5_000 / 60, 130, rng)
            line = np.column_stack([t, bend] if axis else [bend, t])
            number += 1
            roads.append(
                Road(
                    f"{'经' if axis == 0 else '纬'}{number}{word}", "主干路", line @ np.array([[cos, sin], [-sin, cos]])
                )
            )
            offset += rng.uniform(750, 1500)
    return tuple(roads)
