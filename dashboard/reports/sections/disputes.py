"""矛盾纠纷: the funnel, three rates with their formulas, categories, ages of what is open, overdue."""

from __future__ import annotations

from dashboard.components.words import DISPUTE_STAGES, LEVEL_NAMES, NOTHING, p_text, signed, whole, window_text
from dashboard.reports.asked import Asked
from dashboard.reports.model import Cell, Chart, Finding, Section, Table
from dashboard.reports.wording import change_cells, percent_change, uneven, verdict_words
from data.selection import parse_period
from data.store import disputes as dispute_figures
from data.store.disputes import Compared, compared_disputes
from geo.change import percent_text

_AGES = {"le30": "30天以内", "31_90": "31—90天", "gt90": "90天以上"}
_KINDS, _UNITS = 8, 8
_COLUMNS = {"found": "排查", "handled": "调处", "open": "未办结", "overdue": "逾期"}


def disputes(at: Asked) -> Section:
    """The section."""
    level = at.level("street", "district", "community", "grid") or "grid"
    answer = dispute_figures(at.release, at.selection, at.scope, level)
    meta = answer.meta
    if not meta["sources"]:
        return Section("disputes", (Finding("本发布没有纠纷来源。"),))
    if meta["state"] is None:
        return Section("disputes", (Finding("纠纷来源不报到这一级，见上级区域。"),))
    if meta["total"] is None:
        return Section("disputes", (Finding("这一时段没有任何纠纷上报，全部未报。", 9, "warn"),))
    found = compared_disputes(at.release, at.selection, at.scope)
    total, period = meta["total"], _period(meta["period"])
    head = [
        period
        + "，".join(
            f"{name}{whole(total[stage])}件" for stage, name in DISPUTE_STAGES.items() if total[stage] is not None
        )
    ]
    rates = [rate for rate in meta["rates"] if rate["denominator"]]
    head += [
        f"{rate['name']}{percent_text(rate['numerator'], rate['denominator'], decimals=at.decimals)}" for rate in rates
    ]
    findings = [Finding("，".join(part for part in head if part) + "。", 9)]
    screened = found.changes.get("found")
    if screened is not None and screened.difference is not None:
        share = f"（{percent_change(screened, at.decimals)}）" if percent_change(screened, at.decimals) else ""
        words = f"排查数较{_period(meta['before'])}{signed(screened.difference)}件{share}，E检验{p_text(screened.p)}，{verdict_words(screened.verdict)}。"
        findings.append(Finding(words, 7))
    elif meta["before"]:
        findings.append(Finding(f"与{_period(meta['before'])}缺报较多或期数不同，不作比较。", 6))
    if total["overdue"]:
        findings.append(Finding(f"逾期未办结{whole(total['overdue'])}件。", 8, "bad"))
    if meta["periods_missing"]:
        findings.append(Finding(f"缺{meta['periods_missing']}个上报期，以上只是已报部分。", 8.5, "warn"))
    if meta["coarser"]:
        findings.append(Finding("时段短于统计期，以最近一期代替。", 6))
    blocks = [_funnel(at, meta, found), *([_rates(rates, at.decimals)] if rates else [])]
    blocks += [one for one in (_kinds(meta, at.decimals), _ages(meta), _units(answer, level)) if one is not None]
    return Section("disputes", tuple(findings), tuple(blocks))


def _period(told: dict | None) -> str:
    return "" if told is None else window_text(parse_period(f"{told['from']}..{told['to']}"), year=True)


def _funnel(at: Asked, meta: dict, found: Compared) -> Table:
    """Counts in both windows; differences where they may be compared, of units in for both."""
    total, before = meta["total"], meta["total_before"] or {}
    rows, odd = [], []
    for stage, name in [*DISPUTE_STAGES.items(), ("open", "未办结"), ("on_time", "按期办结"), ("overdue", "逾期")]:
        if total[stage] is None:
            continue
        change = found.changes.get(stage)
        told = NOTHING
        if change is not None and change.difference is not None:
            told = change_cells(change, at.decimals)[2].text
            odd.append(change)
        past = before.get(stage)
        rows.append((Cell(name), Cell(whole(total[stage])), Cell(NOTHING if past is None else whole(past)), Cell(told)))
    compared = f"上期为{_period(meta['before'])}；" if meta["before"] else ""
    return Table(
        "排查化解",
        ("环节", "本期", "上期", "环比"),
        tuple(rows),
        note=f"件；{compared}{uneven(odd)}受理、未办结等不作检验；缺报较多时不作比较。",
        widths=(1.0, 0.8, 0.8, 1.5),
    )


def _rates(rates: list[dict], decimals: int) -> Table:
    rows = tuple(
        (Cell(rate["name"]), Cell(rate["formula"]), Cell(f"{whole(rate['numerator'])} ÷ {whole(rate['denominator'])}"),
         Cell(percent_text(rate["numerator"], rate["denominator"], decimals=decimals)))
        for rate in rates
    )  # fmt: skip
    return Table(
        "三率",
        ("率", "算法", "数", "百分比"),
        rows,
        texts=2,
        widths=(1, 1.6, 1.3, 0.9),
        note="三个率分母不同，各用各的名称。",
    )


def _kinds(meta: dict, decimals: int) -> Table | None:
    kinds = [one for one in meta["categories"] if one["found"]]
    if not kinds:
        return None
    whole_sum = sum(one["found"] for one in kinds)
    rows = tuple(
        (Cell(one["category"]), Cell(whole(one["found"])), Cell(percent_text(one["found"], whole_sum, decimals=decimals)),
         Cell(NOTHING if one["before"] is None else whole(one["before"])), Cell(NOTHING if one["before"] is None else signed(one["found"] - one["before"])))
        for one in kinds[:_KINDS]
    )  # fmt: skip
    rest = f"只列前{_KINDS}类，共{len(kinds)}类。" if len(kinds) > _KINDS else ""
    return Table(
        "纠纷类型",
        ("类型", "本期", "占比", "上期", "差"),
        rows,
        note=f"件，按排查数；占比的分母是各类之和{whole(whole_sum)}件。{rest}",
    )


def _ages(meta: dict) -> Chart | None:
    ages = [
        (name, next((one["count"] for one in meta["ageing"] if one["band"] == band), None))
        for band, name in _AGES.items()
    ]
    if not any(count is not None for _, count in ages):
        return None
    return Chart(
        "未办结纠纷的已办时间",
        "bar",
        "件",
        tuple(name for name, _ in ages),
        (("未办结", tuple(None if n is None else float(n) for _, n in ages)),),
    )


def _units(answer, level: str) -> Table | None:
    """Units with most open or overdue ones."""
    rows = [row for row in answer.rows.to_pylist() if row["state"] is not None]
    if not rows or level == "grid":
        return None
    told = {name: head for name, head in _COLUMNS.items() if any(row[name] is not None for row in rows)}
    late = sorted(
        rows, key=lambda row: (-(row["overdue"] or 0), -(row["open"] or 0), -(row["found"] or 0), row["code"])
    )[:_UNITS]
    cells = tuple(
        (Cell(row["name"]), *(Cell("未报" if row["state"] == "missing" else NOTHING if row[name] is None else whole(row[name]), "warn" if row["state"] == "missing" else "")
                              for name in told))
        for row in late
    )  # fmt: skip
    ordered = [told[name] for name in ("overdue", "open", "found") if name in told]
    note = f"件；按{'、'.join(ordered)}排，只列前{len(cells)}。"
    return Table(f"各{LEVEL_NAMES[level]}", (LEVEL_NAMES[level], *told.values()), cells, note=note)
