"""Every layer of a release, declared once: names, types, units and meaning of each column.

In memory a release is ``dict[str, pyarrow.Table]`` keyed by layer name. Each table has the columns declared here in
this order, then its geometry: point layers carry ``x`` and ``y`` (float64, storage CRS, null where there is no usable
point), polygon and line layers carry ``geom`` (WKB binary, storage CRS). Text columns may be dictionary-encoded.
Times are wall-clock times of the release's zone without offset; null means the source did not say.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

CATEGORIES = ("刑事", "治安", "交通", "火灾", "纠纷", "求助", "其他", "无效")
INVALID = "无效"  # kept, but out of every Selection that does not name it
OTHER = "其他"
LEVELS = ("province", "city", "district", "street", "community")  # of areas, from wide to narrow; grids stand below
GRID_KINDS = ("基础", "专属")
LOCATION_QUALITIES = ("exact", "centroid", "pile_up", "low_precision", "outside", "none")
REPORT_STATES = ("missing", "zero", "reported")
NETWORKS = ("天网", "雪亮", "地网", "社会")
DEVICE_STATES = ("在用", "维修", "拆除")
COVERAGE_METHODS = ("radius", "sector", "visible")
CLOSED_LEVELS = ("村", "乡", "县")

TEXT, WHOLE, REAL, FLAG, TIME, DAY = (pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.timestamp("s"), pa.date32())


@dataclass(frozen=True)
class Column:
    """One column: its name (units end it), Arrow type, whether null is refused, and what it means."""

    name: str
    type: pa.DataType
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class Layer:
    """One layer of city.gpkg. ``geometry`` is None for plain tables."""

    name: str
    title: str
    geometry: str | None
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names without the geometry."""
        return tuple(column.name for column in self.columns)

    def arrow_schema(self) -> pa.Schema:
        """Columns in order, then ``x, y`` or ``geom``."""
        fields = [pa.field(c.name, c.type) for c in self.columns]
        if self.geometry == "Point":
            fields += [pa.field("x", REAL), pa.field("y", REAL)]
        elif self.geometry:
            fields.append(pa.field("geom", pa.binary()))
        return pa.schema(fields)

    def empty(self) -> pa.Table:
        """A table of this layer without rows."""
        return self.arrow_schema().empty_table()


def _c(name: str, type_: pa.DataType, meaning: str, required: bool = False) -> Column:
    return Column(name, type_, meaning, required)


_VALID = (_c("valid_from", DAY, "启用日期；空为一直有效"), _c("valid_to", DAY, "停用日期（不含）；空为仍有效"))
_PLACE = (
    _c("place_id", TEXT, "场所编号", True),
    _c("name", TEXT, "名称"),
    _c("kind", TEXT, "类型"),
    _c("parent_id", TEXT, "出入口所属场所"),
    _c("grid_code", TEXT, "所在网格"),
    _c("attributes", TEXT, "其余属性（JSON）"),
)

