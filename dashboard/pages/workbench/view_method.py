"""Method cards: what a layer is, the parameters actually used, how to read it, what it does not show, how to repeat it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from dashboard.components import html
from dashboard.components.words import KERNEL_NAMES, LEVEL_NAMES, listed, window_text
from dashboard.language import say
from dashboard.measures import (
    BAYES,
    CHANGE,
    CLASSES,
    COUNT,
    DENSITY,
    DISPUTES,
    EMERGING,
    GI,
    LISA,
    MEASURE_NAMES,
    RATE,
)
from data.selection import Selection
from data.store import Extent, Release, Scope, counts, features
from data.store.coverage import coverage
from data.store.disputes import disputes
from data.store.hotspots import hotspots


@dataclass(frozen=True)
class Card:
    """Words of one method; ``asks`` is the address of the API whose answer the layer draws, ``{query}`` left open."""

    title: str
    what: str
    limits: str
    asks: str


_COUNTS = "/api/v1/counts?level={level}&{query}"
_UNITS = "/api/v1/hotspots?method={method}&level={level}&{query}"
CARDS: dict[str, Card] = {
    COUNT: Card(MEASURE_NAMES[COUNT], "所选时段内每个单元记录的起数。色阶按前一年同长时段的平均分级，缩放和换时段都不变。",
                "大的单元自然多；要比较请看每平方公里或每千人。", _COUNTS),
    DENSITY: Card(MEASURE_NAMES[DENSITY], "起数除以单元面积。", "面积含无人居住的山、水、厂区；不是人均。", _COUNTS),
    RATE: Card(MEASURE_NAMES[RATE], "起数除以常住人口再乘一千。缺人口的单元不着色。",
               "流动人口、通勤人口不在分母里；人口很少的单元波动大，看稳健率。", _COUNTS),
    BAYES: Card(MEASURE_NAMES[BAYES], "每千人起数，按经验贝叶斯向全市平均收缩：人口越少收得越多（Marshall 1991）。",
                "收缩后的率不是真实起数；排名前列仍要看原始起数。", _COUNTS),
    CHANGE: Card(MEASURE_NAMES[CHANGE], "与对比期比：两侧 E 检验（天数为暴露量），p 按本级的离散度加宽，再对本级全部单元作 Benjamini–Hochberg 校正。",
                 "正常波动不等于没有变化，只是这点数目还不能说明。", _COUNTS),
    GI: Card(MEASURE_NAMES[GI], "每个单元连同相邻单元的起数，与全域平均相比是否多到超出偶然（Getis–Ord Gi*，精确二项 p，FDR 校正）。",
             "热点是起数的集中，不是风险；没有折算人口和面积。", _UNITS),
    LISA: Card(MEASURE_NAMES[LISA], "单元与邻居一起偏高（高—高）、一起偏低（低—低），或与邻居相反（Anselin 1995，精确 p，FDR 校正）。",
               "只说与邻居像不像，不说原因。", _UNITS),
    EMERGING: Card(MEASURE_NAMES[EMERGING], "把最近十二个同长时段叠成立方体，逐格做 Gi*，按历次是否显著把单元分成新增、加强、持续、历史等类。",
                   "新增只说明这一期首次显著；下一期是否还在，要再看。", _UNITS),
    DISPUTES: Card(MEASURE_NAMES[DISPUTES], "各单位上报的纠纷排查件数。时段按统计表的期，不满一期取最近一期。",
                   "排查多可能是查得勤；未报的单位画斜线，不当 0。", "/api/v1/disputes?level={level}&{query}"),
    "kde": Card("核密度", "每平方公里在所选时段内的起数，按米计算的核平滑。颜色按固定断点分级，缩放不变。",
                "密度高不等于风险高，未按人口折算；默认坐标和小区质心的警情不计入。", "/api/v1/hotspots?method=kde&{query}"),
    "hotspots": Card("热点编号", "Gi* 显著偏高（q≤0.05）的网格，相邻的连成一片，按起数编号。",
                     "编号只是这一时段的次序；没有编号不等于没有警情。", "/api/v1/hotspots?method=gi&{query}"),
    "repeat_places": Card("重复警情", "同一坐标附近反复发生的警情；圈的面积与起数成正比。",
                          "依赖定位质量：默认坐标和质心已排除。", "/api/v1/hotspots?method=repeat_places&{query}"),
    "near_repeat": Card("近重复连线", "相距很近、相隔不久的两起警情连成线；是否多于偶然由 Knox 检验。",
                        "连线不是因果，也不说明同一人所为。", "/api/v1/hotspots?method=near_repeat&{query}"),
    "coverage": Card("视频覆盖", "按每台摄像机的朝向、视场角和可视距离画出的可见范围；能用的设备才算看见，两台以上另行标出。",
                     "没有扣除树木和临时遮挡；台账缺参数的按半径估计。", "/api/v1/coverage?{query}"),
    "blind": Card("盲区热点", "Gi* 热点网格中，半数以上警情的位置不在任何能用的摄像机可见范围内。",
                  "看不见不等于没有处置；是否加装请现场复核。", "/api/v1/features/blind?{query}"),
    "rules": Card("覆盖规则", "天网六条、地网三条：路口、出入口、密集场所等目标是否有能用的摄像机在规定距离内。",
                  "没有目标数据的规则记为未评估，不算未达标。", "/api/v1/coverage?part=rules&{query}"),
}  # fmt: skip
LABELS = {
    "method": "方法", "level": "层级", "kernel": "核函数", "bandwidth_m": "带宽（米）", "cell_m": "格网（米）", "edge": "边界校正", "crs": "坐标系",
    "n": "样本（起）", "neighbours": "邻接", "mean_neighbours": "平均邻居数", "alpha": "显著水平", "adjusted_over": "校正的单元数", "dispersion": "离散度 φ",
    "phi": "离散度 φ", "periods": "φ 所用期数", "seed": "随机种子", "window": "所选时段", "before": "对比期", "scope": "授权范围", "steps": "时间步",
    "limits_per_km2": "分级（起/平方公里）", "excluded": "未计入", "not_drawn": "未上图", "reference": "出处", "distance_m": "距离（米）", "days": "天数",
    "data_as_of": "数据截至", "release": "发布", "test": "检验", "least_count": "最少起数", "units": "单元数", "left_out": "未计入", "pile_up": "默认坐标", "centroid": "区域中心点", "low_precision": "坐标粗略",
    "outside": "在网格之外", "no_coordinates": "无坐标", "no_unit": "无网格", "minimum": "最少起数", "tolerance_m": "同一地点（米）", "mean": "平均",
    "islands": "无邻接", "missing": "未报", "estimated": "已估计", "pooled": "合并估计", "period_days": "每期天数", "immature_from": "未齐自", "rule": "规则",
    "bandwidth_rule": "带宽规则", "cells": "格数", "bounds_m": "范围（米）", "limits_shares": "分级份额", "outside_boundary": "在边界外", "adjustment": "校正",
}  # fmt: skip
_SAID_ELSEWHERE = (
    "p",
    "period",
    "window",
    "before",
    "from",
    "to",
    "timezone",
    "data_as_of",
    "release",
    "method",
)  # window, title, foot


def method_card(release: Release, layer: str, selection: Selection, scope: Scope, level: str | None) -> list:
    """The card of a layer for what is shown now.

    Parameters
    ----------
    layer : str
        One of ``CARDS``.
    level : str or None
        Of the units on the map; ``grid`` where the layer has no level of its own.
    """
    words = CARDS[layer]
    level = level or "grid"
    meta = _meta(release, layer, selection, scope, level)
    parameters = _facts(selection, meta)
    address = words.asks.format(query=selection.to_query(), level=level, method=layer)
    reproduced = json.dumps({"api": address, **parameters}, ensure_ascii=False, indent=1)
    rows = [part for name, value in parameters.items() for part in _row(name, value, parameters.get("automatic", ()))]
    return [
        html.H2([say(words.title), " ", html.Span(say("方法卡"), className="caption")]),
        html.P(say(words.what)),
        html.Dl(rows),
        *[html.P([html.Strong(say("怎么读")), " ", text]) for text in _reading(layer, meta)],
        html.P([html.Strong(say("不能说明")), " ", say(words.limits)]),
        html.Div([html.Button(say("复制参数"), type="button", **{"data-copy": reproduced}),
                  html.A(say("接口数据"), href=address, target="_blank")], className="card-links"),
    ]  # fmt: skip


def _meta(release: Release, layer: str, selection: Selection, scope: Scope, level: str) -> dict:
    """What the answer behind a layer says of itself."""
    if layer in (COUNT, DENSITY, RATE, BAYES, CHANGE):
        return counts(release, selection, scope, level).meta
    if layer == DISPUTES:
        return disputes(release, selection, scope, level).meta
    if layer in (GI, LISA, EMERGING):
        return hotspots(release, selection, scope, layer, level=level).meta
    if layer in ("kde", "repeat_places", "near_repeat"):
        return hotspots(release, selection, scope, layer).meta
    if layer == "hotspots":
        return hotspots(release, selection, scope, "gi").meta
    if layer in ("blind", "rules"):
        return features(release, "blind" if layer == "blind" else "rule_failure", selection, scope, Extent()).meta
    return coverage(release, selection, scope).meta


def _facts(selection: Selection, meta: dict) -> dict:
    """Window, parameters, data and release, in the order a reader asks for them."""
    facts = {"window": window_text((selection.start, selection.end), year=True)}
    if selection.compare_window:
        facts["before"] = window_text(selection.compare_window, year=True)
    given = dict(meta.get("parameters") or {})
    for name in ("level", "adjusted_over", "dispersion"):
        if name in meta and name not in given:
            given[name] = meta[name]
    for name in _SAID_ELSEWHERE:
        given.pop(name, None)
    return {**facts, **given, "data_as_of": meta.get("data_as_of"), "release": meta.get("release")}


def _row(name: str, value, automatic) -> list:
    text = _text(name, value)
    if text is None or name == "automatic":
        return []
    mark = say("，自动") if name in automatic else ""
    return [html.Dt(say(LABELS[name]) if name in LABELS else name), html.Dd(text + mark)]


def _text(name: str, value) -> str | None:
    if value is None or value == [] or value == {}:
        return None
    if isinstance(value, bool):
        return say("是") if value else say("否")
    if name == "scope" and value == "all":
        return say("全部")
    if name == "level":
        return say(LEVEL_NAMES.get(value, str(value)))
    if name == "kernel":
        return say(KERNEL_NAMES.get(value, str(value)))
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return say("；").join(
            f"{say(LABELS[k]) if k in LABELS else k} {t}" for k, v in value.items() if (t := _text(k, v))
        )
    if isinstance(value, (list, tuple)):
        return listed(filter(None, (_text(name, one) for one in value)))
    return str(value)


def _reading(layer: str, meta: dict) -> list[str]:
    """One sentence about this very picture, where its answer carries one."""
    summary = meta.get("summary") or {}
    if layer == "kde" and (summary.get("peak") or {}).get("per_km2") is not None:
        return [say("峰值 {n} 起/平方公里。", n=f"{summary['peak']['per_km2']:,.1f}")]
    notes = [say(part) for part in str(meta.get("note") or "").split("；") if part]
    counted = summary.get("classes")
    if counted:
        flagged = {k: v for k, v in counted.items() if k not in ("none", "missing", "")}
        if not flagged:
            return [say("没有单元超出偶然。"), *notes]
        words = {one.label: one.words for one in CLASSES.get(layer, CLASSES[GI])}
        return [listed(f"{say(words.get(k, k))} {v:,}" for k, v in flagged.items()), *notes]
    return notes
