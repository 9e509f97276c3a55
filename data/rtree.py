"""SQLite R-tree nodes packed in numpy: the spatial index of a layer written once, without row-by-row inserts.

The bytes follow the R-tree module of SQLite (https://www.sqlite.org/rtree.html, "Shadow Tables"): a node is a depth
(root only) and a cell count, then cells of a 64-bit id and four 32-bit floats, all big-endian. Entries are ordered
sort-tile-recursive (Leutenegger, Lopez, Edgington 1997, doi:10.1109/ICDE.1997.582015).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CAPACITY = 51  # cells of a node, SQLite's RTREE_MAXCELLS
NODE_BYTES = 4 + 24 * CAPACITY  # what SQLite takes itself at page sizes of 2 KiB and more
ROOT = 1
_CELL = np.dtype([("id", ">i8"), ("minx", ">f4"), ("maxx", ">f4"), ("miny", ">f4"), ("maxy", ">f4")])
_NODE = np.dtype([("depth", ">u2"), ("count", ">u2"), ("cells", _CELL, (CAPACITY,))])


@dataclass(frozen=True)
class PackedTree:
    """Contents of the three shadow tables.

    ``nodes`` (k, NODE_BYTES) uint8: node i + 1 is row i. ``node_of`` (n,) int64: leaf of each entry, in input order.
    ``parents`` (k - 1,) int64: parent of node i + 2.
    """

    nodes: np.ndarray
    node_of: np.ndarray
    parents: np.ndarray


def pack(ids: np.ndarray, minx: np.ndarray, maxx: np.ndarray, miny: np.ndarray, maxy: np.ndarray) -> PackedTree:
    """Pack boxes into full nodes.

    Parameters
    ----------
    ids : (n,) int64, unique
    minx, maxx, miny, maxy : (n,) float64, finite, any one CRS; for points the pairs may be the same array.

    Returns
    -------
    PackedTree
        Boxes are rounded outward to float32, as SQLite does, so that a search never misses an entry.
    """
    box = (_down(minx), _up(maxx), _down(miny), _up(maxy))
    counts = [max(1, -(-len(ids) // CAPACITY))]
    while counts[-1] > 1:
        counts.append(-(-counts[-1] // CAPACITY))
    # The root is node 1; the levels below it follow, the leaves last.
    firsts = [ROOT + sum(counts[level + 1 :]) for level in range(len(counts))]
    nodes = np.zeros(sum(counts), dtype=_NODE)
    parents = np.zeros(sum(counts) - 1, dtype=np.int64)
    node_of = np.zeros(0, dtype=np.int64)
    entries = np.asarray(ids, dtype=np.int64)
    for level, (count, first) in enumerate(zip(counts, firsts, strict=True)):
        order = _tiles(box, count)
        starts = np.arange(0, len(order), CAPACITY)
        view = nodes[first - ROOT : first - ROOT + count]
        view["count"] = np.minimum(CAPACITY, len(order) - np.arange(count) * CAPACITY)
        _fill(view, entries[order], [side[order] for side in box])
        holder = np.empty(len(order), dtype=np.int64)
        holder[order] = first + np.arange(len(order)) // CAPACITY
        if level == 0:
            node_of = holder
        else:
            parents[entries - ROOT - 1] = holder
        if count > 1:
            sides = zip((np.minimum, np.maximum, np.minimum, np.maximum), box, strict=True)
            box = tuple(pick.reduceat(side[order], starts) for pick, side in sides)
            entries = first + np.arange(count)
    nodes["depth"][0] = len(counts) - 1
    return PackedTree(nodes.view(np.uint8).reshape(len(nodes), NODE_BYTES), node_of, parents)


def _fill(view: np.ndarray, ids: np.ndarray, box: list[np.ndarray]) -> None:
    full = len(ids) // CAPACITY
    for name, values in zip(_CELL.names, (ids, *box), strict=True):
        cells = view["cells"][name]
        cells[:full] = values[: full * CAPACITY].reshape(full, CAPACITY)
        cells[full:, : len(ids) - full * CAPACITY] = values[full * CAPACITY :]


def _tiles(box: tuple[np.ndarray, ...], count: int) -> np.ndarray:
    """Order of the entries: vertical slabs by x, each sorted by y, so that runs of CAPACITY are compact."""
    by_x = np.argsort(box[0] + box[1])
    slab = int(np.ceil(np.sqrt(count))) * CAPACITY
    middle_y = (box[2] + box[3])[by_x]
    for start in range(0, len(by_x), slab):
        part = slice(start, start + slab)
        by_x[part] = by_x[part][np.argsort(middle_y[part])]
    return by_x


def _down(values: np.ndarray) -> np.ndarray:
    rounded = values.astype(np.float32)
    return np.where(rounded > values, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _up(values: np.ndarray) -> np.ndarray:
    rounded = values.astype(np.float32)
    return np.where(rounded < values, np.nextafter(rounded, np.float32(np.inf)), rounded)


@dataclass(frozen=True)
class StoredTree:
    """The shadow tables as read from a file, each in ascending order of its key.

    ``numbers`` (k,) int64 and ``nodes`` (k, b) uint8; ``rowids`` (n, 2) int64: entry id, leaf; ``parents`` (k - 1, 2)
    int64: node, parent.
    """

    numbers: np.ndarray
    nodes: np.ndarray
    rowids: np.ndarray
    parents: np.ndarray


@dataclass(frozen=True)
class Entries:
    """Leaf entries of a stored tree, and what is wrong with its structure (empty: nothing).

    ``ids`` (n,) int64, ``boxes`` (n, 4) float32 as minx, maxx, miny, maxy.
    """

    ids: np.ndarray
    boxes: np.ndarray
    faults: tuple[str, ...]


def entries(tree: StoredTree) -> Entries:
    """Walk a stored tree level by level and hold it against the rules SQLite's own ``rtreecheck`` holds it against.

    Parameters
    ----------
    tree : ``nodes`` (k, b) uint8, all of one size; ``numbers`` (k,) ascending.

    Returns
    -------
    Entries
        With the first fault of each kind; entries found up to there.
    """
    capacity = (tree.nodes.shape[1] - 4) // _CELL.itemsize if tree.nodes.ndim == 2 else 0
    none = Entries(np.zeros(0, np.int64), np.zeros((0, 4), np.float32), ())
    if not len(tree.numbers) or tree.numbers[0] != ROOT or capacity < 1:
        return Entries(none.ids, none.boxes, ("没有根节点",))
    layout = np.dtype([("depth", ">u2"), ("count", ">u2"), ("cells", _CELL, (capacity,))])
    nodes = np.ascontiguousarray(tree.nodes[:, : layout.itemsize]).view(layout)[:, 0]
    leaf_of, parent_of = _lookup(tree.rowids), _lookup(tree.parents)
    faults: list[str] = []
    rows, boxes, visited = np.zeros(1, np.int64), None, 0
    for level in range(int(nodes["depth"][0]), -1, -1):
        counts = nodes["count"][rows].astype(np.int64)
        if (counts > capacity).any():
            return Entries(none.ids, none.boxes, (*faults, "节点的单元数超出容量"))
        owner = np.repeat(np.arange(len(rows)), counts)
        slot = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        cells = nodes["cells"][rows[owner], slot]
        ids = cells["id"].astype(np.int64)
        found = np.column_stack([cells[side].astype(np.float32) for side in _CELL.names[1:]])
        if (found[:, 0] > found[:, 1]).any() or (found[:, 2] > found[:, 3]).any():
            faults.append("框的下限大于上限")
        if boxes is not None:
            outer = boxes[owner]
            if (found[:, [0, 2]] < outer[:, [0, 2]]).any() or (found[:, [1, 3]] > outer[:, [1, 3]]).any():
                faults.append("单元超出上级的框")
        holder = (parent_of if level else leaf_of)(ids)
        if (holder != tree.numbers[rows[owner]]).any():
            faults.append("节点与上级表不符" if level else "条目与行号表不符")
        if not level:
            break
        visited += len(ids)
        rows, boxes = np.searchsorted(tree.numbers, ids), found
        known = (rows < len(tree.numbers)) & (tree.numbers[np.minimum(rows, len(tree.numbers) - 1)] == ids)
        if not known.all() or visited > len(tree.numbers):
            return Entries(none.ids, none.boxes, (*faults, "指向不存在的节点"))
    if len(ids) != len(tree.rowids):
        faults.append("条目数与行号表不符")
    if visited != len(tree.parents) or visited + 1 != len(tree.numbers):
        faults.append("节点数与上级表不符")
    return Entries(ids, found, tuple(faults))


def _lookup(pairs: np.ndarray):
    """A vectorised lookup of key -> value in (k, 2) pairs with ascending keys; -1 where a key is missing."""
    keys, values = pairs[:, 0], pairs[:, 1]

    def look_up(wanted: np.ndarray) -> np.ndarray:
        if not len(keys):
            return np.full(len(wanted), -1)
        order = np.argsort(wanted)  # a search in ascending order stays in the processor's cache
        at = np.minimum(np.searchsorted(keys, wanted[order]), len(keys) - 1)
        found = np.empty(len(wanted), np.int64)
        found[order] = np.where(keys[at] == wanted[order], values[at], -1)
        return found

    return look_up
