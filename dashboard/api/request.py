"""What a request to the API says: its own parameters, the Selection's, and how each is documented."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from fastapi import Request

from data.index import INCIDENT_LEVELS
from data.schema import CATEGORIES
from data.selection import ParameterError
from data.store import DETAILS, STEPS
from data.store.hotspots import METHODS, WINDOWS
from geo.coverage import RULES

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
    "level": ("层级，缺省 district；热点缺省 grid", {"enum": list(INCIDENT_LEVELS)}),
    "step": ("步长，缺省 day", {"enum": list(STEPS)}),
    "parent": ("上级代码；缺省为最上一级", {}),
    "bbox": ("西,南,东,北，经纬度；缺省为全部授权范围", {}),
    "detail": ("区域边界的粗细，缺省 overview", {"enum": list(DETAILS)}),
    "q": ("编码的开头、名称或名称的一部分；多个词以空格分开，最后一个在名称里，前面的也可在上级名称里", {}),
    "limit": ("最多几行，1 至 5000，缺省 500", {"pattern": r"^\d{1,4}$"}),
    "offset": ("先略过几行，缺省 0", {"pattern": r"^\d{1,10}$"}),
    "method": ("热点的方法，缺省 gi", {"enum": list(METHODS)}),
    "window": ("now（缺省）或 before：以同样的参数看对比时段", {"enum": list(WINDOWS)}),
    "order": ("time（缺省，新的在前）或 earliest（旧的在前）", {"enum": ["time", "earliest"]}),
    "zoom": ("地图级别，0 至 20；给出时 incident、camera、key_place 过多则聚合", {"type": "number"}),
    "rule": ("图层 rule_failure 的规则，缺省为全部", {"enum": list(RULES)}),
    "part": ("rates（缺省）或 rules", {"enum": ["rates", "rules"]}),
    "layer": ("导出什么", {}),
    "format": ("文件格式；明细等表格 csv xlsx，有位置的另有 geojson gpkg，地图与图表 png svg", {}),
    "measure": ("地图按什么着色，缺省 count；有 kde 图层时缺省为素底", {}),
    "layers": ("地图的图层，自下而上，以逗号分隔；可带不透明度 kde:60", {}),
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


def whole(name: str, text: str, least: int, most: int) -> int:
    """A whole number from ``least`` to ``most``, both included.

    Raises
    ------
    ParameterError
    """
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII) or not least <= int(text) <= most:
        raise ParameterError(name, text, f"{least} 至 {most} 的整数")
    return int(text)


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
