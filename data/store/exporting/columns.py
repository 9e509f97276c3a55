"""What each exported column means, for the note that goes with the rows."""

from __future__ import annotations

from data.schema import LAYERS

_COMMON = {
    "code": "区划代码或网格编码",
    "name": "名称",
    "state": "reported 已报，zero 零报或无，missing 未报",
    "periods_missing": "缺报的单位期数",
    "count": "起数；空为未报",
    "before": "对比时段起数；空为未报",
    "difference": "差",
    "percent": "变化，%；基数为0时为空",
    "z": "标准化差",
    "p": "检验的 p 值，已放宽并校正",
    "verdict": "判断",
    "lon": "经度，度",
    "lat": "纬度，度",
}
_OF_SCHEMA = {"incidents": "incident", "cameras": "camera", "key_places": "key_place", "disputes": "dispute_stat"}
_OWN = {
    "counts": {
        "rate_per_1000": "每千人起数",
        "before_state": "对比时段的状态",
        "before_periods_missing": "对比时段缺报的单位期数",
        "phi": "离散系数",
        "count_mature": "同等齐全度的起数",
        "before_mature": "对比时段同等齐全度的起数",
        "compared_count": "可比部分起数",
        "compared_before": "对比时段可比部分起数",
    },
    "incidents": {
        "community_name": "社区（村）名称",
        "street_name": "街道（乡镇）名称",
        "district_name": "区（县）名称",
    },
    "trend": {
        "start": "日、周或月的起始日",
        "category": "类别",
        "complete": "该步是否完整",
    },
    "profile": {"weekday": "星期，1为周一", "hour": "钟点，0—23"},
    "summary": {
        "kpi": "指标编号",
        "name": "指标名称",
        "now": "本期；率为百分数",
        "before": "对比期",
        "difference": "差；率为百分点",
        "numerator": "分子",
        "denominator": "分母",
        "unit": "单位",
        "formula": "公式",
        "state": "reported 已报，zero 零报或无，missing 未报，absent 来源未提供",
    },
    "disputes": {
        "handled_pct": "调处率，%：调处数 ÷ 排查数",
        "accepted_success_pct": "受理成功率，%：调处成功数 ÷ 受理数",
        "handled_success_pct": "调处成功率，%：调处成功数 ÷ 调处数",
    },
    "coverage": {
        "cameras": "台账中的摄像机",
        "in_use": "在用的摄像机",
        "online": "在线的摄像机（不含拆除）",
        "networked": "已联网的摄像机（不含拆除）",
        "intact": "完好率不低于98%的摄像机（不含拆除）",
        "hd": "高清摄像机（不含拆除）",
        "serviceable_pct": "完好率的平均值，%",
        "area_km2": "面积，平方公里",
        "covered_km2": "至少一个正常摄像机看到的面积，平方公里",
        "backup_km2": "至少两个正常摄像机看到的面积，平方公里",
        "covered_pct": "覆盖的面积，%",
        "incidents": "定位准确的事件",
        "incidents_covered": "其中正常摄像机看到的",
        "incidents_covered_pct": "其中正常摄像机看到的，%",
    },
    "key_places": {"layer": "key_place 场所，key_area 区域，key_line 线路"},
    "hotspots": {
        "level": "层级",
        "label": "类型",
        "number": "热点编号，1为首",
        "q": "校正后的 p 值",
        "p": "校正前的 p 值",
        "class": "级别，0为最低",
        "from_per_km2": "下限，起每平方公里",
        "to_per_km2": "上限，起每平方公里",
        "area_km2": "面积，平方公里",
        "first": "最早一起",
        "last": "最近一起",
        "share_pct": "占全部有坐标的，%",
        "categories": "各类别起数（JSON）",
        "category_pct": "各类别所占，%（JSON）",
        "grid_code": "所在网格",
        "grid_name": "所在网格名称",
        "metres": "相距，米",
        "days": "相隔，天",
    },
}


def meaning(layer: str, column: str) -> str:
    """What a column of an exported layer means; empty where nothing is to be said."""
    own = _OWN.get(layer, {}).get(column)
    if own is not None:
        return own
    declared = {c.name: c.meaning for c in LAYERS[_OF_SCHEMA[layer]].columns} if layer in _OF_SCHEMA else {}
    return declared.get(column) or _COMMON.get(column, "")
