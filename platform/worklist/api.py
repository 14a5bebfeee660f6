"""REST: the worklist and claims."""

from __future__ import annotations

from typing import Any, TypedDict

from django.conf import settings
from django.db import transaction
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.models import User
from annotations.models import Where
from annotations.reads import exposures
from common.contract import answers
from common.paging import OffsetPages
from common.validation import checked
from studies import access
from studies.models import Study
from worklist import claims
from worklist.payloads import ClaimAnswer, WorklistPage
from worklist.reading_list import FILTERS, ReadingList
from worklist.reading_order import Band
from worklist.rows import WorklistRows


class WorklistQuery(serializers.Serializer[Any]):
    filter = serializers.ChoiceField(choices=FILTERS, default="all")
    q = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=200, help_text="words that a study must match"
    )
    cursor = serializers.IntegerField(
        required=False, min_value=0, max_value=10**6, default=0, help_text="how many studies of the order are skipped"
    )
    page_size = serializers.IntegerField(
        required=False, min_value=1, max_value=OffsetPages.max_limit, default=OffsetPages.default_limit
    )


class SearchWords(serializers.Serializer[Any]):
    q = serializers.CharField(max_length=200, allow_blank=True, help_text="words that a study must match")


class Query(TypedDict):
    """A checked WorklistQuery; the pages read the rest from the request."""

    filter: str
    q: str


class Claimed(exceptions.APIException):
    """Somebody else has the study open."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "claimed"

    def __init__(self, error: claims.ClaimedByOther, user: User) -> None:
        super().__init__(f"{error} You can still look at it.")
        self.extra = {"claimed_by": claims.payload(error.claim, user)}


class NothingToClaim(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "already_read"
    default_detail = "This study is read already."


class WorklistView(APIView):
    permission_classes = [permissions.allows(*permissions.READERS)]

    @answers(WorklistPage, query=WorklistQuery)
    def get(self, request: Request) -> Response:
        """Everything that waits, in reading order, with why it stands there."""
        return Response(_listed(request, checked(WorklistQuery, request.query_params)))

    @answers(WorklistPage, asks=SearchWords, query=WorklistQuery)
    def post(self, request: Request) -> Response:
        """The same for words that stand in the body, since they may be a name, and addresses stay in logs.

        Nothing is changed. The links to other pages are asked in the same way.
        """
        words = checked(SearchWords, request.data)["q"]
        return Response(_listed(request, checked(WorklistQuery, request.query_params) | {"q": words}))


def _listed(request: Request, query: Query) -> WorklistPage:
    """A page of the list.

    The audit entry, and which flags this reader is shown for the first time, are written before anything is answered,
    in transactions of their own: gathering a long list inside one would keep every writer of a SQLite database waiting.
    """
    reading_list, pages = ReadingList(permissions.person(request)), OffsetPages()
    studies, bands = _page(reading_list, query, pages, request)
    rows = WorklistRows(reading_list, studies, bands)
    _record(request, query, studies)
    exposures.record(reading_list.user, rows.shown_scores(), Where.LIST)
    page: WorklistPage = {
        "results": rows.rows(),
        "next": pages.get_next_link(),
        "previous": pages.get_previous_link(),
        "counts": reading_list.counts(),
        "cap_seconds": reading_list.policy.cap_seconds,
        "longest_waiting_seconds": reading_list.longest_waiting_seconds(),
        "ai": reading_list.ai,
        "show_probability": settings.SHOW_PROBABILITY,
    }
    return page


def _page(
    reading_list: ReadingList, query: Query, pages: OffsetPages, request: Request
) -> tuple[list[Study], dict[int, Band]]:
    """The page's studies in order, and the bands of those that wait."""
    if query["filter"] == "read_today":
        read = reading_list.read_today(query["q"]).select_related("patient")
        return pages.paginate_queryset(read, request) or [], {}
    entries = pages.paginate_queryset(reading_list.chosen(query["filter"], query["q"]), request) or []
    visible = access.visible_studies(reading_list.user).select_related("patient")
    by_key = visible.in_bulk([entry.study_id for entry in entries])
    studies = [by_key[entry.study_id] for entry in entries if entry.study_id in by_key]
    return studies, {entry.study_id: entry.band for entry in entries}


def _record(request: Request, query: Query, studies: list[Study]) -> None:
    """One audit entry for the whole response; the studies by key. Whom it showed stands beside it, once a day."""
    audit.record_list(
        request._request,
        "worklist.viewed",
        user=request.user,
        filter=query["filter"],
        q=query["q"],
        studies=[study.pk for study in studies],
        subjects=[(study.patient.patient_id, study.uid) for study in studies],
    )


class ClaimView(APIView):
    permission_classes = [permissions.allows(*permissions.READERS)]

    @answers(ClaimAnswer)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """Claim, or renew one's own claim; 409 with who has it."""
        study, user = access.open_study(request, uid, "study.claimed"), permissions.person(request)
        try:
            claim = claims.take(study, user)
        except claims.ClaimedByOther as error:
            raise Claimed(error, user) from error
        except claims.AlreadyRead as error:
            raise NothingToClaim from error
        answer: ClaimAnswer = {"claimed_by": claims.payload(claim, user)}
        return Response(answer)

    @answers(None, status=status.HTTP_204_NO_CONTENT)
    @transaction.atomic
    def delete(self, request: Request, uid: str) -> Response:
        """Give one's own claim back."""
        study, user = access.open_study(request, uid, "study.released"), permissions.person(request)
        try:
            claims.release(study, user)
        except claims.ClaimedByOther as error:
            raise Claimed(error, user) from error
        return Response(status=status.HTTP_204_NO_CONTENT)
