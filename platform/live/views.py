"""The same events for whoever cannot hold a WebSocket open."""

from __future__ import annotations

from typing import Annotated, TypedDict, cast

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.contract import answers
from common.validation import checked
from live.audiences import Person
from live.queries import PAGE, EventMessage, head, heard_after, message


class EventPage(TypedDict):
    """Events that this person hears, in the order of commits."""

    seq: Annotated[int, "where to go on: ask for what comes after it"]
    events: list[EventMessage]


class After(serializers.Serializer[None]):
    after = serializers.IntegerField(
        required=False, min_value=0, max_value=2**63 - 1, help_text="the seq of the last answer"
    )


class EventsView(APIView):
    @answers(EventPage, query=After)
    def get(self, request: Request) -> Response:
        """What this person hears after ``after``; without it only where the log stands."""
        latest = head()
        after = checked(After, request.query_params).get("after", latest)
        events = heard_after(cast(Person, request.user), after, upto=latest)
        seq = events[-1].seq if len(events) == PAGE else latest
        return Response(EventPage(seq=seq, events=[message(event) for event in events]))
