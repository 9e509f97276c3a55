"""Alerts that somebody has seen to."""

from __future__ import annotations

import sqlalchemy as sa

from data.app_db.database import AppDb, utc_now
from data.app_db.tables import Acknowledgement, Change
from data.personal import refuse_personal

MOST_NOTE = 200  # characters


def acknowledged(db: AppDb) -> dict[str, Acknowledgement]:
    """Every acknowledged alert by its id, of whatever release."""
    if not db.path.is_file():
        return {}
    with db.reading() as session:
        return {one.alert_id: one for one in session.scalars(sa.select(Acknowledgement))}


def acknowledge(db: AppDb, alert_id: str, by: str, note: str = "") -> None:
    """Say that an alert has been seen to; a second time changes nothing.

    Parameters
    ----------
    by : str
        A unit or role.

    Raises
    ------
    UsageError
        Where the note holds something personal.
    """
    refuse_personal(说明=note)
    with db.writing() as session:
        if session.get(Acknowledgement, alert_id) is None:
            now = utc_now()
            session.add(Acknowledgement(alert_id=alert_id, at=now, by=by, note=note[:MOST_NOTE]))
            session.add(Change(at=now, by=by, subject="alert", subject_id=alert_id, what={"note": [None, note]}))


def take_back(db: AppDb, alert_id: str, by: str) -> None:
    """The alert stands again."""
    with db.writing() as session:
        known = session.get(Acknowledgement, alert_id)
        if known is not None:
            session.delete(known)
            session.add(
                Change(at=utc_now(), by=by, subject="alert", subject_id=alert_id, what={"note": [known.note, None]})
            )
