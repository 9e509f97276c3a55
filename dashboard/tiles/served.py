"""The tiles of the releases that are asked for, drawn once, and their addresses."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from fastapi import APIRouter, Request, Response

from dashboard.tiles.base import draw_base
from dashboard.tiles.coverage import check_method, coverage_shapes, draw_coverage
from dashboard.tiles.shapes import Shapes
from dashboard.tiles.units import draw_units, unit_list, unit_shapes
from data.index import INCIDENT_LEVELS
from data.selection import ParameterError
from data.store import Release, Scope, Store, UnknownArea
from data.store.coverage import BEST

MAX_ZOOM = 19
BASE, COVERAGE = "base", "coverage"

LAYERS = (*INCIDENT_LEVELS, BASE, COVERAGE)
_CACHED_TILES = 2048  # most are 2 to 20 kB, the densest 110 kB
_KEPT_RELEASES = 2  # a swap or a roll-back goes between two
_NUMBER = re.compile("[0-9]{1,6}")  # a tile's x or y at MAX_ZOOM has no more digits
_IN_FORCE = ("release", "scope")  # what every address names
_KEPT = {"cache-control": "private, max-age=31536000, immutable"}


class UnknownTile(UnknownArea):
    """No such layer, a tile address outside the world, or a release or scope that is no longer in force (HTTP 404)."""


class Tiles:
    """Draws and keeps the tiles of the releases that are asked for; threads share it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._shapes: OrderedDict[str, dict[str, _Once]] = OrderedDict()  # by release, the last one used at the end
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
            raise _no_tile(layer, z, x, y)
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
        """What is read of a release, kept for the releases used last; nobody waits for what they did not ask for."""
        with self._lock:
            kept = self._shapes.setdefault(release.info.release_id, {})
            self._shapes.move_to_end(release.info.release_id)
            while len(self._shapes) > _KEPT_RELEASES:
                self._shapes.popitem(last=False)
            own = kept.setdefault(name, _Once())
        return own.value(make)


class _Once:
    """A value made by whoever asks first; the others wait for it, and try themselves where that failed."""

    def __init__(self):
        self._lock = threading.Lock()
        self._value = None

    def value(self, make: Callable[[], object]):
        with self._lock:
            if self._value is None:
                self._value = make()
            return self._value


def scope_mark(scope: Scope) -> str:
    """Twelve hexadecimal digits that stand for a scope in an address, so that a browser keeps each scope's answers apart."""
    areas = scope.to_meta() if scope.areas is None else sorted(scope.areas)
    return hashlib.sha256(json.dumps(areas).encode()).hexdigest()[:12]


def router(store: Store, scope_of: Callable[[Request], Scope]) -> APIRouter:
    """``/tiles/{layer}/{z}/{x}/{y}.png`` and ``/tiles/{layer}/units.json``.

    Both name the ``release`` and the ``scope`` (:func:`scope_mark`) they want; layer ``coverage`` may name a ``method``.
    An answer is the same for ever for one address, so browsers keep it; one for a release or a scope that is no longer in
    force is refused rather than answered with another's.

    Parameters
    ----------
    store : Store
    scope_of : callable
        The areas the caller of a request may see.
    """
    from dashboard.api.request import split  # the API names the bits of tiles: importing it above would go in a circle

    tiles, routes = Tiles(), APIRouter(prefix="/tiles", include_in_schema=False)

    @routes.get("/{layer}/units.json")
    def units(request: Request, layer: str) -> Response:
        if layer not in INCIDENT_LEVELS:
            raise UnknownTile("没有这个图层", where="tiles", found=layer[:20], expected=" ".join(INCIDENT_LEVELS))
        own, _ = split(request, _IN_FORCE)
        scope = scope_of(request)
        with _asked(store, scope, own) as opened:
            text = units_text(opened, scope, layer)
        return Response(text.encode(), media_type="application/json", headers=_KEPT)

    @routes.get("/{layer}/{z}/{x}/{y}.png")
    def tile(request: Request, layer: str, z: str, x: str, y: str) -> Response:
        if layer not in LAYERS or not all(_NUMBER.fullmatch(number) for number in (z, x, y)):
            raise _no_tile(layer, z, x, y)
        own, _ = split(request, (*_IN_FORCE, "method") if layer == COVERAGE else _IN_FORCE)
        scope = scope_of(request)
        with _asked(store, scope, own) as opened:
            picture = tiles.tile(opened, scope, layer, int(z), int(x), int(y), own.get("method", BEST))
        return Response(picture, media_type="image/png", headers=_KEPT)

    return routes


def units_text(release: Release, scope: Scope, level: str) -> str:
    """:func:`unit_list` as JSON, made once for a release and scope."""

    def made() -> str:
        return json.dumps(unit_list(release, scope, level), ensure_ascii=False, separators=(",", ":"))

    return release.remember(("units_text", scope, level), made)


def _no_tile(layer: str, z: object, x: object, y: object) -> UnknownTile:
    found = f"{layer[:20]}/{z}/{x}/{y}"[:60]
    return UnknownTile("没有这个图块", where="tiles", found=found, expected=" ".join(LAYERS))


@contextmanager
def _asked(store: Store, scope: Scope, own: Mapping[str, str]) -> Iterator[Release]:
    """The current release, where it and the scope are the ones a request names."""
    with store.current() as opened:
        in_force = (opened.info.release_id, scope_mark(scope))
        for name, what, current in zip(_IN_FORCE, ("发布已更换", "授权区域已更换"), in_force, strict=True):
            if name not in own:
                raise ParameterError(name, "", current)
            if own[name] != current:
                raise UnknownTile(what, where=name, found=own[name][:40], expected=current, remedy="重新打开页面")
        yield opened
