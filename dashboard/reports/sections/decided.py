"""上期议定事项, 工作建议 and 议定事项: what was decided, whether it helped, what is proposed now."""

from __future__ import annotations

from datetime import timedelta

from dashboard.acts import effects_of
from dashboard.components.words import NOTHING, day_text, p_text, signed_tenths, whole
from dashboard.reports.asked import Asked
from dashboard.reports.model import Cell, Finding, Section, Table
from dashboard.reports.sections.hotspots import LEVEL, found_hotspots, peak_hours, why_not
from dashboard.reports.wording import names, p_cell
from dashboard.supervised import due_words
from dashboard.told_hotspots import place_of
from data.app_db import Item
from data.app_db.ledger import CLOSED, OPEN, SOON_DAYS, STRUCK, is_overdue
from data.store.alerting import LEAST_EVENTS
from data.store.coverage.repairs import WEEKS, repairs
from data.store.effect import Effect
from geo.evaluation.displacement import NO_CONTROL

_MILD = 0.05
_ADVISED = 4
_WEEKLY = 2  # patrols a week that a template proposes


def effect_words(one: Effect) -> str:
    """「之后4周连同周边比预计少23.7起（对照5处，95%区间−34.3至−13.1，p<0.001），超出偶然」, never more than is measured."""
    found = one.measured
    if found.note == NO_CONTROL:
        return f"之后{one.weeks}周{one.treated[1]}起，之前折算{one.treated[0] * found.ratio:.1f}起；{NO_CONTROL}"
    size = f"{abs(found.estimate):.1f}起"
    side = "少" if found.estimate < 0 else "多"
    low, high = signed_tenths(found.low), signed_tenths(found.high)
    judged = "超出偶然" if found.p < _MILD else "未超出偶然，不能说有效果"
    note = f"；{found.note}" if found.note else ""
    return f"之后{one.weeks}周连同周边比预计{side}{size}（对照{one.controls}处，95%区间{low}至{high}，{p_text(found.p)}），{judged}{note}"


def last(at: Asked) -> Section:
    """上期议定事项: what became of what was decided, and whether it helped."""
    known = [one for one in at.items if one.id in at.decided_before or _still_told(one, at)]
    if not known:
        return Section("last", (Finding("台账中没有上期议定或在办的事项。"),))
    state = {name: [one for one in known if one.state == name] for name in (OPEN, CLOSED, STRUCK)}
    overdue = [one for one in state[OPEN] if is_overdue(one, at.today)]
    soon = [one for one in state[OPEN] if not is_overdue(one, at.today) and (one.due - at.today).days <= SOON_DAYS]
    late = f"（逾期{len(overdue)}项，7日内到期{len(soon)}项）" if state[OPEN] else ""
    head = f"议定与在办事项{len(known)}项：在办{len(state[OPEN])}项{late}，结案{len(state[CLOSED])}项，销号{len(state[STRUCK])}项。"
    findings = [Finding(head, 9, "bad" if overdue else "")]
    if overdue:
        findings.append(
            Finding(
                f"逾期：{names([f'{one.matter}（{one.unit}，{due_words(one, at.today)}）' for one in overdue], 4)}。",
                8,
                "bad",
            )
        )
    measured = effects_of(at.release, at.scope, known, at.ledger)
    for one in known:
        if one.id in measured:
            findings.append(
                Finding(
                    f"{one.matter}：{effect_words(measured[one.id][-1])}。",
                    7,
                    "good" if _helped(measured[one.id][-1]) else "",
                )
            )
    order = sorted(known, key=lambda one: (not is_overdue(one, at.today), one.state != OPEN, one.due, one.id))
    rows = tuple(_row(at, one, measured.get(one.id)) for one in order)
    table = Table(
        "事项",
        ("编号", "事项与措施", "责任单位·岗位", "期限", "状态", "效果"),
        rows,
        texts=6,
        widths=(1.2, 2.1, 1.3, 0.8, 0.9, 2.4),
    )
    blocks = [table, *_compared(at, known, measured)]
    return Section("last", tuple(findings), tuple(blocks))


def _still_told(item: Item, at: Asked) -> bool:
    """Whether an item of an earlier meeting or of the list is told: it is open, recent, or its effect may be told yet."""
    if item.opened >= at.window[1]:
        return False
    ended = item.struck or item.closed
    return (
        item.opened >= at.before[0]
        or item.state == OPEN
        or (ended is not None and ended >= at.window[0] - timedelta(weeks=12))
    )


def _helped(one: Effect) -> bool:
    return one.controls > 0 and one.measured.estimate < 0 and one.measured.p < _MILD


