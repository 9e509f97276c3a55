"""Meetings: what was said to each section, which are shown and in which order, who signed in, and what release they look at."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from data.app_db.database import AppDb, utc_now
from data.app_db.ledger import Stale
from data.app_db.tables import Change, Meeting
from data.errors import UsageError
from data.personal import UNIT_WORDS, refuse_name, refuse_personal

MOST_COMMENT, MOST_UNIT, MOST_UNITS = 400, 40, 60
_KEPT = 2000  # characters of a value in the history


def find(db: AppDb, period: str, area: str) -> Meeting | None:
    """The meeting on a period and an area ("" is the whole); None where nobody has written to it."""
    if not db.path.is_file():
        return None
    with db.reading() as session:
        return session.scalar(sa.select(Meeting).where(Meeting.period == period, Meeting.area == area))


def write(db: AppDb, period: str, area: str, version: int, by: str, **values: Any) -> Meeting:
    """Change a meeting, made where there is none yet.

    Parameters
    ----------
    version : int
        As the writer saw it; 0 where there was none.
    values : of ``order`` (sections shown), ``units`` (names), ``release_id`` (frozen, or None)

    Raises
    ------
    Stale
        Somebody changed it since.
    UsageError
    """
    _check(values)
    with db.writing() as session:
        meeting = session.scalar(sa.select(Meeting).where(Meeting.period == period, Meeting.area == area))
        if (meeting.version if meeting else 0) != version:
            raise Stale("会议记录已被别人改过，您的修改没有写入", where=period, found=f"第 {meeting.version if meeting else 0} 版",
                        expected=f"第 {version} 版", remedy="刷新后再改")  # fmt: skip
        meeting = _of(session, period, area)
        _refuse_signed(meeting)
        _set(session, meeting, by, values)
        return meeting


def comment(
    db: AppDb, period: str, area: str, section: str, text: str, before: str, by: str, *, named: str = ""
) -> Meeting:
    """Write the comment of one section; those of others are not touched.

    Parameters
    ----------
    before : str
        What stood there as the writer saw it.
    named : str
        What the section is called, for messages.

    Raises
    ------
    Stale
        Somebody wrote to the same section meanwhile.
    UsageError
    """
    _check({"comments": {named or section: text}})
    with db.writing() as session:
        meeting = _of(session, period, area)
        _refuse_signed(meeting)
        known = meeting.comments.get(section, "")
        if known not in (before, text):
            raise Stale(
                "批注已被别人改过，您的没有写入",
                where=named or section,
                found=known[:80] or "空",
                expected=before[:80] or "空",
                remedy="看过后再写",
            )
        _set(session, meeting, by, {"comments": {**meeting.comments, section: text}})
        return meeting


def _of(session, period: str, area: str) -> Meeting:
    """The meeting, made where there is none yet."""
    meeting = session.scalar(sa.select(Meeting).where(Meeting.period == period, Meeting.area == area))
    if meeting is None:
        meeting = Meeting(period=period, area=area, comments={}, order=[], units=[])
        session.add(meeting)
    return meeting


def _refuse_signed(meeting: Meeting) -> None:
    if meeting.signed_at is not None:
        raise UsageError(
            "会议已签发，不能再改", where=meeting.period, found=f"{meeting.signed_by} 已签发", remedy="先撤回签发"
        )


def sign(db: AppDb, period: str, area: str, by: str, question: dict[str, Any]) -> Meeting:
    """Sign a meeting off in the name of a unit.

    Parameters
    ----------
    question : dict
        What its pack is made from: release, ledger, comments; the pack is made from this from now on.
    """
    refuse_personal(签发单位=by)
    refuse_name("签发单位", by, UNIT_WORDS, "单位名称，如 区综治中心")
    if not by.strip() or len(by) > MOST_UNIT:
        raise UsageError(
            "签发要写单位", where="签发单位", found=by[:MOST_UNIT] or "空", expected=f"1 至 {MOST_UNIT} 个字"
        )
    with db.writing() as session:
        meeting = _of(session, period, area)
        _refuse_signed(meeting)
        _set(session, meeting, by, {"signed_at": utc_now(), "signed_by": by, "ledger": question})
        return meeting


def take_back(db: AppDb, period: str, area: str, by: str) -> Meeting:
    """Take a sign-off back; the meeting may be changed again."""
    with db.writing() as session:
        meeting = _of(session, period, area)
        _set(session, meeting, by, {"signed_at": None, "signed_by": None, "ledger": None})
        return meeting


def _set(session, meeting: Meeting, by: str, values: dict[str, Any]) -> None:
    before = {name: getattr(meeting, name) for name in values}
    for name, value in values.items():
        setattr(meeting, name, value)
    session.flush()
    what = {
        name: [str(before[name])[:_KEPT], str(value)[:_KEPT]] for name, value in values.items() if before[name] != value
    }
    session.add(Change(at=utc_now(), by=by, subject="meeting", subject_id=str(meeting.id), what=what))
    session.flush()


def _check(values: dict[str, Any]) -> None:
    for section, text in (values.get("comments") or {}).items():
        if len(text) > MOST_COMMENT:
            raise UsageError(
                "文字太长", where=section, found=f"{len(text)} 个字", expected=f"不超过 {MOST_COMMENT} 个字"
            )
        refuse_personal(**{section: text})
    units = values.get("units") or []
    if len(units) > MOST_UNITS or any(not one.strip() or len(one) > MOST_UNIT for one in units):
        raise UsageError(
            "签到单位不可用",
            where="签到",
            found=f"{len(units)} 个",
            expected=f"至多 {MOST_UNITS} 个，各 1 至 {MOST_UNIT} 个字",
        )
    refuse_personal(签到="；".join(units))
    for unit in units:
        refuse_name("签到单位", unit, UNIT_WORDS, "单位名称，如 桥东街道办事处")
