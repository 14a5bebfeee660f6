"""One task per process that follows the event log while somebody listens, and calls every listener."""

# mypy: disallow-untyped-calls=False
# Channels and asgiref annotate little.
from __future__ import annotations

import asyncio
import contextlib
import logging
import weakref
from collections.abc import Callable

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from live.models import Event
from live.publish import GROUP
from live.queries import PAGE, events_after, head

logger = logging.getLogger(__name__)

Listener = Callable[[list[Event]], None]
POLL_SECONDS = 0.2
LAYER_RETRY_SECONDS = 2.0


class Tail:
    """Follows the log of one event loop. The channel layer wakes it; without one it polls every POLL_SECONDS."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._seq = 0

    async def listen(self, listener: Listener) -> int:
        """Call ``listener`` with every event committed from now on; returns the sequence number it starts after."""
        if not self._tasks:
            self._seq = await database_sync_to_async(head)()
        if not self._tasks:  # another listener may have started it while this one asked the database
            self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._relay_layer())]
        self._listeners.add(listener)
        return self._seq

    async def leave(self, listener: Listener) -> None:
        """The last one to leave stops the tail."""
        self._listeners.discard(listener)
        if self._listeners:
            return
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            full = await self._deliver()
            if full:
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
            self._wake.clear()

    async def _deliver(self) -> bool:
        """Hand out what is new. True where there may be more; a database that does not answer is queried again."""
        try:
            events = await database_sync_to_async(events_after)(self._seq)
        except Exception:  # the tail must outlive any trouble of the database
            logger.warning("the event log does not answer, looking again", exc_info=True)
            await asyncio.sleep(1)
            return False
        if events:
            self._seq = events[-1].seq
        for listener in tuple(self._listeners) if events else ():
            listener(events)
        return len(events) == PAGE

    async def _relay_layer(self) -> None:
        """Losing the channel layer loses nothing: the tail also polls."""
        while True:
            try:
                await self._relay_wakes()
            except Exception:  # whatever a broken layer raises
                logger.warning("the channel layer does not answer, polling only", exc_info=True)
            await asyncio.sleep(LAYER_RETRY_SECONDS)

    async def _relay_wakes(self) -> None:
        layer = get_channel_layer()
        if layer is None:
            return
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
        try:
            while True:
                await layer.receive(channel)
                self._wake.set()
        finally:
            await layer.group_discard(GROUP, channel)


_tails: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Tail] = weakref.WeakKeyDictionary()


def tail() -> Tail:
    """This process's tail (one for each event loop, of which a web process has one)."""
    return _tails.setdefault(asyncio.get_running_loop(), Tail())
