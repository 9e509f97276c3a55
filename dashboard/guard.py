"""Nothing answers without a session but sign-in, health and readiness; ``--open`` opens a loopback server to 分析."""

from __future__ import annotations

import json
from html import escape

from fastapi import Request
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from data.store import Scope

OPEN_PATHS = ("/login", "/healthz", "/readyz")
MACHINE_PATHS = (
    "/api",
    "/tiles",
    "/metrics",
    "/_dash-",
    "/_reload-hash",
    "/_favicon",
    "/live",
    "/screen/",
    "/meeting/",
    "/openapi.json",
    "/assets",
)

_READING = ("GET", "HEAD", "OPTIONS")

LOGIN_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>研判 · 登录</title>
<style>
body{{font:16px/1.7 "Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei",sans-serif;margin:0;min-height:100vh;
background:#f4f6f8;color:#1c2733;display:grid;place-items:center}}
main{{background:#fff;padding:2rem 2.5rem;border-radius:8px;max-width:34rem;box-shadow:0 1px 6px #0002}}
code{{background:#eef1f4;padding:.1em .4em}}
</style></head>
<body><main><h1>研判</h1><p>{text}</p><p>{hint}</p></main></body></html>"""


def login_page() -> str:
    """The sign-in page of a version that has no accounts yet."""
    hint = "在本机试用：<code>yanpan serve --open</code>（只监听 127.0.0.1，以“分析”身份查看全市）。"
    return LOGIN_PAGE.format(text=escape("本版本尚未设置登录，没有账号可用。"), hint=hint)


def writer_of(request: Request) -> str:
    """In whose name a request writes: a role, until units sign in."""
    return "分析"


def scope_of(request: Request) -> Scope:
    """The areas a request may see; nothing where the guard has not set any."""
    return getattr(request.state, "scope", Scope(()))


class Guard:
    """ASGI middleware in front of everything, callbacks and WebSocket included."""

    def __init__(self, app: ASGIApp, open_mode: bool):
        self._app, self._open_mode = app, open_mode

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if scope["type"] == "http" and scope["method"] not in _READING and _from_elsewhere(scope):
            await _answer(send, 403, [], "别的网站不能替您写入 | 处理: 在研判的页面里操作")
            return
        if self._open_mode:
            scope.setdefault("state", {})["scope"] = Scope.everything()
        elif path not in OPEN_PATHS:
            await _refuse(scope, path, send)
            return
        await self._app(scope, receive, send)


def _from_elsewhere(scope: AsgiScope) -> bool:
    """Whether a browser says that another site's page sends this."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    return origin is not None and origin.partition(b"://")[2] != headers.get(b"host")


async def _answer(send: Send, status: int, headers: list, error: str) -> None:
    body = json.dumps({"error": error}, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), *headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse(scope: AsgiScope, path: str, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4401})
        return
    if scope["method"] in ("GET", "HEAD") and not path.startswith(MACHINE_PATHS):
        headers = [(b"location", b"/login"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    await _answer(send, 401, [(b"www-authenticate", b"Bearer")], "未登录 | 处理: 在 /login 登录")
