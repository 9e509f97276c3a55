"""``/features/{layer}``: what the map draws."""

from __future__ import annotations

import math
from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from dashboard.api import answers
from dashboard.api.request import bbox, choice, documented, split
from data.schema import LEVELS
from data.selection import PARAMETERS, ParameterError
from data.store import DETAILS, FEATURE_LAYERS, Extent, Scope, Store, features
from geo.coverage import RULES

OWN = ("bbox", "level", "detail", "zoom", "rule")
MAX_ZOOM = 20


def add(api: APIRouter, store: Store, scope_of: Callable[[Request], Scope]) -> None:
    """Put the routes on ``api``."""

    @api.get("/features/{layer}", summary="图层要素（GeoJSON）",
             openapi_extra=documented(*PARAMETERS, *OWN, layer=FEATURE_LAYERS))  # fmt: skip
    def layer_features(request: Request, layer: str) -> Response:
        own, pairs = split(request, OWN, PARAMETERS)
        choice("layer", layer, FEATURE_LAYERS)
        extent = Extent(
            bbox=bbox(own["bbox"]) if "bbox" in own else None,
            level=choice("level", own.get("level", "district"), LEVELS),
            detail=choice("detail", own.get("detail", "overview"), DETAILS),
            zoom=_zoom(own["zoom"]) if "zoom" in own else None,
            rule=choice("rule", own["rule"], RULES) if "rule" in own else None,
        )
        with store.current() as opened:
            return answers.geojson(features(opened, layer, opened.selection(pairs), scope_of(request), extent))


def _zoom(text: str) -> float:
    try:
        zoom = float(text)
    except ValueError:
        zoom = math.nan
    if not 0 <= zoom <= MAX_ZOOM:
        raise ParameterError("zoom", text, f"0 至 {MAX_ZOOM} 的数")
    return zoom
