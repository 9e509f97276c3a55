"""A signed message to a webhook on the intranet."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

TIMEOUT_S = 10


@dataclass(frozen=True)
class Webhook:
    """Where to tell, and the secret both sides know; neither is ever shown."""

    address: str
    secret: str


class _Stay(HTTPRedirectHandler):
    """A redirect would carry the message somewhere nobody named."""

    def redirect_request(self, *_):
        return None


_OPENER = build_opener(_Stay, ProxyHandler({}))


def signature(secret: str, at: str, body: bytes) -> str:
    """``sha256=`` and the HMAC-SHA256 of ``at``, a full stop and the body."""
    return "sha256=" + hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()


def send(hook: Webhook, key: str, message: dict[str, Any]) -> str | None:
    """Send one message; what went wrong in words, None where the other side answered 2xx.

    Headers: ``X-Yanpan-Notice`` (percent-encoded, the same in every attempt), ``X-Yanpan-Time`` (seconds since 1970),
    ``X-Yanpan-Signature`` (see :func:`signature`).
    """
    body, at = json.dumps(message, ensure_ascii=False).encode(), str(int(time.time()))
    headers = {"Content-Type": "application/json; charset=utf-8", "X-Yanpan-Notice": quote(key, safe=":"), "X-Yanpan-Time": at,
               "X-Yanpan-Signature": signature(hook.secret, at, body)}  # fmt: skip
    try:
        with _OPENER.open(Request(hook.address, body, headers, method="POST"), timeout=TIMEOUT_S) as answer:
            return None if 200 <= answer.status < 300 else f"HTTP {answer.status}"
    except HTTPError as fault:
        return f"HTTP {fault.code}"
    except (URLError, OSError, HTTPException, ValueError) as fault:
        reason = getattr(fault, "reason", fault)
        return type(reason if isinstance(reason, Exception) else fault).__name__
