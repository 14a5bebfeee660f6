"""Which study this person opens after the present one, so that its first pictures can be there before they ask."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from annotations.api.requests import LABELLERS, Where, place
from annotations.models import Context
from annotations.queues import assignment
from annotations.reads import lifecycle
from annotations.reads.lifecycle import Place


class AheadView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(parameters=[Where], responses=OpenApiTypes.OBJECT)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """``study_uid`` of the next one, null where there is none. An identifier alone: it shows nobody anything."""
        where = Where(data=request.query_params)
        where.is_valid(raise_exception=True)
        here = place(request, uid, None, where.validated_data)
        return Response({"study_uid": following(here)})


def following(here: Place) -> str | None:
    """What comes after this study if it is committed now. Nothing is claimed or opened by asking."""
    if here.context == Context.TRIAGE:
        return lifecycle.next_study(here.reader, here.study)
    if here.context == Context.QUEUE and here.item is not None:
        return _next_in_queue(here.reader, here.item.pk)
    return None


def _next_in_queue(user: Any, item: int) -> str | None:
    following = assignment.next_item(user, excluding=item)
    return following.study.uid if following else None
