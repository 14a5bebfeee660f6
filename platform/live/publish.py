"""Writing to the event log, so that its sequence follows the order of commits."""

# mypy: disallow-untyped-calls=False
# Channels and asgiref annotate little.
from __future__ import annotations

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection, transaction

from live.models import Audience, Event
from live.payloads import EventKind

GROUP = "events"
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
    """Wake the tails of other processes; losing this loses nothing, since they also poll."""
    layer = get_channel_layer()
    if layer is not None:
        async_to_sync(layer.group_send)(GROUP, {"type": "events.changed"})
