"""A base map as ``yanpan.toml`` declares it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_serializer, model_validator
from pydantic_core import PydanticCustomError

from dashboard.basemaps import addresses
from dashboard.basemaps.tile_file import MAX_ZOOM

LOCAL = ("mbtiles", "pmtiles")
NONE = "none"  # the page's word for no base map
RULE = "basemap_rule"  # the type of a fault of ours; its context has ``name``, the key, and ``expected``


class BaseMap(BaseModel):
    """One ``[[basemap]]`` table.

    Attributes
    ----------
    id : str
        What the page's address calls it.
    name : str
        What people call it.
    kind : str
        ``mbtiles`` or ``pmtiles``: a local file that we serve. ``xyz``, ``wmts``, ``tianditu``: fetched by the browser.
    path : Path or None
        Of a local file; relative ones count from the workspace and stay in it.
    address : str or None
        Of ``xyz`` with ``{z} {x} {y}``, of ``wmts`` with ``{TileMatrix} {TileRow} {TileCol}``; both may hold ``{key}``.
        Of ``tianditu`` the front of a mirror.
    key : SecretStr or None
        The customer's; appears in the address the browser asks, nowhere else.
    layer : str or None
        Of ``tianditu``: ``vec`` streets (where not given), ``img`` pictures, ``ter`` terrain, each with its names.
    min_zoom, max_zoom : int or None
        Zooms the map has; the file's own, or 0 to 18, where not given.
    datum : str
        ``gcj02`` for maps drawn in the shifted datum; their pictures are put where they belong, data stays.
    attribution : str
        Shown on the map.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")
    name: str = Field(min_length=1, max_length=40)
    kind: Literal["mbtiles", "pmtiles", "xyz", "wmts", "tianditu"]
    path: Path | None = None
    address: str | None = Field(None, repr=False)
    key: SecretStr | None = None
    layer: Literal["vec", "img", "ter"] | None = None
    min_zoom: int | None = Field(None, ge=0, le=MAX_ZOOM, strict=True)
    max_zoom: int | None = Field(None, ge=0, le=MAX_ZOOM, strict=True)
    datum: Literal["wgs84", "gcj02"] = "wgs84"
    attribution: str = Field("", max_length=200)

    @field_serializer("key", when_used="json")
    def _key_for_workers(self, key: SecretStr | None) -> str | None:
        return key.get_secret_value() if key else None

    @property
    def local(self) -> bool:
        """Whether we serve it from a file."""
        return self.kind in LOCAL

    @property
    def secret(self) -> str:
        """The key in plain text; empty for none."""
        return self.key.get_secret_value() if self.key else ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> BaseMap:
        if self.id == NONE:
            raise _fault("id", "none 以外的编号；none 指不要底图")
        if self.min_zoom is not None and self.max_zoom is not None and self.min_zoom > self.max_zoom:
            raise _fault("max_zoom", "不小于 min_zoom")
        unused = ("address", "key") if self.local else ("path",)
        if self.kind != "tianditu":
            unused += ("layer",)
        for name in unused:
            if getattr(self, name) is not None:
                raise _fault(name, f"不写：{self.kind} 不用这一项")
        if self.local and self.path is None:
            raise _fault("path", "文件路径")
        if self.kind == "tianditu":
            self._fits_tianditu()
        elif not self.local:
            names = addresses.XYZ if self.kind == "xyz" else addresses.WMTS
            if fault := addresses.address_fault(self.address or "", names, has_key=bool(self.secret)):
                raise _fault("address", fault)
        return self

    def _fits_tianditu(self) -> None:
        if not self.secret:
            raise _fault("key", "天地图的密钥，如 ${TIANDITU_KEY}")
        if self.datum != "wgs84":
            raise _fault("datum", "wgs84：天地图是 CGCS2000，没有偏移")
        if self.address is not None and not addresses.is_front(self.address):
            raise _fault("address", "镜像的前段，如 https://内网主机/tianditu；用官方地址时不写")


def _fault(name: str, expected: str) -> PydanticCustomError:
    """A fault of one key; the text never holds its value."""
    return PydanticCustomError(RULE, "not usable", {"name": name, "expected": expected})
