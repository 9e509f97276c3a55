"""The read-only JSON API under ``/api/v1``, health and readiness."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from dashboard.rows_json import rows_json
from data.index import INCIDENT_LEVELS
from data.schema import CATEGORIES, LEVELS
from data.selection import PARAMETERS, ParameterError
from data.store import (
    DETAILS,
    FEATURE_LAYERS,
    STEPS,
    Answer,
    Extent,
    Features,
    Scope,
    Store,
    areas,
    counts,
    describe,
    features,
    profile,
    trend,
)

PREFIX = "/api/v1"
Pairs = list[tuple[str, str]]

_DESCRIPTIONS = {
    "area": ("区划代码或网格编码；缺省为全部授权范围", {}),
    "from": ("起始日期（含）；缺省为数据截至时最近一个完整的 ISO 周", {"format": "date"}),
    "to": ("结束日期（不含）", {"format": "date"}),
    "compare": ("previous（缺省）、last_year、none 或 FROM..TO", {}),
    "category": ("类别，可重复；无效只在点名时计入", {"enum": list(CATEGORIES)}),
    "hours": ("起止整点，两端都含；22-5 跨零点", {"pattern": r"^\d{1,2}-\d{1,2}$"}),
    "weekdays": ("星期，1 为周一，以逗号分隔", {}),
    "polygon": ("WKT 面，经度在前", {}),
    "level": ("层级，缺省 district", {"enum": list(INCIDENT_LEVELS)}),
    "step": ("步长，缺省 day", {"enum": list(STEPS)}),
    "parent": ("上级代码；缺省为最上一级", {}),
    "bbox": ("西,南,东,北，经纬度；缺省为全部授权范围", {}),
    "detail": ("区域边界的粗细，缺省 overview", {"enum": list(DETAILS)}),
}


def router(store: Store, scope_of: Callable[[Request], Scope]) -> APIRouter:
    """The routes.

    Parameters
    ----------
    store : Store
    scope_of : callable
        The areas the caller of a request may see.
    """
    api = APIRouter(prefix=PREFIX, tags=["v1"])

    @api.get("/release", summary="当前发布", openapi_extra=_documented())
    def release(request: Request) -> Response:
        _split(request, ())
        with store.current() as opened:
            return _json(json.dumps(describe(opened, datetime.now(UTC)), ensure_ascii=False, separators=(",", ":")))

    @api.get("/areas", summary="下级区域", openapi_extra=_documented("parent"))
    def child_areas(request: Request) -> Response:
        own, _ = _split(request, ("parent",))
        with store.current() as opened:
            return _rows(areas(opened, scope_of(request), own.get("parent")))

    @api.get("/counts", summary="各区域的起数、对比与判断", openapi_extra=_documented(*PARAMETERS, "level"))
    def area_counts(request: Request) -> Response:
        own, pairs = _split(request, ("level",), PARAMETERS)
        level = _choice("level", own.get("level", "district"), INCIDENT_LEVELS)
        with store.current() as opened:
            return _rows(counts(opened, opened.selection(pairs), scope_of(request), level))

    @api.get("/trend", summary="按日、周、月的走势", openapi_extra=_documented(*PARAMETERS, "step"))
    def steps(request: Request) -> Response:
        own, pairs = _split(request, ("step",), PARAMETERS)
        step = _choice("step", own.get("step", "day"), STEPS)
        with store.current() as opened:
            return _rows(trend(opened, opened.selection(pairs), scope_of(request), step))

    @api.get("/profile", summary="星期乘小时", openapi_extra=_documented(*PARAMETERS))
    def week(request: Request) -> Response:
        _, pairs = _split(request, (), PARAMETERS)
        with store.current() as opened:
            return _rows(profile(opened, opened.selection(pairs), scope_of(request)))

    @api.get("/features/{layer}", summary="图层要素（GeoJSON）",
             openapi_extra=_documented(*PARAMETERS, "bbox", "level", "detail", layer=True))  # fmt: skip
    def layer_features(request: Request, layer: str) -> Response:
        own, pairs = _split(request, ("bbox", "level", "detail"), PARAMETERS)
        _choice("layer", layer, FEATURE_LAYERS)
        extent = Extent(
            bbox=_bbox(own["bbox"]) if "bbox" in own else None,
            level=_choice("level", own.get("level", "district"), LEVELS),
            detail=_choice("detail", own.get("detail", "overview"), DETAILS),
        )
        with store.current() as opened:
            return _geojson(features(opened, layer, opened.selection(pairs), scope_of(request), extent))

    return api


def health_router(store: Store) -> APIRouter:
    """``/healthz``: the process answers. ``/readyz``: a release is open (503 with the reason where not)."""
    health = APIRouter(tags=["health"])

    @health.get("/healthz", summary="进程在运行")
    def healthz() -> dict:
        return {"status": "ok"}

    @health.get("/readyz", summary="有发布可查")
    def readyz() -> dict:
        with store.current():
            return {"status": "ok"}

    return health


def _split(request: Request, own: Iterable[str], shared: Iterable[str] = ()) -> tuple[dict[str, str], Pairs]:
    """A route's own parameters, and those of the Selection; a name that is neither, or repeated, is refused."""
    values: dict[str, str] = {}
    pairs: Pairs = []
    for name, value in request.query_params.multi_items():
        if name in own:
            if name in values:
                raise ParameterError(name, value, "只能出现一次")
            values[name] = value
        elif name in shared:
            pairs.append((name, value))
        else:
            allowed = " ".join((*own, *shared))
            raise ParameterError(name, value, f"可用参数 {allowed}" if allowed else "不带参数")
    return values, pairs


def _choice(name: str, value: str, allowed: Iterable[str]) -> str:
    if value not in allowed:
        raise ParameterError(name, value, " ".join(allowed))
    return value


def _bbox(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
        usable = all(map(math.isfinite, (west, south, east, north)))
    except ValueError:
        usable = False
    if not usable or not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ParameterError("bbox", text, "西,南,东,北，四个经纬度，西小于东，南小于北")
    return west, south, east, north


def _rows(answer: Answer) -> Response:
    return _json(f'{{"meta":{_text(answer.meta)},"rows":{rows_json(answer.rows)}}}')


def _geojson(found: Features) -> Response:
    body = f'{{"type":"FeatureCollection","meta":{_text(found.meta)},"features":[{",".join(found.features)}]}}'
    return Response(body.encode(), media_type="application/geo+json")


def _json(text: str) -> Response:
    return Response(text.encode(), media_type="application/json")


def _text(value: dict) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _documented(*names: str, layer: bool = False) -> dict:
    """The parameters of a route for ``/openapi.json``, and how it refuses."""
    parameters = []
    for name in names:
        text, schema = _DESCRIPTIONS[name]
        one: dict = {"name": name, "in": "query", "required": False, "description": text}
        one["schema"] = {"type": "string", **schema}
        if name == "category":
            one["schema"] = {"type": "array", "items": one["schema"]}
        parameters.append(one)
    if layer:
        schema = {"type": "string", "enum": list(FEATURE_LAYERS)}
        parameters.append({"name": "layer", "in": "path", "required": True, "schema": schema})
    responses = {
        "401": {"description": "未登录"},
        "403": {"description": "超出授权区域"},
        "404": {"description": "没有这个区域"},
        "422": {"description": "参数不可用：parameter、value、allowed"},
    }
    return {"parameters": parameters, "responses": responses}
