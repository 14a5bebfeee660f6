"""Reading the event log: what a client receives, from where, and for whom."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from django.db.models import Max

from live.audiences import Person, heard_by
from live.models import Event

PAGE = 500


class EventMessage(TypedDict):
    """Something changed. Identifiers only: whoever may know more asks for it through the access door."""

    seq: Annotated[int, "place in the log, in the order of commits"]
    kind: str
    at: Annotated[str, "ISO date and time"]
    study_uid: NotRequired[str]
    run_id: NotRequired[int]


def head() -> int:
    """The latest sequence number; 0 for an empty log."""
    return Event.objects.aggregate(latest=Max("seq"))["latest"] or 0


def message(event: Event) -> EventMessage:
    """The event as a client receives it."""
    payload: EventMessage = {"seq": event.seq, "kind": event.kind, "at": event.at.isoformat()}
    if event.study_uid:
        payload["study_uid"] = event.study_uid
    if event.run_id is not None:
        payload["run_id"] = event.run_id
    return payload


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
