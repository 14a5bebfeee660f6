"""REST: patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import exceptions, serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.permissions import READERS, allows, person
from common.contract import answers
from common.sheets import BadFile
from common.validation import checked
from studies import access
from studies.models import Patient
from studies.patients import csv_import, identity
from studies.patients.payloads import (
    ImportResult,
    MergeResult,
    PatientDetail,
    SplitResult,
    describe_with_studies,
    reference,
)
from studies.patients.suggestions_api import Reason


class InfantFacts(serializers.ModelSerializer[Patient]):
    class Meta:
        model = Patient
        fields = (*identity.FACTS, "issuer")


class MergeRequest(serializers.Serializer[Any]):
    into = serializers.JSONField(help_text="the platform's own number, or the hospital's identifier as text")
    reason = Reason()
    confirmed = serializers.BooleanField(default=False, help_text="also where the two look like twins")


class PerhapsTwins(exceptions.APIException):
    """The two were born on one day and are called otherwise: a person has to say that they are one all the same."""

    status_code = 409
    default_code = "perhaps_twins"


class SplitRequest(serializers.Serializer[Any]):
    studies = serializers.ListField(child=serializers.CharField(max_length=64), allow_empty=False, max_length=500)
    forget = serializers.ListField(
        child=serializers.ChoiceField(choices=identity.FACTS),
        default=list,
        help_text="facts that a merge had filled in: they become unknown again",
    )


class ImportRequest(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="CSV with a column patient_id")
    dry_run = serializers.BooleanField(default=True, help_text="only say what would happen")


def describe_payload(patient: Patient, request: Request) -> PatientDetail:
    return describe_with_studies(Patient.objects.get(pk=patient.pk), person(request))


class PatientView(APIView):
    permission_classes = [allows(*READERS)]

    @answers(PatientDetail)
    def get(self, request: Request, pk: int) -> Response:
        """An infant and its studies."""
        with transaction.atomic():
            return Response(describe_payload(access.open_patient(request, pk, "patient.viewed"), request))

    @answers(PatientDetail, asks=InfantFacts)
    def patch(self, request: Request, pk: int) -> Response:
        """Facts that DICOM lacks, or has wrong."""
        with transaction.atomic():
            patient = access.open_patient(request, pk, "patient.opened")
            facts = checked(InfantFacts, request.data, instance=patient, partial=True)
            changes = identity.change_facts(patient, facts)
            _audit(request, "patient.changed", patient, changes=changes)
            return Response(describe_payload(patient, request))


def _audit(
    request: Request, action: str, patient: Patient, *, subjects: Sequence[audit.Subject] = (), **detail: Any
) -> None:
    """``subjects``: other infants whom it is about, too."""
    audit.record_list(
        request._request, action, user=request.user, patient_id=patient.patient_id, subjects=subjects, **detail
    )


def _among(patient: Patient, uids: Sequence[str]) -> QuerySet[Any, str]:
    return patient.studies.filter(uid__in=uids).values_list("uid", flat=True)


class MergeView(APIView):
    permission_classes = [allows(*READERS)]

    @answers(MergeResult, asks=MergeRequest)
    def post(self, request: Request, pk: int) -> Response:
        """This patient and ``into`` (identifier, or our number) are one infant; 409 ``perhaps_twins`` asks first where
        they were born on one day and differ in name or sex."""
        asked = checked(MergeRequest, request.data)
        with transaction.atomic():
            patient = access.open_patient(request, pk, "patient.opened")
            target = identity.find_target(asked["into"])
            doubt = identity.twins_question(patient, target)
            if doubt and not asked["confirmed"]:
                raise PerhapsTwins(doubt)
            merged = identity.merge(patient, target)
            detail: dict[str, Any] = {"into": target.patient_id, "studies": merged.studies, "filled": merged.filled}
            subjects = [(target.patient_id, uid) for uid in merged.studies] or [(target.patient_id, "")]
            why = {"reason": asked["reason"], "confirmed": bool(doubt)}
            _audit(request, "patient.merged", patient, subjects=subjects, **detail, **why)
            return Response(
                MergeResult(**describe_payload(target, request), moved=merged.studies, filled=merged.filled)
            )


class SplitView(APIView):
    permission_classes = [allows(*READERS)]

    @answers(SplitResult, asks=SplitRequest)
    def post(self, request: Request, pk: int) -> Response:
        """These studies are of another infant."""
        asked = checked(SplitRequest, request.data)
        uids, forget = asked["studies"], asked["forget"]
        with transaction.atomic():
            patient = access.open_patient(request, pk, "patient.opened")
            others = identity.split(patient, uids)
            identity.change_facts(patient, {name: identity.UNKNOWN[name] for name in forget})
            to = [other.patient_id for other in others]
            subjects = [(other.patient_id, uid) for other in others for uid in _among(other, uids)]
            _audit(request, "patient.split", patient, studies=uids, to=to, forgotten=forget, subjects=subjects)
            split_to = [reference(other) for other in others]
            return Response(SplitResult(**describe_payload(patient, request), split_to=split_to))


class ImportView(APIView):
    permission_classes = [allows(*READERS)]
    parser_classes = [MultiPartParser, FormParser]

    @answers(ImportResult, asks={"multipart/form-data": ImportRequest})
    def post(self, request: Request) -> Response:
        """Infant facts from a CSV file, row by row; ``dry_run`` (the default) only says what would happen."""
        upload = checked(ImportRequest, request.data)
        dry_run = upload["dry_run"]
        with transaction.atomic():
            try:
                rows = csv_import.import_rows(upload["file"].read(), dry_run=dry_run)
            except BadFile as error:
                raise exceptions.ValidationError({"file": [f"{error} Nothing was changed."]}) from None
            changed = [[row.line, row.patient_id, row.changes] for row in rows if row.outcome == "changed"]
            subjects = access.subjects_under({row.patient_id for row in rows if row.outcome == "changed"})
            audit.record_list(
                request._request,
                "patients.imported",
                user=request.user,
                dry_run=dry_run,
                rows=changed,
                subjects=subjects,
            )
            return Response(ImportResult(dry_run=dry_run, rows=[row.as_json() for row in rows]))
