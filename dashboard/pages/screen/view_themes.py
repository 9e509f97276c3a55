"""Captions, legends and foot of the map's themes."""

from __future__ import annotations

from dashboard.components import html
from dashboard.components.legend import legend
from dashboard.components.words import LEVEL_NAMES, window_text
from dashboard.language import say
from dashboard.measures import CHANGE, COUNT, DISPUTES
from dashboard.pages.screen.looked_at import LookedAt
from dashboard.unit_values import UnitValues
from data.store.class_limits import ClassLimits
from geo.change import CLEAR_FALL, CLEAR_RISE, FALL, RISE

THEMES = (("hotspots", "热点"), ("grid", "网格"), ("disputes", "纠纷"), ("cover", "视频覆盖"), ("change", "变化"))
MEASURES = {"grid": COUNT, "disputes": DISPUTES, "change": CHANGE}
LEVELS = {
    "grid": ("grid", "community", "street", "district"),
    "disputes": ("street", "district"),
    "change": ("community", "street", "district", "grid"),
}
NAMED = ("district", "street", "community")  # names over the map are those of the first that lies under the area


def tabs(shown: list[str]) -> html.Element:
    """The themes that are shown as a row of buttons; the first is shown first."""
    words = dict(THEMES)
    return html.Div(
        [html.Button(say(words[name]), type="button", className="theme-tab" + ("" if i else " on"), **{"data-theme-name": name})
         for i, name in enumerate(shown)],
        className="theme-tabs", role="tablist",
    )  # fmt: skip


def theme_legend(at: LookedAt, theme: str, level: str, limits: ClassLimits, values: UnitValues) -> html.Element | None:
    """The legend of a theme that colours units."""
    measure = MEASURES[theme]
    if theme == "disputes":
        return _rings(level)
    shown = legend(at.selection, measure, level, limits, values.found_limits)
    return next((one for one in shown if measure in one[1]["class"].split()), None)


def _rings(level: str) -> html.Element:
    """What the rings of disputes mean."""
    rows = (("", "排查件数，圆面积"), (" open", "其中未化解"), (" zero", "零报"), (" missing", "未报"))
    words = [html.Div([html.Span("0" if kind == " zero" else "", className=f"ring-key{kind}"), say(text)],
                      className="legend-word") for kind, text in rows]  # fmt: skip
    head = html.Div(
        [html.Strong(say("纠纷排查")), " ", html.Span(f"{say('件')} / {say(LEVEL_NAMES[level])}", className="caption")]
    )
    return html.Div([head, *words], className="legend-of rings")


def theme_caption(at: LookedAt, theme: str, level: str, values: UnitValues, disputes: dict | None) -> str:
    """What a theme says in one line: the answer, not the method."""
    rows = values.counted.rows
    units = say("{n}个{level}", n=f"{rows.num_rows:,}", level=say(LEVEL_NAMES[level]))
    if theme == "grid":
        states = rows["state"].to_pylist()
        missing, zero = states.count("missing"), states.count("zero")
        return " · ".join([units, say("未报 {n}", n=f"{missing:,}"), say("零报或无 {n}", n=f"{zero:,}")])
    if theme == "change":
        words = rows["verdict"].to_pylist()
        rises = [say("{word} {n}处", word=say(word), n=words.count(word))
                 for word in (CLEAR_RISE, RISE, FALL, CLEAR_FALL) if words.count(word)]  # fmt: skip
        return " · ".join([units, *(rises or [say("都在正常波动内")])])
    if not disputes or not disputes["sources"]:
        return say("本发布没有纠纷来源。")
    total = disputes["total"]
    told = say("未报") if total is None else say("排查 {n} 件", n=f"{total['found'] or 0:,}")
    gaps = disputes["periods_missing"]
    return " · ".join([units, told, *([say("缺{n}个上报期", n=f"{gaps:,}")] if gaps else [])])


def cover_legend() -> html.Element:
    """What the coverage is drawn with."""
    rows = (("good-1", "1 台可见"), ("good-2", "2 台以上"), ("bad-1", "仅离线设备"), ("none-1", "状态不明"))
    words = [
        html.Div([html.Span(className=f"swatch-box {key}"), say(text)], className="legend-word") for key, text in rows
    ]
    failing = html.Div([html.Span("◇", className="mark warn"), say("未通过规则的目标")], className="legend-word")
    head = html.Div([html.Strong(say("可用摄像机覆盖")), " ", html.Span(say("按可视范围"), className="caption")])
    return html.Div([head, *words, failing], className="legend-of cover")


def foot(at: LookedAt, unplaced: int) -> list:
    """Window, what is drawn and what is not, the counting rule, the release."""
    parts = [window_text(at.window, year=True)]
    if unplaced:
        parts.append(say("未落入网格未上图 {n}起", n=f"{unplaced:,}"))
    parts.append(say("按发生时间计"))
    return [
        html.Span(" · ".join(parts)),
        html.Span(say("发布 {id}", id=at.release.info.release_id), className="release-id"),
    ]
