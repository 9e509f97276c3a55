"""Addresses of the meeting: the page, its sections and maps, what people write, the files."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import anyio.to_thread
import shapely
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from dashboard import errors, guard, language
from dashboard.acts import effects_of
from dashboard.api import answers
from dashboard.api.request import choice, split, whole
from dashboard.components import html
from dashboard.components.release_state import release_state
from dashboard.exports.download import Download
from dashboard.extent import extent
from dashboard.language import say
from dashboard.pages.meeting import page as pages
from dashboard.pages.meeting import view_ledger, view_pack
from dashboard.pages.meeting.looked_at import LookedAt, canonical, frozen_release, look
from dashboard.reports import maps
from dashboard.reports.commands import question_of
from dashboard.reports.making import make_files
from dashboard.reports.model import SECTIONS
from dashboard.reports.pack import section, warnings
from dashboard.settings import Settings
from data.app_db import AppDb, ledger, meetings
from data.app_db.importing import read_items
from data.errors import UsageError, YanpanError
from data.selection import ParameterError
from data.store import Store, describe
from data.store.effect import units_of
from data.store.units import Place

_OWN = ("period", "area", "view")
_FORMS = {"pptx": "pptx", "docx": "docx", "pdf": "pdf", "pdf16x9": "pdf", "html": "html"}
_MOST_IMPORT = 5_000_000  # bytes
_MAKING = threading.Lock()  # one pack at a time in a worker: each takes seconds of every core


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


def add(
    server: FastAPI,
    store: Store,
    settings: Settings,
    head: Callable[[Request], str],
    leaflet: Callable[[], tuple[str, ...]],
) -> None:
    """Put the page and its addresses on the server; see :func:`dashboard.pages.screen.routes.add`."""

    @contextmanager
    def looked(request: Request, *more: str) -> Iterator[tuple[LookedAt, dict]]:
        own, _ = split(request, (*_OWN, *more))
        language.use(request.cookies.get(language.COOKIE))
        with _look(request, own.get("period", ""), own.get("area", "")) as found:
            yield found, own

    @contextmanager
    def _look(request: Request, period: str, area: str) -> Iterator[LookedAt]:
        db: AppDb = request.app.state.db
        with store.current() as current:
            wanted = frozen_release(db, canonical(period, current), area)
        with store.release(wanted) as release:
            yield look(release, guard.scope_of(request), db, settings, period, area)

    @server.get("/meeting", include_in_schema=False)
    def meeting(request: Request) -> Response:
        language.use(request.cookies.get(language.COOKIE))
        try:
            with looked(request) as (found, own):
                view = choice("view", own.get("view", "pack"), pages.VIEWS)
                text = _pack(found, request) if view == "pack" else _ledger(found, view, request)
        except YanpanError as fault:
            body = html.Div([html.Strong(say("没有可显示的")), html.P(language.said(fault))], className="fault")
            return HTMLResponse(pages.page(head(request), [], body, {}), errors.status(fault))
        return HTMLResponse(text)

    def _bar(found: LookedAt) -> list:
        described = describe(found.release, datetime.now(UTC), found.scope)
        today = datetime.now(ZoneInfo(found.release.info.timezone)).date()
        return release_state(described, today, open_mode=settings.open_mode)

    def _told(found: LookedAt, **more: Any) -> dict:
        signed = found.meeting is not None and found.meeting.signed_at is not None
        return {"period": found.question.period, "area": found.question.area, "release": found.release.info.release_id, "version": found.version,
                "live": store.current_id() == found.release.info.release_id,  # the wall's map knows no other release
                "signed": signed, "frozen": found.meeting is not None and found.meeting.release_id is not None,
                "header": f"{found.at.meeting} · {found.at.period_words()} · {found.at.place}", "asOf": found.release.info.data_as_of or "", **more}  # fmt: skip

    def _pack(found: LookedAt, request: Request) -> str:
        first = (
            view_pack.section(
                1, section(found.at, found.order[0], found.made, found.question.comments.get(found.order[0], "")), found
            )
            if found.order
            else html.P(say("各节都已隐去。"), className="empty")
        )
        return pages.page(head(request), _bar(found), pages.pack_body(found, first), _told(found, order=found.order, sections=list(SECTIONS), units=found.question.units,
                          comments=found.question.comments))  # fmt: skip

    def _ledger(found: LookedAt, view: str, request: Request) -> str:
        effects = effects_of(found.release, found.scope, found.items, found.ledger)
        body = pages.ledger_body(found, view, effects, view_pack.place_options(found))
        items = {one.id: _fields(one) for one in found.items}
        more = {"items": items, "view": view}
        if len(found.release.units.level("grid")) or len(found.release.units.level("district")):
            more["map"] = _map(found)
        return pages.page(head(request), _bar(found), body, _told(found, **more), leaflet())

    def _map(found: LookedAt) -> dict:
        land = found.at.level("community", "street", "district", "grid")
        return {"bounds": extent(found.release, found.scope, found.at.area), "outline": None, "land": land,
                "marks": view_ledger.marks(found.items, _points(found), found.at.today)}  # fmt: skip

    @server.get("/meeting/section", include_in_schema=False)
    def one_section(request: Request) -> Response:
        with looked(request, "key", "number") as (found, own):
            key = choice("key", own.get("key", ""), tuple(SECTIONS))
            shown = section(found.at, key, found.made, found.question.comments.get(key, ""))
            told = view_pack.section(whole("number", own.get("number", "1"), 1, len(SECTIONS)), shown, found)
            said = [html.P(text, className="warning") for text in warnings(found.at)]
            release = found.release.info.release_id
        return answers.plain(
            answers.text({"section": html.part(told), "warnings": html.part(said), "release": release})
        )

    @server.get("/meeting/picture", include_in_schema=False)
    def picture(request: Request) -> Response:
        with looked(request, "name", "release") as (found, own):
            name = choice("name", own.get("name", ""), ("hotspots", "change"))
            key = ("meeting picture", name, found.question.period, found.question.area, found.scope)
            png = found.release.remember(key, lambda: maps.draw(found.at, name, datetime.now(UTC)))
        return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=86400"})

    @server.get("/meeting/side", include_in_schema=False)
    def side(request: Request) -> Response:
        with looked(request) as (found, _):
            told = {"side": html.part(view_pack.side(found)), "version": found.version, "units": found.question.units}
        return answers.plain(answers.text(told))

    @server.get("/meeting/file", include_in_schema=False)
    def file(request: Request) -> Response:
        own, _ = split(request, ("period", "area", "form", "circulate"))
        form = choice("form", own.get("form", ""), tuple(_FORMS))
        db, scope = request.app.state.db, guard.scope_of(request)
        with _look(request, own.get("period", ""), own.get("area", "")) as found:
            question = question_of(
                found.release,
                scope,
                db,
                settings,
                found.question.period,
                found.question.area,
                datetime.now(UTC),
                circulate=own.get("circulate") == "1",
            )
        with _MAKING, tempfile.TemporaryDirectory() as directory:
            _, made = make_files(settings.releases / question.release, scope, question, [_FORMS[form]], Path(directory))
            wanted = next(
                path for path in made if path.suffix != ".json" and ("16x9" in path.name) == (form == "pdf16x9")
            )
            return Download(iter([wanted.read_bytes()]), wanted.name, ExitStack())

    @server.post("/meeting/write", include_in_schema=False)
    def write(request: Request, told: Written) -> dict:
        by, db = guard.writer_of(request), request.app.state.db
        with _look(request, told.period, told.area) as found:
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
        with _look(request, told.period, told.area) as found:
            period, area = found.question.period, found.question.area
        by = guard.writer_of(request)
        kept = meetings.comment(request.app.state.db, period, area, section_key, told.text, told.before, by)
        return {"version": kept.version}

    @server.post("/meeting/sign", include_in_schema=False)
    def sign(request: Request, told: Signed) -> dict:
        db = request.app.state.db
        with _look(request, told.period, told.area) as found:
            question = found.question
        if told.signed:
            kept = meetings.sign(db, question.period, question.area, told.unit, json.loads(question.to_json()))
        else:
            kept = meetings.take_back(db, question.period, question.area, guard.writer_of(request))
        return {"version": kept.version}

    @server.post("/meeting/item", include_in_schema=False)
    def item(request: Request, told: Stated) -> dict:
        by, db = guard.writer_of(request), request.app.state.db
        with _look(request, told.period, told.area) as found:
            today = found.at.today
            values = _values(found, told.values)
            period, area, version = found.question.period, found.question.area, found.version
            known = {one.id for one in found.items}
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
        made = ledger.add(db, by, today, **values)
        return {"id": made.id, "number": made.number, "version": made.version}

    @server.get("/meeting/history", include_in_schema=False)
    def history(request: Request) -> Response:
        with looked(request, "id") as (found, own):
            number = whole("id", own.get("id", ""), 1, 10**9)
            item = next((one for one in found.items if one.id == number), None)
            if item is None:
                raise ParameterError("id", own.get("id", ""), "台账里的一个事项")
        shown = view_ledger.history(ledger.history(request.app.state.db, number))
        return answers.plain(answers.text({"history": html.part(shown), "version": item.version}))

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
        made = ledger.add_all(request.app.state.db, guard.writer_of(request), today, rows)
        return {"added": len(made), "left_out": left}


async def _in_thread(work: Callable, *arguments: Any) -> Any:
    return await anyio.to_thread.run_sync(lambda: work(*arguments))


def _fields(item: Any) -> dict:
    """An item for its form."""
    told = {name: getattr(item, name) for name in ledger.NAMES}
    return {
        "version": item.version,
        **{name: value.isoformat() if isinstance(value, date) else value for name, value in told.items()},
    }


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
        if name in ("opened", "due", "closed", "struck") and value:
            try:
                value = date.fromisoformat(str(value))
            except ValueError:
                raise UsageError(
                    "日期读不出", where=ledger.NAMES[name], found=str(value)[:20], expected="2026-11-30"
                ) from None
        values[name] = (
            None
            if value == "" and name in ("area_code", "category", "polygon", "closed", "struck", "due", "opened")
            else value
        )
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
    return values


def _drawn_in(found: LookedAt, values: dict[str, Any]) -> str | None:
    """Code of the smallest area that holds what was drawn, so that it is told where it lies; None outside every grid.

    Raises
    ------
    OutsideScope
    """
    try:
        within = list(
            units_of(found.release, polygon=values.get("polygon"), point=(values.get("lon"), values.get("lat")))
        )
    except shapely.errors.GEOSException:
        return None  # the ledger says what is wrong with it
    if not within:
        return None
    units = found.release.units
    if len(within) == 1:
        code = str(units.level("grid").codes[within[0]])
    else:
        code = None
        for level in ("community", "street", "district"):
            above = set(units.level("grid").above[level][within].tolist())
            if len(above) == 1 and min(above) >= 0:
                code = str(units.level(level).codes[above.pop()])
                break
    if code is not None:
        units.allowed(code, found.scope)
    return code


def _points(found: LookedAt) -> dict[int, tuple[float, float]]:
    """Where the items of the map stand: their point, a point in what was drawn, or the middle of their grids."""
    units = found.release.units.level("grid")
    places: dict[int, tuple[float, float]] = {}
    for one in found.items:
        if one.lon is not None and one.lat is not None:
            places[one.id] = (one.lon, one.lat)
            continue
        if one.polygon:
            drawn = shapely.from_wkt(one.polygon).representative_point()
            places[one.id] = (drawn.x, drawn.y)
            continue
        middle = _middle(found, one, units)
        if middle is not None:
            places[one.id] = middle
    return places


def _middle(found: LookedAt, item: Any, units: Any) -> tuple[float, float] | None:
    within = units_of(found.release, code=item.area_code)
    bounds = units.bounds[list(within)] if within else None
    if bounds is None and item.area_code:
        place: Place | None = found.release.units.find(item.area_code)
        bounds = found.release.units.level(place.level).bounds[[place.position]] if place else None
    if bounds is None or not len(bounds) or bounds[0][0] != bounds[0][0]:
        return None
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    return float((west + east) / 2), float((south + north) / 2)
