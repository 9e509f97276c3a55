"""Pairs of events by distance band and day band, as observed and with times permuted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geo.spacetime import events as ev

FEW_EVENTS = "事件不足2起，无法检验"
NO_PAIR_IN_SPACE = "没有距离在限值以内的事件对，无法检验"
NO_PAIR_IN_TIME = "没有时间在限值以内的事件对，无法检验"
ALL_CLOSE = "所有事件对都在同一距离段或同一时间段，时空聚集无从判断"


class PairTables:
    """Pairs by distance band and day band, observed and with times permuted; bands end with the one beyond."""

    def __init__(self, points, times, limit_m: np.ndarray, limit_d: np.ndarray, norm: float) -> None:
        order = ev.in_order_of_time(points, times)
        self.points, self.times, self.norm = points[order], times[order], norm
        self.limit_m, self.limit_d = limit_m, limit_d
        self.pairs = len(points) * (len(points) - 1) // 2
        space, time = ev.metres_within(self.points, limit_m, norm), ev.days_within(self.times, limit_d)
        self.rows, self.columns = bands(space, self.pairs), bands(time, self.pairs)
        ev.refuse_too_many(int(space[-1]), int(time[-1]))
        # A gap in space costs about twice one in time, so times move unless their list is much the shorter.
        self.time_moves = space[-1] <= 2 * time[-1]
        self.lists = self._lists()
        self.observed = self._table(self.times if self.time_moves else self.points)

    def _lists(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The pairs of each band of the dimension that stays."""
        if not self.pairs:
            return [(np.zeros(0, dtype=np.int32),) * 2] * (len(self.limit_m) if self.time_moves else len(self.limit_d))
        if self.time_moves:
            limits, gap = self.limit_m, ev.metre_gap(self.points, self.norm)
            first, second = ev.pairs_in_space(self.points, limits[-1], self.norm)
        else:
            limits, gap = self.limit_d, ev.day_gap(self.times)
            first, second = ev.pairs_in_time(self.times, limits[-1])
        if len(limits) == 1:
            return [(first, second)]
        band = np.searchsorted(limits, ev.in_blocks(gap, first, second), side="left").astype(np.int16)
        return [(first[band == k], second[band == k]) for k in range(len(limits))]

    def _table(self, moving: np.ndarray) -> np.ndarray:
        """The whole table, the dimension that moves having the given values."""
        gap = ev.day_gap(moving) if self.time_moves else ev.metre_gap(moving, self.norm)
        limits = self.limit_d if self.time_moves else self.limit_m
        kept = self.rows if self.time_moves else self.columns
        within = [ev.count_within(gap, first, second, limits) for first, second in self.lists]
        inner = np.array([bands(found, total) for found, total in zip(within, kept[:-1], strict=True)])
        moved = self.columns if self.time_moves else self.rows
        table = np.vstack([inner, moved - inner.sum(axis=0)])
        return table if self.time_moves else table.T

    def permuted(self, permutations: int, seed: int) -> Iterator[np.ndarray]:
        """The table for each of so many random permutations."""
        rng = np.random.default_rng(seed)
        moving = self.times if self.time_moves else self.points
        for _ in range(permutations):
            yield self._table(moving[rng.permutation(len(moving))])

    def note(self) -> str:
        """Why the test says nothing, or ""."""
        if self.pairs == 0:
            return FEW_EVENTS
        if self.rows[:-1].sum() == 0:
            return NO_PAIR_IN_SPACE
        if self.columns[:-1].sum() == 0:
            return NO_PAIR_IN_TIME
        return ALL_CLOSE if self.pairs in (self.rows.max(), self.columns.max()) else ""


def bands(within: np.ndarray, total: int) -> np.ndarray:
    """Counts in each band and beyond the last, from counts within each limit."""
    return np.diff(np.concatenate([[0], within, [total]]))
