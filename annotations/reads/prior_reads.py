"""What others said of an infant's earlier studies: the last committed read of each, for those who may know it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from annotations.models import Context, Read, ReadRevision, ReadStatus
from annotations.reads.blinding import blinded_uids, has_answered
from studies import access
from studies.models import Study

TO_LABEL = "You have yet to label this study."
AFTER_COMMIT = "Shown after your commit."


def last_reads(uids: Collection[str]) -> dict[str, ReadRevision]:
    """The last committed read of each of these studies in the reading room, in one query."""
    rows = ReadRevision.objects.filter(
        read__study__uid__in=uids, read__context=Context.TRIAGE, read__status=ReadStatus.COMMITTED
    )
    return {row.read.study.uid: row for row in rows.select_related("read__study", "read__reader").order_by("pk")}


def hidden_from(user: Any, *, reading: Study) -> dict[str, str]:
    """Of which studies this person, who reads one, may not know yet what others said, and why."""
    begun = Read.objects.filter(reader=user, status=ReadStatus.DRAFT, draft_version__gt=0)
    hidden = dict.fromkeys(begun.values_list("study__uid", flat=True), AFTER_COMMIT)
    if not has_answered(user, reading.uid):
        hidden[reading.uid] = AFTER_COMMIT
    return hidden | dict.fromkeys(blinded_uids(user), TO_LABEL)


class PriorDrawingsView(APIView):
    permission_classes = [permissions.allows(*permissions.READERS)]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @transaction.atomic
    def get(self, request: Request, uid: str, prior: str) -> Response:
        """What was drawn in the last committed read of another study of the infant. ``hidden`` says why there is none
        to be seen; while this person has yet to label the study that they read, that is so for every other one."""
        reading = access.visible_studies(request.user).filter(uid=uid).first()
        study = access.open_study(request, prior, "prior.drawings_viewed", reading=uid)
        if reading is None or reading == study or reading.patient_id != study.patient_id:
            raise Http404
        return Response(drawings(study, request.user, reading=reading))


def drawings(study: Study, user: Any, *, reading: Study) -> dict[str, Any]:
    hidden = hidden_from(user, reading=reading)
    labelling = hidden.get(reading.uid) == TO_LABEL
    why = TO_LABEL if labelling else hidden.get(study.uid, "")
    last = None if why else last_reads([study.uid]).get(study.uid)
    return {
        "drawings": last.findings.get("drawings", []) if last else [],
        "reader": last.read.reader.display if last else "",
        "committed_at": last.committed_at if last else None,
        "hidden": why,
    }
