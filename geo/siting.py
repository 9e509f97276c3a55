"""Where the next cameras should stand: k sites that newly cover the most events, those that stand already kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.spatial import cKDTree

from geo.metres import metre_xy, refuse_degrees, refuse_other_crs
from geo.result import Result

__all__ = ["Siting", "maximal_cover"]

EXACT_VIEWS = 30_000  # pairs of distinct demand and candidate above which the optimum is not sought
NODE_LIMIT = 1_000  # branch-and-bound nodes after which the best found is taken; no clock, so answers repeat
BOUND_STEPS = 500  # steps on the dual bound of the greedy answer
PATIENCE = 20  # of them without progress before they are halved
_TIE = 1e-9  # gains closer than this, relatively, are equal but for rounding


@dataclass(frozen=True, eq=False)
class Siting(Result):
    """Chosen sites and what they cover. Weights are events; sites and demand are positions in the arrays given.

    Attributes
    ----------
    chosen : ndarray of int, shape (at most k,)
        Positions of candidates, largest marginal gain first, ties by lowest position. Sites that would add nothing
        are not chosen.
    covered : float
        Weight seen by at least one site, existing or chosen.
    share_pct : float
        ``covered`` of ``total``; NaN where the total is 0.
    gap_pct : float
        At most this share of what the best k sites would newly gain is missed; 0 where the optimum is proven.
    gain : ndarray, shape of ``chosen``
        What each site adds to those before it; never rising.
    covered_before : float
        Weight seen by the existing sites alone.
    seen : ndarray of int8, shape (n,)
        Sites that see each demand point, counted up to 2.
    covered_twice : float
        Weight seen by two sites or more.
    unreachable : float
        Weight that neither an existing site nor any candidate sees.
    total : float
        Weight of all demand.
    bound : float
        No k sites reach more of ``covered + backup * covered_twice`` than this.
    method : str
        ``exact`` (optimum proven), ``node_limit`` (search stopped at ``NODE_LIMIT``) or ``greedy``.
    k, radius_m, backup
        As given; ``radius_m`` None where no points were given.
    note : str
        What the user must know, "" for nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("chosen", "covered", "share_pct", "gap_pct")

    chosen: np.ndarray
    covered: float
    share_pct: float
    gap_pct: float
    gain: np.ndarray
    covered_before: float
    seen: np.ndarray
    covered_twice: float
    unreachable: float
    total: float
    bound: float
    method: str
    k: int
    radius_m: float | None
    backup: float
    note: str


