"""``/live``: tells every open page of a new release and of a changed ledger, at once by WebSocket, or when asked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import datetime
from zoneinfo import ZoneInfo

import anyio.to_thread
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from data.app_db import AppDb
from data.errors import YanpanError
from data.store import Store

_log = logging.getLogger(__name__)
LOOKS_EVERY_S = 0.5
SAYS_EVERY_S = 10.0  # even where nothing is new: silence means that the line is dead


class Live:
    """One worker's watch over the current release and the ledger, and the pages it tells."""

    def __init__(self, store: Store, db: AppDb):
        self._store, self._db = store, db
        self._changed = asyncio.Condition()
        self._state: dict = {"release": None, "ledger": None}

    def state(self) -> dict:
        """What a page is told: ``release``, None where nothing is published, and ``ledger``, another text whenever what people
        write has changed, or the day has, and with it what is overdue."""
        mark = self._db.mark()
        try:
            with self._store.current() as release:
                today = datetime.now(ZoneInfo(release.info.timezone)).date()
                return {"release": release.info.release_id, "ledger": f"{mark}@{today}"}
        except YanpanError:
            return {"release": None, "ledger": f"{mark}"}

    async def watch(self) -> None:
        """Look for news until cancelled."""
        while True:
            try:
                state = await anyio.to_thread.run_sync(self.state)
            except Exception:
                _log.exception("live")  # the walls are told again as soon as it can be opened
                state = self._state
            if state != self._state:
                async with self._changed:
                    self._state = state
                    self._changed.notify_all()
            await asyncio.sleep(LOOKS_EVERY_S)

    async def tell(self, socket: WebSocket) -> None:
        """Tell one page until it leaves, or the server stops."""
        await socket.accept()
        leaves = asyncio.create_task(_until_gone(socket))
        try:
            while not leaves.done():
                await socket.send_json(self._state)
                news = asyncio.create_task(self._news())
                await asyncio.wait({leaves, news}, timeout=SAYS_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
        finally:
            leaves.cancel()

    async def _news(self) -> None:
        async with self._changed:
            await self._changed.wait()


async def _until_gone(socket: WebSocket) -> None:
    """Pages say nothing; what comes from one is that it, or the server, goes."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive_text()


def add(server: FastAPI, live: Live) -> None:
    """Put the addresses on the server."""

    @server.websocket("/live")
    async def pushed(socket: WebSocket) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await live.tell(socket)

    @server.get("/live", include_in_schema=False)
    def asked() -> dict:
        return live.state()
