"""The same events for whoever cannot hold a WebSocket open."""

from __future__ import annotations

from typing import cast

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.contract import answers
from common.validation import checked
from live.audiences import Person
from live.payloads import EventPage
from live.queries import PAGE, head, heard_after, message


class Position(serializers.Serializer[None]):
    after = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**63 - 1,
        help_text="Events with a higher seq are answered. Without it none are: only where the log stands.",
    )


class EventsView(APIView):
    """What whoever is signed in hears."""

    @answers(EventPage, query=Position)
    def get(self, request: Request) -> Response:
        """Up to 500 events after a position of the log, in its order."""
        latest = head()
        after = checked(Position, request.query_params).get("after", latest)
        events = heard_after(cast(Person, request.user), after, upto=latest)
        seq = events[-1].seq if len(events) == PAGE else latest
        page: EventPage = {"seq": seq, "events": [message(event) for event in events]}
        return Response(page)
