"""The WebSocket at ``/ws/events/``: hello with the head of the log, missed events, then each new one."""

# mypy: disallow-untyped-calls=False
# Channels and asgiref annotate little.
from __future__ import annotations

import asyncio
import contextlib
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError

from live.audiences import hears
from live.models import Event
from live.payloads import HelloMessage
from live.queries import heard_after, message
from live.tail import tail

SIGNED_OUT = 4401
TOO_SLOW = 4408
WAITING_EVENTS = 2000
SESSION_CHECK_SECONDS = 10.0


def _session_user(session_key: str) -> AbstractBaseUser | AnonymousUser:
    """Whose that session is now: it ends with its time, a sign-out, a new password or a closed account."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    return get_user(SimpleNamespace(session=store(session_key=session_key)))  # type: ignore[arg-type]  # it reads the session only


def _after(query: bytes) -> int | None:
    value = parse_qs(query.decode("latin-1")).get("after", [""])[0]
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


class EventsConsumer(AsyncJsonWebsocketConsumer):
    """One open page. Anything that it sends is ignored; it only listens."""

    async def connect(self) -> None:
        self.person = self.scope.get("user")
        if self.person is None or not self.person.is_authenticated:
            await self.close(code=SIGNED_OUT)
            return
        await self.accept()
        self._queue: asyncio.Queue[list[Event]] = asyncio.Queue(WAITING_EVENTS)
        self._overflowed = asyncio.Event()
        head = await tail().listen(self._enqueue)
        self._sent = head
        await self.send_json(HelloMessage(type="hello", seq=head))
        await self._catch_up(_after(self.scope["query_string"]), head)
        self._tasks = [
            asyncio.create_task(self._send_new_events()),
            asyncio.create_task(self._watch_session()),
            asyncio.create_task(self._watch_overflow()),
        ]

    async def disconnect(self, code: int) -> None:
        await tail().leave(self._enqueue)
        for task in getattr(self, "_tasks", []):
            if task is not asyncio.current_task():
                task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        return

    def _enqueue(self, events: list[Event]) -> None:
        try:
            self._queue.put_nowait(events)
        except asyncio.QueueFull:
            self._overflowed.set()

    async def _catch_up(self, after: int | None, head: int) -> None:
        """Send what this person missed. A position beyond the head belongs to another log and is ignored."""
        while after is not None and after < head:
            events = await database_sync_to_async(heard_after)(self.person, after, upto=head)
            for event in events:
                await self.send_json(message(event))
            after = events[-1].seq if events else head

    async def _send_new_events(self) -> None:
        while True:
            for event in await self._queue.get():
                new = event.seq > self._sent
                if new and hears(self.person, audience=event.audience, person_id=event.person_id):
                    self._sent = event.seq
                    await self.send_json(message(event))

    async def _watch_session(self) -> None:
        """End with the session; a changed role counts from the next check on."""
        while True:
            await asyncio.sleep(SESSION_CHECK_SECONDS)
            with contextlib.suppress(DatabaseError):
                person = await database_sync_to_async(_session_user)(self.scope["session"].session_key)
                if not person.is_authenticated or person.pk != self.person.pk:
                    await self.close(code=SIGNED_OUT)
                    return
                self.person = person

    async def _watch_overflow(self) -> None:
        """A page that cannot keep up is closed: it comes back with its position and misses nothing."""
        await self._overflowed.wait()
        await self.close(code=TOO_SLOW)
