"""上报情况 and 数据质量: who has not reported, and what the data lacks."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from dashboard.components.words import whole, window_text
from dashboard.reports.asked import Asked
from dashboard.reports.model import Cell, Finding, Section, Table
from dashboard.reports.wording import names
from data.schema import LOCATION_QUALITIES
from data.store.filters import INCIDENT, day_window, in_days, selected
from data.store.returns import MISSING, NIL, any_sheet, returns
from geo.change import percent_text

_LISTED = 12
_QUALITY = {
    "exact": "准确",
    "low_precision": "精度低",
    "centroid": "质心",
    "pile_up": "堆积",
    "outside": "界外",
    "none": "无坐标",
}


def reporting(at: Asked) -> Section:
    """上报情况."""
    found = returns(at.release, at.selection, at.scope)
    if not found:
        if any_sheet(at.release):
            return Section("reporting", (Finding("本期没有到期的上报。"),))
        return Section("reporting", (Finding("没有上报台账：有事件的来源在首末记录之间按已报计。"),))
    missing = [one for one in found if one.state == MISSING]
    late = [one for one in found if one.late]
    nil = [one for one in found if one.state == NIL]
    told = len(found) - len(missing)
    share = percent_text(told, len(found), decimals=at.decimals)
    head = f"应报{whole(len(found))}个单位期，已报（含零报）{whole(told)}个，上报率{share}；零报{whole(len(nil))}个，迟报{whole(len(late))}个，未报{whole(len(missing))}个。"
    findings = [Finding(head, 9, "warn" if missing else "good")]
    if missing:
        findings.append(
            Finding(f"未报单位：{names(list(dict.fromkeys(one.name for one in missing)), 8)}。未报不是零。", 8, "warn")
        )
    datasets = list(dict.fromkeys(one.dataset for one in found))
    rows = []
    for name in datasets:
        own = [one for one in found if one.dataset == name]
        count = [
            sum(test(one) for one in own)
            for test in (
                lambda o: True,
                lambda o: o.state not in (MISSING, NIL),
                lambda o: o.state == NIL,
                lambda o: o.late,
                lambda o: o.state == MISSING,
            )
        ]
        rows.append(
            (
                Cell(name),
                *(Cell(whole(n), "warn" if i == 4 and n else "") for i, n in enumerate(count)),
                Cell(percent_text(count[0] - count[4], count[0], decimals=at.decimals)),
            )
        )
    blocks = [
        Table(
            "各来源上报",
            ("来源", "应报", "已报", "零报", "迟报", "未报", "上报率"),
            tuple(rows),
            note="单位期；迟报已含在已报、零报之内。",
            widths=(1.7, 0.8, 0.8, 0.8, 0.8, 0.8, 1.0),
        )
    ]
    faults = [*((one, "未报") for one in missing), *((one, "迟报") for one in late)]
    if faults:
        shown = tuple(
            (
                Cell(one.name),
                Cell(_source(at, one.dataset)),
                Cell(window_text((_day(one.start), _day(one.end)))),
                Cell(word, "warn"),
            )
            for one, word in faults[:_LISTED]
        )
        note = f"只列前{_LISTED}个，共{len(faults)}个。" if len(faults) > _LISTED else ""
        blocks.append(
            Table(
                "未报与迟报", ("单位", "来源", "统计期", "情况"), shown, texts=4, widths=(1.4, 1.2, 1.8, 0.6), note=note
            )
        )
    return Section("reporting", tuple(findings), tuple(blocks))


def quality(at: Asked) -> Section:
    """数据质量: rows read, kept and refused; how well events are placed."""
    runs = (
        []
        if at.scope.areas is not None
        else at.release.rows(
            sa.text(
                "SELECT source_id, sum(rows_in) AS i, sum(rows_out) AS o, sum(rows_rejected) AS r, count(*) AS n FROM source_run GROUP BY source_id ORDER BY source_id"
            )
        ).to_pylist()
    )
    read, refused = sum(int(row["i"]) for row in runs), sum(int(row["r"]) for row in runs)
    findings = (
        []
        if not runs
        else [
            Finding(
                f"本次发布读入{whole(read)}行，退回{whole(refused)}行（{percent_text(refused, read, decimals=2)}），每行都有去处。",
                5,
            )
        ]
    )
    blocks = []
    if runs:
        rows = tuple(
            (
                Cell(_source(at, row["source_id"])),
                *(Cell(whole(int(row[name]))) for name in ("n", "i", "o", "r")),
                Cell(percent_text(int(row["r"]), int(row["i"]), decimals=2)),
            )
            for row in runs
        )
        blocks.append(
            Table(
                "各来源行数",
                ("来源", "文件", "读入", "入库", "退回", "退回率"),
                rows,
                note="读入＝入库＋退回。",
                widths=(1.7, 0.6, 1.0, 1.0, 0.8, 0.8),
            )
        )
    located = _located(at)
    if located:
        total = sum(located.values())
        weak = total - located.get("exact", 0)
        findings.append(
            Finding(
                f"{at.now}{whole(total)}起中{whole(weak)}起定位不准或没有坐标（{percent_text(weak, total, decimals=at.decimals)}），都计入总数；其中堆积点与质心点不进热点，没有坐标的不上点位图。",
                4,
                "warn" if weak * 10 > total else "",
            )
        )
        rows = tuple(
            (Cell(_QUALITY[name]), Cell(whole(n)), Cell(percent_text(n, total, decimals=at.decimals)))
            for name, n in located.items()
        )
        blocks.append(Table(f"{at.now}事件的定位", ("定位", "起数", "占比"), rows))
    silent = [one.source_id for one in at.release.info.sources if one.silent]
    if silent:
        findings.append(Finding(f"停报的来源：{names(silent)}。其下各数不全。", 8, "bad"))
    return Section("quality", tuple(findings), tuple(blocks))


def _located(at: Asked) -> dict[str, int]:
    if not at.release.reports.source_ids:
        return {}
    rows = at.release.rows(
        sa.select(INCIDENT.quality, sa.func.count().label("n"))
        .where(in_days(*day_window(at.window)), *selected(at.release, at.selection, at.scope))
        .group_by("quality")
    )
    found = dict(zip(rows["quality"].to_pylist(), rows["n"].to_pylist(), strict=True))
    return {name: found[i] for i, name in enumerate(LOCATION_QUALITIES) if found.get(i)}


_KINDS = {"incident": "警情", "dispute": "纠纷", "grid": "网格", "area": "区划", "camera": "摄像机", "report_status": "上报登记",
          "key_place": "重点场所", "key_line": "线路", "indicator": "指标", "base_road": "道路", "base_building": "建筑", "base_water": "水系"}  # fmt: skip


def _source(at: Asked, source_id: str) -> str:
    """What a source is, with the name its file was declared under."""
    kind = next((one.kind for one in at.release.info.sources if one.source_id == source_id), "")
    return f"{_KINDS[kind]} {source_id}" if kind in _KINDS else source_id


def _day(moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
