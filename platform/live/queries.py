"""Reading the event log: what a client receives, from where, and for whom."""

from __future__ import annotations

from typing import cast

from django.db.models import Max

from live.audiences import Person, heard_by
from live.models import Event
from live.payloads import EventKind, EventMessage

PAGE = 500


def head() -> int:
    """The latest sequence number; 0 for an empty log."""
    return Event.objects.aggregate(latest=Max("seq"))["latest"] or 0


def message(event: Event) -> EventMessage:
    """An event as the WebSocket and the polling fallback send it."""
    content: EventMessage = {"seq": event.seq, "kind": cast(EventKind, event.kind), "at": event.at.isoformat()}
    if event.study_uid:
        content["study_uid"] = event.study_uid
    if event.run_id is not None:
        content["run_id"] = event.run_id
    return content


def events_after(seq: int, *, upto: int | None = None) -> list[Event]:
    """Up to PAGE events of every audience, in commit order."""
    events = Event.objects.filter(seq__gt=seq)
    if upto is not None:
        events = events.filter(seq__lte=upto)
    return list(events.order_by("seq")[:PAGE])


def heard_after(person: Person, seq: int, *, upto: int) -> list[Event]:
    """Up to PAGE events that this person hears."""
    events = Event.objects.filter(heard_by(person), seq__gt=seq, seq__lte=upto)
    return list(events.order_by("seq")[:PAGE])
