"""REST: what was drawn in an infant's earlier study."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from annotations.api.requests import JSON
from annotations.reads.prior_reads import TO_LABEL, hidden_from, last_reads
from studies import access
from studies.models import Study


class PriorDrawingsView(APIView):
    permission_classes = [permissions.allows(*permissions.READERS)]

    @extend_schema(responses=JSON)
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
