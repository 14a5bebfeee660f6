"""REST: patients."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.permissions import READERS, allows
from studies import access
from studies.api import JSON
from studies.models import Patient
from studies.patients import csv_import, identity


class InfantFacts(serializers.ModelSerializer[Patient]):
    class Meta:
        model = Patient
        fields = identity.FACTS


class MergeRequest(serializers.Serializer[Any]):
    into = serializers.JSONField()


class SplitRequest(serializers.Serializer[Any]):
    studies = serializers.ListField(child=serializers.CharField(max_length=64), allow_empty=False, max_length=500)


class ImportRequest(serializers.Serializer[Any]):
    file = serializers.FileField()
    dry_run = serializers.BooleanField(default=True)


class PatientView(APIView):
    permission_classes = [allows(*READERS)]

    @extend_schema(responses=JSON)
    def get(self, request: Request, pk: int) -> Response:
        """An infant and its studies."""
        with transaction.atomic():
            return Response(identity.describe_with_studies(access.open_patient(request, pk, "patient.viewed")))

    @extend_schema(request=InfantFacts, responses=JSON)
    def patch(self, request: Request, pk: int) -> Response:
        """Facts that DICOM lacks, or has wrong."""
        with transaction.atomic():
            patient = access.open_patient(request, pk, "patient.opened")
            change = InfantFacts(patient, data=request.data, partial=True)
            change.is_valid(raise_exception=True)
            changes = identity.change_facts(patient, dict(change.validated_data))
            record(request, "patient.changed", patient, changes=changes)
            return Response(identity.describe_with_studies(patient))


def record(request: Request, action: str, patient: Patient, **detail: Any) -> None:
    audit.record(request._request, action, user=request.user, patient_id=patient.patient_id, **detail)


class MergeView(APIView):
    permission_classes = [allows(*READERS)]

    @extend_schema(request=MergeRequest, responses=JSON)
    def post(self, request: Request, pk: int) -> Response:
        """This patient and ``into`` (identifier, or our number) are one infant."""
        asked = MergeRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        with transaction.atomic():
            patient = access.open_patient(request, pk, "patient.opened")
            target = identity.find_target(asked.validated_data["into"])
            uids = identity.merge(patient, target)
            record(request, "patient.merged", patient, into=target.patient_id, studies=uids)
            return Response(identity.describe_with_studies(Patient.objects.get(pk=target.pk)))


class SplitView(APIView):
    permission_classes = [allows(*READERS)]

    @extend_schema(request=SplitRequest, responses=JSON)
    def post(self, request: Request, pk: int) -> Response:
        """These studies are of another infant."""
        asked = SplitRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        uids = asked.validated_data["studies"]
        with transaction.atomic():
            patient = access.open_patient(request, pk, "patient.opened")
            others = identity.split(patient, uids)
            record(request, "patient.split", patient, studies=uids, to=[other.patient_id for other in others])
            split_to = [{"id": other.pk, "patient_id": other.patient_id} for other in others]
            return Response({**identity.describe_with_studies(patient), "split_to": split_to})


class ImportView(APIView):
    permission_classes = [allows(*READERS)]
    parser_classes = [MultiPartParser, FormParser]

    @extend_schema(request=ImportRequest, responses=JSON)
    def post(self, request: Request) -> Response:
        """Infant facts from a CSV file, row by row; ``dry_run`` (the default) only says what would happen."""
        asked = ImportRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        dry_run = asked.validated_data["dry_run"]
        with transaction.atomic():
            try:
                rows = csv_import.take_in(asked.validated_data["file"].read(), dry_run=dry_run)
            except csv_import.BadFile as error:
                raise exceptions.ValidationError({"file": [f"{error} Nothing was changed."]}) from None
            audit.record(request._request, "patients.imported", user=request.user, dry_run=dry_run, rows=_trail(rows))
            return Response({"dry_run": dry_run, "rows": [row.as_json() for row in rows]})


def _trail(rows: list[csv_import.Row]) -> list[Any]:
    return [[row.line, row.patient_id, row.changes] for row in rows if row.outcome == "changed"]
