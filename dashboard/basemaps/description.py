"""Base maps as a page gets them: where their pictures are, and what else Leaflet needs to know."""

from __future__ import annotations

import hashlib
import os
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.basemaps import addresses
from dashboard.basemaps.declared import BaseMap
from dashboard.basemaps.mbtiles import MBTiles
from dashboard.basemaps.pmtiles import PMTiles
from dashboard.basemaps.tile_file import BaseMapFault, TileFile

if TYPE_CHECKING:
    from dashboard.settings import Settings

PREFIX = "/tiles/basemap"
_READERS = {"mbtiles": MBTiles, "pmtiles": PMTiles}
_USUAL_ZOOMS = (0, 18)


def describe(settings: Settings) -> list[dict]:
    """The configured base maps, in the order of the file.

    Returns
    -------
    list of dict
        ``id, name, kind, tiles`` (addresses with ``{z} {x} {y}``, lowest first; ``{s}`` is one of ``hosts``),
        ``hosts, min_zoom, max_zoom, datum, attribution, bounds`` (west, south, east, north, or None) and ``outside``
        (whether the browser asks another host). A key stands in ``tiles`` only.

    Raises
    ------
    BaseMapFault
        A local file that is missing, unreadable or not made of pictures.
    """
    return list(_described(settings.basemaps, settings.workspace))


def describe_one(settings: Settings, wanted: str | None) -> dict | None:
    """The base map with an id, as in :func:`describe`; None for ``none`` and for an id that is not configured."""
    return next((one for one in describe(settings) if one["id"] == wanted), None)


def file_of(basemap: BaseMap, workspace: Path) -> Path:
    """Where the file of a local base map is.

    Raises
    ------
    BaseMapFault
        A relative path that leaves the workspace, or no such file.
    """
    path = Path(os.path.normpath(workspace / basemap.path))
    where = f"yanpan.toml [[basemap]] {basemap.id} path"
    if not basemap.path.is_absolute() and not path.is_relative_to(workspace):
        raise BaseMapFault("底图文件不在工作区里", where=where, found=str(basemap.path),
                           expected="工作区内的相对路径，或绝对路径")  # fmt: skip
    if not path.is_file():
        raise BaseMapFault("没有这个底图文件", where=where, found=str(path), remedy="改 yanpan.toml 里的 path")
    return path


def open_file(basemap: BaseMap, workspace: Path) -> TileFile:
    """Open the file of a local base map.

    Raises
    ------
    BaseMapFault
    """
    path = file_of(basemap, workspace)
    try:
        return _READERS[basemap.kind](path)
    except OSError as fault:
        raise BaseMapFault("底图文件打不开", where=path.name, found=fault.strerror or type(fault).__name__) from None


@lru_cache(maxsize=8)
def _described(basemaps: tuple[BaseMap, ...], workspace: Path) -> tuple[dict, ...]:
    return tuple(_one(basemap, workspace) for basemap in basemaps)


def _one(basemap: BaseMap, workspace: Path) -> dict:
    zooms, bounds, hosts = _USUAL_ZOOMS, None, ""
    if basemap.local:
        with closing(open_file(basemap, workspace)) as file:
            zooms, bounds = (file.min_zoom, file.max_zoom), file.bounds
        tiles = [f"{PREFIX}/{basemap.id}/{{z}}/{{x}}/{{y}}?v={_version(file_of(basemap, workspace))}"]
    elif basemap.kind == "tianditu":
        zooms = addresses.TIANDITU_ZOOMS
        tiles = addresses.tianditu(basemap.address, basemap.layer, basemap.secret)
        hosts = "" if basemap.address else addresses.TIANDITU_HOSTS
    else:
        names = addresses.XYZ if basemap.kind == "xyz" else addresses.WMTS
        tiles = [addresses.filled(basemap.address, names, basemap.secret)]
    given = (basemap.min_zoom, basemap.max_zoom)
    low, high = (own if own is not None else usual for own, usual in zip(given, zooms, strict=True))
    return {
        "id": basemap.id,
        "name": basemap.name,
        "kind": basemap.kind,
        "tiles": tiles,
        "hosts": hosts,
        "min_zoom": low,
        "max_zoom": max(low, high),
        "datum": basemap.datum,
        "attribution": basemap.attribution,
        "bounds": None if bounds is None else list(bounds),
        "outside": not basemap.local,
    }


def _version(path: Path) -> str:
    """Changes when the file does, so that browsers may keep its tiles for ever."""
    stat = path.stat()
    return hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:12]
