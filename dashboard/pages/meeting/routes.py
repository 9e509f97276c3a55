"""Addresses of the meeting that are read: the page, its sections and maps, the files."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from dashboard import errors, language
from dashboard.acts import effects_of
from dashboard.api import answers
from dashboard.api.request import choice, split, whole
from dashboard.components import html
from dashboard.components.release_state import release_state
from dashboard.exports.download import Download
from dashboard.extent import extent
from dashboard.language import say
from dashboard.pages.meeting import page as pages
from dashboard.pages.meeting import view_ledger, view_pack, writing
from dashboard.pages.meeting.item_points import item_points
from dashboard.pages.meeting.looked_at import LookedAt, looking
from dashboard.reports import maps
from dashboard.reports.making import make_files
from dashboard.reports.model import SECTIONS
from dashboard.reports.pack import section, warnings
from dashboard.reports.question import as_rows
from dashboard.settings import Settings
from data.app_db import ledger
from data.errors import YanpanError
from data.selection import ParameterError
from data.store import Store, describe

_OWN = ("period", "area", "view")
_FORMS = {"pptx": "pptx", "docx": "docx", "pdf": "pdf", "pdf16x9": "pdf", "html": "html"}
_MAKING = threading.Lock()  # one pack at a time in a worker: each takes seconds of every core


def add(
    server: FastAPI,
    store: Store,
    settings: Settings,
    head: Callable[[Request], str],
    leaflet: Callable[[], tuple[str, ...]],
) -> None:
    """Put the page and its addresses on the server; see :func:`dashboard.pages.screen.routes.add`."""
    writing.add(server, store, settings)

    @contextmanager
    def looked(request: Request, *more: str) -> Iterator[tuple[LookedAt, dict]]:
        own, _ = split(request, (*_OWN, *more))
        language.use(request.cookies.get(language.COOKIE))
        with looking(store, settings, request, own.get("period", ""), own.get("area", "")) as found:
            yield found, own

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
                "header": f"{say(found.at.meeting)} · {found.at.period_words()} · {found.at.place}", "asOf": found.release.info.data_as_of or "", **more}  # fmt: skip

    def _pack(found: LookedAt, request: Request) -> str:
        first = html.P(say("各节都已隐去。"), className="empty")
        if found.order:
            with language.speaking("zh"):
                shown = section(found.at, found.order[0], found.made, found.question.comments.get(found.order[0], ""))
            first = view_pack.section(1, shown, found)
        return pages.page(head(request), _bar(found), pages.pack_body(found, first), _told(found, order=found.order, sections=list(SECTIONS), units=found.question.units,
                          comments=found.question.comments))  # fmt: skip

    def _ledger(found: LookedAt, view: str, request: Request) -> str:
        effects = effects_of(found.release, found.scope, found.items, found.ledger)
        body = pages.ledger_body(found, view, effects, view_pack.place_options(found))
        rows = zip(found.items, as_rows(found.items), strict=True)
        items = {one.id: {"version": one.version, **row} for one, row in rows}
        more = {"items": items, "view": view}
        if len(found.release.units.level("grid")) or len(found.release.units.level("district")):
            more["map"] = _map(found)
        return pages.page(head(request), _bar(found), body, _told(found, **more), leaflet())

    def _map(found: LookedAt) -> dict:
        land = found.at.level("community", "street", "district", "grid")
        return {"bounds": extent(found.release, found.scope, found.at.area), "outline": None, "land": land,
                "marks": view_ledger.marks(found.items, item_points(found), found.at.today)}  # fmt: skip

    @server.get("/meeting/section", include_in_schema=False)
    def one_section(request: Request) -> Response:
        with looked(request, "key", "number") as (found, own):
            key = choice("key", own.get("key", ""), tuple(SECTIONS))
            with language.speaking("zh"):
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
        under = settings.report.circulated_under if own.get("circulate") == "1" else None
        with looking(store, settings, request, own.get("period", ""), own.get("area", "")) as found:
            question, scope = replace(found.question, circulated_under=under), found.scope
        with _MAKING, tempfile.TemporaryDirectory() as directory:
            _, made = make_files(settings.releases / question.release, scope, question, [_FORMS[form]], Path(directory))
            wanted = next(
                path for path in made if path.suffix != ".json" and ("16x9" in path.name) == (form == "pdf16x9")
            )
            return Download(iter([wanted.read_bytes()]), wanted.name, ExitStack())

    @server.get("/meeting/history", include_in_schema=False)
    def history(request: Request) -> Response:
        with looked(request, "id") as (found, own):
            number = whole("id", own.get("id", ""), 1, 10**9)
            item = next((one for one in found.items if one.id == number), None)
            if item is None:
                raise ParameterError("id", own.get("id", ""), "台账里的一个事项")
        shown = view_ledger.history(ledger.history(request.app.state.db, number), ZoneInfo(found.release.info.timezone))
        return answers.plain(answers.text({"history": html.part(shown), "version": item.version}))
