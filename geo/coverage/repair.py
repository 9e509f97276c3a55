"""Which camera to repair first, and which would be missed most: events that hang on one camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from geo.coverage.inputs import camera_polygons, flags
from geo.coverage.points import pairs
from geo.coverage.summary import NO_CAMERA
from geo.metres import metre_xy, refuse_other_crs
from geo.result import Result


@dataclass(frozen=True, eq=False)
class RepairOrder(Result):
    """Marginal value of each camera, in events.

    Attributes
    ----------
    order : ndarray of int
        Positions of the offline cameras, most events gained first; ties by code, then position.
    gain : ndarray of int, shape (n,)
        Events in the camera's area that no online camera sees: what its repair would add. 0 for online cameras.
    loss : ndarray of int, shape (n,)
        Events that only this online camera sees: what its failure would cost. 0 for the others.
    watch : ndarray of int
        Positions of the online cameras, greatest loss first; ties as in ``order``.
    seen : ndarray of int, shape (n,)
        Events in each camera's area.
    events, events_covered : int
        All; those at least one online camera sees.
    unknown : int
        Cameras of which it is not known whether they are online: they see nothing here and stand in neither list.
    note : str
        What the reader must know, in Chinese; "" when nothing.
    """

    unpacks: ClassVar = ("order", "gain", "loss")
    order: np.ndarray
    gain: np.ndarray
    loss: np.ndarray
    watch: np.ndarray
    seen: np.ndarray
    events: int
    events_covered: int
    unknown: int
    note: str


def repair_order(areas, incidents_xy, *, online: ArrayLike, codes: ArrayLike | None = None) -> RepairOrder:
    """Order of repair by the events a camera alone would see.

    Parameters
    ----------
    areas : array_like of Polygon, GeoSeries or GeoDataFrame
        What each camera covers when it works, metres.
    incidents_xy : array_like (m, 2), GeoSeries or GeoDataFrame of points
        Events, metres; every row counts once.
    online : array_like of bool (n,)
        Missing values are neither online nor offline.
    codes : array_like (n,), optional
        Break ties; by default the column ``camera_code`` of the frame, else the position.

    Returns
    -------
    RepairOrder
        Unpacks as ``order, gain, loss``.

    Raises
    ------
    ValueError
        Degrees, points without coordinates, areas that are not polygons, flags or codes of another length, a code
        that stands twice.

    Notes
    -----
    Each camera is valued against those online now, one at a time: two offline cameras that look at one place both show
    its events as their gain. The losses add to at most ``events_covered``: an event seen twice hangs on no camera.

    Examples
    --------
    >>> from shapely import box
    >>> areas = [box(0, 0, 10, 10), box(5, 0, 15, 10), box(0, 0, 30, 10)]
    >>> order, gain, loss = repair_order(areas, [[1, 5], [7, 5], [12, 5], [25, 5]], online=[True, False, False])
    >>> order.tolist(), gain.tolist(), loss.tolist()
    ([2, 1], [0, 1, 2], [2, 0, 0])
    """
    if codes is None and "camera_code" in getattr(areas, "columns", ()):
        codes = areas["camera_code"]
    refuse_other_crs(areas, incidents_xy, ("areas", "incidents_xy"))
    shapes = camera_polygons(areas)
    points = metre_xy(incidents_xy, "incidents_xy")
    known = flags(online, shapes.size, "online")
    works, broken = known == 1, known == 0
    seen, watchers, last = _watchers(points, shapes, works)
    loss = np.bincount(last[watchers == 1], minlength=shapes.size)
    gain = np.zeros(shapes.size, np.int64)
    out = np.flatnonzero(~works)
    unseen = np.flatnonzero(watchers == 0)
    for _, camera in pairs(points[unseen], shapes[out]):
        gain += np.bincount(out[camera], minlength=shapes.size)
    rank = _code_rank(codes, shapes.size)
    order, watch = (
        np.lexsort((rank, -value))[: int(of.sum())]
        for value, of in ((np.where(broken, gain, -1), broken), (np.where(works, loss, -1), works))
    )
    unknown = int(np.isnan(known).sum())
    remarks = [NO_CAMERA] if not shapes.size else []
    remarks += ["没有事件，无从排序"] if not len(points) else []
    remarks += [f"{unknown}个摄像机在线状态不明，未参与排序"] if unknown else []
    covered = int((watchers > 0).sum())
    return RepairOrder(order, gain, loss, watch, seen, len(points), covered, unknown, "；".join(remarks))


def _watchers(points: np.ndarray, shapes: np.ndarray, works: np.ndarray):
    """Events of each camera; for each event how many online cameras see it, and the sum of their positions: where it
    is one camera, that is the camera."""
    seen = np.zeros(shapes.size, np.int64)
    watchers, last = np.zeros(len(points), np.int64), np.zeros(len(points), np.int64)
    for point, camera in pairs(points, shapes):
        seen += np.bincount(camera, minlength=shapes.size)
        on = works[camera]
        watchers += np.bincount(point[on], minlength=len(points))
        np.add.at(last, point[on], camera[on])
    return seen, watchers, last


def _code_rank(codes: ArrayLike | None, size: int) -> np.ndarray:
    if codes is None:
        return np.arange(size)
    text = np.asarray(codes, object).astype(str)
    if text.shape != (size,):
        raise ValueError(f"codes has {text.size} values, expected {size}: one a camera")
    rank = np.empty(size, np.int64)
    rank[np.argsort(text, kind="stable")] = np.arange(size)
    return rank
