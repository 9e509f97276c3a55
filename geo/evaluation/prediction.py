"""How well a ranking of places caught the events that followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from geo.evaluation.inputs import counts_of, scores_of, sizes_of
from geo.result import Result

_TIE = 1e-12  # scores closer than this, relatively, are one score


@dataclass(frozen=True, eq=False)
class Accuracy(Result):
    """Prediction accuracy index along a ranking. ``numpy.asarray`` of it is ``pai``.

    Attributes
    ----------
    pai : ndarray
        ``hit_pct / size_pct``; 1 is what a random choice of the same size gives. NaN where there is no event.
    hit_pct : ndarray
        Share of events in the places taken so far.
    size_pct : ndarray
        Share of area (or street length) of the places taken so far.
    order : ndarray of int, shape (n,)
        Positions of the places, highest prediction first, ties by lowest position.
    note : str
        What the user must know, "" for nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("pai", "hit_pct", "size_pct")

    pai: np.ndarray
    hit_pct: np.ndarray
    size_pct: np.ndarray
    order: np.ndarray
    note: str

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.pai, dtype=dtype)


@dataclass(frozen=True, eq=False)
class Efficiency(Result):
    """Accuracy beside the best that hindsight allows. ``numpy.asarray`` of it is ``pei``.

    Attributes
    ----------
    pei : ndarray
        ``pai / best_pai``, 0 to 1; NaN where there is no event.
    pai, best_pai : ndarray
        Accuracy of the prediction, and of ranking the places by the events that came, per size.
    size_pct : ndarray
        Share of area (or street length).
    note : str
    """

    unpacks: ClassVar[tuple[str, ...]] = ("pei", "pai", "best_pai", "size_pct")

    pei: np.ndarray
    pai: np.ndarray
    best_pai: np.ndarray
    size_pct: np.ndarray
    note: str

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.pei, dtype=dtype)


def prediction_accuracy_index(
    events: ArrayLike, predicted: ArrayLike, *, size: ArrayLike | None = None, share_pct: ArrayLike | None = None
) -> Accuracy:
    """Share of events caught to share of area looked at [Chainey2008]_, along the ranking or at fixed shares.

    Parameters
    ----------
    events : array_like (n,)
        Events of each place in the period judged, 0 or more.
    predicted : array_like (n,)
        Score of each place made before, higher is more: a density, a count, a z. For places of different size give a
        density, or large places lead.
    size : array_like (n,), optional
        Area or street length of each place, above 0 [Drawve2019]_; equal by default.
    share_pct : float or array_like, optional
        Shares of the whole size, over 0 up to 100, to judge at; by default after each place of the ranking.

    Returns
    -------
    Accuracy
        Unpacks as ``pai, hit_pct, size_pct``, each of shape (n,) or of ``share_pct``.

    Raises
    ------
    ValueError
        Lengths that differ, negative or missing values, shares out of range.

    Notes
    -----
    .. math:: PAI = \\frac{n / N}{a / A}

    Places of equal score form one block that is entered evenly: part of the block's size takes that part of its events,
    which for places of equal size is the mean over all orders of the tie. A place cut by a fixed share counts in part.
    So neither the order of rows nor the luck of a tie changes the figures.

    Examples
    --------
    >>> pai, hit_pct, size_pct = prediction_accuracy_index([6, 3, 0], [3, 2, 1])
    >>> pai.round(6).tolist()
    [2.0, 1.5, 1.0]
    >>> float(prediction_accuracy_index([6, 3, 0, 0], [5, 1, 1, 1], share_pct=50).hit_pct.round(1))
    77.8
    """
    events = counts_of(events, "events")
    predicted, size = scores_of(predicted, "predicted", events.size), sizes_of(size, "size", events.size)
    shares = _shares(share_pct)
    order = np.argsort(-predicted, kind="stable")
    reached, caught = _block_ends(events, predicted, size, order)
    if shares is None:
        # A place in the midst of a tie ends at its share of the places of the block, whichever place it is.
        block = _blocks(predicted, order)
        rank = np.arange(events.size) + 1
        starts = np.flatnonzero(np.diff(np.append(-1, block)))
        counted = np.append(starts, events.size)
        size_pct = 100 * np.interp(rank, counted, reached)
        hits = np.interp(rank, counted, caught)
    else:
        size_pct = shares
        hits = np.interp(shares / 100, reached, caught)
    total = events.sum()
    note = "" if total > 0 else "没有事件，无法评价"
    with np.errstate(invalid="ignore", divide="ignore"):
        hit_pct = 100 * hits / total if total > 0 else np.full(np.shape(hits), np.nan)
        pai = hit_pct / size_pct
    return Accuracy(np.asarray(pai), np.asarray(hit_pct), np.asarray(size_pct), order, note)


