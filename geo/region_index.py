"""Which region holds each point: a raster of cells that answers most points by one look-up, and the rest exactly.

A cell is of one of three kinds. *Plain*: no border near it, so all its points have one answer. *Split*: exactly one
border segment passes right through it, so the side of that segment decides. *Crowded*: a vertex, several borders or an
overlap; its short list of regions is asked one by one, exactly, by GEOS. A point too near a segment for floating point
to tell its side is asked of GEOS too, so the answer is the exact one everywhere.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike

from geo.runs import ranges

_BLOCK = 1 << 17  # points looked up at once: the temporaries stay in the processor's cache
_NEAR = 1e-5  # cells; far above the rounding of cell coordinates, far below anything that costs time
_FLAT = 0.01  # cells; a segment lower than this is not followed from row to row, its whole box is crowded
_ORIENT = 3.3306690738754716e-16  # (3 + 16 eps) eps, eps = 2^-53: bound on the rounding of a turn [Shewchuk1997]_
_ONE = 1 << 40  # one region in a packed state: how many regions, then the sum of their ranks plus one
_LONG = 12  # regions; a longer list is asked through the tree instead
_FAR = 0.5  # keeps coordinates right of the raster inside its last column


class RegionIndex:
    """Regions made ready for :meth:`assign`; build once, ask often.

    Parameters
    ----------
    regions : GeoDataFrame, GeoSeries or array of shapely geometries
        Polygons or MultiPolygons, in degrees or metres. Empty and missing ones hold no point. Invalid ones are
        repaired as :func:`shapely.make_valid` does (method "structure": what lies inside an odd or overlapping part
        stays inside), and ``repaired`` lists their positions.
    codes : array_like, optional
        Decides borders and overlaps: the smallest code wins. By default the column ``grid_code``, else ``code``, else
        the position. Equal codes: the lower position; a missing code comes last.
    points : int
        About how many points will be asked in all: decides how fine, and so how slow to build, the raster is.

    Raises
    ------
    ValueError
        A geometry that is not polygonal, or codes of another length than the regions.
    """

    def __init__(self, regions, codes: ArrayLike | None = None, *, points: int = 10_000_000):
        shapes, codes = geometries(regions), region_codes(regions) if codes is None else codes
        shapes, self.repaired = polygonal(shapes)
        self.size = len(shapes)
        self._order = rank_order(codes, self.size)  # rank -> position
        self._shapes = shapely.orient_polygons(shapes[self._order])
        shapely.prepare(self._shapes)
        self.shapes = np.empty(self.size, dtype=object)  # by position, repaired and prepared
        self.shapes[self._order] = self._shapes
        self._tree = shapely.STRtree(self._shapes)
        self._build(points)

    def __len__(self) -> int:
        return self.size

    def assign(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Position of the region of each point, -1 for none.

        Parameters
        ----------
        x, y : array_like, shape (n,)
            In the CRS of the regions. NaN and infinite coordinates lie nowhere.

        Returns
        -------
        int64 array, shape (n,)
            A point on a border or in an overlap goes to the smallest code; borders belong to their region.
        """
        x, y = (np.ascontiguousarray(v, dtype=float) for v in np.broadcast_arrays(x, y))
        shape = x.shape
        x, y = x.reshape(-1), y.reshape(-1)
        found = np.empty(x.size, np.int64)
        for start in range(0, x.size, _BLOCK):
            part = slice(start, start + _BLOCK)
            found[part] = self._position[self._ranks(x[part], y[part])]
        return found.reshape(shape)

    # -- asking -----------------------------------------------------------------------------------------------------

    def _cell(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        # fmax and fmin pass over NaN, which thus falls into the empty margin.
        column = np.fmin(np.fmax((x - self._x0) * self._sx, 0.0), self._nx - _FAR).astype(np.int32)
        row = np.fmin(np.fmax((y - self._y0) * self._sy, 0.0), self._ny - _FAR).astype(np.int32)
        row *= self._nx
        row += column
        return row

    def _ranks(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        ranks = self._raster[self._cell(x, y)]
        open_ = np.flatnonzero(ranks < -1)
        entry = -2 - ranks[open_]
        split = entry < len(self._segments)
        self._by_side(ranks, x, y, open_[split], entry[split])
        self._by_list(ranks, x, y, open_[~split], entry[~split] - len(self._segments))
        return ranks

    def _by_side(self, ranks, x, y, where, segment) -> None:
        ax, ay, bx, by = self._segments[segment].T
        px, py = x[where], y[where]
        left, right = (ax - px) * (by - py), (ay - py) * (bx - px)
        turn = left - right
        ranks[where] = self._sides[segment, (turn < 0).view(np.int8)]
        unsure = np.flatnonzero(np.abs(turn) <= _ORIENT * (np.abs(left) + np.abs(right)))
        if unsure.size:
            pairs = np.sort(self._sides[segment[unsure]], axis=1)
            ranks[where[unsure]] = self._first_hit(px[unsure], py[unsure], [pairs[:, 0], pairs[:, 1]])

    def _by_list(self, ranks, x, y, where, cell) -> None:
        start, count = self._starts[cell], self._starts[cell + 1] - self._starts[cell]
        ranks[where] = -1
        long = count > _LONG
        if long.any():
            self._by_tree(ranks, x, y, where[long])
            where, start, count = where[~long], start[~long], count[~long]
        turn = 0
        while where.size:
            candidate = self._members[start + turn]
            hit = self._holds(candidate, x[where], y[where])
            ranks[where[hit]] = candidate[hit]
            turn += 1
            stay = np.flatnonzero(~hit & (count > turn))
            where, start, count = where[stay], start[stay], count[stay]

    def _by_tree(self, ranks, x, y, where) -> None:
        point, rank = self._tree.query(shapely.points(x[where], y[where]), predicate="intersects")
        found = np.full(where.size, self.size, np.int32)
        np.minimum.at(found, point, rank.astype(np.int32))
        ranks[where] = np.where(found < self.size, found, -1)

    def _first_hit(self, x, y, candidates) -> np.ndarray:
        found = np.full(x.size, -1, np.int32)
        for candidate in candidates:
            todo = np.flatnonzero((found < 0) & (candidate >= 0))
            hit = self._holds(candidate[todo], x[todo], y[todo])
            found[todo[hit]] = candidate[todo[hit]]
        return found

    def _holds(self, rank, x, y) -> np.ndarray:
        return shapely.intersects_xy(self._shapes[rank], x, y)

    # -- building ---------------------------------------------------------------------------------------------------

    def _build(self, points: int) -> None:
        a, b, rank = _directed_segments(self._shapes)
        self._position = np.append(self._order, -1)  # index -1 is the last
        self._frame(a, points)
        self._segments, self._sides = _undirected(a, b, rank)
        cells = self._nx * self._ny
        if not len(a):
            self._raster = np.full(cells, -1, np.int32)
            self._starts, self._members = np.zeros(1, np.int64), np.zeros(0, np.int32)
            return
        u, v = (self._segments[:, ::2] - self._x0) * self._sx, (self._segments[:, 1::2] - self._y0) * self._sy
        segment, first, width, flat = _walk(u, v, self._nx)
        touched = ranges(first, width)
        owner = np.repeat(segment, width)
        marks = np.bincount(touched, minlength=cells)
        crowded = np.zeros(cells, bool)
        crowded[_vertex_cells(u, v, self._nx)] = True
        crowded[touched[np.repeat(flat, width)]] = True
        state = self._states(u, v, cells)
        many, lone = state >> 40, (state & (_ONE - 1)).astype(np.int32) - 1
        deep = (many > 1) | (many < 0) | ((many == 0) & (state != 0)) | (lone >= self.size)
        raster = np.where(many == 1, lone, np.int32(-1))
        only = marks[touched] == 1
        cell, line = touched[only], owner[only]
        known = (state[cell] == 0) | ((many[cell] == 1) & _either(self._sides[line], lone[cell]))
        crowded[cell[~known]] = True
        crowded[marks > 1] = True
        raster[cell] = -2 - line
        self._fill_overlaps(raster, np.flatnonzero(deep & (marks == 0)), state)
        self._raster = raster
        self._list_members(crowded, deep & (marks > 0), touched, owner, many, lone)

    def _frame(self, a: np.ndarray, points: int) -> None:
        """Raster over the bounds with an empty margin of at least one cell on each side."""
        low, high = (a.min(axis=0), a.max(axis=0)) if len(a) else (np.zeros(2), np.ones(2))
        span = np.where(high > low, high - low, 1.0)
        wanted = np.clip(points, 1 << 16, 1 << 22)
        across = np.clip(np.sqrt(wanted * span[0] / span[1]), 16, wanted / 16)
        nx, ny = int(across), int(wanted / across)
        self._sx, self._sy = nx / span[0], ny / span[1]
        self._x0, self._y0 = low - 1.5 / np.array([self._sx, self._sy])
        self._nx, self._ny = nx + 4, ny + 4

    def _states(self, u: np.ndarray, v: np.ndarray, cells: int) -> np.ndarray:
        """Regions that hold the middle of each cell's left side, packed: their number, and the sum of rank + 1."""
        low, high = np.minimum(v[:, 0], v[:, 1]), np.maximum(v[:, 0], v[:, 1])
        first = np.floor(low - 0.5).astype(np.int64) + 1  # rows whose middle is in (low, high]
        last = np.floor(high - 0.5).astype(np.int64)
        rows = np.maximum(last - first + 1, 0)
        line = np.repeat(np.arange(len(u)), rows)
        row = ranges(first, rows)
        part = (row + 0.5 - v[line, 0]) / (v[line, 1] - v[line, 0])
        column = (u[line, 0] + np.clip(part, 0, 1) * (u[line, 1] - u[line, 0])).astype(np.int64)
        weight = np.where(self._sides >= 0, _ONE + 1 + self._sides.astype(np.int64), 0)
        step = (weight[:, 1] - weight[:, 0]) * np.where(v[:, 1] > v[:, 0], 1, -1)
        state = np.zeros(cells, np.int64)
        np.add.at(state, row * self._nx + column + 1, step[line])
        return np.cumsum(state, out=state)

    def _list_members(self, crowded, deep, touched, owner, many, lone) -> None:
        """The regions of each crowded cell: those with a border in it and those that hold all of it."""
        crowded |= deep
        listed = np.flatnonzero(crowded)
        number = np.full(crowded.size, -1, np.int32)
        number[listed] = np.arange(listed.size, dtype=np.int32)
        near = np.flatnonzero(crowded[touched])
        sides = self._sides[owner[near]]
        alone = listed[(many[listed] == 1) & ~deep[listed]]
        entry = [number[touched[near]], number[touched[near]], number[alone]]
        member = [sides[:, 0], sides[:, 1], lone[alone]]
        if deep.any():
            several = np.flatnonzero(deep)
            which, held = self._holding(several)
            entry.append(number[several[which]])
            member.append(held)
        entry, member = np.concatenate(entry).astype(np.int64), np.concatenate(member)
        key = np.sort((entry << 32 | member)[member >= 0])
        key = key[np.append(True, key[1:] != key[:-1])]
        entry, self._members = key >> 32, (key & 0xFFFFFFFF).astype(np.int32)
        self._starts = np.append(0, np.cumsum(np.bincount(entry, minlength=listed.size)))
        self._raster[listed] = -2 - len(self._segments) - number[listed]

    def _fill_overlaps(self, raster, cells, state) -> None:
        """Plain cells inside several regions, run by run of equal state: the smallest of those that hold the first."""
        if not cells.size:
            return
        new = np.append(True, (np.diff(cells) != 1) | (np.diff(state[cells]) != 0))
        run, rank = self._holding(cells[new])
        least = np.full(new.sum(), self.size, np.int32)
        np.minimum.at(least, run, rank)
        raster[cells] = least[np.cumsum(new) - 1]

    def _holding(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (index into ``cells``, rank) of the regions that hold the middle of each cell."""
        row, column = np.divmod(cells, self._nx)
        middle = shapely.points(self._x0 + (column + 0.5) / self._sx, self._y0 + (row + 0.5) / self._sy)
        which, rank = self._tree.query(middle, predicate="intersects")
        return which, rank.astype(np.int32)


def geometries(regions) -> np.ndarray:
    """The shapely geometries of a GeoDataFrame, GeoSeries or array, as a plain object array."""
    if hasattr(regions, "geometry"):
        regions = regions.geometry
    return np.asarray(getattr(regions, "values", regions), dtype=object).reshape(-1)


def region_codes(regions) -> np.ndarray | None:
    """The column that orders regions, ``grid_code`` before ``code``; None where there is neither."""
    for name in ("grid_code", "code"):
        if name in getattr(regions, "columns", ()):
            return regions[name].to_numpy()
    return None


def polygonal(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Valid polygons only, and the positions of those that had to be repaired; missing ones become empty."""
    kind = shapely.get_type_id(shapes)
    wrong = np.flatnonzero(~np.isin(kind, (-1, 3, 6)) & ~shapely.is_empty(shapes))
    if wrong.size:
        raise ValueError(f"regions[{wrong[0]}] is a {shapes[wrong[0]].geom_type}, expected Polygon or MultiPolygon")
    shapes = np.where((kind == -1) | shapely.is_empty(shapes), shapely.Polygon(), shapes)
    broken = np.flatnonzero(~shapely.is_valid(shapes))
    if broken.size:
        mended = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
        shapes = shapes.copy()
        shapes[broken] = np.where(np.isin(shapely.get_type_id(mended), (3, 6)), mended, shapely.Polygon())
    return shapes, broken


def rank_order(codes: ArrayLike | None, size: int) -> np.ndarray:
    """Positions from the smallest code to the largest; equal codes by position, missing ones last."""
    if codes is None:
        return np.arange(size)
    codes = pd.Series(np.asarray(codes))
    if len(codes) != size:
        raise ValueError(f"{len(codes)} codes for {size} regions")
    return codes.sort_values(kind="stable", na_position="last").index.to_numpy()


def _directed_segments(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ring segments ``a -> b`` with the region's rank; the region lies to their left."""
    parts, whole = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    of = whole[part]
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    xy += 0.0  # -0.0 and 0.0 are one coordinate
    a, b = xy[:-1], xy[1:]
    keep = (ring[:-1] == ring[1:]) & ~_same(a, b)
    return a[keep], b[keep], of[ring[:-1][keep]].astype(np.int32)


def _undirected(a: np.ndarray, b: np.ndarray, rank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Segments (ax, ay, bx, by) with the ranks at their left and right (-1: none), those of two neighbours joined."""
    key = _hash(a) + _hash(b)
    order = np.argsort(key)
    key = key[order]
    twin = key[:-1] == key[1:]
    twin[1:] &= key[1:-1] != key[:-2]
    twin[:-1] &= key[1:-1] != key[2:]
    twin = np.flatnonzero(twin)
    first, second = order[twin], order[twin + 1]
    met = _same(a[first], b[second]) & _same(b[first], a[second])  # equal hashes alone prove nothing
    first, second = first[met], second[met]
    right = np.full(len(a), -1, np.int32)
    right[first] = rank[second]
    keep = np.ones(len(a), bool)
    keep[second] = False
    return np.hstack([a[keep], b[keep]]), np.column_stack([rank[keep], right[keep]])


def _same(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a[:, 0] == b[:, 0]) & (a[:, 1] == b[:, 1])


def _hash(point: np.ndarray) -> np.ndarray:
    x, y = (np.ascontiguousarray(point[:, i]).view(np.uint64) for i in (0, 1))
    mixed = (x ^ (x >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + y
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return mixed ^ (mixed >> np.uint64(32))


def _walk(u: np.ndarray, v: np.ndarray, nx: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cells each segment touches, as runs in a row: segment, first flat cell, number of cells, whether it is flat.

    Never misses a cell: runs are widened by ``_NEAR``. A flat segment in two rows marks its whole box in both.
    """
    u, v = np.where((v[:, 1] < v[:, 0])[:, None], u[:, ::-1], u), np.sort(v, axis=1)
    low = np.floor(v[:, 0] - _NEAR).astype(np.int64)
    rows = np.floor(v[:, 1] + _NEAR).astype(np.int64) - low + 1
    rise = v[:, 1] - v[:, 0]
    whole = (rows == 1) | (rise < _FLAT)
    flat = (rows > 1) & (rise < _FLAT)
    slope = np.where(whole, 0.0, 1.0 / np.where(whole, 1.0, rise))
    segment = np.repeat(np.arange(len(u)), rows)
    row = ranges(low, rows)
    base, steep, run, start = v[segment, 0], slope[segment], (u[:, 1] - u[:, 0])[segment], u[segment, 0]
    enter = np.clip((row - base) * steep, 0, 1)
    leave = np.where(whole[segment], 1.0, np.clip((row + 1 - base) * steep, 0, 1))
    one, other = start + enter * run, start + leave * run
    first = np.floor(np.minimum(one, other) - _NEAR).astype(np.int64)
    width = np.floor(np.maximum(one, other) + _NEAR).astype(np.int64) - first + 1
    return segment, row * nx + first, width, flat[segment]


def _vertex_cells(u: np.ndarray, v: np.ndarray, nx: int) -> np.ndarray:
    """Cells within ``_NEAR`` of a vertex, repeated where several are."""
    column = [np.floor(u + d).astype(np.int64) for d in (-_NEAR, _NEAR)]
    row = [np.floor(v + d).astype(np.int64) for d in (-_NEAR, _NEAR)]
    return np.concatenate([(r * nx + c).reshape(-1) for r in row for c in column])


def _either(sides: np.ndarray, rank: np.ndarray) -> np.ndarray:
    return (sides[:, 0] == rank) | (sides[:, 1] == rank)
