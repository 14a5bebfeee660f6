"""A client that stops in the middle of its request is let go: its place is wanted, and nothing of it was stored.

For uvicorn: ``--http config.slow_clients:ImpatientProtocol``. uvicorn itself waits for ever for headers and bodies.
"""

from __future__ import annotations

import asyncio
import json
import logging

import h11
from django.conf import settings
from uvicorn.protocols.http.h11_impl import H11Protocol

logger = logging.getLogger(__name__)
_DETAIL = "The request did not come to its end in time. Nothing of it was stored. Send it again."


def _answer() -> bytes:
    body = json.dumps({"detail": _DETAIL, "code": "too_slow"}).encode()
    head = f"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"connection: close\r\n\r\n" + body


class ImpatientProtocol(H11Protocol):
    """Closes a connection on which a request stops for ``REQUEST_IDLE_SECONDS``, or takes ``REQUEST_MAX_SECONDS``.

    Only bytes that the client owes count: neither the time that an answer takes, nor a pause that this side made.
    Between two requests uvicorn's own, shorter limit holds.
    """

    _timer: asyncio.TimerHandle | None = None
    _began: float | None = None
    _heard = 0.0
    _is_web_socket = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._began = self._heard = self.loop.time()
        self._watch()

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        self._began = self._heard if self._began is None else self._began
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """The next request may be half here, sent without waiting for the answer."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self._began = self._heard = self.loop.time()
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """From here on another protocol has the connection, which may be quiet for hours."""
        self._is_web_socket = True
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._began = None
        self._watch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Have a timer run while the client owes bytes, and none otherwise."""
        if self._is_web_socket or self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._began = None
        if self._began is None and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elif self._began is not None and self._timer is None:
            self._timer = self.loop.call_at(self._due(self._began), self._look)

    def _due(self, began: float) -> float:
        return min(self._heard + settings.REQUEST_IDLE_SECONDS, began + settings.REQUEST_MAX_SECONDS)

    def _look(self) -> None:
        """Each byte moves the end, and none the timer: it looks whether the end has come."""
        self._timer = None
        if self.flow.read_paused:
            self._heard = self.loop.time()
        if self._began is not None and self.loop.time() >= self._due(self._began):
            self._let_go()
        else:
            self._watch()

    def _let_go(self) -> None:
        logger.warning("a request from %s did not come to its end and was let go", self.client)
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(_answer())
        self.transport.close()
