"""REST: the quarantine, for admins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.permissions import allows, person
from accounts.roles import Role
from common.contract import answers
from common.paging import OffsetPages
from common.validation import checked
from studies import access, storage
from studies.ingest.streamed_request import DiskIsFull
from studies.models import QuarantinedFile, QuarantineState
from studies.quarantine import settle, shelf
from studies.quarantine.payloads import QuarantineDetail, QuarantinePage, describe, describe_one, occupied

_MAGIC_AT, _MAGIC = 128, b"DICM"
DICOM, BYTES = "application/dicom", "application/octet-stream"


class NotSettled(exceptions.APIException):
    status_code = 409
    default_code = "not_settled"


class QuarantineQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(
        choices=[*QuarantineState.values, "all"], default="all", help_text="what became of it"
    )
    code = serializers.CharField(
        max_length=32, required=False, allow_blank=True, help_text="why it was not taken in, as rows have it"
    )
    q = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        help_text="part of a UID, a patient's identifier, a sender or a file's name",
    )


class AcceptRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class DiscardRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, help_text="why it is not wanted")


class QuarantineView(APIView):
    permission_classes = [allows(Role.ADMIN)]

    @answers(QuarantinePage, query=QuarantineQuery)
    def get(self, request: Request) -> Response:
        """Files that were not taken in, the newest first, and why."""
        query, pages = checked(QuarantineQuery, request.query_params), OffsetPages()
        with transaction.atomic():
            rows = pages.paginate_queryset(_matching(query), request) or []
            subjects = [(row.patient_id, row.study_uid) for row in rows]
            files = [row.pk for row in rows]
            audit.record_list(
                request._request, "quarantine.viewed", user=request.user, **query, files=files, subjects=subjects
            )
        waiting, kept, limit = occupied()
        return Response(
            QuarantinePage(
                results=describe(rows),
                next=pages.get_next_link(),
                previous=pages.get_previous_link(),
                open=waiting,
                kept_bytes=kept,
                limit_bytes=limit,
                keep_days=settings.QUARANTINE_DAYS,
            )
        )


def _matching(query: dict[str, Any]) -> QuerySet[QuarantinedFile]:
    rows = QuarantinedFile.objects.select_related("sent_by", "settled_by").order_by("-last_received_at", "-pk")
    if query["state"] != "all":
        rows = rows.filter(state=query["state"])
    if query.get("code"):
        rows = rows.filter(code=query["code"])
    for word in query.get("q", "").split():
        rows = rows.filter(_holds(word))
    return rows


def _holds(word: str) -> Q:
    places = ("sop_uid", "study_uid", "patient_id", "path", "reason", "source", "sent_by__username")
    found = Q()
    for place in places:
        found |= Q(**{f"{place}__icontains": word})
    return found


class QuarantinedView(APIView):
    permission_classes = [allows(Role.ADMIN)]

    @answers(QuarantineDetail)
    @transaction.atomic
    def get(self, request: Request, pk: int) -> Response:
        """One file, and the times that it came."""
        return Response(describe_one(access.open_quarantined(request, pk, "quarantine.opened")))


class QuarantineDownloadView(APIView):
    permission_classes = [allows(Role.ADMIN)]

    @answers(bytes, media_type=BYTES, files=[DICOM])
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Its bytes, to be saved and never shown; 409 where they are not kept."""
        with transaction.atomic():
            row = access.open_quarantined(request, pk, "quarantine.downloaded")
            try:
                path = shelf.path_of(row)
            except storage.Missing:
                raise NotSettled(f"There is nothing to download. {row.get_holding_display()}") from None
            except storage.Corrupt:
                raise NotSettled("Its stored bytes are damaged.") from None
        return _attachment(request, row, path)


def _attachment(request: Request, row: QuarantinedFile, path: Path) -> HttpResponseBase:
    with path.open("rb") as stream:
        is_dicom = stream.read(_MAGIC_AT + len(_MAGIC))[_MAGIC_AT:] == _MAGIC
    name = f"quarantined-{row.pk}.{'dcm' if is_dicom else 'bin'}"
    kind = DICOM if is_dicom else BYTES
    if not isinstance(request._request, ASGIRequest):
        return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type=kind)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(path.stat().st_size)}
    return StreamingHttpResponse(_chunks(path), content_type=kind, headers=headers)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    """Piece by piece: under ASGI Django would read an ordinary iterator to its end before it sends anything."""
    with path.open("rb") as stream:
        while chunk := await asyncio.to_thread(stream.read, storage.CHUNK):
            yield chunk


class QuarantineAcceptView(APIView):
    permission_classes = [allows(Role.ADMIN)]

    @answers(QuarantineDetail, asks=AcceptRequest)
    def post(self, request: Request, pk: int) -> Response:
        """Take it in: a conflict takes the place of the picture that is here, which is kept; any other file tries its
        way in again. 409 with the reason where it cannot be."""
        decision = _decision(request, pk, AcceptRequest)
        try:
            return Response(describe_one(settle.accept(pk, decision)))
        except settle.CannotSettle as error:
            raise NotSettled(str(error)) from None
        except storage.DiskFull:
            raise DiskIsFull from None


class QuarantineDiscardView(APIView):
    permission_classes = [allows(Role.ADMIN)]

    @answers(QuarantineDetail, asks=DiscardRequest)
    def post(self, request: Request, pk: int) -> Response:
        """Remove its bytes, with a reason; the row and the audit trail stay."""
        decision = _decision(request, pk, DiscardRequest)
        try:
            return Response(describe_one(settle.discard(pk, decision)))
        except settle.CannotSettle as error:
            raise NotSettled(str(error)) from None


def _decision(request: Request, pk: int, asked: type[serializers.Serializer[Any]]) -> settle.Decision:
    with transaction.atomic():
        access.open_quarantined(request, pk, "quarantine.opened")
    reason = checked(asked, request.data)["reason"]
    return settle.Decision(person(request), reason, request._request)
