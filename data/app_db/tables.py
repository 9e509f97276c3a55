"""The tables of ``app.db``. Times are UTC without a zone; dates are wall-clock dates of the centre. Units and posts, never
names of persons.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

VERSION = 1
STATES = ("在办", "结案", "销号")
LEVELS = ("省", "市", "县", "乡")
KINDS = ("挂牌督办", "清单", "议定事项")
WARNINGS = ("", "黄牌警告", "一票否决")


class Table(DeclarativeBase):
    """Base of the tables."""

    type_annotation_map: ClassVar = {dict[str, Any]: sa.JSON, list[Any]: sa.JSON}


class Change(Table):
    """The history: every change of anything in the file, who made it and what it was before and after."""

    __tablename__ = "change"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]  # a unit or role
    subject: Mapped[str]  # alert item meeting
    subject_id: Mapped[str] = mapped_column(index=True)
    what: Mapped[dict[str, Any]]  # field -> [before, after]


class Acknowledgement(Table):
    """An alert somebody has seen to."""

    __tablename__ = "acknowledgement"
    alert_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    note: Mapped[str] = mapped_column(default="")


class Item(Table):
    """An item of the ledger: 挂牌督办, 清单 or 议定事项."""

    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)  # 2026W46-03, or as the imported list says
    kind: Mapped[str]
    level: Mapped[str]
    matter: Mapped[str]  # what it is about
    action: Mapped[str]
    unit: Mapped[str]  # 责任单位
    post: Mapped[str]  # 岗位
    place: Mapped[str]  # as people call it
    area_code: Mapped[str | None]  # a grid or area
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    polygon: Mapped[str | None]  # WKT, lon lat
    category: Mapped[str | None]  # of incidents; None is all
    opened: Mapped[date]
    due: Mapped[date]
    state: Mapped[str]
    closed: Mapped[date | None]  # 结案日
    struck: Mapped[date | None]  # 销号日
    warning: Mapped[str] = mapped_column(default="")
    meeting_id: Mapped[int | None] = mapped_column(sa.ForeignKey("meeting.id"))
    version: Mapped[int] = mapped_column()

    __mapper_args__: ClassVar = {"version_id_col": version}


class Meeting(Table):
    """A meeting on an area and a period: the release it looks at, what was said, who was there."""

    __tablename__ = "meeting"
    __table_args__ = (sa.UniqueConstraint("period", "area"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    period: Mapped[str]  # 2026-W46
    area: Mapped[str]  # code; "" is the whole
    release_id: Mapped[str | None]  # frozen; None follows the current release
    comments: Mapped[dict[str, Any]]  # section -> text
    order: Mapped[list[Any]]  # sections in their order; those hidden are left out
    units: Mapped[list[Any]]  # 签到单位
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[str | None]  # a unit
    ledger: Mapped[dict[str, Any] | None] = mapped_column(
        sa.JSON
    )  # at sign-off: what its pack is made from, the ledger with it
    version: Mapped[int] = mapped_column()

    __mapper_args__: ClassVar = {"version_id_col": version}


class Notice(Table):
    """Something to be told to a webhook, kept until it is there."""

    __tablename__ = "notice"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    body: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    tries: Mapped[int]
    next_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    fault: Mapped[str | None]
