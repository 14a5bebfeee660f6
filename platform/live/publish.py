"""Writing to the event log, so that its sequence follows the order of commits."""

# mypy: disallow-untyped-calls=False
# Channels and asgiref annotate little.
from __future__ import annotations

import asyncio
import logging
import time

from asgiref.sync import async_to_sync
from channels.layers import BaseChannelLayer, get_channel_layer
from django.db import connection, transaction

from live.models import Audience, Event
from live.payloads import EventKind

logger = logging.getLogger(__name__)

GROUP = "events"
ANNOUNCE_SECONDS = 0.2
SILENCE_SECONDS = 10.0
_silent_until = 0.0
# Any number will do, as long as every writer of the log takes the same one.
_LOG_LOCK = 0x466F6E74


def publish(
    kind: EventKind,
    *,
    audience: Audience,
    study_uid: str = "",
    run_id: int | None = None,
    person_id: int | None = None,
) -> None:
    """Append an event in the caller's transaction, which must be open: it exists if, and only if, the change does.

    PostgreSQL hands out sequence numbers before commits; the advisory lock makes their order that of the commits, or
    a reader would skip an event that commits late. SQLite has one writer at a time already.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("publish an event inside the transaction that makes it true")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOG_LOCK])
    Event.objects.create(kind=kind, audience=audience, study_uid=study_uid, run_id=run_id, person_id=person_id)
    transaction.on_commit(_announce, robust=True)


def _announce() -> None:
    """Wake the tails of other processes; losing this loses nothing, since they also poll.

    The commit waits for it, so a layer that fails or stalls costs a moment once, and then none is tried for a while.
    """
    global _silent_until
    layer = get_channel_layer()
    if layer is None or time.monotonic() < _silent_until:
        return
    try:
        async_to_sync(_send)(layer)
    except Exception as error:  # noqa: BLE001  whatever the layer's client raises, the commit stands
        _silent_until = time.monotonic() + SILENCE_SECONDS
        logger.warning("the channel layer did not take an announcement (%r); pages find the event by themselves", error)


async def _send(layer: BaseChannelLayer) -> None:
    await asyncio.wait_for(layer.group_send(GROUP, {"type": "events.changed"}), ANNOUNCE_SECONDS)