def prediction_efficiency_index(
    events: ArrayLike, predicted: ArrayLike, *, size: ArrayLike | None = None, share_pct: ArrayLike | None = None
) -> Efficiency:
    """Accuracy as a part of the best possible with the same area [Hunt2016]_.

    Parameters
    ----------
    events, predicted, size, share_pct
        As in :func:`prediction_accuracy_index`.

    Returns
    -------
    Efficiency
        Unpacks as ``pei, pai, best_pai, size_pct``. The best ranks the places by events per size and is judged at the
        same shares of size.

    Raises
    ------
    ValueError
        As :func:`prediction_accuracy_index`.

    Examples
    --------
    >>> prediction_efficiency_index([6, 3, 0], [3, 2, 1]).pei.tolist()
    [1.0, 1.0, 1.0]
    >>> prediction_efficiency_index([6, 3, 0], [1, 2, 3]).pei.round(3).tolist()
    [0.0, 0.333, 1.0]
    """
    ours = prediction_accuracy_index(events, predicted, size=size, share_pct=share_pct)
    events = counts_of(events, "events")
    density = events / sizes_of(size, "size", events.size)
    best = prediction_accuracy_index(events, density, size=size, share_pct=np.minimum(ours.size_pct, 100))
    with np.errstate(invalid="ignore"):
        pei = np.minimum(ours.pai / best.pai, 1.0)
    return Efficiency(pei, ours.pai, best.pai, ours.size_pct, ours.note)


def taken_at(predicted: np.ndarray, size: np.ndarray, share: float) -> np.ndarray:
    """Part of each place (0 to 1) taken when the best-scored ``share`` (0 to 1) of the whole size is taken."""
    order = np.argsort(-predicted, kind="stable")
    block = _blocks(predicted, order)
    held = np.bincount(block, weights=size[order])
    before = np.cumsum(held) - held
    part = np.clip((share * size.sum() - before) / held, 0, 1)
    taken = np.empty(len(size))
    taken[order] = part[block]
    return taken


def _shares(share_pct: ArrayLike | None) -> np.ndarray | None:
    if share_pct is None:
        return None
    shares = np.array(share_pct, dtype=float)  # our own: the result keeps it
    if not ((shares > 0) & (shares <= 100)).all():
        raise ValueError(f"share_pct is {share_pct}, expected over 0 up to 100")
    return shares


def _blocks(predicted: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Number of the block of equal scores of each place, in the order of the ranking."""
    ranked = predicted[order]
    falls = -np.diff(ranked) > _TIE * np.maximum(np.abs(ranked[:-1]), np.abs(ranked[1:]))
    return np.concatenate([np.zeros(min(len(ranked), 1), int), np.cumsum(falls)])


def _block_ends(events: np.ndarray, predicted: np.ndarray, size: np.ndarray, order: np.ndarray):
    """Share of size (0 to 1) and events, summed to the start of the first block and the end of each."""
    block = _blocks(predicted, order)
    held = np.append(0.0, np.cumsum(np.bincount(block, weights=size[order])))
    caught = np.append(0.0, np.cumsum(np.bincount(block, weights=events[order])))
    return (held / held[-1] if held[-1] > 0 else held), caught
