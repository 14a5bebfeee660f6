"""The same events for whoever cannot hold a WebSocket open."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from live.queries import PAGE, head, heard_after, message


class After(serializers.Serializer[None]):
    after = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)


class Events(APIView):
    """``{seq, events}``: what this person hears after ``after``; without it only where the log stands."""

    @extend_schema(parameters=[After], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        asked = After(data=request.query_params)
        asked.is_valid(raise_exception=True)
        latest = head()
        events = heard_after(request.user, asked.validated_data.get("after", latest), upto=latest)
        seq = events[-1].seq if len(events) == PAGE else latest
        return Response({"seq": seq, "events": [message(event) for event in events]})
