"""REST: patients."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import exceptions, serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.permissions import READERS, allows
from accounts.roles import Role
from common.contract import answers
from common.validation import checked
from studies import access
from studies.models import Patient
from studies.patients import csv_import, doubts, identity
from studies.patients.doubts import IdentitySuggestions
from studies.patients.payloads import ImportResult, PatientDetail, SplitResult, describe_with_studies, reference


class InfantFacts(serializers.ModelSerializer[Patient]):
    class Meta:
        model = Patient
        fields = identity.FACTS


class MergeRequest(serializers.Serializer[Any]):
    into = serializers.JSONField(help_text="the platform's own number, or the hospital's identifier as text")


class SplitRequest(serializers.Serializer[Any]):
    studies = serializers.ListField(child=serializers.CharField(max_length=64), allow_empty=False, max_length=500)


class ImportRequest(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="CSV with a column patient_id")
    dry_run = serializers.BooleanField(default=True, help_text="only say what would happen")


class PatientView(APIView):
    permission_classes = [allows(*READERS)]

    @answers(PatientDetail)
    def get(self, request: Request, pk: int) -> Response:
        """An infant and its studies."""
        with transaction.atomic():
            return Response(describe_with_studies(access.open_patient(request, pk, "patient.viewed")))

    @answers(PatientDetail, asks=InfantFacts)
    def patch(self, request: Request, pk: int) -> Response:
        """Facts that DICOM lacks, or has wrong."""
        with transaction.atomic():
            patient = access.open_patient(request, pk, "patient.opened")
            facts = checked(InfantFacts, request.data, instance=patient, partial=True)
            changes = identity.change_facts(patient, facts)
            _audit(request, "patient.changed", patient, changes=changes)
            return Response(describe_with_studies(patient))


def _audit(request: Request, action: str, patient: Patient, **detail: Any) -> None:
    audit.record(request._request, action, user=request.user, patient_id=patient.patient_id, **detail)


class MergeView(APIView):
    permission_classes = [allows(*READERS)]

    @answers(PatientDetail, asks=MergeRequest)
    def post(self, request: Request, pk: int) -> Response:
        """This patient and ``into`` (identifier, or our number) are one infant."""
        into = checked(MergeRequest, request.data)["into"]
        with transaction.atomic():
            patient = access.open_patient(request, pk, "patient.opened")
            target = identity.find_target(into)
            uids = identity.merge(patient, target)
            _audit(request, "patient.merged", patient, into=target.patient_id, studies=uids)
            return Response(describe_with_studies(Patient.objects.get(pk=target.pk)))


class SplitView(APIView):
    permission_classes = [allows(*READERS)]

    @answers(SplitResult, asks=SplitRequest)
    def post(self, request: Request, pk: int) -> Response:
        """These studies are of another infant."""
        uids = checked(SplitRequest, request.data)["studies"]
        with transaction.atomic():
            patient = access.open_patient(request, pk, "patient.opened")
            others = identity.split(patient, uids)
            _audit(request, "patient.split", patient, studies=uids, to=[other.patient_id for other in others])
            split_to = [reference(other) for other in others]
            return Response(SplitResult(**describe_with_studies(patient), split_to=split_to))


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
            except csv_import.BadFile as error:
                raise exceptions.ValidationError({"file": [f"{error} Nothing was changed."]}) from None
            changed = [[row.line, row.patient_id, row.changes] for row in rows if row.outcome == "changed"]
            audit.record(request._request, "patients.imported", user=request.user, dry_run=dry_run, rows=changed)
            return Response(ImportResult(dry_run=dry_run, rows=[row.as_json() for row in rows]))


class SuggestionsView(APIView):
    permission_classes = [allows(Role.ADMIN)]

    @answers(IdentitySuggestions)
    def get(self, request: Request) -> Response:
        """Identities that clash or may be one, both sides of each; merged, split or changed they leave the list."""
        with transaction.atomic():
            found = doubts.suggestions()
            numbers = [suggestion["id"] for suggestion in found]
            audit.record(request._request, "suggestions.viewed", user=request.user, suggestions=numbers)
            return Response(IdentitySuggestions(results=found))


class SettleView(APIView):
    permission_classes = [allows(Role.ADMIN)]

    @answers(None, status=204)
    def post(self, request: Request, pk: int) -> Response:
        """Nothing is to be done: what is kept apart stays so, what is known stays, and it is not asked again."""
        with transaction.atomic():
            doubt = get_object_or_404(doubts.unsettled(), pk=pk)
            doubt.settled_at = timezone.now()
            doubt.save(update_fields=["settled_at"])
            _audit(request, "suggestion.settled", doubt.patient, suggestion=pk, kind=doubt.kind)
            return Response(status=204)
