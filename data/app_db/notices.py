"""Notices to a webhook: kept until they are there, tried again later and later, sent by one process at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from data.app_db.database import AppDb, utc_now
from data.app_db.tables import Notice

WAITS = tuple(timedelta(minutes=n) for n in (1, 5, 15, 60))  # after each failure; the last again and again
GIVEN_UP_AFTER = timedelta(days=2)
_HELD = timedelta(minutes=2)  # a notice being sent belongs to its sender so long


def queue(db: AppDb, key: str, body: dict[str, Any]) -> bool:
    """Add a notice; False where one of that key is there already."""
    now = utc_now()
    with db.writing() as session:
        if session.scalar(sa.select(Notice.id).where(Notice.key == key)) is not None:
            return False
        session.add(Notice(key=key, body=body, made_at=now, tries=0, next_at=now))
    return True


def bodies(db: AppDb, kind: str) -> list[dict[str, Any]]:
    """The bodies of every notice of a kind, sent or not."""
    if not db.path.is_file():
        return []
    with db.reading() as session:
        return list(session.scalars(sa.select(Notice.body).where(Notice.key.startswith(f"{kind}:"))))


def take(db: AppDb) -> Notice | None:
    """The oldest notice that is due, held for whoever takes it; None where none is."""
    if not db.path.is_file():
        return None
    now = utc_now()
    due = (Notice.sent_at.is_(None), Notice.next_at <= now, Notice.made_at > now - GIVEN_UP_AFTER)
    with db.reading() as session:
        if session.scalar(sa.select(Notice.id).where(*due).limit(1)) is None:
            return None
    with db.writing() as session:
        notice = session.scalar(sa.select(Notice).where(*due).order_by(Notice.id).limit(1))
        if notice is not None:
            notice.next_at = now + _HELD
    return notice


def sent(db: AppDb, notice: Notice, fault: str | None) -> None:
    """Say how sending went; ``fault`` None is well."""
    with db.writing() as session:
        kept = session.get(Notice, notice.id)
        kept.tries += 1
        kept.fault = fault
        if fault is None:
            kept.sent_at = utc_now()
        else:
            kept.next_at = utc_now() + WAITS[min(kept.tries, len(WAITS)) - 1]
