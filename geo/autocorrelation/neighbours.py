"""Which areas are neighbours of which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix, csr_matrix, issparse

from geo.region_index import geometries
from geo.result import Result

_SNAP = 1e-10  # of the largest coordinate: about a millimetre, in degrees and in projected metres alike


@dataclass(frozen=True, eq=False)
class Neighbours(Result):
    """Neighbours of n areas by position, an area never its own: a sequence of n arrays.

    Attributes
    ----------
    indptr : int array, shape (n + 1,)
        The neighbours of area i are ``indices[indptr[i]:indptr[i + 1]]``, in order.
    indices : int array
    rule : str
        How they were found: ``queen`` or ``given``.
    """

    indptr: np.ndarray
    indices: np.ndarray
    rule: str = "given"

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[area] for area in range(len(self)))

    def __getitem__(self, area: int) -> np.ndarray:
        return self.indices[self.indptr[area] : self.indptr[area + 1]]

    @property
    def count(self) -> np.ndarray:
        """Number of neighbours of each area."""
        return np.diff(self.indptr)

    @property
    def islands(self) -> np.ndarray:
        """Positions of the areas without neighbours."""
        return np.flatnonzero(self.count == 0)

    @property
    def matrix(self) -> csr_matrix:
        """0/1 matrix, shape (n, n)."""
        size = len(self)
        return csr_matrix((np.ones(len(self.indices)), self.indices, self.indptr), shape=(size, size))

    def among(self, kept: np.ndarray) -> Neighbours:
        """The neighbours among the areas that ``kept`` (bool, shape (n,)) leaves, renumbered."""
        if kept.all():
            return self
        return _from_matrix(self.matrix[kept][:, kept], self.rule)


def contiguity(regions) -> Neighbours:
    """Queen contiguity: areas that share at least a point of their borders.

    Parameters
    ----------
    regions : GeoDataFrame, GeoSeries or array of n shapely polygons
        In degrees or metres. Areas that overlap are neighbours too; borders apart by a rounding error (1e-10 of the
        largest coordinate, about 1 mm) still meet, and a corner may lie anywhere on the other's side. Missing and
        empty shapes are islands.

    Returns
    -------
    Neighbours
        Symmetric; ``islands`` names the areas that touch nobody.

    Examples
    --------
    >>> from shapely import box
    >>> found = contiguity([box(0, 0, 1, 1), box(1, 1, 2, 2), box(5, 5, 6, 6)])
    >>> found[0].tolist(), found.islands.tolist()
    ([1], [2])
    """
    shapes = geometries(regions)
    size = len(shapes)
    there = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    if not there.size:
        return Neighbours(np.zeros(size + 1, np.int64), np.zeros(0, np.int64), "queen")
    solid = shapes[there]
    first, second = _sharing_a_vertex(solid, len(there))
    known = first * len(there) + second
    reach = float(np.abs(shapely.total_bounds(solid)).max()) * _SNAP
    bounds = shapely.bounds(solid) + np.array([-reach, -reach, reach, reach])
    one, other = shapely.STRtree(shapely.box(*bounds.T)).query(solid)
    ask = one < other
    one, other = one[ask], other[ask]
    ask = ~np.isin(one * len(there) + other, known)
    one, other = one[ask], other[ask]
    shapely.prepare(solid)
    meet = shapely.dwithin(solid[one], solid[other], reach)
    first, second = np.append(first, one[meet]), np.append(second, other[meet])
    rows, columns = there[np.append(first, second)], there[np.append(second, first)]
    return _from_matrix(coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(size, size)).tocsr(), "queen")


def as_neighbours(given, size: int | None = None) -> Neighbours:
    """Neighbours in any usual form as :class:`Neighbours`: duplicates count once, an area is never its own neighbour.

    Parameters
    ----------
    given : Neighbours, matrix (n, n), libpysal W or Graph, mapping or sequence of neighbour positions
        A matrix is sparse, a square array, or n lists of n zeros and ones. Weights are read as present (not 0) or absent.
    size : int, optional
        Number of areas wanted; any by default.

    Raises
    ------
    ValueError
        Another number of areas, or a position out of range.

    Examples
    --------
    >>> [near.tolist() for near in as_neighbours([[1, 1], [0, 1, 2], [1]], 3)]
    [[1], [0, 2], [1]]
    """
    if isinstance(given, Neighbours):
        found = given
    elif issparse(given) or hasattr(given, "sparse"):
        found = _from_matrix(csr_matrix(given if issparse(given) else given.sparse), "given")
    elif _is_square(given):
        found = _from_matrix(csr_matrix(np.asarray(given)), "given")
    elif given is None or isinstance(given, (str, pd.DataFrame, pd.Series)):
        raise ValueError(f"neighbours are a {type(given).__name__}, expected contiguity(regions) or lists of positions")
    else:
        if isinstance(given, Mapping) and set(given) != set(range(len(given))):
            raise ValueError(f"neighbours are keyed by {list(given)[:3]} …, expected positions 0 to {len(given) - 1}")
        lists = [given[i] for i in range(len(given))] if isinstance(given, Mapping) else list(given)
        lists = [sorted(near) if isinstance(near, (set, frozenset)) else near for near in lists]
        columns = np.concatenate([np.asarray(near, np.int64).ravel() for near in lists] or [np.zeros(0, np.int64)])
        if columns.size and not (columns.min() >= 0 and columns.max() < len(lists)):
            raise ValueError(
                f"neighbours name positions {columns.min()} to {columns.max()}, expected 0 to {len(lists) - 1}"
            )
        rows = np.repeat(np.arange(len(lists)), [len(near) for near in lists])
        found = _from_matrix(
            coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(lists),) * 2).tocsr(), "given"
        )
    if size is not None and len(found) != size:
        raise ValueError(f"neighbours are of {len(found)} areas, expected {size}")
    return found


def _is_square(given) -> bool:
    """A square array, or as many lists of zeros and ones as each is long (positions would name an area twice)."""
    if isinstance(given, np.ndarray):
        return given.ndim == 2 and given.shape[0] == given.shape[1] and given.dtype != object
    if not isinstance(given, (list, tuple)) or len(given) < 3:
        return False
    rows = [np.asarray(row) for row in given if not isinstance(row, (set, frozenset))]
    return len(rows) == len(given) and all(row.shape == (len(given),) and np.isin(row, (0, 1)).all() for row in rows)


def _from_matrix(matrix: csr_matrix, rule: str) -> Neighbours:
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"neighbours have shape {matrix.shape}, expected a square matrix")
    entries = matrix.tocoo()
    keep = (entries.data != 0) & (entries.row != entries.col)
    size = matrix.shape[0]
    pairs = np.unique(entries.row[keep].astype(np.int64) * size + entries.col[keep])
    indptr = np.concatenate([[0], np.cumsum(np.bincount(pairs // size, minlength=size))]) if size else np.zeros(1)
    return Neighbours(indptr.astype(np.int64), pairs % size if size else pairs, rule)


def _sharing_a_vertex(shapes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs ``first < second`` of areas with a vertex in common, to the last bit."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    order = np.lexsort((owner, xy[:, 1], xy[:, 0]))
    xy, owner = xy[order], owner[order]
    pairs = [np.zeros(0, np.int64)]
    apart = 1
    while apart < len(xy):  # vertices that stand together are next to each other; as far apart as the largest knot
        same = (xy[apart:] == xy[:-apart]).all(axis=1)
        if not same.any():
            break
        one, other = owner[:-apart][same], owner[apart:][same]
        pairs.append(one[one != other] * size + other[one != other])  # owners are in order within a knot
        apart += 1
    found = np.unique(np.concatenate(pairs))
    return found // size, found % size
