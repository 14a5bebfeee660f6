"""REST: which study a person opens after the present one."""

from __future__ import annotations

from typing import Annotated, TypedDict

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from annotations.adjudication import disputes
from annotations.api.payloads import LabelQueuePayload, StudyLink, item_link, queue_payload
from annotations.api.requests import LABELLERS, ReadTarget, place_of
from annotations.models import Context
from annotations.queues import assignment
from annotations.reads import lifecycle
from annotations.reads.lifecycle import Place
from common.contract import answers
from common.validation import checked


class NextStudyUid(TypedDict):
    """The study after this one. An identifier alone, which shows nobody anything."""

    study_uid: Annotated[str | None, "StudyInstanceUID; null where there is none"]


class AfterCommit(TypedDict):
    """What to open after a commit, and in a label queue how far it is: the page need not ask before it goes on."""

    next: StudyLink | None
    queue: LabelQueuePayload | None


class AheadView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(NextStudyUid, query=ReadTarget)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """What comes after this study if it is committed now, so that the page fetches its first pictures early.
        Nothing is claimed or opened by asking."""
        place = place_of(request, uid, None, checked(ReadTarget, request.query_params))
        return Response(NextStudyUid(study_uid=_next_uid(place)))


def _next_uid(place: Place) -> str | None:
    if place.context == Context.TRIAGE:
        return lifecycle.next_study(place.reader, place.study)
    if place.context == Context.QUEUE and place.item is not None:
        item = assignment.next_item(place.reader, excluding=place.item.pk)
        return item.study.uid if item else None
    return None


def after_commit(place: Place) -> AfterCommit:
    """What comes after this study, which is committed."""
    if place.context == Context.QUEUE:
        item = assignment.next_item(place.reader)
        return {"next": item_link(item) if item else None, "queue": queue_payload(place.reader, item)}
    if place.context == Context.TRIAGE:
        uid = lifecycle.next_study(place.reader, place.study)
        return {"next": {"study_uid": uid, "url": f"/studies/{uid}/"} if uid else None, "queue": None}
    waiting = disputes.open_disputes(place.reader)
    return {"next": _dispute_link(waiting[0]) if waiting else None, "queue": None}


def _dispute_link(dispute: disputes.Dispute) -> StudyLink:
    return {"study_uid": dispute.item.study.uid, "url": disputes.url_of(dispute.item)}
