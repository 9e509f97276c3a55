"""Which fault answers with which HTTP status, in one table."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from data.errors import ReleaseError, YanpanError
from data.selection import ParameterError
from data.store import OutsideScope, UnknownArea

STATUS: dict[type[YanpanError], int] = {
    ParameterError: 422,
    OutsideScope: 403,
    UnknownArea: 404,
    ReleaseError: 503,
}
_log = logging.getLogger(__name__)


def register(server: FastAPI) -> None:
    """Attach the table to a server; anything else is 500 with one line and a trace in the log only."""
    for fault in STATUS:
        server.add_exception_handler(fault, _answer)
    server.add_exception_handler(Exception, _unexpected)


def body(fault: YanpanError) -> dict:
    """What an answer says of a fault; a parameter is named with its value and what is allowed."""
    if isinstance(fault, ParameterError):
        return {
            "error": fault.line(),
            "parameter": fault.parameter,
            "value": fault.value,
            "allowed": fault.allowed,
        }
    return {"error": fault.line()}


async def _answer(_request: Request, fault: Exception) -> JSONResponse:
    status = next(code for kind, code in STATUS.items() if isinstance(fault, kind))
    return JSONResponse(body(fault), status_code=status)


async def _unexpected(request: Request, fault: Exception) -> JSONResponse:
    _log.error("%s %s", request.method, request.url.path, exc_info=fault)
    return JSONResponse({"error": "程序内部错误，已记入日志"}, status_code=500)
