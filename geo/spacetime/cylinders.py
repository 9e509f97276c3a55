"""The cylinders of a space-time scan: circles round centres times windows of days, and the best of them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse, special
from scipy.spatial import cKDTree

from geo.spacetime import events as ev

MOST_REACHED = 20_000_000  # events within the radius of a centre, summed over the centres
BATCH = 200_000  # the same, times the permutations worked on at once
COLUMNS = ["centre", "circle", "start", "stop", "observed", "expected", "statistic"]
NOTHING = pd.DataFrame(np.zeros((0, 7)), columns=COLUMNS).astype({"centre": int}).assign(radius_m=0.0)


def log_likelihood_ratio(observed: ArrayLike, expected: ArrayLike, total: float) -> np.ndarray:
    """Statistic of cylinders with more events than expected; 0 for the others."""
    c, mu = np.asarray(observed, dtype=float), np.asarray(expected, dtype=float)
    more = c > mu
    c, mu = np.where(more, c, 0.5), np.where(more, mu, 0.5)
    return np.where(more, c * np.log(c / mu) + special.xlogy(total - c, (total - c) / (total - mu)), 0.0)


class Reach:
    """Which events lie within the radius of each centre, and how many are at most as far as each of them.

    One row for each centre and event: ``centre``, ``event``, ``apart`` (metres) and ``size`` (events in the circle that
    ends at this one), by centre and distance.
    """

    def __init__(self, centres: np.ndarray, places: np.ndarray, place: np.ndarray, radius: float) -> None:
        tree, at = cKDTree(centres), np.bincount(place, minlength=len(places))
        self._refuse_too_many(tree, places, at, radius + ev.SLACK_M)
        near = tree.sparse_distance_matrix(cKDTree(places), radius + ev.SLACK_M, output_type="ndarray")
        near = near[np.lexsort((near["j"], near["v"], near["i"]))]
        by_place = np.argsort(place, kind="stable")
        begin = np.cumsum(at) - at
        many = at[near["j"]]
        self.centre = np.repeat(near["i"], many)
        self.apart = np.repeat(near["v"], many)
        step = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        self.event = by_place[np.repeat(begin[near["j"]], many) + step]
        self.size = self._sizes()

    @staticmethod
    def _refuse_too_many(tree: cKDTree, places: np.ndarray, at: np.ndarray, radius: float) -> None:
        reached = int((tree.query_ball_point(places, radius, return_length=True) * at).sum())
        if reached > MOST_REACHED:
            raise ValueError(
                f"the circles hold {reached:,} events together, expected at most {MOST_REACHED:,}: "
                "take a smaller max_radius_m, or fewer centres (a grid)"
            )

    def _sizes(self) -> np.ndarray:
        """Events of the centre at most as far as each one; equal distances count together."""
        here = np.arange(len(self.centre))
        after = np.flatnonzero((np.diff(self.centre) != 0) | (np.diff(self.apart) > ev.SLACK_M))
        ends = np.append(after, len(here) - 1)
        start = np.searchsorted(self.centre, self.centre, side="left")
        return ends[np.searchsorted(ends, here)] - start + 1


class Search:
    """The highest statistic over all cylinders, for the events as they are or with their days permuted.

    Days are counted backwards from the end of the period, so that a prospective window begins at 0. For each centre the
    events within reach are put in order of day; a cylinder is a run of them, first to last, cut to those in a circle.
    """

    def __init__(self, reach: Reach, day, length: int, max_days: int, min_events: int, prospective: bool) -> None:
        self.reach, self.total, self.length = reach, len(day), length
        self.max_days, self.min_events, self.prospective = max_days, min_events, prospective
        self.back = length - 1 - day[::-1]  # ascending: events come in order of day
        self.before = np.concatenate([[0], np.cumsum(np.bincount(self.back, minlength=length))])
        self.recent = int(self.before[min(max_days, length)]) if prospective else self.total
        self.centres = int(reach.centre[-1]) + 1 if len(reach.centre) else 1
        # Permutation, centre and day in one number: a difference below max_days is within one centre's window.
        self.span = length + max_days
        self.batch = int(np.clip(BATCH // max(len(reach.centre), 1), 1, 64))
        most = max(self.total**2, (self.batch + 1) * self.centres * self.span)
        self.whole = np.int32 if most < 2**31 else np.int64
        shape = (self.total, self.centres)
        self.bounds: dict[tuple[int, int], float] = {}
        self.sizes = sparse.csr_array((reach.size.astype(self.whole), (reach.event, reach.centre)), shape=shape)

    def highest(self) -> float:
        """The highest statistic of the events as they are."""
        return float(self._best([np.arange(self.total)[::-1]])[0])

    def maxima(self, rng: np.random.Generator, permutations: int) -> np.ndarray:
        """The highest statistic of each random permutation."""
        found = [
            self._best([rng.permutation(self.total) for _ in range(min(self.batch, permutations - done))])
            for done in range(0, permutations, self.batch)
        ]
        return np.concatenate(found)

    def cylinders(self, floor: float) -> pd.DataFrame:
        """Cylinders of the events as they are whose statistic reaches the floor: the best circle of each window.

        Columns: centre (position), radius_m, start and stop (days of the period, stop not included), observed,
        expected, statistic.
        """
        runs = _Runs(self, [np.arange(self.total)[::-1]])
        floor *= 1 - 1e-12
        parts = []
        for run, first, last, window, least in runs:
            bound = self._reachable(run, np.array([floor]))[0]
            for rows in _in_parts(np.flatnonzero(least * window <= bound), run):
                circle = runs.circles(first[rows], run)
                count = np.arange(1, run + 1)
                value = log_likelihood_ratio(count, circle * window[rows, None] / self.total, self.total)
                value[:, : self.min_events - 1] = 0.0
                best = value.argmax(axis=1)
                pick = np.arange(len(rows)), best
                slot, begin = runs.slot[last[rows]], runs.slot[first[rows]] % self.span
                stop = self.length - (0 if self.prospective else begin)
                expected = circle[pick] * window[rows] / self.total
                columns = (
                    slot // self.span,
                    circle[pick],
                    self.length - 1 - slot % self.span,
                    stop,
                    best + 1,
                    expected,
                )
                row = np.column_stack([*np.broadcast_arrays(*columns), value[pick]])
                parts.append(row[value[pick] >= floor])
        found = pd.DataFrame(np.concatenate(parts), columns=COLUMNS).astype(dict.fromkeys(COLUMNS[:5], np.int64))
        outermost = np.searchsorted(self.reach.centre, found.centre) + found.circle - 1
        return found.drop(columns="circle").assign(radius_m=self.reach.apart[outermost])

    def _best(self, orders: list[np.ndarray]) -> np.ndarray:
        """The highest statistic for each order in which the events may have happened."""
        runs = _Runs(self, orders)
        best = np.zeros(len(orders))
        for run, first, last, window, least in runs:
            product = least * window
            if run <= 2 and not self.prospective:  # both ends are all there is
                self._raise(best, runs.order_of(last), product[:, None], run)
                continue
            hopeful = np.flatnonzero(product < self._reachable(run, best)[runs.order_of(last)])
            for rows in _in_parts(hopeful, run):
                products = runs.circles(first[rows], run) * window[rows, None]
                self._raise(best, runs.order_of(last[rows]), products[:, self.min_events - 1 :], self.min_events)
        return best

    def _raise(self, best: np.ndarray, order: np.ndarray, products: np.ndarray, count: int) -> None:
        """Raise the best of each order; columns are cylinders with ``count``, ``count + 1``, … events."""
        if not len(order):
            return
        # For one count the statistic falls as mu grows: only the least product of each order can be the best.
        present, begin = np.unique(order, return_index=True)
        least = np.minimum.reduceat(products, begin, axis=0)
        counts = np.arange(count, count + products.shape[1])
        value = log_likelihood_ratio(counts, least / self.total, self.total).max(axis=1)
        best[present] = np.maximum(best[present], value)

    def _reachable(self, count: int, best: np.ndarray) -> np.ndarray:
        """Circle times window below which so many events could beat each best so far."""
        # Looking up the next lower eighth keeps the bound on the safe side and needs few bisections.
        return np.array([self._bound(count, int(value * 8)) for value in best])

    def _bound(self, count: int, eighths: int) -> float:
        """Circle times window from which on so many events stay below a statistic, by bisection."""
        if (count, eighths) not in self.bounds:
            rest = self.total - count
            constant = count * math.log(count) + (rest * math.log(rest) if rest else 0.0) - eighths / 8
            low, high = 0.0, float(count)
            for _ in range(30):
                mu = (low + high) / 2
                beats = constant > count * math.log(mu) + rest * math.log(self.total - mu)
                low, high = (mu, high) if beats else (low, mu)
            self.bounds[count, eighths] = high * self.total
        return self.bounds[count, eighths]


class _Runs:
    """Runs of events of one centre, in order of day, that fit into the longest window; for several orders at once.

    Iterating yields, for runs of ``min_events`` and more: their length, the positions of first and last, the events of
    the whole area in the window, and those of the smallest circle that holds both ends (prospective: the last).
    """

    def __init__(self, search: Search, orders: list[np.ndarray]) -> None:
        self.search = search
        slots, sizes = [], []
        for k, order in enumerate(orders):
            # Sorting by centre with the order of days kept: a transposition does it in linear time.
            by_centre = search.sizes[order[: search.recent]].tocsc()
            centre = np.repeat(np.arange(search.centres, dtype=search.whole), np.diff(by_centre.indptr))
            slots.append((centre + k * search.centres) * search.span + search.back[by_centre.indices])
            sizes.append(by_centre.data)
        self.slot = np.concatenate(slots).astype(search.whole, copy=False)
        self.size = np.concatenate(sizes)

    def order_of(self, position: np.ndarray) -> np.ndarray:
        """Which of the orders the event at a position belongs to."""
        return self.slot[position] // (self.search.centres * self.search.span)

    def circles(self, first: np.ndarray, run: int) -> np.ndarray:
        """Events in the circle to the nearest, second nearest, … event of each run."""
        return np.sort(self.size[first[:, None] + np.arange(run)], axis=1)

    def __iter__(self) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        search, slot, size = self.search, self.slot, self.size
        day = slot % search.span
        until = search.before.astype(search.whole)[day + 1]
        if search.prospective:
            first = np.flatnonzero(np.diff(slot // search.span, prepend=-1))
            since = np.zeros_like(until)
        else:
            first = np.arange(len(slot))
            since = search.before.astype(search.whole)[day]
        for run in range(1, search.total + 1):
            last = first + (run - 1)
            if len(last) and last[-1] >= len(slot):
                inside = int(np.searchsorted(last, len(slot)))
                first, last = first[:inside], last[:inside]
            close = np.flatnonzero(slot.take(last) - slot.take(first) < search.max_days)
            if not len(close):
                return
            first, last = first.take(close), last.take(close)
            if run >= search.min_events:
                least = size.take(last)
                if not search.prospective:
                    np.maximum(least, size.take(first), out=least)
                yield run, first, last, until.take(last) - since.take(first), least


def _in_parts(rows: np.ndarray, run: int) -> list[np.ndarray]:
    """Rows in parts whose events fit into the cache."""
    return np.array_split(rows, len(rows) * run // BATCH + 1)
