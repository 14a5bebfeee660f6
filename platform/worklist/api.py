"""REST: the worklist and claims."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from studies import access
from studies.models import Study
from worklist import claims
from worklist.reading_list import FILTERS, Board
from worklist.rows import Page

JSON = OpenApiTypes.OBJECT


class Asked(serializers.Serializer[Any]):
    filter = serializers.ChoiceField(choices=FILTERS, default="all")
    q = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    cursor = serializers.IntegerField(required=False, min_value=0, max_value=10**6, default=0)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=500, default=100)


class Claimed(exceptions.APIException):
    """Somebody else has the study open."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "claimed"

    def __init__(self, error: claims.Taken, user: Any) -> None:
        super().__init__(f"{error} You can still look at it.")
        self.extra = {"claimed_by": claims.as_json(error.claim, user)}


class NothingToClaim(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "already_read"
    default_detail = "This study is read already."


class WorklistView(APIView):
    permission_classes = [permissions.allows(*permissions.READERS)]

    @extend_schema(parameters=[Asked], responses=JSON)
    def get(self, request: Request) -> Response:
        """Everything that waits, in reading order, with why it stands there.

        The audit entry is written before anything is answered, in a transaction of its own: gathering a long list
        inside one would keep every writer of a SQLite database waiting.
        """
        serializer = Asked(data=request.query_params)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        board = Board(request.user)
        studies, bands, more = _chosen(board, asked)
        first, size = asked["cursor"], asked["page_size"]
        _note(request, asked, studies)
        return Response(
            {
                "results": Page(board, studies, bands).rows(),
                "next": _link(request, asked, first + size) if more else None,
                "previous": _link(request, asked, max(0, asked["cursor"] - asked["page_size"]))
                if asked["cursor"]
                else None,
                "counts": board.counts(),
                "cap_seconds": board.policy.cap_seconds,
                "longest_waiting_seconds": board.longest_waiting_seconds(),
                "ai": board.ai,
                "show_probability": settings.SHOW_PROBABILITY,
            }
        )


def _chosen(board: Board, asked: dict[str, Any]) -> tuple[list[Study], dict[int, str], bool]:
    """The page's studies in order, their bands, and whether there are more."""
    first, size = asked["cursor"], asked["page_size"]
    visible = access.visible_studies(board.user).select_related("patient")
    if asked["filter"] == "read_today":
        found = list(board.read_today(asked["q"]).select_related("patient")[first : first + size + 1])
        return found[:size], {}, len(found) > size
    entries = board.chosen(asked["filter"], asked["q"])
    page = entries[first : first + size]
    by_key = {study.pk: study for study in visible.filter(pk__in=[entry.study_id for entry in page])}
    studies = [by_key[entry.study_id] for entry in page if entry.study_id in by_key]
    return studies, {entry.study_id: entry.band for entry in page}, len(entries) > first + size


def _note(request: Request, asked: dict[str, Any], studies: list[Study]) -> None:
    """One entry for the whole response; the studies by key, since their names would fill the trail."""
    audit.record(
        request._request,
        "worklist.viewed",
        user=request.user,
        filter=asked["filter"],
        q=asked["q"],
        studies=[study.pk for study in studies],
    )


def _link(request: Request, asked: dict[str, Any], cursor: int) -> str:
    return f"{request.path}?{urlencode({**asked, 'cursor': cursor})}"


class ClaimView(APIView):
    permission_classes = [permissions.allows(*permissions.READERS)]

    @extend_schema(request=None, responses=JSON)
    @transaction.atomic
    def post(self, request: Request, uid: str) -> Response:
        """Claim, or renew one's own claim; 409 with who has it."""
        study = access.open_study(request, uid, "study.claimed")
        try:
            claim = claims.take(study, request.user)
        except claims.Taken as taken:
            raise Claimed(taken, request.user) from taken
        except claims.AlreadyRead as read:
            raise NothingToClaim from read
        return Response({"claimed_by": claims.as_json(claim, request.user)})

    @extend_schema(request=None, responses={204: None})
    @transaction.atomic
    def delete(self, request: Request, uid: str) -> Response:
        """Give one's own claim back."""
        study = access.open_study(request, uid, "study.released")
        try:
            claims.release(study, request.user)
        except claims.Taken as taken:
            raise Claimed(taken, request.user) from taken
        return Response(status=status.HTTP_204_NO_CONTENT)
