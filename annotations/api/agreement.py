"""REST: how far readers agree. And the page that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict, TypeVar

from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.roles import Role, has_role
from annotations.agreement import report
from annotations.agreement.ratings import variables_in_force
from annotations.agreement.report import AgreementDetail, AgreementOverview, OwnAgreement
from annotations.api.requests import LABELLERS
from annotations.models import LabelQueue, Read, ReadRevision, ReadStatus, SchemaInForce
from annotations.queues import assignment
from common.contract import answers
from common.validation import checked
from live import queries

CACHE_SECONDS = 600
Figures = TypeVar("Figures", AgreementOverview, AgreementDetail)


class AgreementQuery(serializers.Serializer[Any]):
    queue = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=2**63 - 1,
        help_text="One queue alone; without it all of them.",
    )


class QuestionQuery(AgreementQuery):
    question = serializers.CharField(max_length=64)

    def validate_question(self, name: str) -> str:
        known = [question.name for question in variables_in_force().questions]
        if name not in known:
            raise serializers.ValidationError(f"There is no such question. There are: {', '.join(known)}.")
        return name


class QueueName(TypedDict):
    """A queue that can be chosen."""

    id: int
    name: str


class EverybodysAgreement(AgreementOverview):
    """Everybody's figures, for admins."""

    scope: Literal["all"]
    queues: list[QueueName]


class OwnAgreementFigures(OwnAgreement):
    """One's own figures, for everybody else who labels."""

    scope: Literal["own"]
    queues: list[QueueName]


def _cached(name: str, make: Callable[[], Figures]) -> Figures:
    """The figures from the cache while no read has changed."""
    revisions = ReadRevision.objects.aggregate(last=Max("pk"))
    reads = Read.objects.filter(status=ReadStatus.COMMITTED).aggregate(number=Count("pk"))
    choice = SchemaInForce.objects.aggregate(last=Max("pk"))
    key = f"agreement:{name}:{revisions['last']}:{reads['number']}:{choice['last']}"
    figures: Figures | None = cache.get(key)
    if figures is None:
        figures = make()
        cache.set(key, figures, CACHE_SECONDS)
    return figures


def _check_queue(queue: int | None, allowed: QuerySet[LabelQueue]) -> None:
    """Raises Http404 for a queue that is not this person's."""
    if queue is not None and not allowed.filter(pk=queue).exists():
        raise Http404


class AgreementFiguresView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @answers(EverybodysAgreement | OwnAgreementFigures, query=AgreementQuery)
    @transaction.atomic
    def get(self, request: Request) -> Response:
        """How far readers agree, with 95 % intervals over patients. Who is no admin has their own figures alone."""
        person = permissions.person(request)
        everybody = has_role(person, Role.ADMIN)
        allowed = LabelQueue.objects.all() if everybody else assignment.queues_of(person)
        queue = checked(AgreementQuery, request.query_params)["queue"]
        _check_queue(queue, allowed)
        audit.record(request._request, "agreement.viewed", user=person, queue=queue, everybody=everybody)
        queues: list[QueueName] = [{"id": each.pk, "name": each.name} for each in allowed.order_by("-pk")]
        if not everybody:
            return Response(OwnAgreementFigures(scope="own", queues=queues, **report.own(person, queue)))
        overview = _cached(f"overview:{queue}", lambda: report.overview(queue))
        return Response(EverybodysAgreement(scope="all", queues=queues, **overview))


class AgreementQuestionView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @answers(AgreementDetail, query=QuestionQuery)
    @transaction.atomic
    def get(self, request: Request) -> Response:
        """One question: categories, pairs of readers with their confusion matrices, quality, adjudicated answers."""
        query = checked(QuestionQuery, request.query_params)
        queue, name = query["queue"], query["question"]
        _check_queue(queue, LabelQueue.objects.all())
        audit.record(request._request, "agreement.viewed", user=request.user, queue=queue, question=name)
        return Response(_cached(f"{name}:{queue}", lambda: report.detail(queue, name)))


@permissions.page(*LABELLERS)
@transaction.atomic
def agreement_page(request: HttpRequest) -> HttpResponse:
    audit.record(request, "agreement.page_viewed")
    return render(request, "agreement.html", {"page": {"page": "agreement", "seq": queries.head()}})
