"""Scripts and styles on their way to the browser: compressed once, kept for ever where their address carries a hash.

Answers that depend on data are left to GZipMiddleware, which stands inside this one.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from urllib.parse import parse_qs

import anyio.to_thread
import brotli
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PATHS = ("/_dash-component-suites/", "/assets/")
_FINGERPRINT = re.compile(r"\.v\d[\w]*m\d+\.")  # Dash puts version and build time into the address
_FOR_EVER = b"public, max-age=31536000, immutable"
_ASK_AGAIN = b"public, no-cache"  # kept, and asked for with its tag each time
_MOST_BYTES = 60_000_000  # of bodies kept; the pages need a tenth of it in each encoding
_SMALLEST = 500  # bytes; below, compression gains nothing
# Quality 6 takes a tenth of a second once for Plotly's script; 9 would take four times as long and save 3 % more.
_ENCODERS = {"br": lambda body: brotli.compress(body, quality=6), "gzip": lambda body: gzip.compress(body, 9, mtime=0)}


@dataclass(frozen=True)
class _Kept:
    status: int
    headers: list[tuple[bytes, bytes]]
    tag: bytes
    body: bytes


def _version(scope: Scope) -> str:
    """When a file of ours was changed, as Dash writes it into the address; other parameters mean nothing here."""
    return parse_qs(scope["query_string"].decode("latin-1")).get("m", [""])[-1]


class Delivery:
    """ASGI middleware for what the page is made of."""

    def __init__(self, app: ASGIApp):
        self._app = app
        self._kept: dict[tuple[str, str, str], _Kept] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(_PATHS):
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        encoding = next((name for name in _ENCODERS if name in asked.get("accept-encoding", "")), "")
        key = (scope["path"], _version(scope), encoding)
        kept = self._kept.get(key) or await self._ask(scope, receive, encoding)
        if kept is None:
            return
        if kept.status == 200 and sum(len(one.body) for one in self._kept.values()) + len(kept.body) < _MOST_BYTES:
            self._kept[key] = kept
        same = kept.status == 200 and kept.tag.decode() in asked.get("if-none-match", "")
        headers = [(k, v) for k, v in kept.headers if not (same and k in (b"content-length", b"content-encoding"))]
        await send({"type": "http.response.start", "status": 304 if same else kept.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if same else kept.body})

    async def _ask(self, scope: Scope, receive: Receive, encoding: str) -> _Kept | None:
        """The inner application's plain answer, compressed and tagged; None where the visitor has left meanwhile."""
        inner = {
            **scope,
            "headers": [(k, v) for k, v in scope["headers"] if k not in (b"accept-encoding", b"if-none-match")],
        }
        started: list[Message] = []
        pieces: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
            else:
                pieces.append(message.get("body", b""))

        await self._app(inner, receive, collect)
        if not started:
            return None
        body = b"".join(pieces)
        drop = {b"content-length", b"etag", b"cache-control", b"vary"}
        headers = [(k.lower(), v) for k, v in started[0]["headers"] if k.lower() not in drop]
        tag = b'"' + hashlib.sha256(body).hexdigest()[:20].encode() + b'"'
        if encoding and len(body) >= _SMALLEST:
            body = await anyio.to_thread.run_sync(_ENCODERS[encoding], body)
            headers.append((b"content-encoding", encoding.encode()))
        lasting = _FINGERPRINT.search(scope["path"]) or _version(scope)
        caching = (_FOR_EVER if lasting else _ASK_AGAIN) if started[0]["status"] == 200 else b"no-store"
        headers += [(b"content-length", str(len(body)).encode()), (b"vary", b"accept-encoding"), (b"etag", tag),
                    (b"cache-control", caching)]  # fmt: skip
        return _Kept(started[0]["status"], headers, tag, body)
