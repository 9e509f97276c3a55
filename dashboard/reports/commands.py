"""What ``yanpan report`` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from dashboard.notices import deliver
from dashboard.reports.asked import period_text
from dashboard.reports.making import FORMS, file_stem, make_files
from dashboard.reports.model import Pack
from dashboard.reports.question import Question, as_rows
from dashboard.reports.schedule import due_periods
from dashboard.settings import Settings
from data.app_db import AppDb, ledger, meetings, notices
from data.errors import UsageError
from data.releases import Workspace
from data.selection import parse_period, preceding
from data.store import Release, Scope

Told = Callable[[str, float], None]
_EVERYTHING = Scope.everything()
PACK = "pack"


def question_of(
    release: Release,
    scope: Scope,
    db: AppDb,
    settings: Settings,
    period: str,
    area: str,
    now: datetime,
    *,
    circulate: bool = False,
) -> Question:
    """What a pack of a period and an area is made from, as things stand now.

    Parameters
    ----------
    period : str
        "" is the default window.
    now : datetime
        With a zone.

    Raises
    ------
    ParameterError, OutsideScope, UnknownArea
    """
    period = period_text(parse_period(period) if period else release.default_window())
    if area:
        release.units.allowed(area, scope)
    items = ledger.items(db)
    meeting = meetings.find(db, period, area)
    previous = meetings.find(db, period_text(preceding(parse_period(period))), area)
    signed = ""
    if meeting is not None and meeting.signed_at is not None and meeting.ledger is not None:
        at = meeting.signed_at.replace(tzinfo=UTC).astimezone(ZoneInfo(release.info.timezone))
        signed = f"{meeting.signed_by} {at:%Y-%m-%d %H:%M} 签发"
        under = settings.report.circulated_under if circulate else None
        return replace(Question.of(meeting.ledger), signed=signed, circulated_under=under)
    return Question(
        release.info.release_id, period, area, now.astimezone(ZoneInfo(release.info.timezone)).date(), as_rows(items),
        [one.id for one in items if meeting is not None and one.meeting_id == meeting.id],
        [one.id for one in items if previous is not None and one.meeting_id == previous.id],
        list(meeting.order) if meeting else [], dict(meeting.comments) if meeting else {}, list(meeting.units) if meeting else [], signed,
        settings.report.decimals, settings.report.circulated_under if circulate else None, asdict(settings.limits),
    )  # fmt: skip


def one(
    settings: Settings, period: str, area: str, formats: str, out: Path, circulate: bool, again: Path | None, told: Told
) -> tuple[Pack, list[Path]]:
    """One pack, or one made again.

    Raises
    ------
    UsageError, ReleaseError, PackDisagrees, FontMissing
    """
    forms = [form.strip() for form in formats.split(",") if form.strip()]
    wrong = next((form for form in forms if form not in FORMS), None)
    if wrong is not None or not forms:
        raise UsageError("没有这种格式", where="--format", found=wrong or "空", expected=",".join(FORMS))
    space = Workspace(settings.workspace)
    if again is not None:
        if circulate or period or area:
            raise UsageError("重做照原样", where="--from", found="--circulate、--period 或 --area", expected="不与它们同用",
                             remedy="去掉 --from，另做一份")  # fmt: skip
        question = Question.read(again)
        return make_files(settings.releases / question.release, _EVERYTHING, question, forms, out, told)
    folder, question = _as_it_stands(space, settings, period, area, circulate)
    return make_files(folder, _EVERYTHING, question, forms, out, told)


def _as_it_stands(
    space: Workspace, settings: Settings, period: str, area: str, circulate: bool = False
) -> tuple[Path, Question]:
    """The current release, or the one a meeting has frozen, and the question."""
    db = AppDb(settings.app_db)
    folder = space.current()
    release = Release(folder, settings.limits)
    try:
        question = question_of(release, _EVERYTHING, db, settings, period, area, datetime.now(UTC), circulate=circulate)
    finally:
        release.close()
    meeting = meetings.find(db, question.period, area)
    if meeting is not None and meeting.signed_at is None and meeting.release_id:
        question = replace(question, release=meeting.release_id)
    folder = settings.releases / question.release
    db.close()
    return folder, question


def scheduled(settings: Settings, told: Told) -> list[tuple[Pack, list[Path]]]:
    """Make the packs that are due and not yet there for the current release, and tell the webhook.

    Raises
    ------
    UsageError, ReleaseError, PackDisagrees, FontMissing
    """
    space, table = Workspace(settings.workspace), settings.report
    out = settings.workspace / table.out
    release = Release(space.current(), settings.limits)
    try:
        zone = ZoneInfo(release.info.timezone)
    finally:
        release.close()
    db = AppDb(settings.app_db)
    made: list[tuple[Pack, list[Path]]] = []
    for period in due_periods(table, settings.workspace, datetime.now(zone).date()):
        for area in table.areas:
            folder, question = _as_it_stands(space, settings, period, area)
            if (out / f"{file_stem(question)}.json").is_file():
                continue
            pack, files = make_files(folder, _EVERYTHING, question, table.formats, out, told)
            made.append((pack, files))
            if settings.webhook is not None:
                body = {"kind": PACK, "period": period, "area": area, "release": question.release, "title": pack.title,
                        "warnings": list(pack.warnings), "files": [path.name for path in files]}  # fmt: skip
                notices.queue(db, f"{PACK}:{file_stem(question)}", body)
    if settings.webhook is not None:
        deliver(db, settings.webhook.to_hook())
    db.close()
    return made