def maximal_cover(
    demand,
    candidates,
    *,
    existing=None,
    k: int,
    weights: ArrayLike | None = None,
    radius_m: float | None = None,
    backup: float = 0.0,
    exact: bool | None = None,
) -> Siting:
    """The next k sites by newly covered demand (maximal covering location [Church1974]_), existing sites kept.

    Parameters
    ----------
    demand : array_like (n, 2), GeoSeries or GeoDataFrame of points
        Metres.
    candidates : points, polygons or matrix
        Possible sites: points (m, 2) or a frame of points, which see as far as ``radius_m``, rim included; an array or
        frame of m polygons, each what a camera there would see (sector, visibility polygon), border included; or a
        boolean array, sparse matrix or 0/1 array (n, m), true where candidate j sees demand i.
    existing : as ``candidates``, optional
        Sites that stand. What they see is covered before the first is chosen and is never counted again.
    k : int
        Sites to add.
    weights : array_like (n,), optional
        Events at each demand point, 0 or more; 1 each by default. Points of weight 0 play no part.
    radius_m : float, optional
        Needed where candidates or existing are points.
    backup : float, 0 to 1
        Worth of a second view beside a first [Hogan1986]_; 0 seeks first views only.
    exact : bool, optional
        True seeks the optimum, False takes the greedy answer; by default the optimum up to ``EXACT_VIEWS`` pairs of
        distinct demand and candidate.

    Returns
    -------
    Siting
        Unpacks as ``chosen, covered, share_pct, gap_pct``.

    Raises
    ------
    ValueError
        Degrees, a negative or missing weight, a shape that does not fit, k not a whole number of 0 or more, points
        without a radius, ``backup`` outside 0 to 1.

    Notes
    -----
    With :math:`x_j` the sites, maximise :math:`\\sum_i w_i (y_i + b u_i)` subject to :math:`y_i + u_i \\le \\sum_j
    a_{ij} x_j + e_i`, :math:`\\sum_j x_j \\le k`, where :math:`e_i` counts the existing sites. Demand with the same
    views is one row, so the model is as large as the number of distinct views. The optimum comes from HiGHS
    (`scipy.optimize.milp`) without tolerance on the gap; the limit is in nodes, not seconds. Of several optima the
    greedy one is returned where it is among them.

    The greedy answer covers newly at least :math:`1 - 1/e` of the optimum [Nemhauser1978]_ and mostly far more: its
    ``bound`` is the Lagrangian dual, which starts at the best of "value so far plus the k largest gains" over the
    greedy steps and falls to the linear relaxation; whole-number weights round it down.

    Planning estimate: who sees what is as good as the radius or polygons given.

    Examples
    --------
    >>> events, sites = [(0, 0), (100, 0), (900, 0), (5000, 0)], [(50, 0), (950, 0)]
    >>> chosen, covered, share_pct, gap_pct = maximal_cover(events, sites, k=1, weights=[3, 2, 4, 1], radius_m=100)
    >>> chosen.tolist(), covered, share_pct, gap_pct
    ([0], 5.0, 50.0, 0.0)
    >>> maximal_cover(events, sites, existing=[(0, 0)], k=1, weights=[3, 2, 4, 1], radius_m=100).chosen.tolist()
    [1]
    """
    if isinstance(k, bool) or k != int(k) or k < 0:
        raise ValueError(f"k is {k!r}, expected a whole number of 0 or more")
    if not 0 <= backup <= 1:
        raise ValueError(f"backup is {backup}, expected 0 to 1")
    xy = metre_xy(demand, "demand")
    weight = _weights(weights, len(xy))
    for name, layer in (("candidates", candidates), ("existing", existing)):
        refuse_other_crs(demand, layer, ("demand", name))
    see = _views(candidates, xy, radius_m, "candidates")
    held = np.zeros(len(xy), np.int8)
    if existing is not None:
        held = np.minimum(np.diff(_views(existing, xy, radius_m, "existing").indptr), 2).astype(np.int8)
    problem = _Problem(see, weight, held, int(k), float(backup))
    chosen, bound, method = problem.solve(exact)
    order, gain = problem.greedy(chosen)[:2]

    seen = np.minimum(held + np.asarray(see[:, order].sum(axis=1)).ravel(), 2).astype(np.int8)
    total, before = float(weight.sum()), float(weight[held > 0].sum())
    start = before + backup * float(weight[held > 1].sum())
    covered, twice = float(weight[seen > 0].sum()), float(weight[seen > 1].sum())
    missed = start + bound - (covered + backup * twice)
    gap = 100 * missed / bound if method != "exact" and bound > 0 else 0.0
    unreachable = float(weight[(held == 0) & (np.diff(see.indptr) == 0)].sum())
    note = _note(len(order), int(k), see.shape[1], total, unreachable, method, gap)
    return Siting(
        chosen=order, covered=covered, share_pct=100 * covered / total if total else float("nan"), gap_pct=gap, gain=gain,
        covered_before=before, seen=seen, covered_twice=twice, unreachable=unreachable, total=total,
        bound=start + bound, method=method, k=int(k), radius_m=radius_m, backup=float(backup), note=note,
    )  # fmt: skip


def _weights(weights: ArrayLike | None, n: int) -> np.ndarray:
    if weights is None:
        return np.ones(n)
    weight = np.asarray(weights, dtype=float)
    if weight.shape != (n,):
        raise ValueError(f"weights has shape {weight.shape}, expected ({n},): one for each demand point")
    bad = int((~np.isfinite(weight) | (weight < 0)).sum())
    if bad:
        raise ValueError(f"weights has {bad} of {n} values missing or negative, expected 0 or more")
    return weight


def _views(sites, xy: np.ndarray, radius_m: float | None, name: str) -> sparse.csr_matrix:
    """Matrix (demand, sites) of ones where a site sees a demand point."""
    n = len(xy)
    # An array of as many rows as demand points and not two columns is a matrix too: it cannot be coordinates.
    wide = isinstance(sites, np.ndarray) and sites.ndim == 2 and sites.dtype.kind in "iuf" and sites.shape[1] != 2
    if sparse.issparse(sites) or wide or (isinstance(sites, np.ndarray) and sites.dtype == bool):
        if sites.shape[0] != n:
            raise ValueError(f"{name} has {sites.shape[0]} rows, expected {n}: one for each demand point")
        see = sparse.csr_matrix(sites != 0, dtype=np.int32)
        see.sum_duplicates()
        return see
    shapes = _polygons(sites, name)
    if shapes is not None:
        site, point = shapely.STRtree(shapely.points(xy)).query(shapes, predicate="intersects")
        m = len(shapes)
    else:
        places = metre_xy(sites, name)
        if radius_m is None or not (np.isfinite(radius_m) and radius_m > 0):
            raise ValueError(f"{name} are points and radius_m is {radius_m}, expected metres above 0")
        near = cKDTree(xy).sparse_distance_matrix(cKDTree(places), radius_m, output_type="ndarray")
        point, site, m = near["i"], near["j"], len(places)
    return sparse.csr_matrix((np.ones(point.size, np.int32), (point, site)), shape=(n, m))


