"""What cameras see, pixel by pixel: working ones once and twice over, and what only broken ones would see."""

from __future__ import annotations

import numpy as np

from dashboard.tiles.drawing import depths, png
from dashboard.tiles.shapes import Shapes, gather, tile_box
from data.selection import ParameterError
from data.store import Release, Scope
from data.store.coverage import camera_shapes, cameras, in_area, methods

FROM_ZOOM = 11  # a pixel is 31 m there at 36 degrees north, a sector of 50 m a few of them; below nothing is drawn
SEEN, SEEN_TWICE, SEEN_BY_BROKEN, SEEN_BY_UNKNOWN = 1, 2, 4, 8
COVERAGE_BITS = {"seen": SEEN, "twice": SEEN_TWICE, "broken": SEEN_BY_BROKEN, "unknown": SEEN_BY_UNKNOWN}
WORKING, BROKEN, UNKNOWN = range(3)


def check_method(release: Release, method: str) -> None:
    """Refuse a method the release has no shapes of.

    Raises
    ------
    ParameterError
    """
    if method not in methods(release):
        raise ParameterError("method", method, " ".join(methods(release)))


def coverage_shapes(release: Release, method: str) -> Shapes:
    """What each camera covers, ready to be drawn, in the order of the cameras."""
    return Shapes.of(camera_shapes(release, method))


def draw_coverage(release: Release, scope: Scope, shapes: Shapes, z: int, x: int, y: int) -> bytes:
    """A grey tile of the bits in ``COVERAGE_BITS``.

    A pixel is seen where a camera's shape holds its centre. ``broken`` and ``unknown`` (cameras that do not work, cameras
    whose state the source does not give) are set only where no working camera sees, ``unknown`` only where no broken one
    would. Dismantled cameras and those outside the scope see nothing.
    """
    found = cameras(release)
    near = shapes.near(*tile_box(z, x, y)) if z >= FROM_ZOOM else np.empty(0, np.int64)
    near = near[(in_area(release, None, scope) & ~found.removed)[near]]
    plane = np.select([found.works[near], found.unknown[near]], [WORKING, UNKNOWN], BROKEN)
    edges, owner = gather(shapes, near, z, x, y)
    working, broken, unknown = depths(edges, owner, plane, planes=3)
    picture = np.select(
        [working >= 2, working == 1, broken > 0, unknown > 0],
        [SEEN | SEEN_TWICE, SEEN, SEEN_BY_BROKEN, SEEN_BY_UNKNOWN],
        0,
    )
    return png(picture.astype(np.uint8))
