"""REST: questions about who an infant is, and their answers that change nothing. Merges and splits are in ``api``."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.permissions import allows
from accounts.roles import Role
from common.contract import answers
from common.paging import OffsetPages
from common.validation import checked
from studies.access import every_study
from studies.models import IdentityDoubt
from studies.patients import doubts
from studies.patients.doubts import IdentitySuggestions
from studies.patients.identity import publish_changes


class Reason(serializers.CharField):
    """Why a person decided so, for the audit trail."""

    def __init__(self) -> None:
        super().__init__(default="", allow_blank=True, max_length=500, help_text="for the audit trail")


class SuggestionsQuery(serializers.Serializer[Any]):
    q = serializers.CharField(default="", allow_blank=True, max_length=200, help_text="words of numbers and names")
    cursor = serializers.IntegerField(required=False, min_value=0, max_value=10**6, help_text="how many are skipped")
    page_size = serializers.IntegerField(
        required=False, min_value=1, max_value=OffsetPages.max_limit, default=OffsetPages.default_limit
    )


class SettleRequest(serializers.Serializer[Any]):
    reason = Reason()


class SuggestionsView(APIView):
    permission_classes = [allows(Role.ADMIN)]

    @answers(IdentitySuggestions, query=SuggestionsQuery)
    def get(self, request: Request) -> Response:
        """Identities that clash or may be one, both sides of each; merged, split or changed they leave the list."""
        query, pages = checked(SuggestionsQuery, request.query_params), OffsetPages()
        with transaction.atomic():
            found = doubts.open_questions(query["q"])
            results = doubts.describe(pages.paginate_queryset(found, request) or [])
            _record(request, results)
            page: IdentitySuggestions = {
                "count": len(found),
                "results": results,
                "next": pages.get_next_link(),
                "previous": pages.get_previous_link(),
            }
            return Response(page)


def _record(request: Request, results: list[doubts.IdentitySuggestion]) -> None:
    """One audit entry for the whole page, by which the infants of all its questions are found."""
    numbers = [suggestion["id"] for suggestion in results]
    subjects = [shown for suggestion in results for side in suggestion["sides"] for shown in _subjects(side)]
    audit.record_list(request._request, "suggestions.viewed", user=request.user, suggestions=numbers, subjects=subjects)


def _subjects(side: doubts.IdentitySide) -> list[audit.Subject]:
    return [(side["patient_id"], study["study_uid"]) for study in side["studies"]] or [(side["patient_id"], "")]


class SettleView(APIView):
    permission_classes = [allows(Role.ADMIN)]
    parser_classes = [JSONParser, MultiPartParser, FormParser]

    @answers(None, status=204, asks=SettleRequest)
    def post(self, request: Request, pk: int) -> Response:
        """Nothing is to be done: what is kept apart stays so, what is known stays, and it is not asked again."""
        reason = checked(SettleRequest, request.data)["reason"]
        with transaction.atomic():
            doubt = get_object_or_404(doubts.unsettled(), pk=pk)
            doubt.settled_at = timezone.now()
            _keep(request, doubt, "suggestion.settled", reason=reason)
            return Response(status=204)


class ReopenView(APIView):
    permission_classes = [allows(Role.ADMIN)]

    @answers(None, status=204)
    def post(self, request: Request, pk: int) -> Response:
        """A settled question is open again."""
        with transaction.atomic():
            doubt = get_object_or_404(IdentityDoubt.objects.select_related("patient"), pk=pk, settled_at__isnull=False)
            doubt.settled_at = None
            _keep(request, doubt, "suggestion.reopened")
            return Response(status=204)


def _keep(request: Request, doubt: IdentityDoubt, action: str, **detail: str) -> None:
    doubt.save(update_fields=["settled_at"])
    patient_id = doubt.patient.patient_id
    about: dict[str, Any] = {"suggestion": doubt.pk, "kind": doubt.kind, **detail}
    other = [(doubt.other.patient_id, "")] if doubt.other else []
    audit.record_list(request._request, action, user=request.user, patient_id=patient_id, subjects=other, **about)
    _announce(doubt)


def _announce(doubt: IdentityDoubt) -> None:
    """Open lists and pages of both sides load again."""
    patients = [each.final().pk for each in (doubt.patient, doubt.other) if each]
    publish_changes(every_study().filter(patient__in=patients).values_list("uid", flat=True))
