"""``/export``: what the Selection holds, as a file: rows in any format, maps and charts as pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from dashboard import language
from dashboard.api.request import choice, documented, split
from dashboard.exports import MOST_ROWS, csv_chunks, facts_of, file_name, geojson_chunks, gpkg_chunks, xlsx_chunks
from dashboard.exports.download import Download
from dashboard.measures import MEASURES
from dashboard.pictures import PICTURES
from data.index import INCIDENT_LEVELS
from data.selection import PARAMETERS, ParameterError, Selection
from data.store import STEPS, Release, Scope, Store
from data.store.exporting import EXPORTS, Export, export
from data.store.hotspots import METHODS

TABLE_FORMATS, PLACE_FORMATS, PICTURE_FORMATS = ("csv", "xlsx"), ("geojson", "gpkg"), ("png", "svg")
LAYERS = tuple(dict.fromkeys((*EXPORTS, *PICTURES)))
_ALLOWED = {"level": INCIDENT_LEVELS, "step": STEPS, "method": METHODS}


def add(api: APIRouter, store: Store, scope_of: Callable[[Request], Scope]) -> None:
    """Put the routes on ``api``."""

    @api.get("/export", summary="导出所选内容（文件）", response_class=Response, openapi_extra=_documented())
    def exported(request: Request) -> Response:
        language.use(request.cookies.get(language.COOKIE))
        layer = choice("layer", request.query_params.get("layer", ""), LAYERS)
        form = choice("format", request.query_params.get("format", ""), formats(layer))
        allowed = PICTURES[layer] if form in PICTURE_FORMATS else {n: _ALLOWED[n] for n in EXPORTS[layer].defaults}
        own, pairs = split(request, ("layer", "format", *allowed), PARAMETERS)
        chosen = {name: own[name] for name in allowed if name in own}
        for name, value in chosen.items():
            if allowed[name] is not None:
                choice(name, value, allowed[name])
        make = _drawn if form in PICTURE_FORMATS else _written
        with ExitStack() as held:
            release = held.enter_context(store.current())
            selection = release.selection(pairs)
            chunks = make(release, selection, scope_of(request), layer, form, chosen)
            return Download(chunks, file_name(layer, selection, release.info.release_id, form), held.pop_all())


def _documented() -> dict:
    said = documented("layer", "format", *PARAMETERS, "level", "step", "method", "measure", "layers")
    known = {"layer": LAYERS, "format": (*TABLE_FORMATS, *PLACE_FORMATS, *PICTURE_FORMATS), "measure": MEASURES}
    for one in said["parameters"]:
        if one["name"] in known:
            one["schema"]["enum"] = list(known[one["name"]])
            one["required"] = one["name"] != "measure"
    said["responses"]["503"] = {"description": "服务器没有中文字体"}
    return said


def formats(layer: str) -> tuple[str, ...]:
    """The formats a layer can be had in."""
    rows = TABLE_FORMATS if layer in EXPORTS else ()
    places = PLACE_FORMATS if layer in EXPORTS and EXPORTS[layer].shaped else ()
    return (*rows, *places, *(PICTURE_FORMATS if layer in PICTURES else ()))


def _written(release: Release, selection: Selection, scope: Scope, layer: str, form: str, own: dict) -> Iterator[bytes]:
    """A file of rows in pieces; what depends on the reader's language is settled here, before the first is sent."""
    found = export(release, selection, scope, layer, **own)
    facts = facts_of(found, release, datetime.now(UTC))
    match form:
        case "csv":
            return csv_chunks(found, facts)
        case "xlsx":
            _refuse_too_many(found)
            return xlsx_chunks(found, facts)
        case "geojson":
            return geojson_chunks(found, facts)
        case _:
            return gpkg_chunks(found, facts, release.info.crs)


def _refuse_too_many(found: Export) -> None:
    if found.rows > MOST_ROWS:
        others = " ".join(form for form in formats(found.layer) if form not in ("xlsx", *PICTURE_FORMATS))
        text = f"{others}；xlsx 最多 {MOST_ROWS:,} 行，所选有 {found.rows:,} 行，请改用 csv 或缩小选择"
        raise ParameterError("format", "xlsx", text)


def _drawn(release: Release, selection: Selection, scope: Scope, layer: str, form: str, own: dict) -> Iterator[bytes]:
    """A picture, in one piece."""
    from dashboard.pictures.drawn import draw  # with matplotlib, which a worker without pictures need not hold
    from dashboard.pictures.files import picture

    figure, head = draw(release, selection, scope, layer, own, datetime.now(UTC))
    words = "\n".join((head.finding, head.selection, head.foot, selection.to_query()))
    return iter((picture(figure, form, title=head.title, description=words),))
