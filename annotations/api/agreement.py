"""The agreement dashboard: a page and its figures over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, permissions
from accounts.roles import Role, has_role
from annotations.agreement import report
from annotations.agreement.ratings import variables_in_force
from annotations.api.requests import LABELLERS
from annotations.models import LabelQueue, Read, ReadRevision, ReadStatus, SchemaInForce
from annotations.queues import assignment
from live import queries

KEPT_SECONDS = 600
Figures = TypeVar("Figures")


class Which(serializers.Serializer[Any]):
    queue = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=2**63 - 1)


class WhichQuestion(Which):
    question = serializers.CharField(max_length=64)

    def validate_question(self, name: str) -> str:
        known = [question.name for question in variables_in_force().questions]
        if name not in known:
            raise serializers.ValidationError(f"There is no such question. There are: {', '.join(known)}.")
        return name


def _asked(serializer: type[serializers.Serializer[Any]], request: Request, allowed: Any) -> dict[str, Any]:
    given = serializer(data=request.query_params)
    given.is_valid(raise_exception=True)
    chosen: dict[str, Any] = given.validated_data
    if chosen["queue"] is not None and not allowed.filter(pk=chosen["queue"]).exists():
        raise Http404
    return chosen


def _kept(name: str, make: Callable[[], Figures]) -> Figures:
    """The figures from the cache while no read has changed."""
    revisions = ReadRevision.objects.aggregate(last=Max("pk"))
    reads = Read.objects.filter(status=ReadStatus.COMMITTED).aggregate(number=Count("pk"))
    choice = SchemaInForce.objects.aggregate(last=Max("pk"))
    key = f"agreement:{name}:{revisions['last']}:{reads['number']}:{choice['last']}"
    figures: Figures | None = cache.get(key)
    if figures is None:
        figures = make()
        cache.set(key, figures, KEPT_SECONDS)
    return figures


class AgreementFiguresView(APIView):
    permission_classes = [permissions.allows(*LABELLERS)]

    @extend_schema(parameters=[Which], responses=OpenApiTypes.OBJECT)
    @transaction.atomic
    def get(self, request: Request) -> Response:
        """How far readers agree, with 95 % intervals over patients. Who is no admin has their own figures alone."""
        everything = has_role(request.user, Role.ADMIN)
        allowed = LabelQueue.objects.all() if everything else assignment.queues_of(permissions.person(request))
        queue = _asked(Which, request, allowed)["queue"]
        audit.record(request._request, "agreement.viewed", user=request.user, queue=queue, everybody=everything)
        told_queues = [{"id": one.pk, "name": one.name} for one in allowed.order_by("-pk")]
        if not everything:
            return Response({"scope": "own", "queues": told_queues, **report.own(permissions.person(request), queue)})
        found = _kept(f"overview:{queue}", lambda: report.overview(queue))
        return Response({"scope": "all", "queues": told_queues, **found})


class AgreementQuestionView(APIView):
    permission_classes = [permissions.allows(Role.ADMIN)]

    @extend_schema(parameters=[WhichQuestion], responses=OpenApiTypes.OBJECT)
    @transaction.atomic
    def get(self, request: Request) -> Response:
        """One question: categories, pairs of readers with their confusion matrices, quality, adjudicated answers."""
        chosen = _asked(WhichQuestion, request, LabelQueue.objects.all())
        queue, name = chosen["queue"], chosen["question"]
        audit.record(request._request, "agreement.viewed", user=request.user, queue=queue, question=name)
        return Response(_kept(f"{name}:{queue}", lambda: report.detail(queue, name)))


@permissions.page(*LABELLERS)
@transaction.atomic
def agreement_page(request: HttpRequest) -> HttpResponse:
    audit.record(request, "agreement.page_viewed")
    return render(request, "agreement.html", {"page": {"page": "agreement", "seq": queries.head()}})
