"""REST: labels in and out, and the page for it. Every export and import is in the audit trail."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, TypedDict

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework import exceptions, serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.roles import Role
from annotations.consensus import reference_labels
from annotations.exchange import exporter
from annotations.exchange.coco import CocoDocument
from annotations.exchange.csv_json import LabelsDocument
from annotations.exchange.export_records import Export
from annotations.exchange.import_rows import ImportRowPayload
from annotations.exchange.importer import Importer, ImportResult
from annotations.models import Read, ReadStatus
from common.contract import answers
from common.sheets import BadFile
from common.validation import checked
from live import queries
from studies import access

MOST_ROWS = 1000
"""Rows of an import that are answered; those that need a look come first."""


class Key(serializers.CharField):
    """Words that make the stand-ins of an export its own."""

    def __init__(self) -> None:
        words = "Words that make stand-ins of their own: exports under other words share none. Empty: the site's."
        super().__init__(max_length=200, default="", allow_blank=True, help_text=words)


class ExportQuery(serializers.Serializer[Any]):
    form = serializers.ChoiceField(choices=exporter.FORMS, default="csv")
    what = serializers.ChoiceField(choices=("reads", "labels"), default="reads")
    identified = serializers.BooleanField(default=False, help_text="With identifiers; takes a reason.")
    reason = serializers.CharField(max_length=500, default="", allow_blank=True)
    key = Key()


class LabelImportRequest(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="CSV or JSON.")
    dry_run = serializers.BooleanField(default=True, help_text="Only say what would happen.")
    confirmed = serializers.BooleanField(default=False, help_text="What does not go together is meant.")
    key = Key()


class ImportReport(TypedDict):
    """What became of the rows of a file."""

    counts: Annotated[dict[str, int], "rows by what became of them: new, changed, unchanged, refused"]
    unused: Annotated[list[str], "columns that no field of the schema is called like"]
    rows: Annotated[list[ImportRowPayload], "those first that need a look"]
    more: Annotated[int, "rows that are not listed"]


class LabelImport(ImportReport):
    """An import, or a trial of it."""

    dry_run: Annotated[bool, "nothing was changed"]


class ExportView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @answers(LabelsDocument | CocoDocument, query=ExportQuery, files=("text/csv", "application/zip"))
    @transaction.atomic
    def get(self, request: Request) -> HttpResponse:
        """Reads or reference labels as a file; de-identified, unless an admin asks otherwise and says why."""
        query, person = checked(ExportQuery, request.query_params), permissions.person(request)
        if query["identified"] and not query["reason"].strip():
            raise exceptions.ValidationError({"reason": ["Say why the identifiers must leave. Nothing was exported."]})
        export = Export(person, query["identified"], query["what"] == "labels", query["key"])
        file = exporter.write(query["form"], export)
        digest = hashlib.sha256(file.content).hexdigest()
        facts = {**_told(query), "sha256": digest, "bytes": len(file.content)}
        audit.record_list(request._request, "labels.exported", user=person, subjects=export.subjects(), **facts)
        export.record_exposures()
        response = HttpResponse(file.content, content_type=file.media_type)
        response["Content-Disposition"] = f'attachment; filename="{file.name}"'
        response["Cache-Control"] = "no-store"
        return response


def _told(query: dict[str, Any]) -> dict[str, Any]:
    """For the trail, which more people read: that there was a key, not the key."""
    return {**query, "key": "own" if query["key"] else "site"}


class ImportView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]
    parser_classes = [MultiPartParser, FormParser]

    @answers(LabelImport, asks=LabelImportRequest)
    def post(self, request: Request) -> Response:
        """Labels from a CSV or JSON file, row by row; ``dry_run`` (the default) only says what would happen."""
        body, person = checked(LabelImportRequest, request.data), permissions.person(request)
        data, dry_run = body["file"].read(), body["dry_run"]
        importer = Importer(person, confirmed=body["confirmed"], key=body["key"])
        try:
            result = importer.judge(data) if dry_run else importer.store(data)
        except BadFile as error:
            raise exceptions.ValidationError({"file": [f"{error} Nothing was changed."]}) from None
        digest = hashlib.sha256(data).hexdigest()
        audit.record_list(
            request._request,
            "labels.imported",
            user=person,
            dry_run=dry_run,
            sha256=digest,
            counts=result.counts,
            subjects=access.subjects_of([row.study_uid for row in result.rows]),
        )
        imported: LabelImport = {"dry_run": dry_run, **import_report(result)}
        return Response(imported)


def import_report(result: ImportResult, most: int = MOST_ROWS) -> ImportReport:
    """The counts, and the rows with those first that need a look."""
    order = {"unchanged": 2, "new": 1}
    rows = sorted(result.rows, key=lambda row: (order.get(row.outcome, 0), row.line))
    return {
        "counts": {str(outcome): count for outcome, count in result.counts.items()},
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
