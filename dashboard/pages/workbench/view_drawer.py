"""The drawer under the map: which lists there are, their columns, what stands over them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from dashboard.alert_words import alert_words
from dashboard.components import html
from dashboard.components.link import link
from dashboard.components.words import LEVEL_NAMES, listed, window_text
from dashboard.language import current, say
from dashboard.pages.workbench.state import TABS, PageState
from data.app_db import Acknowledgement
from data.store.alerts import Alert

_NAMES = {"incidents": "警情", "hotspots": "热点", "places": "场所", "alerts": "预警"}
# (field, name, least width in pixels or (that, in English), share of the rest or 0 for none, more); numbers stand right.
_INCIDENTS = (
    ("incident_id", "编号", (140, 108), 2, {"tooltipField": "incident_id"}),
    ("occurred_from", "发生时间", 106, 0, {"valueFormatter": {"function": "yanpanWhen(params)"}}),
    ("category", "类别", (76, 118), 0, {"cellRenderer": "YanpanCategory"}),
    ("subcategory", "子类", 76, 2, {"tooltipField": "subcategory"}),
    ("community", "社区", (80, 92), 2, {"cellRenderer": "YanpanUnit"}),
    ("grid", "网格", (90, 76), 3, {"cellRenderer": "YanpanUnit", "cellRendererParams": {"short": True}}),
    ("place_type", "场所", 76, 1, {}),
    ("location_quality", "定位", 86, 1, {"cellRenderer": "YanpanLocated"}),
    ("status", "状态", 64, 1, {}),
)


def columns(tab: str, absent: tuple[str, ...] = ()) -> list[dict]:
    """Column definitions of a list for AG Grid.

    Parameters
    ----------
    tab : str
        One of ``TABS``.
    absent : tuple of str
        Fields no source provides (``meta.absent`` of :func:`data.store.rows.incident_rows`): their columns are left out.
    """
    return [_column(*one) for one in _COLUMNS[tab] if one[0] not in absent]


def _column(field: str, name: str, width: int | tuple[int, int], flex: int, more: dict) -> dict:
    if isinstance(width, tuple):
        width = width[current() == "en"]
    size = {"minWidth": width, "flex": flex} if flex else {"width": width}
    return {"field": field, "headerName": say(name), **size, **more}


def _number(field: str, name: str, width: int, function: str) -> tuple:
    return field, name, width, 1, {"type": "rightAligned", "valueFormatter": {"function": function}}


_UNITS = (
    ("name", "名称", (120, 132), 2, {"cellRenderer": "YanpanArea"}),
    ("parent", "上级", (100, 84), 2, {}),
    *(
        _number(field, name, width, f"yanpanFormat('{field}', params)")
        for field, name, width in (
            ("count", "起数", 66), ("before", "对比期", 76), ("difference", "差", 64), ("percent", "变化", 80),
            ("rate", "每千人", 76), ("p", "p", 66),
        )
    ),
    ("verdict", "判断", (112, 148), 1, {"cellRenderer": "YanpanVerdict"}),
)  # fmt: skip
_HOTSPOTS = (
    _number("number", "序号", 60, "yanpanWhole(params)"),
    ("name", "名称", 160, 4, {"cellRenderer": "YanpanUnit"}),
    ("word", "类型", 110, 1, {}),
    _number("units", "单元", 66, "yanpanWhole(params)"),
    _number("count", "起数", 66, "yanpanWhole(params)"),
    _number("before", "对比期", 76, "yanpanWhole(params)"),
    _number("difference", "差", 64, "yanpanSigned(params)"),
    _number("excess", "高出均值", 88, "yanpanFixed(params, 1)"),
    _number("q_min", "q", 76, "yanpanSmall(params)"),
)
_PLACES = (
    ("grid", "所在网格", 160, 3, {"cellRenderer": "YanpanUnit"}),
    _number("count", "起数", 66, "yanpanWhole(params)"),
    _number("share_pct", "占比%", 72, "yanpanFixed(params, 2)"),
    ("kinds", "类别", 160, 3, {}),
    ("first", "最早", (100, 110), 1, {"valueFormatter": {"function": "yanpanClock(params)"}}),
    ("last", "最近", (100, 110), 1, {"valueFormatter": {"function": "yanpanClock(params)"}}),
)
_ALERTS = (
    ("kind", "类型", (96, 120), 0, {}),
    ("name", "名称", 140, 2, {"cellRenderer": "YanpanUnit"}),
    ("words", "内容", 260, 5, {"tooltipField": "words"}),
    ("severity", "级别", (72, 90), 0, {}),
    ("window", "时间", 150, 2, {}),
    ("first_seen", "首次发现", (100, 110), 1, {"valueFormatter": {"function": "yanpanClock(params)"}}),
    ("seen", "处置", (92, 116), 0, {"cellRenderer": "YanpanSeen"}),
)
_COLUMNS = {"units": _UNITS, "incidents": _INCIDENTS, "hotspots": _HOTSPOTS, "places": _PLACES, "alerts": _ALERTS}
_SEVERITIES = {"high": "▲ 高", "medium": "◆ 中", "low": "○ 低"}


def hotspot_rows(groups: list[dict], words: dict[str, str]) -> list[dict]:
    """Rows of the hotspots' list.

    Parameters
    ----------
    groups : list of dict
        ``meta["groups"]`` of :func:`data.store.hotspots.hotspots`.
    words : dict
        What each class is called.
    """
    rows = []
    for group in groups:
        label = max(group["classes"], key=lambda name: group["classes"][name])
        difference = None if group["before"] is None else group["count"] - group["before"]
        rows.append({**group, "word": say(words.get(label, label)), "difference": difference})
    return rows


def place_rows(features: list[str]) -> list[dict]:
    """Rows of the places' list, from the features of method ``repeat_places``: points where it happens again."""
    rows = []
    for text in features:
        feature = json.loads(text)
        one, (lon, lat) = feature["properties"], feature["geometry"]["coordinates"]
        kinds = listed(f"{say(name)} {n:,}" for name, n in one["categories"].items())
        rows.append(
            {"grid": one["grid_name"], "grid_code": one["grid_code"], "count": one["count"], "share_pct": one["share_pct"],
             "kinds": kinds, "first": one["first"], "last": one["last"], "lon": lon, "lat": lat}
        )  # fmt: skip
    return rows


