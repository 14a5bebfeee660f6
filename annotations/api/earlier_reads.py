"""One's own commits of today, one before the other: `U` goes back through them, and what is left as it was stays."""

from __future__ import annotations

from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from annotations.adjudication import disputes
from annotations.api.requests import LABELLERS, Conflict, Where, place
from annotations.models import Context, Read, ReadRevision
from annotations.queues import assignment
from annotations.reads import lifecycle
from annotations.reads.lifecycle import Place
from annotations.reads.transitions import NotOpen
from common.local_time import midnight
from common.validation import checked
from studies.payloads import study_url


def earlier(here: Place) -> Read | None:
    """What this reader committed today before this one; the last of all where this one is not committed today."""
    own = ReadRevision.objects.last_of_each().filter(read__reader=here.reader, read__context=here.context)
    today = own.filter(committed_at__gte=midnight()).select_related("read__study", "read__item")
    today = today.order_by("-committed_at", "-read_id")
    current = today.filter(read__study=here.study, read__item=here.item).first()
    others = today.exclude(pk=current.pk).filter(committed_at__lte=current.committed_at) if current else today
    last = others.first()
    return last.read if last else None


def url_of(read: Read) -> str:
    if read.item is None:
        return study_url(read.study)
    return assignment.url_of(read.item) if read.context == Context.QUEUE else disputes.url_of(read.item)


class EarlierView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(parameters=[Where], responses=OpenApiTypes.OBJECT)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """``earlier``: the study that one committed today before this one, or null."""
        here = place(request, uid, None, checked(Where, request.query_params))
        found = earlier(here)
        told = {"study_uid": found.study.uid, "url": url_of(found)} if found else None
        return Response({"earlier": told})


class RestoreView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(request=Where, responses=OpenApiTypes.OBJECT)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """A read that was reopened and not changed counts again as it was committed; no revision is added."""
        here = place(request, uid, None, checked(Where, request.data))
        try:
            read = lifecycle.restore(here)
        except NotOpen as error:
            raise Conflict(str(error), "not_open") from error
        audit.record(request._request, "read.restored", user=request.user, study_uid=uid)
        return Response({"status": read.status})