def _polygons(sites, name: str) -> np.ndarray | None:
    """The shapes given, or None where the sites are points or coordinates."""
    framed = isinstance(sites, (gpd.GeoSeries, gpd.GeoDataFrame))
    shapes = sites.geometry.to_numpy() if framed else np.asarray(sites, dtype=object)
    if shapes.ndim != 1 or shapes.size == 0 or not (shapely.is_geometry(shapes) | shapely.is_missing(shapes)).all():
        return None
    if framed and (shapely.get_type_id(shapes) == 0).all():
        return None
    refuse_degrees(sites, name)
    flat = int((shapely.get_dimensions(shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)]) < 2).sum())
    if flat:
        raise ValueError(f"{name} has {flat} of {len(shapes)} shapes without area, expected polygons or points (m, 2)")
    return shapes


class _Problem:
    """Demand merged by what sees it: rows are distinct views, with their weight and how many sites stand there."""

    def __init__(self, see: sparse.csr_matrix, weight: np.ndarray, held: np.ndarray, k: int, backup: float):
        self.k, self.sites = k, see.shape[1]
        self.ladder = np.array([1.0, backup, 0.0])  # worth of the first, second, further view of one event
        open_ = np.flatnonzero((weight > 0) & (self.ladder[held] > 0) & (np.diff(see.indptr) > 0))
        see, held, weight = see[open_], held[open_], weight[open_]
        salt = np.random.default_rng(1974).integers(0, 2**63, (self.sites, 2), dtype=np.uint64)
        mark = np.column_stack([see.astype(np.uint64) @ salt, held.astype(np.uint64)])  # 128 bits stand for a row
        _, first, back = np.unique(mark, axis=0, return_index=True, return_inverse=True)
        self.see, self.held = see[first], held[first].astype(np.intp)
        self.weight = np.bincount(back.ravel(), weights=weight, minlength=len(first))
        self.columns = self.see.tocsc()
        self.units = self.weight[:, None] * np.where(self.held[:, None] == 0, self.ladder[:2], [backup, 0.0])
        self.whole = backup == 0 and bool((weight == np.floor(weight)).all())

    def solve(self, exact: bool | None) -> tuple[np.ndarray, float, str]:
        """Chosen sites, bound on what k sites can newly gain, method."""
        chosen, gain, bound, price = self.greedy(np.arange(self.sites))
        value = gain.sum()
        bound = self._rounded(self._dual(value, bound, price))
        if bound <= value * (1 + 1e-12):
            return chosen, value, "exact"
        if exact is False or (exact is None and self.see.nnz > EXACT_VIEWS):
            return chosen, bound, "greedy"
        found, limit, proven = self._optimum()
        better = self.greedy(found)[1].sum()
        if better > value * (1 + _TIE):
            chosen, value = found, better
        if proven:
            return chosen, value, "exact"
        return chosen, max(value, min(bound, self._rounded(limit))), "node_limit"

    def greedy(self, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
        """Sites by largest gain, their gains, and the best simple bound with the worths it was seen at.

        Gains of all candidates are kept up to date: a view gained lowers those of its row, so the work of all steps
        together is one pass over the matrix, less than lazy evaluation needs.
        """
        held, worth = self.held.copy(), self.weight * self.ladder[self.held]
        barred = np.ones(self.sites, bool)
        barred[allowed] = False
        gains = self.columns.T @ worth
        least = _TIE * self.weight.sum()
        chosen, gained, value, bound, at = [], [], 0.0, np.inf, worth
        while True:
            reach = value + _largest(gains, self.k)
            if reach < bound:
                bound, at = reach, worth.copy()
            free = np.where(barred, 0.0, gains)
            if len(chosen) == self.k or not free.size or free.max() <= least:
                return np.array(chosen, np.intp), np.array(gained), bound, at
            site = int(np.argmax(free >= free.max() * (1 - _TIE)))  # the first of equals
            rows = self.columns.indices[self.columns.indptr[site] : self.columns.indptr[site + 1]]
            gained.append(float(worth[rows].sum()))
            chosen.append(site)
            barred[site] = True
            value += gained[-1]
            held[rows] = np.minimum(held[rows] + 1, 2)
            less = worth[rows] - self.weight[rows] * self.ladder[held[rows]]
            worth[rows] -= less
            changed = self.see[rows[less > 0]]
            drop = np.repeat(less[less > 0], np.diff(changed.indptr))
            gains -= np.bincount(changed.indices, weights=drop, minlength=self.sites)

    def _dual(self, value: float, bound: float, price: np.ndarray) -> float:
        """The Lagrangian bound: any price on the views gives one, and subgradient steps towards ``value`` lower it."""
        best, scale, stale = price, 1.0, 0
        dearest = self.units.max(axis=1, initial=0.0)
        for _ in range(BOUND_STEPS):
            income = self.columns.T @ price
            top = np.argsort(-income, kind="stable")[: self.k]
            now = float(income[top].sum() + np.maximum(self.units - price[:, None], 0).sum())
            stale = 0 if now < bound * (1 - 1e-5) else stale + 1
            if now <= bound:
                bound, best = now, price
            if self._rounded(bound) <= value * (1 + 1e-12):
                break
            if stale == PATIENCE:
                price, scale, stale = best, scale / 2, 0
                continue
            uses = np.asarray(self.see[:, top].sum(axis=1)).ravel() - (self.units > price[:, None]).sum(axis=1)
            size = float(uses @ uses)
            if size == 0:
                break
            price = np.clip(price - scale * (now - value) / size * uses, 0, dearest)
        return bound

    def _rounded(self, bound: float) -> float:
        return float(np.floor(bound * (1 + 1e-12) + 1e-6)) if self.whole else bound

    def _optimum(self) -> tuple[np.ndarray, float, bool]:
        """Sites of the best solution HiGHS found, its bound, whether it is proven."""
        from scipy.optimize import Bounds, LinearConstraint, milp  # slow to import

        use = self._undominated()
        see, rows = self.columns[:, use], np.arange(self.see.shape[0])
        second = rows[self.held == 0] if self.ladder[1] > 0 else rows[:0]
        worth = self.weight * self.ladder[self.held]
        profit = np.concatenate([np.zeros(use.size), worth, self.weight[second] * self.ladder[1]])
        units = sparse.csr_matrix((np.ones(len(rows)), (rows, rows)))
        more = sparse.csr_matrix(
            (np.ones(len(second)), (second, np.arange(len(second)))), shape=(len(rows), len(second))
        )
        count = sparse.csr_matrix(
            (np.ones(use.size), (np.zeros(use.size, int), np.arange(use.size))), shape=(1, profit.size)
        )
        limits = sparse.vstack([sparse.hstack([-see, units, more]), count]).tocsc()
        scale = min(1.0, profit.max())  # HiGHS compares with absolute tolerances made for numbers about 1
        answer = milp(
            -profit / scale,
            integrality=np.arange(profit.size) < use.size,  # the views follow the sites, and are whole of themselves
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(limits, -np.inf, np.append(np.zeros(len(rows)), self.k)),
            options={"node_limit": NODE_LIMIT, "mip_rel_gap": 0.0},
        )
        if answer.x is None:  # stopped before any solution
            return use[:0], float("inf"), False
        limit = -answer.mip_dual_bound * scale if answer.mip_dual_bound is not None else float("inf")
        return use[answer.x[: use.size] > 0.5], limit, answer.status == 0

    def _undominated(self) -> np.ndarray:
        """Candidates whose views no other has all of, the first of equals; all that see anything where pairs count."""
        use = np.diff(self.columns.indptr) > 0
        if self.ladder[1] == 0:
            shared, size = (self.columns.T @ self.columns).tocoo(), np.diff(self.columns.indptr)
            one, other = shared.row, shared.col
            use[one[(shared.data == size[one]) & ((size[other] > size[one]) | (other < one))]] = False
        return np.flatnonzero(use)


def _largest(values: np.ndarray, k: int) -> float:
    if k >= values.size:
        return float(values.sum())
    return float(np.partition(values, values.size - k)[values.size - k :].sum()) if k else 0.0


def _note(chosen: int, k: int, sites: int, total: float, unreachable: float, method: str, gap: float) -> str:
    if total == 0:
        return "没有需求（或权重全为0），未选点"
    parts = []
    if chosen < k:
        parts.append(
            f"只选{chosen}处：候选点仅{sites}个" if chosen == sites else f"只选{chosen}处：其余候选点不再增加覆盖"
        )
    if unreachable > 0:
        parts.append(f"{unreachable:g}（{100 * unreachable / total:.1f}%）任何候选点都看不到")
    if method != "exact":
        parts.append(f"近似解，距最优至多{gap:.2f}%")
    return "；".join(parts)
