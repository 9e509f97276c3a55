"""The sources.toml of a demo."""

from __future__ import annotations

from etl.demo.frame import TIMEZONE, TITLE, Scale

MARKER = "# yanpan demo: 合成数据，由 yanpan demo 生成，可被其重写"


def declaration(scale: Scale) -> str:
    """Text of sources.toml for the files that a demo of this scale writes."""
    large = scale.bulky
    names = {
        "grids": "wangge.zip" if large else "wangge.shp",
        "events": "wgsj.csv.gz" if large else "wgsj.xlsx",
        "weekly": "纠纷周报.csv.gz" if large else "纠纷周报.csv",
        "register": "上报登记.csv.gz" if large else "上报登记.csv",
        "cameras": "一机一档.csv.gz" if large else "一机一档.xlsx",
    }
    return _TEXT.format(marker=MARKER, title=TITLE, timezone=TIMEZONE, **names)


_TEXT = """{marker}
[release]
title = "{title}"
crs = "EPSG:4490"
timezone = "{timezone}"
codes = "china"
synthetic = true

[[source]]
id = "areas"
kind = "area"
path = "inbox/区域.geojson"
[source.columns]
code = "代码"
name = "名称"
level = "层级"
parent_code = "上级代码"
population = "人口数"
households = "户数"
[source.values.level]
"市" = "city"
"区县" = "district"
"镇街" = "street"
"社区村" = "community"

[[source]]
id = "grids"
kind = "grid"
path = "inbox/{grids}"
[source.columns]
grid_code = "网格编码"
name = "网格名称"
kind = "网格类型"
community_code = "所属社区编"
population = "人口数"
households = "户数"
staff_count = "网格员数"
valid_from = "启用日期"

[[source]]
id = "jq110"
kind = "incident"
path = "inbox/jq_*.csv"
crs = "auto"
cadence = "day"
[source.columns]
incident_id = "警情编号"
occurred_from = "发生时间"
recorded_at = "录入时间"
category = ["反馈类别", "接警类别"]
subcategory = "细类"
lon = "经度"
lat = "纬度"
grid_code = "网格编码"
status = "办理状态"
place_type = "场所类型"

[[source]]
id = "grid_event"
kind = "incident"
path = "inbox/{events}"
crs = "gcj02"
cadence = "week"
[source.columns]
incident_id = "事件编号"
occurred_from = "发生时间"
recorded_at = "上报时间"
category = "事件类别"
subcategory = "事件小类"
lon_lat = "经纬度"
grid_code = "网格编码"
status = "状态"
[source.values.category]
"矛盾纠纷" = "纠纷"
"便民服务" = "求助"
"市容环境" = "其他"
"公共设施" = "其他"

[[source]]
id = "dispute_month"
kind = "dispute"
path = "inbox/纠纷_*.xlsx"
cadence = "month"
grace_days = 5
[source.columns]
area_name = "镇办"

[[source]]
id = "dispute_week"
kind = "dispute"
path = "inbox/{weekly}"
cadence = "week"
[source.columns]
area_code = "单位编码"
period = "周"
found = "排查数"
accepted = "受理数"
handled = "调处数"
succeeded = "调处成功数"

[[source]]
id = "register"
kind = "report_status"
path = "inbox/{register}"
[source.columns]
area_code = "单位编码"
dataset = "数据项"
period = "期"
state = "状态"
due_at = "应报时间"
reported_at = "实报时间"
[source.values.dataset]
"网格事件" = "grid_event"
"纠纷月报" = "dispute_month"
"纠纷周报" = "dispute_week"
[source.values.state]
"未报" = "missing"
"零报" = "zero"
"已报" = "reported"

[[source]]
id = "cameras"
kind = "camera"
path = "inbox/{cameras}"
crs = "auto"
cadence = "month"
[source.columns]
camera_code = "设备编码"
name = "设备名称"
network = "所属网络"
location_type = "照射具体位置"
lon = "经度(WGS-84)"
lat = "纬度(WGS-84)"
direction = "摄像机方向"
fov_deg = "视场角"
range_m = "可视距离"
online = "在线"
networked = "联网属性"
device_state = "设备状态"
serviceable_pct = "完好率"
status_at = "状态时间"
hd = "是否高清"
installed_on = "安装时间"
grid_code = "网格编码"
[source.values.network]
"天网工程" = "天网"
"雪亮工程" = "雪亮"
"地网" = "地网"
"社会单位" = "社会"
[source.values.location_type]
"1" = "出入口"
"2" = "背街小巷"
"3" = "人行道"
"4" = "非机动车道"
"5" = "主干道路段"
"6" = "交叉路口"
[source.values.networked]
"0" = true
"1" = false
[source.values.device_state]
"1" = "在用"
"2" = "维修"
"3" = "拆除"

[[source]]
id = "key_places"
kind = "key_place"
path = "inbox/重点场所.geojson"
[source.columns]
place_id = "place_id"
name = "名称"
kind = "类型"
parent_id = "上级场所"
grid_code = "网格编码"

[[source]]
id = "key_areas"
kind = "key_place"
path = "inbox/重点区域.geojson"
[source.columns]
place_id = "place_id"
name = "名称"
kind = "类型"

[[source]]
id = "roads"
kind = "base_road"
path = "inbox/底图.gpkg"
layer = "road"
[source.columns]
name = "name"
kind = "kind"

[[source]]
id = "buildings"
kind = "base_building"
path = "inbox/底图.gpkg"
layer = "building"
[source.columns]
name = "name"
kind = "kind"

[[source]]
id = "water"
kind = "base_water"
path = "inbox/底图.gpkg"
layer = "water"
[source.columns]
name = "name"
kind = "kind"
"""
