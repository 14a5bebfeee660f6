"""Limits on request bodies, before Django spools them to the disk: for the ASGI application."""

from __future__ import annotations

import errno
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

_LARGE = ("/api/v1/upload/", "/dicom-web/studies")
ORDINARY_BYTES = 16 * 1024**2
_TOO_LARGE = (413, "too_large", "The request is too large. Nothing of it was read or stored. Send it in parts.")
_FULL = (507, "disk_full", "The server's disk is full. Nothing of this request was stored.")


class BodyLimits:
    """Answers 413 to a body that says, or turns out, to be too large, and 507 when the disk cannot even hold it."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        limit = settings.UPLOAD_MAX_BYTES if scope["path"].startswith(_LARGE) else ORDINARY_BYTES
        if _declared(scope) > limit:
            await _answer(send, *_TOO_LARGE)
            return
        await _Exchange(limit, receive, send).run(self.application, scope)


class _Exchange:
    """One request: counts what comes in, knows whether an answer has begun."""

    def __init__(self, limit: int, receive: Receive, send: Send) -> None:
        self.left = limit
        self.receive = receive
        self.send = send
        self.answered = False

    async def run(self, application: Application, scope: Scope) -> None:
        try:
            await application(scope, self.counted, self.noted)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or self.answered:
                raise
            await _answer(self.send, *_FULL)
            return
        if self.left < 0 and not self.answered:
            await _answer(self.send, *_TOO_LARGE)

    async def counted(self) -> MutableMapping[str, Any]:
        message = await self.receive()
        self.left -= len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.left < 0 else message

    async def noted(self, message: MutableMapping[str, Any]) -> None:
        self.answered = True
        await self.send(message)


def _declared(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


async def _answer(send: Send, status: int, code: str, detail: str) -> None:
    body = json.dumps({"detail": detail, "code": code}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
