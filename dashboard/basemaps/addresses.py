"""Addresses of base maps that the browser fetches itself: XYZ, WMTS, 天地图.

Such a map is the one thing a page asks of another host (design, principle 8), and only where it is configured.
"""

from __future__ import annotations

import re
from urllib.parse import quote

# What stands in an address, and the name Leaflet fills in.
XYZ = {"z": "z", "x": "x", "y": "y"}
WMTS = {"TileMatrix": "z", "TileCol": "x", "TileRow": "y"}
KEY = "key"
# 天地图: each map and the names drawn over it, in the Web Mercator matrix set "w". Zooms start at 1.
TIANDITU = {"vec": ("vec", "cva"), "img": ("img", "cia"), "ter": ("ter", "cta")}
TIANDITU_ADDRESS = "https://t{s}.tianditu.gov.cn"
TIANDITU_ZOOMS = (1, 18)
TIANDITU_HOSTS = "01234567"
_TIANDITU_QUERY = ("{address}/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={layer}&STYLE=default"
                   "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={key}")  # fmt: skip


def address_fault(address: str, names: dict[str, str], *, has_key: bool) -> str | None:
    """What is wrong with an address, in words that hold no part of it; None for nothing."""
    if not re.match(r"https?://[^/\s]+/\S+$", address):
        return "以 http:// 或 https:// 开头的完整地址"
    found = re.findall(r"\{([^{}]*)\}", address)
    if missing := [name for name in names if name not in found]:
        return "地址里有 " + " ".join(f"{{{name}}}" for name in missing)
    if set(found) - set(names) - {KEY}:
        return "地址里的花括号只有 " + " ".join(f"{{{name}}}" for name in (*names, KEY))
    if (KEY in found) != has_key:
        return "key 与地址里的 {key} 同时出现"
    return None


def is_front(address: str) -> bool:
    """Whether an address can stand in front of 天地图's own paths."""
    return re.fullmatch(r"https?://[^\s{}?]+", address) is not None


def filled(address: str, names: dict[str, str], key: str) -> str:
    """The address as Leaflet takes it, with ``{z} {x} {y}`` left open."""
    own = {name: f"{{{leaflet}}}" for name, leaflet in names.items()} | {KEY: quote(key, safe="")}
    return re.sub(r"\{(\w+)\}", lambda match: own[match[1]], address)


def tianditu(address: str | None, layer: str | None, key: str) -> list[str]:
    """The addresses of 天地图 layers, from the lowest up; ``address`` is the front of a mirror."""
    front = (address or TIANDITU_ADDRESS).rstrip("/")
    return [
        _TIANDITU_QUERY.format(address=front, layer=one, key=quote(key, safe="")) for one in TIANDITU[layer or "vec"]
    ]
