"""An existing list of supervised items from a workbook: the header is found, dates are read, names of persons stay out."""

from __future__ import annotations

import io
import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import Any

import python_calamine

from data.app_db.ledger import DAYS
from data.app_db.tables import KINDS, LEVELS, STATES
from data.errors import DataFault
from data.personal import denied_header

# Our field and what lists call it; the first that a header holds is taken.
_NAMES = {
    "number": ("编号", "序号"),
    "matter": ("事项", "问题", "案由", "督办内容"),
    "action": ("措施", "处理意见", "化解措施"),
    "kind": ("种类", "类型"),
    "level": ("级别", "层级", "督办级别"),
    "unit": ("责任单位", "责任部门", "牵头单位"),
    "post": ("岗位",),
    "place": ("地点", "地址", "位置"),
    "area_code": ("区划代码", "网格编码", "网格代码", "区域代码"),
    "lon": ("经度",),
    "lat": ("纬度",),
    "category": ("类别",),
    "opened": ("立项日", "立项时间", "登记日期", "立项"),
    "due": ("期限", "时限", "限期", "截止"),
    "state": ("状态", "办理情况"),
    "closed": ("结案日", "结案时间", "办结日期"),
    "struck": ("销号日", "销号时间"),
}
_NEEDED = ("matter", "unit", "due")
_LOOKED_AT = 12  # rows in which a header is looked for
_STATES = {
    STATES[0]: ("在办", "办理中", "未结案", "未办结", "未销号", "未化解", "正在办理", "进行中"),
    STATES[1]: ("结案", "已结案", "办结", "已办结", "已化解", "化解"),
    STATES[2]: ("销号", "已销号"),
}
_TOTALS = ("合计", "总计", "小计")
_SERIAL_ZERO = date(1899, 12, 30)


def read_items(workbook: bytes, today: date) -> tuple[list[dict[str, Any]], list[str]]:
    """Items of the first sheet that has a header of ours, and the columns that were left out because they name persons.

    Raises
    ------
    DataFault
        Not a workbook, no header, or a value that cannot be read, with its row.
    """
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(workbook))
    except Exception:
        raise DataFault("清单不是工作簿", where="上传的文件", expected="XLSX 或 XLS") from None
    best: dict[str, int] = {}
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        for at, row in enumerate(rows[:_LOOKED_AT]):
            columns = _columns(row)
            best = max(best, columns, key=len)
            if all(field in columns for field in _NEEDED):
                head = "".join(_text(cell) for one in [[name], *rows[:at]] for cell in one)
                kind = KINDS[0] if "挂牌" in head or "督办" in head else KINDS[1]
                left = [_text(cell) for cell in row if isinstance(cell, str) and denied_header(_plain(cell))]
                found = [
                    _item(name, at + 2 + i, own, columns, today, kind)
                    for i, own in enumerate(rows[at + 1 :])
                    if _filled(own, columns)
                ]
                return found, left
    lacking = [_NAMES[field][0] for field in _NEEDED if field not in best]
    raise DataFault("清单没有认得的表头", where="、".join(book.sheet_names)[:80], found=f"缺 {'、'.join(lacking)}",
                    expected="至少有 事项、责任单位、期限 三列")  # fmt: skip


def _columns(row: list) -> dict[str, int]:
    found: dict[str, int] = {}
    texts = [_plain(cell) if isinstance(cell, str) else "" for cell in row]
    for field, names in _NAMES.items():
        for name in names:
            at = next(
                (
                    i
                    for i, text in enumerate(texts)
                    if name in text and not denied_header(text) and i not in found.values()
                ),
                None,
            )
            if at is not None:
                found[field] = at
                break
    return found


def _filled(row: list, columns: dict[str, int]) -> bool:
    first = next((_text(cell) for cell in row if _text(cell)), "")
    return bool(_text(row[columns["matter"]])) and first.replace(" ", "") not in _TOTALS


def _item(sheet: str, number: int, row: list, columns: dict[str, int], today: date, kind: str) -> dict[str, Any]:
    item: dict[str, Any] = {"kind": kind}
    for field, at in columns.items():
        cell = row[at] if at < len(row) else None
        text = _text(cell)
        if not text:
            continue
        where = f"{sheet} 第 {number} 行"
        if field in DAYS:
            item[field] = _date(cell, where)
        elif field in ("lon", "lat"):
            item[field] = _number(text, where)
        elif field == "level":
            item[field] = next(
                (
                    level
                    for level in LEVELS
                    if level in text.replace("区", "县").replace("镇", "乡").replace("街道", "乡")
                ),
                LEVELS[3],
            )
        elif field == "kind":
            item[field] = next((one for one in KINDS if one[:2] in text), kind)
        elif field == "state":
            item[field] = _state(text, where)
        else:
            item[field] = text
    if "opened" not in item and "due" in item:
        item["opened"] = min(item["due"], today)  # a list of old items does not say when they began
    if item.get("number", "").isdigit():
        del item["number"]  # a running number of the list, not of the item
    return item


def _state(text: str, where: str) -> str:
    for state, words in _STATES.items():
        if text in words:
            return state
    raise DataFault("状态读不出", where=where, found=text[:20], expected=" ".join(STATES))


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return unicodedata.normalize("NFKC", str(cell)).strip()


def _date(cell: Any, where: str) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, (int, float)) and 20_000 < cell < 80_000:
        return _SERIAL_ZERO + timedelta(days=int(cell))
    found = re.fullmatch(
        r"(\d{4})[-./年](\d{1,2})[-./月](\d{1,2})日?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?|(\d{4})(\d{2})(\d{2})",
        _text(cell),
    )
    try:
        return date(*(int(part) for part in found.groups() if part is not None))
    except (AttributeError, ValueError):
        raise DataFault(
            "日期读不出", where=where, found=_text(cell)[:20], expected="2026-11-30、2026年11月30日 或 20261130"
        ) from None


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataFault("坐标读不出", where=where, found=text[:20], expected="十进制度数") from None
