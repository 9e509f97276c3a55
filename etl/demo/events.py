"""Drawing the events week by week from a declared intensity, and that intensity itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely

from etl.demo.addresses import Addresses
from etl.demo.frame import DATA_TIME_MINUTE, DAYS, WEEKS, generator
from etl.demo.plan import City
from etl.demo.planted import (
    ACTION_FACTOR,
    ACTION_WEEK,
    BLIND_RADIUS_M,
    BLIND_SD_M,
    RING_FACTOR,
    SILENT_WEEKS,
    SPIKE_CATEGORY,
    SPIKE_FACTOR,
    SPIKE_WEEK,
    Planted,
)
from etl.demo.rhythm import CATEGORIES, GRID_STAFF, LAG_DAYS, STREAMS, day_factors, hour_profile

_REPEAT_M = 180.0  # a repeat lies within this distance of its parent, in the same grid
_LAST_MINUTES = 30  # each source's last event: this long before the data time


@dataclass(frozen=True)
class Events:
    """Events of one week in order of time.

    Stream and grid as indices, minute since FIRST_DAY, local metres (n, 2), whether a near repeat.
    """

    stream: np.ndarray
    grid: np.ndarray
    minute: np.ndarray
    xy: np.ndarray
    repeat: np.ndarray

    def __len__(self) -> int:
        return len(self.stream)

    def take(self, chosen: np.ndarray) -> Events:
        """The chosen events (indices or mask)."""
        return Events(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    @staticmethod
    def joined(parts: list[Events]) -> Events:
        """All parts, in order of time."""
        whole = Events(*(np.concatenate([getattr(p, name) for p in parts]) for name in Events.__dataclass_fields__))
        return whole.take(np.argsort(whole.minute, kind="stable"))


@dataclass(frozen=True)
class Intensity:
    """The declared intensity.

    ``grid_rate`` (streams, n): mean first events of a grid in a mean week, before planted changes;
    ``day`` (streams, DAYS + 7): factor of each day, mean 1.
    """

    grid_rate: np.ndarray
    day: np.ndarray

    def week(self) -> np.ndarray:
        """Factor of each week, (streams, WEEKS + 1); the last is the week that has only begun."""
        return self.day.reshape(len(self.day), -1, 7).mean(axis=2)


@dataclass(frozen=True)
class Expected:
    """Expected recorded events.

    ``by_source`` (2, n, WEEKS) without 无效; ``grid_category`` (n, 8) and ``category_week`` (8, WEEKS) with it.
    """

    by_source: np.ndarray
    grid_category: np.ndarray
    category_week: np.ndarray


def make_intensity(city: City, planted: Planted) -> Intensity:
    """Where and when events are expected before anything is planted."""
    rng = generator(city.seed, "intensity")
    n = city.scale.grids
    common = rng.lognormal(0, 0.28, n)
    dense = np.minimum(city.layout.density(city.cells.xy), 12.0)
    people = np.maximum(city.population, 0.15 * city.population.mean())
    settings = {"home": (people / people.mean()) ** 0.6, "trade": dense**0.30, "road": dense**0.12}
    weights = {}
    for name, base in settings.items():
        weight = base * common * rng.lognormal(0, 0.22, n)
        weights[name] = weight / weight.sum()
    shares = np.array([stream.share for stream in STREAMS])
    valid = np.array([stream.category != "无效" for stream in STREAMS])
    extra = sum(len(part.grids) * part.rate * (part.last - part.first) for part in planted.added)
    per_week = (city.scale.incidents - extra) / WEEKS * shares / shares[valid].sum()
    rate = np.array([w / (1 + s.repeats) * weights[s.setting] for w, s in zip(per_week, STREAMS, strict=True)])
    return Intensity(rate, np.array([day_factors(stream) for stream in STREAMS]))


def weeks_of_change(city: City, planted: Planted) -> np.ndarray:
    """Factor (n, WEEKS + 1) of the action and its displacement on everything that happens in a grid."""
    factor = np.ones((city.scale.grids, WEEKS + 1))
    factor[planted.treated, ACTION_WEEK:] = ACTION_FACTOR
    factor[planted.ring, ACTION_WEEK:] = RING_FACTOR
    return factor


def expected_counts(city: City, intensity: Intensity, planted: Planted) -> Expected:
    """Expected recorded events of every grid and week, planted facts, repeats and silence included."""
    n = city.scale.grids
    change = weeks_of_change(city, planted)
    week_factor = intensity.week()
    by_source = np.zeros((2, n, WEEKS))
    grid_category = np.zeros((n, len(CATEGORIES)))
    category_week = np.zeros((len(CATEGORIES), WEEKS))
    spiked = np.flatnonzero(city.street == planted.spike_street)

    def add(stream_number: int, grids: np.ndarray | slice, counts: np.ndarray) -> None:
        stream = STREAMS[stream_number]
        if stream.source == GRID_STAFF:
            counts[:, list(SILENT_WEEKS)] = 0
        place = CATEGORIES.index(stream.category)
        grid_category[grids, place] += counts.sum(axis=1)
        category_week[place] += counts.sum(axis=0)
        if stream.category != "无效":
            by_source[stream.source, grids] += counts

    for number, stream in enumerate(STREAMS):
        counts = intensity.grid_rate[number][:, None] * (week_factor[number, :WEEKS] * change[:, :WEEKS])
        if stream.category == SPIKE_CATEGORY:
            counts[spiked, SPIKE_WEEK] *= SPIKE_FACTOR
        if stream.repeats:
            kinds, kind = np.unique(change[:, [ACTION_WEEK]], return_inverse=True)
            for k, value in enumerate(kinds):
                first = intensity.day[number, :DAYS] / 7 * np.where(np.arange(DAYS) // 7 >= ACTION_WEEK, value, 1.0)
                later = np.zeros(DAYS + LAG_DAYS)
                for lag in range(1, LAG_DAYS + 1):
                    later[lag : lag + DAYS] += first / LAG_DAYS
                chosen = kind.ravel() == k
                rate = intensity.grid_rate[number][chosen, None] * stream.repeats
                counts[chosen] += rate * later[:DAYS].reshape(WEEKS, 7).sum(axis=1)
        add(number, slice(None), counts)
    for part in planted.added:
        counts = np.zeros((len(part.grids), WEEKS))
        counts[:, part.first : part.last] = part.rate
        add(part.stream, part.grids, counts * change[part.grids, :WEEKS])
    return Expected(by_source, grid_category, category_week)


def draw_weeks(city: City, addresses: Addresses, intensity: Intensity, planted: Planted) -> Iterator[Events]:
    """Events of each of the 104 weeks, then those of the first hours of the week after."""
    rng = generator(city.seed, "events")
    change = weeks_of_change(city, planted)
    week_factor = intensity.week()
    cumulative = np.cumsum(intensity.grid_rate, axis=1)
    profile = [np.cumsum(hour_profile(stream)) for stream in STREAMS]
    spiked = np.flatnonzero(city.street == planted.spike_street)
    roadside = np.array([stream.setting == "road" for stream in STREAMS])
    waiting: dict[int, list[Events]] = {}

    def hours(stream: int, count: int) -> np.ndarray:
        hour = np.minimum(np.searchsorted(profile[stream] / profile[stream][-1], rng.random(count)), 23)
        return hour * 60 + rng.integers(0, 60, count)

    def at(stream: int, grid: np.ndarray, week: int, xy: np.ndarray | None = None) -> Events:
        shape = np.cumsum(intensity.day[stream, 7 * week : 7 * week + 7])
        day = np.minimum(np.searchsorted(shape / shape[-1], rng.random(len(grid))), 6) + 7 * week
        if xy is None:
            xy = addresses.draw(grid, np.full(len(grid), roadside[stream]), rng)
        kind = np.full(len(grid), stream)
        return Events(kind, grid, day * 1440 + hours(stream, len(grid)), xy, np.zeros(len(grid), bool))

    for week in range(WEEKS + 1):
        parts: list[Events] = []
        for number, stream in enumerate(STREAMS):
            if stream.source == GRID_STAFF and week in SILENT_WEEKS:
                continue
            total = rng.poisson(cumulative[number, -1] * week_factor[number, week])
            grid = np.searchsorted(cumulative[number], rng.random(total) * cumulative[number, -1])
            grid = np.minimum(grid, city.scale.grids - 1)
            grid = grid[rng.random(total) < change[grid, week]]
            more = [grid]
            for places, factor in _excesses(stream, week, spiked, planted):
                rate = intensity.grid_rate[number, places] * week_factor[number, week] * factor
                more.append(np.repeat(places, rng.poisson(rate)))
            born = at(number, np.concatenate(more), week)
            parts.append(born)
            if stream.repeats:
                _breed(number, born, city, addresses, hours, rng, waiting)
        parts += waiting.pop(week, [])  # repeats of this week's events among them
        for part in planted.added:
            if part.first <= week < part.last or (week == WEEKS and part.last == WEEKS):
                grid = np.repeat(part.grids, rng.poisson(part.rate * change[part.grids, week]))
                xy = None
                if part.centre is not None:
                    reach = np.minimum(np.abs(rng.rayleigh(BLIND_SD_M, len(grid))), BLIND_RADIUS_M)
                    angle = rng.uniform(0, 2 * np.pi, len(grid))
                    xy = part.centre + np.column_stack([reach * np.cos(angle), reach * np.sin(angle)])
                parts.append(at(part.stream, grid, week, xy))
        if week == WEEKS:  # so that both sources speak for the whole of the last week
            for source in (0, 1):
                number = next(i for i, s in enumerate(STREAMS) if s.source == source and s.category == "其他")
                last = at(number, np.array([planted.station_grid]), week)
                last.minute[:] = DATA_TIME_MINUTE - _LAST_MINUTES
                parts.append(last)
        events = Events.joined(parts)
        yield events.take(events.minute < DATA_TIME_MINUTE) if week == WEEKS else events


def _excesses(stream, week: int, spiked: np.ndarray, planted: Planted) -> list[tuple[np.ndarray, float]]:
    """Places where this stream is above its plain rate this week, and by how much of it."""
    found = []
    if week >= ACTION_WEEK:
        found.append((planted.ring, RING_FACTOR - 1))
    if week == SPIKE_WEEK and stream.category == SPIKE_CATEGORY:
        found.append((spiked, SPIKE_FACTOR - 1))
    return found


def _breed(number, born: Events, city: City, addresses: Addresses, hours, rng, waiting) -> None:
    """Near repeats of these events, put in wait for the weeks in which they happen."""
    children = born.take(np.repeat(np.arange(len(born)), rng.poisson(STREAMS[number].repeats, len(born))))
    count = len(children)
    day = children.minute // 1440 + rng.integers(1, LAG_DAYS + 1, count)
    xy = addresses.around(children.xy, np.full(count, _REPEAT_M), rng)
    polygon = city.cells.metres[children.grid]
    within = shapely.contains_xy(polygon, xy[:, 0], xy[:, 1])
    within &= shapely.distance(shapely.boundary(polygon), shapely.points(xy)) > 0.3
    xy = np.where(within[:, None], xy, children.xy)
    later = Events(children.stream, children.grid, day * 1440 + hours(number, count), xy, np.ones(count, bool))
    week = day // 7
    for w in np.unique(week[week <= WEEKS]):
        waiting.setdefault(int(w), []).append(later.take(week == w))