def alert_rows(found: list[Alert], seen: Mapping[str, Acknowledgement]) -> list[dict]:
    """Rows of the alerts' list, worst first, those nobody has seen to before the others."""
    rows = []
    for alert in found:
        kind, words = alert_words(alert)
        start, end = alert.window
        rows.append(
            {"kind": kind, "name": alert.name or say("全市"), "code": alert.code, "words": words,
             "severity": say(_SEVERITIES[alert.severity]), "window": window_text((start.date(), end.date())) if start and end else "",
             "first_seen": alert.first_seen.isoformat() if alert.first_seen else None, "alert_id": alert.alert_id,
             "seen": alert.alert_id in seen}
        )  # fmt: skip
    return sorted(rows, key=lambda row: row["seen"])


def tabs(state: PageState, level: str, matched: dict[str, int]) -> html.Element:
    """The tabs, the open one underlined; each with how many it lists, where that is known."""
    names = {"units": LEVEL_NAMES[level], **_NAMES}
    items = []
    for tab in TABS:
        count = f" {matched[tab]:,}" if tab in matched else ""
        items.append(
            link(say(names[tab]) + count, state.href(tab=tab), className="view tab-link" + (" on" if tab == state.tab else ""),
                 role="tab", **{"aria-selected": str(tab == state.tab).lower()})
        )  # fmt: skip
    return html.Nav(items, className="drawer-tabs", role="tablist", **{"aria-label": say("列表")})


def head(meta: dict) -> str:
    """What a list holds: 匹配 1,051 · 显示 500 · 无坐标 3.

    Parameters
    ----------
    meta : dict
        ``matched, returned`` of an answer; ``unplaced`` where it says so.
    """
    parts = [say("匹配 {all}", all=f"{meta['matched']:,}"), say("显示 {n}", n=f"{meta['returned']:,}")]
    if meta.get("unplaced"):
        parts.append(say("无坐标 {n}", n=f"{meta['unplaced']:,}"))
    return " · ".join(parts)
