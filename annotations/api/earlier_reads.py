"""One's own commits of today, one before the other: `U` goes back through them, and what is left as it was stays."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from annotations.adjudication import disputes
from annotations.api.requests import LABELLERS, Conflict, Where, place
from annotations.models import Context, Read
from annotations.queues import assignment
from annotations.reads import lifecycle
from annotations.reads.lifecycle import Place
from common.local_time import midnight
from studies.payloads import study_url


def earlier(here: Place) -> Read | None:
    """What this reader committed today before this one; the last of all where this one is not committed today."""
    own = Read.objects.filter(reader=here.reader, context=here.context).annotate(at=Max("revisions__committed_at"))
    today = own.filter(at__gte=midnight()).select_related("study", "item").order_by("-at", "-pk")
    current = today.filter(study=here.study, item=here.item).first()
    others = today.exclude(pk=current.pk).filter(at__lte=current.at) if current else today
    return others.first()


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
        here = place(request, uid, None, _asked(request.query_params))
        found = earlier(here)
        told = {"study_uid": found.study.uid, "url": url_of(found)} if found else None
        return Response({"earlier": told})


class RestoreView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(request=Where, responses=OpenApiTypes.OBJECT)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """A read that was reopened and not changed counts again as it was committed; no revision is added."""
        here = place(request, uid, None, _asked(request.data))
        try:
            read = lifecycle.restore(here)
        except lifecycle.NotOpen as error:
            raise Conflict(str(error), "not_open") from error
        audit.record(request._request, "read.restored", user=request.user, study_uid=uid)
        return Response({"status": read.status})


def _asked(data: Any) -> dict[str, Any]:
    asked = Where(data=data)
    asked.is_valid(raise_exception=True)
    checked: dict[str, Any] = asked.validated_data
    return checked
