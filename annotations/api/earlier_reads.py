"""REST: one's own commits of today, one before the other. The key U goes back through them; what is left as it was
stays committed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from annotations.adjudication import disputes
from annotations.api.payloads import StudyLink
from annotations.api.requests import LABELLERS, Conflict, ReadTarget, place_of
from annotations.label_schema.schema import summary
from annotations.models import Context, Read, ReadRevision, ReadStatus
from annotations.queues import assignment
from annotations.reads import lifecycle
from annotations.reads.lifecycle import Place
from annotations.reads.transitions import NotOpen
from common.contract import answers
from common.local_time import midnight
from common.validation import checked
from studies import access
from studies.payloads import study_url


class EarlierStudy(StudyLink):
    """A study that one committed before, named so that nobody opens another infant's read unasked."""

    patient_id: Annotated[str, "the infant's number; empty outside the reading room, where nobody is named"]
    day_of_life: Annotated[int | None, "on the day of the pictures"]
    committed_at: datetime
    answered: Annotated[str, 'the grade of haemorrhage, as "III left" or "none"']


class EarlierRead(TypedDict):
    """Where one was before."""

    earlier: Annotated[EarlierStudy | None, "the study that one committed today before this one"]


class RestoredRead(TypedDict):
    """A read that counts again."""

    status: ReadStatus


def earlier(place: Place) -> ReadRevision | None:
    """What this reader committed today before this one; the last of all where this one is not committed today."""
    own = ReadRevision.objects.last_of_each().filter(read__reader=place.reader, read__context=place.context)
    today = own.filter(committed_at__gte=midnight()).select_related("read__study__patient", "read__item")
    today = today.order_by("-committed_at", "-read_id")
    current = today.filter(read__study=place.study, read__item=place.item).first()
    others = today.exclude(pk=current.pk).filter(committed_at__lte=current.committed_at) if current else today
    return others.filter(read__study__in=access.visible_studies(place.reader)).first()


def url_of(read: Read) -> str:
    if read.item is None:
        return study_url(read.study)
    return assignment.url_of(read.item) if read.context == Context.QUEUE else disputes.url_of(read.item)


class EarlierView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(EarlierRead, query=ReadTarget)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """The study that one committed today before this one; the last of all where this one is not committed."""
        place = place_of(request, uid, None, checked(ReadTarget, request.query_params))
        revision = earlier(place)
        if revision:
            access.open_study(request, revision.read.study.uid, "read.earlier_viewed", reading=uid)
        return Response(EarlierRead(earlier=_described(revision) if revision else None))


def _described(revision: ReadRevision) -> EarlierStudy:
    read = revision.read
    acquired = read.study.acquired_at
    return {
        "study_uid": read.study.uid,
        "url": url_of(read),
        "patient_id": read.study.patient.patient_id if read.context == Context.TRIAGE else "",
        "day_of_life": read.study.patient.day_of_life(timezone.localtime(acquired) if acquired else None),
        "committed_at": revision.committed_at,
        "answered": summary(revision.findings),
    }


class RestoreView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(RestoredRead, asks=ReadTarget)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """A read that was reopened and not changed counts again as it was committed; no revision is added."""
        place = place_of(request, uid, None, checked(ReadTarget, request.data))
        try:
            read = lifecycle.restore(place)
        except NotOpen as error:
            raise Conflict(str(error), "not_open") from error
        access.open_study(request, uid, "read.restored")
        return Response(RestoredRead(status=ReadStatus(read.status)))
