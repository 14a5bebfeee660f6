"""Labels in and out over REST, and the page for it. Every export and import is in the audit trail."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.roles import Role
from annotations.consensus import reference_labels
from annotations.exchange import exporter
from annotations.exchange.export_records import Export
from annotations.exchange.import_files import BadFile
from annotations.exchange.importer import Importer, ImportResult
from annotations.models import Read, ReadStatus
from live import queries

MOST_ROWS_TOLD = 1000


class Wanted(serializers.Serializer[Any]):
    form = serializers.ChoiceField(choices=exporter.FORMS, default="csv")
    what = serializers.ChoiceField(choices=("reads", "labels"), default="reads")
    identified = serializers.BooleanField(default=False)
    reason = serializers.CharField(max_length=500, default="", allow_blank=True)


class Given(serializers.Serializer[Any]):
    file = serializers.FileField()
    dry_run = serializers.BooleanField(default=True)
    confirmed = serializers.BooleanField(default=False)


class ExportView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @extend_schema(parameters=[Wanted], responses=OpenApiTypes.BINARY)
    @transaction.atomic
    def get(self, request: Request) -> HttpResponse:
        """Reads or reference labels as a file; de-identified, unless an admin asks otherwise and says why."""
        asked = Wanted(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        if wanted["identified"] and not wanted["reason"].strip():
            raise exceptions.ValidationError({"reason": ["Say why the identifiers must leave. Nothing was exported."]})
        export = Export(permissions.person(request), wanted["identified"], wanted["what"] == "labels")
        file = exporter.write(wanted["form"], export)
        digest = hashlib.sha256(file.content).hexdigest()
        audit.record(
            request._request, "labels.exported", user=request.user, **wanted, sha256=digest, bytes=len(file.content)
        )
        answer = HttpResponse(file.content, content_type=file.media_type)
        answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
        answer["Cache-Control"] = "no-store"
        return answer


class ImportView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]
    parser_classes = [MultiPartParser, FormParser]

    @extend_schema(request=Given, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        """Labels from a CSV or JSON file, row by row; ``dry_run`` (the default) only says what would happen."""
        asked = Given(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data["file"].read()
        dry_run = asked.validated_data["dry_run"]
        importer = Importer(permissions.person(request), confirmed=asked.validated_data["confirmed"])
        try:
            result = importer.judge(data) if dry_run else importer.store(data)
        except BadFile as error:
            raise exceptions.ValidationError({"file": [f"{error} Nothing was changed."]}) from None
        digest = hashlib.sha256(data).hexdigest()
        audit.record(
            request._request, "labels.imported", user=request.user, dry_run=dry_run, sha256=digest, counts=result.counts
        )
        return Response({"dry_run": dry_run, **told(result)})


def told(result: ImportResult, most: int = MOST_ROWS_TOLD) -> dict[str, Any]:
    """The counts, and the rows with those first that need a look."""
    order = {"unchanged": 2, "new": 1}
    rows = sorted(result.rows, key=lambda row: (order.get(row.outcome, 0), row.line))
    return {
        "counts": result.counts,
        "unused": result.unused,
        "rows": [row.as_json() for row in rows[:most]],
        "more": max(0, len(rows) - most),
    }


@permissions.page(Role.ADMIN)
def page(request: HttpRequest) -> HttpResponse:
    """Import, export, and how many labels there are."""
    labels = reference_labels.labels()
    counts = {
        "reads": Read.objects.filter(status=ReadStatus.COMMITTED).count(),
        "labels": len(labels),
        "positive": sum(label.positive for label in labels),
    }
    audit.record(request, "labels.page_viewed")
    return render(request, "labels.html", {"page": {"page": "labels", "seq": queries.head()}, "counts": counts})
