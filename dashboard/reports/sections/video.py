"""视频与盲区: four rates against their targets, rules that fail, hotspots nobody sees, the order of repair."""

from __future__ import annotations

import json

from dashboard.components.words import NOTHING, whole
from dashboard.reports.asked import Asked
from dashboard.reports.model import Cell, Finding, Section, Table
from dashboard.reports.wording import names
from data.store import coverage, coverage_rules
from data.store.coverage import blind_hotspots
from data.store.coverage.repairs import WEEKS, repairs
from geo.change import percent_text
from geo.coverage.summary import NOT_JUDGED

_REPAIRS, _BLIND = 6, 6


def video(at: Asked) -> Section:
    """The section."""
    meta = coverage(at.release, at.selection, at.scope).meta
    rates = [rate for rate in meta["rates"] if rate["denominator"]]
    if not rates:
        return Section("video", (Finding("没有摄像机台账，视频覆盖未评估。"),))
    below = [rate for rate in rates if rate["target_pct"] is not None and rate["pct"] < rate["target_pct"]]
    told = "，".join(
        f"{rate['name']}{percent_text(rate['numerator'], rate['denominator'], decimals=at.decimals)}" for rate in rates
    )
    head = Finding(
        f"{told}；" + (f"{names([rate['name'] for rate in below])}未达标。" if below else "有目标的各率均达标。"),
        9,
        "warn" if below else "good",
    )
    findings, blocks = [head], [_rates(rates, at.decimals)]
    rules = coverage_rules(at.release, at.selection, at.scope).rows.to_pylist()
    failing = [rule for rule in rules if rule["state"] != NOT_JUDGED and rule["passing"] < rule["total"]]
    if failing:
        worst = min(failing, key=lambda rule: rule["passing"] / rule["total"])
        findings.append(
            Finding(
                f"九条覆盖规则中{len(failing)}条有不达标的点位，通过率最低的是“{worst['words']}”，{whole(worst['passing'])}÷{whole(worst['total'])}。",
                7,
                "warn",
            )
        )
    blocks.append(_rules(rules, at.decimals))
    if at.release.reports.source_ids and len(at.release.units.level("grid")):
        blind, _, _ = blind_hotspots(at.release, at.selection, at.scope, None)
        if blind:
            places = [json.loads(text)["properties"] for text in blind]
            findings.append(
                Finding(
                    f"{len(places)}个热点网格一半以上事件没有摄像机看到：{names([one['name'] for one in places], 3)}。",
                    8,
                    "bad",
                )
            )
            blocks.append(_blind(places))
    order, broken = repairs(at.release, at.selection, at.scope)
    if broken:
        gained = bool(order[0].gain)
        told = f"，先修下表各台：近{WEEKS}周各自范围内无人看到的事件最多。" if gained else "。"
        findings.append(Finding(f"不在工作的摄像机{whole(broken)}台{told}", 6))
    if broken and gained:
        rows = tuple(
            (Cell(str(i)), Cell(one.name or "—"), Cell(one.code), Cell(one.network or "—"), Cell(whole(one.gain)))
            for i, one in enumerate(order[:_REPAIRS], 1)
        )
        blocks.append(
            Table(
                "维修次序",
                ("次序", "名称", "编码", "网", "可补事件"),
                rows,
                texts=4,
                widths=(0.5, 1.5, 2.4, 0.6, 0.9),
                note=f"可补事件：近{WEEKS}周其范围内现无工作摄像机看到的事件数。",
            )
        )
    return Section("video", tuple(findings), tuple(blocks))


def _rates(rates: list[dict], decimals: int) -> Table:
    rows = []
    for rate in rates:
        target = rate["target_pct"]
        gap = NOTHING if target is None else "达标" if rate["pct"] >= target else f"差{target - rate['pct']:.1f}"
        tone = "" if target is None else "good" if rate["pct"] >= target else "warn"
        numerator = f"{rate['numerator']:,}"
        rows.append((Cell(rate["name"]), Cell(f"{numerator} ÷ {rate['denominator']:,}"), Cell(percent_text(rate["numerator"], rate["denominator"], decimals=decimals)),
                     Cell(NOTHING if target is None else f"{target:g}%"), Cell(gap, tone)))  # fmt: skip
    return Table(
        "四率与目标",
        ("率", "数", "百分比", "目标", "差距"),
        tuple(rows),
        widths=(1, 1.4, 0.9, 0.8, 0.8),
        note="目标依发改高技〔2015〕996号；差距为百分点。",
    )


def _rules(rules: list[dict], decimals: int) -> Table:
    rows = []
    for rule in rules:
        judged = rule["state"] != NOT_JUDGED
        share = percent_text(rule["passing"], rule["total"], decimals=decimals) if judged else "未评估"
        kept = judged and rule["passing"] == rule["total"]
        rows.append((Cell(("天网 " if rule["rule"].startswith("tw") else "地网 ") + rule["words"]), Cell(f"{rule['passing']:,} ÷ {rule['total']:,}" if judged else NOTHING),
                     Cell(share, "good" if kept else "warn" if judged else "")))  # fmt: skip
    return Table(
        "九条覆盖规则",
        ("规则", "通过 ÷ 已评估", "通过率"),
        tuple(rows),
        widths=(2.4, 1.1, 0.8),
        note="没有场所或入口数据的为未评估，不是未覆盖。",
    )


def _blind(places: list[dict]) -> Table:
    rows = tuple(
        (Cell(one["name"]), Cell(whole(one["count"])), Cell(whole(one["uncovered"])), Cell(f"{one['uncovered_pct']:g}%"),
         Cell(NOTHING if one["nearest_camera_m"] is None else f"{one['nearest_camera_m']:,.0f}"))
        for one in places[:_BLIND]
    )  # fmt: skip
    more = f"只列前{_BLIND}个，共{len(places)}个。" if len(places) > _BLIND else ""
    return Table(
        "看不到的热点网格",
        ("网格", "事件", "看不到", "占比", "最近摄像机（米）"),
        rows,
        widths=(2.2, 0.7, 0.7, 0.7, 1.2),
        note=f"只计发生地点可靠的事件。{more}",
    )
