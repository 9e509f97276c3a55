"""What of a map layer is wanted, and the answer that says so."""

from __future__ import annotations

from dataclasses import dataclass

from data.store.answer import Features
from data.store.clusters import Mesh
from data.store.layers import Box

NOT_CLUSTERED = {"clustered": False, "cluster_zoom": None}


@dataclass(frozen=True)
class Extent:
    """What of a layer is wanted.

    Attributes
    ----------
    bbox : (west, south, east, north) or None
        Degrees; None is the whole scope.
    level : str
        Of layer ``area``.
    detail : str
        ``overview`` or ``near``: how finely areas and grids are drawn.
    zoom : float or None
        Of the map that draws incidents, cameras or key places: too many to draw are gathered in clusters. None: never.
    rule : str or None
        Of layer ``rule_failure``; None is all rules.
    """

    bbox: Box | None = None
    level: str = "district"
    detail: str = "overview"
    zoom: float | None = None
    rule: str | None = None

    def to_meta(self) -> dict:
        """The parameters as an answer states them."""
        return {
            "bbox": None if self.bbox is None else list(self.bbox),
            "level": self.level,
            "detail": self.detail,
            "zoom": self.zoom,
            "rule": self.rule,
        }


def layer_answer(
    meta: dict, layer: str, extent: Extent, matched: int, texts: list[str], cut: str | None, **more: object
) -> Features:
    """An answer whose ``meta.parameters`` reproduce it; ``more`` are those of the layer itself."""
    parameters = {"layer": layer, **extent.to_meta(), **more}
    return Features({**meta, "parameters": parameters, "matched": matched, "returned": len(texts), "cut": cut}, texts)


def limit_cut(matched: int, texts: list[str]) -> str | None:
    """``limit`` where not all are returned, else None."""
    return None if matched == len(texts) else "limit"


def clustered(meta: dict, layer: str, extent: Extent, matched: int, texts: list[str], mesh: Mesh) -> Features:
    """An answer of clusters: nothing is cut."""
    return layer_answer({**meta, "clustered": True, "cluster_zoom": mesh.zoom}, layer, extent, matched, texts, None)
