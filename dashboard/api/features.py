"""``/features/{layer}``: what the map draws."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from dashboard.api import answers
from dashboard.api.request import bbox, choice, documented, split
from data.schema import LEVELS
from data.selection import PARAMETERS
from data.store import DETAILS, FEATURE_LAYERS, Extent, Scope, Store, features


def add(api: APIRouter, store: Store, scope_of: Callable[[Request], Scope]) -> None:
    """Put the routes on ``api``."""

    @api.get("/features/{layer}", summary="图层要素（GeoJSON）",
             openapi_extra=documented(*PARAMETERS, "bbox", "level", "detail", layer=FEATURE_LAYERS))  # fmt: skip
    def layer_features(request: Request, layer: str) -> Response:
        own, pairs = split(request, ("bbox", "level", "detail"), PARAMETERS)
        choice("layer", layer, FEATURE_LAYERS)
        extent = Extent(
            bbox=bbox(own["bbox"]) if "bbox" in own else None,
            level=choice("level", own.get("level", "district"), LEVELS),
            detail=choice("detail", own.get("detail", "overview"), DETAILS),
        )
        with store.current() as opened:
            return answers.geojson(features(opened, layer, opened.selection(pairs), scope_of(request), extent))