LAYERS: dict[str, Layer] = {
    layer.name: layer
    for layer in (
        Layer(
            "area",
            "区域",
            "MultiPolygon",
            (
                _c("code", TEXT, "区划代码", True),
                _c("name", TEXT, "名称"),
                _c("level", TEXT, "层级 province city district street community", True),
                _c("parent_code", TEXT, "上级区划代码"),
                _c("population", WHOLE, "人口数"),
                _c("households", WHOLE, "户数"),
                *_VALID,
            ),
        ),
        Layer(
            "grid",
            "网格",
            "MultiPolygon",
            (
                _c("grid_code", TEXT, "网格编码", True),
                _c("name", TEXT, "名称"),
                _c("kind", TEXT, "基础或专属"),
                _c("community_code", TEXT, "社区（村）"),
                _c("street_code", TEXT, "街道（乡镇）"),
                _c("district_code", TEXT, "区（县）"),
                _c("population", WHOLE, "人口数"),
                _c("households", WHOLE, "户数"),
                _c("staff_count", WHOLE, "网格员数"),
                *_VALID,
            ),
        ),
        Layer(
            "incident",
            "警情事件",
            "Point",
            (
                _c("incident_id", TEXT, "事件编号；来源未给时为行哈希", True),
                _c("occurred_from", TIME, "发生时间（起）", True),
                _c("occurred_to", TIME, "时段的止（不含）；空为确切时刻"),
                _c("recorded_at", TIME, "录入时间"),
                _c("category", TEXT, "类别", True),
                _c("subcategory", TEXT, "来源原有类别"),
                _c("status", TEXT, "办理状态"),
                _c("grid_code", TEXT, "网格"),
                _c("community_code", TEXT, "社区（村）"),
                _c("street_code", TEXT, "街道（乡镇）"),
                _c("district_code", TEXT, "区（县）"),
                _c("place_type", TEXT, "场所类型"),
                _c("location_quality", TEXT, "定位质量", True),
                _c("source_id", TEXT, "来源", True),
            ),
        ),
        Layer(
            "dispute_stat",
            "矛盾纠纷统计",
            None,
            (
                _c("period_start", DAY, "期初", True),
                _c("period_end", DAY, "期末（不含）", True),
                _c("area_code", TEXT, "单位", True),
                _c("category", TEXT, "纠纷类型；空为合计"),
                _c("channel", TEXT, "调解方式"),
                _c("found", WHOLE, "排查数"),
                _c("accepted", WHOLE, "受理数"),
                _c("handled", WHOLE, "调处数"),
                _c("succeeded", WHOLE, "调处成功数"),
                _c("partial", WHOLE, "部分成功数"),
                _c("failed", WHOLE, "调处失败数"),
                _c("open", WHOLE, "未化解数"),
                _c("on_time", WHOLE, "按期办结数"),
                _c("overdue", WHOLE, "逾期数"),
                _c("open_le30", WHOLE, "未化解不超过30天"),
                _c("open_31_90", WHOLE, "未化解31至90天"),
                _c("open_gt90", WHOLE, "未化解超过90天"),
                _c("closed_level", TEXT, "化解层级 村 乡 县"),
                _c("source_id", TEXT, "来源", True),
            ),
        ),
        Layer(
            "report_status",
            "上报情况",
            None,
            (
                _c("period_start", DAY, "期初", True),
                _c("period_end", DAY, "期末（不含）", True),
                _c("area_code", TEXT, "上报单位", True),
                _c("dataset", TEXT, "来源编号", True),
                _c("state", TEXT, "missing 未报 zero 零报 reported 已报", True),
                _c("due_at", TIME, "应报时间"),
                _c("reported_at", TIME, "实报时间"),
            ),
        ),
        Layer(
            "camera",
            "摄像机",
            "Point",
            (
                _c("camera_code", TEXT, "设备编码", True),
                _c("name", TEXT, "名称"),
                _c("network", TEXT, "天网 雪亮 地网 社会"),
                _c("location_type", TEXT, "位置类型"),
                _c("bearing_deg", REAL, "朝向，正北起顺时针，度"),
                _c("fov_deg", REAL, "水平视场角，度"),
                _c("range_m", REAL, "可视距离，米"),
                _c("online", FLAG, "在线"),
                _c("networked", FLAG, "已联网"),
                _c("device_state", TEXT, "在用 维修 拆除"),
                _c("serviceable_pct", REAL, "统计期完好率，%"),
                _c("status_at", TIME, "状态时间"),
                _c("hd", FLAG, "高清"),
                _c("installed_on", DAY, "安装日期"),
                _c("grid_code", TEXT, "所在网格"),
            ),
        ),
        Layer(
            "camera_coverage",
            "视频覆盖",
            "Polygon",
            (
                _c("camera_code", TEXT, "设备编码", True),
                _c("method", TEXT, "radius sector visible", True),
                _c("area_m2", REAL, "覆盖面积，平方米"),
                _c("online", FLAG, "在线"),
            ),
        ),
        Layer("key_place", "重点场所", "Point", _PLACE),
        Layer("key_area", "重点区域", "MultiPolygon", _PLACE),
        Layer("key_line", "重点线路", "MultiLineString", _PLACE),
        Layer(
            "indicator",
            "指标",
            None,
            (
                _c("indicator_id", TEXT, "指标编号", True),
                _c("definition_version", TEXT, "口径版本"),
                _c("period_start", DAY, "期初", True),
                _c("period_end", DAY, "期末（不含）", True),
                _c("area_code", TEXT, "单位", True),
                _c("numerator", REAL, "分子"),
                _c("denominator", REAL, "分母"),
                _c("value", REAL, "值"),
                _c("state", TEXT, "missing zero reported", True),
                _c("source_id", TEXT, "来源", True),
            ),
        ),
        Layer(
            "alert",
            "预警",
            None,
            (
                _c("alert_id", TEXT, "预警编号", True),
                _c("kind", TEXT, "类型", True),
                _c("area_code", TEXT, "区域"),
                _c("window_start", TIME, "时间窗起"),
                _c("window_end", TIME, "时间窗止（不含）"),
                _c("severity", TEXT, "级别"),
                _c("evidence", TEXT, "依据（JSON）"),
                _c("first_seen", TIME, "首次出现"),
            ),
        ),
        Layer("base_road", "道路", "MultiLineString", (_c("name", TEXT, "名称"), _c("kind", TEXT, "类型"))),
        Layer("base_building", "建筑", "MultiPolygon", (_c("name", TEXT, "名称"), _c("kind", TEXT, "类型"))),
        Layer("base_water", "水系", "MultiPolygon", (_c("name", TEXT, "名称"), _c("kind", TEXT, "类型"))),
        Layer(
            "source_run",
            "来源记录",
            None,
            (
                _c("source_id", TEXT, "来源", True),
                _c("file", TEXT, "文件名（不含目录）", True),
                _c("sha256", TEXT, "文件校验和", True),
                _c("rows_in", WHOLE, "读入行数", True),
                _c("rows_out", WHOLE, "入库行数", True),
                _c("rows_rejected", WHOLE, "退回行数", True),
                _c("encoding", TEXT, "编码"),
                _c("crs_declared", TEXT, "声明的坐标系"),
                _c("crs_detected", TEXT, "判定的坐标系"),
                _c("started_at", TIME, "开始（UTC）"),
                _c("finished_at", TIME, "结束（UTC）"),
                _c("code_version", TEXT, "程序版本"),
            ),
        ),
        Layer(
            "reject",
            "退回记录",
            None,
            (
                _c("source_id", TEXT, "来源", True),
                _c("file", TEXT, "文件名", True),
                _c("row", WHOLE, "行号（从1起，含表头）", True),
                _c("reason_code", TEXT, "原因代码", True),
                _c("reason", TEXT, "原因（不含原值）", True),
            ),
        ),
    )
}
