"""A file on its way to the browser, piece by piece, that lets go of what it needs whatever ends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import quote

import anyio
import anyio.to_thread
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
    "png": "image/png",
    "svg": "image/svg+xml",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
}
_COMPRESSED = ("xlsx", "png", "pptx", "docx", "pdf")  # gains nothing from the server's compression


class Download(StreamingResponse):
    """Sends ``chunks`` under a file name; ``held`` is closed at the end, also where the client has gone away."""

    def __init__(self, chunks: Iterator[bytes], name: str, held: ExitStack):
        ending = name.rpartition(".")[2]
        plain = name.encode("ascii", "ignore").decode().lstrip("_")
        headers = {
            "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}",
            "cache-control": "private, no-store",
        }
        if ending in _COMPRESSED:
            headers["content-encoding"] = "identity"
        super().__init__(chunks, media_type=MEDIA_TYPES[ending], headers=headers)
        self._chunks, self._held = chunks, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._let_go)

    def _let_go(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
        self._held.close()
