"""Polygons, overlaps and lines as pixels, and pixels as PNG."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from geo.runs import ranges

TILE_PX = 512


def fill(edges: np.ndarray, owner: np.ndarray, values: np.ndarray, size: int = TILE_PX) -> np.ndarray:
    """Draw polygons by the even-odd rule: a pixel belongs to the polygon that holds its centre.

    Parameters
    ----------
    edges : ndarray, shape (n, 4)
        x0, y0, x1, y1 in pixels; may reach outside the picture.
    owner : ndarray of int, shape (n,)
        Which polygon an edge belongs to, 0 to ``len(values) - 1``.
    values : ndarray
        What each polygon draws; where polygons overlap, the one that comes first in ``values`` stays.

    Returns
    -------
    ndarray of int32, shape (size, size)
        0 where no polygon is.
    """
    picture = np.zeros(size * size, dtype=np.int32)
    which, row, begin, end = _spans(edges, owner, size)
    # The last drawn stays on top, so polygons are drawn from the last to the first.
    which, width, start = which[::-1], (end - begin)[::-1], (row * size + begin)[::-1]
    picture[ranges(start, width)] = np.repeat(values[which], width)
    return picture.reshape(size, size)


def depths(edges: np.ndarray, owner: np.ndarray, plane: np.ndarray, planes: int, size: int = TILE_PX) -> np.ndarray:
    """How many polygons hold the centre of each pixel, in several pictures at once.

    Parameters
    ----------
    edges, owner : ndarray
        As in :func:`fill`.
    plane : ndarray of int
        The picture each polygon belongs to, 0 to ``planes - 1``.

    Returns
    -------
    ndarray of int, shape (planes, size, size)
    """
    which, row, begin, end = _spans(edges, owner, size)
    line = (plane[which] * size + row) * (size + 1)
    cells = planes * size * (size + 1)
    change = np.bincount(line + begin, minlength=cells) - np.bincount(line + end, minlength=cells)
    return np.cumsum(change.reshape(planes, size, size + 1), axis=2)[:, :, :size]


def _spans(edges: np.ndarray, owner: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Runs of pixels whose centres lie in a polygon, by owner and row: owner, row, first column, column after the last."""
    x0, y0, x1, y1 = edges.T
    top = np.clip(np.ceil(np.minimum(y0, y1) - 0.5), 0, size).astype(np.int64)
    bottom = np.clip(np.ceil(np.maximum(y0, y1) - 0.5), 0, size).astype(np.int64)
    crossed = np.flatnonzero(bottom > top)
    top, height = top[crossed], (bottom - top)[crossed]
    which, row = np.repeat(crossed, height), ranges(top, height)
    slope = (x1 - x0)[which] / (y1 - y0)[which]
    x = x0[which] + (row + 0.5 - y0[which]) * slope
    line = owner[which] * size + row
    order = np.lexsort((x, line))
    line, x = line[order][0::2], x[order]
    begin, end = (np.clip(np.ceil(x[i::2] - 0.5), 0, size).astype(np.int64) for i in (0, 1))
    return line // size, line % size, begin, end


def strokes(segments: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges and owners of the rectangles that draw segments ``width`` pixels wide, ends lengthened by half of that."""
    start, end = segments[:, :2], segments[:, 2:]
    along = end - start
    length = np.hypot(*along.T)[:, None]
    along = np.divide(along, length, out=np.zeros_like(along), where=length > 0) * (width / 2)
    across = along[:, ::-1] * (-1.0, 1.0)
    corners = [start - along + across, end + along + across, end + along - across, start - along - across]
    edges = np.stack([np.hstack([corners[i], corners[(i + 1) % 4]]) for i in range(4)], axis=1)
    return edges.reshape(-1, 4), np.repeat(np.arange(len(segments)), 4)


def png(picture: np.ndarray) -> bytes:
    """A lossless PNG: grey for one byte a pixel (h, w), colour for three (h, w, 3)."""
    height, width = picture.shape[:2]
    rows = picture.reshape(height, -1)
    up = rows.copy()
    up[1:] -= rows[:-1]  # the PNG filter "up": most rows repeat the one above
    raw = np.empty((height, rows.shape[1] + 1), dtype=np.uint8)
    raw[:, 0], raw[:, 1:] = 2, up
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if picture.ndim == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw.tobytes(), 4)), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body
