"""The ledger: items of 挂牌督办, 清单 and 议定事项, their changes, and what is due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy.orm import Session

from data.app_db.database import AppDb, utc_now
from data.app_db.tables import KINDS, LEVELS, STATES, WARNINGS, Change, Item
from data.errors import UsageError
from data.personal import POST_WORDS, UNIT_WORDS, refuse_name, refuse_personal
from data.schema import CATEGORIES, INVALID

SOON_DAYS = 7
OPEN, CLOSED, STRUCK = STATES
NAMES = {
    "number": "编号", "kind": "种类", "level": "级别", "matter": "事项", "action": "措施", "unit": "责任单位", "post": "岗位",
    "place": "地点", "area_code": "区划代码", "lon": "经度", "lat": "纬度", "polygon": "范围", "category": "类别",
    "opened": "立项日", "due": "期限", "state": "状态", "closed": "结案日", "struck": "销号日", "warning": "黄牌",
    "meeting_id": "会议",
}  # fmt: skip
_TEXTS = {"matter": 60, "action": 200, "unit": 40, "post": 20, "place": 40}
_CHOICES = {"kind": KINDS, "level": LEVELS, "state": STATES, "warning": WARNINGS,
            "category": tuple(one for one in CATEGORIES if one != INVALID)}  # fmt: skip
_NEEDED = ("matter", "unit", "due")
_NEVER_EMPTY = ("kind", "level", "state", "opened", "due")
DAYS = ("opened", "due", "closed", "struck")
_KINDS_OF: dict[str, Any] = {**dict.fromkeys(DAYS, date), "lon": (int, float), "lat": (int, float), "meeting_id": int}
_KIND_NAMES: dict[Any, str] = {date: "日期", (int, float): "数", int: "整数", str: "文字"}


class Stale(UsageError):
    """Somebody else changed the item meanwhile; nothing was written."""


@dataclass(frozen=True)
class Count:
    """How the ledger stands on a day.

    Attributes
    ----------
    open : int
        在办, overdue ones among them.
    soon : int
        在办, due within ``SOON_DAYS`` days, today included.
    overdue : int
        在办 after their day.
    closed : int
        结案, not yet 销号.
    struck : int
        销号.
    struck_lately : int
        销号 in the last seven days.
    next_due : date or None
    """

    open: int
    soon: int
    overdue: int
    closed: int
    struck: int
    struck_lately: int
    next_due: date | None


def items(db: AppDb, meeting_id: int | None = None) -> list[Item]:
    """All items, or those of a meeting, the oldest first."""
    if not db.path.is_file():
        return []
    query = sa.select(Item).order_by(Item.opened, Item.id)
    if meeting_id is not None:
        query = query.where(Item.meeting_id == meeting_id)
    with db.reading() as session:
        return list(session.scalars(query))


def history(db: AppDb, item_id: int) -> list[Change]:
    """Every change of an item, the latest first."""
    with db.reading() as session:
        mine = (Change.subject == "item", Change.subject_id == str(item_id))
        return list(session.scalars(sa.select(Change).where(*mine).order_by(Change.id.desc())))


def is_overdue(item: Item, today: date) -> bool:
    """在办 after its day; derived, never stored."""
    return item.state == OPEN and item.due < today


def count(found: Iterable[Item], today: date) -> Count:
    """How a list of items stands on a day."""
    found = list(found)
    running = [one for one in found if one.state == OPEN]
    ahead = [one.due for one in running if one.due >= today]
    return Count(
        open=len(running),
        soon=sum(one <= today + timedelta(days=SOON_DAYS) for one in ahead),
        overdue=sum(is_overdue(one, today) for one in running),
        closed=sum(one.state == CLOSED for one in found),
        struck=sum(one.state == STRUCK for one in found),
        struck_lately=sum(
            one.state == STRUCK and one.struck is not None and one.struck > today - timedelta(days=7) for one in found
        ),
        next_due=min(ahead, default=None),
    )


def burn_down(found: Iterable[Item], days: Iterable[date]) -> list[tuple[date, int, int]]:
    """Items open at the end of each day, and those of them that were overdue then."""
    found = list(found)
    rows = []
    for day in days:
        open_then = [one for one in found if one.opened <= day and not _ended(one, day)]
        rows.append((day, len(open_then), sum(one.due < day for one in open_then)))
    return rows


def _ended(item: Item, day: date) -> bool:
    ends = [one for one in (item.closed, item.struck) if one is not None]
    return bool(ends) and min(ends) <= day


def punctual(found: Iterable[Item], since: date, today: date) -> tuple[int, int]:
    """Items whose day came since ``since``, or that ended since: those that ended by their day, and all; overdue ones among them."""
    due = [one for one in found if since <= one.due < today or (one.closed is not None and since <= one.closed)]
    return sum(one.closed is not None and one.closed <= one.due for one in due), len(due)


def add(db: AppDb, by: str, today: date, *, numbered: date | None = None, **values: Any) -> Item:
    """Put an item into the ledger.

    Parameters
    ----------
    by : str
        The unit or role that writes.
    today : date
        Of the centre; the item's 立项日 where it states none.
    numbered : date, optional
        A day of the week whose number it gets, that of its meeting; by default that of its 立项日.
    values : fields of :class:`~data.app_db.tables.Item`
        ``matter``, ``unit`` and ``due`` are needed.

    Raises
    ------
    UsageError
        Naming the field; also where a text holds something personal.
    """
    with db.writing() as session:
        return _add(session, by, today, values, numbered)


def add_all(db: AppDb, by: str, today: date, rows: Iterable[dict[str, Any]]) -> list[Item]:
    """Put several items into the ledger, all or none.

    Raises
    ------
    UsageError
        Naming the field, and which of the items it is.
    """
    with db.writing() as session:
        made = []
        for number, row in enumerate(rows, 1):
            try:
                made.append(_add(session, by, today, row))
            except UsageError as fault:
                fault.where = f"第 {number} 项 {fault.where}"
                fault.args = (fault.line(),)
                raise
        return made


def _add(session: Session, by: str, today: date, values: dict[str, Any], numbered: date | None = None) -> Item:
    blank = {
        "kind": KINDS[2],
        "level": LEVELS[3],
        "action": "",
        "post": "",
        "place": "",
        "opened": today,
        "state": OPEN,
        "warning": "",
    }
    given = blank | {name: value for name, value in values.items() if value not in (None, "")}
    for name in _NEEDED:
        if name not in given:
            raise UsageError("事项缺一项", where=NAMES[name], found="没有填", expected="必填")
    _check(given, today)
    given.setdefault("number", _number(session, numbered or given["opened"]))
    if session.scalar(sa.select(Item.id).where(Item.number == given["number"])) is not None:
        raise UsageError("编号已有", where=NAMES["number"], found=given["number"], expected="不重复的编号")
    item = Item(**{name: given.get(name) for name in NAMES})
    _date_states(item, today)
    session.add(item)
    session.flush()
    what = {name: [None, _plain(getattr(item, name))] for name in NAMES if getattr(item, name) not in (None, "")}
    session.add(Change(at=utc_now(), by=by, subject="item", subject_id=str(item.id), what=what))
    return item


def change(db: AppDb, item_id: int, version: int, by: str, today: date, **values: Any) -> Item:
    """Change some fields of an item.

    Parameters
    ----------
    version : int
        Of the item as the writer saw it.

    Raises
    ------
    Stale
        Somebody changed it since; says who and what, and writes nothing.
    UsageError
    """
    with db.writing() as session:
        item = session.get(Item, item_id)
        if item is None:
            raise UsageError("没有这个事项", where="编号", found=str(item_id))
        if item.version != version:
            raise _stale(session, item)
        wanted = {name: value for name, value in values.items() if name in NAMES and value != getattr(item, name)}
        if wanted.get("state") == OPEN:
            wanted |= {"closed": None, "struck": None}  # sent back
        before = {name: _plain(getattr(item, name)) for name in NAMES}
        _check({name: getattr(item, name) for name in NAMES} | wanted, today)
        for name, value in wanted.items():
            setattr(item, name, value)
        _date_states(item, today)
        what = {
            name: [before[name], _plain(getattr(item, name))]
            for name in NAMES
            if before[name] != _plain(getattr(item, name))
        }
        if what:
            session.add(Change(at=utc_now(), by=by, subject="item", subject_id=str(item.id), what=what))
            session.flush()
        return item


def _stale(session: Session, item: Item) -> Stale:
    last = session.scalar(
        sa.select(Change)
        .where(Change.subject == "item", Change.subject_id == str(item.id))
        .order_by(Change.id.desc())
        .limit(1)
    )
    told = (
        "，".join(f"{NAMES[name]} {old or '空'} → {new or '空'}" for name, (old, new) in last.what.items())
        if last
        else ""
    )
    return Stale("事项已被别人改过，您的修改没有写入", where=item.number, found=f"{last.by if last else ''} 改了 {told}"[:300],
                 expected=f"第 {item.version} 版", remedy="看过最新内容后再保存")  # fmt: skip


def _check(given: dict[str, Any], today: date) -> None:
    for name, value in given.items():
        kind = _KINDS_OF.get(name, str)
        if value is not None and not isinstance(value, kind):
            raise UsageError("填的不对", where=NAMES[name], found=type(value).__name__, expected=_KIND_NAMES[kind])
    for name in _NEVER_EMPTY:
        if given.get(name) in (None, ""):
            raise UsageError("事项缺一项", where=NAMES[name], found="空", expected="必填")
    lon, lat = given.get("lon"), given.get("lat")
    if (lon is None) != (lat is None) or (lon is not None and not (-180 <= lon <= 180 and -90 <= lat <= 90)):
        raise UsageError("坐标不可用", where="经度 纬度", found=f"{lon} {lat}", expected="十进制度数，两个都有或都没有")
    for name, most in _TEXTS.items():
        text = given.get(name) or ""
        if name in _NEEDED and not text.strip():
            raise UsageError("事项缺一项", where=NAMES[name], found="空", expected="必填")
        if len(text) > most:
            raise UsageError("文字太长", where=NAMES[name], found=f"{len(text)} 个字", expected=f"不超过 {most} 个字")
    refuse_personal(**{NAMES[name]: given.get(name) for name in (*_TEXTS, "number")})
    refuse_name(NAMES["unit"], given.get("unit"), UNIT_WORDS, "单位名称，如 桥东街道办事处")
    refuse_name(NAMES["post"], given.get("post"), POST_WORDS, "岗位名称，如 社区警务岗")
    for name, allowed in _CHOICES.items():
        if given.get(name) not in (None, *allowed):
            raise UsageError(
                "没有这个选项", where=NAMES[name], found=str(given[name])[:40], expected=" ".join(filter(None, allowed))
            )
    for name in ("closed", "struck"):
        if given.get(name) is not None and given[name] > today:
            raise UsageError("日期在将来", where=NAMES[name], found=str(given[name]), expected=f"不晚于 {today}")
    if given["due"] < given["opened"]:
        raise UsageError(
            "期限早于立项", where=NAMES["due"], found=str(given["due"]), expected=f"不早于 {given['opened']}"
        )
    if given.get("polygon"):
        shape = shapely.from_wkt(given["polygon"], on_invalid="ignore")
        if shape is None or shape.geom_type not in ("Polygon", "MultiPolygon") or not shape.is_valid:
            raise UsageError(
                "范围不可用", where=NAMES["polygon"], found=given["polygon"][:40], expected="WKT 面，经度在前"
            )


def _date_states(item: Item, today: date) -> None:
    """A state carries its day: it is set where the writer does not say it."""
    if item.state in (CLOSED, STRUCK) and item.closed is None:
        item.closed = item.struck or today
    if item.state == STRUCK and item.struck is None:
        item.struck = today


def _number(session: Session, day: date) -> str:
    """2026W46-03: the third item of that week."""
    year, week, _ = day.isocalendar()
    start = f"{year}W{week:02d}-"
    taken = [number for number in session.scalars(sa.select(Item.number).where(Item.number.startswith(start)))]
    last = max((int(one[len(start) :]) for one in taken if one[len(start) :].isdigit()), default=0)
    return f"{start}{last + 1:02d}"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