def _row(at: Asked, item: Item, measured: list[Effect] | None) -> tuple[Cell, ...]:
    overdue = is_overdue(item, at.today)
    state = (
        due_words(item, at.today)
        if overdue
        else f"{item.state}" + (f"（{due_words(item, at.today)}）" if item.state == OPEN else "")
    )
    told = effect_words(measured[-1]) if measured else "未满4周或没有地点" if item.state != OPEN else NOTHING
    warned = f"；{item.warning}" if item.warning else ""
    return (Cell(item.number), Cell(item.matter + (f"：{item.action}" if item.action else "")), Cell("·".join(filter(None, (item.unit, item.post)))),
            Cell(day_text(item.due)), Cell(state + warned, "bad" if overdue else "good" if item.state == STRUCK else ""), Cell(told))  # fmt: skip


def _compared(at: Asked, known: list[Item], measured: dict[int, list[Effect]]) -> list[Table]:
    """Each measured item at 4, 8 and 12 weeks, and the hotspots flagged at the same time that nobody acted on."""
    rows, left = [], []
    for item in known:
        for one in measured.get(item.id, []):
            ratio = one.measured.ratio
            told = signed_tenths(one.measured.estimate)
            p = p_cell(None if one.measured.note == NO_CONTROL else one.measured.p)
            rows.append((Cell(item.matter), Cell(f"{one.weeks}周"), Cell(f"{one.treated[0] * ratio:.1f}"), Cell(whole(one.treated[1])), Cell(f"{one.ring[0] * ratio:.1f}→{one.ring[1]}"),
                         Cell(f"{one.control[0] * ratio:.1f}→{one.control[1]}（{one.controls}处）"), Cell(told), p))  # fmt: skip
        if item.id in measured:
            one = measured[item.id][-1]
            left += [
                (item.matter, code, before * one.measured.ratio, after, one.weeks)
                for code, before, after in one.left_alone
            ]
    tables = []
    if rows:
        tables.append(Table("措施前后", ("事项", "之后", "之前折算", "之后起数", "周边", "对照", "净变化", "p"), tuple(rows), widths=(1.8, 0.6, 0.8, 0.8, 1.1, 1.5, 0.8, 0.7),
                            note="之前按天数折算到同样长；净变化为措施地点与周边的变化减去对照与其周边的平均变化（WDD）；标出它们的那一周不计。"))  # fmt: skip
    if left:
        shown = tuple(
            (
                Cell(matter),
                Cell(place_of(at.release, LEVEL, code)[0]),
                Cell(f"{weeks}周"),
                Cell(f"{before:.1f}"),
                Cell(whole(after)),
            )
            for matter, code, before, after, weeks in left[:8]
        )
        tables.append(Table("同期未采取措施的热点", ("事项", "热点所在", "之后", "之前折算", "之后起数"), shown, texts=2, widths=(1.8, 1.6, 0.6, 0.9, 0.9),
                            note=f"共{len(left)}处；热点即使不管也会自己回落，故须与它们比。"))  # fmt: skip
    return tables


def advice(at: Asked) -> Section:
    """工作建议: places, hours, quantified actions, from templates; a draft for the meeting."""
    found = []
    if not why_not(at):
        worth = [one for one in found_hotspots(at) if one.group.count >= LEAST_EVENTS]
        for one in worth[:_ADVISED]:
            when = peak_hours(at, one)
            found.append(
                Finding(
                    f"在{one.place}（热点{one.group.number}，{one.state or ''}，{at.now}{whole(one.group.count)}起）{when}增设巡防，每周不少于{_WEEKLY}次。",
                    5,
                )
            )
    order, broken = repairs(at.release, at.selection, at.scope)
    if broken and order[0].gain:
        gain = [one for one in order[:3] if one.gain]
        each = "、".join(f"{one.name or one.code}（{whole(one.gain)}起）" for one in gain)
        found.append(Finding(f"一周内修复摄像机{each}：括号内是近{WEEKS}周各自范围内无人看到的事件。", 4))
    overdue = [one for one in at.items if is_overdue(one, at.today)]
    if overdue:
        found.append(Finding(f"逾期{len(overdue)}项由责任单位于3日内说明原因并报新期限；再逾期的按程序黄牌警告。", 4.5))
    if not found:
        return Section("advice", (Finding("本期数据没有指向须专门处置的地点。"),), draft=True)
    return Section("advice", tuple(found), draft=True)


def decisions(at: Asked, made: list[Item]) -> Section:
    """议定事项 of this meeting; empty lines to be filled in where none is recorded yet."""
    rows = tuple(
        (Cell(one.number), Cell(one.place or NOTHING), Cell(one.matter + (f"：{one.action}" if one.action else "")), Cell("·".join(filter(None, (one.unit, one.post)))), Cell(day_text(one.due)))
        for one in made
    )  # fmt: skip
    head = f"本次议定{len(made)}项。" if made else "会上填写；在系统中记下的会自动列入下期的上期议定事项。"
    blank = tuple(tuple(Cell("") for _ in range(5)) for _ in range(3))
    return Section(
        "decisions",
        (Finding(head),),
        (
            Table(
                "议定",
                ("编号", "地点", "事项与措施", "责任单位·岗位", "期限"),
                rows or blank,
                texts=5,
                widths=(0.9, 1.2, 2.6, 1.4, 0.7),
            ),
        ),
    )
