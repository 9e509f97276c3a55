"""``/tiles/basemap/{id}/{z}/{x}/{y}``: pictures out of the local files that are configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from dashboard.basemaps.description import PREFIX, open_file
from dashboard.basemaps.tile_file import BLANK, MAX_ZOOM, media_type
from data.store import UnknownArea

if TYPE_CHECKING:
    from dashboard.settings import Settings

_KEPT = {"cache-control": "private, max-age=31536000, immutable", "x-content-type-options": "nosniff"}


class UnknownBaseMap(UnknownArea):
    """No local base map of this id, or a tile address outside the world (HTTP 404)."""


def router(settings: Settings) -> APIRouter:
    """The route; the files stay open as long as the process.

    A request names an id of the settings and a tile address, never a file. Where a map has no tile, a transparent one
    is answered.

    Raises
    ------
    BaseMapFault
        See :func:`dashboard.basemaps.describe`.
    """
    files = {one.id: open_file(one, settings.workspace) for one in settings.basemaps if one.local}
    routes = APIRouter(prefix=PREFIX, include_in_schema=False)

    @routes.get("/{name}/{z}/{x}/{y}")
    def tile(name: str, z: int, x: int, y: int) -> Response:
        if name not in files or not 0 <= z <= MAX_ZOOM or not (0 <= x < 2**z and 0 <= y < 2**z):
            raise UnknownBaseMap("没有这个底图图块", where="tiles/basemap", found=f"{name[:32]}/{z}/{x}/{y}",
                                 expected=" ".join(files) or "本机没有配置本地底图")  # fmt: skip
        picture = files[name].tile(z, x, y) or BLANK
        return Response(picture, media_type=media_type(picture) or "application/octet-stream", headers=_KEPT)

    return routes
