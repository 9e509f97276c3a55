"""Control places for an action: as hot as the treated one at the time, left alone, and out of reach of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from geo.autocorrelation import as_neighbours
from geo.evaluation.displacement import NO_CONTROL
from geo.evaluation.inputs import counts_of
from geo.result import Result


@dataclass(frozen=True, eq=False)
class Controls(Result):
    """Control places and all rings.

    Attributes
    ----------
    chosen : ndarray of int, shape (m,)
        Positions in ``places``, nearest baseline first.
    control_weight : float
        1 / m, for :func:`~geo.evaluation.weighted_displacement_difference`; NaN without a control.
    rings : tuple of ndarray of int
        Areas of the ring of each control, in the order of ``chosen``.
    treated_ring : ndarray of int
        Areas of the ring of the treated place.
    ring_steps : int
        Width of a ring in steps from neighbour to neighbour.
    candidates : int
        Places not acted on that were far enough away.
    note : str
        无对照，不作结论 where there is none.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("chosen", "control_weight")

    chosen: np.ndarray
    control_weight: float
    rings: tuple[np.ndarray, ...]
    treated_ring: np.ndarray
    ring_steps: int
    candidates: int
    note: str


def choose_controls(
    places: Sequence[ArrayLike],
    treated: int,
    baseline: ArrayLike,
    neighbours,
    *,
    acted: ArrayLike | None = None,
    ring_steps: int = 1,
    most: int = 5,
) -> Controls:
    """Up to five places flagged at the same time, not acted on, nearest in baseline, and apart by their rings.

    Parameters
    ----------
    places : sequence of q ints or int arrays
        Areas of each place flagged at the time of the action: single areas, or clusters of them.
    treated : int
        Position in ``places`` of the one acted on.
    baseline : array_like (q,)
        Events of each place in the before period (without the flagging window).
    neighbours
        Neighbours of the n areas, in any form of :func:`geo.autocorrelation.as_neighbours`: Neighbours, sparse matrix
        (n, n), mapping or sequence of positions.
    acted : bool array_like (q,), optional
        Places acted on in either period; the treated one is always counted among them.
    ring_steps : int
        Width of a ring: areas reached in so many steps from the place, itself left out.
    most : int
        Controls wanted at most.

    Returns
    -------
    Controls
        Unpacks as ``chosen, control_weight``. Equal distance in baseline: lowest position.

    Raises
    ------
    ValueError
        Positions out of range, lengths that differ, ring_steps or most below 1.

    Notes
    -----
    A control lies outside the ring of every place acted on by one ring width, so that its own ring is clear of theirs.
    The same is kept between controls (nearest in baseline chosen first): no event is counted twice, which the standard
    error takes for granted.

    Examples
    --------
    >>> line = [[i for i in (i - 1, i + 1) if 0 <= i < 12] for i in range(12)]
    >>> chosen, weight = choose_controls([0, 2, 4, 8, 11], 0, [20, 20, 25, 19, 30], line)
    >>> chosen.tolist(), round(weight, 2)
    ([3, 2, 4], 0.33)
    """
    sets = [np.unique(np.asarray(place, dtype=np.int64)) for place in places]
    near = as_neighbours(neighbours).matrix
    size = near.shape[0]
    baseline = counts_of(baseline, "baseline", len(sets))
    busy = np.zeros(len(sets), bool) if acted is None else np.array(acted, dtype=bool)
    if busy.shape != (len(sets),):
        raise ValueError(f"acted has shape {busy.shape}, expected ({len(sets)},): one for each place")
    if not 0 <= treated < len(sets):
        raise ValueError(f"treated is {treated}, expected a position among {len(sets)} places")
    if ring_steps < 1 or most < 1:
        raise ValueError(f"ring_steps is {ring_steps} and most {most}, expected 1 or more")
    busy[treated] = True
    member = _members(sets, size)
    ring = _reach(member, near, ring_steps)
    touching = (_reach(member, near, 2 * ring_steps) @ member.T).toarray() > 0
    free = ~busy & ~touching[:, busy].any(axis=1)
    chosen: list[int] = []
    for place in np.argsort(np.abs(baseline - baseline[treated]), kind="stable"):
        if len(chosen) < most and free[place] and not touching[place, chosen].any():
            chosen.append(int(place))
    rings = [np.setdiff1d(ring[i].indices, sets[i]) for i in (treated, *chosen)]
    return Controls(
        np.array(chosen, np.intp), 1 / len(chosen) if chosen else float("nan"), tuple(rings[1:]), rings[0],
        ring_steps, int(free.sum()), "" if chosen else NO_CONTROL,
    )  # fmt: skip


def _members(sets: list[np.ndarray], size: int) -> sparse.csr_matrix:
    areas = np.concatenate([*sets, np.zeros(0, np.int64)]).astype(np.int64)
    if not all(len(s) for s in sets) or (areas.size and not (areas.min() >= 0 and areas.max() < size)):
        raise ValueError(f"places name areas out of range or none, expected positions 0 to {size - 1}")
    rows = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
    return sparse.csr_matrix((np.ones(areas.size), (rows, areas)), shape=(len(sets), size))


def _reach(member: sparse.csr_matrix, near: sparse.csr_matrix, steps: int) -> sparse.csr_matrix:
    """Areas within so many steps of each place, itself included."""
    found = member
    for _ in range(steps):
        found = found + found @ near
        found.data[:] = 1.0
    return found
