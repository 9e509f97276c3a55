"""Addresses of the meeting that are written to: comments, order, sign-in, sign-off, items of the ledger, an imported list."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import anyio.to_thread
import shapely
from fastapi import FastAPI, Request
from pydantic import BaseModel

from dashboard import guard
from dashboard.api.request import choice
from dashboard.pages.meeting.looked_at import LookedAt, looking
from dashboard.reports.model import SECTIONS
from dashboard.settings import Settings
from data.app_db import ledger, meetings
from data.app_db.importing import read_items
from data.errors import UsageError
from data.selection import ParameterError
from data.store import Release, Scope, Store
from data.store.effect import units_of
from data.store.hotspots.groups import unit_name

_MOST_IMPORT = 5_000_000  # bytes


class Written(BaseModel):
    """What people wrote to a meeting; None leaves it as it is."""

    period: str
    area: str = ""
    version: int
    order: list[str] | None = None
    units: list[str] | None = None
    frozen: bool | None = None


class Comment(BaseModel):
    """A comment on a section, and what stood there before."""

    period: str
    area: str = ""
    section: str
    text: str
    before: str


class Signed(BaseModel):
    """A meeting signed off by a unit, or taken back."""

    period: str
    area: str = ""
    unit: str
    signed: bool = True


class Stated(BaseModel):
    """An item as a form states it; ``id`` None is a new one, ``meeting`` ties it to the meeting of the period."""

    period: str
    area: str = ""
    id: int | None = None
    version: int = 0
    meeting: bool = False
    values: dict[str, Any]


def add(server: FastAPI, store: Store, settings: Settings) -> None:
    """Put the addresses on the server."""

    @server.post("/meeting/write", include_in_schema=False)
    def write(request: Request, told: Written) -> dict:
        by, db = guard.writer_of(request), request.app.state.db
        with looking(store, settings, request, told.period, told.area) as found:
            period, area, release = found.question.period, found.question.area, found.release.info.release_id
        values = told.model_dump(include={"order", "units"}, exclude_none=True)
        unknown = next((key for key in told.order or () if key not in SECTIONS), None)
        if unknown is not None:
            raise ParameterError("order", unknown, " ".join(SECTIONS))
        if told.frozen is not None:
            values["release_id"] = release if told.frozen else None
        return {"version": meetings.write(db, period, area, told.version, by, **values).version}

    @server.post("/meeting/comment", include_in_schema=False)
    def comment(request: Request, told: Comment) -> dict:
        section_key = choice("section", told.section, tuple(SECTIONS))
        with looking(store, settings, request, told.period, told.area) as found:
            period, area = found.question.period, found.question.area
        by = guard.writer_of(request)
        kept = meetings.comment(
            request.app.state.db, period, area, section_key, told.text, told.before, by, named=SECTIONS[section_key]
        )
        return {"version": kept.version}

    @server.post("/meeting/sign", include_in_schema=False)
    def sign(request: Request, told: Signed) -> dict:
        db = request.app.state.db
        with looking(store, settings, request, told.period, told.area) as found:
            question = found.question
        if told.signed:
            kept = meetings.sign(db, question.period, question.area, told.unit, json.loads(question.to_json()))
        else:
            kept = meetings.take_back(db, question.period, question.area, guard.writer_of(request))
        return {"version": kept.version}

    @server.post("/meeting/item", include_in_schema=False)
    def item(request: Request, told: Stated) -> dict:
        by, db = guard.writer_of(request), request.app.state.db
        with looking(store, settings, request, told.period, told.area) as found:
            today = found.at.today
            values = _values(found, told.values)
            period, area, version = found.question.period, found.question.area, found.version
            known = {one.id for one in found.items}
            start = found.at.selection.start
            signed = found.meeting is not None and found.meeting.signed_at is not None
        if told.meeting and signed:
            raise UsageError("会议已签发，不能再记", where=period, found="已签发", remedy="先撤回签发，或在下一期记")
        if told.id is not None and told.id not in known:
            raise ParameterError("id", str(told.id), "台账里的一个事项")
        if told.id is not None:
            changed = ledger.change(db, told.id, told.version, by, today, **values)
            return {"id": changed.id, "version": changed.version}
        if told.meeting:
            held = meetings.find(db, period, area) or meetings.write(db, period, area, version, by)
            values["meeting_id"] = held.id
        made = ledger.add(db, by, today, numbered=start if told.meeting else None, **values)
        return {"id": made.id, "number": made.number, "version": made.version}

    @server.post("/meeting/import", include_in_schema=False)
    async def load(request: Request) -> dict:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_IMPORT:
                raise UsageError(
                    "文件太大", where="上传的文件", found=f"> {_MOST_IMPORT // 1_000_000} MB", expected="一份清单"
                )
        return await _in_thread(_import, request, body)

    def _import(request: Request, body: bytes) -> dict:
        with store.current() as release:
            today = datetime.now(ZoneInfo(release.info.timezone)).date()
            rows, left = read_items(body, today)
            for row in rows:
                if row.get("area_code"):
                    release.units.allowed(row["area_code"], guard.scope_of(request))
                elif row.get("place"):
                    row["area_code"] = _named(release, guard.scope_of(request), row["place"])
        db = request.app.state.db
        known = {(one.matter, one.unit, one.due) for one in ledger.items(db)}
        new = [row for row in rows if (row["matter"], row.get("unit"), row.get("due")) not in known]
        made = ledger.add_all(db, guard.writer_of(request), today, new)
        return {"added": len(made), "there": len(rows) - len(new), "left_out": left}


def _named(release: Release, scope: Scope, name: str) -> str | None:
    """Code of the street or district of a name, where just one is called so."""
    for level in ("street", "district"):
        of = release.units.level(level)
        at = [i for i, one in enumerate(of.names.tolist()) if one == name]
        if len(at) == 1 and release.units.in_scope(level, scope)[at[0]]:
            return str(of.codes[at[0]])
    return None


async def _in_thread(work: Callable, *arguments: Any) -> Any:
    return await anyio.to_thread.run_sync(lambda: work(*arguments))


def _values(found: LookedAt, given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a form, dates read, the place checked against the visitor's scope.

    Raises
    ------
    UsageError, OutsideScope, UnknownArea
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in ledger.NAMES or name in ("number", "meeting_id"):
            raise ParameterError("values", name, " ".join(ledger.NAMES))
        value = value.strip() if isinstance(value, str) else value
        if name in ledger.DAYS and value:
            try:
                value = date.fromisoformat(str(value))
            except ValueError:
                raise UsageError(
                    "日期读不出", where=ledger.NAMES[name], found=str(value)[:20], expected="2026-11-30"
                ) from None
        values[name] = None if value == "" and name in ("area_code", "category", "polygon", *ledger.DAYS) else value
    for name in ("lon", "lat"):
        if isinstance(values.get(name), str):
            try:
                values[name] = float(values[name]) if values[name] else None
            except ValueError:
                raise UsageError(
                    "坐标读不出", where=ledger.NAMES[name], found=str(values[name])[:20], expected="十进制度数"
                ) from None
    if values.get("area_code"):
        found.release.units.allowed(values["area_code"], found.scope)
    elif values.get("polygon") or values.get("lon") is not None:
        values["area_code"] = _drawn_in(found, values)
    if values.get("polygon"):
        values.setdefault("place", "图上所画范围")
    elif values.get("area_code"):
        values.setdefault("place", _name_of(found, values["area_code"]))
    return values


def _name_of(found: LookedAt, code: str) -> str:
    """What a place is called: a grid by its community and its own name."""
    units = found.release.units
    place = units.find(code)
    if place.level == "grid":
        return unit_name(found.release, "grid", place.position)[:40]
    return str(units.level(place.level).names[place.position])[:40]


def _drawn_in(found: LookedAt, values: dict[str, Any]) -> str | None:
    """Code of the smallest area that holds what was drawn, so that it is told where it lies; None outside every grid.

    Raises
    ------
    OutsideScope
    """
    try:
        within = units_of(found.release, polygon=values.get("polygon"), point=(values.get("lon"), values.get("lat")))
    except shapely.errors.GEOSException:
        return None  # the ledger says what is wrong with it
    if not within:
        return None
    units = found.release.units
    code = str(units.level("grid").codes[within[0]]) if len(within) == 1 else units.holding("grid", within)
    if code is not None:
        units.allowed(code, found.scope)
    return code
