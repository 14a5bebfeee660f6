"""REST: what was drawn in an infant's earlier study."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from django.db import transaction
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from accounts.models import User
from annotations.measurements.drawings import Drawing
from annotations.reads.prior_reads import TO_LABEL, hidden_from, last_reads
from common.contract import answers
from studies import access
from studies.models import Study


class PriorDrawings(TypedDict):
    """What was drawn in the last committed read of an earlier study."""

    drawings: list[Drawing]
    reader: Annotated[str, "who drew; empty where nobody has read it"]
    committed_at: datetime | None
    hidden: Annotated[str, "why there is nothing to be seen; empty where that has no reason"]


class PriorDrawingsView(APIView):
    permission_classes = [permissions.allows(*permissions.READERS)]

    @answers(PriorDrawings)
    @transaction.atomic
    def get(self, request: Request, uid: str, prior: str) -> Response:
        """What was drawn in the last committed read of another study of the infant. ``hidden`` says why there is none
        to be seen; while this person has yet to label the study that they read, that is so for every other one."""
        reading = access.visible_studies(request.user).filter(uid=uid).first()
        study = access.open_study(request, prior, "prior.drawings_viewed", reading=uid)
        if reading is None or reading == study or reading.patient_id != study.patient_id:
            raise Http404
        return Response(_drawings(study, permissions.person(request), reading=reading))


def _drawings(study: Study, user: User, *, reading: Study) -> PriorDrawings:
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
