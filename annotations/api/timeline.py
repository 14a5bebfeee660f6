"""All studies of an infant in order, with what was read in them, and when the next screening is due."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import permissions
from annotations.measurements.reference_ranges import references
from annotations.models import ReadRevision
from annotations.reads import prior_reads
from studies import access
from studies.models import Patient, Study
from studies.patients import screening
from studies.payloads import study_url


class TimelineView(APIView):
    permission_classes = [permissions.allows(*permissions.READERS)]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @transaction.atomic
    def get(self, request: Request, uid: str) -> Response:
        """The infant's studies on an axis of days of life. No AI, and of this study nothing that others said before
        one has said it oneself."""
        study = access.open_study(request, uid, "timeline.viewed")
        return Response(timeline(study, request.user))


def timeline(study: Study, user: Any) -> dict[str, Any]:
    infant = study.patient
    others = access.visible_studies(user).filter(patient=infant).prefetch_related("clips")
    ordered = sorted(others, key=lambda each: each.acquired_at or each.first_image_at)
    told = [_told(each, study, user) for each in ordered]
    _add_reads(told, study, user)
    days = [entry["day_of_life"] for entry in told if entry["day_of_life"] is not None]
    return {"studies": told, "screening": _screening(infant, days), "references": references()}


def _told(study: Study, current: Study, user: Any) -> dict[str, Any]:
    on = timezone.localtime(study.acquired_at) if study.acquired_at else None
    return {
        "study_uid": study.uid,
        "url": study_url(study),
        "current": study.pk == current.pk,
        "acquired_at": study.acquired_at,
        "day_of_life": study.patient.day_of_life(on),
        "postmenstrual_age_days": study.patient.postmenstrual_age_days(on),
        "clips": len(study.clips.all()),
        "read": None,
        "hidden": "",
    }


def _add_reads(told: list[dict[str, Any]], current: Study, user: Any) -> None:
    """The last committed read of each study in the reading room."""
    latest = prior_reads.last_reads([entry["study_uid"] for entry in told])
    hidden = prior_reads.hidden_from(user, reading=current)
    for entry in told:
        uid = entry["study_uid"]
        entry["hidden"] = hidden.get(uid, "")
        if uid in latest and not entry["hidden"]:
            entry["read"] = _told_read(latest[uid])


def _told_read(revision: ReadRevision) -> dict[str, Any]:
    findings = revision.findings
    kept = ("schema", "right", "left", "phi", "phvd", "pvl", "cerebellar", "quality")
    return {
        **{name: findings.get(name) for name in kept},
        "measures": [_told_measure(each) for each in findings.get("drawings", []) if each.get("preset")],
        "reader": revision.read.reader.display,
        "committed_at": revision.committed_at,
    }


def _told_measure(drawing: dict[str, Any]) -> dict[str, Any]:
    """One measure with the number that the server put beside it, and where it was taken."""
    kept = ("preset", "side", "sop_uid", "frame", "measured")
    return {name: drawing.get(name) for name in kept}


def _screening(infant: Patient, days: list[int]) -> dict[str, Any]:
    birth = infant.birth_date
    today = (timezone.localdate() - birth).days if birth else None
    found = screening.schedule(infant.gestational_age_days, examined=days, today=today)

    def window(one: screening.Window) -> dict[str, Any]:
        dates = {"from": screening.on_day(birth, one.first), "to": screening.on_day(birth, one.last)} if birth else {}
        return {"name": one.name, "first": one.first, "last": one.last, "done": one.done(days), **dates}

    return {
        "source": screening.SOURCE,
        "why": found.why,
        "today": today,
        "windows": [window(one) for one in found.windows],
        "next": window(found.next) if found.next else None,
        "missed": [window(one) for one in found.missed],
    }
