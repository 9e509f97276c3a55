"""Which fault answers with which HTTP status, in one table."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from dashboard import language
from dashboard.pictures import FontMissing
from dashboard.reports.disagrees import PackDisagrees
from data.app_db.ledger import Stale
from data.errors import DataFault, ReleaseError, UsageError, YanpanError
from data.selection import ParameterError
from data.store import OutsideScope, UnknownArea

STATUS: dict[type[YanpanError], int] = {
    Stale: 409,
    ParameterError: 422,
    OutsideScope: 403,
    UnknownArea: 404,
    ReleaseError: 503,
    FontMissing: 503,  # nothing is wrong with the request; the server lacks something
    UsageError: 422,
    DataFault: 422,
    PackDisagrees: 500,
}
_FORMS = {"int_parsing": "整数", "missing": "必须给出"}  # pydantic's kinds of fault -> what is allowed
_log = logging.getLogger(__name__)


def register(server: FastAPI) -> None:
    """Attach the table to a server; anything else is 500 with one line and a trace in the log only."""
    for fault in STATUS:
        server.add_exception_handler(fault, _answer)
    server.add_exception_handler(RequestValidationError, _malformed)
    server.add_exception_handler(Exception, _unexpected)


def status(fault: YanpanError) -> int:
    """The HTTP status of a fault."""
    return next(code for kind, code in STATUS.items() if isinstance(fault, kind))


def body(fault: YanpanError) -> dict:
    """What an answer says of a fault, in the language in use; a parameter is named with its value and what is allowed."""
    if isinstance(fault, ParameterError):
        return {
            "error": language.said(fault),
            "parameter": fault.parameter,
            "value": fault.value,
            "allowed": language.say(fault.allowed),
        }
    return {"error": language.said(fault)}


async def _answer(request: Request, fault: Exception) -> JSONResponse:
    _use_language(request)
    return JSONResponse(body(fault), status_code=status(fault))


async def _malformed(request: Request, fault: RequestValidationError) -> JSONResponse:
    """What FastAPI itself refuses, said as every other parameter: the first one that is wrong."""
    first = fault.errors()[0]
    value = "" if first["type"] == "missing" else str(first["input"])[:200]
    return await _answer(request, ParameterError(str(first["loc"][-1]), value, _FORMS.get(first["type"], first["msg"])))


async def _unexpected(request: Request, fault: Exception) -> JSONResponse:
    _log.error("%s %s", request.method, request.url.path, exc_info=fault)
    _use_language(request)
    return JSONResponse({"error": language.say("程序内部错误，已记入日志")}, status_code=500)


def _use_language(request: Request) -> None:
    # A route runs in a thread of its own, so what language it used is not known here.
    language.use(request.cookies.get(language.COOKIE))
