"""What a request to the API says: its own parameters, the Selection's, and how each is documented."""

from __future__ import annotations

import math
from collections.abc import Iterable

from fastapi import Request

from data.index import INCIDENT_LEVELS
from data.schema import CATEGORIES
from data.selection import ParameterError
from data.store import DETAILS, STEPS

Pairs = list[tuple[str, str]]

DESCRIPTIONS = {
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


def split(request: Request, own: Iterable[str], shared: Iterable[str] = ()) -> tuple[dict[str, str], Pairs]:
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


def choice(name: str, value: str, allowed: Iterable[str]) -> str:
    """One of the allowed values.

    Raises
    ------
    ParameterError
    """
    if value not in allowed:
        raise ParameterError(name, value, " ".join(allowed))
    return value


def bbox(text: str) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees.

    Raises
    ------
    ParameterError
    """
    try:
        west, south, east, north = (float(part) for part in text.split(","))
        usable = all(map(math.isfinite, (west, south, east, north)))
    except ValueError:
        usable = False
    if not usable or not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ParameterError("bbox", text, "西,南,东,北，四个经纬度，西小于东，南小于北")
    return west, south, east, north


def documented(*names: str, layer: Iterable[str] = ()) -> dict:
    """The parameters of a route for ``/openapi.json``, and how it refuses."""
    parameters = []
    for name in names:
        text, schema = DESCRIPTIONS[name]
        one: dict = {"name": name, "in": "query", "required": False, "description": text}
        one["schema"] = {"type": "string", **schema}
        if name == "category":
            one["schema"] = {"type": "array", "items": one["schema"]}
        parameters.append(one)
    if layer:
        schema = {"type": "string", "enum": list(layer)}
        parameters.append({"name": "layer", "in": "path", "required": True, "schema": schema})
    responses = {
        "401": {"description": "未登录"},
        "403": {"description": "超出授权区域"},
        "404": {"description": "没有这个区域"},
        "422": {"description": "参数不可用：parameter、value、allowed"},
    }
    return {"parameters": parameters, "responses": responses}
