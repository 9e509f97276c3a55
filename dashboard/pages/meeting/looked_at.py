"""What a meeting page looks at: area, period, the release (frozen or current) and what people wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import Request

from dashboard.guard import scope_of
from dashboard.reports.asked import Asked, period_text
from dashboard.reports.commands import question_of
from dashboard.reports.making import asked_of
from dashboard.reports.model import SECTIONS
from dashboard.reports.question import Question
from dashboard.settings import Settings
from dashboard.supervised import of_area
from data.app_db import AppDb, Item, Meeting, ledger, meetings
from data.selection import parse_period
from data.store import Release, Scope, Store
from geo.change import PERIODS, preceding, window_of

KINDS = {"iso_week": "周碰头会", "half_month": "半月例会", "month": "月联席会", "quarter": "季度研判"}


@dataclass(frozen=True)
class LookedAt:
    """One meeting.

    Attributes
    ----------
    question : Question
        What its pack is made from now.
    at : Asked
        The same, put to the release.
    meeting : Meeting or None
        None where nobody has written to it.
    items, ledger : list of Item
        The ledger as it is now, with its versions: that of the area, and all of it.
    """

    release: Release
    scope: Scope
    question: Question
    at: Asked
    meeting: Meeting | None
    items: list[Item]
    ledger: list[Item]

    @property
    def order(self) -> list[str]:
        """The sections shown, in their order."""
        return self.question.order or list(SECTIONS)

    @property
    def version(self) -> int:
        """Of what people wrote; 0 where there is nothing."""
        return self.meeting.version if self.meeting else 0

    @property
    def made(self) -> list[Item]:
        """What this meeting has decided."""
        return [item for item in self.at.items if item.id in self.question.made]

    def query(self, **changed: str) -> str:
        """The address of this meeting with some of it changed."""
        told = {"period": self.question.period, "area": self.question.area, **changed}
        return "?" + "&".join(f"{name}={value}" for name, value in told.items() if value)

    def neighbour(self, by: int) -> str:
        """The period before (-1) or after (1)."""
        start, end = self.at.window
        if by < 0:
            return period_text(preceding((start, end)))
        kind = {"week": "iso_week", "half": "half_month"}.get(self.at.kind, self.at.kind)
        if kind in PERIODS:
            return period_text(window_of(kind, end, complete=False))
        return period_text((end, end + (end - start)))

    def of_kind(self, kind: str) -> str:
        """The last complete period of a kind of meeting at the end of this one."""
        return period_text(window_of(kind, self.at.window[1]))


def frozen_release(db: AppDb, period: str, area: str) -> str | None:
    """The release a meeting was signed with, or has frozen; None follows the current one."""
    meeting = meetings.find(db, period, area)
    if meeting is None:
        return None
    return meeting.ledger["release"] if meeting.signed_at is not None and meeting.ledger else meeting.release_id


def look(release: Release, scope: Scope, db: AppDb, settings: Settings, period: str, area: str) -> LookedAt:
    """What the page of a period and an area looks at.

    Raises
    ------
    ParameterError, OutsideScope, UnknownArea
    """
    question = question_of(release, scope, db, settings, period, area, datetime.now(UTC))
    at = asked_of(release, scope, question)
    known = ledger.items(db)
    meeting, items = meetings.find(db, question.period, area), of_area(release, scope, at.area, known)
    return LookedAt(release, scope, question, at, meeting, items, known)


def canonical(period: str, release: Release) -> str:
    """A period as ``--period`` writes it; "" is the default window."""
    return period_text(parse_period(period) if period else release.default_window())


@contextmanager
def looking(store: Store, settings: Settings, request: Request, period: str, area: str) -> Iterator[LookedAt]:
    """What a request looks at, with its release open: the one the meeting was signed with or has frozen, else the current one.

    Raises
    ------
    ParameterError, OutsideScope, UnknownArea, ReleaseError
    """
    db: AppDb = request.app.state.db
    with store.current() as current:
        wanted = frozen_release(db, canonical(period, current), area)
    with store.release(wanted) as release:
        yield look(release, scope_of(request), db, settings, period, area)
