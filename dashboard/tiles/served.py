"""The tiles of the releases that are asked for, drawn once, and their addresses."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastapi import APIRouter, Request, Response

from dashboard.tiles.base import draw_base
from dashboard.tiles.coverage import check_method, coverage_shapes, draw_coverage
from dashboard.tiles.shapes import Shapes
from dashboard.tiles.units import draw_units, unit_list, unit_shapes
from data.index import INCIDENT_LEVELS
from data.store import Release, Scope, Store, UnknownArea
from data.store.coverage import BEST

MAX_ZOOM = 19
BASE, COVERAGE = "base", "coverage"

LAYERS = (*INCIDENT_LEVELS, BASE, COVERAGE)
_CACHED_TILES = 2048  # most are 2 to 20 kB, the densest 110 kB
_KEPT = {"cache-control": "private, max-age=31536000, immutable"}


class UnknownTile(UnknownArea):
    """No such layer, a tile address outside the world, or a release that is not current (HTTP 404)."""


class Tiles:
    """Draws and keeps the tiles of the releases that are asked for; threads share it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._shapes: dict[tuple[str, str], object] = {}
        self._tiles: OrderedDict[tuple, bytes] = OrderedDict()

    def tile(self, release: Release, scope: Scope, layer: str, z: int, x: int, y: int, method: str = BEST) -> bytes:
        """One tile as PNG.

        Parameters
        ----------
        method : str
            Of layer ``coverage``: which shapes of the cameras are drawn, see ``data.store.coverage.methods``.

        Raises
        ------
        UnknownTile
            For a layer or an address that does not exist.
        ParameterError
            For a method the release has no shapes of.
        """
        if layer not in LAYERS or not 0 <= z <= MAX_ZOOM or not (0 <= x < 2**z and 0 <= y < 2**z):
            raise UnknownTile(
                "没有这个图块", where="tiles", found=f"{layer[:20]}/{z}/{x}/{y}", expected=" ".join(LAYERS)
            )
        if layer == COVERAGE:
            check_method(release, method)
        key = (release.info.release_id, scope, layer, method, z, x, y)
        with self._lock:
            if key in self._tiles:
                self._tiles.move_to_end(key)
                return self._tiles[key]
        made = self._draw(release, scope, layer, method, z, x, y)
        with self._lock:
            self._tiles[key] = made
            while len(self._tiles) > _CACHED_TILES:
                self._tiles.popitem(last=False)
        return made

    def _draw(self, release: Release, scope: Scope, layer: str, method: str, z: int, x: int, y: int) -> bytes:
        if layer == BASE:
            return draw_base(release, lambda name, make: self._once(release, name, make), z, x, y)
        if layer == COVERAGE:
            shapes = self._once(release, f"{COVERAGE} {method}", lambda: coverage_shapes(release, method))
            return draw_coverage(release, scope, shapes, z, x, y)
        shapes = self._once(release, layer, lambda: Shapes.of(unit_shapes(release, layer)))
        return draw_units(release, scope, layer, shapes, z, x, y)

    def _once(self, release: Release, name: str, make):
        """What is kept of a release in memory; that of other releases is forgotten when a new one comes."""
        key = (release.info.release_id, name)
        with self._lock:
            if key not in self._shapes:
                kept = sorted({release_id for release_id, _ in self._shapes} | {key[0]})[-2:]
                self._shapes = {k: v for k, v in self._shapes.items() if k[0] in kept}
                self._shapes[key] = make()
            return self._shapes[key]


def router(store: Store, scope_of: Callable[[Request], Scope]) -> APIRouter:
    """``/tiles/{layer}/{z}/{x}/{y}.png`` and ``/tiles/{layer}/units.json``; both name the release they want.

    An answer is the same for ever for one release and scope, so browsers keep it; one for a release that is no longer
    current is refused rather than answered with another release's shapes.

    Parameters
    ----------
    store : Store
    scope_of : callable
        The areas the caller of a request may see.
    """
    tiles, routes = Tiles(), APIRouter(prefix="/tiles", include_in_schema=False)

    @routes.get("/{layer}/units.json")
    def units(request: Request, layer: str, release: str) -> Response:
        with _asked(store, release) as opened:
            if layer not in INCIDENT_LEVELS:
                raise UnknownTile("没有这个图层", where="tiles", found=layer[:20], expected=" ".join(INCIDENT_LEVELS))
            text = units_text(opened, scope_of(request), layer)
        return Response(text.encode(), media_type="application/json", headers=_KEPT)

    @routes.get("/{layer}/{z}/{x}/{y}.png")
    def tile(request: Request, layer: str, z: int, x: int, y: int, release: str, method: str = BEST) -> Response:
        with _asked(store, release) as opened:
            picture = tiles.tile(opened, scope_of(request), layer, z, x, y, method)
        return Response(picture, media_type="image/png", headers=_KEPT)

    return routes


def units_text(release: Release, scope: Scope, level: str) -> str:
    """:func:`unit_list` as JSON, made once for a release and scope."""

    def made() -> str:
        return json.dumps(unit_list(release, scope, level), ensure_ascii=False, separators=(",", ":"))

    return release.remember(("units_text", scope, level), made)


@contextmanager
def _asked(store: Store, release_id: str) -> Iterator[Release]:
    with store.current() as opened:
        if opened.info.release_id != release_id:
            raise UnknownTile("发布已更换", where="release", found=release_id[:40], expected=opened.info.release_id,
                              remedy="重新打开页面")  # fmt: skip
        yield opened
